package api_test

import (
	"strings"
	"testing"

	"koe/survey/store"
)

func TestNotes(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		s.do("POST", "/v1/touchpoints", `{"key":"chat","name":"Chat"}`).want(201)
		made := s.do("POST", "/v1/notes", `{"day":"2026-03-12","text":"新しい購入画面","touchpoint":"chat"}`, with("Idempotency-Key", "once")).want(201)
		again := s.do("POST", "/v1/notes", `{"day":"2026-03-12","text":"新しい購入画面","touchpoint":"chat"}`, with("Idempotency-Key", "once")).want(201)
		if made.text("id") != again.text("id") {
			t.Errorf("made twice: %s, %s", made.body, again.body)
		}
		path := "/v1/notes/" + made.text("id")
		s.do("GET", path, nil, as(s.newKey(s.workspace, store.Viewer))).want(200).wantAt("day", "2026-03-12").wantAt("touchpoint", "chat")
		s.do("POST", "/v1/notes", `{"day":"2026-04-01","text":"Moved"}`).want(201)
		s.do("GET", "/v1/notes?touchpoint=chat&from=2026-03-01&to=2026-04-01", nil).want(200).wantAt("data[0].text", "新しい購入画面")
		if all := s.do("GET", "/v1/notes?touchpoint=chat", nil).want(200).list("data"); len(all) != 2 || all[0]["text"] != "Moved" {
			t.Errorf("lists %v", all)
		}
		s.do("PATCH", path, `{"text":"For all","touchpoint":null}`, with("Content-Type", "application/merge-patch+json")).want(200).
			wantAt("text", "For all").wantAt("day", "2026-03-12").wantAt("touchpoint", nil)
		s.do("DELETE", path, nil).want(204)
		s.do("GET", path, nil).wantProblem(404)
		s.do("PATCH", path, `{}`).wantProblem(404)
		s.do("DELETE", path, nil).wantProblem(404)
	})
}

func TestNotesRefuse(t *testing.T) {
	s := newServer(t)
	made := s.do("POST", "/v1/notes", `{"day":"2026-03-12","text":"x"}`).want(201)
	for body, field := range map[string]string{
		`{"text":"x"}`:                                                   "day",
		`{"day":"2026-02-30","text":"x"}`:                                "day",
		`{"day":"2026-03-12"}`:                                           "text",
		`{"day":"2026-03-12","text":"a\nb"}`:                             "text",
		`{"day":"2026-03-12","text":"x","touchpoint":"nowhere"}`:         "touchpoint",
		`{"day":"2026-03-12","text":"` + strings.Repeat("あ", 201) + `"}`: "text",
	} {
		s.do("POST", "/v1/notes", body).wantProblem(422, field)
	}
	s.do("PATCH", "/v1/notes/"+made.text("id"), `{"day":null}`).wantProblem(422, "day")
	s.do("GET", "/v1/notes?from=yesterday", nil).wantProblem(422, "from")
	s.do("GET", "/v1/notes?to=2026-13-01", nil).wantProblem(422, "to")
	s.do("GET", "/v1/notes?touchpoint=nowhere", nil).wantProblem(422, "touchpoint")
}
