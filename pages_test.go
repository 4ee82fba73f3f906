package main

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"koe/survey/store/storetest"
)

// TestPagesOnASmallScreen looks at every page that a customer meets, as narrow
// as telephones are, in both languages, by day and by night.
func TestPagesOnASmallScreen(t *testing.T) {
	k := startKoe(t, storetest.SQLite(t))
	for _, template := range stockTemplates {
		k.manual(template, template, `{}`)
	}
	k.manual("final", "csat", `{"editable_for":"0s"}`)
	k.manual("brief", "csat", `{"expires_after":"1s"}`)
	k.setUp()
	k.want(200, "PATCH", "/v1/workspace", `{"name":"Bäckerei Müller & Söhne 株式会社ことのは","privacy_url":"https://example.com/privacy",
		"postal_footer":"Acme GmbH\nHauptstraße 1, 10115 Berlin"}`)
	for _, locale := range []string{"en", "ja", "ar"} {
		k.chat(`{"external_id":"` + locale + `","email":"` + locale + `@example.com","name":"山田 花子","locale":"` + locale + `"}`)
		for _, scheme := range []string{"light", "dark"} {
			t.Run(locale+"-"+scheme, func(t *testing.T) {
				b := k.browse(t)
				ask(b, chromedp.EmulateViewport(320, 640))
				tell(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
					Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
				v := visitor{b, k, locale, locale + "-" + scheme + "-"}
				v.scales()
				v.detractor()
				v.promoter()
				v.others()
			})
		}
	}
}

var stockTemplates = []string{"nps", "csat", "csat-thumbs", "ces", "ces-effort"}

// manual makes an active survey under a key.
func (k *running) manual(key, template, rules string) {
	k.t.Helper()
	k.want(201, "PUT", "/v1/surveys/"+key, `{"name":"`+key+`","template":"`+template+`","touchpoint":"support_chat",
		"channel":"email","trigger":{"type":"manual"},"rules":`+rules+`}`)
	k.want(200, "POST", "/v1/surveys/"+key+"/activate", "")
}

// visitor goes through pages with a small screen.
type visitor struct {
	*browser
	k      *running
	locale string
	name   string // what names of pictures begin with
}

// link is a new personal link of a survey.
func (v visitor) link(survey string) string {
	v.t.Helper()
	made, _ := v.k.want(201, "POST", "/v1/surveys/"+survey+"/links",
		`{"links":[{"locale":"`+v.locale+`","customer":{"email":"`+v.name+`ana@example.com","name":"Ana"}}]}`)["data"].([]any)
	link, _ := made[0].(map[string]any)
	address, _ := link["url"].(string)
	return address
}

func (v visitor) look(page string) { v.t.Helper(); v.fits(v.name + page) }

func (v visitor) scales() {
	v.t.Helper()
	for _, template := range stockTemplates {
		v.open(v.link(template))
		if lang := js[string](v.browser, "document.documentElement.lang"); lang != v.locale {
			v.t.Errorf("the page of %s is in %s, want %s", template, lang, v.locale)
		}
		v.look("score-" + template)
	}
}

func (v visitor) detractor() {
	v.t.Helper()
	v.open(v.link("nps"))
	js[any](v.browser, "document.forms[0].noValidate = true") // as browsers do that check nothing
	v.follow("button")
	v.look("score-missing")
	v.click("input[value='3']")
	v.follow("button")
	v.look("questions-3")
	v.click("textarea")
	v.types(strings.Repeat("長い言葉Donaudampfschifffahrtsgesellschaft", 4))
	v.click("input[type=checkbox]")
	v.look("questions-3-filled")
	v.follow("button")
	v.look("thanks-3")
}

func (v visitor) promoter() {
	v.t.Helper()
	link := v.link("nps")
	v.open(link + "?score=10")
	v.wantChosen("10")
	v.look("score-preselected")
	v.follow("button")
	v.look("questions-10")
	v.follow("button")
	v.look("thanks-10")
	late := v.link("final")
	v.open(late)
	if code, _ := v.k.post(late, url.Values{"step": {"score"}, "score": {"5"}}); code != 200 {
		v.t.Fatalf("an answer from elsewhere: %d", code)
	}
	v.click("input[value='1']")
	v.follow("button")
	v.look("closed")
	v.open(strings.Replace(link, "/s/", "/u/", 1))
	v.look("unsubscribe")
	v.follow("button")
	v.look("unsubscribed")
}

// others are the pages beside the way, and those that developers meet.
func (v visitor) others() {
	v.t.Helper()
	brief := v.link("brief")
	v.open(v.k.base + "/s/nobody-knows-this-link?lang=" + v.locale)
	v.look("unknown")
	v.open(v.k.base + "/")
	v.look("welcome")
	v.open(v.k.base + "/mailbox")
	v.look("mailbox")
	v.follow(".mails a")
	v.look("mail")
	v.follow(`a[href$="/html"]`)
	v.look("mail-html")
	time.Sleep(time.Second) // brief's whole life
	v.open(brief)
	v.look("expired")
}

// TestDocsAreReadable lets the one page that needs scripts run its own.
func TestDocsAreReadable(t *testing.T) {
	k := startKoe(t, storetest.SQLite(t))
	b := k.browse(t)
	tell(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: false})
	b.open(k.base + "/docs")
	ask(b, chromedp.WaitVisible(chromedp.CSS("#docs h1")))
	if said := js[string](b, "document.body.innerText"); !strings.Contains(said, "/v1/interactions") {
		t.Errorf("the page speaks of no interactions: %.300s", said)
	}
}
