package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"math"
	"os"
	"path/filepath"
	"testing"

	"koe/scoring"
	"koe/survey"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares with a file of testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs:\n%s\nwant\n%s", name, got, want)
	}
}

func goldenJSON(t *testing.T, name string, value any) {
	t.Helper()
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(value); err != nil {
		t.Fatal(err)
	}
	golden(t, name, b.Bytes())
}

var (
	nps    = scoring.DefaultMeasure(scoring.NPS, 0, 10, 0)
	csat   = scoring.DefaultMeasure(scoring.CSAT, 1, 5, 0)
	thumbs = scoring.DefaultMeasure(scoring.CSAT, 0, 1, 0)
	effort = scoring.DefaultMeasure(scoring.CES, 1, 5, 1)
	ease   = scoring.DefaultMeasure(scoring.CES, 1, 7, 2)
)

func cell(m scoring.Measure, h scoring.Histogram) []scoring.Cell {
	return []scoring.Cell{{Measure: m, Histogram: h}}
}

func npsOf(promoters, passives, detractors int64) []scoring.Cell {
	return cell(nps, scoring.Histogram{3: detractors, 8: passives, 10: promoters})
}

func at(t *testing.T, s string) survey.Instant {
	t.Helper()
	i, err := survey.ParseInstant(s)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// quarter is a report with all there can be: by month, by agent, compared.
func quarter(t *testing.T) Counted {
	t.Helper()
	tokyo, err := survey.LoadZone("Asia/Tokyo")
	if err != nil {
		t.Fatal(err)
	}
	from, to := at(t, "2025-12-31T15:00:00Z"), at(t, "2026-03-31T15:00:00Z")
	periods, err := survey.Periods(from, to, survey.Monthly, tokyo)
	if err != nil {
		t.Fatal(err)
	}
	return Counted{
		Metric: scoring.NPS, Timezone: "Asia/Tokyo", Source: "rows", Rebuilding: true, Notes: []string{"the segment agent has more than 500 values"},
		From: &from, To: &to, Level: 0.95, Cells: npsOf(50, 30, 20),
		Periods: []CountedPeriod{{periods[0], npsOf(30, 10, 5)}, {periods[1], nil}, {periods[2], npsOf(20, 20, 15)}},
		Groups: []CountedGroup{
			{Key: "キム", Cells: npsOf(49, 30, 20), Previous: npsOf(30, 25, 25)},
			{Key: "=cmd|' /C calc'!A0", Name: "Sheet \"one\", line\n\x1b[31mtwo", Cells: npsOf(1, 0, 0)},
			{Key: ""},
		},
		Previous: &CountedRange{survey.Before(from, to, survey.Monthly, tokyo), from, npsOf(40, 30, 30)},
		Rates:    NewRates(400, 398, 250, 100, 41),
	}
}

func TestReport(t *testing.T) {
	r, err := New(quarter(t))
	if err != nil {
		t.Fatal(err)
	}
	goldenJSON(t, "quarter.json", r)
	var sheet, table bytes.Buffer
	if err := r.WriteCSV(&sheet); err != nil {
		t.Fatal(err)
	}
	golden(t, "quarter.csv", sheet.Bytes())
	if err := r.WriteTable(&table); err != nil {
		t.Fatal(err)
	}
	golden(t, "quarter.txt", table.Bytes())
	// metrics.md: (50,20,100) against (40,30,100)
	if c := r.Comparison; *c.Difference != 20 || math.Abs(*c.Z-1.7541) > 5e-5 || math.Abs(*c.PValue-0.0794) > 5e-5 || c.Significant || c.Responses != 100 ||
		c.From != at(t, "2025-09-30T15:00:00Z") || c.To != *r.From {
		t.Errorf("comparison %+v", c)
	}
}

func TestReportOfNothing(t *testing.T) {
	r, err := New(Counted{Metric: scoring.NPS, Timezone: "UTC", Source: "tallies", Level: 0.95, Groups: []CountedGroup{}})
	if err != nil {
		t.Fatal(err)
	}
	goldenJSON(t, "nothing.json", r)
	var table, sheet bytes.Buffer
	if err := r.WriteTable(&table); err != nil {
		t.Fatal(err)
	}
	golden(t, "nothing.txt", table.Bytes())
	if err := r.WriteCSV(&sheet); err != nil {
		t.Fatal(err)
	}
	if rows := readCSV(t, sheet.Bytes()); len(rows) != 1 || rows[0]["responses"] != "0" || rows[0]["score"] != "" {
		t.Errorf("got %v", rows)
	}
}

// TestReportMeasure: one scale is named, several are not.
func TestReportMeasure(t *testing.T) {
	for _, test := range []struct {
		name    string
		cells   []scoring.Cell
		measure string
		mean    bool
	}{
		{"one", cell(csat, scoring.Histogram{4: 2, 1: 1}), "1-5", true},
		{"one in two cells", append(cell(csat, scoring.Histogram{4: 2}), cell(csat, scoring.Histogram{1: 1})...), "1-5", true},
		{"another without answers", append(cell(csat, scoring.Histogram{4: 2}), cell(thumbs, scoring.Histogram{})...), "1-5", true},
		{"two", append(cell(csat, scoring.Histogram{4: 2}), cell(thumbs, scoring.Histogram{0: 1})...), "", false},
		{"one without answers", cell(ease, scoring.Histogram{}), "1-7", false},
	} {
		r, err := New(Counted{Cells: test.cells, Level: 0.95, Periods: []CountedPeriod{{}}})
		if err != nil || r.Measure != test.measure || (r.Total.Mean != nil) != test.mean {
			t.Errorf("%s: %q, mean %v, %v", test.name, r.Measure, r.Total.Mean, err)
		}
		// an empty period shows the groups of the total, where it has one scale
		if empty := r.Periods[0]; (empty.Counts == nil) != (test.measure == "") || empty.Score != nil {
			t.Errorf("%s: empty period %+v", test.name, empty)
		}
	}
}

func TestReportErrors(t *testing.T) {
	efforts, eases := cell(effort, scoring.Histogram{2: 40}), cell(ease, scoring.Histogram{6: 40})
	for _, test := range []struct {
		name, field string
		counted     Counted
	}{
		{"both versions", "ces_version", Counted{Level: 0.95, Cells: append(efforts, eases...)}},
		{"another version before", "ces_version", Counted{Level: 0.95, Cells: eases, Previous: &CountedRange{Cells: efforts}}},
		{"both versions before", "ces_version", Counted{Level: 0.95, Previous: &CountedRange{Cells: append(efforts, eases...)}}},
		{"both in a period", "ces_version", Counted{Level: 0.95, Cells: eases, Periods: []CountedPeriod{{Cells: append(efforts, eases...)}}}},
		{"both in a group", "ces_version", Counted{Level: 0.95, Cells: eases, Groups: []CountedGroup{{Cells: append(efforts, eases...)}}}},
		{"another version before in a group", "ces_version",
			Counted{Level: 0.95, Cells: eases, Previous: &CountedRange{Cells: eases}, Groups: []CountedGroup{{Cells: eases, Previous: efforts}}}},
		{"no level", "level", Counted{Cells: eases}},
		{"a level of 1", "level", Counted{Level: 1, Cells: eases}},
	} {
		_, err := New(test.counted)
		var e *survey.Error
		if !errors.As(err, &e) || e.Kind != survey.Invalid || e.Fields[0].Field != test.field {
			t.Errorf("%s: %v", test.name, err)
		}
	}
	wrong := cell(nps, scoring.Histogram{3: -1})
	if _, err := New(Counted{Level: 0.95, Cells: wrong}); !errors.Is(err, scoring.ErrHistogram) {
		t.Errorf("a negative count: %v", err)
	}
}

// TestReportComparison: without answers on a side there is no difference, but
// what there is, is told.
func TestReportComparison(t *testing.T) {
	some := npsOf(50, 30, 20)
	for name, test := range map[string]struct {
		now, before []scoring.Cell
		responses   int64
		score       bool
	}{"none before": {some, nil, 0, false}, "none now": {nil, some, 100, true}, "none at all": {nil, nil, 0, false}} {
		r, err := New(Counted{Level: 0.95, Cells: test.now, Previous: &CountedRange{Cells: test.before}})
		if err != nil {
			t.Fatal(err)
		}
		c := r.Comparison
		if c.Responses != test.responses || (c.Score != nil) != test.score || c.Difference != nil || c.Interval != nil || c.PValue != nil || c.Significant {
			t.Errorf("%s: %+v", name, c)
		}
	}
	if r, err := New(Counted{Level: 0.95, Cells: some}); err != nil || r.Comparison != nil {
		t.Errorf("compared with nothing: %+v, %v", r.Comparison, err)
	}
}

// TestParts: periods and groups add up to the total, whatever the order.
func TestParts(t *testing.T) {
	r, err := New(quarter(t))
	if err != nil {
		t.Fatal(err)
	}
	var periods, groups int64
	for _, p := range r.Periods {
		periods += p.Responses
	}
	for _, g := range r.Groups {
		groups += g.Responses
	}
	if periods != r.Total.Responses || groups != r.Total.Responses {
		t.Errorf("%d in periods, %d in groups, %d in all", periods, groups, r.Total.Responses)
	}
}

func TestNewRates(t *testing.T) {
	for _, test := range []struct {
		rates             *Rates
		response, comment any
	}{
		{NewRates(18300, 18111, 9000, 2746, 1126), 100 * 2746 / 18111.0, 100 * 1126 / 2746.0},
		{NewRates(3, 3, 0, 2, 0), 200 / 3.0, 0.0},
		{NewRates(2, 0, 0, 0, 0), nil, nil},
		{NewRates(0, 0, 0, 0, 0), nil, nil},
	} {
		for name, pair := range map[string][2]any{
			"response": {value(test.rates.ResponseRate), test.response}, "comment": {value(test.rates.CommentRate), test.comment}} {
			got, okGot := pair[0].(float64)
			want, okWant := pair[1].(float64)
			if okGot != okWant || got-want > 1e-12 || want-got > 1e-12 {
				t.Errorf("%+v: %s rate %v, want %v", test.rates, name, pair[0], pair[1])
			}
		}
	}
}

func value(f *float64) any {
	if f == nil {
		return nil
	}
	return *f
}

// readCSV reads rows by the names of their columns.
func readCSV(t *testing.T, data []byte) []map[string]string {
	t.Helper()
	if lines, feeds := bytes.Count(data, []byte("\n")), bytes.Count(data, []byte("\r\n")); feeds == 0 || lines < feeds {
		t.Errorf("%d of %d lines end as RFC 4180 says", feeds, lines)
	}
	lines, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, column := range lines[0] {
		if seen[column] {
			t.Errorf("the column %s is there twice", column)
		}
		seen[column] = true
	}
	var rows []map[string]string
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, column := range lines[0] {
			row[column] = line[i]
		}
		rows = append(rows, row)
	}
	return rows
}

func TestWidth(t *testing.T) {
	for text, want := range map[string]int{"": 0, "Kim": 3, "キム": 4, "ｷﾑ": 2, "é": 1, "e\u0301": 1, "한국": 4, "😀": 2, "שלום": 4} {
		if got := width(text); got != want {
			t.Errorf("%q takes %d columns, want %d", text, got, want)
		}
	}
}

// failing is a writer that cannot write.
type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, os.ErrClosed }

func TestWriteErrors(t *testing.T) {
	r, err := New(quarter(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.WriteCSV(failing{}); !errors.Is(err, os.ErrClosed) {
		t.Errorf("CSV: %v", err)
	}
	if err := r.WriteTable(failing{}); !errors.Is(err, os.ErrClosed) {
		t.Errorf("table: %v", err)
	}
}
