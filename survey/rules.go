package survey

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"
)

// Verdict is what a decision came to.
type Verdict string

// The verdicts.
const (
	Scheduled Verdict = "scheduled"
	Skipped   Verdict = "skipped"
)

// Reason says why somebody is not asked.
type Reason string

// The reasons of a decision, and those with which an invitation ends. Nobody is
// decided about for the last two: only a simulation has them.
const (
	SkipSuppressed  Reason = "suppressed"
	SkipQuietPeriod Reason = "quiet_period"
	SkipNotSampled  Reason = "not_sampled"
	SkipDailyLimit  Reason = "daily_limit"
	SkipCondition   Reason = "condition"
	SkipNoAddress   Reason = "no_address"
	SkipPaused      Reason = "paused"
	SkipTooOld      Reason = "too_old"
	SkipKeyCap      Reason = "key_cap" // the key has had as many mails planned as a day may bring

	SkipNotDue       Reason = "not_due"       // the schedule's next turn of the person is to come
	SkipNotTriggered Reason = "not_triggered" // the interaction does not make the survey ask
)

// History is what the store knows of the person and the survey when a
// decision is due.
type History struct {
	// Suppressed: the address is suppressed.
	Suppressed bool
	// AskedAny and AskedHere are when the person's invitations that count went
	// out or are planned for, by any survey of the workspace and by this one.
	AskedAny, AskedHere []Instant
	// Known is what the person's record says beside the interaction itself.
	Known Attributes
	// Timezone is the person's, where known.
	Timezone string
	// Planned counts the invitations of the survey already planned per day of
	// the workspace's calendar; it is read only under a daily limit.
	Planned map[Day]int
	// KeyFull is from when on the key that told of it may have mail planned again;
	// nil where it may now.
	KeyFull *Instant
}

// Check is what one rule said: "pass", "skip" or "wait".
type Check struct {
	Rule    string `json:"rule"`
	Verdict string `json:"verdict"`
	Detail  string `json:"detail"`
}

// Decision is whether a survey asks after an interaction, when, and why not.
type Decision struct {
	Verdict   Verdict
	Reason    Reason   // set where skipped
	Until     *Instant // set where the reason ends at a known time
	SendAt    Instant  // set where scheduled
	ExpiresAt Instant  // the link's end: the first planned SendAt plus expires_after
	Day       Day      // the day of the workspace's calendar that SendAt falls on
	Waits     Reason   // send_window or daily_limit, where that moved SendAt
	Checks    []Check
}

// Decide says whether a survey asks after an interaction. The rules are asked
// in a fixed order and the first that refuses gives the reason: state, a
// schedule's audience, age, condition, address, suppression, quiet period,
// sample, daily limit, the key's cap. in is filled up with what the person's record says of the
// customer.
func Decide(s Survey, w Workspace, in Interaction, h History, now Instant) Decision {
	d := Decision{Verdict: Scheduled}
	first := max(now, in.OccurredAt.Add(s.Trigger.Delay.Length()))
	if s.Channel == LinkOnly { // it is handed over at once
		first = now
	}
	d.SendAt = d.inWindow(s, w, h, first)
	d.ExpiresAt = d.SendAt.Add(s.Rules.ExpiresAfter.Length())
	d.Day = DayOf(d.SendAt, zone(w.Timezone))
	for _, rule := range []func(*Decision, Survey, Workspace, Interaction, History, Instant){
		askState, askAudience, askAge, askCondition, askAddress, askSuppression, askQuiet, askSample, askLimit, askKey,
	} {
		rule(&d, s, w, in, h, now)
		if d.Verdict == Skipped {
			return d
		}
	}
	return d
}

func (d *Decision) pass(rule, detail string, args ...any) {
	d.Checks = append(d.Checks, Check{rule, "pass", fmt.Sprintf(detail, args...)})
}

