package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/chromedp/cdproto/network"
)

// everything is a template with a question of each kind, texts that have to
// fall back, and words of thanks for each score.
const everything = `{
	"name": "Everything", "metric": "nps", "default_locale": "en",
	"questions": [
		{"key": "score", "type": "score", "scale": {"min": 0, "max": 10},
			"text": {"en": "How likely are you to recommend us?", "ja": "私どものサービスを、ご友人や同僚の方にどのくらいお勧めしたいと思われますか？", "ar": "ما مدى احتمال أن توصوا بنا صديقًا أو زميلًا؟"}},
		{"key": "why", "type": "text", "required": true, "max_length": 20,
			"text": {"en": "Why?", "ja": "その理由をお聞かせください。", "ar": "ما السبب؟"}},
		{"key": "way", "type": "choice",
			"text": {"en": "How did you reach us?", "ja": "お問い合わせの方法", "ar": "كيف تواصلتم معنا؟"},
			"options": [{"key": "chat", "text": {"en": "Chat", "ja": "チャット", "ar": "الدردشة"}}, {"key": "phone", "text": {"en": "Telephone"}}]},
		{"key": "topic", "type": "choice", "multiple": true,
			"text": {"en": "What was it about?\nChoose all that fit.", "ja": "お問い合わせの内容", "ar": "ما كان الموضوع؟"},
			"options": [{"key": "price", "text": {"en": "Price", "ja": "価格", "ar": "السعر"}}, {"key": "speed", "text": {"en": "Speed", "ja": "スピード", "ar": "السرعة"}}]},
		{"key": "staff", "type": "rating", "scale": {"min": 1, "max": 5},
			"text": {"en": "How friendly were we?"}, "low_label": {"en": "Not at all"}, "high_label": {"en": "Very"}},
		{"key": "speed", "type": "rating", "scale": {"min": 1, "max": 7},
			"text": {"en": "How fast were we?", "ja": "対応の早さ", "ar": "كم كنا سريعين؟"}},
		{"key": "contact", "type": "consent", "text": {"en": "May we write to you?", "ja": "担当者からご連絡を差し上げてもよろしいでしょうか？", "ar": "هل يمكننا التواصل معكم؟"}}
	],
	"thank_you": [
		{"when": {"score": {"max": 6}}, "text": {"en": "We are sorry.\nWe read every word.", "ja": "ご期待に沿えず申し訳ございません。", "ar": "نأسف لذلك."}},
		{"when": {"score": {"max": 8}}, "text": {"en": "Thank you for your answer."}},
		{"text": {"en": "Thank you!", "ja": "高いご評価をいただき、誠にありがとうございます。", "ar": "شكرًا لكم!"},
			"link": {"url": "https://example.com/friends", "text": {"en": "Tell your friends", "ja": "ご友人に紹介する", "ar": "أخبروا أصدقاءكم"}}}
	]}`

// visitor goes through all pages in one language after the other.
type visitor struct {
	*browser
	k       *running
	scored  map[string]string // links of a koe that can write nothing
	axe     string            // its source
	runs    bool              // the pages run their scripts
	html    string            // a folder for the HTML of the pages; "" for none
	locale  string
	on      screen
	screens []screen

	pictures bool // also of pages without scripts
}

// link is a new link for the visitor, who is another with scripts: whoever has
// unsubscribed is not asked again whether to.
func (v *visitor) link(survey string) string {
	v.t.Helper()
	return v.k.link(survey, v.locale, fmt.Sprint(v.locale, "-", v.runs))
}

