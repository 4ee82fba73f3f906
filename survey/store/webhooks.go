package store

import (
	"context"
	"encoding/base64"
	"slices"
	"time"

	"koe/survey"
)

type webhookRow struct {
	WorkspaceID  int64
	ID           id
	URL          string `gorm:"column:url"`
	Description  string
	Events       string
	Format       string
	ScoreMin     *int
	ScoreMax     *int
	OwnerEmail   string
	State        string
	PausedReason string
	FailingSince *int64
	FailedAt     *int64
	Nonce        []byte
	FormerNonce  []byte
	FormerUntil  *int64
	CreatedAt    int64
	UpdatedAt    int64
}

const webhookColumns = `workspace_id, id, url, description, events, format, score_min, score_max, owner_email, state, paused_reason, failing_since, failed_at,
	nonce, former_nonce, former_until, created_at, updated_at`

func (r webhookRow) webhook() (survey.Webhook, error) {
	w := survey.Webhook{ID: survey.ID(r.ID), URL: r.URL, Description: r.Description, Format: survey.Format(r.Format),
		ScoreMin: r.ScoreMin, ScoreMax: r.ScoreMax, OwnerEmail: r.OwnerEmail,
		State: survey.State(r.State), PausedReason: r.PausedReason, FailingSince: (*survey.Instant)(r.FailingSince),
		FailedAt:  (*survey.Instant)(r.FailedAt),
		CreatedAt: survey.Instant(r.CreatedAt), UpdatedAt: survey.Instant(r.UpdatedAt)}
	return w, fromJSON(r.Events, &w.Events)
}

// maxWebhooks keeps what one event leads to within bounds.
const maxWebhooks = 100

// formerSecret is how long the secret before a rotation signs too.
const formerSecret = 24 * time.Hour

// webhookSecret is what deliveries are signed with, in the form of Standard
// Webhooks. It is derived: a stolen database signs nothing.
func (s *Store) webhookSecret(workspace int64, of id, nonce []byte) string {
	return "whsec_" + base64.StdEncoding.EncodeToString(s.derive("webhook", workspace, append(of[:], nonce...)))
}

