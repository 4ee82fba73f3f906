package store_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"koe/survey"
	"koe/survey/store"
	"koe/survey/store/storetest"
)

func aWebhook(t *testing.T, s *store.Store, by store.Caller) survey.Webhook {
	t.Helper()
	w, secret, err := s.CreateWebhook(ctx, by, survey.Webhook{URL: "https://example.com/koe", Events: survey.Events()})
	ok(t, err)
	if secret == "" {
		t.Fatal("no secret")
	}
	return w
}

// respond keeps n answers, each of which a webhook is to be told of.
func respond(t *testing.T, s *store.Store, by store.Caller, n int) {
	t.Helper()
	v := mustSurvey(t, s, by, "chat", byLink)
	for i := range n {
		_, _, err := s.CreateResponse(ctx, by, store.NewResponse{Survey: v.ID.String(), Score: pointer(i % 11),
			Customer: survey.Customer{ExternalID: fmt.Sprintf("c-%d", i)}})
		ok(t, err)
	}
}

// Claims of several processes at once never meet.
func TestEachDeliveryIsClaimedOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		aWebhook(t, s, by)
		respond(t, s, by, 41)
		var mu sync.Mutex
		claimed := map[survey.ID]int{}
		for _, err := range atOnce(8, func(int) error {
			for {
				some, err := s.ClaimDeliveries(ctx, 5, 5, nil, time.Minute)
				if err != nil || len(some) == 0 {
					return err
				}
				mu.Lock()
				for _, d := range some {
					claimed[d.ID]++
				}
				mu.Unlock()
			}
		}) {
			ok(t, err)
		}
		for id, n := range claimed {
			if n != 1 {
				t.Errorf("%s was claimed %d times", id, n)
			}
		}
		if left, err := s.ClaimDeliveries(ctx, 50, 50, nil, time.Minute); err != nil || len(claimed)+len(left) != 41 || len(left) > 0 {
			t.Errorf("%d claimed, %d left, %v", len(claimed), len(left), err)
		}
	})
}

// A process that slept through its lease cannot undo what another did since.
func TestALateNoteIsFencedOff(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		w := aWebhook(t, s, by)
		respond(t, s, by, 1)
		claim := func() store.Dispatch {
			t.Helper()
			some, err := s.ClaimDeliveries(ctx, 5, 5, nil, -time.Second) // its lease is over already
			ok(t, err)
			if len(some) != 1 {
				t.Fatalf("%d claims", len(some))
			}
			return some[0]
		}
		slept := claim()
		n, err := s.SettleDeliveries(ctx, false)
		ok(t, err)
		if n != 1 {
			t.Fatalf("%d were settled", n)
		}
		awake := claim()
		if awake.ID != slept.ID || awake.Fence == slept.Fence {
			t.Fatalf("claims %+v and %+v", slept, awake)
		}
		_, err = s.NoteDelivery(ctx, slept, store.Tried{Status: 500, Error: "late"})
		ok(t, err)
		ok(t, s.ReleaseDelivery(ctx, slept))
		state := func(want string, attempts int) {
			t.Helper()
			list, _, err := s.Deliveries(ctx, by, w.ID, store.Page{Limit: 5})
			ok(t, err)
			if len(list) != 1 || list[0].State != want || list[0].Attempts != attempts {
				t.Fatalf("deliveries %+v, want %s after %d", list, want, attempts)
			}
		}
		state("claimed", 0)
		_, err = s.NoteDelivery(ctx, awake, store.Tried{Status: 200})
		ok(t, err)
		state("delivered", 1)
		_, err = s.NoteDelivery(ctx, awake, store.Tried{Status: 500, Error: "again"})
		ok(t, err)
		state("delivered", 1)
	})
}

// Erasing calls off what waits, and nobody's webhook tells of others.
func TestWebhooksOfPeopleAndTenants(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		mine, theirs := storetest.Default(t, s), storetest.Other(t, s, "other")
		my, their := aWebhook(t, s, mine), aWebhook(t, s, theirs)
		respond(t, s, mine, 2)
		list, _, err := s.Deliveries(ctx, mine, my.ID, store.Page{Limit: 5})
		ok(t, err)
		if len(list) != 2 {
			t.Fatalf("%d deliveries", len(list))
		}
		if none, _, err := s.Deliveries(ctx, theirs, their.ID, store.Page{Limit: 5}); err != nil || len(none) != 0 {
			t.Errorf("another workspace is told of %+v, %v", none, err)
		}
		for name, foreign := range map[string]func() error{
			"show": func() error { _, err := s.Webhook(ctx, theirs, my.ID); return err },
			"list": func() error { _, _, err := s.Deliveries(ctx, theirs, my.ID, store.Page{Limit: 5}); return err },
			"change": func() error {
				_, err := s.ChangeWebhook(ctx, theirs, my.ID, func(*survey.Webhook) error { return nil })
				return err
			},
			"rotate":    func() error { _, _, err := s.RotateWebhook(ctx, theirs, my.ID); return err },
			"test":      func() error { _, err := s.TestWebhook(ctx, theirs, my.ID); return err },
			"redeliver": func() error { _, err := s.Redeliver(ctx, theirs, their.ID, list[0].ID); return err },
			"delete":    func() error { return s.DeleteWebhook(ctx, theirs, my.ID) },
		} {
			t.Run(name, func(t *testing.T) { refused(t, foreign(), survey.NotFound, "") })
		}
		ok(t, s.ErasePerson(ctx, mine, "c-0"))
		if list, _, err = s.Deliveries(ctx, mine, my.ID, store.Page{Limit: 5}); err != nil || len(list) != 1 {
			t.Errorf("after erasing %+v, %v", list, err)
		}
		waiting, err := s.ClaimDeliveries(ctx, 5, 5, nil, time.Minute)
		ok(t, err)
		_, err = s.NoteDelivery(ctx, waiting[0], store.Tried{Status: 500, Error: "no"})
		ok(t, err)
		if w, err := s.Webhook(ctx, mine, my.ID); err != nil || w.FailingSince == nil {
			t.Errorf("after a failure %+v, %v", w, err)
		}
		moved, err := s.ChangeWebhook(ctx, mine, my.ID, func(w *survey.Webhook) error { w.URL = "https://other.example/koe"; return nil })
		if ok(t, err); moved.FailingSince != nil {
			t.Error("another address has failed before it was tried")
		}
		if g, err := s.DeliveryGauges(ctx); err != nil || g.InFlight != 0 || g.Paused != 0 {
			t.Errorf("gauges %+v, %v", g, err)
		}
	})
}
