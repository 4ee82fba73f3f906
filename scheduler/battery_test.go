package scheduler_test

import (
	"crypto/tls"
	"database/sql"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"koe/scheduler"
	koemail "koe/scheduler/mail"
	"koe/survey"
	"koe/survey/store"
	"koe/survey/store/storetest"
	"koe/survey/store/storetest/battery"
)

// first is a step for the first n times.
func first(n int, step string) func(int) string {
	return func(nth int) string {
		if nth <= n {
			return step
		}
		return ""
	}
}

func always(step string) func(int) string { return func(int) string { return step } }

// every is a step for each of the odd connections.
func every(step string) func(int) string {
	return func(connection int) string {
		if connection%2 == 1 {
			return step
		}
		return ""
	}
}

// behaviour is a server and what becomes of mails that are given to it.
type behaviour struct {
	name       string
	server     *odd // nil: one that takes every mail
	client     func(*koemail.SMTPConfig)
	want       survey.InvitationState // scheduled: it is tried again and again
	suppressed bool
}

func starttls(c *koemail.SMTPConfig)      { c.Security = koemail.StartTLS }
func opportunistic(c *koemail.SMTPConfig) { c.Security = koemail.Opportunistic }
func implicitTLS(c *koemail.SMTPConfig)   { c.Security = koemail.ImplicitTLS }
func impatient(c *koemail.SMTPConfig)     { c.CommandTimeout = 500 * time.Millisecond }

var (
	secure = []string{"STARTTLS"}
	atOnce = []string{"PIPELINING"} // commands may come in one go
)

// behaviours are made anew for each run: a server remembers.
func behaviours() []behaviour {
	const sent, failed, uncertain, again = survey.InvitationSent, survey.InvitationFailed, survey.InvitationUncertain, survey.InvitationScheduled
	return []behaviour{
		{name: "takes every mail", want: sent},
		{name: "answers byte by byte", server: &odd{byteByByte: true}, want: sent},
		{name: "answers in several lines", server: &odd{lines: true}, want: sent},
		{name: "takes a while to answer the dot", server: &odd{dot: func(int) string { return slowly }}, client: nil, want: sent},

		{name: "greylists once", server: &odd{rcpt: first(1, "451 4.7.1 later")}, want: sent},
		{name: "greylists three times", server: &odd{rcpt: first(3, "451 4.7.1 later")}, want: sent},
		{name: "452 to DATA, once", server: &odd{data: first(1, "452 4.3.1 full")}, want: sent},
		{name: "451 after the dot, twice", server: &odd{dot: first(2, "451 4.3.0 busy")}, want: sent},
		{name: "refuses for now for ever", server: &odd{rcpt: always("450 4.2.0 later")}, want: failed},

		{name: "550 5.7.1 to RCPT", server: &odd{rcpt: always("550 5.7.1 no")}, want: failed},
		{name: "a bare 550 to RCPT", server: &odd{rcpt: always("550 no")}, want: failed},
		{name: "550 5.1.1 to RCPT", server: &odd{rcpt: always("550 5.1.1 nobody here")}, want: failed, suppressed: true},
		{name: "550 5.1.1 after the dot", server: &odd{dot: always("550 5.1.1 nobody here")}, want: failed, suppressed: true},
		{name: "554 to DATA", server: &odd{data: always("554 5.7.0 no")}, want: failed},
		{name: "554 after the dot", server: &odd{dot: always("554 5.7.1 spam")}, want: failed},
		{name: "553 to MAIL", server: &odd{after: always("553 5.1.8 who are you")}, want: failed},

		{name: "drops before its greeting", server: &odd{greeting: every(hangUp)}, want: sent},
		{name: "421 as its greeting", server: &odd{greeting: every("421 4.3.2 not now")}, want: sent},
		{name: "554 as its greeting", server: &odd{greeting: every("554 5.3.2 not you")}, want: sent},
		{name: "drops at EHLO", server: &odd{hello: every(hangUp)}, want: sent},
		{name: "drops at RCPT, once", server: &odd{rcpt: first(1, hangUp)}, want: sent},
		{name: "resets at RCPT, once", server: &odd{rcpt: first(1, reset)}, want: sent},
		{name: "drops at DATA, once", server: &odd{data: first(1, hangUp)}, want: sent},
		{name: "closes after 10 mails", server: &odd{after: after(10, hangUp)}, want: sent},
		{name: "421 after 10 mails", server: &odd{after: after(10, "421 4.7.0 enough")}, want: sent},
		{name: "421 to RCPT, once", server: &odd{rcpt: first(1, "421 4.7.0 enough")}, want: sent},
		{name: "hangs before its greeting", server: &odd{greeting: first(8, hang)}, client: impatient, want: sent},
		{name: "hangs at RCPT, once in 20", server: &odd{rcpt: seldom(hang)}, client: impatient, want: sent},

		{name: "at once: takes every mail", server: &odd{extensions: atOnce}, want: sent},
		{name: "at once: answers byte by byte", server: &odd{extensions: atOnce, byteByByte: true}, want: sent},
		{name: "at once: greylists, and wants the message", server: &odd{extensions: atOnce, obliging: true, rcpt: first(2, "451 4.7.1 later")}, want: sent},
		{name: "at once: 550 5.1.1 to RCPT", server: &odd{extensions: atOnce, rcpt: always("550 5.1.1 nobody here")}, want: failed, suppressed: true},
		{name: "at once: 550 5.7.1, and wants the message", server: &odd{extensions: atOnce, obliging: true, rcpt: always("550 5.7.1 no")}, want: failed},
		{name: "at once: drops at RCPT, once", server: &odd{extensions: atOnce, rcpt: first(1, hangUp)}, want: sent},
		{name: "at once: 421 after 10 mails", server: &odd{extensions: atOnce, after: after(10, "421 4.7.0 enough")}, want: sent},
		{name: "at once: STARTTLS", server: &odd{extensions: append(atOnce, secure...), certificate: true}, client: starttls, want: sent},
		{name: "at once: drops after the dot", server: &odd{extensions: atOnce, dot: always(hangUp)}, want: uncertain},

		{name: "drops within the mail, its dot under way", server: &odd{body: true}, want: uncertain},
		{name: "drops after the dot", server: &odd{dot: always(hangUp)}, want: uncertain},
		{name: "resets after the dot", server: &odd{dot: always(reset)}, want: uncertain},
		{name: "drops within the reply to the dot", server: &odd{dot: always(bareReply)}, want: uncertain},
		{name: "answers the dot with nonsense", server: &odd{dot: always("yes, sure")}, want: uncertain},
		{name: "hangs after the dot", server: &odd{dot: always(hang)}, want: uncertain,
			client: func(c *koemail.SMTPConfig) { c.ReplyTimeout = 100 * time.Millisecond }},

		{name: "STARTTLS", server: &odd{extensions: secure, certificate: true}, client: starttls, want: sent},
		{name: "TLS from the first byte", server: &odd{implicit: true, certificate: true}, client: implicitTLS, want: sent},
		{name: "offers no STARTTLS", client: starttls, want: again},
		{name: "refuses STARTTLS", server: &odd{extensions: secure, startTLS: "454 4.7.0 not now"}, client: starttls, want: again},
		{name: "breaks within the handshake", server: &odd{extensions: secure, breaksInside: true}, client: starttls, want: again},
		{name: "a wrong certificate, STARTTLS", server: &odd{extensions: secure}, client: starttls, want: again},
		{name: "a wrong certificate, TLS at once", server: &odd{implicit: true}, client: implicitTLS, want: again},
		{name: "a wrong certificate, TLS where offered", server: &odd{extensions: secure}, client: opportunistic, want: again},
		{name: "refuses STARTTLS that it offered", server: &odd{extensions: secure, startTLS: "454 4.7.0 not now"}, client: opportunistic, want: again},
		{name: "refuses the login", server: &odd{extensions: []string{"AUTH PLAIN"}}, want: again,
			client: func(c *koemail.SMTPConfig) { c.Username, c.Password = "koe", "secret" }},
	}
}

