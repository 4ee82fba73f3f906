package chart

import (
	"math"
	"strconv"
	"strings"

	"koe/scoring"
)

// Figure writes a score as people read it: NPS whole, CSAT in whole percent, CES
// with up to two digits. Charts and pages write it alike.
func Figure(m scoring.Metric, v float64) string {
	switch m {
	case scoring.CSAT:
		return whole(v) + "%"
	case scoring.CES:
		return decimal(v, 2)
	}
	return whole(v)
}

// Shown is the score of a result, a dash without answers: the whole number of
// the report, where people see one.
func Shown(m scoring.Metric, r scoring.Result) string {
	switch {
	case r.Score == nil:
		return "–"
	case m != scoring.CES && r.Rounded != nil:
		return Figure(m, float64(*r.Rounded))
	}
	return Figure(m, *r.Score)
}

// Count writes a number with a comma at each thousand.
func Count(n int64) string {
	text := strconv.FormatInt(n, 10)
	for at := len(text) - 3; at > 0 && text[at-1] != '-'; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}

func percent(whole int) string { return strconv.Itoa(whole) + "%" }

// whole rounds half away from zero, as reports do.
func whole(v float64) string { return decimal(math.Round(v), 0) }

func decimal(v float64, digits int) string {
	text := strconv.FormatFloat(v, 'f', digits, 64)
	if digits > 0 {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	if text == "-0" {
		return "0"
	}
	return strings.Replace(text, "-", "−", 1)
}
