package store_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"koe/survey"
	"koe/survey/store"
	"koe/survey/store/storetest"
)

func TestSuppressions(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-22T09:00:00Z")
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		made, created, err := s.Suppress(ctx, by, "  Ana@Bücher.Example ", survey.ByHand)
		ok(t, err)
		if !created || made.Email != "ana@xn--bcher-kva.example" || made.Reason != survey.ByHand || made.CreatedAt != clock.Instant() {
			t.Errorf("created %v, %+v", created, made)
		}
		again, created, err := s.Suppress(ctx, by, "ana@bücher.example", survey.Bounced)
		ok(t, err)
		if created || again != made {
			t.Errorf("again: created %v, %+v", created, again)
		}
		shown, err := s.Suppression(ctx, by, made.ID)
		ok(t, err)
		if shown != made {
			t.Errorf("shown %+v", shown)
		}
		clock.Advance(1e9)
		bo, _, err := s.Suppress(ctx, by, "bo@example.com", survey.Unsubscribed)
		ok(t, err)
		list, next, err := s.Suppressions(ctx, by, "", store.Page{Limit: 10})
		ok(t, err)
		if len(list) != 2 || list[0] != bo || list[1] != made || next != "" {
			t.Errorf("list %+v, %q", list, next)
		}
		list, _, err = s.Suppressions(ctx, by, "BO@example.com", store.Page{Limit: 10})
		ok(t, err)
		if len(list) != 1 || list[0] != bo {
			t.Errorf("of one address: %+v", list)
		}
		ok(t, s.Unsuppress(ctx, by, made.ID))
		refused(t, s.Unsuppress(ctx, by, made.ID), survey.NotFound, "")
		_, err = s.Suppression(ctx, by, made.ID)
		refused(t, err, survey.NotFound, "")
		_, created, err = s.Suppress(ctx, by, "ana@bücher.example", survey.Complained)
		ok(t, err)
		if !created {
			t.Error("cannot be suppressed again")
		}
	}, clock.Use)
}

func TestSuppressionsRefuse(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		for _, email := range []string{"", "ana", "ana@example.com\r\nBcc: bo@example.com", "Ana <ana@example.com>", "a@b@c"} {
			_, _, err := s.Suppress(ctx, by, email, survey.ByHand)
			refused(t, err, survey.Invalid, "email")
		}
		_, _, err := s.Suppress(ctx, by, "ana@example.com", "annoyed")
		refused(t, err, survey.Invalid, "reason")
		_, _, err = s.Suppressions(ctx, by, "ana", store.Page{Limit: 10})
		refused(t, err, survey.Invalid, "email")
	})
}

// TestWhatSomebodySaidOutweighs a bounce and what was entered by hand, by
// whatever way it comes; never the other way round, and a webhook is told once.
func TestWhatSomebodySaidOutweighs(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-22T09:00:00Z")
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		w := aWebhook(t, s, by)
		reasons := []survey.SuppressionReason{survey.Unsubscribed, survey.Complained, survey.Bounced, survey.ByHand}
		told := 0
		for i, first := range reasons {
			for j, then := range reasons {
				for _, way := range []string{"call", "import"} {
					address := fmt.Sprintf("%s%d%d@example.com", way, i, j)
					made, _, err := s.Suppress(ctx, by, address, first)
					ok(t, err)
					clock.Advance(time.Second)
					wanted, up := first, i >= 2 && j < 2
					if up {
						wanted = then
					}
					var fresh bool
					if way == "call" {
						_, fresh, err = s.Suppress(ctx, by, address, then)
						if up && then == survey.Unsubscribed {
							told++
						}
					} else {
						var n int
						n, err = s.ImportSuppressions(ctx, by, []survey.Suppression{{Email: address, Reason: then, CreatedAt: made.CreatedAt.Add(-time.Hour)}})
						fresh = n == 1
					}
					ok(t, err)
					if first == survey.Unsubscribed {
						told++
					}
					kept, err := s.Suppression(ctx, by, made.ID)
					ok(t, err)
					if fresh != up || kept.Reason != wanted || kept.Email != address || (way == "call" && up) != (kept.CreatedAt > made.CreatedAt) {
						t.Errorf("%s: %s, then %s: %+v, fresh %v", way, first, then, kept, fresh)
					}
				}
			}
		}
		list, _, err := s.Deliveries(ctx, by, w.ID, store.Page{Limit: 100})
		ok(t, err)
		if len(list) != told {
			t.Errorf("a webhook was told of %d, want %d", len(list), told)
		}
	}, clock.Use)
}

// TestUnsubscribingAfterABounce by the link of a mail, and of somebody who was
// erased: the address stays away, the reason does not.
func TestUnsubscribingAfterABounce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		w := aWebhook(t, s, by)
		mustSurvey(t, s, by, "chat", byLink)
		var tokens []string
		for _, address := range []string{"a@example.com", "b@example.com"} {
			tokens = append(tokens, only(t, record(t, s, by, chat(address))).Token)
			_, _, err := s.Suppress(ctx, by, address, survey.Bounced)
			ok(t, err)
		}
		for range 2 {
			ok(t, s.Unsubscribe(ctx, tokens[0]))
		}
		list, _, err := s.Suppressions(ctx, by, "a@example.com", store.Page{Limit: 5})
		ok(t, err)
		if len(list) != 1 || list[0].Reason != survey.Unsubscribed {
			t.Errorf("%+v", list)
		}
		told, _, err := s.Deliveries(ctx, by, w.ID, store.Page{Limit: 20})
		ok(t, err)
		told = slices.DeleteFunc(told, func(d store.Delivery) bool { return d.Event != survey.EventPersonUnsubscribed })
		if len(told) != 1 || *told[0].SubjectID != list[0].ID {
			t.Errorf("told of %+v", told)
		}
		people, _, err := s.People(ctx, by, store.PersonFilter{Email: "b@example.com"}, store.Page{Limit: 5})
		ok(t, err)
		ok(t, s.ErasePerson(ctx, by, people[0].ID.String()))
		gone, fresh, err := s.Suppress(ctx, by, "b@example.com", survey.Unsubscribed)
		ok(t, err)
		if !fresh || gone.Email != "" || gone.Reason != survey.Unsubscribed {
			t.Errorf("erased: %+v, fresh %v", gone, fresh)
		}
	})
}
