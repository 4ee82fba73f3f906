package store_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"koe/survey"
	"koe/survey/store"
	"koe/survey/store/storetest"
)

// daily is an active survey that asks everybody with the plan pro once in ten
// days, at nine in Tokyo.
func daily(t *testing.T, s *store.Store, by store.Caller, change func(*survey.Survey)) survey.Survey {
	t.Helper()
	return mustSurvey(t, s, by, "relationship", func(v *survey.Survey) {
		v.Trigger = survey.Trigger{Type: survey.OnSchedule, Cron: "0 9 * * *", Timezone: "Asia/Tokyo", Every: "10d",
			Audience: survey.Condition{"attributes.plan": {survey.TextValue("pro"), survey.TextValue("チーム")}}}
		v.Rules.QuietPeriod = "1d"
		if change != nil {
			change(v)
		}
	})
}

func customers(t *testing.T, s *store.Store, by store.Caller, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		plan := []string{"pro", "チーム", "free"}[i%3]
		_, _, err := s.PutPerson(ctx, by, fmt.Sprint("c", i), survey.Person{Email: fmt.Sprintf("c%d@example.com", i), Locale: "ja",
			Attributes: survey.Attributes{"plan": survey.TextValue(plan)}})
		ok(t, err)
	}
}

// turned fires what is due and returns how many people had their turn.
func turned(t *testing.T, s *store.Store) int {
	t.Helper()
	_, _, err := s.FireDue(ctx, 6*time.Hour)
	ok(t, err)
	n, err := s.AskShares(ctx)
	ok(t, err)
	return n
}

// scheduled are the people whom a survey has invited, by how often.
func scheduled(t *testing.T, s *store.Store, by store.Caller, of survey.Survey) map[string]int {
	t.Helper()
	out, page := map[string]int{}, store.Page{Limit: 500}
	for {
		list, next, err := s.Invitations(ctx, by, store.InvitationFilter{Survey: of.ID.String()}, page)
		ok(t, err)
		for _, v := range list {
			out[v.Email]++
		}
		if page.Cursor = next; next == "" {
			return out
		}
	}
}

// TestSchedulesAskEvenly: 40 of 60 are of the audience; in ten days each of
// them is asked once, four a day; then each once more.
func TestSchedulesAskEvenly(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-22T00:30:00Z")
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		clock.Set(t, "2026-11-22T00:30:00Z") // half past nine in Tokyo
		by := storetest.Default(t, s)
		customers(t, s, by, 0, 60)
		v := daily(t, s, by, nil)
		if n := turned(t, s); n != 0 {
			t.Errorf("%d asked before it fires", n)
		}
		for day := range 20 {
			clock.Advance(24 * time.Hour)
			if n := turned(t, s); n != 4 {
				t.Errorf("day %d: %d asked", day, n)
			}
			if n := turned(t, s); n != 0 {
				t.Errorf("day %d: %d asked again", day, n)
			}
			switch counts := scheduled(t, s, by, v); day {
			case 9, 19:
				for email, n := range counts {
					if n != (day+1)/10 {
						t.Errorf("day %d: %s asked %d times", day, email, n)
					}
				}
				if len(counts) != 40 {
					t.Errorf("day %d: %d people", day, len(counts))
				}
			}
		}
		fires, _, err := s.Fires(ctx, by, v.ID.String(), store.Page{Limit: 50})
		ok(t, err)
		if len(fires) != 20 || fires[0].Date.String() != "2026-12-12" || fires[0].Time != "09:00" || fires[0].State != "done" || *fires[0].Share != 4 || fires[0].Asked != 4 {
			t.Errorf("%d fires, the last %+v", len(fires), fires[0])
		}
		checked, err := s.Verify(ctx)
		ok(t, err)
		for _, fault := range checked.Faults {
			t.Error(fault)
		}
	}, clock.Use)
}

