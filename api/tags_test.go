package api_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"koe/survey"
	"koe/survey/store"
)

// applyRules does what the scheduler does.
func (s *server) applyRules() {
	s.t.Helper()
	for more := true; more; {
		var err error
		if more, err = s.store.ApplyTagRules(context.Background()); err != nil {
			s.t.Fatal(err)
		}
	}
}

func TestTagRulesOverHTTP(t *testing.T) {
	s := newServer(t)
	s.survey("asked", `"rules":{"quiet_period":"0s"}`)
	hostile := `=HYPERLINK("x") <script>alert(1)</script> \u202e late`
	old := s.answered("asked", 2, `,"comment":"`+strings.ReplaceAll(hostile, `"x"`, `\"x\"`)+`"`)
	made := s.do("POST", "/v1/tag-rules", `{"tag":"<b>=1+1</b>","keywords":["late","配送"]}`, with("Idempotency-Key", "k")).want(201)
	made.wantAt("applied", false).wantAt("matched", 0.0).wantAt("touchpoint", nil).wantAt("warnings", nil)
	path := "/v1/tag-rules/" + made.text("id")
	again := s.do("POST", "/v1/tag-rules", `{"tag":"<b>=1+1</b>","keywords":["late","配送"]}`, with("Idempotency-Key", "k")).want(201)
	if again.text("id") != made.text("id") {
		t.Error("a repeat made another rule")
	}
	s.applyRules()
	s.do("GET", path, nil).want(200).wantAt("applied", true).wantAt("matched", 1.0)
	s.do("GET", "/v1/responses/"+old, nil).want(200).wantAt("tags[0]", "<b>=1+1</b>").wantAt("rule_tags[0]", "<b>=1+1</b>")
	if csv := s.do("GET", "/v1/tags?metric=nps&format=csv", nil).want(200); !bytes.Contains(csv.body, []byte("tag,<b>=1+1</b>,")) {
		t.Errorf("%s", csv.body)
	}
	s.do("PATCH", path, `{"tag":"=delivery"}`).want(200).wantAt("tag", "=delivery").wantAt("applied", false)
	s.applyRules()
	if csv := s.do("GET", "/v1/tags?metric=nps&format=csv", nil).want(200); !bytes.Contains(csv.body, []byte("tag,'=delivery,")) {
		t.Errorf("a formula is not guarded: %s", csv.body)
	}
	for body, field := range map[string]string{`{"tag":"x"}`: "keywords", `{"keywords":["late"]}`: "tag", `{"tag":"x","keywords":["a"]}`: "keywords[0]",
		`{"tag":"x","keywords":["late"],"touchpoint":"nowhere"}`: "touchpoint", `{"tag":"x","keywords":["の"]}`: "keywords[0]"} {
		s.do("POST", "/v1/tag-rules", body).wantProblem(422, field)
	}
	s.do("POST", "/v1/tag-rules", `{"tag":"x","keywords":["late"],"matched":5}`).wantProblem(400, "matched")
	s.do("PATCH", path, `{"keywords":null}`).wantProblem(422, "keywords")
	s.do("DELETE", path, nil).want(204)
	s.do("GET", path, nil).wantProblem(404)
	s.do("PATCH", path, `{}`).wantProblem(404)
}

func TestARuleThatMatchesEverythingIsWarnedOf(t *testing.T) {
	s := newServer(t)
	s.survey("asked", `"rules":{"quiet_period":"0s"}`)
	for i := range 24 {
		s.answered("asked", i%11, fmt.Sprintf(`,"comment":"the parcel number %d"`, i))
	}
	said := s.do("POST", "/v1/tag-rules", `{"tag":"all","keywords":["the"]}`).want(201).text("warnings[0]")
	if !strings.Contains(said, "24 of the latest 24") {
		t.Error(said)
	}
	s.do("POST", "/v1/tag-rules/preview", `{"keywords":["the"]}`).want(200).wantAt("comments", 24.0).wantAt("matched", 24.0).wantAt("samples[4].comment", "the parcel number 19")
	s.do("GET", "/v1/tags/suggestions?touchpoint=chat", nil).want(200).wantAt("comments", 24.0).wantAt("data[0].term", "number")
	s.do("GET", "/v1/tags/suggestions?from=2026-01-02&to=2026-01-01", nil).wantProblem(422, "from")
}

func TestTagsAreRankedByWhatTheyCost(t *testing.T) {
	s := newServer(t)
	s.survey("asked", `"rules":{"quiet_period":"0s"}`)
	answer := func(times, score int, day string, tags ...string) {
		for range times {
			in := store.NewResponse{Survey: "asked", Score: &score, Tags: tags}
			at, err := survey.ParseInstant(day + "T03:00:00Z")
			if err != nil {
				t.Fatal(err)
			}
			in.RespondedAt = &at
			if _, _, err := s.store.CreateResponse(context.Background(), store.Caller{Workspace: s.workspace.ID}, in); err != nil {
				t.Fatal(err)
			}
		}
	}
	answer(20, 10, "2026-10-10")
	answer(10, 0, "2026-10-11", "late")
	answer(4, 0, "2026-10-12", "rude", "late")
	answer(6, 10, "2026-10-12", "kind")
	answer(20, 9, "2026-09-10")
	answer(2, 0, "2026-09-11", "late")
	got := s.do("GET", "/v1/tags?metric=nps&from=2026-10-01&to=2026-11-01&compare=previous", nil).want(200)
	// 26 promoters and 14 detractors: 30; without the tag all are promoters
	got.wantAt("total.score", 30.0).wantAt("data[0].tag", "late").wantAt("data[0].total.responses", 14.0).wantAt("data[0].total.score", -100.0).
		wantAt("data[0].rest.responses", 26.0).wantAt("data[0].rest.score", 100.0).wantAt("data[0].rest.difference", -200.0).wantAt("data[0].drag", 70.0).
		wantAt("data[0].unhappy", 14.0).wantAt("data[0].share_of_unhappy", 100.0).wantAt("data[0].share_of_responses", 35.0).
		wantAt("data[0].trend.responses", 2.0).wantAt("data[0].trend.significant", true).
		wantAt("data[1].tag", "rude").wantAt("data[2].tag", "kind")
	if drag, _ := got.at("data[2].drag").(float64); drag >= 0 {
		t.Errorf("kind words cost %v points", drag)
	}
	grouped := s.do("GET", "/v1/scores?metric=nps&group_by=tag&from=2026-10-01&to=2026-11-01", nil).want(200)
	for i := range 3 {
		tag := grouped.text(fmt.Sprintf("groups[%d].key", i))
		one := s.do("GET", "/v1/scores?metric=nps&tag="+tag+"&from=2026-10-01&to=2026-11-01", nil).want(200)
		if one.at("total.score") != grouped.at(fmt.Sprintf("groups[%d].score", i)) {
			t.Errorf("%s: %v alone, %v as a group", tag, one.at("total.score"), grouped.at(fmt.Sprintf("groups[%d].score", i)))
		}
	}
	s.do("GET", "/v1/tags?metric=nps&from=2020-01-01&to=2020-02-01", nil).want(200).wantAt("total.score", nil)
	s.do("GET", "/v1/tags?metric=nps&compare=previous", nil).wantProblem(422, "compare")
}
