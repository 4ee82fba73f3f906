package store_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"koe/scoring"
	"koe/survey"
	"koe/survey/store"
	"koe/survey/store/storetest"
)

func TestDefaultWorkspaceIsMadeOnce(t *testing.T) {
	storetest.EachEmpty(t, func(t *testing.T, url string) {
		s, err := store.Open(ctx, url, store.Options{Secret: make([]byte, 32), Stock: storetest.Stock(), Timezone: "Asia/Tokyo"})
		ok(t, err)
		defer closed(t, s)
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
		want.Name, want.SenderName, want.ReplyTo, want.QuietPeriod = "お店 🏪", "Ana", "ana@example.com", "2w"
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

// A new time zone moves every answer to its day there, and the tallies with
// it: they count what the rows say, under the days that the new zone has.
func TestNewTimezoneCountsAnew(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-22T09:00:00Z")
	storetest.EachEmpty(t, func(t *testing.T, url string) {
		s := storetest.Open(t, url, clock.Use)
		by, other := storetest.Default(t, s), storetest.Other(t, s, "other")
		// 18:00 in London is the next day in Tokyo, 12:00 the same
		answers := map[string]int{"2026-11-19T18:00:00Z": 9, "2026-11-19T12:00:00Z": 0, "2026-11-20T18:00:00Z": 10}
		for _, caller := range []store.Caller{by, other} {
			v := mustSurvey(t, s, caller, "chat", func(v *survey.Survey) { v.Segments = []string{"plan"} })
			for at, score := range answers {
				instant, err := survey.ParseInstant(at)
				ok(t, err)
				_, _, err = s.CreateResponse(ctx, caller, store.NewResponse{Survey: v.ID.String(), Score: &score, RespondedAt: &instant,
					Attributes: survey.Attributes{"plan": survey.TextValue("プロ")}})
				ok(t, err)
			}
		}
		if _, err := s.FoldTallies(ctx); err != nil {
			t.Fatal(err)
		}
		tokyo, err := survey.LoadZone("Asia/Tokyo")
		ok(t, err)
		_, err = s.PatchWorkspace(ctx, by, func(w *survey.Workspace) error { w.Timezone = "Asia/Tokyo"; return nil })
		ok(t, err)
		before, err := s.Tally(ctx, by, store.ScoreQuery{ScoreFilter: store.ScoreFilter{Metric: scoring.NPS}, Spans: []store.Span{{}}})
		ok(t, err)
		if n := before.Spans[0][0].Histogram.N(); n != 3 || before.Source != "rows" || !before.Rebuilding {
			t.Errorf("meanwhile %d answers by %s, rebuilding %t", n, before.Source, before.Rebuilding)
		}
		rebuilt(t, s)
		db := raw(t, url)
		const nineteenth = 20776 // 2026-11-19
		if survey.Day(nineteenth).String() != "2026-11-19" {
			t.Fatal("the test does not know its days")
		}
		for _, test := range []struct {
			by       store.Caller
			zone     *time.Location
			day      survey.Day
			n, total int64
		}{
			{by, tokyo, nineteenth, 1, 3}, {by, tokyo, nineteenth + 1, 1, 3}, {by, tokyo, nineteenth + 2, 1, 3},
			{other, time.UTC, nineteenth, 2, 3}, {other, time.UTC, nineteenth + 1, 1, 3},
		} {
			from, to := survey.StartOf(test.day, test.zone), survey.StartOf(test.day+1, test.zone)
			counted, err := s.Tally(ctx, test.by, store.ScoreQuery{ScoreFilter: store.ScoreFilter{Metric: scoring.NPS},
				Spans: []store.Span{{From: &from, To: &to}, {}}})
			ok(t, err)
			day, total := counted.Spans[0][0].Histogram.N(), counted.Spans[1][0].Histogram.N()
			if day != test.n || total != test.total || counted.Source != "tallies" || counted.Rebuilding {
				t.Errorf("workspace %d, %s: %d answers of %d by %s, want %d of %d", test.by.Workspace, test.day, day, total, counted.Source, test.n, test.total)
			}
		}
		// every dimension was carried over, and nothing of the old count is left
		const sums = `SELECT workspace_id || ' ' || generation || ' ' || dimension || ' ' || value || ' ' || SUM(c0 + c9 + c10) FROM `
		const group = ` GROUP BY workspace_id, generation, dimension, value`
		if _, err := s.FoldTallies(ctx); err != nil {
			t.Fatal(err)
		}
		got := texts(t, db, sums+"tallies"+group)
		slices.Sort(got)
		want := []string{"1 2   3", "1 2 attributes.plan プロ 3", "1 2 channel api 3", "1 2 locale en 3",
			"2 1   3", "2 1 attributes.plan プロ 3", "2 1 channel api 3", "2 1 locale en 3"}
		if !slices.Equal(got, want) {
			t.Errorf("tallies %q\nwant    %q", got, want)
		}
		if left := texts(t, db, sums+"tally_deltas"+group); len(left) > 0 {
			t.Errorf("deltas left: %q", left)
		}
	})
}

// Whoever answers while the zone changes is counted in the one that came to be.
func TestTimezoneWhileAnswersComeIn(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-22T18:00:00Z")
	storetest.EachEmpty(t, func(t *testing.T, url string) {
		s := storetest.Open(t, url, clock.Use)
		by := storetest.Default(t, s)
		v := mustSurvey(t, s, by, "chat", nil)
		zones := []string{"Asia/Tokyo", "UTC"}
		for _, err := range atOnce(120, func(i int) error {
			if i%12 == 0 {
				_, err := s.PatchWorkspace(ctx, by, func(w *survey.Workspace) error { w.Timezone = zones[i/12%2]; return nil })
				return err
			}
			if i%7 == 0 {
				if _, err := s.Rebuild(ctx); err != nil {
					return err
				}
			}
			_, _, err := s.CreateResponse(ctx, by, store.NewResponse{Survey: v.ID.String(), Score: pointer(9), ExternalID: fmt.Sprint(i)})
			return err
		}) {
			ok(t, err)
		}
		rebuilt(t, s)
		w, err := s.Workspace(ctx, by)
		ok(t, err)
		zone, err := survey.LoadZone(w.Timezone)
		ok(t, err)
		day := survey.DayOf(clock.Instant(), zone)
		from, to := survey.StartOf(day, zone), survey.StartOf(day+1, zone)
		odd := to.Add(-time.Millisecond)
		for _, end := range []survey.Instant{to, odd} {
			counted, err := s.Tally(ctx, by, store.ScoreQuery{ScoreFilter: store.ScoreFilter{Metric: scoring.NPS}, Spans: []store.Span{{From: &from, To: &end}}})
			ok(t, err)
			if n := counted.Spans[0][0].Histogram.N(); n != 110 {
				t.Errorf("%s: %d of 110 answers", counted.Source, n)
			}
		}
	})
}

// rebuilt waits until every generation that was begun is the one that is read.
func rebuilt(t *testing.T, s *store.Store) {
	t.Helper()
	for range 1000 {
		more, err := s.Rebuild(ctx)
		ok(t, err)
		if !more {
			return
		}
	}
	t.Fatal("a rebuild does not end")
}
