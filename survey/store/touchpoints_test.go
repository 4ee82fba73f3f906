package store_test

import (
	"strings"
	"testing"

	"koe/survey"
	"koe/survey/store"
	"koe/survey/store/storetest"
)

func TestTouchpoints(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-22T09:00:00Z")
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		made, err := s.CreateTouchpoint(ctx, by, store.Touchpoint{Key: "desk", Name: "受付 🛎️ استقبال"})
		ok(t, err)
		if made.Revision != 1 || made.CreatedAt != clock.Instant() || made.UpdatedAt != clock.Instant() {
			t.Errorf("made %+v", made)
		}
		shown, err := s.Touchpoint(ctx, by, "desk")
		ok(t, err)
		if shown != made {
			t.Errorf("shown %+v, made %+v", shown, made)
		}
		_, err = s.CreateTouchpoint(ctx, by, store.Touchpoint{Key: "desk"})
		refused(t, err, survey.Conflict, "key")
		unnamed, err := s.CreateTouchpoint(ctx, by, store.Touchpoint{Key: "chat"})
		ok(t, err)
		if unnamed.Name != "chat" {
			t.Errorf("a touchpoint without a name is called %q", unnamed.Name)
		}

		clock.Advance(1e9)
		put, created, err := s.PutTouchpoint(ctx, by, store.Touchpoint{Key: "desk", Name: "Desk"}, 1)
		ok(t, err)
		if created || put.Revision != 2 || put.ID != made.ID || put.CreatedAt != made.CreatedAt || put.UpdatedAt != clock.Instant() {
			t.Errorf("put: created %v, %+v", created, put)
		}
		same, _, err := s.PutTouchpoint(ctx, by, store.Touchpoint{Key: "desk", Name: "Desk"}, 0)
		ok(t, err)
		if same != put {
			t.Errorf("the same again became %+v", same)
		}
		_, _, err = s.PutTouchpoint(ctx, by, store.Touchpoint{Key: "desk", Name: "Old"}, 1)
		refused(t, err, survey.Stale, "")
		_, _, err = s.PutTouchpoint(ctx, by, store.Touchpoint{Key: "new", Name: "New"}, 1)
		refused(t, err, survey.Stale, "")
		_, created, err = s.PutTouchpoint(ctx, by, store.Touchpoint{Key: "new", Name: "New"}, 0)
		ok(t, err)
		if !created {
			t.Error("not created")
		}
	}, clock.Use)
}

func TestTouchpointsRefuse(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		for _, key := range []string{"", "Desk", "a b", "-a", strings.Repeat("a", 64), "déjà"} {
			_, err := s.CreateTouchpoint(ctx, by, store.Touchpoint{Key: key})
			refused(t, err, survey.Invalid, "key")
		}
		for _, name := range []string{"a\x00", "a\nb", "\xff", strings.Repeat("名", 201)} {
			_, _, err := s.PutTouchpoint(ctx, by, store.Touchpoint{Key: "desk", Name: name}, 0)
			refused(t, err, survey.Invalid, "name")
		}
	})
}

func TestDeleteTouchpoint(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		refused(t, s.DeleteTouchpoint(ctx, by, "desk", 0), survey.NotFound, "")
		refused(t, s.DeleteTouchpoint(ctx, by, "desk", 1), survey.Stale, "")
		_, err := s.CreateTouchpoint(ctx, by, store.Touchpoint{Key: "desk"})
		ok(t, err)
		refused(t, s.DeleteTouchpoint(ctx, by, "desk", 2), survey.Stale, "")
		ok(t, s.DeleteTouchpoint(ctx, by, "desk", 1))
		_, err = s.Touchpoint(ctx, by, "desk")
		refused(t, err, survey.NotFound, "")

		v := aSurvey()
		v.Touchpoint = "used"
		_, err = s.CreateSurvey(ctx, by, v)
		ok(t, err)
		refused(t, s.DeleteTouchpoint(ctx, by, "used", 0), survey.Conflict, "")
	})
}
