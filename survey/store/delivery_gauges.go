package store

import (
	"context"
	"time"

	"koe/survey"
)

// DeliveryGauges is what monitoring reads of the webhooks of all workspaces.
type DeliveryGauges struct {
	InFlight  int64
	OldestDue time.Duration // how long the oldest event for an active webhook has been due; 0 where none is
	Paused    int64         // webhooks that koe has paused
}

// DeliveryGauges looks at what is under way and due, through indexes alone.
func (s *Store) DeliveryGauges(ctx context.Context) (DeliveryGauges, error) {
	q := s.reading(ctx, Caller{})
	var g DeliveryGauges
	var due *int64
	if _, err := q.row(`SELECT MIN(due) FROM (SELECT (SELECT MIN(o.due_at) FROM outbox o WHERE o.workspace_id = w.workspace_id
		AND o.webhook_id = w.id AND o.webhook_id IS NOT NULL AND o.state = 'waiting') AS due FROM webhooks w WHERE w.state = 'active') AS oldest`,
		nil, &due); err != nil {
		return g, away(err)
	}
	if due != nil {
		g.OldestDue = max(0, q.now.Sub(survey.Instant(*due)))
	}
	if _, err := q.row(`SELECT COUNT(*) FROM outbox WHERE state = 'claimed'`, nil, &g.InFlight); err != nil {
		return g, away(err)
	}
	_, err := q.row(`SELECT COUNT(*) FROM webhooks WHERE state = 'paused' AND paused_reason <> ?`, []any{survey.PausedByHand}, &g.Paused)
	return g, away(err)
}
