package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"koe/scoring"
	"koe/survey"
	"koe/survey/delighted"
	"koe/survey/history"
	"koe/survey/store"
)

// destination is a survey that takes answers.
type destination struct {
	given   string // as --survey names it
	types   []string
	ref     string
	survey  survey.Survey
	measure scoring.Measure
	answers *delighted.Answers
	kept    store.Imported
}

// destinations are those of --survey.
type destinations struct {
	all    []*destination
	byType map[string]*destination
}

// findTargets reads --survey: TYPE=ID, or ID for the type that the survey
// measures.
func findTargets(ctx context.Context, s *store.Store, by store.Caller, given []string) (destinations, error) {
	found := destinations{byType: map[string]*destination{}}
	for _, one := range given {
		to := &destination{given: one, ref: one}
		kind, ref, typed := strings.Cut(one, "=")
		if typed {
			kind, to.ref = strings.ToLower(strings.TrimSpace(kind)), strings.TrimSpace(ref)
		}
		if err := to.find(ctx, s, by); err != nil {
			return found, fmt.Errorf("--survey %s: %w", one, err)
		}
		if !typed {
			kind = string(to.measure.Metric)
		}
		if kind == "ces" && to.measure.CESVersion == 1 {
			return found, fmt.Errorf("--survey %s: asks how much effort it was, where low is good; Delighted's ces asks whether it was easy, where high is good: "+
				"name a survey whose template has ces_version 2", one)
		}
		if found.byType[kind] != nil {
			return found, fmt.Errorf("--survey %s: there is a survey for %s already", one, kind)
		}
		i := slices.IndexFunc(found.all, func(other *destination) bool { return other.survey.ID == to.survey.ID })
		if i >= 0 {
			to = found.all[i]
		} else {
			found.all = append(found.all, to)
		}
		to.types = append(to.types, kind)
		found.byType[kind] = to
	}
	return found, nil
}

func (to *destination) find(ctx context.Context, s *store.Store, by store.Caller) (err error) {
	if to.survey, err = s.Survey(ctx, by, to.ref); err != nil {
		return err
	}
	template, err := s.Template(ctx, by, to.survey.Template)
	if err == nil && to.survey.TemplateVersion != 0 {
		template, err = s.TemplateVersion(ctx, by, to.survey.Template, to.survey.TemplateVersion)
	}
	to.measure = template.Measure()
	return err
}

// of is the survey that takes a response; nil for none. What cannot be read and
// says no type is the first one's to refuse.
func (t destinations) of(r delighted.Record) *destination {
	if to := t.byType[r.Type]; to != nil {
		return to
	}
	if r.Type == "" && len(t.all) > 0 && (len(t.all) == 1 || r.Fault != nil) {
		return t.all[0]
	}
	return nil
}

// missing says why no survey takes answers of a type.
func (t destinations) missing(kind string) string {
	if kind == "" {
		return "is required where there are several surveys: nps, csat or another of Delighted's"
	}
	return fmt.Sprintf("no survey takes %q; name one with --survey %s=ID", kind, kind)
}

// segments are the attributes that the surveys count by.
func (t destinations) segments() []string {
	var names []string
	for _, to := range t.all {
		names = append(names, to.survey.Segments...)
	}
	return names
}

// peopleAtOnce is how many people are kept before it is noted how far it came.
const peopleAtOnce = 2000

// people keeps who there is, and when each was asked last.
func (t *takeover) people(ctx context.Context) error {
	in := &peopleIn{takeover: t}
	if !t.DryRun {
		mark, from, err := t.store.MarkImport(ctx, t.by, "people", t.export.hash(t.how("people")))
		if err != nil {
			return err
		}
		in.mark, in.from = mark, from
	}
	rows := &walk{export: t.export, kind: delighted.People}
	defer rows.close()
	for {
		r, err := rows.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = in.add(ctx, rows.path, r)
		}
		if err != nil {
			return err
		}
	}
	for _, person := range t.facts.Others(t.now) {
		t.done.People.Others++
		if err := in.keep(ctx, person); err != nil {
			return err
		}
	}
	if err := in.flush(ctx); err != nil || t.DryRun {
		return err
	}
	return in.mark.End(ctx, in.number)
}

// how is what the run's options add to what the files are known by.
func (t *takeover) how(what string) string {
	return fmt.Sprintf("%q %q %q %q", what, t.Workspace, t.Map, t.export.options.Zone)
}

// peopleIn keeps people in batches.
type peopleIn struct {
	*takeover
	mark   store.ImportMark
	from   int64 // rows up to this number were kept before
	number int64
	batch  []survey.Person
}

func (in *peopleIn) add(ctx context.Context, file string, r delighted.Record) error {
	count := &in.done.People
	count.In++
	person, why := in.facts.Person(r, in.names, in.now)
	switch {
	case why != nil:
		count.Rejected++
		in.facts.Rejected(delighted.Rejection{File: file, Rejection: *why})
	case person.Email == "":
		count.Unreachable++
	}
	if person.Email == "" {
		in.number++
		return nil
	}
	first := in.facts.Told(person.Email)
	switch {
	case why != nil:
	case first:
		count.Accepted++
	default:
		count.Merged++
	}
	return in.keep(ctx, person)
}

