package scoring

import (
	"errors"
	"strconv"
	"strings"
	"testing"
)

func TestParseScore(t *testing.T) {
	for raw, want := range map[string]int{
		"0": 0, "9": 9, "10": 10, " 9 ": 9, "\t9\r\n": 9, "\u00a09\u3000": 9, "9.0": 9, "9.000": 9, "09": 9,
		"-1": -1, "-1.0": -1, "11": 11, "-0": 0,
	} {
		if got, err := ParseScore(raw); err != nil || got != want {
			t.Errorf("%q: got %d, %v, want %d", raw, got, err, want)
		}
	}
	for _, raw := range []string{"", " ", "\u3000\t"} {
		if _, err := ParseScore(raw); !errors.Is(err, ErrMissing) {
			t.Errorf("%q: got %v, want missing", raw, err)
		}
	}
	for _, raw := range []string{
		"6.5", "NaN", "abc", "1e1", "+-", "+9", "--1", "-", "+", ".", "9.", ".0", "9.0.0", "9,0", "1 0", "0x9", "1_0",
		"Inf", "９", "9.0x", "99999999999999999999", "Blank", "9\x00",
	} {
		if _, err := ParseScore(raw); !errors.Is(err, ErrNotAScore) {
			t.Errorf("%q: got %v, want not a score", raw, err)
		}
	}
}

func FuzzParseScore(f *testing.F) {
	for _, seed := range []string{"", "9", " 9.0 ", "6.5", "-1", "1e1", "+-", "NaN", "\u30009"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		score, err := ParseScore(raw)
		if err != nil {
			if !errors.Is(err, ErrMissing) && !errors.Is(err, ErrNotAScore) {
				t.Fatalf("%q: unexpected error %v", raw, err)
			}
			if errors.Is(err, ErrMissing) != (strings.TrimSpace(raw) == "") {
				t.Fatalf("%q: got %v", raw, err)
			}
			return
		}
		number, err := strconv.ParseFloat(strings.TrimSpace(raw), 64)
		if err != nil || int64(score) < 1<<53 && number != float64(score) {
			t.Fatalf("%q: got %d, but as a number it is %v", raw, score, number)
		}
		if again, err := ParseScore(strconv.Itoa(score)); err != nil || again != score {
			t.Fatalf("%q: %d reads as %d, %v", raw, score, again, err)
		}
	})
}
