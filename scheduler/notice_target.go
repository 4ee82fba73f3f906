package scheduler

import (
	"context"

	"koe/survey/store"
)

// targetChanged tells a member that a target stands otherwise than before.
func (s *Scheduler) targetChanged(ctx context.Context, d store.Dispatch) (notice, error) {
	m, err := s.Store.TargetMail(ctx, d)
	if err != nil || m.Unwanted != "" {
		return notice{unwanted: m.Unwanted}, err
	}
	words, err := s.Words.TargetChanged(m.Target, m.Change, m.Locale, s.BaseURL)
	return notice{words: words}, err
}
