package store

import (
	"context"
	"fmt"

	"koe/survey"
)

// Sent notes in one durable step that the server took these mails, and plans
// the next reminder of each. A claim that was lost is left to whoever has it.
func (s *Store) Sent(ctx context.Context, claims ...Claim) error {
	return s.finish(ctx, claims, func(q *session, rows []claimedRow) error {
		known := newKnown()
		for i := range rows {
			rows[i].went = rows[i].MailNo
			if err := s.sent(q, &rows[i].invitationRow, known); err != nil {
				return err
			}
		}
		return q.markSent(rows)
	})
}

// sent makes of a row what it is once the server took its mail.
func (s *Store) sent(q *session, row *invitationRow, known known) error {
	q.by.Workspace = row.WorkspaceID
	if row.MailNo == 0 {
		row.SentAt = (*int64)(&q.now)
		if err := s.countSent(q, row); err != nil {
			return err
		}
		if row.State == string(survey.InvitationSending) {
			row.State = string(survey.InvitationSent)
		}
		if err := q.emit(survey.EventInvitationSent, survey.ID(row.ID), row.PersonID.orNil()); err != nil {
			return err
		}
	}
	row.Reason, row.MailState, row.Attempt = "", mailNone, 0
	return s.planReminder(q, row, known)
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

// planReminder makes the row, whose mail has just gone out, wait for its next
// reminder, unless somebody answered.
func (s *Store) planReminder(q *session, row *invitationRow, known known) error {
	if row.State == string(survey.InvitationAnswered) {
		return nil
	}
	place, err := s.placeOf(q, *row, known)
	if err != nil || len(place.Survey.Rules.Reminders) <= row.MailNo {
		return err
	}
	w, err := q.workspaceOf(*row, known)
	if err != nil {
		return err
	}
	v, err := row.invitation(0)
	if err != nil {
		return err
	}
	if due, more := survey.NextReminder(v, place.Survey, w, row.MailNo, q.now); more {
		row.MailNo, row.MailState, row.dueAt = row.MailNo+1, mailWaiting, int64(due)
		row.Held = place.Survey.State == survey.Paused
	}
	return nil
}

// finish runs fn on the rows of mails that are being sent and whose claims
// still hold.
func (s *Store) finish(ctx context.Context, claims []Claim, fn func(*session, []claimedRow) error) error {
	return s.write(ctx, Caller{}, func(q *session) error {
		for _, c := range claims {
			q.by.Workspace = c.Workspace
			if _, err := q.counting(); err != nil { // before invitations are locked, as a rebuild does
				return err
			}
		}
		rows, err := q.claimed(claims, whileSending)
		if err != nil || len(rows) == 0 {
			return err
		}
		q.by.Workspace = rows[0].WorkspaceID
		return fn(q, rows)
	})
}

// Retry puts a mail back on the queue after a passing failure, or ends it
// where it has been tried for long enough. Words are the server's.
func (s *Store) Retry(ctx context.Context, c Claim, words string) error {
	return s.finishOne(ctx, c, func(q *session, row invitationRow) error {
		v, err := row.invitation(0)
		if err != nil {
			return err
		}
		if v.State == survey.InvitationAnswered { // meanwhile: nothing is left to be sent
			return q.mailDone(row)
		}
		next, again := survey.RetryAt(v, row.Attempt, q.now)
		if !again {
			return s.giveUp(q, row, words)
		}
		state := row.State
		if row.MailNo == 0 && state == string(survey.InvitationSending) {
			state = string(survey.InvitationScheduled)
		}
		if err := q.leavePlace(row); err != nil {
			return err
		}
		if err := q.must(`UPDATE invitations SET state = ?, mail_state = 'waiting', wait_reason = 'retry', due_at = ?, updated_at = ?
			WHERE workspace_id = ? AND id = ?`, state, next, q.now, row.WorkspaceID, row.ID); err != nil {
			return err
		}
		return q.event(aboutInvitation, c.Invitation, "delayed", wordsAbout(row, words), fmt.Sprintf("attempt %d, next at %s", row.Attempt, next))
	})
}

// Fail ends a mail that the server refused for good. Words are the server's.
func (s *Store) Fail(ctx context.Context, c Claim, words string) error {
	return s.finishOne(ctx, c, func(q *session, row invitationRow) error { return s.giveUp(q, row, words) })
}

// Unreachable ends a mail whose address does not exist by the server's words,
// and makes sure that the address is never asked again. It counts as refused,
// which may pause sending.
func (s *Store) Unreachable(ctx context.Context, c Claim, words string) error {
	return s.finishOne(ctx, c, func(q *session, row invitationRow) error {
		if row.Email != nil { // not erased since
			if _, _, err := s.suppress(q, *row.Email, survey.Bounced); err != nil {
				return err
			}
		}
		if err := q.must(`UPDATE invitations SET refused_at = ? WHERE workspace_id = ? AND id = ?`, q.now, row.WorkspaceID, row.ID); err != nil {
			return err
		}
		if err := s.giveUp(q, row, words); err != nil {
			return err
		}
		_, err := q.pauseSending()
		return err
	})
}

func (s *Store) finishOne(ctx context.Context, c Claim, fn func(*session, invitationRow) error) error {
	return s.finish(ctx, []Claim{c}, func(q *session, rows []claimedRow) error { return fn(q, rows[0].invitationRow) })
}

func (s *Store) giveUp(q *session, row invitationRow, words string) error {
	words = wordsAbout(row, words)
	if err := q.leavePlace(row); err != nil {
		return err
	}
	if err := q.outcome(row, "failed"); err != nil {
		return err
	}
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
	return s.finishOne(ctx, c, func(q *session, row invitationRow) error { return s.uncertain(q, row, words) })
}

func (s *Store) uncertain(q *session, row invitationRow, words string) error {
	words = wordsAbout(row, words)
	if err := q.outcome(row, "uncertain"); err != nil {
		return err
	}
	if row.MailNo > 0 || row.State == string(survey.InvitationAnswered) {
		if err := q.event(aboutInvitation, survey.ID(row.ID), "uncertain", words, sentWord(row.MailNo)); err != nil {
			return err
		}
		return q.mailDone(row)
	}
	row.SentAt = (*int64)(&q.now)
	if err := s.countSent(q, &row); err != nil {
		return err
	}
	row.State, row.MailState = string(survey.InvitationUncertain), mailNone
	if err := s.planReminder(q, &row, newKnown()); err != nil {
		return err
	}
	if err := q.must(`UPDATE invitations SET state = ?, reason = ?, sent_at = ?, cohort_at = ?, mail_state = ?, mail_no = ?,
		due_at = CASE WHEN ? = 'waiting' THEN ? ELSE due_at END, wait_reason = 'reminder', held = ?, updated_at = ? WHERE workspace_id = ? AND id = ?`,
		row.State, words, *row.SentAt, row.CohortAt, row.MailState, row.MailNo, row.MailState, row.dueAt, row.Held, q.now,
		row.WorkspaceID, row.ID); err != nil {
		return err
	}
	return q.event(aboutInvitation, survey.ID(row.ID), "uncertain", words, "")
}

// wordsAbout are a mail server's, which may hold the address: none about
// somebody who was erased meanwhile.
func wordsAbout(row invitationRow, words string) string {
	if row.Email == nil {
		return ""
	}
	return words
}
