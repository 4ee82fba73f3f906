package report

import (
	"cmp"
	"slices"

	"koe/scoring"
)

// Ranked is a copy of groups in an order that does not put three lucky answers
// on top: those of enough answers first, by the end of their interval that they
// are at least as good as; below them those of too few, by how many they have.
// Groups that are level keep their order.
func Ranked(groups []Group) []Group {
	ranked := slices.Clone(groups)
	slices.SortStableFunc(ranked, func(a, b Group) int {
		switch {
		case a.Reliable != b.Reliable:
			if a.Reliable {
				return -1
			}
			return 1
		case !a.Reliable:
			return cmp.Compare(b.Responses, a.Responses)
		}
		return cmp.Compare(atLeast(b.Result), atLeast(a.Result))
	})
	return ranked
}

// atLeast is how good a result is at the bad end of its interval; higher is
// better.
func atLeast(r scoring.Result) float64 {
	lower := r.Direction == "lower_is_better"
	switch {
	case r.Interval != nil && lower:
		return -r.Interval.High
	case r.Interval != nil:
		return r.Interval.Low
	case r.Score != nil && lower:
		return -*r.Score
	case r.Score != nil:
		return *r.Score
	}
	return 0
}
