package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

func TestEveryRequestArrivesOnceAndRefusalsAreCounted(t *testing.T) {
	var mu sync.Mutex
	seen := map[string]int{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Header.Get("Authorization") != "Bearer k" || r.URL.RequestURI() != "/v1?a=b" {
			t.Errorf("%s %s %v: %v", r.Method, r.URL, r.Header, err)
		}
		mu.Lock()
		seen[string(body)]++
		mu.Unlock()
		if strings.HasPrefix(string(body), "7 ") {
			w.WriteHeader(http.StatusTeapot)
		}
		if _, err := io.WriteString(w, "短い"); err != nil {
			t.Error(err)
		}
	}))
	defer server.Close()

	got, err := run(settings{target: server.URL + "/v1?a=b", method: "PUT", body: "{n} サポート {n}",
		extra: headers{"Authorization: Bearer k"}, start: 5, connections: 3, requests: 100})
	if err != nil {
		t.Fatal(err)
	}
	if got.Requests != 100 || got.Not2xx != 1 || got.Example != "418 短い" || got.PerSecond <= 0 {
		t.Errorf("report = %+v", got)
	}
	for n := 5; n < 105; n++ {
		if body := fmt.Sprintf("%d サポート %d", n, n); seen[body] != 1 {
			t.Errorf("%q arrived %d times", body, seen[body])
		}
	}
	if len(seen) != 100 {
		t.Errorf("%d different bodies, want 100", len(seen))
	}
}

// A page is opened, then answered: the two are one turn, each with its target.
func TestATurnOfTwo(t *testing.T) {
	var mu sync.Mutex
	seen := map[string]int{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		seen[r.Method+" "+r.URL.RequestURI()+" "+string(body)]++
		if r.Method == http.MethodPost && (seen["GET "+r.URL.Path+"?score=9 "] != 1 || r.Header.Get("Content-Type") != "text/plain") || r.URL.Path == "/s/t7" {
			w.WriteHeader(http.StatusConflict)
		}
	}))
	defer server.Close()
	var targets []string
	for n := range 10 {
		targets = append(targets, fmt.Sprintf("t%d", n))
	}
	got, err := run(settings{target: server.URL + "/s/{target}", first: server.URL + "/s/{target}?score=9", method: "POST", body: "score=9",
		extra: headers{"Content-Type: text/plain"}, targets: targets, start: 2, connections: 2, requests: 8})
	if err != nil {
		t.Fatal(err)
	}
	if got.Requests != 8 || got.Not2xx != 1 || len(seen) != 15 || seen["POST /s/t9 score=9"] != 1 || seen["POST /s/t7 score=9"] != 0 {
		t.Errorf("%+v, %v", got, seen)
	}
}

func TestWrongFlagsAreRefused(t *testing.T) {
	for _, wrong := range []settings{
		{target: "https://localhost/", connections: 1, requests: 1}, {target: "localhost:80", connections: 1, requests: 1},
		{target: "http://localhost/", requests: 1}, {target: "http://localhost/", connections: 2, requests: 1},
		{target: "http://localhost/", first: "http://elsewhere/", connections: 1, requests: 1},
		{target: "http://localhost/", targets: []string{"a"}, connections: 1, requests: 2},
	} {
		if _, err := run(wrong); err == nil {
			t.Errorf("%+v: no error", wrong)
		}
	}
}
