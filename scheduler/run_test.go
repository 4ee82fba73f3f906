package scheduler_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"koe/scheduler"
	koemail "koe/scheduler/mail"
	"koe/survey"
	"koe/survey/store"
	"koe/survey/store/storetest"
)

// crowd records an interaction of each of n customers and returns their
// invitations.
func (d desk) crowd(n int) []survey.ID {
	d.t.Helper()
	items := make([]store.Item, n)
	for i := range items {
		address := fmt.Sprintf("p%d@example.com", i)
		items[i].Interaction = survey.Interaction{Touchpoint: "chat", Customer: survey.Customer{Email: &address}}
	}
	out, err := d.store.RecordInteractions(d.t.Context(), d.by, items)
	if err != nil {
		d.t.Fatal(err)
	}
	ids := make([]survey.ID, n)
	for i, o := range out {
		if o.Err != nil || len(o.Recorded.Decisions) != 1 || o.Recorded.Decisions[0].Invitation == nil {
			d.t.Fatalf("number %d: %+v", i, o)
		}
		ids[i] = *o.Recorded.Decisions[0].Invitation
	}
	return ids
}

// eachOnce waits until all are sent and wants one mail to each.
func (d desk) eachOnce(ids []survey.ID) {
	d.t.Helper()
	for _, id := range ids {
		d.becomes(id, survey.InvitationSent)
	}
	came := map[string]int{}
	for _, l := range d.server.all() {
		_, id, ok := d.store.ParseBounceTag(l.Header.Get("X-Koe-Invitation"))
		if !ok {
			d.t.Errorf("%q names no invitation", l.Header.Get("X-Koe-Invitation"))
		}
		came[id.String()]++
	}
	for _, id := range ids {
		if n := came[id.String()]; n != 1 {
			d.t.Errorf("invitation %s went out %d times", id, n)
		}
	}
	if len(d.server.all()) != len(ids) {
		d.t.Errorf("%d mails for %d invitations", len(d.server.all()), len(ids))
	}
}

func TestTwoSchedulersSendEachMailOnce(t *testing.T) {
	t.Parallel()
	address, clock := storetest.Postgres(t), storetest.NewClock(t, morning)
	one := newDesk(t, storetest.Open(t, address, clock.Use), clock, serve(t, nil))
	two := one
	two.store = storetest.Open(t, address, clock.Use)
	one.ask("chat", nil)
	four := func(o *scheduler.Options) { o.Workers = 4 }
	one.run(four)
	two.run(four)
	one.eachOnce(one.crowd(200))
}

// TestAMailThatTakesLongerThanItsLease has a server that takes its time while
// another scheduler settles what others have left.
func TestAMailThatTakesLongerThanItsLease(t *testing.T) {
	t.Parallel()
	address, clock := storetest.Postgres(t), storetest.NewClock(t, morning)
	one := newDesk(t, storetest.Open(t, address, clock.Use), clock, serve(t, func(string, int) error {
		time.Sleep(21 * time.Second)
		return nil
	}))
	two := one
	two.store = storetest.Open(t, address, clock.Use)
	one.ask("chat", nil)
	one.run(nil)
	two.run(nil)
	one.eachOnce([]survey.ID{one.happens("chat", "a@example.com")})
}

func TestTheEndWaitsForTheMailInHand(t *testing.T) {
	t.Parallel()
	begun, release := make(chan struct{}, 10), make(chan struct{})
	d := alone(t, func(string, int) error {
		begun <- struct{}{}
		<-release
		return nil
	})
	d.ask("chat", nil)
	ids := d.crowd(5)
	r := d.run(nil)
	<-begun
	r.stop()
	time.AfterFunc(300*time.Millisecond, func() { close(release) })
	r.end()
	if n := len(d.server.all()); n != 1 {
		t.Fatalf("%d mails after the end was wished for, want the one in hand", n)
	}
	d.becomes(ids[0], survey.InvitationSent)
	d.run(nil)
	d.eachOnce(ids)
}

