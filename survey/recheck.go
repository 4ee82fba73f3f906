package survey

import (
	"slices"
	"time"
)

// Meanwhile is what the store knows when a mail is about to go out. Reminders
// look at Suppressed and Timezone alone.
type Meanwhile struct {
	// Suppressed: the address is suppressed.
	Suppressed bool
	// Timezone is the person's, as it is now; empty where it is unknown, and the
	// invitation's holds.
	Timezone string
	// SentAny and SentHere are what really reached the person or the address,
	// by other invitations of the workspace and of this survey.
	SentAny, SentHere []Sent
	// Attributes are those of the occasion over those of the person, as they
	// are now; they are read only where the survey has a condition.
	Attributes Attributes
	// OccurredAt says for which quarter the sample was drawn.
	OccurredAt Instant
	// Mailed is when other mails of the workspace went out to the address or the
	// person, and MailsADay how many may within 24 hours; 0 is no limit.
	Mailed    []Instant
	MailsADay int
	// SentToday counts the survey's first mails of this day of the workspace's
	// calendar, and Planned those of later days; read only under a daily limit.
	SentToday int
	Planned   map[Day]int
}

// Sent is a mail or a link that went out, and when it had been planned for.
type Sent struct {
	At, Planned Instant
}

// Recheck is what the rules say when a mail is about to go out: send it, wait,
// or end it.
type Recheck struct {
	Send   bool
	WaitTo Instant         // where it waits
	Day    Day             // of the workspace's calendar: of WaitTo, or of now where it is sent
	State  InvitationState // where it ended
	Reason Reason          // why it waits or ended
}

// The reasons of a Recheck that no decision has.
const (
	EndExpired        Reason = "expired"
	EndSurveyArchived Reason = "survey_archived"
	EndWindowClosed   Reason = "window_closed" // it does not open again before the link ends
	WaitSendWindow    Reason = "send_window"
	WaitRetry         Reason = "retry"
	WaitDomainCap     Reason = "domain_cap"    // more mails for its domain than a second may have
	WaitRecipientCap  Reason = "recipient_cap" // the address has had as many mails as a day may bring it
	WaitReminder      Reason = "reminder"
)

// BeforeSending asks the rules again at the moment of sending, as the survey
// and the person are now: somebody may have unsubscribed or been asked by
// another way since, the survey may have been archived or changed, the link may
// have expired, the window may have closed, the day may be full. (What was
// answered is not due any more, and what is paused is held.)
//
// A reminder, or a mail that is sent again because somebody wished it, belongs
// to an invitation that was out already: only suppression, the survey's end,
// the link's end and the window are asked of it.
func BeforeSending(v Invitation, s Survey, w Workspace, m Meanwhile, now Instant) Recheck {
	switch {
	case m.Suppressed:
		return Recheck{State: InvitationSuppressed, Reason: SkipSuppressed}
	case s.State == Archived:
		return Recheck{State: InvitationCancelled, Reason: EndSurveyArchived}
	case v.Expired(now):
		return Recheck{State: InvitationExpired, Reason: EndExpired}
	}
	if m.Timezone != "" { // learned since
		v.Timezone = m.Timezone
	}
	r := Recheck{WaitTo: now}
	first := v.MailNo == 0 && v.SentAt == nil
	if first {
		if r.askAgain(v, s, w, m, now); r.State != "" {
			return r
		}
		r.spare(m, now)
	}
	if open := windowed(s, w, v.Timezone, r.WaitTo); open > r.WaitTo {
		r.WaitTo, r.Reason = open, WaitSendWindow
	}
	if first && r.WaitTo == now {
		r.placeInDay(v, s, w, m)
	}
	r.Day = DayOf(r.WaitTo, zone(w.Timezone))
	switch {
	case r.WaitTo == now:
		r.Send, r.WaitTo = true, 0
	case r.WaitTo < v.ExpiresAt:
	case r.Reason == WaitSendWindow:
		return Recheck{State: InvitationExpired, Reason: EndWindowClosed}
	default:
		return Recheck{State: InvitationCancelled, Reason: r.Reason}
	}
	return r
}

// windowed is the first instant from i on at which the survey's window is open.
func windowed(s Survey, w Workspace, recipient string, i Instant) Instant {
	if s.Rules.SendWindow == nil {
		return i
	}
	return s.Rules.SendWindow.Next(i, WindowZone(*s.Rules.SendWindow, w, recipient))
}

// askAgain asks the rules about the person: condition, quiet period, sample.
func (r *Recheck) askAgain(v Invitation, s Survey, w Workspace, m Meanwhile, now Instant) {
	cancel := func(reason Reason) { *r = Recheck{State: InvitationCancelled, Reason: reason} }
	if len(s.Rules.Condition) > 0 {
		if _, met := s.Rules.Condition.Match(m.Attributes); !met {
			cancel(SkipCondition)
			return
		}
	}
	period, scope := QuietRule(s, w)
	sent := m.SentAny
	if scope == QuietSurvey {
		sent = m.SentHere
	}
	for _, other := range sent {
		end := other.At.Add(period.Length())
		if now >= end {
			continue
		}
		if apart(other.Planned, v.SendAt) < period.Length() { // something was asked that this one's decision did not know of
			cancel(SkipQuietPeriod)
			return
		}
		// they were planned far enough from each other, and one of them was late
		if end > r.WaitTo {
			r.WaitTo, r.Reason = end, SkipQuietPeriod
		}
	}
	if Draw(v.Email, s.ID, quarterOf(m.OccurredAt, zone(w.Timezone))) >= *s.Rules.Sample {
		cancel(SkipNotSampled)
	}
}

// spare makes a mail wait where its address has had as many as a day may bring
// it, until the earliest of those is a day old.
func (r *Recheck) spare(m Meanwhile, now Instant) {
	const aDay = 24 * time.Hour
	lately := slices.DeleteFunc(slices.Clone(m.Mailed), func(at Instant) bool { return now >= at.Add(aDay) })
	if m.MailsADay == 0 || len(lately) < m.MailsADay {
		return
	}
	slices.Sort(lately)
	if free := lately[len(lately)-m.MailsADay].Add(aDay); free > r.WaitTo {
		r.WaitTo, r.Reason = free, WaitRecipientCap
	}
}

func apart(a, b Instant) time.Duration { return max(a, b).Sub(min(a, b)) }

// placeInDay moves a mail to the next day that has room, where today has none.
func (r *Recheck) placeInDay(v Invitation, s Survey, w Workspace, m Meanwhile) {
	if s.Rules.DailyLimit == nil {
		return
	}
	loc := zone(w.Timezone)
	day := DayOf(r.WaitTo, loc)
	for full := m.SentToday >= *s.Rules.DailyLimit; full && r.WaitTo < v.ExpiresAt; full = m.Planned[day] >= *s.Rules.DailyLimit {
		r.WaitTo, r.Reason = windowed(s, w, v.Timezone, StartOf(day+1, loc)), SkipDailyLimit
		day = max(day+1, DayOf(r.WaitTo, loc))
	}
}
