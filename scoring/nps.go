package scoring

import "math"

// The Net Promoter Score (Reichheld, "The One Number You Need to Grow", Harvard
// Business Review, December 2003) asks "How likely is it that you would
// recommend us to a friend or colleague?", from 0 to 10:
//
//	promoters    9 and 10
//	passives     7 and 8
//	detractors   0 to 6
//
//	NPS = percent promoters - percent detractors, from -100 to 100
//
// Passives do not move the score up or down, but they are part of "percent of
// all". An NPS of 0 is a real score (as many promoters as detractors); without
// answers there is none.

// npsGroups are the numbers of answers in each group.
type npsGroups struct{ promoters, passives, detractors int64 }

func groupNPS(h Histogram) npsGroups {
	return npsGroups{
		promoters:  h.between(9, 10),
		passives:   h.between(7, 8),
		detractors: h.between(0, 6),
	}
}

func (g npsGroups) n() int64 { return g.promoters + g.passives + g.detractors }

// net is promoters minus detractors; the score is net in percent of n.
func (g npsGroups) net() int64 { return g.promoters - g.detractors }

// variance is that of one answer as observed: see npsVariance.
func (g npsGroups) variance() float64 {
	return npsVariance(float64(g.promoters), float64(g.passives), float64(g.detractors))
}

func scoreNPS(h Histogram, level float64) Result {
	groups := groupNPS(h)
	r := newResult(Groups[int64]{
		{"promoters", groups.promoters},
		{"passives", groups.passives},
		{"detractors", groups.detractors},
	})
	if r.Responses == 0 {
		return r
	}
	r.Score = new(percent(groups.net(), r.Responses))
	r.StandardError = new(100 * math.Sqrt(groups.variance()/float64(r.Responses)))
	r.Rounded = new(Round(groups.net(), r.Responses))
	low, high := adjustedWald(groups, level)
	r.Interval = newInterval(level, "adjusted_wald", low, high)
	return r
}

// npsVariance is the variance of one answer, which counts +1 (promoter), 0
// (passive) or -1 (detractor), with divisor n. With s the mean of these, and P
// and D the shares of promoters and detractors, it is P + D - s². Here it is
// written as the squared distances from s, which is the same but can neither be
// negative nor miss 0 when all answers are of one group. Promoters and
// detractors are not independent (nobody is both), so adding up two binomial
// variances would make it too small.
func npsVariance(promoters, passives, detractors float64) float64 {
	n := promoters + passives + detractors
	s := (promoters - detractors) / n
	below := (passives + 2*detractors) / n // 1 - s: how far a promoter is from the mean
	above := (passives + 2*promoters) / n  // 1 + s: how far a detractor is
	return (promoters*below*below + passives*s*s + detractors*above*above) / n
}

// adjustedWald is the interval of an NPS, in percent. The plain (Wald) interval
// claims certainty where all answers are alike: ten promoters would be 100
// ± 0. Adding three imagined answers, 3/4 of a promoter, 3/4 of a detractor and
// 3/2 of a passive, cures that and covers best at small n (Rocks, "Interval
// Estimation for the Net Promoter Score", The American Statistician 2016;
// recommended by MeasuringU). The interval lies around the adjusted score, not
// around the one that is reported, and is cut at ±100.
func adjustedWald(g npsGroups, level float64) (low, high float64) {
	promoters, passives, detractors := float64(g.promoters)+0.75, float64(g.passives)+1.5, float64(g.detractors)+0.75
	n := float64(g.n()) + 3
	centre := 100 * float64(g.net()) / n
	half := normalQuantile(level) * 100 * math.Sqrt(npsVariance(promoters, passives, detractors)/n)
	return max(centre-half, -100), min(centre+half, 100)
}
