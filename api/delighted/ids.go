package delighted

import (
	"math/big"

	"koe/survey"
)

// parseDigits reads what shown.Digits wrote, and nothing else: at most 39 digits.
// Each id has one text, and each text at most one id.
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
