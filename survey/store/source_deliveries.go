package store

import (
	"context"
	"errors"
	"strings"
	"time"

	"koe/survey"
	"koe/survey/source"
)

// Door is a source as something that was posted to it finds it.
type Door struct {
	Source
	Secret  string // the tool's; "" where it does not sign
	Caller  Caller // on whose behalf interactions are kept
	Address bool   // it was found by its secret address
}

// SourceDoor finds a source by its address, or by its key in the caller's
// workspace, or in the workspace "default" where no key came along. NotFound
// where there is none.
func (s *Store) SourceDoor(ctx context.Context, by Caller, name string) (Door, error) {
	address := strings.HasPrefix(name, addressMark)
	var err error
	switch {
	case address:
		if by.Workspace, err = tokenWorkspace(strings.TrimPrefix(name, addressMark)); err != nil {
			return Door{}, errNoSource
		}
	case by.Workspace == 0:
		w, err := s.FindWorkspace(ctx, DefaultWorkspace)
		if err != nil {
			return Door{}, err
		}
		by.Workspace = w.ID
	}
	q := s.reading(ctx, by)
	var row sourceRow
	if address {
		found, finding := q.find(&row, `SELECT `+sourceColumns+` FROM sources WHERE workspace_id = ? AND address_hash = ?`, by.Workspace, tokenHash(name))
		if err = finding; err == nil && !found {
			err = errNoSource
		}
	} else {
		row, err = q.sourceRow(name, "")
	}
	if err != nil {
		return Door{}, away(err)
	}
	out := Door{Address: address, Caller: Caller{Workspace: row.WorkspaceID, KeyID: survey.ID(row.ID), KeyName: "source " + row.Key, Role: Sender}}
	if out.Source, err = s.sourceOf(row); err == nil && row.Secret != nil {
		out.Secret, err = s.takeOut(row.WorkspaceID, row.ID, row.Secret)
	}
	return out, err
}

// The outcomes of what a source posted.
const (
	SourceRecorded = "recorded" // an interaction was kept
	SourceRepeated = "repeated" // it had been told before
	SourceIgnored  = "ignored"  // the condition is not fulfilled
	SourceRefused  = "refused"  // the payload has not the shape that the mapping looks for
	SourceUnproven = "unproven" // nothing proves that the tool posted it
)

// SourceDelivery is what became of one event that a source posted. It tells
// nothing of what was in it.
type SourceDelivery struct {
	ID          survey.ID      `json:"id"`
	Outcome     string         `json:"outcome"`
	Interaction *survey.ID     `json:"interaction_id"`
	Condition   string         `json:"condition"` // the path that did not fulfil it
	Errors      []WrongPlace   `json:"errors"`
	CreatedAt   survey.Instant `json:"created_at"`
}

// WrongPlace is a place in a payload and what was wrong there.
type WrongPlace struct {
	Field string `json:"field"`
	Code  string `json:"code"`
}

// keepsSourceDeliveries is how long they are listed.
const keepsSourceDeliveries = 30 * 24 * time.Hour

