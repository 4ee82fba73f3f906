package api_test

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"koe/survey"
	"koe/survey/store"
	"koe/survey/store/storetest"
)

// staff sends a body as a form, as somebody with a cookie where there is one.
func staff(cookie string) func(*http.Request) {
	return func(r *http.Request) {
		r.Header.Del("Authorization")
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if cookie != "" {
			r.Header.Set("Cookie", cookie)
		}
	}
}

// member lets somebody sign in.
func (s *server) member(email, fields string) (id string) {
	s.t.Helper()
	return s.do("POST", "/v1/members", `{"email":"`+email+`","role":"viewer"`+fields+`}`).want(201).text("id")
}

// mailedLinks are the links to sign in that wait to be mailed, as paths; they are
// taken as if they were sent.
func (s *server) mailedLinks() (links []string) {
	s.t.Helper()
	ctx := context.Background()
	claimed, err := s.store.ClaimNotices(ctx, 100, time.Minute)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, d := range claimed {
		m, wanted, err := s.store.SignInMail(ctx, d)
		if err != nil {
			s.t.Fatal(err)
		}
		if wanted && d.Event == survey.EventSignIn {
			links = append(links, "/dashboard/sign-in/"+m.Token)
		}
		if _, err := s.store.NoteDelivery(ctx, d, store.Tried{Status: 250}); err != nil {
			s.t.Fatal(err)
		}
	}
	return links
}

// link asks for a link and returns it.
func (s *server) link(email, more string) string {
	s.t.Helper()
	s.do("POST", "/dashboard/sign-in", "email="+email+more, staff("")).want(200)
	links := s.mailedLinks()
	if len(links) != 1 {
		s.t.Fatalf("%d links were mailed to %s", len(links), email)
	}
	return links[0]
}

// signedIn is the cookie of a member who has signed in.
func (s *server) signedIn(email string) string {
	s.t.Helper()
	return cookieOf(s.t, s.do("POST", s.link(email, ""), "", staff("")).want(303))
}

func cookieOf(t *testing.T, r response) string {
	t.Helper()
	cookie, _, _ := strings.Cut(r.header.Get("Set-Cookie"), ";")
	if !strings.HasPrefix(cookie, "__Host-koe=") || len(cookie) < 35 {
		t.Fatalf("the cookie is %q", r.header.Get("Set-Cookie"))
	}
	return cookie
}

func TestSigningIn(t *testing.T) {
	storetest.EachMigrated(t, func(t *testing.T, url string) {
		s := openServer(t, url)
		id := s.member("ana@example.com", `,"name":"Ana"`)
		s.do("GET", "/dashboard?compare=year", nil, staff("")).want(303).wantHeader("Location", "/dashboard/sign-in?next=%2Fdashboard%3Fcompare%3Dyear")
		link := s.link("Ana@Example.com", "&next=%2Fdashboard%3Fcompare%3Dyear")
		for range 2 { // whatever opens it
			s.do("GET", link, nil, staff("")).want(200)
		}
		in := s.do("POST", link, "", staff("")).want(303).wantHeader("Location", "/dashboard?compare=year")
		for _, want := range []string{"Path=/", "HttpOnly", "Secure", "SameSite=Lax"} {
			if set := in.header.Get("Set-Cookie"); !strings.Contains(set, want) || strings.Contains(set, "Domain") {
				t.Errorf("the cookie is %q", set)
			}
		}
		cookie := cookieOf(t, in)
		page := s.do("GET", "/dashboard", nil, staff(cookie)).want(200)
		if !strings.Contains(string(page.body), "Ana") {
			t.Errorf("%s", page.body)
		}
		over := s.do("POST", link, "", staff("")).want(410)
		if !strings.Contains(string(over.body), `href="/dashboard/sign-in?`) {
			t.Errorf("no way to another link: %s", over.body)
		}
		s.do("GET", link, nil, staff("")).want(410)
		s.do("POST", "/dashboard/language", "locale=ja&back=/dashboard", staff(cookie)).want(303).wantHeader("Location", "/dashboard")
		if page := s.do("GET", "/dashboard", nil, staff(cookie)).want(200); !strings.Contains(string(page.body), `lang="ja"`) {
			t.Error("the language did not change")
		}
		s.do("GET", "/v1/members/"+id+"/sessions", nil).want(200).wantAt("data[1]", nil).wantAt("data[0].expires_at", "2026-12-22T09:30:00.000Z")
		s.do("POST", "/dashboard/sign-out", "", staff(cookie)).want(303)
		s.do("GET", "/dashboard", nil, staff(cookie)).want(303)
		if logged := s.log.String(); strings.Contains(logged, strings.TrimPrefix(link, "/dashboard/sign-in/")) || strings.Contains(logged, "ana@") || strings.Contains(logged, cookie[12:]) {
			t.Error("a token or an address is in the log")
		}
	})
}