func after(n int, step string) func(int) string {
	return func(taken int) string {
		if taken > n {
			return step
		}
		return ""
	}
}

// seldom is a step for the first attempt of a few: each costs a timeout.
func seldom(step string) func(int) string {
	var mu sync.Mutex
	asked := 0
	return func(attempt int) string {
		mu.Lock()
		defer mu.Unlock()
		asked++
		if attempt == 1 && asked%20 == 0 {
			return step
		}
		return ""
	}
}

// batterySize is how many mails each server is given: 20 in a run of all tests,
// 200 where KOE_BATTERY=full asks for them (make battery-smtp).
func batterySize() int {
	if battery.Full() {
		return 200
	}
	return 20
}

func TestSMTPBattery(t *testing.T) {
	n := batterySize()
	storetest.EachKind(t, func(t *testing.T, empty func(testing.TB) string) {
		lines := make([]string, len(behaviours()))
		t.Run("servers", func(t *testing.T) {
			for i, b := range behaviours() {
				t.Run(b.name, func(t *testing.T) {
					t.Parallel()
					lines[i] = meet(t, empty(t), b, n)
				})
			}
		})
		battery.Report(t, "%d servers x %d mails\n%-42s %9s %6s %6s %9s %6s %6s\n%s", len(lines), n, "what the server does", "scheduled", "sent", "failed",
			"uncertain", "taken", "plain", strings.Join(lines, "\n"))
	})
}

// standing is how the invitations of a database stand.
type standing struct {
	states          map[string]int
	busy, untouched int
	nextDue         *int64
}

