package api_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestOddAnswersAreKeptAndLeftOut(t *testing.T) {
	s := newServer(t)
	s.survey("shop", ``)
	slug := s.openLink("shop", ``)
	good := s.visit(slug)
	good.post("step=score&score=10&homepage=").wantPage(200)
	trapped := s.visit(slug)
	trapped.post("step=score&score=0&homepage=http://spam.example").wantPage(200, `value="questions"`)
	fast := s.visit(slug)
	s.now.move(-2001 * time.Millisecond)
	fast.post("step=score&score=0").wantPage(200)
	s.now.move(time.Minute)
	s.do("GET", "/v1/scores?metric=nps", nil).want(200).wantAt("total.responses", 1.0).wantAt("total.score", 100.0).wantAt("excluded", 2.0)
	odd := s.do("GET", "/v1/responses?excluded=true", nil).want(200).wantAt("data[2]", nil).wantAt("data[1].excluded_reason", "trap").wantAt("data[0].excluded_reason", "too_fast").wantAt("data[0].excluded", true)
	s.do("GET", "/v1/responses?excluded=false", nil).want(200).wantAt("data[1]", nil).wantAt("data[0].score", 10.0)
	s.do("GET", "/v1/responses?excluded=perhaps", nil).wantProblem(422, "excluded")
	path := "/v1/responses/" + odd.text("data[0].id")
	s.do("PATCH", path, `{"excluded":false}`).want(200).wantAt("excluded", false).wantAt("excluded_reason", nil).wantAt("events[1].type", "included").wantAt("events[1].reason", "too_fast")
	s.do("GET", "/v1/scores?metric=nps", nil).want(200).wantAt("total.responses", 2.0).wantAt("excluded", 1.0)
	s.do("PATCH", path, `{"excluded":true,"tags":["odd"]}`).want(200).wantAt("excluded_reason", "by_editor")
	s.do("GET", "/v1/scores?metric=nps", nil).want(200).wantAt("total.responses", 1.0).wantAt("excluded", 2.0)
	if found, err := s.store.Verify(t.Context()); err != nil || len(found.Faults) > 0 {
		t.Errorf("%v, %v", found.Faults, err)
	}
	if got := s.do("GET", "/v1/responses/export?format=csv", nil).want(200); !strings.Contains(string(got.body), ",by_editor,") {
		t.Errorf("%s", got.body)
	}
	if m := s.do("GET", "/metrics", nil).want(200); !strings.Contains(string(m.body), `koe_open_answers_total{entrance="link",excluded="trap"} 1`) {
		t.Error("no metric")
	}
}

// Another site's page can show nobody's form, but have its visitors' browsers
// send one that it fetched; browsers say so.
func TestWhatAnotherSitesPagePosts(t *testing.T) {
	s := newServer(t)
	s.survey("shop", ``)
	slug := s.openLink("shop", `"embed_origins":["https://shop.example"]`)
	for _, c := range []struct{ site, origin, reason string }{
		{"cross-site", "null", "cross_site"},
		{"cross-site", "https://shop.example", "cross_site"},
		{"same-site", "https://www.example.com", "cross_site"},
		{"", "https://shop.example", "cross_site"},
		{"same-origin", "null", ""}, // koe's own page, in a frame as well
		{"same-origin", "https://koe.example.com", ""},
		{"", "https://koe.example.com", ""},
		{"", "null", ""},
		{"none", "", ""},
		{"", "", ""},
	} {
		s.visit(slug+"?via=embed").post("step=score&score=0", with("Sec-Fetch-Site", c.site), with("Origin", c.origin)).want(200)
		if got := s.do("GET", "/v1/responses", nil).want(200).at("data[0].excluded_reason"); got != c.reason && (got != nil || c.reason != "") {
			t.Errorf("%+v: %v", c, got)
		}
		s.now.move(time.Minute)
	}
	s.do("GET", "/v1/scores?metric=nps", nil).want(200).wantAt("total.responses", 6.0).wantAt("excluded", 4.0)
}

