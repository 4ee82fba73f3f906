package mail

import (
	"context"
	"errors"
	"fmt"
	"net/textproto"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Stage is how far a mail came.
type Stage string

// The stages, in their order. Up to StageAuth it is about the settings and the
// connection, and not yet about a mail.
const (
	StageSign  Stage = "sign"  // with DKIM
	StageDial  Stage = "dial"  // connecting
	StageTLS   Stage = "tls"   // STARTTLS and the handshake
	StageHello Stage = "hello" // greeting and EHLO
	StageAuth  Stage = "auth"  // login
	StageMail  Stage = "mail"  // MAIL FROM
	StageRcpt  Stage = "rcpt"  // RCPT TO
	StageData  Stage = "data"  // DATA and the message up to its final dot
	StageReply Stage = "reply" // the final dot is out, its answer awaited
)

// SendError says what became of a mail that was not accepted. Exactly one of
// three holds: Temporary (it did not go, try again later), Uncertain (nobody
// knows whether it went: the connection broke after the final dot and before
// its reply), or neither (it did not go and will not).
//
// What fails before MAIL FROM is Temporary whatever its code: a key that cannot
// sign, a wrong password, a missing STARTTLS or a bad certificate is for the
// operator to mend and no reason to give up on the person.
type SendError struct {
	Stage     Stage
	Temporary bool
	Uncertain bool
	Code      int    // of the server's reply, such as 550; 0 where there was none
	Enhanced  string // enhanced status code (RFC 3463) such as "5.1.1", or ""
	Server    string // the server's words: one line, at most 500 characters, links and addresses taken out
	Err       error  // the cause
}

// Error is one line that names the stage and gives the server's words, fit to
// be kept as the reason of the failure: without addresses, links and any
// password.
func (e *SendError) Error() string {
	if e.Code == 0 {
		words := "smtp " + string(e.Stage) + ": " + oneLine(e.Err.Error())
		if e.Uncertain {
			words += " (after the mail was handed over and before the server confirmed it)"
		}
		return words
	}
	words := fmt.Sprintf("smtp %s: %d", e.Stage, e.Code)
	for _, more := range []string{e.Enhanced, e.Server} {
		if more != "" {
			words += " " + more
		}
	}
	return words
}

// Unwrap returns the cause.
func (e *SendError) Unwrap() error { return e.Err }

// NoSuchAddress is true where the server said for good, by the enhanced status
// code, that the recipient's address does not exist (RFC 3463: 5.1.1; moved
// without a new one, 5.1.6; a domain that takes no mail, 5.1.10). A bare 550 is
// not taken for that: servers use it for anything they do not like.
func (e *SendError) NoSuchAddress() bool {
	about := e.Stage == StageRcpt || e.Stage == StageData || e.Stage == StageReply
	return about && !e.Temporary && !e.Uncertain && slices.Contains([]string{"5.1.1", "5.1.6", "5.1.10"}, e.Enhanced)
}

const (
	codeClosing   = 421 // the server hangs up; not about this mail
	codeLoginNeed = 530 // "authentication required", "STARTTLS first": not about this mail either
)

// failed sorts what went wrong at a stage of sending to the address to.
func failed(ctx context.Context, stage Stage, to string, err error) *SendError {
	e := &SendError{Stage: stage, Err: err}
	if stop := context.Cause(ctx); stop != nil {
		e.Err = stop // the closed connection is only its consequence
	}
	var reply *textproto.Error
	if errors.As(err, &reply) {
		e.Code, e.Err = reply.Code, err
		e.Enhanced, e.Server = serverWords(reply.Msg, to)
	}
	aboutMail := stage == StageMail || stage == StageRcpt || stage == StageData || stage == StageReply
	switch {
	case aboutMail && e.Code >= 500 && e.Code != codeLoginNeed:
		// permanent
	case stage == StageReply && e.Code < 400:
		e.Uncertain = true
	default:
		e.Temporary = true
	}
	return e
}

// maxWords bounds what is kept of a server's talk.
const maxWords = 500

var enhancedCode = regexp.MustCompile(`^([245]\.\d{1,3}\.\d{1,3})(?:\s+|$)`)

// serverWords splits the text of a reply, which may have several lines, into
// its enhanced status code and its words. Servers like to repeat the
// recipient's address; that is taken out, because the words are kept and shown
// longer than the address may be.
func serverWords(reply, to string) (enhanced, words string) {
	lines := strings.Split(reply, "\n")
	for i, line := range lines {
		if found := enhancedCode.FindStringSubmatch(line); found != nil {
			enhanced, lines[i] = found[1], line[len(found[0]):]
		}
	}
	words = strings.Join(lines, " ")
	if to != "" {
		words = regexp.MustCompile(`(?i)`+regexp.QuoteMeta(to)).ReplaceAllLiteralString(words, "recipient")
	}
	return enhanced, oneLine(words)
}

var (
	anyLink    = regexp.MustCompile(`(?i)https?://\S+`)
	anyAddress = regexp.MustCompile(`[^\s<>"']+@[^\s<>"']+`)
)

// oneLine makes words fit to be kept: one line, not too long, and neither a
// link, which may belong to one person alone, nor an address.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	s = anyLink.ReplaceAllLiteralString(strings.Join(strings.Fields(s), " "), "link")
	runes := []rune(anyAddress.ReplaceAllLiteralString(s, "address"))
	return string(runes[:min(len(runes), maxWords)])
}
