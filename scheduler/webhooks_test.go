package scheduler_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	webhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"koe/scheduler"
	"koe/survey"
	"koe/survey/store"
	"koe/survey/store/storetest"
)

// posted is a request that an endpoint was given.
type posted struct {
	http.Header
	body []byte
}

// event is a posted body.
type event struct {
	Type      string         `json:"type"`
	Timestamp survey.Instant `json:"timestamp"`
	Data      map[string]any `json:"data"`
}

// hook is a webhook with the endpoint that it leads to.
type hook struct {
	name    string
	webhook survey.Webhook
	secret  string
	url     string
	mu      sync.Mutex
	came    []posted
}

// listening starts an endpoint that keeps what it is given and answers the nth
// request, from 1, as told.
func listening(t *testing.T, name string, answer func(w http.ResponseWriter, r *http.Request, n int)) *hook {
	t.Helper()
	h := &hook{name: name}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		h.mu.Lock()
		h.came = append(h.came, posted{r.Header.Clone(), body})
		n := len(h.came)
		h.mu.Unlock()
		answer(w, r, n)
	}))
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	h.url = server.URL + "/in?key=very-private"
	return h
}

func status(code int) func(http.ResponseWriter, *http.Request, int) {
	return func(w http.ResponseWriter, _ *http.Request, _ int) { w.WriteHeader(code) }
}

func (h *hook) all() []posted {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]posted(nil), h.came...)
}

// subscribe makes a webhook for an endpoint.
func (d desk) subscribe(h *hook, events ...survey.Event) *hook {
	d.t.Helper()
	if len(events) == 0 {
		events = []survey.Event{survey.EventResponseCreated}
	}
	var err error
	h.webhook, h.secret, err = d.store.CreateWebhook(d.t.Context(), d.by, survey.Webhook{URL: h.url, Events: events, OwnerEmail: "ops@acme.example"})
	if err != nil {
		d.t.Fatalf("%s: %v", h.name, err)
	}
	return h
}

// answered keeps answers that were taken elsewhere.
func (d desk) answered(of survey.Survey, n int) []survey.Response {
	d.t.Helper()
	list := make([]survey.Response, n)
	for i := range list {
		score := 9
		var err error
		if list[i], _, err = d.store.CreateResponse(d.t.Context(), d.by, store.NewResponse{Survey: of.ID.String(), Score: &score,
			Comment: "速い <b>& 🎉", ExternalID: fmt.Sprintf("r-%d", i)}); err != nil {
			d.t.Fatal(err)
		}
	}
	return list
}

func (d desk) deliveries(h *hook) []store.Delivery {
	d.t.Helper()
	list, _, err := d.store.Deliveries(context.Background(), d.by, h.webhook.ID, store.Page{Limit: 500})
	if err != nil {
		d.t.Fatal(err)
	}
	return list
}

func (d desk) state(h *hook) survey.Webhook {
	d.t.Helper()
	w, err := d.store.Webhook(context.Background(), d.by, h.webhook.ID)
	if err != nil {
		d.t.Fatal(err)
	}
	return w
}

// round waits until all that is due was tried, and returns when the last of
// what waits is due; nil where nothing does.
func (d desk) round(hooks ...*hook) (last *survey.Instant) {
	d.t.Helper()
	d.until("every delivery that is due was tried", func() bool {
		last = nil
		for _, h := range hooks {
			if d.state(h).State == survey.Paused {
				continue
			}
			for _, v := range d.deliveries(h) {
				switch {
				case v.State == "claimed", v.NextAt != nil && *v.NextAt <= d.clock.Instant():
					return false
				case v.NextAt != nil && (last == nil || *v.NextAt > *last):
					last = v.NextAt
				}
			}
		}
		return true
	})
	return last
}

// ends lets time pass until nothing waits for any webhook.
func (d desk) ends(hooks ...*hook) {
	d.t.Helper()
	for next := d.round(hooks...); next != nil; next = d.round(hooks...) {
		d.clock.Advance(next.Sub(d.clock.Instant()))
	}
}

// signed checks a request by the reference library.
func signed(secret string, p posted) error {
	reference, err := webhooks.NewWebhook(secret)
	if err != nil {
		return err
	}
	return reference.VerifyIgnoringTimestamp(p.body, p.Header)
}

// delivering are the settings of a desk whose endpoints are on this machine.
func delivering(o *scheduler.Options) { o.WebhookLoopback, o.DeliveryTime = true, 5*time.Second }