// TestSchedulesAfterDowntime: fires younger than six hours are made up for
// once, older ones are missed and listed; a clock set back fires nothing twice.
func TestSchedulesAfterDowntime(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-22T09:00:00Z")
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		clock.Set(t, "2026-11-22T09:00:00Z")
		by := storetest.Default(t, s)
		customers(t, s, by, 0, 30)
		v := daily(t, s, by, nil)
		states := func() (out []string) {
			fires, _, err := s.Fires(ctx, by, v.ID.String(), store.Page{Limit: 50})
			ok(t, err)
			for _, f := range slices.Backward(fires) {
				out = append(out, f.Date.String()[8:]+" "+f.State)
			}
			return out
		}
		clock.Set(t, "2026-11-23T03:00:00Z") // three hours late
		if n := turned(t, s); n != 2 {
			t.Errorf("%d asked three hours late", n)
		}
		clock.Set(t, "2026-11-23T02:00:00Z")
		if n := turned(t, s); n != 0 {
			t.Errorf("%d asked after the clock was set back", n)
		}
		clock.Set(t, "2026-11-26T06:30:00Z") // down over three fires, six and a half hours late for the last
		if n := turned(t, s); n != 0 {
			t.Errorf("%d asked too late", n)
		}
		clock.Set(t, "2026-11-27T00:00:00Z")
		if n := turned(t, s); n != 2 {
			t.Errorf("%d asked on the day after", n)
		}
		if got, want := fmt.Sprint(states()), "[23 done 24 missed 25 missed 26 missed 27 done]"; got != want {
			t.Errorf("%s, want %s", got, want)
		}
		_, err := s.SetSurveyState(ctx, by, v.ID.String(), survey.Paused, 0)
		ok(t, err)
		clock.Set(t, "2026-11-29T00:00:01Z")
		if n := turned(t, s); n != 0 {
			t.Errorf("%d asked while paused", n)
		}
		_, err = s.SetSurveyState(ctx, by, v.ID.String(), survey.Active, 0)
		ok(t, err)
		if n := turned(t, s); n != 0 {
			t.Errorf("%d asked for what was while paused", n)
		}
		clock.Set(t, "2026-11-30T00:00:01Z")
		if n := turned(t, s); n != 2 {
			t.Errorf("%d asked once it is active again", n)
		}
		for _, late := range []struct {
			at            string
			began, missed int
		}{{"2026-12-01T00:01:00Z", 1, 0}, {"2026-12-02T00:01:00.001Z", 0, 1}} { // where nothing is made up for
			clock.Set(t, late.at)
			if began, missed, err := s.FireDue(ctx, 0); err != nil || began != late.began || missed != late.missed {
				t.Errorf("at %s %d began and %d were missed: %v", late.at, began, missed, err)
			}
		}
	}, clock.Use)
}

// TestSchedulesKeepTheRules: who is suppressed had their turn, who is in a quiet
// period keeps it until that ends, newcomers come in by and by, and the longest
// unasked come first.
func TestSchedulesKeepTheRules(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-22T00:30:00Z")
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		clock.Set(t, "2026-11-22T00:30:00Z")
		by := storetest.Default(t, s)
		v := daily(t, s, by, func(v *survey.Survey) { v.Trigger.Audience, v.Rules.QuietPeriod = nil, "2d" })
		asked := clock.Instant()
		for i := range 10 {
			p := survey.Person{Email: fmt.Sprintf("c%d@example.com", i)}
			if i == 0 {
				p.LastAskedAt = &asked // by another tool: until the 24th
			}
			_, _, err := s.PutPerson(ctx, by, fmt.Sprint("c", i), p)
			ok(t, err)
		}
		_, _, err := s.Suppress(ctx, by, "c1@example.com", survey.Unsubscribed)
		ok(t, err)
		total := 0
		for range 10 {
			clock.Advance(24 * time.Hour)
			total += turned(t, s)
		}
		counts := scheduled(t, s, by, v)
		if total != 10 || len(counts) != 9 || counts["c0@example.com"] != 1 || counts["c1@example.com"] != 0 {
			t.Errorf("%d turns, %v", total, counts)
		}
		decisions, _, err := s.Decisions(ctx, by, v.ID.String(), store.DecisionFilter{Reason: survey.SkipSuppressed}, store.Page{Limit: 50})
		ok(t, err)
		if len(decisions) != 1 {
			t.Errorf("%+v", decisions)
		}
	}, clock.Use)
}

