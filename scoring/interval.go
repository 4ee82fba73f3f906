package scoring

import "math"

// Interval is a confidence interval: it says how far a score may be from the
// one that we would see if everybody had answered. Methods: "adjusted_wald"
// (NPS), "wilson" (shares), "t" (means).
type Interval struct {
	Level  float64 `json:"level"`
	Method string  `json:"method"`
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
}

// newInterval is nil where the level is not valid.
func newInterval(level float64, method string, low, high float64) *Interval {
	if !ValidLevel(level) {
		return nil
	}
	return &Interval{level, method, low, high}
}

// ValidLevel reports whether an interval can be given at this level: above 0.5
// and at most 0.999. Usual is 0.95.
func ValidLevel(level float64) bool { return level > 0.5 && level <= 0.999 }

// Wilson is the interval of a share, k of n, in percent, without continuity
// correction (Wilson 1927; Newcombe, "Two-sided confidence intervals for the
// single proportion", Statistics in Medicine 1998, method 3). It stays in 0 to
// 100, starts at exactly 0 if k is 0 and ends at exactly 100 if k is n. Without
// answers, or at a level that is not valid, nothing is known: 0 to 100. It
// needs 0 ≤ k ≤ n.
func Wilson(k, n int64, level float64) (low, high float64) {
	if n <= 0 || !ValidLevel(level) {
		return 0, 100
	}
	low, high = wilson(k, n, normalQuantile(level))
	return 100 * low, 100 * high
}

// wilson is Wilson as shares of 1, for a normal quantile z:
//
//	(p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n)
func wilson(k, n int64, z float64) (low, high float64) {
	size := float64(n)
	p, q := float64(k)/size, float64(n-k)/size
	centre := p + z*z/(2*size)
	half := z * math.Sqrt(p*q/size+z*z/(4*size*size))
	scale := 1 + z*z/size
	low, high = max((centre-half)/scale, 0), min((centre+half)/scale, 1)
	// The ends are exact in the formula, but not in float64.
	if k == 0 {
		low = 0
	}
	if k == n {
		high = 1
	}
	return low, high
}
