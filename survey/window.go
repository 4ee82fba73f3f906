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
	if err == nil && from == 24*60 {
		err = fmt.Errorf("must be before 24:00")
	}
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
	if s == "24:00" {
		return 24 * 60, nil
	}
	t, err := time.Parse("15:04", s)
	if err != nil || len(s) != len("15:04") {
		return 0, fmt.Errorf("must be a time of day such as 09:00")
	}
	return t.Hour()*60 + t.Minute(), nil
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
	// two weeks: the clocks may jump over the only window of the first
	for day := today - 1; day <= today+15; day++ {
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
