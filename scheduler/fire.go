package scheduler

import (
	"context"
	"errors"
)

// fire lets schedules fire that are due, and asks the shares of those that have
// fired.
func (s *Scheduler) fire(ctx context.Context) error {
	_, missed, err := s.Store.FireDue(ctx, s.CatchUp)
	if missed > 0 {
		s.Log.Warn("schedules did not fire in time, and are not made up for", "missed", missed)
	}
	_, asking := s.Store.AskShares(ctx) // those that have fired do not wait for one that cannot
	return errors.Join(err, asking)
}
