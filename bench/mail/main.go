// Command mail measures how many survey mails koe sends in a second, durable
// marks included, beside the floor: a program that only pushes the same message
// through the same library over as many connections (see bench/mailfloor). Both
// send to the same sink in this process. What counts is the ratio.
//
// It measures SQLite and, where KOE_TEST_POSTGRES_URL names a server whose user
// may create databases, PostgreSQL. Run it from the root of the module.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"koe/bench/program"
)

// The ratio to the floor that koe aims at, and the memory it may take.
const (
	aim       = 0.60
	maxMemory = 100e6
)

func main() {
	mails := flag.Int("mails", 20000, "mails of each run")
	connections := flag.Int("connections", 64, "connections to the SMTP server")
	backlog := flag.Int("backlog", 0, "mails more that are due behind those of the run")
	flag.Parse()
	if err := run(bench{mails: *mails, connections: *connections, backlog: *backlog}); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

type bench struct {
	dir         string
	sink        *sink
	mails       int
	connections int
	backlog     int
}

func run(b bench) error {
	dir, err := os.MkdirTemp("", "koe-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }() // a temp folder; the system clears what is left
	if err := program.Build(dir, map[string]string{"koe": ".", "floor": "./bench/mailfloor"}); err != nil {
		return err
	}
	sink, err := openSink()
	if err != nil {
		return err
	}
	b.dir, b.sink = dir, sink
	databases := []string{"sqlite:" + filepath.Join(dir, "koe.db")}
	if server := os.Getenv("KOE_TEST_POSTGRES_URL"); server != "" {
		fresh, drop, err := postgres(server)
		if err != nil {
			return err
		}
		defer drop()
		databases = append(databases, fresh)
	} else {
		fmt.Println("PostgreSQL is not measured: KOE_TEST_POSTGRES_URL names none")
	}
	fmt.Printf("survey mails over %d connections, %d a run, %d more due behind them\n\n", b.connections, b.mails, b.backlog)
	for _, database := range databases {
		if err := b.measure(database); err != nil {
			return err
		}
	}
	return nil
}

// postgres makes a database and says how to drop it.
func postgres(server string) (string, func(), error) {
	fresh, err := url.Parse(server)
	if err != nil {
		return "", nil, errors.New("KOE_TEST_POSTGRES_URL: cannot be read")
	}
	name := "koe_bench_" + strconv.Itoa(os.Getpid())
	ctx := context.Background()
	do := func(statement string) error {
		conn, err := pgx.Connect(ctx, server)
		if err != nil {
			return err
		}
		defer func() { _ = conn.Close(ctx) }()
		_, err = conn.Exec(ctx, statement)
		return err
	}
	fresh.Path = "/" + name
	return fresh.String(), func() { _ = do("DROP DATABASE " + name + " WITH (FORCE)") }, do("CREATE DATABASE " + name)
}

// measure runs koe and then the floor.
func (b bench) measure(database string) error {
	name, _, _ := strings.Cut(database, ":")
	koe, err := b.record(database)
	if err != nil {
		return err
	}
	if b.backlog > 0 {
		if err := pile(database, b.backlog); err != nil {
			return err
		}
	}
	perSecond, cpu, memory, err := b.koe(koe)
	if err != nil {
		return err
	}
	floor, floorCPU, err := b.floor()
	if err != nil {
		return err
	}
	fmt.Printf("%-8s floor %6.0f/s %5.1f CPU s   koe %6.0f/s %5.1f CPU s, peak memory %3.0f MB (limit %.0f)   mail of %.1f kB   RATIO %.2f (aim %.2f)\n",
		name, floor, floorCPU.Seconds(), perSecond, cpu.Seconds(), memory/1e6, maxMemory/1e6, float64(len(b.sink.sample))/1e3, perSecond/floor, aim)
	return nil
}

// environment is koe's for a database.
func (b bench) environment(database, port string) []string {
	return []string{"KOE_LISTEN=127.0.0.1:" + port, "KOE_DATABASE_URL=" + database, "KOE_SMTP_URL=smtp://" + b.sink.address() + "?tls=none",
		"KOE_BASE_URL=https://feedback.example.com", "KOE_ADMIN_KEY=" + adminKey, "KOE_SECRET=" + strings.Repeat("s", 32),
		"KOE_RATE_PER_KEY=", "KOE_LOG_LEVEL=warn", "KOE_MAIL_WORKERS=" + strconv.Itoa(b.connections), "KOE_MAIL_FROM=Acme <feedback@acme.example>"}
}

const adminKey = "koe_bench_0123456789abcdef"

// record has koe record as many interactions as mails are wished for while
// nobody sends, and returns the environment to send them in.
func (b bench) record(database string) ([]string, error) {
	port, err := program.FreePort()
	if err != nil {
		return nil, err
	}
	env := b.environment(database, port)
	koe, err := program.Start(b.dir, "koe", port, []string{"serve", "--role", "api"}, env)
	if err != nil {
		return nil, err
	}
	defer koe.Stop()
	koe.Key = adminKey
	var made struct {
		ID string `json:"id"`
	}
	if err := koe.Call("POST", "/v1/surveys", `{"name":"bench","template":"nps","touchpoint":"bench","channel":"email",
		"trigger":{"type":"interaction"}}`, &made); err != nil {
		return nil, err
	}
	if err := koe.Call("POST", "/v1/surveys/"+made.ID+"/activate", "", nil); err != nil {
		return nil, err
	}
	const batch = 500
	for from := 0; from < b.mails; from += batch {
		var list []string
		for i := from; i < min(from+batch, b.mails); i++ {
			list = append(list, fmt.Sprintf(`{"touchpoint":"bench","customer":{"email":"p%d@example.com","name":"Ana Example"}}`, i))
		}
		if err := koe.Call("POST", "/v1/interactions/batch", `{"interactions":[`+strings.Join(list, ",")+`]}`, nil); err != nil {
			return nil, err
		}
	}
	return env, nil
}

// koe sends the mails: mails a second from the first to the last, the CPU
// that it took, and its peak memory.
func (b bench) koe(env []string) (float64, time.Duration, float64, error) {
	full := b.sink.expect(b.mails)
	port := strings.TrimPrefix(env[0], "KOE_LISTEN=127.0.0.1:")
	koe, err := program.Start(b.dir, "koe", port, []string{"serve"}, env)
	if err != nil {
		return 0, 0, 0, err
	}
	defer koe.Stop()
	koe.Key = adminKey
	select {
	case <-full:
	case <-time.After(5 * time.Minute):
		return 0, 0, 0, fmt.Errorf("after 5 minutes %d of %d mails have come", b.sink.taken.Load(), b.mails)
	}
	rate := float64(b.mails-1) / b.sink.took().Seconds()
	if b.backlog == 0 {
		if err := b.noted(koe); err != nil {
			return 0, 0, 0, err
		}
	}
	memory, err := koe.PeakMemory()
	koe.Stop()
	return rate, koe.CPU(), float64(memory), err
}

// noted waits until koe has no mail under way any more.
func (b bench) noted(koe *program.Program) error {
	for range 100 {
		var under struct {
			Data []struct{} `json:"data"`
		}
		if err := koe.Call("GET", "/v1/invitations?state=sending&limit=1", "", &under); err != nil {
			return err
		}
		if len(under.Data) == 0 {
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return errors.New("after 10 s mails are still under way")
}

// floor sends as many of the same message.
func (b bench) floor() (float64, time.Duration, error) {
	file := filepath.Join(b.dir, "message.eml")
	if err := os.WriteFile(file, b.sink.sample, 0o600); err != nil {
		return 0, 0, err
	}
	full := b.sink.expect(b.mails)
	cmd := exec.Command(filepath.Join(b.dir, "floor"), "-smtp", b.sink.address(), "-message", file,
		"-mails", strconv.Itoa(b.mails), "-connections", strconv.Itoa(b.connections))
	cmd.Stderr, cmd.SysProcAttr = os.Stderr, &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Run(); err != nil {
		return 0, 0, fmt.Errorf("the floor: %w", err)
	}
	<-full
	return float64(b.mails-1) / b.sink.took().Seconds(), cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), nil
}
