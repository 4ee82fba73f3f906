package survey

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func in(t testing.TB, zone string) *time.Location {
	t.Helper()
	loc, err := LoadZone(zone)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

// spans writes periods as "start end", one word each day.
func spans(periods []Period) []string {
	var out []string
	for _, p := range periods {
		out = append(out, p.Start.String()+" "+p.End.String())
	}
	return out
}

func TestPeriods(t *testing.T) {
	for _, test := range []struct {
		name, from, to string // days of the zone, or instants
		every          Interval
		zone           string
		want           []string
	}{
		{"a quarter by month", "2026-01-01", "2026-04-01", Monthly, "Asia/Tokyo",
			[]string{"2026-01-01 2026-02-01", "2026-02-01 2026-03-01", "2026-03-01 2026-04-01"}},
		{"a leap February by month", "2028-02-01", "2028-03-01", Monthly, "UTC", []string{"2028-02-01 2028-03-01"}},
		{"cut at both ends", "2026-01-15", "2026-02-10", Monthly, "UTC", []string{"2026-01-15 2026-02-01", "2026-02-01 2026-02-10"}},
		{"a part of a day is its day", "2026-03-08T12:00:00Z", "2026-03-09T12:00:00Z", Daily, "America/New_York",
			[]string{"2026-03-08 2026-03-09", "2026-03-09 2026-03-10"}},
		{"within one day", "2026-03-08T12:00:00Z", "2026-03-08T12:00:00.001Z", Yearly, "America/New_York", []string{"2026-03-08 2026-03-09"}},
		{"weeks begin on Monday", "2020-12-28", "2021-01-11", Weekly, "Europe/London", []string{"2020-12-28 2021-01-04", "2021-01-04 2021-01-11"}},
		{"a year begins within a week", "2021-01-01", "2021-01-06", Weekly, "UTC", []string{"2021-01-01 2021-01-04", "2021-01-04 2021-01-06"}},
		{"weeks around the epoch", "1970-01-01", "1970-01-13", Weekly, "UTC", []string{"1970-01-01 1970-01-05", "1970-01-05 1970-01-12", "1970-01-12 1970-01-13"}},
		{"quarters", "2025-11-01", "2026-07-02", Quarterly, "Asia/Kathmandu",
			[]string{"2025-11-01 2026-01-01", "2026-01-01 2026-04-01", "2026-04-01 2026-07-01", "2026-07-01 2026-07-02"}},
		{"years", "2024-12-31", "2026-01-01", Yearly, "Pacific/Chatham", []string{"2024-12-31 2025-01-01", "2025-01-01 2026-01-01"}},
		{"a midnight that does not exist", "2026-09-05", "2026-09-08", Daily, "America/Santiago",
			[]string{"2026-09-05 2026-09-06", "2026-09-06 2026-09-07", "2026-09-07 2026-09-08"}},
		{"a day that does not exist", "2011-12-29", "2012-01-01", Daily, "Pacific/Apia",
			[]string{"2011-12-29 2011-12-30", "2011-12-31 2012-01-01"}},
		{"a week with such a day", "2011-12-26", "2012-01-02", Weekly, "Pacific/Apia", []string{"2011-12-26 2012-01-02"}},
		{"clocks turned back over midnight", "2010-11-06", "2010-11-08", Daily, "America/St_Johns",
			[]string{"2010-11-06 2010-11-07", "2010-11-07 2010-11-08"}},
		{"within the hour that came twice", "2010-11-07T03:00:00Z", "2010-11-07T03:10:00Z", Daily, "America/St_Johns",
			[]string{"2010-11-07 2010-11-08"}},
		{"nothing", "2026-01-01", "2026-01-01", Daily, "UTC", nil},
		{"less than nothing", "2026-01-02", "2026-01-01", Daily, "UTC", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			loc := in(t, test.zone)
			from, to := edge(test.from, loc), edge(test.to, loc)
			periods, err := Periods(from, to, test.every, loc)
			if err != nil || !slices.Equal(spans(periods), test.want) {
				t.Fatalf("got %q, want %q, %v", spans(periods), test.want, err)
			}
			checkTiles(t, periods, from, to, loc)
		})
	}
}

