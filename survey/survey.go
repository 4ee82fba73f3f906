package survey

import (
	"fmt"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"
)

// State is where a survey stands.
type State string

// The states of a survey. Only an active one asks; a paused one holds what is
// planned; an archived one never asks again.
const (
	Draft    State = "draft"
	Active   State = "active"
	Paused   State = "paused"
	Archived State = "archived"
)

// Channel is how a survey reaches a customer.
type Channel string

// The channels.
const (
	Email    Channel = "email" // koe sends a mail
	LinkOnly Channel = "link"  // koe returns an address; somebody else delivers it
)

// Survey is a template asked at a touchpoint: where, when, how, under rules.
type Survey struct {
	ID              ID       `json:"id"`
	Key             string   `json:"key,omitempty"`
	Name            string   `json:"name"`
	Template        string   `json:"template"`
	TemplateVersion int      `json:"template_version"`
	Touchpoint      string   `json:"touchpoint"`
	Channel         Channel  `json:"channel"`
	Trigger         Trigger  `json:"trigger"`
	Rules           Rules    `json:"rules"`
	Segments        []string `json:"segments"`
	State           State    `json:"state"`
	CreatedAt       Instant  `json:"created_at"`
	UpdatedAt       Instant  `json:"updated_at"`
	ActivatedAt     *Instant `json:"activated_at"`
	Revision        int64    `json:"-"`
}

// Rules say whom a survey may ask and when. What is unset takes the default
// of Clean, the quiet period that of the workspace.
type Rules struct {
	QuietPeriod  Duration   `json:"quiet_period,omitempty"`
	QuietScope   QuietScope `json:"quiet_scope,omitempty"`
	Sample       *float64   `json:"sample,omitempty"`
	DailyLimit   *int       `json:"daily_limit,omitempty"`
	MaxAge       Duration   `json:"max_age,omitempty"`
	Condition    Condition  `json:"condition,omitempty"`
	SendWindow   *Window    `json:"send_window,omitempty"`
	Reminders    []Duration `json:"reminders,omitempty"`
	ExpiresAfter Duration   `json:"expires_after,omitempty"`
	EditableFor  Duration   `json:"editable_for,omitempty"`

	FollowUp *FollowUpRule `json:"follow_up,omitempty"`
}

const (
	maxSegments  = 10
	maxReminders = 3
)

// Clean fills defaults and brings the survey's own fields into the form that
// koe keeps, or returns an Invalid error with every field that is wrong.
// Whether template and touchpoint exist is for the store to say.
func (s *Survey) Clean() error {
	var p Problems
	if s.Key != "" && !ValidKey(s.Key) {
		p.Add("key", "format", "must be lower-case letters, digits, _ and -, at most 63")
	}
	if _, err := ParseID(s.Key); err == nil {
		p.Add("key", "format", "must not look like an id")
	}
	p.Require("name", s.Name)
	s.Name = Line(&p, "name", s.Name, 200)
	switch {
	case strings.TrimSpace(s.Template) == "":
		p.Add("template", "required", "is required: the key of a template, such as nps")
	case !ValidKey(s.Template):
		p.Add("template", "format", "must be lower-case letters, digits, _ and -, at most 63")
	}
	switch {
	case strings.TrimSpace(s.Touchpoint) == "":
		p.Add("touchpoint", "required", "is required: the moment that the survey asks about, such as support_chat")
	case !ValidKey(s.Touchpoint):
		p.Add("touchpoint", "format", "must be lower-case letters, digits, _ and -, at most 63")
	}
	if s.Channel != Email && s.Channel != LinkOnly {
		p.Add("channel", "unknown", "must be email or link")
	}
	s.Trigger.clean(&p)
	if (s.Trigger.Type == OnSchedule || s.Trigger.Type == OnResponse) && s.Channel == LinkOnly {
		p.Add("channel", "unsupported", "a %s survey asks by email: nobody would be handed the links", s.Trigger.Type)
	}
	s.Rules.clean(&p)
	s.cleanSegments(&p)
	return p.Err()
}

