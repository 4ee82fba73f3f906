package mail

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/textproto"
	"slices"
	"strings"
	"time"

	"github.com/wneessen/go-mail/smtp"
)

// session is one connection to the server, greeted, encrypted and logged in as
// its configuration wants. The commands are given one by one, not by the
// library's Send, because that one cannot tell a connection that broke before
// the final dot from one that broke after it.
type session struct {
	config SMTPConfig
	conn   net.Conn // the TCP connection, below TLS
	client *smtp.Client
	cut    bool   // conn was closed, by a cancelled context or because nothing more can be said on it
	out    []byte // the last message as it was written, its room to be used again
}

// Why koe itself refuses to go on.
var (
	errNoStartTLS = errors.New("the server offers no STARTTLS, and mail is not sent without it (see tls= in KOE_SMTP_URL)")
	errNoLogin    = errors.New("the server offers no login by PLAIN or LOGIN")
	errBareLogin  = errors.New("the connection is not encrypted, and the password is not sent over it")
	errNoUTF8     = errors.New("the server does not take addresses with letters beyond ASCII (SMTPUTF8)")
)

// open connects. hello is the name given with EHLO: the sender's domain, since
// the machine's own name is nobody's business.
func open(ctx context.Context, config SMTPConfig, hello string) (*session, error) {
	dialer := net.Dialer{Timeout: config.DialTimeout}
	conn, err := dialer.DialContext(ctx, "tcp", config.address())
	if err != nil {
		return nil, failed(ctx, StageDial, "", err)
	}
	s := &session{config: config, conn: conn}
	release := s.guard(ctx)
	stage, err := s.prepare(hello)
	release()
	if err == nil && s.cut {
		stage, err = StageHello, net.ErrClosed
	}
	if err != nil {
		_ = conn.Close() // err is what matters
		return nil, failed(ctx, stage, "", err)
	}
	return s, nil
}

// guard closes the connection when ctx ends, until the returned function is
// called.
func (s *session) guard(ctx context.Context) (release func()) {
	stop := context.AfterFunc(ctx, func() { _ = s.conn.Close() })
	return func() { s.cut = s.cut || !stop() }
}

// within gives the next step until d from now. A connection that cannot take a
// deadline is closed, and the step itself reports that.
func (s *session) within(d time.Duration) { _ = s.conn.SetDeadline(time.Now().Add(d)) }

func (s *session) prepare(hello string) (Stage, error) {
	stream, encrypted := s.conn, s.config.Security == ImplicitTLS
	s.within(s.config.CommandTimeout)
	if encrypted {
		secure := tls.Client(s.conn, s.config.tlsConfig())
		if err := secure.Handshake(); err != nil {
			return StageTLS, err
		}
		stream = secure
	}
	client, err := smtp.NewClient(stream, s.config.Host)
	if err != nil {
		return StageHello, err
	}
	s.client = client
	s.within(s.config.CommandTimeout)
	if err := client.Hello(hello); err != nil {
		return StageHello, err
	}
	if !encrypted && s.config.Security != Plaintext {
		if encrypted, err = s.startTLS(); err != nil {
			return StageTLS, err
		}
	}
	return StageAuth, s.login(encrypted)
}

// startTLS encrypts the connection. Once the server offers it there is no way
// back to plain text, whatever goes wrong.
func (s *session) startTLS() (encrypted bool, err error) {
	if !s.offers("STARTTLS") {
		if s.config.Security == Opportunistic {
			return false, nil
		}
		return false, errNoStartTLS
	}
	s.within(s.config.CommandTimeout)
	return true, s.client.StartTLS(s.config.tlsConfig())
}

func (s *session) login(encrypted bool) error {
	if s.config.Username == "" {
		return nil
	}
	if !encrypted && !s.config.loopback() {
		return errBareLogin
	}
	_, offered := s.client.Extension("AUTH")
	mechanisms := strings.Fields(strings.ToUpper(offered))
	user, password, host := s.config.Username, s.config.Password, s.config.Host
	s.within(s.config.CommandTimeout)
	switch {
	case slices.Contains(mechanisms, "PLAIN"):
		return s.client.Auth(smtp.PlainAuth("", user, password, host, s.config.loopback()))
	case slices.Contains(mechanisms, "LOGIN"):
		return s.client.Auth(smtp.LoginAuth(user, password, host, s.config.loopback()))
	}
	return errNoLogin
}

// deliver hands one message over.
func (s *session) deliver(ctx context.Context, from, to string, raw []byte) error {
	defer s.guard(ctx)()
	beyondASCII := strings.ContainsFunc(from+to, func(r rune) bool { return r > 0x7f })
	if beyondASCII && !s.offers("SMTPUTF8") {
		return &SendError{Stage: StageMail, Err: errNoUTF8}
	}
	if stage, err := s.announce(from, to, beyondASCII); err != nil {
		return failed(ctx, stage, to, err)
	}
	if err := s.write(raw); err != nil {
		return failed(ctx, StageData, to, err)
	}
	s.within(s.config.ReplyTimeout)
	if _, _, err := s.client.Text.ReadResponse(2); err != nil {
		return failed(ctx, StageReply, to, err)
	}
	return nil
}

