package store

import (
	"context"

	"koe/survey"
)

// SettleLeases takes mails back from processes that are gone: what was only
// claimed waits again, what was being sent is uncertain. At start-up on SQLite
// every lease is settled, whatever its end: the one scheduler is this one.
func (s *Store) SettleLeases(ctx context.Context, starting bool) (int, error) {
	settled := 0
	err := s.write(ctx, Caller{}, func(q *session) error {
		var rows []invitationRow
		expired, args := "lease_until < ?", []any{q.now}
		switch {
		case q.postgres:
			expired, args = "lease_until < "+databaseClock, nil
		case starting:
			expired, args = "lease_until >= 0", nil
		}
		lock := ""
		if q.postgres {
			lock = " FOR UPDATE SKIP LOCKED"
		}
		if err := q.list(&rows, `SELECT `+invitationColumns+` FROM invitations
			WHERE mail_state IN ('claimed', 'sending') AND `+expired+` LIMIT 1000`+lock, args...); err != nil {
			return err
		}
		settled = len(rows)
		for _, row := range rows {
			q.by.Workspace = row.WorkspaceID
			if row.MailState == mailClaimed {
				if err := q.must(`UPDATE invitations SET mail_state = 'waiting', fence = fence + 1, attempt = attempt - 1
					WHERE workspace_id = ? AND id = ?`, row.WorkspaceID, row.ID); err != nil {
					return err
				}
				continue
			}
			if err := q.must(`UPDATE invitations SET fence = fence + 1 WHERE workspace_id = ? AND id = ?`, row.WorkspaceID, row.ID); err != nil {
				return err
			}
			if err := s.uncertain(q, row, "koe was stopped while the mail was under way"); err != nil {
				return err
			}
		}
		return nil
	})
	return settled, err
}

// Sweep ends what has passed its end and forgets idempotency keys that are
// over a day old; it says how many invitations expired.
func (s *Store) Sweep(ctx context.Context) (int, error) {
	swept := 0
	err := s.write(ctx, Caller{}, func(q *session) error {
		var rows []invitationRow
		lock := ""
		if q.postgres {
			lock = " FOR UPDATE SKIP LOCKED"
		}
		if err := q.list(&rows, `SELECT `+invitationColumns+` FROM invitations WHERE state IN ('scheduled', 'sent', 'uncertain')
			AND expires_at <= ? AND mail_state IN ('none', 'waiting') ORDER BY expires_at LIMIT 1000`+lock, q.now); err != nil {
			return err
		}
		swept = len(rows)
		for _, row := range rows {
			q.by.Workspace = row.WorkspaceID
			if err := q.endInvitation(row, survey.InvitationExpired, "expired", ""); err != nil {
				return err
			}
		}
		_, err := q.exec(`DELETE FROM idempotency WHERE created_at < ?`, q.now.Add(-remembers))
		return err
	})
	return swept, err
}

// NextDue is when the next mail is due; nil where none waits.
func (s *Store) NextDue(ctx context.Context) (*survey.Instant, error) {
	q := s.reading(ctx, Caller{})
	held := "held = 0"
	if q.postgres {
		held = "NOT held"
	}
	var due *int64
	_, err := q.row(`SELECT MIN(due_at) FROM invitations WHERE mail_state = 'waiting' AND `+held, nil, &due)
	return (*survey.Instant)(due), away(err)
}
