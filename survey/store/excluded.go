package store

import (
	"slices"

	"koe/scoring"
)

// excluded is how many answers of the scope in a span are left out of its
// scores: those that came oddly by an open link, or that an editor left out.
// They are few, and have an index of their own.
func (n *counter) excluded(metric scoring.Metric, in Span) (count int64, err error) {
	of := slices.DeleteFunc(slices.Clone(n.scope.measures), func(one int64) bool { return metric != "" && measureOf(one).Metric != metric })
	if len(of) == 0 {
		return 0, nil
	}
	scoped := *n.scope
	scoped.measures = of
	narrow := &counter{session: n.session, scope: &scoped}
	where, args := narrow.places()
	where += " AND excluded_reason IS NOT NULL"
	if in.From != nil {
		where, args = where+" AND responded_at >= ?", append(args, *in.From)
	}
	if in.To != nil {
		where, args = where+" AND responded_at < ?", append(args, *in.To)
	}
	where, args = narrow.narrowed(where, args)
	if n.scope.Tag != "" {
		n.textConditions(ResponseFilter{Tag: n.scope.Tag}, func(condition string, values ...any) {
			where, args = where+" AND "+condition, append(args, values...)
		})
	}
	from := `responses`
	if !n.postgres { // SQLite, which has no statistics, would read every answer of the range instead
		from += ` INDEXED BY responses_excluded`
	}
	_, err = n.row(`SELECT COUNT(*) FROM `+from+` WHERE `+where, args, &count)
	return count, err
}
