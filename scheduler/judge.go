package scheduler

import "context"

// judgedAtOnce is how many targets are judged in one turn.
const judgedAtOnce = 500

// judge judges the targets that are due. One that fails is tried again in the
// next turn and holds up no other.
func (s *Scheduler) judge(ctx context.Context) error {
	due, err := s.Store.DueTargets(ctx, judgedAtOnce)
	if err != nil {
		return err
	}
	for _, one := range due {
		if err := s.Store.JudgeTarget(ctx, one); err != nil && ctx.Err() == nil {
			s.Log.Error("a target could not be judged", "workspace", one.Workspace, "target", one.Target, "error", err)
		}
	}
	return ctx.Err()
}
