package main

import (
	"fmt"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"koe/survey/store/storetest"
)

const comment = "とても親切でした 🎉 & <b>quick</b>"

func TestWalkInABrowser(t *testing.T) {
	box, smtpURL := startSMTP(t)
	k := startKoe(t, storetest.SQLite(t), "KOE_SMTP_URL="+smtpURL, "KOE_MAIL_FROM=Acme <feedback@acme.example>")
	k.setUp()
	const ana = `{"external_id":"c-17","email":"ana@example.com","name":"Ana","locale":"en"}`
	if d := k.chat(ana); d["decision"] != "scheduled" {
		t.Fatalf("decision %v", d)
	}
	b := k.browse(t)
	m := b.letter(box)
	b.shot("walk-1-mail")
	b.follow(`a[href$="score=9"]`)
	b.wantChosen("9")
	if _, n := k.score(); n != 0.0 {
		t.Fatalf("opening the page recorded %v answers", n)
	}
	b.shot("walk-2-score")
	b.follow("button")
	if score, n := k.score(); score != 100.0 || n != 1.0 {
		t.Fatalf("after the score: %v of %v, want 100 of 1", score, n)
	}
	b.click("textarea")
	b.types(comment)
	b.shot("walk-3-questions")
	b.follow("button")
	b.wantText("Thank you! It is good to know that you would recommend us.")
	b.shot("walk-4-thanks")
	if score, n := k.score(); score != 100.0 || n != 1.0 {
		t.Fatalf("after the comment: %v of %v, want 100 of 1", score, n)
	}
	responses, _ := k.want(200, "GET", "/v1/responses", "")["data"].([]any)
	if first, _ := responses[0].(map[string]any); first["comment"] != comment {
		t.Errorf("response %v", first)
	}
	b.open(strings.Trim(m.Header.Get("List-Unsubscribe"), "<>"))
	b.shot("walk-5-unsubscribe")
	if d, ok := k.want(200, "GET", "/v1/suppressions", "")["data"].([]any); !ok || len(d) != 0 {
		t.Fatalf("opening the page suppressed %v", d)
	}
	b.follow("button")
	b.wantText("no more surveys by email")
	b.shot("walk-6-unsubscribed")
	if d := k.chat(ana); d["decision"] != "skipped" || d["reason"] != "suppressed" {
		t.Fatalf("after unsubscribing: %v", d)
	}
}

// TestANewcomersFirstMail is koe as it is without any setting: mail is captured
// and read at /mailbox.
func TestANewcomersFirstMail(t *testing.T) {
	k := startKoe(t, storetest.SQLite(t), "KOE_BASE_URL=")
	k.setUp()
	k.chat(`{"email":"ana@example.com","name":"Ana"}`)
	b := k.browse(t)
	b.open("http://127.0.0.1:" + k.port + "/")
	b.shot("newcomer-1-welcome")
	b.follow(`a[href="/mailbox"]`)
	for deadline := time.Now().Add(stepMost); js[int](b, "document.querySelectorAll('.mails a').length") == 0; {
		if time.Now().After(deadline) {
			t.Fatal("no mail came")
		}
		time.Sleep(100 * time.Millisecond)
		b.leads(chromedp.Reload())
	}
	b.shot("newcomer-2-mailbox")
	b.follow(".mails a")
	b.shot("newcomer-3-mail")
	frame := ask(b, chromedp.Nodes(chromedp.CSS("iframe")))[0]
	opened := chromedp.WaitNewTarget(b.ctx, func(*target.Info) bool { return true })
	ask(b, chromedp.Click(chromedp.CSS(`a[href$="score=9"]`), chromedp.FromNode(frame)))
	select {
	case id := <-opened:
		b = k.tab(b.ctx, t, chromedp.WithTargetID(id))
	case <-time.After(stepMost):
		t.Fatal("a click on a score in the mail opened nothing")
	}
	ask(b, chromedp.WaitReady(chromedp.CSS("button")))
	b.wantChosen("9")
	b.follow("button")
	b.follow("button")
	b.wantText("Thank you!")
	if score, n := k.score(); score != 100.0 || n != 1.0 {
		t.Fatalf("score %v of %v, want 100 of 1", score, n)
	}
}

// From the mail to thanks without a mouse, a finger or a script.
func TestAnsweringWithTheKeyboard(t *testing.T) {
	box, smtpURL := startSMTP(t)
	k := startKoe(t, storetest.SQLite(t), "KOE_SMTP_URL="+smtpURL, "KOE_MAIL_FROM=Acme <feedback@acme.example>")
	k.setUp()
	k.chat(`{"external_id":"c-17","email":"ana@example.com","locale":"en"}`)
	b := k.browse(t)
	b.letter(box)
	b.reach(`a[href$="score=6"]`)
	b.leads(chromedp.KeyEvent(kb.Enter))
	b.wantChosen("6")
	b.reach("input[name=score]")
	b.press(kb.ArrowLeft)
	b.wantChosen("5")
	b.shot("keyboard-1-score")
	b.reach("button")
	b.leads(chromedp.KeyEvent(kb.Enter))
	if score, n := k.score(); score != -100.0 || n != 1.0 {
		t.Fatalf("after the score: %v of %v, want -100 of 1", score, n)
	}
	b.reach("textarea")
	b.types(comment)
	b.reach("input[value=price]")
	b.press(" ")
	b.reach("input[name=q_contact]")
	b.press(" ")
	b.shot("keyboard-2-questions")
	b.reach("button")
	b.leads(chromedp.KeyEvent(" "))
	b.wantText("We are sorry that we fell short")
	responses, _ := k.want(200, "GET", "/v1/responses", "")["data"].([]any)
	first, _ := responses[0].(map[string]any)
	if got := fmt.Sprint(len(responses), first["score"], first["answers"]); got != "1 5 map[contact:true improve:"+comment+" topic:[price]]" {
		t.Errorf("stored: %s", got)
	}
}

// letter opens the next mail, as a mail program in this tab would.
func (b *browser) letter(box *inbox) *mail.Message {
	b.t.Helper()
	m, _, html := box.next(b.t)
	letter := filepath.Join(b.t.TempDir(), "mail.html")
	if err := os.WriteFile(letter, []byte(html), 0o600); err != nil {
		b.t.Fatal(err)
	}
	b.open("file://" + letter)
	js[any](b, "document.querySelector('base').remove()") // stay in this tab
	return m
}

func (b *browser) press(keys ...string) {
	b.t.Helper()
	for _, key := range keys {
		ask(b, chromedp.KeyEvent(key))
	}
}

// reach presses the tab key until it gets to an element.
func (b *browser) reach(css string) {
	b.t.Helper()
	for range 60 {
		b.press(kb.Tab)
		if js[bool](b, "document.activeElement.matches('"+css+"')") {
			return
		}
	}
	b.t.Fatalf("the tab key does not reach %s:\n%s", css, b.page())
}
