package survey

import (
	"fmt"
	"testing"
	"time"
)

// wallAt is the local date and minute of an instant.
func wallAt(at Instant, loc *time.Location) int64 {
	wall := at.Time().In(loc)
	return int64(DayOfDate(wall.Date()))*24*60 + int64(wall.Hour()*60+wall.Minute())
}

// oracle finds, minute by minute, when a local date and time comes for the
// first time from an instant on, or is passed over.
func oracle(target int64, from Instant, loc *time.Location) Instant {
	for at := from; ; at = at.Add(time.Minute) {
		if wallAt(at, loc) == target {
			return at
		}
		if at.Sub(from) > 72*time.Hour {
			break
		}
	}
	for at := from; ; at = at.Add(time.Minute) { // it never comes: the first minute behind the gap
		if wallAt(at, loc) > target {
			return at
		}
	}
}

// TestClocks: every half-hour line in six zones, around every change of the
// clocks in 2027 and 2028, a leap day and two turns of the year, fires once for
// each local date, at the instant that an oracle finds by looking at each
// minute.
func TestClocks(t *testing.T) {
	checked := 0
	for _, name := range []string{"America/New_York", "Europe/London", "Australia/Lord_Howe", "America/Santiago", "Asia/Tokyo", "UTC"} {
		loc, err := LoadZone(name)
		if err != nil {
			t.Fatal(err)
		}
		days := []Day{DayOfDate(2028, 2, 29), DayOfDate(2026, 12, 31), DayOfDate(2027, 12, 31)}
		start := InstantOf(time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC))
		for at, end := start, InstantOf(time.Date(2029, 1, 1, 0, 0, 0, 0, time.UTC)); at < end; at = at.Add(time.Hour) {
			if _, before := at.Time().In(loc).Zone(); true {
				if _, after := at.Add(time.Hour).Time().In(loc).Zone(); before != after {
					days = append(days, DayOf(at, loc))
				}
			}
		}
		for half := range 48 {
			line := fmt.Sprintf("%d %d * * *", half%2*30, half/2)
			cron, err := ParseCron(line)
			if err != nil {
				t.Fatal(err)
			}
			for _, day := range days {
				from, until := StartOf(day-1, loc).Add(-time.Minute), StartOf(day+2, loc).Add(-time.Minute)
				got := map[Day]Fire{}
				for i, f := range cron.Fires(from, until, loc) {
					if _, twice := got[f.Day]; twice {
						t.Fatalf("%s %s: %s fires twice", name, line, f.Day)
					}
					got[f.Day] = f
					if i == 0 {
						if next := cron.Next(from, loc); next != f {
							t.Fatalf("%s %s: next %+v, fires %+v", name, line, next, f)
						}
					}
				}
				for on := day - 1; on <= day+1; on++ {
					want := oracle(int64(on)*24*60+int64(half*30), StartOf(on-1, loc), loc)
					f, fired := got[on]
					if want > from && want <= until && (!fired || f.At != want) {
						t.Fatalf("%s %s on %s: %+v, want %s", name, line, on, f, want)
					}
					checked++
				}
			}
		}
	}
	t.Logf("clock battery: %d local dates and times, each fired once at the right instant", checked)
	if checked < 48*3*(6*3+4*4) {
		t.Errorf("only %d were checked", checked)
	}
}

func TestCronLines(t *testing.T) {
	tokyo, err := LoadZone("Asia/Tokyo")
	if err != nil {
		t.Fatal(err)
	}
	after := InstantOf(time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC)) // Monday 09:00 in Tokyo
	for line, want := range map[string]string{
		"0 9 * * *":         "2026-12-01 09:00",
		"1 9 * * *":         "2026-11-30 09:01",
		"*/15 * * * *":      "2026-11-30 09:15",
		"0 9 * * sat":       "2026-12-05 09:00",
		"0 9 * * 0":         "2026-12-06 09:00",
		"0 0 29 2 *":        "2028-02-29 00:00",
		"30 8 1 * 3":        "2026-12-01 08:30", // the first, or a Wednesday
		"0 9 * JAN,mar 1-5": "2027-01-01 09:00",
		"0  9 *  * 1":       "2026-12-07 09:00",
		"0 0 29 2 1":        "2027-02-01 00:00", // either
	} {
		cron, err := ParseCron(line)
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		f := cron.Next(after, tokyo)
		if got := fmt.Sprintf("%s %02d:%02d", f.Day, f.Minute/60, f.Minute%60); got != want {
			t.Errorf("%s: %s, want %s", line, got, want)
		}
	}
	for _, line := range []string{"", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "0 0 31 2 *", "0 0 31 4,6,9,11 *", "0 0 0 1 *",
		"TZ=UTC * * * * *", "CRON_TZ=UTC", "@hourly", "@every 1s", "a b c d e", "0 9 * * 8", "-1 * * * *", "0 9 * * 1-0", "*/0 * * * *", "\x00 * * * *"} {
		if c, err := ParseCron(line); err == nil {
			t.Errorf("%q is taken: %+v", line, c)
		}
	}
}
