package templates

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"koe/survey"
)

// surveyWords say how surveys decide.
type surveyWords struct{ staffFigures }

// counted is a number under a wording.
type counted struct {
	key string
	n   int
}

func (v surveyWords) figures(counts ...counted) ([]figure, error) {
	figures := make([]figure, len(counts))
	for i, c := range counts {
		name, err := v.Say(c.key)
		if err != nil {
			return nil, err
		}
		figures[i] = figure{name, v.Number(c.n)}
	}
	return figures, nil
}

// decided says what a decision came to; "" is that somebody is asked.
func (v surveyWords) decided(reason survey.Reason) (string, error) {
	if reason == "" {
		return v.Say("decided_asked")
	}
	return v.Say("skip_" + string(reason))
}

// length says a duration in words.
func (v surveyWords) length(d survey.Duration) (string, error) {
	if len(d) < 2 {
		return string(d), nil
	}
	number, unit := string(d[:len(d)-1]), string(d[len(d)-1:])
	if number == "1" {
		return v.Say("span_one_" + unit)
	}
	return v.Say("span_"+unit, "Number", number)
}

// asks says when a survey asks.
func (v surveyWords) asks(s survey.Survey) (string, error) {
	t := s.Trigger
	switch t.Type {
	case survey.OnSchedule:
		every, err := v.length(t.Every)
		if err != nil {
			return "", err
		}
		return v.Say("asks_schedule", "Cron", t.Cron, "Every", every)
	case survey.OnManual:
		return v.Say("asks_manual")
	}
	key := "asks_" + string(t.Type)
	if t.Delay.Length() == 0 {
		return v.Say(key+"_now", "Survey", inert(t.Survey))
	}
	delay, err := v.length(t.Delay)
	if err != nil {
		return "", err
	}
	return v.Say(key, "Survey", inert(t.Survey), "Delay", delay)
}

// rules say everything that a survey decides by, in the order in which it does.
func (v surveyWords) rules(s survey.Survey, w survey.Workspace) ([]figure, error) {
	var list []figure
	for _, rule := range []struct {
		key string
		say func(survey.Survey, survey.Workspace) (string, error)
	}{
		{"rule_asks", func(s survey.Survey, _ survey.Workspace) (string, error) { return v.asks(s) }},
		{"rule_channel", func(s survey.Survey, _ survey.Workspace) (string, error) {
			return v.Say("channel_" + string(s.Channel))
		}},
		{"rule_age", func(s survey.Survey, _ survey.Workspace) (string, error) { return v.length(s.Rules.MaxAge) }},
		{"rule_condition", func(s survey.Survey, _ survey.Workspace) (string, error) { return v.condition(s.Rules.Condition) }},
		{"rule_audience", func(s survey.Survey, _ survey.Workspace) (string, error) { return v.condition(s.Trigger.Audience) }},
		{"rule_quiet", v.quiet},
		{"rule_sample", v.sample},
		{"rule_limit", v.limit},
		{"rule_window", v.window},
		{"rule_reminders", v.reminders},
		{"rule_expires", func(s survey.Survey, _ survey.Workspace) (string, error) { return v.length(s.Rules.ExpiresAfter) }},
		{"rule_follow_up", v.followUp},
	} {
		value, err := rule.say(s, w)
		if err != nil {
			return nil, err
		}
		if value == "" {
			continue
		}
		name, err := v.Say(rule.key)
		if err != nil {
			return nil, err
		}
		list = append(list, figure{name, value})
	}
	return list, nil
}

func (v surveyWords) condition(c survey.Condition) (string, error) {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(c)) {
		values := make([]string, len(c[name]))
		for i, value := range c[name] {
			values[i] = inert(value.Text())
		}
		part, err := v.Say("rule_is", "Name", inert(strings.TrimPrefix(name, "attributes.")), "Values", strings.Join(values, ", "))
		if err != nil {
			return "", err
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, "; "), nil
}

func (v surveyWords) quiet(s survey.Survey, w survey.Workspace) (string, error) {
	period, scope := s.Rules.QuietPeriod, s.Rules.QuietScope
	if period == "" {
		period = w.QuietPeriod
	}
	if scope == "" {
		scope = w.QuietScope
	}
	if period.Length() == 0 {
		return v.Say("rule_quiet_none")
	}
	length, err := v.length(period)
	if err != nil {
		return "", err
	}
	return v.Say("rule_quiet_"+string(scope), "Period", length)
}

func (v surveyWords) sample(s survey.Survey, _ survey.Workspace) (string, error) {
	if s.Rules.Sample == nil || *s.Rules.Sample == 1 {
		return v.Say("rule_sample_all")
	}
	return v.Say("rule_sample_part", "Percent", percentOf(*s.Rules.Sample*100))
}

func (v surveyWords) limit(s survey.Survey, _ survey.Workspace) (string, error) {
	if s.Rules.DailyLimit == nil {
		return "", nil
	}
	return v.Say("rule_limit_a_day", "Count", v.Number(*s.Rules.DailyLimit))
}

func (v surveyWords) window(s survey.Survey, _ survey.Workspace) (string, error) {
	win := s.Rules.SendWindow
	if win == nil || s.Channel != survey.Email {
		return "", nil
	}
	key, days := "rule_window_daily", []string{}
	if len(win.Weekdays) > 0 {
		names, err := v.Say("weekdays")
		if err != nil {
			return "", err
		}
		all := strings.Fields(names)
		for _, day := range win.Weekdays {
			days = append(days, all[(day-1)%len(all)])
		}
		key = "rule_window_days"
	}
	zone := win.Timezone
	if zone == survey.RecipientZone {
		var err error
		if zone, err = v.Say("rule_window_recipient"); err != nil {
			return "", err
		}
	}
	return v.Say(key, "From", win.From, "To", win.To, "Days", strings.Join(days, ", "), "Timezone", zone)
}

func (v surveyWords) reminders(s survey.Survey, _ survey.Workspace) (string, error) {
	after := make([]string, len(s.Rules.Reminders))
	for i, d := range s.Rules.Reminders {
		var err error
		if after[i], err = v.length(d); err != nil {
			return "", err
		}
	}
	if len(after) == 0 {
		return v.Say("rule_reminders_none")
	}
	return v.Say("rule_reminders_after", "Delays", strings.Join(after, ", "))
}

func (v surveyWords) followUp(s survey.Survey, _ survey.Workspace) (string, error) {
	f := s.Rules.FollowUp
	if f == nil {
		return "", nil
	}
	due, err := v.length(f.Due)
	if err != nil {
		return "", err
	}
	scores, err := v.scores(f.Score)
	if err != nil {
		return "", err
	}
	return v.Say("rule_follow_up_due", "Scores", scores, "Due", due)
}

// scores is a stretch of a scale in words.
func (v surveyWords) scores(of survey.ScoreRange) (string, error) {
	switch {
	case of.Min == nil:
		return v.Say("target_at_most", "Number", strconv.Itoa(*of.Max))
	case of.Max == nil:
		return v.Say("target_at_least", "Number", strconv.Itoa(*of.Min))
	}
	return fmt.Sprintf("%d–%d", *of.Min, *of.Max), nil
}
