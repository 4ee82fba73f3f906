package bounce

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/mail"
	"regexp"
	"slices"
	"strings"

	"koe/survey"
)

// ErrNoMessage is input that is no mail message at all.
var ErrNoMessage = errors.New("this is no mail message: it has no header")

// Bounds of what is read of one message.
const (
	maxMessage = 16 << 20
	maxDepth   = 10  // of parts within parts
	maxReports = 100 // recipients in one notification
	maxTags    = 20
)

// Read reads one message as a mail server hands it over. Envelope are the
// addresses that the server says it was for. Nothing without an error means
// that it is no report, or that nothing bounced: mail that is delayed, relayed
// or delivered did not. Errors: ErrNoMessage, or that of r. Of a message over
// 16 MB the beginning is read.
func Read(r io.Reader, envelope ...string) ([]survey.Bounce, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxMessage))
	if err != nil {
		return nil, fmt.Errorf("read the message: %w", err)
	}
	// whoever pipes it in may take it amiss if the rest is not wanted
	if _, err := io.Copy(io.Discard, r); err != nil {
		return nil, fmt.Errorf("read the message: %w", err)
	}
	if mbox, rest, ok := bytes.Cut(text, []byte("\n")); ok && bytes.HasPrefix(mbox, []byte("From ")) {
		text = rest
	}
	header, body := readFields(text)
	if len(header) == 0 {
		return nil, ErrNoMessage
	}
	var m message
	for _, address := range envelope {
		m.tag(address)
	}
	for _, name := range []string{"delivered-to", "x-original-to", "envelope-to", "to"} {
		for _, value := range header[name] {
			m.tag(value)
		}
	}
	if at, err := mail.ParseDate(header.first("date")); err == nil {
		m.at = survey.InstantOf(at)
	}
	m.walk(header, body, 0)
	return m.reports(), nil
}

// message collects what the parts of one message say.
type message struct {
	at         survey.Instant
	tags       []string
	messageID  string
	recipients []fields // of a delivery-status notification
	feedback   fields   // of a feedback report
}

func (m *message) walk(header fields, body []byte, depth int) {
	media, parameters := header.media()
	switch media {
	case "message/delivery-status", "message/global-delivery-status":
		m.deliveryStatus(header.decoded(body))
	case "message/feedback-report":
		m.feedback, _ = readFields(bytes.TrimLeft(header.decoded(body), "\r\n"))
		for _, name := range []string{"original-mail-from", "x-koe-invitation"} {
			m.tag(m.feedback.first(name))
		}
	case "message/rfc822", "message/rfc822-headers", "text/rfc822-headers", "text/rfc822", "message/global", "message/global-headers":
		m.returned(header.decoded(body))
	default:
		if !strings.HasPrefix(media, "multipart/") || depth == maxDepth {
			return
		}
		for _, part := range split(body, parameters["boundary"]) {
			inner, content := readFields(part)
			m.walk(inner, content, depth+1)
		}
	}
}

// deliveryStatus reads the fields of the message, which are of no use here, and
// behind them those of each recipient.
func (m *message) deliveryStatus(text []byte) {
	for text = bytes.TrimLeft(text, "\r\n"); len(text) > 0 && len(m.recipients) < maxReports; text = bytes.TrimLeft(text, "\r\n") {
		var f fields
		f, text = readFields(text)
		if f.first("final-recipient") != "" || f.first("original-recipient") != "" {
			m.recipients = append(m.recipients, f)
		}
	}
}

// returned reads the header of the mail that came back.
func (m *message) returned(text []byte) {
	header, _ := readFields(bytes.TrimLeft(text, "\r\n"))
	for _, name := range []string{"x-koe-invitation", "return-path"} {
		for _, value := range header[name] {
			m.tag(value)
		}
	}
	if m.messageID == "" {
		m.messageID = bareID(header.first("message-id"))
	}
}

func bareID(text string) string {
	if _, behind, ok := strings.Cut(text, "<"); ok {
		text, _, _ = strings.Cut(behind, ">")
	}
	return strings.TrimSpace(text)
}

// tagShape is what a tag of koe's looks like, however the address around it is
// written.
var tagShape = regexp.MustCompile(`[A-Za-z2-7]{40,56}`)

func (m *message) tag(text string) { m.tags = tagsIn(m.tags, text) }

func tagsIn(tags []string, text string) []string {
	for _, found := range tagShape.FindAllString(text, maxTags) {
		if found = strings.ToLower(found); len(tags) < maxTags && !slices.Contains(tags, found) {
			tags = append(tags, found)
		}
	}
	return tags
}

func (m *message) reports() (out []survey.Bounce) {
	about := survey.Bounce{Tags: m.tags, MessageID: m.messageID, At: m.at}
	if strings.EqualFold(m.feedback.first("feedback-type"), "abuse") {
		one := about
		one.Kind, one.Reason = survey.Complaint, "abuse"
		one.Email = address(m.feedback.first("original-rcpt-to"))
		out = append(out, one)
	}
	for _, f := range m.recipients {
		one := about
		var bounced bool
		if one.Kind, one.Code, bounced = verdict(f); !bounced {
			continue
		}
		one.Email = address(f.first("final-recipient"))
		if one.Email == "" {
			one.Email = address(f.first("original-recipient"))
		}
		_, words, typed := strings.Cut(f.first("diagnostic-code"), ";")
		if !typed {
			words = f.first("diagnostic-code")
		}
		one.Reason = cut(strings.TrimSpace(words))
		out = append(out, one)
	}
	return out
}

var (
	enhanced = regexp.MustCompile(`\b([245]\.\d{1,3}\.\d{1,3})\b`)
	basic    = regexp.MustCompile(`\b([45])\d\d\b`)
)

// verdict is what one recipient's fields say. A failure without any status is
// taken for a passing one: nobody is cut off for a report that says so little.
func verdict(f fields) (kind survey.BounceKind, code string, bounced bool) {
	if !strings.EqualFold(firstWord(f.first("action")), "failed") {
		return "", "", false
	}
	diagnostic := f.first("diagnostic-code")
	for _, text := range []string{f.first("status"), diagnostic} {
		if found := enhanced.FindString(text); found != "" && found[0] != '2' {
			return kindOf(found), found, true
		}
	}
	if found := basic.FindStringSubmatch(diagnostic); found != nil {
		return kindOf(found[1]), "", true
	}
	return survey.SoftBounce, "", true
}

func firstWord(text string) string {
	word, _, _ := strings.Cut(text, " ")
	return strings.TrimSpace(word)
}

// kindOf reads the class of a status.
func kindOf(status string) survey.BounceKind {
	if strings.HasPrefix(status, "5") {
		return survey.HardBounce
	}
	return survey.SoftBounce
}

// address is the address in "rfc822; ana@example.com", normalised; "" where
// there is none.
func address(text string) string {
	if _, behind, ok := strings.Cut(text, ";"); ok {
		text = behind
	}
	normal, err := survey.NormalizeAddress(bareID(text))
	if err != nil {
		return ""
	}
	return normal
}

// maxReason bounds a server's words.
const maxReason = 500

func cut(text string) string {
	if len(text) <= maxReason {
		return text
	}
	return strings.ToValidUTF8(text[:maxReason], "")
}
