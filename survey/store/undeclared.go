package store

import (
	"context"
	"errors"
	"slices"
)

// undeclared is what is kept of segments that their surveys declare no longer.
type undeclared struct {
	strata []int64
	values []segmentName
}

type segmentName struct {
	survey id
	name   string
}

// errRestarted ends a clearing, because what surveys declare has changed.
var errRestarted = errors.New("segments are being counted anew")

// clearSegments deletes, once segments were counted anew, what was kept of
// those that are no longer declared: it says what people were. Nobody needs it
// until a segment is declared again, which begins another generation: see
// seenRow. It says whether there may be more to do.
func (s *Store) clearSegments(ctx context.Context) (more bool, err error) {
	q := s.reading(ctx, Caller{})
	found, err := q.row(`SELECT id FROM workspaces WHERE rebuild_generation = 0 AND rebuild_segments = ? ORDER BY id LIMIT 1`,
		[]any{true}, &q.by.Workspace)
	if err != nil || !found {
		return false, away(err)
	}
	c, err := q.calendar("") // first: what is read next may be newer, and is not believed then
	if err != nil {
		return false, away(err)
	}
	old, err := q.undeclared()
	if err != nil {
		return false, away(err)
	}
	for _, step := range old.clearing() {
		err := s.write(ctx, q.by, func(q *session) error {
			now, err := q.calendar(q.forUpdate())
			if err == nil && (now.newest() != c.newest() || now.rebuild.running()) {
				err = errRestarted
			}
			if err != nil {
				return err
			}
			return step(q)
		})
		if errors.Is(err, errRestarted) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
	}
	return true, nil
}

// clearing is what deletes it, a transaction each. The last one notes that
// nothing is left.
func (v undeclared) clearing() (steps []func(*session) error) {
	for ids := range slices.Chunk(v.strata, rebuildBatch) {
		steps = append(steps, func(q *session) error { return q.deleteStrata(ids) })
	}
	for _, of := range v.values {
		steps = append(steps, func(q *session) error {
			_, err := q.exec(`DELETE FROM segment_values WHERE workspace_id = ? AND survey_id = ? AND segment = ?`,
				q.by.Workspace, of.survey, of.name)
			return err
		})
	}
	return append(steps, func(q *session) error {
		return q.must(`UPDATE workspaces SET rebuild_segments = ? WHERE id = ?`, false, q.by.Workspace)
	})
}

// undeclared finds what clearSegments is to delete.
func (q *session) undeclared() (out undeclared, err error) {
	var surveys []struct {
		ID       id
		Segments string
	}
	if err := q.list(&surveys, `SELECT id, segments FROM surveys WHERE workspace_id = ?`, q.by.Workspace); err != nil {
		return out, err
	}
	declared := map[segmentName]bool{}
	for _, v := range surveys {
		var names []string
		if err := fromJSON(v.Segments, &names); err != nil {
			return out, err
		}
		for _, name := range names {
			declared[segmentName{v.ID, name}] = true
		}
	}
	var one int64
	var of segmentName
	var text string
	if err := q.each(`SELECT id, survey_id, segments FROM strata WHERE workspace_id = ? AND segments <> '{}'`, []any{q.by.Workspace},
		[]any{&one, &of.survey, &text}, func() error {
			segments := map[string]string{}
			if err := fromJSON(text, &segments); err != nil {
				return err
			}
			for of.name = range segments {
				if !declared[of] {
					out.strata = append(out.strata, one)
					break
				}
			}
			return nil
		}); err != nil {
		return out, err
	}
	err = q.each(`SELECT DISTINCT survey_id, segment FROM segment_values WHERE workspace_id = ?`, []any{q.by.Workspace},
		[]any{&of.survey, &of.name}, func() error {
			if !declared[of] {
				out.values = append(out.values, of)
			}
			return nil
		})
	return out, err
}

// deleteStrata deletes strata that no answer names.
func (q *session) deleteStrata(ids []int64) error {
	text, err := asJSON(ids)
	if err != nil {
		return err
	}
	list := `SELECT value FROM json_each(?)`
	if q.postgres {
		list = `SELECT CAST(value AS bigint) FROM json_array_elements_text(CAST(? AS json))`
	}
	_, err = q.exec(`DELETE FROM strata WHERE workspace_id = ? AND id IN (`+list+`)
		AND NOT EXISTS (SELECT 1 FROM responses r WHERE r.workspace_id = strata.workspace_id AND r.stratum_id = strata.id
		AND r.excluded_reason IS NULL)`, q.by.Workspace, text)
	return err
}
