package store

import (
	"context"
	"slices"
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
		where, err := q.whereDue()
		if err != nil {
			return err
		}
		due := ` invitations WHERE ` + where + ` ORDER BY due_at LIMIT ?`
		end, value := q.leaseEnd(lease)
		var rows []struct {
			WorkspaceID int64
			ID          id
			Fence       int64
			Domain      string
		}
		if q.postgres {
			if err := q.list(&rows, `WITH due AS MATERIALIZED (SELECT workspace_id, id FROM`+due+q.skipLocked()+`)
				UPDATE invitations v SET mail_state = 'claimed', lease_until = `+end+`, fence = v.fence + 1, attempt = v.attempt + 1
				FROM due WHERE v.workspace_id = due.workspace_id AND v.id = due.id
				RETURNING v.workspace_id, v.id, v.fence, v.domain`, q.now, n, value); err != nil {
				return err
			}
		} else {
			if err := q.list(&rows, `SELECT workspace_id, id, fence + 1 AS fence, domain FROM`+due, q.now, n); err != nil {
				return err
			}
			for _, row := range rows {
				if err := q.must(`UPDATE invitations SET mail_state = 'claimed', lease_until = `+end+`, fence = fence + 1, attempt = attempt + 1
					WHERE workspace_id = ? AND id = ?`, value, row.WorkspaceID, row.ID); err != nil {
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

// Leases run on PostgreSQL's own clock: those of several machines differ, and a
// machine that slept has a wrong one.
const databaseClock = `(EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint`

// leaseEnd is the SQL for "a lease from now".
func (q *session) leaseEnd(lease time.Duration) (string, any) {
	if q.postgres {
		return databaseClock + " + ?", lease.Milliseconds()
	}
	return "?", q.now.Add(lease)
}

// noLease is how far ahead no lease ends: one that does was given before the
// clock was set back.
const noLease = 30 * time.Minute

// leaseOver is the SQL for a lease that has run out, of mails and deliveries. At
// start-up on SQLite every lease has: the one scheduler is this one.
func (q *session) leaseOver(starting bool) (string, []any) {
	switch {
	case q.postgres:
		return `(lease_until < ` + databaseClock + ` OR lease_until > ` + databaseClock + ` + ?)`, []any{noLease.Milliseconds()}
	case starting:
		return `lease_until >= 0`, nil
	}
	return `(lease_until < ? OR lease_until > ?)`, []any{q.now, q.now.Add(noLease)}
}

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
		end, value := q.leaseEnd(lease)
		for _, c := range claims {
			n, err := q.exec(`UPDATE invitations SET lease_until = `+end+` WHERE workspace_id = ? AND id = ? AND fence = ?
				AND mail_state IN ('claimed', 'sending')`, value, c.Workspace, c.Invitation, c.Fence)
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
	end, value := q.leaseEnd(lease)
	var held []Claim
	var one id
	err := q.each(`WITH mine AS MATERIALIZED (SELECT v.workspace_id, v.id FROM invitations v
		JOIN unnest(?::bigint[], ?::uuid[], ?::bigint[]) AS c (w, id, fence) ON v.workspace_id = c.w AND v.id = c.id AND v.fence = c.fence
		WHERE v.mail_state IN ('claimed', 'sending') ORDER BY v.id FOR UPDATE OF v)
		UPDATE invitations v SET lease_until = `+end+` FROM mine WHERE v.workspace_id = mine.workspace_id AND v.id = mine.id
		RETURNING v.id`, []any{workspaces, ids, fences, value}, []any{&one}, func() error {
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
	return s.write(ctx, Caller{}, func(q *session) error {
		rows, err := q.claimed(claims, whileHeld)
		if err != nil {
			return err
		}
		surveys := make([]survey.ID, len(rows))
		for i, row := range rows {
			surveys[i] = survey.ID(row.SurveyID)
		}
		if err := q.lockLimits(surveys); err != nil { // all of them in one order, see leavePlace
			return err
		}
		for _, row := range rows {
			q.by.Workspace = row.WorkspaceID
			state := row.State
			if state == string(survey.InvitationSending) {
				state = string(survey.InvitationScheduled)
				if err := q.leavePlace(row.invitationRow); err != nil {
					return err
				}
				if err := q.event(aboutInvitation, survey.ID(row.ID), state, "koe was stopped before the mail was begun", ""); err != nil {
					return err
				}
			}
			if state == string(survey.InvitationAnswered) { // meanwhile: nothing is left to be sent
				if err := q.mailDone(row.invitationRow); err != nil {
					return err
				}
				continue
			}
			if err := q.must(`UPDATE invitations SET state = ?, mail_state = 'waiting', fence = fence + 1, attempt = attempt - 1, updated_at = ?
				WHERE workspace_id = ? AND id = ?`, state, q.now, row.WorkspaceID, row.ID); err != nil {
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
	Why   survey.Reason
}

// Postpone gives back claims whose mails were not begun, for later.
func (s *Store) Postpone(ctx context.Context, list []Later) error {
	list = slices.SortedFunc(slices.Values(list), func(a, b Later) int { return slices.Compare(a.Claim.Invitation[:], b.Claim.Invitation[:]) })
	return s.write(ctx, Caller{}, func(q *session) error {
		for _, l := range list { // in the order in which all lock them
			if _, err := q.exec(`UPDATE invitations SET mail_state = 'waiting', due_at = ?, wait_reason = ?, fence = fence + 1, attempt = attempt - 1
				WHERE workspace_id = ? AND id = ? AND fence = ? AND mail_state = 'claimed'`,
				l.Until, string(l.Why), l.Claim.Workspace, l.Claim.Invitation, l.Claim.Fence); err != nil {
				return err
			}
		}
		return nil
	})
}