// Nobody learns from koe whether an address is a member's.
func TestSigningInTellsNoAddresses(t *testing.T) {
	s := newServer(t)
	s.member("ana@example.com", "")
	known := s.do("POST", "/dashboard/sign-in", "email=ana@example.com", staff("")).want(200)
	unknown := s.do("POST", "/dashboard/sign-in", "email=bob@example.com", staff("")).want(200)
	if want := strings.ReplaceAll(string(known.body), "ana@example.com", "bob@example.com"); want != string(unknown.body) {
		t.Errorf("known %s\nunknown %s", known.body, unknown.body)
	}
	if links := s.mailedLinks(); len(links) != 1 {
		t.Errorf("%d links were mailed", len(links))
	}
	s.do("POST", "/dashboard/sign-in", "email=nobody", staff("")).want(422)
	s.do("POST", "/dashboard/sign-in", "email=a@example.com%0d%0aBcc:b@example.com", staff("")).want(422)
}

func TestSignInStorms(t *testing.T) {
	storetest.EachMigrated(t, func(t *testing.T, url string) {
		s := openServer(t, url)
		s.member("ana@example.com", "")
		ask := func() response { return s.do("POST", "/dashboard/sign-in", "email=ana@example.com", staff("")) }
		for range 12 {
			ask().want(200)
		}
		if n := len(s.mailedLinks()); n != 5 {
			t.Errorf("%d links at once", n)
		}
		for range 3 { // whoever they ask for always has a link that works
			s.now.move(10 * time.Minute)
			for range 3 {
				ask().want(200)
			}
			if n := len(s.mailedLinks()); n != 1 {
				t.Errorf("%d links in ten minutes", n)
			}
		}
		s.now.move(time.Hour)
		for range 6 {
			ask().want(200)
		}
		if n := len(s.mailedLinks()); n != 5 {
			t.Errorf("%d links at once after an hour", n)
		}
		status := 0
		for range 60 {
			if status = ask().status; status == http.StatusTooManyRequests {
				break
			}
		}
		if status != http.StatusTooManyRequests {
			t.Error("one client may ask for ever")
		}
	})
}

func TestSignInLinksEnd(t *testing.T) {
	s := newServer(t)
	id := s.member("ana@example.com", "")
	late := s.link("ana@example.com", "")
	s.now.move(15 * time.Minute)
	s.do("GET", late, nil, staff("")).want(410)
	s.do("POST", late, "", staff("")).want(410)
	for _, wrong := range []string{"x", strings.Repeat("A", 26), "%00", late[:len(late)-1][len("/dashboard/sign-in/"):]} {
		s.do("GET", "/dashboard/sign-in/"+wrong, nil, staff("")).want(404)
		s.do("POST", "/dashboard/sign-in/"+wrong, "", staff("")).want(404)
	}
	s.do("POST", "/dashboard/sign-in", "email=ana@example.com", staff("")).want(200)
	s.now.move(15 * time.Minute) // it waited too long to be mailed
	if links := s.mailedLinks(); len(links) != 0 {
		t.Error("a dead link was mailed")
	}
	out := s.link("ana@example.com", "")
	s.do("POST", "/dashboard/sign-in", "email=ana@example.com", staff("")).want(200)
	s.do("DELETE", "/v1/members/"+id+"/sessions", nil).want(204)
	s.do("GET", out, nil, staff("")).want(410)
	s.do("POST", out, "", staff("")).want(410)
	if links := s.mailedLinks(); len(links) != 0 {
		t.Error("a link that leads nowhere was mailed")
	}
}

