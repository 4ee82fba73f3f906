package store

import (
	"context"
	"fmt"
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

// leaseEnd is the SQL for "a lease from now".
func (q *session) leaseEnd(lease time.Duration) (string, any) {
	if q.postgres {
		return databaseClock + " + ?", lease.Milliseconds()
	}
	return "?", q.now.Add(lease)
}

// Extend lengthens a lease that is still held; false where it was lost.
func (s *Store) Extend(ctx context.Context, c Claim, lease time.Duration) (bool, error) {
	var held int64
	err := s.write(ctx, Caller{Workspace: c.Workspace}, func(q *session) error {
		end, value := q.leaseEnd(lease)
		var err error
		held, err = q.exec(`UPDATE invitations SET lease_until = `+end+` WHERE workspace_id = ? AND id = ? AND fence = ?
			AND mail_state IN ('claimed', 'sending')`, value, c.Workspace, c.Invitation, c.Fence)
		return err
	})
	return held == 1, err
}

// Release gives back a claim whose mail was not begun.
func (s *Store) Release(ctx context.Context, c Claim) error {
	return s.write(ctx, Caller{Workspace: c.Workspace}, func(q *session) error {
		_, err := q.exec(`UPDATE invitations SET mail_state = 'waiting', fence = fence + 1, attempt = attempt - 1
			WHERE workspace_id = ? AND id = ? AND fence = ? AND mail_state = 'claimed'`, c.Workspace, c.Invitation, c.Fence)
		return err
	})
}

// StartSending asks the rules again and marks a claimed mail as sending,
// durably, before any server is spoken to. Nil without an error means that
// there is nothing to send: the claim was lost, or the rules ended or moved
// the mail, which is kept with its reason.
func (s *Store) StartSending(ctx context.Context, c Claim, messageID func(Mail) string) (*Mail, error) {
	var mail *Mail
	err := s.write(ctx, Caller{Workspace: c.Workspace}, func(q *session) error {
		mail = nil
		row, err := q.claimed(c, mailClaimed)
		if err != nil || row == nil {
			return err
		}
		m, suppressed, err := s.mailOf(q, c, *row)
		if err != nil {
			return err
		}
		if m.Invitation.State == survey.InvitationAnswered {
			return q.mailDone(*row)
		}
		if m.Survey.State == survey.Paused { // since it was claimed, or while it was planned
			return q.must(`UPDATE invitations SET mail_state = 'waiting', held = ?, attempt = attempt - 1, updated_at = ?
				WHERE workspace_id = ? AND id = ?`, true, q.now, row.WorkspaceID, row.ID)
		}
		if again := survey.BeforeSending(m.Invitation, m.Survey, m.Workspace, suppressed, q.now); !again.Send {
			return q.notNow(*row, again)
		}
		if m.Invitation.MessageID == "" {
			m.Invitation.MessageID = messageID(m)
		}
		state := row.State
		if row.MailNo == 0 {
			state = string(survey.InvitationSending)
		}
		if err := q.must(`UPDATE invitations SET mail_state = 'sending', state = ?, message_id = ?, updated_at = ?
			WHERE workspace_id = ? AND id = ?`, state, m.Invitation.MessageID, q.now, row.WorkspaceID, row.ID); err != nil {
			return err
		}
		mail = &m
		if row.MailNo > 0 {
			return nil
		}
		return q.event(aboutInvitation, c.Invitation, state, "", "")
	})
	return mail, err
}

// claimed locks the row of a claim; nil where it was lost.
func (q *session) claimed(c Claim, state string) (*invitationRow, error) {
	row, err := q.invitationRow(c.Invitation, q.forUpdate())
	if err != nil {
		return nil, err
	}
	if row.Fence != c.Fence || row.MailState != state {
		return nil, nil
	}
	return &row, nil
}

func (s *Store) mailOf(q *session, c Claim, row invitationRow) (Mail, bool, error) {
	m := Mail{Claim: c, Token: s.token(row.WorkspaceID, row.Nonce)}
	o := Opened{}
	var err error
	// not row.invitation(): a due mail past its end must be ended, not shown as ended
	if o.Invitation, err = row.invitation(0); err != nil {
		return m, false, err
	}
	place, err := s.surveyPlace(q, survey.ID(row.SurveyID))
	if err != nil {
		return m, false, err
	}
	if m.Template, err = s.templateVersion(q, survey.ID(row.TemplateID), row.TemplateVersion); err != nil {
		return m, false, err
	}
	if m.Workspace, err = q.workspace(row.WorkspaceID); err != nil {
		return m, false, err
	}
	if err = q.occasion(&o, row); err != nil {
		return m, false, err
	}
	m.Invitation, m.Survey, m.Touchpoint, m.OccurredAt = o.Invitation, place.Survey, o.Touchpoint, o.OccurredAt
	suppressed, err := s.suppressed(q, m.Invitation.Email)
	return m, suppressed, err
}

// notNow keeps what the rules said when they were asked again.
func (q *session) notNow(row invitationRow, again survey.Recheck) error {
	if again.WaitTo != 0 {
		return q.must(`UPDATE invitations SET mail_state = 'waiting', due_at = ?, attempt = attempt - 1, updated_at = ?
			WHERE workspace_id = ? AND id = ?`, again.WaitTo, q.now, row.WorkspaceID, row.ID)
	}
	if row.MailNo > 0 { // the invitation itself was sent: only its reminders end
		if err := q.event(aboutInvitation, survey.ID(row.ID), "reminder_skipped", again.Reason, ""); err != nil {
			return err
		}
		return q.mailDone(row)
	}
	return q.endInvitation(row, again.State, again.Reason, "")
}

// mailDone takes an invitation off the queue of mail.
func (q *session) mailDone(row invitationRow) error {
	return q.must(`UPDATE invitations SET mail_state = 'none', updated_at = ? WHERE workspace_id = ? AND id = ?`,
		q.now, row.WorkspaceID, row.ID)
}

// Sent notes that the server took the mail, and plans the next reminder.
func (s *Store) Sent(ctx context.Context, c Claim) error {
	return s.finish(ctx, c, func(q *session, row *invitationRow) error {
		if row.MailNo == 0 {
			sent := int64(q.now)
			row.SentAt = &sent
			if err := s.countSent(q, row); err != nil {
				return err
			}
		}
		state := row.State
		if row.MailNo == 0 && state == string(survey.InvitationSending) {
			state = string(survey.InvitationSent)
		}
		if err := q.must(`UPDATE invitations SET state = ?, reason = '', sent_at = ?, cohort_at = ?, mail_state = 'none', attempt = 0, updated_at = ?
			WHERE workspace_id = ? AND id = ?`, state, *row.SentAt, row.CohortAt, q.now, row.WorkspaceID, row.ID); err != nil {
			return err
		}
		if err := q.event(aboutInvitation, c.Invitation, sentWord(row.MailNo), "", ""); err != nil {
			return err
		}
		return s.planReminder(q, *row)
	})
}

func sentWord(mailNo int) string {
	if mailNo == 0 {
		return "sent"
	}
	return fmt.Sprintf("reminder_%d_sent", mailNo)
}

// countSent counts the invitation in the cohort of the day it went out, unless
// an answer was faster and has done so.
func (s *Store) countSent(q *session, row *invitationRow) error {
	if row.CohortAt != nil {
		return nil
	}
	row.CohortAt = (*int64)(&q.now)
	return s.countInvitation(q, *row, cohort{sent: 1, opened: row.cohort().opened})
}

// planReminder puts the next reminder on the queue, unless somebody answered.
func (s *Store) planReminder(q *session, row invitationRow) error {
	if row.State == string(survey.InvitationAnswered) {
		return nil
	}
	place, err := s.surveyPlace(q, survey.ID(row.SurveyID))
	if err != nil {
		return err
	}
	w, err := q.workspace(row.WorkspaceID)
	if err != nil {
		return err
	}
	v, err := row.invitation(0)
	if err != nil {
		return err
	}
	due, more := survey.NextReminder(v, place.Survey, w, row.MailNo)
	if !more {
		return nil
	}
	return q.must(`UPDATE invitations SET mail_no = ?, mail_state = 'waiting', due_at = ?, held = ? WHERE workspace_id = ? AND id = ?`,
		row.MailNo+1, due, place.Survey.State == survey.Paused, row.WorkspaceID, row.ID)
}

// finish runs fn on the row of a mail that is being sent. A claim that was lost
// is left to whoever has it now.
func (s *Store) finish(ctx context.Context, c Claim, fn func(*session, *invitationRow) error) error {
	return s.write(ctx, Caller{Workspace: c.Workspace}, func(q *session) error {
		if _, err := q.counting(); err != nil { // before the invitation is locked, as a rebuild does
			return err
		}
		row, err := q.claimed(c, mailSending)
		if err != nil || row == nil {
			return err
		}
		return fn(q, row)
	})
}

// Retry puts a mail back on the queue after a passing failure, or ends it
// where it has been tried for long enough. Words are the server's.
func (s *Store) Retry(ctx context.Context, c Claim, words string) error {
	return s.finish(ctx, c, func(q *session, row *invitationRow) error {
		v, err := row.invitation(0)
		if err != nil {
			return err
		}
		next, again := survey.RetryAt(v, row.Attempt, q.now)
		if !again {
			return s.giveUp(q, *row, words)
		}
		state := row.State
		if row.MailNo == 0 && state == string(survey.InvitationSending) {
			state = string(survey.InvitationScheduled)
		}
		if err := q.must(`UPDATE invitations SET state = ?, mail_state = 'waiting', due_at = ?, updated_at = ? WHERE workspace_id = ? AND id = ?`,
			state, next, q.now, row.WorkspaceID, row.ID); err != nil {
			return err
		}
		return q.event(aboutInvitation, c.Invitation, "delayed", words, fmt.Sprintf("attempt %d, next at %s", row.Attempt, next))
	})
}

// Fail ends a mail that the server refused for good. Words are the server's.
func (s *Store) Fail(ctx context.Context, c Claim, words string) error {
	return s.finish(ctx, c, func(q *session, row *invitationRow) error { return s.giveUp(q, *row, words) })
}

func (s *Store) giveUp(q *session, row invitationRow, words string) error {
	if row.MailNo > 0 || row.State == string(survey.InvitationAnswered) {
		if err := q.event(aboutInvitation, survey.ID(row.ID), "reminder_failed", words, ""); err != nil {
			return err
		}
		return q.mailDone(row)
	}
	return q.endInvitation(row, survey.InvitationFailed, words, "")
}

// Uncertain notes that the connection broke between the end of the mail and
// the server's reply: nobody knows whether it was taken, so it is not sent
// again by itself.
func (s *Store) Uncertain(ctx context.Context, c Claim, words string) error {
	return s.finish(ctx, c, func(q *session, row *invitationRow) error { return s.uncertain(q, *row, words) })
}

func (s *Store) uncertain(q *session, row invitationRow, words string) error {
	if row.MailNo > 0 || row.State == string(survey.InvitationAnswered) {
		if err := q.event(aboutInvitation, survey.ID(row.ID), "uncertain", words, sentWord(row.MailNo)); err != nil {
			return err
		}
		return q.mailDone(row)
	}
	sent := int64(q.now)
	row.SentAt = &sent
	if err := s.countSent(q, &row); err != nil {
		return err
	}
	if err := q.must(`UPDATE invitations SET state = 'uncertain', reason = ?, mail_state = 'none', sent_at = ?, cohort_at = ?, updated_at = ?
		WHERE workspace_id = ? AND id = ?`, words, sent, row.CohortAt, q.now, row.WorkspaceID, row.ID); err != nil {
		return err
	}
	if err := q.event(aboutInvitation, survey.ID(row.ID), "uncertain", words, ""); err != nil {
		return err
	}
	row.State = string(survey.InvitationUncertain)
	return s.planReminder(q, row)
}
