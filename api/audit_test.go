package api_test

import (
	"strings"
	"testing"
)

// Who changes or deletes an answer, takes answers out or brings some in is kept,
// without a word of them.
func TestAuditOfAnswers(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		id := s.survey("asked", "")
		const secret = `,"comment":"secret words","customer":{"external_id":"c-1","email":"ana@example.com","name":"Ana Secret"}`
		one, two := s.answered("asked", 2, secret), s.answered("asked", 3, secret)
		s.do("PUT", "/v1/touchpoints/chat", `{"name":"The chat"}`).want(200)
		s.do("PUT", "/v1/touchpoints/chat", `{"name":"The chat"}`).want(200) // nothing new
		s.do("PATCH", "/v1/responses/"+one, `{"score":9,"tags":["secret tag"]}`).want(200)
		s.do("PATCH", "/v1/responses/"+one, `{}`).want(200)
		s.do("DELETE", "/v1/responses/"+two, nil).want(204)
		s.do("GET", "/v1/responses/export?survey=asked&q=secret", nil).want(200)
		s.do("HEAD", "/v1/responses/export?survey=asked", nil).want(200)
		s.do("GET", "/v1/follow-ups?format=csv", nil).want(200)
		s.do("HEAD", "/v1/follow-ups?format=csv", nil).want(200)
		s.do("GET", "/v1/people/c-1/export", nil).want(200)
		const file = "score,external_id,comment\n9,r-1,secret\n"
		s.do("POST", "/v1/responses/import?survey=asked&dry_run=true", file, asCSV).want(200).wantAt("accepted", 1.0)
		for range 2 {
			s.do("POST", "/v1/responses/import?survey=asked", file, asCSV).want(200)
		}
		all := s.do("GET", "/v1/audit?limit=500", nil).want(200)
		person := s.do("GET", "/v1/people/c-1", nil).want(200).text("id")
		var got []string
		for _, e := range all.list("data") {
			if action, _ := e["action"].(string); strings.HasPrefix(action, "response") || strings.HasPrefix(action, "touchpoint.") || strings.HasSuffix(action, ".exported") {
				subject, _ := e["subject"].(string)
				detail, _ := e["detail"].(string)
				got = append([]string{strings.TrimSpace(action + " " + subject + " " + detail)}, got...)
				if e["actor"] != "test admin" {
					t.Errorf("%v did %s", e["actor"], action)
				}
			}
		}
		want := []string{"touchpoint.created chat", "touchpoint.changed chat", "response.changed " + one + " score, tags", "response.deleted " + two,
			"responses.exported asked", "follow_ups.exported", "person.exported " + person, "responses.imported " + id}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("kept\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		if said := strings.ToLower(string(all.body)); strings.Contains(said, "secret") || strings.Contains(said, "@") {
			t.Errorf("too much is kept: %s", all.body)
		}
	})
}
