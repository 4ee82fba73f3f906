package scheduler_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"koe/scheduler"
	"koe/survey"
	"koe/survey/store/storetest/battery"
)

// treatment is how an endpoint treats what it is given, and what must come of
// it: how often it is tried, how the delivery ends, and whether the webhook is
// paused for that.
type treatment struct {
	name   string
	answer func(w http.ResponseWriter, r *http.Request, n int)
	tries  int
	state  string
	paused string
}

// allTries are those of a delivery that is given up.
const allTries = 10

// turning answers the first n requests in one way and the others in another.
func turning(n int, before, then func(http.ResponseWriter, *http.Request, int)) func(http.ResponseWriter, *http.Request, int) {
	return func(w http.ResponseWriter, r *http.Request, i int) {
		if i <= n {
			before(w, r, i)
			return
		}
		then(w, r, i)
	}
}

// raw takes over the connection, writes and closes.
func raw(text string) func(http.ResponseWriter, *http.Request, int) {
	return func(w http.ResponseWriter, _ *http.Request, _ int) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		_, _ = conn.Write([]byte(text))
		_ = conn.Close()
	}
}

// hanging answers nothing while the other side waits.
func hanging(_ http.ResponseWriter, r *http.Request, _ int) { <-r.Context().Done() }

func late(d time.Duration) func(http.ResponseWriter, *http.Request, int) {
	return func(w http.ResponseWriter, r *http.Request, _ int) {
		select {
		case <-time.After(d):
			w.WriteHeader(http.StatusOK)
		case <-r.Context().Done():
		}
	}
}

// drip sends a head byte by byte and never ends it.
func drip(w http.ResponseWriter, r *http.Request, _ int) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	for _, err = conn.Write([]byte("HTTP/1.1 200 OK\r\nX-Slow: ")); err == nil; _, err = conn.Write([]byte("x")) {
		time.Sleep(50 * time.Millisecond)
	}
}

// gigabyte answers 200 with a body of which nobody should read much; it says
// how much was taken.
func gigabyte(taken *atomic.Int64) func(http.ResponseWriter, *http.Request, int) {
	return func(w http.ResponseWriter, _ *http.Request, _ int) {
		chunk := make([]byte, 1<<20)
		for range 1024 {
			n, err := w.Write(chunk)
			taken.Add(int64(n))
			if err != nil {
				return
			}
		}
	}
}

func redirect(code int, to string) func(http.ResponseWriter, *http.Request, int) {
	return func(w http.ResponseWriter, r *http.Request, _ int) { http.Redirect(w, r, to, code) }
}

