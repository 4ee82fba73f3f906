package store

import "koe/survey"

// followedUp keeps what came of an unhappy answer, as if koe had been there but
// for the mails, which nobody wants any more. An answer for which the survey's
// rule opens no follow-up has none.
func (h *historian) followedUp(q *session, place surveyPlace, r responseRow, past survey.PastFollowUp) error {
	defer func() { q.by = h.by }()
	q.by = Caller{Workspace: h.by.Workspace}
	if err := h.openFollowUp(q, place.Survey, r, q.now); err != nil {
		return err
	}
	row, found, err := q.followUpOf(r.ID, "")
	if err != nil || !found {
		return err
	}
	for _, step := range past.Steps {
		if row, err = h.tended(q, row, step.At); err != nil {
			return err
		}
		q.now = step.At
		if err := h.step(q, row, place, step); err != nil {
			return err
		}
		if row, err = q.followUpRow(survey.ID(row.ID), ""); err != nil {
			return err
		}
	}
	if row, err = h.tended(q, row, h.now); err != nil {
		return err
	}
	_, err = q.exec(`DELETE FROM outbox`+q.indexedBy("outbox_notice_subject_id")+` WHERE workspace_id = ? AND subject_id = ? AND kind = 'notice'`, row.WorkspaceID, row.ID)
	return err
}

// tended is the follow-up once what time brings until an instant has come.
func (h *historian) tended(q *session, row followUpRow, until survey.Instant) (followUpRow, error) {
	q.by = Caller{Workspace: h.by.Workspace}
	for {
		var err error
		switch by := int64(until); {
		case row.EscalateAt != nil && *row.EscalateAt <= by:
			q.now = survey.Instant(*row.EscalateAt)
			err = h.escalate(q, row)
		case row.ConfirmBy != nil && *row.ConfirmBy <= by:
			q.now = survey.Instant(*row.ConfirmBy)
			err = q.unconfirmed(row, noAnswer)
		default:
			return row, nil
		}
		if err != nil {
			return row, err
		}
		if row, err = q.followUpRow(survey.ID(row.ID), ""); err != nil {
			return row, err
		}
	}
}

// step does what was done at a moment: by the owner, or by the customer.
func (h *historian) step(q *session, row followUpRow, place surveyPlace, step survey.FollowUpStep) error {
	if step.Solved != nil {
		f := row.followUp()
		if f.Confirmation != survey.ConfirmationPending {
			return nil
		}
		return h.hear(q, &row, &f, ruleOf(place.Survey), *step.Solved)
	}
	q.by = h.by
	if owner := row.OwnerID.orNil(); owner != nil {
		m, err := q.member(*owner, "")
		if err != nil {
			return err
		}
		q.by = Caller{Workspace: h.by.Workspace, KeyID: m.ID, KeyName: m.Name, Role: m.Role}
	}
	if step.Note != "" {
		if _, err := q.addNote(row, step.Note); err != nil {
			return err
		}
	}
	if step.State == "" {
		return nil
	}
	row, err := q.followUpRow(survey.ID(row.ID), "") // the note has touched it
	if err != nil {
		return err
	}
	return h.changeFollowUp(q, &row, func(c *FollowUpChange) error {
		c.State, c.Outcome = step.State, step.Outcome
		return nil
	})
}
