package store

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"time"

	"koe/survey"
)

// CreateSurvey keeps a survey as a draft. Its template must exist and not be
// archived, else that field is Invalid; a touchpoint that does not exist yet
// is created. A key that is taken is a Conflict.
func (s *Store) CreateSurvey(ctx context.Context, by Caller, v survey.Survey) (survey.Survey, error) {
	if err := v.Clean(); err != nil {
		return survey.Survey{}, err
	}
	var out survey.Survey
	err := s.write(ctx, by, func(q *session) error {
		place, made, err := q.insertSurvey(v)
		if err == nil && !made {
			err = errKeyTaken(v.Key)
		}
		out, q.resource = place.Survey, place.Survey.ID.String()
		return err
	})
	return out, err
}

func errKeyTaken(key string) error {
	return survey.Errorf(survey.Conflict, "key", "there is a survey %q already", key)
}

// PutSurvey makes a survey under a key of its author's, or replaces what is
// asked, where, when and how; id, state and created_at stay. What is the same
// already is not written. ifMatch, where not 0, must be the survey's revision,
// else the write is Stale. An archived survey is a Conflict.
func (s *Store) PutSurvey(ctx context.Context, by Caller, v survey.Survey, ifMatch int64) (out survey.Survey, created bool, err error) {
	if err := v.Clean(); err != nil {
		return survey.Survey{}, false, err
	}
	if v.Key == "" {
		return survey.Survey{}, false, survey.Errorf(survey.Invalid, "key", "is required")
	}
	err = s.writeSurvey(ctx, by, func(q *session) error {
		created = false
		old, err := q.ownSurvey(v.Key, q.forChange())
		if isNotFound(err) && ifMatch == 0 {
			var place surveyPlace
			if place, created, err = q.insertSurvey(v); err != nil || created {
				out = place.Survey
				return err
			}
			old, err = q.ownSurvey(v.Key, q.forChange()) // somebody else was faster
		}
		if err := checkMatch(ifMatch, old.Survey.Revision, err); err != nil {
			return err
		}
		out, err = q.changeSurvey(old, v)
		return err
	})
	return out, created, err
}

// PatchSurvey changes a survey as change says; id, state, version and instants
// stay whatever it does to them. change may run more than once. ifMatch is as
// for PutSurvey. Another template is asked in its newest version at once.
func (s *Store) PatchSurvey(ctx context.Context, by Caller, ref string, ifMatch int64,
	change func(survey.Survey) (survey.Survey, error)) (survey.Survey, error) {
	var out survey.Survey
	err := s.writeSurvey(ctx, by, func(q *session) error {
		old, err := q.ownSurvey(ref, q.forChange())
		if err := checkMatch(ifMatch, old.Survey.Revision, err); err != nil {
			return err
		}
		mine, err := q.ownSurvey(ref, "") // change may write into what its argument points to
		if err != nil {
			return err
		}
		v, err := change(mine.Survey)
		if err != nil {
			return err
		}
		if err := v.Clean(); err != nil {
			return err
		}
		out, err = q.changeSurvey(old, v)
		return err
	})
	return out, err
}

// Survey shows a survey by id or key.
func (s *Store) Survey(ctx context.Context, by Caller, ref string) (survey.Survey, error) {
	place, err := s.reading(ctx, by).ownSurvey(ref, "")
	return place.Survey, away(err)
}

// SurveyFilter narrows a list; empty fields do not. Touchpoint and Template
// are keys.
type SurveyFilter struct {
	State      survey.State
	Touchpoint string
	Template   string
}

