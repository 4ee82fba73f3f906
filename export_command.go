package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"koe/scoring"
	"koe/survey"
	"koe/survey/history"
	"koe/survey/store"
)

// exportResponses is the command that takes answers out.
type exportResponses struct {
	Format     string            `default:"csv" enum:"csv,ndjson" placeholder:"FORMAT" help:"csv or ndjson (default ${default})."`
	BOM        bool              `help:"Begin CSV with a byte order mark, by which spreadsheets know UTF-8."`
	Output     string            `short:"o" placeholder:"FILE" help:"Where to write (default standard output)."`
	Survey     string            `placeholder:"ID" help:"Only answers to this survey: its id or key."`
	Touchpoint string            `placeholder:"KEY" help:"Only answers at this touchpoint."`
	Metric     string            `enum:",nps,csat,ces" default:"" placeholder:"METRIC" help:"Only nps, csat or ces."`
	ScoreMin   *int              `placeholder:"N" help:"Only scores from here."`
	ScoreMax   *int              `placeholder:"N" help:"Only scores up to here."`
	From       string            `placeholder:"DAY" help:"Only from this day (in --timezone, else the workspace's zone) or instant."`
	To         string            `placeholder:"DAY" help:"Only before this day or instant."`
	Locale     string            `placeholder:"TAG" help:"Only answers in this language."`
	Tag        string            `placeholder:"TAG" help:"Only answers with this tag."`
	HasComment *bool             `negatable:"" help:"Only answers with a comment; --no-has-comment: only without."`
	Query      string            `name:"q" placeholder:"WORDS" help:"Only answers with these words in a text."`
	Attribute  map[string]string `mapsep:"none" placeholder:"NAME=VALUE" help:"Only answers with this attribute; may be repeated."`
	ofWorkspace
}

// Help says what the file is good for.
func (exportResponses) Help() string {
	return `Both forms can be imported again without loss. In CSV a text that a spreadsheet
would run as a formula has an apostrophe before it, which an import takes off.`
}

// Run writes while it reads.
func (e exportResponses) Run(ctx context.Context, c Config, out io.Writer) error {
	return e.within(ctx, c, func(s *store.Store, by store.Caller) (err error) {
		f, err := e.filter(ctx, s, by, c)
		if err != nil {
			return err
		}
		if e.Output != "" {
			file, err := os.OpenFile(e.Output, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
			if err != nil {
				return fmt.Errorf("--output: %w", err)
			}
			if err := e.write(ctx, s, by, f, file); err != nil {
				_ = file.Close() // the error that stands says what is wrong
				return err
			}
			return file.Close()
		}
		return e.write(ctx, s, by, f, out)
	})
}

func (e exportResponses) write(ctx context.Context, s *store.Store, by store.Caller, f store.ResponseFilter, to io.Writer) error {
	out := history.WriteJSONLines(to)
	if e.Format == "csv" {
		names, err := s.ExportedNames(ctx, by, f)
		if err != nil {
			return err
		}
		if out, err = history.WriteCSV(to, names.Attributes, names.Questions, e.BOM); err != nil {
			return err
		}
	}
	if err := s.Export(ctx, by, f, out.Write); err != nil {
		return err
	}
	return out.Flush()
}

func (e exportResponses) filter(ctx context.Context, s *store.Store, by store.Caller, c Config) (f store.ResponseFilter, err error) {
	f = store.ResponseFilter{Survey: e.Survey, Touchpoint: e.Touchpoint, Metric: scoring.Metric(e.Metric), ScoreMin: e.ScoreMin,
		ScoreMax: e.ScoreMax, Tag: e.Tag, HasComment: e.HasComment, Q: e.Query, Attributes: e.Attribute}
	if e.Locale != "" {
		if f.Locale, err = survey.ParseLocale(e.Locale); err != nil {
			return f, fmt.Errorf("--locale: %w", err)
		}
	}
	name := c.Timezone
	if !c.ZoneChosen {
		w, err := s.Workspace(ctx, by)
		if err != nil {
			return f, err
		}
		name = w.Timezone
	}
	zone, err := survey.LoadZone(name)
	if err != nil {
		return f, fmt.Errorf("--timezone: %w", err)
	}
	if f.From, err = moment("--from", e.From, zone); err != nil {
		return f, err
	}
	f.To, err = moment("--to", e.To, zone)
	return f, err
}

// moment is an instant, or the first of a day; nil where nothing was given.
func moment(flag, text string, zone *time.Location) (*survey.Instant, error) {
	if text == "" {
		return nil, nil
	}
	if day, err := survey.ParseDay(text); err == nil {
		return new(survey.StartOf(day, zone)), nil
	}
	at, err := survey.ParseInstant(text)
	if err != nil {
		return nil, fmt.Errorf("%s: must be a day such as 2026-01-31 or an instant such as 2026-01-31T09:00:00Z", flag)
	}
	return &at, nil
}
