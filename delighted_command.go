package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"

	"koe/survey"
	"koe/survey/delighted"
	"koe/survey/store"
)

// importDelighted is the command that takes over what was in Delighted.
type importDelighted struct {
	Paths  []string          `arg:"" name:"path" help:"Folders and files: CSV exports, and JSON that the API returned."`
	Survey []string          `sep:"none" placeholder:"[TYPE=]ID" help:"The survey that takes the answers, by id or key; may be repeated, such as nps=ID and csat=ID."`
	Map    map[string]string `mapsep:"none" placeholder:"FIELD=COLUMN" help:"Which CSV column holds a field, where it is not called so; may be repeated."`
	DryRun bool              `help:"Check everything, write the reconciliation and keep nothing."`
	Report string            `placeholder:"FILE" help:"Write the reconciliation as JSON too. It holds addresses."`
	ofWorkspace
}

// Help says what is taken for what.
func (importDelighted) Help() string {
	return `Files are known by what they hold, so their names and order do not matter: people,
unsubscribes, bounces, survey responses, and metrics to compare with. A list may
lie in several files. Columns are called as the API's fields, in any case:
` + delighted.FieldNames() + `. Other columns of people and of
responses are properties. Dates are Unix seconds, or dates; those without an
offset are read in --timezone, else in the workspace's zone.

An answer goes to the survey that --survey names for its survey_type, else to
the one that measures it. People are known by their address; the first interaction
that names them with an id of yours takes them over. Whoever unsubscribed or
bounced is suppressed before anything else is kept.

Running it twice adds nothing twice, and after Ctrl-C the same command goes on
where it stopped. A server may run meanwhile.

It exits with 0 where every row was kept or passed over, with 3 where some were
rejected (the others are kept), with 1 where it could not run: a file that is cut
off or not understood ends it before anything is kept.`
}

// takeover is one run of the command.
type takeover struct {
	importDelighted
	store   *store.Store
	by      store.Caller
	export  *export
	facts   *delighted.Facts
	names   *delighted.Names
	targets destinations
	now     survey.Instant
	pause   time.Duration
	bar     *progressbar.ProgressBar
	metrics []fileMetrics
	unfit   map[string]int64 // answers without a survey, by survey_type
	done    delighted.Reconciliation
}

type fileMetrics struct {
	file    string
	figures map[string]json.RawMessage
}

// Run reads all files, keeps what they say in the order that harms nobody, and
// prints the reconciliation.
func (i importDelighted) Run(ctx context.Context, c Config, out io.Writer) error {
	files, passed, err := findExport(i.Paths)
	if err != nil {
		return err
	}
	options := delighted.Options{Columns: i.Map}
	if err := options.Check(); err != nil {
		return fmt.Errorf("--map: %w", err)
	}
	if c.ZoneChosen {
		if options.Zone, err = survey.LoadZone(c.Timezone); err != nil {
			return fmt.Errorf("--timezone: %w", err)
		}
	}
	t := &takeover{importDelighted: i, export: &export{files: files, options: options}, facts: delighted.NewFacts(),
		now: survey.InstantOf(time.Now()), unfit: map[string]int64{}}
	for _, path := range passed {
		t.note("%s is passed over: its ending is none of %s", path, strings.Join(exportEndings, " "))
	}
	if c.served() {
		t.pause = besideServer
	}
	open := i.within
	if i.DryRun {
		open = i.looking
	}
	if err := open(ctx, c, func(s *store.Store, by store.Caller) error {
		t.store, t.by = s, by
		return t.run(ctx)
	}); err != nil {
		if ctx.Err() != nil && errors.Is(err, context.Canceled) {
			return errors.New("stopped; the same command goes on from there")
		}
		return err
	}
	return t.say(out)
}

