package api_test

import (
	"bytes"
	"fmt"
	"image/png"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"koe/api"
)

// visitor is somebody who came by an open link.
type visitor struct {
	*server
	path string // of the page, with its query
	form string // that the page shows
}

var formValue = regexp.MustCompile(`name="form" value="([^"]+)"`)

// openLink gives a survey an open link and returns its slug.
func (s *server) openLink(survey, fields string) string {
	s.t.Helper()
	return s.do("PUT", "/v1/surveys/"+survey+"/open-link", "{"+fields+"}").text("slug")
}

// visit opens an open link; a moment later the page is read.
func (s *server) visit(path string, options ...func(*http.Request)) *visitor {
	s.t.Helper()
	page := s.do("GET", "/l/"+path, nil, append([]func(*http.Request){as("")}, options...)...).want(200)
	found := formValue.FindSubmatch(page.body)
	if found == nil {
		s.t.Fatalf("no form: %s", page.body)
	}
	s.now.move(3 * time.Second)
	return &visitor{s, path, string(found[1])}
}

func (v *visitor) post(fields string, options ...func(*http.Request)) response {
	v.t.Helper()
	return v.do("POST", "/l/"+v.path, fields+"&form="+v.form, append([]func(*http.Request){form}, options...)...)
}

// own is the address of the visitor's answer.
func (v *visitor) own() string {
	slug, _, _ := strings.Cut(v.path, "?")
	return "/l/" + slug + "/" + v.form
}

func TestAnOpenLink(t *testing.T) {
	s := newServer(t)
	s.survey("shop", `"segments":["store"]`)
	slug := s.openLink("shop", `"attributes":["store"]`)
	s.do("GET", "/v1/surveys/shop/open-link", nil).want(200).wantAt("url", "https://koe.example.com/l/"+slug).wantAt("kiosk_url", nil)
	for range 3 {
		s.do("HEAD", "/l/"+slug+"?score=9", nil, as("")).want(200)
	}
	v := s.visit(slug + "?store=12&utm_source=poster&via=qr&score=9&lang=ja")
	if s.count("responses") != 0 {
		t.Fatal("opening records")
	}
	page := s.do("GET", "/l/"+v.path, nil, as("")).wantPage(200, `name="homepage"`, `class="trap" aria-hidden="true"`, `lang="ja"`, ` checked`, `?lang=en&amp;score=9&amp;store=12&amp;via=qr`)
	page.never("utm_source", "<script")
	if stored := page.header.Get("Cache-Control"); stored != "private, max-age=0" || !strings.HasPrefix(action(page), "/l/"+slug+"/") {
		t.Errorf("what a browser keeps of it to go back to: %q, posted to %q", stored, action(page))
	}
	v.post("step=score&score=4").wantPage(200, `name="step" value="questions"`, `action="`+v.own()+`"`, v.own()+`?edit=1`)
	v.post("step=score&score=4").wantPage(200, `value="questions"`) // a double click
	s.do("POST", v.own(), "step=questions&q_improve=slow", form).wantPage(200, `lang="ja"`, "ご回答：4").never("slow")
	s.do("GET", v.own(), nil, as("")).wantPage(200)
	s.do("GET", v.own()+"?edit=1", nil, as("")).wantPage(200, `value="score"`)
	s.do("GET", "/v1/responses", nil).want(200).wantAt("data[1]", nil).wantAt("data[0].channel", "qr").wantAt("data[0].attributes.store", "12").wantAt("data[0].attributes.utm_source", nil).
		wantAt("data[0].comment", "slow").wantAt("data[0].customer", nil).wantAt("data[0].invitation_id", nil).wantAt("data[0].excluded", false).wantAt("data[0].complete", true).wantAt("data[0].locale", "ja")
	s.do("GET", "/v1/scores?metric=nps&attributes.store=12", nil).want(200).wantAt("total.responses", 1.0).wantAt("excluded", 0.0)
	s.do("POST", v.own(), "step=score&score=10", form).wantPage(200)
	s.do("GET", "/v1/scores?metric=nps", nil).want(200).wantAt("total.score", 100.0)
	s.do("GET", "/l/"+slug+"/nothing", nil, as("")).want(303)
	if to := s.do("GET", "/l/"+slug+"/nothing?via=qr&store=12&utm_source=poster", nil, as("")).want(303).header.Get("Location"); to != "/l/"+slug+"?store=12&via=qr" {
		t.Errorf("nothing leads to %s", to)
	}
}

