package store_test

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"koe/survey"
	"koe/survey/store"
	"koe/survey/store/storetest"
)

// goOut claims everything that is due and sends it; it returns how many mails
// went out.
func goOut(t *testing.T, s *store.Store) int {
	t.Helper()
	sent := 0
	for {
		claims, err := s.ClaimDue(t.Context(), 100, lease)
		ok(t, err)
		if len(claims) == 0 {
			return sent
		}
		mails, err := s.StartSending(t.Context(), claims, plainID)
		ok(t, err)
		for _, m := range mails {
			ok(t, s.Sent(t.Context(), m.Claim))
		}
		sent += len(mails)
	}
}

// TestRulesAreAskedAgain plans a mail for two hours later, changes something,
// and looks at what becomes of it.
func TestRulesAreAskedAgain(t *testing.T) {
	type scene struct {
		*testing.T
		store  *store.Store
		by     store.Caller
		survey survey.Survey
	}
	patch := func(c scene, change func(*survey.Rules)) {
		_, err := c.store.PatchSurvey(c.Context(), c.by, c.survey.ID.String(), 0, func(v survey.Survey) (survey.Survey, error) { change(&v.Rules); return v, nil })
		ok(c.T, err)
	}
	for name, test := range map[string]struct {
		meanwhile func(scene)
		state     survey.InvitationState
		reason    string
	}{
		"nothing": {func(scene) {}, survey.InvitationSent, ""},
		"a link by hand": {func(c scene) {
			link := mustSurvey(c.T, c.store, c.by, "poster", func(v *survey.Survey) { v.Channel, v.Trigger = survey.LinkOnly, survey.Trigger{Type: survey.OnManual} })
			_, err := c.store.CreateLinks(c.Context(), c.by, link.ID.String(), []store.Link{{Customer: chat("A@example.com").Customer}})
			ok(c.T, err)
		}, survey.InvitationCancelled, "quiet_period"},
		"another tool asked": {func(c scene) {
			people, _, err := c.store.People(c.Context(), c.by, store.PersonFilter{}, store.Page{Limit: 1})
			ok(c.T, err)
			asked := survey.InstantOf(time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC))
			_, _, err = c.store.PutPerson(c.Context(), c.by, people[0].ID.String(), survey.Person{Email: "a@example.com", LastAskedAt: &asked})
			ok(c.T, err)
		}, survey.InvitationCancelled, "quiet_period"},
		"the person changed plan": {func(c scene) {
			patch(c, func(r *survey.Rules) { r.Condition = survey.Condition{"attributes.plan": {survey.TextValue("pro")}} })
			_, err := c.store.RecordInteraction(c.Context(), c.by, survey.Interaction{Touchpoint: "chat",
				Customer: chat("a@example.com").Customer, Attributes: survey.Attributes{"plan": survey.TextValue("free")}})
			ok(c.T, err)
		}, survey.InvitationCancelled, "condition"},
		"the condition is met later": {func(c scene) {
			patch(c, func(r *survey.Rules) { r.Condition = survey.Condition{"attributes.plan": {survey.TextValue("free")}} })
			_, err := c.store.RecordInteraction(c.Context(), c.by, survey.Interaction{Touchpoint: "chat",
				Customer: chat("a@example.com").Customer, Attributes: survey.Attributes{"plan": survey.TextValue("free")}})
			ok(c.T, err)
		}, survey.InvitationSent, ""},
		"nobody is sampled": {func(c scene) { patch(c, func(r *survey.Rules) { none := 0.0; r.Sample = &none }) }, survey.InvitationCancelled, "not_sampled"},
		"unsubscribed": {func(c scene) {
			_, _, err := c.store.Suppress(c.Context(), c.by, "a@example.com", survey.Unsubscribed)
			ok(c.T, err)
		}, survey.InvitationSuppressed, "suppressed"},
	} {
		t.Run(name, func(t *testing.T) {
			clock := storetest.NewClock(t, "2026-11-22T09:00:00Z")
			storetest.Each(t, func(t *testing.T, s *store.Store) {
				clock.Set(t, "2026-11-22T09:00:00Z")
				by := storetest.Default(t, s)
				v := mustSurvey(t, s, by, "chat", func(v *survey.Survey) { v.Trigger.Delay = "2h" })
				id := *only(t, record(t, s, by, chat("a@example.com"))).Invitation
				test.meanwhile(scene{t, s, by, v})
				if at := state(t, s, by, id); name == "unsubscribed" && at.State != test.state { // at once
					t.Errorf("%s before it is due", at.State)
				}
				clock.Advance(2 * time.Hour)
				sent := goOut(t, s)
				got := state(t, s, by, id)
				if got.State != test.state || got.Reason != test.reason || (sent == 1) != (test.state == survey.InvitationSent) {
					t.Errorf("%s %q, %d mails", got.State, got.Reason, sent)
				}
			}, clock.Use)
		})
	}
}

