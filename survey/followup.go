package survey

import (
	"slices"
	"strings"
	"time"
)

// FollowUpRule says after which answers somebody of the company gets back to
// the customer: by when, who, and whether the customer is asked at the end.
type FollowUpRule struct {
	Score         ScoreRange `json:"score"`
	Due           Duration   `json:"due,omitempty"`                   // counted from the answer
	Owner         string     `json:"owner,omitempty"`                 // round_robin, attributes.NAME or a member's address
	EscalateTo    string     `json:"escalate_to,omitempty"`           // who is mailed once it is overdue
	Confirm       bool       `json:"confirm_with_customer,omitempty"` // whether the customer is asked if it is solved
	ConfirmWithin Duration   `json:"confirm_within,omitempty"`        // how long an answer to that is waited for
}

// ScoreRange is a stretch of a scale; a nil end is open.
type ScoreRange struct {
	Min *int `json:"min,omitempty"`
	Max *int `json:"max,omitempty"`
}

// Holds is true for a score within the range.
func (r ScoreRange) Holds(score int) bool { return Match{Min: r.Min, Max: r.Max}.holds(score) }

// RoundRobin as a rule's owner gives each follow-up to whoever has the fewest.
const RoundRobin = "round_robin"

// The defaults of a rule.
const (
	followUpDue     Duration = "24h"
	followUpConfirm Duration = "3d"
)

// OwnerAttribute is the attribute whose value names the owner; "" where the
// rule goes by none.
func (r FollowUpRule) OwnerAttribute() string {
	name, is := strings.CutPrefix(r.Owner, "attributes.")
	if !is {
		return ""
	}
	return name
}

// OwnerAddress is the owner's address; "" where the rule names nobody.
func (r FollowUpRule) OwnerAddress() string {
	if strings.Contains(r.Owner, "@") && r.OwnerAttribute() == "" {
		return r.Owner
	}
	return ""
}

func (r *FollowUpRule) clean(p *Problems) {
	const at = "rules.follow_up"
	switch {
	case r.Score.Min == nil && r.Score.Max == nil:
		p.Add(at+".score", "required", `is required: the scores that call for a follow-up, such as {"max": 6}`)
	case r.Score.Min != nil && r.Score.Max != nil && *r.Score.Min > *r.Score.Max:
		p.Add(at+".score", "range", "min must not be above max")
	}
	if r.Due == "" {
		r.Due = followUpDue
	}
	checkDuration(p, at+".due", r.Due)
	if r.Due.Length() == 0 && !hasField(p, at+".due") {
		p.Add(at+".due", "range", "must be longer than 0s")
	}
	r.cleanOwner(p, at+".owner")
	r.EscalateTo = optionalAddress(p, at+".escalate_to", r.EscalateTo)
	if r.ConfirmWithin != "" && !r.Confirm {
		p.Add(at+".confirm_within", "conflict", "is for rules with confirm_with_customer; set that, or leave this out")
		return
	}
	if r.Confirm && r.ConfirmWithin == "" {
		r.ConfirmWithin = followUpConfirm
	}
	if r.ConfirmWithin != "" {
		checkDuration(p, at+".confirm_within", r.ConfirmWithin)
		if r.ConfirmWithin.Length() < time.Hour && !hasField(p, at+".confirm_within") {
			p.Add(at+".confirm_within", "range", "must be at least 1h: the customer has to find the mail first")
		}
	}
}

func (r *FollowUpRule) cleanOwner(p *Problems, at string) {
	r.Owner = strings.TrimSpace(r.Owner)
	if r.Owner == "" {
		r.Owner = RoundRobin
	}
	if r.Owner == RoundRobin {
		return
	}
	if name := r.OwnerAttribute(); name != "" || strings.HasPrefix(r.Owner, "attributes.") {
		if !attributeName.MatchString(name) {
			p.Add(at, "format", "must name an attribute, such as attributes.agent")
		}
		return
	}
	address, err := NormalizeAddress(r.Owner)
	if err != nil {
		p.Add(at, "format", "must be round_robin, attributes.NAME or the address of a member")
		return
	}
	r.Owner = address
}

// CheckScale notes a problem where no answer to a template could ever call for
// a follow-up.
func (r FollowUpRule) CheckScale(p *Problems, t Template) {
	m := t.Measure()
	for score := m.Min; score <= m.Max; score++ {
		if r.Score.Holds(score) {
			return
		}
	}
	p.Add("rules.follow_up.score", "range", "holds no score of the template %s, whose scale is %d to %d", t.Key, m.Min, m.Max)
}

// FollowUpState is where a follow-up stands.
type FollowUpState string

// The states of a follow-up.
const (
	FollowUpOpen       FollowUpState = "open"
	FollowUpInProgress FollowUpState = "in_progress"
	FollowUpResolved   FollowUpState = "resolved" // in the eyes of the company
)

// FollowUpStates are all states, in the order in which they are passed through.
func FollowUpStates() []FollowUpState {
	return []FollowUpState{FollowUpOpen, FollowUpInProgress, FollowUpResolved}
}

// Confirmation is what the customer says of a resolved follow-up.
type Confirmation string

// The confirmations.
const (
	NotAsked            Confirmation = "not_asked"
	ConfirmationPending Confirmation = "pending"
	Confirmed           Confirmation = "confirmed"
	Refuted             Confirmation = "reopened"    // it was not solved
	Unconfirmed         Confirmation = "unconfirmed" // nobody answered, or nobody could be asked
)

