package report

import (
	"encoding/csv"
	"io"
	"slices"
	"strconv"

	"koe/scoring"
	"koe/survey"
	"koe/survey/history"
)

// CSV writes a table row by row: RFC 4180 with a header, and no cell that a
// spreadsheet would run as a formula.
type CSV struct {
	columns []string
	out     *csv.Writer
}

// NewCSV begins a table with its header.
func NewCSV(w io.Writer, columns ...string) (*CSV, error) { return newCSV(csv.NewWriter(w), columns) }

// NewMarkedCSV is NewCSV with a byte order mark before it, which tells
// spreadsheets that it is UTF-8.
func NewMarkedCSV(w io.Writer, columns ...string) (*CSV, error) {
	out, err := history.Marked(w)
	if err != nil {
		return nil, err
	}
	return newCSV(out, columns)
}

func newCSV(out *csv.Writer, columns []string) (*CSV, error) {
	out.UseCRLF = true
	return &CSV{columns, out}, out.Write(columns)
}

// Write writes a row by the names of its columns. It leaves out what it does
// not have.
func (t *CSV) Write(row map[string]string) error {
	line := make([]string, len(t.columns))
	for i, column := range t.columns {
		line[i] = history.Guard(row[column])
	}
	return t.out.Write(line)
}

// Flush writes what is still held back.
func (t *CSV) Flush() error {
	t.out.Flush()
	return t.out.Error()
}

// sheet is a table of named columns. A row leaves out what it does not have.
type sheet struct {
	columns []string
	rows    []map[string]string
}

func (s *sheet) write(w io.Writer) error {
	out, err := NewCSV(w, s.columns...)
	if err != nil {
		return err
	}
	for _, row := range s.rows {
		if err := out.Write(row); err != nil {
			return err
		}
	}
	return out.Flush()
}

// scoreColumns are the columns of these results: groups and points of the scale
// that none of them has are left out.
func scoreColumns(results ...scoring.Result) []string {
	columns := []string{"responses", "score", "rounded", "standard_error", "interval_low", "interval_high", "level", "method", "reliable"}
	var counts, shares, percents, special []string
	points := 0
	for _, r := range results {
		for _, group := range r.Counts {
			counts, shares, percents = with(counts, group.Name), with(shares, group.Name+"_share"), with(percents, group.Name+"_percent")
		}
		for _, bin := range r.Distribution {
			points = max(points, bin.Value+1)
		}
		if r.Agreement != nil {
			special = with(special, "percent_agree", "percent_agree_low", "percent_agree_high")
		}
		if r.Direction != "" {
			special = with(special, "direction")
		}
	}
	columns = slices.Concat(columns, counts, shares, percents, []string{"mean", "standard_deviation"}, special)
	for value := range points {
		columns = append(columns, countColumn(value))
	}
	return columns
}

// with adds the names that a list does not have yet.
func with(list []string, names ...string) []string {
	for _, name := range names {
		if !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	return list
}

// countColumn names the column of how many gave one point of the scale.
func countColumn(value int) string { return "count_" + strconv.Itoa(value) }

func scoreCells(row map[string]string, r scoring.Result) {
	row["responses"] = strconv.FormatInt(r.Responses, 10)
	row["score"], row["standard_error"] = number(r.Score), number(r.StandardError)
	row["reliable"] = strconv.FormatBool(r.Reliable)
	if r.Rounded != nil {
		row["rounded"] = strconv.Itoa(*r.Rounded)
	}
	intervalCells(row, "interval", r.Interval)
	if r.Interval != nil {
		row["level"], row["method"] = number(&r.Interval.Level), r.Interval.Method
	}
	for _, group := range r.Counts {
		row[group.Name] = strconv.FormatInt(group.Value, 10)
	}
	for _, group := range r.Share {
		row[group.Name+"_share"] = number(&group.Value)
	}
	for _, group := range r.Percent {
		row[group.Name+"_percent"] = strconv.Itoa(group.Value)
	}
	row["mean"], row["standard_deviation"] = number(r.Mean), number(r.StandardDeviation)
	if a := r.Agreement; a != nil {
		row["percent_agree"] = number(a.PercentAgree)
		intervalCells(row, "percent_agree", a.PercentAgreeInterval)
	}
	row["direction"] = r.Direction
	for _, bin := range r.Distribution {
		row[countColumn(bin.Value)] = strconv.FormatInt(bin.Count, 10)
	}
}

func intervalCells(row map[string]string, name string, i *scoring.Interval) {
	if i != nil {
		row[name+"_low"], row[name+"_high"] = number(&i.Low), number(&i.High)
	}
}

// changeColumns are those of a comparison, which stands in the row of what is
// compared.
var changeColumns = []string{"previous_from", "previous_to", "previous_responses", "previous_score",
	"difference", "difference_low", "difference_high", "z", "p_value", "significant"}

func changeCells(row map[string]string, c *Comparison) {
	if c == nil {
		return
	}
	row["previous_from"], row["previous_to"] = c.From.String(), c.To.String()
	row["previous_responses"], row["previous_score"] = strconv.FormatInt(c.Responses, 10), number(c.Score)
	row["difference"], row["z"], row["p_value"] = number(c.Difference), number(c.Z), number(c.PValue)
	if c.Interval != nil {
		row["difference_low"], row["difference_high"] = number(&c.Interval.Low), number(&c.Interval.High)
	}
	row["significant"] = strconv.FormatBool(c.Significant)
}

// number writes a figure with all its digits, and nothing where it is not
// defined.
func number(figure *float64) string {
	if figure == nil {
		return ""
	}
	return strconv.FormatFloat(*figure, 'g', -1, 64)
}

func instant(i *survey.Instant) string {
	if i == nil {
		return ""
	}
	return i.String()
}
