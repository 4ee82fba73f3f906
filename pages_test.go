package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"koe/survey/store/storetest"
	"koe/survey/store/storetest/battery"
)

var (
	stockTemplates = []string{"nps", "csat", "csat-thumbs", "ces", "ces-effort"}
	pageLocales    = []string{"en", "ja", "ar"}
)

// screen is what a page is looked at on.
type screen struct {
	scheme string
	width  int64 // in pixels; 320 is a telephone, or 1280 at four times the size
}

// In this order little changes from one to the next.
var screens = []screen{{"light", 320}, {"dark", 320}, {"dark", 768}, {"light", 768}}

// TestEveryPage looks at every page that a customer meets, and at the mails, on
// every screen, in three languages, with the page's scripts and without
// (unless KOE_BATTERY=full, a half of the visitors, so that each language is met
// once, and each screen once): nobody has to scroll sideways, a thumb hits what can be pressed, axe finds nothing,
// the page is small and comes from koe alone. Then a checker reads the HTML.
func TestEveryPage(t *testing.T) {
	axe := storetest.Axe(t)
	k := pagesKoe(t)
	full, scored := fullKoe(t)
	html := t.TempDir()
	b := k.browseFor(t, 10*time.Minute)
	b.hosts = append(b.hosts, publicHost+":"+full.port)
	tell(b, network.SetCacheDisabled, network.SetCacheDisabledParams{CacheDisabled: true})
	turn := 0
	for _, scripts := range []bool{false, true} {
		for _, locale := range pageLocales {
			if turn++; turn%2 == 0 && !battery.Full() { // half of them: each language once, with scripts or without
				continue
			}
			t.Run(locale+map[bool]string{true: " with scripts", false: " without scripts"}[scripts], func(t *testing.T) {
				k.t, b.t = t, t
				v := &visitor{browser: b, k: k, scored: scored, axe: axe, runs: scripts, locale: locale, screens: screens}
				if !battery.Full() { // two that share nothing for the first, one of the others for each of the others
					v.screens = [][]screen{{screens[0], screens[2]}, {screens[1]}, {screens[3]}}[turn/2]
				}
				if !scripts || !battery.Full() { // of each language once: it is the same with them
					v.html = html
				}
				b.scripts(scripts)
				v.everyPage()
			})
			k.t, b.t = t, t
		}
	}
	t.Run("html", func(t *testing.T) { validHTML(t, html) })
}

// pagesKoe is a koe with a survey for every page.
func pagesKoe(t *testing.T) *running {
	k := startKoe(t, storetest.SQLite(t))
	k.want(200, "PATCH", "/v1/workspace", `{"name":"Bäckerei Müller & Söhne 株式会社ことのは","privacy_url":"https://example.com/privacy",
		"reply_to":"hello@example.com","postal_footer":"Acme GmbH\nHauptstraße 1, 10115 Berlin"}`)
	k.want(201, "PUT", "/v1/templates/everything", everything)
	for _, template := range append(stockTemplates, "everything") {
		k.manual(template, template, `{}`)
	}
	k.manual("final", "csat", `{"editable_for":"0s"}`)
	k.manual("brief", "csat", `{"expires_after":"1s"}`)
	k.openLink("everything", `"slug":"everybody","kiosk":true,"embed_origins":["https://www.example.com"]`)
	k.manual("resting", "nps", `{}`)
	k.openLink("resting", `"slug":"resting"`)
	k.want(200, "POST", "/v1/surveys/resting/pause", "")
	k.setUp()
	k.chat(`{"external_id":"ana","email":"ana@example.com","name":"Ana","locale":"en"}`)
	return k
}

// fullKoe is a koe that can write nothing any more: its disk is as good as
// full. There is a link with a score for each visitor.
func fullKoe(t *testing.T) (k *running, scored map[string]string) {
	k = startKoe(t, storetest.SQLite(t))
	k.want(201, "PUT", "/v1/templates/everything", everything)
	k.manual("everything", "everything", `{}`)
	scored = map[string]string{}
	for _, locale := range pageLocales {
		for _, scripts := range []bool{false, true} {
			link := k.link("everything", locale, "ana")
			if code, page := k.post(link, map[string][]string{"step": {"score"}, "score": {"3"}}); code != 200 {
				t.Fatalf("a score: %d\n%s", code, page)
			}
			scored[fmt.Sprint(locale, scripts)] = link
		}
	}
	if out, err := exec.Command("prlimit", "--pid", strconv.Itoa(k.cmd.Process.Pid), "--fsize=0").CombinedOutput(); err != nil {
		t.Fatalf("prlimit: %v: %s", err, out)
	}
	return k, scored
}

// manual makes an active survey under a key.
func (k *running) manual(key, template, rules string) {
	k.t.Helper()
	k.want(201, "PUT", "/v1/surveys/"+key, `{"name":"`+key+`","template":"`+template+`","touchpoint":"support_chat",
		"channel":"email","trigger":{"type":"manual"},"rules":`+rules+`}`)
	k.want(200, "POST", "/v1/surveys/"+key+"/activate", "")
}

