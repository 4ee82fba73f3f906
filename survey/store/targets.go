package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"koe/scoring"
	"koe/survey"
)

type targetRow struct {
	WorkspaceID  int64
	ID           id
	TouchpointID id
	Definition   string
	State        string
	Since        *int64
	Judged       string
	DropLook     string
	Revision     int64
	CreatedAt    int64
	UpdatedAt    int64
}

const targetColumns = `workspace_id, id, touchpoint_id, definition, state, since, COALESCE(judged, '') AS judged,
	COALESCE(drop_look, '') AS drop_look, revision, created_at, updated_at`

// target is the row without whom it tells.
func (r targetRow) target() (survey.Target, error) {
	var terms survey.TargetTerms
	if err := fromJSON(r.Definition, &terms); err != nil {
		return survey.Target{}, err
	}
	t := survey.NewTarget(terms)
	t.ID, t.State, t.Since = survey.ID(r.ID), scoring.Standing(r.State), (*survey.Instant)(r.Since)
	t.CreatedAt, t.UpdatedAt = survey.Instant(r.CreatedAt), survey.Instant(r.UpdatedAt)
	if err := fromJSON(r.Judged, &t.Judged); err != nil {
		return t, err
	}
	return t, fromJSON(r.DropLook, &t.Drop)
}

// maxTargets keeps what is judged within bounds.
const maxTargets = 200

// CreateTarget sets a target. Nothing is judged yet: see JudgeTarget. A
// touchpoint that does not exist, and an address that is no member's, are
// Invalid.
func (s *Store) CreateTarget(ctx context.Context, by Caller, terms survey.TargetTerms) (out survey.Target, err error) {
	if err := terms.Clean(); err != nil {
		return out, err
	}
	err = s.write(ctx, by, func(q *session) error {
		var all int
		if _, err := q.row(`SELECT COUNT(*) FROM targets WHERE workspace_id = ?`, []any{by.Workspace}, &all); err != nil {
			return err
		}
		if all >= maxTargets {
			return survey.Errorf(survey.Conflict, "", "a workspace has at most %d targets; delete one first", maxTargets)
		}
		out = survey.NewTarget(terms)
		out.ID, out.CreatedAt, out.UpdatedAt = newID(), q.now, q.now
		touchpoint, definition, err := q.targetTerms(terms)
		if err != nil {
			return err
		}
		if _, err := q.exec(`INSERT INTO targets (workspace_id, id, touchpoint_id, definition, state, since, judged, drop_look, next_at,
			revision, created_at, updated_at) VALUES (?, ?, ?, ?, ?, NULL, NULL, NULL, ?, 1, ?, ?)`, by.Workspace, out.ID, touchpoint,
			definition, string(out.State), q.now, q.now, q.now); err != nil {
			return err
		}
		q.resource = out.ID.String()
		if err := q.saveTold(out); err != nil {
			return err
		}
		return q.audit("target.created", out.ID.String(), terms.String())
	})
	return out, err
}

// targetTerms are terms as they are kept, with the touchpoint that they name.
func (q *session) targetTerms(terms survey.TargetTerms) (touchpoint *survey.ID, definition string, err error) {
	if terms.Touchpoint != "" {
		found, known, err := q.touchpointID(terms.Touchpoint)
		if err != nil {
			return nil, "", err
		}
		if !known {
			return nil, "", survey.Errorf(survey.Invalid, "touchpoint",
				"there is no touchpoint %q; create it, or a survey that names it, first", terms.Touchpoint)
		}
		touchpoint = &found
	}
	if !q.by.Scope.seesTarget(terms) {
		return nil, "", survey.Errorf(survey.Invalid, "touchpoint", "must be one of those that you are limited to")
	}
	terms.Notify = nil // members are named by their ids, so that they keep their names
	definition, err = asJSON(terms)
	return touchpoint, definition, err
}

// saveTold keeps who is told.
func (q *session) saveTold(t survey.Target) error {
	if _, err := q.exec(`DELETE FROM target_members WHERE workspace_id = ? AND target_id = ?`, q.by.Workspace, t.ID); err != nil {
		return err
	}
	var p survey.Problems
	for i, address := range t.Notify {
		var member id
		known, err := q.row(`SELECT id FROM workspace_members WHERE workspace_id = ? AND email = ?`+q.forChange(), []any{q.by.Workspace, address}, &member)
		if err != nil {
			return err
		}
		if !known {
			p.Add(fmt.Sprintf("notify[%d]", i), "unknown", "is no member of this workspace; invite them first (POST /v1/members)")
			continue
		}
		if _, err := q.exec(`INSERT INTO target_members (workspace_id, target_id, member_id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`,
			q.by.Workspace, t.ID, member); err != nil {
			return err
		}
	}
	return p.Err()
}

