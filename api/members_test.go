package api_test

import (
	"strings"
	"testing"

	"koe/survey/store/storetest"
)

func TestMembers(t *testing.T) {
	storetest.EachMigrated(t, func(t *testing.T, url string) {
		s := openServer(t, url)
		s.do("PUT", "/v1/touchpoints/chat", `{"name":"Chat"}`).want(201)
		body := `{"email":" Sato@Example.com","role":"viewer","touchpoints":["chat"],"segment":{"key":"agent","values":["佐藤"]},"digest":"weekly"}`
		made := s.do("POST", "/v1/members", body, with("Idempotency-Key", "m")).want(201).
			wantAt("email", "sato@example.com").wantAt("name", "sato").wantAt("locale", "en").wantAt("timezone", "Asia/Tokyo").
			wantAt("touchpoints[0]", "chat").wantAt("segment.values[0]", "佐藤").wantAt("digest", "weekly")
		path := "/v1/members/" + made.text("id")
		again := s.do("POST", "/v1/members", body, with("Idempotency-Key", "m")).want(201)
		if string(again.body) != string(made.body) || again.header.Get("Idempotency-Replayed") != "true" {
			t.Errorf("a repeat: %s", again.body)
		}
		if shown := s.do("GET", path, nil).want(200); string(shown.body) != string(made.body) {
			t.Errorf("shown: %s", shown.body)
		}
		s.do("POST", "/v1/members", `{"email":"SATO@example.com","role":"admin"}`).wantProblem(409)
		s.do("POST", "/v1/members", `{"email":"kim@example.com","role":"viewer","touchpoints":["nowhere"]}`).wantProblem(422, "touchpoints[0]")
		s.do("POST", "/v1/members", `{}`).wantProblem(422, "email", "role")
		s.do("PATCH", path, `{"segment":null,"touchpoints":null,"role":"editor","locale":"ja"}`).want(200).
			wantAt("role", "editor").wantAt("segment", nil).wantAt("touchpoints[0]", nil).wantAt("locale", "ja").wantAt("email", "sato@example.com")
		s.do("PATCH", path, `{"role":"admin","touchpoints":["chat"]}`).wantProblem(422, "touchpoints")
		s.do("PATCH", path, `{"digest":"monthly"}`).want(200).wantAt("digest", "monthly")
		s.do("PATCH", path, `{"digest":"hourly"}`).wantProblem(422, "digest")
		s.do("PATCH", path, `{"digest":null}`).want(200).wantAt("digest", "none")
		s.do("PATCH", path, `{"email":""}`).wantProblem(422, "email")
		s.do("POST", "/v1/members", `{"email":"kim@example.com","role":"viewer","timezone":"Europe/Berlin"}`).want(201).wantAt("timezone", "Europe/Berlin")
		s.do("PATCH", path, `{"email":"kim@example.com"}`).wantProblem(409)
		s.do("PATCH", path, `{"email":"new@example.com"}`).want(200).wantAt("email", "new@example.com")
		first := s.do("GET", "/v1/members?limit=1", nil).want(200).wantAt("data[0].email", "kim@example.com")
		s.do("GET", "/v1/members?limit=1&cursor="+first.text("next_cursor"), nil).want(200).wantAt("data[0].email", "new@example.com").wantAt("next_cursor", nil)
		s.do("DELETE", path, nil).want(204)
		s.do("DELETE", path, nil).wantProblem(404)
		s.do("GET", path, nil).wantProblem(404)
		s.do("POST", "/v1/members", body).want(201) // the address is free again
		if strings.Contains(s.log.String(), "example.com ") || strings.Contains(s.log.String(), "sato@") {
			t.Error("an address is in the log")
		}
	})
}
