package scheduler_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// A step is what a server does where it would answer "250 ok": say something
// else, or one of the following.
const (
	hangUp    = "\x00hang up"    // close the connection
	reset     = "\x00reset"      // have the system reset it
	hang      = "\x00hang"       // say nothing until the client leaves
	slowly    = "\x00slowly"     // take a second for it
	bareReply = "\x00bare reply" // close within the reply
)

// odd is a mail server that does as it is scripted. A function is asked with
// the number of the attempt for this address (or, for greeting, of the
// connection, and for after, of the mails that it has taken), from 1; "" is the
// usual answer.
type odd struct {
	greeting, hello           func(connection int) string
	rcpt, data, dot           func(attempt int) string
	after                     func(taken int) string // answers MAIL
	body                      bool                   // hang up within the mail, whose end is under way
	extensions                []string
	byteByByte, lines         bool
	startTLS                  string // answers STARTTLS
	certificate, breaksInside bool   // of its own authority; closes within the handshake
	implicit                  bool
	obliging                  bool // wants a message although there is no recipient

	pair        tls.Certificate
	mu          sync.Mutex
	connections int
	attempts    map[string]int
	whole       map[string]int // mails that came up to their dot
	taken       map[string]int // mails whose dot was answered by 250
	plain       int            // mails that came without TLS
}

// oddVisit is one connection to the server.
type oddVisit struct {
	*odd
	conn   net.Conn
	in     *bufio.Reader
	number int
	count  int
	secure bool
	valid  bool // a recipient was taken
}

func (o *odd) serve(t *testing.T) net.Addr {
	t.Helper()
	o.attempts, o.whole, o.taken = map[string]int{}, map[string]int{}, map[string]int{}
	listener := listen(t)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			o.mu.Lock()
			o.connections++
			v := &oddVisit{odd: o, conn: conn, number: o.connections}
			o.mu.Unlock()
			go v.talk()
		}
	}()
	return listener.Addr()
}

// say does a step; false where the connection is over.
func (v *oddVisit) say(step func(int) string, n int, usual string) bool {
	words := ""
	if step != nil {
		words = step(n)
	}
	switch words {
	case "":
		words = usual
	case slowly:
		time.Sleep(time.Second)
		words = usual
	case hangUp:
		return false
	case reset:
		if tcp, ok := v.conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		return false
	case hang:
		_, _ = io.Copy(io.Discard, v.in)
		return false
	case bareReply:
		_, _ = io.WriteString(v.conn, usual[:2])
		return false
	}
	if v.lines && words[3] == ' ' {
		words = words[:3] + "-and more to say\r\n" + words
	}
	words += "\r\n"
	if !v.byteByByte {
		_, err := io.WriteString(v.conn, words)
		return err == nil
	}
	for i := range len(words) {
		if _, err := io.WriteString(v.conn, words[i:i+1]); err != nil {
			return false
		}
	}
	return true
}

func (v *oddVisit) talk() {
	defer func() { _ = v.conn.Close() }()
	if v.implicit && !v.encrypt() {
		return
	}
	v.in = bufio.NewReader(v.conn)
	if !v.say(v.greeting, v.number, "220 odd.test") {
		return
	}
	to := ""
	for {
		line, err := v.in.ReadString('\n')
		if err != nil || !v.command(strings.TrimRight(line, "\r\n"), &to) {
			return
		}
	}
}

// command answers one; false where the connection is over.
func (v *oddVisit) command(line string, to *string) bool {
	verb, rest, _ := strings.Cut(line, ":")
	switch verb = strings.ToUpper(strings.Fields(verb + " x")[0]); verb {
	case "EHLO":
		if v.hello != nil && v.hello(v.number) != "" {
			return v.say(v.hello, v.number, "")
		}
		return v.say(nil, 0, "250-odd.test\r\n250-"+strings.Join(append(v.extensions, "8BITMIME"), "\r\n250-")+"\r\n250 HELP")
	case "STARTTLS":
		if v.startTLS != "" {
			return v.say(nil, 0, v.startTLS)
		}
		if !v.say(nil, 0, "220 go ahead") || v.breaksInside || !v.encrypt() {
			return false
		}
		v.in = bufio.NewReader(v.conn)
		return true
	case "AUTH":
		return v.say(nil, 0, "535 5.7.8 wrong")
	case "MAIL":
		v.valid = false
		if v.after != nil {
			return v.say(v.after, v.count+1, "250 ok")
		}
		return v.say(nil, 0, "250 ok")
	case "RCPT":
		*to = strings.Trim(strings.TrimSpace(rest), "<>")
		v.mu.Lock()
		v.attempts[*to]++
		v.mu.Unlock()
		words := ""
		if v.rcpt != nil {
			words = v.rcpt(v.attempt(*to))
		}
		v.valid = words == "" || words == slowly
		return v.say(v.rcpt, v.attempt(*to), "250 ok")
	case "DATA":
		return v.mail(*to)
	}
	return v.say(nil, 0, "250 ok")
}

func (v *oddVisit) attempt(to string) int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.attempts[to]
}

// mail takes a message and answers its dot.
func (v *oddVisit) mail(to string) bool {
	n := v.attempt(to)
	if !v.valid && !v.obliging {
		return v.say(nil, 0, "503 5.5.1 to whom?")
	}
	if v.data != nil && v.data(n) != "" {
		return v.say(v.data, n, "354 go")
	}
	if !v.say(nil, 0, "354 go") {
		return false
	}
	if v.body {
		_, _ = v.in.Peek(100)
		return false
	}
	empty := true
	for {
		line, err := v.in.ReadString('\n')
		if err != nil {
			return false
		}
		if line == ".\r\n" {
			break
		}
		empty = false
	}
	if !v.valid && empty {
		return v.say(nil, 0, "554 5.5.1 to whom?")
	}
	v.mu.Lock()
	v.whole[to]++
	if !v.secure {
		v.plain++
	}
	v.mu.Unlock()
	takes := v.dot == nil || v.dot(n) == "" || v.dot(n) == slowly
	if takes {
		v.mu.Lock()
		v.taken[to]++
		v.mu.Unlock()
		v.count++
	}
	return v.say(v.dot, n, "250 2.0.0 taken")
}

func (v *oddVisit) encrypt() bool {
	secure := tls.Server(v.conn, &tls.Config{Certificates: []tls.Certificate{v.pair}, MinVersion: tls.VersionTLS12})
	if secure.Handshake() != nil {
		return false
	}
	v.conn, v.secure = secure, true
	return true
}

// ownCertificate is one for 127.0.0.1, and the roots that trust it.
func ownCertificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
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
