package store

import (
	"context"
	"slices"
	"time"

	"koe/survey"
)

// The outbox holds what leaves koe beside survey mail: a row in the transaction
// of its cause. What is sent is written when it is sent, so nothing of customers
// lies here; notices bear the address of the member or owner whom they go to.

// The states of a row of the outbox.
const (
	outboxWaiting   = "waiting"
	outboxClaimed   = "claimed"
	outboxDelivered = "delivered"
	outboxFailed    = "failed"  // given up
	outboxSkipped   = "skipped" // when it was due it was not wanted
)

// keepsDeliveries is how long what was sent is listed.
const keepsDeliveries = 30 * 24 * time.Hour

// The kinds of a row.
const (
	outboxWebhook = "webhook"
	outboxNotice  = "notice" // a mail to somebody of the company
)

// listener is an active webhook.
type listener struct {
	id     id
	events []survey.Event
	format survey.Format
}

func (l listener) wants(event survey.Event) bool {
	return survey.Webhook{Events: l.events}.Wants(event)
}

// listeners are the active webhooks of the session's workspace.
func (q *session) listeners() ([]listener, error) {
	if known, ok := q.shared.listening[q.by.Workspace]; ok {
		return known, nil
	}
	list := []listener{}
	var one listener
	var events string
	if err := q.each(`SELECT id, events, format FROM webhooks WHERE workspace_id = ? AND state = 'active'`, []any{q.by.Workspace},
		[]any{&one.id, &events, &one.format}, func() error {
			one.events = nil
			if err := fromJSON(events, &one.events); err != nil {
				return err
			}
			list = append(list, one)
			return nil
		}); err != nil {
		return nil, err
	}
	q.shared.learnListeners(q.by.Workspace, list)
	return list, nil
}

// emit tells every webhook that wants to know of an event about a response, an
// invitation, a suppression or a target, in the transaction of its cause; but for those
// whose format does not know of such a thing.
func (q *session) emit(event survey.Event, subject survey.ID, person *survey.ID, but ...survey.Format) error {
	list, err := q.listeners()
	if err != nil {
		return err
	}
	for _, to := range list {
		if slices.Contains(but, to.format) {
			continue
		}
		due := q.now
		if to.format.Chat() && event != survey.EventTargetChanged {
			if due, err = q.chatDue(to, event, subject); err != nil {
				return err
			}
		}
		if due == 0 || !to.wants(event) {
			continue
		}
		if _, err := q.deliver(survey.ID(to.id), event, subject, person, due); err != nil {
			return err
		}
	}
	return nil
}

// emitUpdated tells that a response changed. said is true where score or answers
// did: of anything else Delighted told nobody.
func (q *session) emitUpdated(response survey.ID, person *survey.ID, said bool) error {
	if said {
		return q.emit(survey.EventResponseUpdated, response, person)
	}
	return q.emit(survey.EventResponseUpdated, response, person, survey.FormatDelighted)
}

// chatDue is when a chat is told of an event about a response: of a score once
// its comment is in, or after a while without; 0 where what waits already will
// tell it.
func (q *session) chatDue(to listener, event survey.Event, response survey.ID) (survey.Instant, error) {
	var one int
	said, err := q.row(`SELECT 1 FROM responses WHERE workspace_id = ? AND id = ? AND complete`, []any{q.by.Workspace, response}, &one)
	switch {
	case err != nil || said && event == survey.EventResponseCreated:
		return q.now, err
	case event == survey.EventResponseCreated:
		return q.now.Add(survey.ChatWaits), nil
	}
	const first = ` WHERE workspace_id = ? AND webhook_id = ? AND subject_id = ? AND state = 'waiting' AND event = 'response.created' AND attempt = 0`
	args := []any{q.by.Workspace, to.id, response}
	if !said {
		waits, err := q.row(`SELECT 1 FROM outbox`+q.indexedBy("outbox_subject_id")+first, args, &one)
		if waits || err != nil {
			return 0, err
		}
		return q.now, nil
	}
	brought, err := q.exec(`UPDATE outbox`+q.indexedBy("outbox_subject_id")+` SET due_at = ?`+first, append([]any{q.now}, args...)...)
	if brought > 0 || err != nil {
		return 0, err
	}
	return q.now, nil
}

// posted is what is put into the outbox.
type posted struct {
	kind    string
	event   survey.Event
	subject survey.ID
	person  *survey.ID // whom it is about, where they may be erased
	webhook *survey.ID // of a delivery
	to      string     // of a notice: an address
	body    string
	due     survey.Instant
}

// post puts something into the outbox, in the transaction of its cause.
func (q *session) post(p posted) (survey.ID, error) {
	made := newID()
	_, err := q.exec(`INSERT INTO outbox (workspace_id, id, kind, subject_id, person_id, destination, body, state, due_at,
		attempt, lease_until, fence, created_at, webhook_id, event) VALUES (?, ?, ?, ?, ?, ?, ?, 'waiting', ?, 0, 0, 0, ?, ?, ?)`,
		q.by.Workspace, made, p.kind, p.subject, p.person, p.to, p.body, p.due, q.now, p.webhook, string(p.event))
	return made, err
}

// deliver puts one event for one webhook into the outbox.
func (q *session) deliver(to survey.ID, event survey.Event, subject survey.ID, person *survey.ID, due survey.Instant) (survey.ID, error) {
	return q.post(posted{kind: outboxWebhook, event: event, subject: subject, person: person, webhook: &to, due: due})
}

