package scheduler

import (
	"context"
	"encoding/json"

	"koe/survey/store"
	"koe/templates"
)

// targetChanged tells a member that a target stands otherwise than before.
func (s *Scheduler) targetChanged(ctx context.Context, d store.Dispatch) (notice, error) {
	subject, err := s.Store.SubjectOf(ctx, d)
	if err != nil {
		return notice{}, err
	}
	if subject.Target == nil { // deleted since
		return notice{unwanted: "the target is gone"}, nil
	}
	var to store.TargetNotice
	if err := json.Unmarshal([]byte(d.Body), &to); err != nil {
		return notice{}, err
	}
	return notice{words: templates.TargetChanged(subject.Target.Target, subject.Target.Change, to.Locale, s.BaseURL)}, nil
}
