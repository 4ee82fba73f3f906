package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"koe/survey"
	"koe/survey/history"
)

// Import is a file of answers that were taken elsewhere.
type Import struct {
	Survey string // id or key

	// Open begins to read, once the survey is known: its template says what
	// answers mean; the zone is the workspace's.
	Open func(survey.Template, *time.Location) (*history.Reader, error)

	// File identifies the file and how it is read. With it an import that was
	// cut off goes on where it stopped; without it every row is looked up.
	File []byte

	Join     bool                                                          // answers that were kept without a person get theirs, where it is known now
	DryRun   bool                                                          // check everything, keep nothing
	Rejected func(*history.Reader, history.Entry, history.Rejection) error // each row that is refused, in the file's order
	Pause    time.Duration                                                 // after each transaction, for other processes to write
	Progress func(Imported)                                                // how far it has come, now and then
}

// Imported counts the rows of an import.
type Imported struct {
	Accepted int64 // kept, or in a dry run to be kept
	Blank    int64 // passed over: without a score
	Repeated int64 // passed over: kept before
	Rejected int64
	Unnamed  int64 // of those repeated: without an external id, in a file that is not known
	Joined   int64 // of those repeated: kept without a person, who is known now
}

// Rows is how many rows were read.
func (i Imported) Rows() int64 { return i.Accepted + i.Skipped() + i.Rejected }

// Skipped is how many rows were passed over.
func (i Imported) Skipped() int64 { return i.Blank + i.Repeated }

func (i *Imported) add(more Imported) {
	i.Accepted += more.Accepted
	i.Blank += more.Blank
	i.Repeated += more.Repeated
	i.Rejected += more.Rejected
	i.Unnamed += more.Unnamed
	i.Joined += more.Joined
}

// Notes say what somebody who reads the counts should know.
func (i Imported) Notes() []string {
	if i.Unnamed == 0 {
		return []string{}
	}
	return []string{fmt.Sprintf("%d of the repeats have no external_id and were taken for rows that are there already, because number and contents are the same; "+
		"those that are answers of their own are kept once they have an external_id", i.Unnamed)}
}

const (
	// maxImported is how many rows one transaction keeps, so that answers that
	// come meanwhile never wait long.
	maxImported = 1000

	// A stretch of a file is sorted by date before it is kept: rows of the same
	// days then move the same tallies, and lie on the same pages.
	stretchRows  = 20_000
	stretchBytes = 16 << 20
)

// Import keeps the answers of a file, row by row: in transactions of at most
// 1,000 rows, with everything that CreateResponse does. A row that does not fit
// is rejected alone. The same external id of a survey is kept once, the first
// row of it; rows without one are known by their number and contents, and so
// the same file adds nothing the second time, nor twice at once.
//
// An error ends it (a file that cannot be read on, a database that is away);
// what was counted until then is kept.
func (s *Store) Import(ctx context.Context, by Caller, in Import) (Imported, error) {
	q := s.reading(ctx, by)
	place, template, err := s.asks(q, in.Survey)
	if err != nil {
		return Imported{}, namedFilter("survey", err)
	}
	w, err := s.Workspace(ctx, by)
	if err != nil {
		return Imported{}, err
	}
	zone, err := survey.LoadZone(w.Timezone)
	if err != nil {
		return Imported{}, err
	}
	m := &importing{Import: in, store: s, by: by, place: &place, template: &template, segments: map[string]map[string]string{}}
	if m.reader, err = in.Open(template, zone); err != nil {
		return Imported{}, err
	}
	if m.from, err = m.begin(ctx); err != nil {
		return Imported{}, err
	}
	err = m.run(ctx)
	return m.total, err
}

// importing is an import under way.
type importing struct {
	Import
	store    *Store
	by       Caller
	place    *surveyPlace
	template *survey.Template
	reader   *history.Reader
	mark     ImportMark
	from     int64 // rows up to this number were kept before
	again    bool  // the file was imported before, if in part
	total    Imported
	audited  bool                         // it is kept who imports
	names    []string                     // of the last row's attributes
	segments map[string]map[string]string // those of many rows, by their text; for reading alone
}

// stretch is a part of a file, read and checked.
type stretch struct {
	drafts []*responseDraft
	counts Imported
	last   int64 // the number of its last row
	bytes  int
	seen   map[string]struct{}
	err    error // why it is the last; io.EOF at the end of the file
}

// run reads a stretch while the one before it is kept.
func (m *importing) run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	parts := make(chan *stretch)
	group.Go(func() error {
		defer close(parts)
		for {
			part := m.read(ctx)
			select {
			case parts <- part:
			case <-ctx.Done():
				return ctx.Err()
			}
			if part.err != nil {
				return nil
			}
		}
	})
	group.Go(func() error {
		for part := range parts {
			if err := m.keep(ctx, part); err != nil {
				return err
			}
		}
		return nil
	})
	return group.Wait()
}

// cutOff says what became of the rows before the one that ended the import.
func (m *importing) cutOff(err error) error {
	var known *survey.Error
	if !errors.As(err, &known) || m.total.Accepted == 0 || m.DryRun {
		return err
	}
	said := *known
	said.Message = fmt.Sprintf("%s; answers before it are kept, and will not be added again: %d", known.Message, m.total.Accepted)
	return &said
}

