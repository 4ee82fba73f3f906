package api_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"koe/api"
	"koe/survey/store"
)

func TestWaysToSendAKey(t *testing.T) {
	s := newServer(t)
	basic := func(s string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(s)) }
	for _, header := range []string{"Bearer " + s.key, "bearer " + s.key, "BEARER  " + s.key, basic(s.key + ":"), basic(s.key), basic(s.key + ":ignored"), "basic " + basic(s.key)[6:]} {
		s.do("GET", "/v1/workspace", nil, with("Authorization", header)).want(200)
	}
	wrong := s.key[:len(s.key)-1] + "!"
	for _, header := range []string{"", " ", "Bearer", "Bearer ", "Bearer " + wrong, s.key, "Token " + s.key, "Bearer " + s.key + " x", "Bearer " + strings.ToUpper(s.key),
		basic(""), basic(":"), basic(":" + s.key), basic(wrong + ":"), "Basic " + s.key, "Basic !", "Bearer koe_", "Bearer " + strings.Repeat("k", 5000), "Bearer ' OR 1=1 --"} {
		got := s.do("GET", "/v1/workspace", nil, with("Authorization", header))
		got.request = header
		got.wantProblem(401)
		if got.header.Get("WWW-Authenticate") != `Bearer realm="koe", Basic realm="koe"` {
			t.Errorf("%q: %q", header, got.header.Get("WWW-Authenticate"))
		}
	}
	s.do("GET", "/v1/workspace", nil, as("")).wantProblem(401)
	s.do("GET", "/v1/workspace", nil, func(r *http.Request) {
		r.Header["Authorization"] = []string{"Bearer " + s.key, "Bearer " + s.key}
	}).wantProblem(401)
	s.do("GET", "/v1/workspace?key="+s.key, nil, as("")).wantProblem(401)
}

// A browser keeps Basic credentials, and sends them with what any site's page asks for.
func TestAnotherSiteMayNotUseAKeptKey(t *testing.T) {
	s := newServer(t)
	basic, bearer := "Basic "+base64.StdEncoding.EncodeToString([]byte(s.key+":")), "Bearer "+s.key
	for _, c := range []struct {
		method, header, site string
		status               int
	}{
		{"PATCH", basic, "cross-site", 403}, {"PATCH", strings.Replace(basic, "Basic", "bASIC", 1), "same-site", 403},
		{"PATCH", basic, "same-origin", 200}, {"PATCH", basic, "none", 200}, {"PATCH", bearer, "cross-site", 200},
		{"GET", basic, "cross-site", 200},
	} {
		body := any(nil)
		if c.method == "PATCH" {
			body = `{"name":"Changed"}`
		}
		got := s.do(c.method, "/v1/workspace", body, with("Authorization", c.header), with("Sec-Fetch-Site", c.site))
		if got.status != c.status {
			t.Errorf("%s from %s with %.6s: %d, not %d", c.method, c.site, c.header, got.status, c.status)
		}
	}
	s.do("POST", "/v1/members", `{"email":"eve@example.com","role":"admin"}`, with("Authorization", basic), with("Sec-Fetch-Site", "cross-site")).wantProblem(403)
	s.do("GET", "/v1/members", nil).want(200).wantAt("data[0]", nil)
}

// fill gives a path something in its braces that nothing has.
var fill = strings.NewReplacer("{id}", "0190a1b2-0000-7000-8000-000000000000", "{key}", "nothing", "{version}", "1")

func TestEveryRouteAsksForItsRole(t *testing.T) {
	s := newServer(t)
	roles := []store.Role{store.Viewer, store.Sender, store.Editor, store.Admin}
	keys := map[store.Role]string{}
	for _, role := range roles {
		keys[role] = s.newKey(s.workspace, role)
	}
	for _, r := range api.Routes() {
		if r.Access == api.Public {
			if strings.HasPrefix(r.Path, "/v1/bounces/") { // their proof is their provider's
				s.do(r.Method, r.Path, `{}`, as("")).wantProblem(401)
				s.do(r.Method, r.Path, `{}`).wantProblem(401)
			} else if strings.HasPrefix(r.Path, "/v1/") && r.Operation != "takeSource" && r.Operation != "probeSource" { // theirs is the tool's
				t.Errorf("%s asks for no key", r.Operation)
			}
			continue
		}
		path, refused := fill.Replace(r.Path), func(got response, status int) { got.wantProblem(status) }
		if strings.HasPrefix(path, "/delighted/") { // whose clients know another shape
			refused = func(got response, status int) {
				if kind := got.header.Get("Content-Type"); got.status != status || !strings.HasPrefix(kind, "application/json") ||
					!strings.HasPrefix(string(got.body), fmt.Sprintf(`{"status":%d,"message":"`, status)) {
					t.Errorf("%s: %d %s %s, want %d", r.Operation, got.status, kind, got.body, status)
				}
			}
		}
		refused(s.do(r.Method, path, `{}`, as("")), 401)
		refused(s.do(r.Method, path, `{}`, as("koe_nobody")), 401)
		for _, role := range roles {
			got := s.do(r.Method, path, `{}`, as(keys[role]))
			if !slices.Contains(r.Access.Roles(), role) {
				refused(got, 403)
			} else if got.status == 401 || got.status == 403 || got.status >= 500 {
				t.Errorf("%s as %s: %d %s", r.Operation, role, got.status, got.body)
			}
		}
	}
}

