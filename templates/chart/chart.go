// Package chart draws: figures go in, an SVG document comes out. One drawing of
// a kind serves the API and every page, so that no two places show a score
// differently.
//
// It knows scores, the calendar and the words around them, in English and
// Japanese. It does not know where the figures come from, reads no clock, and
// the same figures always give the same bytes.
//
// A drawing has its content in words too (<title> and <desc>), for those who
// listen to it. It loads nothing. Its colours follow the reader's light or dark
// scheme by one <style>, which is the same in every drawing: [Policy] lets that
// one pass and nothing else. Text from outside is escaped, stripped of what is
// not visible, and cannot turn the words around it.
package chart

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
)

// Media is the media type of a drawing.
const Media = "image/svg+xml"

// What a drawing's width may be, in CSS pixels; UsualWidth where none is said.
const (
	MinWidth   = 280
	MaxWidth   = 1600
	UsualWidth = 720
)

// fonts are those of the reader's own machine.
const fonts = `system-ui,-apple-system,'Segoe UI',Roboto,'Hiragino Sans','Noto Sans JP','Noto Sans CJK JP',Meiryo,sans-serif`

// Sizes of text.
const (
	headSize  = 16.0
	textSize  = 13.0
	labelSize = 12.0
	pad       = 12.0
)

// paint is a class and the attributes that it stands for in a light scheme. A
// program that reads no styles shows those.
type paint string

const (
	surface  paint = `class="s" fill="#ffffff"`
	ink      paint = `class="i" fill="#1d1d1b"`
	soft     paint = `class="o" fill="#5c5c57"`
	grid     paint = `class="g" stroke="#d9d9d4" stroke-width="1"`
	frame    paint = `class="g" fill="none" stroke="#d9d9d4" stroke-width="1"`
	zero     paint = `class="z" stroke="#8a8a84" stroke-width="1"`
	line     paint = `class="l" stroke="#0b4a80" stroke-width="2" stroke-linejoin="round" stroke-linecap="round" fill="none"`
	dot      paint = `class="d" fill="#0b4a80"`
	hollow   paint = `class="h" fill="#ffffff" stroke="#0b4a80" stroke-width="2"`
	band     paint = `class="d" fill="#0b4a80" fill-opacity="0.18"`
	bar      paint = `class="b" fill="#8a8a84"`
	target   paint = `class="t" stroke="#8a4b00" stroke-width="2" stroke-dasharray="7 4"`
	mark     paint = `class="n" stroke="#6b3fa0" stroke-width="1" stroke-dasharray="2 3"`
	badge    paint = `class="k" fill="#6b3fa0"`
	onBadge  paint = `class="s" fill="#ffffff"`
	wellDone paint = `class="w" fill="#1a7f4b"`
	between  paint = `class="b" fill="#8a8a84"`
	unhappy  paint = `class="u" fill="#b3261e"`
)

const style = `@media (prefers-color-scheme:dark){` +
	`.s{fill:#222220}.i{fill:#ededea}.o{fill:#b5b5ae}.g{stroke:#3d3d3a}.z{stroke:#85857f}.l{stroke:#b9dafa}.d{fill:#b9dafa}` +
	`.h{fill:#222220;stroke:#b9dafa}.b{fill:#85857f}.t{stroke:#ffc27a}.n{stroke:#d2b8ff}.k{fill:#d2b8ff}.w{fill:#6cc598}.u{fill:#ff8f84}}`

// Policy is the Content-Security-Policy of a drawing that is opened as a
// document of its own: its style and nothing else.
func Policy() string {
	sum := sha256.Sum256([]byte(style))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; frame-ancestors 'none'"
}

// canvas is what is drawn so far. Coordinates are CSS pixels from the top left.
type canvas struct {
	width float64
	body  bytes.Buffer
}

// newCanvas keeps the width within what can be read.
func newCanvas(width int) *canvas {
	if width == 0 {
		width = UsualWidth
	}
	return &canvas{width: float64(min(max(width, MinWidth), MaxWidth))}
}

// document is the whole drawing of this height. Title and desc say in words
// what it shows.
func (c *canvas) document(height float64, lang, title, desc string) []byte {
	var b bytes.Buffer
	w, h := number(c.width), number(height)
	b.WriteString(`<svg xmlns="http://www.w3.org/2000/svg" width="` + w + `" height="` + h + `" viewBox="0 0 ` + w + ` ` + h +
		`" role="img" aria-labelledby="title desc" lang="` + lang + `" xml:lang="` + lang + `" font-family="` + fonts + `">` + "\n" +
		`<title id="title">` + escape(title) + "</title>\n" + `<desc id="desc">` + escape(desc) + "</desc>\n" +
		`<style>` + style + "</style>\n")
	b.WriteString(`<rect width="` + w + `" height="` + h + `" ` + string(surface) + "/>\n")
	b.Write(c.body.Bytes())
	b.WriteString("</svg>\n")
	return b.Bytes()
}

// element writes an element with its attributes, names and values in turn, then
// a paint.
func (c *canvas) element(name string, p paint, attributes ...string) {
	c.body.WriteString("<" + name)
	for i := 0; i+1 < len(attributes); i += 2 {
		c.body.WriteString(" " + attributes[i] + `="` + attributes[i+1] + `"`)
	}
	c.body.WriteString(" " + string(p) + "/>\n")
}

func (c *canvas) rect(p paint, x, y, width, height float64) {
	c.element("rect", p, "x", number(x), "y", number(y), "width", number(width), "height", number(height))
}

func (c *canvas) line(p paint, x1, y1, x2, y2 float64) {
	c.element("line", p, "x1", number(x1), "y1", number(y1), "x2", number(x2), "y2", number(y2))
}

func (c *canvas) circle(p paint, x, y, r float64) {
	c.element("circle", p, "cx", number(x), "cy", number(y), "r", number(r))
}

// Where a text stands at its x.
const (
	atStart  = "start"
	atMiddle = "middle"
	atEnd    = "end"
)

// text writes one line of text, whose baseline is at y.
func (c *canvas) text(p paint, x, y, size float64, anchor, weight, words string) {
	c.body.WriteString(`<text x="` + number(x) + `" y="` + number(y) + `" font-size="` + number(size) + `"`)
	if anchor != atStart {
		c.body.WriteString(` text-anchor="` + anchor + `"`)
	}
	if weight != "" {
		c.body.WriteString(` font-weight="` + weight + `"`)
	}
	c.body.WriteString(" " + string(p) + ">" + escape(words) + "</text>\n")
}

// paragraph writes a text in as many lines as it needs, at most so many, and
// returns the baseline of the next line.
func (c *canvas) paragraph(p paint, x, y, size float64, weight, words string, most int) float64 {
	for _, words := range wrap(words, c.width-x-pad, size, most) {
		c.text(p, x, y, size, atStart, weight, words)
		y += lineHeight(size)
	}
	return y
}

// lineHeight leaves room for the letters of any language.
func lineHeight(size float64) float64 { return size + 6 }

// number writes a coordinate: tenths of a pixel are as fine as anybody sees.
func number(v float64) string {
	text := strings.TrimSuffix(strconv.FormatFloat(v, 'f', 1, 64), ".0")
	if text == "-0" {
		return "0"
	}
	return text
}
