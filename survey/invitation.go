package survey

import (
	"time"
)

// InvitationState is where an invitation stands.
type InvitationState string

// The states: scheduled, sending, sent, answered, or one of the ends.
const (
	InvitationScheduled  InvitationState = "scheduled"
	InvitationSending    InvitationState = "sending"
	InvitationSent       InvitationState = "sent"
	InvitationAnswered   InvitationState = "answered"
	InvitationFailed     InvitationState = "failed"
	InvitationUncertain  InvitationState = "uncertain"
	InvitationExpired    InvitationState = "expired"
	InvitationCancelled  InvitationState = "cancelled"
	InvitationSuppressed InvitationState = "suppressed"
)

// Invitation is one person asked once by one survey.
type Invitation struct {
	ID              ID
	Survey          ID
	SurveyKey       string
	Touchpoint      string
	Person          *Person
	Interaction     *ID
	Channel         Channel
	Template        string
	TemplateVersion int
	Email           string
	Name            string
	Locale          string
	Timezone        string
	Attributes      Attributes
	State           InvitationState
	Reason          string
	SendAt          Instant
	ExpiresAt       Instant
	SentAt          *Instant
	AnsweredAt      *Instant
	OpenedAt        *Instant
	BouncedAt       *Instant
	MessageID       string
	MailNo          int // 0 the invitation, 1 to 3 its reminders
	Attempt         int
	Held            bool
	CreatedAt       Instant
	UpdatedAt       Instant
}

// Expired is true from the link's end on.
func (v Invitation) Expired(now Instant) bool {
	return v.State == InvitationExpired || now >= v.ExpiresAt
}

// Cancel says whether an invitation can still be called off: until it was
// sent.
func (v Invitation) Cancel() error {
	switch v.State {
	case InvitationScheduled:
		return nil
	case InvitationCancelled:
		return Errorf(Conflict, "", "the invitation is cancelled already")
	}
	return Errorf(Conflict, "", "the invitation is %s; only a scheduled one can be cancelled", v.State)
}

// Recheck is what the rules say when a mail is about to go out.
type Recheck struct {
	Send   bool
	WaitTo Instant         // where not Send and not ended: try again then
	State  InvitationState // where ended
	Reason string
}

// BeforeSending asks the rules again at the moment of sending: somebody may
// have answered or unsubscribed since, the survey may have been paused or
// archived, the window may have closed.
func BeforeSending(v Invitation, s Survey, w Workspace, suppressed bool, now Instant) Recheck {
	switch {
	case suppressed:
		return Recheck{State: InvitationSuppressed, Reason: string(SkipSuppressed)}
	case s.State == Archived:
		return Recheck{State: InvitationCancelled, Reason: "survey_archived"}
	case v.Expired(now):
		return Recheck{State: InvitationExpired, Reason: "expired"}
	case s.Rules.SendWindow != nil:
		open := s.Rules.SendWindow.Next(now, WindowZone(*s.Rules.SendWindow, w, v.Timezone))
		if open > now && open < v.ExpiresAt {
			return Recheck{WaitTo: open}
		}
		if open > now {
			return Recheck{State: InvitationExpired, Reason: "window_closed"}
		}
	}
	return Recheck{Send: true}
}

// NextReminder is when the mail after mail number sent is due; false where
// there is none. Reminders count from the instant the invitation was sent.
func NextReminder(v Invitation, s Survey, w Workspace, sent int) (Instant, bool) {
	if sent >= len(s.Rules.Reminders) || v.SentAt == nil {
		return 0, false
	}
	due := v.SentAt.Add(s.Rules.Reminders[sent].Length())
	if win := s.Rules.SendWindow; win != nil {
		due = win.Next(due, WindowZone(*win, w, v.Timezone))
	}
	return due, due < v.ExpiresAt
}

// Back-off of a mail that the server refused for now: 1, 2, 4 ... minutes, at
// most 4 hours apart, for at most 72 hours.
const (
	retryFirst = time.Minute
	retryMost  = 4 * time.Hour
	retryFor   = 72 * time.Hour
)

// RetryAt is when to try again after a passing failure, attempt being how
// often it was tried; false where it has been tried for long enough.
func RetryAt(v Invitation, attempt int, now Instant) (Instant, bool) {
	wait := retryMost
	if attempt < 9 {
		wait = min(retryFirst<<max(attempt-1, 0), retryMost)
	}
	next := now.Add(wait)
	return next, next < v.ExpiresAt && next < v.SendAt.Add(retryFor)
}
