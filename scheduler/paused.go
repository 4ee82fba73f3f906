package scheduler

import "context"

// watchPaused tells the log where sending has paused itself and where it goes
// on, whoever caused it: this process, another or a command.
func (s *Scheduler) watchPaused(ctx context.Context) error {
	paused, err := s.Store.PausedWorkspaces(ctx)
	if err != nil {
		return err
	}
	for workspace, reason := range paused {
		if s.paused[workspace] != reason {
			s.Log.Warn("sending has paused itself; see GET /v1/sending", "workspace", workspace, "reason", reason)
		}
	}
	for workspace := range s.paused {
		if paused[workspace] == "" {
			s.Log.Warn("sending goes on", "workspace", workspace)
		}
	}
	s.paused = paused
	return nil
}
