package store_test

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"time"

	"koe/scoring"
	"koe/survey"
	"koe/survey/store"
	"koe/survey/store/storetest"
)

// A report is of one instant, whoever writes meanwhile: its groups add up to
// its total, and nobody is without a value where everybody has one.
func TestReportsBesideWriters(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		v := mustSurvey(t, s, by, "chat", func(v *survey.Survey) { v.Segments = []string{"plan"} })
		done := make(chan error)
		go func() {
			var err error
			for i := 0; i < 300 && err == nil; i++ {
				_, _, err = s.CreateResponse(ctx, by, store.NewResponse{Survey: v.ID.String(), Score: pointer(i % 11),
					Attributes: survey.Attributes{"plan": survey.TextValue(strconv.Itoa(i % 3))}})
			}
			done <- err
		}()
		query := store.ScoreQuery{ScoreFilter: store.ScoreFilter{Metric: scoring.NPS}, GroupBy: "attributes.plan", Spans: []store.Span{{}}}
		for reports := 0; ; reports++ {
			counted, err := s.Tally(ctx, by, query)
			ok(t, err)
			var sum scoring.Histogram
			for _, g := range counted.Groups {
				sum = sum.Add(g.Spans[0][0].Histogram)
				if g.Key == "" {
					t.Errorf("answers without a plan: %v", g.Spans[0])
				}
			}
			if total := counted.Spans[0][0].Histogram; sum != total {
				t.Fatalf("groups add up to %v, in all %v", sum, total)
			}
			select {
			case err := <-done:
				ok(t, err)
				if reports < 10 {
					t.Errorf("only %d reports", reports)
				}
				return
			default:
			}
		}
	})
}

// With as many reports as there are places, none of which ends, what a page
// needs is read and answers are kept; every report still sees what it began
// with, and another one waits for its place no longer than it is asked to.
func TestLongReportsLetPagesBe(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		v := mustSurvey(t, s, by, "chat", nil)
		answer := func() {
			t.Helper()
			_, _, err := s.CreateResponse(ctx, by, store.NewResponse{Survey: v.ID.String(), Score: pointer(9)})
			ok(t, err)
		}
		answer()
		meanwhile := func() {
			gone, stop := context.WithCancel(ctx)
			stop()
			if err := s.Report(gone, by, func(func() (int, error)) error { return nil }); !errors.Is(err, context.Canceled) {
				t.Errorf("one report too many: %v", err)
			}
			_, err := s.Survey(ctx, by, v.ID.String())
			ok(t, err)
			answer()
		}
		ok(t, besideReports(ctx, t, s, by, s.ReportsAtOnce(), meanwhile))
		ok(t, s.Report(ctx, by, func(responses func() (int, error)) error {
			n, err := responses()
			if n != 2 {
				t.Errorf("a later report sees %d responses", n)
			}
			return err
		}))
	})
}

// besideReports runs do while a number of reports have begun, each of which
// must see one response before and after.
func besideReports(ctx context.Context, t *testing.T, s *store.Store, by store.Caller, reports int, do func()) error {
	t.Helper()
	if reports == 0 {
		do()
		return nil
	}
	return s.Report(ctx, by, func(responses func() (int, error)) error {
		before, err := responses()
		if err != nil {
			return err
		}
		if err := besideReports(ctx, t, s, by, reports-1, do); err != nil {
			return err
		}
		after, err := responses()
		if before != 1 || after != 1 {
			t.Errorf("a report saw %d responses, then %d", before, after)
		}
		return err
	})
}

// While a segment is being counted its values are as many as they will be.
func TestTheCapHoldsWhileASegmentIsCounted(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		v := mustSurvey(t, s, by, "chat", nil)
		for i := range 510 {
			_, _, err := s.CreateResponse(ctx, by, store.NewResponse{Survey: v.ID.String(), Score: pointer(9),
				Attributes: survey.Attributes{"order": survey.TextValue(strconv.Itoa(i))}})
			ok(t, err)
		}
		_, err := s.PatchSurvey(ctx, by, v.ID.String(), 0, func(v survey.Survey) (survey.Survey, error) {
			v.Segments = []string{"order"}
			return v, nil
		})
		ok(t, err)
		query := store.ScoreQuery{ScoreFilter: store.ScoreFilter{Metric: scoring.NPS}, GroupBy: "attributes.order", Spans: []store.Span{{}}}
		during, err := s.Tally(ctx, by, query)
		ok(t, err)
		rebuilt(t, s)
		after, err := s.Tally(ctx, by, query)
		ok(t, err)
		if len(during.Groups) != 501 || len(after.Groups) != 501 || !during.Rebuilding || after.Rebuilding {
			t.Errorf("%d groups while rebuilding (%t), %d after (%t)", len(during.Groups), during.Rebuilding, len(after.Groups), after.Rebuilding)
		}
	})
}

// What an older koe kept has no strata until it is counted anew.
func TestScoresBeforeStrataAreThere(t *testing.T) {
	storetest.EachEmpty(t, func(t *testing.T, url string) {
		s := storetest.Open(t, url)
		l := newTeller(t, s)
		for range 40 {
			l.tell()
		}
		first, last, err := s.DataSpan(ctx, l.by, store.ScoreFilter{})
		ok(t, err)
		db := raw(t, url)
		for _, statement := range []string{`DELETE FROM strata`, `UPDATE responses SET stratum_id = 0`,
			`UPDATE workspaces SET rebuild_generation = tally_generation + 1, rebuild_segments = (1 = 1)`} {
			_, err := db.Exec(statement)
			ok(t, err)
		}
		from, to, err := s.DataSpan(ctx, l.by, store.ScoreFilter{})
		ok(t, err)
		if *from != *first || *to != *last {
			t.Errorf("data from %s to %s instead of %s to %s", from, to, first, last)
		}
		for range 10 {
			l.check(l.query())
		}
	})
}

// Clocks that are turned back over midnight do not take a day back.
func TestADayThatHasBegunStays(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		_, err := s.PatchWorkspace(ctx, by, func(w *survey.Workspace) error { w.Timezone = "America/St_Johns"; return nil })
		ok(t, err)
		v := mustSurvey(t, s, by, "chat", nil)
		at, err := survey.ParseInstant("2009-11-01T02:45:00Z") // 23:15 on the wall, for the second time
		ok(t, err)
		_, _, err = s.CreateResponse(ctx, by, store.NewResponse{Survey: v.ID.String(), Score: pointer(9), RespondedAt: &at})
		ok(t, err)
		zone, err := survey.LoadZone("America/St_Johns")
		ok(t, err)
		day, err := survey.ParseDay("2009-11-01")
		ok(t, err)
		from := survey.StartOf(day, zone)
		for _, to := range []survey.Instant{survey.StartOf(day+1, zone), at.Add(time.Minute)} {
			counted, err := s.Tally(ctx, by, store.ScoreQuery{ScoreFilter: store.ScoreFilter{Metric: scoring.NPS}, Spans: []store.Span{{From: &from, To: &to}}})
			ok(t, err)
			if n := counted.Spans[0][0].Histogram.N(); n != 1 {
				t.Errorf("%d answers by %s", n, counted.Source)
			}
		}
	})
}
