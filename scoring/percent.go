package scoring

import (
	"cmp"
	"slices"
)

// Round is 100 × numerator / denominator as a whole number, rounded half away
// from zero. It works on the counts, because float64 turns some exact halves
// into less than a half: 57/200 × 100 gives 28.499999999999996.
//
// The denominator must be positive: a share of nothing is not a number, and
// Round panics rather than inventing a 0. Counts up to 10¹⁵ do not overflow.
func Round(numerator, denominator int64) int {
	return roundHalfAway(100*numerator, denominator)
}

// roundHalfAway is numerator / denominator, rounded half away from zero.
func roundHalfAway(numerator, denominator int64) int {
	whole, rest := numerator/denominator, numerator%denominator
	switch {
	case 2*rest >= denominator:
		whole++
	case 2*rest <= -denominator:
		whole--
	}
	return int(whole)
}

// Percents shares out 100 whole percent among the counts so that they add up
// to 100 (largest remainder, Hamilton's method): each count gets its exact share
// rounded down, and the points that are left over go to the largest remainders,
// among equals to the first listed. It is nil if all counts are zero, or if one
// is negative. Counts that add up to at most 10¹⁵ do not overflow.
func Percents(counts ...int64) []int {
	var total int64
	for _, count := range counts {
		if count < 0 {
			return nil
		}
		total += count
	}
	if total == 0 {
		return nil
	}
	whole := make([]int, len(counts))
	order := make([]int, len(counts))
	left := 100
	for i, count := range counts {
		whole[i] = int(100 * count / total)
		left -= whole[i]
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Compare(100*counts[b]%total, 100*counts[a]%total)
	})
	for _, i := range order[:left] {
		whole[i]++
	}
	return whole
}

// percent is an exact share in percent. Multiplying before dividing keeps
// shares such as 28.5 exact.
func percent(part, whole int64) float64 { return float64(100*part) / float64(whole) }
