package scoring

import (
	"math"
	"testing"
)

func TestWilson(t *testing.T) {
	const z196 = 1.96 // many programs use two decimals; their published figures can still be checked
	for _, c := range []struct {
		k, n      int64
		z         float64
		low, high float64
		digits    float64
	}{
		// Newcombe 1998, table I.
		{81, 263, normalQuantile(0.95), 0.255289, 0.366210, 1e-6},
		{15, 148, normalQuantile(0.95), 0.062386, 0.160487, 1e-6},
		{0, 20, normalQuantile(0.95), 0, 0.161125, 1e-6},
		{1, 29, normalQuantile(0.95), 0.006113, 0.171755, 1e-6},
		{460, 1000, normalQuantile(0.95), 0.429321, 0.490985, 1e-6},
		{50, 100, normalQuantile(0.95), 0.403832, 0.596168, 1e-6},
		// README of the package wilson-score-interval.
		{430, 474, z196, 0.87767508582422, 0.93012398399305, 1e-13},
		{392, 436, z196, 0.86723118466378, 0.92396273605678, 1e-13},
		{10, 14, z196, 0.45350458827516, 0.88278812089891, 1e-13},
	} {
		low, high := wilson(c.k, c.n, c.z)
		near(t, c.low, low, c.digits)
		near(t, c.high, high, c.digits)
	}
}

func TestWilsonStaysInRange(t *testing.T) {
	for _, level := range []float64{0.51, 0.95, 0.999} {
		for _, n := range []int64{1, 2, 3, 7, 29, 1000, 999_999_999_999} {
			for _, k := range []int64{0, 1, n / 3, n / 2, n - 1, n} {
				low, high := Wilson(k, n, level)
				share := percent(k, n)
				if !(0 <= low && low <= share && share <= high && high <= 100) {
					t.Errorf("%d of %d at %v: %v to %v", k, n, level, low, high)
				}
				if (low == 0) != (k == 0) || (high == 100) != (k == n) {
					t.Errorf("%d of %d at %v: %v to %v, exact ends are for none and all", k, n, level, low, high)
				}
			}
		}
	}
}

func TestWilsonWithoutAnswers(t *testing.T) {
	for _, level := range []float64{0.95, 2, math.NaN()} {
		if low, high := Wilson(0, 0, level); low != 0 || high != 100 {
			t.Errorf("level %v: %v to %v", level, low, high)
		}
	}
}

func TestValidLevel(t *testing.T) {
	for level, want := range map[float64]bool{
		0.95: true, 0.999: true, 0.51: true, 0.5: false, 0: false, 1: false, 0.9991: false, 95: false, -1: false,
		math.Inf(1): false,
	} {
		if ValidLevel(level) != want {
			t.Errorf("level %v: want %v", level, want)
		}
	}
	if ValidLevel(math.NaN()) {
		t.Error("NaN is not a level")
	}
}

// The variance of one answer, and the plain interval around the score, as in the
// worked examples of the literature. koe reports the standard error, and an
// interval that is not degenerate.
func TestNPSWald(t *testing.T) {
	for _, c := range []struct {
		promoters, detractors, n  int64
		score, error              float64
		low, high, adjustedCentre float64
	}{
		{162, 54, 324, 33.3333, 4.1409, 25.2174, 41.4493, math.NaN()},
		{50, 20, 100, 30, 7.8102, 14.6922, 45.3078, 29.1262},
		{500, 200, 1000, 30, 2.4698, 25.1592, 34.8408, 29.9103},
		{32, 6, 51, 50.9804, 9.7538, 31.8633, 70.0975, 48.1481},
		{10, 0, 10, 100, 0, 100, 100, 76.9231},
		{5, 5, 10, 0, 31.6228, -61.9795, 61.9795, 0},
		{1, 0, 1, 100, 0, 100, 100, 25},
	} {
		r := Score(DefaultMeasure(NPS, 0, 10, 0), Histogram{0: c.detractors, 7: c.n - c.promoters - c.detractors, 10: c.promoters}, 0.95)
		near(t, c.score, *r.Score, 5e-5)
		near(t, c.error, *r.StandardError, 5e-5)
		half := normalQuantile(0.95) * *r.StandardError
		near(t, c.low, *r.Score-half, 6e-5)
		near(t, c.high, *r.Score+half, 6e-5)
		if centre := (r.Interval.Low + r.Interval.High) / 2; r.Interval.High < 100 && !math.IsNaN(c.adjustedCentre) {
			near(t, c.adjustedCentre, centre, 6e-5)
		}
	}
	// Promoters and detractors exclude each other: as if independent, this would be 1.6027.
	near(t, 1.71573599, 100*math.Sqrt(npsVariance(250, 675, 75)/1000), 1e-8)
	near(t, 5.0/9, npsVariance(162, 108, 54), 1e-15)
}
