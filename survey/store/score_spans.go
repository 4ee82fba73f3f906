package store

import (
	"math"
	"slices"
	"time"

	"koe/scoring"
	"koe/survey"
)

// A piece is a part of the time line between two borders. A piece of whole
// days of the workspace's calendar can be counted from tallies; the others are
// parts of days.
type piece struct {
	from, to survey.Instant // half-open; the ends of time are farthest
	days     bool
	first    survey.Day // of whole days: the first, and the one after the last
	after    survey.Day
}

// farthest stands for a span without a beginning or an end.
const farthest = survey.Instant(math.MaxInt64)

// spanCut is a list of spans cut at each other's borders: every span is a run
// of pieces, and every piece is counted once, however many spans it lies in.
type spanCut struct {
	spans []Span
	all   []piece
	runs  [][2]int // per span: its first piece, and the one after its last
}

// cutSpans cuts spans into pieces. Where a border does not fall on midnight,
// the day around it is cut out, so that the days beside it stay whole.
func cutSpans(spans []Span, loc *time.Location) spanCut {
	var borders []survey.Instant
	for _, span := range spans {
		for _, border := range []survey.Instant{span.begin(), span.end()} {
			borders = append(borders, border)
			if border == farthest || border == -farthest {
				continue
			}
			day := survey.BegunDay(border, loc)
			if midnight := survey.StartOf(day, loc); midnight != border {
				borders = append(borders, midnight, survey.StartOf(day+1, loc))
			}
		}
	}
	slices.Sort(borders)
	borders = slices.Compact(borders)
	cut := spanCut{spans: spans}
	for _, span := range spans {
		from, to := span.begin(), span.end()
		first, _ := slices.BinarySearch(borders, from)
		after, _ := slices.BinarySearch(borders, max(from, to))
		cut.runs = append(cut.runs, [2]int{first, after})
	}
	needed := make([]bool, len(borders))
	for _, run := range cut.runs {
		for i := run[0]; i < run[1]; i++ {
			needed[i] = true
		}
	}
	for i := 0; i+1 < len(borders); i++ {
		if needed[i] {
			cut.all = append(cut.all, pieceOf(borders[i], borders[i+1], loc))
		} else {
			cut.all = append(cut.all, piece{}) // between two spans: holds nothing, and keeps the numbers
		}
	}
	return cut
}

func pieceOf(from, to survey.Instant, loc *time.Location) piece {
	p := piece{from: from, to: to, first: math.MinInt32, after: math.MaxInt32, days: true}
	if from != -farthest {
		p.first = survey.BegunDay(from, loc)
		p.days = survey.StartOf(p.first, loc) == from
	}
	if to != farthest {
		p.after = survey.BegunDay(to, loc)
		p.days = p.days && survey.StartOf(p.after, loc) == to
	}
	return p
}

func (p piece) empty() bool { return p.from >= p.to }

func (s Span) begin() survey.Instant {
	if s.From == nil {
		return -farthest
	}
	return *s.From
}

func (s Span) end() survey.Instant {
	if s.To == nil {
		return farthest
	}
	return *s.To
}

// pieceCounts are histograms per group, piece and measure.
type pieceCounts map[string][]map[int64]scoring.Histogram

// at is where a piece of a group is counted, of so many pieces in all.
func (c pieceCounts) at(group string, piece, pieces int) map[int64]scoring.Histogram {
	list, known := c[group]
	if !known {
		list = make([]map[int64]scoring.Histogram, pieces)
		c[group] = list
	}
	if list[piece] == nil {
		list[piece] = map[int64]scoring.Histogram{}
	}
	return list[piece]
}

// ofSpan adds up a group's counts over the pieces of a span, per measure.
func (c pieceCounts) ofSpan(group string, cut spanCut, span int) map[int64]scoring.Histogram {
	sums := map[int64]scoring.Histogram{}
	if list, known := c[group]; known {
		for _, counts := range list[cut.runs[span][0]:cut.runs[span][1]] {
			for measure, h := range counts {
				sums[measure] = sums[measure].Add(h)
			}
		}
	}
	return sums
}
