package store

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"koe/survey"
)

// deadlockTries is how often rows are tried that PostgreSQL refused because
// they and others waited for each other, each time as often as write tries.
const deadlockTries = 4

// insert keeps rows.
func (m *importing) insert(ctx context.Context, drafts []*responseDraft) (counts Imported, err error) {
	if m.DryRun {
		return m.lookUp(ctx, drafts)
	}
	for try := 1; ; try++ {
		if counts, err = m.insertOnce(ctx, drafts); try == deadlockTries || postgresCode(err) != deadlock {
			return counts, err
		}
	}
}

// insertOnce keeps rows in one transaction.
func (m *importing) insertOnce(ctx context.Context, drafts []*responseDraft) (counts Imported, err error) {
	err = m.store.write(ctx, m.by, func(q *session) error {
		counts = Imported{}
		q.mostKnown = m.Join
		c, err := q.counting() // first: it holds the calendar until the end
		if err != nil {
			return err
		}
		known, err := m.known(q, drafts)
		if err != nil {
			return err
		}
		fresh, err := m.fresh(q, drafts, known)
		if err != nil {
			return err
		}
		if m.Join {
			if counts.Joined, err = m.join(q, drafts, known); err != nil {
				return err
			}
		}
		if err := m.register(q, c, fresh); err != nil {
			return err
		}
		if err := m.stratify(q, c, fresh); err != nil {
			return err
		}
		for i := range fresh {
			if err := m.store.tagNew(q, c, &fresh[i].row); err != nil {
				return err
			}
		}
		q.moves = slices.Grow(q.moves, len(fresh)*movesOfARow) // at once: half of what an import allocates was growing this
		for rows := range slices.Chunk(fresh, rowsAtOnce) {
			kept, err := m.insertRows(q, c, rows)
			if err != nil {
				return err
			}
			counts.add(kept)
		}
		counts.Repeated = int64(len(drafts)) - counts.Accepted
		counts.Unnamed += unnamed(drafts)
		if m.audited || counts.Accepted+counts.Joined == 0 {
			return nil
		}
		return q.audit("responses.imported", m.place.Survey.ID.String(), "") // with the first that it keeps
	})
	m.audited = m.audited || err == nil && counts.Accepted+counts.Joined > 0
	return counts, err
}

// fresh are the rows that are not known yet, completed. Those without a
// customer may still turn out to be, by their key.
func (m *importing) fresh(q *session, drafts []*responseDraft, known map[string]bool) ([]responseDraft, error) {
	place, err := m.store.surveyPlace(q, m.place.Survey.ID) // its segments may have changed
	if err != nil {
		return nil, err
	}
	if q.postgres { // in the order in which people are locked everywhere
		drafts = slices.Clone(drafts)
		slices.SortStableFunc(drafts, func(a, b *responseDraft) int {
			return cmp.Or(strings.Compare(a.customer.ExternalID, b.customer.ExternalID), strings.Compare(a.customer.Address(), b.customer.Address()))
		})
	}
	fresh := make([]responseDraft, 0, len(drafts))
	for _, draft := range drafts {
		if known[*draft.row.ExternalID] {
			continue
		}
		d := *draft // this may run again
		if err := d.redeclare(place); err != nil {
			return nil, err
		}
		if err := q.complete(&d); err != nil {
			return nil, err
		}
		fresh = append(fresh, d)
	}
	return fresh, nil
}