// step is a command and the reply that lets the next one follow: a code or its
// first digits.
type step struct {
	stage   Stage
	command string
	wants   int
}

// announce gives the commands before the message: all at once where the server
// takes that (PIPELINING, RFC 2920), so that a mail waits for two replies
// instead of four. It returns the stage of what was refused or broke first.
func (s *session) announce(from, to string, utf8 bool) (Stage, error) {
	if strings.ContainsAny(from+to, "\r\n") {
		return StageMail, errors.New("an address holds the end of a line")
	}
	sender := "MAIL FROM:<" + from + ">"
	if s.offers("8BITMIME") {
		sender += " BODY=8BITMIME"
	}
	if utf8 { // asked for without need, it would keep the mail from older servers behind this one
		sender += " SMTPUTF8"
	}
	steps := []step{{StageMail, sender, 250}, {StageRcpt, "RCPT TO:<" + to + ">", 25}, {StageData, "DATA", 354}}
	if !s.offers("PIPELINING") {
		for i := range steps {
			if stage, err := s.ask(steps[i : i+1]); err != nil {
				return stage, err
			}
		}
		return "", nil
	}
	return s.ask(steps)
}

func (s *session) offers(extension string) bool {
	offered, _ := s.client.Extension(extension)
	return offered
}

// ask sends commands in one go and hears the reply to each.
func (s *session) ask(steps []step) (refused Stage, why error) {
	text := s.client.Text
	s.within(s.config.CommandTimeout)
	for _, step := range steps {
		_, _ = text.W.WriteString(step.command + "\r\n") // Flush has the error
	}
	if err := text.W.Flush(); err != nil {
		return steps[0].stage, err
	}
	for _, step := range steps {
		s.within(s.config.CommandTimeout)
		_, _, err := text.ReadResponse(step.wants)
		if err != nil && why == nil {
			refused, why = step.stage, err
		}
		var reply *textproto.Error
		switch {
		case err != nil && !errors.As(err, &reply): // no reply: there will be none to what follows
			return refused, why
		case err == nil && step.stage == StageData && why != nil:
			s.cut = true // it waits for a message, although it refused somebody: what followed would be taken for one
			_ = s.conn.Close()
		}
	}
	return refused, why
}

var (
	lineEnd = []byte("\r\n")
	newline = []byte("\n")
	dot     = []byte(".")
	lineDot = []byte("\r\n.")
)

// write sends the message and its final dot in one go. An error means that the
// dot did not go out whole, so the server cannot have accepted the message:
// what a failed write left out is always the end.
func (s *session) write(raw []byte) error {
	s.out = dotted(s.out[:0], raw)
	s.within(s.config.CommandTimeout)
	if _, err := s.client.Text.W.Write(s.out); err != nil {
		return err
	}
	return s.client.Text.W.Flush()
}

// dotted appends the message as it stands between DATA and the next command
// (RFC 5321, 4.5.2): each line ends with CRLF, one that begins with a dot is
// given a second, and a dot alone is the end.
func dotted(out, raw []byte) []byte {
	if bytes.Count(raw, newline) != bytes.Count(raw, lineEnd) { // what ends a line for one server must end it for all
		raw = bytes.ReplaceAll(bytes.ReplaceAll(raw, lineEnd, newline), newline, lineEnd)
	}
	if bytes.HasPrefix(raw, dot) {
		out = append(out, dot...)
	}
	for at := bytes.Index(raw, lineDot); at >= 0; at = bytes.Index(raw, lineDot) {
		out = append(append(out, raw[:at+len(lineDot)]...), dot...)
		raw = raw[at+len(lineDot):]
	}
	if out = append(out, raw...); len(out) > 0 && !bytes.HasSuffix(out, lineEnd) {
		out = append(out, lineEnd...)
	}
	return append(out, ".\r\n"...)
}

// ready is true where the connection can take another mail after deliver
// returned err. A refused mail is wiped from it first.
func (s *session) ready(err error) bool {
	if s.cut {
		return false
	}
	if err == nil || errors.Is(err, errNoUTF8) {
		return true
	}
	var e *SendError
	if !errors.As(err, &e) || e.Code == 0 || e.Code == codeClosing {
		return false
	}
	s.within(courtesy)
	return s.client.Reset() == nil
}

// courtesy is how long a server may take to answer RSET and QUIT, on which no
// mail depends.
const courtesy = 2 * time.Second

func (s *session) quit() {
	s.within(courtesy)
	_ = s.client.Quit() // polite only: every mail has had its reply
	_ = s.conn.Close()
}
