package store

import (
	"context"

	"koe/scoring"
	"koe/survey"
)

// maxFold bounds one fold, so that it never holds its locks long.
const maxFold = 5000

// FoldTallies adds PostgreSQL's tally deltas to the rows that they belong to,
// in the order of the key, and says how many it took. On SQLite there are
// none. Several replicas may fold at once: each takes deltas that no other
// holds.
func (s *Store) FoldTallies(ctx context.Context) (int64, error) {
	if !s.postgres {
		return 0, nil
	}
	var folded int64
	err := s.write(ctx, Caller{}, func(q *session) error {
		folded = 0
		for _, statement := range []string{foldTallies, foldCohorts} {
			n, err := q.exec(statement, maxFold)
			if err != nil {
				return err
			}
			folded += n
		}
		return nil
	})
	return folded, err
}

const foldTallies = `WITH taken AS MATERIALIZED (
		DELETE FROM tally_deltas WHERE (workspace_id, id) IN (
			SELECT workspace_id, id FROM tally_deltas ORDER BY workspace_id, id LIMIT ? FOR UPDATE SKIP LOCKED)
		RETURNING *)
	INSERT INTO tallies (` + tallyKey + `, ` + tallyCounts + `)
	SELECT ` + tallyKey + `, SUM(c0), SUM(c1), SUM(c2), SUM(c3), SUM(c4), SUM(c5), SUM(c6), SUM(c7), SUM(c8), SUM(c9), SUM(c10)
	FROM taken GROUP BY ` + tallyKey + ` ORDER BY ` + tallyKey + `
	ON CONFLICT (` + tallyKey + `) DO UPDATE SET
	c0 = tallies.c0 + excluded.c0, c1 = tallies.c1 + excluded.c1, c2 = tallies.c2 + excluded.c2,
	c3 = tallies.c3 + excluded.c3, c4 = tallies.c4 + excluded.c4, c5 = tallies.c5 + excluded.c5,
	c6 = tallies.c6 + excluded.c6, c7 = tallies.c7 + excluded.c7, c8 = tallies.c8 + excluded.c8,
	c9 = tallies.c9 + excluded.c9, c10 = tallies.c10 + excluded.c10`

const foldCohorts = `WITH taken AS MATERIALIZED (
		DELETE FROM invitation_tally_deltas WHERE (workspace_id, id) IN (
			SELECT workspace_id, id FROM invitation_tally_deltas ORDER BY workspace_id, id LIMIT ? FOR UPDATE SKIP LOCKED)
		RETURNING *)
	INSERT INTO invitation_tallies (` + cohortKey + `, sent, bounced, opened, answered, commented)
	SELECT ` + cohortKey + `, SUM(sent), SUM(bounced), SUM(opened), SUM(answered), SUM(commented)
	FROM taken GROUP BY ` + cohortKey + ` ORDER BY ` + cohortKey + `
	ON CONFLICT (` + cohortKey + `) DO UPDATE SET
	sent = invitation_tallies.sent + excluded.sent, bounced = invitation_tallies.bounced + excluded.bounced,
	opened = invitation_tallies.opened + excluded.opened,
	answered = invitation_tallies.answered + excluded.answered, commented = invitation_tallies.commented + excluded.commented`

// tallyKeys are the keys of tallies as arrays: PostgreSQL takes all deltas of a
// transaction in one statement, for each is a way to the server and back.
type tallyKeys struct {
	workspaces, generations, measures, days []int64
	dimensions, values                      []string
	touchpoints, surveys, ids               []survey.ID
}

func (k *tallyKeys) add(row tallyRow) {
	k.workspaces, k.generations = append(k.workspaces, row.workspace), append(k.generations, row.generation)
	k.measures, k.days = append(k.measures, row.measure), append(k.days, int64(row.day))
	k.dimensions, k.values = append(k.dimensions, row.dimension), append(k.values, row.value)
	k.touchpoints, k.surveys = append(k.touchpoints, row.touchpoint), append(k.surveys, row.survey)
	k.ids = append(k.ids, newID())
}

const addDeltas = `INSERT INTO tally_deltas (` + tallyKey + `, ` + tallyCounts + `, id) SELECT * FROM unnest(
	?::bigint[], ?::bigint[], ?::text[], ?::text[], ?::bigint[], ?::uuid[], ?::uuid[], ?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[],
	?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[], ?::uuid[])`

// keepDeltas writes what is to be added to rows of the tallies.
func (q *session) keepDeltas(rows []tallyRow, moves tallyMoves) error {
	if len(rows) == 0 {
		return nil
	}
	var k tallyKeys
	var counts [len(scoring.Histogram{})][]int64
	for _, row := range rows {
		k.add(row)
		for score, n := range moves[row] {
			counts[score] = append(counts[score], n)
		}
	}
	args := []any{k.workspaces, k.generations, k.dimensions, k.values, k.measures, idArray(k.touchpoints), idArray(k.surveys), k.days}
	for _, n := range counts {
		args = append(args, n)
	}
	return q.later(addDeltas, append(args, idArray(k.ids))...)
}

const addCohortDeltas = `INSERT INTO invitation_tally_deltas (` + cohortKey + `, sent, bounced, opened, answered, commented, id)
	SELECT * FROM unnest(?::bigint[], ?::bigint[], ?::text[], ?::text[], ?::uuid[], ?::uuid[], ?::bigint[],
	?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[], ?::uuid[])`

// keepCohortDeltas is keepDeltas for invitations.
func (q *session) keepCohortDeltas(rows []cohortRow, moves cohortMoves) error {
	if len(rows) == 0 {
		return nil
	}
	var k tallyKeys
	var sent, bounced, opened, answered, commented []int64
	for _, row := range rows {
		k.add(row.tally())
		by := moves[row]
		sent, bounced, opened = append(sent, by.sent), append(bounced, by.bounced), append(opened, by.opened)
		answered, commented = append(answered, by.answered), append(commented, by.commented)
	}
	return q.later(addCohortDeltas, k.workspaces, k.generations, k.dimensions, k.values, idArray(k.touchpoints), idArray(k.surveys), k.days,
		sent, bounced, opened, answered, commented, idArray(k.ids))
}
