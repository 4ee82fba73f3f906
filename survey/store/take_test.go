package store_test

import (
	"context"
	"testing"

	"koe/survey"
	"koe/survey/store"
	"koe/survey/store/storetest"
)

func atOnceTo(string) survey.Instant { return 0 }

// Whoever took mails and cannot know whether that was kept gives them back. If
// it was not, they may be another's by then, whom that must not touch.
func TestATakeThatIsUndoneMeansNobodyElsesMails(t *testing.T) {
	s := storetest.Open(t, storetest.Postgres(t)) // SQLite's writer does not end in between
	by := storetest.Default(t, s)
	mustSurvey(t, s, by, "chat", nil)
	_, err := s.RecordInteraction(ctx, by, chat("ana@example.com"))
	ok(t, err)
	cut, cancel := context.WithCancel(ctx)
	undone, err := s.TakeDue(cut, 5, 5, lease, atOnceTo, func(m store.Mail) string { cancel(); return plainID(m) })
	if err == nil || len(undone.Mails) != 1 {
		t.Fatalf("%+v, %v", undone, err)
	}
	taken, err := s.TakeDue(ctx, 5, 5, lease, atOnceTo, plainID)
	if ok(t, err); len(taken.Mails) != 1 || taken.Found != 1 {
		t.Fatalf("the mail is not due again: %+v", taken)
	}
	ok(t, s.Release(ctx, undone.Mails[0].Claim))
	again, err := s.TakeDue(ctx, 5, 5, lease, atOnceTo, plainID)
	if ok(t, err); again.Found != 0 {
		t.Fatalf("a mail that somebody has in hand is due: %+v", again)
	}
	ok(t, s.Sent(ctx, taken.Mails[0].Claim))
	if v, _, err := s.Invitation(ctx, by, taken.Mails[0].Invitation.ID); err != nil || v.State != survey.InvitationSent {
		t.Errorf("%s, %v", v.State, err)
	}
}
