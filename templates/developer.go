package templates

import (
	"io"
	"regexp"
	"strings"

	"koe/survey"
)

// DocsPolicy is the Content-Security-Policy under which DocsPage works. The
// page states it too: its viewer would otherwise fetch a logo from its maker.
const DocsPolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; " +
	"img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'"

// MailboxEntry is one mail in the development mailbox.
type MailboxEntry struct {
	ID      string
	From    string
	To      string
	Subject string
	Date    survey.Instant
	Headers []string // "Name: value", one line each
	Text    string   // the text part
	HasHTML bool     // the HTML part is served at /mailbox/ID/html
}

// Title is what the browser's tab says.
func (e MailboxEntry) Title() string { return e.Subject + " – koe" }

// piece is a stretch of a text, which may be a link.
type piece struct {
	Text string
	Link bool
}

var webAddress = regexp.MustCompile(`https?://[^\s<>"]+`)

// Pieces are the text with its web addresses apart, so that they can be
// clicked.
func (e MailboxEntry) Pieces() []piece {
	var pieces []piece
	rest := e.Text
	for {
		at := webAddress.FindStringIndex(rest)
		if at == nil {
			return append(pieces, piece{Text: rest})
		}
		end := at[0] + len(strings.TrimRight(rest[at[0]:at[1]], ".,;:!?)]}"))
		pieces = append(pieces, piece{Text: rest[:at[0]]}, piece{rest[at[0]:end], true})
		rest = rest[end:]
	}
}

// WelcomePage is the page at /. Whether there is a development mailbox is for
// the caller to say.
func (w *Words) WelcomePage(out io.Writer, mailbox bool) error {
	return w.page(out, "welcome.html", struct{ Mailbox bool }{mailbox})
}

// MailboxPage lists the development mailbox in the order given.
func (w *Words) MailboxPage(out io.Writer, entries []MailboxEntry) error {
	return w.page(out, "mailbox.html", entries)
}

// MailboxMessage shows one mail: its HTML part in a frame without any rights
// but to open links elsewhere, its text part, its headers.
func (w *Words) MailboxMessage(out io.Writer, entry MailboxEntry) error {
	return w.page(out, "mailbox_message.html", entry)
}

// DocsPage shows /openapi.yaml with a viewer from /static/. It is the only
// page that needs JavaScript; without, it links to the file.
func (w *Words) DocsPage(out io.Writer) error {
	return w.page(out, "docs.html", DocsPolicy)
}
