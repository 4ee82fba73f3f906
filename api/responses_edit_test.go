package api_test

import (
	"fmt"
	"strings"
	"testing"

	"koe/survey/store"
)

func TestEditorsChangeResponses(t *testing.T) {
	s := newServer(t)
	s.survey("after", `"template":"csat"`)
	id := s.answered("after", 2, `,"answers":{"improve":"secret words","topic":["speed","price"],"contact":true}`)
	desk := s.newKey(s.workspace, store.Editor)
	path := "/v1/responses/" + id
	s.now.move(1e9)
	got := s.do("PATCH", path, `{"score":5.0,"answers":{"improve":null,"praise":"Thanks 🙏","topic":["price"]},"tags":["vip"," 返品 "]}`, as(desk), with("Content-Type", "application/merge-patch+json")).want(200).
		wantAt("score", 5.0).wantAt("answers.improve", nil).wantAt("answers.praise", "Thanks 🙏").wantAt("answers.topic[0]", "price").wantAt("answers.topic[1]", nil).wantAt("answers.contact", true).
		wantAt("comment", "Thanks 🙏").wantAt("tags[1]", "返品").wantAt("updated_at", "2026-11-22T09:30:01.000Z").wantAt("responded_at", "2026-11-22T09:30:00.000Z").
		wantAt("events[0].type", "edited").wantAt("events[0].reason", "score, answers, tags")
	if who := got.text("events[0].detail"); !strings.HasPrefix(who, "by test editor (") || strings.Contains(string(got.body), "secret") {
		t.Errorf("%s", got.body)
	}
	s.do("GET", path, nil).want(200).wantAt("events[0].reason", "score, answers, tags").wantAt("tags[0]", "vip")
	s.do("GET", "/v1/responses", nil).want(200).wantAt("data[0].events", nil)
	s.do("GET", "/v1/scores?metric=csat", nil).want(200).wantAt("total.score", 100.0)
	s.do("PATCH", path, `{}`).want(200).wantAt("events[1]", nil)
	s.do("PATCH", path, `{"tags":null}`).want(200).wantAt("tags[0]", nil).wantAt("events[1].reason", "tags")
	for body, field := range map[string]string{`{"score":null}`: "score", `{"score":6}`: "score", `{"score":4.5}`: "score", `{"score":"5"}`: "score", `{"answers":{"topic":["none"]}}`: "answers.topic",
		`{"answers":{"mood":"x"}}`: "answers.mood", `{"answers":{"score":3}}`: "answers.score", `{"tags":"vip"}`: "tags", `{"tags":[5]}`: "tags[0]", `{"tags":["a","a"]}`: "tags[1]", `{"tags":[""]}`: "tags[0]",
		`{"tags":["` + strings.Repeat("x", 65) + `"]}`: "tags[0]", `{"tags":[` + strings.TrimSuffix(strings.Repeat(`"x",`, 51), ",") + `]}`: "tags", `{"answers":{"praise":"` + strings.Repeat("x", 10_001) + `"}}`: "answers.praise"} {
		s.do("PATCH", path, body).wantProblem(422, field)
	}
	for body, field := range map[string]string{`{"comment":"x"}`: "comment", `{"responded_at":null}`: "responded_at", `{"score":1,"score":2}`: "score", `{"tags":["a\u0000"]}`: "tags[0]"} {
		s.do("PATCH", path, body).wantProblem(400, field)
	}
	s.do("DELETE", path, nil).want(204)
	for _, method := range []string{"GET", "DELETE"} {
		s.do(method, path, nil).wantProblem(404)
	}
	s.do("PATCH", path, `{}`).wantProblem(404)
	s.do("PATCH", "/v1/responses/x", `{}`).wantProblem(404)
	s.do("GET", "/v1/scores?metric=csat", nil).want(200).wantAt("total.responses", 0.0)
	if log := s.log.String(); strings.Contains(log, "secret") || strings.Contains(log, "返品") {
		t.Errorf("logged: %s", log)
	}
}

// A deleted answer's link opens a page that says so, and takes no other.
func TestTheLinkOfADeletedResponse(t *testing.T) {
	s := newServer(t)
	s.survey("after", ``)
	token := s.token("after", `{}`)
	s.do("POST", "/s/"+token, "step=score&score=9", with("Content-Type", "application/x-www-form-urlencoded")).want(200)
	s.do("DELETE", "/v1/responses/"+ids(s.do("GET", "/v1/responses", nil))[0], nil).want(204)
	s.do("GET", "/s/"+token, nil).want(410)
	s.do("POST", "/s/"+token, "step=score&score=9", with("Content-Type", "application/x-www-form-urlencoded")).want(410)
	if n := len(ids(s.do("GET", "/v1/responses", nil))); n != 0 {
		t.Error(fmt.Sprint(n, " responses"))
	}
}

func TestFiltersOfResponses(t *testing.T) {
	s := newServer(t)
	s.survey("after", `"template":"csat"`)
	a := s.answered("after", 2, `,"answers":{"improve":"返事が遅い"},"locale":"pt-BR"`)
	b := s.answered("after", 5, `,"answers":{"praise":"KIND %_!"}`)
	s.do("PATCH", "/v1/responses/"+a, `{"tags":["返品"]}`).want(200)
	for query, want := range map[string]string{"q=%E9%81%85": a, "q=kind": b, "q=%25_!": b, "tag=%E8%BF%94%E5%93%81": a, "tag=+%E8%BF%94%E5%93%81": a, "locale=pt_br": a, "tag=x": ""} {
		if found := strings.Join(ids(s.do("GET", "/v1/responses?"+query, nil)), " "); found != want {
			t.Errorf("%s: found %q", query, found)
		}
	}
	s.do("GET", "/v1/responses?follow_up=open", nil).want(200).wantAt("data[0]", nil)
	s.do("GET", "/v1/responses?locale=%3F%3F", nil).wantProblem(422, "locale")
}

// A comment that came by itself, where no text is asked, is in no answer, and
// stays when something else changes.
func TestACommentThatNothingAsks(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		s.do("PUT", "/v1/templates/why", `{"name":"Why","metric":"csat","default_locale":"en","questions":[
			{"key":"score","type":"score","scale":{"min":1,"max":5},"text":{"en":"How was it?"}},
			{"key":"reason","type":"text","text":{"en":"Why?"},"show_if":{"score":{"max":3}}}]}`).want(201)
		s.survey("after", `"template":"why"`)
		path := "/v1/responses/" + s.answered("after", 4, `,"comment":"good"`)
		s.do("PATCH", path, `{"score":5}`).want(200).wantAt("comment", "good").wantAt("answers.reason", nil)
		s.do("PATCH", path, `{"score":2,"answers":{"reason":"slow"}}`).want(200).wantAt("comment", "slow")
		s.do("PATCH", path, `{"answers":{"reason":null}}`).want(200).wantAt("comment", nil)
	})
}
