package main

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"

	"koe/survey/store/storetest"
)

// openLink gives a survey an open link and returns its address here.
func (k *running) openLink(survey, fields string) string {
	k.t.Helper()
	k.want(201, "PUT", "/v1/surveys/"+survey+"/open-link", "{"+fields+"}")
	slug, _ := k.want(200, "GET", "/v1/surveys/"+survey+"/open-link", "")["slug"].(string)
	return k.base + "/l/" + slug
}

// answers are the channels of all answers, the newest first, an odd one with
// why.
func (k *running) answers() string {
	k.t.Helper()
	list, _ := k.want(200, "GET", "/v1/responses", "")["data"].([]any)
	var said []string
	for _, one := range list {
		r, _ := one.(map[string]any)
		said = append(said, strings.TrimSuffix(fmt.Sprint(r["channel"], " ", r["excluded_reason"]), " <nil>"))
	}
	return strings.Join(said, ", ")
}

// soon waits until an expression of the page is true.
func (b *browser) soon(what, expression string) {
	b.t.Helper()
	for end := time.Now().Add(stepMost); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if js[bool](b, expression) {
			return
		}
	}
	b.t.Fatalf("%s: not within %s, on the page\n%s", what, stepMost, b.page())
}

// back goes back, as by the browser's own button.
func (b *browser) back() {
	b.t.Helper()
	past := tell(b, page.GetNavigationHistory, cdp.Empty{})
	tell(b, page.NavigateToHistoryEntry, page.NavigateToHistoryEntryParams{EntryID: past.Entries[past.CurrentIndex-1].ID})
}

// lookAWhile is how long a person looks at a page at least.
func lookAWhile() { time.Sleep(1100 * time.Millisecond) }

func TestAKioskInABrowser(t *testing.T) {
	k := startKoe(t, storetest.SQLite(t))
	k.manual("shop", "csat", `{}`)
	start := k.openLink("shop", `"slug":"our-shop","kiosk":true,"attributes":["store"]`) + "?via=kiosk&store=12"
	b := k.browse(t)
	tell(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: 768, Height: 900, DeviceScaleFactor: 1})
	b.open(start)
	if js[string](b, "getComputedStyle(document.querySelector('.trap')).display") != "none" {
		t.Error("people see the trap")
	}
	b.fits("kiosk-start")
	lookAWhile()
	b.click("input[value='5']")
	b.follow("button")
	b.wantText("Next answer")
	b.fits("kiosk-questions")
	b.click("textarea")
	b.types("very kind")
	b.follow("button")
	b.wantText("Next answer")
	b.fits("kiosk-thanks")
	b.soon("back to the start", "location.search.includes('via=kiosk') && !!document.querySelector('input[name=form]')")
	// whoever comes next, and goes back, finds nothing of the one before
	b.back()
	lookAWhile()
	if shown := b.page(); strings.Contains(shown, "very kind") {
		t.Errorf("the next person reads %s", shown)
	}
	if got := k.answers(); got != "kiosk" {
		t.Errorf("answers: %s", got)
	}
	// whoever types slowly is not interrupted; whoever leaves is forgotten
	b.scripts(true)
	b.open(start)
	lookAWhile()
	b.click("input[value='5']")
	b.follow("button")
	js[any](b, `{const after = setTimeout; window.waits = []; window.setTimeout = (f, ms) => { window.waits.push(ms); return after(f, ms > 80000 ? 600000 : ms) }}`)
	b.click("textarea")
	b.types("very")
	if waits := js[[]float64](b, "window.waits"); len(waits) < 2 || slices.Min(waits) != 90_000 {
		t.Errorf("after a touch the kiosk waits for %v", waits)
	}
	js[any](b, "void (document.body.dataset.idle = 0.5)")
	b.types(" kind")
	b.soon("back to the start", "!!document.querySelector('input[name=form]')")
}

// Whoever goes back after an answer changes that one, with scripts and without.
func TestGoingBackInABrowser(t *testing.T) {
	k := startKoe(t, storetest.SQLite(t))
	k.manual("shop", "csat", `{}`)
	link := k.openLink("shop", `"attributes":["store"]`) + "?store=12"
	b := k.browse(t)
	for i, run := range []bool{false, true} {
		b.scripts(run)
		b.open(link)
		lookAWhile()
		b.click("input[value='3']")
		b.follow("button")
		b.back()
		b.soon("the score again", "!!document.querySelector('input[name=score]')")
		b.click("input[value='5']")
		b.follow("button")
		list, _ := k.want(200, "GET", "/v1/responses", "")["data"].([]any)
		last, _ := list[0].(map[string]any)
		if len(list) != i+1 || last["score"] != 5.0 {
			t.Fatalf("with scripts %t: %d answers, the last %v", run, len(list), last)
		}
	}
}

