package api_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"koe/api"
	"koe/survey"
	"koe/survey/store"
	"koe/templates"
)

func TestPathsAndMethodsThatDoNotExist(t *testing.T) {
	s := newServer(t)
	for _, path := range []string{"/nothing", "/v1", "/v1/", "/v1/nothing", "/v1/workspace/", "/v1/workspace/x", "/V1/workspace", "/v2/workspace",
		"/v1/surveys/a/b/c", "/%2e%2e/v1/workspace", "/v1%2Fworkspace", "/static", "/healthz/", "/.git/config"} {
		s.do("GET", path, nil, as("")).wantProblem(404)
	}
	for path, allow := range map[string]string{"/v1/workspace": "GET HEAD PATCH", "/v1/touchpoints": "GET HEAD POST", "/healthz": "GET HEAD",
		"/v1/surveys/a/activate": "POST", "/v1/surveys/a": "GET HEAD PATCH PUT"} {
		for _, method := range []string{"BREW", "TRACE", "DELETE"} {
			got := s.do(method, path, nil, as("")).wantProblem(405)
			for want := range strings.FieldsSeq(allow) {
				if !strings.Contains(got.header.Get("Allow"), want) {
					t.Errorf("%s %s: Allow is %q", method, path, got.header.Get("Allow"))
				}
			}
		}
	}
}

func TestQueriesThatAreRefused(t *testing.T) {
	s := newServer(t)
	for query, status := range map[string]int{
		"colour=red": 400, "Limit=1": 400, "limit=1&limit=1": 400, "limit=1&limit=2": 400, "limit[]=1": 400, "cursor=%zz": 400, "a;b": 400, "limit=1;cursor=x": 400,
		"cursor=%00": 400, "cursor=%ff": 400, "=1": 400, "&": 200, "?": 400, "limit": 422,
		"limit=": 422, "limit=0": 422, "limit=501": 422, "limit=-1": 422, "limit=1.5": 422, "limit=01": 422, "limit=%2B1": 422, "limit=1e2": 422, "limit=٣": 422, "limit=99999999999999999999": 422,
		"cursor=x": 422, "cursor=": 422, "limit=1": 200, "limit=500": 200, "": 200,
	} {
		got := s.do("GET", "/v1/touchpoints?"+query, nil).want(status)
		if status >= 400 {
			got.wantProblem(status)
		}
	}
	s.do("GET", "/v1/workspace?limit=1", nil).wantProblem(400)
	s.do("POST", "/v1/touchpoints?dry_run=true", `{"key":"a","name":"a"}`).wantProblem(400)
	s.do("GET", "/v1/surveys?state=open", nil).wantProblem(422, "state")
	s.do("GET", "/v1/suppressions?email=nobody", nil).wantProblem(422, "email")
}

func TestListsAndTheirCursors(t *testing.T) {
	s := newServer(t)
	for _, key := range []string{"c", "a", "e", "b", "d"} {
		s.do("PUT", "/v1/touchpoints/"+key, `{"name":"`+key+`"}`).want(201)
	}
	var seen, cursor string
	for pages := 0; ; pages++ {
		path := "/v1/touchpoints?limit=2"
		if cursor != "" {
			path += "&cursor=" + cursor
		}
		got := s.do("GET", path, nil).want(200)
		var page struct {
			Data []struct{ Key string }
			Next *string `json:"next_cursor"`
		}
		got.into(&page)
		for _, item := range page.Data {
			seen += item.Key
		}
		if pages == 0 { // what comes meanwhile neither repeats nor hides
			s.do("PUT", "/v1/touchpoints/aa", `{"name":"aa"}`).want(201)
		}
		if page.Next == nil {
			if got.at("next_cursor") != nil || pages != 2 {
				t.Errorf("ends after %d pages with %s", pages, got.body)
			}
			break
		}
		cursor = *page.Next
	}
	if seen != "abcde" {
		t.Errorf("saw %s", seen)
	}
	s.do("GET", "/v1/templates?cursor="+cursor, nil).wantProblem(422, "cursor")
	_, other := s.newWorkspace("other")
	s.do("GET", "/v1/touchpoints?cursor="+cursor, nil, as(other)).wantProblem(422, "cursor")
	s.do("GET", "/v1/touchpoints", nil, as(other)).want(200).wantAt("next_cursor", nil)
}