// treatments are told where not to go, and where to note what was taken of a
// gigabyte.
func treatments(trap string, taken *atomic.Int64) []treatment {
	ok, failing, gone := status(200), survey.PausedFailing, survey.PausedGone
	const delivered, failed = "delivered", "failed"
	return []treatment{
		{"200", ok, 1, delivered, ""},
		{"204", status(204), 1, delivered, ""},
		{"202, half a second late", late(500 * time.Millisecond), 1, delivered, ""},
		{"200 with a body of 1 GB", gigabyte(taken), 1, delivered, ""},
		{"200, then cut in its body", raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"), 1, delivered, ""},
		{"500 once", turning(1, status(500), ok), 2, delivered, ""},
		{"500 five times", turning(5, status(500), ok), 6, delivered, ""},
		{"500 nine times", turning(9, status(500), ok), 10, delivered, ""},
		{"429 twice", turning(2, status(429), ok), 3, delivered, ""},
		{"401 three times", turning(3, status(401), ok), 4, delivered, ""},
		{"hangs once", turning(1, hanging, ok), 2, delivered, ""},
		{"closes early twice", turning(2, raw(""), ok), 3, delivered, ""},
		{"503 for ever", status(503), allTries, failed, failing},
		{"404 for ever", status(404), allTries, failed, failing},
		{"410", status(410), 1, failed, gone},
		{"301", redirect(301, trap), allTries, failed, failing},
		{"302", redirect(302, trap), allTries, failed, failing},
		{"307", redirect(307, trap), allTries, failed, failing},
		{"308", redirect(308, trap), allTries, failed, failing},
		{"304", status(304), allTries, failed, failing},
		{"hangs for ever", hanging, allTries, failed, failing},
		{"a head byte by byte", drip, allTries, failed, failing},
		{"closes early for ever", raw(""), allTries, failed, failing},
		{"not HTTP", raw("220 mx.example.com ESMTP\r\n"), allTries, failed, failing},
		{"half a status line", raw("HTTP/1.1 20"), allTries, failed, failing},
		{"a head of 1 MB", raw("HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 1<<20) + "\r\n\r\n"), allTries, failed, failing},
	}
}

// TestWebhookBattery has every event told to endpoints of all kinds and lets
// three days pass.
func TestWebhookBattery(t *testing.T) {
	t.Parallel()
	atDesk(t, nil, func(d desk) {
		trapped := listening(d.t, "trap", status(200))
		var taken atomic.Int64
		list := treatments(trapped.url, &taken)
		hooks := make([]*hook, 0, len(list)+2)
		for _, b := range list {
			hooks = append(hooks, d.subscribe(listening(d.t, b.name, b.answer)))
		}
		closed := listen(d.t)
		_ = closed.Close()
		untrusted := httptest.NewUnstartedServer(http.NotFoundHandler())
		untrusted.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
		untrusted.StartTLS()
		d.t.Cleanup(untrusted.Close)
		for name, url := range map[string]string{"refuses": "http://" + closed.Addr().String(), "a certificate of nobody": untrusted.URL} {
			list = append(list, treatment{name: name, tries: allTries, state: "failed", paused: survey.PausedFailing})
			hooks = append(hooks, d.subscribe(&hook{name: name, url: url}))
		}
		v := d.ask("chat", nil)
		d.answered(v, 1)
		d.run(func(o *scheduler.Options) { delivering(o); o.DeliveryTime = 2 * time.Second })
		d.ends(hooks...)

		table := []string{fmt.Sprintf("%-28s %5s  %-10s %s", "endpoint", "tries", "delivery", "webhook")}
		for i, b := range list {
			table = append(table, d.judged(hooks[i], b))
		}
		battery.Report(d.t, "one event, three days, %d endpoints:\n%s", len(list), strings.Join(table, "\n"))
		if n := len(trapped.all()); n != 0 {
			d.t.Errorf("%d redirects were followed", n)
		}
		if n := taken.Load(); n > 64<<20 {
			d.t.Errorf("%d bytes of the large body were read", n)
		}
		paused := 0
		for _, b := range list {
			if b.paused != "" {
				paused++
			}
		}
		d.until("the owners of all that were paused are told", func() bool { return len(d.server.lettersTo("ops@acme.example")) == paused })
		d.verified()
	})
}

// judged compares what came of an endpoint with what must, and returns a line
// of the table.
func (d desk) judged(h *hook, b treatment) string {
	d.t.Helper()
	got := d.deliveries(h)
	if len(got) != 1 {
		d.t.Fatalf("%s: %d deliveries", b.name, len(got))
	}
	w := d.state(h)
	if got[0].State != b.state || got[0].Attempts != b.tries || w.PausedReason != b.paused {
		d.t.Errorf("%s: %s after %d tries, paused %q; want %s after %d, paused %q", b.name, got[0].State, got[0].Attempts, w.PausedReason,
			b.state, b.tries, b.paused)
	}
	if (got[0].LastError == nil) != (b.state == "delivered") || got[0].LatencyMS == nil {
		d.t.Errorf("%s: error %v, latency %v", b.name, got[0].LastError, got[0].LatencyMS)
	}
	if came := h.all(); b.answer != nil {
		if len(came) != b.tries {
			d.t.Errorf("%s: %d requests, want %d", b.name, len(came), b.tries)
		}
		for _, p := range came {
			if err := signed(h.secret, p); err != nil {
				d.t.Errorf("%s: %v", b.name, err)
			}
			if p.Get("Webhook-Id") != "msg_"+got[0].ID.String() || !bytes.Equal(p.body, came[0].body) {
				d.t.Errorf("%s: another id or body on a retry", b.name)
			}
		}
	}
	return fmt.Sprintf("%-28s %5d  %-10s %s", b.name, got[0].Attempts, got[0].State, strings.TrimSpace(string(w.State)+" "+w.PausedReason))
}

// What was given up can be sent again, with its id and all its tries.
func TestRedeliver(t *testing.T) {
	t.Parallel()
	d := alone(t, nil)
	h := d.subscribe(listening(t, "mended", turning(allTries+1, status(500), status(200))))
	v := d.ask("chat", nil)
	d.answered(v, 1)
	d.run(delivering)
	d.ends(h)
	of := d.deliveries(h)[0]
	if of.State != "failed" || d.state(h).State != survey.Paused {
		t.Fatalf("after three days %+v, %+v", of, d.state(h))
	}
	if _, err := d.store.Redeliver(t.Context(), d.by, h.webhook.ID, of.ID); err == nil {
		t.Error("a paused webhook was sent to")
	}
	d.answered(v, 2) // one more: nobody keeps it for a paused webhook
	if _, err := d.store.ChangeWebhook(t.Context(), d.by, h.webhook.ID, func(w *survey.Webhook) error { w.State = survey.Active; return nil }); err != nil {
		t.Fatal(err)
	}
	again, err := d.store.Redeliver(t.Context(), d.by, h.webhook.ID, of.ID)
	if err != nil || again.ID != of.ID || again.State != "waiting" || again.Attempts != 0 {
		t.Fatalf("redelivered %+v, %v", again, err)
	}
	d.ends(h)
	list := d.deliveries(h)
	if len(list) != 1 || list[0].State != "delivered" || list[0].Attempts != 2 || list[0].Status == nil || *list[0].Status != 200 {
		t.Fatalf("deliveries %+v", list)
	}
	first := h.all()[0]
	for _, p := range h.all() {
		if p.Get("Webhook-Id") != first.Get("Webhook-Id") {
			t.Error("another id")
		}
	}
	for waited := 0; len(d.server.lettersTo("ops@acme.example")) == 0 && waited < 300; waited++ { // notices go out every 5 seconds
		time.Sleep(100 * time.Millisecond)
	}
	if len(d.server.lettersTo("ops@acme.example")) != 1 {
		t.Errorf("the owner got %d mails", len(d.server.lettersTo("ops@acme.example")))
	}
}
