package store

import (
	"context"

	"koe/scoring"
	"koe/survey"
)

// DueTarget is a target of which something can be judged.
type DueTarget struct {
	Workspace int64
	Target    survey.ID
}

// DueTargets are at most n targets that are due, the longest first.
func (s *Store) DueTargets(ctx context.Context, n int) ([]DueTarget, error) {
	q := s.reading(ctx, Caller{})
	var due []DueTarget
	var one DueTarget
	var of id
	err := q.each(`SELECT workspace_id, id FROM targets`+q.indexedBy("targets_next_at")+` WHERE next_at <= ? ORDER BY next_at LIMIT ?`,
		[]any{q.now, n}, []any{&one.Workspace, &of}, func() error {
			one.Target = survey.ID(of)
			due = append(due, one)
			return nil
		})
	return due, away(err)
}

// JudgeTarget judges the period that has ended, and the day to be looked at for
// a drop, where that was not done yet. Members and webhooks are told of what
// changes in the transaction that keeps it. Any number of processes may judge at
// once: one of them is first, and the others change nothing. A target that is
// gone is none that is due.
func (s *Store) JudgeTarget(ctx context.Context, due DueTarget) error {
	by := Caller{Workspace: due.Workspace, KeyName: "koe"}
	var after survey.Target
	var changes []survey.TargetChange
	var revision int64
	var next survey.Instant
	err := s.snapshot(ctx, by, func(q *session) (err error) {
		changes = nil
		if after, revision, err = q.target(due.Target, ""); err != nil {
			return err
		}
		c, err := q.calendar("")
		if err != nil {
			return err
		}
		period, day := after.ToJudge(q.now, c.loc)
		if period != nil {
			look, err := s.targetLook(q, after.TargetTerms, *period)
			if err != nil {
				return err
			}
			var change *survey.TargetChange
			if after, change = after.AfterPeriod(look, q.now); change != nil {
				changes = append(changes, *change)
			}
		}
		if day != nil {
			change, err := s.lookForDrop(q, &after, *day, survey.DropSpans(*day, c.loc))
			if err != nil {
				return err
			}
			if change != nil {
				changes = append(changes, *change)
			}
		}
		next = after.NextLook(q.now, c.loc)
		return nil
	})
	if isNotFound(err) {
		return nil
	}
	if err != nil {
		return away(err)
	}
	return s.write(ctx, by, func(q *session) error {
		first, err := q.saveTargetState(after, next, revision)
		if err != nil || !first {
			return err
		}
		for _, change := range changes {
			if err := q.targetChanged(after, revision+1, change); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Store) lookForDrop(q *session, t *survey.Target, day survey.Day, spans []survey.Period) (*survey.TargetChange, error) {
	cells, err := s.targetScores(q, t.TargetTerms, spans)
	if err != nil {
		return nil, err
	}
	drop, err := scoring.DropOf(cells[0], cells[1:], t.Minimum)
	if err != nil {
		return nil, err
	}
	after, change := t.AfterDrop(day, drop, q.now)
	*t = after
	return change, nil
}

// targetChanged keeps a change with the revision that it makes, and puts what is
// to be told into the outbox.
func (q *session) targetChanged(t survey.Target, revision int64, change survey.TargetChange) error {
	change.ID = newID()
	detail, err := asJSON(targetDetail{change.Look, change.Drop})
	if err != nil {
		return err
	}
	if _, err := q.exec(`INSERT INTO target_changes (workspace_id, id, target_id, revision, at, kind, was, became, told, detail)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, q.by.Workspace, change.ID, t.ID, revision, change.At, change.Kind, change.From, change.To, change.Told,
		detail); err != nil || !change.Told {
		return err
	}
	if err := q.emit(survey.EventTargetChanged, change.ID, nil); err != nil {
		return err
	}
	var members []workspaceMemberRow
	if err := q.list(&members, `SELECT m.email, m.locale, m.touchpoints, m.segment FROM target_members t
		JOIN workspace_members m ON m.workspace_id = t.workspace_id AND m.id = t.member_id
		WHERE t.workspace_id = ? AND t.target_id = ? AND m.email <> '' ORDER BY m.email`, q.by.Workspace, t.ID); err != nil {
		return err
	}
	for _, row := range members {
		m, err := row.member()
		if err != nil {
			return err
		}
		if !ScopeOf(m).seesTarget(t.TargetTerms) { // limited since
			continue
		}
		if err := q.notify(survey.EventTargetChanged, change.ID, m.Email, nil); err != nil {
			return err
		}
	}
	return nil
}

// targetDetail is what a change is about, as it is kept.
type targetDetail struct {
	Look *survey.TargetLook `json:"look,omitempty"`
	Drop *survey.TargetDrop `json:"drop,omitempty"`
}

type targetChangeRow struct {
	ID       id
	TargetID id
	At       int64
	Kind     string
	Was      string
	Became   string
	Told     bool
	Detail   string
}

const targetChangeColumns = `id, target_id, at, kind, was, became, told, detail`

func (r targetChangeRow) change() (survey.TargetChange, error) {
	var detail targetDetail
	err := fromJSON(r.Detail, &detail)
	return survey.TargetChange{ID: survey.ID(r.ID), At: survey.Instant(r.At), Kind: r.Kind, From: r.Was, To: r.Became, Told: r.Told,
		Look: detail.Look, Drop: detail.Drop}, err
}

// maxTargetChanges is how much of a target's history is shown.
const maxTargetChanges = 100

// TargetChanges are the latest changes of a target, the newest first.
func (s *Store) TargetChanges(ctx context.Context, by Caller, of survey.ID) ([]survey.TargetChange, error) {
	q := s.reading(ctx, by)
	var rows []targetChangeRow
	if err := q.list(&rows, `SELECT `+targetChangeColumns+` FROM target_changes`+q.indexedBy("target_changes_target_id")+`
		WHERE workspace_id = ? AND target_id = ? ORDER BY revision DESC, id DESC LIMIT ?`, by.Workspace, of, maxTargetChanges); err != nil {
		return nil, away(err)
	}
	changes := make([]survey.TargetChange, len(rows))
	for i, row := range rows {
		var err error
		if changes[i], err = row.change(); err != nil {
			return nil, err
		}
	}
	return changes, nil
}

// TargetChanged is a change with the target that it is of, as that is now.
type TargetChanged struct {
	Target survey.Target
	Change survey.TargetChange
}

// targetChange finds a change by its id.
func (s *Store) targetChange(ctx context.Context, by Caller, of survey.ID) (out TargetChanged, err error) {
	q := s.reading(ctx, by)
	var row targetChangeRow
	found, err := q.find(&row, `SELECT `+targetChangeColumns+` FROM target_changes WHERE workspace_id = ? AND id = ?`, by.Workspace, of)
	if err == nil && !found {
		err = errNoTarget
	}
	if err != nil {
		return out, away(err)
	}
	if out.Change, err = row.change(); err != nil {
		return out, err
	}
	out.Target, _, err = q.target(survey.ID(row.TargetID), "")
	return out, away(err)
}

// TargetMail is what a notice of a change is written of.
type TargetMail struct {
	TargetChanged
	Locale   string // of the member who is told
	Unwanted string // why they are not told after all; "" where they are
}

// TargetMail looks up what a notice of a change says, as it is now.
func (s *Store) TargetMail(ctx context.Context, d Dispatch) (m TargetMail, err error) {
	by := Caller{Workspace: d.Workspace}
	if m.TargetChanged, err = s.targetChange(ctx, by, d.Subject); isNotFound(err) {
		return TargetMail{Unwanted: "the target is gone"}, nil
	}
	if err != nil {
		return m, err
	}
	reader, found, err := s.reading(ctx, by).memberByAddress(d.To)
	if err != nil {
		return m, away(err)
	}
	if !found || !ScopeOf(reader).seesTarget(m.Target.TargetTerms) {
		m.Unwanted = "they do not see the target any more"
	}
	m.Locale = reader.Locale
	return m, nil
}

// TargetGauges is what monitoring reads of the targets of all workspaces.
type TargetGauges struct {
	States map[scoring.Standing]int64
	Due    int64 // that can be judged and are not yet
}

// TargetGauges counts through indexes alone.
func (s *Store) TargetGauges(ctx context.Context) (TargetGauges, error) {
	q := s.reading(ctx, Caller{})
	g := TargetGauges{States: map[scoring.Standing]int64{scoring.Met: 0, scoring.AtRisk: 0, scoring.Breached: 0, scoring.Insufficient: 0}}
	var state string
	var n int64
	if err := q.each(`SELECT state, COUNT(*) FROM targets`+q.indexedBy("targets_state")+` GROUP BY state`, nil, []any{&state, &n}, func() error {
		g.States[scoring.Standing(state)] = n
		return nil
	}); err != nil {
		return g, away(err)
	}
	_, err := q.row(`SELECT COUNT(*) FROM targets`+q.indexedBy("targets_next_at")+` WHERE next_at <= ?`, []any{q.now}, &g.Due)
	return g, away(err)
}
