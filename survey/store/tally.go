package store

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"koe/scoring"
	"koe/survey"
)

// tallyRow names one row of the tallies: a measure at a touchpoint and survey,
// on a local day, for one value of one dimension ("" is the total).
type tallyRow struct {
	workspace  int64
	generation int64
	dimension  string
	value      string
	measure    int64
	touchpoint survey.ID
	survey     survey.ID
	day        survey.Day
}

// tallyMoves are the changes of a transaction, added up per row, so that a
// commit of many answers touches each row once.
type tallyMoves map[tallyRow]scoring.Histogram

// tallyMove is one change: a score more or less in a row.
type tallyMove struct {
	row   tallyRow
	score int
	by    int64
}

func (m tallyMoves) add(moves []tallyMove) tallyMoves {
	for _, move := range moves {
		h := m[move.row]
		h[move.score] += move.by
		m[move.row] = h
	}
	return m
}

// The dimensions that every answer is tallied by, beside the total and the
// survey's declared segments ("attributes.NAME").
const (
	byLocale  = "locale"
	byChannel = "channel"
)

// moveTally adds an answer to the tallies, or takes it away (by -1), in the
// transaction of the session.
func (q *session) moveTally(generation, measure int64, r responseRow, by int64) error {
	segments := map[string]string{}
	if r.Segments != "{}" {
		if err := fromJSON(r.Segments, &segments); err != nil {
			return err
		}
	}
	row := tallyRow{workspace: r.WorkspaceID, generation: generation, measure: measure,
		touchpoint: survey.ID(r.TouchpointID), survey: survey.ID(r.SurveyID), day: survey.Day(r.LocalDay)}
	q.moves = slices.Grow(q.moves, 3+len(segments))
	q.move(row, "", "", r.Score, by)
	q.move(row, byLocale, r.Locale, r.Score, by)
	q.move(row, byChannel, r.Channel, r.Score, by)
	for name, value := range segments {
		q.move(row, "attributes."+name, value, r.Score, by)
	}
	return nil
}

func (q *session) move(row tallyRow, dimension, value string, score int, by int64) {
	row.dimension, row.value = dimension, value
	q.moves = append(q.moves, tallyMove{row, score, by})
}

const (
	tallyKey    = `workspace_id, generation, dimension, value, measure_id, touchpoint_id, survey_id, day`
	tallyCounts = `c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10`
	addTally    = `INSERT INTO tallies (` + tallyKey + `, ` + tallyCounts + `)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (` + tallyKey + `) DO UPDATE SET
		c0 = tallies.c0 + excluded.c0, c1 = tallies.c1 + excluded.c1, c2 = tallies.c2 + excluded.c2,
		c3 = tallies.c3 + excluded.c3, c4 = tallies.c4 + excluded.c4, c5 = tallies.c5 + excluded.c5,
		c6 = tallies.c6 + excluded.c6, c7 = tallies.c7 + excluded.c7, c8 = tallies.c8 + excluded.c8,
		c9 = tallies.c9 + excluded.c9, c10 = tallies.c10 + excluded.c10`
	addDelta = `INSERT INTO tally_deltas (` + tallyKey + `, ` + tallyCounts + `, id)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
)

// flushTallies writes the moves: on SQLite into the rows themselves, on
// PostgreSQL as deltas, because every writer would queue for a hot row.
func (q *session) flushTallies(moves tallyMoves) error {
	for _, row := range slices.SortedFunc(maps.Keys(moves), compareTallyRows) {
		h := moves[row]
		if h == (scoring.Histogram{}) {
			continue
		}
		args := make([]any, 0, 20)
		args = append(args, row.workspace, row.generation, row.dimension, row.value, row.measure,
			row.touchpoint, row.survey, row.day)
		for _, n := range h {
			args = append(args, n)
		}
		statement := addTally
		if q.postgres {
			statement = addDelta
			args = append(args, newID())
		}
		if _, err := q.exec(statement, args...); err != nil {
			return err
		}
	}
	return nil
}

// compareTallyRows is the order of the key: all writers lock in it.
func compareTallyRows(a, b tallyRow) int {
	return cmp.Or(cmp.Compare(a.workspace, b.workspace), cmp.Compare(a.generation, b.generation),
		strings.Compare(a.dimension, b.dimension), strings.Compare(a.value, b.value),
		cmp.Compare(a.measure, b.measure), slices.Compare(a.touchpoint[:], b.touchpoint[:]),
		slices.Compare(a.survey[:], b.survey[:]), cmp.Compare(a.day, b.day))
}

// measureID is a measure as a number: it can be computed, so no look-up stands
// between an answer and its tally.
func measureID(m scoring.Measure) int64 {
	metric := map[scoring.Metric]int64{scoring.NPS: 1, scoring.CSAT: 2, scoring.CES: 3}[m.Metric]
	return metric<<32 | int64(m.Min)<<24 | int64(m.Max)<<16 | int64(m.SatisfiedFrom)<<8 | int64(m.CESVersion)
}

// measureOf is the inverse of measureID.
func measureOf(id int64) scoring.Measure {
	metric := map[int64]scoring.Metric{1: scoring.NPS, 2: scoring.CSAT, 3: scoring.CES}[id>>32]
	return scoring.Measure{Metric: metric, Min: int(id >> 24 & 0xff), Max: int(id >> 16 & 0xff),
		SatisfiedFrom: int(id >> 8 & 0xff), CESVersion: int(id & 0xff)}
}

// keepMeasure makes sure that the measure has its row.
func (q *session) keepMeasure(m scoring.Measure) (int64, error) {
	id := measureID(m)
	_, err := q.exec(`INSERT INTO measures (workspace_id, id, metric, min, max, satisfied_from, ces_version)
		VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		q.by.Workspace, id, string(m.Metric), m.Min, m.Max, m.SatisfiedFrom, m.CESVersion)
	return id, err
}
