package report

import (
	"errors"
	"io"
	"strconv"

	"koe/scoring"
	"koe/survey"
)

// Counted is what a report is made of. The cells are counts per score; cells of
// several CSAT measures are reported together, see [scoring.Report].
type Counted struct {
	Metric     scoring.Metric
	Timezone   string // whose days the periods are
	Source     string // "tallies" or "rows"
	Rebuilding bool
	Notes      []string
	From, To   *survey.Instant // To exclusive; nil is open
	Level      float64         // of the intervals, such as 0.95
	Excluded   int64           // answers of the range that are left out

	Cells    []scoring.Cell // of the whole range
	Periods  []CountedPeriod
	Groups   []CountedGroup // nil where nothing was grouped
	Previous *CountedRange  // what to compare with; nil for nothing
	Rates    *Rates
}

// CountedPeriod is a period with its answers.
type CountedPeriod struct {
	survey.Period
	Cells []scoring.Cell
}

// CountedGroup is the part of one value of what was grouped by. Previous are
// its answers in the range to compare with, read only where there is one;
// Periods those of each period, where groups were cut into them.
type CountedGroup struct {
	Key, Name       string
	Cells, Previous []scoring.Cell
	Periods         [][]scoring.Cell
}

// CountedRange is a range with its answers.
type CountedRange struct {
	From, To survey.Instant
	Cells    []scoring.Cell
}

// Report is a score with all that was asked about it: the answer of
// GET /v1/scores.
type Report struct {
	Metric     scoring.Metric  `json:"metric"`
	Measure    string          `json:"measure,omitempty"` // the scale; empty where there are several or none
	Definition string          `json:"definition"`
	Timezone   string          `json:"timezone"`
	Source     string          `json:"source"`
	Rebuilding bool            `json:"rebuilding,omitempty"`
	Notes      []string        `json:"notes,omitempty"`
	From       *survey.Instant `json:"from"`
	To         *survey.Instant `json:"to"`
	Excluded   int64           `json:"excluded"`
	Total      scoring.Result  `json:"total"`
	Periods    []Period        `json:"periods,omitzero"`
	Groups     []Group         `json:"groups,omitzero"`
	Comparison *Comparison     `json:"comparison,omitempty"`
	Rates      *Rates          `json:"rates,omitempty"`
}

// Period is the score of a part of the calendar; End is exclusive.
type Period struct {
	Start survey.Day `json:"start"`
	End   survey.Day `json:"end"`
	scoring.Result
}

// Group is the score of a part of the answers.
type Group struct {
	Key  string `json:"key"`
	Name string `json:"name,omitempty"`
	scoring.Result
	Comparison *Comparison `json:"comparison,omitempty"`
}

// Comparison is how far the score moved since an earlier range, which had so
// many responses. Without answers on either side there is no difference.
type Comparison struct {
	From      survey.Instant `json:"from"`
	To        survey.Instant `json:"to"`
	Responses int64          `json:"responses"`
	scoring.Comparison
}

// New scores what was counted. Answers to both CES versions together are
// Invalid on "ces_version", a wrong level on "level"; any other error means that
// the counts are wrong.
func New(c Counted) (Report, error) {
	r := Report{Metric: c.Metric, Measure: measureOf(c.Cells), Definition: scoring.Definition(c.Cells), Timezone: c.Timezone,
		Source: c.Source, Rebuilding: c.Rebuilding, Notes: c.Notes, From: c.From, To: c.To, Excluded: c.Excluded, Rates: c.Rates}
	var err error
	if r.Total, err = scored(c.Cells, c.Level); err != nil {
		return Report{}, err
	}
	if c.Periods != nil {
		r.Periods = make([]Period, 0, len(c.Periods))
	}
	for _, p := range c.Periods {
		result, err := scored(likewise(p.Cells, c.Cells), c.Level)
		if err != nil {
			return Report{}, err
		}
		r.Periods = append(r.Periods, Period{p.Start, p.End, result})
	}
	if r.Comparison, err = compared(c.Cells, c.Previous, c.Level); err != nil {
		return Report{}, err
	}
	r.Groups, err = grouped(c)
	return r, err
}

func grouped(c Counted) ([]Group, error) {
	if c.Groups == nil {
		return nil, nil
	}
	groups := make([]Group, 0, len(c.Groups))
	for _, g := range c.Groups {
		result, err := scored(likewise(g.Cells, c.Cells), c.Level)
		if err != nil {
			return nil, err
		}
		group := Group{Key: g.Key, Name: g.Name, Result: result}
		if c.Previous != nil {
			previous := *c.Previous
			previous.Cells = g.Previous
			if group.Comparison, err = compared(g.Cells, &previous, c.Level); err != nil {
				return nil, err
			}
		}
		groups = append(groups, group)
	}
	return groups, nil
}

