package api_test

import (
	"testing"

	"koe/scoring"
)

func TestImpact(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		s.survey("chat", `"touchpoint":"chat","template":"csat"`)
		path := "/v1/impact?touchpoint=chat&volume_per_day=100&leave_rate=0.52"
		s.do("GET", path, nil).want(200).wantAt("responses", 0.0).wantAt("unhappy_percent", nil).wantAt("customers_lost_per_month", nil).
			wantAt("scenarios[0].kept_per_month", nil).wantAt("metric", "")
		for _, score := range []int{5, 4, 4, 3, 5, 5, 1, 4} {
			s.answered("chat", score, `,"responded_at":"2026-02-10T00:00:00Z"`)
		}
		low, high := scoring.Wilson(2, 8, 0.9)
		s.do("GET", path+"&level=0.9", nil).want(200).wantNumber("unhappy_percent", 25).wantNumber("customers_lost_per_month", 390).
			wantNumber("kept_per_month", 78).wantNumber("unhappy_interval.low", low).wantNumber("customers_lost_low", low*15.6).
			wantNumber("customers_lost_high", high*15.6).wantAt("metric", "csat").wantNumber("score", 75).wantAt("reliable", false).
			wantNumber("scenarios[1].leave_rate", 0.1).wantNumber("scenarios[1].customers_lost_per_month", 75).wantNumber("scenarios[1].kept_per_month", 15)
		s.do("GET", "/v1/impact?touchpoint=chat&volume_per_day=100", nil).want(200).wantNumber("leave_rate", 0.5).wantNumber("customers_lost_per_month", 375)
		s.do("GET", path+"&from=2026-03-01", nil).want(200).wantAt("responses", 0.0)

		s.survey("effort", `"touchpoint":"chat","template":"ces-effort"`)
		s.answered("effort", 5, "")
		s.answered("effort", 1, "")
		s.do("GET", path, nil).wantProblem(422, "metric")
		s.do("GET", path+"&metric=ces", nil).want(200).wantNumber("unhappy_percent", 50)

		for query, field := range map[string]string{
			"?volume_per_day=1": "touchpoint", "?touchpoint=chat": "volume_per_day", "?touchpoint=nowhere&volume_per_day=1": "touchpoint",
			"?touchpoint=chat&volume_per_day=-1": "volume_per_day", "?touchpoint=chat&volume_per_day=NaN": "volume_per_day",
			"?touchpoint=chat&volume_per_day=1e300": "volume_per_day", "?touchpoint=chat&volume_per_day=many": "volume_per_day",
			"?touchpoint=chat&volume_per_day=1&leave_rate=52": "leave_rate", "?touchpoint=chat&volume_per_day=1&level=2": "level",
			"?touchpoint=chat&volume_per_day=1&leave_rate=": "leave_rate",
		} {
			s.do("GET", "/v1/impact"+query, nil).wantProblem(422, field)
		}
	})
}
