package main

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	_ "github.com/jackc/pgx/v5/stdlib"

	"koe/survey"
	"koe/survey/store"
	"koe/survey/store/storetest"
	"koe/survey/store/storetest/battery"
)

// sink is a real SMTP server that takes every mail and remembers to whom and
// from whom.
type sink struct {
	mu    sync.Mutex
	to    map[string]int
	from  map[string]int
	taken atomic.Int64
	pause time.Duration // before each mail is taken
	url   string
}

func newSink(t *testing.T, pause time.Duration) *sink {
	t.Helper()
	s := &sink{to: map[string]int{}, from: map[string]int{}, pause: pause}
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &sinkVisit{sink: s}, nil }))
	server.Domain, server.ErrorLog = "localhost", log.New(io.Discard, "", 0) // those who are killed hang up
	listener := listenAnywhere(t)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	s.url = "smtp://" + listener.Addr().String() + "?tls=none"
	return s
}

type sinkVisit struct {
	*sink
	sender, recipient string
}

func (v *sinkVisit) Mail(from string, _ *smtp.MailOptions) error { v.sender = from; return nil }
func (v *sinkVisit) Rcpt(to string, _ *smtp.RcptOptions) error   { v.recipient = to; return nil }
func (v *sinkVisit) Reset()                                      {}
func (v *sinkVisit) Logout() error                               { return nil }

// Data counts a mail that came whole: what follows is the server's promise to
// have it.
func (v *sinkVisit) Data(r io.Reader) error {
	if _, err := io.Copy(io.Discard, r); err != nil {
		return err
	}
	time.Sleep(v.pause)
	v.mu.Lock()
	v.to[v.recipient]++
	v.from[v.sender]++
	v.mu.Unlock()
	v.taken.Add(1)
	return nil
}

// battle is a database full of due mails, and what is seen of it from outside
// of koe.
type battle struct {
	t        *testing.T
	database string
	store    *store.Store
	rows     *sql.DB
	sink     *sink
	size     int
	flown    map[string]bool // mails that were under way when a process was killed
}

func newBattle(t *testing.T, database string, size int, pause time.Duration) *battle {
	t.Helper()
	b := &battle{t: t, database: database, store: opened(t, database), sink: newSink(t, pause), size: size, flown: map[string]bool{}}
	driver, address := "pgx", database
	if path, lite := strings.CutPrefix(database, "sqlite:"); lite {
		driver, address = "sqlite3", "file:"+path+"?_query_only=on&_busy_timeout=5000"
	}
	var err error
	if b.rows, err = sql.Open(driver, address); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.rows.Close() })
	b.fill()
	return b
}

// fill makes a survey and has every customer asked at once.
func (b *battle) fill() {
	b.t.Helper()
	ctx := b.t.Context()
	w, _, err := b.store.EnsureDefault(ctx)
	if err != nil {
		b.t.Fatal(err)
	}
	by := store.Caller{Workspace: w.ID, KeyName: "test", Role: store.Admin}
	made, err := b.store.CreateSurvey(ctx, by, survey.Survey{Name: "After chat", Template: "nps", Touchpoint: "chat", Channel: survey.Email,
		Trigger: survey.Trigger{Type: survey.OnInteraction}})
	if err == nil {
		_, err = b.store.SetSurveyState(ctx, by, made.ID.String(), survey.Active, 0)
	}
	if err != nil {
		b.t.Fatal(err)
	}
	for from := 0; from < b.size; from += 500 {
		items := make([]store.Item, min(500, b.size-from))
		for i := range items {
			address := fmt.Sprintf("p%d@example.com", from+i)
			items[i].Interaction = survey.Interaction{Touchpoint: "chat", Customer: survey.Customer{Email: &address}}
		}
		out, err := b.store.RecordInteractions(ctx, by, items)
		if err != nil {
			b.t.Fatal(err)
		}
		for _, o := range out {
			if o.Err != nil || len(o.Recorded.Decisions) != 1 || o.Recorded.Decisions[0].Invitation == nil {
				b.t.Fatalf("recorded %+v", o)
			}
		}
	}
}

// sender starts a koe that sends, by the address that it sends from.
func (b *battle) sender(from string) *process {
	b.t.Helper()
	return launch(b.t, b.t.TempDir(), []string{"KOE_DATABASE_URL=" + b.database, "KOE_SECRET=" + longEnough, "KOE_SMTP_URL=" + b.sink.url,
		"KOE_BASE_URL=https://koe.example.com", "KOE_MAIL_FROM=" + from, "KOE_MAIL_LEASE=1s"}, "serve", "--role=scheduler")
}

