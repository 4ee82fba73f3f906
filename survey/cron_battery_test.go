package survey

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"koe/survey/store/storetest/battery"
)

// batteryZones are those whose clocks do something of their own: New York and
// London jump an hour at night, Lord Howe half an hour, Santiago over midnight;
// Tokyo and UTC never.
var batteryZones = []string{"America/New_York", "Europe/London", "Australia/Lord_Howe", "America/Santiago", "Asia/Tokyo", "UTC"}

var batteryFirst, batteryLast = DayOfDate(2027, 1, 1), DayOfDate(2028, 12, 31)

// wallClock is the oracle: somebody who looks at a clock on the wall every
// minute and notes when it first showed each date and time. What the clock
// jumped over is noted at the moment of the jump. It shares nothing with
// WallTime.
type wallClock struct {
	first []Instant // by minute since batteryFirst began; 0 where it was never shown
	jumps []Instant
}

func watchWallClock(loc *time.Location) wallClock {
	seen := wallClock{first: make([]Instant, (batteryLast-batteryFirst+1)*1440)}
	wall := func(t time.Time) time.Time { // what the clock shows, written as if in UTC
		l := t.In(loc)
		return time.Date(l.Year(), l.Month(), l.Day(), l.Hour(), l.Minute(), 0, 0, time.UTC)
	}
	t := time.Date(2026, 12, 30, 0, 0, 0, 0, time.UTC)
	shown := wall(t).Add(-time.Minute)
	for ; t.Year() < 2029 || t.YearDay() < 3; t = t.Add(time.Minute) {
		now := wall(t)
		if now.Sub(shown) != time.Minute {
			seen.jumps = append(seen.jumps, InstantOf(t))
		}
		for due := shown.Add(time.Minute); !due.After(now); due = due.Add(time.Minute) {
			seen.note(due, t)
		}
		shown = now
	}
	return seen
}

func (w *wallClock) note(wall, t time.Time) {
	at := wall.Unix()/60 - int64(batteryFirst)*1440
	if at >= 0 && at < int64(len(w.first)) && w.first[at] == 0 {
		w.first[at] = InstantOf(t)
	}
}

// at are the fires of one minute of the day that fall on days that pass.
func (w *wallClock) at(minute int, pass func(Day) bool) []Fire {
	var fires []Fire
	for day := batteryFirst; day <= batteryLast; day++ {
		if pass(day) {
			fires = append(fires, Fire{Day: day, Minute: minute, At: w.first[int(day-batteryFirst)*1440+minute]})
		}
	}
	return fires
}

func everyDay(Day) bool { return true }

// batteryCron enumerates a line over both years, and a day more on each side so
// that what belongs to them cannot fall out at an edge.
func batteryCron(t *testing.T, line string, loc *time.Location) []Fire {
	t.Helper()
	c := parsedCron(t, line)
	from := InstantOf(time.Date(2026, 12, 30, 0, 0, 0, 0, time.UTC))
	until := InstantOf(time.Date(2029, 1, 3, 0, 0, 0, 0, time.UTC))
	return slices.DeleteFunc(c.Fires(from, until, loc), func(f Fire) bool { return f.Day < batteryFirst || f.Day > batteryLast })
}

func parsedCron(t *testing.T, line string) Cron {
	t.Helper()
	c, err := ParseCron(line)
	if err != nil {
		t.Fatalf("ParseCron(%q): %v", line, err)
	}
	return c
}

