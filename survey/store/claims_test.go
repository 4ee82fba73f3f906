package store_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"koe/survey"
	"koe/survey/store"
	"koe/survey/store/storetest"
)

const lease = 15 * time.Second

func plainID(m store.Mail) string { return m.Invitation.ID.String() + "@example.com" }

func claimOne(t *testing.T, s *store.Store) store.Claim {
	t.Helper()
	claims, err := s.ClaimDue(t.Context(), 10, lease)
	if err != nil || len(claims) != 1 {
		t.Fatalf("claimed %v, %v", claims, err)
	}
	return claims[0]
}

// start marks one claimed mail as sending; nil where it is not to be sent.
func start(ctx context.Context, s *store.Store, c store.Claim) (*store.Mail, error) {
	mails, err := s.StartSending(ctx, []store.Claim{c}, plainID)
	if err != nil || len(mails) == 0 {
		return nil, err
	}
	return &mails[0], nil
}

func startOne(t *testing.T, s *store.Store) store.Claim {
	t.Helper()
	c := claimOne(t, s)
	if m, err := start(t.Context(), s, c); err != nil || m == nil {
		t.Fatalf("start: %v, %v", m, err)
	}
	return c
}

func state(t *testing.T, s *store.Store, by store.Caller, id survey.ID) survey.Invitation {
	t.Helper()
	v, _, err := s.Invitation(t.Context(), by, id)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestMailsAreClaimedOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		mustSurvey(t, s, by, "chat", nil)
		const people = 41
		for i := range people {
			record(t, s, by, chat(fmt.Sprintf("p%d@example.com", i)))
		}
		var mu sync.Mutex
		seen := map[survey.ID]int{}
		var wait sync.WaitGroup
		for range 8 {
			wait.Go(func() {
				for {
					claims, err := s.ClaimDue(context.Background(), 3, lease)
					if err != nil {
						t.Error(err)
						return
					}
					if len(claims) == 0 {
						return
					}
					mu.Lock()
					for _, c := range claims {
						seen[c.Invitation]++
					}
					mu.Unlock()
				}
			})
		}
		wait.Wait()
		if len(seen) != people {
			t.Errorf("%d claimed, want %d", len(seen), people)
		}
		for id, n := range seen {
			if n != 1 {
				t.Errorf("%s claimed %d times", id, n)
			}
		}
	})
}

func TestAMailGoesOutAndItsReminderFollows(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-22T09:00:00Z")
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		defer clock.Set(t, "2026-11-22T09:00:00Z")
		by := storetest.Default(t, s)
		mustSurvey(t, s, by, "chat", func(v *survey.Survey) {
			v.Trigger.Delay = "2h"
			v.Rules.Reminders = []survey.Duration{"3d", "7d"}
		})
		id := *only(t, record(t, s, by, chat("a@example.com"))).Invitation
		if claims, err := s.ClaimDue(t.Context(), 10, lease); err != nil || len(claims) != 0 {
			t.Fatalf("claimed before it is due: %v, %v", claims, err)
		}
		clock.Advance(2 * time.Hour)
		c := startOne(t, s)
		if v := state(t, s, by, id); v.State != survey.InvitationSending || v.MessageID == "" {
			t.Fatalf("%+v", v)
		}
		if err := s.Sent(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		v := state(t, s, by, id)
		if v.State != survey.InvitationSent || v.SentAt == nil || v.MailNo != 1 {
			t.Fatalf("%+v", v)
		}
		clock.Advance(9 * 24 * time.Hour) // sending rested meanwhile: the second would be due as well
		c = startOne(t, s)
		if err := s.Sent(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		if v := state(t, s, by, id); v.State != survey.InvitationSent || v.MailNo != 2 {
			t.Errorf("after the reminder %+v", v)
		}
		clock.Advance(4*24*time.Hour - time.Second)
		if claims, err := s.ClaimDue(t.Context(), 10, lease); err != nil || len(claims) != 0 {
			t.Errorf("a reminder on the heels of the other: %v, %v", claims, err)
		}
		clock.Advance(time.Second)
		c = startOne(t, s)
		if err := s.Sent(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		if v := state(t, s, by, id); v.State != survey.InvitationSent || v.MailNo != 2 {
			t.Errorf("after the last reminder %+v", v)
		}
		clock.Advance(10 * 24 * time.Hour)
		if claims, err := s.ClaimDue(t.Context(), 10, lease); err != nil || len(claims) != 0 {
			t.Errorf("more mails: %v, %v", claims, err)
		}
	}, clock.Use)
}

func TestTheRulesAreAskedAgainBeforeSending(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		mustSurvey(t, s, by, "chat", nil)
		id := *only(t, record(t, s, by, chat("a@example.com"))).Invitation
		if _, _, err := s.Suppress(t.Context(), by, "a@example.com", survey.Unsubscribed); err != nil {
			t.Fatal(err)
		}
		claims, err := s.ClaimDue(t.Context(), 10, lease)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range claims {
			if m, err := start(t.Context(), s, c); err != nil || m != nil {
				t.Errorf("started %v, %v", m, err)
			}
		}
		if v := state(t, s, by, id); v.State != survey.InvitationSuppressed || v.Reason != "suppressed" {
			t.Errorf("%+v", v)
		}
	})
}

