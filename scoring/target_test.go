package scoring_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"koe/scoring"
)

var (
	nps  = scoring.DefaultMeasure(scoring.NPS, 0, 10, 0)
	csat = scoring.DefaultMeasure(scoring.CSAT, 1, 5, 0)
	ces  = scoring.DefaultMeasure(scoring.CES, 1, 7, 2)
)

func atLeast(v float64) scoring.Goal { return scoring.Goal{AtLeast: &v} }
func atMost(v float64) scoring.Goal  { return scoring.Goal{AtMost: &v} }

func TestJudge(t *testing.T) {
	for name, c := range map[string]struct {
		figure scoring.Figure
		goal   scoring.Goal
		needed int64
		want   scoring.Standing
	}{
		// Wilson: 81 of 263 is 25.5289 to 36.6210
		"low end above":  {scoring.FigureOfShare(81, 263, 0.95), atLeast(25.5), 30, scoring.Met},
		"low end below":  {scoring.FigureOfShare(81, 263, 0.95), atLeast(25.6), 30, scoring.AtRisk},
		"high end above": {scoring.FigureOfShare(81, 263, 0.95), atLeast(36.6), 30, scoring.AtRisk},
		"high end below": {scoring.FigureOfShare(81, 263, 0.95), atLeast(36.7), 30, scoring.Breached},
		"at most, kept":  {scoring.FigureOfShare(81, 263, 0.95), atMost(36.7), 30, scoring.Met},
		"at most, torn":  {scoring.FigureOfShare(81, 263, 0.95), atMost(30), 30, scoring.AtRisk},
		"at most, over":  {scoring.FigureOfShare(81, 263, 0.95), atMost(25.5), 30, scoring.Breached},
		"too few":        {scoring.FigureOfShare(0, 29, 0.95), atLeast(85), 30, scoring.Insufficient},
		"just enough":    {scoring.FigureOfShare(0, 30, 0.95), atLeast(85), 30, scoring.Breached},
		"none":           {scoring.FigureOfShare(0, 0, 0.95), atLeast(85), 0, scoring.Insufficient},
		// the t interval of answers that are all alike has no width
		"all alike":             {scoring.FigureOf(scoring.Score(ces, scoring.Histogram{5: 30}, 0.95)), atLeast(5.1), 30, scoring.AtRisk},
		"all alike and far off": {scoring.FigureOf(scoring.Score(ces, scoring.Histogram{5: 30}, 0.95)), atLeast(6), 30, scoring.Breached},
		"all alike and good":    {scoring.FigureOf(scoring.Score(ces, scoring.Histogram{7: 30}, 0.95)), atLeast(6), 30, scoring.Met},
		"one answer":            {scoring.FigureOf(scoring.Score(ces, scoring.Histogram{1: 1}, 0.95)), atLeast(6), 1, scoring.Insufficient},
		"no answer":             {scoring.FigureOf(scoring.Score(nps, scoring.Histogram{}, 0.95)), atLeast(6), 1, scoring.Insufficient},
	} {
		if got := c.goal.Judge(c.figure, c.needed); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestNeeded(t *testing.T) {
	for bound, want := range map[float64]int64{50: 30, 85: 34, 15: 34, 90: 50, 99: 500, 99.9: 5000, 0.1: 5000} {
		if got := atLeast(bound).Needed(30); got != want {
			t.Errorf("%v: %d, want %d", bound, got, want)
		}
		if got := atMost(bound).Needed(10_000); got != 10_000 {
			t.Errorf("%v: %d", bound, got)
		}
	}
}

// The median's ranks are those of the tables (Conover, "Practical Nonparametric
// Statistics", 1999; Hahn and Meeker, "Statistical Intervals", 1991).
func TestMedian(t *testing.T) {
	for n, ranks := range map[int][2]float64{6: {1, 6}, 10: {2, 9}, 20: {6, 15}, 30: {10, 21}, 50: {18, 33}, 100: {40, 61}, 1000: {469, 532}} {
		f := scoring.Median(ranks1(n), 0.95)
		if f.Interval == nil || f.Interval.Low != ranks[0] || f.Interval.High != ranks[1] || f.Interval.Method != "order_statistics" {
			t.Errorf("%d values: %+v, want %v", n, f.Interval, ranks)
		}
		if *f.Value != float64(n+1)/2 || f.N != int64(n) {
			t.Errorf("%d values: median %v", n, *f.Value)
		}
	}
	if f := scoring.Median(ranks1(5), 0.95); f.Interval != nil || *f.Value != 3 {
		t.Errorf("five values: %+v", f)
	}
	if f := scoring.Median(nil, 0.95); f.Value != nil || f.Interval != nil || f.N != 0 {
		t.Errorf("no values: %+v", f)
	}
	// the normal law agrees far out: r is about (n - 1.96√n)/2
	if f := scoring.Median(ranks1(200_000), 0.95); math.Abs(f.Interval.Low-(200_000-1.95996*math.Sqrt(200_000))/2) > 1.5 {
		t.Errorf("200,000 values: %+v", f.Interval)
	}
}

func ranks1(n int) []float64 {
	values := make([]float64, n)
	for i := range values {
		values[i] = float64(i + 1)
	}
	return values
}

// How often a share that is exactly its goal is called breached, added up over
// all that may come: for every goal and number of answers at most one in
// twenty, and on average about one in forty.
func TestSharesAreRarelyCalledBreachedFalsely(t *testing.T) {
	worst, sum, all := 0.0, 0.0, 0
	for _, p := range []float64{0.02, 0.05, 0.1, 0.15, 0.3, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.93, 0.95, 0.98, 0.99} {
		for _, goal := range []scoring.Goal{atLeast(100 * p), atMost(100 * p)} {
			for n := goal.Needed(30); n <= 1200; n += 1 + n/40 {
				share := 0.0
				for k := range n + 1 {
					if goal.Judge(scoring.FigureOfShare(k, n, 0.95), n) == scoring.Breached {
						share += binomial(k, n, p)
					}
				}
				worst, sum, all = max(worst, share), sum+share, all+1
			}
		}
	}
	t.Logf("at worst %.4f, on average %.4f of %d", worst, sum/float64(all), all)
	if worst > 0.05 || sum/float64(all) > 0.03 {
		t.Errorf("at worst %.4f, on average %.4f", worst, sum/float64(all))
	}
}

func binomial(k, n int64, p float64) float64 {
	all, _ := math.Lgamma(float64(n) + 1)
	some, _ := math.Lgamma(float64(k) + 1)
	rest, _ := math.Lgamma(float64(n-k) + 1)
	return math.Exp(all - some - rest + float64(k)*math.Log(p) + float64(n-k)*math.Log1p(-p))
}

// TestTargetsOfMonths is 10,000 months of each kind of target whose true value
// is exactly the goal: at most one month in twenty may be called breached.
func TestTargetsOfMonths(t *testing.T) {
	const months = 10_000
	for name, c := range map[string]struct {
		goal  scoring.Goal
		month func(r *rand.Rand, n int) scoring.Figure
	}{
		"csat 85":  {atLeast(85), scored(csat, []float64{0, 0.03, 0.04, 0.08, 0.35, 0.5})},
		"csat 95":  {atLeast(95), scored(csat, []float64{0, 0.01, 0.02, 0.02, 0.25, 0.7})},
		"nps 30":   {atLeast(30), scored(nps, []float64{0.05, 0.01, 0.02, 0.02, 0.02, 0.04, 0.04, 0.1, 0.2, 0.25, 0.25})},
		"nps 90":   {atLeast(90), scored(nps, []float64{0.01, 0, 0, 0, 0, 0, 0, 0.03, 0.05, 0.2, 0.71})},
		"nps -40":  {atLeast(-40), scored(nps, []float64{0.3, 0.1, 0, 0, 0.1, 0.05, 0.05, 0.1, 0.1, 0.1, 0.1})},
		"ces 5.64": {atLeast(5.64), scored(ces, []float64{0, 0.04, 0.03, 0.03, 0.1, 0.15, 0.25, 0.4})},
		"ces 6.8":  {atLeast(6.8), scored(ces, []float64{0, 0.01, 0.01, 0, 0, 0.03, 0.03, 0.92})},
		"rate 15": {atLeast(15), func(r *rand.Rand, n int) scoring.Figure {
			return scoring.FigureOfShare(hits(r, 10*n, 0.15), int64(10*n), 0.95)
		}},
		"yes 90": {atLeast(90), func(r *rand.Rand, n int) scoring.Figure {
			return scoring.FigureOfShare(hits(r, n, 0.9), int64(n), 0.95)
		}},
		"median": {atMost(120), func(r *rand.Rand, n int) scoring.Figure {
			waits := make([]float64, n)
			for i := range waits {
				waits[i] = 120 * r.ExpFloat64() / math.Ln2
			}
			slices.Sort(waits)
			return scoring.Median(waits, 0.95)
		}},
	} {
		r := rand.New(rand.NewPCG(7, 1))
		false1, judged := 0, 0
		for range months {
			f := c.month(r, 30+r.IntN(120))
			needed := int64(30)
			if f.Interval.Method == "wilson" {
				needed = c.goal.Needed(30)
			}
			switch c.goal.Judge(f, needed) {
			case scoring.Breached:
				false1, judged = false1+1, judged+1
			case scoring.Insufficient:
			default:
				judged++
			}
		}
		t.Logf("%s: %d of %d months are called breached", name, false1, judged)
		if judged < months/5 || float64(false1) > 0.05*float64(judged) {
			t.Errorf("%s: %d of %d months are called breached, none is", name, false1, judged)
		}
	}
}

// Why periods are judged once: who looks at a month every day from the 30th
// answer on, and takes the first bad day, is misled several times as often.
func TestLookingEveryDayMisleads(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	misled, once := 0, 0
	for range 4000 {
		var satisfied, all int64
		seen := false
		for range 30 {
			satisfied, all = satisfied+hits(r, 10, 0.85), all+10
			seen = seen || atLeast(85).Judge(scoring.FigureOfShare(satisfied, all, 0.95), 34) == scoring.Breached
		}
		if seen {
			misled++
		}
		if atLeast(85).Judge(scoring.FigureOfShare(satisfied, all, 0.95), 34) == scoring.Breached {
			once++
		}
	}
	t.Logf("every day: %d of 4000 months, once: %d", misled, once)
	if misled < 3*once || misled < 300 {
		t.Errorf("every day: %d of 4000 months, once: %d", misled, once)
	}
}

func hits(r *rand.Rand, n int, p float64) (k int64) {
	for range n {
		if r.Float64() < p {
			k++
		}
	}
	return k
}

// scored draws n answers by how likely each point of the scale is.
func scored(m scoring.Measure, likely []float64) func(*rand.Rand, int) scoring.Figure {
	return func(r *rand.Rand, n int) scoring.Figure {
		return scoring.FigureOf(scoring.Score(m, drawn(r, n, likely), 0.95))
	}
}

func drawn(r *rand.Rand, n int, likely []float64) (h scoring.Histogram) {
	for range n {
		u, score := r.Float64(), 0
		for score < len(likely)-1 && u >= likely[score] {
			u -= likely[score]
			score++
		}
		h[score]++
	}
	return h
}
