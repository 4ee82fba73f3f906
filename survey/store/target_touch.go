package store

import (
	"slices"
	"time"

	"koe/scoring"
	"koe/survey"
)

// firstTouches is the median of the hours until follow-ups that were opened in a
// span were first touched, since the customer said it. One that nobody has touched counts with the time that
// it has waited, once that is longer than the target allows; before, it is not
// known which side it will fall on, and it is left out.
func (q *session) firstTouches(t survey.TargetTerms, span Span) (f scoring.Figure, out survey.TargetLeftOut, err error) {
	of := ` FROM follow_ups` + q.indexedBy("follow_ups_opened_at") + ` WHERE workspace_id = ? AND opened_at >= ? AND opened_at < ?`
	where := []any{q.by.Workspace, *span.From, *span.To}
	if t.Touchpoint != "" {
		touchpoint, known, err := q.touchpointID(t.Touchpoint)
		if err != nil || !known {
			return f, out, err
		}
		of, where = of+" AND touchpoint_id = ?", append(where, touchpoint)
	}
	var hours []float64
	var n int64
	var since survey.Instant
	var touched *int64
	if err := q.each(`SELECT since, touched_at`+of+` ORDER BY opened_at DESC LIMIT ?`, append(slices.Clone(where), maxAttributeValues),
		[]any{&since, &touched}, func() error {
			n++
			switch {
			case touched != nil:
				hours = append(hours, hoursFrom(since, survey.Instant(*touched)))
			case hoursFrom(since, q.now) > *t.AtMost:
				hours = append(hours, hoursFrom(since, q.now))
			default:
				out.Ignored++
			}
			return nil
		}); err != nil {
		return f, out, err
	}
	if n == maxAttributeValues {
		var all int64
		if _, err := q.row(`SELECT COUNT(*)`+of, where, &all); err != nil {
			return f, out, err
		}
		out.Beyond = all - n
	}
	slices.Sort(hours)
	return scoring.Median(hours, survey.TargetLevel), out, nil
}

func hoursFrom(a, b survey.Instant) float64 { return float64(max(b.Sub(a), 0)) / float64(time.Hour) }