func TestWhatAVisitorSeesElsewhere(t *testing.T) {
	s := newServer(t)
	s.survey("shop", ``)
	s.survey("cafe", ``)
	s.do("PUT", "/v1/surveys/draft", `{"name":"d","template":"nps","touchpoint":"chat","channel":"link","trigger":{"type":"manual"}}`).want(201)
	slug, other, draft := s.openLink("shop", ``), s.openLink("cafe", ``), s.openLink("draft", ``)
	for _, path := range []string{draft, "nobody-has-this", "x", "%00", strings.Repeat("a", 300), "A%20B"} {
		s.do("GET", "/l/"+path, nil, as("")).wantPage(404, "We do not know this link", "scan the code again").never("email")
	}
	s.do("GET", "/l/"+slug+"?store="+strings.Repeat("x", 20_000)+"&lang=%ff&via=kiosk", nil, as("")).wantPage(200)
	// a form of another survey, a forged one, one of yesterday: a fresh one, and nothing is recorded
	v := s.visit(slug)
	theirs := &visitor{s, other, v.form}
	fresh := theirs.post("step=score&score=9").wantPage(422, "We do not recognise this form", " checked", `name="form"`)
	if bytes.Contains(fresh.body, []byte(v.form)) {
		t.Error("the forged form is offered again")
	}
	for _, forged := range []string{"", "x", v.form + "A", v.form[1:]} {
		(&visitor{s, slug, forged}).post("step=score&score=9").wantPage(422, "We do not recognise this form").never("open for too long")
	}
	v.post("step=score").wantPage(422, "Please choose one of the answers", v.form)
	// under an address that was cut off the next Send is an answer
	s.openLink("cafe", `"attributes":["store"]`)
	again := s.do("POST", "/l/"+other+"/garbage?store=12&via=qr&lang=ja", "step=score&score=7", form).wantPage(422, `lang="ja"`, " checked")
	if to := action(again); !strings.HasPrefix(to, "/l/"+other+"/") || !strings.HasSuffix(to, "?lang=ja&store=12&via=qr") {
		t.Errorf("it leads to %s", to)
	}
	s.do("POST", action(again), again.fields()+"&score=7", form).wantPage(200, `lang="ja"`)
	s.do("DELETE", "/v1/responses/"+s.do("GET", "/v1/responses", nil).wantAt("data[0].attributes.store", "12").text("data[0].id"), nil).want(204)
	v.post("step=score&score=11").wantPage(422)
	v.post("step=score&score=9&score=3").wantPage(422)
	v.post("step=score&score=9&q_nothing=x").wantPage(422)
	s.now.move(25 * time.Hour)
	v.post("step=score&score=9").wantPage(422, "open for too long")
	if s.count("responses") != 0 {
		t.Fatal("a forged form records")
	}
	v = s.visit(slug)
	s.do("POST", "/v1/surveys/shop/pause", nil).want(200)
	s.do("GET", "/l/"+slug, nil, as("")).wantPage(409, "takes no answers at the moment")
	v.post("step=score&score=9").wantPage(200)
	s.do("POST", "/v1/surveys/shop/archive", nil).want(200)
	s.do("GET", "/l/"+slug, nil, as("")).wantPage(410, "has ended")
	s.do("GET", v.own(), nil, as("")).wantPage(200)
	s.do("DELETE", "/v1/surveys/cafe/open-link", nil).want(204)
	s.do("GET", "/v1/surveys/cafe/open-link", nil).wantProblem(404)
	s.do("GET", "/l/"+other, nil, as("")).wantPage(404)
}

