package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"

	"koe/survey"
	"koe/survey/history"
	"koe/survey/store"
)

// importResponses is the command that brings in history from another tool.
type importResponses struct {
	File       string            `arg:"" help:"CSV with a header, or JSON lines where the name ends in .ndjson or .jsonl."`
	Survey     string            `required:"" placeholder:"ID" help:"The id or key of the survey that was answered."`
	Map        map[string]string `mapsep:"none" placeholder:"FIELD=COLUMN" help:"Which column holds a field; may be repeated. With any, nothing else is read."`
	Ignore     string            `placeholder:"CODES" help:"Scores that mean no answer, such as 11,99."`
	DateFormat string            `placeholder:"STRFTIME" help:"How dates are written, such as %d/%m/%y (default 2026-11-22, with a time or not)."`
	DryRun     bool              `help:"Check everything and keep nothing."`
	Rejected   string            `placeholder:"FILE" help:"Write the rows that were rejected to a file that can be mended and imported."`
	ofWorkspace
}

// Help lists the fields and says what happens to rows.
func (importResponses) Help() string {
	return `The fields are ` + history.FieldNames() + `.
Without --map the columns of these names are read. Several tags or choices have
a | between them.

Rows without a score, or with a code of --ignore, are passed over, and so are
those that are there already: an external_id is kept once for a survey, and rows
without one are known by their number and contents: where another file has the
same ones, standard error says how many were passed over. Running it twice adds
nothing twice. After Ctrl-C the same command goes on where it stopped. A server
may run meanwhile.

Dates without an offset are read in --timezone, else in the workspace's zone.

It exits with 0 where every row was kept or passed over, with 3 where some were
rejected (the others are kept), with 1 where it could not run.`
}

// exitError ends the program with a status of its own.
type exitError struct {
	error
	status int
}

// someRejected is the status of an import that did not keep every row.
const someRejected = 3

// Run checks the file as a whole, then keeps its rows.
func (i importResponses) Run(ctx context.Context, c Config, out io.Writer, beside notes) error {
	options, err := i.options(c)
	if err != nil {
		return err
	}
	file, err := os.Open(i.File)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // it was only read
	hash, rows, err := i.inspect(ctx, file, options)
	if err != nil {
		return fmt.Errorf("%s: %w", i.File, err)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	report := &importProgress{bar: newBar(rows, "rows"), path: i.Rejected}
	in := store.Import{Survey: i.Survey, DryRun: i.DryRun, File: hash, Rejected: report.reject, Progress: report.progress,
		Open: func(t survey.Template, zone *time.Location) (*history.Reader, error) {
			if options.Zone == nil {
				options.Zone = zone
			}
			return i.open(file, t, options)
		}}
	if c.served() {
		in.Pause = besideServer
	}
	var done store.Imported
	err = i.within(ctx, c, func(s *store.Store, by store.Caller) error {
		var err error
		done, err = s.Import(ctx, by, in)
		return err
	})
	if err = errors.Join(err, report.close()); err != nil {
		return i.stopped(ctx, err, done)
	}
	for _, note := range done.Notes() {
		_, _ = fmt.Fprintln(beside, "note: "+note) // what was kept is kept, whether or not this can be read
	}
	return report.say(out, done, i.DryRun)
}

// besideServer is how long an import lets others write after each of its
// transactions, where they are in another process.
const besideServer = 10 * time.Millisecond

// served is true where another koe serves an SQLite file.
func (c Config) served() bool {
	path, lite := c.sqlite()
	if !lite {
		return false
	}
	lock, err := lockBeside(path)
	if err != nil {
		return true
	}
	_ = lock.Close() // nothing was written to it
	return false
}

// stopped says what somebody who pressed Ctrl-C wants to know.
func (i importResponses) stopped(ctx context.Context, err error, done store.Imported) error {
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return fmt.Errorf("stopped after %d rows, %d of them newly kept; the same command goes on from there", done.Rows(), done.Accepted)
	}
	var known *survey.Error
	if errors.As(err, &known) && len(known.Fields) == 1 {
		flag := "--map"
		if known.Fields[0].Field == "survey" {
			flag = "--survey"
		}
		return fmt.Errorf("%s: %s: %s", flag, known.Fields[0].Field, known.Message)
	}
	return err
}

