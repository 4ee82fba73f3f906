package store

import (
	"context"

	"koe/survey"
)

// FollowUpMail is what a mail about a follow-up is written of.
type FollowUpMail struct {
	FollowUp   survey.FollowUp
	Template   survey.Template // of the answer
	Survey     survey.Survey
	Workspace  survey.Workspace
	Touchpoint string         // its name
	Reader     *survey.Member // who is mailed; nil where they are no member
	Token      string         // the customer's
	Held       bool           // the workspace's mail to customers is paused
	// Unwanted says why it is not sent any more; "" where it is.
	Unwanted string
}

// FollowUpMail looks up what a notice about a follow-up says, as it is now.
func (s *Store) FollowUpMail(ctx context.Context, d Dispatch) (m FollowUpMail, err error) {
	q := s.reading(ctx, Caller{Workspace: d.Workspace})
	row, err := q.followUpRow(d.Subject, "")
	if isNotFound(err) {
		return FollowUpMail{Unwanted: "the follow-up is gone"}, nil
	}
	if err != nil {
		return m, away(err)
	}
	list, err := s.followUpsOf(q, []followUpRow{row})
	if err != nil || len(list) == 0 {
		return FollowUpMail{Unwanted: "the answer is gone"}, away(err)
	}
	m.FollowUp = list[0]
	m.Token = s.followUpToken(row.WorkspaceID, row.Nonce)
	if err := s.surroundings(q, row, &m); err != nil {
		return m, away(err)
	}
	if reader, found, err := q.memberByAddress(d.To); err != nil {
		return m, away(err)
	} else if found {
		m.Reader = &reader
	}
	m.Unwanted, err = s.unwantedNotice(q, d, m.FollowUp)
	return m, away(err)
}

// surroundings adds what a follow-up is about.
func (s *Store) surroundings(q *session, row followUpRow, m *FollowUpMail) error {
	place, err := s.surveyPlace(q, survey.ID(row.SurveyID))
	if err != nil {
		return err
	}
	m.Survey = place.Survey
	if m.Workspace, err = q.workspace(row.WorkspaceID); err != nil {
		return err
	}
	sending, _, err := q.sending("")
	if err != nil {
		return err
	}
	m.Held = sending.Paused != ""
	var template id
	if _, err := q.row(`SELECT template_id FROM responses WHERE workspace_id = ? AND id = ?`, []any{row.WorkspaceID, row.ResponseID}, &template); err != nil {
		return err
	}
	if m.Template, err = s.templateVersion(q, survey.ID(template), m.FollowUp.Response.TemplateVersion); err != nil {
		return err
	}
	_, err = q.row(`SELECT name FROM touchpoints WHERE workspace_id = ? AND id = ?`, []any{row.WorkspaceID, row.TouchpointID}, &m.Touchpoint)
	return err
}

// unwantedNotice says why a notice is not sent after all: what it is about may
// have changed while it waited.
func (s *Store) unwantedNotice(q *session, d Dispatch, f survey.FollowUp) (string, error) {
	switch d.Event {
	case survey.EventFollowUpAsked:
		if f.Confirmation != survey.ConfirmationPending || *f.ConfirmBy <= q.now {
			return "nobody waits for the customer's word any more", nil
		}
		off, err := s.suppressed(q, d.To)
		if off {
			return nowQuiet, err
		}
		return "", err
	case survey.EventFollowUpOpened, survey.EventFollowUpReopened:
		if f.Owner == nil || f.Owner.Email != d.To {
			return "somebody else owns it now", nil
		}
	}
	if f.State == survey.FollowUpResolved {
		return "it is resolved already", nil
	}
	return "", nil
}

// NotAsked closes what a customer cannot be asked about after all: it counts as
// unconfirmed.
func (s *Store) NotAsked(ctx context.Context, d Dispatch, why string) error {
	return s.write(ctx, Caller{Workspace: d.Workspace}, func(q *session) error {
		row, err := q.followUpRow(d.Subject, q.forUpdate())
		if isNotFound(err) || err == nil && row.Confirmation != string(survey.ConfirmationPending) {
			return nil
		}
		if err != nil {
			return err
		}
		return q.unconfirmed(row, why)
	})
}

// unconfirmed closes what the customer was asked about, or could not be.
func (q *session) unconfirmed(row followUpRow, why string) error {
	f := row.followUp()
	f.Silence(q.now)
	row.Confirmation, row.ClosedAt, row.ConfirmBy, row.UpdatedAt = string(f.Confirmation), (*int64)(f.ClosedAt), nil, int64(q.now)
	if err := q.event(aboutFollowUp, survey.ID(row.ID), string(survey.Unconfirmed), why, ""); err != nil {
		return err
	}
	return q.saveFollowUp(row)
}