// looking is within for what may change nothing.
func (o ofWorkspace) looking(ctx context.Context, c Config, do func(*store.Store, store.Caller) error) (err error) {
	s, err := openUnchanged(ctx, c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	w, err := s.FindWorkspace(ctx, o.Workspace)
	if err != nil {
		return fmt.Errorf("--workspace %s: %w", o.Workspace, err)
	}
	return do(s, store.Caller{Workspace: w.ID, KeyName: "command line", Role: store.Admin})
}

func (t *takeover) note(format string, args ...any) {
	t.done.Notes = append(t.done.Notes, fmt.Sprintf(format, args...))
}

// run inspects the files, then keeps first who must not be mailed, then when
// people were asked, then what they answered: wherever it is cut off, nobody is
// mailed who must not be.
func (t *takeover) run(ctx context.Context) error {
	w, err := t.store.Workspace(ctx, t.by)
	if err != nil {
		return err
	}
	if t.export.options.Zone == nil {
		if t.export.options.Zone, err = survey.LoadZone(w.Timezone); err != nil {
			return err
		}
	}
	if t.targets, err = findTargets(ctx, t.store, t.by, t.Survey); err != nil {
		return err
	}
	if err := t.export.inspect(ctx, t.learn); err != nil {
		return err
	}
	if len(t.facts.Types) > 0 && len(t.targets.all) == 0 {
		return fmt.Errorf("--survey: is required: the files hold answers (%s); name the survey that takes them", countWords(t.facts.Types))
	}
	if err := t.facts.Settle(); err != nil {
		return err
	}
	t.names = delighted.NewNames(t.targets.segments())
	t.bar = newBar(t.export.rows(delighted.People)+t.export.rows(delighted.Responses), "rows")
	defer func() { _ = t.bar.Clear() }()
	if err := t.suppress(ctx); err != nil {
		return err
	}
	if err := t.people(ctx); err != nil {
		return err
	}
	for _, to := range t.targets.all {
		if err := t.answers(ctx, to); err != nil {
			return err
		}
	}
	return t.reconcile(ctx, w)
}

// learn takes one record of the inspection.
func (t *takeover) learn(file string, r delighted.Record) {
	if r.Kind == delighted.Metrics {
		t.metrics = append(t.metrics, fileMetrics{file, r.Figures})
		return
	}
	t.facts.Add(file, r)
	if r.Kind == delighted.Responses && len(t.targets.all) > 0 && t.targets.of(r) == nil {
		t.unfit[r.Type]++
		t.reject(file, r.Line, "survey_type", t.targets.missing(r.Type))
	}
}

func (t *takeover) reject(file string, line int, field, reason string) {
	why := delighted.Rejection{File: file}
	why.Line, why.Field, why.Reason = line, field, reason
	t.facts.Rejected(why)
}

// suppress keeps who must not be mailed.
func (t *takeover) suppress(ctx context.Context) error {
	wanted := t.facts.OptOuts()
	addresses := make([]string, len(wanted))
	for n, one := range wanted {
		addresses[n] = one.Email
	}
	before, err := t.store.SuppressionsOf(ctx, t.by, addresses)
	if err != nil {
		return err
	}
	if !t.DryRun {
		if _, err := t.store.ImportSuppressions(ctx, t.by, wanted); err != nil {
			return err
		}
	}
	t.done.Unsubs, t.done.Bounced = t.facts.Lists(before)
	t.done.Suppressed = make([]delighted.Suppressed, len(wanted))
	for n, one := range wanted {
		since := cmp.Or(one.CreatedAt, t.now)
		if kept, is := before[one.Email]; is && one.Reason.Outweighs(kept.Reason) {
			since = max(since, kept.CreatedAt)
		} else if is {
			one, since = kept, kept.CreatedAt
		}
		t.done.Suppressed[n] = delighted.Suppressed{Email: one.Email, Reason: one.Reason, Since: min(since, t.now)}
	}
	return nil
}

// reconcile fills in what is left to say.
func (t *takeover) reconcile(ctx context.Context, w survey.Workspace) error {
	d := &t.done
	d.DryRun, d.At, d.Workspace = t.DryRun, t.now, w.Key
	for _, f := range t.export.files {
		d.Files = append(d.Files, delighted.FileCount{Name: f.path, Rows: f.rows})
	}
	slices.SortFunc(d.Files, func(a, b delighted.FileCount) int { return strings.Compare(a.Name, b.Name) })
	period, err := t.quietPeriod(ctx, w)
	if err != nil {
		return err
	}
	d.Quiet = t.facts.QuietAt(period, t.now)
	for _, to := range t.targets.all {
		one, err := t.counted(to)
		if err != nil {
			return err
		}
		d.Surveys = append(d.Surveys, one)
	}
	for _, name := range sortedKeys(t.unfit) {
		d.Surveys = append(d.Surveys, delighted.SurveyCount{Types: []string{name}, In: t.unfit[name], Rejected: t.unfit[name]})
	}
	t.compareRest()
	d.Rejections = slices.Clone(t.facts.Rejected())
	slices.SortStableFunc(d.Rejections, func(a, b delighted.Rejection) int {
		return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	d.Rejected = len(d.Rejections)
	d.Notes = append(d.Notes, t.names.Notes()...)
	return nil
}

// quietPeriod is the longest of those that hold in the workspace.
func (t *takeover) quietPeriod(ctx context.Context, w survey.Workspace) (survey.Duration, error) {
	longest := w.QuietPeriod
	for page := (store.Page{Limit: 500}); ; {
		list, next, err := t.store.Surveys(ctx, t.by, store.SurveyFilter{}, page)
		if err != nil {
			return "", err
		}
		for _, v := range list {
			if period, _ := survey.QuietRule(v, w); v.State != survey.Archived && period.Length() > longest.Length() {
				longest = period
			}
		}
		if page.Cursor = next; next == "" {
			return longest, nil
		}
	}
}

// say prints the reconciliation, and writes it where it was asked for.
func (t *takeover) say(out io.Writer) error {
	if t.Report != "" {
		text, err := json.MarshalIndent(t.done, "", "  ")
		if err != nil {
			return err
		}
		if err := os.WriteFile(t.Report, append(text, '\n'), 0o600); err != nil {
			return fmt.Errorf("--report: %w", err)
		}
	}
	if err := t.done.Print(out); err != nil {
		return err
	}
	if t.done.Rejected == 0 {
		return nil
	}
	return exitError{fmt.Errorf("%d rows were rejected; mend them and run the same command again", t.done.Rejected), someRejected}
}
