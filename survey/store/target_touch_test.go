package store_test

import (
	"testing"
	"time"

	"koe/scoring"
	"koe/survey"
	"koe/survey/store"
	"koe/survey/store/storetest"
)

// What nobody has touched counts as long as it has waited, once that is longer
// than the target allows.
func TestTargetOfFirstTouch(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-02T12:00:00Z")
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		clock.Set(t, "2026-11-02T12:00:00Z")
		by := storetest.Default(t, s)
		unhappy := func(key string, n int) {
			v := mustSurvey(t, s, by, key, func(v *survey.Survey) {
				byLink(v)
				v.Rules.FollowUp = &survey.FollowUpRule{Score: survey.ScoreRange{Max: new(6)}}
			})
			for range n {
				_, _, err := s.CreateResponse(ctx, by, store.NewResponse{Survey: v.ID.String(), Score: new(1)})
				ok(t, err)
			}
		}
		touch := func(n int) {
			list, _, err := s.FollowUps(ctx, by, store.FollowUpFilter{States: []survey.FollowUpState{survey.FollowUpOpen}}, store.Page{Limit: n})
			ok(t, err)
			for _, f := range list {
				_, _, err := s.ChangeFollowUp(ctx, by, f.ID, func(c *store.FollowUpChange) error { c.State = survey.FollowUpInProgress; return nil })
				ok(t, err)
			}
		}
		unhappy("chat", 24)
		clock.Advance(2 * time.Hour)
		touch(14)
		clock.Advance(3 * time.Hour)
		touch(4)
		clock.Advance(time.Hour)
		unhappy("phone", 12)

		within := func(hours float64, touchpoint string) survey.TargetTerms {
			return survey.TargetTerms{Name: "Call back", Kind: survey.TargetFirstTouch, Touchpoint: touchpoint, AtMost: &hours, Minimum: 10}
		}
		running := func(terms survey.TargetTerms) survey.TargetLook {
			look, err := s.RunningLook(ctx, by, targeted(t, s, by, terms))
			ok(t, err)
			return look
		}
		if look := running(within(8, "chat")); look.N != 18 || *look.Value != 2 || look.Ignored != 6 {
			t.Errorf("while six may still be touched: %+v", look)
		}
		if look := running(within(4, "")); look.N != 24 || *look.Value != 2 || look.Ignored != 12 {
			t.Errorf("while twelve may still be touched: %+v", look)
		}

		clock.Set(t, "2026-12-03T12:00:00Z")
		for name, c := range map[string]struct {
			terms survey.TargetTerms
			state scoring.Standing
			value float64
			n     int64
		}{
			"met":          {within(8, "chat"), scoring.Met, 2, 24},
			"breached":     {within(1, "chat"), scoring.Breached, 2, 24},
			"of nobody":    {within(8, "phone"), scoring.Breached, 30*24 + 18, 12},
			"of all":       {within(3, ""), scoring.AtRisk, (5 + 30*24 + 18) / 2.0, 36},
			"insufficient": {func() survey.TargetTerms { few := within(8, "chat"); few.Minimum = 30; return few }(), scoring.Insufficient, 2, 24},
		} {
			target := targeted(t, s, by, c.terms)
			if look := target.Judged; target.State != c.state || look.N != c.n || *look.Value != c.value || target.Unit != "hours" {
				t.Errorf("%s: %s, %+v %v", name, target.State, look, *look.Value)
			}
		}
		ok(t, verifiedOnly(s))
	}, clock.Use)
}
