// Package mail builds koe's messages and hands them over: to an SMTP server,
// or to a mailbox in memory while one develops.
//
// It knows messages and SMTP. It knows nothing of surveys, of the database, of
// when a mail is due or whether it is tried again: a Mailer says exactly what
// happened to one mail (SendError), and the scheduler decides what follows.
package mail

import (
	"context"
	"net/mail"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"koe/survey"
)

// Mailer hands one message over. The error of Send is a *survey.Error where
// the message itself cannot be sent by anybody, a *SendError where it was not
// accepted or where nobody knows whether it was. A cancelled context cuts the
// connection, so give Send one that outlives the wish to stop: a mail that is
// cut off while its acceptance is awaited is Uncertain.
type Mailer interface {
	Send(ctx context.Context, m Message) error
	Close() error
}

// Address is one mail address and the name that is shown beside it. Name may
// be empty and in any language.
type Address struct {
	Name  string
	Email string
}

// ParseAddress reads an address as people write it: "ana@example.com" or
// "Ana <ana@example.com>".
func ParseAddress(s string) (Address, error) {
	parsed, err := mail.ParseAddress(s)
	if err != nil {
		return Address{}, survey.Errorf(survey.Invalid, "", "must be one mail address such as Ana <ana@example.com>")
	}
	a := Address{Name: parsed.Name, Email: parsed.Address}
	return a, a.check("")
}

// Domain is the part behind the @, in ASCII and lower case; "" where the
// address is not valid.
func (a Address) Domain() string {
	normal, err := survey.NormalizeAddress(a.Email)
	if err != nil {
		return ""
	}
	return normal[strings.LastIndexByte(normal, '@')+1:]
}

// envelope is the address as SMTP takes it: the local part untouched (only its
// own server knows whether case matters there), the domain in ASCII.
func (a Address) envelope() string {
	return a.Email[:strings.LastIndexByte(a.Email, '@')+1] + a.Domain()
}

func (a Address) check(field string) error {
	if err := checkHeader(field, a.Name); err != nil {
		return err
	}
	if err := checkHeader(field, a.Email); err != nil {
		return err
	}
	if _, err := survey.NormalizeAddress(a.Email); err != nil || strings.TrimSpace(a.Email) != a.Email {
		return survey.Errorf(survey.Invalid, field, "must be one mail address such as ana@example.com")
	}
	return nil
}

// Message is one mail to one person.
type Message struct {
	ID      string // Message-ID without its angle brackets; a resend keeps it
	From    Address
	To      Address
	ReplyTo string // plain address; "" for none
	// ReturnPath is where a server sends what it could not deliver, a plain
	// address in ASCII; "" is the sender's.
	ReturnPath string
	Subject    string
	Text       string // the words as plain text
	HTML       string // the same words as HTML; "" makes a mail of text alone

	ListID         string // List-Id without its angle brackets; "" for none
	UnsubscribeURL string // takes a POST (RFC 8058); "" for none
	InReplyTo      string // ID of the mail that this one reminds of; "" for none
	Date           time.Time
	Headers        map[string]string // further fields; names begin with X-
}

var (
	messageID  = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9._-]+$")
	listID     = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`)
	headerName = regexp.MustCompile(`^[Xx]-[A-Za-z0-9-]{1,60}$`)
)

// maxHeader keeps every header line under the 998 bytes of RFC 5322, its name
// included.
const maxHeader = 900

// Check refuses what would not arrive as it was meant, with an Invalid
// *survey.Error: line breaks and other control characters in anything that
// becomes a header, addresses that are not one plain address, fields of Headers
// that are not named X-, text that is not UTF-8.
func (m Message) Check() error {
	for _, check := range []func() error{m.checkAddresses, m.checkIDs, m.checkHeaders, m.checkWords} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (m Message) checkAddresses() error {
	if err := m.From.check("from"); err != nil {
		return err
	}
	if err := m.To.check("to"); err != nil {
		return err
	}
	for field, address := range map[string]string{"reply_to": m.ReplyTo, "return_path": m.ReturnPath} {
		if address == "" {
			continue
		}
		if err := (Address{Email: address}).check(field); err != nil {
			return err
		}
	}
	return nil
}

// returnPath is the sender of the envelope.
func (m Message) returnPath() string {
	if m.ReturnPath == "" {
		return m.From.envelope()
	}
	return Address{Email: m.ReturnPath}.envelope()
}

func (m Message) checkIDs() error {
	switch {
	case len(m.ID) > maxHeader || !messageID.MatchString(m.ID):
		return survey.Errorf(survey.Invalid, "message_id", "must look like an address in ASCII, without angle brackets")
	case m.InReplyTo != "" && (len(m.InReplyTo) > maxHeader || !messageID.MatchString(m.InReplyTo)):
		return survey.Errorf(survey.Invalid, "in_reply_to", "must look like an address in ASCII, without angle brackets")
	case m.ListID != "" && (len(m.ListID) > 255 || !listID.MatchString(m.ListID)):
		return survey.Errorf(survey.Invalid, "list_id", "must look like a domain name in ASCII, without angle brackets")
	case m.UnsubscribeURL != "" && !plainURL(m.UnsubscribeURL):
		return survey.Errorf(survey.Invalid, "unsubscribe_url", "must be an http or https address in ASCII")
	case m.Date.IsZero():
		return survey.Errorf(survey.Invalid, "date", "is required")
	}
	return nil
}

func plainURL(s string) bool {
	u, err := url.Parse(s)
	odd := func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '<' || r == '>' || r == ',' }
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" &&
		len(s) <= maxHeader && !strings.ContainsFunc(s, odd)
}

func (m Message) checkHeaders() error {
	if err := checkHeader("subject", m.Subject); err != nil {
		return err
	}
	for name, value := range m.Headers {
		if !headerName.MatchString(name) {
			return survey.Errorf(survey.Invalid, "headers", "a further field must have a name such as X-Campaign")
		}
		if err := checkHeader("headers."+name, value); err != nil {
			return err
		}
	}
	return nil
}

func (m Message) checkWords() error {
	if strings.TrimSpace(m.Text) == "" {
		return survey.Errorf(survey.Invalid, "text", "is required")
	}
	for field, words := range map[string]string{"text": m.Text, "html": m.HTML} {
		if !utf8.ValidString(words) || strings.IndexByte(words, 0) >= 0 {
			return survey.Errorf(survey.Invalid, field, "must be valid UTF-8 without NUL")
		}
	}
	return nil
}

// checkHeader refuses a value that could end its header line and begin another.
func checkHeader(field, value string) error {
	switch {
	case strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return survey.Errorf(survey.Invalid, field, "must be one line without control characters")
	case !utf8.ValidString(value):
		return survey.Errorf(survey.Invalid, field, "must be valid UTF-8")
	case len(value) > maxHeader:
		return survey.Errorf(survey.Invalid, field, "must have at most %d bytes", maxHeader)
	}
	return nil
}