// FollowUp is an unhappy answer that somebody of the company gets back to.
type FollowUp struct {
	ID           ID
	Survey       ID
	Touchpoint   string
	Response     Response
	MayContact   *bool // what the answer says to the consent question; nil where it says nothing
	Owner        *Member
	State        FollowUpState
	Outcome      string
	Confirmation Confirmation
	Reopened     int      // how often the customer said that it was not solved
	Since        Instant  // when the customer said it; every length of time counts from here
	OpenedAt     Instant  // when koe learned of it
	DueAt        Instant  // by when it is to be resolved
	TouchedAt    *Instant // when somebody first took it up
	ResolvedAt   *Instant // nil while it is not
	ClosedAt     *Instant // when nothing more is waited for
	EscalatedAt  *Instant
	ConfirmBy    *Instant // until when the customer's word is waited for
	UpdatedAt    Instant
	Notes        []FollowUpNote // oldest first; nil in lists
}

// FollowUpNote is what somebody of the company wrote down. Text is empty once the
// customer was erased.
type FollowUpNote struct {
	ID   ID      `json:"id"`
	At   Instant `json:"at"`
	By   string  `json:"by"`
	Text string  `json:"text"`
}

// Bounds of texts.
const (
	maxNoteRunes    = 5000
	maxOutcomeRunes = 200
)

// CleanFollowUpNote brings a note's text into the form that koe keeps.
func CleanFollowUpNote(p *Problems, text string) string {
	text = Prose(p, "text", Written(text), maxNoteRunes)
	p.Require("text", text)
	return text
}

// CleanOutcome brings an outcome into the form that koe keeps: one line, which
// may be empty.
func CleanOutcome(p *Problems, text string) string {
	return Line(p, "outcome", text, maxOutcomeRunes)
}

// Overdue is true where it should have been resolved by now.
func (f FollowUp) Overdue(now Instant) bool { return f.State != FollowUpResolved && f.DueAt <= now }

// MayContact is what answers say to a template's consent question: nil where it
// asks none, or none was answered.
func MayContact(t Template, answers Answers) *bool {
	for _, q := range t.Questions {
		if said, ok := answers[q.Key].(bool); ok && q.Type == ConsentQuestion {
			return &said
		}
	}
	return nil
}

// MayAsk is true where the customer may be asked whether it is solved: a
// template that asks for consent must have got it.
func MayAsk(t Template, answers Answers) bool {
	asks := slices.ContainsFunc(t.Questions, func(q Question) bool { return q.Type == ConsentQuestion })
	said := MayContact(t, answers)
	return !asks || said != nil && *said
}

// Touch notes that somebody took it up; the first time counts.
func (f *FollowUp) Touch(now Instant) {
	if f.TouchedAt == nil {
		f.TouchedAt = &now
	}
}

// Move brings a follow-up into another state as staff ask for it. What is
// resolved is closed, unless the customer is asked first: ask says whether the
// rule wants that and the customer can be reached. What is taken up again is
// due anew.
func (f *FollowUp) Move(to FollowUpState, rule FollowUpRule, ask bool, now Instant) {
	if to == f.State {
		return
	}
	from := f.State
	f.State = to
	if to != FollowUpOpen {
		f.Touch(now)
	}
	switch {
	case to == FollowUpResolved:
		f.ResolvedAt, f.ClosedAt, f.Confirmation, f.ConfirmBy = &now, &now, NotAsked, nil
		if rule.Confirm {
			f.Confirmation = Unconfirmed
		}
		if rule.Confirm && ask {
			by := now.Add(rule.ConfirmWithin.Length())
			f.ClosedAt, f.Confirmation, f.ConfirmBy = nil, ConfirmationPending, &by
		}
	case from == FollowUpResolved:
		f.takeUpAgain(NotAsked, rule, now)
	}
}

func (f *FollowUp) takeUpAgain(why Confirmation, rule FollowUpRule, now Instant) {
	f.ResolvedAt, f.ClosedAt, f.Confirmation, f.ConfirmBy = nil, nil, why, nil
	due := rule.Due
	if due == "" { // the survey has no rule any more
		due = followUpDue
	}
	f.DueAt = now.Add(due.Length())
}

// Answer is what the customer says to whether it is solved; changed is false
// for the same once more. Gone where nobody asks any more, Conflict where the
// other was said.
func (f *FollowUp) Answer(solved bool, rule FollowUpRule, now Instant) (changed bool, err error) {
	switch {
	case f.Confirmation == ConfirmationPending && f.ConfirmBy != nil && now < *f.ConfirmBy:
	case f.Confirmation == Confirmed && solved, f.Confirmation == Refuted && !solved:
		return false, nil
	case f.Confirmation == Confirmed, f.Confirmation == Refuted:
		return false, Errorf(Conflict, "", "this question is answered already")
	default:
		return false, Errorf(Gone, "", "nobody waits for this answer any more")
	}
	if !solved {
		f.State = FollowUpOpen
		f.Reopened++
		f.takeUpAgain(Refuted, rule, now)
		return true, nil
	}
	f.Confirmation, f.ClosedAt, f.ConfirmBy = Confirmed, &now, nil
	return true, nil
}

// Silence closes what the customer said nothing to.
func (f *FollowUp) Silence(now Instant) {
	if f.Confirmation == ConfirmationPending {
		f.Confirmation, f.ClosedAt, f.ConfirmBy = Unconfirmed, &now, nil
	}
}

// EscalateAt is when it is mailed to whom the rule names: once, when it is
// overdue, or at once where nobody owns it. Nil where that is never.
func (f FollowUp) EscalateAt(rule FollowUpRule, now Instant) *Instant {
	if rule.EscalateTo == "" || f.EscalatedAt != nil || f.State == FollowUpResolved {
		return nil
	}
	at := f.DueAt
	if f.Owner == nil {
		at = min(at, now)
	}
	return &at
}
