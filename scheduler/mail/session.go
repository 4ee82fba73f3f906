package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
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
	cut    bool // a cancelled context closed conn
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
	if offered, _ := s.client.Extension("STARTTLS"); !offered {
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
	if offered, _ := s.client.Extension("SMTPUTF8"); beyondASCII && !offered {
		return &SendError{Stage: StageMail, Err: errNoUTF8}
	}
	// Asked for without need, it would keep the mail from older servers behind this one.
	s.client.SkipSMTPUTF8(!beyondASCII)

	s.within(s.config.CommandTimeout)
	if err := s.client.Mail("<" + from + ">"); err != nil {
		return failed(ctx, StageMail, to, err)
	}
	s.within(s.config.CommandTimeout)
	if err := s.client.Rcpt("<" + to + ">"); err != nil {
		return failed(ctx, StageRcpt, to, err)
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

// write sends DATA and the message with its final dot. An error means that the
// dot did not go out whole, so the server cannot have accepted the message:
// what a failed write left out is always the end.
func (s *session) write(raw []byte) error {
	s.within(s.config.CommandTimeout)
	data, err := s.client.Data()
	if err != nil {
		return err
	}
	dot, ok := data.(*smtp.DataCloser)
	if !ok {
		return errors.New("the SMTP library has changed its DATA writer")
	}
	s.within(s.config.CommandTimeout)
	if _, err := dot.WriteCloser.Write(raw); err != nil {
		return err
	}
	// The inner Close, since the outer one hides whether the dot was written.
	return dot.WriteCloser.Close()
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
