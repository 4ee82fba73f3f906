package store

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"koe/survey"
)

// Recorded is an interaction with what each survey decided. Repeat is true
// where the same external id had been told before.
type Recorded struct {
	Interaction survey.Interaction
	Person      *survey.ID
	Decisions   []Decided
	Repeat      bool
}

// Decided is one survey's decision as it is kept.
type Decided struct {
	Survey     survey.ID
	Verdict    survey.Verdict
	Reason     survey.Reason
	Until      *survey.Instant
	Invitation *survey.ID
	SendAt     *survey.Instant
	Token      string // of a link that somebody else delivers
}

// Item is one of a batch: an interaction, or why it could not be read.
type Item struct {
	Interaction survey.Interaction
	Err         error
}

// Outcome is what became of an Item.
type Outcome struct {
	Recorded
	Err error
}

// RecordInteraction keeps an interaction, asks every survey of its touchpoint
// and plans the invitations. The same external id at a touchpoint asks once:
// a repeat returns the first decisions. An unknown touchpoint is Invalid.
func (s *Store) RecordInteraction(ctx context.Context, by Caller, in survey.Interaction) (Recorded, error) {
	var out Recorded
	err := s.write(ctx, by, func(q *session) error {
		var err error
		if out, err = s.record(q, in); err != nil {
			return err
		}
		q.resource, err = asJSON(remembered(Outcome{Recorded: out}))
		return err
	})
	return out, err
}

// RecordInteractions keeps many in one transaction; what is wrong with one is
// told in its outcome and spoils no other.
func (s *Store) RecordInteractions(ctx context.Context, by Caller, items []Item) ([]Outcome, error) {
	var out []Outcome
	err := s.write(ctx, by, func(q *session) error {
		out = make([]Outcome, len(items))
		kept := make([]rememberedItem, len(items))
		for _, i := range q.inLockOrder(items) {
			item := items[i]
			out[i].Err = item.Err
			if item.Err == nil {
				out[i].Recorded, out[i].Err = s.record(q, item.Interaction)
			}
			var known *survey.Error
			if out[i].Err != nil && !errors.As(out[i].Err, &known) {
				return out[i].Err
			}
			kept[i] = remembered(out[i])
		}
		var err error
		q.resource, err = asJSON(kept)
		return err
	})
	return out, err
}

// inLockOrder is the order in which a batch is worked through: as it came, or
// on PostgreSQL by customer, so that two batches never wait for each other's
// people crosswise. What one customer did stays in its order.
func (q *session) inLockOrder(items []Item) []int {
	order := make([]int, len(items))
	for i := range order {
		order[i] = i
	}
	if q.postgres {
		slices.SortStableFunc(order, func(a, b int) int {
			x, y := items[a].Interaction, items[b].Interaction
			return cmp.Or(strings.Compare(x.Customer.ExternalID, y.Customer.ExternalID),
				strings.Compare(x.Customer.Address(), y.Customer.Address()))
		})
	}
	return order
}

// rememberedItem is what an idempotent repeat needs to answer as before.
type rememberedItem struct {
	ID     *survey.ID    `json:"id,omitempty"`
	Repeat bool          `json:"repeat,omitempty"`
	Err    *survey.Error `json:"err,omitempty"`
}

func remembered(o Outcome) rememberedItem {
	if o.Err != nil {
		var known *survey.Error
		errors.As(o.Err, &known)
		return rememberedItem{Err: known}
	}
	return rememberedItem{ID: &o.Interaction.ID, Repeat: o.Repeat}
}

// RepeatInteractions renders again what a remembered request recorded: one, or
// a batch.
func (s *Store) RepeatInteractions(ctx context.Context, by Caller, resource string) ([]Outcome, error) {
	var items []rememberedItem
	if resource != "" && resource[0] == '{' {
		items = make([]rememberedItem, 1)
		if err := json.Unmarshal([]byte(resource), &items[0]); err != nil {
			return nil, err
		}
	} else if err := fromJSON(resource, &items); err != nil {
		return nil, err
	}
	q := s.reading(ctx, by)
	out := make([]Outcome, len(items))
	for i, item := range items {
		if item.Err != nil {
			out[i].Err = item.Err
			continue
		}
		recorded, err := s.recordedRow(q, *item.ID) // whoever sent it first: this caller was told of it before
		if err != nil {
			return nil, away(err)
		}
		recorded.Repeat = item.Repeat
		out[i].Recorded = recorded
	}
	return out, nil
}

// Interaction shows an interaction with its decisions. A sender sees only what
// its own key sent.
func (s *Store) Interaction(ctx context.Context, by Caller, id survey.ID) (Recorded, error) {
	recorded, err := s.recorded(s.reading(ctx, by), id)
	return recorded, away(err)
}