// TestAFireLooksAtSomeInOneGo: an audience that was just asked holds up no
// other schedule. Who may be asked is, and what was decided about all others is
// kept.
func TestAFireLooksAtSomeInOneGo(t *testing.T) {
	const held, atOnce = 1020, 1000
	clock := storetest.NewClock(t, "2026-11-22T00:30:00Z")
	s := storetest.Open(t, storetest.MigratedSQLite(t), clock.Use) // what is counted is the same there and here
	by := storetest.Default(t, s)
	v := daily(t, s, by, func(v *survey.Survey) { v.Trigger.Audience, v.Rules.QuietPeriod = nil, "30d" })
	people, last := make([]survey.Person, held), clock.Instant()
	for i := range people {
		people[i] = survey.Person{Email: fmt.Sprintf("q%d@example.com", i), LastAskedAt: &last, UpdatedAt: last}
	}
	_, err := s.ImportPeople(ctx, by, people)
	ok(t, err)
	customers(t, s, by, 0, 2)
	clock.Advance(24 * time.Hour)
	decisions := func() (n int) {
		for page := (store.Page{Limit: 500}); ; {
			list, next, err := s.Decisions(ctx, by, v.ID.String(), store.DecisionFilter{Reason: survey.SkipQuietPeriod}, page)
			ok(t, err)
			if n, page.Cursor = n+len(list), next; next == "" {
				return n
			}
		}
	}
	for i, want := range []struct {
		turns, held int
		state       string
	}{{2, atOnce - 2, "running"}, {0, held, "done"}, {0, held, "done"}} {
		turns, held := turned(t, s), decisions()
		fires, _, err := s.Fires(ctx, by, v.ID.String(), store.Page{Limit: 50})
		ok(t, err)
		if turns != want.turns || held != want.held || len(fires) != 1 || fires[0].State != want.state || fires[0].Asked != 2 {
			t.Errorf("go %d: %d turns, %d held back, %+v", i+1, turns, held, fires)
		}
	}
	if counts := scheduled(t, s, by, v); len(counts) != 2 || counts["c0@example.com"] != 1 || counts["c1@example.com"] != 1 {
		t.Errorf("%v", counts)
	}
}

// TestReplicasFireOnce: several processes find the same fire due, and ask its
// share together.
func TestReplicasFireOnce(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-22T00:30:00Z")
	url := storetest.Postgres(t)
	var replicas []*store.Store
	for range 3 {
		replicas = append(replicas, storetest.Open(t, url, clock.Use))
	}
	by := storetest.Default(t, replicas[0])
	customers(t, replicas[0], by, 0, 300)
	v := daily(t, replicas[0], by, func(v *survey.Survey) { v.Trigger.Every = "2d" }) // 100 of 200
	clock.Advance(24 * time.Hour)
	var all sync.WaitGroup
	for _, s := range replicas {
		all.Go(func() { turned(t, s) })
	}
	all.Wait()
	turned(t, replicas[0]) // what one gave up to another
	counts := scheduled(t, replicas[0], by, v)
	for email, n := range counts {
		if n != 1 {
			t.Errorf("%s asked %d times", email, n)
		}
	}
	fires, _, err := replicas[0].Fires(ctx, by, v.ID.String(), store.Page{Limit: 50})
	ok(t, err)
	if len(counts) != 100 || len(fires) != 1 || fires[0].Asked != 100 || fires[0].State != "done" {
		t.Errorf("%d people, %+v", len(counts), fires)
	}
}

