package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"koe/scheduler/mail"
	"koe/survey/store"
	"koe/survey/store/storetest"
)

func TestCapturedMailIsShown(t *testing.T) {
	box := &mail.Mailbox{}
	m := mail.Message{ID: "1@localhost", From: mail.Address{Name: "声", Email: "koe@localhost"}, To: mail.Address{Email: "ana@example.com"},
		Subject: strings.Repeat("いかがでしたか", 20), Text: "text", HTML: "<p>html", Date: time.UnixMilli(1)}
	if err := box.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	entry, html, found := mailbox(box).Find("1@localhost")
	if !found || html != m.HTML || !entry.HasHTML || entry.From != "声 <koe@localhost>" || entry.To != "ana@example.com" || entry.Subject != m.Subject {
		t.Errorf("%+v %q", entry, html)
	}
	if list := mailbox(box).List(); len(list) != 1 || list[0].ID != m.ID {
		t.Errorf("%+v", list)
	}
	for _, header := range entry.Headers {
		if !regexp.MustCompile(`^[A-Z][A-Za-z-]+: \S`).MatchString(header) {
			t.Errorf("header %q", header)
		}
	}
	if !slices.Contains(entry.Headers, "Subject: "+m.Subject) {
		t.Errorf("the subject cannot be read: %q", entry.Headers)
	}
	if _, _, found := mailbox(box).Find("2@localhost"); found {
		t.Error("a mail that never was")
	}
}

// process is the built binary at work; what it writes goes to two files.
type process struct {
	t        *testing.T
	cmd      *exec.Cmd
	out, log string
}

func launch(t *testing.T, folder string, environ []string, args ...string) *process {
	t.Helper()
	binary, err := build()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, args...)
	cmd.Dir = folder
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "KOE_LISTEN=127.0.0.1:0"}, environ...)
	return begin(t, cmd)
}

// begin starts a koe that is killed at the end of the test, if it still runs.
func begin(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	written := t.TempDir()
	p := &process{t: t, cmd: cmd, out: filepath.Join(written, "out"), log: filepath.Join(written, "log")}
	out, err := os.Create(p.out)
	if err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(p.log)
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = out, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_, _ = out.Close(), log.Close()
	t.Cleanup(func() {
		if cmd.ProcessState == nil {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	})
	return p
}

func (p *process) read(path string) string {
	p.t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		p.t.Fatal(err)
	}
	return string(text)
}

var servesAt = regexp.MustCompile(`"base_url":"(http://[^"]+)"`)

// serving waits until koe serves and returns its address.
func (p *process) serving() string {
	p.t.Helper()
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(10 * time.Millisecond) { // a demo fills a year first
		if found := servesAt.FindStringSubmatch(p.read(p.log)); found != nil {
			return found[1]
		}
	}
	p.t.Fatalf("koe does not serve: %s", p.read(p.log))
	return ""
}

// ended waits for the end and returns the exit code and how long it took.
func (p *process) ended() (int, time.Duration) {
	p.t.Helper()
	return p.endedWithin(20 * time.Second)
}

func (p *process) endedWithin(limit time.Duration) (int, time.Duration) {
	p.t.Helper()
	start, done := time.Now(), make(chan struct{})
	go func() { _ = p.cmd.Wait(); close(done) }() // the exit code says it
	select {
	case <-done:
	case <-time.After(limit):
		_ = p.cmd.Process.Kill()
		p.t.Fatalf("koe does not end: %s", p.read(p.log))
	}
	return p.cmd.ProcessState.ExitCode(), time.Since(start)
}

func (p *process) stop() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	if code, took := p.ended(); code != 0 || took > 10*time.Second {
		p.t.Errorf("exit %d after %s: %s", code, took, p.read(p.log))
	}
}

func TestFirstStart(t *testing.T) {
	folder := t.TempDir()
	p := launch(t, folder, nil) // koe alone is koe serve
	base := p.serving()
	printed := p.read(p.out)
	keys := regexp.MustCompile(`koe_[A-Za-z0-9_-]{43}`).FindAllString(printed, -1)
	if len(keys) != 2 || keys[0] != keys[1] {
		t.Fatalf("printed %s", printed)
	}
	for _, want := range []string{base, base + "/docs", base + "/mailbox", base + "/readyz", "curl "} {
		if !strings.Contains(printed, want) {
			t.Errorf("%s is not printed:\n%s", want, printed)
		}
	}
	for path, want := range map[string]int{"/readyz": 200, "/docs": 200, "/mailbox": 200, "/openapi.yaml": 200, "/v1/templates": 401} {
		if code := fetch(t, "GET", base+path); code != want {
			t.Errorf("%s: %d", path, code)
		}
	}
	shell := exec.Command("sh", "-c", regexp.MustCompile(`curl .*`).FindString(printed)+" --fail --silent")
	if answer, err := shell.Output(); err != nil || !bytes.Contains(answer, []byte(`"key":"csat-thumbs"`)) {
		t.Errorf("the printed curl line: %s %v", answer, err)
	}
	link := regexp.MustCompile(regexp.QuoteMeta(base) + `/dashboard/sign-in/[A-Za-z0-9_-]{20,}`).FindString(printed)
	signInOnce(t, link)
	if log := p.read(p.log); strings.Contains(log, keys[0]) || strings.Contains(log, "koe_") || strings.Contains(log, link[len(base):]) {
		t.Errorf("a key or a link in the log: %s", log)
	}
	p.stop()

	p = launch(t, folder, nil, "serve")
	checkAddresses(t, p.serving(), p.read(p.out))
	p.stop()
}

