package store

import (
	"fmt"
	"slices"
	"strings"

	"koe/scoring"
	"koe/survey"
)

// scope is a ScoreFilter with what it names looked up.
type scope struct {
	ScoreFilter
	groupBy    string
	touchpoint *survey.ID
	surveys    []scopedSurvey // those that the filter leaves
	one        *survey.ID     // the survey that is named
	measures   []int64        // those of the metric that exist
	limited    bool           // the caller reads some touchpoints alone
	seen       []any          // their ids, where limited
	split      bool           // the caller reads some values of a segment alone
	uncapped   bool           // a value is beyond the cap of a survey: tallies have it as "other"
	notes      []string
}

type scopedSurvey struct {
	ID              id
	TouchpointID    id
	TemplateID      id
	TemplateVersion int
	MeasureID       *int64
	Segments        string
	names           []string // the segments
}

func (o *scope) declares(of id, segment string) bool {
	return slices.ContainsFunc(o.surveys, func(v scopedSurvey) bool { return v.ID == of && slices.Contains(v.names, segment) })
}

func (s *Store) scopeOf(q *session, f ScoreFilter, groupBy string) (*scope, error) {
	out := &scope{ScoreFilter: f, groupBy: groupBy}
	if f.Touchpoint != "" {
		touchpoint, found, err := q.touchpointID(f.Touchpoint)
		if err != nil {
			return nil, err
		}
		if !found {
			return nil, survey.Errorf(survey.Invalid, "touchpoint", "does not exist in this workspace")
		}
		out.touchpoint = &touchpoint
	}
	if f.Survey != "" {
		place, err := s.surveyByRef(q, f.Survey)
		if err != nil {
			return nil, namedFilter("survey", err)
		}
		out.one = &place.Survey.ID
	}
	if err := out.load(q); err != nil {
		return nil, err
	}
	if err := out.limit(q); err != nil {
		return nil, err
	}
	out.split = q.by.Scope.Segment != nil
	for name := range f.Attributes {
		if err := out.checkSegment(q, "attributes."+name, name); err != nil {
			return nil, err
		}
	}
	return out, s.checkGroup(q, out)
}

// load finds the surveys and the measures.
func (o *scope) load(q *session) error {
	where, args := "workspace_id = ?", []any{q.by.Workspace}
	if o.one != nil {
		where, args = where+" AND id = ?", append(args, *o.one)
	}
	if err := q.list(&o.surveys, `SELECT id, touchpoint_id, template_id, template_version, measure_id, segments FROM surveys
		WHERE `+where, args...); err != nil {
		return err
	}
	for i := range o.surveys {
		if err := fromJSON(o.surveys[i].Segments, &o.surveys[i].names); err != nil {
			return err
		}
	}
	var known []int64
	if err := q.list(&known, `SELECT id FROM measures WHERE workspace_id = ? ORDER BY id`, q.by.Workspace); err != nil {
		return err
	}
	for _, one := range known {
		m := measureOf(one)
		if (o.Metric == "" || m.Metric == o.Metric) && (o.CESVersion == 0 || m.Metric != scoring.CES || m.CESVersion == o.CESVersion) {
			o.measures = append(o.measures, one)
		}
	}
	return nil
}

