package store

import (
	"slices"

	"koe/scoring"
	"koe/survey"
)

// Rates count the invitations that went out in a span, and what became of them
// until now. Delivered is invited less bounced; opened is a best effort.
type Rates struct {
	Invited, Delivered, Opened, Answered, Commented int64
}

func (r *Rates) add(by cohort) {
	r.Invited += by.sent
	r.Delivered += by.sent - by.bounced
	r.Opened += by.opened
	r.Answered += by.answered
	r.Commented += by.commented
}

// rates counts the cohort of a span. With a metric it is of the surveys that
// measure it.
func (n *counter) rates(metric scoring.Metric, span Span) (*Rates, error) {
	n.scope.Metric = metric
	cut := cutSpans([]Span{span}, n.calendar.loc)
	dimension, value, ok := n.scope.segmentDimension()
	out := &Rates{}
	for _, p := range cut.all {
		count := n.invitationRows
		if ok && p.days && !n.calendar.rebuild.running() {
			count = func(p piece, into *Rates) error { return n.invitationDays(p, dimension, value, into) }
		} else {
			n.counted = true
		}
		if err := count(p, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// senders narrows invitations by touchpoint and survey; of a metric, to the
// surveys that measure it.
func (n *counter) senders() (string, []any) {
	where, args := "workspace_id = ?", []any{n.by.Workspace}
	if n.scope.touchpoint != nil {
		where, args = where+" AND touchpoint_id = ?", append(args, *n.scope.touchpoint)
	}
	if n.scope.one != nil {
		where, args = where+" AND survey_id = ?", append(args, *n.scope.one)
	}
	where, args = n.scope.withinScope(n.by, where, args)
	if n.scope.Metric == "" {
		return where, args
	}
	var surveys []any
	for _, v := range n.scope.surveys {
		if v.MeasureID != nil && slices.Contains(n.scope.measures, *v.MeasureID) {
			surveys = append(surveys, v.ID)
		}
	}
	if len(surveys) == 0 {
		return where + " AND 1 = 0", args
	}
	return where + " AND survey_id IN (" + marks(len(surveys)) + ")", append(args, surveys...)
}

// invitationDays takes whole days from the tallies.
func (n *counter) invitationDays(p piece, dimension, value string, into *Rates) error {
	where, args := n.senders()
	where, args = where+" AND generation = ? AND dimension = ? AND value = ? AND day >= ? AND day < ?",
		append(args, n.calendar.generation, dimension, value, p.first, p.after)
	const sums = `SELECT COALESCE(SUM(sent), 0), COALESCE(SUM(bounced), 0), COALESCE(SUM(opened), 0), COALESCE(SUM(answered), 0),
		COALESCE(SUM(commented), 0) FROM `
	query := sums + "invitation_tallies WHERE " + where
	if n.postgres {
		query += " UNION ALL " + sums + "invitation_tally_deltas WHERE " + where
		args = append(slices.Clone(args), args...)
	}
	var by cohort
	return n.each(query, args, by.into(), func() error { into.add(by); return nil })
}

func (by *cohort) into() []any {
	return []any{&by.sent, &by.bounced, &by.opened, &by.answered, &by.commented}
}

// invitationRows counts the invitations themselves.
func (n *counter) invitationRows(p piece, into *Rates) error {
	where, args := n.senders()
	where, args = where+" AND cohort_at >= ? AND cohort_at < ?", append(args, p.from, p.to)
	where, args = n.narrowed(where, args)
	var by cohort
	return n.each(`SELECT COUNT(*), COUNT(bounced_at), COUNT(opened_at), COUNT(CASE WHEN state = ? THEN 1 END), COUNT(CASE WHEN commented THEN 1 END)
		FROM invitations WHERE `+where, append([]any{string(survey.InvitationAnswered)}, args...), by.into(),
		func() error { into.add(by); return nil })
}
