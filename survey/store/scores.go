package store

import (
	"context"
	"slices"
	"strings"
	"time"

	"koe/scoring"
	"koe/survey"
)

// ScoreFilter says which answers to count. From and To are instants (From
// inclusive, To exclusive); where both fall on midnights of the workspace's
// own calendar the tallies answer, else the rows do.
type ScoreFilter struct {
	Metric     scoring.Metric // empty: whatever the survey or touchpoint measures, if that is one metric
	CESVersion int            // 0: any
	Touchpoint string
	Survey     string // id or key
	From, To   *survey.Instant
	Zone       *time.Location
	GroupBy    GroupBy
}

// GroupBy splits the count.
type GroupBy string

// What a count can be split by.
const (
	Ungrouped    GroupBy = ""
	ByTouchpoint GroupBy = "touchpoint"
	BySurvey     GroupBy = "survey"
)

// Counted is what Tally found: cells of one metric, in all and per group.
type Counted struct {
	Metric scoring.Metric
	Source string // "tallies" or "rows"
	Total  []scoring.Cell
	Groups []CountedGroup
}

// CountedGroup is the part of one touchpoint or survey.
type CountedGroup struct {
	Key   string // a touchpoint's key, a survey's id
	Name  string
	Cells []scoring.Cell
}

// Tally counts answers per score. Invalid where the touchpoint or survey does
// not exist, or where no metric is named and several were measured.
func (s *Store) Tally(ctx context.Context, by Caller, f ScoreFilter) (Counted, error) {
	q := s.reading(ctx, by)
	c, err := s.tallyOf(q, f)
	return c, away(err)
}

// countedRow is one group's count of one score of one measure.
type countedRow struct {
	MeasureID int64
	Place     id
	Score     int
	Count     int64
}

func (s *Store) tallyOf(q *session, f ScoreFilter) (Counted, error) {
	w, err := q.workspace(q.by.Workspace)
	if err != nil {
		return Counted{}, err
	}
	loc, err := survey.LoadZone(w.Timezone)
	if err != nil {
		return Counted{}, err
	}
	where, args, err := s.scoreConditions(q, f)
	if err != nil {
		return Counted{}, err
	}
	from, to, whole := wholeDays(f, loc)
	out := Counted{Source: "rows"}
	var rows []countedRow
	if whole {
		out.Source = "tallies"
		rows, err = s.countTallies(q, where, args, from, to, f.GroupBy)
	} else {
		rows, err = s.countRows(q, where, args, f)
	}
	if err != nil {
		return Counted{}, err
	}
	if out.Metric, err = metricOf(f.Metric, rows); err != nil {
		return Counted{}, err
	}
	out.Total = cellsOf(rows, out.Metric, f.CESVersion, nil)
	if f.GroupBy != Ungrouped {
		out.Groups, err = s.groupsOf(q, rows, out.Metric, f)
	}
	return out, err
}

// scoreConditions narrow both the tallies and the rows.
func (s *Store) scoreConditions(q *session, f ScoreFilter) (string, []any, error) {
	where, args := "workspace_id = ?", []any{q.by.Workspace}
	if f.Touchpoint != "" {
		touchpoint, found, err := q.touchpointID(f.Touchpoint)
		if err != nil {
			return "", nil, err
		}
		if !found {
			return "", nil, survey.Errorf(survey.Invalid, "touchpoint", "does not exist in this workspace")
		}
		where, args = where+" AND touchpoint_id = ?", append(args, touchpoint)
	}
	if f.Survey != "" {
		place, err := s.surveyByRef(q, f.Survey)
		if err != nil {
			return "", nil, namedFilter("survey", err)
		}
		where, args = where+" AND survey_id = ?", append(args, place.Survey.ID)
	}
	return where, args, nil
}

// wholeDays is the range as days of the workspace's calendar, where it is made
// of whole ones.
func wholeDays(f ScoreFilter, loc *time.Location) (from, to *survey.Day, whole bool) {
	day := func(i *survey.Instant) (*survey.Day, bool) {
		if i == nil {
			return nil, true
		}
		d := survey.DayOf(*i, loc)
		return &d, survey.StartOf(d, loc) == *i
	}
	from, okFrom := day(f.From)
	to, okTo := day(f.To)
	return from, to, okFrom && okTo
}

func placeColumn(g GroupBy) string {
	switch g {
	case ByTouchpoint:
		return "touchpoint_id"
	case BySurvey:
		return "survey_id"
	}
	return "NULL"
}

