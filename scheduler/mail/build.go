package mail

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"mime"
	"net/mail"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

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
	b.Grow(4096 + 5*(len(m.Text)+len(m.HTML))/4) // as a rule, so that it does not grow step by step
	if _, err := msg.WriteTo(&b); err != nil {
		return nil, fmt.Errorf("build mail: %w", err)
	}
	return besideNames(b.Bytes()), nil
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
	return strings.Join(encodedWords(s, maxWord), " ")
}

// The limits of RFC 2047 on an encoded word and on a line that holds one, in
// bytes.
const (
	maxWord     = 75
	maxWordLine = 76
	wordBegin   = "=?UTF-8?B?"
	wordEnd     = "?="
)

// encodedWords is the text in base64, in words of which the first has at most
// so many bytes and the others as many as a word may have. A letter is never
// cut.
func encodedWords(s string, first int) []string {
	var words []string
	for most := first; s != ""; most = maxWord {
		n := (most - len(wordBegin) - len(wordEnd)) / 4 * 3
		for n = min(n, len(s)); n < len(s) && !utf8.RuneStart(s[n]); {
			n--
		}
		words, s = append(words, wordBegin+base64.StdEncoding.EncodeToString([]byte(s[:n]))+wordEnd), s[n:]
	}
	return words
}

// besideNames moves what the library folded right behind a field's name back
// beside it. Such a fold is legal, but some programs take its space for a part
// of the text, and some filters take the mail for spam.
func besideNames(raw []byte) []byte {
	head, body, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
	if !bytes.Contains(head, []byte(":\r\n ")) {
		return raw
	}
	lines := strings.Split(string(head), "\r\n")
	var out []string
	for i := 0; i < len(lines); i++ {
		name, folded := strings.CutSuffix(lines[i], ":")
		if !folded || strings.ContainsAny(name, " :") || i+1 == len(lines) || !strings.HasPrefix(lines[i+1], " ") {
			out = append(out, lines[i])
			continue
		}
		i++
		out = append(out, firstLines(name+": ", strings.TrimLeft(lines[i], " "))...)
	}
	return slices.Concat([]byte(strings.Join(out, "\r\n")), []byte("\r\n\r\n"), body)
}

// firstLines is a field whose value is one line that does not fit beside the
// name: the first word stands there, an encoded one as far as there is room,
// and the rest on lines of its own.
func firstLines(name, value string) []string {
	const letter = 4 // bytes of the longest, in UTF-8
	word, rest, _ := strings.Cut(value, " ")
	words, room := []string{word}, maxWordLine-len(name)
	fits := len(word) <= room || room < len(encodedWords(strings.Repeat("x", letter), maxWord)[0])
	if text, err := new(mime.WordDecoder).Decode(word); err == nil && !fits {
		words = encodedWords(text, room)
	}
	words[0] = name + words[0]
	if rest != "" {
		words = append(words, rest)
	}
	return strings.Split(strings.Join(words, "\r\n "), "\r\n")
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