// TestAServerThatHangs neither keeps koe from ending nor loses a mail.
func TestAServerThatHangs(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		says string
		want survey.InvitationState
	}{
		"before its greeting": {"", survey.InvitationScheduled},
		"after the dot":       {"220 mx\r\n250 mx\r\n250 ok\r\n250 ok\r\n354 go\r\n", survey.InvitationUncertain},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			listener := listen(t)
			met := make(chan struct{}, 10)
			go func() {
				for {
					c, err := listener.Accept()
					if err != nil {
						return
					}
					_, _ = io.WriteString(c, test.says)
					met <- struct{}{}
					go func() { _, _ = io.Copy(io.Discard, c) }()
				}
			}()
			d := alone(t, nil)
			d.ask("chat", nil)
			id := d.happens("chat", "a@example.com")
			port := listener.Addr().(*net.TCPAddr).Port //nolint:errcheck // a TCP listener has no other
			r := d.run(func(o *scheduler.Options) {
				o.NewMailer = func() koemail.Mailer {
					return koemail.NewSMTP(koemail.SMTPConfig{Host: "127.0.0.1", Port: port, Security: koemail.Plaintext})
				}
			})
			<-met
			time.Sleep(200 * time.Millisecond)
			if took := r.end(); took < 4*time.Second || took > 9*time.Second {
				t.Errorf("the end took %s", took)
			}
			v, events := d.invitation(id)
			if v.State != test.want {
				t.Errorf("%+v, want %s; events %v", v, test.want, events)
			}
			if test.want == survey.InvitationScheduled {
				d.clock.Advance(time.Hour)
				d.run(nil)
				d.becomes(id, survey.InvitationSent)
			}
		})
	}
}

// panicker is a mailer that breaks at one address.
type panicker struct{ koemail.Mailer }

func (p panicker) Send(ctx context.Context, m koemail.Message) error {
	if m.To.Email == "p2@example.com" {
		panic("cannot cope with " + m.To.Email)
	}
	return p.Mailer.Send(ctx, m)
}

func TestAMailThatPanicsStopsNoOther(t *testing.T) {
	t.Parallel()
	d := alone(t, nil)
	d.ask("chat", nil)
	ids := d.crowd(6)
	r := d.run(func(o *scheduler.Options) {
		o.NewMailer = func() koemail.Mailer { return panicker{d.smtp()} }
	})
	for i, id := range ids {
		if i != 2 {
			d.becomes(id, survey.InvitationSent)
		}
	}
	d.clock.Advance(time.Minute) // past the lease
	d.becomes(ids[2], survey.InvitationUncertain)
	r.end()
	if !strings.Contains(r.log.String(), "a panic: ") {
		t.Errorf("the log does not tell:\n%s", r.log.String())
	}
}

func TestTheCapOverAll(t *testing.T) {
	t.Parallel()
	d := alone(t, nil)
	d.ask("chat", nil)
	d.crowd(20)
	started := time.Now()
	d.run(func(o *scheduler.Options) { o.Workers, o.PerSecond = 4, 10 })
	d.until("all have come", func() bool { return len(d.server.all()) == 20 })
	const least = 1900 * time.Millisecond // a slow machine only adds to it
	if took := time.Since(started); took < least {
		t.Errorf("20 mails took %s, which is less than %s", took, least)
	}
}

// TestTheCapOfADomainHoldsUpNoOther has a crowd of one domain that is due
// before everybody else, and one worker.
func TestTheCapOfADomainHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	atDesk(t, nil, func(d desk) {
		d.ask("chat", nil)
		d.ask("canary", nil)
		ids := d.crowd(60)
		d.run(func(o *scheduler.Options) { o.PerDomain = 1 })
		for second := range 4 {
			d.becomes(d.happens("canary", fmt.Sprintf("canary@%d.example", second)), survey.InvitationSent)
			came := 0
			for _, l := range d.server.all() {
				if strings.HasSuffix(l.to, "@example.com") {
					came++
				}
			}
			if came != second+1 {
				d.t.Errorf("after %d seconds %d mails of the domain", second, came)
			}
			d.clock.Advance(time.Second)
			d.until("the next is let go", func() bool { return len(d.server.all()) == 2*(second+1)+1 })
		}
		for _, id := range ids {
			v, _ := d.invitation(id)
			if under := v.State == survey.InvitationSent || v.State == survey.InvitationSending; !under && (v.State != survey.InvitationScheduled || v.Attempt != 0) {
				d.t.Errorf("%+v", v)
			}
		}
	})
}

// TestBothCapsTogether: a domain that is over its cap takes no turn of the cap
// over all from others, and goes on by its own.
func TestBothCapsTogether(t *testing.T) {
	t.Parallel()
	d := alone(t, nil)
	d.ask("chat", nil)
	d.ask("canary", nil)
	d.crowd(10) // of one domain, and due before everybody else
	const others = 15
	for i := range others {
		d.happens("canary", fmt.Sprintf("canary@%d.example", i))
	}
	started := time.Now()
	d.run(func(o *scheduler.Options) { o.Workers, o.PerSecond, o.PerDomain = 4, 10, 2 })
	d.until("one of the domain and all others have come", func() bool { return len(d.server.all()) == others+1 })
	const least = others*100*time.Millisecond - 100*time.Millisecond // a slow machine only adds to it
	if took := time.Since(started); took < least {
		t.Errorf("%d mails took %s, which is less than %s", others+1, took, least)
	}
	for more := range 3 {
		d.clock.Advance(500 * time.Millisecond)
		d.until("the next of the domain is let go", func() bool { return len(d.server.all()) == others+2+more })
	}
	came := 0
	for _, l := range d.server.all() {
		if strings.HasSuffix(l.to, "@example.com") {
			came++
		}
	}
	if came != 4 {
		t.Errorf("%d mails of the domain within a second and a half", came)
	}
}

