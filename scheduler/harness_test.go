package scheduler_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"log/slog"
	"net"
	"net/mail"
	"net/netip"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"koe/scheduler"
	koemail "koe/scheduler/mail"
	"koe/survey"
	"koe/survey/store"
	"koe/survey/store/storetest"
	"koe/templates"
)

// TestMain lets eight tests run at a time: they wait more than they work.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// letter is a mail that the server was given, taken or not.
type letter struct {
	*mail.Message
	from string // of the envelope
	to   string
	raw  string
	came time.Time
}

// token is that of the letter's survey link.
func (l letter) token(t *testing.T) string {
	t.Helper()
	found := regexp.MustCompile(`/s/([A-Za-z0-9_-]+)`).FindStringSubmatch(strings.ReplaceAll(l.raw, "=\r\n", ""))
	if found == nil {
		t.Fatalf("no link in the mail:\n%s", l.raw)
	}
	return found[1]
}

// server is a real SMTP server. What answer says (nil: the mail is taken) it
// replies to the final dot of the nth mail to an address, from 1.
type server struct {
	address netip.AddrPort
	answer  func(to string, n int) error
	mu      sync.Mutex
	letters []letter
}

// errHangUp makes the server close the connection instead of replying.
var errHangUp = errors.New("hang up")

func serve(t *testing.T, answer func(to string, n int) error) *server {
	t.Helper()
	if answer == nil {
		answer = func(string, int) error { return nil }
	}
	s := &server{answer: answer}
	listener := listen(t)
	s.address = netip.MustParseAddrPort(listener.Addr().String())
	backend := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) { return &visit{server: s, conn: c}, nil }))
	backend.Domain = "mx.test"
	done := make(chan struct{})
	go func() { defer close(done); _ = backend.Serve(listener) }()
	t.Cleanup(func() { _ = backend.Close(); <-done })
	return s
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return listener
}

type visit struct {
	*server
	conn *smtp.Conn
	from string
	to   string
}

func (v *visit) Mail(from string, _ *smtp.MailOptions) error { v.from = from; return nil }
func (v *visit) Rcpt(to string, _ *smtp.RcptOptions) error   { v.to = to; return nil }
func (v *visit) Reset()                                      {}
func (v *visit) Logout() error                               { return nil }
func (v *visit) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return err
	}
	v.mu.Lock()
	v.letters = append(v.letters, letter{m, v.from, v.to, string(raw), time.Now()})
	v.mu.Unlock()
	err = v.answer(v.to, len(v.lettersTo(v.to)))
	if errors.Is(err, errHangUp) {
		_ = v.conn.Conn().Close()
	}
	return err
}

// lettersTo are the letters to an address, in the order they came.
func (s *server) lettersTo(address string) []letter {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []letter
	for _, l := range s.letters {
		if l.to == address {
			list = append(list, l)
		}
	}
	return list
}

func (s *server) all() []letter {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]letter(nil), s.letters...)
}

// desk is a store with a survey or two and a mail server beside it.
type desk struct {
	t      *testing.T
	store  *store.Store
	by     store.Caller
	clock  *storetest.Clock
	server *server
}

const morning = "2026-11-22T09:00:00Z"

// atDesk runs fn on both databases, with a clock that stands still and a
// server that answers as told.
func atDesk(t *testing.T, answer func(to string, n int) error, fn func(d desk)) {
	t.Helper()
	storetest.EachMigrated(t, func(t *testing.T, url string) {
		clock := storetest.NewClock(t, morning)
		fn(newDesk(t, storetest.Open(t, url, clock.Use), clock, serve(t, answer)))
	})
}

// alone is a desk on SQLite.
func alone(t *testing.T, answer func(to string, n int) error) desk {
	t.Helper()
	clock := storetest.NewClock(t, morning)
	return newDesk(t, storetest.Open(t, storetest.SQLite(t), clock.Use), clock, serve(t, answer))
}