// link is a new personal link of a survey, for somebody.
func (k *running) link(survey, locale, who string) string {
	k.t.Helper()
	made, _ := k.want(201, "POST", "/v1/surveys/"+survey+"/links",
		`{"links":[{"locale":"`+locale+`","customer":{"email":"`+who+`@example.com","name":"山田 花子"}}]}`)["data"].([]any)
	link, _ := made[0].(map[string]any)
	address, _ := link["url"].(string)
	return address
}

// look checks the page that the tab shows, on every screen.
func (v *visitor) look(page string) {
	v.t.Helper()
	v.light(page)
	v.keep(page)
	v.onScreens(page, true, everyRule)
}

// onScreens checks what the tab shows on every screen, and keeps pictures.
func (v *visitor) onScreens(page string, thumbs bool, every string) {
	v.t.Helper()
	v.scripts(true) // for what is asked here: the page is loaded
	defer v.scripts(v.runs)
	world, rules := v.world(), noRules
	if !v.runs || js[bool](v.browser, "document.scripts.length > 0") { // else it is the page that was looked at without scripts
		ask(v.browser, chromedp.Evaluate[chromedp.Void](v.axe, inWorld(world)))
		rules = every
	}
	for i, on := range v.screens {
		if i > 0 && rules == everyRule {
			rules = screenRules
		}
		v.turn(on)
		for _, what := range v.inspect(world, thumbs, rules) {
			v.t.Errorf("%s in %s, %s, %d pixels: %s", page, v.locale, on.scheme, on.width, what)
		}
		if v.pictures {
			v.drawn()
		}
		if v.runs || v.pictures {
			v.shot(fmt.Sprintf("%s-%s-%s-%d", page, v.locale, on.scheme, on.width))
		}
	}
}

// turn looks by another screen from now on.
func (v *visitor) turn(on screen) {
	v.t.Helper()
	if on.scheme != v.on.scheme {
		tell(v.browser, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: on.scheme}}})
	}
	if on.width != v.on.width {
		tell(v.browser, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
			Width: on.width, Height: 800, DeviceScaleFactor: 1})
	}
	v.on = on
}

// mail looks at a mail as its program shows it.
func (v *visitor) mail(template string) {
	v.t.Helper()
	html, _ := v.k.want(200, "POST", "/v1/templates/"+template+"/preview", `{"what":"mail","locale":"`+v.locale+`","name":"山田 花子"}`)["html"].(string)
	letter := filepath.Join(v.t.TempDir(), "mail.html")
	if err := os.WriteFile(letter, []byte(html), 0o600); err != nil {
		v.t.Fatal(err)
	}
	v.open("file://" + letter)
	v.onScreens("mail-"+template, false, mailRules)
}

// A scale that does not fit into one row breaks into two that are as long as
// each other, or longer by one, however wide the window is.
func TestScalesBreakEvenly(t *testing.T) {
	k := startKoe(t, storetest.SQLite(t))
	questions := []string{`{"key":"score","type":"score","scale":{"min":0,"max":10},"text":{"en":"Would you recommend us?"}}`}
	for most := 1; most <= 10; most++ {
		questions = append(questions, fmt.Sprintf(`{"key":"q%d","type":"rating","scale":{"min":0,"max":%d},"text":{"en":"How well did it go?"}}`, most, most))
	}
	k.want(201, "PUT", "/v1/templates/scales", `{"name":"Scales","metric":"nps","default_locale":"en","questions":[`+strings.Join(questions, ",")+`]}`)
	k.manual("scales", "scales", `{}`)
	b := k.browse(t)
	b.open(k.link("scales", "en", "ana") + "?score=9")
	for _, page := range []string{"the score", "the questions"} {
		for width := int64(320); width <= 800; width += 8 {
			tell(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: 800, DeviceScaleFactor: 1})
			if odd := js[[]string](b, `[...document.querySelectorAll(".points")].map(scale =>
				Object.values(Object.groupBy(scale.children, e => e.offsetTop)).map(row => row.length)).filter(rows =>
				rows.length > 2 || Math.max(...rows) - Math.min(...rows) > 1).map(String)`); len(odd) > 0 {
				t.Errorf("%s, %d pixels: rows of %v", page, width, odd)
			}
		}
		b.follow("button")
	}
}

// TestDocsAreReadable lets the one page that needs scripts run its own.
func TestDocsAreReadable(t *testing.T) {
	k := startKoe(t, storetest.SQLite(t))
	b := k.browse(t)
	b.scripts(true)
	b.open(k.base + "/docs")
	ask(b, chromedp.WaitVisible(chromedp.CSS("#docs h1")))
	if said := js[string](b, "document.body.innerText"); !strings.Contains(said, "/v1/interactions") {
		t.Errorf("the page speaks of no interactions: %.300s", said)
	}
}