func TestARevokedKeyStopsAtOnce(t *testing.T) {
	s := newServer(t)
	made := s.do("POST", "/v1/keys", `{"name":"Shop back end","role":"viewer"}`).want(201).wantAt("role", "viewer")
	secret := made.text("key")
	s.do("GET", "/v1/workspace", nil, as(secret)).want(200)
	s.do("DELETE", "/v1/keys/"+made.text("id"), nil).want(204)
	s.do("GET", "/v1/workspace", nil, as(secret)).wantProblem(401)
	for _, id := range []string{"0190a1b2-0000-7000-8000-000000000000", "x", "..", "%00", "%ff", strings.ToUpper(made.text("id"))} {
		s.do("DELETE", "/v1/keys/"+id, nil).wantProblem(404)
	}
	for range 3 { // a page is full, whatever was revoked
		id := s.do("POST", "/v1/keys", `{"name":"a","role":"viewer"}`).want(201).text("id")
		s.do("DELETE", "/v1/keys/"+id, nil).want(204)
	}
	s.do("GET", "/v1/keys?limit=1", nil).want(200).wantAt("data[0].role", "admin").wantAt("next_cursor", nil)
	list := s.do("GET", "/v1/keys", nil).want(200)
	if strings.Contains(string(list.body), "koe_") {
		t.Errorf("a list tells secrets: %s", list.body)
	}
	if strings.Contains(string(list.body), made.text("id")) {
		t.Errorf("a revoked key is listed: %s", list.body)
	}
}

func TestNewKeysAreChecked(t *testing.T) {
	s := newServer(t)
	for body, fields := range map[string][]string{
		`{}`:                             {"name", "role"},
		`{"name":"a"}`:                   {"role"},
		`{"name":"a","role":"owner"}`:    {"role"},
		`{"name":"","role":"admin"}`:     {"name"},
		`{"name":" ","role":"admin"}`:    {"name"},
		`{"name":"a\nb","role":"admin"}`: {"name"},
		`{"role":"Admin","name":null}`:   {"name", "role"},
		`{"name":"` + strings.Repeat("声", 201) + `","role":"admin"}`: {"name"},
	} {
		got := s.do("POST", "/v1/keys", body)
		got.request = body
		got.wantProblem(422, fields...)
	}
	s.do("POST", "/v1/keys", `{"name":"`+strings.Repeat("声", 200)+`","role":"admin"}`).want(201)
}

// What another workspace owns does not exist.
func TestWorkspacesAreApart(t *testing.T) {
	s := newServer(t)
	_, other := s.newWorkspace("other")
	s.do("PUT", "/v1/touchpoints/chat", `{"name":"Chat"}`).want(201)
	s.do("PUT", "/v1/templates/own", `{"name":"a","metric":"nps","default_locale":"en","questions":[{"key":"score","type":"score","text":{"en":"a"}}]}`).want(201)
	survey := s.do("PUT", "/v1/surveys/own", `{"name":"a","template":"own","touchpoint":"chat","channel":"link","trigger":{"type":"manual"}}`).want(201).text("id")
	suppression := s.do("POST", "/v1/suppressions", `{"email":"ana@example.com"}`).want(201).text("id")
	key := s.do("POST", "/v1/keys", `{"name":"a","role":"viewer"}`).want(201).text("id")

	for _, request := range []string{"GET /v1/touchpoints/chat", "PATCH /v1/touchpoints/chat", "DELETE /v1/touchpoints/chat",
		"GET /v1/templates/own", "DELETE /v1/templates/own", "GET /v1/templates/own/versions", "GET /v1/templates/own/versions/1",
		"GET /v1/surveys/own", "GET /v1/surveys/" + survey, "PATCH /v1/surveys/own", "PATCH /v1/surveys/" + survey,
		"POST /v1/surveys/own/activate", "POST /v1/surveys/" + survey + "/activate", "POST /v1/surveys/" + survey + "/pause", "POST /v1/surveys/" + survey + "/archive",
		"DELETE /v1/suppressions/" + suppression, "DELETE /v1/keys/" + key} {
		method, path, _ := strings.Cut(request, " ")
		s.do(method, path, `{}`, as(other)).wantProblem(404)
	}
	s.do("POST", "/v1/templates/own/preview", `{"what":"mail"}`, as(other)).wantProblem(404)
	for _, path := range []string{"/v1/touchpoints", "/v1/surveys", "/v1/suppressions"} {
		s.do("GET", path, nil, as(other)).want(200).wantAt("data[0]", nil)
		s.do("GET", path, nil).want(200).wantAt("data[1]", nil)
	}
	s.do("GET", "/v1/workspace", nil, as(other)).want(200).wantAt("key", "other")
	// and the same names are free there
	s.do("PUT", "/v1/touchpoints/chat", `{"name":"Other chat"}`, as(other)).want(201)
	s.do("GET", "/v1/touchpoints/chat", nil).want(200).wantAt("name", "Chat")
}
