package store

import (
	"context"
	"time"

	"koe/survey"
)

// Claim is a mail that one process has taken to send. The fence grows with
// every claim: completing needs the one that was given, so a process that
// slept through its lease cannot undo what another did since.
type Claim struct {
	Workspace  int64
	Invitation survey.ID
	Fence      int64
	Domain     string // of the address, for caps per domain
}

// Mail is everything that one mail is written from.
type Mail struct {
	Claim      Claim
	Invitation survey.Invitation
	Survey     survey.Survey
	Template   survey.Template
	Workspace  survey.Workspace
	Touchpoint string
	OccurredAt *survey.Instant
	Token      string
}

// ClaimDue takes at most n mails that are due, oldest first, for a lease. On
// PostgreSQL leases run on the database's clock.
func (s *Store) ClaimDue(ctx context.Context, n int, lease time.Duration) ([]Claim, error) {
	var claims []Claim
	err := s.write(ctx, Caller{}, func(q *session) error {
		claims = claims[:0]
		paused, err := q.holdPaused()
		if err != nil {
			return err
		}
		sending := notOf(paused)
		var rows []struct {
			WorkspaceID int64
			ID          id
			Fence       int64
			Domain      string
		}
		if q.postgres {
			if err := q.list(&rows, `WITH due AS MATERIALIZED (
				SELECT workspace_id, id FROM invitations WHERE mail_state = 'waiting' AND NOT held AND due_at <= ?`+sending+`
				ORDER BY due_at LIMIT ? FOR UPDATE SKIP LOCKED)
				UPDATE invitations v SET mail_state = 'claimed', lease_until = `+databaseClock+` + ?, fence = v.fence + 1, attempt = v.attempt + 1
				FROM due WHERE v.workspace_id = due.workspace_id AND v.id = due.id
				RETURNING v.workspace_id, v.id, v.fence, v.domain`, q.now, n, lease.Milliseconds()); err != nil {
				return err
			}
		} else {
			if err := q.list(&rows, `SELECT workspace_id, id, fence + 1 AS fence, domain FROM invitations
				WHERE mail_state = 'waiting' AND held = 0 AND due_at <= ?`+sending+` ORDER BY due_at LIMIT ?`, q.now, n); err != nil {
				return err
			}
			for _, row := range rows {
				if err := q.must(`UPDATE invitations SET mail_state = 'claimed', lease_until = ?, fence = fence + 1, attempt = attempt + 1
					WHERE workspace_id = ? AND id = ?`, q.now.Add(lease), row.WorkspaceID, row.ID); err != nil {
					return err
				}
			}
		}
		for _, row := range rows {
			claims = append(claims, Claim{row.WorkspaceID, survey.ID(row.ID), row.Fence, row.Domain})
		}
		return nil
	})
	return claims, err
}

const databaseClock = `(EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint`

// Extend lengthens leases that are still held, and says which those are.
func (s *Store) Extend(ctx context.Context, lease time.Duration, claims ...Claim) ([]Claim, error) {
	var held []Claim
	err := s.write(ctx, Caller{}, func(q *session) error {
		held = held[:0]
		if q.postgres {
			var err error
			held, err = q.extend(lease, claims)
			return err
		}
		for _, c := range claims {
			n, err := q.exec(`UPDATE invitations SET lease_until = ? WHERE workspace_id = ? AND id = ? AND fence = ?
				AND mail_state IN ('claimed', 'sending')`, q.now.Add(lease), c.Workspace, c.Invitation, c.Fence)
			if err != nil {
				return err
			}
			if n == 1 {
				held = append(held, c)
			}
		}
		return nil
	})
	return held, err
}

// extend is Extend on PostgreSQL, in one statement.
func (q *session) extend(lease time.Duration, claims []Claim) ([]Claim, error) {
	workspaces, ids, fences := claimArrays(claims)
	of := claimsByID(claims)
	var held []Claim
	var one id
	err := q.each(`WITH mine AS MATERIALIZED (SELECT v.workspace_id, v.id FROM invitations v
		JOIN unnest(?::bigint[], ?::uuid[], ?::bigint[]) AS c (w, id, fence) ON v.workspace_id = c.w AND v.id = c.id AND v.fence = c.fence
		WHERE v.mail_state IN ('claimed', 'sending') ORDER BY v.id FOR UPDATE OF v)
		UPDATE invitations v SET lease_until = `+databaseClock+` + ? FROM mine WHERE v.workspace_id = mine.workspace_id AND v.id = mine.id
		RETURNING v.id`, []any{workspaces, ids, fences, lease.Milliseconds()}, []any{&one}, func() error {
		held = append(held, of[survey.ID(one)])
		return nil
	})
	q.wrote = true
	return held, err
}

// claimArrays are what PostgreSQL joins claims from.
func claimArrays(claims []Claim) (workspaces []int64, ids string, fences []int64) {
	list := make([]survey.ID, len(claims))
	workspaces, fences = make([]int64, len(claims)), make([]int64, len(claims))
	for i, c := range claims {
		workspaces[i], list[i], fences[i] = c.Workspace, c.Invitation, c.Fence
	}
	return workspaces, idArray(list), fences
}

func claimsByID(claims []Claim) map[survey.ID]Claim {
	of := make(map[survey.ID]Claim, len(claims))
	for _, c := range claims {
		of[c.Invitation] = c
	}
	return of
}

// Release gives back claims whose mails were not begun, that is, of which no
// server has heard. What was marked as sending is scheduled again.
func (s *Store) Release(ctx context.Context, claims ...Claim) error {
	const held = ` WHERE workspace_id = ? AND id = ? AND fence = ? AND mail_state IN ('claimed', 'sending')`
	return s.write(ctx, Caller{}, func(q *session) error {
		for _, c := range claims {
			q.by.Workspace = c.Workspace
			marked, err := q.exec(`UPDATE invitations SET state = 'scheduled', updated_at = ?`+held+` AND state = 'sending'`,
				q.now, c.Workspace, c.Invitation, c.Fence)
			if err == nil && marked == 1 {
				_, err = q.exec(`UPDATE survey_days SET sent = sent - 1 WHERE workspace_id = ? AND sent > 0 AND (survey_id, day) =
					(SELECT survey_id, planned_day FROM invitations WHERE workspace_id = ? AND id = ? AND mail_no = 0 AND sent_at IS NULL)`,
					c.Workspace, c.Workspace, c.Invitation)
			}
			if err == nil && marked == 1 {
				err = q.event(aboutInvitation, c.Invitation, "scheduled", "koe was stopped before the mail was begun", "")
			}
			if err != nil {
				return err
			}
			if _, err := q.exec(`UPDATE invitations SET mail_state = 'waiting', fence = fence + 1, attempt = attempt - 1`+held,
				c.Workspace, c.Invitation, c.Fence); err != nil {
				return err
			}
		}
		return nil
	})
}

// Later is a claim whose mail may not go out before an instant.
type Later struct {
	Claim Claim
	Until survey.Instant
}

// Postpone gives back claims whose mails are over a cap.
func (s *Store) Postpone(ctx context.Context, list []Later) error {
	return s.write(ctx, Caller{}, func(q *session) error {
		for _, l := range list {
			if _, err := q.exec(`UPDATE invitations SET mail_state = 'waiting', due_at = ?, wait_reason = 'domain_cap', fence = fence + 1, attempt = attempt - 1
				WHERE workspace_id = ? AND id = ? AND fence = ? AND mail_state = 'claimed'`,
				l.Until, l.Claim.Workspace, l.Claim.Invitation, l.Claim.Fence); err != nil {
				return err
			}
		}
		return nil
	})
}