// checkSegment refuses a segment that no survey declares, and notes what its
// cap does to the figures.
func (o *scope) checkSegment(q *session, field, name string) error {
	if !slices.ContainsFunc(o.surveys, func(v scopedSurvey) bool { return slices.Contains(v.names, name) }) {
		return survey.Errorf(survey.Invalid, field,
			`%s is not a declared segment here: add "%s" to a survey's "segments" (PATCH /v1/surveys/{id})`, name, name)
	}
	var full []struct{ SurveyID id }
	if err := q.list(&full, `SELECT survey_id FROM segment_values WHERE workspace_id = ? AND segment = ?
		GROUP BY survey_id HAVING COUNT(*) >= ?`, q.by.Workspace, name, maxSegmentValues); err != nil {
		return err
	}
	full = slices.DeleteFunc(full, func(one struct{ SurveyID id }) bool {
		return !slices.ContainsFunc(o.surveys, func(v scopedSurvey) bool { return v.ID == one.SurveyID })
	})
	if len(full) == 0 {
		return nil
	}
	if o.groupBy == bySegment+name {
		o.notes = append(o.notes, fmt.Sprintf("%s has more values than are told apart: those beyond the first %d of a survey are counted as %q",
			field, maxSegmentValues, otherValue))
	}
	value, filtered := o.Attributes[name]
	if filtered && value == otherValue {
		o.notes = append(o.notes, fmt.Sprintf("%s=%s is also what values beyond the first %d of a survey are counted as", field, otherValue, maxSegmentValues))
		return nil
	}
	for _, one := range full {
		if !filtered {
			break
		}
		var n int
		found, err := q.row(`SELECT 1 FROM segment_values WHERE workspace_id = ? AND survey_id = ? AND segment = ? AND value = ?`,
			[]any{q.by.Workspace, one.SurveyID, name, survey.SegmentValue(value)}, &n)
		if err != nil {
			return err
		}
		o.uncapped = o.uncapped || !found
	}
	return nil
}

// checkGroup refuses a split that nothing is told apart by.
func (s *Store) checkGroup(q *session, o *scope) error {
	if name, is := strings.CutPrefix(o.groupBy, bySegment); is {
		return o.checkSegment(q, "group_by", name)
	}
	key, is := strings.CutPrefix(o.groupBy, byChoice)
	if !is {
		switch o.groupBy {
		case "", ByTouchpoint, BySurvey, ByLocale, ByChannel, ByTag:
			return nil
		}
		return survey.Errorf(survey.Invalid, "group_by", "must be touchpoint, survey, locale, channel, tag, attributes.NAME or answers.KEY")
	}
	found := false
	for _, v := range o.surveys {
		versions, err := s.versionsOf(q, survey.ID(v.TemplateID))
		if err != nil {
			return err
		}
		for _, t := range versions {
			for _, question := range t.Questions {
				if question.Key != key {
					continue
				}
				if question.Type != survey.ChoiceQuestion {
					return survey.Errorf(survey.Invalid, "group_by", "%s is a %s question; answers can be grouped by a choice", key, question.Type)
				}
				found = true
			}
		}
	}
	if !found {
		return survey.Errorf(survey.Invalid, "group_by", "no survey here asks a question %q", key)
	}
	return nil
}

// versionsOf are a template's versions, the newest first.
func (s *Store) versionsOf(q *session, template survey.ID) ([]survey.Template, error) {
	newest, err := q.newestVersion(template)
	if err != nil {
		return nil, err
	}
	var all []survey.Template
	for version := newest; version > 0; version-- {
		t, err := s.templateVersion(q, template, version)
		if err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	return all, nil
}

// segmentDimension is the one dimension beside touchpoint and survey that the
// filter narrows by, as tallies know it; ok is false where there are several,
// or one that tallies do not have.
func (o *scope) segmentDimension() (dimension, value string, ok bool) {
	n := len(o.Attributes)
	for name, v := range o.Attributes {
		dimension, value = bySegment+name, survey.SegmentValue(v)
		if v == "" { // "without a value" is no row of a tally
			return "", "", false
		}
	}
	if o.Locale != nil {
		n, dimension, value = n+1, byLocale, *o.Locale
	}
	if o.Channel != nil {
		n, dimension, value = n+1, byChannel, *o.Channel
	}
	return dimension, value, n <= 1 && o.Tag == "" && !o.uncapped && !o.split
}

// tallied says whether tallies can answer, split by a group or not.
func (o *scope) tallied(groupBy string) bool {
	dimension, _, ok := o.segmentDimension()
	return ok && groupBy != ByTag && (dimension == "" || groupBy == "" || groupBy == ByTouchpoint || groupBy == BySurvey)
}
