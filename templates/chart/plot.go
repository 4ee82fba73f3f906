package chart

import (
	"fmt"
	"strings"
)

// Heights within a line chart.
const (
	badgeRow    = 18.0 // a row of numbers of notes
	badgeRows   = 3
	strip       = 34.0 // the bars of how many answered
	stripGap    = 22.0
	minPlot     = 150.0
	maxPlot     = 260.0
	dotsFrom    = 7.0 // width of a slot from which every score has its dot
	figureSize  = 11.0
	labelsBelow = 34.0
)

// legend says what the lines mean, and returns where the rest begins.
func (d *drawing) legend(y float64) float64 {
	y += 2
	x := pad
	entry := func(words string, sign func(x, y float64)) {
		width := 28 + widthOf(words, labelSize) + 14
		if x > pad && x+width-14 > d.width-pad {
			x, y = pad, y+lineHeight(labelSize)
		}
		sign(x, y-4)
		d.text(soft, x+28, y, labelSize, atStart, "", words)
		x += width
	}
	entry(d.w.score, func(x, y float64) {
		d.line(line, x, y, x+22, y)
		d.circle(dot, x+11, y, 3)
	})
	entry(d.w.level(d.Level), func(x, y float64) { d.rect(band, x, y-6, 22, 12) })
	if d.few() {
		entry(d.w.few, func(x, y float64) { d.circle(hollow, x+11, y, 3.5) })
	}
	if d.Target != nil {
		entry(fmt.Sprintf(d.w.target, Figure(d.Metric, *d.Target)), func(x, y float64) { d.line(target, x, y, x+22, y) })
	}
	return y + 10
}

// few is true where a score is of few answers.
func (d *drawing) few() bool {
	for _, p := range d.Points {
		if p.Score != nil && !p.Reliable {
			return true
		}
	}
	return false
}

// place settles where the plot is.
func (d *drawing) place(y float64) {
	marks := 0.0
	for _, v := range d.axis.marks() {
		marks = max(marks, widthOf(d.axis.mark(v), labelSize))
	}
	left := pad + max(marks, widthOf(Count(d.most()), labelSize)) + 8
	d.right = d.width - pad
	d.days = calendar{left: left, slot: (d.right - left) / float64(max(1, len(d.Points))), every: d.Every, points: d.Points}
	d.axis.top = y + 8 + d.placeNotes()
	d.axis.bottom = d.axis.top + min(max(d.width*0.32, minPlot), maxPlot)
}

// most is the highest number of answers of a period.
func (d *drawing) most() int64 {
	var most int64
	for _, p := range d.Points {
		most = max(most, p.Responses)
	}
	return most
}

// grid draws the axes and the target.
func (d *drawing) grid() {
	for _, v := range d.axis.marks() {
		p := grid
		if v == 0 && d.axis.whole[0] < 0 {
			p = zero
		}
		y := d.axis.y(v)
		d.line(p, d.days.left, y, d.right, y)
		d.text(soft, d.days.left-6, y+4, labelSize, atEnd, "", d.axis.mark(v))
	}
	if d.Target != nil {
		d.line(target, d.days.left, d.axis.y(*d.Target), d.right, d.axis.y(*d.Target))
	}
}

// runs are the stretches of periods of which each has something, without a gap.
func runs(points []Point, has func(Point) bool) [][2]int {
	var runs [][2]int
	for i, p := range points {
		switch {
		case !has(p):
		case len(runs) > 0 && runs[len(runs)-1][1] == i:
			runs[len(runs)-1][1] = i + 1
		default:
			runs = append(runs, [2]int{i, i + 1})
		}
	}
	return runs
}

// bands draws how sure the scores are. A period between two gaps has a bar.
func (d *drawing) bands() {
	for _, run := range runs(d.Points, func(p Point) bool { return p.Interval != nil }) {
		if run[1]-run[0] == 1 {
			p := d.Points[run[0]]
			width := min(8, d.days.slot)
			high := d.axis.y(p.Interval.High)
			d.rect(band, d.days.x(run[0])-width/2, high, width, d.axis.y(p.Interval.Low)-high)
			continue
		}
		var there, back []string
		for i := run[0]; i < run[1]; i++ {
			there = append(there, at(d.days.x(i), d.axis.y(d.Points[i].Interval.High)))
			j := run[0] + run[1] - 1 - i
			back = append(back, at(d.days.x(j), d.axis.y(d.Points[j].Interval.Low)))
		}
		d.element("path", band, "d", "M"+strings.Join(there, "L")+"L"+strings.Join(back, "L")+"Z")
	}
}

// at is a place in a path.
func at(x, y float64) string { return number(x) + " " + number(y) }

