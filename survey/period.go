package survey

import (
	"fmt"
	"strconv"
	"time"
)

// Interval is a length of calendar that a report is cut into. Its periods
// begin at local midnights of a zone, so a day has 23, 24 or 25 hours.
type Interval string

// The intervals.
const (
	Daily     Interval = "day"
	Weekly    Interval = "week" // ISO 8601: Monday to Sunday
	Monthly   Interval = "month"
	Quarterly Interval = "quarter"
	Yearly    Interval = "year"
)

// MaxPeriods is how many periods one report may have.
const MaxPeriods = 2000

// ParseInterval reads an interval's name; else Invalid on "interval".
func ParseInterval(s string) (Interval, error) {
	switch every := Interval(s); every {
	case Daily, Weekly, Monthly, Quarterly, Yearly:
		return every, nil
	}
	return "", Errorf(Invalid, "interval", "interval must be one of day, week, month, quarter, year")
}

// number counts an interval's periods through all time, so that the period
// after number n is n+1.
func (every Interval) number(d Day) int {
	y, m, _ := d.Date()
	switch every {
	case Weekly: // 1970-01-01 was a Thursday; three days earlier week 0 began
		return floorDiv(int(d)+3, 7)
	case Monthly:
		return y*12 + int(m) - 1
	case Quarterly:
		return y*4 + (int(m)-1)/3
	case Yearly:
		return y
	}
	return int(d)
}

// start is the first day of a period by its number.
func (every Interval) start(n int) Day {
	switch every {
	case Weekly:
		return Day(n*7 - 3)
	case Monthly:
		return DayOfDate(0, time.Month(n+1), 1)
	case Quarterly:
		return DayOfDate(0, time.Month(n*3+1), 1)
	case Yearly:
		return DayOfDate(n, 1, 1)
	}
	return Day(n)
}

func floorDiv(a, b int) int {
	if a < 0 {
		return -((b - 1 - a) / b)
	}
	return a / b
}

// ISOWeek names the week of a day, such as "2020-W53" for 2021-01-01: a week
// belongs to the year of its Thursday.
func (d Day) ISOWeek() string {
	y, w := d.utc().ISOWeek()
	return fmt.Sprintf("%04d-W%02d", y, w)
}

// Period is a part of a calendar. Start and End are its local days, End
// exclusive; From and To its instants, To exclusive.
type Period struct {
	Start, End Day
	From, To   Instant
}

// Periods cuts the range from (included) to to (excluded) into the periods of
// an interval in a zone, in order, without gap or overlap. The first and the
// last are cut where the range begins and ends; a last day that the range holds
// only a part of still counts as a day. A day that the calendar never had
// (Apia 2011-12-30) is no period.
//
// A report over all answers has no range: give it the first and just after the
// last answer. More than MaxPeriods are Invalid on "interval".
func Periods(from, to Instant, every Interval, loc *time.Location) ([]Period, error) {
	if from >= to {
		return nil, nil
	}
	first, last := BegunDay(from, loc), BegunDay(to-1, loc)
	one, end := every.number(first), every.number(last)
	if asked := end - one + 1; asked > MaxPeriods {
		return nil, Errorf(Invalid, "interval", "this range has %d periods of a %s, at most %d can be shown: ask for a shorter range or a longer interval",
			asked, every, MaxPeriods)
	}
	periods := make([]Period, 0, end-one+1)
	begins := from
	for n := one; n <= end; n++ {
		p := Period{Start: max(every.start(n), first), End: min(every.start(n+1), last+1), From: begins, To: to}
		if n < end {
			p.To = StartOf(p.End, loc)
		}
		if p.From < p.To {
			periods = append(periods, p)
		}
		begins = p.To
	}
	return periods, nil
}

// BegunDay is the latest day that has begun in loc, and the day that an instant
// is counted on: the date on the wall, except where the clocks were turned back
// over midnight and show the day before once more (St. John's until 2010).
func BegunDay(i Instant, loc *time.Location) Day {
	t := i.Time().In(loc)
	d := DayOfDate(t.Date())
	if t.Hour() >= 20 && i >= StartOf(d+1, loc) { // no clock was ever turned back by more
		return d + 1
	}
	return d
}

// Around is the whole period that an instant lies in.
func (every Interval) Around(i Instant, loc *time.Location) Period {
	n := every.number(BegunDay(i, loc))
	p := Period{Start: every.start(n), End: every.start(n + 1)}
	p.From, p.To = StartOf(p.Start, loc), StartOf(p.End, loc)
	return p
}

// maxRolling is the longest rolling window, in days: ten years.
const maxRolling = 3660

// ParseRolling reads the length of a rolling window, whole days or weeks such
// as "30d" or "4w", and returns it in days; else Invalid on "rolling".
func ParseRolling(s string) (days int, err error) {
	wrong := Errorf(Invalid, "rolling", "rolling must be a number of days or weeks such as 30d or 4w, at most %dd", maxRolling)
	if len(s) < 2 || s[0] < '0' || s[0] > '9' {
		return 0, wrong
	}
	unit, known := map[byte]int{'d': 1, 'w': 7}[s[len(s)-1]]
	n, err := strconv.Atoi(s[:len(s)-1])
	if !known || err != nil || n < 1 || n > maxRolling/unit {
		return 0, wrong
	}
	return n * unit, nil
}

// Rolling gives each period the window of so many calendar days that ends where
// it ends. The first windows reach back before the first period: a window over
// less than its days would not compare with the others.
func Rolling(periods []Period, days int, loc *time.Location) []Period {
	windows := make([]Period, len(periods))
	for i, p := range periods {
		start := p.End - Day(days)
		windows[i] = Period{Start: start, End: p.End, From: StartOf(start, loc), To: p.To}
	}
	return windows
}

// Before is where the range of the same size before from..to begins; it ends at
// from. A range that is made of whole periods of the interval (or without an
// interval of the longest of year, quarter, month and week that fits) is
// preceded by as many: before March comes February, whatever its length. Other
// ranges from midnight to midnight are preceded by as many days, all others by
// the same length of time.
func Before(from, to Instant, every Interval, loc *time.Location) Instant {
	first, end := DayOf(from, loc), DayOf(to, loc)
	if from >= to || from != StartOf(first, loc) || to != StartOf(end, loc) {
		return from - (to - from)
	}
	units := []Interval{Yearly, Quarterly, Monthly, Weekly}
	if every != "" {
		units = []Interval{every}
	}
	for _, unit := range units {
		one, past := unit.number(first), unit.number(end)
		if unit.start(one) == first && unit.start(past) == end {
			return StartOf(unit.start(one-(past-one)), loc)
		}
	}
	return StartOf(first-(end-first), loc)
}