// join gives those of the known rows that are there without a person the person
// that they name. What was erased is under another key, and stays without.
func (m *importing) join(q *session, drafts []*responseDraft, known map[string]bool) (joined int64, err error) {
	named := slices.DeleteFunc(slices.Clone(drafts), func(d *responseDraft) bool {
		return !d.customer.Known() || !known[*d.row.ExternalID]
	})
	for some := range slices.Chunk(named, askedAtOnce) {
		wanted := make([]string, 0, askedAtOnce)
		for _, d := range some {
			wanted = append(wanted, *d.row.ExternalID)
		}
		for len(wanted) < askedAtOnce { // one statement for every length
			wanted = append(wanted, wanted[0])
		}
		statement, args := spread(`SELECT external_id FROM responses`+q.indexedBy("responses_survey_id_external_id")+` WHERE workspace_id = ? AND survey_id = ? AND external_id IN ? AND person_id IS NULL`,
			[]any{q.by.Workspace, m.place.Survey.ID, wanted})
		alone := map[string]bool{}
		var one string
		if err := q.each(statement, args, []any{&one}, func() error { alone[one] = true; return nil }); err != nil {
			return joined, err
		}
		for _, d := range some {
			if !alone[*d.row.ExternalID] {
				continue
			}
			person, err := q.personOf(d)
			if err != nil {
				return joined, err
			}
			if err := q.must(`UPDATE responses SET person_id = ? WHERE workspace_id = ? AND survey_id = ? AND external_id = ?`,
				person.ID, q.by.Workspace, m.place.Survey.ID, *d.row.ExternalID); err != nil {
				return joined, err
			}
			if _, err := q.exec(`UPDATE follow_ups SET person_id = ? WHERE workspace_id = ? AND response_id =
				(SELECT id FROM responses WHERE workspace_id = ? AND survey_id = ? AND external_id = ?)`,
				person.ID, q.by.Workspace, q.by.Workspace, m.place.Survey.ID, *d.row.ExternalID); err != nil {
				return joined, err
			}
			joined++
		}
	}
	return joined, nil
}

// register is registerColumns for rows.
func (m *importing) register(q *session, c calendar, drafts []responseDraft) error {
	names := map[string]struct{}{}
	for i := range drafts {
		if err := m.store.registerVersion(q, c, drafts[i].row); err != nil {
			return err
		}
		for _, name := range drafts[i].names {
			names[name] = struct{}{}
		}
		for name := range drafts[i].attributes { // with the person's
			names[name] = struct{}{}
		}
	}
	return m.store.registerNames(q, c, id(m.place.Survey.ID), slices.Sorted(maps.Keys(names)))
}

// stratify sets the strata of rows, and the segments that they are counted by.
// What is new of those is written in one order, whatever the rows' is: two
// imports never wait for each other's crosswise.
func (m *importing) stratify(q *session, c calendar, drafts []responseDraft) error {
	values := map[segmentValue]string{} // and what each counts as
	for i := range drafts {
		for name, value := range drafts[i].segments {
			values[segmentValue{q.by.Workspace, m.place.Survey.ID, name, value}] = ""
		}
	}
	for _, v := range slices.SortedFunc(maps.Keys(values), compareValues) {
		var err error
		if values[v], err = m.store.cappedValue(q, c, v); err != nil {
			return err
		}
	}
	strata := map[int64]stratum{}
	for i := range drafts {
		d := &drafts[i]
		counted := make(map[string]string, len(d.segments))
		for name, value := range d.segments {
			counted[name] = values[segmentValue{q.by.Workspace, m.place.Survey.ID, name, value}]
		}
		of, err := d.row.stratum(counted)
		if err != nil {
			return err
		}
		d.segments, d.row.StratumID = counted, of.id()
		strata[d.row.StratumID] = of
	}
	for _, key := range slices.Sorted(maps.Keys(strata)) {
		if _, err := m.store.keepStratum(q, c, strata[key]); err != nil {
			return err
		}
	}
	return nil
}

// movesOfARow is how many tallies an imported row moves, or somewhat more: in
// all, its language, its channel, segments and answers.
const movesOfARow = 8

// rowsAtOnce is how many rows one statement inserts.
const rowsAtOnce = 20

