package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"maps"
	"slices"
	"strings"

	"koe/scoring"
	"koe/survey"
	"koe/survey/history"
	"koe/survey/report"
)

// fileCounts are the answers of a file, counted: a histogram in all, one a
// group and one a day. A row is forgotten once it is counted.
type fileCounts struct {
	measure scoring.Measure
	options history.Options

	score, date                  string // how the columns are called
	scoreAt, dateAt, group, idAt int    // where they stand; -1 for none
	where                        []condition
	byDay                        bool

	total     scoring.Histogram
	byGroup   map[string]*scoring.Histogram
	days      map[survey.Day]*scoring.Histogram
	seen      map[[2]uint64]struct{} // hashes of ids: a file may have many millions
	rejected  int64
	rejection []history.Rejection // the first of them
}

// condition is a value that a column must have.
type condition struct {
	at    int
	value string
}

const (
	maxGroups    = 100_000
	maxRejection = 20
)

// readAll counts the rows of a table.
func (c *fileCounts) readAll(ctx context.Context, t *history.Table) error {
	c.byGroup, c.days, c.seen = map[string]*scoring.Histogram{}, map[survey.Day]*scoring.Histogram{}, map[[2]uint64]struct{}{}
	seeds := [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}
	for ctx.Err() == nil {
		row, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if row.Fault != "" {
			c.reject(row.Line, "", row.Fault)
			continue
		}
		if !c.wanted(row.Cells, seeds) {
			continue
		}
		if err := c.add(row); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// wanted is false for rows that a condition leaves out, and for repeats.
func (c *fileCounts) wanted(cells []string, seeds [2]maphash.Seed) bool {
	for _, w := range c.where {
		if strings.TrimSpace(cells[w.at]) != w.value {
			return false
		}
	}
	if c.idAt < 0 || cells[c.idAt] == "" {
		return true
	}
	hash := [2]uint64{maphash.String(seeds[0], cells[c.idAt]), maphash.String(seeds[1], cells[c.idAt])}
	_, repeat := c.seen[hash]
	c.seen[hash] = struct{}{}
	return !repeat
}

// add counts one row.
func (c *fileCounts) add(row history.Row) error {
	score, blank, err := c.options.Score(row.Cells[c.scoreAt])
	switch {
	case err != nil:
		c.reject(row.Line, c.score, err.Error())
		return nil
	case blank:
		return nil
	case !c.measure.Contains(score):
		c.reject(row.Line, c.score, fmt.Sprintf("%d is not on the scale from %d to %d", score, c.measure.Min, c.measure.Max))
		return nil
	}
	if c.byDay {
		day, err := c.dayOf(row.Cells[c.dateAt])
		if err != nil {
			c.reject(row.Line, c.date, err.Error())
			return nil
		}
		histogram(c.days, day)[score]++
	}
	if c.group >= 0 {
		histogram(c.byGroup, strings.TrimSpace(row.Cells[c.group]))[score]++
		if len(c.byGroup) > maxGroups {
			return fmt.Errorf("line %d: the column of --group has more than %d different values", row.Line, maxGroups)
		}
	}
	c.total[score]++
	return nil
}

// histogram is the one at a key, a new one at first.
func histogram[K comparable](all map[K]*scoring.Histogram, key K) *scoring.Histogram {
	h := all[key]
	if h == nil {
		h = &scoring.Histogram{}
		all[key] = h
	}
	return h
}

// dayOf is the local day on which an answer counts.
func (c *fileCounts) dayOf(cell string) (survey.Day, error) {
	at, err := c.options.Dates.Parse(cell, c.options.Zone)
	if err != nil {
		return 0, fmt.Errorf("%q %w", cell, err)
	}
	day := survey.DayOf(at, c.options.Zone)
	if at >= survey.StartOf(day+1, c.options.Zone) { // the clocks were turned back over midnight
		day++
	}
	return day, nil
}

func (c *fileCounts) reject(line int, field, reason string) {
	if c.rejected++; len(c.rejection) < maxRejection {
		c.rejection = append(c.rejection, history.Rejection{Line: line, Field: field, Reason: reason})
	}
}

// warn lists rows that could not be counted; nothing where all could.
func (c *fileCounts) warn(w io.Writer) {
	if c.rejected == 0 {
		return
	}
	var text strings.Builder
	fmt.Fprintf(&text, "koe: rows that were not counted: %d\n", c.rejected)
	for _, r := range c.rejection {
		fmt.Fprintln(&text, "  "+describe(r))
	}
	if more := c.rejected - int64(len(c.rejection)); more > 0 {
		fmt.Fprintf(&text, "  and %d more\n", more)
	}
	_, _ = io.WriteString(w, text.String()) // the score is printed all the same
}

// describe is a rejected row for people.
func describe(r history.Rejection) string {
	if r.Field == "" {
		return fmt.Sprintf("line %d: %s", r.Line, r.Reason)
	}
	return fmt.Sprintf("line %d, %s: %s", r.Line, r.Field, r.Reason)
}

func (c *fileCounts) cells(h scoring.Histogram) []scoring.Cell {
	return []scoring.Cell{{Measure: c.measure, Histogram: h}}
}

// groups are those with the most answers first.
func (c *fileCounts) groups() []report.CountedGroup {
	groups := []report.CountedGroup{}
	for key, h := range c.byGroup {
		groups = append(groups, report.CountedGroup{Key: key, Cells: c.cells(*h)})
	}
	slices.SortFunc(groups, func(a, b report.CountedGroup) int {
		return cmp.Or(cmp.Compare(b.Cells[0].Histogram.N(), a.Cells[0].Histogram.N()), cmp.Compare(a.Key, b.Key))
	})
	return groups
}

// periods are from the first day with an answer to the last.
func (c *fileCounts) periods(every survey.Interval) ([]report.CountedPeriod, error) {
	counted := []report.CountedPeriod{}
	days := slices.Sorted(maps.Keys(c.days))
	if len(days) == 0 {
		return counted, nil
	}
	first, last := days[0], days[len(days)-1]
	periods, err := survey.Periods(survey.StartOf(first, c.options.Zone), survey.StartOf(last+1, c.options.Zone), every, c.options.Zone)
	if err != nil {
		return nil, err
	}
	for _, p := range periods {
		var h scoring.Histogram
		for ; len(days) > 0 && days[0] < p.End; days = days[1:] {
			h = h.Add(*c.days[days[0]])
		}
		counted = append(counted, report.CountedPeriod{Period: p, Cells: c.cells(h)})
	}
	return counted, nil
}
