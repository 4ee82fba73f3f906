package store

import (
	"context"
	"slices"

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

// Rates counts the cohorts of several spans, one result each; source is as in
// Counted. With a metric they are of the surveys that measure it. Invitations
// have no tags: with a tag there are no rates, and the list is nil.
func (s *Store) Rates(ctx context.Context, by Caller, f ScoreFilter, spans []Span) (rates []Rates, source string, err error) {
	if f.Tag != "" {
		return nil, "", nil
	}
	q := s.reading(ctx, by)
	for try := 0; ; try++ {
		c, err := q.calendar("")
		if err != nil {
			return nil, "", away(err)
		}
		rates, source, err = s.rates(q, c, f, spans)
		if err != nil {
			return nil, "", away(err)
		}
		now, err := q.calendar("")
		if err != nil || now.generation == c.generation && now.rebuild.generation == c.rebuild.generation || try == 5 {
			return rates, source, away(err)
		}
	}
}

func (s *Store) rates(q *session, c calendar, f ScoreFilter, spans []Span) ([]Rates, string, error) {
	scope, err := s.scopeOf(q, f, "")
	if err != nil {
		return nil, "", err
	}
	n := &counter{session: q, store: s, calendar: c, scope: scope}
	cut := cutSpans(spans, c.loc)
	pieces := make([]Rates, len(cut.all))
	dimension, value, ok := scope.segmentDimension()
	ok = ok && !c.rebuild.running()
	days := slices.Clone(cut.all)
	for i, p := range cut.all {
		if p.empty() || ok && p.days {
			continue
		}
		days[i] = piece{}
		n.counted = true
		if err := n.invitationRows(p, &pieces[i]); err != nil {
			return nil, "", err
		}
	}
	if ok {
		if err := n.invitationDays(days, dimension, value, pieces); err != nil {
			return nil, "", err
		}
	}
	out := make([]Rates, len(spans))
	for i, run := range cut.runs {
		for _, r := range pieces[run[0]:run[1]] {
			out[i].Invited += r.Invited
			out[i].Delivered += r.Delivered
			out[i].Opened += r.Opened
			out[i].Answered += r.Answered
			out[i].Commented += r.Commented
		}
	}
	if n.counted {
		return out, "rows", nil
	}
	return out, "tallies", nil
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
func (n *counter) invitationDays(days []piece, dimension, value string, into []Rates) error {
	for i, p := range days {
		if p.empty() {
			continue
		}
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
		if err := n.each(query, args, by.into(), func() error { into[i].add(by); return nil }); err != nil {
			return err
		}
	}
	return nil
}

func (c *cohort) into() []any {
	return []any{&c.sent, &c.bounced, &c.opened, &c.answered, &c.commented}
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
