package survey

import (
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// Instant is a point in time: milliseconds since 1970-01-01T00:00:00Z. It has
// no zone, compares exactly, and is the same number in every database.
type Instant int64

// InstantOf drops the zone and what is finer than a millisecond.
func InstantOf(t time.Time) Instant { return Instant(t.UnixMilli()) }

// Time is the instant in UTC.
func (i Instant) Time() time.Time { return time.UnixMilli(int64(i)).UTC() }

// Add moves the instant by a length of time.
func (i Instant) Add(d time.Duration) Instant { return i + Instant(d/time.Millisecond) }

// Sub is the length of time from j to i.
func (i Instant) Sub(j Instant) time.Duration { return time.Duration(i-j) * time.Millisecond }

const instantLayout = "2006-01-02T15:04:05.000Z"

// String writes RFC 3339 in UTC with milliseconds.
func (i Instant) String() string { return i.Time().Format(instantLayout) }

// MarshalText writes the instant as String does.
func (i Instant) MarshalText() ([]byte, error) {
	return i.Time().AppendFormat(nil, instantLayout), nil
}

// UnmarshalText reads RFC 3339 with any offset; years 1970 to 9999.
func (i *Instant) UnmarshalText(b []byte) error {
	parsed, err := ParseInstant(string(b))
	if err != nil {
		return err
	}
	*i = parsed
	return nil
}

// instantPattern is stricter than time.Parse, which takes "T9:30:00Z", a comma
// before the fraction and offsets of 24 hours.
var instantPattern = regexp.MustCompile(`T[0-9]{2}:[0-9:]{5}(\.[0-9]+)?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$`)

// ParseInstant reads RFC 3339 with any offset; years 1970 to 9999.
func ParseInstant(s string) (Instant, error) {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil || !instantPattern.MatchString(s) || t.UTC().Year() < 1970 || t.UTC().Year() > 9999 {
		return 0, fmt.Errorf("must be an RFC 3339 instant such as 2026-11-22T09:30:00.000Z")
	}
	return InstantOf(t), nil
}

// Duration is a length of time as its author wrote it: a whole number and one
// of s, m, h, d (24 hours), w (7 days), such as "90s", "30m", "2h", "3d", "2w".
type Duration string

// maxDuration keeps sums of instants inside the calendar.
const maxDuration = 10 * 366 * 24 * time.Hour

// ParseDuration accepts what Duration describes, up to ten years.
func ParseDuration(s string) (Duration, error) {
	if _, err := lengthOf(s); err != nil {
		return "", err
	}
	return Duration(s), nil
}

// Length is the duration's length; 0 for one that is unset or not valid.
func (d Duration) Length() time.Duration {
	length, err := lengthOf(string(d))
	if err != nil {
		return 0
	}
	return length
}

func lengthOf(s string) (time.Duration, error) {
	wrong := fmt.Errorf("must be a duration such as 90s, 30m, 2h, 3d or 2w, at most ten years")
	if len(s) < 2 || len(s) > 12 || s[0] < '0' || s[0] > '9' {
		return 0, wrong
	}
	unit, ok := map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour,
		'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}[s[len(s)-1]]
	n, err := strconv.ParseInt(s[:len(s)-1], 10, 64)
	if !ok || err != nil || n < 0 || n > int64(maxDuration/unit) {
		return 0, wrong
	}
	return time.Duration(n) * unit, nil
}
