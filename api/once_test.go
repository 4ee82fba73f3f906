package api_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"koe/api"
)

func once(key string) func(*http.Request) { return with("Idempotency-Key", key) }

func TestARepeatAnswersTheSame(t *testing.T) {
	s := newServer(t)
	for _, c := range []struct {
		path, body, id string
		status         int
	}{
		{"/v1/touchpoints", `{"key":"chat","name":"Chat"}`, "key", 201},
		{"/v1/surveys", `{"name":"a","template":"nps","touchpoint":"chat","channel":"link","trigger":{"type":"manual"}}`, "id", 201},
		{"/v1/templates", `{"key":"a","name":"a","metric":"nps","default_locale":"en","questions":[{"key":"score","type":"score","text":{"en":"a"}}]}`, "key", 201},
		{"/v1/suppressions", `{"email":"ana@example.com"}`, "id", 201},
		{"/v1/keys", `{"name":"shop","role":"sender"}`, "id", 201},
		{"/v1/templates/nps/preview", `{"what":"page","locale":"ja"}`, "html", 200},
	} {
		first := s.do("POST", c.path, c.body, once("k-1"+c.path)).want(c.status)
		if first.header.Get("Idempotency-Replayed") != "" {
			t.Errorf("%s: the first is no replay", c.path)
		}
		again := s.do("POST", c.path, c.body, once("k-1"+c.path)).want(c.status).wantAt(c.id, first.at(c.id))
		if again.header.Get("Idempotency-Replayed") != "true" || again.header.Get("ETag") != first.header.Get("ETag") {
			t.Errorf("%s: replayed with %v", c.path, again.header)
		}
		// another body, and the same key at another place
		s.do("POST", c.path, c.body+" ", once("k-1"+c.path)).wantProblem(422, "Idempotency-Key")
	}
	for range 2 { // what was there before answers 200, replayed or not
		s.do("POST", "/v1/suppressions", `{"email":"ANA@example.com"}`, once("k-2")).want(200).wantAt("email", "ana@example.com")
	}
	s.do("POST", "/v1/touchpoints", `{"key":"other","name":"a"}`, once("k-1/v1/keys")).wantProblem(422, "Idempotency-Key")
	// a replay is the first answer, whatever came after it
	s.do("PUT", "/v1/templates/a", `{"name":"b","metric":"nps","default_locale":"en","questions":[{"key":"score","type":"score","text":{"en":"b"}}]}`).
		want(200).wantAt("version", 2.0)
	s.do("POST", "/v1/templates", `{"key":"a","name":"a","metric":"nps","default_locale":"en","questions":[{"key":"score","type":"score","text":{"en":"a"}}]}`,
		once("k-1/v1/templates")).want(201).wantAt("version", 1.0).wantAt("name", "a")
	// another key of the workspace has keys of its own
	s.do("POST", "/v1/touchpoints", `{"key":"chat","name":"Chat"}`, once("k-1/v1/touchpoints"), as(s.newKey(s.workspace, "editor"))).wantProblem(409)
}

func TestARepeatAfterARestart(t *testing.T) {
	s := newServer(t)
	first := s.do("POST", "/v1/keys", `{"name":"shop","role":"sender"}`, once("k")).want(201)
	if !strings.HasPrefix(first.text("key"), "koe_") {
		t.Error("a new key has no secret")
	}
	key := s.key
	s.close()

	s = openServer(t, s.database)
	again := s.do("POST", "/v1/keys", `{"name":"shop","role":"sender"}`, once("k"), as(key)).want(201).wantAt("id", first.at("id")).wantAt("key", nil)
	if again.header.Get("Idempotency-Replayed") != "true" {
		t.Error("not replayed")
	}
	s.do("POST", "/v1/keys", `{"name":"shop","role":"admin"}`, once("k"), as(key)).wantProblem(422, "Idempotency-Key")
	s.now.move(24*time.Hour + time.Second)
	fresh := s.do("POST", "/v1/keys", `{"name":"shop","role":"sender"}`, once("k"), as(key)).want(201)
	if fresh.at("id") == first.at("id") || fresh.header.Get("Idempotency-Replayed") != "" {
		t.Error("a day later it is still remembered")
	}
}

func TestOnlySuccessIsRemembered(t *testing.T) {
	s := newServer(t)
	s.do("POST", "/v1/touchpoints", `{"key":"A","name":"a"}`, once("k")).wantProblem(422, "key")
	s.do("POST", "/v1/touchpoints", `{"key":"a","name":"a"}`, once("k")).want(201)
	s.do("POST", "/v1/touchpoints", `{"key":"a","name":"a"}`, once("k2")).wantProblem(409)
	s.do("DELETE", "/v1/touchpoints/a", nil).want(204)
	s.do("POST", "/v1/touchpoints", `{"key":"a","name":"a"}`, once("k2")).want(201)
}

