package main

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"koe/survey/store/storetest"
	"koe/survey/store/storetest/battery"
)

// told is an endpoint that notes which events came under which ids.
type told struct {
	mu   sync.Mutex
	ids  map[string]map[string]int // by response, by webhook-id: how often
	came int
}

func (e *told) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	raw, err := io.ReadAll(r.Body)
	var event struct {
		Data struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	if err != nil || json.Unmarshal(raw, &event) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	e.mu.Lock()
	e.came++
	if e.ids[event.Data.ID] == nil {
		e.ids[event.Data.ID] = map[string]int{}
	}
	e.ids[event.Data.ID][r.Header.Get("Webhook-Id")]++
	e.mu.Unlock()
	time.Sleep(2 * time.Millisecond) // so that some are under way when koe is killed
}

// lacks counts those of the responses that the endpoint was not told of.
func (e *told) lacks(responses []string) (n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, one := range responses {
		if len(e.ids[one]) == 0 {
			n++
		}
	}
	return n
}

// TestNoEventIsLostOverAKill kills koe again and again while it keeps answers
// and tells of them: every answer that was acknowledged is told, under one id.
func TestNoEventIsLostOverAKill(t *testing.T) {
	const kills, key = 6, "koe_key-of-the-kill-test"
	storetest.EachEmpty(t, func(t *testing.T, database string) {
		endpoint := &told{ids: map[string]map[string]int{}}
		server := httptest.NewServer(endpoint)
		t.Cleanup(server.Close)
		environ := []string{"KOE_DATABASE_URL=" + database, "KOE_SECRET=a-secret-that-is-long-enough-for-tests", "KOE_ADMIN_KEY=" + key,
			"KOE_WEBHOOK_LOOPBACK=true", "KOE_LOG_FORMAT=json", "KOE_TIMEZONE=UTC"}
		folder := t.TempDir()
		post := func(base, path, body string, into any) (int, error) {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+path, strings.NewReader(body))
			if err != nil {
				return 0, err
			}
			request.Header.Set("Authorization", "Bearer "+key)
			request.Header.Set("Content-Type", "application/json")
			answer, err := http.DefaultClient.Do(request)
			if err != nil {
				return 0, err
			}
			defer answer.Body.Close()
			return answer.StatusCode, json.NewDecoder(answer.Body).Decode(into)
		}
		var acknowledged []string
		var survey, hook struct{ ID string }
		for life := range kills + 1 {
			koe := launch(t, folder, environ)
			base := koe.serving()
			if life == 0 {
				code, err := post(base, "/v1/surveys", `{"name":"Kill","template":"nps","touchpoint":"chat","channel":"link","trigger":{"type":"manual"}}`, &survey)
				if err != nil || code != 201 {
					t.Fatalf("survey: %d, %v", code, err)
				}
				code, err = post(base, "/v1/webhooks", `{"url":"`+server.URL+`","events":["response.created"]}`, &hook)
				if err != nil || code != 201 {
					t.Fatalf("webhook: %d, %v", code, err)
				}
			}
			if life == kills {
				within(t, "every event is told", func() bool { return endpoint.lacks(acknowledged) == 0 })
				koe.stop()
				break
			}
			// the kill comes at any instant of what follows
			time.AfterFunc(time.Duration(700+rand.IntN(900))*time.Millisecond, func() { _ = koe.cmd.Process.Kill() })
			for i := 0; ; i++ {
				var made struct{ ID string }
				code, err := post(base, "/v1/responses", fmt.Sprintf(`{"survey_id":%q,"score":%d,"external_id":"r-%d-%d"}`, survey.ID, i%11, life, i), &made)
				if err != nil {
					break
				}
				if code != 201 {
					t.Fatalf("answer: %d", code)
				}
				acknowledged = append(acknowledged, made.ID)
			}
			_, _ = koe.ended()
			aMinutePasses(t, database)
		}
		lost := endpoint.lacks(acknowledged)
		endpoint.mu.Lock()
		defer endpoint.mu.Unlock()
		again := 0
		for response, ids := range endpoint.ids {
			if len(ids) != 1 {
				t.Errorf("response %s was told under %d ids", response, len(ids))
			}
			for _, n := range ids {
				again += n - 1
			}
		}
		battery.Report(t, "%d kills: %d answers acknowledged, %d lost, %d events told, %d of them again with the same id",
			kills, len(acknowledged), lost, endpoint.came, again)
		if len(acknowledged) < 10*kills {
			t.Errorf("only %d answers were acknowledged: this proves little", len(acknowledged))
		}
		if code, _ := launch(t, folder, environ, "verify").ended(); code != 0 {
			t.Errorf("koe verify ends with %d", code)
		}
	})
}

// aMinutePasses ends the leases of a process that was killed, for a database
// that several processes share; with SQLite the next start settles them.
func aMinutePasses(t *testing.T, database string) {
	t.Helper()
	if !strings.HasPrefix(database, "postgres") {
		return
	}
	db, err := sql.Open("pgx", database)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.Exec(`UPDATE outbox SET lease_until = 0 WHERE state = 'claimed'`); err != nil {
		t.Fatal(err)
	}
}

// within waits for something to come true.
func within(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("in vain waited until %s", what)
		}
	}
}
