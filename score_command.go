package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"koe/scoring"
	"koe/survey"
	"koe/survey/history"
	"koe/survey/report"
)

// scoreFile is the command that scores a file without a server.
type scoreFile struct {
	File       string            `arg:"" help:"CSV file with a header; - reads the standard input."`
	Metric     string            `required:"" enum:"nps,csat,ces" placeholder:"METRIC" help:"nps, csat or ces."`
	Column     string            `required:"" placeholder:"COLUMN" help:"The column of the scores."`
	Scale      string            `placeholder:"MIN-MAX" help:"The scale of csat: 1-3, 1-5, 1-7, 1-10 or 0-1 (default 1-5)."`
	Version    int               `placeholder:"1|2" help:"Of ces: 1 (effort, 1-5, low is good) or 2 (agreement, 1-7; the default)."`
	Group      string            `placeholder:"COLUMN" help:"Score each value of this column too."`
	By         string            `placeholder:"INTERVAL" help:"Score each day, week (ISO), month, quarter or year too; needs --date-column."`
	DateColumn string            `placeholder:"COLUMN" help:"The column of the dates."`
	DateFormat string            `placeholder:"STRFTIME" help:"How dates are written, such as %d/%m/%y (default 2026-11-22, with a time or not)."`
	Ignore     string            `placeholder:"CODES" help:"Scores that mean no answer, such as 11,99."`
	Where      map[string]string `mapsep:"none" placeholder:"COLUMN=VALUE" help:"Read only rows with this value; may be repeated."`
	ID         string            `placeholder:"COLUMN" help:"Count rows with the same value in this column once."`
	Level      float64           `default:"0.95" placeholder:"LEVEL" help:"Confidence of the intervals (default ${default})."`
	Format     string            `default:"table" enum:"table,json,csv" placeholder:"FORMAT" help:"table, json (as GET /v1/scores answers) or csv (default ${default})."`
}

// Help says what happens with rows that have no score.
func (scoreFile) Help() string {
	return `Rows without a score and those with a code of --ignore are passed over. Rows
whose score or date cannot be read, or whose score is off the scale, are not
counted either: how many there are and the first 20 of them are said on standard
error, and koe still exits with 0. It exits with 1 where nothing can be counted:
a column that is not there, a file that is not UTF-8 or is cut off, no row that
has a score.

Days are those of --timezone.`
}

// measure is what the flags say was asked.
func (f scoreFile) measure() (scoring.Measure, error) {
	metric := scoring.Metric(f.Metric)
	if f.Scale != "" && metric != scoring.CSAT {
		return scoring.Measure{}, fmt.Errorf("--scale: is for csat; nps is asked from 0 to 10, ces as its --version says")
	}
	if f.Version != 0 && metric != scoring.CES {
		return scoring.Measure{}, fmt.Errorf("--version: is for ces")
	}
	low, high, version := 1, 5, 0
	switch {
	case metric == scoring.NPS:
		low, high = 0, 10
	case metric == scoring.CES && f.Version == 1:
		version = 1
	case metric == scoring.CES:
		high, version = 7, 2
	case f.Scale != "":
		from, to, _ := strings.Cut(f.Scale, "-")
		var err, err2 error
		low, err = strconv.Atoi(from)
		high, err2 = strconv.Atoi(to)
		if err != nil || err2 != nil {
			return scoring.Measure{}, fmt.Errorf("--scale: must be 1-3, 1-5, 1-7, 1-10 or 0-1")
		}
	}
	m := scoring.DefaultMeasure(metric, low, high, version)
	if err := m.Validate(); err != nil {
		return m, fmt.Errorf("--scale: must be 1-3, 1-5, 1-7, 1-10 or 0-1")
	}
	if f.Version != 0 && f.Version != version {
		return m, fmt.Errorf("--version: must be 1 (effort) or 2 (agreement)")
	}
	return m, nil
}

