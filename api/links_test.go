package api_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// token makes a personal link for a customer and returns its token.
func (s *server) token(survey, customer string) string {
	s.t.Helper()
	link := s.do("POST", "/v1/surveys/"+survey+"/links", `{"links":[{"customer":`+customer+`}]}`).want(201).text("data[0].url")
	_, token, _ := strings.Cut(link, "/s/")
	return token
}

func TestLinks(t *testing.T) {
	s := newServer(t)
	id := s.survey("mail", `"channel":"email","trigger":{"type":"manual"},"rules":{"expires_after":"2d","sample":0},"segments":["plan"]`)
	s.do("POST", "/v1/suppressions", `{"email":"gone@example.com"}`).want(201)
	body := `{"links":[{"external_id":"row-1","locale":"ja_jp","customer":{"external_id":"c-1","email":"ana@example.com","locale":"en"},"attributes":{"plan":"pro"}},
		{"external_id":"row-1"},{"customer":{"email":"gone@example.com"}}]}`
	made := s.do("POST", "/v1/surveys/mail/links", body).want(201).wantAt("data[0].external_id", "row-1").wantAt("data[0].expires_at", "2026-11-24T09:30:00.000Z").
		wantAt("data[1].external_id", "row-1").wantAt("data[2].external_id", nil).wantAt("data[3]", nil)
	if first, second := made.text("data[0].url"), made.text("data[1].url"); first == second || !strings.HasPrefix(first, "https://koe.example.com/s/") {
		t.Errorf("%s, %s", first, second)
	}
	s.do("GET", "/v1/invitations/"+made.text("data[0].invitation_id"), nil).want(200).wantAt("survey_id", id).wantAt("state", "sent").wantAt("channel", "link").
		wantAt("locale", "ja-JP").wantAt("interaction_id", nil).wantAt("customer.external_id", "c-1").wantAt("events[0].detail", "link")
	// by id, and without an idempotency key other links each time
	again := s.do("POST", "/v1/surveys/"+id+"/links", body).want(201)
	if again.text("data[0].url") == made.text("data[0].url") {
		t.Error("the same link twice")
	}
	// they count for the quiet period
	s.survey("after", `"touchpoint":"chat"`)
	s.tell(`,"customer":{"external_id":"c-1"}`).want(202).wantAt("decisions[0].reason", "quiet_period").wantAt("decisions[0].until", "2026-12-22T09:30:00.000Z")
}

func TestLinksThatAreRefused(t *testing.T) {
	s := newServer(t)
	s.survey("after", ``)
	before := s.count("invitations")
	for body, field := range map[string]string{
		`{}`: "links", `{"links":[]}`: "links", `{"links":{}}`: "links", `{"links":[5]}`: "links[0]",
		`{"links":[{},{"customer":{"email":""}}]}`:                              "links[1].customer.email",
		`{"links":[{"customer":{"email":"a@b.c\r\nBcc: d@e.f"}}]}`:              "links[0].customer.email",
		`{"links":[{"locale":"?"}]}`:                                            "links[0].locale",
		`{"links":[{"attributes":{"a":[]}}]}`:                                   "links[0].attributes.a",
		`{"links":[{"external_id":"` + strings.Repeat("x", 256) + `"}]}`:        "links[0].external_id",
		`{"links":[{}` + strings.Repeat(",{}", 10_000) + `]}`:                   "links",
		`{"links":[{},{},{"customer":{"external_id":"a","timezone":"UTC+9"}}]}`: "links[2].customer.timezone",
	} {
		got := s.do("POST", "/v1/surveys/after/links", body)
		got.request = body[:min(len(body), 100)]
		got.wantProblem(422, field)
	}
	s.do("POST", "/v1/surveys/after/links", `{"links":[{"customer":{"email":"x"}},{},{"locale":"?","external_id":"`+strings.Repeat("x", 256)+`"}]}`).
		wantProblem(422, "links[0].customer.email", "links[2].external_id", "links[2].locale")
	hopeless := s.do("POST", "/v1/surveys/after/links", `{"links":[{"locale":"?"}`+strings.Repeat(`,{"locale":"?"}`, 150)+`]}`).want(422)
	hopeless.wantAt("errors[99].field", "links[99].locale").wantAt("errors[100]", nil)
	s.do("POST", "/v1/surveys/after/links", `{"links":[{"phone":"1"}]}`).wantProblem(400, "links[0].phone")
	s.do("POST", "/v1/surveys/none/links", `{"links":[{}]}`).wantProblem(404)
	s.do("POST", "/v1/surveys/after/links", `{"links":[{"external_id":"`+strings.Repeat("x", 8<<20)+`"}]}`).wantProblem(413)
	s.do("POST", "/v1/surveys/after/pause", nil).want(200)
	s.do("POST", "/v1/surveys/after/links", `{"links":[{}]}`).wantProblem(409)
	s.do("POST", "/v1/surveys/after/archive", nil).want(200)
	s.do("POST", "/v1/surveys/after/links", `{"links":[{}]}`).wantProblem(409)
	s.do("PUT", "/v1/surveys/draft", `{"name":"a","template":"nps","touchpoint":"chat","channel":"link","trigger":{"type":"manual"}}`).want(201)
	s.do("POST", "/v1/surveys/draft/links", `{"links":[{}]}`).wantProblem(409)
	if after := s.count("invitations"); after != before {
		t.Errorf("%d links were made", after-before)
	}
}

func TestManyLinks(t *testing.T) {
	s := newServer(t)
	s.survey("after", ``)
	var b strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&b, `,{"external_id":"row-%d","customer":{"external_id":"c-%d"}}`, i, i%5000)
	}
	start := time.Now()
	var out struct{ Data []struct{ URL string } }
	body := `{"links":[` + b.String()[1:] + `]}`
	s.do("POST", "/v1/surveys/after/links", body, once("k")).want(201).into(&out)
	t.Logf("10,000 links in %s", time.Since(start))
	unique := map[string]bool{}
	for _, link := range out.Data {
		unique[link.URL] = true
	}
	if len(unique) != 10_000 {
		t.Errorf("%d links", len(unique))
	}
	var again struct{ Data []struct{ URL string } }
	s.do("POST", "/v1/surveys/after/links", body, once("k")).want(201).into(&again)
	if fmt.Sprint(again) != fmt.Sprint(out) {
		t.Error("the replay is another")
	}
}
