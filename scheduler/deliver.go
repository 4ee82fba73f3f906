package scheduler

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"koe/survey"
	"koe/survey/store"
)

// Deliveries under way at a time, in all and to one endpoint: a slow endpoint
// takes its own places and nobody else's.
const (
	maxDeliveries = 200
	perEndpoint   = 2
)

// deliveryLease is longer than any try takes, so it is never extended.
func (s *Scheduler) deliveryLease() time.Duration { return 4 * s.DeliveryTime }

// deliverAll claims what the outbox holds and has it sent, until ctx is done
// and what was begun has ended.
func (s *Scheduler) deliverAll(ctx context.Context) error {
	var tries errgroup.Group
	done := make(chan store.Dispatch, maxDeliveries)
	under := map[store.Endpoint]int{}
	for all := 0; ; {
		select {
		case <-ctx.Done():
			return tries.Wait()
		case d := <-done:
			all--
			if to := endpoint(d); under[to] > 1 {
				under[to]--
			} else {
				delete(under, to)
			}
		case <-s.outbox:
		}
		if all > maxDeliveries-perEndpoint {
			continue
		}
		claimed, err := s.Store.ClaimDeliveries(ctx, maxDeliveries-all, perEndpoint, under, s.deliveryLease())
		if err != nil && ctx.Err() == nil {
			s.Log.Error("nothing of the outbox could be claimed", "error", err)
		}
		for _, d := range claimed {
			all++
			under[endpoint(d)]++
			tries.Go(func() error {
				s.deliver(ctx, d)
				done <- d // it never blocks: there is room for all that may be under way
				return nil
			})
		}
	}
}

func endpoint(d store.Dispatch) store.Endpoint {
	return store.Endpoint{Workspace: d.Workspace, Webhook: d.Webhook}
}

// deliver tries one delivery and keeps what became of it. One that is cut off
// by a stop is given back.
func (s *Scheduler) deliver(ctx context.Context, d store.Dispatch) {
	tried, err := s.try(ctx, d)
	late, cancel := lasting(ctx, toNote)
	defer cancel()
	switch {
	case err != nil && ctx.Err() != nil:
		err = s.Store.ReleaseDelivery(late, d)
	case err == nil:
		s.tries.count(tried)
		err = s.noteDelivery(late, d, tried)
	}
	if err != nil { // its lease runs out, and it is sent again
		s.Log.Error("a delivery could not be brought to its end", "webhook", d.Webhook, "delivery", d.ID, "error", err)
	}
}

// try posts an event. An error means that nothing is known of the endpoint.
func (s *Scheduler) try(ctx context.Context, d store.Dispatch) (tried store.Tried, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("a panic: %v", fault)
		}
	}()
	subject, err := s.Store.SubjectOf(ctx, d)
	if err != nil {
		return tried, err
	}
	if why := unwanted(d, subject); why != "" {
		return store.Tried{Skipped: true, Error: why}, nil
	}
	body, err := s.written(d, subject)
	if err != nil {
		return tried, err
	}
	tried = s.endpoints.post(ctx, d, body, s.Now())
	return tried, ctx.Err()
}

func (s *Scheduler) noteDelivery(ctx context.Context, d store.Dispatch, t store.Tried) error {
	paused, err := s.Store.NoteDelivery(ctx, d, t)
	if paused {
		s.Log.Warn("a webhook is paused: its endpoint takes nothing", "webhook", d.Webhook, "status", t.Status)
	}
	return err
}

// settleDeliveries takes back what processes that are gone had claimed.
func (s *Scheduler) settleDeliveries(ctx context.Context) error {
	_, err := s.Store.SettleDeliveries(ctx, false)
	return err
}

// gone stands for what was deleted before its event was sent.
type gone struct {
	ID      survey.ID `json:"id"`
	Deleted bool      `json:"deleted"`
}

// tested is the data of a test event.
type tested struct {
	Message string `json:"message"`
}

const testMessage = "This is a test: koe reaches you. The signature is real, the event is not."

// deliveryTime is a limit for one try, from the connection to the end of the answer.
const deliveryTime = 15 * time.Second
