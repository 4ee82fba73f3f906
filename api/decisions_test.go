package api_test

import "testing"

// TestDecisionsOfASurvey: every decision and every skip, with its reason, the
// newest first.
func TestDecisionsOfASurvey(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		s.survey("shop", `"channel":"email","touchpoint":"shop","trigger":{"type":"interaction"}`)
		s.do("POST", "/v1/suppressions", `{"email":"bob@example.com"}`).want(201)
		for _, email := range []string{"ana@example.com", "ana@example.com", "bob@example.com", "cleo@example.com"} {
			s.do("POST", "/v1/interactions", `{"touchpoint":"shop","customer":{"email":"`+email+`"}}`).want(202)
		}
		const path = "/v1/surveys/shop/decisions"
		all := s.do("GET", path, nil).want(200).wantAt("data[0].decision", "scheduled").wantAt("data[1].reason", "suppressed").
			wantAt("data[2].reason", "quiet_period").wantAt("data[3].decision", "scheduled").wantAt("data[4]", nil).wantAt("next_cursor", nil)
		if all.at("data[2].until") == nil || all.at("data[3].invitation.id") == nil {
			t.Errorf("%s", all.body)
		}
		s.do("GET", path+"?reason=suppressed", nil).want(200).wantAt("data[0].reason", "suppressed").wantAt("data[1]", nil)
		s.do("GET", path+"?decision=scheduled&limit=1", nil).want(200).wantAt("data[1]", nil)
		page := s.do("GET", path+"?limit=3", nil).want(200).wantAt("data[3]", nil)
		s.do("GET", path+"?limit=3&cursor="+page.text("next_cursor"), nil).want(200).wantAt("data[0].decision", "scheduled").wantAt("data[1]", nil).wantAt("next_cursor", nil)
		s.do("GET", path+"?from=2030-01-01", nil).want(200).wantAt("data[0]", nil)
		s.do("GET", path+"?reason=whim", nil).wantProblem(422, "reason")
		s.do("GET", "/v1/surveys/none/decisions", nil).wantProblem(404)
	})
}