// read takes the next stretch.
func (m *importing) read(ctx context.Context) *stretch {
	part := &stretch{seen: map[string]struct{}{}}
	now := m.store.now()
	for part.err == nil && len(part.drafts) < stretchRows && part.bytes < stretchBytes {
		if part.err = ctx.Err(); part.err != nil {
			break
		}
		var entry history.Entry
		if entry, part.err = m.reader.Next(); part.err == nil {
			part.last = entry.Number
			part.err = m.draft(part, entry, now)
		}
	}
	return part
}

// draft adds a row to a stretch, or its outcome.
func (m *importing) draft(part *stretch, entry history.Entry, now survey.Instant) error {
	if entry.Blank {
		part.counts.Blank++
		return nil
	}
	if entry.Rejection != nil {
		return m.reject(part, entry, *entry.Rejection)
	}
	in := NewResponse{Score: entry.Answer.Score, Answers: entry.Answer.Answers, Comment: entry.Answer.Comment,
		Customer: entry.Answer.Customer, Attributes: entry.Answer.Attributes, Aside: entry.Answer.Aside, Locale: entry.Answer.Locale,
		Channel: cmp.Or(entry.Answer.Channel, "import"), ExternalID: entry.Answer.ExternalID,
		RespondedAt: entry.Answer.RespondedAt, Tags: entry.Answer.Tags, RuleTags: entry.Answer.RuleTags, Excluded: entry.Answer.Excluded}
	unnamed := in.ExternalID == ""
	if unnamed {
		in.ExternalID = entry.RowID()
	}
	d, err := draftAt(m.place, m.template, in, now)
	var known *survey.Error
	if errors.As(err, &known) {
		return m.reject(part, entry, history.Reject(entry.Line, known))
	}
	if err != nil {
		return err
	}
	if _, twice := part.seen[*d.row.ExternalID]; twice || entry.Number <= m.from {
		part.counts.Repeated++
		return nil
	}
	part.seen[*d.row.ExternalID] = struct{}{}
	d.unnamed = unnamed && !m.again
	m.slim(&d)
	part.drafts = append(part.drafts, &d)
	part.bytes += 500 + len(d.row.Answers) + len(d.row.Comment) + len(d.row.Attributes)
	return nil
}

// slim lets go of what the texts of the row say too: many rows wait at a time,
// and every map of theirs would be one for the collector to look at again.
func (m *importing) slim(d *responseDraft) {
	d.names = m.namesOf(d.attributes)
	d.attributes, d.tags = nil, nil
	if !d.customer.Known() {
		d.own = nil
	}
	if len(d.answers) == 0 {
		d.answers = nil
	}
	shared, known := m.segments[d.row.Segments]
	if !known {
		if len(m.segments) > maxSeen {
			clear(m.segments)
		}
		shared = d.segments
		m.segments[d.row.Segments] = shared
	}
	d.segments = shared
}

// namesOf are the names of a row's attributes, in order: mostly those of the
// row before it, which are shared.
func (m *importing) namesOf(a survey.Attributes) []string {
	missing := func(name string) bool { _, known := a[name]; return !known }
	if len(a) != len(m.names) || slices.ContainsFunc(m.names, missing) {
		m.names = slices.Sorted(maps.Keys(a))
	}
	return m.names
}

func (m *importing) reject(part *stretch, entry history.Entry, why history.Rejection) error {
	part.counts.Rejected++
	if m.Rejected == nil {
		return nil
	}
	return m.Rejected(m.reader, entry, why)
}

// keep writes a stretch.
func (m *importing) keep(ctx context.Context, part *stretch) error {
	m.total.add(part.counts)
	slices.SortStableFunc(part.drafts, func(a, b *responseDraft) int { return cmp.Compare(a.row.RespondedAt, b.row.RespondedAt) })
	for rows := range slices.Chunk(part.drafts, maxImported) {
		counts, err := m.insert(ctx, rows)
		if err != nil {
			return err
		}
		m.total.add(counts)
		m.tell()
		if m.Pause > 0 && !m.DryRun {
			time.Sleep(m.Pause)
		}
	}
	m.tell()
	if err := m.reached(ctx, part.last); err != nil {
		return err
	}
	switch {
	case errors.Is(part.err, io.EOF):
		return m.end(ctx)
	case part.err != nil:
		return m.cutOff(part.err)
	}
	return nil
}

func (m *importing) tell() {
	if m.Progress != nil {
		m.Progress(m.total)
	}
}

// begin says how far an import of the same file had come that was cut off.
func (m *importing) begin(ctx context.Context) (done int64, err error) {
	m.mark = ImportMark{store: m.store, by: m.by, kind: "responses", file: m.File}
	if m.File == nil {
		return 0, nil
	}
	if m.again, err = m.mark.known(ctx); err != nil || m.DryRun {
		return 0, err
	}
	return m.mark.begin(ctx)
}

// reached notes that rows up to a number are kept.
func (m *importing) reached(ctx context.Context, number int64) error {
	if m.File == nil || m.DryRun || number <= m.from {
		return nil
	}
	return m.mark.Reached(ctx, number)
}

// end notes that the whole file is kept: the next import of it begins anew.
func (m *importing) end(ctx context.Context) error {
	if m.File == nil || m.DryRun {
		return nil
	}
	return m.mark.End(ctx, m.total.Rows())
}