// told are the addresses of the members who are told of each of these targets.
func (q *session) told(targets ...survey.ID) (map[survey.ID][]string, error) {
	of := map[survey.ID][]string{}
	args := []any{q.by.Workspace}
	for _, one := range targets {
		args, of[one] = append(args, one), []string{}
	}
	if len(targets) == 0 {
		return of, nil
	}
	var target id
	var address string
	return of, q.each(`SELECT t.target_id, m.email FROM target_members t
		JOIN workspace_members m ON m.workspace_id = t.workspace_id AND m.id = t.member_id
		WHERE t.workspace_id = ? AND t.target_id IN (`+marks(len(targets))+`) ORDER BY m.email`, args, []any{&target, &address}, func() error {
		of[survey.ID(target)] = append(of[survey.ID(target)], address)
		return nil
	})
}

var errNoTarget = survey.Errorf(survey.NotFound, "", "there is no such target")

func (q *session) targetRow(of survey.ID, lock string) (targetRow, error) {
	var row targetRow
	found, err := q.find(&row, `SELECT `+targetColumns+` FROM targets WHERE workspace_id = ? AND id = ?`+lock, q.by.Workspace, of)
	if err == nil && !found {
		err = errNoTarget
	}
	return row, err
}

// target loads a target with whom it tells, and its revision.
func (q *session) target(of survey.ID, lock string) (survey.Target, int64, error) {
	row, err := q.targetRow(of, lock)
	if err != nil {
		return survey.Target{}, 0, err
	}
	t, err := row.target()
	if err == nil && !q.by.Scope.seesTarget(t.TargetTerms) {
		err = errNoTarget
	}
	if err != nil {
		return t, 0, err
	}
	told, err := q.told(of)
	t.Notify = told[of]
	return t, row.Revision, err
}

// seesTarget is true for the targets of a member: those of the touchpoints that
// they are limited to. Whoever is limited to a segment sees none, since targets
// are of all segments.
func (s Scope) seesTarget(terms survey.TargetTerms) bool {
	return s.Segment == nil && (len(s.Touchpoints) == 0 || slices.Contains(s.Touchpoints, terms.Touchpoint))
}

// Target shows a target as it was last judged.
func (s *Store) Target(ctx context.Context, by Caller, of survey.ID) (survey.Target, error) {
	t, _, err := s.reading(ctx, by).target(of, "")
	return t, away(err)
}

// TargetFilter narrows a list of targets; empty fields do not.
type TargetFilter struct {
	Touchpoint string
	State      scoring.Standing
}

// Targets lists the newest first, as they were last judged. An unknown
// touchpoint is Invalid.
func (s *Store) Targets(ctx context.Context, by Caller, f TargetFilter, page Page) ([]survey.Target, string, error) {
	q := s.reading(ctx, by)
	where, args := []string{"workspace_id = ?"}, []any{by.Workspace}
	if f.Touchpoint != "" {
		touchpoint, known, err := q.touchpointID(f.Touchpoint)
		if err == nil && !known {
			err = survey.Errorf(survey.Invalid, "touchpoint", "does not exist in this workspace")
		}
		if err != nil {
			return nil, "", away(err)
		}
		where, args = append(where, "touchpoint_id = ?"), append(args, touchpoint)
	}
	if by.Scope.Segment != nil {
		return nil, "", nil
	}
	seen, all, err := q.touchpointsSeen()
	if err != nil {
		return nil, "", away(err)
	}
	if !all {
		where, args = append(where, "(1 = 0"+strings.Repeat(" OR touchpoint_id = ?", len(seen))+")"), append(args, seen...)
	}
	if f.State != "" {
		where, args = append(where, "state = ?"), append(args, string(f.State))
	}
	var rows []targetRow
	next, err := s.newestFirst(q, "targets", f, page, "created_at", where, args, func(tail string, args []any) (int, error) {
		err := q.list(&rows, `SELECT `+targetColumns+` FROM targets`+q.indexedBy("targets_created_at")+tail, args...)
		return len(rows), err
	}, func(i int) (int64, survey.ID) { return rows[i].CreatedAt, survey.ID(rows[i].ID) })
	if err != nil {
		return nil, "", away(err)
	}
	list := make([]survey.Target, min(len(rows), page.Limit))
	ids := make([]survey.ID, len(list))
	for i := range list {
		if list[i], err = rows[i].target(); err != nil {
			return nil, "", err
		}
		ids[i] = list[i].ID
	}
	told, err := q.told(ids...)
	for i := range list {
		list[i].Notify = told[list[i].ID]
	}
	return list, next, away(err)
}

