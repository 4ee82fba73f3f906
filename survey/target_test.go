package survey_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"koe/scoring"
	"koe/survey"
)

func bound(v float64) *float64 { return &v }

// chatTarget is a target that is fine; change spoils it.
func chatTarget(change func(*survey.TargetTerms)) survey.TargetTerms {
	t := survey.TargetTerms{Name: " Chat  ", Kind: survey.TargetScore, Metric: scoring.CSAT, Touchpoint: "support_chat", AtLeast: bound(85)}
	if change != nil {
		change(&t)
	}
	return t
}

func waitTarget(change func(*survey.TargetTerms)) survey.TargetTerms {
	t := survey.TargetTerms{Name: "Wait", Kind: survey.TargetAttributeMedian, Touchpoint: "support_chat", Attribute: "wait_seconds", AtMost: bound(120)}
	if change != nil {
		change(&t)
	}
	return t
}

func TestTargetsFillDefaults(t *testing.T) {
	terms := chatTarget(func(t *survey.TargetTerms) { t.Notify = []string{" Kim@Example.com "} })
	if err := terms.Clean(); err != nil {
		t.Fatal(err)
	}
	if terms.Name != "Chat" || terms.Period != "month" || terms.Minimum != 30 || !slices.Equal(terms.Notify, []string{"kim@example.com"}) {
		t.Errorf("%+v", terms)
	}
	target := survey.NewTarget(terms)
	if target.Unit != "percent" || target.Needed != 34 || target.State != scoring.Insufficient || terms.String() != "csat support_chat ≥ 85" {
		t.Errorf("%+v is %s", target, terms)
	}
	for unit, terms := range map[string]survey.TargetTerms{
		"nps":    {Name: "a", Kind: survey.TargetScore, Metric: scoring.NPS, AtLeast: bound(30)},
		"points": {Name: "a", Kind: survey.TargetScore, Metric: scoring.CES, AtLeast: bound(5.5)},
		"hours":  {Name: "a", Kind: survey.TargetFirstTouch, AtMost: bound(8)},
		"":       waitTarget(nil),
	} {
		if err := terms.Clean(); err != nil {
			t.Errorf("%s: %v", unit, err)
		}
		if target := survey.NewTarget(terms); target.Unit != unit || target.Needed != 30 {
			t.Errorf("%s: %+v", unit, target)
		}
	}
	ces := survey.TargetTerms{Name: "a", Kind: survey.TargetScore, Metric: scoring.CES, CESVersion: 1, AtMost: bound(2)}
	if err := ces.Clean(); err != nil {
		t.Error(err)
	}
}

