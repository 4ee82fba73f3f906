package survey

import (
	"encoding/json"
	"testing"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	"pgregory.net/rapid"
)

func TestParseInstant(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"2026-11-22T09:30:00Z", "2026-11-22T09:30:00.000Z"},
		{"2026-03-08T01:30:00-05:00", "2026-03-08T06:30:00.000Z"},
		{"2026-11-22T09:30:00+09:00", "2026-11-22T00:30:00.000Z"},
		{"2026-11-22T09:30:00.1+05:45", "2026-11-22T03:45:00.100Z"},
		{"2026-11-22T09:30:00.9999999Z", "2026-11-22T09:30:00.999Z"}, // cut off, never rounded up
		{"2026-11-22T09:30:00.0004Z", "2026-11-22T09:30:00.000Z"},
		{"1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z"},
		{"1969-12-31T23:00:00-01:00", "1970-01-01T00:00:00.000Z"},
		{"9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"},
		{"2028-02-29T23:59:59Z", "2028-02-29T23:59:59.000Z"},
	} {
		i, err := ParseInstant(test.text)
		if err != nil || i.String() != test.want {
			t.Errorf("%s is read as %s, want %s, %v", test.text, i, test.want, err)
		}
	}
	for _, wrong := range []string{"", "now", "2026-11-22", "2026-11-22T09:30:00", "2026-11-22 09:30:00Z", "2026-11-22T9:30:00Z",
		"2026-11-22T09:30:00,5Z", "2026-11-22T09:30Z", "2026-11-22T24:00:00Z", "2026-11-22T09:60:00Z", "2026-11-22T23:59:60Z",
		"2026-02-29T00:00:00Z", "2026-11-22T09:30:00+25:00", "2026-11-22T09:30:00+24:00", "2026-11-22T09:30:00+09:60", "2026-11-22T09:30:00+0900", "2026-11-22t09:30:00z", "20261122T093000Z",
		"1969-12-31T23:59:59.999Z", "1970-01-01T00:00:00+09:00", "9999-12-31T23:59:59-01:00", "10000-01-01T00:00:00Z",
		"-2026-11-22T09:30:00Z", " 2026-11-22T09:30:00Z", "2026-11-22T09:30:00Z\n", "1763803800", "２０２６-11-22T09:30:00Z"} {
		if i, err := ParseInstant(wrong); err == nil {
			t.Errorf("%q is read as %s", wrong, i)
		}
	}
}

func TestInstantJSON(t *testing.T) {
	type row struct {
		At   Instant  `json:"at"`
		Then *Instant `json:"then"`
	}
	const text = `{"at":"2026-11-22T09:30:00.123Z","then":null}`
	want := row{At: at("2026-11-22T09:30:00.123Z")}
	for name, codec := range map[string]struct {
		read  func([]byte, any) error
		write func(any) ([]byte, error)
	}{
		"standard":     {json.Unmarshal, json.Marshal},
		"experimental": {func(b []byte, v any) error { return jsonv2.Unmarshal(b, v) }, func(v any) ([]byte, error) { return jsonv2.Marshal(v) }},
	} {
		var got row
		if err := codec.read([]byte(text), &got); err != nil || got != want {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		if b, err := codec.write(want); err != nil || string(b) != text {
			t.Errorf("%s: %s, %v", name, b, err)
		}
		for _, wrong := range []string{`{"at":"soon"}`, `{"at":1763803800}`, `{"at":{}}`} {
			if codec.read([]byte(wrong), &got) == nil {
				t.Errorf("%s reads %s", name, wrong)
			}
		}
	}
}

func TestInstantArithmetic(t *testing.T) {
	i := at("2026-11-22T09:30:00Z")
	if got := i.Add(36*time.Hour + time.Millisecond); got != at("2026-11-23T21:30:00.001Z") || got.Sub(i) != 36*time.Hour+time.Millisecond {
		t.Error(got)
	}
	if i.Time().Location() != time.UTC || InstantOf(i.Time().In(time.FixedZone("", 3600))) != i {
		t.Error("the zone is not dropped")
	}
}

func TestInstantProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		i := Instant(rapid.Int64Range(0, int64(at("9999-12-31T23:59:59.999Z"))).Draw(t, "instant"))
		if again, err := ParseInstant(i.String()); err != nil || again != i || InstantOf(i.Time()) != i {
			t.Fatalf("%d is written as %s and read as %d, %v", i, i, again, err)
		}
	})
}

func TestParseDuration(t *testing.T) {
	const day = 24 * time.Hour
	for text, want := range map[string]time.Duration{
		"0s": 0, "90s": 90 * time.Second, "30m": 30 * time.Minute, "2h": 2 * time.Hour, "3d": 3 * day, "2w": 14 * day,
		"007d": 7 * day, "3660d": 3660 * day, "522w": 522 * 7 * day, "316224000s": 3660 * day,
	} {
		d, err := ParseDuration(text)
		if err != nil || string(d) != text || d.Length() != want {
			t.Errorf("%s is %s, %v", text, d.Length(), err)
		}
	}
	for _, wrong := range []string{"", "5", "s", "d5", "-1d", "+1d", "1.5h", "1,5h", "1h30m", "1 d", " 1d", "1d ", "1D", "1y", "1M", "1ms",
		"1µs", "3661d", "523w", "316224001s", "99999999999s", "999999999999999999999w", "0x1d", "1_0d", "1e2d", "１d", "P1D", "--1d", "1d\x00", "1d\n"} {
		if d, err := ParseDuration(wrong); err == nil || d != "" {
			t.Errorf("%q is read as %q", wrong, d)
		}
		if length := Duration(wrong).Length(); length != 0 {
			t.Errorf("%q has the length %s", wrong, length)
		}
	}
}

// FuzzParseDuration: what is accepted is kept letter for letter, and has a
// length from nothing to ten years.
func FuzzParseDuration(f *testing.F) {
	for _, seed := range []string{"0s", "90s", "2w", "-1d", "1.5h", "99999999999w"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDuration(s)
		length := Duration(s).Length()
		if length < 0 || length > maxDuration {
			t.Errorf("%q has the length %s", s, length)
		}
		if err == nil && string(d) != s || err != nil && (d != "" || length != 0) {
			t.Errorf("%q is read as %q of %s, %v", s, d, length, err)
		}
	})
}
