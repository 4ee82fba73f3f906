package survey

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the same zones on every machine

	"pgregory.net/rapid"
)

// zoneNames are zones of every kind: half and quarter hours, half an hour of
// summer time, midnights and days that do not exist, clocks that moved back
// over midnight.
var zoneNames = []string{"UTC", "Asia/Tokyo", "America/New_York", "Europe/London", "America/Santiago", "Pacific/Apia",
	"Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Chatham", "America/Sao_Paulo", "Asia/Beirut", "Africa/Cairo",
	"America/Havana", "America/St_Johns", "Asia/Tehran", "Asia/Gaza", "Atlantic/Azores", "Africa/Casablanca",
	"Pacific/Kiritimati", "Pacific/Kwajalein", "Asia/Pyongyang", "America/Caracas", "Europe/Lisbon", "Africa/Monrovia",
	"Antarctica/Casey", "America/Nuuk", "Antarctica/Troll", "Europe/Moscow"}

func randomZone(t *rapid.T) *time.Location {
	loc, err := LoadZone(rapid.SampledFrom(zoneNames).Draw(t, "zone"))
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

// randomDay is any day of 1971 to 2036, more often than not one near to where
// the clocks of loc move.
func randomDay(t *rapid.T, loc *time.Location) Day {
	year := rapid.IntRange(1971, 2036).Draw(t, "year")
	d := DayOfDate(year, 1, 1) + Day(rapid.IntRange(0, 364).Draw(t, "day of the year"))
	if rapid.IntRange(0, 3).Draw(t, "anywhere") == 0 {
		return d
	}
	offset := func(d Day) int {
		_, seconds := time.Unix(int64(d)*86400, 0).In(loc).Zone()
		return seconds
	}
	for range 370 {
		if offset(d) != offset(d+1) {
			return d + Day(rapid.IntRange(-2, 3).Draw(t, "beside"))
		}
		d++
	}
	return d
}

func randomInstant(t *rapid.T, loc *time.Location) Instant {
	return InstantOf(randomDay(t, loc).utc()) + Instant(rapid.Int64Range(0, 86_400_000).Draw(t, "millisecond"))
}

// firstAt finds by trying every half minute when a wall clock in loc first
// shows a minute of a day or anything later. Every offset since 1971 is a
// multiple of half a minute.
func firstAt(d Day, minute int, loc *time.Location) Instant {
	wall := int64(d)*86400 + int64(minute)*60
	for at := wall - 26*3600; ; at += 30 {
		if _, offset := time.Unix(at, 0).In(loc).Zone(); at+int64(offset) >= wall {
			return Instant(at * 1000)
		}
	}
}

func TestStartOf(t *testing.T) {
	for _, test := range []struct {
		zone, day, start, end string
		hours                 float64
	}{
		{"UTC", "1970-01-02", "1970-01-02T00:00:00Z", "1970-01-03T00:00:00Z", 24},
		{"Asia/Tokyo", "2026-11-21", "2026-11-20T15:00:00Z", "2026-11-21T15:00:00Z", 24},
		{"America/New_York", "2026-03-08", "2026-03-08T05:00:00Z", "2026-03-09T04:00:00Z", 23},
		{"America/New_York", "2026-11-01", "2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z", 25},
		{"America/Santiago", "2026-09-05", "2026-09-05T04:00:00Z", "2026-09-06T04:00:00Z", 24},
		{"America/Santiago", "2026-09-06", "2026-09-06T04:00:00Z", "2026-09-07T03:00:00Z", 23}, // midnight to one does not exist
		{"America/Santiago", "2026-04-04", "2026-04-04T03:00:00Z", "2026-04-05T04:00:00Z", 25}, // 23 to midnight comes twice
		{"America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z", 23},
		{"Pacific/Apia", "2011-12-29", "2011-12-29T10:00:00Z", "2011-12-30T10:00:00Z", 24},
		{"Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z", "2011-12-30T10:00:00Z", 0}, // does not exist
		{"Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00Z", "2011-12-31T10:00:00Z", 24},
		{"Australia/Lord_Howe", "2026-10-04", "2026-10-03T13:30:00Z", "2026-10-04T13:00:00Z", 23.5},
		{"Australia/Lord_Howe", "2026-04-05", "2026-04-04T13:00:00Z", "2026-04-05T13:30:00Z", 24.5},
		{"Asia/Kathmandu", "2026-11-22", "2026-11-21T18:15:00Z", "2026-11-22T18:15:00Z", 24},
		{"Pacific/Chatham", "2026-06-01", "2026-05-31T11:15:00Z", "2026-06-01T11:15:00Z", 24},
		{"Pacific/Chatham", "2026-09-27", "2026-09-26T11:15:00Z", "2026-09-27T10:15:00Z", 23},
		{"America/Havana", "2026-11-01", "2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z", 25},   // midnight comes twice
		{"Antarctica/Casey", "2010-03-05", "2010-03-04T13:00:00Z", "2010-03-05T16:00:00Z", 27}, // went back over midnight
	} {
		t.Run(test.zone+" "+test.day, func(t *testing.T) {
			loc, err := LoadZone(test.zone)
			if err != nil {
				t.Fatal(err)
			}
			checkSpan(t, day(test.day), loc, at(test.start), at(test.end), test.hours)
		})
	}
}

func checkSpan(t *testing.T, d Day, loc *time.Location, start, end Instant, hours float64) {
	t.Helper()
	if got := StartOf(d, loc); got != start {
		t.Errorf("%s starts at %s, want %s", d, got, start)
	}
	if got := StartOf(d+1, loc); got != end {
		t.Errorf("%s ends at %s, want %s", d, got, end)
	}
	if got := StartOf(d+1, loc).Sub(StartOf(d, loc)).Hours(); got != hours {
		t.Errorf("%s has %v hours, want %v", d, got, hours)
	}
}

func TestStartOfProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		loc := randomZone(t)
		d := randomDay(t, loc)
		start := StartOf(d, loc)
		if want := firstAt(d, 0, loc); start != want {
			t.Fatalf("%s in %s starts at %s, want %s", d, loc, start, want)
		}
		if DayOf(start, loc) < d || DayOf(start-1, loc) >= d {
			t.Fatalf("%s in %s starts at %s, a %s after a %s", d, loc, start, DayOf(start, loc), DayOf(start-1, loc))
		}
		if next := StartOf(d+1, loc); next < start || DayOf(start, loc) > d && next != start {
			t.Fatalf("%s in %s starts at %s, the day after at %s", d, loc, start, next)
		}
	})
}