// A session ends when its member goes, is signed out, or stays away.
func TestSessionsEnd(t *testing.T) {
	storetest.EachMigrated(t, func(t *testing.T, url string) {
		s := openServer(t, url)
		id := s.member("ana@example.com", "")
		cookie := s.signedIn("ana@example.com")
		for range 3 { // used every 29 days it goes on, to its end
			s.now.move(29 * 24 * time.Hour)
			s.do("GET", "/dashboard", nil, staff(cookie)).want(200)
		}
		s.now.move(3 * 24 * time.Hour)
		s.do("GET", "/dashboard", nil, staff(cookie)).want(303)
		cookie = s.signedIn("ana@example.com")
		s.now.move(30 * 24 * time.Hour)
		s.do("GET", "/dashboard", nil, staff(cookie)).want(303)
		cookie = s.signedIn("ana@example.com")
		s.do("DELETE", "/v1/members/"+id+"/sessions", nil).want(204)
		s.do("GET", "/dashboard", nil, staff(cookie)).want(303)
		s.now.move(time.Second)
		cookie = s.signedIn("ana@example.com")
		s.do("DELETE", "/v1/members/"+id, nil).want(204)
		s.do("GET", "/dashboard", nil, staff(cookie)).want(303)
		s.do("GET", "/dashboard", nil, staff("__Host-koe=nonsense")).want(303)
		s.now.move(time.Hour)
		if _, err := s.store.Sweep(context.Background()); err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(url, "sqlite:") && s.count("sessions")+s.count("sign_in_asks") != 0 {
			t.Error("what is over is left")
		}
	})
}

func TestOneAddressInSeveralWorkspaces(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		_, foreign := s.newWorkspace("other")
		s.do("PATCH", "/v1/workspace", `{"name":"Mine"}`).want(200)
		s.member("ana@example.com", "")
		s.newWorkspace("third")
		join := func() string {
			return "/v1/members/" + s.do("POST", "/v1/members", `{"email":"ana@example.com","role":"admin"}`, as(foreign)).want(201).text("id")
		}
		choices := func(link string) (keys []string) {
			page := s.do("GET", link, nil, staff("")).want(200)
			for _, found := range regexp.MustCompile(`name="workspace" value="(\w+)"`).FindAllStringSubmatch(string(page.body), -1) {
				keys = append(keys, found[1])
			}
			return keys
		}
		// who is signed out of one, or removed from it, gets into the others by the links that are out, and not into it
		there := join()
		out := s.link("ana@example.com", "")
		s.do("DELETE", there+"/sessions", nil, as(foreign)).want(204)
		s.do("POST", out, "workspace=other", staff("")).want(422)
		if at := string(s.do("GET", "/dashboard", nil, staff(cookieOf(t, s.do("POST", out, "", staff("")).want(303)))).want(200).body); strings.Contains(at, "<bdi>other</bdi>") {
			t.Error("a link leads where its member was signed out")
		}
		s.now.move(time.Minute)
		removed := s.link("ana@example.com", "")
		s.do("DELETE", there, nil, as(foreign)).want(204)
		s.do("POST", removed, "workspace=other", staff("")).want(422)
		s.do("POST", removed, "", staff("")).want(303)

		join()
		link := s.link("ana@example.com", "")
		if keys := choices(link); len(keys) != 2 || keys[1] != "other" {
			t.Errorf("the choices are %v", keys)
		}
		s.do("POST", link, "workspace=third", staff("")).want(422) // and the link can still be used
		cookie := cookieOf(t, s.do("POST", link, "workspace=other", staff("")).want(303))
		shown := string(s.do("GET", "/dashboard", nil, staff(cookie)).want(200).body)
		if !strings.Contains(shown, "<bdi>other</bdi>") || strings.Contains(shown, "Mine") {
			t.Error("not the chosen workspace")
		}
	})
}

