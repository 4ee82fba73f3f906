package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"koe/survey/store/storetest"
)

const (
	browserMost = 50 * time.Second // a browser's whole life
	stepMost    = 15 * time.Second // one step in it
)

// browser is one tab of a real browser. It runs no script of any page.
type browser struct {
	t     *testing.T
	ctx   context.Context
	hosts []string // that may be asked

	mu        sync.Mutex
	documents []string // that were asked for
	amiss     []string // complaints of the console, requests to other hosts
}

// browse starts a browser. When the test ends, it fails if the browser asked
// anybody but this koe or complained of anything.
func (k *running) browse(t *testing.T) *browser {
	t.Helper()
	path := storetest.Chromium(t)
	whole, end := context.WithTimeout(context.Background(), browserMost)
	t.Cleanup(end)
	options := []chromedp.ExecAllocatorOption{chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()),
		chromedp.NoSandbox, chromedp.Headless, chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck,
		chromedp.Flag("host-resolver-rules", "MAP "+publicHost+" 127.0.0.1"),
		// one process for a page and its frames, so that a click finds its way in
		chromedp.Flag("disable-features", "IsolateSandboxedIframes,HttpsUpgrades,Translate,MediaRouter,OptimizationHints")}
	for _, flag := range []string{"disable-background-networking", "disable-component-update", "disable-sync", "disable-quic",
		"disable-default-apps", "disable-extensions", "disable-dev-shm-usage", "disable-popup-blocking"} {
		options = append(options, chromedp.Flag(flag, true))
	}
	allocator, stop := chromedp.NewExecAllocator(whole, options...)
	t.Cleanup(stop)
	return k.tab(allocator, t)
}

// tab opens a tab: in a browser of its own, or beside the one of ctx.
func (k *running) tab(ctx context.Context, t *testing.T, o ...chromedp.ContextOption) *browser {
	t.Helper()
	ctx, leave := chromedp.NewContext(ctx, o...)
	t.Cleanup(leave)
	b := &browser{t: t, ctx: ctx, hosts: []string{"", publicHost + ":" + k.port, "127.0.0.1:" + k.port}}
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("the browser does not start: %v", err)
	}
	if err := chromedp.Listen(ctx, b.watch); err != nil {
		t.Fatal(err)
	}
	tell(b, network.Enable, network.EnableParams{})
	tell(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	t.Cleanup(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, complaint := range b.amiss {
			t.Error(complaint)
		}
	})
	return b
}

// watch notes what should not be.
func (b *browser) watch(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		if e.Type == network.ResourceTypeDocument {
			b.documents = append(b.documents, e.Request.URL)
		}
		if u, err := url.Parse(e.Request.URL); err != nil || !slices.Contains(b.hosts, u.Host) {
			b.amiss = append(b.amiss, "asked another host: "+e.Request.URL)
		}
	case *runtime.EventConsoleAPICalled:
		b.amiss = append(b.amiss, fmt.Sprintf("a script spoke: %v", e.Args))
	case *runtime.EventExceptionThrown:
		b.amiss = append(b.amiss, "a script failed: "+e.ExceptionDetails.Text)
	case *log.EventEntryAdded:
		// a page that is 404 or 409 is complained of, and rightly so
		if e.Entry.Source != log.EntrySourceNetwork || !slices.Contains(b.documents, e.Entry.URL) {
			b.amiss = append(b.amiss, fmt.Sprintf("the console says: %s %s", e.Entry.Text, e.Entry.URL))
		}
	}
}

// tell gives a command of the protocol.
func tell[P, R any](b *browser, command cdp.Command[P, R], params P) R {
	b.t.Helper()
	result, err := chromedp.Call(b.ctx, command, params)
	if err != nil {
		b.t.Fatalf("%s: %v", command.Method, err)
	}
	return result
}

// ask does one thing in the tab and returns what it brings.
func ask[T any](b *browser, action chromedp.Action[T]) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, stepMost)
	defer cancel()
	result, err := chromedp.Run(ctx, action)
	if err != nil {
		b.t.Fatalf("%v, on the page\n%s", err, b.page())
	}
	return result
}

// page is what the tab shows, for messages.
func (b *browser) page() string {
	ctx, cancel := context.WithTimeout(b.ctx, time.Second)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string]("location.href + '\\n' + document.body.innerText"))
	if err != nil {
		return err.Error()
	}
	return text
}

// leads does what leads to another page and waits for it.
func (b *browser) leads(step chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, stepMost)
	defer cancel()
	if _, err := chromedp.RunResponse(ctx, step); err != nil {
		b.t.Fatalf("%v, on the page\n%s", err, b.page())
	}
}

