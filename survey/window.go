package survey

import (
	"fmt"
	"time"
)

// RecipientZone as a window's timezone means the zone of whoever is asked, or
// the workspace's where that is not known.
const RecipientZone = "recipient"

// Window is the part of the week in which mail may go out. From and To are
// "HH:MM"; To before From crosses midnight and belongs to the day it began.
type Window struct {
	From     string `json:"from"`
	To       string `json:"to"`
	Weekdays []int  `json:"weekdays,omitempty"` // 1 Monday to 7 Sunday; none means all
	Timezone string `json:"timezone,omitempty"` // IANA name or "recipient"
}

func (w *Window) clean(p *Problems) {
	if w.Timezone == "" {
		w.Timezone = RecipientZone
	}
	if w.Timezone != RecipientZone {
		if _, err := LoadZone(w.Timezone); err != nil {
			p.Add("rules.send_window.timezone", "format", "%s, or recipient", err)
		}
	}
	from, err := minuteOfDay(w.From)
	if err != nil {
		p.Add("rules.send_window.from", "format", "%s", err)
	}
	to, err2 := minuteOfDay(w.To)
	if err2 != nil {
		p.Add("rules.send_window.to", "format", "%s", err2)
	}
	if err == nil && err2 == nil && from == to {
		p.Add("rules.send_window.to", "range", "must differ from from, or the window never opens")
	}
	seen := map[int]bool{}
	for i, day := range w.Weekdays {
		if day < 1 || day > 7 || seen[day] {
			p.Add(fmt.Sprintf("rules.send_window.weekdays[%d]", i), "range", "must be 1 (Monday) to 7 (Sunday), each once")
		}
		seen[day] = true
	}
	if w.Weekdays != nil && len(w.Weekdays) == 0 {
		p.Add("rules.send_window.weekdays", "range", "must name a day, or the window never opens")
	}
}

// minuteOfDay reads "HH:MM", 00:00 to 24:00.
func minuteOfDay(s string) (int, error) {
	var h, m int
	if len(s) == 5 && s[2] == ':' {
		if n, err := fmt.Sscanf(s, "%02d:%02d", &h, &m); n == 2 && err == nil &&
			h >= 0 && m >= 0 && m < 60 && (h < 24 || h == 24 && m == 0) {
			return h*60 + m, nil
		}
	}
	return 0, fmt.Errorf("must be a time of day such as 09:00")
}

// Next is the first instant at or after i at which the window is open in loc.
func (w Window) Next(i Instant, loc *time.Location) Instant {
	from, errFrom := minuteOfDay(w.From)
	to, errTo := minuteOfDay(w.To)
	if errFrom != nil || errTo != nil {
		return i
	}
	if to <= from {
		to += 24 * 60
	}
	today := DayOf(i, loc)
	for day := today - 1; day <= today+8; day++ {
		if !w.opensOn(day.Weekday()) {
			continue
		}
		opens, closes := WallTime(day, from, loc), WallTime(day, to, loc)
		if i < opens && opens < closes {
			return opens
		}
		if i < closes && i >= opens {
			return i
		}
	}
	return i
}

func (w Window) opensOn(weekday int) bool {
	if len(w.Weekdays) == 0 {
		return true
	}
	for _, d := range w.Weekdays {
		if d == weekday {
			return true
		}
	}
	return false
}

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
