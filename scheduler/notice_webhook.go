package scheduler

import (
	"context"

	"koe/survey/store"
	"koe/templates"
)

// webhookPaused tells the owner of a webhook that koe has paused it.
func (s *Scheduler) webhookPaused(ctx context.Context, d store.Dispatch) (notice, error) {
	subject, err := s.Store.SubjectOf(ctx, d)
	if err != nil {
		return notice{}, err
	}
	if subject.Webhook == nil { // deleted since: there is nothing to tell
		return notice{unwanted: "the webhook is gone"}, nil
	}
	return notice{words: templates.WebhookPaused(*subject.Webhook, s.BaseURL)}, nil
}
