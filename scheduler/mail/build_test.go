package mail

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"strings"
	"testing"
	"time"

	"koe/survey"

	"pgregory.net/rapid"
)

func sample() Message {
	return Message{
		ID:             "01990000-0000-7000-8000-000000000001.0@example.com",
		From:           Address{"声 🎧", "Feedback@example.com"},
		To:             Address{"Ana \"A\" Müller", "ana@example.org"},
		ReplyTo:        "help@example.com",
		Subject:        "サポートはいかがでしたか? 😀 ご意見をお聞かせください。一分もかかりません。",
		Text:           "How did we do?\n.\n.leading dot\nhttps://example.com/s/t=1\nありがとう 🙏 مرحبا",
		HTML:           "<p style=\"color:#123\">How did we do? ありがとう 🙏</p>\n",
		ListID:         "after-chat.example.com",
		UnsubscribeURL: "https://example.com/u/AbC-123_" + strings.Repeat("x", 80),
		InReplyTo:      "earlier@example.com",
		Date:           time.Date(2026, 11, 22, 9, 30, 0, 0, time.FixedZone("JST", 9*3600)),
		Headers:        map[string]string{"X-Koe-Invitation": "0199"},
	}
}

// opened is a mail as its reader sees it.
type opened struct {
	header     mail.Header
	subject    string
	text, html string
}

// openMail reads a mail with the standard library alone.
func openMail(t interface {
	Helper()
	Fatal(...any)
}, raw []byte) opened {
	t.Helper()
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	o := opened{header: m.Header}
	if o.subject, err = new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject")); err != nil {
		t.Fatal(err)
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	if kind == "text/plain" {
		words, err := io.ReadAll(quotedprintable.NewReader(m.Body))
		if err != nil {
			t.Fatal(err)
		}
		o.text = string(words)
		return o
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for {
		part, err := parts.NextPart() // decodes quoted-printable
		if errors.Is(err, io.EOF) {
			return o
		}
		if err != nil {
			t.Fatal(err)
		}
		words, err := io.ReadAll(part)
		if err != nil {
			t.Fatal(err)
		}
		switch part.Header.Get("Content-Type") {
		case "text/plain; charset=UTF-8":
			o.text = string(words)
		case "text/html; charset=UTF-8":
			o.html = string(words)
		}
	}
}

func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }

