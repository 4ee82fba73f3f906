package scoring

// CES, the customer effort score, asks how hard it was to get something done.
// There are two questions, and they point in opposite directions:
//
// Version 1 (Dixon, Freeman and Toman, Harvard Business Review, July 2010):
// "How much effort did you personally have to put forth to handle your
// request?", 1 (very low) to 5 (very high). Low is good.
//
// Version 2 (The Effortless Experience, 2013): "The company made it easy for me
// to handle my issue", 1 (strongly disagree) to 7 (strongly agree). High is good.
//
// The score of both is the mean. For version 2 many report the share of
// agreement (5 to 7) instead, so it stands beside the mean.

func scoreCES(m Measure, h Histogram, level float64) Result {
	var r Result
	if m.CESVersion == 1 {
		r = newResult(Groups[int64]{{"low", h.between(1, 2)}, {"medium", h[3]}, {"high", h.between(4, 5)}})
		r.Direction = m.Direction()
	} else {
		r = newResult(Groups[int64]{{"agree", agreed(h)}, {"neutral", h[4]}, {"disagree", h.between(1, 3)}})
		r.Agreement = agreementOf(h, level)
	}
	if r.Responses == 0 {
		return r
	}
	r.Score = new(h.mean())
	r.Rounded = new(roundHalfAway(h.sum(), r.Responses))
	if r.Responses > 1 { // one answer says nothing about how far answers scatter
		r.StandardError = new(h.meanError())
		r.Interval = h.meanInterval(level, m.Min, m.Max)
	}
	return r
}

func agreementOf(h Histogram, level float64) *Agreement {
	if h.N() == 0 {
		return &Agreement{}
	}
	low, high := Wilson(agreed(h), h.N(), level)
	return &Agreement{new(percent(agreed(h), h.N())), newInterval(level, "wilson", low, high)}
}

// agreed is the number of answers that agree that it was easy.
func agreed(h Histogram) int64 { return h.between(5, 7) }
