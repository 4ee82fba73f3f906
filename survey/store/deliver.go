package store

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"koe/survey"
)

// Dispatch is a row of the outbox that one process has taken to send. The fence
// grows with every claim, as that of survey mail.
type Dispatch struct {
	Workspace int64
	ID        survey.ID
	Fence     int64
	Attempt   int // how often it was tried before
	Webhook   survey.ID
	URL       string
	Secrets   []string // the newest first
	Event     survey.Event
	Hook      survey.Webhook // how it is written, and which scores are wanted
	Subject   survey.ID
	CreatedAt survey.Instant
	To        string // of a notice: the address
	Body      string // of a notice: what it needs to be written, as JSON; may be empty
}

// Endpoint names a webhook among those of all workspaces.
type Endpoint struct {
	Workspace int64
	Webhook   survey.ID
}

// ClaimDeliveries takes at most n events that are due, for a lease: for each
// webhook at most as many as make perEndpoint together with those that busy
// says are under way.
func (s *Store) ClaimDeliveries(ctx context.Context, n, perEndpoint int, busy map[Endpoint]int, lease time.Duration) ([]Dispatch, error) {
	var due []Endpoint
	q := s.reading(ctx, Caller{})
	var one Endpoint
	var webhook id
	if err := q.each(`SELECT w.workspace_id, w.id FROM webhooks w WHERE w.state = 'active' AND EXISTS (SELECT 1 FROM outbox o
		WHERE o.workspace_id = w.workspace_id AND o.webhook_id = w.id AND o.state = 'waiting' AND o.due_at <= ?)`, []any{q.now},
		[]any{&one.Workspace, &webhook}, func() error {
			if one.Webhook = survey.ID(webhook); busy[one] < perEndpoint {
				due = append(due, one)
			}
			return nil
		}); err != nil || len(due) == 0 {
		return nil, away(err)
	}
	rand.Shuffle(len(due), func(i, j int) { due[i], due[j] = due[j], due[i] }) //nolint:gosec // none is always the last; nothing is hidden by it
	var claimed []Dispatch
	err := s.write(ctx, Caller{}, func(q *session) error {
		claimed = claimed[:0]
		for _, to := range due {
			room := min(perEndpoint-busy[to], n-len(claimed))
			if room < 1 {
				break
			}
			some, err := s.claimFor(q, to, room, lease)
			if err != nil {
				return err
			}
			claimed = append(claimed, some...)
		}
		return nil
	})
	return claimed, err
}

