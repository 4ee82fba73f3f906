package chart

import (
	"fmt"

	"koe/scoring"
	"koe/survey"
)

// Line is a score over time, with how sure it is and of how many answers.
type Line struct {
	Language string // one of [Languages], else the first of them
	Width    int    // in CSS pixels, see [MinWidth]; 0 for [UsualWidth]

	Title         string // of what: a touchpoint's name; text from outside
	Metric        scoring.Metric
	LowerIsBetter bool // CES version 1
	Every         survey.Interval
	Rolling       int     // the days of a rolling window; 0 for none
	Timezone      string  // whose days the periods are
	Level         float64 // of the intervals, such as 0.95

	Points []Point  // in order
	Target *float64 // what the score should reach; nil for no line
	Notes  []survey.Note
}

// Point is the score of a period; End is exclusive.
type Point struct {
	Start, End survey.Day
	scoring.Result
}

// maxNotes is how many notes are written out below a chart.
const maxNotes = 20

// drawing is a line chart at work.
type drawing struct {
	*canvas
	Line
	w     words
	axis  axis
	days  calendar
	right float64
	notes []noted
}

// SVG draws the chart.
func (l Line) SVG() []byte {
	d := l.begin()
	y := d.head()
	if !l.answered() {
		return d.none(y)
	}
	y = d.legend(y)
	d.place(y)
	d.grid()
	d.bands()
	d.scores()
	d.marks()
	y = d.below(d.responses())
	return d.document(y, d.w.lang, d.headline(), d.describe())
}

// Describe says in words what the chart shows, for those who cannot see it.
func (l Line) Describe() string {
	d := l.begin()
	if !l.answered() {
		return d.w.sentence(d.w.nothing)
	}
	d.place(0)
	return d.describe()
}

func (l Line) begin() *drawing {
	l.Title = given(l.Title)
	return &drawing{canvas: newCanvas(l.Width), Line: l, w: speaking(l.Language), axis: newAxis(l.Metric, l.LowerIsBetter, l.values())}
}

// values are all that the axis has to hold.
func (l Line) values() []float64 {
	var values []float64
	for _, p := range l.Points {
		if p.Score != nil {
			values = append(values, *p.Score)
		}
		if p.Interval != nil {
			values = append(values, p.Interval.Low, p.Interval.High)
		}
	}
	if l.Target != nil {
		values = append(values, *l.Target)
	}
	return values
}

func (l Line) answered() bool {
	for _, p := range l.Points {
		if p.Score != nil {
			return true
		}
	}
	return false
}

// subtitle is which score, and how it is cut.
func (d *drawing) subtitle() string {
	text := fmt.Sprintf(d.w.subtitle, d.w.metric(d.Metric, d.LowerIsBetter), d.w.per[d.Every])
	if d.Rolling > 0 {
		text = fmt.Sprintf(d.w.subtitle, text, fmt.Sprintf(d.w.rolling, d.Rolling))
	}
	return text
}

// headline is what the chart is of.
func (d *drawing) headline() string {
	if d.Title == "" {
		return d.subtitle()
	}
	return fmt.Sprintf(d.w.noteOn, d.Title, d.subtitle())
}

// scaleWords say which part of which scale the axis shows, and which way is up.
func (d *drawing) scaleWords() string {
	mark := d.axis.mark
	low, high := mark(d.axis.whole[0]), mark(d.axis.whole[1])
	sentences := []string{fmt.Sprintf(d.w.scale, low, high)}
	if d.axis.zoomed {
		sentences[0] = fmt.Sprintf(d.w.zoomed, mark(d.axis.low), mark(d.axis.high), low, high)
	}
	if d.LowerIsBetter {
		sentences = append(sentences, d.w.lower)
	}
	return d.w.join(sentences)
}

// head writes title and scale, and returns where the rest begins.
func (d *drawing) head() float64 {
	y := pad + headSize - 2
	if d.Title != "" {
		y = d.paragraph(ink, pad, y, headSize, "600", d.Title, 2)
	}
	y = d.paragraph(ink, pad, y, textSize, "", d.subtitle(), 3)
	if !d.answered() {
		return y
	}
	return d.paragraph(soft, pad, y, textSize, "", d.scaleWords(), 3)
}

// none is the drawing of a range without answers.
func (d *drawing) none(y float64) []byte {
	y -= textSize - 4
	d.rect(frame, pad, y, d.width-2*pad, 120)
	d.text(soft, d.width/2, y+64, textSize, atMiddle, "", d.w.nothing)
	return d.document(y+120+pad, d.w.lang, d.headline(), d.w.sentence(d.w.nothing))
}