// ChangeTarget changes the terms of a target. Where it looks at another figure,
// or in another way, what was judged holds no more: it is as new, and nobody is
// told of what the next judgement says.
func (s *Store) ChangeTarget(ctx context.Context, by Caller, of survey.ID, change func(*survey.TargetTerms) error) (out survey.Target, err error) {
	err = s.write(ctx, by, func(q *session) error {
		before, revision, err := q.target(of, q.forUpdate())
		if err != nil {
			return err
		}
		terms := before.TargetTerms
		terms.Notify = slices.Clone(terms.Notify)
		if err := change(&terms); err != nil {
			return err
		}
		if err := terms.Clean(); err != nil {
			return err
		}
		out = survey.NewTarget(terms)
		out.ID, out.CreatedAt, out.UpdatedAt = of, before.CreatedAt, q.now
		if terms.SameFigure(before.TargetTerms) {
			out.State, out.Since, out.Judged = before.State, before.Since, before.Judged
			if terms.UnusualDrop {
				out.Drop = before.Drop
			}
		}
		touchpoint, definition, err := q.targetTerms(terms)
		if err != nil {
			return err
		}
		if err := q.must(`UPDATE targets SET touchpoint_id = ?, definition = ?, updated_at = ? WHERE workspace_id = ? AND id = ?`,
			touchpoint, definition, q.now, by.Workspace, of); err != nil {
			return err
		}
		if _, err := q.saveTargetState(out, q.now, revision); err != nil {
			return err
		}
		if out.State != before.State {
			if err := q.targetChanged(out, revision+1, survey.TargetChange{At: q.now, Kind: survey.ChangedState,
				From: string(before.State), To: string(out.State)}); err != nil {
				return err
			}
		}
		if err := q.saveTold(out); err != nil {
			return err
		}
		return q.audit("target.changed", of.String(), terms.String())
	})
	return out, err
}

// saveTargetState keeps how a target stands, as the revision after the one that
// is given; false where that one is not the latest any more.
func (q *session) saveTargetState(t survey.Target, next survey.Instant, revision int64) (bool, error) {
	var looks [2]any
	if t.Judged != nil {
		text, err := asJSON(t.Judged)
		if err != nil {
			return false, err
		}
		looks[0] = text
	}
	if t.Drop != nil {
		text, err := asJSON(t.Drop)
		if err != nil {
			return false, err
		}
		looks[1] = text
	}
	n, err := q.exec(`UPDATE targets SET state = ?, since = ?, judged = ?, drop_look = ?, next_at = ?, revision = revision + 1
		WHERE workspace_id = ? AND id = ? AND revision = ?`, string(t.State), t.Since, looks[0], looks[1], next, q.by.Workspace, t.ID, revision)
	return n == 1, err
}

// DeleteTarget removes a target with its history, and what was to be told of
// it.
func (s *Store) DeleteTarget(ctx context.Context, by Caller, of survey.ID) error {
	return s.write(ctx, by, func(q *session) error {
		if _, _, err := q.target(of, q.forUpdate()); err != nil {
			return err
		}
		if _, err := q.exec(`DELETE FROM outbox`+q.indexedBy("outbox_kind_state")+` WHERE workspace_id = ? AND kind IN ('webhook', 'notice') AND state = 'waiting' AND event = 'target.changed'
			AND subject_id IN (SELECT id FROM target_changes WHERE workspace_id = ? AND target_id = ?)`, by.Workspace, by.Workspace, of); err != nil {
			return err
		}
		for _, statement := range []string{
			`DELETE FROM target_changes WHERE workspace_id = ? AND target_id = ?`,
			`DELETE FROM target_members WHERE workspace_id = ? AND target_id = ?`,
			`DELETE FROM targets WHERE workspace_id = ? AND id = ?`,
		} {
			if _, err := q.exec(statement, by.Workspace, of); err != nil {
				return err
			}
		}
		return q.audit("target.deleted", of.String(), "")
	})
}