func (v *visitor) everyPage() {
	v.t.Helper()
	tell(v.browser, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Accept-Language": v.locale}})
	brief := v.link("brief")
	v.scales()
	v.detractor()
	v.refusals()
	v.unsubscribe()
	v.openPages()
	v.kiosk()
	v.preview()
	v.storageAway()
	if v.locale == "en" {
		v.developers()
	}
	if !v.runs { // mails have no scripts
		for _, template := range stockTemplates {
			v.mail(template)
		}
	}
	v.open(brief) // it lived for a second
	v.look("expired")
}

func (v *visitor) scales() {
	v.t.Helper()
	for _, template := range stockTemplates {
		v.open(v.link(template))
		if lang := js[string](v.browser, "document.documentElement.lang"); lang != v.locale {
			v.t.Errorf("the page of %s is in %s, want %s", template, lang, v.locale)
		}
		v.look("score-" + template)
	}
}

// unchecked makes the browser send forms as they are, as some do.
func (v *visitor) unchecked() {
	v.t.Helper()
	js[any](v.browser, "document.forms[0].noValidate = true")
}

func (v *visitor) detractor() {
	v.t.Helper()
	link := v.link("everything")
	v.open(link)
	v.unchecked()
	v.follow("button")
	v.look("score-missing")
	v.open(link + "?score=3")
	v.wantChosen("3")
	v.look("score-chosen")
	v.follow("button")
	v.look("questions")
	v.unchecked()
	v.click("textarea")
	v.types(strings.Repeat("長い言葉Donaudampfschifffahrtsgesellschaft", 4))
	v.click("input[type=checkbox]")
	v.follow("button")
	v.look("questions-wrong")
	v.open(link)
	v.fill()
	v.look("questions-filled")
	v.follow("button")
	v.look("thanks-3")
	v.open(link + "?edit=1")
	v.look("score-again")
	for _, score := range []string{"8", "10"} {
		v.open(link + "?score=" + score)
		v.follow("button")
		v.follow("button") // what was said at first is still there
		v.look("thanks-" + score)
	}
}

func (v *visitor) fill() {
	v.t.Helper()
	v.click("textarea")
	v.types("とても親切でした 🎉")
	for _, field := range []string{"q_way", "q_topic", "q_staff", "q_speed", "q_contact"} {
		v.click("input[name=" + field + "]")
	}
}

// refusals are the pages of links that lead to no survey.
func (v *visitor) refusals() {
	v.t.Helper()
	late := v.link("final")
	v.open(late)
	if code, _ := v.k.post(late, url.Values{"step": {"score"}, "score": {"5"}}); code != http.StatusOK {
		v.t.Fatalf("an answer from elsewhere: %d", code)
	}
	v.click("input[value='1']")
	v.follow("button")
	v.look("closed")
	v.open(v.k.base + "/s/nobody-knows-this-link")
	v.look("unknown")
	v.open(v.k.base + "/l/resting")
	v.look("paused")
}

func (v *visitor) unsubscribe() {
	v.t.Helper()
	v.open(strings.Replace(v.link("nps"), "/s/", "/u/", 1))
	v.look("unsubscribe")
	v.follow("button")
	v.look("unsubscribed")
}

func (v *visitor) openPages() {
	v.t.Helper()
	v.open(v.k.base + "/l/everybody?via=embed")
	v.look("embed")
	v.open(v.k.base + "/l/everybody")
	v.look("open")
	v.click("input[value='9']")
	js[any](v.browser, "document.querySelector('[name=form]').value += 'A'")
	v.follow("button")
	v.look("open-stale")
	v.follow("button")
	v.fill()
	v.look("open-questions")
	v.follow("button")
	v.look("open-thanks")
}

func (v *visitor) kiosk() {
	v.t.Helper()
	v.open(v.k.base + "/l/everybody?via=kiosk")
	v.look("kiosk")
	v.click("input[value='9']")
	v.follow("button")
	v.fill()
	v.look("kiosk-questions")
	v.follow("button")
	v.look("kiosk-thanks")
}

func (v *visitor) preview() {
	v.t.Helper()
	address, _ := v.k.want(200, "POST", "/v1/templates/everything/preview", `{"what":"page","locale":"`+v.locale+`","score":2}`)["url"].(string)
	v.open(address)
	v.look("preview")
	v.follow("button")
	v.fill()
	v.look("preview-questions")
	v.follow("button")
	v.look("preview-thanks")
}

// storageAway shows that what was typed stays.
func (v *visitor) storageAway() {
	v.t.Helper()
	const words = "とても親切でした 🎉"
	kept := func(status int64, page string) {
		v.t.Helper()
		v.look(page)
		if got := js[string](v.browser, "document.querySelector('textarea')?.value ?? ''"); got != words || v.reply.Status != status {
			v.t.Errorf("%s: %d, and of what was typed remains %q", page, v.reply.Status, got)
		}
	}
	v.open(v.scored[fmt.Sprint(v.locale, v.runs)])
	v.click("textarea")
	v.types(words)
	v.follow("button")
	kept(http.StatusServiceUnavailable, "unavailable")
	link := v.link("everything")
	v.open(link + "?score=3")
	v.follow("button")
	v.click("textarea")
	v.types(words)
	release := v.flood(link)
	v.follow("button")
	release()
	kept(http.StatusTooManyRequests, "too-many")
}

// flood posts to a link until it takes no more, and goes on until release.
func (v *visitor) flood(link string) (release func()) {
	v.t.Helper()
	enough, done := make(chan bool, 1), make(chan struct{})
	go func() {
		for ended := false; !ended; {
			reply, err := http.PostForm(v.k.local(link), url.Values{})
			if err != nil {
				enough <- false
				return
			}
			_ = reply.Body.Close()
			if reply.StatusCode == http.StatusTooManyRequests {
				select {
				case enough <- true:
				default:
				}
				time.Sleep(10 * time.Millisecond)
			}
			select {
			case <-done:
				ended = true
			default:
			}
		}
	}()
	if !<-enough {
		v.t.Fatal("the link cannot be posted to")
	}
	return func() { close(done) }
}

// developers are the pages that those who try koe meet.
func (v *visitor) developers() {
	v.t.Helper()
	look := func(page string) {
		v.t.Helper()
		v.light(page)
		v.keep(page)
		v.onScreens(page, false, everyRule) // a text's links are as high as its lines
	}
	v.open(v.k.base + "/")
	look("welcome")
	v.open("http://" + v.k.key + "@127.0.0.1:" + v.k.port + "/mailbox") // links lead elsewhere, so it asks for the key
	look("mailbox")
	v.follow(".mails a")
	look("mailbox-mail")
}