// edge is an instant, or a day's first in loc.
func edge(s string, loc *time.Location) Instant {
	if d, err := ParseDay(s); err == nil {
		return StartOf(d, loc)
	}
	return at(s)
}

// checkTiles checks that periods follow one another from from to to, and that
// their days do too.
func checkTiles(t interface{ Fatalf(string, ...any) }, periods []Period, from, to Instant, loc *time.Location) {
	next := from
	for i, p := range periods {
		if p.From != next || p.To <= p.From || p.End <= p.Start {
			t.Fatalf("period %d is %+v, but the last one ended at %s", i, p, next)
		}
		if i > 0 && (p.Start < periods[i-1].End || StartOf(p.Start, loc) != p.From) {
			t.Fatalf("period %d is %+v after %+v", i, p, periods[i-1])
		}
		next = p.To
	}
	if from < to && next != to {
		t.Fatalf("the last period ends at %s, the range at %s", next, to)
	}
}

func TestPeriodsLength(t *testing.T) {
	for _, test := range []struct {
		day, zone string
		hours     float64
	}{
		{"2026-03-08", "America/New_York", 23}, {"2026-11-01", "America/New_York", 25}, {"2026-11-02", "America/New_York", 24},
		{"2026-04-05", "Australia/Lord_Howe", 24.5}, {"2026-10-04", "Australia/Lord_Howe", 23.5},
		{"2026-09-06", "America/Santiago", 23}, {"2026-04-04", "America/Santiago", 25}, {"2026-03-29", "Asia/Beirut", 23},
	} {
		loc := in(t, test.zone)
		d := day(test.day)
		periods, err := Periods(StartOf(d-1, loc), StartOf(d+2, loc), Daily, loc)
		if err != nil || len(periods) != 3 {
			t.Fatalf("%s in %s: %q, %v", test.day, test.zone, spans(periods), err)
		}
		if got := periods[1].To.Sub(periods[1].From).Hours(); got != test.hours {
			t.Errorf("%s in %s has %g hours, want %g", test.day, test.zone, got, test.hours)
		}
	}
}

func TestPeriodsLimit(t *testing.T) {
	from := at("2000-01-01T00:00:00Z")
	if periods, err := Periods(from, from.Add(MaxPeriods*24*time.Hour), Daily, time.UTC); err != nil || len(periods) != MaxPeriods {
		t.Errorf("%d periods, %v", len(periods), err)
	}
	for _, test := range []struct {
		to    Instant
		asked string
	}{
		{from.Add(MaxPeriods*24*time.Hour + time.Millisecond), "2001"},
		{from.Add(40_000 * 24 * time.Hour), "40000"},
		{at("9999-12-31T23:59:59.999Z"), "2921940"},
	} {
		periods, err := Periods(from, test.to, Daily, time.UTC)
		if periods != nil || !invalid(err, "interval") ||
			!strings.Contains(err.Error(), test.asked) || !strings.Contains(err.Error(), fmt.Sprint(MaxPeriods)) {
			t.Errorf("to %s: %d periods, %v", test.to, len(periods), err)
		}
	}
	if _, err := Periods(0, at("9999-12-31T23:59:59.999Z"), Quarterly, time.UTC); err == nil {
		t.Error("32,120 quarters are shown")
	}
}

// invalid says whether an error is Invalid on a field.
func invalid(err error, field string) bool {
	var e *Error
	return errors.As(err, &e) && e.Kind == Invalid && len(e.Fields) == 1 && e.Fields[0].Field == field
}

func TestParseInterval(t *testing.T) {
	for _, name := range []string{"day", "week", "month", "quarter", "year"} {
		if every, err := ParseInterval(name); err != nil || string(every) != name {
			t.Errorf("%s: %q, %v", name, every, err)
		}
	}
	for _, wrong := range []string{"", "hour", "Month", "months", "7d", " day"} {
		if every, err := ParseInterval(wrong); every != "" || !invalid(err, "interval") {
			t.Errorf("%q is read as %q, %v", wrong, every, err)
		}
	}
}

