package survey

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// TriggerType says what makes a survey ask.
type TriggerType string

// The triggers.
const (
	OnInteraction TriggerType = "interaction"
	OnManual      TriggerType = "manual"
	OnSchedule    TriggerType = "schedule"
	OnResponse    TriggerType = "response"
)

// Trigger is what makes a survey ask, and how long after.
type Trigger struct {
	Type TriggerType `json:"type"`

	// Delay is how long after an interaction or a response.
	Delay Duration `json:"delay,omitempty"`

	// Of a schedule: when it fires, whom it may ask, and how often each person.
	// Without a zone it is the workspace's.
	Cron     string    `json:"cron,omitempty"`
	Timezone string    `json:"timezone,omitempty"`
	Audience Condition `json:"audience,omitempty"`
	Every    Duration  `json:"every,omitempty"`
	Members  bool      `json:"members,omitempty"` // only those of the audience who were put on the survey's list

	// Of a response: the survey (id or key) whose answers it follows, and which.
	Survey string `json:"survey,omitempty"`
	When   When   `json:"when,omitempty"`
}

// What a schedule is where it says nothing else: weekday mornings, everybody
// once a quarter.
const (
	defaultCron  = "0 9 * * 1-5"
	defaultEvery = Duration("90d")
)

// minEvery is the shortest cadence: nobody wants to be asked more often.
const minEvery = time.Hour

func (t *Trigger) clean(p *Problems) {
	switch t.Type {
	case OnInteraction, OnResponse:
		if t.Delay == "" {
			t.Delay = "0s"
		}
		checkDuration(p, "trigger.delay", t.Delay)
	case OnManual, OnSchedule:
		if t.Delay == "0s" { // what an interaction survey had by default
			t.Delay = ""
		}
		if t.Delay != "" {
			p.Add("trigger.delay", "unknown", "a %s survey has no delay", t.Type)
		}
	case "":
		p.Add("trigger.type", "required", "is required: interaction, schedule, response or manual")
		return
	default:
		p.Add("trigger.type", "unknown", "must be interaction, schedule, response or manual")
		return
	}
	t.cleanSchedule(p)
	t.cleanResponse(p)
}

func (t *Trigger) cleanSchedule(p *Problems) {
	if t.Type != OnSchedule {
		if t.Cron == defaultCron && t.Every == defaultEvery { // what a schedule had by default
			t.Cron, t.Every = "", ""
		}
		for field, given := range map[string]bool{"cron": t.Cron != "", "timezone": t.Timezone != "", "audience": len(t.Audience) > 0, "every": t.Every != "", "members": t.Members} {
			if given {
				p.Add("trigger."+field, "unknown", "is for a schedule, not for %s", t.Type)
			}
		}
		return
	}
	if t.Cron == "" {
		t.Cron = defaultCron
	}
	if _, err := ParseCron(t.Cron); err != nil {
		p.Add("trigger.cron", "format", "%s", err)
	}
	t.Cron = strings.Join(strings.Fields(t.Cron), " ")
	if t.Timezone != "" {
		if _, err := LoadZone(t.Timezone); err != nil {
			p.Add("trigger.timezone", "format", "%s", err)
		}
	}
	if len(t.Audience) > 0 {
		t.Audience = t.Audience.clean(p, "trigger.audience")
	}
	if t.Every == "" {
		t.Every = defaultEvery
	}
	if _, err := ParseDuration(string(t.Every)); err != nil {
		p.Add("trigger.every", "format", "%s", err)
	} else if t.Every.Length() < minEvery {
		p.Add("trigger.every", "range", "must be at least 1h")
	}
}

func (t *Trigger) cleanResponse(p *Problems) {
	if t.Type != OnResponse {
		if t.Survey != "" {
			p.Add("trigger.survey", "unknown", "is for a response trigger, not for %s", t.Type)
		}
		if len(t.When) > 0 {
			p.Add("trigger.when", "unknown", "is for a response trigger, not for %s", t.Type)
		}
		return
	}
	p.Require("trigger.survey", t.Survey)
	for _, key := range slices.Sorted(maps.Keys(t.When)) {
		m, field := t.When[key], "trigger.when."+key
		switch {
		case !ValidKey(key):
			p.Add(field, "format", "must be score or the key of a question")
		case m.Min == nil && m.Max == nil && len(m.In) == 0:
			p.Add(field, "format", "must have min, max or in")
		case m.Min != nil && m.Max != nil && *m.Min > *m.Max:
			p.Add(field, "range", "min must not be above max")
		}
	}
}

// CheckWhen adds to p what a response trigger looks at that the survey it
// follows does not ask.
func (t Trigger) CheckWhen(p *Problems, follows Template) {
	t.When.clean(p, "trigger.when", follows.Questions)
}

// Follows is true where an answer makes a follow-on survey ask.
func (t Trigger) Follows(score int, answers Answers) bool { return t.When.Match(score, answers) }

// Calendar is when a schedule fires, in its zone or the workspace's.
func (t Trigger) Calendar(w Workspace) (Cron, *time.Location, error) {
	c, err := readCron(t.Cron)
	if err != nil {
		return c, nil, fmt.Errorf("trigger.cron: %w", err)
	}
	return c, zone(t.Timezone, w.Timezone), nil
}

// Share is how many people a fire asks, so that an audience is asked evenly:
// each person once in the cadence, and no more at one fire than at another but
// one. Fires is how many fires the cadence has, due how many of them lie in the
// cadence that ends with this one (fewer at the beginning), and asked how many
// people had their turn within it.
func Share(audience, asked, fires, due int) int {
	fires = max(fires, 1)
	due = min(due, fires)
	most := (audience + fires - 1) / fires
	return max(0, min(most, (audience*due+fires-1)/fires-asked)) // rounded up: the first fire asks somebody
}
