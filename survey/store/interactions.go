package store

import (
	"context"
	"encoding/json"
	"errors"
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
		outcomes, err := s.record(q, []Item{{Interaction: in}})
		if err == nil {
			err = outcomes[0].Err
		}
		if err != nil {
			return err
		}
		out = outcomes[0].Recorded
		q.resource, err = asJSON(remembered(outcomes[0]))
		return err
	})
	return out, err
}

// RecordInteractions keeps many in one transaction; what is wrong with one is
// told in its outcome and spoils no other.
func (s *Store) RecordInteractions(ctx context.Context, by Caller, items []Item) ([]Outcome, error) {
	var out []Outcome
	err := s.write(ctx, by, func(q *session) error {
		var err error
		if out, err = s.record(q, items); err != nil {
			return err
		}
		kept := make([]rememberedItem, len(out))
		for i, o := range out {
			kept[i] = remembered(o)
		}
		q.resource, err = asJSON(kept)
		return err
	})
	return out, err
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
