package mail

import (
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
)

// client is a Mailer for config that is closed at the test's end.
func client(t *testing.T, config SMTPConfig) *SMTP {
	t.Helper()
	s := NewSMTP(config)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// send expects the mail to be accepted.
func send(t *testing.T, s *SMTP, m Message) {
	t.Helper()
	if err := s.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
}

// refused expects a SendError at a stage.
func refused(t *testing.T, err error, stage Stage) *SendError {
	t.Helper()
	var e *SendError
	if !errors.As(err, &e) || e.Stage != stage {
		t.Fatalf("got %v, want a failure at %s", err, stage)
	}
	if e.Temporary && e.Uncertain {
		t.Errorf("both temporary and uncertain: %v", e)
	}
	if s := e.Error(); strings.ContainsAny(s, "\r\n") || strings.Contains(s, sample().To.Email) {
		t.Errorf("not fit to be kept: %q", s)
	}
	return e
}

func TestDelivery(t *testing.T) {
	for name, security := range map[string]Security{
		"STARTTLS": StartTLS, "implicit TLS": ImplicitTLS, "opportunistic": Opportunistic, "plaintext": Plaintext,
	} {
		t.Run(name, func(t *testing.T) {
			server := serve(t, security, nil)
			m := sample()
			send(t, client(t, server.config), m)
			mails := server.all()
			if len(mails) != 1 {
				t.Fatalf("%d mails", len(mails))
			}
			got := mails[0]
			if got.from != m.From.Email || got.to != m.To.Email || got.hello != "example.com" || got.utf8 {
				t.Errorf("envelope: %+v", got)
			}
			if got.encrypted != (security != Plaintext) {
				t.Errorf("encrypted: %t", got.encrypted)
			}
			o := openMail(t, got.raw)
			if o.subject != m.Subject || o.text != crlf(m.Text) || o.html != crlf(m.HTML) {
				t.Errorf("subject %q\ntext %q\nhtml %q", o.subject, o.text, o.html)
			}
		})
	}
}

func TestSTARTTLSNotOffered(t *testing.T) {
	server := serve(t, Plaintext, nil)
	server.config.Security = StartTLS
	e := refused(t, client(t, server.config).Send(t.Context(), sample()), StageTLS)
	if !e.Temporary || !errors.Is(e, errNoStartTLS) || len(server.all()) != 0 {
		t.Errorf("%v, %d mails", e, len(server.all()))
	}
	server.config.Security = Opportunistic
	send(t, client(t, server.config), sample())
	if mails := server.all(); len(mails) != 1 || mails[0].encrypted {
		t.Errorf("opportunistic: %d mails", len(mails))
	}
}

func TestWrongCertificate(t *testing.T) {
	for name, security := range map[string]Security{"STARTTLS": StartTLS, "implicit TLS": ImplicitTLS, "opportunistic": Opportunistic} {
		t.Run(name, func(t *testing.T) {
			server := serve(t, security, nil)
			_, others := selfSigned(t)
			server.config.TLS.RootCAs = others
			e := refused(t, client(t, server.config).Send(t.Context(), sample()), StageTLS)
			var unknown x509.UnknownAuthorityError
			if !e.Temporary || !errors.As(e, &unknown) || len(server.all()) != 0 {
				t.Errorf("%v, %d mails", e, len(server.all()))
			}
		})
	}
}

func TestCertificateOfAnotherHost(t *testing.T) {
	server := serve(t, StartTLS, nil)
	server.config.TLS.ServerName = "mx.example.com"
	e := refused(t, client(t, server.config).Send(t.Context(), sample()), StageTLS)
	var wrong x509.HostnameError
	if !errors.As(e, &wrong) || len(server.all()) != 0 {
		t.Errorf("%v, %d mails", e, len(server.all()))
	}
}

func TestLogin(t *testing.T) {
	server := serve(t, StartTLS, nil)
	config := server.config
	config.Username, config.Password = "koe", "p@ss"
	send(t, client(t, config), sample())
	if len(server.all()) != 1 || len(server.logins) != 1 || server.logins[0] != "koe p@ss" {
		t.Errorf("logins %q", server.logins)
	}

	config.Password = "wrong-secret"
	e := refused(t, client(t, config).Send(t.Context(), sample()), StageAuth)
	if !e.Temporary || e.Code != 535 || e.Enhanced != "5.7.8" || e.Server != "Authentication failed" || strings.Contains(e.Error(), "secret") {
		t.Errorf("%+v", e)
	}
	if len(server.all()) != 1 {
		t.Error("sent without a login")
	}
}

// A server that hides STARTTLS does not get the password.
func TestNoPasswordInPlainText(t *testing.T) {
	config, heard := scripted(t, func(w *wire) {
		w.greet("AUTH PLAIN LOGIN")
		w.hear()
	})
	config.Security, config.Username, config.Password = Opportunistic, "koe", "p@ss"
	// The same machine by a name that does not say so.
	session := &session{config: config}
	session.config.Host = "mx.example.com"
	if err := session.login(false); !errors.Is(err, errBareLogin) {
		t.Errorf("login: %v", err)
	}
	config.Security = StartTLS
	_ = refused(t, client(t, config).Send(t.Context(), sample()), StageTLS)
	if talk := fmt.Sprint(heard()); strings.Contains(talk, "AUTH") {
		t.Errorf("the server heard %s", talk)
	}
}

func TestLoginByLOGIN(t *testing.T) {
	config, heard := scripted(t, func(w *wire) {
		w.greet("AUTH LOGIN")
		w.hear()
		w.say("334 VXNlcm5hbWU6")
		w.hear()
		w.say("334 UGFzc3dvcmQ6")
		w.hear()
		w.say("235 welcome")
		w.mail("250 ok")
	}, func(w *wire) {
		w.greet("AUTH GSSAPI")
		w.hear()
	})
	config.Username, config.Password = "koe", "p@ss"
	send(t, client(t, config), sample()) // the script hangs up afterwards
	e := refused(t, client(t, config).Send(t.Context(), sample()), StageAuth)
	if !e.Temporary || !errors.Is(e, errNoLogin) {
		t.Errorf("%v", e)
	}
	if first := heard()[0]; first[1] != "AUTH LOGIN" || first[2] != "a29l" || first[3] != "cEBzcw==" {
		t.Errorf("heard %q", first[:4])
	}
}

func TestServerRefuses(t *testing.T) {
	long := strings.Repeat("あ", 600)
	for name, c := range map[string]struct {
		rcpt, data error
		want       SendError
	}{
		"recipient for now": {rcpt: &smtp.SMTPError{Code: 450, EnhancedCode: smtp.EnhancedCode{4, 2, 1}, Message: "mailbox busy"},
			want: SendError{Stage: StageRcpt, Temporary: true, Code: 450, Enhanced: "4.2.1", Server: "mailbox busy"}},
		"recipient for good": {rcpt: &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "<Ana@Example.org>: no such\x1b[31m user"},
			want: SendError{Stage: StageRcpt, Code: 550, Enhanced: "5.1.1", Server: "<recipient>: no such [31m user"}},
		"no enhanced code": {rcpt: &smtp.SMTPError{Code: 553, EnhancedCode: smtp.NoEnhancedCode, Message: "5 apples"},
			want: SendError{Stage: StageRcpt, Code: 553, Server: "5 apples"}},
		"login needed": {rcpt: &smtp.SMTPError{Code: 530, EnhancedCode: smtp.EnhancedCode{5, 7, 0}, Message: "Authentication required"},
			want: SendError{Stage: StageRcpt, Temporary: true, Code: 530, Enhanced: "5.7.0", Server: "Authentication required"}},
		"text for now": {data: &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "greylisted"},
			want: SendError{Stage: StageReply, Temporary: true, Code: 451, Enhanced: "4.3.0", Server: "greylisted"}},
		"text for good": {data: &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "spam\nsee https://example.com"},
			want: SendError{Stage: StageReply, Code: 554, Enhanced: "5.7.1", Server: "spam see link"}},
		"endless words": {data: &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 0, 0}, Message: long},
			want: SendError{Stage: StageReply, Code: 554, Enhanced: "5.0.0", Server: long[:500*len("あ")]}},
	} {
		t.Run(name, func(t *testing.T) {
			server := serve(t, Plaintext, nil)
			server.rcpt, server.data = c.rcpt, c.data
			s := client(t, server.config)
			got := *refused(t, s.Send(t.Context(), sample()), c.want.Stage)
			got.Err = nil
			if got != c.want {
				t.Errorf("got %+v", got)
			}
			// The refused mail leaves nothing behind on the connection.
			server.mu.Lock()
			server.rcpt, server.data = nil, nil
			server.mu.Unlock()
			send(t, s, sample())
			if server.connections() != 1 || len(server.all()) != 1 {
				t.Errorf("%d connections, %d mails", server.connections(), len(server.all()))
			}
		})
	}
}

