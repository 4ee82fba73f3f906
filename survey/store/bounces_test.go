package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"koe/survey"
	"koe/survey/store"
	"koe/survey/store/storetest"
)

// mailed records an interaction and sends its mail.
func mailed(t *testing.T, s *store.Store, by store.Caller, email string) survey.ID {
	t.Helper()
	id := *only(t, record(t, s, by, chat(email))).Invitation
	ok(t, s.Sent(ctx, startOne(t, s)))
	return id
}

func took(t *testing.T, s *store.Store, want store.BounceOutcome, b survey.Bounce) store.BounceTaken {
	t.Helper()
	taken, err := s.TakeBouncesAnywhere(ctx, []survey.Bounce{b})
	ok(t, err)
	if taken[0].Outcome != want {
		t.Fatalf("%+v: %s instead of %s", b, taken[0].Outcome, want)
	}
	return taken[0]
}

func wholeStore(t *testing.T, s *store.Store) {
	t.Helper()
	checked, err := s.Verify(ctx)
	ok(t, err)
	if len(checked.Faults) > 0 {
		t.Errorf("%q", checked.Faults)
	}
}

func suppressedAs(t *testing.T, s *store.Store, by store.Caller, email string) survey.SuppressionReason {
	t.Helper()
	list, _, err := s.Suppressions(ctx, by, email, store.Page{Limit: 1})
	ok(t, err)
	if len(list) == 0 {
		return ""
	}
	return list[0].Reason
}

func TestAHardBounceFailsTheInvitationOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		mustSurvey(t, s, by, "chat", func(v *survey.Survey) { v.Rules.Reminders = []survey.Duration{"3d"} })
		id := mailed(t, s, by, "a@example.com")
		report := survey.Bounce{Kind: survey.HardBounce, Tags: []string{"nothing", strings.ToUpper(s.BounceTag(by.Workspace, id))},
			Code: "5.1.1", Reason: "550 no such user"}
		took(t, s, store.BounceApplied, report)
		v, events, err := s.Invitation(ctx, by, id)
		ok(t, err)
		if v.State != survey.InvitationFailed || v.Reason != "bounced" || v.BouncedAt == nil || v.SentAt == nil {
			t.Errorf("%+v", v)
		}
		if suppressedAs(t, s, by, "a@example.com") != survey.Bounced {
			t.Error("not suppressed")
		}
		wholeStore(t, s)
		took(t, s, store.BounceRepeated, report)
		again, after, err := s.Invitation(ctx, by, id)
		ok(t, err)
		if !slices.Equal(events, after) || *again.BouncedAt != *v.BouncedAt {
			t.Errorf("%v, then %v", events, after)
		}
	})
}

func TestAnAnsweredInvitationOnlyNotesItsBounce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		mustSurvey(t, s, by, "chat", nil)
		record(t, s, by, chat("a@example.com"))
		c := claimOne(t, s)
		mails, err := s.StartSending(ctx, []store.Claim{c}, plainID)
		ok(t, err)
		m := mails[0]
		report := survey.Bounce{Kind: survey.HardBounce, MessageID: m.Invitation.MessageID}
		if _, err := s.TakeBouncesAnywhere(ctx, []survey.Bounce{report}); err == nil {
			t.Error("a mail that is being handed over was settled")
		}
		ok(t, s.Sent(ctx, c))
		_, err = s.Answer(ctx, m.Token, storetest.Says(store.Reply{Score: pointer(9)}))
		ok(t, err)
		took(t, s, store.BounceUnknown, survey.Bounce{Kind: survey.HardBounce, MessageID: c.Invitation.String() + "@other.example"})
		took(t, s, store.BounceApplied, survey.Bounce{Kind: survey.HardBounce, MessageID: c.Invitation.String() + ".1@EXAMPLE.com"})
		if v := state(t, s, by, c.Invitation); v.State != survey.InvitationAnswered || v.BouncedAt == nil {
			t.Errorf("%+v", v)
		}
		wholeStore(t, s)
	})
}

