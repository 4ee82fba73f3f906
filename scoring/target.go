package scoring

import "math"

// Standing is how a figure stands to what it shall be.
type Standing string

// The standings.
const (
	Met          Standing = "met"          // the interval lies wholly where it shall
	AtRisk       Standing = "at_risk"      // the goal lies within the interval
	Breached     Standing = "breached"     // the interval lies wholly on the wrong side
	Insufficient Standing = "insufficient" // too few answers to say
)

// Figure is a number that is held against a goal: a score, a rate, a median.
// Value and Interval are nil where they are not defined.
type Figure struct {
	Value    *float64  `json:"value"`
	Interval *Interval `json:"interval"`
	N        int64     `json:"n"` // answers, mails, interactions: whatever it is made of
	guard    *Interval // a breach has to hold by this one too
}

// FigureOf is a score as a figure. Where all answers are alike the t interval of
// a mean has no width, and claims a certainty that nobody has: so a breach of a
// mean has to hold with one more answer at each end of the scale too, in the
// manner of Agresti and Coull ("Approximate is better than exact", The American
// Statistician 1998). The intervals of shares and of NPS have such answers in
// them already.
func FigureOf(r Result) Figure {
	f := Figure{Value: r.Score, Interval: r.Interval, N: r.Responses}
	if r.Interval == nil || r.Interval.Method != "t" || len(r.Distribution) == 0 {
		return f
	}
	var h Histogram
	for _, bin := range r.Distribution {
		h[bin.Value] = bin.Count
	}
	lowest, highest := r.Distribution[0].Value, r.Distribution[len(r.Distribution)-1].Value
	h[lowest]++
	h[highest]++
	f.guard = h.meanInterval(r.Interval.Level, lowest, highest)
	return f
}

// FigureOfShare is k of n in percent, with Wilson's interval; it needs 0 ≤ k ≤ n.
func FigureOfShare(k, n int64, level float64) Figure {
	share := ShareOf(k, n, level)
	return Figure{Value: share.Share, Interval: share.Interval, N: n}
}

// Goal is what a figure shall be: one of the two is set.
type Goal struct {
	AtLeast, AtMost *float64
}

// Judge holds a figure against the goal. Fewer than needed are Insufficient;
// so is a figure without an interval.
//
// A figure whose true value is exactly the goal is called Breached only if its
// interval misses that value on one side. At the level 0.95 that is meant to be
// one judgement in forty; it is at most one in twenty, because answers are whole
// people and scores are skewed, as long as there are as many answers as [Needed]
// says. That holds for a judgement: who judges the same answers again as they
// come in, and acts on the first breach, is misled far more often. Judge what
// has ended, and judge it once.
func (g Goal) Judge(f Figure, needed int64) Standing {
	if f.N < max(needed, 1) || f.Interval == nil {
		return Insufficient
	}
	switch {
	case g.missedBy(f.Interval) && (f.guard == nil || g.missedBy(f.guard)):
		return Breached
	case g.keptBy(f.Interval):
		return Met
	}
	return AtRisk
}

func (g Goal) missedBy(i *Interval) bool {
	return g.AtLeast != nil && i.High < *g.AtLeast || g.AtMost != nil && i.Low > *g.AtMost
}

func (g Goal) keptBy(i *Interval) bool {
	return (g.AtLeast == nil || i.Low >= *g.AtLeast) && (g.AtMost == nil || i.High <= *g.AtMost)
}

// rareAnswers is how many answers of the rarer kind there must be, on average,
// for the interval of a share to hold what it says (Cochran, "Some methods for
// strengthening the common χ² tests", Biometrics 1954).
const rareAnswers = 5

// Needed is how many answers a share needs before it is held against a goal: the
// minimum, and enough for five of the rarer kind if the goal is the truth. A
// goal of 85 percent needs 34, one of 99 percent 500. The goal is above 0 and
// below 100 percent.
func (g Goal) Needed(minimum int64) int64 {
	for _, bound := range []*float64{g.AtLeast, g.AtMost} {
		if bound != nil {
			rare := min(*bound, 100-*bound) / 100
			minimum = max(minimum, int64(math.Ceil(rareAnswers/rare-1e-9)))
		}
	}
	return minimum
}
