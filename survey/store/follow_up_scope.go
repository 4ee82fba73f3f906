package store

import (
	"slices"
	"strings"

	"koe/survey"
)

// sees is true where a member reads what belongs to an answer.
func (s Scope) sees(f survey.FollowUp) bool {
	if len(s.Touchpoints) > 0 && !slices.Contains(s.Touchpoints, f.Touchpoint) {
		return false
	}
	return s.Segment == nil || slices.Contains(s.Segment.Values, f.Response.Attributes[s.Segment.Key].Text())
}

// followUpScope narrows a list of follow-ups to what the caller reads.
func (q *session) followUpScope(and func(string, ...any)) error {
	ids, all, err := q.touchpointsSeen()
	if err != nil {
		return err
	}
	if !all { // not IN: see scopeConditions
		and("(1 = 0"+strings.Repeat(" OR touchpoint_id = ?", len(ids))+")", ids...)
	}
	if segment := q.by.Scope.Segment; segment != nil {
		text, args := q.attributeText(segment.Key)
		for _, value := range segment.Values {
			args = append(args, value)
		}
		and("EXISTS (SELECT 1 FROM responses r WHERE r.workspace_id = follow_ups.workspace_id AND r.id = follow_ups.response_id AND "+
			"("+text+") IN ("+marks(len(segment.Values))+"))", args...)
	}
	return nil
}
