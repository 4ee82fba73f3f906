package store

import (
	"context"

	"koe/survey"
)

// tendedAtOnce bounds one transaction.
const tendedAtOnce = 100

// TendFollowUps escalates what is overdue, each once, and closes what a customer
// was asked about in vain; it says how many that were. Of several processes one
// does it.
func (s *Store) TendFollowUps(ctx context.Context) (int, error) {
	escalated, err := s.tend(ctx, "escalate_at", s.escalate)
	if err != nil {
		return escalated, err
	}
	closed, err := s.tend(ctx, "confirm_by", func(q *session, row followUpRow) error { return q.unconfirmed(row, noAnswer) })
	return escalated + closed, err
}

// tend does what is due by one of the instants of a follow-up.
func (s *Store) tend(ctx context.Context, instant string, do func(*session, followUpRow) error) (n int, err error) {
	reading := s.reading(ctx, Caller{})
	due := ` FROM follow_ups` + reading.indexedBy("follow_ups_"+instant) + ` WHERE ` + instant + ` IS NOT NULL AND ` + instant + ` <= ?`
	var one int
	if found, err := reading.row(`SELECT 1`+due+` LIMIT 1`, []any{reading.now}, &one); err != nil || !found {
		return 0, away(err)
	}
	err = s.write(ctx, Caller{}, func(q *session) error {
		var rows []followUpRow
		if err := q.list(&rows, `SELECT `+followUpColumns+due+` ORDER BY `+instant+` LIMIT ?`+q.skipLocked(), q.now, tendedAtOnce); err != nil {
			return err
		}
		n = len(rows)
		for _, row := range rows {
			q.by.Workspace = row.WorkspaceID
			if err := do(q, row); err != nil {
				return err
			}
		}
		return nil
	})
	return n, err
}

// escalate mails whom the survey's rule names now.
func (s *Store) escalate(q *session, row followUpRow) error {
	place, err := s.surveyPlace(q, survey.ID(row.SurveyID))
	if err != nil {
		return err
	}
	row.EscalateAt = nil
	if to := ruleOf(place.Survey).EscalateTo; to != "" && row.State != string(survey.FollowUpResolved) {
		row.EscalatedAt, row.UpdatedAt = (*int64)(&q.now), int64(q.now)
		if _, err := q.notifyAt(survey.EventFollowUpOverdue, survey.ID(row.ID), to, row.PersonID.orNil(), q.now); err != nil {
			return err
		}
		if err := q.event(aboutFollowUp, survey.ID(row.ID), "escalated", "", ""); err != nil {
			return err
		}
	}
	return q.saveFollowUp(row)
}

// FollowUpGauges is what monitoring reads of the follow-ups of all workspaces;
// every count ends at SummaryCap.
type FollowUpGauges struct {
	Open, Overdue, Unowned int
}

// FollowUpGauges counts what is not resolved.
func (s *Store) FollowUpGauges(ctx context.Context) (g FollowUpGauges, err error) {
	q := s.reading(ctx, Caller{})
	count := func(index, more string) string {
		return `COALESCE(CAST(SUM((SELECT COUNT(*) FROM (SELECT 1 FROM follow_ups f` + q.indexedBy(index) + ` WHERE f.workspace_id = w.id AND f.state <> 'resolved'` +
			more + ` LIMIT ?) AS part)) AS bigint), 0)`
	}
	_, err = q.row(`SELECT `+count("follow_ups_due_at", "")+`, `+count("follow_ups_due_at", " AND f.due_at <= ?")+`, `+
		count("follow_ups_unowned", " AND f.owner_id IS NULL")+` FROM workspaces w`,
		[]any{SummaryCap, q.now, SummaryCap, SummaryCap}, &g.Open, &g.Overdue, &g.Unowned)
	return FollowUpGauges{min(g.Open, SummaryCap), min(g.Overdue, SummaryCap), min(g.Unowned, SummaryCap)}, away(err)
}
