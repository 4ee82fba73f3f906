package store_test

import (
	"errors"
	"testing"

	"koe/survey"
	"koe/survey/store"
	"koe/survey/store/storetest"
)

func TestDefaultWorkspaceIsMadeOnce(t *testing.T) {
	storetest.EachEmpty(t, func(t *testing.T, url string) {
		s, err := store.Open(ctx, url, store.Options{Secret: make([]byte, 32), Stock: storetest.Stock(), Timezone: "Asia/Tokyo"})
		ok(t, err)
		defer s.Close()
		ok(t, s.Migrate(ctx))
		made := 0
		for _, err := range atOnce(8, func(int) error {
			_, fresh, err := s.EnsureDefault(ctx)
			if fresh {
				made++ // the database lets one alone through
			}
			return err
		}) {
			ok(t, err)
		}
		if made != 1 {
			t.Errorf("%d were told that it is fresh", made)
		}
		w, fresh, err := s.EnsureDefault(ctx)
		ok(t, err)
		if fresh || w.Key != "default" || w.Timezone != "Asia/Tokyo" || w.QuietPeriod != "30d" || w.CreatedAt == 0 {
			t.Errorf("fresh %v, %+v", fresh, w)
		}
		list, _, err := s.Templates(ctx, store.Caller{Workspace: w.ID}, store.Page{Limit: 50})
		ok(t, err)
		if len(list) != len(storetest.Stock()) {
			t.Errorf("%d stock templates", len(list))
		}
	})
}

func TestWorkspacesHaveTheirOwnStock(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		one := storetest.Default(t, s)
		for _, err := range atOnce(5, func(i int) error {
			_, err := s.CreateWorkspace(ctx, survey.NewWorkspace(string(rune('a'+i)), "W", "UTC"))
			return err
		}) {
			ok(t, err)
		}
		ok(t, s.ArchiveTemplate(ctx, one, "nps", 0))
		w, err := s.FindWorkspace(ctx, "c")
		ok(t, err)
		record, err := s.Template(ctx, store.Caller{Workspace: w.ID}, "nps")
		ok(t, err)
		if record.ArchivedAt != nil {
			t.Error("archived in a workspace of its own")
		}
		_, err = s.FindWorkspace(ctx, "z")
		refused(t, err, survey.NotFound, "")
		_, err = s.CreateWorkspace(ctx, survey.NewWorkspace("Bad Key", "W", "UTC"))
		refused(t, err, survey.Invalid, "key")
	})
}

func TestPatchWorkspace(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-22T09:00:00Z")
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		before, err := s.Workspace(ctx, by)
		ok(t, err)
		clock.Advance(1e9)
		after, err := s.PatchWorkspace(ctx, by, func(w *survey.Workspace) error {
			w.Name, w.SenderName, w.ReplyTo, w.QuietPeriod = "お店 🏪", "Ana", "ANA@Example.com", "2w"
			w.ID, w.Key, w.CreatedAt = 99, "stolen", 1
			return nil
		})
		ok(t, err)
		want := before
		want.Name, want.SenderName, want.ReplyTo, want.QuietPeriod = "お店 🏪", "Ana", "ANA@example.com", "2w"
		want.ReplyTo = "ana@example.com"
		want.UpdatedAt = clock.Instant()
		if after != want {
			t.Errorf("got  %+v\nwant %+v", after, want)
		}
		kept, err := s.Workspace(ctx, by)
		ok(t, err)
		if kept != want {
			t.Errorf("kept %+v\nwant %+v", kept, want)
		}
		_, err = s.PatchWorkspace(ctx, by, func(w *survey.Workspace) error { w.Timezone = "Mars/Olympus"; return nil })
		refused(t, err, survey.Invalid, "timezone")
		mine := errors.New("mine")
		if _, err = s.PatchWorkspace(ctx, by, func(*survey.Workspace) error { return mine }); !errors.Is(err, mine) {
			t.Errorf("got %v", err)
		}
		clock.Advance(1e9)
		same, err := s.PatchWorkspace(ctx, by, func(*survey.Workspace) error { return nil })
		ok(t, err)
		if same != want {
			t.Error("a patch of nothing changed something")
		}
		_, err = s.PatchWorkspace(ctx, store.Caller{Workspace: 77}, func(*survey.Workspace) error { return nil })
		refused(t, err, survey.NotFound, "")
	}, clock.Use)
}
