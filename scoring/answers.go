package scoring

// What a survey asks beside the score: options that were chosen or not, ratings
// on a scale of their own, and how many of those who were asked answered.

// Share is a part of the answers, such as those who chose an option. Percent and
// Interval are nil where there are no answers.
type Share struct {
	Count    int64     `json:"count"`
	Share    *float64  `json:"share"`    // exact percent
	Interval *Interval `json:"interval"` // Wilson, in percent
}

// ShareOf is k of n, with its interval at the level; it needs 0 ≤ k ≤ n. Shares
// of one question of which several options may be chosen do not add up to 100.
func ShareOf(k, n int64, level float64) Share {
	s := Share{Count: k, Share: PercentOf(k, n)}
	if n > 0 {
		low, high := Wilson(k, n, level)
		s.Interval = newInterval(level, "wilson", low, high)
	}
	return s
}

// PercentOf is part of whole in exact percent, such as a response rate; nil
// where the whole is nothing.
func PercentOf(part, whole int64) *float64 {
	if whole <= 0 {
		return nil
	}
	return new(percent(part, whole))
}

// Rating is what the answers to a rating question come to. Mean is nil without
// answers, StandardDeviation and Interval below two.
type Rating struct {
	Distribution      []Bin     `json:"distribution"` // every point of the scale in order
	Mean              *float64  `json:"mean"`         // in points
	StandardDeviation *float64  `json:"standard_deviation"`
	Interval          *Interval `json:"interval"` // of the mean: t, cut where the scale ends
}

// Rate judges the answers to a rating question from min to max (0 ≤ min ≤ max ≤
// 10). Counts off the scale and negative counts are left out.
func Rate(min, max int, h Histogram, level float64) Rating {
	h = h.within(min, max)
	r := Rating{Distribution: h.bins(min, max), StandardDeviation: h.deviation(), Interval: h.meanInterval(level, min, max)}
	if h.N() > 0 {
		r.Mean = new(h.mean())
	}
	return r
}