// scores draws the line, which ends where a period has no answers, and its dots.
func (d *drawing) scores() {
	for _, run := range runs(d.Points, func(p Point) bool { return p.Score != nil }) {
		var path []string
		for i := run[0]; i < run[1]; i++ {
			path = append(path, at(d.days.x(i), d.axis.y(*d.Points[i].Score)))
		}
		if len(path) > 1 {
			d.element("path", line, "d", "M"+strings.Join(path, "L"))
		}
		for i := run[0]; i < run[1]; i++ {
			x, y := d.days.x(i), d.axis.y(*d.Points[i].Score)
			switch {
			case !d.Points[i].Reliable && (d.days.slot >= dotsFrom || len(path) == 1):
				d.circle(hollow, x, y, 3.5)
			case d.days.slot >= dotsFrom || len(path) == 1:
				d.circle(dot, x, y, 3)
			}
		}
	}
}

// responses draws how many answers each score is of, and the names of the
// periods below; it returns where the rest begins.
func (d *drawing) responses() float64 {
	most := d.most()
	figures := widthOf(Count(most), figureSize)+6 <= d.days.slot
	top := d.axis.bottom + stripGap
	bottom := top + strip
	for i, p := range d.Points {
		if p.Responses == 0 {
			continue
		}
		height := max(1, float64(p.Responses)/float64(most)*strip)
		width := min(24, d.days.slot*0.7)
		d.rect(bar, d.days.x(i)-width/2, bottom-height, width, height)
		if figures {
			d.text(soft, d.days.x(i), bottom-height-3, figureSize, atMiddle, "", Count(p.Responses))
		}
	}
	d.line(zero, d.days.left, bottom, d.right, bottom)
	d.text(soft, d.days.left-6, bottom, labelSize, atEnd, "", "n")
	if !figures {
		d.text(soft, d.days.left-6, top+8, labelSize, atEnd, "", Count(most))
	}
	years := false
	for _, t := range d.days.ticks(d.w) {
		x := min(t.x, d.width-2-widthOf(t.name, labelSize)/2)
		d.line(zero, t.x, bottom, t.x, bottom+4)
		d.text(soft, x, bottom+17, labelSize, atMiddle, "", t.name)
		if t.year != "" {
			d.text(soft, x, bottom+32, labelSize, atMiddle, "", t.year)
			years = true
		}
	}
	if !years {
		return bottom + labelsBelow/2 + 6
	}
	return bottom + labelsBelow + 4
}

// describe is the content in sentences.
func (d *drawing) describe() string {
	first, last, low, high, empty := -1, -1, -1, -1, 0
	var total int64
	for i, p := range d.Points {
		total += p.Responses
		if p.Score == nil {
			empty++
			continue
		}
		if first < 0 {
			first, low, high = i, i, i
		}
		last = i
		if *p.Score < *d.Points[low].Score {
			low = i
		}
		if *p.Score > *d.Points[high].Score {
			high = i
		}
	}
	sentences := []string{fmt.Sprintf(d.w.from, d.period(0), d.period(len(d.Points)-1), given(d.Timezone)), d.scaleWords()}
	if empty > 0 {
		sentences = append(sentences, fmt.Sprintf(d.w.periods, len(d.Points), empty))
	} else {
		sentences = append(sentences, fmt.Sprintf(d.w.allAnswered, len(d.Points)))
	}
	if first == last {
		sentences = append(sentences, d.w.only+d.in(first))
	} else {
		sentences = append(sentences, d.w.first+d.in(first), d.w.last+d.in(last), d.w.lowest+d.in(low), d.w.highest+d.in(high))
	}
	if d.Rolling == 0 { // windows overlap: their answers are not to be added up
		sentences = append(sentences, fmt.Sprintf(d.w.total, Count(total)))
	}
	if d.Target != nil {
		sentences = append(sentences, d.w.sentence(fmt.Sprintf(d.w.target, Figure(d.Metric, *d.Target))))
	}
	for _, n := range d.notes {
		sentences = append(sentences, d.w.sentence(fmt.Sprintf(d.w.noteOn, d.w.date(n.Day), n.Text)))
	}
	return d.w.join(sentences)
}

// period names a period: by its last day where windows overlap.
func (d *drawing) period(i int) string {
	start := d.Points[i].Start
	if d.Rolling > 0 {
		start = unitStart(d.Every, d.Points[i].End-1)
	}
	return d.w.period(d.Every, start)
}

// in says what one period's score is.
func (d *drawing) in(i int) string {
	p := d.Points[i]
	interval := "–"
	if p.Interval != nil {
		interval = fmt.Sprintf(d.w.to, Figure(d.Metric, p.Interval.Low), Figure(d.Metric, p.Interval.High))
	}
	return fmt.Sprintf(d.w.in, Shown(d.Metric, p.Result), d.period(i), Count(p.Responses), interval)
}