func TestTargetsRefuseNonsense(t *testing.T) {
	for field, terms := range map[string]survey.TargetTerms{
		"name":           chatTarget(func(t *survey.TargetTerms) { t.Name = " " }),
		"kind":           chatTarget(func(t *survey.TargetTerms) { t.Kind = "mood" }),
		"metric":         chatTarget(func(t *survey.TargetTerms) { t.Metric = "" }),
		"metric ":        chatTarget(func(t *survey.TargetTerms) { t.Metric = "stars" }),
		"metric  ":       waitTarget(func(t *survey.TargetTerms) { t.Metric = scoring.NPS }),
		"ces_version":    chatTarget(func(t *survey.TargetTerms) { t.CESVersion = 1 }),
		"ces_version ":   waitTarget(func(t *survey.TargetTerms) { t.CESVersion = 1 }),
		"touchpoint":     chatTarget(func(t *survey.TargetTerms) { t.Touchpoint = "Support Chat" }),
		"touchpoint ":    waitTarget(func(t *survey.TargetTerms) { t.Touchpoint = "" }),
		"attribute":      waitTarget(func(t *survey.TargetTerms) { t.Attribute = "" }),
		"attribute ":     waitTarget(func(t *survey.TargetTerms) { t.Attribute = `a"b` }),
		"attribute  ":    chatTarget(func(t *survey.TargetTerms) { t.Attribute = "wait_seconds" }),
		"at_least":       chatTarget(func(t *survey.TargetTerms) { t.AtLeast = nil }),
		"at_least ":      chatTarget(func(t *survey.TargetTerms) { t.AtMost = bound(90) }),
		"at_least  ":     chatTarget(func(t *survey.TargetTerms) { t.AtLeast = bound(100) }),
		"at_least   ":    chatTarget(func(t *survey.TargetTerms) { t.AtLeast = bound(850) }),
		"at_least    ":   chatTarget(func(t *survey.TargetTerms) { t.Metric, t.AtLeast = scoring.NPS, bound(100) }),
		"at_least     ":  chatTarget(func(t *survey.TargetTerms) { t.Metric, t.AtLeast = scoring.CES, bound(7.5) }),
		"at_least      ": chatTarget(func(t *survey.TargetTerms) { t.Kind, t.Metric, t.AtLeast = survey.TargetFirstTouch, "", bound(8) }),
		"at_most":        chatTarget(func(t *survey.TargetTerms) { t.AtLeast, t.AtMost = nil, bound(90) }),
		"at_most ": chatTarget(func(t *survey.TargetTerms) {
			t.Kind, t.Metric, t.AtLeast, t.AtMost = survey.TargetFirstTouch, "", nil, bound(0)
		}),
		"period":       chatTarget(func(t *survey.TargetTerms) { t.Period = "day" }),
		"period ":      chatTarget(func(t *survey.TargetTerms) { t.Period = "6d" }),
		"period  ":     chatTarget(func(t *survey.TargetTerms) { t.Period = "028d" }),
		"minimum":      chatTarget(func(t *survey.TargetTerms) { t.Minimum = 9 }),
		"notify[0]":    chatTarget(func(t *survey.TargetTerms) { t.Notify = []string{"kim"} }),
		"notify[1]":    chatTarget(func(t *survey.TargetTerms) { t.Notify = []string{"kim@example.com", "KIM@example.com"} }),
		"notify":       chatTarget(func(t *survey.TargetTerms) { t.Notify = make([]string, 21) }),
		"unusual_drop": waitTarget(func(t *survey.TargetTerms) { t.UnusualDrop = true }),
	} {
		err := terms.Clean()
		var known *survey.Error
		if !errors.As(err, &known) || len(known.Fields) == 0 || known.Fields[0].Field != strings.TrimSpace(field) {
			t.Errorf("%q: %v", field, err)
		}
	}
}

func at(text string) survey.Instant {
	i, err := survey.ParseInstant(text)
	if err != nil {
		panic(err)
	}
	return i
}

func TestTargetPeriods(t *testing.T) {
	tokyo, err := survey.LoadZone("Asia/Tokyo")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		terms           survey.TargetTerms
		now, start, end string
	}{
		// a day after its end, in Tokyo
		{chatTarget(func(t *survey.TargetTerms) { t.Period = "month" }), "2026-12-01T14:59:59Z", "2026-10-01", "2026-11-01"},
		{chatTarget(func(t *survey.TargetTerms) { t.Period = "month" }), "2026-12-01T15:00:00Z", "2026-11-01", "2026-12-01"},
		{chatTarget(func(t *survey.TargetTerms) { t.Period = "week" }), "2026-12-01T15:00:00Z", "2026-11-23", "2026-11-30"},
		{chatTarget(func(t *survey.TargetTerms) { t.Period = "quarter" }), "2026-12-01T15:00:00Z", "2026-07-01", "2026-10-01"},
		{chatTarget(func(t *survey.TargetTerms) { t.Period = "28d" }), "2026-11-23T14:59:59Z", "2026-09-28", "2026-10-26"},
		// invitations of the last day have 14 days to be answered
		{survey.TargetTerms{Kind: survey.TargetResponseRate, Period: "month"}, "2026-12-14T14:59:59Z", "2026-10-01", "2026-11-01"},
		{survey.TargetTerms{Kind: survey.TargetResponseRate, Period: "month"}, "2026-12-14T15:00:00Z", "2026-11-01", "2026-12-01"},
		{survey.TargetTerms{Kind: survey.TargetFirstTouch, Period: "month", AtMost: bound(72)}, "2026-12-03T14:59:59Z", "2026-10-01", "2026-11-01"},
	} {
		p := c.terms.Ended(at(c.now), tokyo)
		if p.Start.String() != c.start || p.End.String() != c.end || p.From != survey.StartOf(p.Start, tokyo) || p.To != survey.StartOf(p.End, tokyo) {
			t.Errorf("%s %s at %s: %s to %s", c.terms.Kind, c.terms.Period, c.now, p.Start, p.End)
		}
	}
	for day := survey.Day(0); day < 1000; day++ { // every 28 days are the next ones, from Monday to Sunday
		p := survey.TargetTerms{Period: "28d"}.Running(survey.StartOf(day, tokyo), tokyo)
		if p.Start > day || p.End <= day || p.End-p.Start != 28 || p.Start.Weekday() != 1 {
			t.Fatalf("%s lies in %s to %s", day, p.Start, p.End)
		}
	}
}

