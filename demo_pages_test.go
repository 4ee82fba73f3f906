package main

import (
	"bytes"
	"cmp"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"koe/survey/store/storetest"
	"koe/survey/store/storetest/battery"
)

// TestEveryPageOfTheDemo looks at the dashboard of koe demo as
// TestEveryPageOfTheDashboard does at a small one, on every screen in every
// language. It takes minutes, so it is for `make screenshots`, which keeps the
// pictures, those of docs/dashboard.md among them.
func TestEveryPageOfTheDemo(t *testing.T) {
	if !battery.Full() {
		t.Skip("every page on every screen: run make screenshots")
	}
	k, link := startDemo(t)
	s := &staff{visitor: &visitor{browser: k.browseFor(t, 20*time.Minute), k: k, axe: storetest.Axe(t), html: t.TempDir(), pictures: true}, member: k.newcomer()}
	s.prefix = "demo-"
	for _, s.locale = range []string{"ja", "en"} { // the link is used in the end
		tell(s.browser, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Accept-Language": s.locale}})
		for name, path := range map[string]string{"sign-in": "/dashboard/sign-in", "sign-in-over": "/dashboard/sign-in/nobody-knows-this", "sign-in-confirm": strings.TrimPrefix(link, k.base)} {
			s.open(k.base + path)
			s.inspectPage(name)
		}
	}
	s.follow("main button")
	for _, page := range k.demoPages() {
		s.see(page.name, "/dashboard"+page.path)
	}
	s.guide()
}

// startDemo starts koe demo, and says which link signs in.
func startDemo(t *testing.T) (k *running, link string) {
	t.Helper()
	p := launch(t, t.TempDir(), []string{"TMPDIR=" + t.TempDir(), "KOE_TIMEZONE=Europe/London"}, "demo")
	base, said := p.serving(), p.read(p.out)
	link = regexp.MustCompile(`http://\S+/dashboard/sign-in/\S+`).FindString(said)
	return &running{t: t, port: base[strings.LastIndexByte(base, ':')+1:], base: base, key: keyPattern.FindString(said), cmd: p.cmd}, link
}

// newcomer is the member whom the first link signs in.
func (k *running) newcomer() (id string) {
	k.t.Helper()
	list, _ := k.want(200, "GET", "/v1/members", "")["data"].([]any)
	for _, one := range list {
		if m, _ := one.(map[string]any); m["email"] == "" || m["email"] == nil {
			id, _ = m["id"].(string)
		}
	}
	return id
}

type demoPage struct{ name, path string }

// demoPages are all pages of the dashboard with something to show.
func (k *running) demoPages() []demoPage {
	k.t.Helper()
	first := func(query string) (followUp, answer string) {
		list, _ := k.want(200, "GET", "/v1/follow-ups?"+query, "")["data"].([]any)
		for _, one := range list {
			f, _ := one.(map[string]any)
			response, _ := f["response"].(map[string]any)
			if response["comment"] != nil && (!strings.Contains(query, "resolved") || f["confirmation"] == "confirmed") {
				followUp, _ = f["id"].(string)
				answer, _ = response["id"].(string)
				return followUp, answer
			}
		}
		k.t.Fatalf("no follow-up by %s", query)
		return "", ""
	}
	open, unhappy := first("state=open&order=newest")
	resolved, calledBack := first("state=resolved&order=newest")
	return []demoPage{
		{"scoreboard", ""},
		{"scoreboard-year", "?from=" + time.Now().UTC().AddDate(-1, 0, 1).Format(time.DateOnly) + "&compare=none"},
		{"touchpoint", "/touchpoints/support_chat?volume_per_day=100"},
		{"touchpoint-ces", "/touchpoints/checkout?interval=month&from=" + time.Now().UTC().AddDate(0, -6, 0).Format(time.DateOnly)},
		{"touchpoint-nps", "/touchpoints/relationship"},
		{"comments", "/comments"},
		{"comments-none", "/comments?q=nobody-says-this"},
		{"tags", "/tags?touchpoint=support_chat"},
		{"response", "/responses/" + unhappy},
		{"response-called-back", "/responses/" + calledBack},
		{"follow-ups", "/follow-ups"},
		{"follow-ups-all", "/follow-ups?state=all"},
		{"follow-up", "/follow-ups/" + open},
		{"follow-up-resolved", "/follow-ups/" + resolved},
		{"surveys", "/surveys"},
		{"survey", "/surveys/support_chat"},
		{"problem", "/nowhere"},
	}
}

// guide makes the pictures of docs/dashboard.md: few, small, of the first screen.
func (s *staff) guide() {
	s.t.Helper()
	folder := os.Getenv("KOE_TEST_GUIDE_PICTURES")
	if folder == "" {
		return
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		s.t.Fatal(err)
	}
	s.scripts(true) // for what is asked here: the pages have none
	defer s.scripts(false)
	pages := map[string]string{}
	for _, page := range s.k.demoPages() {
		pages[page.name] = "/dashboard" + page.path
	}
	for _, picture := range []struct {
		name, page, locale string
		screen
		height int64
	}{
		{"scoreboard", "scoreboard", "en", screen{"light", 1280}, 860},
		{"touchpoint", "touchpoint-ces", "en", screen{"dark", 1280}, 900},
		{"tags", "tags", "en", screen{"light", 1280}, 700},
		{"follow-up", "follow-up-resolved", "en", screen{"light", 1280}, 900},
		{"scoreboard-phone", "scoreboard", "ja", screen{"light", 390}, 844},
		{"follow-ups-phone", "follow-ups", "ja", screen{"dark", 390}, 844},
	} {
		s.k.want(200, "PATCH", "/v1/members/"+s.member, `{"locale":"`+picture.locale+`"}`)
		s.turn(picture.screen)
		tell(s.browser, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: picture.width, Height: picture.height, DeviceScaleFactor: 1})
		s.open(s.k.base + pages[picture.page])
		s.drawn()
		small := fewColours(s.t, ask(s.browser, chromedp.CaptureScreenshot()))
		if len(small) > 60<<10 {
			s.t.Errorf("%s.png has %d bytes", picture.name, len(small))
		}
		if err := os.WriteFile(filepath.Join(folder, picture.name+".png"), small, 0o644); err != nil {
			s.t.Fatal(err)
		}
	}
}

// fewColours is a picture with the 192 colours that it has most of, which is
// small.
func fewColours(t *testing.T, file []byte) []byte {
	t.Helper()
	picture, err := png.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	count := map[color.Color]int{}
	bounds := picture.Bounds()
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			count[picture.At(x, y)]++
		}
	}
	colours := make(color.Palette, 0, len(count))
	for c := range count {
		colours = append(colours, c)
	}
	slices.SortFunc(colours, func(a, b color.Color) int {
		return cmp.Or(cmp.Compare(count[b], count[a]), strings.Compare(fmt.Sprint(a), fmt.Sprint(b)))
	})
	few := image.NewPaletted(bounds, colours[:min(len(colours), 192)])
	draw.Draw(few, bounds, picture, bounds.Min, draw.Src)
	var out bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, few); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