func look(t *testing.T, file *sql.DB) standing {
	t.Helper()
	s := standing{states: map[string]int{}}
	rows, err := file.QueryContext(t.Context(), `SELECT state, mail_state, attempt, due_at FROM invitations`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var state, mail string
		var attempt int
		var due int64
		if err := rows.Scan(&state, &mail, &attempt, &due); err != nil {
			t.Fatal(err)
		}
		s.states[state]++
		switch mail {
		case "claimed", "sending":
			s.busy++
		case "waiting":
			if attempt < 2 {
				s.untouched++
			}
			if s.nextDue == nil || due < *s.nextDue {
				s.nextDue = &due
			}
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return s
}

// meet gives n mails to a server and returns its line of the table.
func meet(t *testing.T, url string, b behaviour, n int) string {
	clock := storetest.NewClock(t, morning)
	d := newDesk(t, storetest.Open(t, url, clock.Use, func(o *store.Options) { o.MaxConns = 4 }), clock, nil)
	driver, name := "pgx", url
	if path, lite := strings.CutPrefix(url, "sqlite:"); lite {
		driver, name = "sqlite3", "file:"+path+"?_query_only=on&_busy_timeout=10000"
	}
	file, err := sql.Open(driver, name)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	d.ask("chat", nil)
	d.crowd(n)

	server := b.server
	if server == nil {
		server = &odd{}
	}
	pair, roots := ownCertificate(t)
	server.pair = pair
	address, _ := server.serve(t).(*net.TCPAddr)
	config := koemail.SMTPConfig{Host: "127.0.0.1", Port: address.Port, Security: koemail.Plaintext, CommandTimeout: 20 * time.Second,
		ReplyTimeout: 20 * time.Second, TLS: &tls.Config{MinVersion: tls.VersionTLS12}}
	if server.certificate {
		config.TLS.RootCAs = roots
	}
	if b.client != nil {
		b.client(&config)
	}
	workers := 8
	if server.dot != nil && server.dot(1) == slowly {
		workers = 50
	}
	d.run(func(o *scheduler.Options) {
		o.Workers = workers
		o.NewMailer = func() koemail.Mailer { return koemail.NewSMTP(config) }
	})
	end := settled(t, d, file, b.want, n)
	server.check(t, b, n)
	d.verified()
	if b.suppressed {
		if list, _, err := d.store.Suppressions(t.Context(), d.by, "p0@example.com", store.Page{Limit: 1}); err != nil || len(list) != 1 || list[0].Reason != survey.Bounced {
			t.Errorf("the address is not suppressed: %+v, %v", list, err)
		}
	} else if list, _, err := d.store.Suppressions(t.Context(), d.by, "", store.Page{Limit: 1}); err != nil || len(list) != 0 {
		t.Errorf("suppressed: %+v, %v", list, err)
	}
	taken := 0
	for _, times := range server.taken {
		taken += times
	}
	return fmt.Sprintf("%-42s %9d %6d %6d %9d %6d %6d", b.name, end.states["scheduled"], end.states["sent"], end.states["failed"],
		end.states["uncertain"], taken, server.plain)
}

// settled lets the time pass that mails wait for, until all are where they are
// to be. It passes while no mail is under way: leases run on this clock.
func settled(t *testing.T, d desk, file *sql.DB, want survey.InvitationState, n int) standing {
	t.Helper()
	for deadline := time.Now().Add(3 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		s := look(t, file)
		all := s.states[string(want)] == n && s.busy == 0
		if all && (want != survey.InvitationScheduled || s.untouched == 0) {
			return s
		}
		if time.Now().After(deadline) {
			t.Fatalf("not all are %s: %+v", want, s)
		}
		if now := survey.InstantOf(d.clock.Now()); s.busy == 0 && s.nextDue != nil && survey.Instant(*s.nextDue) > now {
			d.clock.Advance(survey.Instant(*s.nextDue).Sub(now))
		}
	}
}

// check is what holds for every server: none is given a mail again that it has
// taken, or may have taken, and none is told anything in plain text that is to
// be encrypted.
func (o *odd) check(t *testing.T, b behaviour, n int) {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	for to, times := range o.taken {
		if times != 1 {
			t.Errorf("%s was taken %d times", to, times)
		}
	}
	want := map[survey.InvitationState]int{survey.InvitationSent: n}[b.want]
	if len(o.taken) != want {
		t.Errorf("%d were taken, want %d", len(o.taken), want)
	}
	if b.want == survey.InvitationUncertain {
		for to, times := range o.whole {
			if times != 1 {
				t.Errorf("%s was handed over %d times", to, times)
			}
		}
		if len(o.whole) != n && !o.body {
			t.Errorf("%d were handed over", len(o.whole))
		}
	}
	config := koemail.SMTPConfig{Security: koemail.Plaintext}
	if b.client != nil {
		b.client(&config)
	}
	if config.Security != koemail.Plaintext && o.plain != 0 {
		t.Errorf("%d mails in plain text", o.plain)
	}
}