func TestISOWeek(t *testing.T) {
	for date, week := range map[string]string{"2020-12-31": "2020-W53", "2021-01-01": "2020-W53", "2021-01-03": "2020-W53",
		"2021-01-04": "2021-W01", "2025-12-29": "2026-W01", "2026-01-01": "2026-W01", "2026-12-31": "2026-W53", "1970-01-01": "1970-W01"} {
		if got := day(date).ISOWeek(); got != week {
			t.Errorf("%s is in %s, want %s", date, got, week)
		}
		if start := Weekly.start(Weekly.number(day(date))); start.Weekday() != 1 || start.ISOWeek() != week {
			t.Errorf("the week of %s begins on %s", date, start)
		}
	}
}

func TestParseRolling(t *testing.T) {
	for text, want := range map[string]int{"1d": 1, "30d": 30, "4w": 28, "3660d": 3660, "522w": 3654} {
		if days, err := ParseRolling(text); err != nil || days != want {
			t.Errorf("%s: %d, %v", text, days, err)
		}
	}
	for _, wrong := range []string{"", "d", "0d", "-1d", "+3d", "30", "30h", "3.5d", "3661d", "523w", "1m", "99999999999999999999d", "30d ", "３0d"} {
		days, err := ParseRolling(wrong)
		if days != 0 || !invalid(err, "rolling") {
			t.Errorf("%q is read as %d, %v", wrong, days, err)
		}
	}
}

func TestRolling(t *testing.T) {
	loc := in(t, "America/New_York")
	periods, err := Periods(StartOf(day("2026-01-01"), loc), StartOf(day("2026-04-01"), loc), Monthly, loc)
	if err != nil {
		t.Fatal(err)
	}
	windows := Rolling(periods, 30, loc)
	if want := []string{"2026-01-02 2026-02-01", "2026-01-30 2026-03-01", "2026-03-02 2026-04-01"}; !slices.Equal(spans(windows), want) {
		t.Errorf("got %q, want %q", spans(windows), want)
	}
	for i, w := range windows {
		if w.From != StartOf(w.Start, loc) || w.To != periods[i].To {
			t.Errorf("%+v", w)
		}
	}
	// the clocks move on 8 March: 30 days are an hour less
	if got := windows[2].To.Sub(windows[2].From).Hours(); got != 30*24-1 {
		t.Errorf("%g hours", got)
	}
	daily, err := Periods(StartOf(day("2026-01-01"), loc), StartOf(day("2026-01-02"), loc), Daily, loc)
	if err != nil {
		t.Fatal(err)
	}
	if got := spans(Rolling(daily, 28, loc)); !slices.Equal(got, []string{"2025-12-05 2026-01-02"}) {
		t.Errorf("the first window does not reach back: %q", got)
	}
}