// insertRows writes rows with one statement and moves the tallies for those
// that no key refused; of the unnamed it takes those away.
func (m *importing) insertRows(q *session, c calendar, drafts []responseDraft) (kept Imported, err error) {
	args := make([]any, 0, 26*len(drafts))
	counted := make(map[id]int, len(drafts))
	for i := range drafts {
		d := &drafts[i]
		args = append(args, d.row.values()...)
		counted[d.row.ID] = i
	}
	q.wrote = true
	var one id
	err = q.each(insertResponses+responseValues+strings.Repeat(", "+responseValues, len(drafts)-1)+" ON CONFLICT DO NOTHING RETURNING id",
		args, []any{&one}, func() error {
			d := &drafts[counted[one]]
			q.countAs(c, d.row, d.segments, *d.template, d.answers, 1)
			kept.Accepted++
			if d.unnamed {
				kept.Unnamed--
			}
			return nil
		})
	return kept, err
}

func unnamed(drafts []*responseDraft) (n int64) {
	for _, d := range drafts {
		if d.unnamed {
			n++
		}
	}
	return n
}

// forgotten is true where a survey may have answers of people who were erased
// since, whose external ids are not to be seen any more.
func (q *session) forgotten(of survey.ID) (bool, error) {
	if q.postgres { // has no order in which they come first
		return true, nil
	}
	var one int
	return q.row(`SELECT 1 FROM responses WHERE workspace_id = ? AND survey_id = ? AND external_id >= ? AND external_id < ? LIMIT 1`,
		[]any{q.by.Workspace, of, formerMark, "\x02"}, &one)
}

// lookUp is insert of a dry run.
func (m *importing) lookUp(ctx context.Context, drafts []*responseDraft) (counts Imported, err error) {
	q := m.store.reading(ctx, m.by)
	known, err := q.repeats(m.store, m.place.Survey.ID, drafts)
	counts.Repeated = int64(len(known))
	counts.Unnamed = unnamed(slices.DeleteFunc(slices.Clone(drafts), func(d *responseDraft) bool { return !known[*d.row.ExternalID] }))
	counts.Accepted = int64(len(drafts)) - counts.Repeated
	return counts, away(err)
}

// known are external ids that are taken, as far as somebody must know before a
// row is written: a repeat must not touch its person, and what is erased has
// another key.
func (m *importing) known(q *session, drafts []*responseDraft) (map[string]bool, error) {
	forgotten, err := q.forgotten(m.place.Survey.ID)
	if err != nil {
		return nil, err
	}
	if !forgotten {
		drafts = slices.DeleteFunc(slices.Clone(drafts), func(d *responseDraft) bool { return !d.customer.Known() })
	}
	return q.repeats(m.store, m.place.Survey.ID, drafts)
}

// askedAtOnce is how many external ids one statement looks for.
const askedAtOnce = 500

// repeats are the external ids of drafts that are taken, see isRepeat.
func (q *session) repeats(s *Store, of survey.ID, drafts []*responseDraft) (map[string]bool, error) {
	known := map[string]bool{}
	for some := range slices.Chunk(drafts, askedAtOnce) {
		wanted := make([]string, 0, 2*askedAtOnce)
		formers := make(map[string]string, len(some))
		for _, d := range some {
			former := s.former(q.by.Workspace, of, *d.row.ExternalID)
			formers[former] = *d.row.ExternalID
			wanted = append(wanted, *d.row.ExternalID, former)
		}
		for len(wanted) < 2*askedAtOnce { // one statement for every length
			wanted = append(wanted, wanted[0])
		}
		statement, args := spread(`SELECT external_id FROM responses WHERE workspace_id = ? AND survey_id = ? AND external_id IN ?`,
			[]any{q.by.Workspace, of, wanted})
		var one string
		if err := q.each(statement, args, []any{&one}, func() error {
			if now, is := formers[one]; is {
				one = now
			}
			known[one] = true
			return nil
		}); err != nil {
			return nil, err
		}
	}
	return known, nil
}