func (b *browser) open(link string)  { b.t.Helper(); b.leads(chromedp.Navigate(link)) }
func (b *browser) click(css string)  { b.t.Helper(); ask(b, chromedp.Click(chromedp.CSS(css))) }
func (b *browser) follow(css string) { b.t.Helper(); b.leads(chromedp.Click(chromedp.CSS(css))) }

// types puts words in as an input method does: in any language, at once.
func (b *browser) types(words string) {
	b.t.Helper()
	tell(b, input.InsertText, input.InsertTextParams{Text: words})
}

// js asks the page itself; that the page runs no script of its own does not
// keep it from answering.
func js[T any](b *browser, expression string) T {
	b.t.Helper()
	return ask(b, chromedp.Evaluate[T](expression))
}

func (b *browser) wantText(want string) {
	b.t.Helper()
	if got := js[string](b, "document.querySelector('main').innerText"); !strings.Contains(got, want) {
		b.t.Fatalf("the page does not say %q:\n%s", want, got)
	}
}

func (b *browser) wantChosen(score string) {
	b.t.Helper()
	const chosen = "document.querySelector('input[name=score]:checked')"
	if got := js[string](b, chosen+" ? "+chosen+".value : 'nothing'"); got != score {
		b.t.Fatalf("chosen is %s, want %s", got, score)
	}
}

// shot keeps a picture of the page in the folder KOE_TEST_SCREENSHOTS.
func (b *browser) shot(name string) {
	b.t.Helper()
	folder := os.Getenv("KOE_TEST_SCREENSHOTS")
	if folder == "" {
		return
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, name+".png"), ask(b, chromedp.FullScreenshot(100)), 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// fits checks that the page does not scroll sideways, and keeps a picture.
func (b *browser) fits(name string) {
	b.t.Helper()
	if over := js[int](b, "document.scrollingElement.scrollWidth - window.innerWidth"); over > 0 {
		b.t.Errorf("%s is %d pixels wider than the window", name, over)
	}
	b.shot(name)
}

const comment = "とても親切でした 🎉 & <b>quick</b>"

func TestWalkInABrowser(t *testing.T) {
	box, smtpURL := startSMTP(t)
	k := startKoe(t, storetest.SQLite(t), "KOE_SMTP_URL="+smtpURL, "KOE_MAIL_FROM=Acme <feedback@acme.example>")
	k.setUp()
	const ana = `{"external_id":"c-17","email":"ana@example.com","name":"Ana","locale":"en"}`
	if d := k.chat(ana); d["decision"] != "scheduled" {
		t.Fatalf("decision %v", d)
	}
	m, _, html := box.next(t)
	letter := filepath.Join(t.TempDir(), "mail.html")
	if err := os.WriteFile(letter, []byte(html), 0o600); err != nil {
		t.Fatal(err)
	}
	b := k.browse(t)
	b.open("file://" + letter)
	b.shot("walk-1-mail")
	js[any](b, "document.querySelector('base').remove()") // stay in this tab
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

func TestAnsweringWithTheKeyboard(t *testing.T) {
	k := startKoe(t, storetest.SQLite(t))
	k.linkSurvey("support_chat")
	link, _ := k.chat(`{"external_id":"c-17"}`)["url"].(string)
	b := k.browse(t)
	b.open(link)
	press := func(keys ...string) {
		t.Helper()
		for _, key := range keys {
			ask(b, chromedp.KeyEvent(key))
		}
	}
	reach := func(css string) {
		t.Helper()
		for range 12 {
			press(kb.Tab)
			if js[bool](b, "document.activeElement.matches('"+css+"')") {
				return
			}
		}
		t.Fatalf("the tab key does not reach %s:\n%s", css, b.page())
	}
	reach("input[name=score]")
	press(kb.ArrowLeft, kb.ArrowLeft) // from 0 round to 10 and on to 9
	b.wantChosen("9")
	b.shot("keyboard-1-score")
	reach("button")
	b.shot("keyboard-2-button")
	b.leads(chromedp.KeyEvent(kb.Enter))
	reach("textarea")
	b.types(comment)
	b.shot("keyboard-3-comment")
	reach("button")
	b.leads(chromedp.KeyEvent(kb.Enter))
	b.wantText("Thank you!")
	responses, _ := k.want(200, "GET", "/v1/responses", "")["data"].([]any)
	if first, _ := responses[0].(map[string]any); first["comment"] != comment || first["score"] != 9.0 {
		t.Errorf("response %v", first)
	}
}
