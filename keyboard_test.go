package main

import (
	"path"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"koe/survey/store/storetest"
)

// TestFollowingUpWithTheKeyboard is from the mail that signs in to an answer that
// is resolved, without a mouse, a finger or a script; where the focus is can be
// seen all the way.
func TestFollowingUpWithTheKeyboard(t *testing.T) {
	inbox, smtp := startSMTP(t)
	k := startKoe(t, storetest.SQLite(t), "KOE_SMTP_URL="+smtp)
	k.want(201, "POST", "/v1/members", `{"email":"kim@example.com","name":"Kim","role":"editor"}`)
	b := k.browse(t)
	b.open(k.base + "/dashboard/sign-in")
	b.lit("input[name=email]")
	b.types("kim@example.com")
	b.enter()
	link := inbox.signInLink(t)
	k.seedDashboard()

	b.open(link)
	b.lit("main button")
	b.enter()
	b.wantText("Support chat")
	b.lit("nav a[href=\"/dashboard/comments\"]")
	b.enter()
	b.press(kb.Tab)
	if skips := js[bool](b, "document.activeElement.matches('.skip') && document.activeElement.getBoundingClientRect().top >= 0"); !skips {
		t.Error("the first stop is no visible link to the content")
	}
	b.press(kb.Enter)
	b.lit(".comments .meta a")
	b.enter()
	b.lit("a.button[href^=\"/dashboard/follow-ups/\"]")
	b.enter()
	followUp := path.Base(js[string](b, "location.pathname"))
	b.lit("select[name=state]")
	b.press("R")
	b.lit("input[name=outcome]")
	b.types("返金済み & explained")
	b.lit("main button")
	b.leads(chromedp.KeyEvent(" "))
	b.wantText("返金済み & explained")
	b.lit("textarea[name=text]")
	b.types("Called back; all is well")
	b.lit("main button")
	b.enter()
	b.wantText("Called back; all is well")
	f := k.want(200, "GET", "/v1/follow-ups/"+followUp, "")
	if notes, _ := f["notes"].([]any); f["state"] != "resolved" || f["outcome"] != "返金済み & explained" || len(notes) == 0 {
		t.Errorf("kept is %v", f)
	}
}

func (b *browser) enter() { b.t.Helper(); b.leads(chromedp.KeyEvent(kb.Enter)) }

// lit reaches an element, where a ring shows the focus.
func (b *browser) lit(css string) {
	b.t.Helper()
	b.reach(css)
	if ring := js[string](b, "getComputedStyle(document.activeElement).outline"); !js[bool](b, `(style => style.outlineStyle === "solid" && parseFloat(style.outlineWidth) >= 2)(getComputedStyle(document.activeElement))`) {
		b.t.Errorf("%s has the focus, and shows it by %q", css, ring)
	}
}