func TestHeadIsGetWithoutItsBody(t *testing.T) {
	s := newServer(t)
	for _, path := range []string{"/v1/workspace", "/v1/templates/nps", "/healthz", "/", "/docs", "/openapi.yaml", "/static/page.css", "/v1/nothing", "/v1/templates/none"} {
		get, head := s.do("GET", path, nil), s.do("HEAD", path, nil)
		if head.status != get.status || len(head.body) != 0 {
			t.Errorf("%s: %d with %d bytes instead of %d", path, head.status, len(head.body), get.status)
		}
		for _, name := range []string{"Content-Type", "ETag", "Content-Security-Policy"} {
			if head.header.Get(name) != get.header.Get(name) {
				t.Errorf("%s: %s is %q instead of %q", path, name, head.header.Get(name), get.header.Get(name))
			}
		}
	}
}

func TestSafeHeaders(t *testing.T) {
	s := newServer(t)
	seen := map[string]bool{}
	for _, path := range []string{"/v1/workspace", "/v1/nothing", "/healthz", "/", "/docs", "/static/page.css", "/s/unknown", "/mailbox"} {
		got := s.do("GET", path, nil, with("X-Request-Id", "mine"))
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"} {
			if got.header.Get(name) != want {
				t.Errorf("%s: %s is %q", path, name, got.header.Get(name))
			}
		}
		policy := got.header.Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'none'") || !strings.Contains(policy, "frame-ancestors 'none'") {
			t.Errorf("%s: policy %q", path, policy)
		}
		if strings.Contains(policy, "unsafe") != (path == "/docs") || strings.Contains(policy, "script-src") && !strings.Contains(policy, "script-src 'self'") && !strings.Contains(policy, "script-src 'sha256-") {
			t.Errorf("%s: policy %q", path, policy)
		}
		if stored := got.header.Get("Cache-Control"); (stored == "no-store") == strings.HasPrefix(path, "/static/") {
			t.Errorf("%s: Cache-Control %q", path, stored)
		}
		id := got.header.Get("X-Request-Id")
		if id == "mine" || seen[id] {
			t.Errorf("%s: request id %q", path, id)
		}
		seen[id] = true
	}
}

