package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"

	"koe/scoring"
)

// WriteTable writes the report for a terminal: what was asked, a line for the
// total, each period and each group, and what changed. Figures are rounded for
// the eye; WriteCSV and JSON have all digits.
func (r Report) WriteTable(w io.Writer) error {
	var b strings.Builder
	b.WriteString(strings.ToUpper(string(r.Metric)))
	if r.Measure != "" {
		fmt.Fprintf(&b, " on %s", r.Measure)
	}
	if r.Definition != "" {
		fmt.Fprintf(&b, ": %s", r.Definition)
	}
	b.WriteString("\n\n")
	heads := append([]string{"", "responses", "score", "interval"}, names(r.Total)...)
	if i := r.Total.Interval; i != nil {
		heads[3] = fmt.Sprintf("%.4g%% interval", 100*i.Level)
	}
	lines := [][]string{heads, line("total", r.Total)}
	for _, p := range r.Periods {
		lines = append(lines, line(p.Start.String()+" to "+(p.End-1).String(), p.Result))
	}
	for _, g := range r.Groups {
		lines = append(lines, line(cmp.Or(g.Name, g.Key, "(none)"), g.Result))
	}
	align(&b, lines)
	if slices.ContainsFunc(lines, func(line []string) bool { return strings.HasSuffix(line[2], few) }) {
		b.WriteString("\n" + few + " fewer than 30 responses: look at the interval, not at the score\n")
	}
	if c := r.Comparison; c != nil {
		b.WriteString("\n" + change(c) + "\n")
	}
	for _, note := range r.Notes {
		b.WriteString("\n" + note + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// few marks a score of fewer than 30 responses.
const few = "*"

// names are the groups that the answers fall into.
func names(r scoring.Result) []string {
	var names []string
	for _, group := range r.Counts {
		names = append(names, group.Name)
	}
	return names
}

func line(name string, r scoring.Result) []string {
	mark := " "
	if r.Responses > 0 && !r.Reliable {
		mark = few
	}
	cells := []string{plain(name), fmt.Sprint(r.Responses), figure(r.Score) + mark, "-"}
	if r.Interval != nil {
		cells[3] = figure(&r.Interval.Low) + " to " + figure(&r.Interval.High)
	}
	for i := range r.Counts {
		share := "-"
		if r.Percent != nil {
			share = fmt.Sprintf("%d%%", r.Percent[i].Value)
		}
		cells = append(cells, share)
	}
	return cells
}

// plain keeps a name on its line, and what controls a terminal away from it.
func plain(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, name)
}

// change says in a sentence how the score moved.
func change(c *Comparison) string {
	before := fmt.Sprintf("%s to %s: %d responses", c.From, c.To, c.Responses)
	if c.Score != nil {
		before += ", score " + figure(c.Score)
	}
	if c.Difference == nil {
		return "compared with " + before + "; nothing to compare"
	}
	s := fmt.Sprintf("compared with %s; changed by %s", before, figure(c.Difference))
	if c.Interval != nil {
		s += fmt.Sprintf(" (%s to %s)", figure(&c.Interval.Low), figure(&c.Interval.High))
	}
	if c.PValue != nil {
		s += fmt.Sprintf(", p %.2g", *c.PValue)
	}
	if c.Significant {
		return s + ": significant"
	}
	return s + ": may be chance"
}

// figure rounds for the eye.
func figure(f *float64) string {
	if f == nil {
		return "-"
	}
	return fmt.Sprintf("%.2f", *f)
}

// align writes lines with their cells in columns: the first to the left, figures
// to the right.
func align(b *strings.Builder, lines [][]string) {
	var widths []int
	for _, line := range lines {
		for i, cell := range line {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], width(cell))
		}
	}
	for _, line := range lines {
		for i, cell := range line {
			gap := strings.Repeat(" ", widths[i]-width(cell))
			if i == 0 {
				b.WriteString(cell + gap)
			} else {
				b.WriteString("  " + gap + cell)
			}
		}
		b.WriteString("\n")
	}
}

// width is how many columns of a terminal a text takes: two for East Asian
// characters and emoji, none for marks that stand on the one before.
func width(text string) int {
	columns := 0
	for _, r := range text {
		switch {
		case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		case r >= 0x1100 && r <= 0x115f, r >= 0x2e80 && r <= 0xa4cf, r >= 0xac00 && r <= 0xd7a3, r >= 0xf900 && r <= 0xfaff,
			r >= 0xfe30 && r <= 0xfe6f, r >= 0xff01 && r <= 0xff60, r >= 0xffe0 && r <= 0xffe6, r >= 0x1f300 && r <= 0x1faff, r >= 0x20000 && r <= 0x3fffd:
			columns += 2
		default:
			columns++
		}
	}
	return columns
}
