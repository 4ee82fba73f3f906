package store_test

import (
	"strings"
	"sync"
	"testing"

	"koe/survey"
	"koe/survey/store"
	"koe/survey/store/storetest"
)

func TestKeys(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-22T09:00:00Z")
	storetest.EachEmpty(t, func(t *testing.T, url string) {
		s := storetest.Open(t, url, clock.Use)
		by := storetest.Default(t, s)
		key, secret, err := s.CreateKey(ctx, by, " 店のバックエンド ", store.Sender)
		ok(t, err)
		if !strings.HasPrefix(secret, "koe_") || len(secret) != 47 {
			t.Errorf("a secret like %q", secret)
		}
		if key.Name != "店のバックエンド" || key.Role != store.Sender || key.Workspace != "default" || key.CreatedAt != clock.Instant() {
			t.Errorf("got %+v", key)
		}
		caller, err := s.Authenticate(ctx, secret)
		ok(t, err)
		if caller.Workspace != by.Workspace || caller.KeyID != key.ID || caller.KeyName != key.Name || caller.Role != store.Sender {
			t.Errorf("the secret is of %+v", caller)
		}
		shown, err := s.Key(ctx, by, key.ID)
		ok(t, err)
		if shown != key {
			t.Errorf("shown as %+v, made as %+v", shown, key)
		}
		for _, wrong := range []string{"", "koe_", secret + "x", secret[:46], strings.ToUpper(secret), "koe_\x00"} {
			_, err := s.Authenticate(ctx, wrong)
			refused(t, err, survey.Unauthorized, "")
		}
		if kept := texts(t, raw(t, url), `SELECT COUNT(*) FROM api_keys WHERE name LIKE '%koe_%' OR settings <> '{}'`); kept[0] != "0" {
			t.Error("more than a hash is kept")
		}

		ok(t, s.RevokeKey(ctx, by, key.ID))
		_, err = s.Authenticate(ctx, secret)
		refused(t, err, survey.Unauthorized, "")
		clock.Advance(1e9)
		ok(t, s.RevokeKey(ctx, by, key.ID)) // once more changes nothing
		shown, err = s.Key(ctx, by, key.ID)
		ok(t, err)
		if shown.RevokedAt == nil || *shown.RevokedAt != key.CreatedAt {
			t.Errorf("revoked at %v", shown.RevokedAt)
		}
	})
}

func TestKeysRefuse(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		_, _, err := s.CreateKey(ctx, by, "  ", store.Admin)
		refused(t, err, survey.Invalid, "name")
		_, _, err = s.CreateKey(ctx, by, "two\nlines", store.Admin)
		refused(t, err, survey.Invalid, "name")
		_, _, err = s.CreateKey(ctx, by, "x", "owner")
		refused(t, err, survey.Invalid, "role")
		refused(t, s.RevokeKey(ctx, by, survey.ID{1}), survey.NotFound, "")
		_, _, err = s.CreateKey(ctx, store.Caller{Workspace: 77}, "x", store.Admin)
		refused(t, err, survey.NotFound, "")
	})
}

func TestLastAdminKeyStays(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		one, _, err := s.CreateKey(ctx, by, "one", store.Admin)
		ok(t, err)
		viewer, _, err := s.CreateKey(ctx, by, "viewer", store.Viewer)
		ok(t, err)
		refused(t, s.RevokeKey(ctx, by, one.ID), survey.Conflict, "")
		ok(t, s.RevokeKey(ctx, by, viewer.ID))
		two, _, err := s.CreateKey(ctx, by, "two", store.Admin)
		ok(t, err)
		// each revokes the other at the same time: one of them stays
		ids := []survey.ID{one.ID, two.ID}
		oneWins(t, atOnce(2, func(i int) error { return s.RevokeKey(ctx, by, ids[i]) }), "")
	})
}

func TestAdoptKey(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by, other := storetest.Default(t, s), storetest.Other(t, s, "other")
		const secret = "sixteen letters!"
		_, err := s.AdoptKey(ctx, by.Workspace, "KOE_ADMIN_KEY", "fifteen letters", store.Admin)
		refused(t, err, survey.Invalid, "key")
		added, err := s.AdoptKey(ctx, by.Workspace, "KOE_ADMIN_KEY", secret, store.Admin)
		ok(t, err)
		if !added {
			t.Error("was not added")
		}
		caller, err := s.Authenticate(ctx, secret)
		ok(t, err)
		if caller.Role != store.Admin || caller.Workspace != by.Workspace {
			t.Errorf("got %+v", caller)
		}
		if added, err = s.AdoptKey(ctx, by.Workspace, "again", secret, store.Viewer); err != nil || added {
			t.Errorf("again: %v, %v", added, err)
		}
		_, err = s.AdoptKey(ctx, other.Workspace, "theirs", secret, store.Admin)
		refused(t, err, survey.Conflict, "key")

		_, _, err = s.CreateKey(ctx, by, "another admin", store.Admin)
		ok(t, err)
		ok(t, s.RevokeKey(ctx, by, caller.KeyID))
		if added, err = s.AdoptKey(ctx, by.Workspace, "back", secret, store.Admin); err != nil || added {
			t.Errorf("a revoked key came back: %v, %v", added, err)
		}
		_, err = s.Authenticate(ctx, secret)
		refused(t, err, survey.Unauthorized, "")
	})
}

func TestReplayedKeyHasNoSecret(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		by.Once = once("k", "key")
		key, secret, err := s.CreateKey(ctx, by, "one", store.Viewer)
		ok(t, err)
		resource, found, err := s.Remembered(ctx, by)
		ok(t, err)
		if !found || resource != key.ID.String() || strings.Contains(resource, secret) {
			t.Errorf("remembers %q", resource)
		}
	})
}

// Of replicas that start together one makes the first key, and none does where
// a key works.
func TestFirstKey(t *testing.T) {
	storetest.EachEmpty(t, func(t *testing.T, url string) {
		replicas := []*store.Store{storetest.Open(t, url), storetest.Open(t, url)}
		by := storetest.Default(t, replicas[0])
		by.Role = store.Admin
		var starts sync.WaitGroup
		secrets := make(chan string, 8)
		for i := range cap(secrets) {
			starts.Go(func() {
				secret, err := replicas[i%2].FirstKey(ctx, by, "first start")
				if err != nil {
					t.Error(err)
				}
				secrets <- secret
			})
		}
		starts.Wait()
		close(secrets)
		made := ""
		for secret := range secrets {
			if secret != "" && made != "" {
				t.Error("two first keys")
			}
			made += secret
		}
		caller, err := replicas[1].Authenticate(ctx, made)
		if ok(t, err); caller.Role != store.Admin || caller.KeyName != "first start" {
			t.Errorf("the key is of %+v", caller)
		}
		if keys, _, err := replicas[0].Keys(ctx, by, store.Page{Limit: 10}); err != nil || len(keys) != 1 {
			t.Errorf("%d keys, %v", len(keys), err)
		}
	})
}