// TestAListIsAskedAgain: what a schedule's list says of a person goes before what
// is known of them, when it decides and when the mail is about to go out; both as
// they are then.
func TestAListIsAskedAgain(t *testing.T) {
	plan := func(name string) survey.Attributes { return survey.Attributes{"plan": survey.TextValue(name)} }
	clock := storetest.NewClock(t, "2026-11-22T00:30:00Z")
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		clock.Set(t, "2026-11-22T00:30:00Z")
		by := storetest.Default(t, s)
		v := daily(t, s, by, func(v *survey.Survey) {
			v.Trigger.Audience, v.Trigger.Members, v.Trigger.Every = nil, true, "1h" // all at once
			v.Rules.Condition = survey.Condition{"attributes.plan": {survey.TextValue("pro")}}
		})
		put := func(who, known string) {
			_, _, err := s.PutPerson(ctx, by, who, survey.Person{Email: who + "@example.com", Attributes: plan(known)})
			ok(t, err)
		}
		list := func(who string, told survey.Attributes) {
			_, _, err := s.PutListMember(ctx, by, v.ID, nil, survey.Customer{Email: pointer(who + "@example.com")}, told)
			ok(t, err)
		}
		for who, told := range map[string]survey.Attributes{"listed": plan("pro"), "silent": nil, "changed": nil, "told": plan("pro"), "unlike": plan("free")} {
			known := "pro"
			if who == "listed" {
				known = "free"
			}
			put(who, known)
			list(who, told)
		}
		clock.Advance(24 * time.Hour)
		for who, want := range map[string]survey.Verdict{"listed": survey.Scheduled, "unlike": survey.Skipped} {
			d, err := s.Simulate(ctx, by, v.ID.String(), survey.Interaction{Customer: survey.Customer{ExternalID: who}}, nil)
			if ok(t, err); d.Verdict != want {
				t.Errorf("%s: %+v", who, d)
			}
		}
		if n := turned(t, s); n != 5 {
			t.Errorf("%d turns", n)
		}
		put("changed", "free")
		list("told", plan("free"))
		goOut(t, s)
		got := map[string]string{}
		invitations, _, err := s.Invitations(ctx, by, store.InvitationFilter{Survey: v.ID.String()}, store.Page{Limit: 50})
		ok(t, err)
		for _, one := range invitations {
			got[one.Email] = string(one.State) + " " + one.Reason
		}
		want := map[string]string{"listed@example.com": "sent ", "silent@example.com": "sent ", "changed@example.com": "cancelled condition", "told@example.com": "cancelled condition"}
		if !maps.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	}, clock.Use)
}

// TestDailyLimitOfWhatGoesOut lowers a limit below what is planned, and holds
// mails until a later day: whatever was planned, no day has more mails than the
// limit, the oldest go first, and what finds no day before its end is
// cancelled.
func TestDailyLimitOfWhatGoesOut(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-22T09:00:00Z")
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		clock.Set(t, "2026-11-22T09:00:00Z")
		by := storetest.Default(t, s)
		v := mustSurvey(t, s, by, "chat", func(v *survey.Survey) { v.Rules.ExpiresAfter = "4d" })
		var ids []survey.ID
		for i := range 20 {
			clock.Advance(time.Second)
			ids = append(ids, *only(t, record(t, s, by, chat(fmt.Sprintf("p%d@example.com", i)))).Invitation)
		}
		moveTo(t, s, by, v, survey.Paused)
		clock.Advance(time.Hour)
		if n := goOut(t, s); n != 0 {
			t.Fatalf("%d mails of a paused survey", n)
		}
		clock.Advance(23 * time.Hour)
		moveTo(t, s, by, v, survey.Active)
		limit := 4
		_, err := s.PatchSurvey(t.Context(), by, v.ID.String(), 0, func(v survey.Survey) (survey.Survey, error) { v.Rules.DailyLimit = &limit; return v, nil })
		ok(t, err)
		days := []int{goOut(t, s)}
		for _, midnight := range []string{"2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z", "2026-11-26T00:00:00Z", "2026-11-27T00:00:00Z"} {
			clock.Set(t, midnight)
			days = append(days, goOut(t, s))
		}
		if got := fmt.Sprint(days); got != "[4 4 4 4 0]" { // the links end on the 26th at nine
			t.Errorf("mails by day: %s", got)
		}
		for i, id := range ids {
			got := state(t, s, by, id)
			if i < 16 && got.SentAt == nil || i >= 16 && (got.State != survey.InvitationCancelled || got.Reason != "daily_limit") {
				t.Errorf("number %d: %s %q", i, got.State, got.Reason)
			}
		}
	}, clock.Use)
}

