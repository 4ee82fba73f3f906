package survey

import (
	"fmt"
	"testing"
	"time"
)

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
		f, _ := cron.Next(after, tokyo)
		if got := fmt.Sprintf("%s %02d:%02d", f.Day, f.Minute/60, f.Minute%60); got != want {
			t.Errorf("%s: %s, want %s", line, got, want)
		}
	}
	for _, line := range []string{"", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "0 0 31 2 *", "0 0 31 4,6,9,11 *", "0 0 0 1 *",
		"TZ=UTC * * * * *", "CRON_TZ=UTC", "@hourly", "@every 1s", "a b c d e", "0 9 * * 8", "-1 * * * *", "0 9 * * 1-0", "*/0 * * * *", "\x00 * * * *",
		", 9 * * *", "0 , * * *", "0 9 , * 1", "0 9 1 , *", "0 9 1 * ,", "0, 9 * * *", ",0 9 * * *", "0,,30 9 * * *", ",, , , , ,", "0 9 * *, 1"} {
		if c, err := ParseCron(line); err == nil {
			t.Errorf("%q is taken: %+v", line, c)
		}
	}
}

// Whatever is taken fires some day, and says when at once.
func FuzzCron(f *testing.F) {
	for _, line := range []string{"0 9 * * 1-5", ", 9 * * *", "0 , * * *", "0 9 , * 1", "1,, * * * *", "0 0 29 2 *", "*/7,3 0-23/5 1,15 jan-mar mon"} {
		f.Add(line)
	}
	after := InstantOf(time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC))
	f.Fuzz(func(t *testing.T, line string) {
		c, err := ParseCron(line)
		if err != nil {
			return
		}
		fire, ever := c.Next(after, time.UTC)
		if !ever || fire.At <= after {
			t.Fatalf("%q is taken, and fires next at %v, %v", line, fire, ever)
		}
		if n := len(c.Fires(after, fire.At, time.UTC)); n != 1 {
			t.Errorf("%q: %d fires up to the next", line, n)
		}
	})
}

// A line that matches nothing never fires, and looking for its fires ends.
func TestALineThatMatchesNothing(t *testing.T) {
	c := parsedCron(t, "0 9 * * *")
	c.minutes = nil
	if fire, ever := c.Next(wednesday, time.UTC); ever {
		t.Errorf("it fires at %v", fire)
	}
	c = parsedCron(t, "0 9 * * *")
	c.spec.Dom, c.spec.Dow = 0, 0
	if fire, ever := c.Next(wednesday, time.UTC); ever {
		t.Errorf("it fires at %v", fire)
	}
}

// A line that was accepted before the rules became stricter still fires, and
// one that matches nothing ends its schedule instead of looking for ever.
func TestLinesOfBefore(t *testing.T) {
	from := InstantOf(time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC))
	for line, fires := range map[string]bool{"0 9 * * 1,": true, ", 9 * * *": false} {
		cron, loc, err := Trigger{Type: OnSchedule, Cron: line}.Calendar(Workspace{Timezone: "UTC"})
		if err != nil {
			t.Fatal(line, err)
		}
		if _, ever := cron.Next(from, loc); ever != fires {
			t.Errorf("%q fires: %v", line, ever)
		}
	}
}
