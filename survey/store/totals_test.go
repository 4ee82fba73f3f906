package store_test

import (
	"fmt"
	"testing"
	"time"

	"koe/survey"
	"koe/survey/store"
	"koe/survey/store/storetest"
)

// TestIsItSending: the summary of one workspace and the totals of all say what
// is due, what waits and why, what is under way, and what went out or did not.
func TestIsItSending(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-22T09:00:00Z")
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		clock.Set(t, "2026-11-22T09:00:00Z")
		by, other := storetest.Default(t, s), storetest.Other(t, s, "other")
		reminded := func(v *survey.Survey) { v.Rules.Reminders = []survey.Duration{"3d"} }
		later := func(v *survey.Survey) { v.Trigger.Delay = "2h" }
		mustSurvey(t, s, by, "chat", reminded)
		mustSurvey(t, s, by, "later", later)
		held := mustSurvey(t, s, by, "held", later)
		mustSurvey(t, s, other, "chat", nil)
		ask := func(by store.Caller, touchpoint string, n int) {
			for i := range n {
				in := chat(fmt.Sprintf("%s%d@example.com", touchpoint, i))
				in.Touchpoint = touchpoint
				record(t, s, by, in)
			}
		}
		ask(by, "chat", 4)
		ask(by, "later", 3)
		ask(by, "held", 2)
		moveTo(t, s, by, held, survey.Paused)
		ask(other, "chat", 2)
		since := clock.Instant()
		clock.Advance(30 * time.Second)
		check := func(of *store.Caller, want store.MailSummary) {
			t.Helper()
			got := store.MailSummary{}
			var err error
			if of != nil {
				var all store.OutboxSummary
				all, err = s.OutboxSummary(ctx, *of, "")
				got = all.Mail
			} else {
				_, got, err = s.MailTotals(ctx)
			}
			ok(t, err)
			for reason, n := range got.Waiting {
				if n != want.Waiting[reason] {
					t.Errorf("%d wait for %s, want %d", n, reason, want.Waiting[reason])
				}
			}
			if len(got.Waiting) != 10 {
				t.Errorf("reasons %v", got.Waiting)
			}
			if got.Due != want.Due || got.InFlight != want.InFlight || got.Sent != want.Sent || got.Failed != want.Failed || got.Uncertain != want.Uncertain {
				t.Errorf("%+v, want %+v", got, want)
			}
			if oldest := got.OldestDue; (oldest == nil) != (want.OldestDue == nil) || oldest != nil && *oldest != *want.OldestDue {
				t.Errorf("the oldest is due since %v, want %v", oldest, want.OldestDue)
			}
			if got.Minutes[0].Sent != 0 || got.Minutes[1].Sent != want.Sent || got.Minutes[1].Start != survey.InstantOf(clock.Now().Truncate(time.Minute)).Add(-time.Minute) {
				t.Errorf("minutes %+v", got.Minutes)
			}
		}
		waits := map[survey.Reason]int{store.WaitScheduled: 3, store.WaitPaused: 2}
		check(&by, store.MailSummary{Due: 4, Waiting: waits, OldestDue: &since})
		check(&other, store.MailSummary{Due: 2, OldestDue: &since})
		check(nil, store.MailSummary{Due: 6, Waiting: waits, OldestDue: &since})

		var mine []store.Claim
		claims, err := s.ClaimDue(ctx, 10, lease)
		ok(t, err)
		for _, c := range claims {
			if c.Workspace == by.Workspace {
				mine = append(mine, c)
			}
		}
		mails, err := s.StartSending(ctx, mine, plainID)
		ok(t, err)
		if len(mails) != 4 {
			t.Fatal(mails)
		}
		ok(t, s.Sent(ctx, mails[0].Claim))
		ok(t, s.Fail(ctx, mails[1].Claim, "550 no"))
		ok(t, s.Uncertain(ctx, mails[2].Claim, "cut off"))
		clock.Advance(time.Minute)
		waits[survey.WaitReminder] = 2
		check(&by, store.MailSummary{Waiting: waits, InFlight: 1, Sent: 1, Failed: 1, Uncertain: 1})
		check(&other, store.MailSummary{InFlight: 2})
		check(nil, store.MailSummary{Waiting: waits, InFlight: 3, Sent: 1, Failed: 1, Uncertain: 1})
	}, clock.Use)
}
