package store

import (
	"context"
	"errors"
	"slices"
	"time"

	"koe/survey"
)

// SettleLeases takes mails back from processes that are gone: what was only
// claimed waits again, what was being sent is uncertain. At start-up on SQLite
// every lease is settled, whatever its end: the one scheduler is this one. Mails
// of the caller's own stay with it, although their leases have run out.
func (s *Store) SettleLeases(ctx context.Context, starting bool, own ...Claim) (int, error) {
	q := s.reading(ctx, Caller{})
	where, args := q.ownerless(starting)
	var workspaces []int64
	// not DISTINCT, for which SQLite walks all invitations in the order of their key
	if err := q.list(&workspaces, `SELECT workspace_id FROM invitations WHERE `+where+` LIMIT 1000`, args...); err != nil {
		return 0, away(err)
	}
	slices.Sort(workspaces)
	settled, mine := 0, map[Claim]bool{}
	for _, c := range own {
		c.Domain = ""
		mine[c] = true
	}
	for _, workspace := range slices.Compact(workspaces) {
		n, err := s.settleLeases(ctx, workspace, starting, mine)
		settled += n
		if err != nil {
			return settled, err
		}
	}
	return settled, nil
}

// ownerless is the condition of mails whose process is gone.
func (q *session) ownerless(starting bool) (where string, args []any) {
	where, args = q.leaseOver(starting)
	return `mail_state IN ('claimed', 'sending') AND ` + where, args
}

func (s *Store) settleLeases(ctx context.Context, workspace int64, starting bool, mine map[Claim]bool) (settled int, err error) {
	err = s.write(ctx, Caller{Workspace: workspace}, func(q *session) error {
		if _, err := q.counting(); err != nil { // before invitations are locked, as a rebuild does
			return err
		}
		where, args := q.ownerless(starting)
		var rows []invitationRow
		// + keeps SQLite from walking all that the workspace has
		if err := q.list(&rows, `SELECT `+invitationColumns+` FROM invitations WHERE +workspace_id = ? AND `+where+` LIMIT 1000`+q.skipLocked(),
			slices.Concat([]any{workspace}, args)...); err != nil {
			return err
		}
		settled = 0
		for _, row := range rows {
			if mine[Claim{Workspace: workspace, Invitation: survey.ID(row.ID), Fence: row.Fence}] {
				continue
			}
			settled++
			if err := s.settle(q, row); err != nil {
				return err
			}
		}
		return nil
	})
	return settled, err
}

func (s *Store) settle(q *session, row invitationRow) error {
	if row.MailState == mailClaimed {
		return q.must(`UPDATE invitations SET mail_state = 'waiting', fence = fence + 1, attempt = attempt - 1
			WHERE workspace_id = ? AND id = ?`, row.WorkspaceID, row.ID)
	}
	if err := q.must(`UPDATE invitations SET fence = fence + 1 WHERE workspace_id = ? AND id = ?`, row.WorkspaceID, row.ID); err != nil {
		return err
	}
	return s.uncertain(q, row, "koe was stopped while the mail was under way")
}

// Sweep ends what has passed its end and forgets idempotency keys that are
// over a day old; it says how many invitations expired.
func (s *Store) Sweep(ctx context.Context) (int, error) {
	swept := 0
	err := s.write(ctx, Caller{}, func(q *session) error {
		var rows []invitationRow
		if err := q.list(&rows, `SELECT `+invitationColumns+` FROM invitations WHERE state IN ('scheduled', 'sent', 'uncertain')
			AND expires_at <= ? AND mail_state IN ('none', 'waiting') ORDER BY expires_at LIMIT 1000`+q.skipLocked(), q.now); err != nil {
			return err
		}
		swept = len(rows)
		for _, row := range rows {
			q.by.Workspace = row.WorkspaceID
			if err := q.endInvitation(row, survey.InvitationExpired, string(survey.EndExpired), ""); err != nil {
				return err
			}
		}
		if _, err := q.exec(`DELETE FROM idempotency WHERE created_at < ?`, q.now.Add(-remembers)); err != nil {
			return err
		}
		if _, err := q.exec(`DELETE FROM outbox WHERE state IN ('delivered', 'failed', 'skipped') AND created_at < ?`, q.now.Add(-keepsDeliveries)); err != nil {
			return err
		}
		if _, err := q.exec(`DELETE FROM source_deliveries WHERE created_at < ?`, q.now.Add(-keepsSourceDeliveries)); err != nil {
			return err
		}
		if err := errors.Join(q.sweepSignIns(), q.sweepKeys()); err != nil {
			return err
		}
		if !q.postgres { // nothing is written beside a deletion, and all events that wait for paused webhooks need no look each minute
			return nil
		}
		// of webhooks that were deleted while an event was kept for them
		_, err := q.exec(`DELETE FROM outbox WHERE state = 'waiting' AND webhook_id IS NOT NULL AND due_at < ?
			AND NOT EXISTS (SELECT 1 FROM webhooks w WHERE w.workspace_id = outbox.workspace_id AND w.id = outbox.webhook_id)`, q.now.Add(-time.Hour))
		return err
	})
	return swept, err
}
