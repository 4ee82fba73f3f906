package scoring

import "sort"

// Median is the median of values that are in order, with the interval between
// two of them that it lies in whatever the values' distribution is: with X the
// number of values below the true median, which is binomial with n and 1/2,
//
//	low = value r, high = value n+1-r, r the largest with P(X ≤ r-1) ≤ (1-level)/2
//
// (David and Nagaraja, "Order Statistics", 2003, section 7.1; Conover,
// "Practical Nonparametric Statistics", 1999, section 3.2). Each side is missed
// at most half as often as the level leaves open. Below six values there is no
// such interval at 0.95; without any there is no median.
func Median(ordered []float64, level float64) Figure {
	n := len(ordered)
	f := Figure{N: int64(n)}
	if n == 0 {
		return f
	}
	f.Value = new((ordered[(n-1)/2] + ordered[n/2]) / 2)
	if r := medianRank(n, level); r > 0 {
		f.Interval = newInterval(level, "order_statistics", ordered[r-1], ordered[n-r])
	}
	return f
}

// medianRank is r of [Median], 0 where there is none.
func medianRank(n int, level float64) int {
	if !ValidLevel(level) {
		return 0
	}
	// the ranks are a run from 1 on, and none is beyond the middle
	return sort.Search(n/2, func(below int) bool { return halvesUpTo(below, n) > beyond(level)/2 })
}

// halvesUpTo is P(X ≤ k) of a binomial X with n and 1/2, for 0 ≤ k < n: the
// incomplete beta function at 1/2 (Abramowitz and Stegun 26.5.24).
func halvesUpTo(k, n int) float64 { return incompleteBeta(float64(n-k), float64(k+1), 0.5, 0.5) }