func TestWallTime(t *testing.T) {
	for _, test := range []struct {
		name, zone, day string
		minute          int
		want            string
	}{
		{"plain", "Asia/Tokyo", "2026-11-22", 9 * 60, "2026-11-22T00:00:00Z"},
		{"past midnight", "Asia/Tokyo", "2026-11-22", 30 * 60, "2026-11-22T21:00:00Z"},
		{"quarter hours", "Asia/Kathmandu", "2026-11-22", 9 * 60, "2026-11-22T03:15:00Z"},
		{"quarter hours ahead", "Pacific/Chatham", "2026-06-01", 0, "2026-05-31T11:15:00Z"},
		{"left out", "America/New_York", "2026-03-08", 2*60 + 30, "2026-03-08T07:00:00Z"},
		{"left out, its first minute", "America/New_York", "2026-03-08", 2 * 60, "2026-03-08T07:00:00Z"},
		{"after what is left out", "America/New_York", "2026-03-08", 3 * 60, "2026-03-08T07:00:00Z"},
		{"before what is left out", "America/New_York", "2026-03-08", 60 + 59, "2026-03-08T06:59:00Z"},
		{"comes twice: the first", "America/New_York", "2026-11-01", 60 + 30, "2026-11-01T05:30:00Z"},
		{"after what comes twice", "America/New_York", "2026-11-01", 2 * 60, "2026-11-01T07:00:00Z"},
		{"half an hour left out", "Australia/Lord_Howe", "2026-10-04", 2*60 + 10, "2026-10-03T15:30:00Z"},
		{"half an hour twice", "Australia/Lord_Howe", "2026-04-05", 60 + 40, "2026-04-04T14:40:00Z"},
		{"no midnight", "America/Santiago", "2026-09-06", 30, "2026-09-06T04:00:00Z"},
		{"no day", "Pacific/Apia", "2011-12-30", 12 * 60, "2011-12-30T10:00:00Z"},
		{"24:00 is the next day's start", "America/Santiago", "2026-09-05", 24 * 60, "2026-09-06T04:00:00Z"},
	} {
		t.Run(test.name, func(t *testing.T) {
			loc, err := LoadZone(test.zone)
			if err != nil {
				t.Fatal(err)
			}
			if got := WallTime(day(test.day), test.minute, loc); got != at(test.want) {
				t.Errorf("%s, want %s", got, at(test.want))
			}
		})
	}
}

func TestWallTimeProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		loc := randomZone(t)
		d := randomDay(t, loc)
		minute := rapid.IntRange(0, 48*60).Draw(t, "minute")
		if got, want := WallTime(d, minute, loc), firstAt(d, minute, loc); got != want {
			t.Fatalf("%s %d in %s: %s, want %s", d, minute, loc, got, want)
		}
	})
}