func newDesk(t *testing.T, s *store.Store, clock *storetest.Clock, on *server) desk {
	t.Helper()
	by := storetest.Default(t, s)
	if _, err := s.PatchWorkspace(t.Context(), by, func(w *survey.Workspace) error {
		w.Name, w.SenderName, w.SenderAddress, w.ReplyTo = "店 Acme", "店 Acme", "feedback@acme.example", "help@acme.example"
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return desk{t, s, by, clock, on}
}

// ask makes an active survey by mail at a touchpoint.
func (d desk) ask(touchpoint string, change func(*survey.Survey)) survey.Survey {
	d.t.Helper()
	v := survey.Survey{Name: "After " + touchpoint, Template: "nps", Touchpoint: touchpoint, Channel: survey.Email,
		Trigger: survey.Trigger{Type: survey.OnInteraction}}
	if change != nil {
		change(&v)
	}
	made, err := d.store.CreateSurvey(d.t.Context(), d.by, v)
	if err != nil {
		d.t.Fatal(err)
	}
	return d.move(made, survey.Active)
}

func (d desk) move(v survey.Survey, to survey.State) survey.Survey {
	d.t.Helper()
	moved, err := d.store.SetSurveyState(d.t.Context(), d.by, v.ID.String(), to, 0)
	if err != nil {
		d.t.Fatal(err)
	}
	return moved
}

// happens records an interaction of a customer and returns the invitation that
// it led to.
func (d desk) happens(touchpoint, address string) survey.ID {
	d.t.Helper()
	in := survey.Interaction{Touchpoint: touchpoint, Customer: survey.Customer{Email: &address, Name: "山田 花子"}}
	r, err := d.store.RecordInteraction(d.t.Context(), d.by, in)
	if err != nil || len(r.Decisions) != 1 || r.Decisions[0].Invitation == nil {
		d.t.Fatalf("recorded %+v, %v", r.Decisions, err)
	}
	return *r.Decisions[0].Invitation
}

func (d desk) invitation(of survey.ID) (survey.Invitation, []store.Event) {
	d.t.Helper()
	v, events, err := d.store.Invitation(context.Background(), d.by, of)
	if err != nil {
		d.t.Fatal(err)
	}
	return v, events
}

// becomes waits until an invitation is in a state.
func (d desk) becomes(of survey.ID, want survey.InvitationState) survey.Invitation {
	d.t.Helper()
	d.until("the invitation is "+string(want), func() bool { v, _ := d.invitation(of); return v.State == want })
	v, _ := d.invitation(of)
	return v
}

// until waits for something to come true.
func (d desk) until(what string, is func() bool) {
	d.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			d.t.Fatalf("in vain waited until %s; %d mails came", what, len(d.server.all()))
		}
	}
}

// passes waits until a mail that is due now, and later than all others, was
// sent: what was due before has had its turn then.
func (d desk) passes(address string) {
	d.t.Helper()
	d.becomes(d.happens("canary", address), survey.InvitationSent)
}

// smtp is a mailer for the desk's server.
func (d desk) smtp() koemail.Mailer {
	return koemail.NewSMTP(koemail.SMTPConfig{Host: d.server.address.Addr().String(), Port: int(d.server.address.Port()), Security: koemail.Plaintext})
}

// verified wants nothing wrong in the database.
func (d desk) verified() {
	d.t.Helper()
	if checked, err := d.store.Verify(context.Background()); err != nil || len(checked.Faults) > 0 {
		d.t.Errorf("verify: %v %q", err, checked.Faults)
	}
}

// running is a scheduler at work. Its log may be read once it has ended.
type running struct {
	t     *testing.T
	stop  context.CancelFunc
	ended chan error
	once  sync.Once
	log   bytes.Buffer
}

// run starts a scheduler with one worker, or as changed. It is ended with the
// test at the latest.
func (d desk) run(change func(*scheduler.Options)) *running {
	d.t.Helper()
	words, err := templates.New()
	if err != nil {
		d.t.Fatal(err)
	}
	r := &running{t: d.t, ended: make(chan error, 1)}
	options := scheduler.Options{Store: d.store, Words: words, NewMailer: d.smtp, From: koemail.Address{Email: "koe@koe.example"},
		BaseURL: "https://koe.example", Workers: 1, Log: slog.New(slog.NewTextHandler(&r.log, nil)), Now: d.clock.Now}
	if change != nil {
		change(&options)
	}
	s, err := scheduler.New(options)
	if err != nil {
		d.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	r.stop = stop
	go func() { r.ended <- s.Run(ctx) }()
	d.t.Cleanup(func() { r.end() })
	return r
}

// end stops the scheduler and returns how long it took; it must end well and
// within ten seconds.
func (r *running) end() time.Duration {
	r.t.Helper()
	start := time.Now()
	r.once.Do(func() {
		r.stop()
		select {
		case err := <-r.ended:
			if err != nil {
				r.t.Errorf("Run: %v", err)
			}
		case <-time.After(10 * time.Second):
			r.t.Fatal("Run does not end")
		}
		if r.t.Failed() {
			r.t.Logf("log:\n%s", r.log.String())
		}
	})
	return time.Since(start)
}
