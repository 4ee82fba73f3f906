package store

import (
	"context"
	"slices"

	"koe/survey"
)

// SetSurveyState activates, pauses or archives a survey; what it is already is
// not written, except that an active one that is activated again takes the
// template's newest version. ifMatch is as for PutSurvey. An archived survey
// stays archived, a draft cannot be paused: Conflict.
//
// While a survey is paused its mails are held. When it is archived what is
// scheduled is cancelled with the reason survey_archived.
func (s *Store) SetSurveyState(ctx context.Context, by Caller, ref string, to survey.State, ifMatch int64) (survey.Survey, error) {
	var out survey.Survey
	err := s.write(ctx, by, func(q *session) error {
		place, err := q.ownSurvey(ref, q.forChange())
		if err := checkMatch(ifMatch, place.Survey.Revision, err); err != nil {
			return err
		}
		q.resource = place.Survey.ID.String()
		from := place.Survey.State
		if err := checkMove(from, to); err != nil {
			return err
		}
		if from == to && to != survey.Active {
			out = place.Survey
			return nil
		}
		if err := q.moveSurvey(&place, to); err != nil {
			return err
		}
		out = place.Survey
		return q.audit("survey."+string(to), out.ID.String(), "")
	})
	return out, err
}

// checkMove is a Conflict where a survey cannot go from one state to another.
func checkMove(from, to survey.State) error {
	switch {
	case from == to && to != survey.Draft:
		return nil
	case from == survey.Archived:
		return survey.Errorf(survey.Conflict, "", "the survey is archived; an archived survey cannot be %s", done(to))
	case to == survey.Draft:
		return survey.Errorf(survey.Conflict, "", "a survey cannot become a draft again")
	case from == survey.Draft && to == survey.Paused:
		return survey.Errorf(survey.Conflict, "", "the survey is a draft; only an active survey can be paused")
	}
	return nil
}

// done is the participle of a state: what was done to a survey in it.
func done(to survey.State) string {
	if to == survey.Active {
		return "activated"
	}
	return string(to)
}

func (q *session) moveSurvey(place *surveyPlace, to survey.State) error {
	place.Survey.State = to
	if to == survey.Active {
		err := q.resolveTemplate(place)
		if isKind(err, survey.Invalid) { // a draft's template may be archived; a path has no field to blame
			return survey.Errorf(survey.Conflict, "", "the survey's template %q is archived; PUT the template to bring it back", place.Survey.Template)
		}
		if err != nil {
			return err
		}
		now := q.now
		place.Survey.ActivatedAt = &now
	}
	if err := q.updateSurvey(place); err != nil {
		return err
	}
	if err := q.reschedule(place.Survey); err != nil {
		return err
	}
	switch to {
	case survey.Active:
		return q.holdMail(place.Survey.ID, false)
	case survey.Paused:
		return q.holdMail(place.Survey.ID, true)
	case survey.Archived:
		return q.cancelScheduled(place.Survey.ID)
	}
	return nil
}

// holdMail keeps a survey's mail from becoming due, or lets it. One that a
// worker has in hand goes out; if it has to be tried again, it is held.
func (q *session) holdMail(of survey.ID, held bool) error {
	return q.changeMail("invitations_survey_id_planned_at", `held = ?`, []any{held}, `workspace_id = ? AND survey_id = ? AND mail_state <> 'none'`, []any{q.by.Workspace, of})
}

// changeMail changes many invitations, which SQLite finds by an index, "" for its
// own choice. They are
// locked in the order of their ids, as everywhere.
func (q *session) changeMail(index, set string, values []any, where string, of []any) error {
	if q.postgres {
		_, err := q.exec(`WITH these AS MATERIALIZED (SELECT workspace_id, id FROM invitations WHERE `+where+` ORDER BY id FOR UPDATE)
			UPDATE invitations v SET `+set+` FROM these WHERE v.workspace_id = these.workspace_id AND v.id = these.id`, slices.Concat(of, values)...)
		return err
	}
	if index != "" {
		index = q.indexedBy(index)
	}
	_, err := q.exec(`UPDATE invitations`+index+` SET `+set+` WHERE `+where, slices.Concat(values, of)...)
	return err
}

// cancelBatch is how many invitations are in memory at a time.
const cancelBatch = 1000

// cancelScheduled calls off what a survey has planned, and its reminders.
func (q *session) cancelScheduled(of survey.ID) error {
	var last id // each batch goes on behind the one before
	for {
		var rows []invitationRow
		if err := q.list(&rows, `SELECT `+invitationColumns+` FROM invitations WHERE workspace_id = ? AND id > ? AND survey_id = ?
			AND state = 'scheduled' ORDER BY id LIMIT ?`+q.forUpdate(), q.by.Workspace, last, of, cancelBatch); err != nil {
			return err
		}
		for _, row := range rows {
			if err := q.endInvitation(row, survey.InvitationCancelled, "survey_archived", ""); err != nil {
				return err
			}
			last = row.ID
		}
		if len(rows) < cancelBatch {
			break
		}
	}
	// what is planned meanwhile is ended by the rules when it is due
	return q.changeMail("invitations_survey_id_planned_at", `mail_state = 'none', updated_at = ?`, []any{q.now},
		`workspace_id = ? AND survey_id = ? AND mail_state = 'waiting' AND state <> 'scheduled'`, []any{q.by.Workspace, of})
}