// CreateWebhook makes a webhook and returns its secret, which is not shown
// again.
func (s *Store) CreateWebhook(ctx context.Context, by Caller, w survey.Webhook) (survey.Webhook, string, error) {
	if err := w.Clean(); err != nil {
		return w, "", err
	}
	nonce := newNonce()
	err := s.write(ctx, by, func(q *session) error {
		var all int
		if _, err := q.row(`SELECT COUNT(*) FROM webhooks WHERE workspace_id = ?`, []any{by.Workspace}, &all); err != nil {
			return err
		}
		if all >= maxWebhooks {
			return survey.Errorf(survey.Conflict, "", "a workspace has at most %d webhooks; delete one first", maxWebhooks)
		}
		w.ID, w.CreatedAt, w.UpdatedAt = newID(), q.now, q.now
		if w.State == survey.Paused {
			w.PausedReason = survey.PausedByHand
		}
		events, err := asJSON(w.Events)
		if err != nil {
			return err
		}
		if _, err := q.exec(`INSERT INTO webhooks (`+webhookColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL, ?, NULL, NULL, ?, ?)`,
			by.Workspace, w.ID, w.URL, w.Description, events, string(w.Format), w.ScoreMin, w.ScoreMax, w.OwnerEmail, string(w.State), w.PausedReason, nonce, q.now, q.now); err != nil {
			return err
		}
		q.resource = w.ID.String()
		q.shared.forget()
		return q.audit("webhook.created", w.ID.String(), "")
	})
	return w, s.webhookSecret(by.Workspace, id(w.ID), nonce), err
}

var errNoWebhook = survey.Errorf(survey.NotFound, "", "there is no such webhook")

func (q *session) webhookRow(of survey.ID, lock string) (webhookRow, error) {
	var row webhookRow
	found, err := q.find(&row, `SELECT `+webhookColumns+` FROM webhooks WHERE workspace_id = ? AND id = ?`+lock, q.by.Workspace, of)
	if err == nil && !found {
		err = errNoWebhook
	}
	return row, err
}

// Webhook shows a webhook, without its secret.
func (s *Store) Webhook(ctx context.Context, by Caller, of survey.ID) (survey.Webhook, error) {
	row, err := s.reading(ctx, by).webhookRow(of, "")
	if err != nil {
		return survey.Webhook{}, away(err)
	}
	return row.webhook()
}

// Webhooks lists the newest first.
func (s *Store) Webhooks(ctx context.Context, by Caller, page Page) ([]survey.Webhook, string, error) {
	q := s.reading(ctx, by)
	var rows []webhookRow
	next, err := s.newestFirst(q, "webhooks", nil, page, "created_at", []string{"workspace_id = ?"}, []any{by.Workspace},
		func(tail string, args []any) (int, error) {
			err := q.list(&rows, `SELECT `+webhookColumns+` FROM webhooks`+tail, args...)
			return len(rows), err
		}, func(i int) (int64, survey.ID) { return rows[i].CreatedAt, survey.ID(rows[i].ID) })
	if err != nil {
		return nil, "", away(err)
	}
	list := make([]survey.Webhook, min(len(rows), page.Limit))
	for i := range list {
		if list[i], err = rows[i].webhook(); err != nil {
			return nil, "", err
		}
	}
	return list, next, nil
}

// ChangeWebhook changes what its owner may change: address, description,
// events, format, scores, owner and state. One that is made active again, or has
// another address, has failed never.
func (s *Store) ChangeWebhook(ctx context.Context, by Caller, of survey.ID, change func(*survey.Webhook) error) (survey.Webhook, error) {
	var out survey.Webhook
	err := s.write(ctx, by, func(q *session) error {
		row, err := q.webhookRow(of, q.forUpdate())
		if err != nil {
			return err
		}
		before, err := row.webhook()
		if err != nil {
			return err
		}
		out = before
		out.Events = slices.Clone(before.Events)
		if err := change(&out); err != nil {
			return err
		}
		if err := out.Clean(); err != nil {
			return err
		}
		if out.State != before.State {
			out.PausedReason = ""
			if out.State == survey.Paused {
				out.PausedReason = survey.PausedByHand
			}
		}
		if out.State != before.State || out.URL != before.URL {
			out.FailingSince, out.FailedAt = nil, nil
		}
		out.UpdatedAt = q.now
		if err := q.saveWebhook(out); err != nil {
			return err
		}
		q.shared.forget()
		return q.audit("webhook.changed", of.String(), string(out.State))
	})
	return out, err
}

// saveWebhook writes all but the secrets.
func (q *session) saveWebhook(w survey.Webhook) error {
	events, err := asJSON(w.Events)
	if err != nil {
		return err
	}
	return q.must(`UPDATE webhooks SET url = ?, description = ?, events = ?, format = ?, score_min = ?, score_max = ?, owner_email = ?, state = ?,
		paused_reason = ?, failing_since = ?, failed_at = ?, updated_at = ? WHERE workspace_id = ? AND id = ?`, w.URL, w.Description, events, string(w.Format), w.ScoreMin, w.ScoreMax, w.OwnerEmail,
		string(w.State), w.PausedReason, (*int64)(w.FailingSince), (*int64)(w.FailedAt), w.UpdatedAt, q.by.Workspace, w.ID)
}

// DeleteWebhook removes a webhook with all that was to be sent to it.
func (s *Store) DeleteWebhook(ctx context.Context, by Caller, of survey.ID) error {
	return s.write(ctx, by, func(q *session) error {
		if _, err := q.webhookRow(of, q.forUpdate()); err != nil {
			return err
		}
		if _, err := q.exec(`DELETE FROM outbox WHERE workspace_id = ? AND webhook_id = ?`, by.Workspace, of); err != nil {
			return err
		}
		q.shared.forget()
		if err := q.must(`DELETE FROM webhooks WHERE workspace_id = ? AND id = ?`, by.Workspace, of); err != nil {
			return err
		}
		return q.audit("webhook.deleted", of.String(), "")
	})
}

// RotateWebhook gives a webhook another secret, which is not shown again. The
// one before signs beside it for a day.
func (s *Store) RotateWebhook(ctx context.Context, by Caller, of survey.ID) (survey.Webhook, string, error) {
	nonce := newNonce()
	var out survey.Webhook
	err := s.write(ctx, by, func(q *session) error {
		row, err := q.webhookRow(of, q.forUpdate())
		if err != nil {
			return err
		}
		row.UpdatedAt = int64(q.now)
		if out, err = row.webhook(); err != nil {
			return err
		}
		if err := q.must(`UPDATE webhooks SET nonce = ?, former_nonce = ?, former_until = ?, updated_at = ? WHERE workspace_id = ? AND id = ?`,
			nonce, row.Nonce, q.now.Add(formerSecret), q.now, by.Workspace, of); err != nil {
			return err
		}
		q.resource = of.String()
		return q.audit("webhook.rotated", of.String(), "")
	})
	return out, s.webhookSecret(by.Workspace, id(of), nonce), err
}
