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
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"koe/survey/store/storetest"
)

const (
	browserMost = 3 * time.Minute // a browser's whole life
	stepMost    = time.Minute     // one step in it
)

// browser is one tab of a real browser. It runs no script of any page unless it
// is told to.
type browser struct {
	t     *testing.T
	ctx   context.Context
	hosts []string    // that may be asked
	frame cdp.FrameID // the tab itself

	reply *network.Response // what brought the page, where leads waited for it

	mu        sync.Mutex
	documents []string // that were asked for
	amiss     []string // complaints of the console, requests to other hosts
	load      load
}

// load is what a page brought over the wire.
type load struct {
	document network.RequestID
	asked    map[network.RequestID]string // addresses
	ended    int                          // how many of them
	bytes    float64                      // with the heads of the answers
}

// browse starts a browser. When the test ends, it fails if the browser asked
// anybody but this koe or complained of anything.
func (k *running) browse(t *testing.T) *browser {
	t.Helper()
	return k.browseFor(t, browserMost)
}

// browseFor is browse for a browser that may live longer.
func (k *running) browseFor(t *testing.T, most time.Duration) *browser {
	t.Helper()
	path := storetest.Chromium(t)
	whole, end := context.WithTimeout(context.Background(), most)
	t.Cleanup(end)
	options := []chromedp.ExecAllocatorOption{chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()),
		chromedp.NoSandbox, chromedp.Headless, chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck,
		chromedp.Flag("host-resolver-rules", "MAP "+publicHost+" 127.0.0.1"),
		// one process for a page and its frames, so that a click finds its way in; and going
		// back shows what the cache keeps, or asks again, as a telephone short of memory does
		chromedp.Flag("disable-features", "IsolateSandboxedIframes,BackForwardCache,IntensiveWakeUpThrottling,HttpsUpgrades,Translate,MediaRouter,OptimizationHints")}
	for _, flag := range []string{"disable-background-networking", "disable-component-update", "disable-sync", "disable-quic",
		"disable-default-apps", "disable-extensions", "disable-dev-shm-usage", "disable-popup-blocking",
		// a tab that is not in front is not slowed down
		"disable-background-timer-throttling", "disable-backgrounding-occluded-windows", "disable-renderer-backgrounding"} {
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
	b.frame = tell(b, page.GetFrameTree, cdp.Empty{}).FrameTree.Frame.ID
	if err := chromedp.Listen(ctx, b.watch); err != nil {
		t.Fatal(err)
	}
	tell(b, network.Enable, network.EnableParams{})
	b.scripts(false)
	t.Cleanup(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, complaint := range b.amiss {
			t.Error(complaint)
		}
	})
	return b
}

// scripts lets pages that are opened from now on run theirs, or keeps them from
// it.
func (b *browser) scripts(run bool) {
	b.t.Helper()
	tell(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !run})
}

// watch notes what comes, and what should not be.
func (b *browser) watch(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		if e.Type == network.ResourceTypeDocument {
			b.documents = append(b.documents, e.Request.URL)
			if e.FrameID == b.frame {
				b.load = load{document: e.RequestID, asked: map[network.RequestID]string{}}
			}
		}
		if !strings.HasPrefix(e.Request.URL, "data:") && b.load.asked != nil {
			b.load.asked[e.RequestID] = e.Request.URL
		}
		if u, err := url.Parse(e.Request.URL); err != nil || !slices.Contains(b.hosts, u.Host) {
			b.amiss = append(b.amiss, "asked another host: "+e.Request.URL)
		}
	case *network.EventLoadingFinished:
		if b.load.asked[e.RequestID] != "" {
			b.load.ended++
			b.load.bytes += e.EncodedDataLength
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
	reply, err := chromedp.RunResponse(ctx, step)
	if err != nil {
		b.t.Fatalf("%v, on the page\n%s", err, b.page())
	}
	b.reply = reply
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
	// a picture beyond the window would move pages from right to left aside, so
	// the window is made as high as the page for a moment
	size := js[[3]int64](b, "[innerWidth, innerHeight, Math.max(innerHeight, document.scrollingElement.scrollHeight)]")
	high := func(pixels int64) {
		tell(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: size[0], Height: pixels, DeviceScaleFactor: 1})
	}
	high(size[2])
	picture := ask(b, chromedp.CaptureScreenshot())
	high(size[1])
	if err := os.WriteFile(filepath.Join(folder, name+".png"), picture, 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// drawn waits for the pictures of a page that may run scripts: in another width
// they may be others.
func (b *browser) drawn() {
	b.t.Helper()
	ask(b, chromedp.Evaluate[chromedp.Void](`(async () => {
		await new Promise(next => requestAnimationFrame(() => requestAnimationFrame(next)));
		await Promise.all([...document.images].map(image => image.decode()));
	})()`, chromedp.EvalAwaitPromise))
}

// fits checks that the page does not scroll sideways, and keeps a picture.
func (b *browser) fits(name string) {
	b.t.Helper()
	if over := js[int](b, "document.scrollingElement.scrollWidth - window.innerWidth"); over > 0 {
		b.t.Errorf("%s is %d pixels wider than the window", name, over)
	}
	b.shot(name)
}