func TestBytesCarryEverything(t *testing.T) {
	m := sample()
	raw, err := m.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	o := openMail(t, raw)
	if o.subject != m.Subject || o.text != crlf(m.Text) || o.html != crlf(m.HTML) {
		t.Errorf("subject %q\ntext %q\nhtml %q", o.subject, o.text, o.html)
	}
	for name, want := range map[string]string{
		"Message-ID": "<" + m.ID + ">", "Date": "Sun, 22 Nov 2026 00:30:00 +0000",
		"List-Id": "<after-chat.example.com>", "List-Unsubscribe": "<" + m.UnsubscribeURL + ">",
		"List-Unsubscribe-Post": "List-Unsubscribe=One-Click", "In-Reply-To": "<earlier@example.com>",
		"References": "<earlier@example.com>", "Auto-Submitted": "auto-generated", "X-Koe-Invitation": "0199",
		"Reply-To": "<help@example.com>", "Mime-Version": "1.0",
		"User-Agent": "", "X-Mailer": "", "Precedence": "", "Bcc": "",
	} {
		if got := o.header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	for name, want := range map[string]Address{"From": m.From, "To": m.To} {
		got, err := o.header.AddressList(name)
		if err != nil || len(got) != 1 || got[0].Name != want.Name || got[0].Address != want.Email {
			t.Errorf("%s is %v (%v), want %v", name, got, err, want)
		}
	}
	if host, err := os.Hostname(); err == nil && len(host) > 3 && bytes.Contains(raw, []byte(host)) {
		t.Error("the mail names the machine")
	}
	for line := range strings.SplitSeq(string(raw), "\r\n") {
		if len(line) > 200 || strings.ContainsFunc(line, func(r rune) bool { return r > 0x7e || r < ' ' && r != '\t' }) {
			t.Errorf("line not safe to transport: %q", line)
		}
	}
}

func TestBytesWithoutTheOptional(t *testing.T) {
	m := sample()
	m.ReplyTo, m.ListID, m.UnsubscribeURL, m.InReplyTo, m.HTML, m.Headers = "", "", "", "", "", nil
	raw, err := m.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	o := openMail(t, raw)
	if o.text != crlf(m.Text) {
		t.Errorf("text %q", o.text)
	}
	for _, name := range []string{"Reply-To", "List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "In-Reply-To", "References"} {
		if _, there := o.header[name]; there {
			t.Errorf("%s is there", name)
		}
	}
}

// Whatever the words are, they arrive, and the header stays the header.
func TestSubjectAndNameSurvive(t *testing.T) {
	line := rapid.StringOfN(rapid.OneOf(
		rapid.RuneFrom([]rune(" =?_<>\"\\,;:@()[]ab")), rapid.RuneFrom([]rune("あ漢é😀\u3000\u202eש")),
		rapid.RuneFrom([]rune("  xyz"))), 0, 240, -1)
	rapid.Check(t, func(t *rapid.T) {
		m := sample()
		m.Subject = line.Draw(t, "subject")
		m.To.Name = line.Draw(t, "name")
		if len(m.Subject) > maxHeader || len(m.To.Name) > maxHeader {
			t.Skip("refused")
		}
		raw, err := m.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		o := openMail(t, raw)
		if o.subject != m.Subject {
			t.Fatalf("subject %q", o.subject)
		}
		to, err := o.header.AddressList("To")
		if err != nil || len(to) != 1 || to[0].Address != m.To.Email || to[0].Name != m.To.header().Name {
			t.Fatalf("to %v %v", to, err)
		}
		if len(o.header) != len(openMail(t, must(sample().Bytes())).header) || o.header.Get("List-Id") == "" {
			t.Fatalf("fields came or went: %v", o.header)
		}
	})
}

// A colon at the end of a text is no end of a field's name.
func TestSubjectsThatEndLikeNames(t *testing.T) {
	for _, subject := range []string{":", "a:", "Re: your order:", ": :", strings.Repeat("long words ", 12) + "and:"} {
		m := sample()
		m.Subject = subject
		o := openMail(t, must(m.Bytes()))
		if o.subject != subject || o.header.Get("List-Id") == "" || len(o.header) != len(openMail(t, must(sample().Bytes())).header) {
			t.Errorf("%q arrives as %q in %v", subject, o.subject, o.header)
		}
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestDomainsAreASCIIOnTheWire(t *testing.T) {
	m := sample()
	m.From, m.To = Address{"", "Info@Bücher.example"}, Address{"", "ana@例え.jp"}
	o := openMail(t, must(m.Bytes()))
	if from, to := o.header.Get("From"), o.header.Get("To"); from != "<Info@xn--bcher-kva.example>" || to != "<ana@xn--r8jz45g.jp>" {
		t.Errorf("from %s to %s", from, to)
	}
	if d := m.To.Domain(); d != "xn--r8jz45g.jp" {
		t.Errorf("domain %s", d)
	}
	if d := (Address{Email: "nobody"}).Domain(); d != "" {
		t.Errorf("domain of no address: %s", d)
	}
}

func TestCheckRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		field  string
		change func(*Message)
	}{
		"CRLF in subject":        {"subject", func(m *Message) { m.Subject = "a\r\nBcc: x@example.com" }},
		"LF in subject":          {"subject", func(m *Message) { m.Subject = "a\nb" }},
		"CR in subject":          {"subject", func(m *Message) { m.Subject = "a\rb" }},
		"NUL in subject":         {"subject", func(m *Message) { m.Subject = "a\x00b" }},
		"subject not UTF-8":      {"subject", func(m *Message) { m.Subject = "a\xffb" }},
		"subject too long":       {"subject", func(m *Message) { m.Subject = strings.Repeat("a", 901) }},
		"CRLF in address":        {"to", func(m *Message) { m.To.Email = "ana@example.org\r\nBcc: x@example.com" }},
		"CRLF behind address":    {"to", func(m *Message) { m.To.Email = "ana@example.org\r\n" }},
		"space behind address":   {"to", func(m *Message) { m.To.Email = "ana@example.org " }},
		"two addresses":          {"to", func(m *Message) { m.To.Email = "a@example.org, b@example.org" }},
		"no address":             {"to", func(m *Message) { m.To.Email = "" }},
		"address with name":      {"to", func(m *Message) { m.To.Email = "Ana <ana@example.org>" }},
		"CRLF in name":           {"to", func(m *Message) { m.To.Name = "Ana\r\nBcc: x@example.com" }},
		"CRLF in sender's name":  {"from", func(m *Message) { m.From.Name = "koe\r\n" }},
		"sender is no address":   {"from", func(m *Message) { m.From.Email = "koe" }},
		"reply-to":               {"reply_to", func(m *Message) { m.ReplyTo = "x@example.com\nA: b" }},
		"no id":                  {"message_id", func(m *Message) { m.ID = "" }},
		"id in brackets":         {"message_id", func(m *Message) { m.ID = "<a@example.com>" }},
		"CRLF in id":             {"message_id", func(m *Message) { m.ID = "a@example.com\r\nA: b" }},
		"in-reply-to":            {"in_reply_to", func(m *Message) { m.InReplyTo = "a b@example.com" }},
		"list id":                {"list_id", func(m *Message) { m.ListID = "a\r\nb" }},
		"list id with space":     {"list_id", func(m *Message) { m.ListID = "a b" }},
		"unsubscribe CRLF":       {"unsubscribe_url", func(m *Message) { m.UnsubscribeURL = "https://example.com/\r\nA: b" }},
		"unsubscribe script":     {"unsubscribe_url", func(m *Message) { m.UnsubscribeURL = "javascript:alert(1)" }},
		"unsubscribe >":          {"unsubscribe_url", func(m *Message) { m.UnsubscribeURL = "https://example.com/>,<https://evil.example/" }},
		"no date":                {"date", func(m *Message) { m.Date = time.Time{} }},
		"CRLF in further field":  {"headers.X-A", func(m *Message) { m.Headers = map[string]string{"X-A": "a\r\nb"} }},
		"further field's name":   {"headers", func(m *Message) { m.Headers = map[string]string{"X-A: b\r\nBcc": "x"} }},
		"further field of koe's": {"headers", func(m *Message) { m.Headers = map[string]string{"Bcc": "x@example.com"} }},
		"no text":                {"text", func(m *Message) { m.Text = " \n" }},
		"NUL in text":            {"text", func(m *Message) { m.Text = "a\x00" }},
		"HTML not UTF-8":         {"html", func(m *Message) { m.HTML = "\xff" }},
	} {
		t.Run(name, func(t *testing.T) {
			m := sample()
			c.change(&m)
			_, err := m.Bytes()
			var e *survey.Error
			if !errors.As(err, &e) || e.Kind != survey.Invalid || len(e.Fields) != 1 || e.Fields[0].Field != c.field {
				t.Errorf("got %v, want a refusal of %s", err, c.field)
			}
		})
	}
}

func TestParseAddress(t *testing.T) {
	for s, want := range map[string]Address{
		"koe <feedback@localhost>":    {"koe", "feedback@localhost"},
		"feedback@example.com":        {"", "feedback@example.com"},
		"\"声, Inc.\" <a@example.com>": {"声, Inc.", "a@example.com"},
	} {
		if got, err := ParseAddress(s); err != nil || got != want {
			t.Errorf("%s: %v %v", s, got, err)
		}
	}
	for _, s := range []string{"", "koe", "a@example.com, b@example.com", "koe <a@example.com>\r\nBcc: b@example.com", "koe <a@[127.0.0.1]>"} {
		if got, err := ParseAddress(s); err == nil {
			t.Errorf("%q was taken as %v", s, got)
		}
	}
}