func TestOneAnswerABrowser(t *testing.T) {
	s := newServer(t)
	s.survey("shop", ``)
	slug := s.openLink("shop", `"once_per_browser":true,"kiosk":true`)
	v := s.visit(slug)
	answer := v.post("step=score&score=9").want(200)
	cookie := answer.header.Get("Set-Cookie")
	if !strings.HasPrefix(cookie, "koe_answered=1; Path=/l/"+slug+";") || !strings.Contains(cookie, "HttpOnly; Secure; SameSite=Lax") {
		t.Fatalf("cookie %q", cookie)
	}
	told := with("Cookie", "koe_answered=1")
	v.post("step=score&score=9", told).want(200) // the same click twice
	s.do("GET", v.own(), nil, as(""), told).want(200)
	s.do("GET", "/l/"+slug, nil, as(""), told).wantPage(409, "can no longer be changed")
	again := s.visit(slug)
	again.post("step=score&score=0", told).wantPage(409)
	if s.count("responses") != 1 {
		t.Error("a browser answered twice")
	}
	if kiosk := s.visit(slug+"?via=kiosk", told).post("step=score&score=9", told).want(303); kiosk.header.Get("Set-Cookie") != "" {
		t.Error("a cookie on a shared device")
	}
	s.do("PUT", "/v1/surveys/shop/open-link", `{"once_per_browser":true}`).want(200)
	s.do("GET", "/l/"+slug+"?via=kiosk", nil, as(""), told).wantPage(409) // nobody's word makes a kiosk
}

func TestAKiosk(t *testing.T) {
	s := newServer(t)
	s.survey("shop", ``)
	slug := s.openLink("shop", `"kiosk":true,"attributes":["store"]`)
	s.do("GET", "/v1/surveys/shop/open-link", nil).want(200).wantAt("kiosk_url", "https://koe.example.com/l/"+slug+"?via=kiosk")
	start := "/l/" + slug + "?store=12&via=kiosk"
	v := s.visit(slug + "?via=kiosk&store=12")
	leaves := func(page response, after int) { // by its script, or without
		t.Helper()
		to := strings.ReplaceAll(start, "&", "&amp;")
		for _, want := range []string{fmt.Sprintf(`<body data-start="%s" data-wait="%d" data-idle="90">`, to, after), fmt.Sprintf(`content="%d; url=%s"`, after, to), `<script type="module">`} {
			if !strings.Contains(string(page.body), want) || page.header.Get("Refresh") != "" {
				t.Errorf("%s: lacks %s, Refresh %q", page.request, want, page.header.Get("Refresh"))
			}
		}
	}
	begun := s.do("GET", "/l/"+v.path, nil, as(""))
	if leaves(begun, 6*60*60); begun.header.Get("Cache-Control") != "no-store" {
		t.Error("a shared device keeps a page")
	}
	leaves(v.post("step=score").wantPage(422), 90)
	leaves(v.post("step=score&score=9&q_praise=x&q_nothing=x").wantPage(422), 90)
	if to := v.post("step=score&score=9").want(303).header.Get("Location"); to != v.own()+"?store=12&via=kiosk" {
		t.Errorf("to %s", to)
	}
	asked := s.do("GET", v.own(), nil, as("")).wantPage(200, `href="`+strings.ReplaceAll(start, "&", "&amp;")+`"`, "Next answer")
	leaves(asked, 90)
	leaves(s.do("POST", v.own()+"?via=kiosk&store=12", "q_praise="+strings.Repeat("x", 256<<10), form).wantPage(413, "with a shorter text", "Try again"), 90)
	asked.never("Your answer:", "(0–10)")
	s.now.move(9 * time.Minute)
	s.do("GET", v.own(), nil, as("")).wantPage(200, `value="questions"`)
	s.do("POST", v.own(), "step=questions&q_praise=kind", form).want(303)
	thanked := s.do("GET", v.own(), nil, as("")).wantPage(200, "Next answer").never("kind", "Your answer", "?edit=1", "review")
	if got := thanked.header.Get("Refresh"); got != "6;url="+start {
		t.Errorf("Refresh %q", got)
	}
	s.do("GET", v.own()+"?edit=1", nil, as("")).wantPage(200, "Next answer").never("kind", `value="score"`) // the next person goes back
	s.do("POST", v.own(), "step=score&score=0", form).wantPage(409)
	left := s.visit(slug + "?via=kiosk&store=12")
	left.post("step=score&score=9").want(303)
	tapped := s.visit(slug + "?via=kiosk&store=12")
	s.now.move(-1500 * time.Millisecond) // a child
	tapped.post("step=score&score=9").want(303)
	s.do("GET", "/v1/responses", nil).want(200).wantAt("data[0].excluded_reason", "too_fast").wantAt("data[1].excluded", false).wantAt("data[2].channel", "kiosk").wantAt("data[2].attributes.store", "12")
	s.now.move(11 * time.Minute) // nobody goes on with what somebody has left
	s.do("GET", left.own(), nil, as("")).wantPage(200, "Next answer").never(`value="questions"`)
	s.do("POST", left.own(), "step=questions&q_praise=mine", form).wantPage(409).never("mine")
	if other := s.visit(slug + "?store=12"); !strings.Contains(string(other.post("step=score&score=9").body), "Your answer: 9") {
		t.Error("the link is a kiosk for everybody")
	}
}