func TestAComplaintEndsWhatIsPlanned(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		mustSurvey(t, s, by, "chat", func(v *survey.Survey) { v.Rules.Reminders = []survey.Duration{"3d"} })
		mustSurvey(t, s, by, "shop", func(v *survey.Survey) { v.Trigger.Delay, v.Rules.QuietPeriod = "5d", "0s" })
		id := mailed(t, s, by, "a@example.com")
		in := chat("a@example.com")
		in.Touchpoint = "shop"
		later := *only(t, record(t, s, by, in)).Invitation
		soft := survey.Bounce{Kind: survey.SoftBounce, Tags: []string{s.BounceTag(by.Workspace, id)}, Code: "4.2.2"}
		took(t, s, store.BounceApplied, soft)
		took(t, s, store.BounceRepeated, soft)
		took(t, s, store.BounceRepeated, survey.Bounce{Kind: survey.SoftBounce, Email: "a@example.com", Code: "4.2.2"})
		took(t, s, store.BounceUnknown, survey.Bounce{Kind: survey.SoftBounce, Email: "nobody@example.com"})
		complaint := survey.Bounce{Kind: survey.Complaint, Email: "a@example.com"}
		took(t, s, store.BounceApplied, complaint)
		took(t, s, store.BounceRepeated, complaint)
		if v := state(t, s, by, id); v.State != survey.InvitationSent || v.BouncedAt != nil {
			t.Errorf("%+v", v)
		}
		if v := state(t, s, by, later); v.State != survey.InvitationSuppressed {
			t.Errorf("%+v", v)
		}
		if suppressedAs(t, s, by, "a@example.com") != survey.Complained {
			t.Error("not suppressed")
		}
		wholeStore(t, s)
	})
}

func TestReportsTouchNobodyElse(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		mine, theirs := storetest.Default(t, s), storetest.Other(t, s, "other")
		mustSurvey(t, s, mine, "chat", nil)
		id := mailed(t, s, mine, "a@example.com")
		tag := s.BounceTag(mine.Workspace, id)
		forged := "a" + tag[1:]
		if tag[0] == 'a' {
			forged = "b" + tag[1:]
		}
		took(t, s, store.BounceUnknown, survey.Bounce{Kind: survey.HardBounce, Tags: []string{forged}})
		took(t, s, store.BounceUnknown, survey.Bounce{Kind: survey.HardBounce, Invitation: &id})
		took(t, s, store.BounceUnknown, survey.Bounce{Kind: survey.HardBounce, Email: "b@example.com"})
		for _, b := range []survey.Bounce{{Invitation: &id}, {Tags: []string{tag}}, {MessageID: plainID(store.Mail{Invitation: survey.Invitation{ID: id}})}} {
			b.Kind = survey.HardBounce
			taken, err := s.TakeBounces(ctx, theirs, []survey.Bounce{b})
			ok(t, err)
			if taken[0].Outcome != store.BounceUnknown {
				t.Errorf("%+v: %+v", b, taken)
			}
		}
		if v := state(t, s, mine, id); v.State != survey.InvitationSent {
			t.Errorf("%+v", v)
		}
	})
}

