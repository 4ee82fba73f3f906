package survey

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Event is something that others may want to be told of.
type Event string

// The events that webhooks are sent for.
const (
	EventResponseCreated    Event = "response.created"
	EventResponseUpdated    Event = "response.updated"
	EventInvitationSent     Event = "invitation.sent"
	EventInvitationFailed   Event = "invitation.failed"
	EventPersonUnsubscribed Event = "person.unsubscribed"
	EventFollowUpOpened     Event = "follow_up.opened"
	// Of a follow-up there are mails alone: to whom it is escalated, to a customer
	// who is asked whether it is solved, and to its owner where it is not.
	EventFollowUpOverdue  Event = "follow_up.overdue"
	EventFollowUpAsked    Event = "follow_up.asked"
	EventFollowUpReopened Event = "follow_up.reopened"
	EventTargetChanged    Event = "target.changed"
	// EventWebhookTest is sent to try an endpoint; nobody subscribes to it.
	EventWebhookTest Event = "webhook.test"
	// EventWebhookPaused is mailed to the webhook's owner alone.
	EventWebhookPaused Event = "webhook.paused"
	// EventSignIn is mailed to a member who wants to sign in.
	EventSignIn Event = "sign_in"
	// EventDigest is mailed to a member who wants to know how it went.
	EventDigest Event = "digest"
)

// Events are those that a webhook may subscribe to.
func Events() []Event {
	return []Event{EventResponseCreated, EventResponseUpdated, EventInvitationSent, EventInvitationFailed, EventPersonUnsubscribed,
		EventFollowUpOpened, EventTargetChanged}
}

// Webhook is an endpoint of somebody else's that is told of events.
type Webhook struct {
	ID           ID       `json:"id"`
	URL          string   `json:"url"`
	Description  string   `json:"description"`
	Events       []Event  `json:"events"`
	Format       Format   `json:"format"`
	ScoreMin     *int     `json:"score_min"`     // of answers; nil for any
	ScoreMax     *int     `json:"score_max"`     // likewise
	OwnerEmail   string   `json:"owner_email"`   // is told when koe pauses the webhook; "" for nobody
	State        State    `json:"state"`         // active or paused
	PausedReason string   `json:"paused_reason"` // "" where active
	FailingSince *Instant `json:"failing_since"` // nil where the last delivery was taken
	FailedAt     *Instant `json:"-"`             // the latest of these failures, to the hour
	CreatedAt    Instant  `json:"created_at"`
	UpdatedAt    Instant  `json:"updated_at"`
}

// The reasons for which a webhook is paused.
const (
	PausedByHand  = "manual"
	PausedFailing = "failing" // it has taken nothing for three days
	PausedGone    = "gone"    // it said 410: it wants no more
)

// maxURL is the length of an endpoint's address.
const maxURL = 2000

// Clean brings a webhook into the form that koe keeps, or returns an Invalid
// error with every field that is wrong.
func (w *Webhook) Clean() error {
	var p Problems
	w.cleanURL(&p)
	w.Description = Line(&p, "description", w.Description, 200)
	w.cleanFormat(&p)
	w.cleanEvents(&p)
	w.OwnerEmail = optionalAddress(&p, "owner_email", w.OwnerEmail)
	switch w.State {
	case "":
		w.State = Active
	case Active, Paused:
	default:
		p.Add("state", "unknown", "must be active or paused")
	}
	return p.Err()
}

func (w *Webhook) cleanURL(p *Problems) {
	w.URL = strings.TrimSpace(w.URL)
	odd := func(r rune) bool { return r <= ' ' || r >= 0x7f }
	u, err := url.Parse(w.URL)
	switch {
	case w.URL == "":
		p.Add("url", "required", "is required: where events are posted, such as https://example.com/koe")
	case utf8.RuneCountInString(w.URL) > maxURL:
		p.Add("url", "too_long", "must have at most %d characters", maxURL)
	case err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Hostname() == "" || strings.ContainsFunc(w.URL, odd):
		p.Add("url", "format", "must be an http or https address in ASCII, such as https://example.com/koe")
	case u.User != nil:
		p.Add("url", "format", "must hold no user name and password; events are signed, which says more")
	case u.Fragment != "":
		p.Add("url", "format", "must have no # part; it is never sent")
	}
}

func (w *Webhook) cleanEvents(p *Problems) {
	if len(w.Events) == 0 {
		p.Add("events", "required", "must name at least one of %s", eventNames(w.Format.events()))
	}
	seen := map[Event]bool{}
	for i, event := range w.Events {
		field := fmt.Sprintf("events[%d]", i)
		switch {
		case seen[event]:
			p.Add(field, "duplicate", "is named twice")
		case !slices.Contains(Events(), event):
			p.Add(field, "unknown", "must be one of %s", eventNames(Events()))
		case slices.Contains(Formats(), w.Format) && !slices.Contains(w.Format.events(), event):
			p.Add(field, "unsupported", "cannot be written as %s; there are %s", w.Format, eventNames(w.Format.events()))
		}
		seen[event] = true
	}
}

func eventNames(events []Event) string {
	names := make([]string, 0, len(events))
	for _, event := range events {
		names = append(names, string(event))
	}
	return strings.Join(names, ", ")
}

// Wants is true where a webhook is to be told of an event.
func (w Webhook) Wants(event Event) bool {
	return slices.Contains(w.Events, event)
}

// deliveryPauses are those between the tries of a delivery, which span three
// days: the schedule that the Standard Webhooks specification suggests.
var deliveryPauses = []time.Duration{5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour,
	10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour}

// NextDelivery is when a delivery of an event that failed is tried again,
// attempt being how often it was; false where it is given up. A test is tried
// once: somebody waits for what becomes of it. Jitter, from 0 up to 1, lengthens
// a pause by up to a tenth, so that what failed together does not return
// together.
func NextDelivery(of Event, attempt int, now Instant, jitter float64) (Instant, bool) {
	if of == EventWebhookTest || attempt < 1 || attempt > len(deliveryPauses) {
		return 0, false
	}
	pause := deliveryPauses[attempt-1]
	return now.Add(pause + time.Duration(jitter*float64(pause)/10)), true
}

// failingFor is how long an endpoint may take nothing before it is paused, in
// tries that are no further than failingApart from each other: longer than any
// pause between two. FailedAt is kept to the hour, to spare writing it.
const (
	failingFor   = 72 * time.Hour
	failingApart = 30 * time.Hour
	failedWithin = time.Hour
)

// StatusGone is what an endpoint says that wants no more (HTTP 410).
const StatusGone = 410

// AfterFailure is a webhook after a delivery of an event that was not taken,
// with the status that came (0 for none); paused is true where koe pauses it for
// that. A test that fails starts no count of days: nothing was lost by it. After
// a failure that no other followed the count starts anew.
func (w Webhook) AfterFailure(of Event, status int, now Instant) (after Webhook, paused bool) {
	after = w
	if of == EventWebhookTest && status != StatusGone {
		return after, false
	}
	if w.FailingSince == nil || w.FailedAt == nil || now.Sub(*w.FailedAt) > failingApart {
		after.FailingSince, after.FailedAt = &now, &now
	} else if now.Sub(*w.FailedAt) >= failedWithin {
		after.FailedAt = &now
	}
	if w.State != Active {
		return after, false
	}
	switch {
	case status == StatusGone:
		after.State, after.PausedReason = Paused, PausedGone
	case now.Sub(*after.FailingSince) >= failingFor:
		after.State, after.PausedReason = Paused, PausedFailing
	}
	return after, after.State == Paused
}
