package store_test

import (
	"strings"
	"testing"

	"koe/survey"
	"koe/survey/history"
	"koe/survey/store"
	"koe/survey/store/storetest"
)

// TestOldAnswersFillWhatIsMissing: history says how somebody was, which does
// not change how they are.
func TestOldAnswersFillWhatIsMissing(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-22T09:00:00Z")
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		imported(t, s, by, "shop", "nps", "plan")
		keep := func(file string) {
			t.Helper()
			got, err := s.Import(ctx, by, reading("shop", strings.NewReader(file), history.Options{}, nil))
			if err != nil || got.Rejected+got.Repeated > 0 {
				t.Fatal(got, err)
			}
		}
		answered := func(id string, at string, c survey.Customer, a survey.Attributes) survey.Response {
			t.Helper()
			c.ExternalID = id
			r := store.NewResponse{Survey: "shop", Score: pointer(9), Customer: c, Attributes: a}
			if at != "" {
				then, err := survey.ParseInstant(at)
				ok(t, err)
				r.RespondedAt = &then
			}
			out, _, err := s.CreateResponse(ctx, by, r)
			ok(t, err)
			return out
		}
		check := func(id, name, plan string) survey.Person {
			t.Helper()
			p, _, err := s.Person(ctx, by, id)
			ok(t, err)
			if p.Name != name || p.Attributes["plan"] != survey.TextValue(plan) || p.UpdatedAt < p.CreatedAt {
				t.Errorf("%+v, want %s with plan %s", p, name, plan)
			}
			return p
		}
		today := func(plan string) survey.Attributes { return survey.Attributes{"plan": survey.TextValue(plan)} }

		answered("now", "", survey.Customer{Name: "Ana Now", Locale: "en"}, today("pro"))
		keep("score,responded_at,customer.external_id,customer.email,customer.name,customer.locale,attributes.plan,attributes.city\n" +
			"9,2024-03-01,now,old@example.com,Ana Old,ja,free,大阪\n")
		p := check("now", "Ana Now", "pro")
		if p.Locale != "en" || p.Email != "old@example.com" || p.Attributes["city"] != survey.TextValue("大阪") {
			t.Errorf("%+v", p)
		}
		r := answered("now", "2025-01-01T00:00:00Z", survey.Customer{Name: "Ana Before", Timezone: "Asia/Tokyo"}, today("basic"))
		if r.Attributes["plan"] != survey.TextValue("basic") {
			t.Errorf("the answer itself: %+v", r.Attributes)
		}
		if p := check("now", "Ana Now", "pro"); p.Timezone != "Asia/Tokyo" {
			t.Errorf("%+v", p)
		}
		answered("now", "", survey.Customer{Name: "Ana Later"}, today("team"))
		check("now", "Ana Later", "team")

		// of history alone the latest counts, in whatever order it comes
		const header = "score,responded_at,customer.external_id,customer.name,attributes.plan\n"
		keep(header + "9,2024-06-01,then,B,b\n9,2024-03-01,then,A,a\n")
		check("then", "B", "b")
		keep(header + "9,2024-04-01,then,C,c\n")
		check("then", "B", "b")
		keep(header + "9,2024-07-01,then,D,d\n")
		check("then", "D", "d")
	}, clock.Use)
}