// What another site's page posts is refused, whatever the cookie says.
func TestFormsOfOtherSites(t *testing.T) {
	s := newServer(t)
	s.member("ana@example.com", "")
	cookie := s.signedIn("ana@example.com")
	for name, c := range map[string]struct {
		header, value string
		want          int
	}{
		"another origin":  {"Origin", "https://evil.example", 403},
		"no origin":       {"Origin", "null", 403},
		"a browser's no":  {"Sec-Fetch-Site", "cross-site", 403},
		"a sister's page": {"Sec-Fetch-Site", "same-site", 403},
		"koe's own":       {"Origin", "https://koe.example.com", 303},
		"a browser's yes": {"Sec-Fetch-Site", "same-origin", 303},
	} {
		t.Run(name, func(t *testing.T) {
			s.do("POST", "/dashboard/language", "locale=en", staff(cookie), with(c.header, c.value)).want(c.want)
		})
	}
	for _, path := range []string{"/dashboard/sign-in", "/dashboard/sign-out", s.link("ana@example.com", "")} {
		s.do("POST", path, "", staff(cookie), with("Sec-Fetch-Site", "cross-site")).want(403)
	}
	s.do("GET", "/dashboard", nil, staff(cookie), with("Sec-Fetch-Site", "cross-site")).want(200) // a link in a mail
}

// Signing in leads to pages of the dashboard alone.
func TestWhereSigningInLeads(t *testing.T) {
	s := newServer(t)
	s.member("ana@example.com", "")
	for next, want := range map[string]string{
		"":                              "/dashboard",
		"/dashboard/touchpoints/chat?x": "/dashboard/touchpoints/chat?x",
		"https://evil.example/":         "/dashboard",
		"//evil.example/dashboard":      "/dashboard",
		"/\\evil.example":               "/dashboard",
		"/dashboard/../v1":              "/dashboard",
		"/dashboard\r\nSet-Cookie: a=b": "/dashboard",
		"/v1/keys":                      "/dashboard",
		"javascript:alert(1)":           "/dashboard",
	} {
		s.now.move(time.Hour)
		link := s.link("ana@example.com", "&next="+strings.NewReplacer("/", "%2F", "\r", "%0D", "\n", "%0A", ":", "%3A", "?", "%3F", " ", "+", "\\", "%5C").Replace(next))
		s.do("POST", link, "", staff("")).want(303).wantHeader("Location", want)
	}
}

// wantHeader fails the test where a header is another.
func (r response) wantHeader(name, want string) response {
	r.t.Helper()
	if got := r.header.Get(name); got != want {
		r.t.Errorf("%s: %s is %q instead of %q", r.request, name, got, want)
	}
	return r
}

var figures = regexp.MustCompile(`<data value="([^"]*)">`)

