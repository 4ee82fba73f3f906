package survey

import (
	"fmt"
	"path"
	"strings"
	"sync"
	"time"
)

// Day is a calendar date without a zone: days since 1970-01-01.
type Day int32

const dayLayout = "2006-01-02"

// DayOf is the date that a calendar on the wall in loc shows at an instant.
func DayOf(i Instant, loc *time.Location) Day {
	y, m, d := i.Time().In(loc).Date()
	return DayOfDate(y, m, d)
}

// DayOfDate is the day of a date; what overflows a month is normalised.
func DayOfDate(y int, m time.Month, d int) Day {
	return Day(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

// Date is the day's year, month and day of month.
func (d Day) Date() (int, time.Month, int) { return d.utc().Date() }

// Weekday is ISO's: Monday 1 to Sunday 7.
func (d Day) Weekday() int {
	if w := int(d.utc().Weekday()); w != 0 {
		return w
	}
	return 7
}

func (d Day) utc() time.Time { return time.Unix(int64(d)*86400, 0).UTC() }

// String writes YYYY-MM-DD.
func (d Day) String() string { return d.utc().Format(dayLayout) }

// MarshalText writes YYYY-MM-DD.
func (d Day) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads YYYY-MM-DD, years 1970 to 9999.
func (d *Day) UnmarshalText(b []byte) (err error) {
	*d, err = ParseDay(string(b))
	return err
}

// ParseDay reads YYYY-MM-DD, years 1970 to 9999.
func ParseDay(s string) (Day, error) {
	t, err := time.Parse(dayLayout, s)
	if err != nil || t.Year() < 1970 {
		return 0, fmt.Errorf("must be a date such as 2026-11-22")
	}
	return DayOfDate(t.Date()), nil
}

// StartOf is the first instant of a day in loc. Where midnight does not exist
// (Santiago 2026-09-06) that is the instant at which the clocks jumped over
// it; where the whole day does not exist (Apia 2011-12-30) the day is empty
// and starts where the next one does. time.Date would answer with an instant
// on the day before.
func StartOf(d Day, loc *time.Location) Instant { return WallTime(d, 0, loc) }

// WallTime is the instant at which a clock on the wall in loc shows a minute
// of a day (which may run past 24:00). Where that time comes twice it is the
// first of the two; where the clocks jump over it, the first instant after.
func WallTime(d Day, minute int, loc *time.Location) Instant {
	wall := InstantOf(d.utc()).Add(time.Duration(minute) * time.Minute)
	offsetAt := func(i Instant) time.Duration {
		_, seconds := i.Time().In(loc).Zone()
		return time.Duration(seconds) * time.Second
	}
	// the offsets in force well before and well after cover every transition
	early, late := offsetAt(wall.Add(-36*time.Hour)), offsetAt(wall.Add(36*time.Hour))
	for _, offset := range []time.Duration{max(early, late), min(early, late)} {
		if i := wall.Add(-offset); offsetAt(i) == offset {
			return i
		}
	}
	before, after := wall.Add(-max(early, late)), wall.Add(-min(early, late))
	for after-before > 1 {
		if middle := before + (after-before)/2; offsetAt(middle) == late {
			after = middle
		} else {
			before = middle
		}
	}
	return after
}

// LoadZone finds an IANA time zone such as "Asia/Tokyo". "Local", the empty
// name and what else a machine's zone folder may hold beside the zones are
// refused: what they mean differs from machine to machine.
func LoadZone(name string) (*time.Location, error) {
	wrong := fmt.Errorf("must be an IANA time zone such as Asia/Tokyo or UTC")
	switch folder, _, _ := strings.Cut(name, "/"); folder {
	case "", "Local", "localtime", "posixrules", "Factory", "posix", "right":
		return nil, wrong
	}
	if len(name) > 64 || path.Clean(name) != name { // Asia//Tokyo would be found, and is no name
		return nil, wrong
	}
	if known, ok := zones.Load(name); ok {
		if loc, ok := known.(*time.Location); ok {
			return loc, nil
		}
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, wrong
	}
	zones.Store(name, loc)
	return loc, nil
}

// zones remembers the zones that were loaded: time reads a zone's file anew each
// time, which was a tenth of what a mail costs. There are some 600 names, and
// what one means is the same for as long as the process runs.
var zones sync.Map

// zone is LoadZone for names that were checked when they came in.
func zone(names ...string) *time.Location {
	for _, name := range names {
		if loc, err := LoadZone(name); err == nil {
			return loc
		}
	}
	return time.UTC
}

// quarterOf names the calendar quarter of an instant, such as "2026Q4".
func quarterOf(i Instant, loc *time.Location) string {
	y, m, _ := i.Time().In(loc).Date()
	return fmt.Sprintf("%04dQ%d", y, (int(m)+2)/3)
}