func TestVersionsMustMatch(t *testing.T) {
	s := newServer(t)
	template := func(name string) string {
		return `{"name":"` + name + `","metric":"nps","default_locale":"en","questions":[{"key":"score","type":"score","text":{"en":"a"}}]}`
	}
	survey := func(name string) string {
		return `{"name":"` + name + `","template":"nps","touchpoint":"x","channel":"link","trigger":{"type":"manual"}}`
	}
	touchpoint := func(name string) string { return `{"name":"` + name + `"}` }
	for path, body := range map[string]func(string) string{"/v1/templates/v": template, "/v1/surveys/v": survey, "/v1/touchpoints/v": touchpoint} {
		match := func(tag string) func(*http.Request) { return with("If-Match", tag) }
		s.do("PUT", path, body("a"), match("*")).wantProblem(412)   // nothing to match yet
		s.do("PUT", path, body("a"), match(`"1"`)).wantProblem(412) // nor this
		first := s.do("PUT", path, body("a")).want(201).header.Get("ETag")
		if first != `"1"` || s.do("GET", path, nil).want(200).header.Get("ETag") != first {
			t.Errorf("%s: ETag %s", path, first)
		}
		second := s.do("PUT", path, body("b"), match(first)).want(200).header.Get("ETag")
		if second == first {
			t.Errorf("%s: the ETag stays %s", path, second)
		}
		for _, tag := range []string{first, `"0"`, `"-1"`, `"999"`, `"x"`, `""`, `"02"`, `"99999999999999999999"`, "W/" + second} {
			s.do("PUT", path, body("c"), match(tag)).wantProblem(412)
		}
		for _, tag := range []string{"2", `"2`, `2"`, `"1", "2"`, "", `**`, `"a"b"`} {
			got := s.do("PUT", path, body("c"), match(tag))
			got.request = path + " " + tag
			got.wantProblem(400)
		}
		s.do("GET", path, nil).want(200).wantAt("name", "b")
		s.do("PUT", path, body("c"), match("*")).want(200)
		if path == "/v1/templates/v" {
			s.do("DELETE", path, nil, match(second)).wantProblem(412)
			s.do("DELETE", path, nil, match(`"3"`)).want(204)
			continue
		}
		s.do("PATCH", path, touchpoint("d"), match(second)).wantProblem(412)
		third := s.do("PATCH", path, touchpoint("d"), match(`"3"`)).want(200).wantAt("name", "d").header.Get("ETag")
		if path == "/v1/surveys/v" {
			s.do("POST", path+"/activate", nil, match(second)).wantProblem(412)
			fourth := s.do("POST", path+"/activate", nil, match(third)).want(200).wantAt("state", "active").header.Get("ETag")
			s.do("POST", path+"/pause", nil, match(third)).wantProblem(412)
			fifth := s.do("POST", path+"/pause", nil, match(fourth)).want(200).wantAt("state", "paused").header.Get("ETag")
			s.do("POST", path+"/archive", nil, match(fourth)).wantProblem(412)
			s.do("POST", path+"/archive", nil, match(fifth)).want(200).wantAt("state", "archived")
		} else {
			s.do("DELETE", path, nil, match(second)).wantProblem(412)
			s.do("DELETE", path, nil, match(third)).want(204)
		}
	}
}

func TestRateLimit(t *testing.T) {
	s := newServer(t, func(o *api.Options) { o.RatePerKey = 2 })
	first := s.do("GET", "/v1/workspace", nil).want(200)
	if first.header.Get("RateLimit-Policy") != `"key";q=2;w=1` || first.header.Get("RateLimit") != `"key";r=1;t=1` {
		t.Errorf("%v", first.header)
	}
	s.do("GET", "/v1/workspace", nil).want(200)
	over := s.do("GET", "/v1/workspace", nil).wantProblem(429)
	if over.header.Get("Retry-After") != "1" || over.header.Get("RateLimit") != `"key";r=0;t=1` {
		t.Errorf("%v", over.header)
	}
	s.do("GET", "/v1/workspace", nil, as(s.newKey(s.workspace, "viewer"))).want(200) // another key has its own
	s.do("GET", "/healthz", nil).want(200)
	s.now.move(500 * time.Millisecond)
	s.do("GET", "/v1/workspace", nil).want(200)
	s.do("GET", "/v1/workspace", nil).wantProblem(429)
	if got := newServer(t).do("GET", "/v1/workspace", nil).want(200); got.header.Get("RateLimit") != "" {
		t.Error("a limit is told where none is set")
	}
}

func TestLogAndMetricsNameRoutes(t *testing.T) {
	s := newServer(t)
	s.do("GET", "/v1/templates/nps", nil).want(200)
	s.do("GET", "/s/SECRETTOKEN?score=9", nil)
	s.do("GET", "/no/SECRETTOKEN", nil)
	s.do("SECRETMETHOD", "/v1/workspace", nil)
	s.do("POST", "/v1/suppressions", `{"email":"secret@example.com"}`).want(201)
	s.do("GET", "/v1/suppressions?email=secret@example.com", nil).want(200)
	metrics := string(s.do("GET", "/metrics", nil, as("")).want(200).body)
	for _, want := range []string{`koe_http_requests_total{method="GET",route="/v1/templates/{key}",status="200"} 1`, `route="/s/{token}"`,
		`koe_http_requests_total{method="GET",route="unknown",status="404"} 1`, `koe_http_requests_total{method="other",route="unknown",status="405"} 1`,
		`koe_http_request_duration_seconds_count{method="POST",route="/v1/suppressions"} 1`, "go_goroutines"} {
		if !strings.Contains(metrics, want) {
			t.Errorf("/metrics lacks %s", want)
		}
	}
	log := s.log.String()
	for _, want := range []string{"route=/v1/templates/{key}", "status=200", "request_id=", "key_id=", "ms=", "method=other"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %s", want)
		}
	}
	for _, never := range []string{"SECRET", "secret@", s.key, "nps", "score=9"} {
		if strings.Contains(metrics, never) || strings.Contains(log, never) {
			t.Errorf("%s is told", never)
		}
	}
}

