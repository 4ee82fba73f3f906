package survey

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// Cron is a line that says at which local times something happens.
type Cron struct {
	spec    *cron.SpecSchedule
	minutes []int // of the day, in order
}

// Fire is one local date and time that a line matches. At is the instant: where
// the clocks jump over the time, the first one after the gap; where it comes
// twice, the first of the two.
type Fire struct {
	Day    Day
	Minute int // of the day
	At     Instant
}

// anyField is how the parser says that a field was *.
const anyField = 1 << 63

// ParseCron reads five fields: minute, hour, day of month, month, day of week.
// Names such as mon and jan, lists, ranges and steps are known; a zone inside
// the line, seconds and words such as @daily are not. A line that no date
// matches is refused.
func ParseCron(line string) (Cron, error) {
	if strings.ContainsAny(line, "@=") {
		return Cron{}, errors.New("must be five fields such as 0 9 * * 1-5, without @ words and without a zone: the zone is a field of its own")
	}
	if n := len(strings.Fields(line)); n != 5 {
		return Cron{}, fmt.Errorf("must be five fields (minute, hour, day of month, month, day of week) such as 0 9 * * 1-5, and has %d", n)
	}
	parser := cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow)
	parsed, err := parser.Parse(strings.Join(strings.Fields(line), " "))
	if err != nil {
		return Cron{}, fmt.Errorf("cannot be read (%w); write five fields such as 0 9 * * 1-5", err)
	}
	spec, ok := parsed.(*cron.SpecSchedule)
	if !ok {
		return Cron{}, errors.New("must be five fields such as 0 9 * * 1-5")
	}
	c := Cron{spec: spec}
	for minute := range 24 * 60 {
		if spec.Hour&(1<<(minute/60)) != 0 && spec.Minute&(1<<(minute%60)) != 0 {
			c.minutes = append(c.minutes, minute)
		}
	}
	if _, ever := c.nextDay(DayOfDate(2000, 1, 1)); !ever {
		return Cron{}, errors.New("never matches a date; such a survey would never ask")
	}
	return c, nil
}

// on is true for the days that the line matches. As in every cron, where both
// day fields are given one of them is enough.
func (c Cron) on(d Day) bool {
	_, month, dom := d.Date()
	dow := d.Weekday() % 7
	if c.spec.Month&(1<<month) == 0 {
		return false
	}
	byMonth, byWeek := c.spec.Dom&(1<<dom) != 0, c.spec.Dow&(1<<dow) != 0
	if c.spec.Dom&anyField != 0 || c.spec.Dow&anyField != 0 {
		return byMonth && byWeek
	}
	return byMonth || byWeek
}

// everMatches is how many days hold every date that there is: a 29 February
// on each weekday comes around in 40 years at most.
const everMatches = 41 * 366

// nextDay is the first day from d on that the line matches; false where there
// is none.
func (c Cron) nextDay(d Day) (Day, bool) {
	for last := d + everMatches; d <= last; d++ {
		if c.on(d) {
			return d, true
		}
	}
	return 0, false
}

// Fires are the fires in loc after one instant and up to another, in order.
// Each local date and time comes once.
func (c Cron) Fires(after, until Instant, loc *time.Location) []Fire {
	var fires []Fire
	for day, last := DayOf(after, loc)-2, DayOf(until, loc)+1; day <= last; day++ { // a day may be missing, and its fires come later
		if !c.on(day) {
			continue
		}
		for _, minute := range c.minutes {
			if at := WallTime(day, minute, loc); at > after && at <= until {
				fires = append(fires, Fire{day, minute, at})
			}
		}
	}
	return fires
}

// Next is the first fire in loc after an instant.
func (c Cron) Next(after Instant, loc *time.Location) Fire {
	for day := DayOf(after, loc) - 2; ; day++ {
		day, _ = c.nextDay(day) // ParseCron made sure that there is one
		for _, minute := range c.minutes {
			if at := WallTime(day, minute, loc); at > after { // WallTime never runs backwards
				return Fire{day, minute, at}
			}
		}
	}
}