func (d *Decision) skip(rule string, reason Reason, until *Instant, detail string, args ...any) {
	d.Verdict, d.Reason, d.Until = Skipped, reason, until
	d.Checks = append(d.Checks, Check{rule, "skip", fmt.Sprintf(detail, args...)})
}

// inWindow moves an instant to where the survey's window is open.
func (d *Decision) inWindow(s Survey, w Workspace, h History, i Instant) Instant {
	if s.Rules.SendWindow == nil || s.Channel != Email {
		return i
	}
	open := windowed(s, w, h.Timezone, i)
	if open > i {
		d.Waits = WaitSendWindow
		d.Checks = append(d.Checks, Check{"send_window", "wait", "the window opens at " + open.String()})
	}
	return open
}

// WindowZone is the zone in which a window is read for one recipient.
func WindowZone(win Window, w Workspace, recipient string) *time.Location {
	if win.Timezone == RecipientZone {
		return zone(recipient, w.Timezone)
	}
	return zone(win.Timezone, w.Timezone)
}

func askState(d *Decision, s Survey, _ Workspace, _ Interaction, _ History, _ Instant) {
	if s.State != Active {
		d.skip("state", SkipPaused, nil, "the survey is %s", s.State)
		return
	}
	d.pass("state", "the survey is active")
}

// askAudience is for somebody who changed since the schedule looked for people,
// and for a simulation, which may be about anybody.
func askAudience(d *Decision, s Survey, _ Workspace, in Interaction, h History, _ Instant) {
	if s.Trigger.Type != OnSchedule {
		return
	}
	if failed, ok := s.Trigger.Audience.Match(in.Attributes.Over(h.Known)); !ok {
		d.skip("audience", SkipCondition, nil, "%s has none of the values of the audience", failed)
		return
	}
	d.pass("audience", "belongs to it")
}

func askAge(d *Decision, s Survey, _ Workspace, in Interaction, _ History, now Instant) {
	age := now.Sub(in.OccurredAt)
	if age > s.Rules.MaxAge.Length() {
		d.skip("max_age", SkipTooOld, nil, "it happened %s ago; the limit is %s", age.Round(time.Second), s.Rules.MaxAge)
		return
	}
	d.pass("max_age", "not older than %s", s.Rules.MaxAge)
}

func askCondition(d *Decision, s Survey, _ Workspace, in Interaction, h History, _ Instant) {
	if failed, ok := s.Rules.Condition.Match(in.Attributes.Over(h.Known)); !ok {
		d.skip("condition", SkipCondition, nil, "%s has none of the values asked for", failed)
		return
	}
	d.pass("condition", "met")
}

func askAddress(d *Decision, s Survey, _ Workspace, in Interaction, _ History, _ Instant) {
	if s.Channel == Email && in.Customer.Address() == "" {
		d.skip("address", SkipNoAddress, nil, "the customer has no mail address")
		return
	}
	d.pass("address", "reachable")
}

func askSuppression(d *Decision, _ Survey, _ Workspace, _ Interaction, h History, _ Instant) {
	if h.Suppressed {
		d.skip("suppression", SkipSuppressed, nil, "the address is suppressed")
		return
	}
	d.pass("suppression", "not suppressed")
}

func askQuiet(d *Decision, s Survey, w Workspace, _ Interaction, h History, _ Instant) {
	period, scope := QuietRule(s, w)
	asked := h.AskedAny
	if scope == QuietSurvey {
		asked = h.AskedHere
	}
	var near, until Instant
	for _, at := range asked {
		if end := at.Add(period.Length()); d.SendAt < end && d.SendAt > at.Add(-period.Length()) && end > until {
			near, until = at, end
		}
	}
	switch {
	case period.Length() == 0:
		d.pass("quiet_period", "there is none")
	case len(asked) == 0:
		d.pass("quiet_period", "not asked before")
	case until != 0:
		d.skip("quiet_period", SkipQuietPeriod, &until, "asked for %s; the quiet period is %s", near, period)
	default:
		d.pass("quiet_period", "%s or more away from when it was asked", period)
	}
}

