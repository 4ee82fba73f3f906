package store_test

import (
	"fmt"
	"slices"
	"time"

	"koe/survey"
	"koe/survey/store"
)

func (a *season) surveyOf(of survey.ID) survey.Survey {
	return a.surveys[slices.IndexFunc(a.surveys, func(v survey.Survey) bool { return v.ID == of })]
}

// judge looks at a mail that goes out now.
func (a *season) judge(m store.Mail) {
	a.t.Helper()
	v, now := m.Invitation, a.clock.Instant()
	of := a.surveyOf(v.Survey)
	switch {
	case of.State != survey.Active:
		a.fatal("a mail of a survey that is %s", of.State)
	case a.closed[v.Email]:
		a.fatal("a mail to %s, which is suppressed", v.Email)
	case now >= v.ExpiresAt:
		a.fatal("a mail whose link ended at %s", v.ExpiresAt)
	case of.Rules.SendWindow != nil && !a.open(*of.Rules.SendWindow, v.Timezone):
		a.fatal("a mail to zone %q outside of %+v", v.Timezone, of.Rules.SendWindow)
	}
	r := a.asked[v.ID]
	if r != nil && r.gone {
		a.fatal("a mail to somebody who was erased")
	}
	if v.MailNo == 0 {
		switch {
		case r == nil:
			a.count["mail"]++
			a.goesOut(v.ID, m.Token, false)
		case r.mailNo != -1:
			a.fatal("the mail of %s is sent twice", v.ID)
		default:
			r.mailNo, r.void = 0, false
		}
		a.asked[v.ID].last = now
		return
	}
	a.count["reminder"]++
	r.reminders++
	switch reminders := of.Rules.Reminders; {
	case r.answered:
		a.fatal("somebody is reminded who has answered")
	case r.reminders > 3 || v.MailNo > len(reminders) || v.MailNo != r.mailNo+1:
		a.fatal("reminder %d after %d, of %v", v.MailNo, r.mailNo, reminders)
	case now < r.at.Add(reminders[v.MailNo-1].Length()):
		a.fatal("reminder %d at %s, of a mail of %s", v.MailNo, now, r.at)
	case v.MailNo > 1 && now < r.last.Add(reminders[v.MailNo-1].Length()-reminders[v.MailNo-2].Length()):
		a.fatal("reminder %d at %s, after one of %s", v.MailNo, now, r.last)
	}
	r.mailNo, r.last = v.MailNo, now
}

// open is whether a window is open now, by the recipient's wall clock.
func (a *season) open(w survey.Window, recipient string) bool {
	loc := a.zone
	if w.Timezone != survey.RecipientZone {
		recipient = w.Timezone
	}
	if recipient != "" {
		var err error
		loc, err = time.LoadLocation(recipient)
		ok(a.t, err)
	}
	now := a.clock.Now().In(loc)
	minute := func(s string) int {
		var h, m int
		_, err := fmt.Sscanf(s, "%d:%d", &h, &m)
		ok(a.t, err)
		return h*60 + m
	}
	is, from, to := now.Hour()*60+now.Minute(), minute(w.From), minute(w.To)
	day := now
	switch {
	case from < to && (is < from || is >= to):
		return false
	case from > to && is < to:
		day = now.AddDate(0, 0, -1) // it opened yesterday
	case from > to && is < from:
		return false
	}
	return len(w.Weekdays) == 0 || slices.Contains(w.Weekdays, (int(day.Weekday())+6)%7+1)
}

// goesOut judges an invitation that reaches somebody now for the first time.
func (a *season) goesOut(id survey.ID, token string, byHand bool) {
	a.t.Helper()
	now := a.clock.Instant()
	v, _, err := a.s.Invitation(ctx, a.by, id)
	ok(a.t, err)
	r := &reached{id: id, of: v.Survey, email: v.Email, at: now, token: token, byHand: byHand}
	var lastAsked *survey.Instant
	if v.Person != nil {
		r.person, lastAsked = v.Person.ID, v.Person.LastAskedAt
	}
	if !byHand {
		a.quiet(r, lastAsked)
		a.limit(r)
	}
	if v.Survey == a.surveys[5].ID && !byHand {
		a.count["follow-on"]++
	}
	a.asked[id], a.out = r, append(a.out, r)
}

