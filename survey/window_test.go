package survey

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func randomWindow(t *rapid.T) Window {
	from := rapid.IntRange(0, 24*60-1).Draw(t, "from")
	to := rapid.IntRange(0, 24*60).Filter(func(m int) bool { return m != from }).Draw(t, "to")
	clock := func(m int) string { return fmt.Sprintf("%02d:%02d", m/60, m%60) }
	weekdays := rapid.SliceOfNDistinct(rapid.IntRange(1, 7), 1, 7, rapid.ID[int]).Draw(t, "weekdays")
	return Window{From: clock(from), To: clock(to), Weekdays: weekdays}
}

func TestWindowNext(t *testing.T) {
	office := Window{From: "09:00", To: "18:00", Weekdays: []int{1, 2, 3, 4, 5}}
	daily := Window{From: "09:00", To: "18:00"}
	friday := Window{From: "22:00", To: "06:00", Weekdays: []int{5}}
	sunday := Window{From: "00:00", To: "24:00", Weekdays: []int{7}}
	early := Window{From: "02:00", To: "05:00"}
	gap := Window{From: "02:15", To: "02:45"}
	gapSunday := Window{From: "02:15", To: "02:45", Weekdays: []int{7}}
	twice := Window{From: "01:00", To: "02:00"}
	half := Window{From: "01:30", To: "01:45"}
	night := Window{From: "22:00", To: "06:00"}
	apia := Window{From: "09:00", To: "10:00", Weekdays: []int{5}}
	for _, test := range []struct {
		name   string
		window Window
		zone   string
		at     string
		want   string
	}{
		{"a moment before", daily, "UTC", "2026-11-18T08:59:59.999Z", "2026-11-18T09:00:00Z"},
		{"at its beginning", daily, "UTC", "2026-11-18T09:00:00Z", "2026-11-18T09:00:00Z"},
		{"a moment before its end", daily, "UTC", "2026-11-18T17:59:59.999Z", "2026-11-18T17:59:59.999Z"},
		{"at its end", daily, "UTC", "2026-11-18T18:00:00Z", "2026-11-19T09:00:00Z"},
		{"weekend", office, "UTC", "2026-11-21T10:00:00Z", "2026-11-23T09:00:00Z"},
		{"Friday evening", office, "UTC", "2026-11-20T18:00:00Z", "2026-11-23T09:00:00Z"},
		{"Sunday in London is Monday in Tokyo", office, "Asia/Tokyo", "2026-11-23T01:00:00Z", "2026-11-23T01:00:00Z"},
		{"quarter past five in Kathmandu", daily, "Asia/Kathmandu", "2026-11-18T02:00:00Z", "2026-11-18T03:15:00Z"},
		{"all day, before", sunday, "UTC", "2026-11-21T12:00:00Z", "2026-11-22T00:00:00Z"},
		{"all day, to its last moment", sunday, "UTC", "2026-11-22T23:59:59.999Z", "2026-11-22T23:59:59.999Z"},
		{"all day, after", sunday, "UTC", "2026-11-23T00:00:00Z", "2026-11-29T00:00:00Z"},
		{"over midnight, begun on Friday", friday, "UTC", "2026-11-21T03:00:00Z", "2026-11-21T03:00:00Z"},
		{"over midnight, its end", friday, "UTC", "2026-11-21T06:00:00Z", "2026-11-27T22:00:00Z"},
		{"over midnight, begun on Thursday", friday, "UTC", "2026-11-20T05:00:00Z", "2026-11-20T22:00:00Z"},
		{"over midnight, at its beginning", friday, "UTC", "2026-11-20T22:00:00Z", "2026-11-20T22:00:00Z"},
		{"begins in the hour that is left out", early, "America/New_York", "2026-03-08T06:00:00Z", "2026-03-08T07:00:00Z"},
		{"lies in the hour that is left out", gap, "America/New_York", "2026-03-08T06:00:00Z", "2026-03-09T06:15:00Z"},
		{"only one in a week, left out", gapSunday, "America/New_York", "2026-03-02T12:00:00Z", "2026-03-15T06:15:00Z"},
		{"in the hour that comes twice, before", twice, "America/New_York", "2026-11-01T04:00:00Z", "2026-11-01T05:00:00Z"},
		{"in the hour that comes twice, again", twice, "America/New_York", "2026-11-01T06:30:00Z", "2026-11-01T06:30:00Z"},
		{"in the hour that comes twice, after", twice, "America/New_York", "2026-11-01T07:00:00Z", "2026-11-02T06:00:00Z"},
		{"once in the hour that comes twice", half, "America/New_York", "2026-11-01T05:45:00Z", "2026-11-02T06:30:00Z"},
		{"a short night, in it", night, "America/New_York", "2026-03-08T09:59:59.999Z", "2026-03-08T09:59:59.999Z"},
		{"a short night, its end", night, "America/New_York", "2026-03-08T10:00:00Z", "2026-03-09T02:00:00Z"},
		{"a long night, its end", night, "America/New_York", "2026-11-01T11:00:00Z", "2026-11-02T03:00:00Z"},
		{"the day that does not exist", apia, "Pacific/Apia", "2011-12-29T12:00:00Z", "2012-01-05T19:00:00Z"},
	} {
		t.Run(test.name, func(t *testing.T) {
			loc, err := LoadZone(test.zone)
			if err != nil {
				t.Fatal(err)
			}
			if got := test.window.Next(at(test.at), loc); got != at(test.want) {
				t.Errorf("%s, want %s", got, at(test.want))
			}
		})
	}
}

// TestWindowProperties: the next instant is inside the window, and nothing
// before it is.
func TestWindowProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := randomWindow(t)
		loc := randomZone(t)
		i := randomInstant(t, loc)
		isOpen := func(i Instant) bool {
			from, _ := minuteOfDay(w.From)
			to, _ := minuteOfDay(w.To)
			if to < from {
				to += 24 * 60
			}
			for d := DayOf(i, loc) - 2; d <= DayOf(i, loc)+1; d++ {
				if w.opensOn(d.Weekday()) && i >= WallTime(d, from, loc) && i < WallTime(d, to, loc) {
					return true
				}
			}
			return false
		}
		next := w.Next(i, loc)
		if next < i || !isOpen(next) || w.Next(next, loc) != next {
			t.Fatalf("%s in %s: the next after %s is %s", fmt.Sprint(w), loc, i, next)
		}
		if next > i && isOpen(next-1) {
			t.Fatalf("%s in %s: open before %s", fmt.Sprint(w), loc, next)
		}
		for before := i; before < next; before = before.Add(7 * time.Minute) {
			if isOpen(before) {
				t.Fatalf("%s in %s: %s is passed over for %s", fmt.Sprint(w), loc, before, next)
			}
		}
	})
}
