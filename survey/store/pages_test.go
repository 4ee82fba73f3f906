package store_test

import (
	"encoding/base64"
	"fmt"
	"slices"
	"testing"

	"koe/survey"
	"koe/survey/store"
	"koe/survey/store/storetest"
)

func TestPagesAreStableUnderInserts(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-22T09:00:00Z")
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		for i := range 7 {
			if i == 3 {
				clock.Advance(1e9) // so that some share their instant and some do not
			}
			_, _, err := s.Suppress(ctx, by, fmt.Sprintf("p%d@example.com", i), survey.ByHand)
			ok(t, err)
		}
		whole, _, err := s.Suppressions(ctx, by, "", store.Page{Limit: 500})
		ok(t, err)
		var paged []survey.Suppression
		page := store.Page{Limit: 2}
		for n := 0; ; n++ {
			list, next, err := s.Suppressions(ctx, by, "", page)
			ok(t, err)
			paged = append(paged, list...)
			clock.Advance(1e9)
			_, _, err = s.Suppress(ctx, by, fmt.Sprintf("new%d@example.com", n), survey.ByHand)
			ok(t, err)
			if page.Cursor = next; next == "" {
				break
			}
		}
		if !slices.Equal(paged, whole) {
			t.Errorf("in pages %v\nat once  %v", paged, whole)
		}
	}, clock.Use)
}

func TestPagesByKey(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		for _, key := range []string{"d", "b", "f", "a"} {
			_, err := s.CreateTouchpoint(ctx, by, store.Touchpoint{Key: key})
			ok(t, err)
		}
		var keys []string
		page := store.Page{Limit: 2}
		for {
			list, next, err := s.Touchpoints(ctx, by, page)
			ok(t, err)
			for _, touchpoint := range list {
				keys = append(keys, touchpoint.Key)
			}
			// one behind the cursor shows up, one before it does not
			for _, key := range []string{"e", "a1"} {
				_, _, err = s.PutTouchpoint(ctx, by, store.Touchpoint{Key: key}, 0)
				ok(t, err)
			}
			if page.Cursor = next; next == "" {
				break
			}
		}
		if !slices.Equal(keys, []string{"a", "b", "d", "e", "f"}) {
			t.Errorf("keys %v", keys)
		}
	})
}

func TestLastPageHasNoCursor(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		list, next, err := s.Touchpoints(ctx, by, store.Page{Limit: 2})
		ok(t, err)
		if list == nil || len(list) != 0 || next != "" {
			t.Errorf("of none: %v, %q", list, next)
		}
		for _, key := range []string{"a", "b"} {
			_, err := s.CreateTouchpoint(ctx, by, store.Touchpoint{Key: key})
			ok(t, err)
		}
		list, next, err = s.Touchpoints(ctx, by, store.Page{Limit: 2})
		ok(t, err)
		if len(list) != 2 || next != "" {
			t.Errorf("of two: %v, %q", list, next)
		}
	})
}

func TestCursorsOfOthersAreRefused(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by, other := storetest.Default(t, s), storetest.Other(t, s, "other")
		for _, caller := range []store.Caller{by, other} {
			for range 2 {
				_, err := s.CreateSurvey(ctx, caller, aSurvey())
				ok(t, err)
			}
		}
		_, cursor, err := s.Surveys(ctx, by, store.SurveyFilter{}, store.Page{Limit: 1})
		ok(t, err)
		page := store.Page{Limit: 1, Cursor: cursor}
		_, _, err = s.Surveys(ctx, by, store.SurveyFilter{}, page)
		ok(t, err)
		_, _, err = s.Surveys(ctx, by, store.SurveyFilter{State: survey.Draft}, page)
		refused(t, err, survey.Invalid, "cursor")
		_, _, err = s.Surveys(ctx, other, store.SurveyFilter{}, page)
		refused(t, err, survey.Invalid, "cursor")
		_, _, err = s.Suppressions(ctx, by, "", page)
		refused(t, err, survey.Invalid, "cursor")
		_, _, err = s.Keys(ctx, by, page)
		refused(t, err, survey.Invalid, "cursor")
		_, _, err = s.TemplateVersions(ctx, by, "nps", page)
		refused(t, err, survey.Invalid, "cursor")

		bytes, err := base64.RawURLEncoding.DecodeString(cursor)
		ok(t, err)
		for i := range bytes {
			edited := slices.Clone(bytes)
			edited[i] ^= 1
			_, _, err = s.Surveys(ctx, by, store.SurveyFilter{}, store.Page{Limit: 1, Cursor: base64.RawURLEncoding.EncodeToString(edited)})
			refused(t, err, survey.Invalid, "cursor")
		}
		for _, made := range []string{"x", "!", cursor + "A", cursor[:10], "eyJpZCI6MX0", "\x00"} {
			_, _, err = s.Surveys(ctx, by, store.SurveyFilter{}, store.Page{Limit: 1, Cursor: made})
			refused(t, err, survey.Invalid, "cursor")
		}
	})
}

func TestLimits(t *testing.T) {
	s := storetest.Open(t, storetest.SQLite(t))
	by := storetest.Default(t, s)
	for _, limit := range []int{-1, 0, 501} {
		_, _, err := s.Templates(ctx, by, store.Page{Limit: limit})
		refused(t, err, survey.Invalid, "limit")
	}
	_, _, err := s.Templates(ctx, by, store.Page{Limit: 500})
	ok(t, err)
}