// kill ends a process at once and notes what it had under way.
func (b *battle) kill(p *process) {
	b.t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		b.t.Fatalf("it has ended by itself: %v: %s", err, p.read(p.log))
	}
	_ = p.cmd.Wait() // "killed"
	b.noteFlown()
}

// settled waits until PostgreSQL has ended what a killed process had asked for:
// a commit that was on its way still counts as under way.
func (b *battle) settled() {
	b.t.Helper()
	if !strings.HasPrefix(b.database, "sqlite:") {
		b.until("the killed process's transactions are over", func() bool {
			return len(b.pairs(`SELECT datname, state FROM pg_stat_activity WHERE datname = current_database()
				AND state <> 'idle' AND pid <> pg_backend_pid()`)) == 0
		})
	}
	b.noteFlown()
}

// noteFlown notes the mails that are marked as being sent, each try by itself.
func (b *battle) noteFlown() {
	b.t.Helper()
	for _, row := range b.pairs(`SELECT CAST(fence AS TEXT), email FROM invitations WHERE mail_state = 'sending'`) {
		b.flown[row[0]+" "+row[1]] = true
	}
}

func (b *battle) pairs(query string) (list [][2]string) {
	b.t.Helper()
	rows, err := b.rows.QueryContext(context.Background(), query)
	if err != nil {
		b.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var one [2]string
		if err := rows.Scan(&one[0], &one[1]); err != nil {
			b.t.Fatal(err)
		}
		list = append(list, one)
	}
	if err := rows.Err(); err != nil {
		b.t.Fatal(err)
	}
	return list
}

// verified wants nothing wrong in the database.
func (b *battle) verified() {
	b.t.Helper()
	checked, err := b.store.Verify(context.Background())
	if err != nil || len(checked.Faults) > 0 {
		b.t.Fatalf("verify: %v %v", err, checked.Faults)
	}
}

// until waits for something to come true, at most two minutes without a mail.
func (b *battle) until(what string, is func() bool) {
	b.t.Helper()
	before, since := b.sink.taken.Load(), time.Now()
	for !is() {
		if now := b.sink.taken.Load(); now != before {
			before, since = now, time.Now()
		}
		if time.Since(since) > 2*time.Minute {
			b.t.Fatalf("in vain waited until %s; %d mails came", what, before)
		}
		time.Sleep(time.Millisecond)
	}
}

// left is how many mails wait or are under way.
func (b *battle) left() (n int64) {
	b.t.Helper()
	if err := b.rows.QueryRowContext(context.Background(), `SELECT COUNT(*) FROM invitations WHERE mail_state <> 'none'`).Scan(&n); err != nil {
		b.t.Fatal(err)
	}
	return n
}

// over waits until no mail waits or is under way.
func (b *battle) over() {
	b.t.Helper()
	b.until("no mail is left", func() bool {
		time.Sleep(20 * time.Millisecond)
		return b.left() == 0
	})
}

// outcome compares what koe says of each invitation with what the server took.
func (b *battle) outcome(name string, begun time.Time, kills, stops int) {
	b.t.Helper()
	b.sink.mu.Lock()
	defer b.sink.mu.Unlock()
	sent, uncertain, vanished, twice, listed, lost := 0, 0, 0, 0, 0, 0
	all := b.pairs(`SELECT email, state FROM invitations WHERE channel = 'email'`)
	for _, one := range all {
		n := b.sink.to[one[0]]
		switch one[1] {
		case string(survey.InvitationSent):
			sent++
			if n == 0 {
				vanished++
			}
			if n > 1 {
				twice++
			}
		case string(survey.InvitationUncertain):
			uncertain++
			if n > 1 {
				listed++
			}
			if n == 0 {
				lost++
			}
		default:
			vanished++
			b.t.Errorf("an invitation is %s", one[1])
		}
	}
	battery.Report(b.t, "\n%-10s %6s %6s %9s %8s %10s %10s %9s %8s %13s %8s\n%-10s %6d %6d %9d %8d %10d %10d %9d %8d %13d %8s", "database",
		"kills", "stops", "mails", "sent", "uncertain", "in flight", "vanished", "twice", "of them never", "took",
		name, kills, stops, len(all), sent, uncertain, len(b.flown), vanished, twice, lost, time.Since(begun).Round(time.Second))
	if len(all) != b.size || vanished > 0 || twice > 0 || listed > 0 || uncertain > len(b.flown) {
		b.t.Errorf("of %d invitations %d vanished, %d came twice (and %d that are listed as uncertain), %d uncertain of %d in flight",
			len(all), vanished, twice, listed, uncertain, len(b.flown))
	}
	if said, err := command(b.t, b.database, "verify"); err != nil {
		b.t.Errorf("koe verify: %v %s", err, said)
	}
}

