package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"koe/scoring"
	"koe/survey"
)

// ScoreFilter says which answers to count; empty fields do not narrow.
type ScoreFilter struct {
	Metric     scoring.Metric
	CESVersion int    // 0: any
	Touchpoint string // its key
	Survey     string // id or key
	Locale     *string
	Channel    *string
	Attributes map[string]string // declared segments
	Tag        string
}

// Span is a range of instants: From inclusive, To exclusive, nil without end.
type Span struct{ From, To *survey.Instant }

// What a count can be split by, beside "attributes.NAME" for a declared segment
// and "answers.KEY" for a choice question. "" is not at all.
const (
	ByTouchpoint = "touchpoint"
	BySurvey     = "survey"
	ByLocale     = "locale"
	ByChannel    = "channel"
	ByTag        = "tag" // an answer with two tags is in both groups, one without in none
)

// ScoreQuery asks for the answers of several spans at once. Only the first two
// are split into groups, or as many as SplitSpans says.
type ScoreQuery struct {
	ScoreFilter
	Spans      []Span
	GroupBy    string
	SplitSpans int
	Rates      bool // also count the invitations of the first span
	AnyMetric  bool // without a Metric: cells of every metric, instead of an error where there are several
}

// Counted is what Tally found. Cells are of one metric, one per measure; where
// there are no answers, one empty cell of the metric's usual measure.
type Counted struct {
	Metric     scoring.Metric // empty with AnyMetric
	Source     string         // "tallies", or "rows" where some answers had to be counted
	Rebuilding bool           // a new segment or time zone is being counted; until then rows answer
	Notes      []string       // what a reader has to know, such as a cap
	Spans      [][]scoring.Cell
	Groups     []CountedGroup // most answers in the first span first
	Excluded   int64          // answers of the first span that are left out
	Rates      *Rates         // nil where not asked for, or filtered by a tag
}

// CountedGroup is one group's part of the spans that are split.
type CountedGroup struct {
	Key   string // a touchpoint's key, a survey's id, or a value; "" for answers without one
	Name  string // of a touchpoint or survey
	Spans [][]scoring.Cell
}

// Tally counts answers per score. Invalid where the touchpoint or survey does
// not exist, a segment is not declared, or where no metric is named and several
// were measured.
//
// Whole days of the workspace's calendar come from the tallies, with one filter
// or group of locale, channel or segment; parts of days, and further filters,
// are counted by index; a tag is counted answer by answer.
func (s *Store) Tally(ctx context.Context, by Caller, query ScoreQuery) (Counted, error) {
	var out Counted
	err := s.snapshot(ctx, by, func(q *session) (err error) {
		out, err = s.tally(q, query)
		return err
	})
	return out, away(err)
}

func (s *Store) tally(q *session, query ScoreQuery) (Counted, error) {
	n, err := s.counterOf(q, query.ScoreFilter, query.GroupBy)
	if err != nil {
		return Counted{}, err
	}
	c, scope := n.calendar, n.scope
	out := Counted{Rebuilding: c.rebuild.running()}
	cut := cutSpans(query.Spans, c.loc)
	counts, err := n.count(cut, "")
	if err != nil {
		return out, err
	}
	var groups pieceCounts
	var groupCut spanCut
	if query.GroupBy != "" {
		groupCut = cutSpans(query.Spans[:min(cmp.Or(query.SplitSpans, 2), len(query.Spans))], c.loc)
		if groups, err = n.count(groupCut, query.GroupBy); err != nil {
			return out, err
		}
	}
	if out.Metric, err = metricOf(query, scope, counts); err != nil {
		return out, err
	}
	if len(query.Spans) > 0 {
		if out.Excluded, err = n.excluded(out.Metric, query.Spans[0]); err != nil {
			return out, err
		}
	}
	for span := range query.Spans {
		out.Spans = append(out.Spans, cellsOf(counts.ofSpan("", cut, span), out.Metric, query.CESVersion))
	}
	if query.GroupBy != "" {
		if out.Groups, err = s.groupsOf(q, groups, groupCut, out.Metric, query); err != nil {
			return out, err
		}
	}
	if query.Rates && query.Tag == "" {
		if out.Rates, err = n.rates(out.Metric, query.Spans[0]); err != nil {
			return out, err
		}
	}
	out.Source, out.Notes = n.source(), scope.notes
	return out, nil
}

