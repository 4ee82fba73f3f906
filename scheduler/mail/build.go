package mail

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// Bytes is the message as it travels (RFC 5322, CRLF): text and HTML as
// multipart/alternative in UTF-8, quoted-printable, so that no server on the
// way has to change it. Only what Check accepts is built.
//
// Survey mail says Auto-Submitted: auto-generated (RFC 3834), which keeps
// out-of-office replies away. It does not say Precedence: bulk: that field is
// in no standard, and List-Id says the same to those who sort mail. Nothing
// names the machine or the library that made the mail.
func (m Message) Bytes() ([]byte, error) {
	if err := m.Check(); err != nil {
		return nil, err
	}
	msg := gomail.NewMsg(gomail.WithCharset(gomail.CharsetUTF8), gomail.WithEncoding(gomail.EncodingB64),
		gomail.WithNoDefaultUserAgent())
	msg.FromMailAddress(m.From.header())
	msg.ToMailAddress(m.To.header())
	if m.ReplyTo != "" {
		msg.ReplyToMailAddress(Address{Email: m.ReplyTo}.header())
	}
	for name, value := range m.fields() {
		msg.SetGenHeader(gomail.Header(name), value)
	}
	quoted := gomail.WithPartEncoding(gomail.EncodingQP)
	msg.SetBodyString(gomail.TypeTextPlain, m.Text, quoted)
	if m.HTML != "" {
		msg.AddAlternativeString(gomail.TypeTextHTML, m.HTML, quoted)
	}
	var b bytes.Buffer
	if _, err := msg.WriteTo(&b); err != nil {
		return nil, fmt.Errorf("build mail: %w", err)
	}
	return b.Bytes(), nil
}

// fields are the headers beside the addresses and those of MIME.
func (m Message) fields() map[string]string {
	fields := map[string]string{
		"Message-ID":     "<" + m.ID + ">",
		"Date":           m.Date.UTC().Format(time.RFC1123Z),
		"Subject":        headerWords(m.Subject),
		"Auto-Submitted": "auto-generated",
	}
	if m.ListID != "" {
		fields["List-Id"] = "<" + m.ListID + ">"
	}
	if m.UnsubscribeURL != "" {
		fields["List-Unsubscribe"] = "<" + m.UnsubscribeURL + ">"
		fields["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
	}
	if m.InReplyTo != "" {
		fields["In-Reply-To"] = "<" + m.InReplyTo + ">"
		fields["References"] = "<" + m.InReplyTo + ">"
	}
	for name, value := range m.Headers {
		fields[name] = headerWords(value)
	}
	return fields
}

// headerWords encodes ASCII that would not survive as it is (RFC 2047): what
// reads like an encoded word, which a mail program would show as something
// else, and spaces where lines may be folded. The library encodes all that is
// not ASCII and leaves ASCII alone.
func headerWords(s string) string {
	plain := strings.Trim(s, " ") == s && !strings.Contains(s, "=?") && !strings.Contains(s, "  ")
	ascii := !strings.ContainsFunc(s, func(r rune) bool { return r > 0x7e })
	if plain || !ascii {
		return s
	}
	const most = 45 // bytes in one word: 60 in base64, under the 75 of RFC 2047
	var words []string
	for chunk := range slices.Chunk([]byte(s), most) {
		words = append(words, "=?UTF-8?B?"+base64.StdEncoding.EncodeToString(chunk)+"?=")
	}
	return strings.Join(words, " ")
}

// header is the address as it stands in a header. Runs of spaces in the name,
// at which lines may be folded, become one; a backslash beside letters beyond
// ASCII becomes the wide one, because net/mail leaves it bare in an encoded
// word, where it must not stand (RFC 2047, 5.3).
func (a Address) header() *mail.Address {
	words := strings.FieldsFunc(a.Name, func(r rune) bool { return r == ' ' })
	name := strings.Join(words, " ")
	if strings.ContainsFunc(name, func(r rune) bool { return r > 0x7e }) {
		name = strings.ReplaceAll(name, `\`, "\uff3c")
	}
	return &mail.Address{Name: name, Address: a.envelope()}
}
