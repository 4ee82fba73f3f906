package store_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"koe/scoring"
	"koe/survey"
	"koe/survey/store"
	"koe/survey/store/storetest"
)

// declare changes the segments of a survey.
func declare(t *testing.T, s *store.Store, by store.Caller, of string, segments ...string) {
	t.Helper()
	_, err := s.PatchSurvey(ctx, by, of, 0, func(v survey.Survey) (survey.Survey, error) {
		v.Segments = segments
		return v, nil
	})
	ok(t, err)
}

// accounts are people whose account was a declared segment: told of and asked
// by link and by mail, some of whom answered, some elsewhere.
type accounts struct {
	t     *testing.T
	s     *store.Store
	by    store.Caller
	names []string // the surveys
}

func newAccounts(t *testing.T, s *store.Store) *accounts {
	a := &accounts{t: t, s: s, by: storetest.Default(t, s)}
	for _, change := range []func(*survey.Survey){byLink, nil} {
		v := mustSurvey(t, s, a.by, "chat", func(v *survey.Survey) {
			if change != nil {
				change(v)
			}
			v.Segments, v.Rules.QuietPeriod = []string{"account", "plan"}, "0s"
		})
		a.names = append(a.names, v.ID.String())
	}
	for i := range 4 {
		attributes := survey.Attributes{"account": survey.TextValue(fmt.Sprint("qqaccount", i)), "plan": survey.TextValue("pro")}
		customer := survey.Customer{ExternalID: fmt.Sprint("a-", i), Email: pointer(fmt.Sprint("a", i, "@example.com"))}
		told := record(t, s, a.by, survey.Interaction{Touchpoint: "chat", Customer: customer, Attributes: attributes})
		if i%2 == 0 {
			for _, d := range told.Decisions {
				if d.Token != "" {
					_, err := s.Answer(ctx, d.Token, storetest.Says(store.Reply{Score: pointer(9)}))
					ok(t, err)
				}
			}
		}
		if i == 0 {
			startOne(t, s)
		}
		_, _, err := s.CreateResponse(ctx, a.by, store.NewResponse{Survey: a.names[0], Score: pointer(i), Customer: customer, Attributes: attributes})
		ok(t, err)
	}
	return a
}

func (a *accounts) declare(segments ...string) {
	for _, name := range a.names {
		declare(a.t, a.s, a.by, name, segments...)
	}
}

func (a *accounts) erase() {
	for i := range 4 {
		ok(a.t, a.s.ErasePerson(context.Background(), a.by, fmt.Sprint("a-", i)))
	}
}

// plans are the answers and the invitations of the plan that all have.
func (a *accounts) plans() string {
	a.t.Helper()
	f := store.ScoreFilter{Metric: scoring.NPS, Attributes: map[string]string{"plan": "pro"}}
	counted, err := a.s.Tally(ctx, a.by, store.ScoreQuery{ScoreFilter: f, Spans: make([]store.Span, 1)})
	ok(a.t, err)
	f.Metric = ""
	rated, err := a.s.Tally(ctx, a.by, store.ScoreQuery{ScoreFilter: f, Spans: make([]store.Span, 1), AnyMetric: true, Rates: true})
	ok(a.t, err)
	return fmt.Sprintf("%v %+v", counted.Spans, *rated.Rates)
}

// Whenever a segment is taken back, before a person is erased or after, and
// counted anew before or after: nothing of it is left of them, and what is
// still declared stays counted.
func TestErasedPeopleLeaveNoSegmentThatWasDeclared(t *testing.T) {
	for order, do := range map[string]func(*accounts){
		"taken back, erased":          func(a *accounts) { a.declare("plan"); a.erase(); rebuilt(a.t, a.s) },
		"taken back, counted, erased": func(a *accounts) { a.declare("plan"); rebuilt(a.t, a.s); a.erase() },
		"erased, taken back":          func(a *accounts) { a.erase(); a.declare("plan"); rebuilt(a.t, a.s) },
		"taken back, half counted": func(a *accounts) {
			a.declare("plan")
			_, err := a.s.Rebuild(ctx)
			ok(a.t, err)
			a.erase()
			rebuilt(a.t, a.s)
		},
		"declared again meanwhile": func(a *accounts) {
			a.declare("plan")
			a.declare("plan", "account")
			rebuilt(a.t, a.s)
			a.declare("plan")
			a.erase()
			rebuilt(a.t, a.s)
		},
		"answers deleted": func(a *accounts) {
			list, _, err := a.s.Responses(ctx, a.by, store.ResponseFilter{}, store.Page{Limit: 100})
			ok(a.t, err)
			a.erase()
			for _, r := range list {
				if r.Score == 3 { // its stratum is nobody's any more
					ok(a.t, a.s.DeleteResponse(ctx, a.by, r.ID))
				}
			}
			a.declare("plan")
			rebuilt(a.t, a.s)
		},
	} {
		t.Run(order, func(t *testing.T) {
			storetest.EachEmpty(t, func(t *testing.T, url string) {
				s := storetest.Open(t, url)
				a := newAccounts(t, s)
				before := a.plans()
				if !strings.Contains(everything(t, url), "qqaccount") {
					t.Fatal("the account is nowhere: this test could not fail")
				}
				do(a)
				if after := a.plans(); after != before && order != "answers deleted" {
					t.Errorf("of the plan there were\n%s\nand are\n%s", before, after)
				}
				verified(t, s)
				held := everything(t, url)
				if at := strings.Index(held, "qqaccount"); at >= 0 {
					t.Errorf("a trace: …%q…", held[max(0, at-200):min(len(held), at+100)])
				}
			})
		})
	}
}