// Surveys lists the newest first.
func (s *Store) Surveys(ctx context.Context, by Caller, f SurveyFilter, page Page) ([]survey.Survey, string, error) {
	q := s.reading(ctx, by)
	where, args := []string{"s.workspace_id = ?"}, []any{by.Workspace}
	if f.State != "" {
		if !slices.Contains([]survey.State{survey.Draft, survey.Active, survey.Paused, survey.Archived}, f.State) {
			return nil, "", survey.Errorf(survey.Invalid, "state", "must be draft, active, paused or archived")
		}
		where, args = append(where, "s.state = ?"), append(args, string(f.State))
	}
	if f.Touchpoint != "" {
		where, args = append(where, "p.key = ?"), append(args, f.Touchpoint)
	}
	if f.Template != "" {
		where, args = append(where, "t.key = ?"), append(args, f.Template)
	}
	var rows []surveyRow
	next, err := s.newestFirst(q, "surveys", f, page, "s.created_at", where, args,
		func(tail string, args []any) (int, error) {
			err := q.list(&rows, surveyQuery+tail, args...)
			return len(rows), err
		}, func(i int) (int64, survey.ID) { return rows[i].CreatedAt, survey.ID(rows[i].ID) })
	if err != nil {
		return nil, "", away(err)
	}
	list := make([]survey.Survey, min(len(rows), page.Limit))
	for i := range list {
		place, err := rows[i].place()
		if err != nil {
			return nil, "", err
		}
		list[i] = place.Survey
	}
	return list, next, nil
}

