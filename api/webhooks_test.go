package api_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"koe/survey/store"
)

const endpoint = `"url":"https://example.com/koe","events":["response.created","response.updated"]`

func TestWebhooks(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		made := s.do("POST", "/v1/webhooks", `{`+endpoint+`,"owner_email":"OPS@Example.com"}`, with("Idempotency-Key", "hook")).want(201).
			wantAt("state", "active").wantAt("paused_reason", "").wantAt("owner_email", "ops@example.com").wantAt("failing_since", nil)
		path, secret := "/v1/webhooks/"+made.text("id"), made.text("secret")
		if !strings.HasPrefix(secret, "whsec_") || len(secret) < 40 {
			t.Errorf("secret %q", secret)
		}
		s.do("POST", "/v1/webhooks", `{`+endpoint+`,"owner_email":"OPS@Example.com"}`, with("Idempotency-Key", "hook")).want(201).
			wantAt("id", made.text("id")).wantAt("secret", nil)
		s.do("GET", path, nil).want(200).wantAt("secret", nil)
		s.do("GET", "/v1/webhooks", nil).want(200).wantAt("data[0].id", made.text("id")).wantAt("data[1]", nil).wantAt("data[0].secret", nil)
		if again := s.do("POST", path+"/rotate", nil).want(200).text("secret"); again == secret || !strings.HasPrefix(again, "whsec_") {
			t.Errorf("rotated to %q", again)
		}

		s.survey("chat", "")
		s.answered("chat", 9, "")
		s.do("POST", path+"/test", nil).want(202).wantAt("event", "webhook.test").wantAt("state", "waiting").wantAt("attempts", 0.0)
		list := s.do("GET", path+"/deliveries", nil).want(200).wantAt("data[1].event", "response.created").wantAt("data[1].response_status", nil).wantAt("data[2]", nil)
		s.do("POST", path+"/deliveries/"+list.text("data[0].id")+"/redeliver", nil).wantProblem(409)
		claimed, err := s.store.ClaimDeliveries(t.Context(), 10, 10, nil, time.Minute)
		if err != nil || len(claimed) != 2 {
			t.Fatal(claimed, err)
		}
		for _, d := range claimed {
			if _, err := s.store.NoteDelivery(t.Context(), d, store.Tried{Status: 204, Latency: 30 * time.Millisecond}); err != nil {
				t.Fatal(err)
			}
		}
		s.do("GET", path+"/deliveries", nil).want(200).wantAt("data[0].state", "delivered").wantAt("data[0].response_status", 204.0).wantAt("data[0].latency_ms", 30.0)
		s.do("POST", path+"/deliveries/"+list.text("data[0].id")+"/redeliver", nil, with("Idempotency-Key", "again")).want(202).wantAt("state", "waiting").wantAt("attempts", 0.0)
		s.do("POST", path+"/deliveries/"+list.text("data[0].id")+"/redeliver", nil, with("Idempotency-Key", "again")).want(202).wantAt("id", list.text("data[0].id"))

		s.do("PATCH", path, `{"state":"paused","events":["person.unsubscribed"],"description":"Ops"}`).want(200).wantAt("paused_reason", "manual").
			wantAt("url", "https://example.com/koe").wantAt("description", "Ops")
		s.answered("chat", 8, "")
		s.do("POST", "/v1/suppressions", `{"email":"ana@example.com","reason":"unsubscribed"}`).want(201)
		s.do("POST", path+"/test", nil).wantProblem(409)
		s.do("PATCH", path, `{"state":"active"}`).want(200).wantAt("paused_reason", "")
		s.do("POST", "/v1/suppressions", `{"email":"bob@example.com"}`).want(201) // by hand
		s.do("POST", "/v1/suppressions", `{"email":"cleo@example.com","reason":"unsubscribed"}`).want(201)
		s.do("GET", path+"/deliveries", nil).want(200).wantAt("data[0].event", "person.unsubscribed").wantAt("data[1].event", "webhook.test").wantAt("data[3]", nil)

		s.do("DELETE", path, nil).want(204)
		s.do("GET", path, nil).wantProblem(404)
		s.do("GET", path+"/deliveries", nil).wantProblem(404)
	})
}

func TestWebhookFormats(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		s.do("POST", "/v1/webhooks", `{`+endpoint+`}`).want(201).wantAt("format", "standard").wantAt("score_min", nil).wantAt("score_max", nil)
		for _, format := range []string{"delighted", "slack", "teams"} {
			made := s.do("POST", "/v1/webhooks", `{`+endpoint+`,"format":"`+format+`","score_min":0,"score_max":6}`).want(201).
				wantAt("format", format).wantAt("score_min", 0.0).wantAt("score_max", 6.0)
			path := "/v1/webhooks/" + made.text("id")
			s.do("PATCH", path, `{"score_min":null,"score_max":8}`).want(200).wantAt("score_min", nil).wantAt("score_max", 8.0).wantAt("format", format)
			s.do("GET", path, nil).want(200).wantAt("score_max", 8.0)
		}
	})
}

func TestWebhooksThatAreRefused(t *testing.T) {
	s := newServer(t)
	for body, field := range map[string]string{
		`{"events":["response.created"]}`:                                                               "url",
		`{"url":"ftp://example.com","events":["response.created"]}`:                                     "url",
		`{"url":"https://","events":["response.created"]}`:                                              "url",
		`{"url":"https://a:b@example.com","events":["response.created"]}`:                               "url",
		`{"url":"https://example.com/#x","events":["response.created"]}`:                                "url",
		`{"url":"https://example.com/日本","events":["response.created"]}`:                                "url",
		`{"url":"https://example.com/` + strings.Repeat("x", 2000) + `","events":["response.created"]}`: "url",
		`{"url":"https://example.com"}`:                                                                 "events",
		`{"url":"https://example.com","events":[]}`:                                                     "events",
		`{"url":"https://example.com","events":["response.deleted"]}`:                                   "events[0]",
		`{"url":"https://example.com","events":["response.created","response.created"]}`:                "events[1]",
		`{` + endpoint + `,"owner_email":"nobody"}`:                                                     "owner_email",
		`{` + endpoint + `,"state":"asleep"}`:                                                           "state",
		`{` + endpoint + `,"description":"a\nb"}`:                                                       "description",
		`{` + endpoint + `,"format":"discord"}`:                                                         "format",
		`{` + endpoint + `,"score_min":-1}`:                                                             "score_min",
		`{` + endpoint + `,"score_max":11}`:                                                             "score_max",
		`{` + endpoint + `,"score_min":7,"score_max":6}`:                                                "score_max",
		`{"url":"https://example.com","format":"slack","events":["person.unsubscribed"]}`:               "events[0]",
		`{"url":"https://example.com","format":"delighted","events":["invitation.sent"]}`:               "events[0]",
	} {
		s.do("POST", "/v1/webhooks", body).wantProblem(422, field)
	}
	s.do("POST", "/v1/webhooks", `{`+endpoint+`,"secret":"mine"}`).wantProblem(400)
	path := "/v1/webhooks/" + s.do("POST", "/v1/webhooks", `{`+endpoint+`}`).want(201).text("id")
	s.do("PATCH", path, `{"url":null}`).wantProblem(422, "url")
	s.do("PATCH", path, `{"failing_since":null}`).wantProblem(400)
	s.do("POST", path+"/deliveries/nothing/redeliver", nil).wantProblem(404)
	for range 99 {
		s.do("POST", "/v1/webhooks", `{`+endpoint+`}`).want(201)
	}
	s.do("POST", "/v1/webhooks", fmt.Sprintf(`{%s}`, endpoint)).wantProblem(409)
}