// A segment that is taken back and declared again is counted again, by a
// replica too that saw none of it: what one of them deleted, no other believes
// to be there.
func TestASegmentThatIsDeclaredAgain(t *testing.T) {
	storetest.EachEmpty(t, func(t *testing.T, url string) {
		s := storetest.Open(t, url)
		other := storetest.Open(t, url)
		by := storetest.Default(t, s)
		v := mustSurvey(t, s, by, "chat", func(v *survey.Survey) { v.Segments = []string{"plan"} })
		answer := func(s *store.Store) {
			t.Helper()
			_, _, err := s.CreateResponse(ctx, by, store.NewResponse{Survey: v.ID.String(), Score: pointer(9),
				Attributes: survey.Attributes{"plan": survey.TextValue("pro")}})
			ok(t, err)
		}
		answer(other)
		answer(other) // by what it remembers
		declare(t, s, by, v.ID.String())
		answer(other)
		rebuilt(t, s)
		db := raw(t, url)
		for _, query := range []string{`SELECT CAST(COUNT(*) AS text) FROM segment_values`, `SELECT CAST(COUNT(*) AS text) FROM strata WHERE segments <> '{}'`,
			`SELECT CAST(COUNT(*) AS text) FROM tallies WHERE dimension = 'attributes.plan'`} {
			if n := texts(t, db, query)[0]; n != "0" {
				t.Errorf("%s: %s are left", query, n)
			}
		}
		answer(other)
		declare(t, s, by, v.ID.String(), "plan")
		answer(other)
		verified(t, s)
		answer(other)
		verified(t, other)
		counted := counted(t, s, by, store.ScoreQuery{ScoreFilter: store.ScoreFilter{Metric: scoring.NPS}, GroupBy: "attributes.plan"})
		if len(counted.Groups) != 1 || counted.Groups[0].Key != "pro" || cellsN(counted.Groups[0].Spans[0]) != 6 || counted.Source != "tallies" {
			t.Errorf("counted %+v", counted)
		}

		// where the last answer is gone too, a stratum is left to be cleared
		list, _, err := s.Responses(ctx, by, store.ResponseFilter{}, store.Page{Limit: 100})
		ok(t, err)
		for _, r := range list {
			ok(t, s.DeleteResponse(ctx, by, r.ID))
		}
		declare(t, s, by, v.ID.String())
		rebuilt(t, s)
		if n := texts(t, db, `SELECT CAST(COUNT(*) AS text) FROM strata WHERE segments <> '{}'`)[0]; n != "0" {
			t.Errorf("%s strata are left", n)
		}
		declare(t, s, by, v.ID.String(), "plan")
		answer(other)
		verified(t, s)
	})
}

// While segments are taken back, counted anew and declared again, people answer,
// are asked and are erased. In the end none of it is left.
func TestSegmentsChangeMeanwhile(t *testing.T) {
	storetest.EachEmpty(t, func(t *testing.T, url string) {
		s := storetest.Open(t, url)
		a := newAccounts(t, s)
		for _, err := range atOnce(120, func(i int) error {
			ctx := context.Background()
			customer := survey.Customer{ExternalID: fmt.Sprint("b-", i%20)}
			attributes := survey.Attributes{"account": survey.TextValue(fmt.Sprint("qqaccount", i)), "plan": survey.TextValue("pro")}
			switch i % 6 {
			case 0:
				_, err := s.PatchSurvey(ctx, a.by, a.names[i/6%2], 0, func(v survey.Survey) (survey.Survey, error) {
					v.Segments = [][]string{{"plan"}, {"plan", "account"}}[i/12%2]
					return v, nil
				})
				return err
			case 1:
				_, err := s.Rebuild(ctx)
				return err
			case 2:
				if err := s.ErasePerson(ctx, a.by, customer.ExternalID); kindOf(err) != survey.NotFound {
					return err
				}
				return nil
			case 3:
				_, _, err := s.CreateResponse(ctx, a.by, store.NewResponse{Survey: a.names[0], Score: pointer(9), Customer: customer, Attributes: attributes})
				return err
			}
			told, err := s.RecordInteraction(ctx, a.by, survey.Interaction{Touchpoint: "chat", Customer: customer, Attributes: attributes})
			if err != nil {
				return err
			}
			for _, d := range told.Decisions {
				if d.Token == "" {
					continue
				}
				if _, err := s.Answer(ctx, d.Token, storetest.Says(store.Reply{Score: pointer(9)})); err != nil && kindOf(err) != survey.NotFound {
					return err
				}
			}
			return nil
		}) {
			ok(t, err)
		}
		verified(t, s)
		a.declare("plan")
		a.erase()
		for i := range 20 {
			if err := s.ErasePerson(ctx, a.by, fmt.Sprint("b-", i)); kindOf(err) != survey.NotFound {
				ok(t, err)
			}
		}
		verified(t, s)
		if held := everything(t, url); strings.Contains(held, "qqaccount") {
			at := strings.Index(held, "qqaccount")
			t.Errorf("a trace: …%q…", held[max(0, at-200):min(len(held), at+100)])
		}
	})
}
