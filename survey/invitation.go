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

// NextReminder is when the mail after mail number sent, which went out at an
// instant, is due; false where there is none. Reminders count from the instant
// the invitation was sent. One that went out late, because it waited for the
// send window, a pause or a server, moves those after it: two are never nearer
// to each other than their settings are.
func NextReminder(v Invitation, s Survey, w Workspace, sent int, went Instant) (Instant, bool) {
	if sent >= len(s.Rules.Reminders) || v.SentAt == nil {
		return 0, false
	}
	after, before := s.Rules.Reminders[sent].Length(), time.Duration(0)
	if sent > 0 {
		before = s.Rules.Reminders[sent-1].Length()
	}
	due := windowed(s, w, v.Timezone, max(v.SentAt.Add(after), went.Add(after-before)))
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
// often this mail was tried; false where it has been tried for long enough.
// The pauses are added up, because a reminder, or a mail that was held, may be
// tried for the first time days after the invitation's SendAt.
func RetryAt(v Invitation, attempt int, now Instant) (Instant, bool) {
	wait, waited := retryFirst, retryFirst
	for range min(attempt, int(retryFor/retryFirst)) - 1 {
		wait = min(2*wait, retryMost)
		waited += wait
	}
	next := now.Add(wait)
	return next, next < v.ExpiresAt && waited <= retryFor
}
