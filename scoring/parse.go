package scoring

import (
	"errors"
	"strconv"
	"strings"
)

// Errors of [ParseScore].
var (
	ErrMissing   = errors.New("scoring: score is missing")
	ErrNotAScore = errors.New("scoring: score is not a whole number")
)

// ParseScore reads a score as people and spreadsheets write it: a whole number
// in decimal digits, with blanks around it, a minus sign before it, and a point
// with zeros after it allowed (" 9 ", "9.0", "-1"). Everything else, such as
// "6.5", "NaN", "1e1", "+9" or "9.", is [ErrNotAScore]; blanks alone are
// [ErrMissing], which is not a 0. Whether the number is on the scale is for
// [Measure.Contains] to say.
func ParseScore(raw string) (int, error) {
	text := strings.TrimSpace(raw)
	if text == "" {
		return 0, ErrMissing
	}
	whole, fraction, point := strings.Cut(text, ".")
	if point && (fraction == "" || strings.Trim(fraction, "0") != "") {
		return 0, ErrNotAScore
	}
	score, err := strconv.Atoi(whole)
	if err != nil || whole[0] == '+' {
		return 0, ErrNotAScore
	}
	return score, nil
}
