package chart

import (
	"fmt"
	"math"
	"strings"

	"koe/scoring"
)

// Spark is a line as large as a word, to stand in a table: which way a score
// went. It has no axis; its words have the figures.
type Spark struct {
	Language      string // as in [Line]
	Metric        scoring.Metric
	LowerIsBetter bool
	Scores        []*float64 // in order; nil for a gap
}

// The size of a sparkline.
const (
	sparkWidth  = 120.0
	sparkHeight = 32.0
)

// SVG draws the line in the colour of the text around it. It has no style of
// its own, so that it may stand within a page.
func (s Spark) SVG() []byte {
	var b strings.Builder
	b.WriteString(`<svg xmlns="http://www.w3.org/2000/svg" class="spark" width="` + number(sparkWidth) + `" height="` + number(sparkHeight) +
		`" viewBox="0 0 ` + number(sparkWidth) + " " + number(sparkHeight) + `" role="img" aria-label="` + escape(s.Describe()) +
		`" fill="none" stroke="currentColor" stroke-width="2" stroke-linejoin="round" stroke-linecap="round">`)
	low, high := s.shown()
	step := (sparkWidth - 8) / math.Max(1, float64(len(s.Scores)-1))
	place := func(i int) (x, y float64) {
		return 4 + float64(i)*step, sparkHeight - 4 - (*s.Scores[i]-low)/(high-low)*(sparkHeight-8)
	}
	last := -1
	var path strings.Builder
	for i, v := range s.Scores {
		if v == nil {
			continue
		}
		move := "L"
		if i == 0 || s.Scores[i-1] == nil {
			move = "M"
		}
		path.WriteString(move + at(place(i)))
		if move == "M" && (i+1 == len(s.Scores) || s.Scores[i+1] == nil) {
			path.WriteString("h0") // a score between two gaps is a point
		}
		last = i
	}
	if last >= 0 {
		b.WriteString(`<path d="` + path.String() + `"/>`)
		x, y := place(last)
		b.WriteString(`<circle cx="` + number(x) + `" cy="` + number(y) + `" r="2.5" fill="currentColor"/>`)
	}
	b.WriteString("</svg>")
	return []byte(b.String())
}

// Describe says in words what the line shows.
func (s Spark) Describe() string {
	w := speaking(s.Language)
	var given []float64
	for _, v := range s.Scores {
		if v != nil {
			given = append(given, *v)
		}
	}
	if len(given) == 0 {
		return w.nothing
	}
	low, high := given[0], given[0]
	for _, v := range given {
		low, high = min(low, v), max(high, v)
	}
	show := func(v float64) string { return Figure(s.Metric, v) }
	return fmt.Sprintf(w.spark, show(given[0]), show(given[len(given)-1]), show(low), show(high))
}

// shown is the part of the scale that is shown: at least a tenth of it, so that
// nothing looks like a fall that is none.
func (s Spark) shown() (low, high float64) {
	whole := ends(s.Metric, s.LowerIsBetter)
	low, high = math.Inf(1), math.Inf(-1)
	for _, v := range s.Scores {
		if v != nil {
			low, high = min(low, *v), max(high, *v)
		}
	}
	if low > high {
		return whole[0], whole[1]
	}
	least := (whole[1] - whole[0]) / 10
	if missing := least - (high - low); missing > 0 {
		low, high = low-missing/2, high+missing/2
	}
	return low, high
}