// FuzzWallTime compares with a search through every half minute.
func FuzzWallTime(f *testing.F) {
	f.Add(uint16(20520), uint16(150), uint8(2))
	f.Add(uint16(15338), uint16(0), uint8(5))
	f.Add(uint16(14673), uint16(1440), uint8(24))
	f.Fuzz(func(t *testing.T, days, minute uint16, zone uint8) {
		d, m := 366+Day(days)%(66*365), int(minute)%(48*60)
		loc, err := LoadZone(zoneNames[int(zone)%len(zoneNames)])
		if err != nil {
			t.Fatal(err)
		}
		if got, want := WallTime(d, m, loc), firstAt(d, m, loc); got != want {
			t.Errorf("%s %d in %s: %s, want %s", d, m, loc, got, want)
		}
	})
}

func TestDay(t *testing.T) {
	for _, test := range []struct {
		day     string
		number  Day
		weekday int
	}{
		{"1970-01-01", 0, 4}, {"1972-02-29", 789, 2}, {"2026-11-22", 20779, 7}, {"2026-11-23", 20780, 1},
		{"2028-02-29", 21243, 2}, {"9999-12-31", 2932896, 5},
	} {
		d, err := ParseDay(test.day)
		if err != nil || d != test.number || d.Weekday() != test.weekday || d.String() != test.day {
			t.Errorf("%s: %d %s, weekday %d, %v", test.day, d, d, d.Weekday(), err)
		}
		if b, err := json.Marshal(d); err != nil || string(b) != `"`+test.day+`"` {
			t.Errorf("%s, %v", b, err)
		}
	}
	for _, wrong := range []string{"", "2026-1-02", "2026-13-01", "2026-02-29", "1969-12-31", "10000-01-01", "2026-11-22T00:00:00Z",
		" 2026-11-22", "２０２６-11-22", "2026/11/22", "-0001-01-01", "0000-00-00", "2026-11-22\x00"} {
		if d, err := ParseDay(wrong); err == nil {
			t.Errorf("%q is read as %s", wrong, d)
		}
	}
	if DayOfDate(2026, 14, 31) != day("2027-03-03") {
		t.Error("a month that overflows is not normalised")
	}
	if y, m, d := day("2026-11-22").Date(); y != 2026 || m != time.November || d != 22 {
		t.Errorf("%d %s %d", y, m, d)
	}
}

func TestDayProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := Day(rapid.Int32Range(0, 2932896).Draw(t, "day"))
		if again, err := ParseDay(d.String()); err != nil || again != d {
			t.Fatalf("%s is read as %s, %v", d, again, err)
		}
		if DayOfDate(d.Date()) != d || (d+1).Weekday() != d.Weekday()%7+1 {
			t.Fatal(d)
		}
	})
}