func TestEventsAreTold(t *testing.T) {
	t.Parallel()
	atDesk(t, nil, func(d desk) {
		h := d.subscribe(listening(d.t, "good", status(204)), survey.Events()...)
		deaf := d.subscribe(listening(d.t, "deaf", status(204)), survey.EventInvitationFailed)
		v := d.ask("chat", func(v *survey.Survey) { v.Rules.Reminders = nil })
		d.run(delivering)

		of := d.happens("chat", "ana@example.com")
		d.becomes(of, survey.InvitationSent)
		token := d.server.lettersTo("ana@example.com")[0].token(d.t)
		nine, ten := 9, 10
		for _, reply := range []store.Reply{{Score: &nine}, {Score: &nine}, {Score: &ten}, {Answers: survey.Answers{"reason": "速い"}, Complete: true}} {
			if _, err := d.store.Answer(d.t.Context(), token, storetest.Says(reply)); err != nil {
				d.t.Fatal(err)
			}
		}
		if err := d.store.Unsubscribe(d.t.Context(), token); err != nil {
			d.t.Fatal(err)
		}
		if err := d.store.Unsubscribe(d.t.Context(), token); err != nil { // again
			d.t.Fatal(err)
		}
		elsewhere := d.answered(v, 1)[0]
		d.round(h, deaf)

		count := map[string]int{}
		for _, p := range h.all() {
			if err := signed(h.secret, p); err != nil {
				d.t.Error(err)
			}
			if p.Get("Content-Type") != "application/json" || !strings.HasPrefix(p.Get("Webhook-Id"), "msg_") {
				d.t.Errorf("headers %v", p.Header)
			}
			var e event
			if err := json.Unmarshal(p.body, &e); err != nil {
				d.t.Fatalf("%s: %v", p.body, err)
			}
			count[e.Type]++
			switch id, _ := e.Data["id"].(string); e.Type {
			case "invitation.sent":
				if id != of.String() {
					d.t.Errorf("told of %s", p.body)
				}
			case "person.unsubscribed":
				if e.Data["email"] != "ana@example.com" || e.Data["reason"] != "unsubscribed" {
					d.t.Errorf("told of %s", p.body)
				}
			case "response.created":
				if id == elsewhere.ID.String() && (e.Data["comment"] != "速い <b>& 🎉" || e.Data["score"] != 9.0 || e.Timestamp != d.clock.Instant()) {
					d.t.Errorf("told of %s", p.body)
				}
			}
		}
		want := "map[invitation.sent:1 person.unsubscribed:1 response.created:2 response.updated:2]"
		if got := fmt.Sprint(count); got != want {
			d.t.Errorf("told %s, want %s", got, want)
		}
		if n := len(deaf.all()) + len(d.deliveries(deaf)); n != 0 {
			d.t.Errorf("%d events for a webhook that did not want them", n)
		}
	})
}

func TestBothSecretsSignForADay(t *testing.T) {
	t.Parallel()
	d := alone(t, nil)
	h := d.subscribe(listening(t, "good", status(200)))
	v := d.ask("chat", nil)
	d.run(delivering)
	_, fresh, err := d.store.RotateWebhook(t.Context(), d.by, h.webhook.ID)
	if err != nil {
		t.Fatal(err)
	}
	d.answered(v, 1)
	d.round(h)
	d.clock.Advance(24*time.Hour + time.Millisecond)
	if _, err := d.store.TestWebhook(t.Context(), d.by, h.webhook.ID); err != nil {
		t.Fatal(err)
	}
	d.round(h)
	came := h.all()
	if len(came) != 2 {
		t.Fatalf("%d requests", len(came))
	}
	for i, p := range came {
		if err := signed(fresh, p); err != nil {
			t.Errorf("request %d by the new secret: %v", i, err)
		}
		if ok := signed(h.secret, p) == nil; ok != (i == 0) {
			t.Errorf("request %d by the former secret: %v", i, ok)
		}
	}
	came[1].body[len(came[1].body)-2] ^= 1
	if signed(fresh, came[1]) == nil {
		t.Error("a body that was changed passes")
	}
}

// A slow endpoint takes its own places and nobody else's.
func TestASlowEndpointHoldsUpNobody(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	var mu sync.Mutex
	most, now := 0, 0
	d := alone(t, nil)
	slow := listening(t, "slow", func(w http.ResponseWriter, r *http.Request, _ int) {
		mu.Lock()
		now++
		most = max(most, now)
		mu.Unlock()
		select {
		case <-release:
		case <-r.Context().Done():
		}
		mu.Lock()
		now--
		mu.Unlock()
	})
	d.subscribe(slow)
	good := d.subscribe(listening(t, "good", status(200)))
	v := d.ask("chat", nil)
	d.run(func(o *scheduler.Options) { delivering(o); o.DeliveryTime = 5 * time.Minute })
	d.answered(v, 60)
	d.until("the good endpoint has everything", func() bool { return len(good.all()) == 60 })
	mu.Lock()
	waiting := now
	mu.Unlock()
	if waiting == 0 {
		t.Error("the slow endpoint was not under way: this proves nothing")
	}
	close(release)
	d.until("the slow endpoint has everything, too", func() bool { return len(slow.all()) == 60 })
	d.round(slow, good)
	if most > 2 {
		t.Errorf("the slow endpoint had %d requests at a time", most)
	}
}

// What the log says holds neither an address nor a secret.
func TestTheLogKeepsWebhooksPrivate(t *testing.T) {
	t.Parallel()
	d := alone(t, nil)
	h := d.subscribe(listening(t, "gone", status(410)))
	v := d.ask("chat", nil)
	r := d.run(delivering)
	d.answered(v, 1)
	d.until("the webhook is paused", func() bool { return d.state(h).State == survey.Paused })
	d.until("its owner is told", func() bool { return len(d.server.lettersTo("ops@acme.example")) == 1 })
	r.end()
	log := r.log.Bytes()
	if !bytes.Contains(log, []byte(h.webhook.ID.String())) {
		t.Errorf("the log does not name the webhook:\n%s", log)
	}
	for _, private := range []string{"very-private", h.secret, strings.TrimPrefix(h.secret, "whsec_"), "/in"} {
		if bytes.Contains(log, []byte(private)) {
			t.Errorf("the log tells %q:\n%s", private, log)
		}
	}
	for _, one := range d.deliveries(h) {
		if one.LastError == nil || strings.Contains(*one.LastError, "very-private") || strings.Contains(*one.LastError, "127.0.0.1") {
			t.Errorf("the delivery says %v", one.LastError)
		}
	}
}