// TestDailyLimitThatComesBack: what went out while a survey had no limit counts
// when it has one again on the same day.
func TestDailyLimitThatComesBack(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-22T09:00:00Z")
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		limit := 3
		v := mustSurvey(t, s, by, "chat", func(v *survey.Survey) { v.Rules.DailyLimit = &limit })
		limited := func(limit *int) {
			_, err := s.PatchSurvey(t.Context(), by, v.ID.String(), 0, func(v survey.Survey) (survey.Survey, error) { v.Rules.DailyLimit = limit; return v, nil })
			ok(t, err)
		}
		ask := func(who string) *survey.Instant { return only(t, record(t, s, by, chat(who+"@example.com"))).SendAt }
		ask("a")
		goOut(t, s)
		limited(nil)
		for _, who := range []string{"b", "c", "d"} {
			ask(who)
		}
		ask("late")
		if n := goOut(t, s); n != 4 {
			t.Fatalf("%d mails without a limit", n)
		}
		limited(&limit)
		if at := ask("e"); at == nil || *at <= clock.Instant() {
			t.Errorf("planned for %v though five mails of today are out", at)
		}
		higher := 6
		limited(&higher)
		ask("f")
		ask("g")
		if n := goOut(t, s); n != 1 {
			t.Errorf("%d mails go out under a limit of six, five of which are gone", n)
		}
	}, clock.Use)
}

// TestMailsADay: an address gets no more mails within 24 hours than it may, by
// whatever surveys and however many wait for it, and the next once the first is
// a day old.
func TestMailsADay(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-22T09:00:00Z")
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		clock.Set(t, "2026-11-22T09:00:00Z")
		by := storetest.Default(t, s)
		for _, touchpoint := range []string{"chat", "desk"} {
			mustSurvey(t, s, by, touchpoint, func(v *survey.Survey) { v.Key, v.Rules.QuietPeriod = touchpoint, "0s" })
		}
		bomb := func(n int, address string) (last survey.ID) {
			items := make([]store.Item, n)
			for i := range items {
				items[i].Interaction = chat(address)
				items[i].Interaction.Touchpoint = []string{"chat", "desk"}[i%2]
			}
			done, err := s.RecordInteractions(ctx, by, items)
			ok(t, err)
			return *only(t, done[n-1].Recorded).Invitation
		}
		bomb(2, "a@example.com")
		if n := goOut(t, s); n != 2 {
			t.Fatalf("%d mails, want 2", n)
		}
		clock.Advance(time.Hour)
		last := bomb(5, "A@example.com")
		bomb(1, "b@example.com")
		if n := goOut(t, s); n != 2 {
			t.Errorf("%d mails, want the third of one and the first of another", n)
		}
		summary, err := s.OutboxSummary(ctx, by, "")
		if ok(t, err); summary.Mail.Waiting[survey.WaitRecipientCap] != 4 {
			t.Errorf("waiting: %v", summary.Mail.Waiting)
		}
		clock.Advance(23*time.Hour - time.Millisecond)
		if n := goOut(t, s); n != 0 {
			t.Errorf("%d mails a moment before the first is a day old", n)
		}
		clock.Advance(time.Millisecond)
		if n := goOut(t, s); n != 2 {
			t.Errorf("%d mails when the first two are a day old", n)
		}
		if got := state(t, s, by, last); got.State != survey.InvitationScheduled {
			t.Errorf("the last is %s %q", got.State, got.Reason)
		}
		clock.Advance(24 * time.Hour)
		if n := goOut(t, s); n != 2 {
			t.Errorf("%d mails on the third day", n)
		}
		clock.Advance(time.Hour)
		bomb(255, "a@example.com") // what waits must not hide what went out
		if n := goOut(t, s); n != 1 {
			t.Errorf("%d mails, want the third of that day", n)
		}
	}, clock.Use, func(o *store.Options) { o.MailsADay = 3 })
}