// signInOnce follows the printed link to the dashboard, which it leads to once.
func signInOnce(t *testing.T, link string) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar, Timeout: 20 * time.Second}
	for _, want := range []int{200, 410} {
		answer, err := browser.Post(link, "application/x-www-form-urlencoded", nil)
		if err != nil {
			t.Fatal(err)
		}
		page, err := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if err != nil || answer.StatusCode != want || want == 200 && (answer.Request.URL.Path != "/dashboard" || !bytes.Contains(page, []byte("First start"))) {
			t.Errorf("%s led to %s: %d %v %s", link, answer.Request.URL, answer.StatusCode, err, page)
		}
	}
}

// checkAddresses wants the addresses on stdout and no key.
func checkAddresses(t *testing.T, base, printed string) {
	t.Helper()
	for _, want := range []string{base + "\n", base + "/docs\n", base + "/dashboard\n", base + "/mailbox\n", base + "/readyz\n"} {
		if !strings.Contains(printed, want) {
			t.Errorf("%q is not printed:\n%s", want, printed)
		}
	}
	if strings.Contains(printed, "koe_") || strings.Contains(printed, "/sign-in/") || strings.Contains(printed, "ey ") {
		t.Errorf("a key is printed: %s", printed)
	}
}

// Commands before the first start take nothing from it: the key is made where
// there is none, and not beside one.
func TestFirstKeyAfterCommands(t *testing.T) {
	database := storetest.SQLite(t)
	s := opened(t, database)
	start := func() string {
		t.Helper()
		var out bytes.Buffer
		if err := welcome(t.Context(), s, Config{BaseURL: "http://127.0.0.1:1"}, &out, firstSteps); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	for _, line := range []string{"migrate", "key list", "workspace create acme --name Acme", "key create --workspace acme --role admin --name x"} {
		if _, err := command(t, database, strings.Fields(line)...); err != nil {
			t.Fatal(err)
		}
	}
	printed := start()
	key := regexp.MustCompile(`koe_[A-Za-z0-9_-]{43}`).FindString(printed)
	if by, err := s.Authenticate(t.Context(), key); err != nil || by.Role != store.Admin {
		t.Errorf("printed %s: %v", printed, err)
	}
	checkAddresses(t, "http://127.0.0.1:1", start())

	database = storetest.SQLite(t)
	if _, err := command(t, database, "key", "create", "--role", "admin", "--name", "mine"); err != nil {
		t.Fatal(err)
	}
	s = opened(t, database)
	checkAddresses(t, "http://127.0.0.1:1", start())
}

func TestGivenAdminKey(t *testing.T) {
	folder, key := t.TempDir(), "a-key-of-the-operators-own"
	for range 2 {
		p := launch(t, folder, []string{"KOE_ADMIN_KEY=" + key})
		base := p.serving()
		request, err := http.NewRequestWithContext(t.Context(), "GET", base+"/v1/keys", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.SetBasicAuth(key, "")
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		if err != nil || answer.Body.Close() != nil || answer.StatusCode != 200 || bytes.Count(body, []byte(`"role":"admin"`)) != 1 {
			t.Errorf("%d %s", answer.StatusCode, body)
		}
		if printed := p.read(p.out) + p.read(p.log); strings.Contains(printed, key) {
			t.Errorf("the key is shown: %s", printed)
		}
		checkAddresses(t, base, p.read(p.out))
		p.stop()
	}
}

func TestOneSchedulerPerFile(t *testing.T) {
	folder := t.TempDir()
	p := launch(t, folder, nil)
	p.serving()
	second := launch(t, folder, nil)
	if code, _ := second.ended(); code != 1 || !strings.HasPrefix(second.read(second.log), "koe: KOE_DATABASE_URL: ") {
		t.Errorf("exit %d: %s", code, second.read(second.log))
	}
	beside := launch(t, folder, nil, "--role=api") // which turns nothing
	if code := fetch(t, "GET", beside.serving()+"/readyz"); code != 200 {
		t.Errorf("an api beside it: %d", code)
	}
	beside.stop()
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	p.ended()
	p = launch(t, folder, nil) // nobody need tidy up after a crash
	p.serving()
	p.stop()
}

func send(t *testing.T, conn net.Conn, format string, args ...any) {
	t.Helper()
	if _, err := fmt.Fprintf(conn, format, args...); err != nil {
		t.Fatal(err)
	}
}

// A request that is under way when koe is asked to stop gets its answer; one
// that never ends does not keep koe.
func TestStopFinishesRequests(t *testing.T) {
	p := launch(t, t.TempDir(), []string{"KOE_ADMIN_KEY=" + longEnough})
	address := strings.TrimPrefix(p.serving(), "http://")
	begin := func() net.Conn {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		const body = `{"name":"x","role":"viewer"}`
		send(t, conn, "POST /v1/keys HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
			address, longEnough, len(body), body[:5])
		return conn
	}
	slow, never := begin(), begin()
	time.Sleep(200 * time.Millisecond) // both have reached koe
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	time.Sleep(200 * time.Millisecond)
	if late, err := net.Dial("tcp", address); err == nil {
		_ = late.Close()
		t.Error("koe still takes connections")
	}
	send(t, slow, `e":"x","role":"viewer"}`)
	answer := make([]byte, 15)
	if _, err := io.ReadFull(slow, answer); err != nil || string(answer) != "HTTP/1.1 201 Cr" {
		t.Errorf("%q %v", answer, err)
	}
	if code, took := p.ended(); code != 0 || took > 10*time.Second {
		t.Errorf("exit %d after %s", code, took)
	}
	if _, err := never.Read(answer); err == nil {
		t.Error("the endless request was answered")
	}
}

func TestSecondSignalEndsAtOnce(t *testing.T) {
	p := launch(t, t.TempDir(), nil)
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.serving(), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	send(t, conn, "POST /v1/keys HTTP/1.1\r\n") // never ends
	time.Sleep(200 * time.Millisecond)
	for range 2 {
		if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		time.Sleep(300 * time.Millisecond)
	}
	if code, took := p.ended(); code == 0 || took > 3*time.Second {
		t.Errorf("exit %d after %s", code, took)
	}
}

func TestStartsThatFail(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	folder := t.TempDir()
	if err := os.Mkdir(filepath.Join(folder, "folder.db"), 0o700); err != nil {
		t.Fatal(err)
	}
	const secret = "KOE_SECRET=" + longEnough
	for name, c := range map[string]struct {
		environ []string
		want    string
	}{
		"wrong value":            {[]string{"KOE_LISTEN=here"}, "KOE_LISTEN"},
		"misspelt":               {[]string{"KOE_LISTN=:1"}, "KOE_LISTN"},
		"address in use":         {[]string{"KOE_LISTEN=" + taken.Addr().String()}, "KOE_LISTEN"},
		"in memory":              {[]string{"KOE_DATABASE_URL=sqlite::memory:"}, "KOE_DATABASE_URL"},
		"no such folder":         {[]string{"KOE_DATABASE_URL=sqlite:no/such/koe.db"}, "KOE_DATABASE_URL"},
		"no folder, with secret": {[]string{"KOE_DATABASE_URL=sqlite:no/such/koe.db", secret}, "KOE_DATABASE_URL"},
		"not a file":             {[]string{"KOE_DATABASE_URL=sqlite:folder.db"}, "KOE_DATABASE_URL"},
		"not writable":           {[]string{"KOE_DATABASE_URL=sqlite:/proc/koe.db"}, "KOE_DATABASE_URL"},
		"PostgreSQL away":        {[]string{"KOE_DATABASE_URL=postgres://koe:hidden@127.0.0.1:1/koe", secret}, "KOE_DATABASE_URL"},
		"PostgreSQL, no secret":  {[]string{"KOE_DATABASE_URL=postgres://koe:hidden@127.0.0.1:1/koe"}, "KOE_SECRET"},
		"dead links":             {[]string{"KOE_SMTP_URL=smtp://u:hidden@mx.example.com"}, "KOE_BASE_URL"},
	} {
		t.Run(name, func(t *testing.T) {
			p := launch(t, folder, c.environ)
			code, took := p.ended()
			line := p.read(p.log)
			if code != 1 || took > 12*time.Second || !strings.HasPrefix(line, "koe: "+c.want+": ") || strings.Count(line, "\n") != 1 ||
				strings.Contains(line, "hidden") || p.read(p.out) != "" {
				t.Errorf("exit %d after %s: %s%s", code, took, line, p.read(p.out))
			}
		})
	}
}

func TestStopDuringStart(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := run(ctx, []string{"serve"}, []string{"KOE_LISTEN=127.0.0.1:0", "KOE_DATABASE_URL=" + storetest.SQLite(t)}, io.Discard, notes{io.Discard})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
