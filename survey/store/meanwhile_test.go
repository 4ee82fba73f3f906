package store_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"koe/survey"
	"koe/survey/store"
	"koe/survey/store/storetest"
)

// What happens while something else happens.

func TestAnAnswerBeforeAPassingFailureIsTheEnd(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-22T09:00:00Z")
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		defer clock.Set(t, "2026-11-22T09:00:00Z")
		by := storetest.Default(t, s)
		mustSurvey(t, s, by, "chat", nil)
		id := *only(t, record(t, s, by, chat("a@example.com"))).Invitation
		c := claimOne(t, s)
		m, err := start(t.Context(), s, c)
		ok(t, err)
		_, err = s.Answer(t.Context(), m.Token, storetest.Says(store.Reply{Score: pointer(9)}))
		ok(t, err)
		ok(t, s.Retry(t.Context(), c, "450 later"))
		clock.Advance(time.Hour)
		claims, err := s.ClaimDue(t.Context(), 10, lease)
		ok(t, err)
		for _, c := range claims {
			if m, err := start(t.Context(), s, c); m != nil || err != nil {
				t.Errorf("sent again: %v, %v", m, err)
			}
		}
		if v := state(t, s, by, id); v.State != survey.InvitationAnswered {
			t.Errorf("state %s", v.State)
		}
	}, clock.Use)
}

func TestWhatWasClaimedBeforeAPauseWaits(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		v := mustSurvey(t, s, by, "chat", nil)
		record(t, s, by, chat("a@example.com"))
		c := claimOne(t, s)
		_, err := s.SetSurveyState(t.Context(), by, v.ID.String(), survey.Paused, 0)
		ok(t, err)
		if m, err := start(t.Context(), s, c); m != nil || err != nil {
			t.Fatalf("sent from a paused survey: %v, %v", m, err)
		}
		if claims, err := s.ClaimDue(t.Context(), 10, lease); len(claims) != 0 || err != nil {
			t.Fatalf("claimed while paused: %v, %v", claims, err)
		}
		_, err = s.SetSurveyState(t.Context(), by, v.ID.String(), survey.Active, 0)
		ok(t, err)
		startOne(t, s)
	})
}

func TestReleasedClaimsAreDueAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		mustSurvey(t, s, by, "chat", nil)
		record(t, s, by, chat("a@example.com"))
		first := claimOne(t, s)
		ok(t, s.Release(t.Context(), first))
		if again := claimOne(t, s); again.Fence <= first.Fence {
			t.Errorf("fence %d after %d", again.Fence, first.Fence)
		}
	})
}

func TestOneAddressIsAskedOnceUnderManyNames(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		mustSurvey(t, s, by, "chat", byLink)
		for round := range 5 {
			var mu sync.Mutex
			asked := 0
			var wait sync.WaitGroup
			for i := range 4 {
				wait.Go(func() {
					in := chat(fmt.Sprintf("r%d@example.com", round))
					in.Customer.ExternalID = fmt.Sprintf("c-%d-%d", round, i)
					r, err := s.RecordInteraction(context.Background(), by, in)
					if err != nil {
						t.Error(err)
						return
					}
					if r.Decisions[0].Verdict == survey.Scheduled {
						mu.Lock()
						asked++
						mu.Unlock()
					}
				})
			}
			wait.Wait()
			if asked != 1 {
				t.Errorf("round %d: asked %d times", round, asked)
			}
		}
	})
}

func TestBatchesBesideEachOther(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		for i := range 3 {
			mustSurvey(t, s, by, fmt.Sprint("place-", i), nil)
		}
		var wait sync.WaitGroup
		for b := range 6 {
			wait.Go(func() {
				items := make([]store.Item, 60)
				for i := range items {
					who := (i*7 + b*13) % 80 // the same people in another order
					in := chat(fmt.Sprintf("p%d@example.com", who))
					in.Touchpoint = fmt.Sprint("place-", (i+b)%3)
					items[i].Interaction = in
				}
				outcomes, err := s.RecordInteractions(context.Background(), by, items)
				if err != nil || len(outcomes) != len(items) {
					t.Errorf("batch %d: %v", b, err)
				}
				for i, o := range outcomes {
					if o.Err != nil || o.Interaction.Touchpoint != items[i].Interaction.Touchpoint {
						t.Errorf("item %d: %+v", i, o)
					}
				}
			})
		}
		wait.Wait()
	})
}

func TestALongSegmentIsCutAndFolds(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		v := mustSurvey(t, s, by, "chat", func(v *survey.Survey) { v.Segments = []string{"agent"} })
		long := ""
		for i := range 1000 { // nothing that compression would shrink
			long += string(rune(0x4e00 + i*7%20000))
		}
		_, _, err := s.CreateResponse(t.Context(), by, store.NewResponse{Survey: v.ID.String(), Score: pointer(9),
			Attributes: survey.Attributes{"agent": survey.TextValue(long)}})
		ok(t, err)
		_, err = s.FoldTallies(t.Context())
		ok(t, err)
		if n, err := s.FoldTallies(t.Context()); n != 0 || err != nil {
			t.Errorf("left to fold: %d, %v", n, err)
		}
	})
}

func TestARepeatWithBlanksAroundItsID(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		v := mustSurvey(t, s, by, "chat", nil)
		for i, id := range []string{"r1", " r1 ", "r1\t"} {
			_, repeat, err := s.CreateResponse(t.Context(), by, store.NewResponse{Survey: v.ID.String(), Score: pointer(9),
				ExternalID: strings.TrimRight(id, "\t")})
			if err != nil || repeat != (i > 0) {
				t.Errorf("%q: repeat %v, %v", id, repeat, err)
			}
		}
	})
}

func TestFollowUpsOutliveTheTimeForChanges(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-22T09:00:00Z")
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		defer clock.Set(t, "2026-11-22T09:00:00Z")
		by := storetest.Default(t, s)
		mustSurvey(t, s, by, "chat", func(v *survey.Survey) { byLink(v); v.Rules.EditableFor = "0s" })
		token := only(t, record(t, s, by, chat("a@example.com"))).Token
		reply := func(r store.Reply) error {
			_, err := s.Answer(t.Context(), token, storetest.Says(r))
			return err
		}
		ok(t, reply(store.Reply{Score: pointer(9)}))
		clock.Advance(time.Hour)
		ok(t, reply(store.Reply{Answers: survey.Answers{"reason": "slow typist"}, Complete: true}))
		if kind := kindOf(reply(store.Reply{Answers: survey.Answers{"reason": "another"}, Complete: true})); kind != survey.Conflict {
			t.Errorf("a second comment: %q", kind)
		}
		if kind := kindOf(reply(store.Reply{Score: pointer(1)})); kind != survey.Conflict {
			t.Errorf("another score: %q", kind)
		}
	}, clock.Use)
}

func TestAnUncertainMailIsReminded(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-22T09:00:00Z")
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		defer clock.Set(t, "2026-11-22T09:00:00Z")
		by := storetest.Default(t, s)
		mustSurvey(t, s, by, "chat", func(v *survey.Survey) { v.Rules.Reminders = []survey.Duration{"3d"} })
		record(t, s, by, chat("a@example.com"))
		ok(t, s.Uncertain(t.Context(), startOne(t, s), "connection lost"))
		clock.Advance(3 * 24 * time.Hour)
		ok(t, s.Sent(t.Context(), startOne(t, s)))
	}, clock.Use)
}