func (in *peopleIn) keep(ctx context.Context, person survey.Person) error {
	if in.number++; in.DryRun || in.number <= in.from {
		return nil
	}
	if in.batch = append(in.batch, person); len(in.batch) < peopleAtOnce {
		return nil
	}
	return in.flush(ctx)
}

func (in *peopleIn) flush(ctx context.Context) error {
	_ = in.bar.Set64(in.done.People.In) // a terminal that cannot be written to is no reason to stop
	if len(in.batch) == 0 {
		return ctx.Err()
	}
	done, err := in.store.ImportPeople(ctx, in.by, in.batch)
	if err != nil {
		return err
	}
	if len(done.Problems) > 0 { // they were checked
		return fmt.Errorf("a person was not kept: %s %s", done.Problems[0].Field, done.Problems[0].Reason)
	}
	in.batch = in.batch[:0]
	time.Sleep(in.pause)
	return in.mark.Reached(ctx, in.number)
}

// answers keeps the responses of one survey.
func (t *takeover) answers(ctx context.Context, to *destination) (err error) {
	to.answers = &delighted.Answers{Facts: t.facts, Names: t.names, Latest: t.latest(to)}
	rows := &walk{export: t.export, kind: delighted.Responses}
	defer rows.close()
	in := store.Import{Survey: to.ref, DryRun: t.DryRun, Join: true, Pause: t.pause, File: t.export.hash(t.how(to.survey.ID.String())),
		Open: func(template survey.Template, _ *time.Location) (*history.Reader, error) {
			to.answers.Template = template
			return history.NewReader(func() (history.Entry, error) { return t.nextAnswer(rows, to) }), nil
		},
		Rejected: func(_ *history.Reader, e history.Entry, why history.Rejection) error {
			to.answers.Refused(e)
			t.facts.Rejected(delighted.Rejection{File: rows.path, Rejection: why})
			return nil
		},
		Progress: func(so store.Imported) { _ = t.bar.Set64(t.before(to) + so.Rows()) }}
	to.kept, err = t.store.Import(ctx, t.by, in)
	return err
}

func (t *takeover) nextAnswer(rows *walk, to *destination) (history.Entry, error) {
	for {
		r, err := rows.next()
		if err != nil {
			return history.Entry{}, err
		}
		if t.targets.of(r) != to {
			continue
		}
		if e, twice := to.answers.Entry(r); !twice {
			return e, nil
		}
	}
}

// before is how many rows were done before those of a survey.
func (t *takeover) before(to *destination) int64 {
	n := t.done.People.In
	for _, other := range t.targets.all {
		if other == to {
			break
		}
		n += other.kept.Rows()
	}
	return n
}

func (t *takeover) latest(to *destination) (last survey.Instant) {
	for kind, at := range t.facts.Latest {
		if t.targets.of(delighted.Record{Type: kind}) == to {
			last = max(last, at)
		}
	}
	return last
}

// counted is what became of the responses of a survey.
func (t *takeover) counted(to *destination) (delighted.SurveyCount, error) {
	a := to.answers
	c := delighted.SurveyCount{Types: to.types, Survey: to.ref, Metric: to.measure.Metric, In: to.kept.Rows() + a.Twice, Accepted: to.kept.Accepted,
		Repeated: to.kept.Repeated + a.Twice, Blank: to.kept.Blank, Rejected: to.kept.Rejected, Unnamed: a.Unnamed, From: a.First, To: a.Last}
	if a.Unnamed > 0 {
		t.note("%d answers of %s have no person: no file says their address; run it again with the people", a.Unnamed, to.ref)
	}
	if to.kept.Joined > 0 {
		t.note("%d answers of %s that were kept without a person before have theirs now", to.kept.Joined, to.ref)
	}
	var err error
	if c.Score, err = delighted.FiguresOf(to.measure, a.Histogram); err != nil {
		return c, err
	}
	recent, err := delighted.FiguresOf(to.measure, a.Recent)
	if err != nil {
		return c, err
	}
	for i, m := range t.metrics {
		if m.figures != nil && t.byMetric(m.figures) == to {
			own := delighted.Compare(m.file, m.figures, to.measure.Metric, c.Score, recent)
			c.Delighted, t.metrics[i].figures = &own, nil
			break
		}
	}
	return c, nil
}

// byMetric is the survey whose answers Delighted's metrics are about.
func (t *takeover) byMetric(figures map[string]json.RawMessage) *destination {
	return t.targets.byType[string(delighted.Of(figures))]
}

// compareRest says which of Delighted's metrics were compared with nothing.
func (t *takeover) compareRest() {
	for _, m := range t.metrics {
		if m.figures != nil {
			t.note("the metrics in %s were compared with nothing: no survey that was imported is theirs alone", m.file)
		}
	}
}

func countWords(counts map[string]int64) string {
	var parts []string
	for _, name := range sortedKeys(counts) {
		parts = append(parts, fmt.Sprintf("%d %s", counts[name], name))
	}
	return strings.Join(parts, ", ")
}

func sortedKeys[V any](of map[string]V) []string { return slices.Sorted(maps.Keys(of)) }