// A program that answers by itself, from one address: calling itself a kiosk,
// and another one each time, is of no use to it. A crowd as large as a
// conference counts.
func TestAFloodIsMarkedAndThenRefused(t *testing.T) {
	s := newServer(t)
	s.survey("shop", ``)
	slug := s.openLink("shop", `"kiosk":true,"attributes":["store"]`)
	var forms []string
	for range 515 {
		page, err := s.store.OpenBySlug(t.Context(), slug)
		if err != nil {
			t.Fatal(err)
		}
		forms = append(forms, page.Form)
	}
	s.now.move(3 * time.Second)
	statuses := map[int]int{}
	for i, form := range forms {
		s.now.move(10 * time.Millisecond)
		v := visitor{s, fmt.Sprintf("%s?via=kiosk&store=%d", slug, i), form}
		statuses[v.post("step=score&score=0").status]++
	}
	counted := s.do("GET", "/v1/scores?metric=nps", nil).want(200)
	if n, _ := counted.at("total.responses").(float64); n > 502 || n < 500 {
		t.Errorf("%v of %d count", n, len(forms))
	}
	s.do("GET", "/v1/responses", nil).want(200).wantAt("data[0].excluded_reason", "too_many").wantAt("data[0].channel", "kiosk")
	v := s.visit(slug)
	for statuses[429] == 0 && statuses[404] < 2000 { // in no time at all
		statuses[s.do("POST", "/l/nobody-has-this", "step=score", form).status]++
	}
	if whole := 3 * 500; statuses[404]+len(forms) < whole || statuses[404] > whole || statuses[303] != len(forms) {
		t.Errorf("statuses %v", statuses)
	}
	last := v.post("step=score&score=0").wantPage(429, `name="form" value="`+v.form, "Try again")
	if last.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}

// What says "slow down" in a frame or on a kiosk is seen there, and a kiosk goes
// on by itself.
func TestTooManyInAFrameAndOnAKiosk(t *testing.T) {
	s := newServer(t)
	s.survey("shop", ``)
	slug := s.openLink("shop", `"kiosk":true,"attributes":["store"],"embed_origins":["https://shop.example"]`)
	framed, tablet := s.visit(slug+"?via=embed"), s.visit(slug+"?via=kiosk&store=12")
	inFrame := action(framed.post("step=score&score=9").want(200))
	other := openServer(t, s.database)
	for _, koe := range []*server{s, other} { // the other process has shown nothing of the link
		for koe.do("POST", "/l/nobody-has-this", "step=score", form).status != 429 {
		}
		for _, path := range []string{"/l/" + framed.path, inFrame} {
			page := koe.do("POST", path, "step=score&score=9&form="+framed.form, form).want(429)
			if policy := page.header.Get("Content-Security-Policy"); !strings.HasSuffix(policy, "frame-ancestors https://shop.example") {
				t.Errorf("%s: policy %q", page.request, policy)
			}
		}
		koe.do("POST", "/l/"+tablet.path, "step=score&score=9&form="+tablet.form, form).wantPage(429, "Next answer", `<body data-start="/l/`+slug+`?store=12&amp;via=kiosk" data-wait="90"`)
	}
}

// What is not kept does not count: who tries again until it is kept is not odd.
func TestTriesThatKeepNothingAreNotMany(t *testing.T) {
	s := newServer(t)
	s.survey("shop", ``)
	v := s.visit(s.openLink("shop", ``))
	v.post("step=score&score=9").wantPage(200)
	s.do("DELETE", "/v1/responses/"+s.do("GET", "/v1/responses", nil).text("data[0].id"), nil).want(204)
	for range 500 {
		v.post("step=score&score=9").want(410)
	}
	s.visit(strings.TrimPrefix(v.path, "/l/")).post("step=score&score=8").wantPage(200)
	s.do("GET", "/v1/responses", nil).want(200).wantAt("data[0].score", 8.0).wantAt("data[0].excluded", false)
}