func TestOutcomesOfAMail(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-22T09:00:00Z")
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		defer clock.Set(t, "2026-11-22T09:00:00Z")
		by := storetest.Default(t, s)
		mustSurvey(t, s, by, "chat", nil)
		id := *only(t, record(t, s, by, chat("a@example.com"))).Invitation
		c := startOne(t, s)
		if err := s.Retry(t.Context(), c, "450 try later"); err != nil {
			t.Fatal(err)
		}
		if v := state(t, s, by, id); v.State != survey.InvitationScheduled {
			t.Fatalf("after a passing failure %+v", v)
		}
		if claims, _ := s.ClaimDue(t.Context(), 10, lease); len(claims) != 0 {
			t.Fatal("tried again without a pause")
		}
		clock.Advance(time.Minute)
		c = startOne(t, s)
		if err := s.Fail(t.Context(), c, "550 no such user"); err != nil {
			t.Fatal(err)
		}
		if v := state(t, s, by, id); v.State != survey.InvitationFailed || v.Reason != "550 no such user" {
			t.Errorf("after a refusal %+v", v)
		}
		if err := s.Sent(t.Context(), c); err != nil { // a late word of the same claim changes nothing
			t.Fatal(err)
		}
		if v := state(t, s, by, id); v.State != survey.InvitationFailed {
			t.Errorf("a late word turned it into %s", v.State)
		}
		unsure := *only(t, record(t, s, by, chat("b@example.com"))).Invitation
		c = startOne(t, s)
		if err := s.Uncertain(t.Context(), c, "connection lost"); err != nil {
			t.Fatal(err)
		}
		if v := state(t, s, by, unsure); v.State != survey.InvitationUncertain {
			t.Errorf("%+v", v)
		}
		clock.Advance(72 * time.Hour)
		if claims, _ := s.ClaimDue(t.Context(), 10, lease); len(claims) != 0 {
			t.Error("an uncertain mail is sent again")
		}
	}, clock.Use)
}

func TestAnAnswerMeanwhileWins(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		mustSurvey(t, s, by, "chat", nil)
		id := *only(t, record(t, s, by, chat("a@example.com"))).Invitation
		c := claimOne(t, s)
		m, err := start(t.Context(), s, c)
		if err != nil || m == nil {
			t.Fatal(m, err)
		}
		if _, err := s.Answer(t.Context(), m.Token, storetest.Says(store.Reply{Score: pointer(10)})); err != nil {
			t.Fatal(err)
		}
		if err := s.Sent(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		if v := state(t, s, by, id); v.State != survey.InvitationAnswered || v.SentAt == nil {
			t.Errorf("%+v", v)
		}
	})
}

func TestLeasesOfTheGone(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-22T09:00:00Z")
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		mustSurvey(t, s, by, "chat", nil)
		waits := *only(t, record(t, s, by, chat("a@example.com"))).Invitation
		late, err := s.ClaimDue(t.Context(), 1, 50*time.Millisecond)
		if err != nil || len(late) != 1 {
			t.Fatal(late, err)
		}
		unsure := *only(t, record(t, s, by, chat("b@example.com"))).Invitation
		sending, err := s.ClaimDue(t.Context(), 1, 50*time.Millisecond)
		if err != nil || len(sending) != 1 {
			t.Fatal(sending, err)
		}
		if m, err := start(t.Context(), s, sending[0]); m == nil || err != nil {
			t.Fatal(m, err)
		}
		time.Sleep(100 * time.Millisecond) // PostgreSQL's leases run on its own clock
		clock.Advance(time.Second)
		defer clock.Advance(-time.Second)
		if n, err := s.SettleLeases(t.Context(), false); n != 2 || err != nil {
			t.Fatalf("settled %d, %v", n, err)
		}
		if v := state(t, s, by, unsure); v.State != survey.InvitationUncertain {
			t.Errorf("what was under way is %s", v.State)
		}
		if m, err := start(t.Context(), s, late[0]); m != nil || err != nil {
			t.Errorf("a lost claim started: %v, %v", m, err)
		}
		if held, err := s.Extend(t.Context(), lease, late[0]); len(held) != 0 || err != nil {
			t.Errorf("a lost claim was extended: %v, %v", held, err)
		}
		if c := claimOne(t, s); c.Invitation != waits {
			t.Errorf("claimed %s", c.Invitation)
		}
	}, clock.Use)
}
