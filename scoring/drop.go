package scoring

import (
	"math"
	"slices"
)

// DropWeeks is how many weeks a week is compared with.
const DropWeeks = 8

const (
	// dropAlpha is how likely one look calls a usual week unusual. A look every
	// day is 365 a year, and neighbours share six of their seven days: see Drop.
	dropAlpha = 0.004
	// dropFewest is how many of the weeks before must have answers, so that it is
	// known how far weeks scatter.
	dropFewest = 6
)

// Drop is how a week's score compares with the weeks before it.
type Drop struct {
	Enough     bool     `json:"enough"`     // there are answers enough to compare
	Unusual    bool     `json:"unusual"`    // it is worse than chance explains
	Score      *float64 `json:"score"`      // of the week
	Before     *float64 `json:"before"`     // of the weeks before, together
	Responses  int64    `json:"responses"`  // of the week
	Dispersion *float64 `json:"dispersion"` // how much more weeks scatter than answers alone would; 1 or more
	PValue     *float64 `json:"p_value"`    // one-sided: how often chance alone makes a week as bad
}

// DropOf compares the answers of seven days with those of each of the eight
// weeks before, all of one metric; minimum is how many answers the seven days
// need.
//
// Weeks scatter more than independent answers would: agents change, a campaign
// runs, one customer answers for ten. So the weeks before say how much, by
// Pearson's χ² over its degrees of freedom (quasi-likelihood; McCullagh and
// Nelder, "Generalized Linear Models", 1989, section 4.5), never less than what
// answers alone explain:
//
//	φ = max(1, Σ nᵢ(xᵢ - m)²/v / (k-1)), t = (x - m) / √(φ v (1/n + 1/N))
//
// with xᵢ and nᵢ of the k weeks before that have answers, m and N of all of
// them, x and n of the seven days, and v the variance of one answer of all
// together. t is held against Student's distribution with k-1 degrees of
// freedom.
//
// Unusual is a p below 0.004. Looked at every day, with seven days without an
// unusual one before the next alarm, chance alone raises less than one alarm a
// year: at most 0.7 in the simulations that drop_test.go holds, of answers that
// are independent, that come in clusters by day and by week, and of weekdays
// that differ. What it cannot know are slow drifts: a score that falls over
// months falls into the weeks before as well.
//
// Errors are those of [Report].
func DropOf(week []Cell, before [][]Cell, minimum int64) (Drop, error) {
	if _, err := Merge(slices.Concat(week, slices.Concat(before...))); err != nil {
		return Drop{}, err
	}
	now, then := momentsOf(week), moments{}
	var weeks []moments
	for _, cells := range before {
		if m := momentsOf(cells); m.n > 0 {
			weeks, then = append(weeks, m), then.add(m)
		}
	}
	d := Drop{Responses: int64(now.n)}
	if now.n > 0 {
		d.Score = new(now.shown())
	}
	if then.n > 0 {
		d.Before = new(then.shown())
	}
	v := now.add(then).variance()
	if now.n < float64(max(minimum, 1)) || len(weeks) < dropFewest || now.n*v < rareAnswers {
		return d, nil
	}
	d.Enough = true
	degrees := float64(len(weeks) - 1)
	scatter := 0.0
	for _, w := range weeks {
		distance := w.mean() - then.mean()
		scatter += w.n * distance * distance / v
	}
	dispersion := max(1, scatter/degrees)
	t := (now.mean() - then.mean()) / math.Sqrt(dispersion*v*(1/now.n+1/then.n))
	p := studentTail(t, degrees) / 2
	if t*now.good > 0 {
		p = 1 - p
	}
	d.Dispersion, d.PValue, d.Unusual = &dispersion, &p, p < dropAlpha
	return d, nil
}

// moments are answers as numbers: +1 and 0 (CSAT), +1, 0 and -1 (NPS), points
// (CES).
type moments struct {
	n, sum, squares float64
	scale           float64 // what a mean is multiplied by to be shown
	good            float64 // 1, or -1 where low is good
}

func momentsOf(cells []Cell) moments {
	m := moments{scale: 100, good: 1}
	for _, cell := range cells {
		h := cell.Histogram
		switch cell.Measure.Metric {
		case NPS:
			g := groupNPS(h)
			m = m.plus(g.promoters, 1).plus(g.passives, 0).plus(g.detractors, -1)
		case CSAT:
			satisfied := h.between(cell.Measure.SatisfiedFrom, cell.Measure.Max)
			m = m.plus(satisfied, 1).plus(h.N()-satisfied, 0)
		case CES:
			m.scale = 1
			if cell.Measure.CESVersion == 1 {
				m.good = -1
			}
			for score, count := range h {
				m = m.plus(count, float64(score))
			}
		}
	}
	return m
}

func (m moments) plus(count int64, value float64) moments {
	m.n += float64(count)
	m.sum += float64(count) * value
	m.squares += float64(count) * value * value
	return m
}

func (m moments) add(other moments) moments {
	other.n += m.n
	other.sum += m.sum
	other.squares += m.squares
	return other
}

func (m moments) mean() float64  { return m.sum / m.n }
func (m moments) shown() float64 { return m.scale * m.mean() }

// variance is that of one answer, with divisor n.
func (m moments) variance() float64 {
	if m.n == 0 {
		return 0
	}
	return max(m.squares/m.n-m.mean()*m.mean(), 0)
}
