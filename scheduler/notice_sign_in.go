package scheduler

import (
	"context"

	"koe/survey/store"
)

// signIn mails a member the link that they asked for. It is made now: the database
// holds none.
func (s *Scheduler) signIn(ctx context.Context, d store.Dispatch) (notice, error) {
	m, wanted, err := s.Store.SignInMail(ctx, d)
	if err != nil {
		return notice{}, err
	}
	if !wanted {
		return notice{unwanted: "the link is over, or its member gone"}, nil
	}
	words, err := s.Words.SignIn(m.Locale, s.BaseURL+"/dashboard/sign-in/"+m.Token)
	return notice{words: words}, err
}
