package mail

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// sent is what a real server accepted.
type sent struct {
	hello, from, to string
	utf8, encrypted bool
	raw             []byte
}

// inbox is a real SMTP server in this process.
type inbox struct {
	config SMTPConfig // of a client that trusts it

	mu       sync.Mutex
	mails    []sent
	sessions int
	logins   []string
	rcpt     error // answers RCPT
	data     error // answers the final dot
}

func (b *inbox) all() []sent {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]sent(nil), b.mails...)
}

func (b *inbox) connections() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.sessions
}

// serve starts a real server; change sees it before it listens.
func serve(t *testing.T, security Security, change func(*smtp.Server)) *inbox {
	t.Helper()
	b := &inbox{}
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.sessions++
		return &visit{inbox: b, conn: c}, nil
	}))
	server.Domain = "mx.test"
	server.ErrorLog = log.New(io.Discard, "", 0)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b.config = clientOf(listener)
	b.config.Security = security
	certificate, roots := selfSigned(t)
	b.config.TLS = &tls.Config{RootCAs: roots}
	if security != Plaintext {
		server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}}
	}
	if security == ImplicitTLS {
		listener = tls.NewListener(listener, server.TLSConfig)
	}
	if change != nil {
		change(server)
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(listener) }()
	t.Cleanup(func() {
		_ = server.Close() // misses a listener that Serve has not taken over yet
		_ = listener.Close()
		<-done
	})
	return b
}

func clientOf(listener net.Listener) SMTPConfig {
	address := netip.MustParseAddrPort(listener.Addr().String())
	return SMTPConfig{Host: "127.0.0.1", Port: int(address.Port()), Security: Plaintext,
		DialTimeout: 2 * time.Second, CommandTimeout: 5 * time.Second, ReplyTimeout: 5 * time.Second, IdleTimeout: time.Minute}
}

// visit is one session of an inbox.
type visit struct {
	*inbox
	conn *smtp.Conn
	sent
}

func (v *visit) AuthMechanisms() []string { return []string{sasl.Plain} }

func (v *visit) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.logins = append(v.logins, user+" "+password)
		if password != "p@ss" {
			return smtp.ErrAuthFailed
		}
		return nil
	}), nil
}

func (v *visit) Mail(from string, opts *smtp.MailOptions) error {
	_, encrypted := v.conn.TLSConnectionState()
	v.sent = sent{hello: v.conn.Hostname(), from: from, utf8: opts.UTF8, encrypted: encrypted}
	return nil
}

func (v *visit) Rcpt(to string, _ *smtp.RcptOptions) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.to = to
	return v.rcpt
}

func (v *visit) Data(r io.Reader) (err error) {
	if v.raw, err = io.ReadAll(r); err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.data == nil {
		v.mails = append(v.mails, v.sent)
	}
	return v.data
}

func (v *visit) Reset()        {}
func (v *visit) Logout() error { return nil }

// selfSigned is a certificate for 127.0.0.1 and the roots that trust it.
func selfSigned(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}

// wire is the server's end of one connection of a scripted server.
type wire struct {
	net.Conn
	in    *bufio.Reader
	heard []string
}

func (w *wire) say(lines ...string) {
	_, _ = io.WriteString(w, strings.Join(lines, "\r\n")+"\r\n") // a client that left is its own affair
}

// hear reads one command; "" at the end of the connection.
func (w *wire) hear() string {
	line, _ := w.in.ReadString('\n')
	line = strings.TrimRight(line, "\r\n")
	w.heard = append(w.heard, line)
	return line
}

// greet takes the client up to the point where it may send, offering ext.
func (w *wire) greet(ext ...string) {
	w.say("220 odd.test")
	w.hear()
	w.say("250-odd.test")
	for _, e := range ext {
		w.say("250-" + e)
	}
	w.say("250 HELP")
}

// mail takes one mail and answers its dot; "" leaves the dot unanswered.
func (w *wire) mail(reply string) {
	for _, answer := range []string{"250 ok", "250 ok", "354 go"} {
		if w.hear() == "" {
			return
		}
		w.say(answer)
	}
	for {
		switch w.hear() {
		case ".":
			if reply != "" {
				w.say(reply)
			}
			return
		case "":
			if _, err := w.in.Peek(1); errors.Is(err, io.EOF) {
				return
			}
		}
	}
}

// scripted starts a server that serves one connection after another, each by
// the next script, and hangs up at a script's end. The function returned waits
// until all scripts were played and tells what each heard.
func scripted(t *testing.T, scripts ...func(*wire)) (SMTPConfig, func() [][]string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var heard [][]string
	done := make(chan struct{})
	go func() {
		defer close(done)
		for _, script := range scripts {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			w := &wire{Conn: conn, in: bufio.NewReader(conn)}
			script(w)
			_ = conn.Close()
			heard = append(heard, w.heard)
		}
	}()
	t.Cleanup(func() { _ = listener.Close(); <-done })
	return clientOf(listener), func() [][]string { <-done; return heard }
}