func (s *Store) record(q *session, in survey.Interaction) (Recorded, error) {
	if err := in.Clean(q.now); err != nil {
		return Recorded{}, err
	}
	touchpoint, known, err := q.touchpointID(in.Touchpoint)
	if err != nil {
		return Recorded{}, err
	}
	if !known {
		return Recorded{}, survey.Errorf(survey.Invalid, "touchpoint",
			"there is no touchpoint %q; create it, or a survey that names it, first", in.Touchpoint)
	}
	if in.ExternalID != "" {
		if first, found, err := s.firstTold(q, touchpoint, in.ExternalID); err != nil || found {
			return first, err
		}
	}
	in.ID, in.ReceivedAt = newID(), q.now
	var person *survey.Person
	if in.Customer.Known() {
		p, err := q.person(in.Customer, in.Attributes, q.now)
		if err != nil {
			return Recorded{}, err
		}
		person = &p
	}
	inserted, err := q.insertInteraction(in, touchpoint, person)
	if err != nil {
		return Recorded{}, err
	}
	if !inserted { // a twin was faster
		first, _, err := s.firstTold(q, touchpoint, in.ExternalID)
		return first, err
	}
	out := Recorded{Interaction: in, Decisions: []Decided{}}
	if person != nil {
		out.Person = &person.ID
	}
	out.Decisions, err = s.decide(q, in, touchpoint, person)
	return out, err
}

func (s *Store) firstTold(q *session, touchpoint survey.ID, externalID string) (Recorded, bool, error) {
	var first id
	const query = `SELECT id FROM interactions WHERE workspace_id = ? AND touchpoint_id = ? AND external_id = ?`
	found, err := q.row(query+` UNION ALL `+query, []any{q.by.Workspace, touchpoint, externalID,
		q.by.Workspace, touchpoint, s.former(q.by.Workspace, touchpoint, externalID)}, &first) // the second of somebody who was erased
	if err != nil || !found {
		return Recorded{}, false, err
	}
	recorded, err := s.recordedRow(q, survey.ID(first))
	recorded.Repeat = true
	return recorded, true, err
}

// insertInteraction is false where the external id is taken.
func (q *session) insertInteraction(in survey.Interaction, touchpoint survey.ID, person *survey.Person) (bool, error) {
	customer, err := asJSON(in.Customer)
	if err != nil {
		return false, err
	}
	attributes, err := asJSON(in.Attributes)
	if err != nil {
		return false, err
	}
	warnings, err := asJSON(in.Warnings)
	if err != nil {
		return false, err
	}
	var personID *survey.ID
	if person != nil {
		personID = &person.ID
	}
	n, err := q.exec(`INSERT INTO interactions (workspace_id, id, key_id, touchpoint_id, external_id, person_id, customer,
		attributes, warnings, occurred_at, received_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		q.by.Workspace, in.ID, q.by.KeyID, touchpoint, orNull(in.ExternalID), personID, customer,
		attributes, warnings, in.OccurredAt, in.ReceivedAt)
	return n == 1, err
}

type interactionRow struct {
	ID         id
	KeyID      id
	Touchpoint string
	ExternalID *string
	PersonID   id
	Customer   string
	Attributes string
	Warnings   string
	OccurredAt int64
	ReceivedAt int64
}

// recorded loads an interaction for a caller; what it may not see does not
// exist.
func (s *Store) recorded(q *session, id survey.ID) (Recorded, error) {
	recorded, err := s.recordedRow(q, id)
	if err != nil {
		return recorded, err
	}
	if q.by.Role == Sender {
		var key [1]int
		mine, err := q.row(`SELECT 1 FROM interactions WHERE workspace_id = ? AND id = ? AND key_id = ?`,
			[]any{q.by.Workspace, id, q.by.KeyID}, &key[0])
		if err != nil || !mine {
			return Recorded{}, errors.Join(err, errNoInteraction)
		}
	}
	return recorded, nil
}

var errNoInteraction = survey.Errorf(survey.NotFound, "", "there is no such interaction")

func (s *Store) recordedRow(q *session, of survey.ID) (Recorded, error) {
	var row interactionRow
	found, err := q.find(&row, `SELECT i.id, i.key_id, t.key AS touchpoint, i.external_id, i.person_id, i.customer, i.attributes,
		i.warnings, i.occurred_at, i.received_at FROM interactions i
		JOIN touchpoints t ON t.workspace_id = i.workspace_id AND t.id = i.touchpoint_id
		WHERE i.workspace_id = ? AND i.id = ?`, q.by.Workspace, of)
	if err != nil || !found {
		return Recorded{}, errors.Join(err, errNoInteraction)
	}
	out := Recorded{Person: row.PersonID.orNil(), Interaction: survey.Interaction{ID: of, Touchpoint: row.Touchpoint,
		OccurredAt: survey.Instant(row.OccurredAt), ReceivedAt: survey.Instant(row.ReceivedAt)}}
	if row.ExternalID != nil && !strings.HasPrefix(*row.ExternalID, formerMark) {
		out.Interaction.ExternalID = *row.ExternalID
	}
	if err := errors.Join(fromJSON(row.Customer, &out.Interaction.Customer),
		fromJSON(row.Attributes, &out.Interaction.Attributes), fromJSON(row.Warnings, &out.Interaction.Warnings)); err != nil {
		return out, err
	}
	out.Decisions, err = s.decisionsOf(q, of)
	return out, err
}