// TestKills kills koe at random instants while mails go out, again and again.
// Every mail ends as sent, and then the server has it once, or as uncertain, of
// which there are no more than were under way at the kills.
func TestKills(t *testing.T) {
	kills, size := 25, 2500
	if battery.Full() {
		kills, size = 500, 50_000
	}
	storetest.EachEmpty(t, func(t *testing.T, database string) {
		t.Parallel() // both at once: half of the time koe is about to start
		begun := time.Now()
		b := newBattle(t, database, size, 0)
		for n := range kills {
			p := b.sender("koe <koe@koe.example>")
			if n%10 == 9 { // while it starts
				time.Sleep(time.Duration(rand.Int64N(int64(200 * time.Millisecond))))
			} else { // spread over all mails, however fast the machine is
				next := b.sink.taken.Load() + 1 + rand.Int64N(max(1, 2*b.left()/int64(kills-n)-1))
				asked := time.Now()
				b.until("more mails came", func() bool {
					if b.sink.taken.Load() >= next {
						return true
					}
					if time.Since(asked) < 200*time.Millisecond {
						return false
					}
					asked = time.Now()
					return b.left() == 0
				})
				time.Sleep(time.Duration(rand.Int64N(int64(2 * time.Millisecond))))
			}
			b.kill(p)
			b.settled()
			b.verified()
			if (n+1)%50 == 0 {
				t.Logf("%d kills, %d mails, %s", n+1, b.sink.taken.Load(), time.Since(begun).Round(time.Second))
			}
		}
		p := b.sender("koe <koe@koe.example>")
		b.until("the last one serves", func() bool { return strings.Contains(p.read(p.log), "koe serves") })
		b.over()
		p.stop()
		b.outcome(cmp.Or(map[bool]string{true: "sqlite"}[strings.HasPrefix(database, "sqlite:")], "postgres"), begun, kills, 0)
	})
}

// TestReplicas has three processes send over one database, of which one after
// the other is killed, or stopped for more than three leases and woken again.
func TestReplicas(t *testing.T) {
	size := 1000
	if battery.Full() {
		size = 10_000
	}
	const acts, lease = 12, time.Second
	begun := time.Now()
	b := newBattle(t, storetest.Postgres(t), size, 50*time.Millisecond)
	from := func(i int) string { return fmt.Sprintf("koe <koe%d@koe.example>", i) }
	var senders [3]*process
	for i := range senders {
		senders[i] = b.sender(from(i))
	}
	kills, stops := 0, 0
	for n := range acts {
		next := int64(size * (n + 1) / (acts + 2))
		b.until("more mails came", func() bool { return b.sink.taken.Load() >= next })
		victim := rand.IntN(len(senders))
		if n%2 == 0 {
			kills++
			b.kill(senders[victim])
			senders[victim] = b.sender(from(victim))
			continue
		}
		stops++
		b.signal(senders[victim], syscall.SIGSTOP)
		b.noteFlown()
		time.Sleep(3*lease + lease/2)
		b.signal(senders[victim], syscall.SIGCONT)
	}
	b.over()
	for _, p := range senders { // one that was started last may not listen to signals yet
		b.until("it serves", func() bool { return strings.Contains(p.read(p.log), "koe serves") })
		p.stop()
	}
	b.outcome("postgres", begun, kills, stops)
	for i := range senders {
		if n := b.sink.from[fmt.Sprintf("koe%d@koe.example", i)]; n < size/20 {
			t.Errorf("process %d sent %d of %d", i, n, size)
		}
	}
	battery.Report(t, "by process: %v", b.sink.from)
}

func (b *battle) signal(p *process, s syscall.Signal) {
	b.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		b.t.Fatalf("%v: %s", err, p.read(p.log))
	}
}

func listenAnywhere(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return listener
}
