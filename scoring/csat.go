package scoring

import (
	"fmt"
	"math"
	"strings"
)

// CSAT, customer satisfaction, asks "How satisfied were you?" on a scale such as
// 1 to 5. Its score is the share of satisfied answers in percent, mostly those
// of the top two points (4 and 5 of 5), from 0 to 100. The mean of the answers
// is a different figure and stands beside it: everybody giving a 3 and half
// giving 1, half 5 have the same mean of 3, but a CSAT of 0 and of 50.
//
// Answers in between count in "percent of all": 7 satisfied, 1 neutral and 2
// dissatisfied are a CSAT of 70, not 7 of 9.

// scoreCSAT judges cells of one or several CSAT measures together. Satisfied
// over all has a meaning across scales, which mean and distribution do not. The
// group "neutral" is there if one of the scales has a neutral point; what is
// neither satisfied nor neutral is dissatisfied.
func scoreCSAT(cells []Cell, level float64) Result {
	satisfied, n := satisfiedOf(cells)
	var neutral int64
	hasNeutral := false
	for _, cell := range cells {
		if middle, ok := cell.Measure.neutral(); ok {
			hasNeutral = true
			neutral += cell.Histogram[middle]
		}
	}
	groups := Groups[int64]{{"satisfied", satisfied}}
	if hasNeutral {
		groups = append(groups, Group[int64]{"neutral", neutral})
	}
	r := newResult(append(groups, Group[int64]{"dissatisfied", n - satisfied - neutral}))
	if r.Responses == 0 {
		return r
	}
	r.Score = new(percent(satisfied, r.Responses))
	r.StandardError = new(shareError(satisfied, r.Responses))
	r.Rounded = new(Round(satisfied, r.Responses))
	low, high := Wilson(satisfied, r.Responses, level)
	r.Interval = newInterval(level, "wilson", low, high)
	return r
}

// neutral is the middle point of a CSAT scale. There is none where the number
// of points is even, or where the middle already counts as satisfied.
func (m Measure) neutral() (middle int, ok bool) {
	middle = (m.Min + m.Max) / 2
	return middle, (m.Min+m.Max)%2 == 0 && middle < m.SatisfiedFrom
}

// shareError is the standard error of a share, in percent points:
// 100 √(p(1-p)/n).
func shareError(k, n int64) float64 {
	p, q := float64(k)/float64(n), float64(n-k)/float64(n)
	return 100 * math.Sqrt(p*q/float64(n))
}

// satisfiedOf counts the satisfied answers and all answers of CSAT cells.
func satisfiedOf(cells []Cell) (satisfied, n int64) {
	for _, cell := range cells {
		satisfied += cell.Histogram.between(cell.Measure.SatisfiedFrom, cell.Measure.Max)
		n += cell.Histogram.N()
	}
	return satisfied, n
}

// Definition says in one English sentence how [Report] judges these cells: the
// [Measure.Definition] of the one measure, or for several of CSAT what counts as
// satisfied on each. It is empty for cells that Report refuses, and for none.
func Definition(cells []Cell) string {
	measures, err := Merge(cells)
	if err != nil || len(measures) == 0 {
		return ""
	}
	if len(measures) == 1 {
		return measures[0].Measure.Definition()
	}
	var satisfied []string
	for _, cell := range measures {
		m := cell.Measure
		satisfied = append(satisfied, fmt.Sprintf("%s of %s", points(m.SatisfiedFrom, m.Max), points(m.Min, m.Max)))
	}
	return "satisfied (" + strings.Join(satisfied, ", ") + ") in percent of all scored responses"
}
