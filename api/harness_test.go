package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"koe/api"
	"koe/survey"
	"koe/survey/store"
	"koe/survey/store/storetest"
	"koe/templates"
)

// server is a koe under test: the whole API over real HTTP on a real database.
type server struct {
	t         *testing.T
	url       string
	database  string
	store     *store.Store
	workspace survey.Workspace
	key       string // of an admin; what do sends unless told otherwise
	log       *logged
	now       *clock
	close     func() // ends it; the database stays
}

// testStart is what the clocks of servers under test show at first.
var testStart = time.Date(2026, 11, 22, 9, 30, 0, 0, time.UTC)

// clock stands still until it is moved.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) time() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// logged keeps what a server logs.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// newServer starts a koe on a fresh SQLite file.
func newServer(t *testing.T, settings ...func(*api.Options)) *server {
	t.Helper()
	return openServer(t, storetest.MigratedSQLite(t), settings...)
}

// openServer starts a koe on a database, which may have been another's before.
func openServer(t *testing.T, database string, settings ...func(*api.Options)) *server {
	t.Helper()
	ctx := context.Background()
	s := &server{t: t, database: database, log: &logged{}, now: &clock{at: testStart}}
	stock, err := templates.Stock()
	if err != nil {
		t.Fatal(err)
	}
	s.store, err = store.Open(ctx, database, store.Options{Secret: bytes.Repeat([]byte("s"), 32), Stock: stock,
		Timezone: "Asia/Tokyo", Now: s.now.time})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.store.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	if s.workspace, _, err = s.store.EnsureDefault(ctx); err != nil {
		t.Fatal(err)
	}
	s.key = s.newKey(s.workspace, store.Admin)

	words, err := templates.New()
	if err != nil {
		t.Fatal(err)
	}
	contract, err := os.ReadFile("../openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	options := api.Options{Store: s.store, Words: words, OpenAPI: contract, BaseURL: "https://koe.example.com", Now: s.now.time,
		Log: slog.New(slog.NewTextHandler(s.log, nil)), Version: "test"}
	for _, set := range settings {
		set(&options)
	}
	http := httptest.NewUnstartedServer(nil)
	http.Config = api.Server(api.New(options))
	http.Start()
	s.url = http.URL
	s.close = sync.OnceFunc(func() {
		http.Close()
		if err := s.store.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(s.close)
	return s
}

// newKey makes an API key and returns its secret.
func (s *server) newKey(w survey.Workspace, role store.Role) string {
	s.t.Helper()
	_, secret, err := s.store.CreateKey(context.Background(), store.Caller{Workspace: w.ID, KeyName: "test"}, "test "+string(role), role)
	if err != nil {
		s.t.Fatal(err)
	}
	return secret
}

// newWorkspace makes another tenant and returns the secret of its admin.
func (s *server) newWorkspace(key string) (survey.Workspace, string) {
	s.t.Helper()
	w, err := s.store.CreateWorkspace(context.Background(), survey.NewWorkspace(key, key, "UTC"))
	if err != nil {
		s.t.Fatal(err)
	}
	return w, s.newKey(w, store.Admin)
}

// as sends a request with another key; "" sends none.
func as(secret string) func(*http.Request) {
	return func(r *http.Request) {
		r.Header.Del("Authorization")
		if secret != "" {
			r.Header.Set("Authorization", "Bearer "+secret)
		}
	}
}

// with sends a header.
func with(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header[http.CanonicalHeaderKey(name)] = []string{value} }
}

// do sends a request and returns the answer. A body is nothing, a text or
// bytes that go out as they are, or a value that is written as JSON.
func (s *server) do(method, path string, body any, options ...func(*http.Request)) response {
	s.t.Helper()
	var sent []byte
	switch b := body.(type) {
	case nil:
	case string:
		sent = []byte(b)
	case []byte:
		sent = b
	default:
		var err error
		if sent, err = json.Marshal(b); err != nil {
			s.t.Fatal(err)
		}
	}
	request, err := http.NewRequest(method, s.url+path, bytes.NewReader(sent))
	if err != nil {
		s.t.Fatal(err)
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	request.Header.Set("Authorization", "Bearer "+s.key)
	for _, o := range options {
		o(request)
	}
	answer, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer answer.Body.Close()
	got := response{t: s.t, request: method + " " + path, status: answer.StatusCode, header: answer.Header}
	if got.body, err = io.ReadAll(answer.Body); err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	if got.header.Get("X-Request-Id") == "" {
		s.t.Errorf("%s: no X-Request-Id", got.request)
	}
	checkContract(s.t, request, sent, got)
	return got
}

// response is an answer of the server.
type response struct {
	t       *testing.T
	request string
	status  int
	header  http.Header
	body    []byte
}

// want fails the test where the answer has another status.
func (r response) want(status int) response {
	r.t.Helper()
	if r.status != status {
		r.t.Fatalf("%s: %d instead of %d: %s", r.request, r.status, status, r.body)
	}
	return r
}

// into reads the answer's JSON.
func (r response) into(v any) response {
	r.t.Helper()
	if err := json.Unmarshal(r.body, v); err != nil {
		r.t.Fatalf("%s: %v: %s", r.request, err, r.body)
	}
	return r
}

// at is a value in the answer's JSON, such as at("data[0].key") or at("[0].key"): a string, a
// float64, a bool, nil, a list or an object. What is not there is nil.
func (r response) at(path string) any {
	r.t.Helper()
	var v any
	r.into(&v)
	for part := range strings.SplitSeq(strings.TrimPrefix(strings.ReplaceAll(path, "[", ".["), "."), ".") {
		if index, isIndex := strings.CutPrefix(part, "["); isIndex {
			i, err := strconv.Atoi(strings.TrimSuffix(index, "]"))
			list, _ := v.([]any)
			if err != nil || i >= len(list) {
				return nil
			}
			v = list[i]
			continue
		}
		object, _ := v.(map[string]any)
		v = object[part]
	}
	return v
}

// text is at, for a text.
func (r response) text(path string) string {
	r.t.Helper()
	s, ok := r.at(path).(string)
	if !ok {
		r.t.Fatalf("%s: %s is no text in %s", r.request, path, r.body)
	}
	return s
}

// wantAt fails the test where a value of the answer is another. Numbers are
// given as float64.
func (r response) wantAt(path string, want any) response {
	r.t.Helper()
	if got := r.at(path); got != want {
		r.t.Errorf("%s: %s is %#v instead of %#v", r.request, path, got, want)
	}
	return r
}

// wantProblem fails the test where the answer is not a problem of this status,
// or does not name these fields.
func (r response) wantProblem(status int, fields ...string) response {
	r.t.Helper()
	r.want(status)
	if got := r.header.Get("Content-Type"); got != "application/problem+json" {
		r.t.Errorf("%s: a problem as %q", r.request, got)
	}
	var p struct {
		Type, Title, Detail string
		Status              int
		RequestID           string `json:"request_id"`
		Errors              []survey.FieldError
	}
	r.into(&p)
	if p.Status != status || p.Type == "" || p.Title == "" || p.Detail == "" || p.RequestID != r.header.Get("X-Request-Id") {
		r.t.Errorf("%s: an incomplete problem: %s", r.request, r.body)
	}
	var named []string
	for _, e := range p.Errors {
		if e.Field == "" || e.Code == "" || e.Message == "" {
			r.t.Errorf("%s: an incomplete field error: %s", r.request, r.body)
		}
		named = append(named, e.Field)
	}
	if len(fields) > 0 && strings.Join(named, " ") != strings.Join(fields, " ") {
		r.t.Errorf("%s: names the fields %q instead of %q: %s", r.request, named, fields, r.body)
	}
	return r
}

// unsized sends a body without saying how long it is.
func unsized(r *http.Request) {
	r.ContentLength = -1
	r.Body = io.NopCloser(io.MultiReader(r.Body))
}