func TestOneConnectionForManyMails(t *testing.T) {
	server := serve(t, Plaintext, nil)
	s := client(t, server.config)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 5 {
				if err := s.Send(t.Context(), sample()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if len(server.all()) != 20 || server.connections() != 1 {
		t.Errorf("%d mails over %d connections", len(server.all()), server.connections())
	}
}

func TestIdleConnectionIsClosed(t *testing.T) {
	gone := make(chan string, 1)
	config, _ := scripted(t, func(w *wire) {
		w.greet()
		w.mail("250 ok")
		gone <- w.hear()
		w.say("221 bye")
	}, func(w *wire) {
		w.greet()
		w.mail("250 ok")
	})
	config.IdleTimeout = 20 * time.Millisecond
	s := client(t, config)
	send(t, s, sample())
	if last := <-gone; last != "QUIT" {
		t.Errorf("heard %q", last)
	}
	send(t, s, sample())
}

func TestSendAfterClose(t *testing.T) {
	server := serve(t, Plaintext, nil)
	s := client(t, server.config)
	send(t, s, sample())
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	send(t, s, sample())
	if len(server.all()) != 2 || server.connections() != 2 {
		t.Errorf("%d mails over %d connections", len(server.all()), server.connections())
	}
}

func TestLettersBeyondASCIIInAddress(t *testing.T) {
	m := sample()
	m.To.Email = "用户@example.org"
	for offered := range 2 {
		server := serve(t, Plaintext, func(s *smtp.Server) { s.EnableSMTPUTF8 = offered == 1 })
		s := client(t, server.config)
		if offered == 1 {
			send(t, s, m)
			if got := server.all()[0]; !got.utf8 || got.to != m.To.Email {
				t.Errorf("%+v", got)
			}
		} else if e := refused(t, s.Send(t.Context(), m), StageMail); e.Temporary || e.Uncertain || !errors.Is(e, errNoUTF8) {
			t.Errorf("%+v", e)
		}
		send(t, s, sample())
		if mails := server.all(); server.connections() != 1 || mails[len(mails)-1].utf8 {
			t.Error("the next mail needs neither a new connection nor SMTPUTF8")
		}
	}
}

func TestBadMessageReachesNoServer(t *testing.T) {
	server := serve(t, Plaintext, nil)
	m := sample()
	m.Subject = "a\r\nBcc: everybody@example.com"
	var e *SendError
	if err := client(t, server.config).Send(t.Context(), m); err == nil || errors.As(err, &e) || server.connections() != 0 {
		t.Errorf("%v, %d connections", err, server.connections())
	}
}