// TakeFromSource keeps the interactions of what a source posted and what became
// of each event, in one transaction. What is wrong with one spoils no other.
func (s *Store) TakeFromSource(ctx context.Context, door Door, events []source.Event) ([]Outcome, error) {
	items, at := []Item{}, []int{}
	for i, e := range events {
		if e.Ignored == "" || e.Err != nil {
			items, at = append(items, Item{Interaction: e.Interaction, Err: e.Err}), append(at, i)
		}
	}
	var out []Outcome
	err := s.write(ctx, door.Caller, func(q *session) error {
		if err := q.holdSource(door.ID); err != nil {
			return err
		}
		recorded, err := s.record(q, items)
		if err != nil {
			return err
		}
		out = make([]Outcome, len(events))
		for i, o := range recorded {
			out[at[i]] = o
		}
		for i, o := range out {
			if err := q.keepSourceDelivery(door.ID, sourceDelivery(events[i], o)); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

// holdSource keeps a source from being deleted until the transaction ends.
func (q *session) holdSource(of survey.ID) error {
	lock := ""
	if q.postgres {
		lock = " FOR KEY SHARE"
	}
	var one int
	found, err := q.row(`SELECT 1 FROM sources WHERE workspace_id = ? AND id = ?`+lock, []any{q.by.Workspace, of}, &one)
	if err == nil && !found {
		err = errNoSource
	}
	return err
}

func sourceDelivery(e source.Event, o Outcome) SourceDelivery {
	d := SourceDelivery{Outcome: SourceRecorded, Condition: e.Ignored}
	var known *survey.Error
	switch {
	case errors.As(o.Err, &known):
		d.Outcome = SourceRefused
		for _, f := range known.Fields {
			d.Errors = append(d.Errors, WrongPlace{f.Field, f.Code})
		}
	case e.Ignored != "":
		d.Outcome = SourceIgnored
	case o.Repeat:
		d.Outcome = SourceRepeated
	}
	if o.Err == nil && e.Ignored == "" {
		d.Interaction = &o.Interaction.ID
	}
	return d
}

// sourceDetail is what is kept of a delivery beside its outcome.
type sourceDetail struct {
	Condition string       `json:"condition,omitempty"`
	Errors    []WrongPlace `json:"errors,omitempty"`
}

func (q *session) keepSourceDelivery(of survey.ID, d SourceDelivery) error {
	detail, err := asJSON(sourceDetail{d.Condition, d.Errors})
	if err != nil {
		return err
	}
	_, err = q.exec(`INSERT INTO source_deliveries (workspace_id, id, source_id, outcome, interaction_id, detail, created_at)
		VALUES (?, ?, ?, ?, ?, ?, ?)`, q.by.Workspace, newID(), of, d.Outcome, d.Interaction, detail, q.now)
	return err
}

// unprovenEvery is how often a source's list says that something unproven came:
// anybody can post, and none of it may fill the database.
const unprovenEvery = time.Minute

// NoteUnproven notes, at most once a minute, that something came to a source
// that nothing proves.
func (s *Store) NoteUnproven(ctx context.Context, door Door) error {
	q := s.reading(ctx, door.Caller)
	var one int
	lately, err := q.row(`SELECT 1 FROM source_deliveries WHERE workspace_id = ? AND source_id = ? AND outcome = ? AND created_at > ? LIMIT 1`,
		[]any{door.Caller.Workspace, door.ID, SourceUnproven, q.now.Add(-unprovenEvery)}, &one)
	if err != nil || lately {
		return away(err)
	}
	return s.keepOne(ctx, door, SourceDelivery{Outcome: SourceUnproven})
}

// NoteUnread notes that a source posted what is no JSON, or too long a list.
func (s *Store) NoteUnread(ctx context.Context, door Door, wrong error) error {
	return s.keepOne(ctx, door, sourceDelivery(source.Event{}, Outcome{Err: wrong}))
}

func (s *Store) keepOne(ctx context.Context, door Door, d SourceDelivery) error {
	return s.write(ctx, door.Caller, func(q *session) error {
		if err := q.holdSource(door.ID); err != nil {
			return err
		}
		return q.keepSourceDelivery(door.ID, d)
	})
}

type sourceDeliveryRow struct {
	ID            id
	Outcome       string
	InteractionID id
	Detail        string
	CreatedAt     int64
}

// SourceDeliveries lists what became of what a source posted in the last 30
// days, the newest first.
func (s *Store) SourceDeliveries(ctx context.Context, by Caller, key string, page Page) ([]SourceDelivery, string, error) {
	q := s.reading(ctx, by)
	of, err := q.sourceRow(key, "")
	if err != nil {
		return nil, "", away(err)
	}
	var rows []sourceDeliveryRow
	next, err := s.newestFirst(q, "source deliveries", key, page, "created_at", []string{"workspace_id = ?", "source_id = ?"}, []any{by.Workspace, of.ID},
		func(tail string, args []any) (int, error) {
			err := q.list(&rows, `SELECT id, outcome, interaction_id, detail, created_at FROM source_deliveries`+tail, args...)
			return len(rows), err
		}, func(i int) (int64, survey.ID) { return rows[i].CreatedAt, survey.ID(rows[i].ID) })
	if err != nil {
		return nil, "", away(err)
	}
	list := make([]SourceDelivery, min(len(rows), page.Limit))
	for i := range list {
		var detail sourceDetail
		if err := fromJSON(rows[i].Detail, &detail); err != nil {
			return nil, "", err
		}
		list[i] = SourceDelivery{ID: survey.ID(rows[i].ID), Outcome: rows[i].Outcome, Interaction: rows[i].InteractionID.orNil(),
			Condition: detail.Condition, Errors: append([]WrongPlace{}, detail.Errors...), CreatedAt: survey.Instant(rows[i].CreatedAt)}
	}
	return list, next, nil
}