// metricOf is the metric asked for, or the only one that was found; where there
// are no answers, the only one that the surveys of the scope measure.
func metricOf(query ScoreQuery, scope *scope, counts pieceCounts) (scoring.Metric, error) {
	if query.Metric != "" || query.AnyMetric {
		return query.Metric, nil
	}
	found := map[scoring.Metric]bool{}
	for _, piece := range counts[""] {
		for measure := range piece {
			found[measureOf(measure).Metric] = true
		}
	}
	if len(found) == 0 {
		for _, v := range scope.surveys {
			if v.MeasureID != nil && (scope.touchpoint == nil || survey.ID(v.TouchpointID) == *scope.touchpoint) {
				found[measureOf(*v.MeasureID).Metric] = true
			}
		}
	}
	if len(found) == 1 {
		for metric := range found {
			return metric, nil
		}
	}
	var p survey.Problems
	p.Add("metric", "required", "is required: nps, csat or ces")
	return "", p.Err()
}

// cellsOf are counts as one cell per measure. Without any, it is one empty cell
// of the metric's usual measure, so that a report has its shape.
func cellsOf(counts map[int64]scoring.Histogram, metric scoring.Metric, cesVersion int) []scoring.Cell {
	cells := make([]scoring.Cell, 0, len(counts))
	for measure, h := range counts {
		if h.N() > 0 {
			cells = append(cells, scoring.Cell{Measure: measureOf(measure), Histogram: h})
		}
	}
	slices.SortFunc(cells, func(a, b scoring.Cell) int { return cmp.Compare(measureID(a.Measure), measureID(b.Measure)) })
	if len(cells) == 0 && metric != "" {
		cells = append(cells, scoring.Cell{Measure: usualMeasure(metric, cesVersion)})
	}
	return cells
}

func usualMeasure(metric scoring.Metric, cesVersion int) scoring.Measure {
	switch {
	case metric == scoring.NPS:
		return scoring.DefaultMeasure(metric, 0, 10, 0)
	case metric == scoring.CSAT:
		return scoring.DefaultMeasure(metric, 1, 5, 0)
	case cesVersion == 1:
		return scoring.DefaultMeasure(metric, 1, 5, 1)
	}
	return scoring.DefaultMeasure(metric, 1, 7, 2)
}

// groupsOf are the groups that have answers in one of the spans that are split, most answers in the first span first.
func (s *Store) groupsOf(q *session, counts pieceCounts, cut spanCut, metric scoring.Metric, query ScoreQuery) ([]CountedGroup, error) {
	groups := make([]CountedGroup, 0, len(counts))
	answers := map[string]int64{}
	for key := range counts {
		g := CountedGroup{Key: key}
		var all int64
		for span := range cut.spans {
			of := counts.ofSpan(key, cut, span)
			n := countOf(of)
			all += n
			if span == 0 {
				answers[key] = n
			}
			g.Spans = append(g.Spans, cellsOf(of, metric, query.CESVersion))
		}
		if all > 0 {
			groups = append(groups, g)
		}
	}
	slices.SortFunc(groups, func(a, b CountedGroup) int {
		return cmp.Or(cmp.Compare(answers[b.Key], answers[a.Key]), strings.Compare(a.Key, b.Key))
	})
	if query.GroupBy != ByTouchpoint && query.GroupBy != BySurvey {
		return groups, nil
	}
	for i := range groups {
		if err := s.namePlace(q, &groups[i], query.GroupBy); err != nil {
			return nil, err
		}
	}
	return groups, nil
}

func countOf(counts map[int64]scoring.Histogram) int64 {
	var n int64
	for _, h := range counts {
		n += h.N()
	}
	return n
}

// namePlace gives a group of a touchpoint or survey the key and name that
// people know it by.
func (s *Store) namePlace(q *session, g *CountedGroup, groupBy string) error {
	of, err := survey.ParseID(g.Key)
	if err != nil {
		return fmt.Errorf("a group is no place: %w", err)
	}
	if groupBy == BySurvey {
		place, err := s.surveyPlace(q, of)
		g.Name = place.Survey.Name
		return err
	}
	_, err = q.row(`SELECT key, name FROM touchpoints WHERE workspace_id = ? AND id = ?`, []any{q.by.Workspace, of}, &g.Key, &g.Name)
	return err
}
