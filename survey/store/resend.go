package store

import (
	"context"

	"koe/survey"
)

// Resend puts the mail of a failed or an uncertain invitation on the queue
// again, due at once and asked by the rules like any other; see
// survey.Invitation.Resend for what is a Conflict. It keeps its Message-ID, its
// token and, where it may have been out already, its cohort. Its reminders are
// planned anew from the instant that it is sent.
func (s *Store) Resend(ctx context.Context, by Caller, of survey.ID) error {
	return s.write(ctx, by, func(q *session) error {
		q.resource = of.String()
		row, err := q.invitationRow(of, q.forUpdate())
		if err != nil {
			return err
		}
		held, err := s.mayResend(q, row)
		if err != nil {
			return err
		}
		if err := q.must(`UPDATE invitations SET state = 'scheduled', reason = '', mail_state = 'waiting', mail_no = 0, due_at = ?, attempt = 0,
			held = ?, updated_at = ? WHERE workspace_id = ? AND id = ?`, q.now, held, q.now, row.WorkspaceID, row.ID); err != nil {
			return err
		}
		q.planAgain(row)
		return q.event(aboutInvitation, of, "resend", "requested", "by "+by.KeyName)
	})
}

// planAgain gives an invitation that failed before it went out its place in the
// day's plan again.
func (q *session) planAgain(row invitationRow) {
	if row.SentAt == nil && row.State == string(survey.InvitationFailed) {
		q.moveOn(row.plannedDay(), dayMove{planned: 1})
	}
}

// mayResend is nil where an invitation may be sent again; held is whether its
// survey is paused, so that the mail waits.
func (s *Store) mayResend(q *session, row invitationRow) (held bool, err error) {
	v, err := row.invitation(0) // an end that has passed is told by its instant
	if err != nil {
		return false, err
	}
	place, err := s.surveyPlace(q, v.Survey)
	if err != nil {
		return false, err
	}
	suppressed, err := s.suppressed(q, v.Email)
	if err != nil {
		return false, err
	}
	if err := v.Resend(place.Survey, suppressed, q.now); err != nil {
		return false, err
	}
	if row.MailState == mailClaimed || row.MailState == mailSending {
		return false, survey.Errorf(survey.Conflict, "", "a reminder, which bears the same link, is on its way")
	}
	var one int
	reminded, err := q.row(`SELECT 1 FROM events`+q.indexedBy("events_subject_id_at")+` WHERE workspace_id = ? AND subject_id = ? AND type LIKE 'reminder_%_sent' LIMIT 1`,
		[]any{row.WorkspaceID, row.ID}, &one)
	if err == nil && reminded {
		err = survey.Errorf(survey.Conflict, "", "a reminder has been sent since, which bears the same link")
	}
	return place.Survey.State == survey.Paused, err
}