// A koe behind a path says so in all that its pages lead to and load.
func TestAnOpenLinkBehindAPath(t *testing.T) {
	s := newServer(t, func(o *api.Options) { o.BaseURL = "https://koe.example.com/koe/" })
	s.survey("shop", ``)
	slug := s.openLink("shop", `"kiosk":true,"once_per_browser":true`)
	start := "/koe/l/" + slug
	v := s.visit(slug)
	if to := action(s.do("GET", "/l/"+slug, nil, as("")).wantPage(200, `href="/koe/static/page.css"`, `href="`+start+`?lang=ja"`)); !strings.HasPrefix(to, start+"/") {
		t.Errorf("it is posted to %s", to)
	}
	answered := v.post("step=score&score=9").want(200)
	if cookie := answered.header.Get("Set-Cookie"); action(answered) != "/koe"+v.own() || !strings.Contains(cookie, "Path="+start+";") {
		t.Errorf("it goes on at %s, with the cookie %q", action(answered), cookie)
	}
	tablet := s.visit(slug + "?via=kiosk")
	if to := tablet.post("step=score&score=9").want(303).header.Get("Location"); to != "/koe"+tablet.own()+"?via=kiosk" {
		t.Errorf("a kiosk goes on to %s", to)
	}
	s.do("GET", tablet.own(), nil, as("")).wantPage(200, `data-start="`+start+`?via=kiosk"`)
	if to := s.do("GET", "/l/"+slug+"/nothing", nil, as("")).want(303).header.Get("Location"); to != start {
		t.Errorf("nothing leads to %s", to)
	}
	s.do("GET", "/s/"+s.token("shop", `{}`), nil, as("")).wantPage(200, `href="/koe/static/page.css"`)
}

// A form that is tapped twice is one answer, and counts, whichever of its posts
// is kept; so does one that could not be kept at first.
func TestADoubleTapOnAKiosk(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		s.survey("shop", ``)
		slug := s.openLink("shop", `"kiosk":true`)
		tapped := s.visit(slug + "?via=kiosk")
		var taps sync.WaitGroup
		for range 8 {
			taps.Go(func() { tapped.post("step=score&score=9").want(303) })
		}
		taps.Wait()
		s.do("GET", "/v1/responses", nil).want(200).wantAt("data[1]", nil).wantAt("data[0].excluded", false)
		s.do("DELETE", "/v1/responses/"+s.do("GET", "/v1/responses", nil).text("data[0].id"), nil).want(204)
		tapped.post("step=score&score=9").wantPage(410) // not kept: nobody has answered just now
		next := s.visit(slug + "?via=kiosk")
		s.now.move(-1500 * time.Millisecond)
		next.post("step=score&score=7").want(303)
		s.do("GET", "/v1/responses", nil).want(200).wantAt("data[1]", nil).wantAt("data[0].excluded", false)
	})
}

