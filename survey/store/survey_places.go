package store

import (
	"errors"

	"koe/survey"
)

// surveyPlace is a survey with the ids of what it names. MeasureID is 0 until
// the survey is first activated.
type surveyPlace struct {
	Survey       survey.Survey
	TemplateID   survey.ID
	TouchpointID survey.ID
	MeasureID    int64
}

type surveyRow struct {
	ID              id
	Key             *string
	Name            string
	TemplateID      id
	Template        string
	TemplateVersion int
	MeasureID       *int64
	TouchpointID    id
	Touchpoint      string
	Channel         string
	TriggerBody     string
	Rules           string
	Segments        string
	State           string
	Revision        int64
	CreatedAt       int64
	UpdatedAt       int64
	ActivatedAt     *int64
}

const surveyQuery = `SELECT s.id, s.key, s.name, s.template_id, t.key AS template, s.template_version, s.measure_id,
	s.touchpoint_id, p.key AS touchpoint, s.channel, s.trigger_body, s.rules, s.segments, s.state, s.revision,
	s.created_at, s.updated_at, s.activated_at
	FROM surveys s JOIN templates t ON t.workspace_id = s.workspace_id AND t.id = s.template_id
	JOIN touchpoints p ON p.workspace_id = s.workspace_id AND p.id = s.touchpoint_id`

func (r surveyRow) place() (surveyPlace, error) {
	place := surveyPlace{TemplateID: survey.ID(r.TemplateID), TouchpointID: survey.ID(r.TouchpointID),
		Survey: survey.Survey{ID: survey.ID(r.ID), Name: r.Name, Template: r.Template, TemplateVersion: r.TemplateVersion,
			Touchpoint: r.Touchpoint, Channel: survey.Channel(r.Channel), State: survey.State(r.State),
			CreatedAt: survey.Instant(r.CreatedAt), UpdatedAt: survey.Instant(r.UpdatedAt),
			ActivatedAt: (*survey.Instant)(r.ActivatedAt), Revision: r.Revision}}
	if r.Key != nil {
		place.Survey.Key = *r.Key
	}
	if r.MeasureID != nil {
		place.MeasureID = *r.MeasureID
	}
	return place, errors.Join(fromJSON(r.TriggerBody, &place.Survey.Trigger),
		fromJSON(r.Rules, &place.Survey.Rules), fromJSON(r.Segments, &place.Survey.Segments))
}

var errNoSurvey = survey.Errorf(survey.NotFound, "", "there is no such survey")

// refCondition reads a survey's name in a path or a body: its id or its key.
func refCondition(ref string) (column string, value any) {
	if id, err := survey.ParseID(ref); err == nil {
		return "id", id
	}
	return "key", ref
}

// ownSurvey loads a survey of which the caller may change everything. lock
// holds its row until the transaction ends.
func (q *session) ownSurvey(ref, lock string) (surveyPlace, error) {
	column, value := refCondition(ref)
	if lock != "" { // the survey alone, before it is joined with what it names
		var one int
		found, err := q.row(`SELECT 1 FROM surveys WHERE workspace_id = ? AND `+column+` = ?`+lock,
			[]any{q.by.Workspace, value}, &one)
		if err == nil && !found {
			err = errNoSurvey // or else one that is made a moment later would be read without its lock
		}
		if err != nil {
			return surveyPlace{}, err
		}
	}
	var row surveyRow
	found, err := q.find(&row, surveyQuery+` WHERE s.workspace_id = ? AND s.`+column+` = ?`, q.by.Workspace, value)
	if err == nil && !found {
		err = errNoSurvey
	}
	if err != nil {
		return surveyPlace{}, err
	}
	return row.place()
}

// surveyPlace is a survey as it is now. It is shared: nobody may change what
// it points to. A transaction that changes surveys uses ownSurvey, so that
// nothing is remembered that might be undone.
func (s *Store) surveyPlace(q *session, id survey.ID) (surveyPlace, error) {
	var revision int64
	found, err := q.row(`SELECT revision FROM surveys WHERE workspace_id = ? AND id = ?`, []any{q.by.Workspace, id}, &revision)
	if err == nil && !found {
		err = errNoSurvey
	}
	if err != nil {
		return surveyPlace{}, err
	}
	return s.surveyAt(q, id, revision)
}

// surveyByRef is surveyPlace by id or key.
func (s *Store) surveyByRef(q *session, ref string) (surveyPlace, error) {
	if id, err := survey.ParseID(ref); err == nil {
		return s.surveyPlace(q, id)
	}
	var found id
	var revision int64
	ok, err := q.row(`SELECT id, revision FROM surveys WHERE workspace_id = ? AND key = ?`,
		[]any{q.by.Workspace, ref}, &found, &revision)
	if err == nil && !ok {
		err = errNoSurvey
	}
	if err != nil {
		return surveyPlace{}, err
	}
	return s.surveyAt(q, survey.ID(found), revision)
}

// surveysAt are the surveys that an interaction at a touchpoint may make ask,
// and those that would if they were not paused; the oldest first.
func (s *Store) surveysAt(q *session, touchpoint survey.ID) ([]surveyPlace, error) {
	var rows []struct {
		ID       id
		Revision int64
	}
	if err := q.list(&rows, `SELECT id, revision FROM surveys WHERE workspace_id = ? AND touchpoint_id = ?
		AND state IN ('active', 'paused') AND trigger_type = 'interaction' ORDER BY created_at, id`,
		q.by.Workspace, touchpoint); err != nil {
		return nil, err
	}
	places := make([]surveyPlace, len(rows))
	for i, row := range rows {
		var err error
		if places[i], err = s.surveyAt(q, survey.ID(row.ID), row.Revision); err != nil {
			return nil, err
		}
	}
	return places, nil
}

// surveyAt is a survey that was at a revision a moment ago: from memory, or
// loaded, and then perhaps newer.
func (s *Store) surveyAt(q *session, id survey.ID, revision int64) (surveyPlace, error) {
	if place, ok := s.parsed.survey(surveyRef{q.by.Workspace, id, revision}); ok {
		return place, nil
	}
	place, err := q.ownSurvey(id.String(), "")
	if err == nil {
		s.parsed.keepSurvey(surveyRef{q.by.Workspace, id, place.Survey.Revision}, place)
	}
	return place, err
}