// The page shows the figures of the API, to the last digit.
func TestScoreboardIsTheAPIs(t *testing.T) {
	storetest.EachMigrated(t, func(t *testing.T, url string) {
		s := openServer(t, url)
		s.survey("nps", `"touchpoint":"shop"`)
		s.survey("csat", `"template":"csat","touchpoint":"chat"`)
		for i := range 40 {
			s.answered("nps", i%11, fmt.Sprintf(`,"responded_at":"2026-11-%02dT03:00:00Z"`, 1+i%20))
			s.answered("nps", i%8, `,"responded_at":"2026-10-10T03:00:00Z"`)
			s.answered("csat", 1+i%5, `,"responded_at":"2026-11-05T03:00:00Z"`)
		}
		s.member("ana@example.com", "")
		cookie := s.signedIn("ana@example.com")
		page := s.do("GET", "/dashboard?from=2026-11-01&until=2026-11-22&compare=previous", nil, staff(cookie)).want(200)
		board := s.do("GET", "/v1/scores/touchpoints?from=2026-11-01&to=2026-11-23&compare=previous", nil).want(200)
		var want []string
		for i := range 2 {
			at := fmt.Sprintf("data[%d].", i)
			want = append(want, fmt.Sprint(board.at(at+"total.score")), fmt.Sprint(board.at(at+"total.responses")))
			if d := board.at(at + "comparison.difference"); d != nil {
				want = append(want, fmt.Sprint(d))
			}
		}
		var got []string
		for _, f := range figures.FindAllStringSubmatch(string(page.body), -1) {
			got = append(got, strings.ReplaceAll(f[1], "&#43;", "+"))
		}
		if strings.Join(got, " ") != strings.Join(want, " ") || len(got) != 5 {
			t.Errorf("the page shows %v, the API %v", got, want)
		}
		if !strings.Contains(string(page.body), "/dashboard/touchpoints/shop?compare=previous&amp;from=2026-11-01&amp;until=2026-11-22") {
			t.Errorf("no link to a touchpoint: %s", page.body)
		}
		csv := s.do("GET", "/dashboard?from=2026-11-01&until=2026-11-22&compare=previous&format=csv", nil, staff(cookie)).want(200)
		same := s.do("GET", "/v1/scores/touchpoints?from=2026-11-01&to=2026-11-23&compare=previous&format=csv", nil).want(200)
		if string(csv.body) != string(same.body) {
			t.Errorf("the page's CSV is %s\nthe API's %s", csv.body, same.body)
		}
		s.do("GET", "/dashboard?compare=year", nil, staff(cookie)).want(200)
		s.do("GET", "/dashboard?from=&until=&compare=", nil, staff(cookie)).want(200)
		s.do("GET", "/dashboard?from=2026-12-01&until=2026-11-01", nil, staff(cookie)).want(422)
		s.do("GET", "/dashboard?from=yesterday", nil, staff(cookie)).want(422)
		s.do("GET", "/dashboard/nowhere", nil, staff(cookie)).want(404)
	})
}

func TestAuditIsListed(t *testing.T) {
	storetest.EachMigrated(t, func(t *testing.T, url string) {
		s := openServer(t, url)
		id := s.member("ana@example.com", `,"name":"Ana"`)
		cookie := s.signedIn("ana@example.com")
		s.now.move(time.Minute)
		s.do("POST", "/dashboard/sign-out", "", staff(cookie)).want(303)
		all := s.do("GET", "/v1/audit", nil).want(200).wantAt("data[0].action", "session.ended").wantAt("data[0].actor", "Ana").wantAt("data[0].actor_id", id).
			wantAt("data[1].action", "session.begun").wantAt("data[2].action", "member.created").wantAt("data[2].actor", "test admin")
		if strings.Contains(string(all.body), "@") {
			t.Errorf("an address: %s", all.body)
		}
		s.do("GET", "/v1/audit?actor="+id+"&limit=1", nil).want(200).wantAt("data[0].action", "session.ended").wantAt("data[1]", nil)
		s.do("GET", "/v1/audit?action=member.created", nil).want(200).wantAt("data[0].subject", id).wantAt("data[1]", nil)
		s.do("GET", "/v1/audit?from=2026-11-22T09:30:30Z", nil).want(200).wantAt("data[1]", nil)
		s.do("GET", "/v1/audit?to=2026-11-22T09:30:30Z&action=session.ended", nil).want(200).wantAt("data[0]", nil)
		s.do("GET", "/v1/audit?actor=Ana", nil).wantProblem(422, "actor")
	})
}
