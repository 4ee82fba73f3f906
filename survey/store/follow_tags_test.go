package store_test

import (
	"testing"

	"koe/survey"
	"koe/survey/store"
	"koe/survey/store/storetest"
)

// A follow-on comes after what somebody said: an answer that was there before
// the survey is not asked about because an editor puts a tag on it.
func TestATagAsksNobody(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		mustSurvey(t, s, by, "chat", func(v *survey.Survey) { v.Key = "first" })
		r, _, err := s.CreateResponse(t.Context(), by, store.NewResponse{Survey: "first", Score: pointer(3),
			Customer: survey.Customer{ExternalID: "c-1", Email: pointer("ana@example.com")}})
		if err != nil {
			t.Fatal(err)
		}
		follows := mustSurvey(t, s, by, "after", func(v *survey.Survey) {
			v.Trigger = survey.Trigger{Type: survey.OnResponse, Survey: "first", When: survey.When{"score": {Max: pointer(6)}}}
		})
		invited := func() int {
			list, _, err := s.Invitations(t.Context(), by, store.InvitationFilter{Survey: follows.ID.String()}, store.Page{Limit: 50})
			if err != nil {
				t.Fatal(err)
			}
			return len(list)
		}
		edit := func(change func(*store.ResponseChange) error) {
			if _, _, err := s.ChangeResponse(t.Context(), by, r.ID, change); err != nil {
				t.Fatal(err)
			}
		}
		edit(func(c *store.ResponseChange) error { c.Tags = []string{"配達"}; return nil })
		if n := invited(); n != 0 {
			t.Errorf("a tag invited %d", n)
		}
		edit(func(c *store.ResponseChange) error { c.Score = pointer(2); return nil })
		if n := invited(); n != 1 {
			t.Errorf("a changed answer that matches invited %d, want 1", n)
		}
	})
}
