package chart

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"koe/survey"
)

// noted is a note where it stands.
type noted struct {
	survey.Note
	x   float64
	row int // of its number, above the plot, so that none hides another
}

// placeNotes finds the notes of the range, the earliest first, and returns how
// much room their numbers need above the plot.
func (d *drawing) placeNotes() float64 {
	d.notes = nil
	var until [badgeRows]float64
	for i := range until {
		until[i] = math.Inf(-1)
	}
	sorted := slices.Clone(d.Notes)
	slices.SortStableFunc(sorted, func(a, b survey.Note) int { return int(a.Day) - int(b.Day) })
	rows := 0
	for _, n := range sorted {
		x, shown := d.days.day(n.Day)
		if !shown {
			continue
		}
		n.Text = given(n.Text)
		row := 0
		for row < badgeRows-1 && x-badgeRow < until[row] {
			row++
		}
		until[row] = x
		rows = max(rows, row+1)
		d.notes = append(d.notes, noted{n, x, row})
	}
	return float64(rows) * badgeRow
}

// marks draws a numbered line for each note.
func (d *drawing) marks() {
	for i, n := range d.notes {
		y := d.axis.top - badgeRow*float64(n.row) - badgeRow/2 - 2
		d.line(mark, n.x, y, n.x, d.axis.bottom)
		d.circle(badge, n.x, y, 8)
		d.text(onBadge, n.x, y+4, figureSize, atMiddle, "600", strconv.Itoa(i+1))
	}
}

// below writes the notes out, and returns how high the chart is.
func (d *drawing) below(y float64) float64 {
	if len(d.notes) == 0 {
		return y + pad/2
	}
	y += textSize + 4
	for i, n := range d.notes {
		if i == maxNotes {
			y = d.paragraph(soft, pad, y, textSize, "", fmt.Sprintf(d.w.moreNotes, len(d.notes)-maxNotes), 1)
			break
		}
		d.circle(badge, pad+8, y-4.5, 8)
		d.text(onBadge, pad+8, y-0.5, figureSize, atMiddle, "600", strconv.Itoa(i+1))
		y = d.paragraph(ink, pad+24, y, textSize, "", fmt.Sprintf(d.w.noteOn, d.w.date(n.Day), n.Text), 4)
	}
	return y - textSize + pad
}