// QuietRule is the quiet period and scope that hold for a survey: its own, or
// else the workspace's.
func QuietRule(s Survey, w Workspace) (Duration, QuietScope) {
	period, scope := s.Rules.QuietPeriod, s.Rules.QuietScope
	if period == "" {
		period = w.QuietPeriod
	}
	if scope == "" {
		scope = w.QuietScope
	}
	return period, scope
}

// askSample draws by the address, which stays the invitation's whatever becomes
// of the person; without one by the external id. An interaction that names
// nobody draws for itself.
func askSample(d *Decision, s Survey, w Workspace, in Interaction, _ History, _ Instant) {
	who := cmp.Or(in.Customer.Address(), in.Customer.ExternalID, in.ExternalID)
	if who == "" {
		if in.ID.IsZero() && *s.Rules.Sample > 0 { // of a simulation
			d.pass("sample", "nobody is named: each such interaction draws a lot of its own; below %g is asked", *s.Rules.Sample)
			return
		}
		who = in.ID.String()
	}
	quarter := quarterOf(in.OccurredAt, zone(w.Timezone))
	if drawn := Draw(who, s.ID, quarter); drawn >= *s.Rules.Sample {
		d.skip("sample", SkipNotSampled, nil, "drew %.4f for %s; below %g is asked", drawn, quarter, *s.Rules.Sample)
		return
	}
	d.pass("sample", "within %g", *s.Rules.Sample)
}

// Draw is a person's lot for a survey and a calendar quarter: a number from 0
// up to but not 1 that is the same each time it is asked, and another next
// quarter. It is the first 53 bits of SHA-256 over "person/survey/quarter".
func Draw(person string, survey ID, quarter string) float64 {
	sum := sha256.Sum256([]byte(person + "/" + survey.String() + "/" + quarter))
	return float64(binary.BigEndian.Uint64(sum[:8])>>11) / (1 << 53)
}

// askKey is about mail alone: koe sends no link. It says nothing where the key
// may.
func askKey(d *Decision, s Survey, _ Workspace, _ Interaction, h History, _ Instant) {
	if s.Channel == Email && h.KeyFull != nil {
		d.skip("key_cap", SkipKeyCap, h.KeyFull, "the key has had as many mails planned as a day may bring")
	}
}

// askLimit moves a mail to the next day that has room. A link cannot wait: it
// is handed over at once or not at all.
func askLimit(d *Decision, s Survey, w Workspace, in Interaction, h History, now Instant) {
	if s.Rules.DailyLimit == nil {
		d.pass("daily_limit", "no limit")
		return
	}
	loc := zone(w.Timezone)
	planned := d.Day
	for h.Planned[d.Day] >= *s.Rules.DailyLimit {
		full := d.Day
		if s.Channel == LinkOnly {
			until := StartOf(full+1, loc)
			d.skip("daily_limit", SkipDailyLimit, &until, "%s is full", full)
			return
		}
		d.SendAt = d.inWindow(s, w, h, StartOf(d.Day+1, loc))
		d.Day = max(full+1, DayOf(d.SendAt, loc))
		if d.SendAt >= d.ExpiresAt {
			d.skip("daily_limit", SkipDailyLimit, nil, "every day before the survey expires is full")
			return
		}
		d.Waits = SkipDailyLimit
		d.Checks = append(d.Checks, Check{"daily_limit", "wait", full.String() + " is full"})
	}
	if d.Day != planned { // the new day may be too near to a mail that is planned already
		if askQuiet(d, s, w, in, h, now); d.Verdict == Skipped {
			return
		}
	}
	d.pass("daily_limit", "%d of %d planned on %s", h.Planned[d.Day], *s.Rules.DailyLimit, d.Day)
}