func (a *season) quiet(r *reached, lastAsked *survey.Instant) {
	a.t.Helper()
	w, err := a.s.Workspace(ctx, a.by)
	ok(a.t, err)
	period, scope := survey.QuietRule(a.surveyOf(r.of), w)
	near := func(at survey.Instant) bool { return max(at, r.at).Sub(min(at, r.at)) < period.Length() }
	for _, other := range a.out {
		same := other.email != "" && other.email == r.email || !other.person.IsZero() && other.person == r.person
		if same && !other.void && (scope == survey.QuietWorkspace || other.of == r.of) && near(other.at) {
			a.fatal("%s (%s) is asked by %s within %s (%s): %s asked at %s", r.email, r.person, a.surveyOf(r.of).Key, period, scope, a.surveyOf(other.of).Key, other.at)
		}
	}
	if lastAsked != nil && scope == survey.QuietWorkspace && near(*lastAsked) {
		a.fatal("%s is asked by %s within %s: another tool asked at %s", r.email, a.surveyOf(r.of).Key, period, lastAsked)
	}
}

func (a *season) limit(r *reached) {
	a.t.Helper()
	limit := a.surveyOf(r.of).Rules.DailyLimit
	if limit == nil {
		return
	}
	day, n := survey.DayOf(r.at, a.zone), 1
	for _, other := range a.out {
		if other.of == r.of && !other.byHand && survey.DayOf(other.at, a.zone) == day {
			n++
		}
	}
	if n > *limit {
		a.fatal("%d asked by %s on %s", n, a.surveyOf(r.of).Key, day)
	}
}

// end lets everything that is planned come to its end.
func (a *season) end() {
	a.t.Helper()
	for _, v := range a.surveys {
		if v.State == survey.Paused {
			_, err := a.s.SetSurveyState(ctx, a.by, v.ID.String(), survey.Active, 0)
			ok(a.t, err)
		}
	}
	for i := range a.surveys {
		a.surveys[i].State = survey.Active
	}
	a.may(a.s.ResumeSending(ctx, a.by)) // where it has paused itself
	for range 40 * 4 {
		for a.deliver(50, false) {
		}
		_, err := a.s.Sweep(ctx)
		ok(a.t, err)
		due, err := a.s.NextDue(ctx)
		if ok(a.t, err); due == nil {
			break
		}
		a.clock.Advance(max(6*time.Hour, due.Sub(a.clock.Instant())))
	}
	if due, err := a.s.NextDue(ctx); err != nil || due != nil {
		a.fatal("something is still due at %v, %v", due, err)
	}
	if n := a.invitations(survey.InvitationScheduled, survey.InvitationSending); n > 0 {
		a.fatal("%d invitations came to no end", n)
	}
	_, err := a.s.FoldTallies(ctx)
	ok(a.t, err)
	verified(a.t, a.s)
	a.turns()
}

// turns looks at what the schedule and the follow-on decided: each person once
// in the cadence, each answer once.
func (a *season) turns() {
	a.t.Helper()
	last, followed := map[survey.ID]survey.Instant{}, map[survey.ID]bool{}
	for _, i := range []int{4, 5} {
		page := store.Page{Limit: 500}
		for {
			list, next, err := a.s.Decisions(ctx, a.by, a.surveys[i].ID.String(), store.DecisionFilter{Verdict: survey.Scheduled}, page)
			ok(a.t, err)
			for _, d := range list { // the newest first
				if i == 5 {
					if followed[d.Source] {
						a.fatal("the answer %s was followed twice", d.Source)
					}
					followed[d.Source] = true
					continue
				}
				const late = 2*time.Hour + 6*time.Hour + time.Hour // clocks change, fires are caught up with, and the clock was set back
				if d.Person == nil {
					continue
				}
				if later, again := last[*d.Person]; again && later.Sub(d.CreatedAt) < a.surveys[i].Trigger.Every.Length()-late {
					a.fatal("%s had a turn at %s and at %s", d.Person, d.CreatedAt, later)
				}
				last[*d.Person] = d.CreatedAt
			}
			if page.Cursor = next; next == "" {
				break
			}
		}
	}
}