// A year of looks every hour judges every month once, and every day once,
// whatever the zone does.
func TestTargetsAreJudgedOncePerPeriod(t *testing.T) {
	for _, name := range []string{"UTC", "Asia/Tokyo", "America/Santiago", "Pacific/Apia"} {
		loc, err := survey.LoadZone(name)
		if err != nil {
			t.Fatal(err)
		}
		terms := chatTarget(func(t *survey.TargetTerms) { t.UnusualDrop = true })
		if err := terms.Clean(); err != nil {
			t.Fatal(err)
		}
		target := survey.NewTarget(terms)
		judged, days, looks := map[survey.Day]int{}, map[survey.Day]int{}, 0
		start := at("2011-03-05T00:30:00Z") // Apia had no 2011-12-30
		for now := start; now < start.Add(365*24*time.Hour); now = now.Add(time.Hour) {
			if target.NextLook(now, loc) > now {
				continue
			}
			looks++
			period, day := target.ToJudge(now, loc)
			if period == nil && day == nil {
				t.Fatalf("%s: at %s there is nothing to judge", name, now)
			}
			if period != nil {
				judged[period.Start]++
				target, _ = target.AfterPeriod(survey.TargetLook{Start: period.Start, End: period.End, From: period.From, To: period.To}, now)
			}
			if day != nil {
				days[*day]++
				target, _ = target.AfterDrop(*day, scoring.Drop{}, now)
			}
		}
		for day, n := range judged {
			if n != 1 {
				t.Errorf("%s: %s is judged %d times", name, day, n)
			}
		}
		for day, n := range days {
			if n != 1 {
				t.Errorf("%s: %s is looked at %d times", name, day, n)
			}
		}
		if len(judged) != 13 || len(days) < 364 || len(days) > 366 {
			t.Errorf("%s: %d months and %d days in %d looks", name, len(judged), len(days), looks)
		}
	}
}

func TestTargetChanges(t *testing.T) {
	terms := chatTarget(nil)
	if err := terms.Clean(); err != nil {
		t.Fatal(err)
	}
	target := survey.NewTarget(terms)
	for i, c := range []struct {
		satisfied, n int64
		state        scoring.Standing
		change, told bool
	}{
		{95, 100, scoring.Met, true, false}, // the first: whoever sets it up looks at it
		{96, 100, scoring.Met, false, false},
		{86, 100, scoring.AtRisk, true, true},
		{70, 100, scoring.Breached, true, true},
		{71, 100, scoring.Breached, false, false},
		{0, 0, scoring.Insufficient, true, true},
		{99, 100, scoring.Met, true, true},
	} {
		now := survey.Instant(i)
		before := target
		after, change := target.AfterPeriod(survey.TargetLook{Figure: scoring.FigureOfShare(c.satisfied, c.n, 0.95)}, now)
		target = after
		if after.State != c.state || (change != nil) != c.change || c.change && (change.Told != c.told || *after.Since != now ||
			change.From != string(before.State) || change.To != string(c.state)) {
			t.Errorf("%d: %s, %+v", i, after.State, change)
		}
	}
	// the first judgement finds too few: that is what it was before
	if after, change := survey.NewTarget(terms).AfterPeriod(survey.TargetLook{}, 5); change != nil || *after.Since != 5 || after.Judged == nil {
		t.Errorf("%+v, %+v", after, change)
	}
}

// A drop is told once, and again only after a week without one.
func TestTargetDrops(t *testing.T) {
	target := survey.NewTarget(survey.TargetTerms{UnusualDrop: true})
	var alarms []survey.Day
	for day := survey.Day(0); day < 40; day++ {
		unusual := day >= 3 && day <= 6 || day == 10 || day == 18 || day == 30
		after, change := target.AfterDrop(day, scoring.Drop{Unusual: unusual}, survey.Instant(day))
		target = after
		if change != nil {
			alarms = append(alarms, day)
			if change.From != "usual" || change.To != "unusual" || !change.Told || change.Drop.Day != day || *change.Drop.Since != day {
				t.Errorf("%+v", change)
			}
		}
	}
	if !slices.Equal(alarms, []survey.Day{3, 18, 30}) || target.Drop.Since != nil {
		t.Errorf("alarms on %v, since %v", alarms, target.Drop.Since)
	}
}
