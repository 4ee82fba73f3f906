package api_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"koe/survey/store"
	"koe/survey/store/storetest"
)

// csatChat has a survey of satisfaction at support_chat, whose answers of
// October are so many of each kind.
func csatChat(s *server, satisfied, not int) {
	s.t.Helper()
	s.do("PUT", "/v1/surveys/chat", `{"name":"Chat","template":"csat","touchpoint":"support_chat","channel":"link","trigger":{"type":"manual"}}`).want(201)
	s.do("POST", "/v1/surveys/chat/activate", nil).want(200)
	for i := range satisfied + not {
		score := 5
		if i >= satisfied {
			score = 2
		}
		s.do("POST", "/v1/responses", fmt.Sprintf(`{"survey_id":"chat","score":%d,"responded_at":"2026-10-15T03:00:00Z"}`, score)).want(201)
	}
}

const chatTarget = `{"name":"Chat satisfies","kind":"score","metric":"csat","touchpoint":"support_chat","at_least":85}`

func TestTargetsHoldTheFiguresOfScores(t *testing.T) {
	storetest.EachMigrated(t, func(t *testing.T, url string) {
		s := openServer(t, url)
		csatChat(s, 70, 30)
		made := s.do("POST", "/v1/targets", chatTarget, with("Idempotency-Key", "one")).want(201)
		made.wantAt("state", "breached").wantAt("unit", "percent").wantAt("needed", 34.0).wantAt("period", "month").wantAt("minimum", 30.0)
		made.wantAt("judged.start", "2026-10-01").wantAt("judged.n", 100.0).wantAt("running.n", 0.0).wantAt("running.value", nil)
		made.wantAt("changes[0].told", false).wantAt("changes[0].to", "breached")
		again := s.do("POST", "/v1/targets", chatTarget, with("Idempotency-Key", "one")).want(201)
		again.wantAt("id", made.text("id"))

		scores := s.do("GET", "/v1/scores?metric=csat&touchpoint=support_chat&from=2026-10-01&to=2026-11-01", nil).want(200)
		for here, there := range map[string]string{"value": "score", "interval.low": "interval.low", "interval.high": "interval.high", "n": "responses"} {
			made.wantAt("judged."+here, scores.at("total."+there))
		}

		path := "/v1/targets/" + made.text("id")
		s.do("GET", path, nil).want(200).wantAt("state", "breached").wantAt("since", made.at("since"))
		s.do("PATCH", path, `{"at_least":60}`).want(200).wantAt("state", "met").wantAt("at_least", 60.0)
		s.do("PATCH", path, `{"period":"28d"}`).want(200).wantAt("judged.start", "2026-09-28").wantAt("judged.end", "2026-10-26")
		s.do("GET", "/v1/targets?touchpoint=support_chat&state=met", nil).want(200).wantAt("data[0].id", made.text("id")).wantAt("next_cursor", nil)
		s.do("GET", "/v1/targets?state=breached", nil).want(200).wantAt("data[0]", nil)
		s.do("GET", "/v1/targets?state=good", nil).wantProblem(422, "state")
		s.do("GET", "/v1/targets?touchpoint=nowhere", nil).wantProblem(422, "touchpoint")
		if metrics := string(s.do("GET", "/metrics", nil).want(200).body); !strings.Contains(metrics, `koe_targets{state="met"} 1`) || !strings.Contains(metrics, "koe_targets_due 0") {
			t.Errorf("the metrics hold no targets:\n%s", metrics)
		}
		s.do("DELETE", path, nil).want(204)
		s.do("GET", path, nil).wantProblem(404)
		s.do("DELETE", path, nil).wantProblem(404)
	})
}

