package survey

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
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

// cronFields are what a line is made of, and what each of them takes.
var cronFields = [...]struct{ name, takes string }{
	{"minute", "0 to 59"}, {"hour", "0 to 23"}, {"day of month", "1 to 31"}, {"month", "1 to 12 or jan to dec"},
	{"day of week", "0 to 7, where 0 and 7 are Sunday, or sun to sat"},
}

// ParseCron reads five fields: minute, hour, day of month, month, day of week.
// Names such as mon and jan, lists, ranges and steps are known; a zone inside
// the line, seconds and words such as @daily are not. A list with nothing beside
// one of its commas and a line that no date matches are refused. Blanks around
// and between the fields mean nothing.
func ParseCron(line string) (Cron, error) {
	if strings.ContainsAny(line, "@=") {
		return Cron{}, errors.New("must be five fields such as 0 9 * * 1-5, without @ words and without a zone: the zone is a field of its own")
	}
	fields := strings.Fields(line)
	if n := len(fields); n != len(cronFields) {
		return Cron{}, fmt.Errorf("must be five fields (minute, hour, day of month, month, day of week) such as 0 9 * * 1-5, and has %d", n)
	}
	for i, field := range fields { // the parser passes over what is empty, and has a lone comma match nothing
		if slices.Contains(strings.Split(field, ","), "") {
			return Cron{}, fmt.Errorf("has nothing beside a comma in %q; write a value on each side such as 0,30, or * for any", field)
		}
		alone := []string{"*", "*", "*", "*", "*"}
		alone[i] = field
		if _, err := readCron(strings.Join(alone, " ")); err != nil {
			return Cron{}, fmt.Errorf("has the %s %q, which cannot be read; it takes %s, * for any, a list such as 2,4, a range such as 2-4 (the smaller first) and a step such as */2",
				cronFields[i].name, field, cronFields[i].takes)
		}
	}
	c, err := readCron(line)
	if err != nil {
		return Cron{}, err
	}
	if _, ever := c.Next(InstantOf(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)), time.UTC); !ever {
		return Cron{}, errors.New("never matches a date and time; such a survey would never ask")
	}
	return c, nil
}

// readCron reads a line that was accepted once, even where ParseCron has become
// stricter since.
func readCron(line string) (Cron, error) {
	fields := strings.Fields(line)
	if len(fields) == len(cronFields) {
		fields[4] = sundayAsZero(fields[4])
	}
	parser := cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow)
	parsed, err := parser.Parse(strings.Join(fields, " "))
	if err != nil {
		return Cron{}, fmt.Errorf("cannot be read: %w", err)
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
	return c, nil
}

var weekdayNames = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// sundayAsZero rewrites a field of weekdays without 7, which is Sunday to every
// cron and which the parser does not know.
func sundayAsZero(field string) string {
	items := strings.Split(field, ",")
	for i, item := range items {
		days, step, _ := strings.Cut(item, "/")
		from, to, _ := strings.Cut(days, "-")
		switch rest := item[len(days):]; {
		case isSeven(days), isSeven(from) && isSeven(to):
			items[i] = "0-0" + rest
		case isSeven(to):
			items[i] = from + "-6" + rest
			if reachesSunday(from, step) {
				items[i] += ",0"
			}
		}
	}
	return strings.Join(items, ",")
}

func isSeven(day string) bool { return strings.TrimLeft(day, "0") == "7" }

// reachesSunday is true where a range from a day to 7 ends on it with its steps.
// What cannot be read is left to the parser, which refuses it.
func reachesSunday(from, step string) bool {
	first, err := strconv.Atoi(from)
	if err != nil {
		first = slices.Index(weekdayNames, strings.ToLower(from))
	}
	every, err := strconv.Atoi(step)
	if err != nil {
		every = 1
	}
	return every > 0 && first >= 0 && (7-first)%every == 0
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

// Count is how many fires Fires has. It looks at days, not at each fire: only
// those at both ends may have some inside and some outside.
func (c Cron) Count(after, until Instant, loc *time.Location) (n int) {
	first, last := DayOf(after, loc), DayOf(until, loc)
	for day := first - 2; day <= last+1; day++ {
		if !c.on(day) {
			continue
		}
		if day > first+2 && day < last-2 {
			n += len(c.minutes)
			continue
		}
		for _, minute := range c.minutes {
			if at := WallTime(day, minute, loc); at > after && at <= until {
				n++
			}
		}
	}
	return n
}

// Next is the first fire in loc after an instant; false where there never is
// one.
func (c Cron) Next(after Instant, loc *time.Location) (Fire, bool) {
	first := DayOf(after, loc) - 2 // a day may be missing, and its fires come later
	for day := first; day <= first+everMatches; day++ {
		if !c.on(day) {
			continue
		}
		for _, minute := range c.minutes {
			if at := WallTime(day, minute, loc); at > after { // WallTime never runs backwards
				return Fire{day, minute, at}, true
			}
		}
	}
	return Fire{}, false
}