// TestMailsPerKey: what one key tells plans no more mails in a day than it may.
func TestMailsPerKey(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-22T23:00:00Z")
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		clock.Set(t, "2026-11-22T23:00:00Z")
		by := storetest.Default(t, s)
		mustSurvey(t, s, by, "chat", nil)
		mustSurvey(t, s, by, "chat", byLink)
		told, midnight := 0, "2026-11-23T00:00:00.000Z"
		planned := func(key byte, n int) (mails int) {
			by.KeyID = survey.ID{15: key}
			items := make([]store.Item, n)
			for i := range items {
				told++
				items[i].Interaction = chat(fmt.Sprintf("p%d@example.com", told))
			}
			done, err := s.RecordInteractions(ctx, by, items)
			ok(t, err)
			for _, one := range done {
				switch d := one.Decisions[0]; {
				case d.Verdict == survey.Scheduled:
					mails++
				case d.Reason != survey.SkipKeyCap || d.Until == nil || d.Until.String() != midnight:
					t.Errorf("%+v", d)
				case one.Decisions[1].Verdict != survey.Scheduled: // a link, which koe does not send
					t.Errorf("%+v", one.Decisions[1])
				}
			}
			return mails
		}
		got := []int{planned(1, 2), planned(1, 3), planned(1, 1), planned(2, 1)}
		clock.Advance(time.Hour)
		midnight = "2026-11-24T00:00:00.000Z"
		_, err := s.Sweep(ctx)
		ok(t, err)
		if got = append(got, planned(1, 4)); fmt.Sprint(got) != "[2 1 0 1 3]" {
			t.Errorf("mails planned: %v", got)
		}
	}, clock.Use, func(o *store.Options) { o.MailsPerKey = 3 })
}

// TestAZoneThatIsLearnedLater: the window of a mail that waits is read in the
// zone that the person is known to be in when it is about to go out.
func TestAZoneThatIsLearnedLater(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-22T22:00:00Z")
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		clock.Set(t, "2026-11-22T22:00:00Z") // seven in Tokyo
		by := storetest.Default(t, s)
		mustSurvey(t, s, by, "chat", func(v *survey.Survey) {
			v.Rules.SendWindow = &survey.Window{From: "09:00", To: "18:00", Timezone: survey.RecipientZone}
		})
		in := chat("a@example.com")
		in.Customer.Timezone = "Asia/Tokyo"
		planned := only(t, record(t, s, by, in))
		people, _, err := s.People(ctx, by, store.PersonFilter{}, store.Page{Limit: 1})
		ok(t, err)
		moved := people[0]
		moved.Timezone = "Europe/Berlin"
		_, _, err = s.PutPerson(ctx, by, moved.ID.String(), moved)
		ok(t, err)
		clock.Set(t, "2026-11-23T00:00:00Z") // nine in Tokyo, one in Berlin
		if n := goOut(t, s); n != 0 {
			t.Errorf("%d mails at night", n)
		}
		if got := state(t, s, by, *planned.Invitation); got.State != survey.InvitationScheduled {
			t.Errorf("%s %q", got.State, got.Reason)
		}
		clock.Set(t, "2026-11-23T07:59:59Z")
		if n := goOut(t, s); n != 0 {
			t.Errorf("%d mails a second before nine in Berlin", n)
		}
		clock.Set(t, "2026-11-23T08:00:00Z")
		if n := goOut(t, s); n != 1 {
			t.Errorf("%d mails at nine in Berlin", n)
		}
	}, clock.Use)
}

// TestAMailThatWasRefusedLeavesItsPlace gives the place of a mail that did not
// go to the next.
func TestAMailThatWasRefusedLeavesItsPlace(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-22T09:00:00Z")
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		clock.Set(t, "2026-11-22T09:00:00Z")
		by := storetest.Default(t, s)
		limit := 1
		mustSurvey(t, s, by, "chat", func(v *survey.Survey) { v.Rules.DailyLimit = &limit })
		record(t, s, by, chat("a@example.com"))
		ok(t, s.Fail(t.Context(), startOne(t, s), "550 no"))
		second := only(t, record(t, s, by, chat("b@example.com")))
		if second.SendAt == nil || *second.SendAt != clock.Instant() {
			t.Fatalf("planned for %v", second.SendAt)
		}
		ok(t, s.Retry(t.Context(), startOne(t, s), "450 later"))
		clock.Advance(time.Minute)
		if n := goOut(t, s); n != 1 {
			t.Errorf("%d mails, want the one that was tried again", n)
		}
		if third := only(t, record(t, s, by, chat("c@example.com"))); third.SendAt == nil || *third.SendAt <= clock.Instant() {
			t.Errorf("planned for %v though the day is full", third.SendAt)
		}
	}, clock.Use)
}

func moveTo(t *testing.T, s *store.Store, by store.Caller, v survey.Survey, to survey.State) {
	t.Helper()
	_, err := s.SetSurveyState(t.Context(), by, v.ID.String(), to, 0)
	ok(t, err)
}
