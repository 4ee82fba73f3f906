package scheduler

import "context"

// fire lets schedules fire that are due, and asks the shares of those that have
// fired.
func (s *Scheduler) fire(ctx context.Context) error {
	_, missed, err := s.Store.FireDue(ctx, s.CatchUp)
	if missed > 0 {
		s.Log.Warn("schedules did not fire in time, and are not made up for", "missed", missed)
	}
	if err != nil {
		return err
	}
	_, err = s.Store.AskShares(ctx)
	return err
}
