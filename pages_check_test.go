package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"koe/survey/store/storetest"
)

// What a page may be at most.
const (
	pageRequests = 3
	pageBytes    = 30 << 10 // over the wire, with the heads of the answers
)

// light checks that the page is small, and strict. That it
// comes from koe alone is checked of every request.
func (b *browser) light(name string) {
	b.t.Helper()
	var l load
	for end := time.Now().Add(stepMost); ; time.Sleep(5 * time.Millisecond) {
		b.mu.Lock()
		l = b.load
		l.asked = maps.Clone(l.asked)
		b.mu.Unlock()
		if l.ended == len(l.asked) || time.Now().After(end) {
			break
		}
	}
	if len(l.asked) > pageRequests || l.bytes > pageBytes || l.ended != len(l.asked) || l.bytes == 0 {
		b.t.Errorf("%s: %.0f bytes by %d of %d requests: %v", name, l.bytes, l.ended, len(l.asked), slices.Sorted(maps.Values(l.asked)))
	}
	b.strict(name)
}

// strict checks that the policy of the page lets in nothing but what it names.
func (b *browser) strict(name string) {
	b.t.Helper()
	policy := ""
	for header, value := range b.reply.Headers {
		if http.CanonicalHeaderKey(header) == "Content-Security-Policy" {
			policy = fmt.Sprint(value)
		}
	}
	if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
		b.t.Errorf("%s: its policy is %q", name, policy)
	}
}

// keep writes the page's HTML as it came into the visitor's folder.
func (v *visitor) keep(page string) {
	v.t.Helper()
	if v.html == "" {
		return
	}
	v.mu.Lock()
	document := v.load.document
	v.mu.Unlock()
	body := tell(v.browser, network.GetResponseBody, network.GetResponseBodyParams{RequestID: document}).Body
	if err := os.WriteFile(filepath.Join(v.html, page+"-"+v.locale+".html"), body, 0o600); err != nil {
		v.t.Fatal(err)
	}
}

// world is a place of its own beside the page's scripts, which sees what they
// see and is under none of the page's policy.
func (v *visitor) world() runtime.ExecutionContextID {
	v.t.Helper()
	return tell(v.browser, page.CreateIsolatedWorld, page.CreateIsolatedWorldParams{FrameID: v.frame, WorldName: "axe"}).ExecutionContextID
}

func inWorld(world runtime.ExecutionContextID) chromedp.EvaluateOption {
	return func(p *runtime.EvaluateParams) { p.ContextID = world }
}

// inspection returns what is wrong with a page, in words. With thumbs, all that
// can be pressed must be large enough; what stands in a label is as large as
// the label. Rules are those of axe: null for none, {} for all.
const inspection = `(async (thumbs, rules) => {
	const found = [];
	const over = document.scrollingElement.scrollWidth - innerWidth;
	if (over > 0) found.push(over + " pixels wider than the window");
	const short = e => e.outerHTML.replace(/\s+/g, " ").slice(0, 160);
	for (const e of document.querySelectorAll("a[href], button, input, textarea, select, summary")) {
		const box = (e.closest("label") ?? e).getBoundingClientRect();
		if (thumbs && e.checkVisibility() && (box.width < 44 || box.height < 44))
			found.push("a target of " + Math.round(box.width) + " by " + Math.round(box.height) + " pixels: " + short(e));
	}
	if (!rules) return found;
	const how = {preload: false, iframes: false, resultTypes: ["violations"]};
	if (rules.type) how.runOnly = rules;
	else how.rules = {"target-size": {enabled: true},
		"meta-refresh": {enabled: !document.querySelector("noscript meta")}}; // without scripts a kiosk can only go by its own time
	for (const {id, help, nodes} of (await axe.run(document, how)).violations)
		found.push("axe: " + id + " (" + help + "): " + nodes.slice(0, 3).map(n => n.html.slice(0, 160) + " " + n.failureSummary).join("; "));
	return found;
})`

// Rules of axe: all of them, and those that another screen can break where the
// first broke none.
const (
	noRules     = "null"
	everyRule   = "{}"
	screenRules = `{type: "rule", values: ["color-contrast", "link-in-text-block", "target-size", "scrollable-region-focusable"]}`
	mailRules   = `{type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}` // landmarks are its program's; its small print is text
)

func (v *visitor) inspect(world runtime.ExecutionContextID, thumbs bool, rules string) []string {
	v.t.Helper()
	return ask(v.browser, chromedp.Evaluate[[]string](fmt.Sprintf("%s(%t, %s)", inspection, thumbs, rules), inWorld(world), chromedp.EvalAwaitPromise))
}

// inMails is what the HTML of mails needs and that of pages must not have: many
// programs lay tables out by attributes alone, and one asks by a name of its own
// whether a mail knows the dark.
var inMails = regexp.MustCompile(`attribute on the “(table|td)” element is obsolete|“supported-color-schemes”`)

// validHTML has the HTML in a folder, and that of the golden mails, read by the
// W3C's checker.
func validHTML(t *testing.T, folder string) {
	checker := storetest.HTMLChecker(t)
	mails, err := filepath.Glob("templates/testdata/golden/mail-*.html")
	if err != nil || len(mails) == 0 {
		t.Fatalf("%d mails, %v", len(mails), err)
	}
	pages, err := filepath.Glob(filepath.Join(folder, "*.html"))
	if err != nil || len(pages) < 60 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	checkHTML(t, checker, append(mails, pages...))
}

// checkHTML has files read by the W3C's checker.
func checkHTML(t *testing.T, checker string, files []string) {
	t.Helper()
	var said bytes.Buffer
	command := exec.Command("java", append([]string{"-jar", checker, "--format", "json", "--exit-zero-always"}, files...)...)
	command.Stderr = &said
	if err := command.Run(); err != nil {
		t.Fatalf("%v: %s", err, said.String())
	}
	var report struct {
		Messages []struct {
			URL, Type, SubType, Message, Extract string
			LastLine                             int
		}
	}
	if err := json.Unmarshal(said.Bytes(), &report); err != nil {
		t.Fatalf("%v: %.300s", err, said.String())
	}
	for _, m := range report.Messages {
		name := filepath.Base(m.URL)
		if strings.HasPrefix(name, "mail-") && inMails.MatchString(m.Message) {
			continue
		}
		t.Errorf("%s:%d: %s %s: %s\n%s", name, m.LastLine, m.Type, m.SubType, m.Message, m.Extract)
	}
}
