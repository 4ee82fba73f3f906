package store

import (
	"context"
	"math"
	"slices"

	"koe/survey"
)

type tagRuleRow struct {
	WorkspaceID  int64
	ID           id
	Tag          string
	Keywords     string
	TouchpointID id
	Applied      bool
	Matched      int64
	CreatedAt    int64
	UpdatedAt    int64
}

const tagRuleColumns = `workspace_id, id, tag, keywords, touchpoint_id, applied, matched, created_at, updated_at`

func (q *session) tagRuleOf(r tagRuleRow) (survey.TagRule, error) {
	out := survey.TagRule{ID: survey.ID(r.ID), Tag: r.Tag, Applied: r.Applied, Matched: r.Matched,
		CreatedAt: survey.Instant(r.CreatedAt), UpdatedAt: survey.Instant(r.UpdatedAt)}
	if err := fromJSON(r.Keywords, &out.Keywords); err != nil {
		return out, err
	}
	var err error
	if of := r.TouchpointID.orNil(); of != nil {
		out.Touchpoint, err = q.touchpointKey(*of)
	}
	return out, err
}

// writesRule refuses members a rule about answers that they do not see.
func (s Scope) writesRule(touchpoint string) error {
	if s.Segment != nil || len(s.Touchpoints) > 0 && !slices.Contains(s.Touchpoints, touchpoint) {
		return survey.Errorf(survey.Forbidden, "", "this rule is about answers that you do not see")
	}
	return nil
}

// maxTagRules keeps what one comment is compared with within bounds.
const maxTagRules = 100

// CreateTagRule makes a rule. Answers that come from now on are tagged by it at
// once; ApplyTagRules looks at those that are there. Errors: Invalid with the
// fields, Conflict where there are 100 rules.
func (s *Store) CreateTagRule(ctx context.Context, by Caller, r survey.TagRule) (out survey.TagRule, err error) {
	if err := r.Clean(); err != nil {
		return r, err
	}
	if err := by.Scope.writesRule(r.Touchpoint); err != nil {
		return r, err
	}
	err = s.write(ctx, by, func(q *session) error {
		row := tagRuleRow{WorkspaceID: by.Workspace, ID: id(newID()), CreatedAt: int64(q.now)}
		if err := q.lockTagRules(); err != nil {
			return err
		}
		var all int
		if _, err := q.row(`SELECT COUNT(*) FROM tag_rules WHERE workspace_id = ?`, []any{by.Workspace}, &all); err != nil {
			return err
		}
		if all >= maxTagRules {
			return survey.Errorf(survey.Conflict, "", "a workspace has at most %d tag rules; delete one first, or add keywords to one", maxTagRules)
		}
		if err := q.fillTagRule(&row, r); err != nil {
			return err
		}
		if _, err := q.exec(`INSERT INTO tag_rules (`+tagRuleColumns+`) VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?)`, row.WorkspaceID, row.ID, row.Tag,
			row.Keywords, row.TouchpointID.orNil(), false, row.CreatedAt, row.UpdatedAt); err != nil {
			return err
		}
		if err := q.tagRulesChanged(); err != nil {
			return err
		}
		q.resource = survey.ID(row.ID).String()
		if out, err = q.tagRuleOf(row); err != nil {
			return err
		}
		return q.audit("tag_rule.created", survey.ID(row.ID).String(), row.Tag)
	})
	return out, err
}

// ChangeTagRule changes a rule; change may run more than once. What it put on
// answers that it no longer matches is taken away by ApplyTagRules. Errors:
// NotFound, Invalid with the fields.
func (s *Store) ChangeTagRule(ctx context.Context, by Caller, of survey.ID, change func(*survey.TagRule) error) (out survey.TagRule, err error) {
	err = s.write(ctx, by, func(q *session) error {
		if err := q.lockTagRules(); err != nil {
			return err
		}
		row, err := q.tagRuleRow(of)
		if err != nil {
			return err
		}
		before := row
		now, err := q.tagRuleOf(row)
		if err != nil {
			return err
		}
		if err := by.Scope.writesRule(now.Touchpoint); err != nil {
			return err
		}
		if err := change(&now); err != nil {
			return err
		}
		if err := now.Clean(); err != nil {
			return err
		}
		if err := by.Scope.writesRule(now.Touchpoint); err != nil {
			return err
		}
		if err := q.fillTagRule(&row, now); err != nil {
			return err
		}
		if row.Tag == before.Tag && row.Keywords == before.Keywords && row.TouchpointID == before.TouchpointID {
			out, err = q.tagRuleOf(before)
			return err
		}
		row.Applied, row.Matched = false, 0
		if err := q.must(`UPDATE tag_rules SET tag = ?, keywords = ?, touchpoint_id = ?, applied = ?, matched = 0, updated_at = ?
			WHERE workspace_id = ? AND id = ?`, row.Tag, row.Keywords, row.TouchpointID.orNil(), false, row.UpdatedAt, by.Workspace, row.ID); err != nil {
			return err
		}
		if err := q.tagRulesChanged(); err != nil {
			return err
		}
		if out, err = q.tagRuleOf(row); err != nil {
			return err
		}
		return q.audit("tag_rule.changed", of.String(), row.Tag)
	})
	return out, err
}