func TestARepeatWhileTheFirstIsRunning(t *testing.T) {
	started, finish := make(chan bool), make(chan bool)
	var sent atomic.Int32
	s := newServer(t, func(o *api.Options) {
		o.SendTest = func(_ context.Context, m api.TestMail) error {
			sent.Add(1)
			if m.To == "fails@example.com" {
				return errors.New("the mail server is down")
			}
			started <- true
			<-finish
			return nil
		}
	})
	body := `{"to":"me@example.com","locale":"ja"}`
	first := make(chan response)
	go func() { first <- s.do("POST", "/v1/templates/nps/test", body, once("k")) }()
	<-started
	s.do("POST", "/v1/templates/nps/test", body, once("k")).wantProblem(409)
	finish <- true
	id := (<-first).want(202).text("message_id")
	s.do("POST", "/v1/templates/nps/test", body, once("k")).want(202).wantAt("message_id", id)
	if n := sent.Load(); n != 1 {
		t.Errorf("%d mails", n)
	}
	for range 2 { // what failed is tried again
		s.do("POST", "/v1/templates/nps/test", `{"to":"fails@example.com"}`, once("k2")).wantProblem(500)
	}
	if n := sent.Load(); n != 3 {
		t.Errorf("%d tries", n)
	}
}

func TestIdempotencyKeysThatAreNone(t *testing.T) {
	s := newServer(t)
	for _, key := range []string{"", " ", "a b", "é", "a\tb", strings.Repeat("k", 256), "\u200b"} {
		got := s.do("POST", "/v1/touchpoints", `{"key":"a","name":"a"}`, once(key))
		got.request = key
		got.wantProblem(422, "Idempotency-Key")
	}
	s.do("POST", "/v1/touchpoints", `{"key":"a","name":"a"}`, func(r *http.Request) {
		r.Header["Idempotency-Key"] = []string{"a", "b"}
	}).wantProblem(422, "Idempotency-Key")
	s.do("POST", "/v1/touchpoints", `{"key":"a","name":"a"}`, once(strings.Repeat("k", 255))).want(201)
	// a PUT is repeatable by itself: the header means nothing there
	s.do("PUT", "/v1/touchpoints/b", `{"name":"b"}`, once("k")).want(201)
	s.do("PUT", "/v1/touchpoints/b", `{"name":"c"}`, once("k")).want(200).wantAt("name", "c")
}

func TestTwoAtOnce(t *testing.T) {
	s := newServer(t)
	answers := make(chan response)
	for range 20 {
		go func() { answers <- s.do("POST", "/v1/touchpoints", `{"key":"a","name":"a"}`, once("k")) }()
	}
	created := 0
	for range 20 {
		got := <-answers
		switch got.status {
		case 201:
			if got.header.Get("Idempotency-Replayed") == "" {
				created++
			}
		case 409:
			got.wantProblem(409)
		default:
			t.Errorf("%d %s", got.status, got.body)
		}
	}
	if created != 1 {
		t.Errorf("made %d times", created)
	}
}

func TestTestMail(t *testing.T) {
	mails := make(chan api.TestMail, 1)
	s := newServer(t, func(o *api.Options) {
		o.SendTest = func(_ context.Context, m api.TestMail) error { mails <- m; return nil }
	})
	got := s.do("POST", "/v1/templates/csat/test", `{"to":" Me@Example.com ","locale":"ja"}`).want(202)
	m := <-mails
	if m.To != "me@example.com" || m.ID != got.text("message_id") || m.From.Key != "default" || m.Subject == "" || m.HTML == "" || m.Text == "" {
		t.Errorf("%+v", m)
	}
	for body, field := range map[string]string{`{}`: "to", `{"to":""}`: "to", `{"to":"nobody"}`: "to", `{"to":"a@example.com\r\nBcc: b@example.com"}`: "to",
		`{"to":"a@example.com","locale":"?"}`: "locale"} {
		s.do("POST", "/v1/templates/csat/test", body).wantProblem(422, field)
	}
	s.do("POST", "/v1/templates/none/test", `{"to":"me@example.com"}`).wantProblem(404)
	newServer(t).do("POST", "/v1/templates/csat/test", `{"to":"me@example.com"}`).wantProblem(409)
}
