package store_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"koe/survey"
	"koe/survey/store"
	"koe/survey/store/storetest"
)

func isConflict(err error) bool {
	var known *survey.Error
	return errors.As(err, &known) && known.Kind == survey.Conflict
}

func TestAnUncertainMailIsSentAgainWhereAsked(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-22T09:00:00Z")
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		defer clock.Set(t, "2026-11-22T09:00:00Z")
		by := storetest.Default(t, s)
		mustSurvey(t, s, by, "chat", func(v *survey.Survey) { v.Rules.Reminders = []survey.Duration{"3d"} })
		id := *only(t, record(t, s, by, chat("a@example.com"))).Invitation
		if err := s.Resend(t.Context(), by, id); !isConflict(err) {
			t.Fatalf("resent before it was sent: %v", err)
		}
		first := startOne(t, s)
		was := state(t, s, by, id)
		ok(t, s.Uncertain(t.Context(), first, "cut off"))
		clock.Advance(time.Hour)
		ok(t, s.Resend(t.Context(), by, id))
		if v := state(t, s, by, id); v.State != survey.InvitationScheduled || v.MessageID != was.MessageID || v.MailNo != 0 || v.Reason != "" {
			t.Fatalf("%+v", v)
		}
		c := claimOne(t, s)
		m, err := start(t.Context(), s, c)
		if err != nil || m == nil || m.Invitation.MessageID != was.MessageID || m.Invitation.MailNo != 0 {
			t.Fatal(m, err)
		}
		ok(t, s.Sent(t.Context(), c))
		if err := s.Resend(t.Context(), by, id); !isConflict(err) {
			t.Errorf("resent what was sent: %v", err)
		}
		clock.Advance(3 * 24 * time.Hour)
		reminder := claimOne(t, s)
		if m, err := start(t.Context(), s, reminder); err != nil || m == nil || m.Invitation.MailNo != 1 {
			t.Errorf("the reminder: %+v, %v", m, err)
		}
		_, events, err := s.Invitation(t.Context(), by, id)
		ok(t, err)
		var types []string
		for _, e := range events {
			types = append(types, e.Type)
		}
		if want := []string{"scheduled", "sending", "uncertain", "resend", "sending", "sent"}; !slices.Equal(types, want) {
			t.Errorf("events %v, want %v", types, want)
		}
		if out, err := s.Verify(t.Context()); err != nil || len(out.Faults) != 0 {
			t.Errorf("%+v, %v", out, err)
		}
	}, clock.Use)
}

func TestAnAddressThatDoesNotExistIsNeverAskedAgain(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		mustSurvey(t, s, by, "chat", func(v *survey.Survey) { v.Rules.QuietPeriod = "0s" })
		id := *only(t, record(t, s, by, chat("a@example.com"))).Invitation
		c := startOne(t, s)
		ok(t, s.Unreachable(t.Context(), c, "550 5.1.1 no such user"))
		if v := state(t, s, by, id); v.State != survey.InvitationFailed || v.Reason != "550 5.1.1 no such user" {
			t.Errorf("%+v", v)
		}
		list, _, err := s.Suppressions(t.Context(), by, "a@example.com", store.Page{Limit: 10})
		if err != nil || len(list) != 1 || list[0].Reason != survey.Bounced {
			t.Errorf("%+v, %v", list, err)
		}
		if d := only(t, record(t, s, by, chat("a@example.com"))); d.Invitation != nil {
			t.Error("asked again")
		}
		if err := s.Resend(t.Context(), by, id); !isConflict(err) {
			t.Errorf("resent to a suppressed address: %v", err)
		}
		ok(t, s.Unsuppress(t.Context(), by, list[0].ID))
		ok(t, s.Resend(t.Context(), by, id))
		ok(t, s.Sent(t.Context(), startOne(t, s)))
	})
}

// TestClaimsThatAreGivenBack covers what a process returns that is asked to
// stop, and what is over a cap.
func TestClaimsThatAreGivenBack(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-22T09:00:00Z")
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		defer clock.Set(t, "2026-11-22T09:00:00Z")
		by := storetest.Default(t, s)
		mustSurvey(t, s, by, "chat", nil)
		id := *only(t, record(t, s, by, chat("a@example.com"))).Invitation
		claimed := claimOne(t, s)
		ok(t, s.Postpone(t.Context(), []store.Later{{Claim: claimed, Until: survey.InstantOf(clock.Now().Add(time.Minute)), Why: survey.WaitDomainCap}}))
		if claims, err := s.ClaimDue(t.Context(), 10, lease); len(claims) != 0 || err != nil {
			t.Fatalf("claimed before its place: %v, %v", claims, err)
		}
		clock.Advance(time.Minute)
		begun := startOne(t, s)
		ok(t, s.Release(t.Context(), claimed, begun))
		if v := state(t, s, by, id); v.State != survey.InvitationScheduled || v.Attempt != 0 {
			t.Errorf("%+v", v)
		}
		ok(t, s.Sent(t.Context(), begun)) // a late word of a claim that was given back
		again := startOne(t, s)
		if again.Fence == begun.Fence {
			t.Error("the fence stands still")
		}
		ok(t, s.Sent(t.Context(), again))
		if v := state(t, s, by, id); v.State != survey.InvitationSent {
			t.Errorf("%+v", v)
		}
	}, clock.Use)
}
