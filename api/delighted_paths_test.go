package api_test

import (
	"fmt"
	"strings"
	"testing"

	"koe/api"
	"koe/survey"
	"koe/survey/shown"
)

// Each operation is found by its path with .json at the end too, and answers
// the same, whatever the Accept header says.
func TestDelightedPathsThatEndInJSON(t *testing.T) {
	s := newServer(t)
	s.survey("project", `"channel":"email","trigger":{"type":"schedule","members":true}`)
	ana := s.delighted("POST", "/people", `{"email":"ana@example.com","name":"Ana","send":false}`).want(201).text("id")
	answer := s.delighted("POST", "/survey_responses", `{"person":"`+ana+`","score":9}`).want(201).text("id")
	paths := strings.NewReplacer("/people/{person}/survey_requests", "/people/ana%40example.com/survey_requests", "{person}", ana, "{id}", answer, "{platform}", "email")
	n := 0
	for _, r := range api.Routes() {
		path, is := strings.CutPrefix(r.Path, "/delighted/v1")
		if !is {
			continue
		}
		n++
		path = paths.Replace(path)
		if r.Method == "DELETE" && strings.HasSuffix(r.Path, "/{person}") {
			path = "/people/12" // nobody; others are still to come
		}
		var body any
		if r.Method == "POST" || r.Method == "PUT" {
			body = `{"score":99}` // which is wrong in each
		}
		plain := s.delighted(r.Method, path, body)
		dotted := s.delighted(r.Method, path+".json", body, with("Accept", "text/html"))
		if dotted.status != plain.status || string(dotted.body) != string(plain.body) {
			t.Errorf("%s: %d %s, without .json %d %s", r.Operation, dotted.status, dotted.body, plain.status, plain.body)
		}
		if plain.status == 405 || plain.status == 406 || plain.status == 404 && r.Method == "GET" || body != nil && plain.status/100 != 4 {
			t.Errorf("%s: %d %s", r.Operation, plain.status, plain.body)
		}
		s.delighted(r.Method, path, body, with("Accept", "text/html")).wantRefused(406)
	}
	if n < 18 {
		t.Errorf("%d operations", n)
	}
}

// Delighted's CES is the share of those who agree, in its metrics and beside
// the mean in koe's own.
func TestDelightedMetricsOfCES(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		s.survey("project", `"template":"ces","channel":"email","trigger":{"type":"manual"}`)
		s.delighted("GET", "/metrics", nil).want(200).wantAt("ces", nil).wantAt("response_count", 0.0).wantAt("agree_percent", nil)
		ana := s.delighted("POST", "/people", `{"email":"ana@example.com","send":false}`).want(201).text("id")
		for score, times := range map[int]int{1: 1, 2: 2, 3: 1, 4: 3, 5: 2, 6: 4, 7: 5} {
			for range times {
				s.delighted("POST", "/survey_responses", fmt.Sprintf(`{"person":%q,"score":%d}`, ana, score)).want(201)
			}
		}
		got := s.delighted("GET", "/metrics", nil).want(200).wantAt("response_count", 18.0)
		// 5, 6 and 7 of 7: 11 of 18 agree
		got.wantAt("ces", 61.0).wantAt("agree_count", 11.0).wantAt("agree_percent", 61.0).wantAt("nps", nil)
		ours := s.scores("survey=project&metric=ces&%s", "").want(200)
		if n := ours.number("total.counts.agree"); n != 11 {
			t.Errorf("%v agree", n)
		}
	})
}

// Whoever shares an address with more people than a page holds is taken off the
// list all the same.
func TestDelightedTakesEverybodyOffTheList(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		s.survey("project", `"channel":"email","trigger":{"type":"schedule","members":true}`)
		var last string
		for i := range 103 {
			last = s.do("PUT", fmt.Sprintf("/v1/people/p%d", i), `{"email":"desk@example.com"}`).want(201).text("id")
		}
		members := s.delighted("POST", "/autopilot/email/memberships", `{"person_email":"other@example.com"}`).want(201)
		s.delighted("DELETE", "/autopilot/email/memberships", `{"person_email":"desk@example.com"}`).wantRefused(404)
		of, err := survey.ParseID(last)
		if err != nil {
			t.Fatal(err)
		}
		id := shown.Digits(of)
		s.delighted("POST", "/autopilot/email/memberships", `{"person_id":"`+id+`"}`).want(201)
		s.delighted("DELETE", "/autopilot/email/memberships", `{"person_email":"desk@example.com"}`).want(202).wantAt("person.id", id)
		s.delighted("GET", "/autopilot/email/memberships", nil).want(200).wantAt("[0].person.email", members.at("person.email")).wantAt("[1]", nil)
	})
}
