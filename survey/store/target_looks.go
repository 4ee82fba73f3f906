package store

import (
	"context"
	"math"
	"slices"
	"strconv"
	"strings"

	"koe/scoring"
	"koe/survey"
)

// RunningLook is a target's figure in the period that is under way: for whoever
// looks, not to be judged by.
func (s *Store) RunningLook(ctx context.Context, by Caller, t survey.Target) (look survey.TargetLook, err error) {
	err = s.snapshot(ctx, by, func(q *session) error {
		c, err := q.calendar("")
		if err != nil {
			return err
		}
		look, err = s.targetLook(q, t.TargetTerms, t.Running(q.now, c.loc))
		return err
	})
	return look, away(err)
}

// targetLook is the figure of a period. Scores are those of Tally and
// scoring.Report, as everywhere.
func (s *Store) targetLook(q *session, t survey.TargetTerms, p survey.Period) (look survey.TargetLook, err error) {
	look = survey.TargetLook{Start: p.Start, End: p.End, From: p.From, To: p.To}
	span := Span{From: &p.From, To: &p.To}
	switch t.Kind {
	case survey.TargetScore:
		spans, err := s.targetScores(q, t, []survey.Period{p})
		if err != nil {
			return look, err
		}
		result, err := scoring.Report(spans[0], survey.TargetLevel)
		look.Figure = scoring.FigureOf(result)
		return look, err
	case survey.TargetResponseRate:
		counted, err := s.tally(q, ScoreQuery{ScoreFilter: ScoreFilter{Touchpoint: t.Touchpoint}, Spans: []Span{span}, AnyMetric: true, Rates: true})
		if err != nil {
			return look, err
		}
		look.Figure = scoring.FigureOfShare(counted.Rates.Answered, counted.Rates.Delivered, survey.TargetLevel)
		return look, nil
	case survey.TargetFirstTouch:
		look.Figure, look.TargetLeftOut, err = q.firstTouches(t, span)
	case survey.TargetAttributeMedian:
		var values []float64
		look.TargetLeftOut, err = q.attributeValues(t, span, func(text string) bool {
			n, is := numberOf(text)
			if is {
				values = append(values, n)
			}
			return is
		})
		slices.Sort(values)
		look.Figure = scoring.Median(values, survey.TargetLevel)
	case survey.TargetAttributeShare:
		var yes, all int64
		look.TargetLeftOut, err = q.attributeValues(t, span, func(text string) bool {
			says, is := yesOrNo(text)
			if is {
				all++
			}
			if says {
				yes++
			}
			return is
		})
		look.Figure = scoring.FigureOfShare(yes, all, survey.TargetLevel)
	}
	return look, err
}

// targetScores are the answers of several periods.
func (s *Store) targetScores(q *session, t survey.TargetTerms, periods []survey.Period) ([][]scoring.Cell, error) {
	query := ScoreQuery{ScoreFilter: ScoreFilter{Metric: t.Metric, CESVersion: t.CESVersion, Touchpoint: t.Touchpoint}}
	for _, p := range periods {
		query.Spans = append(query.Spans, Span{From: &p.From, To: &p.To})
	}
	counted, err := s.tally(q, query)
	return counted.Spans, err
}

// maxAttributeValues is how many interactions of a period are read: the newest.
const maxAttributeValues = 200_000

// attributeValues hands the attribute of each interaction of a span to use,
// which says whether it is one that can be used, and counts what is not.
func (q *session) attributeValues(t survey.TargetTerms, span Span, use func(text string) bool) (out survey.TargetLeftOut, err error) {
	touchpoint, known, err := q.touchpointID(t.Touchpoint)
	if err != nil || !known {
		return out, err
	}
	of := ` FROM interactions` + q.indexedBy("interactions_touchpoint_id_occurred_at") +
		` WHERE workspace_id = ? AND touchpoint_id = ? AND occurred_at >= ? AND occurred_at < ?`
	where := []any{q.by.Workspace, touchpoint, *span.From, *span.To}
	expression, args := q.attributeText(t.Attribute)
	var text *string
	var n int64
	if err := q.each(`SELECT `+expression+of+` ORDER BY occurred_at DESC LIMIT ?`, slices.Concat(args, where, []any{maxAttributeValues}),
		[]any{&text}, func() error {
			n++
			switch {
			case text == nil:
				out.Missing++
			case !use(*text):
				out.Ignored++
			}
			return nil
		}); err != nil || n < maxAttributeValues {
		return out, err
	}
	var all int64
	_, err = q.row(`SELECT COUNT(*)`+of, where, &all)
	out.Beyond = all - n
	return out, err
}

// numberOf reads a number, or a text that is one.
func numberOf(text string) (float64, bool) {
	n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	return n, err == nil && !math.IsNaN(n) && !math.IsInf(n, 0)
}

// yesOrNo reads true or false, or a text that says so.
func yesOrNo(text string) (yes, is bool) {
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "true", "yes", "1", "はい":
		return true, true
	case "false", "no", "0", "いいえ":
		return false, true
	}
	return false, false
}