// TestMailsThatDoNotGoHoldUpNoOther has a crowd whose send window has closed by
// the time it is due: it is moved at once and takes nobody's turn.
func TestMailsThatDoNotGoHoldUpNoOther(t *testing.T) {
	t.Parallel()
	atDesk(t, nil, func(d desk) {
		d.ask("chat", func(v *survey.Survey) {
			v.Trigger.Delay, v.Rules.SendWindow = "30m", &survey.Window{From: "08:00", To: "10:00"}
		})
		d.ask("canary", nil)
		ids := d.crowd(200)
		d.clock.Advance(2 * time.Hour)
		started := time.Now()
		d.run(func(o *scheduler.Options) { o.PerSecond, o.PerDomain = 2, 1 })
		d.passes("canary@example.com")
		if v, _ := d.invitation(ids[0]); v.State != survey.InvitationScheduled || v.Attempt != 0 {
			d.t.Errorf("%+v", v)
		}
		summary, err := d.store.OutboxSummary(d.t.Context(), d.by, "")
		if err != nil || summary.Mail.Waiting[survey.WaitSendWindow] != len(ids) || len(d.server.all()) != 1 {
			d.t.Errorf("after %s %+v, %d mails, %v", time.Since(started), summary.Mail, len(d.server.all()), err)
		}
	})
}

// TestADatabaseThatGoesAwayForAWhile has two processes send, while the database
// is away for several leases: what they had in hand is theirs when it is back.
func TestADatabaseThatGoesAwayForAWhile(t *testing.T) {
	t.Parallel()
	gate, address := storetest.Behind(t, storetest.Postgres(t))
	clock := storetest.NewClock(t, morning)
	d := newDesk(t, storetest.Open(t, address, clock.Use), clock, serve(t, func(to string, _ int) error {
		if to == "p1@example.com" { // the mail is taken, and nobody can note it
			gate.Shut()
			time.AfterFunc(4*time.Second, gate.Open)
		}
		return nil
	}))
	other := d
	other.store = storetest.Open(t, address, clock.Use)
	d.ask("chat", nil)
	ids := d.crowd(12)
	brief := func(o *scheduler.Options) { o.Lease = time.Second }
	one, two := d.run(brief), other.run(brief)
	d.until("the database is away", gate.IsShut)
	if _, err := d.store.ClaimDue(t.Context(), 1, time.Second); !isAway(err) {
		t.Errorf("while it is away: %v", err)
	}
	d.until("the database is back", func() bool { return !gate.IsShut() })
	d.eachOnce(ids)
	one.end()
	two.end()
	for _, r := range []*running{one, two} {
		if !strings.Contains(r.log.String(), "a job failed") {
			t.Errorf("the log says nothing of it:\n%s", r.log.String())
		}
	}
	d.verified()
}

func isAway(err error) bool {
	var known *survey.Error
	return errors.As(err, &known) && known.Kind == survey.Unavailable
}

// TestAMailThatCannotBeReadHoldsUpNoOther: it is put off, again and again, and
// goes out once somebody has mended it.
func TestAMailThatCannotBeReadHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	storetest.EachEmpty(t, func(t *testing.T, url string) {
		clock := storetest.NewClock(t, morning)
		d := newDesk(t, storetest.Open(t, url, clock.Use), clock, serve(t, nil))
		d.ask("chat", nil)
		ids := d.crowd(6)
		driver, address := "pgx", url
		if file, lite := strings.CutPrefix(url, "sqlite:"); lite {
			driver, address = "sqlite3", "file:"+file+"?_busy_timeout=5000"
		}
		db, err := sql.Open(driver, address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		write := func(attributes string) {
			t.Helper()
			if _, err := db.ExecContext(t.Context(), `UPDATE invitations SET attributes = '`+attributes+`' WHERE email = 'p1@example.com'`); err != nil {
				t.Fatal(err)
			}
		}
		write("{")
		r := d.run(nil)
		for i, id := range ids {
			if i != 1 {
				d.becomes(id, survey.InvitationSent)
			}
		}
		write("{}")
		clock.Advance(time.Minute)
		d.eachOnce(ids)
		r.end()
		if !strings.Contains(r.log.String(), "a mail could not be begun") || !strings.Contains(r.log.String(), ids[1].String()) {
			t.Errorf("the log does not tell:\n%s", r.log.String())
		}
	})
}