func TestClockBattery(t *testing.T) {
	count, changes, lines := 0, 0, 0
	for _, name := range batteryZones {
		loc := zone(name)
		wall := watchWallClock(loc)
		if moves := name != "Asia/Tokyo" && name != "UTC"; moves == (len(wall.jumps) == 0) {
			t.Errorf("%s: the oracle saw %d changes of the clocks", name, len(wall.jumps))
		}
		changes += len(wall.jumps)
		check := func(line string, minute int, pass func(Day) bool) {
			want, got := wall.at(minute, pass), batteryCron(t, line, loc)
			if !slices.Equal(got, want) {
				t.Errorf("%s, %q: %s", name, line, firstDifference(got, want))
			}
			count, lines = count+len(got), lines+1
		}
		for half := range 48 {
			check(fmt.Sprintf("%d %d * * *", half%2*30, half/2), half*30, everyDay)
		}
		check("0 0 29 2 *", 0, func(d Day) bool { return d == DayOfDate(2028, 2, 29) })
		check("59 23 31 12 *", 23*60+59, func(d Day) bool { _, m, dom := d.Date(); return m == 12 && dom == 31 })
		check("0 0 1 1 *", 0, func(d Day) bool { _, m, dom := d.Date(); return m == 1 && dom == 1 })
		check("0 9 * * 1-5", 9*60, func(d Day) bool { return d.Weekday() <= 5 })
	}
	if want := 6 * (731*48 + 1 + 2 + 2 + 521); count != want {
		t.Errorf("%d fires, want %d: one per matching local date and time", count, want)
	}
	if t.Failed() {
		return
	}
	battery.Report(t, "%d zones, %d changes of the clocks, %d lines, %d fires, each matching local date and time once",
		len(batteryZones), changes, lines, count)
}

func firstDifference(got, want []Fire) string {
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			return fmt.Sprintf("fire %d is %s %02d:%02d at %s, want %s %02d:%02d at %s", i,
				got[i].Day, got[i].Minute/60, got[i].Minute%60, got[i].At,
				want[i].Day, want[i].Minute/60, want[i].Minute%60, want[i].At)
		}
	}
	return fmt.Sprintf("%d fires, want %d", len(got), len(want))
}

// However the time is cut into ticks, each fire falls into one of them; and
// Next names the first of the next tick that has any.
func TestCronFiresByTicks(t *testing.T) {
	for _, name := range batteryZones {
		loc := zone(name)
		for _, jump := range watchWallClock(loc).jumps {
			from, until := jump.Add(-3*time.Hour), jump.Add(3*time.Hour)
			for _, line := range []string{"* * * * *", "*/15 * * * *", "10,20,40 * * * *"} {
				c := parsedCron(t, line)
				whole := c.Fires(from, until, loc)
				if len(whole) == 0 {
					t.Fatalf("%s, %q: no fires around %s", name, line, jump)
				}
				var ticks []Fire
				for at := from; at < until; at = at.Add(7 * time.Minute) {
					tick := c.Fires(at, min(at.Add(7*time.Minute), until), loc)
					if next, _ := c.Next(at, loc); len(tick) > 0 && next != tick[0] {
						t.Errorf("%s, %q: next after %s is %v, want %v", name, line, at, next, tick[0])
					}
					ticks = append(ticks, tick...)
				}
				if !slices.Equal(ticks, whole) {
					t.Errorf("%s, %q around %s: by ticks %s", name, line, jump, firstDifference(ticks, whole))
				}
				keys := map[Fire]bool{}
				for _, f := range whole {
					key := Fire{Day: f.Day, Minute: f.Minute}
					if keys[key] {
						t.Errorf("%s, %q: %s minute %d fires twice", name, line, f.Day, f.Minute)
					}
					keys[key] = true
				}
			}
		}
	}
}

func TestCronCounts(t *testing.T) {
	lines := []string{"* * * * *", "30 2 * * *", "0 0 * * 1-5", "0 0 29 2 *"}
	for _, name := range append([]string{"Pacific/Apia"}, batteryZones...) {
		loc := zone(name)
		start := InstantOf(time.Date(2011, 12, 27, 5, 30, 0, 0, time.UTC)) // Apia has no 30 December 2011
		for _, length := range []time.Duration{0, time.Minute, 24 * time.Hour, 5 * 24 * time.Hour, 100 * 24 * time.Hour} {
			for _, line := range lines {
				c, until := parsedCron(t, line), start.Add(length)
				if got, want := c.Count(start, until, loc), len(c.Fires(start, until, loc)); got != want {
					t.Errorf("%s, %q, %s: %d, want %d", name, line, length, got, want)
				}
			}
		}
	}
	// Ten years by the minute are counted by the day: enumerated they were five
	// million fires.
	from := InstantOf(time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC))
	if n := parsedCron(t, "* * * * *").Count(from, from.Add(3650*24*time.Hour), time.UTC); n != 3650*1440 {
		t.Errorf("%d minutes in 3,650 days", n)
	}
}