func TestAPanicIsAFault(t *testing.T) {
	s := newServer(t, func(o *api.Options) {
		o.SendTest = func(context.Context, api.TestMail) error { panic("the inner secret") }
	})
	got := s.do("POST", "/v1/templates/nps/test", `{"to":"me@example.com"}`).wantProblem(500)
	if strings.Contains(string(got.body), "secret") {
		t.Errorf("%s", got.body)
	}
	if log := s.log.String(); !strings.Contains(log, got.text("request_id")) || !strings.Contains(log, "the inner secret") {
		t.Errorf("the log does not know: %s", log)
	}
	s.do("GET", "/healthz", nil).want(200)
}

func TestProbes(t *testing.T) {
	s := newServer(t)
	s.do("GET", "/healthz", nil, as("")).want(200).wantAt("status", "ok")
	s.do("GET", "/readyz", nil, as("")).want(200).wantAt("status", "ok")
}

func TestPages(t *testing.T) {
	s := newServer(t)
	for path, want := range map[string]string{"/": "koe", "/docs": "redoc.standalone.js", "/openapi.yaml": "openapi: 3.1", "/static/page.css": "{", "/static/redoc.standalone.js": "function"} {
		if got := s.do("GET", path, nil, as("")).want(200); !strings.Contains(string(got.body), want) {
			t.Errorf("%s lacks %s", path, want)
		}
	}
	for path, media := range map[string]string{"/": "text/html; charset=utf-8", "/openapi.yaml": "application/yaml; charset=utf-8", "/static/page.css": "text/css; charset=utf-8",
		"/static/docs.js": "text/javascript; charset=utf-8"} {
		if got := s.do("GET", path, nil, as("")); got.header.Get("Content-Type") != media {
			t.Errorf("%s is %s", path, got.header.Get("Content-Type"))
		}
	}
	for _, path := range []string{"/static/none.css", "/static/..%2ftemplates.go", "/static/%2e%2e", "/static/.", "/static/", "/static/a/b"} {
		s.do("GET", path, nil, as("")).wantProblem(404)
	}
}

// mailbox is a development mailbox with one mail.
func mailbox(o *api.Options) {
	o.BaseURL = "http://localhost:8080"
	entry := templates.MailboxEntry{ID: "m@1", From: "koe@example.com", To: "ana@example.com", Subject: "How did we do?",
		Date: survey.InstantOf(testStart), Text: "https://koe.example.com/s/token", HasHTML: true}
	o.Mailbox = &api.Mailbox{
		List: func() []templates.MailboxEntry { return []templates.MailboxEntry{entry} },
		Find: func(id string) (templates.MailboxEntry, string, bool) { return entry, "<p>Hello</p>", id == entry.ID },
	}
}

