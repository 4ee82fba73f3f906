package scoring

import "math"

// Histogram counts answers per score: h[7] answers gave a 7.
type Histogram [11]int64

// N is the number of answers.
func (h Histogram) N() int64 {
	var n int64
	for _, count := range h {
		n += count
	}
	return n
}

// Add returns the answers of both histograms.
func (h Histogram) Add(other Histogram) Histogram {
	for score, count := range other {
		h[score] += count
	}
	return h
}

// Sub returns h without the answers of other. Taking away answers that h does
// not hold leaves negative counts, which [Report] refuses.
func (h Histogram) Sub(other Histogram) Histogram {
	for score, count := range other {
		h[score] -= count
	}
	return h
}

// between is the number of answers from low to high, both included.
func (h Histogram) between(low, high int) int64 {
	var n int64
	for score := low; score <= high; score++ {
		n += h[score]
	}
	return n
}

// sum adds up all scores.
func (h Histogram) sum() int64 {
	var sum int64
	for score, count := range h {
		sum += int64(score) * count
	}
	return sum
}

// mean is the mean score in points; there must be answers.
func (h Histogram) mean() float64 { return float64(h.sum()) / float64(h.N()) }

// variance is the sample variance in points squared, with divisor n-1; there
// must be two answers or more. Adding up squared distances from the mean, rather
// than subtracting two large sums, keeps it exact for many answers, never
// negative, and 0 where all answers are the same.
func (h Histogram) variance() float64 {
	mean, squares := h.mean(), 0.0
	for score, count := range h {
		distance := float64(score) - mean
		squares += float64(count) * distance * distance
	}
	return squares / float64(h.N()-1)
}

// deviation is the sample standard deviation in points, nil below two answers.
func (h Histogram) deviation() *float64 {
	if h.N() < 2 {
		return nil
	}
	return new(math.Sqrt(h.variance()))
}

// meanError is the standard error of the mean in points; there must be two
// answers or more.
func (h Histogram) meanError() float64 { return math.Sqrt(h.variance() / float64(h.N())) }

// meanInterval is the t interval of the mean, cut where the scale ends; nil
// below two answers or where the level is not valid.
func (h Histogram) meanInterval(level float64, min, max int) *Interval {
	if h.N() < 2 || !ValidLevel(level) {
		return nil
	}
	mean, half := h.mean(), studentQuantile(level, float64(h.N()-1))*h.meanError()
	return newInterval(level, "t", math.Max(mean-half, float64(min)), math.Min(mean+half, float64(max)))
}

// within keeps the counts that can be answers on the scale from min to max: not
// off it and not negative.
func (h Histogram) within(min, max int) Histogram {
	for score, count := range h {
		if score < min || score > max || count < 0 {
			h[score] = 0
		}
	}
	return h
}

// bins lists every point of the scale from min to max in order.
func (h Histogram) bins(min, max int) []Bin {
	bins := make([]Bin, 0, max-min+1)
	for value := min; value <= max; value++ {
		bins = append(bins, Bin{value, h[value]})
	}
	return bins
}