func TestSendingPausesItselfAndResumes(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-22T09:00:00Z")
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by, other := storetest.Default(t, s), storetest.Other(t, s, "other")
		mustSurvey(t, s, by, "chat", nil)
		mustSurvey(t, s, other, "chat", nil)
		var ids []survey.ID
		for i := range 12 {
			ids = append(ids, mailed(t, s, by, fmt.Sprintf("p%d@example.com", i)))
		}
		for i, id := range ids[:8] {
			if got := took(t, s, store.BounceApplied, survey.Bounce{Kind: survey.HardBounce, Tags: []string{s.BounceTag(by.Workspace, id)}}); got.Paused != "" {
				t.Fatalf("paused after %d", i)
			}
		}
		named, err := s.TakeBounces(ctx, by, []survey.Bounce{{Kind: survey.HardBounce, Email: "p8@example.com"}})
		ok(t, err)
		if v := state(t, s, by, ids[8]); named[0].Paused != "" || *named[0].Invitation != ids[8] || v.State != survey.InvitationFailed || v.Reason != "bounced" {
			t.Errorf("by the address alone: %+v, %+v", named, v)
		}
		record(t, s, by, chat("nobody@example.com"))
		ok(t, s.Unreachable(ctx, startOne(t, s), "550 5.1.1 no such user")) // the server refuses it at once
		sending, err := s.Sending(ctx, by)
		ok(t, err)
		if sending.Paused != "" || sending.Reputation != (survey.Reputation{Sent: 13, Bounced: 9, Refused: 1}) {
			t.Errorf("a few that the server refuses: %+v", sending)
		}
		if got := took(t, s, store.BounceApplied, survey.Bounce{Kind: survey.HardBounce, Tags: []string{s.BounceTag(by.Workspace, ids[9])}}); got.Paused != survey.PausedByBounces {
			t.Errorf("not paused after ten: %+v", got)
		}
		sending, err = s.Sending(ctx, by)
		ok(t, err)
		if sending.Paused != survey.PausedByBounces || sending.Since != clock.Instant() || sending.Reputation != (survey.Reputation{Sent: 13, Bounced: 10, Refused: 1}) {
			t.Errorf("%+v", sending)
		}
		waits := *only(t, record(t, s, by, chat("w@example.com"))).Invitation
		theirs := *only(t, record(t, s, other, chat("w@example.com"))).Invitation
		if c := startOne(t, s); c.Invitation != theirs {
			t.Errorf("claimed %v", c)
		}
		if v := state(t, s, by, waits); !v.Held || v.State != survey.InvitationScheduled {
			t.Errorf("%+v", v)
		}
		clock.Advance(time.Minute)
		ok(t, s.ResumeSending(ctx, by))
		refused(t, s.ResumeSending(ctx, by), survey.Conflict, "")
		ok(t, s.Sent(ctx, startOne(t, s)))
		if got := took(t, s, store.BounceApplied, survey.Bounce{Kind: survey.HardBounce, Tags: []string{s.BounceTag(by.Workspace, ids[10])}}); got.Paused != "" {
			t.Errorf("what is forgiven counts: %+v", got)
		}
		now, err := s.Sending(ctx, by)
		ok(t, err)
		if now.Paused != "" || now.Reputation != (survey.Reputation{Sent: 1}) {
			t.Errorf("%+v", now)
		}
		wholeStore(t, s)
	}, clock.Use)
}

func TestRefusalsOfAThousandPauseSending(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		mustSurvey(t, s, by, "chat", nil)
		for i := range survey.ReputationOver {
			record(t, s, by, chat(fmt.Sprintf("p%d@example.com", i)))
		}
		claims, err := s.ClaimDue(ctx, survey.ReputationOver, lease)
		ok(t, err)
		mails, err := s.StartSending(ctx, claims, plainID)
		ok(t, err)
		if len(mails) != survey.ReputationOver {
			t.Fatalf("%d mails", len(mails))
		}
		ok(t, s.Sent(ctx, claims[:950]...))
		for i, c := range claims[950:] {
			sending, err := s.Sending(ctx, by)
			ok(t, err)
			if sending.Paused != "" {
				t.Fatalf("paused after %d: %+v", i, sending)
			}
			ok(t, s.Unreachable(ctx, c, "550 5.1.1 no such user"))
		}
		sending, err := s.Sending(ctx, by)
		ok(t, err)
		if sending.Paused != survey.PausedByBounces || sending.Reputation != (survey.Reputation{Sent: 1000, Refused: 50}) {
			t.Errorf("%+v", sending)
		}
	})
}