// claimFor claims what is due for one webhook.
func (s *Store) claimFor(q *session, to Endpoint, n int, lease time.Duration) ([]Dispatch, error) {
	q.by.Workspace = to.Workspace
	hook, err := q.webhookRow(to.Webhook, "")
	if errors.Is(err, errNoWebhook) || err == nil && hook.State != string(survey.Active) { // since it was looked for
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	secrets := []string{s.webhookSecret(to.Workspace, hook.ID, hook.Nonce)}
	if hook.FormerUntil != nil && survey.Instant(*hook.FormerUntil) > q.now {
		secrets = append(secrets, s.webhookSecret(to.Workspace, hook.ID, hook.FormerNonce))
	}
	shape, err := hook.webhook()
	if err != nil {
		return nil, err
	}
	claimed, err := q.claimOutbox("outbox_webhook_id_due_at", `webhook_id = ?`, []any{to.Webhook}, n, lease)
	for i := range claimed {
		claimed[i].Webhook, claimed[i].URL, claimed[i].Secrets = to.Webhook, hook.URL, secrets
		claimed[i].Hook = shape
	}
	return claimed, err
}

// claimOutbox claims rows of the session's workspace that are due, found by an
// index of those that wait.
func (q *session) claimOutbox(index, which string, args []any, n int, lease time.Duration) ([]Dispatch, error) {
	var claimed []Dispatch
	d := Dispatch{Workspace: q.by.Workspace}
	var one, subject id
	var event string
	all := append(append([]any{q.by.Workspace}, args...), q.now, n)
	if err := q.each(`SELECT id, fence + 1, attempt, event, subject_id, created_at, destination, body FROM outbox`+q.indexedBy(index)+` WHERE workspace_id = ? AND `+which+`
		AND state = 'waiting' AND due_at <= ? ORDER BY due_at LIMIT ?`+q.skipLocked(), all,
		[]any{&one, &d.Fence, &d.Attempt, &event, &subject, &d.CreatedAt, &d.To, &d.Body}, func() error {
			d.ID, d.Event, d.Subject = survey.ID(one), survey.Event(event), survey.ID(subject)
			claimed = append(claimed, d)
			return nil
		}); err != nil {
		return nil, err
	}
	end, value := q.leaseEnd(lease)
	for _, d := range claimed {
		if err := q.must(`UPDATE outbox SET state = 'claimed', fence = ?, lease_until = `+end+` WHERE workspace_id = ? AND id = ?`,
			d.Fence, value, d.Workspace, d.ID); err != nil {
			return nil, err
		}
	}
	return claimed, nil
}

// Tried is the outcome of a try: a status of 200 to 299 means that it was taken; 0 that none
// came, and Error says why.
type Tried struct {
	Status  int
	Latency time.Duration
	Error   string // without anything personal
	Final   bool   // of a notice: it will never be taken
	Skipped bool   // it is not wanted any more, which Error says; nothing was sent
}

func (t Tried) taken() bool { return t.Status >= 200 && t.Status <= 299 }

// NoteDelivery keeps what became of a delivery: it is done, tried again later,
// or given up. An endpoint that has failed for three days is paused, and its
// owner told; paused is true then. A claim that was lost is left to whoever has
// it now.
func (s *Store) NoteDelivery(ctx context.Context, d Dispatch, t Tried) (paused bool, err error) {
	err = s.write(ctx, Caller{Workspace: d.Workspace}, func(q *session) error {
		paused = false
		state, due, attempt := outboxDelivered, q.now, d.Attempt+1
		switch {
		case t.Skipped:
			state, attempt = outboxSkipped, d.Attempt
		case !t.taken():
			next, again := survey.NextDelivery(d.Event, attempt, q.now, rand.Float64()) //nolint:gosec // it spreads load, and hides nothing
			state, due = outboxWaiting, next
			if !again || t.Final || t.Status == survey.StatusGone {
				state, due = outboxFailed, q.now
			}
		}
		n, err := q.exec(`UPDATE outbox SET state = ?, due_at = ?, attempt = ?, attempted_at = ?, status = ?, latency_ms = ?, last_error = ?
			WHERE workspace_id = ? AND id = ? AND fence = ? AND state = 'claimed'`, state, due, attempt, q.now, t.Status,
			t.Latency.Milliseconds(), t.Error, d.Workspace, d.ID, d.Fence)
		if err != nil || n == 0 || d.Webhook.IsZero() || t.Skipped {
			return err
		}
		paused, err = q.noteEndpoint(d, t)
		return err
	})
	return paused, err
}

// noteEndpoint keeps whether a webhook's endpoint works.
func (q *session) noteEndpoint(d Dispatch, t Tried) (paused bool, err error) {
	of := d.Webhook
	if t.taken() {
		_, err := q.exec(`UPDATE webhooks SET failing_since = NULL WHERE workspace_id = ? AND id = ? AND failing_since IS NOT NULL`, q.by.Workspace, of)
		return false, err
	}
	row, err := q.webhookRow(of, q.forUpdate())
	if err != nil {
		return false, err
	}
	before, err := row.webhook()
	if err != nil {
		return false, err
	}
	after, paused := before.AfterFailure(d.Event, t.Status, q.now)
	if !paused && after.FailedAt == before.FailedAt {
		return false, nil
	}
	if err := q.saveWebhook(after); err != nil || !paused {
		return false, err
	}
	q.shared.forget()
	if err := q.audit("webhook.paused", of.String(), after.PausedReason); err != nil || after.OwnerEmail == "" {
		return true, err
	}
	return true, q.notify(survey.EventWebhookPaused, of, after.OwnerEmail, nil)
}

// ReleaseDelivery gives back what was not tried to its end.
func (s *Store) ReleaseDelivery(ctx context.Context, d Dispatch) error {
	return s.write(ctx, Caller{Workspace: d.Workspace}, func(q *session) error {
		_, err := q.exec(`UPDATE outbox SET state = 'waiting', fence = fence + 1 WHERE workspace_id = ? AND id = ? AND fence = ? AND state = 'claimed'`,
			d.Workspace, d.ID, d.Fence)
		return err
	})
}

// SettleDeliveries takes back what processes that are gone had claimed: it is
// sent again, with the same id. At start-up on SQLite that is every claim.
func (s *Store) SettleDeliveries(ctx context.Context, starting bool) (int, error) {
	q := s.reading(ctx, Caller{})
	until, args := q.leaseOver(starting)
	var any int
	if found, err := q.row(`SELECT 1 FROM outbox WHERE state = 'claimed' AND `+until+` LIMIT 1`, args, &any); err != nil || !found {
		return 0, away(err)
	}
	var settled int64
	err := s.write(ctx, Caller{}, func(q *session) (err error) {
		settled, err = q.exec(`UPDATE outbox SET state = 'waiting', fence = fence + 1 WHERE state = 'claimed' AND `+until, args...)
		return err
	})
	return int(settled), err
}

// Subject is what an event is about, as it is now; all nil where it is gone.
type Subject struct {
	Response    *survey.Response
	Template    *survey.Template // of the response
	Invitation  *survey.Invitation
	Suppression *survey.Suppression
	FollowUp    *survey.FollowUp
	Webhook     *survey.Webhook
	Target      *TargetChanged
}

// SubjectOf looks up what a dispatch is about.
func (s *Store) SubjectOf(ctx context.Context, d Dispatch) (out Subject, err error) {
	by := Caller{Workspace: d.Workspace, Role: Admin}
	switch d.Event {
	case survey.EventResponseCreated, survey.EventResponseUpdated:
		var r survey.Response
		if r, _, err = s.Response(ctx, by, d.Subject); err != nil {
			break
		}
		var t TemplateRecord
		if t, err = s.TemplateVersion(ctx, by, r.Template, r.TemplateVersion); err == nil {
			out.Response, out.Template = &r, &t.Template
		}
	case survey.EventInvitationSent, survey.EventInvitationFailed:
		var v survey.Invitation
		if v, _, err = s.Invitation(ctx, by, d.Subject); err == nil {
			out.Invitation = &v
		}
	case survey.EventPersonUnsubscribed:
		var v survey.Suppression
		if v, err = s.Suppression(ctx, by, d.Subject); err == nil {
			out.Suppression = &v
		}
	case survey.EventFollowUpOpened:
		var f survey.FollowUp
		if f, _, err = s.FollowUp(ctx, by, d.Subject); err == nil {
			out.FollowUp = &f
		}
	case survey.EventTargetChanged:
		var t TargetChanged
		if t, err = s.targetChange(ctx, by, d.Subject); err == nil {
			out.Target = &t
		}
	default:
		var w survey.Webhook
		if w, err = s.Webhook(ctx, by, d.Subject); err == nil {
			out.Webhook = &w
		}
	}
	var known *survey.Error
	if errors.As(err, &known) && known.Kind == survey.NotFound {
		err = nil
	}
	return out, err
}
