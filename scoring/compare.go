package scoring

import (
	"math"
	"slices"
)

// Comparison says how far a score moved since an earlier one, and whether that
// can be chance. The two sets of answers must come from different people.
type Comparison struct {
	Score       *float64 `json:"score"`       // the earlier score
	Difference  *float64 `json:"difference"`  // current minus earlier
	Interval    *Range   `json:"interval"`    // of the difference
	Z           *float64 `json:"z"`           // for CES this is Welch's t
	PValue      *float64 `json:"p_value"`     // two-sided
	Significant bool     `json:"significant"` // p_value below 1 - level
}

// Range is an interval whose level and method are known from its place.
type Range struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// Compare compares current with previous answers of the same metric. It is nil
// where either side has no answers: there is nothing to compare with.
//
// NPS: Wald test and interval of the scores as observed. CSAT: pooled
// two-proportion z, Newcombe's interval. CES: Welch's t test; with fewer than two
// answers on a side there is only a difference. Z and PValue are nil where
// neither side scatters; such a difference is never called significant.
//
// Errors are those of [Report], also for two sides that do not fit together.
func Compare(current, previous []Cell, level float64) (*Comparison, error) {
	if !ValidLevel(level) {
		return nil, ErrLevel
	}
	// Together they must make one report: same metric, same CES version.
	if _, err := Merge(slices.Concat(current, previous)); err != nil {
		return nil, err
	}
	now, err := Merge(current)
	if err != nil {
		return nil, err
	}
	before, err := Merge(previous)
	if err != nil {
		return nil, err
	}
	if empty(now) || empty(before) {
		return nil, nil
	}
	var c *Comparison
	switch now[0].Measure.Metric {
	case NPS:
		c = compareNPS(groupNPS(now[0].Histogram), groupNPS(before[0].Histogram), level)
	case CSAT:
		k1, n1 := satisfiedOf(now)
		k2, n2 := satisfiedOf(before)
		c = compareShares(k1, n1, k2, n2, level)
	case CES:
		c = compareMeans(now[0].Histogram, before[0].Histogram, level)
	}
	return c, nil
}

func empty(merged []Cell) bool { return len(merged) == 0 || merged[0].Histogram.N() == 0 }

func newComparison(current, previous float64) *Comparison {
	return &Comparison{Score: &previous, Difference: new(current - previous)}
}

func (c *Comparison) test(z, pValue, level float64) {
	c.Z, c.PValue, c.Significant = &z, &pValue, pValue < beyond(level)
}

// compareNPS is the Wald test of two NPS of independent samples, with the
// variances as observed (as in R's package NPS, nps_test):
//
//	z = (s1 - s2) / √(v1/n1 + v2/n2)
func compareNPS(a, b npsGroups, level float64) *Comparison {
	c := newComparison(percent(a.net(), a.n()), percent(b.net(), b.n()))
	standardError := 100 * math.Sqrt(a.variance()/float64(a.n())+b.variance()/float64(b.n()))
	half := normalQuantile(level) * standardError
	c.Interval = &Range{*c.Difference - half, *c.Difference + half}
	if standardError > 0 {
		z := *c.Difference / standardError
		c.test(z, normalTail(z), level)
	}
	return c
}

// compareShares compares k1 of n1 with k2 of n2, in percent. The test pools both
// samples, because it asks what would happen if they had the same share:
//
//	z = (p1 - p2) / √(p(1-p)(1/n1 + 1/n2)), p = (k1+k2)/(n1+n2)
//
// The interval is Newcombe's hybrid of two Wilson intervals ("Interval
// estimation for the difference between independent proportions", Statistics in
// Medicine 1998, method 10). At the edge of significance the two may disagree.
func compareShares(k1, n1, k2, n2 int64, level float64) *Comparison {
	p1, p2 := percent(k1, n1), percent(k2, n2)
	c := newComparison(p1, p2)
	low1, high1 := Wilson(k1, n1, level)
	low2, high2 := Wilson(k2, n2, level)
	c.Interval = &Range{
		Low:  *c.Difference - math.Hypot(p1-low1, high2-p2),
		High: *c.Difference + math.Hypot(high1-p1, p2-low2),
	}
	k, n := k1+k2, n1+n2
	if k > 0 && k < n {
		p, q := float64(k)/float64(n), float64(n-k)/float64(n)
		z := *c.Difference / (100 * math.Sqrt(p*q*(1/float64(n1)+1/float64(n2))))
		c.test(z, normalTail(z), level)
	}
	return c
}

// compareMeans is Welch's t test of two means, which does not assume that both
// samples scatter alike. The degrees of freedom are Welch and Satterthwaite's.
func compareMeans(a, b Histogram, level float64) *Comparison {
	c := newComparison(a.mean(), b.mean())
	n1, n2 := float64(a.N()), float64(b.N())
	if n1 < 2 || n2 < 2 {
		return c
	}
	v1, v2 := a.variance()/n1, b.variance()/n2
	standardError := math.Sqrt(v1 + v2)
	if standardError == 0 {
		c.Interval = &Range{*c.Difference, *c.Difference}
		return c
	}
	degrees := (v1 + v2) * (v1 + v2) / (v1*v1/(n1-1) + v2*v2/(n2-1))
	half := studentQuantile(level, degrees) * standardError
	c.Interval = &Range{*c.Difference - half, *c.Difference + half}
	t := *c.Difference / standardError
	c.test(t, studentTail(t, degrees), level)
	return c
}
