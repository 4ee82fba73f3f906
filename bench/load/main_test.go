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

	got, err := run(server.URL+"/v1?a=b", "PUT", "{n} サポート {n}", []string{"Authorization: Bearer k"}, 5, 3, 100)
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

func TestWrongFlagsAreRefused(t *testing.T) {
	for _, wrong := range []struct {
		url                   string
		connections, requests int
	}{
		{"https://localhost/", 1, 1}, {"localhost:80", 1, 1}, {"http://localhost/", 0, 1}, {"http://localhost/", 2, 1},
	} {
		if _, err := run(wrong.url, "POST", "", nil, 0, wrong.connections, wrong.requests); err == nil {
			t.Errorf("%+v: no error", wrong)
		}
	}
}