func (r *Rules) clean(p *Problems) {
	for _, d := range []struct {
		field   string
		value   *Duration
		initial Duration
	}{
		{"rules.quiet_period", &r.QuietPeriod, ""}, {"rules.max_age", &r.MaxAge, "7d"},
		{"rules.expires_after", &r.ExpiresAfter, "30d"}, {"rules.editable_for", &r.EditableFor, "24h"},
	} {
		if *d.value == "" {
			*d.value = d.initial
		}
		if *d.value != "" {
			checkDuration(p, d.field, *d.value)
		}
	}
	if r.ExpiresAfter.Length() == 0 && !hasField(p, "rules.expires_after") {
		p.Add("rules.expires_after", "range", "must be longer than 0s")
	}
	if r.QuietScope != "" && r.QuietScope != QuietWorkspace && r.QuietScope != QuietSurvey {
		p.Add("rules.quiet_scope", "unknown", "must be workspace or survey")
	}
	if r.Sample == nil {
		whole := 1.0
		r.Sample = &whole
	}
	if !(*r.Sample >= 0 && *r.Sample <= 1) {
		p.Add("rules.sample", "range", "must be between 0 and 1")
	}
	if r.DailyLimit != nil && (*r.DailyLimit < 1 || *r.DailyLimit > 100_000_000) {
		p.Add("rules.daily_limit", "range", "must be between 1 and 100000000; leave it out for no limit")
	}
	if len(r.Condition) > 0 {
		r.Condition = r.Condition.clean(p, "rules.condition")
	}
	if r.SendWindow != nil {
		r.SendWindow.clean(p)
	}
	if r.FollowUp != nil {
		r.FollowUp.clean(p)
	}
	r.cleanReminders(p)
}

func (r *Rules) cleanReminders(p *Problems) {
	if len(r.Reminders) > maxReminders {
		p.Add("rules.reminders", "too_many", "must be at most %d", maxReminders)
	}
	previous := time.Duration(0)
	for i, d := range r.Reminders {
		field := fmt.Sprintf("rules.reminders[%d]", i)
		checkDuration(p, field, d)
		switch length := d.Length(); {
		case length <= previous:
			p.Add(field, "range", "must be later than the mail before it")
		case length >= r.ExpiresAfter.Length():
			p.Add(field, "range", "must come before the survey expires (%s)", r.ExpiresAfter)
		}
		previous = d.Length()
	}
}

func (s *Survey) cleanSegments(p *Problems) {
	if s.Segments == nil {
		s.Segments = []string{}
	}
	if len(s.Segments) > maxSegments {
		p.Add("segments", "too_many", "must be at most %d", maxSegments)
	}
	seen := map[string]bool{}
	for i, given := range s.Segments {
		name := norm.NFC.String(given)
		s.Segments[i] = name
		field := fmt.Sprintf("segments[%d]", i)
		switch {
		case !attributeName.MatchString(name):
			p.Add(field, "format", "must be the name of an attribute")
		case seen[name]:
			p.Add(field, "duplicate", "is named twice")
		default:
			refusePrefix(p, field, name)
		}
		seen[name] = true
	}
}

// refusePrefix is for what names an attribute and nothing else: with the prefix
// that reports and conditions need it would be another attribute, which nobody
// tells.
func refusePrefix(p *Problems, field, name string) {
	if bare, has := strings.CutPrefix(name, attributePrefix); has {
		p.Add(field, "format", "leave out the prefix %q: %s", attributePrefix, bare)
	}
}

func checkDuration(p *Problems, field string, d Duration) {
	if _, err := ParseDuration(string(d)); err != nil {
		p.Add(field, "format", "%s", err)
	}
}

func hasField(p *Problems, field string) bool {
	for _, f := range p.fields {
		if f.Field == field {
			return true
		}
	}
	return false
}
