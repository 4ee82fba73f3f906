package chart

import (
	"fmt"
	"math"
	"time"

	"koe/scoring"
	"koe/survey"
)

// axis is the scale of scores: what part of it is shown, and where it is
// marked.
type axis struct {
	low, high   float64
	whole       [2]float64 // the ends of the scale
	step        float64
	top, bottom float64 // where high and low stand
	metric      scoring.Metric
	zoomed      bool
}

// ends are those of a metric's scale.
func ends(m scoring.Metric, lowerIsBetter bool) [2]float64 {
	switch {
	case m == scoring.CSAT:
		return [2]float64{0, 100}
	case m == scoring.CES && lowerIsBetter:
		return [2]float64{1, 5}
	case m == scoring.CES:
		return [2]float64{1, 7}
	}
	return [2]float64{-100, 100}
}

// newAxis shows the whole scale, or, where all values lie in less than half of
// it, that part.
func newAxis(m scoring.Metric, lowerIsBetter bool, values []float64) axis {
	a := axis{metric: m, whole: ends(m, lowerIsBetter)}
	a.low, a.high = a.whole[0], a.whole[1]
	least, most := a.high, a.low
	for _, v := range values {
		least, most = min(least, v), max(most, v)
	}
	span := a.high - a.low
	a.step = niceStep(span / 4)
	if m == scoring.CES {
		a.step = 1 // each point of the scale
	}
	if most < least || most-least >= span/2 {
		return a
	}
	margin := max((most-least)*0.1, span/40)
	step := niceStep((most - least + 2*margin) / 5)
	low, high := max(a.low, step*math.Floor((least-margin)/step)), min(a.high, step*math.Ceil((most+margin)/step))
	if high-low > 0.6*span {
		return a
	}
	a.low, a.high, a.step, a.zoomed = low, high, step, true
	return a
}

// niceStep is 1, 2 or 5 times a power of ten, not below what is asked for.
func niceStep(least float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(least)))
	for _, times := range []float64{1, 2, 5} {
		if times*power >= least*0.999 {
			return times * power
		}
	}
	return 10 * power
}

// y is where a score stands.
func (a axis) y(v float64) float64 {
	v = min(max(v, a.low), a.high)
	return a.bottom - (v-a.low)/(a.high-a.low)*(a.bottom-a.top)
}

// marks are the scores that the axis names: multiples of its step.
func (a axis) marks() []float64 {
	var marks []float64
	for i := math.Ceil(a.low/a.step - 1e-9); i*a.step <= a.high+1e-9; i++ {
		marks = append(marks, i*a.step)
	}
	return marks
}

// mark writes a score of the axis.
func (a axis) mark(v float64) string {
	if a.metric == scoring.CSAT && a.step < 1 {
		return decimal(v, 2) + "%"
	}
	if a.step < 1 {
		return decimal(v, 2)
	}
	return Figure(a.metric, v)
}

// calendar is the axis of periods: each has a slot of the same width.
type calendar struct {
	left, slot float64
	every      survey.Interval
	points     []Point
}

// x is the middle of a period.
func (c calendar) x(i int) float64 { return c.left + (float64(i)+0.5)*c.slot }

// day is where a day stands; false for one outside.
func (c calendar) day(d survey.Day) (float64, bool) {
	if len(c.points) == 0 || d < c.begins(0) {
		return 0, false
	}
	for i, p := range c.points {
		if d < p.End {
			start := c.begins(i)
			return c.left + (float64(i)+float64(d-start)/float64(p.End-start))*c.slot, true
		}
	}
	return 0, false
}

// begins is the first day that a period does not share with the one before:
// rolling windows overlap.
func (c calendar) begins(i int) survey.Day {
	start := c.points[i].Start
	switch {
	case i > 0:
		start = max(start, c.points[i-1].End)
	case len(c.points) > 1 && c.points[1].Start < c.points[0].End: // the first of windows ends one period before the second does
		start = max(start, c.points[0].End-(c.points[1].End-c.points[0].End))
	}
	return start
}

// tick is a period that is named on the axis; Year is empty where it is the one
// of the tick before.
type tick struct {
	x          float64
	name, year string
}

// ticks names as many periods as have room: every one, or those in which a
// week, a month, a quarter or a year begins, or every second, fifth … year.
func (c calendar) ticks(w words) []tick {
	units := []survey.Interval{survey.Daily, survey.Weekly, survey.Monthly, survey.Quarterly, survey.Yearly}
	for i, unit := range units {
		if unit == c.every {
			units = units[i:]
			break
		}
	}
	for _, unit := range units {
		if ticks, fit := c.ticksOf(w, unit, 1); fit {
			return ticks
		}
	}
	for years := 2; ; years = years * 5 / 2 {
		if ticks, fit := c.ticksOf(w, survey.Yearly, years); fit || years > len(c.points) {
			return ticks
		}
	}
}

// ticksOf names the periods in which a unit begins, and says whether their
// names have room.
func (c calendar) ticksOf(w words, unit survey.Interval, years int) ([]tick, bool) {
	var ticks []tick
	fit, until, lastYear := true, math.Inf(-1), 0
	for i := range c.points {
		day := c.begins(i)
		start := unitStart(unit, day)
		if unit != c.every && (i > 0 && start == unitStart(unit, c.begins(i-1)) || i == 0 && start != day) {
			continue
		}
		if unit != c.every {
			day = start
		}
		year, _, _ := day.Date()
		if unit == survey.Yearly && year%years != 0 {
			continue
		}
		t := tick{x: c.x(i), name: w.tick(unit, day, c.every == survey.Quarterly)}
		if year != lastYear && unit != survey.Yearly {
			t.year = fmt.Sprintf(w.year, year)
		}
		lastYear = year
		half := max(widthOf(t.name, labelSize), widthOf(t.year, labelSize)) / 2
		fit = fit && t.x-half >= until
		until = t.x + half + 6
		ticks = append(ticks, t)
	}
	return ticks, fit
}

// unitStart is the first day of the unit that a day lies in.
func unitStart(unit survey.Interval, d survey.Day) survey.Day {
	return unit.Around(survey.StartOf(d, time.UTC), time.UTC).Start
}