// A page of another site shows an open link in a frame; one that is not on the
// list cannot.
func TestAFrameInABrowser(t *testing.T) {
	k := startKoe(t, storetest.SQLite(t))
	k.manual("shop", "nps", `{}`)
	sites := map[string]string{}
	for _, name := range []string{"theirs", "foreign"} {
		site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = fmt.Fprintf(w, `<!doctype html><html lang="en"><title>Shop</title><link rel="icon" href="data:,"><h1>Our shop</h1>
				<script src="%s/embed.js" data-koe="our-shop" data-store="12" data-height="500" data-title="How are we doing?"></script><p>Below</p>`, k.base)
		}))
		t.Cleanup(site.Close)
		sites[name] = site.URL
	}
	k.openLink("shop", `"slug":"our-shop","attributes":["store"],"once_per_browser":true,"embed_origins":["`+sites["theirs"]+`"]`)
	b := k.browse(t)
	for _, site := range sites {
		_, port, err := net.SplitHostPort(strings.TrimPrefix(site, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		b.hosts = append(b.hosts, "127.0.0.1:"+port)
	}
	b.scripts(true)
	tell(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: 768, Height: 700, DeviceScaleFactor: 1})
	b.open(sites["theirs"])
	b.soon("the frame", "!!document.querySelector('iframe[title=\"How are we doing?\"]')")
	if src := js[string](b, "document.querySelector('iframe').src"); src != k.base+"/l/our-shop?via=embed&store=12" {
		t.Errorf("the frame shows %s", src)
	}
	lookAWhile()
	b.shot("embed")
	if cookies := js[string](b, "document.cookie"); cookies != "" {
		t.Errorf("cookies: %s", cookies)
	}
	b.open(sites["foreign"])
	b.soon("the frame", "!!document.querySelector('iframe')")
	lookAWhile()
	b.shot("embed-refused")
	b.mu.Lock()
	defer b.mu.Unlock()
	refused := false
	b.amiss = slices.DeleteFunc(b.amiss, func(complaint string) bool {
		is := strings.Contains(complaint, "frame-ancestors")
		refused = refused || is
		return is
	})
	if !refused {
		t.Error("another site shows the survey")
	}
}

const footerLinks = `[...[...document.querySelectorAll("td.soft")].at(-1).querySelectorAll("a")].map(a => a.getBoundingClientRect().height)`

// The brand and a preview, to be looked at.
func TestTheBrandInABrowser(t *testing.T) {
	k := startKoe(t, storetest.SQLite(t))
	k.want(200, "PATCH", "/v1/workspace", `{"name":"Acme","accent_color":"#ff8a00","postal_footer":"Acme K.K.\n1-2-3 Marunouchi, Tokyo","reply_to":"hello@example.com","privacy_url":"https://example.com/privacy"}`)
	logo := image.NewNRGBA(image.Rect(0, 0, 480, 96))
	for i := range 480 * 96 {
		if x, y := i%480, i/480; (x/24+y/24)%2 == 0 {
			logo.Set(x, y, color.NRGBA{0xff, 0x8a, 0, 255})
		}
	}
	var picture bytes.Buffer
	if err := png.Encode(&picture, logo); err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, "http://127.0.0.1:"+k.port+"/v1/workspace/logo", &picture)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+k.key)
	request.Header.Set("Content-Type", "image/png")
	uploaded, err := http.DefaultClient.Do(request)
	if err != nil || uploaded.StatusCode != http.StatusOK {
		t.Fatalf("%v, %v", uploaded, err)
	}
	_ = uploaded.Body.Close()
	b := k.browse(t)
	for _, scheme := range []string{"light", "dark"} {
		tell(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
		for _, width := range []int64{320, 768} {
			tell(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: 800, DeviceScaleFactor: 1})
			for _, what := range []string{"page", "mail"} {
				address, _ := k.want(200, "POST", "/v1/templates/nps/preview", `{"what":"`+what+`","locale":"ja","score":9}`)["url"].(string)
				b.open(address)
				b.fits(fmt.Sprintf("brand-%s-%s-%d", what, scheme, width))
				if n := js[int](b, "document.images.length && document.images[0].naturalWidth"); n != 480 {
					t.Errorf("%s: the logo is %d pixels wide", what, n)
				}
				if what == "mail" { // WCAG 2.2, 2.5.8
					if heights := js[[]float64](b, footerLinks); len(heights) < 2 || slices.Min(heights) < 24 {
						t.Errorf("the links below the mail are %v pixels high", heights)
					}
				}
			}
		}
	}
	// the heaviest page, with text to be counted, to a browser that has nothing yet
	k.manual("shop", "nps", `{}`)
	answered := k.link("shop", "en", "ana")
	k.post(answered, map[string][]string{"step": {"score"}, "score": {"3"}})
	cold := k.browse(t)
	cold.scripts(true)
	cold.open(answered)
	cold.light("questions under a logo")
	if counted := js[string](cold, "document.querySelector('.hint [aria-hidden]')?.textContent ?? ''"); !strings.HasPrefix(counted, "0 / ") {
		t.Errorf("the script counts %q", counted)
	}
}