// insertSurvey keeps a checked survey as a draft; false where its key is taken.
func (q *session) insertSurvey(v survey.Survey) (surveyPlace, bool, error) {
	v.ID, v.State, v.Revision, v.TemplateVersion = newID(), survey.Draft, 1, 0
	v.CreatedAt, v.UpdatedAt, v.ActivatedAt = q.now, q.now, nil
	place := surveyPlace{Survey: v}
	if err := q.resolveTemplate(&place); err != nil {
		return place, false, err
	}
	if err := q.checkFollows(v); err != nil {
		return place, false, err
	}
	if err := q.checkFollowUpRule(place); err != nil {
		return place, false, err
	}
	var err error
	if place.TouchpointID, err = q.touchpoint(v.Touchpoint); err != nil {
		return place, false, err
	}
	columns, err := place.columns()
	if err != nil {
		return place, false, err
	}
	n, err := q.exec(`INSERT INTO surveys (key, name, template_id, template_version, measure_id, touchpoint_id, channel,
		trigger_type, trigger_body, rules, segments, state, revision, updated_at, activated_at, workspace_id, id, created_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		append(columns, q.by.Workspace, v.ID, v.CreatedAt)...)
	if err != nil || n == 0 {
		return place, false, err
	}
	return place, true, q.audit("survey.created", v.ID.String(), "")
}

// checkNamed checks what a changed survey names, and what names it.
func (q *session) checkNamed(place surveyPlace, was survey.Survey) error {
	v := place.Survey
	if v.Key != was.Key && was.Key != "" {
		if err := q.checkFollowed(was.Key); err != nil {
			return err
		}
	}
	if !reflect.DeepEqual(v.Trigger, was.Trigger) {
		if err := q.checkFollows(v); err != nil {
			return err
		}
	}
	if v.Template == was.Template && v.Touchpoint == was.Touchpoint && reflect.DeepEqual(v.Rules.FollowUp, was.Rules.FollowUp) {
		return nil
	}
	return q.checkFollowUpRule(place)
}

// countAnew has what went out today counted from the mails themselves: without a
// daily limit nobody counts it.
func (q *session) countAnew(of survey.ID) error {
	_, err := q.exec(`UPDATE survey_days SET sent = NULL WHERE workspace_id = ? AND survey_id = ? AND day >= ?`,
		q.by.Workspace, of, survey.DayOf(q.now, time.UTC)-1)
	return err
}

// changeSurvey replaces what is asked by a checked survey; what is not its
// author's to say stays.
func (q *session) changeSurvey(old surveyPlace, v survey.Survey) (survey.Survey, error) {
	was := old.Survey
	if was.State == survey.Archived {
		return was, survey.Errorf(survey.Conflict, "", "the survey is archived; an archived survey cannot be changed")
	}
	v.ID, v.State, v.Revision, v.TemplateVersion = was.ID, was.State, was.Revision, was.TemplateVersion
	v.CreatedAt, v.UpdatedAt, v.ActivatedAt = was.CreatedAt, was.UpdatedAt, was.ActivatedAt
	before, err := asJSON(was)
	if err != nil {
		return was, err
	}
	after, err := asJSON(v)
	if err != nil || before == after {
		return was, err
	}
	place := old
	place.Survey = v
	if v.Template != was.Template {
		if err := q.resolveTemplate(&place); err != nil {
			return was, err
		}
	}
	if err := q.checkNamed(place, was); err != nil {
		return was, err
	}
	if v.Touchpoint != was.Touchpoint {
		if place.TouchpointID, err = q.touchpoint(v.Touchpoint); err != nil {
			return was, err
		}
	}
	if err := q.updateSurvey(&place); err != nil {
		return was, err
	}
	if !reflect.DeepEqual(v.Trigger, was.Trigger) {
		if err := q.reschedule(place.Survey); err != nil {
			return was, err
		}
	}
	if was.Rules.DailyLimit == nil && v.Rules.DailyLimit != nil {
		if err := q.countAnew(was.ID); err != nil {
			return was, err
		}
	}
	if declaresOthers(was.Segments, v.Segments) {
		if q.postgres && !q.calendarHeld {
			return was, errCalendarFirst
		}
		if err := q.startRebuild(true); err != nil {
			return was, err
		}
	}
	return place.Survey, q.audit("survey.changed", v.ID.String(), "")
}

var errCalendarFirst = errors.New("the calendar is to be changed, and locked first")

// writeSurvey is write for what may declare segments. Who answers holds the
// calendar and then asks for surveys, so what changes the calendar begins anew
// with that, before it holds a survey.
func (s *Store) writeSurvey(ctx context.Context, by Caller, fn func(*session) error) error {
	err := s.write(ctx, by, fn)
	if !errors.Is(err, errCalendarFirst) {
		return err
	}
	return s.write(ctx, by, func(q *session) error {
		if _, err := q.calendar(q.forUpdate()); err != nil {
			return err
		}
		q.calendarHeld = true
		return fn(q)
	})
}

// declaresOthers is true where answers are to be told apart by a segment that
// they were not counted by, or no longer by one; the order does not matter.
func declaresOthers(was, now []string) bool {
	lacks := func(list []string) func(string) bool {
		return func(name string) bool { return !slices.Contains(list, name) }
	}
	return slices.ContainsFunc(now, lacks(was)) || slices.ContainsFunc(was, lacks(now))
}

// resolveTemplate finds the template that a survey names and holds it, so that
// it is not archived meanwhile. A survey that asks, or has asked, takes the
// newest version; a draft has none yet.
func (q *session) resolveTemplate(place *surveyPlace) error {
	row, err := q.templateRow(place.Survey.Template, q.forChange())
	if isNotFound(err) || err == nil && row.ArchivedAt != nil {
		return survey.Errorf(survey.Invalid, "template", "there is no template %q", place.Survey.Template)
	}
	if err != nil {
		return err
	}
	place.TemplateID = survey.ID(row.ID)
	if place.Survey.State != survey.Draft {
		place.Survey.TemplateVersion, place.MeasureID = row.Version, row.MeasureID
	}
	return nil
}

// updateSurvey writes a place as the next revision.
func (q *session) updateSurvey(place *surveyPlace) error {
	place.Survey.Revision++
	q.shared.forget() // others may follow other surveys now
	place.Survey.UpdatedAt = q.now
	columns, err := place.columns()
	if err != nil {
		return err
	}
	err = q.must(`UPDATE surveys SET key = ?, name = ?, template_id = ?, template_version = ?, measure_id = ?,
		touchpoint_id = ?, channel = ?, trigger_type = ?, trigger_body = ?, rules = ?, segments = ?, state = ?, revision = ?,
		updated_at = ?, activated_at = ? WHERE workspace_id = ? AND id = ?`,
		append(columns, q.by.Workspace, place.Survey.ID)...)
	if duplicate(err) {
		return errKeyTaken(place.Survey.Key)
	}
	return err
}

// columns are the values of a row, in the order in which both statements that
// write one name them.
func (p surveyPlace) columns() ([]any, error) {
	v := p.Survey
	trigger, err := asJSON(v.Trigger)
	if err != nil {
		return nil, err
	}
	rules, err := asJSON(v.Rules)
	if err != nil {
		return nil, err
	}
	segments, err := asJSON(v.Segments)
	if err != nil {
		return nil, err
	}
	var measure any
	if p.MeasureID != 0 {
		measure = p.MeasureID
	}
	return []any{orNull(v.Key), v.Name, p.TemplateID, v.TemplateVersion, measure, p.TouchpointID,
		string(v.Channel), string(v.Trigger.Type), trigger, rules, segments, string(v.State), v.Revision,
		v.UpdatedAt, v.ActivatedAt}, nil
}
