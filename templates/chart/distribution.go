package chart

import (
	"fmt"
	"math"
	"strconv"

	"koe/scoring"
)

// Distribution is how many answers gave which score, and how they fall into the
// groups that the score is made of.
type Distribution struct {
	Language string // as in [Line]
	Width    int    // as in [Line]

	Title         string // of what; text from outside
	Metric        scoring.Metric
	LowerIsBetter bool
	Result        scoring.Result
}

// SVG draws the distribution: a bar of all answers, parted into their groups,
// and, where all were asked on one scale, a bar for each point of it.
func (d Distribution) SVG() []byte {
	d.Title = given(d.Title)
	w, c := speaking(d.Language), newCanvas(d.Width)
	y := c.paragraph(ink, pad, pad+headSize-2, headSize, "600", d.headline(w), 2)
	y = c.paragraph(soft, pad, y, textSize, "", d.facts(w), 2) + 2 - textSize
	if d.Result.Responses == 0 {
		y += 8
		c.rect(frame, pad, y, c.width-2*pad, 120)
		c.text(soft, c.width/2, y+64, textSize, atMiddle, "", w.nothing)
		return c.document(y+120+pad, w.lang, d.headline(w), w.sentence(w.nothing))
	}
	y = d.parts(c, w, y+8)
	if d.scaled() {
		y = d.points(c, w, y)
	}
	return c.document(y+pad, w.lang, d.headline(w), d.describe(w))
}

// Describe says in words what the chart shows, for those who cannot see it.
func (d Distribution) Describe() string {
	w := speaking(d.Language)
	if d.Result.Responses == 0 {
		return w.sentence(w.nothing)
	}
	return d.describe(w)
}

// scaled is true where the answers have one scale.
func (d Distribution) scaled() bool { return len(d.Result.Distribution) > 0 }

func (d Distribution) headline(w words) string {
	if d.Title == "" {
		return w.distribution
	}
	return fmt.Sprintf(w.noteOn, d.Title, w.distribution)
}

// facts are what the bars add up to.
func (d Distribution) facts(w words) string {
	sentences := []string{w.sentence(w.metric(d.Metric, d.LowerIsBetter)), fmt.Sprintf(w.total, Count(d.Result.Responses))}
	if d.Result.Mean != nil {
		sentences = append(sentences, fmt.Sprintf(w.mean, decimal(*d.Result.Mean, 2)))
	}
	return w.join(sentences)
}

// parts draws the groups, the happy ones first, and their names below.
func (d Distribution) parts(c *canvas, w words, y float64) float64 {
	const height, gap = 22.0, 2.0
	x, whole := pad, c.width-2*pad
	for i, share := range d.Result.Share {
		width := share.Value / 100 * whole
		if width >= 1 {
			c.rect(d.paint(i), x, y, max(1, width-gap), height)
		}
		x += width
	}
	y += height + 18
	x = pad
	for i := range d.Result.Share {
		words := d.part(w, i)
		width := 18 + widthOf(words, textSize) + 14
		if x > pad && x+width-14 > c.width-pad {
			x, y = pad, y+lineHeight(textSize)
		}
		c.rect(d.paint(i), x, y-10, 12, 12)
		c.text(ink, x+18, y, textSize, atStart, "", words)
		x += width
	}
	return y + 8
}

// part names a group, with its share and size.
func (d Distribution) part(w words, i int) string {
	group := d.Result.Counts[i]
	return fmt.Sprintf(w.share, w.groups[group.Name], percent(d.Result.Percent[i].Value), Count(group.Value))
}

// paint is a group's colour: the first is of happy customers, the last of
// unhappy ones.
func (d Distribution) paint(i int) paint {
	switch i {
	case 0:
		return wellDone
	case len(d.Result.Counts) - 1:
		return unhappy
	}
	return between
}

// points draws a bar for each point of the scale, with its count and share.
func (d Distribution) points(c *canvas, w words, y float64) float64 {
	bins := d.Result.Distribution
	var most int64
	for _, bin := range bins {
		most = max(most, bin.Count)
	}
	const height = 120.0
	slot := (c.width - 2*pad) / float64(len(bins))
	bottom := y + 34 + height
	c.line(zero, pad, bottom, c.width-pad, bottom)
	size := figureSize
	if widthOf(Count(most), size) > slot-2 {
		size = max(8, size*(slot-2)/widthOf(Count(most), size))
	}
	for i, bin := range bins {
		x := pad + (float64(i)+0.5)*slot
		c.text(ink, x, bottom+17, labelSize, atMiddle, "", strconv.Itoa(bin.Value))
		tall := float64(bin.Count) / float64(most) * height
		if bin.Count > 0 {
			tall = max(1, tall)
			width := min(64, slot*0.7)
			c.rect(dot, x-width/2, bottom-tall, width, tall)
		}
		c.text(soft, x, bottom-tall-17, size, atMiddle, "", Count(bin.Count))
		c.text(soft, x, bottom-tall-4, figureSize, atMiddle, "", d.share(bin))
	}
	return bottom + 22
}

// share is a point's part of all answers, in whole percent.
func (d Distribution) share(bin scoring.Bin) string {
	return percent(int(math.Round(100 * float64(bin.Count) / float64(d.Result.Responses))))
}

func (d Distribution) describe(w words) string {
	sentences := []string{d.facts(w)}
	for i := range d.Result.Counts {
		sentences = append(sentences, w.sentence(d.part(w, i)))
	}
	for _, bin := range d.Result.Distribution {
		sentences = append(sentences, fmt.Sprintf(w.point, strconv.Itoa(bin.Value), Count(bin.Count), d.share(bin)))
	}
	return w.join(sentences)
}