// countTallies adds up the histograms of a range of days; on PostgreSQL with
// the deltas that are not folded in yet.
func (s *Store) countTallies(q *session, where string, args []any, from, to *survey.Day, g GroupBy) ([]countedRow, error) {
	// within the statement, so that a new generation never shows half
	where += " AND generation = (SELECT tally_generation FROM workspaces WHERE id = ?) AND dimension = '' AND value = ''"
	args = append(args, q.by.Workspace)
	if from != nil {
		where, args = where+" AND day >= ?", append(args, *from)
	}
	if to != nil {
		where, args = where+" AND day < ?", append(args, *to)
	}
	place := placeColumn(g)
	const sums = `SUM(c0) AS c0, SUM(c1) AS c1, SUM(c2) AS c2, SUM(c3) AS c3, SUM(c4) AS c4, SUM(c5) AS c5,
		SUM(c6) AS c6, SUM(c7) AS c7, SUM(c8) AS c8, SUM(c9) AS c9, SUM(c10) AS c10`
	from1 := func(table string) string {
		group := " GROUP BY measure_id"
		if g != Ungrouped {
			group += ", " + place
		}
		return `SELECT measure_id, ` + place + ` AS place, ` + sums + ` FROM ` + table + ` WHERE ` + where + group
	}
	query := from1("tallies")
	if q.postgres {
		query += " UNION ALL " + from1("tally_deltas")
		args = append(slices.Clone(args), args...)
	}
	var sumRows []struct {
		MeasureID                                   int64
		Place                                       id
		C0, C1, C2, C3, C4, C5, C6, C7, C8, C9, C10 int64
	}
	if err := q.list(&sumRows, query, args...); err != nil {
		return nil, err
	}
	var rows []countedRow
	for _, r := range sumRows {
		for score, n := range []int64{r.C0, r.C1, r.C2, r.C3, r.C4, r.C5, r.C6, r.C7, r.C8, r.C9, r.C10} {
			if n != 0 {
				rows = append(rows, countedRow{r.MeasureID, r.Place, score, n})
			}
		}
	}
	return rows, nil
}

// countRows counts the responses themselves: for ranges that are not made of
// whole days of the workspace's calendar.
func (s *Store) countRows(q *session, where string, args []any, f ScoreFilter) ([]countedRow, error) {
	where += " AND excluded_reason IS NULL"
	if f.From != nil {
		where, args = where+" AND responded_at >= ?", append(args, *f.From)
	}
	if f.To != nil {
		where, args = where+" AND responded_at < ?", append(args, *f.To)
	}
	place, group := placeColumn(f.GroupBy), ""
	if f.GroupBy != Ungrouped {
		group = ", " + place
	}
	var rows []countedRow
	err := q.list(&rows, `SELECT measure_id, `+place+` AS place, score, COUNT(*) AS count FROM responses
		WHERE `+where+` GROUP BY measure_id, score`+group, args...)
	return rows, err
}

// metricOf is the metric asked for, or the only one that was found.
func metricOf(asked scoring.Metric, rows []countedRow) (scoring.Metric, error) {
	if asked != "" {
		return asked, nil
	}
	found := map[scoring.Metric]bool{}
	for _, r := range rows {
		found[measureOf(r.MeasureID).Metric] = true
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

// cellsOf adds up counts into one cell per measure. Without any, it is one
// empty cell of the metric's usual measure, so that a report has its shape.
func cellsOf(rows []countedRow, metric scoring.Metric, cesVersion int, keep func(countedRow) bool) []scoring.Cell {
	histograms := map[int64]scoring.Histogram{}
	for _, r := range rows {
		m := measureOf(r.MeasureID)
		if m.Metric != metric || (cesVersion != 0 && m.CESVersion != cesVersion) || (keep != nil && !keep(r)) {
			continue
		}
		h := histograms[r.MeasureID]
		h[r.Score] += r.Count
		histograms[r.MeasureID] = h
	}
	ids := make([]int64, 0, len(histograms))
	for one := range histograms {
		ids = append(ids, one)
	}
	slices.Sort(ids)
	cells := make([]scoring.Cell, 0, len(ids))
	for _, one := range ids {
		cells = append(cells, scoring.Cell{Measure: measureOf(one), Histogram: histograms[one]})
	}
	if len(cells) == 0 {
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

func (s *Store) groupsOf(q *session, rows []countedRow, metric scoring.Metric, f ScoreFilter) ([]CountedGroup, error) {
	seen := map[id]bool{}
	groups := []CountedGroup{}
	for _, r := range rows {
		m := measureOf(r.MeasureID)
		if seen[r.Place] || m.Metric != metric || (f.CESVersion != 0 && m.CESVersion != f.CESVersion) {
			continue
		}
		seen[r.Place] = true
		group := CountedGroup{Cells: cellsOf(rows, metric, f.CESVersion, func(c countedRow) bool { return c.Place == r.Place })}
		var err error
		if group.Key, group.Name, err = s.placeNamed(q, survey.ID(r.Place), f.GroupBy); err != nil {
			return nil, err
		}
		groups = append(groups, group)
	}
	slices.SortFunc(groups, func(a, b CountedGroup) int { return strings.Compare(a.Key, b.Key) })
	return groups, nil
}

func (s *Store) placeNamed(q *session, of survey.ID, g GroupBy) (key, name string, err error) {
	if g == BySurvey {
		place, err := s.surveyPlace(q, of)
		return of.String(), place.Survey.Name, err
	}
	_, err = q.row(`SELECT key, name FROM touchpoints WHERE workspace_id = ? AND id = ?`, []any{q.by.Workspace, of}, &key, &name)
	return key, name, err
}
