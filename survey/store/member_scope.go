package store

import (
	"slices"
	"strconv"
	"strings"

	"koe/survey"
)

// Scope limits what a member reads: answers, and the scores made of them. The zero
// value limits nothing.
type Scope struct {
	Touchpoints []string        // their keys; none for all
	Segment     *survey.Segment // nil for no limit
}

// ScopeOf is what a member is limited to.
func ScopeOf(m survey.Member) Scope { return Scope{m.Touchpoints, m.Segment} }

// touchpointsSeen are those that the caller reads; all is true where there is no
// limit. One that is gone limits on: nothing lies behind it.
func (q *session) touchpointsSeen() (ids []any, all bool, err error) {
	if len(q.by.Scope.Touchpoints) == 0 {
		return nil, true, nil
	}
	for _, key := range q.by.Scope.Touchpoints {
		one, found, err := q.touchpointID(key)
		if err != nil {
			return nil, false, err
		}
		if found {
			ids = append(ids, one)
		}
	}
	return ids, false, nil
}

// oneOf is the condition that a column has one of some values.
func oneOf(column string, n int) string {
	if n == 0 {
		return "1 = 0"
	}
	return column + " IN (" + marks(n) + ")"
}

// segmentSeen is the condition that an answer or an invitation is of the values
// that the caller is limited to; "" where there is no limit.
func (q *session) segmentSeen() (condition string, args []any) {
	segment := q.by.Scope.Segment
	if segment == nil {
		return "", nil
	}
	text, args := q.attributeText(segment.Key)
	for _, value := range segment.Values {
		args = append(args, survey.SegmentValue(value))
	}
	return oneOf("SUBSTR("+text+", 1, "+strconv.Itoa(survey.SegmentRunes)+")", len(segment.Values)), args
}

// touchpointScope narrows a list to the touchpoints that the caller reads.
func (q *session) touchpointScope(and func(string, ...any)) error {
	ids, all, err := q.touchpointsSeen()
	if err == nil && !all {
		// not IN, behind whose parenthesis gorm takes an id for a list of bytes
		and("(1 = 0"+strings.Repeat(" OR touchpoint_id = ?", len(ids))+")", ids...)
	}
	return err
}

// scopeConditions narrow a list of responses to what the caller reads.
func (q *session) scopeConditions(and func(string, ...any)) error {
	if err := q.touchpointScope(and); err != nil {
		return err
	}
	if condition, args := q.segmentSeen(); condition != "" {
		and(condition, args...)
	}
	return nil
}

// sees is true where the caller may read a response.
func (q *session) sees(r responseRow) (bool, error) {
	ids, all, err := q.touchpointsSeen()
	if err != nil || !all && !slices.Contains(ids, any(survey.ID(r.TouchpointID))) {
		return false, err
	}
	var attributes survey.Attributes
	if err := fromJSON(r.Attributes, &attributes); err != nil {
		return false, err
	}
	return q.by.Scope.Segment.Holds(attributes), nil
}

// followUpScope narrows a list of follow-ups to those of answers that the caller
// reads.
func (q *session) followUpScope(and func(string, ...any)) error {
	if err := q.touchpointScope(and); err != nil {
		return err
	}
	if condition, args := q.segmentSeen(); condition != "" {
		and("EXISTS (SELECT 1 FROM responses r WHERE r.workspace_id = follow_ups.workspace_id AND r.id = follow_ups.response_id AND "+condition+")", args...)
	}
	return nil
}

// seesFollowUp is true where the caller may read a follow-up and its answer.
func (s Scope) seesFollowUp(f survey.FollowUp) bool {
	return (len(s.Touchpoints) == 0 || slices.Contains(s.Touchpoints, f.Touchpoint)) && s.Segment.Holds(f.Response.Attributes)
}

// limit narrows a scope to what the caller reads. Where no survey declares the
// segment that the caller is limited to, that is nothing.
func (o *scope) limit(q *session) error {
	ids, all, err := q.touchpointsSeen()
	if err != nil {
		return err
	}
	if o.limited = !all; o.limited {
		o.seen = ids
		if o.touchpoint != nil && !slices.Contains(ids, any(*o.touchpoint)) {
			return survey.Errorf(survey.Invalid, "touchpoint", "does not exist in this workspace")
		}
	}
	segment := q.by.Scope.Segment
	if segment == nil {
		return nil
	}
	o.surveys = slices.DeleteFunc(o.surveys, func(v scopedSurvey) bool { return !slices.Contains(v.names, segment.Key) })
	for _, value := range segment.Values {
		if err := o.limitValue(q, segment.Key, value); err != nil {
			return err
		}
	}
	return nil
}

// limitValue notes where a value is beyond what a survey's strata tell apart.
func (o *scope) limitValue(q *session, name, value string) error {
	for _, v := range o.surveys {
		var kept int
		if _, err := q.row(`SELECT COUNT(*) FROM segment_values WHERE workspace_id = ? AND survey_id = ? AND segment = ?`,
			[]any{q.by.Workspace, v.ID, name}, &kept); err != nil || kept < maxSegmentValues {
			if err != nil {
				return err
			}
			continue
		}
		var one int
		found, err := q.row(`SELECT 1 FROM segment_values WHERE workspace_id = ? AND survey_id = ? AND segment = ? AND value = ?`,
			[]any{q.by.Workspace, v.ID, name, survey.SegmentValue(value)}, &one)
		if err != nil {
			return err
		}
		o.uncapped = o.uncapped || !found || value == otherValue
	}
	return nil
}

// withinScope adds to a condition on tallies, strata, responses or invitations the
// touchpoints that the caller reads and, where there is a limit to a segment, the
// surveys that declare it.
func (o *scope) withinScope(by Caller, where string, args []any) (string, []any) {
	if o.limited {
		where, args = where+" AND "+oneOf("touchpoint_id", len(o.seen)), append(args, o.seen...)
	}
	if by.Scope.Segment != nil {
		where += " AND " + oneOf("survey_id", len(o.surveys))
		for _, v := range o.surveys {
			args = append(args, v.ID)
		}
	}
	return where, args
}

// seesSegments is true for a stratum of the values that the caller is limited to.
func (s Scope) seesSegments(segments map[string]string) bool {
	return s.Segment == nil || slices.ContainsFunc(s.Segment.Values, func(v string) bool {
		return survey.SegmentValue(v) == segments[s.Segment.Key]
	})
}