// TestFollowOns: an answer that matches plans another survey once; an edit calls
// it off and plans it again, and so does a deletion; what is imported asks
// nobody.
func TestFollowOns(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-22T09:00:00Z")
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		clock.Set(t, "2026-11-22T09:00:00Z")
		by := storetest.Default(t, s)
		mustSurvey(t, s, by, "chat", func(v *survey.Survey) { v.Key = "first"; v.Rules.QuietPeriod = "0s" })
		v := mustSurvey(t, s, by, "after", func(v *survey.Survey) {
			v.Template = "ces"
			v.Trigger = survey.Trigger{Type: survey.OnResponse, Survey: "first", Delay: "60d", When: survey.When{"score": {Max: pointer(6)}}}
		})
		say := func(who string, score int) survey.Response {
			r, _, err := s.CreateResponse(ctx, by, store.NewResponse{Survey: "first", Score: &score, ExternalID: who,
				Customer: survey.Customer{ExternalID: who, Email: pointer(who + "@example.com")}})
			ok(t, err)
			return r
		}
		planned := func() (out []string) {
			list, _, err := s.Invitations(ctx, by, store.InvitationFilter{Survey: v.ID.String()}, store.Page{Limit: 50})
			ok(t, err)
			for _, one := range slices.Backward(list) {
				out = append(out, one.Email[:1]+" "+string(one.State)+" "+one.Reason)
			}
			return out
		}
		want := func(what string, list ...string) {
			t.Helper()
			if got := planned(); !slices.Equal(got, list) {
				t.Errorf("%s: %q, want %q", what, got, list)
			}
		}
		a, b := say("a", 6), say("b", 7)
		say("a", 6) // told again
		want("answers", "a scheduled ")
		list, _, err := s.Invitations(ctx, by, store.InvitationFilter{Survey: v.ID.String()}, store.Page{Limit: 50})
		ok(t, err)
		if due := clock.Instant().Add(60 * 24 * time.Hour); list[0].SendAt != due || list[0].Touchpoint != "after" {
			t.Errorf("%+v, want at %s", list[0], due)
		}
		edit := func(r survey.Response, score int) {
			_, _, err := s.ChangeResponse(ctx, by, r.ID, func(c *store.ResponseChange) error { c.Score = &score; return nil })
			ok(t, err)
		}
		edit(b, 3)
		want("b unhappy after all", "a scheduled ", "b scheduled ")
		edit(a, 9)
		want("a happy after all", "a cancelled answer_changed", "b scheduled ")
		edit(a, 2)
		edit(a, 1)
		want("a unhappy again", "a cancelled answer_changed", "b scheduled ", "a scheduled ")
		ok(t, s.DeleteResponse(ctx, by, b.ID))
		want("b deleted", "a cancelled answer_changed", "b cancelled response_deleted", "a scheduled ")

		record(t, s, by, chat("p@example.com")) // answers on the page
		claims, err := s.ClaimDue(ctx, 10, lease)
		ok(t, err)
		mails, err := s.StartSending(ctx, claims, plainID)
		ok(t, err)
		ok(t, s.Sent(ctx, claims...))
		token := mails[0].Token
		_, err = s.Answer(ctx, token, storetest.Says(store.Reply{Score: pointer(0)}))
		ok(t, err)
		want("on the page", "a cancelled answer_changed", "b cancelled response_deleted", "a scheduled ", "p scheduled ")
		_, err = s.Answer(ctx, token, storetest.Says(store.Reply{Score: pointer(10)}))
		ok(t, err)
		want("on the page, changed", "a cancelled answer_changed", "b cancelled response_deleted", "a scheduled ", "p cancelled answer_changed")

		_, err = s.PatchSurvey(ctx, by, "first", 0, func(w survey.Survey) (survey.Survey, error) {
			w.Trigger = survey.Trigger{Type: survey.OnResponse, Survey: "first"}
			return w, nil
		})
		refused(t, err, survey.Invalid, "trigger.survey")
		_, err = s.PatchSurvey(ctx, by, v.ID.String(), 0, func(w survey.Survey) (survey.Survey, error) {
			w.Trigger.When = survey.When{"mood": {Max: pointer(6)}}
			return w, nil
		})
		refused(t, err, survey.Invalid, "trigger.when.mood")
		_, err = s.PatchSurvey(ctx, by, "first", 0, func(w survey.Survey) (survey.Survey, error) { w.Key = "renamed"; return w, nil })
		refused(t, err, survey.Conflict, "key")
		_, err = s.PatchSurvey(ctx, by, v.ID.String(), 0, func(w survey.Survey) (survey.Survey, error) {
			w.Trigger.Survey = "nowhere"
			return w, nil
		})
		refused(t, err, survey.Invalid, "trigger.survey")
	}, clock.Use)
}

// TestManyFiresOfOneWorkspaceHoldUpNobodyElse: a hundred that go on for long are
// older than another's.
func TestManyFiresOfOneWorkspaceHoldUpNobodyElse(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-22T23:00:00Z")
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		clock.Set(t, "2026-11-22T23:00:00Z")
		by, other := storetest.Default(t, s), storetest.Other(t, s, "other")
		for i := range 110 {
			daily(t, s, by, func(v *survey.Survey) { v.Trigger.Audience = nil; v.Name = fmt.Sprint(i) })
		}
		clock.Advance(time.Minute)
		v := daily(t, s, other, func(v *survey.Survey) {
			v.Trigger.Every, v.Trigger.Timezone = "1d", "UTC"
			v.Trigger.Cron = "1 0 * * *"
		})
		customers(t, s, other, 0, 3)
		clock.Set(t, "2026-11-23T00:02:00Z")
		for range 2 { // a hundred at a time
			_, _, err := s.FireDue(ctx, 6*time.Hour)
			ok(t, err)
		}
		_, err := s.AskShares(ctx)
		ok(t, err)
		if asked := scheduled(t, s, other, v); len(asked) != 2 {
			t.Errorf("%d people asked, want 2", len(asked))
		}
	}, clock.Use)
}
