package delighted

import (
	"math/big"

	"koe/survey"
)

// Delighted's ids are texts of digits. An id of koe's is a number of 128 bits;
// here it is written in decimal, at most 39 digits: each id has one text, and
// each text at most one id.

func digits(id survey.ID) string { return new(big.Int).SetBytes(id[:]).String() }

// parseDigits reads what digits wrote, and nothing else.
func parseDigits(text string) (id survey.ID, ok bool) {
	if len(text) > 39 {
		return id, false
	}
	n, ok := new(big.Int).SetString(text, 10)
	if !ok || n.Sign() < 0 || n.BitLen() > 8*len(id) || n.String() != text {
		return id, false
	}
	n.FillBytes(id[:])
	return id, true
}