func TestAFrameInTheirOwnSite(t *testing.T) {
	s := newServer(t)
	s.survey("shop", ``)
	slug := s.openLink("shop", `"embed_origins":["https://www.Example.com","http://localhost:3000/"],"once_per_browser":true`)
	s.do("GET", "/v1/surveys/shop/open-link", nil).want(200).wantAt("embed_origins[0]", "https://www.example.com").wantAt("embed_tag", `<script src="https://koe.example.com/embed.js" data-koe="`+slug+`" async></script>`)
	s.do("PATCH", "/v1/workspace", `{"privacy_url":"https://www.example.com/privacy"}`).want(200)
	const framers = "frame-ancestors https://www.example.com http://localhost:3000"
	v := s.visit(slug + "?via=embed")
	for _, got := range []response{s.do("GET", "/l/"+v.path, nil, as("")), v.post("step=score&score=9").want(200), v.post("step=score&score=9"), s.do("GET", v.own(), nil, as(""))} {
		if policy := got.header.Get("Content-Security-Policy"); !strings.HasSuffix(policy, framers) || got.header.Get("Set-Cookie") != "" {
			t.Errorf("%s: %q, %q", got.request, policy, got.header.Get("Set-Cookie"))
		}
		if !strings.Contains(string(got.body), `href="https://www.example.com/privacy" target="_blank" rel="noreferrer noopener"`) {
			t.Errorf("%s: the notice opens inside the frame: %s", got.request, got.body)
		}
	}
	s.do("GET", "/l/"+slug, nil, as("")).wantPage(200, "Your answer goes to").never("_blank", "it comes from you") // which nobody may frame
	s.do("GET", "/v1/responses", nil).want(200).wantAt("data[0].channel", "embed").wantAt("data[1]", nil)
	script := s.do("GET", "/embed.js", nil, as("")).want(200)
	if script.header.Get("Content-Type") != "text/javascript; charset=utf-8" || script.header.Get("Cross-Origin-Resource-Policy") != "cross-origin" {
		t.Errorf("%v", script.header)
	}
	for origin, field := range map[string]string{"https://a.example/path": "embed_origins[0]", "https://*": "embed_origins[0]", "*": "embed_origins[0]", "javascript:alert(1)": "embed_origins[0]",
		"https://a.example; script-src *": "embed_origins[0]", "https://a.example https://b.example": "embed_origins[0]", "https://u@a.example": "embed_origins[0]"} {
		s.do("PUT", "/v1/surveys/shop/open-link", map[string]any{"embed_origins": []string{origin}}).wantProblem(422, field)
	}
}

// A page that stays open while the template changes is answered as it was shown.
func TestAnAnswerIsOnTheScaleThatWasSeen(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		rate := func(scale string, status int) {
			s.do("PUT", "/v1/templates/rate", `{"name":"Rate","default_locale":"en","metric":"csat","questions":[{"key":"score","type":"score","scale":{`+scale+`},"text":{"en":"How was it?"}}]}`).want(status)
		}
		rate(`"min":1,"max":5`, 201)
		s.survey("shop", `"template":"rate"`)
		slug := s.openLink("shop", `"once_per_browser":true`)
		before := s.visit(slug)
		rate(`"min":1,"max":10`, 200)
		s.do("POST", "/v1/surveys/shop/activate", nil).want(200)
		before.post("step=score&score=5").want(200)
		if again := before.post("step=score&score=5").want(200); !strings.Contains(again.header.Get("Set-Cookie"), "koe_answered") {
			t.Error("a repeat, whose first reply may be lost, is not remembered")
		}
		s.visit(slug).post("step=score&score=10").want(200)
		got := s.do("GET", "/v1/responses", nil).want(200)
		got.wantAt("data[1].template.version", 1.0).wantAt("data[1].score", 5.0).wantAt("data[0].template.version", 2.0).wantAt("data[0].score", 10.0)
	})
}

