package survey

import (
	"fmt"
	"strings"
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
		"\t0 9 * * 0 ":      "2026-12-06 09:00",
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
		"TZ=UTC * * * * *", "CRON_TZ=UTC", "@hourly", "@every 1s", "a b c d e", "0 9 * * 8", "0 9 * * 7-1", "0 9 * * 7-8", "0 9 * * 8-7", "0 9 * * 1-7/0", "0 9 * * 7/0", "0 9 * * x-7", "0 9 * * 1-2-7", "7 24 7 7 7", "-1 * * * *", "0 9 * * 1-0", "*/0 * * * *", "\x00 * * * *",
		", 9 * * *", "0 , * * *", "0 9 , * 1", "0 9 1 , *", "0 9 1 * ,", "0, 9 * * *", ",0 9 * * *", "0,,30 9 * * *", ",, , , , ,", "0 9 * *, 1"} {
		if c, err := ParseCron(line); err == nil {
			t.Errorf("%q is taken: %+v", line, c)
		}
	}
}

// Sunday is 0 and 7, alone, in lists and at the end of ranges, whatever the step.
func TestSundayIsSeven(t *testing.T) {
	for line, same := range map[string]string{"7": "0", "7-7": "0", "07": "0", "05-07": "0,5,6", "7/2": "0", "1,7": "0,1", "5-7": "0,5,6", "mon-7": "0-6", "0-7": "0-6",
		"1-7/2": "0,1,3,5", "1-7/3": "0,1,4", "2-7/2": "2,4,6", "6-7/2": "6", "FRI-7,3": "0,3,5,6", "7,7": "0", "*/7": "0", "1/2": "1,3,5"} {
		got, want := parsedCron(t, "0 9 * * "+line), parsedCron(t, "0 9 * * "+same)
		if got.spec.Dow&0xff != want.spec.Dow&0xff {
			t.Errorf("%s: the days %b, want %b", line, got.spec.Dow, want.spec.Dow)
		}
	}
}

// Whatever is wrong is said in koe's own words, about one of the fields.
func TestWhatIsWrongWithACronLine(t *testing.T) {
	for line, want := range map[string][]string{
		"60 9 * * *":        {`minute "60"`, "0 to 59"},
		"0 24 * * *":        {`hour "24"`, "0 to 23"},
		"0 9 0 * *":         {`day of month "0"`, "1 to 31"},
		"0 9 * nov-feb *":   {`month "nov-feb"`, "1 to 12 or jan to dec", "the smaller first"},
		"0 9 * * 1,8":       {`day of week "1,8"`, "0 to 7"},
		"0 9 * * mon-fri/x": {`day of week "mon-fri/x"`, "*/2"},
	} {
		_, err := ParseCron(line)
		if err == nil {
			t.Errorf("%s is taken", line)
			continue
		}
		for _, words := range append(want, "has the") {
			if !strings.Contains(err.Error(), words) {
				t.Errorf("%s: %q does not say %q", line, err, words)
			}
		}
		for _, leaked := range []string{"strconv", "Atoi", "parse", "range (", "failed"} {
			if strings.Contains(err.Error(), leaked) {
				t.Errorf("%s: %q is the parser's", line, err)
			}
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
