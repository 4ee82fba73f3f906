package store

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
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

// The dimensions that answers are tallied by, beside the total (""). What
// follows a prefix is the name of a declared segment or the key of a question.
const (
	byLocale   = "locale"
	byChannel  = "channel"
	bySegment  = "attributes." // value: the segment's, or "other" beyond the cap
	byAnswered = "answered"    // value: the key of a question that was answered
	byChoice   = "answers."    // value: the key of a chosen option; several may be of one answer
	byRating   = "ratings."    // value: the points given
	byConsent  = "consents."   // value: true or false
)

// count adds a response to the tallies (by 1), or takes it back (by -1), in the
// transaction of the session. The row is as it is, or was, in the database.
func (s *Store) count(q *session, r responseRow, by int64) error {
	t, err := s.templateVersion(q, survey.ID(r.TemplateID), r.TemplateVersion)
	if err != nil {
		return err
	}
	answers, err := answersOf(r.Answers)
	if err != nil {
		return err
	}
	c, err := q.counting()
	if err != nil {
		return err
	}
	segments, err := s.segmentsOfRow(q, c, r)
	if err != nil {
		return err
	}
	q.countAs(c, r, segments, t, answers, by)
	return nil
}

// segmentsOfRow are the values that a response is counted by.
func (s *Store) segmentsOfRow(q *session, c calendar, r responseRow) (map[string]string, error) {
	segments := map[string]string{}
	if r.Segments == "{}" {
		return segments, nil
	}
	if err := fromJSON(r.Segments, &segments); err != nil {
		return nil, err
	}
	return s.capped(q, c, survey.ID(r.SurveyID), segments)
}

// countAs is count where everything is known.
func (q *session) countAs(c calendar, r responseRow, segments map[string]string, t survey.Template, answers survey.Answers, by int64) {
	generation, move := c.forResponse(r.ID)
	if !move || r.ExcludedReason != nil {
		return
	}
	row := tallyRow{workspace: r.WorkspaceID, generation: generation, measure: r.MeasureID, touchpoint: survey.ID(r.TouchpointID),
		survey: survey.ID(r.SurveyID), day: survey.BegunDay(survey.Instant(r.RespondedAt), c.loc)}
	q.moves = slices.Grow(q.moves, 3+len(segments)+2*len(answers))
	q.move(row, "", "", r.Score, by)
	q.move(row, byLocale, r.Locale, r.Score, by)
	q.move(row, byChannel, r.Channel, r.Score, by)
	for name, value := range segments {
		q.move(row, bySegment+name, value, r.Score, by)
	}
	if len(answers) > 0 {
		eachAnswer(t, answers, func(dimension, value string) { q.move(row, dimension, value, r.Score, by) })
	}
}

// eachAnswer calls do with the dimensions and values that the answers to
// further questions are tallied by. What an erased person wrote counts on as an
// empty text.
func eachAnswer(t survey.Template, answers survey.Answers, do func(dimension, value string)) {
	for _, question := range t.Questions {
		answer, given := answers[question.Key]
		if !given {
			continue
		}
		do(byAnswered, question.Key)
		switch x := answer.(type) {
		case string:
			if question.Type == survey.ChoiceQuestion {
				do(byChoice+question.Key, x)
			}
		case []string:
			for _, option := range x {
				do(byChoice+question.Key, option)
			}
		case int:
			do(byRating+question.Key, strconv.Itoa(x))
		case bool:
			do(byConsent+question.Key, strconv.FormatBool(x))
		}
	}
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
)

// flushTallies writes the moves: on SQLite into the rows themselves, on
// PostgreSQL as deltas, because every writer would queue for a hot row.
func (q *session) flushTallies(moves tallyMoves) error {
	maps.DeleteFunc(moves, func(_ tallyRow, h scoring.Histogram) bool { return h == scoring.Histogram{} })
	rows := slices.SortedFunc(maps.Keys(moves), compareTallyRows)
	if q.postgres {
		return q.keepDeltas(rows, moves)
	}
	for _, row := range rows {
		args := make([]any, 0, 19)
		args = append(args, row.workspace, row.generation, row.dimension, row.value, row.measure,
			row.touchpoint, row.survey, row.day)
		for _, n := range moves[row] {
			args = append(args, n)
		}
		if _, err := q.exec(addTally, args...); err != nil {
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