func TestBefore(t *testing.T) {
	for _, test := range []struct {
		name, from, to string
		every          Interval
		zone, want     string
	}{
		{"a month, however long", "2026-03-01", "2026-04-01", "", "UTC", "2026-02-01"},
		{"a leap February", "2028-03-01", "2028-04-01", Monthly, "UTC", "2028-02-01"},
		{"a quarter", "2026-01-01", "2026-04-01", "", "Asia/Tokyo", "2025-10-01"},
		{"a quarter by month", "2026-01-01", "2026-04-01", Monthly, "Asia/Tokyo", "2025-10-01"},
		{"a quarter by day", "2026-01-01", "2026-04-01", Daily, "UTC", "2025-10-03"},
		{"two months that are no quarter", "2026-03-01", "2026-05-01", "", "UTC", "2026-01-01"},
		{"half a year", "2026-07-01", "2027-01-01", "", "UTC", "2026-01-01"},
		{"a year after a leap year", "2029-01-01", "2030-01-01", "", "UTC", "2028-01-01"},
		{"a week", "2026-03-09", "2026-03-16", "", "America/New_York", "2026-03-02"},
		{"ten days", "2026-03-03", "2026-03-13", "", "America/New_York", "2026-02-21"},
		{"a month by week", "2026-03-01", "2026-04-01", Weekly, "UTC", "2026-01-29"},
		{"a day of 23 hours", "2026-03-08", "2026-03-09", "", "America/New_York", "2026-03-07"},
		{"after a midnight that does not exist", "2026-09-06", "2026-09-07", "", "America/Santiago", "2026-09-05"},
		{"hours", "2026-03-09T12:00:00Z", "2026-03-09T18:00:00Z", Monthly, "UTC", "2026-03-09T06:00:00Z"},
		{"to within a day", "2026-03-01", "2026-03-09T12:00:00Z", "", "UTC", "2026-02-20T12:00:00Z"},
		{"midnights of another zone", "2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z", "", "Asia/Tokyo", "2026-01-29T00:00:00Z"},
	} {
		t.Run(test.name, func(t *testing.T) {
			loc := in(t, test.zone)
			want := edge(test.want, loc)
			if got := Before(edge(test.from, loc), edge(test.to, loc), test.every, loc); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

func TestPeriodProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		loc := randomZone(t)
		from := randomInstant(t, loc)
		to := from + Instant(rapid.Int64Range(0, 800*86_400_000).Draw(t, "length"))
		every := rapid.SampledFrom([]Interval{Daily, Weekly, Monthly, Quarterly, Yearly}).Draw(t, "interval")
		checkPeriods(t, from, to, every, loc)
		if before := Before(from, to, every, loc); before > from || from < to && before == from {
			t.Fatalf("before %s comes %s", from, before)
		}
	})
}

// checkPeriods checks that the periods tile the range and that the first, last
// and middle instant of each has its day in it.
func checkPeriods(t interface{ Fatalf(string, ...any) }, from, to Instant, every Interval, loc *time.Location) {
	periods, err := Periods(from, to, every, loc)
	if err != nil {
		t.Fatalf("%s", err)
	}
	checkTiles(t, periods, from, to, loc)
	for i, p := range periods {
		for _, instant := range []Instant{p.From, p.From + (p.To-p.From)/2, p.To - 1} {
			d := DayOf(instant, loc)
			// clocks turned back over midnight show the day before again
			again := d+1 == p.Start && instant >= StartOf(p.Start, loc)
			if (d < p.Start || d >= p.End) && !again {
				t.Fatalf("%s, the day %s, is in %+v", instant, d, p)
			}
		}
		if whole := i > 0 && i < len(periods)-1; whole && every.number(p.Start) != every.number(p.End-1) {
			t.Fatalf("%+v is more than a %s", p, every)
		}
		if i > 0 && every.number(p.Start) == every.number(periods[i-1].Start) {
			t.Fatalf("two periods of one %s: %+v, %+v", every, periods[i-1], p)
		}
	}
}

// FuzzPeriods: whatever the range, its periods follow one another, and every
// instant is in the period that has its day.
func FuzzPeriods(f *testing.F) {
	f.Add(int64(1_767_225_600_000), int64(86_400_000*90), uint8(1), uint8(2))
	f.Add(int64(1_325_152_800_000), int64(86_400_000*5), uint8(0), uint8(5))  // Apia without 30 December
	f.Add(int64(1_289_008_800_000), int64(86_400_000*3), uint8(0), uint8(13)) // St. John's, midnight twice
	f.Add(int64(1_788_000_000_000), int64(86_400_000*20), uint8(2), uint8(4)) // Santiago, no midnight
	every := []Interval{Daily, Weekly, Monthly, Quarterly, Yearly}
	f.Fuzz(func(t *testing.T, from, length int64, interval, zone uint8) {
		const most = 4_102_444_800_000 // the year 2100
		if from < 0 || from > most || length < 0 || length > 1000*86_400_000 {
			t.Skip()
		}
		checkPeriods(t, Instant(from), Instant(from+length), every[int(interval)%len(every)], in(t, zoneNames[int(zone)%len(zoneNames)]))
	})
}