func TestTargetsNameTheFieldThatIsWrong(t *testing.T) {
	s := newServer(t)
	csatChat(s, 0, 0)
	for body, fields := range map[string][]string{
		`{}`: {"name", "kind"},
		`{"name":"a","kind":"score","metric":"csat","touchpoint":"support_chat"}`:                            {"at_least"},
		`{"name":"a","kind":"score","metric":"csat","touchpoint":"support_chat","at_least":85,"at_most":90}`: {"at_least"},
		`{"name":"a","kind":"score","metric":"csat","touchpoint":"support_chat","at_least":850}`:             {"at_least"},
		`{"name":"a","kind":"score","metric":"csat","touchpoint":"nowhere","at_least":85}`:                   {"touchpoint"},
		`{"name":"a","kind":"score","at_least":85}`:                                                          {"metric"},
		`{"name":"a","kind":"attribute_median","touchpoint":"support_chat","at_most":120}`:                   {"attribute"},
		`{"name":"a","kind":"attribute_share","attribute":"resolved","at_least":90}`:                         {"touchpoint"},
		`{"name":"a","kind":"score","metric":"csat","at_least":85,"notify":["nobody@example.com"]}`:          {"notify[0]"},
		`{"name":"a","kind":"score","metric":"csat","at_least":85,"notify":["nobody"]}`:                      {"notify[0]"},
		`{"name":"a","kind":"response_rate","at_least":15,"unusual_drop":true}`:                              {"unusual_drop"},
		`{"name":"a","kind":"response_rate","at_least":15,"period":"day","minimum":1}`:                       {"period", "minimum"},
	} {
		s.do("POST", "/v1/targets", body).wantProblem(422, fields...)
	}
	s.do("POST", "/v1/targets", `{"name":"a","kind":"response_rate","at_least":15,"state":"met"}`).wantProblem(400, "state")
	s.do("POST", "/v1/targets", `{"name":"a","kind":"time_to_first_touch","at_most":8}`).want(201).wantAt("unit", "hours").wantAt("judged.n", 0.0)
	made := s.do("POST", "/v1/targets", chatTarget).want(201) // without answers
	made.wantAt("state", "insufficient").wantAt("judged.value", nil).wantAt("judged.n", 0.0)
	s.do("PATCH", "/v1/targets/"+made.text("id"), `{"at_least":null}`).wantProblem(422, "at_least")
	s.do("PATCH", "/v1/targets/"+made.text("id"), `{"metric":"stars"}`).wantProblem(422, "metric")
	s.do("DELETE", "/v1/touchpoints/support_chat", nil).wantProblem(409)
}

// Who is told is for those to see who may change it.
func TestViewersDoNotSeeWhomATargetTells(t *testing.T) {
	s := newServer(t)
	csatChat(s, 0, 0)
	s.do("POST", "/v1/members", `{"email":"kim@example.com","role":"viewer"}`).want(201)
	made := s.do("POST", "/v1/targets", strings.Replace(chatTarget, "{", `{"notify":["kim@example.com"],`, 1)).want(201)
	made.wantAt("notify[0]", "kim@example.com")
	viewer := as(s.newKey(s.workspace, store.Viewer))
	for _, path := range []string{"/v1/targets", "/v1/targets/" + made.text("id")} {
		if seen := s.do("GET", path, nil, viewer).want(200); strings.Contains(string(seen.body), "kim@") {
			t.Errorf("%s shows a viewer %s", path, seen.body)
		}
	}
}

// What interactions bring along stands beside the score of their touchpoint.
func TestTargetsOfInteractions(t *testing.T) {
	s := newServer(t)
	csatChat(s, 0, 0)
	var items []string
	for i := range 80 {
		items = append(items, fmt.Sprintf(`{"touchpoint":"support_chat","occurred_at":"2026-10-10T00:00:00Z","customer":{"external_id":"c%d"},
			"attributes":{"wait_seconds":%d,"resolved":%t}}`, i, i, i%16 != 0))
	}
	s.do("POST", "/v1/interactions/batch", `{"interactions":[`+strings.Join(items, ",")+`]}`).want(200)
	s.do("POST", "/v1/targets", `{"name":"wait","kind":"attribute_median","touchpoint":"support_chat","attribute":"wait_seconds","at_most":120}`).want(201).
		wantAt("state", "met").wantAt("judged.value", 39.5).wantAt("judged.interval.method", "order_statistics").wantAt("unit", "")
	s.do("POST", "/v1/targets", `{"name":"solved","kind":"attribute_share","touchpoint":"support_chat","attribute":"resolved","at_least":90}`).want(201).
		wantAt("state", "at_risk").wantAt("judged.value", 93.75).wantAt("judged.n", 80.0)
	s.do("GET", "/v1/targets?touchpoint=support_chat", nil).want(200).wantAt("data[1].judged.value", 39.5)
	s.now.move(35 * 24 * time.Hour)
	if due, err := s.store.DueTargets(context.Background(), 10); err != nil || len(due) != 2 {
		t.Errorf("%d are due, %v", len(due), err)
	}
}