// DeleteTagRule removes a rule; the tags that only it gave are taken away by
// ApplyTagRules. Errors: NotFound.
func (s *Store) DeleteTagRule(ctx context.Context, by Caller, of survey.ID) error {
	return s.write(ctx, by, func(q *session) error {
		if err := q.lockTagRules(); err != nil {
			return err
		}
		row, err := q.tagRuleRow(of)
		if err != nil {
			return err
		}
		rule, err := q.tagRuleOf(row)
		if err != nil {
			return err
		}
		if err := by.Scope.writesRule(rule.Touchpoint); err != nil {
			return err
		}
		if err := q.must(`DELETE FROM tag_rules WHERE workspace_id = ? AND id = ?`, by.Workspace, of); err != nil {
			return err
		}
		if err := q.tagRulesChanged(); err != nil {
			return err
		}
		return q.audit("tag_rule.deleted", of.String(), row.Tag)
	})
}

// fillTagRule puts into a row what a rule says.
func (q *session) fillTagRule(row *tagRuleRow, r survey.TagRule) (err error) {
	row.Tag, row.UpdatedAt, row.TouchpointID = r.Tag, int64(q.now), id{}
	if row.Keywords, err = asJSON(r.Keywords); err != nil || r.Touchpoint == "" {
		return err
	}
	touchpoint, found, err := q.touchpointID(r.Touchpoint)
	if err == nil && !found {
		err = survey.Errorf(survey.Invalid, "touchpoint", "does not exist in this workspace")
	}
	row.TouchpointID = id(touchpoint)
	return err
}

// lockTagRules waits until nobody is tagging by the rules, and lets nobody begin
// to until the transaction ends.
func (q *session) lockTagRules() error {
	_, err := q.calendar(q.forUpdate())
	return err
}

// tagRulesChanged gives the rules another id, and has all answers looked at anew.
func (q *session) tagRulesChanged() error {
	var one int
	left, err := q.row(`SELECT 1 FROM tag_rules WHERE workspace_id = ? LIMIT 1`, []any{q.by.Workspace}, &one)
	if err != nil {
		return err
	}
	var rules id
	if left {
		rules = id(newID())
	}
	if err := q.must(`UPDATE workspaces SET tag_rules = ? WHERE id = ?`, rules.orNil(), q.by.Workspace); err != nil {
		return err
	}
	if _, err := q.exec(`INSERT INTO tag_passes (workspace_id, responded_at, response_id) VALUES (?, ?, ?)
		ON CONFLICT (workspace_id) DO UPDATE SET responded_at = excluded.responded_at, response_id = excluded.response_id`,
		q.by.Workspace, int64(math.MinInt64), survey.ID{}); err != nil {
		return err
	}
	q.shared.forget() // the calendar names other rules
	_, err = q.exec(`UPDATE tag_rules SET matched = 0 WHERE workspace_id = ? AND applied = ?`, q.by.Workspace, false)
	return err
}

var errNoTagRule = survey.Errorf(survey.NotFound, "", "there is no such tag rule")

func (q *session) tagRuleRow(of survey.ID) (tagRuleRow, error) {
	var row tagRuleRow
	found, err := q.find(&row, `SELECT `+tagRuleColumns+` FROM tag_rules WHERE workspace_id = ? AND id = ?`, q.by.Workspace, of)
	if err == nil && !found {
		err = errNoTagRule
	}
	return row, err
}

// TagRule shows a rule.
func (s *Store) TagRule(ctx context.Context, by Caller, of survey.ID) (survey.TagRule, error) {
	q := s.reading(ctx, by)
	row, err := q.tagRuleRow(of)
	if err != nil {
		return survey.TagRule{}, away(err)
	}
	r, err := q.tagRuleOf(row)
	if err == nil && by.Scope.writesRule(r.Touchpoint) != nil { // as in the list
		return survey.TagRule{}, errNoTagRule
	}
	return r, away(err)
}

// TagRules lists the newest first.
func (s *Store) TagRules(ctx context.Context, by Caller, page Page) ([]survey.TagRule, string, error) {
	q := s.reading(ctx, by)
	if by.Scope.Segment != nil { // a rule is about answers of all segments
		return []survey.TagRule{}, "", nil
	}
	where, args := []string{"workspace_id = ?"}, []any{by.Workspace}
	if err := q.touchpointScope(func(condition string, more ...any) {
		where, args = append(where, condition), append(args, more...)
	}); err != nil {
		return nil, "", away(err)
	}
	var rows []tagRuleRow
	next, err := s.newestFirst(q, "tag rules", nil, page, "created_at", where, args,
		func(tail string, args []any) (int, error) {
			err := q.list(&rows, `SELECT `+tagRuleColumns+` FROM tag_rules`+tail, args...)
			return len(rows), err
		}, func(i int) (int64, survey.ID) { return rows[i].CreatedAt, survey.ID(rows[i].ID) })
	if err != nil {
		return nil, "", away(err)
	}
	list := make([]survey.TagRule, min(len(rows), page.Limit))
	for i := range list {
		if list[i], err = q.tagRuleOf(rows[i]); err != nil {
			return nil, "", away(err)
		}
	}
	return list, next, nil
}
