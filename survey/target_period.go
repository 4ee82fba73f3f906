package survey

import (
	"math"
	"strconv"
	"strings"
	"time"

	"koe/scoring"
)

// TargetPeriod is the part of the calendar that a target is judged by: "week"
// (ISO 8601), "month", "quarter", or a number of days from "7d" to "366d", which
// are counted from a Monday (1970-01-05), so that 28d is always the same four
// weeks.
type TargetPeriod string

// firstMonday is the first Monday since 1970-01-01, a Thursday.
const firstMonday = Day(4)

func (p TargetPeriod) parse() (every Interval, days int, ok bool) {
	switch Interval(p) {
	case Weekly, Monthly, Quarterly:
		return Interval(p), 0, true
	}
	number, isDays := strings.CutSuffix(string(p), "d")
	days, err := strconv.Atoi(number)
	return "", days, isDays && err == nil && number == strconv.Itoa(days) && days >= 7 && days <= 366
}

// around is the whole period that an instant lies in.
func (p TargetPeriod) around(i Instant, loc *time.Location) Period {
	every, days, _ := p.parse()
	if every != "" {
		return every.Around(i, loc)
	}
	days = max(days, 1)
	start := firstMonday + Day(floorDiv(int(BegunDay(i, loc)-firstMonday), days)*days)
	out := Period{Start: start, End: start + Day(days)}
	out.From, out.To = StartOf(out.Start, loc), StartOf(out.End, loc)
	return out
}

// Settles is how long after its end a period is judged: a day, in which answers
// are edited and nightly jobs bring what is late; for a response rate 14 days,
// since who was asked on the last day answers later; for a time to first touch
// at least as long as it may take.
func (t TargetTerms) Settles() time.Duration {
	const day = 24 * time.Hour
	switch {
	case t.Kind == TargetResponseRate:
		return 14 * day
	case t.Kind == TargetFirstTouch && t.AtMost != nil:
		return max(day, time.Duration(math.Ceil(*t.AtMost))*time.Hour)
	}
	return day
}

// Ended is the latest period that can be judged now.
func (t TargetTerms) Ended(now Instant, loc *time.Location) Period {
	return t.Period.around(t.Period.around(now.Add(-t.Settles()), loc).From-1, loc)
}

// Running is the period that now lies in.
func (t TargetTerms) Running(now Instant, loc *time.Location) Period {
	return t.Period.around(now, loc)
}

// dropSettles is how long after midnight a day is looked at.
const dropSettles = time.Hour

// DropDay is the latest day that can be looked at for a drop now.
func DropDay(now Instant, loc *time.Location) Day { return BegunDay(now.Add(-dropSettles), loc) - 1 }

// DropSpans are the seven days up to a day, and the weeks before them, the
// nearest first.
func DropSpans(day Day, loc *time.Location) []Period {
	weeks := make([]Period, 0, scoring.DropWeeks+1)
	for end := day + 1; len(weeks) <= scoring.DropWeeks; end -= 7 {
		weeks = append(weeks, Period{Start: end - 7, End: end, From: StartOf(end-7, loc), To: StartOf(end, loc)})
	}
	return weeks
}

// NextLook is when there is something to judge again.
func (t Target) NextLook(now Instant, loc *time.Location) Instant {
	if t.Judged == nil || t.UnusualDrop && t.Drop == nil {
		return now
	}
	next := t.Period.around(t.Judged.To, loc).To.Add(t.Settles())
	if t.UnusualDrop {
		next = min(next, StartOf(t.Drop.Day+2, loc).Add(dropSettles))
	}
	return next
}

// ToJudge says what can be judged now and was not yet: a period that ended, and
// a day to be looked at for a drop.
func (t Target) ToJudge(now Instant, loc *time.Location) (period *Period, day *Day) {
	if p := t.Ended(now, loc); t.Judged == nil || p.To > t.Judged.To {
		period = &p
	}
	if d := DropDay(now, loc); t.UnusualDrop && (t.Drop == nil || d > t.Drop.Day) {
		day = &d
	}
	return period, day
}

// AfterPeriod is the target once a period is judged, with the change that it
// makes, nil where the state stays. The first judgement is a change that nobody
// is told of: who sets a target up looks at it.
func (t Target) AfterPeriod(look TargetLook, now Instant) (Target, *TargetChange) {
	state := t.Goal().Judge(look.Figure, t.Needed)
	first := t.Judged == nil
	before := t.State
	t.Judged = &look
	if first || state != before {
		t.State, t.Since = state, &now
	}
	if state == before {
		return t, nil
	}
	return t, &TargetChange{At: now, Kind: ChangedState, From: string(before), To: string(state), Told: !first, Look: &look}
}

// dropQuiet is how many days without an unusual one must pass before the next
// alarm.
const dropQuiet = 7

// AfterDrop is the target once a day was looked at, with the alarm that it
// raises, nil for none.
func (t Target) AfterDrop(day Day, d scoring.Drop, now Instant) (Target, *TargetChange) {
	drop := TargetDrop{Day: day, Drop: d}
	if t.Drop != nil {
		drop.Last, drop.Since = t.Drop.Last, t.Drop.Since
	}
	quiet := drop.Last == nil || day-*drop.Last > dropQuiet
	if quiet {
		drop.Since = nil
	}
	alarm := d.Unusual && quiet
	if alarm {
		drop.Since = &day
	}
	if d.Unusual {
		drop.Last = &day
	}
	t.Drop = &drop
	if !alarm {
		return t, nil
	}
	return t, &TargetChange{At: now, Kind: ChangedDrop, From: DropUsual, To: DropUnusual, Told: true, Drop: &drop}
}