func (i importResponses) options(c Config) (o history.Options, err error) {
	o = history.Options{Columns: i.Map, Blank: history.ParseBlank(i.Ignore)}
	if i.DateFormat != "" {
		if o.Dates, err = history.ParseDateFormat(i.DateFormat); err != nil {
			return o, fmt.Errorf("--date-format: %w", err)
		}
	}
	if c.ZoneChosen {
		if o.Zone, err = survey.LoadZone(c.Timezone); err != nil {
			return o, fmt.Errorf("--timezone: %w", err)
		}
	}
	return o, nil
}

// lines is true for a file of JSON lines.
func (i importResponses) lines() bool {
	switch strings.ToLower(filepath.Ext(i.File)) {
	case ".ndjson", ".jsonl":
		return true
	}
	return false
}

func (i importResponses) open(r io.Reader, t survey.Template, o history.Options) (*history.Reader, error) {
	if i.lines() {
		return history.ReadJSONLines(r, o)
	}
	return history.ReadCSV(r, t, o)
}

// inspect reads the whole file before anything is kept of it: one that is cut
// off, or not UTF-8, is refused as a whole. It returns how many rows there are
// and what the file, read in this way, is known again by.
func (i importResponses) inspect(ctx context.Context, file io.Reader, o history.Options) (hash []byte, rows int64, err error) {
	sum := sha256.New()
	reader, err := i.open(io.TeeReader(file, sum), survey.Template{}, o)
	if err != nil {
		return nil, 0, err
	}
	for ; err == nil; rows++ {
		if err = ctx.Err(); err == nil {
			_, err = reader.Next()
		}
	}
	if !errors.Is(err, io.EOF) {
		return nil, 0, err
	}
	how, err := json.Marshal([]any{i.Workspace, i.Survey, i.Map, i.Ignore, i.DateFormat, o.Zone.String()})
	if err != nil {
		return nil, 0, err
	}
	_, _ = sum.Write(how) // a hash takes everything
	return sum.Sum(nil), rows - 1, nil
}

// importProgress tells how an import goes, and keeps what was rejected.
type importProgress struct {
	bar     *progressbar.ProgressBar
	path    string // of the file of rejected rows; "" for none
	file    *os.File
	rejects *history.Rejects
	listed  []history.Rejection
}

const maxListed = 100

func (p *importProgress) progress(so store.Imported) {
	_ = p.bar.Set64(so.Rows()) // a terminal that cannot be written to is no reason to stop
}

func (p *importProgress) reject(r *history.Reader, e history.Entry, why history.Rejection) (err error) {
	if len(p.listed) < maxListed {
		p.listed = append(p.listed, why)
	}
	if p.path == "" {
		return nil
	}
	if p.file == nil {
		if p.file, err = os.OpenFile(p.path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600); err != nil {
			return fmt.Errorf("--rejected: %w", err)
		}
		if p.rejects, err = r.Rejects(p.file); err != nil {
			return fmt.Errorf("--rejected: %w", err)
		}
	}
	return p.rejects.Add(e, why)
}

func (p *importProgress) close() error {
	_ = p.bar.Clear()
	if p.file == nil {
		return nil
	}
	return errors.Join(p.rejects.Flush(), p.file.Close())
}

// say prints what became of the rows.
func (p *importProgress) say(out io.Writer, done store.Imported, dry bool) error {
	would := ""
	if dry {
		would = " (nothing is kept: this was a dry run)"
	}
	if _, err := fmt.Fprintf(out, "accepted %d%s\nskipped  %d (%d without a score, %d repeats)\nrejected %d\n",
		done.Accepted, would, done.Skipped(), done.Blank, done.Repeated, done.Rejected); err != nil {
		return err
	}
	for _, r := range p.listed {
		if _, err := fmt.Fprintln(out, "  "+describe(r)); err != nil {
			return err
		}
	}
	if more := done.Rejected - int64(len(p.listed)); more > 0 {
		if _, err := fmt.Fprintf(out, "  and %d more\n", more); err != nil {
			return err
		}
	}
	if done.Rejected == 0 {
		return nil
	}
	where := "--rejected FILE writes them to a file that can be mended"
	if p.path != "" {
		where = "mend them in " + p.path + " and import that"
	}
	return exitError{fmt.Errorf("%d rows were rejected; %s", done.Rejected, where), someRejected}
}

// newBar counts on standard error, where that is a terminal; else it is silent.
func newBar(total int64, what string) *progressbar.ProgressBar {
	info, err := os.Stderr.Stat()
	terminal := err == nil && info.Mode()&os.ModeCharDevice != 0
	return progressbar.NewOptions64(total, progressbar.OptionSetWriter(os.Stderr), progressbar.OptionSetVisibility(terminal),
		progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString(what),
		progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
}