func TestLoadZone(t *testing.T) {
	for _, name := range append([]string{"Etc/GMT+12", "America/Argentina/Buenos_Aires"}, zoneNames...) {
		if loc, err := LoadZone(name); err != nil || loc.String() != name {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, wrong := range []string{"", "Local", "localtime", "posixrules", "Factory", "posix/Asia/Tokyo", "right/Asia/Tokyo",
		"Tokyo", "JST", "Mars/Base", "Asia//Tokyo", "Asia/./Tokyo", "../../etc/passwd", "/etc/localtime", "Asia/Tokyo ", "Asia", "zone.tab",
		"Asia/Tokyo\x00", strings.Repeat("Asia/Tokyo/", 10)} {
		if loc, err := LoadZone(wrong); err == nil {
			t.Errorf("%q is read as %s", wrong, loc)
		}
	}
	if zone("Mars/Base", "", "Asia/Tokyo", "UTC").String() != "Asia/Tokyo" || zone("Mars/Base") != time.UTC {
		t.Error("not the first name that is a zone, else UTC")
	}
}

func TestQuarterOf(t *testing.T) {
	for _, test := range []struct{ at, zone, want string }{
		{"2026-01-01T00:00:00Z", "UTC", "2026Q1"}, {"2026-03-31T23:59:59.999Z", "UTC", "2026Q1"},
		{"2026-04-01T00:00:00Z", "UTC", "2026Q2"}, {"2026-06-30T15:00:00Z", "Asia/Tokyo", "2026Q3"},
		{"2026-10-01T03:59:59Z", "America/New_York", "2026Q3"}, {"2026-12-31T15:00:00Z", "Asia/Tokyo", "2027Q1"},
		{"2026-12-31T23:59:59Z", "UTC", "2026Q4"},
	} {
		loc, err := LoadZone(test.zone)
		if err != nil {
			t.Fatal(err)
		}
		if got := quarterOf(at(test.at), loc); got != test.want {
			t.Errorf("%s in %s: %s, want %s", test.at, test.zone, got, test.want)
		}
	}
}

// TestCalendarTruth checks koe against dates that others computed: the folder
// in KOE_TEST_DATA holds them in truth/. Without it the test is skipped, unless
// KOE_TEST_MUST=1 says that it must run.
func TestCalendarTruth(t *testing.T) {
	folder := os.Getenv("KOE_TEST_DATA")
	if folder == "" {
		if os.Getenv("KOE_TEST_MUST") == "1" {
			t.Fatal("KOE_TEST_DATA is not set, but KOE_TEST_MUST is 1")
		}
		t.Skip("KOE_TEST_DATA is not set: it names the folder with truth/edges.public.json")
	}
	data, err := os.ReadFile(filepath.Join(folder, "truth", "edges.public.json"))
	if err != nil {
		t.Fatal(err)
	}
	var vectors []struct {
		ID, Group       string
		Input, Expected json.RawMessage
	}
	if err := json.Unmarshal(data, &vectors); err != nil {
		t.Fatal(err)
	}
	checks := map[string]func(*testing.T, json.RawMessage, json.RawMessage){
		"time-bucket": checkBucket, "iso-week": checkBucket, "time-parse": checkBucket, "day-span": checkDaySpan}
	seen := map[string]int{}
	for _, v := range vectors {
		if check, ours := checks[v.Group]; ours {
			seen[v.Group]++
			t.Run(v.ID, func(t *testing.T) { check(t, v.Input, v.Expected) })
		}
	}
	for group := range checks {
		if seen[group] == 0 {
			t.Errorf("no vector of group %s", group)
		}
	}
}

// checkBucket checks an instant in a zone, an instant with its offset, or a
// plain date.
func checkBucket(t *testing.T, input, expected json.RawMessage) {
	var in struct{ At, Zone string }
	var want struct {
		Local, Day, Month string
		ISOWeek           string `json:"iso_week"`
		Weekday           int
	}
	if err := json.Unmarshal(expected, &want); err != nil {
		t.Fatal(err)
	}
	if json.Unmarshal(input, &in) != nil {
		if err := json.Unmarshal(input, &in.At); err != nil {
			t.Fatal(err)
		}
		in.Zone = "America/New_York" // of the one instant that has an offset and no zone
	}
	if want.Local == "" {
		if d, err := ParseDay(in.At); err != nil || d.Weekday() != want.Weekday || d.ISOWeek() != want.ISOWeek {
			t.Errorf("%s is weekday %d of %s, want %+v, %v", in.At, d.Weekday(), d.ISOWeek(), want, err)
		}
		return
	}
	i, err := ParseInstant(in.At)
	if err != nil {
		t.Fatal(err)
	}
	loc, err := LoadZone(in.Zone)
	if err != nil {
		t.Fatal(err)
	}
	d := DayOf(i, loc)
	if local := i.Time().In(loc).Format("2006-01-02T15:04:05-07:00"); local != want.Local || d.String() != want.Day {
		t.Errorf("%s is %s, day %s; want %+v", in.At, local, d, want)
	}
	// a range of one instant has one period of each kind: its own
	names := map[Interval]string{Daily: want.Day, Monthly: want.Month, Weekly: want.ISOWeek}
	for every, name := range names {
		periods, err := Periods(i, i+1, every, loc)
		if err != nil || len(periods) != 1 {
			t.Fatalf("%d periods, %v", len(periods), err)
		}
		got := map[Interval]string{Daily: periods[0].Start.String(), Monthly: periods[0].Start.String()[:7], Weekly: periods[0].Start.ISOWeek()}[every]
		if got != name {
			t.Errorf("%s is in the %s %s, want %s", in.At, every, got, name)
		}
	}
}

func checkDaySpan(t *testing.T, input, expected json.RawMessage) {
	var in struct{ Day, Zone string }
	var want struct {
		Start Instant `json:"start_utc"`
		End   Instant `json:"end_utc_exclusive"`
		Hours float64
	}
	if err := json.Unmarshal(input, &in); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(expected, &want); err != nil {
		t.Fatal(err)
	}
	loc, err := LoadZone(in.Zone)
	if err != nil {
		t.Fatal(err)
	}
	checkSpan(t, day(in.Day), loc, want.Start, want.End, want.Hours)
}