// compared is nil where there is nothing to compare with.
func compared(now []scoring.Cell, previous *CountedRange, level float64) (*Comparison, error) {
	if previous == nil {
		return nil, nil
	}
	before, err := scored(previous.Cells, level)
	if err != nil {
		return nil, err
	}
	c := Comparison{From: previous.From, To: previous.To, Responses: before.Responses}
	change, err := scoring.Compare(now, previous.Cells, level)
	if err != nil {
		return nil, inWords(err)
	}
	if c.Score = before.Score; change != nil {
		c.Comparison = *change
	}
	return &c, nil
}

func scored(cells []scoring.Cell, level float64) (scoring.Result, error) {
	result, err := scoring.Report(cells, level)
	return result, inWords(err)
}

// inWords turns an error that a caller can mend into one that says how.
func inWords(err error) error {
	switch {
	case errors.Is(err, scoring.ErrMixedCES):
		return survey.Errorf(survey.Invalid, "ces_version", "answers to CES 1.0 and 2.0 meet here; say ces_version=1 or ces_version=2")
	case errors.Is(err, scoring.ErrLevel):
		return survey.Errorf(survey.Invalid, "level", "level must be above 0.5 and at most 0.999, such as 0.95")
	}
	return err
}

// likewise gives a part without answers the measure of the whole, where that has
// one, so that every part shows the same counts, if only zeros.
func likewise(part, whole []scoring.Cell) []scoring.Cell {
	if len(part) > 0 {
		return part
	}
	if measures, err := scoring.Merge(whole); err == nil && len(measures) == 1 {
		return []scoring.Cell{{Measure: measures[0].Measure}}
	}
	return nil
}

// measureOf is the scale of the answers, where they have one.
func measureOf(cells []scoring.Cell) string {
	if measures, err := scoring.Merge(cells); err == nil && len(measures) == 1 {
		return measures[0].Measure.Key()
	}
	return ""
}

// Rates says how many of those who were asked answered: of the cohort of
// invitations that were sent in the range, whenever they were answered. Build it
// with [NewRates].
type Rates struct {
	Invited      int64    `json:"invited"`
	Delivered    int64    `json:"delivered"` // invited without those that bounced
	Opened       int64    `json:"opened"`    // best effort: many mail programs hide it, some pretend it
	Answered     int64    `json:"answered"`
	ResponseRate *float64 `json:"response_rate"` // answered of delivered, in percent; nil where none was
	CommentRate  *float64 `json:"comment_rate"`  // with a comment of answered, in percent; nil where none was
}

// NewRates computes the rates of a cohort.
func NewRates(invited, delivered, opened, answered, commented int64) *Rates {
	return &Rates{invited, delivered, opened, answered,
		scoring.PercentOf(answered, delivered), scoring.PercentOf(commented, answered)}
}

// WriteCSV writes the report as one table: a row for the total, for each period
// and for each group; what was compared stands in the row of the total or group.
// Figures have all their digits; what is not defined is empty.
func (r Report) WriteCSV(w io.Writer) error {
	results := []scoring.Result{r.Total}
	for _, p := range r.Periods {
		results = append(results, p.Result)
	}
	for _, g := range r.Groups {
		results = append(results, g.Result)
	}
	s := sheet{columns: append([]string{"row", "key", "name", "start", "end", "from", "to", "timezone", "metric", "measure"}, scoreColumns(results...)...)}
	if r.Comparison != nil {
		s.columns = append(s.columns, changeColumns...)
	}
	add := func(kind string, result scoring.Result) map[string]string {
		row := map[string]string{"row": kind, "timezone": r.Timezone, "metric": string(r.Metric), "measure": r.Measure}
		scoreCells(row, result)
		s.rows = append(s.rows, row)
		return row
	}
	total := add("total", r.Total)
	total["from"], total["to"] = instant(r.From), instant(r.To)
	changeCells(total, r.Comparison)
	if r.Rates != nil {
		s.columns = append(s.columns, rateColumns...)
		rateCells(total, r.Rates)
	}
	for _, p := range r.Periods {
		row := add("period", p.Result)
		row["start"], row["end"] = p.Start.String(), p.End.String()
	}
	for _, g := range r.Groups {
		row := add("group", g.Result)
		row["key"], row["name"] = g.Key, g.Name
		row["from"], row["to"] = instant(r.From), instant(r.To)
		changeCells(row, g.Comparison)
	}
	return s.write(w)
}

var rateColumns = []string{"invited", "delivered", "opened", "answered", "response_rate", "comment_rate"}

func rateCells(row map[string]string, r *Rates) {
	for name, n := range map[string]int64{"invited": r.Invited, "delivered": r.Delivered, "opened": r.Opened, "answered": r.Answered} {
		row[name] = strconv.FormatInt(n, 10)
	}
	row["response_rate"], row["comment_rate"] = number(r.ResponseRate), number(r.CommentRate)
}