func TestWhatAnOpenLinkMayBe(t *testing.T) {
	s := newServer(t)
	s.survey("shop", ``)
	s.survey("cafe", ``)
	s.do("PUT", "/v1/surveys/shop/open-link", `{"slug":"our-shop"}`).want(201)
	s.do("PUT", "/v1/surveys/shop/open-link", `{"attributes":["store"]}`).want(200).wantAt("slug", "our-shop")
	s.do("PUT", "/v1/surveys/cafe/open-link", `{"slug":"our-shop"}`).wantProblem(409)
	for body, field := range map[string]string{`{"slug":"a"}`: "slug", `{"slug":"Our Shop"}`: "slug", `{"slug":"../x"}`: "slug", `{"attributes":["via"]}`: "attributes[0]",
		`{"attributes":["a","a"]}`: "attributes[1]", `{"attributes":["<b>"]}`: "attributes[0]", `{"attributes":["score"]}`: "attributes[0]"} {
		s.do("PUT", "/v1/surveys/cafe/open-link", body).wantProblem(422, field)
	}
	s.do("PUT", "/v1/surveys/nothing/open-link", `{}`).wantProblem(404)
	s.do("POST", "/v1/surveys/cafe/archive", nil).want(200)
	s.do("PUT", "/v1/surveys/cafe/open-link", `{}`).wantProblem(409)
}

func TestCodes(t *testing.T) {
	s := newServer(t)
	s.survey("shop", ``)
	s.do("GET", "/v1/surveys/shop/qr.svg", nil).wantProblem(404)
	s.openLink("shop", `"slug":"our-shop","attributes":["store"]`)
	svg := s.do("GET", "/v1/surveys/shop/qr.svg?attributes.store=12", nil).want(200)
	if svg.header.Get("Content-Type") != "image/svg+xml" || !bytes.HasPrefix(svg.body, []byte(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 `)) {
		t.Errorf("%s", svg.body)
	}
	for query, edge := range map[string]int{"": 960, "?size=300": 300} {
		got := s.do("GET", "/v1/surveys/shop/qr.png"+query, nil).want(200)
		picture, err := png.Decode(bytes.NewReader(got.body))
		if err != nil || picture.Bounds().Dx() != edge {
			t.Errorf("%v: %v", picture.Bounds(), err)
		}
	}
	s.do("GET", "/v1/surveys/shop/qr.png?size=9", nil).wantProblem(422, "size")
	s.do("GET", "/v1/surveys/shop/qr.svg?attributes.plan=x", nil).wantProblem(422, "attributes.plan")
	s.do("GET", "/v1/surveys/shop/qr.svg?attributes.store="+url.QueryEscape(strings.Repeat("店", 900)), nil).wantProblem(422)
	s.do("GET", "/v1/surveys/shop/qr.svg?store=12", nil).wantProblem(400)
}

// Whoever answers is told apart by the address that a trusted proxy names, and
// the address is written nowhere.
func TestAddressesOfVisitorsAreKeptNowhere(t *testing.T) {
	s := newServer(t, func(o *api.Options) { o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} })
	s.survey("shop", ``)
	slug := s.openLink("shop", ``)
	for i := range 300 {
		s.visit(slug).post("step=score&score=9", with("X-Forwarded-For", fmt.Sprintf("203.0.113.%d", i%250))).want(200)
		s.now.move(-3 * time.Second)
	}
	if log := s.log.String(); strings.Contains(log, "203.0.113") || strings.Contains(log, slug) {
		t.Error("the log tells who or where")
	}
}
