package survey

import (
	"fmt"
	"slices"

	"koe/scoring"
)

// Response is what a respondent answered. It carries no personal data beside
// comment, answers and attributes.
type Response struct {
	ID              ID
	Survey          ID
	Touchpoint      string
	Template        string
	TemplateVersion int
	Metric          string
	Measure         scoring.Measure // how the score is judged; empty where a response is not from the store
	Score           int
	Answers         Answers
	Comment         string
	Locale          string
	Channel         string
	Person          *Person
	Attributes      Attributes
	Invitation      *ID
	ExternalID      string
	RespondedAt     Instant
	CreatedAt       Instant
	UpdatedAt       Instant
	Complete        bool
	Excluded        string // why it is left out of scores; empty where it counts
	Tags            []string
	RuleTags        []string // those of Tags that a rule put there, and nobody by hand
}

// Answer is one POST of a respondent or of a company's system.
type Answer struct {
	Score    int
	Answers  Answers
	Comment  string
	Complete bool // the follow-up questions were answered or passed over
}

// CheckScore notes a problem where a score is off the template's scale.
func (t Template) CheckScore(p *Problems, field string, score *int) {
	m := t.Measure()
	switch {
	case score == nil:
		p.Add(field, "required", "is required: a whole number from %d to %d", m.Min, m.Max)
	case !m.Contains(*score):
		p.Add(field, "range", "must be a whole number from %d to %d", m.Min, m.Max)
	}
}

// Bounds of a response's tags.
const (
	MaxTags     = 50 // that a response has
	maxTagRunes = 64
)

// CleanTags brings tags into the form that koe keeps: at most 50, each one line
// of at most 64 characters, trimmed, none twice. Never nil.
func CleanTags(p *Problems, field string, tags []string) []string {
	if len(tags) > MaxTags {
		p.Add(field, "too_many", "must have at most %d tags", MaxTags)
		return tags
	}
	clean := make([]string, 0, len(tags))
	for i, given := range tags {
		at := fmt.Sprintf("%s[%d]", field, i)
		tag := Line(p, at, given, maxTagRunes)
		switch {
		case tag == "":
			p.Add(at, "required", "must not be empty; leave it out")
		case slices.Contains(clean, tag):
			p.Add(at, "duplicate", "is there twice")
		}
		clean = append(clean, tag)
	}
	return clean
}

// Unfinished says whether follow-up questions that have no answer yet may still
// be answered, each once, however short the time for changes: until the link's
// end, while the response is not complete. Somebody who writes slowly must not
// lose what they wrote. On a kiosk it ends KioskLeft after the last change: the
// next person must not find this one's answer open.
func Unfinished(v Invitation, r Response, now Instant) bool {
	return !r.Complete && now < v.ExpiresAt && (r.Channel != ByKiosk || now <= r.UpdatedAt.Add(KioskLeft))
}

// Editable says whether an answer may still be changed: until the survey's
// editable_for has passed since it was first given; on a kiosk never.
func Editable(s Survey, r Response, now Instant) bool {
	return r.Channel != ByKiosk && now < r.CreatedAt.Add(s.Rules.EditableFor.Length())
}