// Delivery is an event on its way to a webhook.
type Delivery struct {
	ID          survey.ID       `json:"id"`
	Webhook     survey.ID       `json:"webhook_id"`
	Event       survey.Event    `json:"event"`
	SubjectID   *survey.ID      `json:"subject_id"`
	State       string          `json:"state"` // waiting, claimed, delivered, failed or skipped
	Attempts    int             `json:"attempts"`
	Status      *int            `json:"response_status"` // of the last try; nil where none came
	LatencyMS   *int64          `json:"latency_ms"`      // of the last try
	LastError   *string         `json:"last_error"`
	CreatedAt   survey.Instant  `json:"created_at"`
	AttemptedAt *survey.Instant `json:"attempted_at"`
	NextAt      *survey.Instant `json:"next_attempt_at"` // nil where there is none
}

type deliveryRow struct {
	ID          id
	WebhookID   id
	Event       string
	SubjectID   id
	State       string
	Attempt     int
	Status      int
	LatencyMs   int64
	LastError   string
	CreatedAt   int64
	AttemptedAt *int64
	DueAt       int64
}

const deliveryColumns = `id, webhook_id, event, subject_id, state, attempt, status, latency_ms, last_error, created_at, attempted_at, due_at`

func (r deliveryRow) delivery() Delivery {
	d := Delivery{ID: survey.ID(r.ID), Webhook: survey.ID(r.WebhookID), Event: survey.Event(r.Event), SubjectID: r.SubjectID.orNil(),
		State: r.State, Attempts: r.Attempt, CreatedAt: survey.Instant(r.CreatedAt), AttemptedAt: (*survey.Instant)(r.AttemptedAt)}
	if r.Status != 0 {
		d.Status = &r.Status
	}
	if r.AttemptedAt != nil {
		d.LatencyMS = &r.LatencyMs
	}
	if r.LastError != "" {
		d.LastError = &r.LastError
	}
	if r.State == outboxWaiting {
		d.NextAt = (*survey.Instant)(&r.DueAt)
	}
	return d
}

// Deliveries lists what was sent, or is to be sent, to a webhook in the last 30
// days, the newest first.
func (s *Store) Deliveries(ctx context.Context, by Caller, of survey.ID, page Page) ([]Delivery, string, error) {
	q := s.reading(ctx, by)
	if _, err := q.webhookRow(of, ""); err != nil {
		return nil, "", away(err)
	}
	var rows []deliveryRow
	next, err := s.newestFirst(q, "deliveries", of, page, "created_at", []string{"workspace_id = ?", "webhook_id = ?"}, []any{by.Workspace, of},
		func(tail string, args []any) (int, error) {
			err := q.list(&rows, `SELECT `+deliveryColumns+` FROM outbox`+tail, args...)
			return len(rows), err
		}, func(i int) (int64, survey.ID) { return rows[i].CreatedAt, survey.ID(rows[i].ID) })
	if err != nil {
		return nil, "", away(err)
	}
	list := make([]Delivery, min(len(rows), page.Limit))
	for i := range list {
		list[i] = rows[i].delivery()
	}
	return list, next, nil
}

// TestWebhook sends a webhook an event that means nothing, whatever it
// subscribed to. A paused one is a Conflict.
func (s *Store) TestWebhook(ctx context.Context, by Caller, of survey.ID) (out Delivery, err error) {
	err = s.write(ctx, by, func(q *session) error {
		row, err := q.webhookRow(of, "")
		if err != nil {
			return err
		}
		if row.State != string(survey.Active) {
			return errPausedWebhook
		}
		made, err := q.deliver(of, survey.EventWebhookTest, of, nil, q.now)
		if err != nil {
			return err
		}
		q.resource = made.String()
		out, err = q.delivery(of, made)
		return err
	})
	return out, err
}

var errPausedWebhook = survey.Errorf(survey.Conflict, "", `the webhook is paused; set its state to "active" first`)

var errNoDelivery = survey.Errorf(survey.NotFound, "", "there is no such delivery")

func (q *session) delivery(of, one survey.ID) (Delivery, error) {
	var row deliveryRow
	found, err := q.find(&row, `SELECT `+deliveryColumns+` FROM outbox WHERE workspace_id = ? AND id = ? AND webhook_id = ?`,
		q.by.Workspace, one, of)
	if err == nil && !found {
		err = errNoDelivery
	}
	return row.delivery(), err
}

// Delivery shows one delivery of a webhook.
func (s *Store) Delivery(ctx context.Context, by Caller, of, one survey.ID) (Delivery, error) {
	d, err := s.reading(ctx, by).delivery(of, one)
	return d, away(err)
}

// Redeliver sends a delivery that has ended once more, with the same id, as if
// it were new. One that is under way is a Conflict.
func (s *Store) Redeliver(ctx context.Context, by Caller, of, one survey.ID) (out Delivery, err error) {
	err = s.write(ctx, by, func(q *session) error {
		row, err := q.webhookRow(of, "")
		if err != nil {
			return err
		}
		if _, err := q.delivery(of, one); err != nil {
			return err
		}
		if row.State != string(survey.Active) {
			return errPausedWebhook
		}
		n, err := q.exec(`UPDATE outbox SET state = 'waiting', due_at = ?, attempt = 0, fence = fence + 1
			WHERE workspace_id = ? AND id = ? AND state IN ('delivered', 'failed', 'skipped')`, q.now, by.Workspace, one)
		if err != nil {
			return err
		}
		if n == 0 {
			return survey.Errorf(survey.Conflict, "", "the delivery is still under way; it is tried again by itself")
		}
		q.resource = one.String()
		out, err = q.delivery(of, one)
		return err
	})
	return out, err
}
