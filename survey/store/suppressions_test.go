package store_test

import (
	"testing"

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
