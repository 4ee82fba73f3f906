package templates

import (
	"bytes"
	"errors"
	"io/fs"
	"strings"
	"testing"

	"koe/survey"
)

func TestDeveloperPages(t *testing.T) {
	w := words(t)
	entry := MailboxEntry{ID: "0190", From: "koe <feedback@localhost>", To: "ana@example.com", Subject: "How <b>was</b> it?",
		Date: survey.Instant(1795300000000), Headers: []string{"List-Id: <x>", "X-Evil: <script>alert(1)</script>"},
		Text: "Open http://127.0.0.1:8080/s/x?score=9.\n<script>alert(2)</script>", HasHTML: true}
	var b bytes.Buffer
	for name, err := range map[string]error{
		"list": w.MailboxPage(&b, []MailboxEntry{entry}), "empty": w.MailboxPage(&b, nil),
		"message": w.MailboxMessage(&b, entry), "welcome": w.WelcomePage(&b, true), "docs": w.DocsPage(&b),
	} {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	checkInert(t, b.String(), "http://127.0.0.1:8080/s/x?score=9")
	all := elements(t, b.String())
	for _, href := range []string{"/mailbox/0190", "/mailbox/0190/html", "http://127.0.0.1:8080/s/x?score=9", "/docs", "/openapi.yaml", "/readyz", "/mailbox"} {
		if len(with(all, "a", "href", href)) == 0 {
			t.Errorf("no link to %s", href)
		}
	}
	frame := with(all, "iframe", "src", "/mailbox/0190/html")
	if len(frame) != 1 || frame[0].Attrs["sandbox"] != "allow-popups allow-popups-to-escape-sandbox" {
		t.Errorf("frame %+v", frame)
	}
	if got := len(with(all, "script", "", "")); got != 2 {
		t.Errorf("%d scripts, want the two of the docs", got)
	}
}

func TestWelcomeWithoutMailbox(t *testing.T) {
	var b bytes.Buffer
	if err := words(t).WelcomePage(&b, false); err != nil || strings.Contains(b.String(), "/mailbox") {
		t.Errorf("%v %s", err, b.String())
	}
}

func TestMailboxPieces(t *testing.T) {
	for text, want := range map[string]string{
		"":                            "",
		"none":                        "none",
		"http://a.example":            "[http://a.example]",
		"(https://a.example/x?y=1).":  "([https://a.example/x?y=1]).",
		"a http://b c https://d/e\nf": "a [http://b] c [https://d/e]\nf",
		"javascript:alert(1)":         "javascript:alert(1)",
	} {
		var got strings.Builder
		for _, p := range (MailboxEntry{Text: text}).Pieces() {
			if p.Link {
				got.WriteString("[" + p.Text + "]")
			} else {
				got.WriteString(p.Text)
			}
		}
		if got.String() != want {
			t.Errorf("%q: %q, want %q", text, got.String(), want)
		}
	}
}

// Whatever a page loads from /static/ is there.
func TestStaticFiles(t *testing.T) {
	var b bytes.Buffer
	w := words(t)
	if err := errors.Join(w.DocsPage(&b), w.WelcomePage(&b, true)); err != nil {
		t.Fatal(err)
	}
	loaded := 0
	for _, e := range elements(t, b.String()) {
		for _, attr := range []string{"src", "href"} {
			if name, ok := strings.CutPrefix(e.Attrs[attr], "/static/"); ok {
				loaded++
				if content, err := fs.ReadFile(Static(), name); err != nil || len(content) == 0 {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
	}
	if loaded != 4 {
		t.Errorf("%d files are loaded, want 4", loaded)
	}
	if redoc, err := fs.ReadFile(Static(), "redoc.standalone.js"); err != nil || strings.Contains(string(redoc), "cdn.redoc.ly") {
		t.Errorf("redoc fetches its logo from elsewhere (%v): see docs.js", err)
	}
	if _, err := fs.Stat(Static(), "redoc.standalone.js.LICENSE.txt"); err != nil {
		t.Error(err)
	}
}