// Run reads the file once and prints the report.
func (f scoreFile) Run(ctx context.Context, c Config, out io.Writer, beside notes) error {
	in := io.Reader(os.Stdin)
	if f.File != "-" {
		file, err := os.Open(f.File)
		if err != nil {
			return err
		}
		defer func() { _ = file.Close() }() // it was only read
		in = file
	}
	counts, err := f.count(ctx, in, c.Timezone)
	if err != nil {
		return err
	}
	scored, err := f.report(counts, c.Timezone)
	if err != nil {
		return err
	}
	counts.warn(beside)
	if err := f.print(out, scored); err != nil {
		return err
	}
	if counts.total.N() == 0 { // a score of nobody is mostly a wrong column or condition
		return fmt.Errorf("%s: no row was counted: none that is wanted has a score in %q", f.File, f.Column)
	}
	return nil
}

func (f scoreFile) print(out io.Writer, scored report.Report) error {
	switch f.Format {
	case "json":
		text := json.NewEncoder(out)
		text.SetIndent("", "  ")
		return text.Encode(scored)
	case "csv":
		return scored.WriteCSV(out)
	}
	return scored.WriteTable(out)
}

// report scores what was counted.
func (f scoreFile) report(counts *fileCounts, timezone string) (report.Report, error) {
	counted := report.Counted{Metric: counts.measure.Metric, Timezone: timezone, Source: "rows", Level: f.Level,
		Cells: counts.cells(counts.total)}
	if f.Group != "" {
		counted.Groups = counts.groups()
	}
	if f.By != "" {
		var err error
		if counted.Periods, err = counts.periods(survey.Interval(f.By)); err != nil {
			return report.Report{}, asFlag("--by", err)
		}
	}
	scored, err := report.New(counted)
	return scored, asFlag("--level", err)
}

// asFlag says an error about a field of the API's under a flag's name.
func asFlag(flag string, err error) error {
	if err == nil {
		return nil
	}
	var known *survey.Error
	if errors.As(err, &known) {
		return fmt.Errorf("%s: %s", flag, known.Message)
	}
	return err
}

// columns finds what the flags name, before the first row is read.
func (f scoreFile) columns(t *history.Table, timezone string) (*fileCounts, error) {
	c := &fileCounts{score: f.Column, date: f.DateColumn, group: -1, dateAt: -1, idAt: -1}
	var err error
	find := func(flag, name string, into *int) {
		if name != "" && err == nil {
			*into, err = t.Column(flag, name)
		}
	}
	find("--column", f.Column, &c.scoreAt)
	find("--group", f.Group, &c.group)
	find("--date-column", f.DateColumn, &c.dateAt)
	find("--id", f.ID, &c.idAt)
	for name, value := range f.Where {
		w := condition{value: strings.TrimSpace(value)}
		find("--where", name, &w.at)
		c.where = append(c.where, w)
	}
	if err != nil {
		return nil, err
	}
	if c.options.Zone, err = survey.LoadZone(timezone); err != nil {
		return nil, fmt.Errorf("--timezone: %w", err)
	}
	return c, nil
}

// count reads every row.
func (f scoreFile) count(ctx context.Context, in io.Reader, timezone string) (*fileCounts, error) {
	m, err := f.measure()
	if err != nil {
		return nil, err
	}
	if !scoring.ValidLevel(f.Level) {
		return nil, fmt.Errorf("--level: must be above 0.5 and at most 0.999, such as 0.95")
	}
	dates, err := f.dates()
	if err != nil {
		return nil, err
	}
	t, err := history.NewTable(in)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.File, err)
	}
	c, err := f.columns(t, timezone)
	if err != nil {
		return nil, err
	}
	c.measure, c.options.Dates, c.options.Blank, c.byDay = m, dates, history.ParseBlank(f.Ignore), f.By != ""
	if err := c.readAll(ctx, t); err != nil {
		return nil, fmt.Errorf("%s: %w", f.File, err)
	}
	return c, nil
}

func (f scoreFile) dates() (dates history.DateFormat, err error) {
	if f.By != "" {
		if _, err := survey.ParseInterval(f.By); err != nil {
			return dates, fmt.Errorf("--by: must be day, week, month, quarter or year")
		}
		if f.DateColumn == "" {
			return dates, fmt.Errorf("--date-column: is required with --by")
		}
	}
	if f.DateFormat != "" {
		if dates, err = history.ParseDateFormat(f.DateFormat); err != nil {
			return dates, fmt.Errorf("--date-format: %w", err)
		}
	}
	return dates, nil
}