func TestMailbox(t *testing.T) {
	s := newServer(t, mailbox)
	if got := s.do("GET", "/mailbox", nil, as("")).want(200); !strings.Contains(string(got.body), "How did we do?") {
		t.Errorf("%s", got.body)
	}
	for _, path := range []string{"/mailbox/m@1", "/mailbox/m%401"} {
		got := s.do("GET", path, nil, as("")).want(200)
		if !strings.Contains(string(got.body), "/s/token") || !strings.Contains(got.header.Get("Content-Security-Policy"), "frame-src 'self'") {
			t.Errorf("%s", got.body)
		}
	}
	html := s.do("GET", "/mailbox/m@1/html", nil, as("")).want(200)
	if policy := html.header.Get("Content-Security-Policy"); string(html.body) != "<p>Hello</p>" || !strings.Contains(policy, "sandbox") || strings.Contains(policy, "script") {
		t.Errorf("%s under %s", html.body, policy)
	}
	s.do("GET", "/mailbox/none", nil, as("")).want(404)
	s.do("GET", "/mailbox/none/html", nil, as("")).want(404)

	for name, value := range map[string]string{"X-Forwarded-For": "203.0.113.9", "Forwarded": "for=203.0.113.9", "X-Real-Ip": "203.0.113.9", "Via": "1.1 proxy"} {
		s.do("GET", "/mailbox", nil, as(""), with(name, value)).want(404)
	}
	// a page whose name was made to point at this machine
	s.do("GET", "/mailbox", nil, as(""), func(r *http.Request) { r.Host = "evil.example.com" }).want(404)
	for _, host := range []string{"localhost", "LOCALHOST:8080", "koe.localhost", "127.0.0.1:8080", "[::1]:8080"} {
		s.do("GET", "/mailbox", nil, as(""), func(r *http.Request) { r.Host = host }).want(200)
	}
	newServer(t).do("GET", "/mailbox", nil, as("")).want(404)
	if got := raw10(t, s.url, "/mailbox"); !strings.HasPrefix(got, "HTTP/1.0 404") {
		t.Errorf("to HTTP/1.0, as nginx speaks it: %s", got)
	}
}

// raw10 is the status line that a path has for whoever speaks HTTP/1.0.
func raw10(t *testing.T, url, path string) string {
	t.Helper()
	address := strings.TrimPrefix(url, "http://")
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET "+path+" HTTP/1.0\r\nHost: "+address+"\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return line
}

// Behind a proxy that says nothing of it, everybody seems to be on this machine.
func TestTheMailboxOfAKoeThatServesOthers(t *testing.T) {
	s := newServer(t, mailbox, func(o *api.Options) { o.BaseURL = "https://koe.example.com" })
	_, other := s.newWorkspace("other")
	for _, path := range []string{"/mailbox", "/mailbox/m@1", "/mailbox/m@1/html"} {
		if got := s.do("GET", path, nil, as("")).want(401); got.header.Get("WWW-Authenticate") != `Basic realm="koe"` {
			t.Errorf("%s: a browser does not ask for the key", path)
		}
		s.do("GET", path, nil, as(s.newKey(s.workspace, store.Editor))).want(403)
		s.do("GET", path, nil, as(other)).want(403)
		s.do("GET", path, nil).want(200)
		s.do("GET", path, nil, func(r *http.Request) { r.Host = "koe.example.com" }).want(404)
	}
	if got := s.do("GET", "/", nil, as("")).want(200); !strings.Contains(string(got.body), `href="/mailbox"`) {
		t.Errorf("nothing leads to it: %s", got.body)
	}
}

func TestAServerThatNobodyCanTieUp(t *testing.T) {
	s := api.Server(http.NotFoundHandler())
	if s.ReadHeaderTimeout == 0 || s.ReadTimeout == 0 || s.WriteTimeout == 0 || s.IdleTimeout == 0 || s.MaxHeaderBytes == 0 {
		t.Errorf("%+v", s)
	}
	// more header than it reads
	conn, err := net.Dial("tcp", strings.TrimPrefix(newServer(t).url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("GET / HTTP/1.1\r\nHost: localhost\r\nX: " + strings.Repeat("x", 64<<10) + "\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, 12)
	if _, err := conn.Read(answer); err != nil || !strings.HasSuffix(string(answer), "431") {
		t.Errorf("%s %v", answer, err)
	}
}
