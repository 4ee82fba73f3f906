package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/http"
	"net/mail"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
)

// inbox is a real SMTP server that keeps what it is given.
type inbox struct {
	mu    sync.Mutex
	mails []*mail.Message
	raw   [][]byte
	came  chan struct{}
}

func (b *inbox) NewSession(*smtp.Conn) (smtp.Session, error) { return b, nil }
func (b *inbox) Mail(string, *smtp.MailOptions) error        { return nil }
func (b *inbox) Rcpt(string, *smtp.RcptOptions) error        { return nil }
func (b *inbox) Reset()                                      {}
func (b *inbox) Logout() error                               { return nil }
func (b *inbox) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return err
	}
	b.mu.Lock()
	b.mails, b.raw = append(b.mails, m), append(b.raw, raw)
	b.mu.Unlock()
	b.came <- struct{}{}
	return nil
}

// startSMTP starts the server and returns the address for KOE_SMTP_URL.
func startSMTP(t *testing.T) (*inbox, string) {
	t.Helper()
	b := &inbox{came: make(chan struct{}, 100)}
	server := smtp.NewServer(b)
	server.Domain = "localhost"
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return b, "smtp://" + listener.Addr().String() + "?tls=none"
}

// next waits for the next mail and returns it with its text and HTML parts.
func (b *inbox) next(t *testing.T) (m *mail.Message, text, html string) {
	t.Helper()
	select {
	case <-b.came:
	case <-time.After(20 * time.Second):
		t.Fatal("no mail came")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	m = b.mails[len(b.mails)-1]
	_, parameters, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	parts := multipart.NewReader(m.Body, parameters["boundary"])
	for {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return m, text, html
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(quotedprintable.NewReader(part))
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(part.Header.Get("Content-Type"), "text/html") {
			html = string(body)
		} else {
			text = string(body)
		}
	}
}

// folder is where build puts koe; TestMain sets it and takes it away.
var folder string

// build compiles koe when the first test asks for it, with the race detector
// where the tests have it.
var build = sync.OnceValues(func() (string, error) {
	binary := filepath.Join(folder, "koe")
	arguments := []string{"build", "-o", binary}
	if raced() {
		arguments = append(arguments, "-race")
	}
	out, err := exec.Command("go", append(arguments, ".")...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w: %s", err, out)
	}
	return binary, nil
})

func raced() bool {
	info, _ := debug.ReadBuildInfo()
	return info != nil && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

func TestMain(m *testing.M) { os.Exit(inFolder(m)) }

func inFolder(m *testing.M) int {
	var err error
	if folder, err = os.MkdirTemp("", "koe-test-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(folder) }()
	return m.Run()
}

// running is a koe of its own: the built binary, started as anybody would.
type running struct {
	t    *testing.T
	port string
	base string // what links begin with; its host leads to this machine in the tests alone
	key  string
	cmd  *exec.Cmd
	log  bytes.Buffer // whole once koe has stopped
}

var keyPattern = regexp.MustCompile(`koe_[A-Za-z0-9_-]{20,}`)

const publicHost = "koe.example.com"

func startKoe(t *testing.T, database string, environment ...string) *running {
	t.Helper()
	return startKoeWith(t, database, "", environment...)
}

// startKoeWith is startKoe on a database that has a key already.
func startKoeWith(t *testing.T, database, key string, environment ...string) *running {
	t.Helper()
	binary, err := build()
	if err != nil {
		t.Fatal(err)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(free.Addr().String())
	_ = free.Close()
	k := &running{t: t, port: port, base: "http://" + publicHost + ":" + port, cmd: exec.Command(binary)}
	k.cmd.Dir = t.TempDir()
	k.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + k.cmd.Dir, "KOE_LISTEN=127.0.0.1:" + port, "KOE_BASE_URL=" + k.base,
		"KOE_DATABASE_URL=" + database, "KOE_SECRET=a-secret-that-is-long-enough-for-tests", "KOE_TIMEZONE=UTC"}, environment...)
	k.cmd.Stderr = &k.log
	out, err := k.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := k.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		k.stop()
		if t.Failed() {
			t.Logf("log of koe:\n%s", k.log.String())
		}
	})
	lines := bufio.NewScanner(out)
	if k.key = key; key != "" && !lines.Scan() {
		k.stop()
		t.Fatalf("koe said nothing; its log:\n%s", k.log.String())
	}
	for k.key == "" && lines.Scan() {
		k.key = keyPattern.FindString(lines.Text())
	}
	if k.key == "" {
		k.stop()
		t.Fatalf("koe printed no key; its log:\n%s", k.log.String())
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	return k
}

// stop ends koe as an operator would and wants a clean exit in time.
func (k *running) stop() {
	if k.cmd.ProcessState != nil {
		return
	}
	_ = k.cmd.Process.Signal(os.Interrupt)
	ended := make(chan error, 1)
	go func() { ended <- k.cmd.Wait() }()
	select {
	case err := <-ended:
		if err != nil {
			k.t.Errorf("koe ended with %v", err)
		}
	case <-time.After(10 * time.Second):
		_ = k.cmd.Process.Kill()
		k.t.Errorf("koe did not end within 10 seconds: %v", <-ended)
	}
}

// local is a link of a mail, as this machine reaches it.
func (k *running) local(link string) string {
	return strings.Replace(link, k.base, "http://127.0.0.1:"+k.port, 1)
}

func (k *running) do(method, path, body string) (int, map[string]any) {
	k.t.Helper()
	request, err := http.NewRequestWithContext(context.Background(), method, "http://127.0.0.1:"+k.port+path, strings.NewReader(body))
	if err != nil {
		k.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+k.key)
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		k.t.Fatal(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		k.t.Fatal(err)
	}
	var answer map[string]any
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &answer); err != nil {
			k.t.Fatalf("%s %s: %v: %s", method, path, err, raw)
		}
	}
	return response.StatusCode, answer
}

func (k *running) want(status int, method, path, body string) map[string]any {
	k.t.Helper()
	got, answer := k.do(method, path, body)
	if got != status {
		k.t.Fatalf("%s %s: %d, want %d: %v", method, path, got, status, answer)
	}
	return answer
}

// post posts a form, as a browser does, and returns the page.
func (k *running) post(link string, form url.Values) (int, string) {
	k.t.Helper()
	response, err := http.PostForm(k.local(link), form) //nolint:noctx // a test's own server
	if err != nil {
		k.t.Fatal(err)
	}
	defer response.Body.Close()
	page, err := io.ReadAll(response.Body)
	if err != nil {
		k.t.Fatal(err)
	}
	return response.StatusCode, string(page)
}

func (k *running) score() (any, any) {
	k.t.Helper()
	report := k.want(200, "GET", "/v1/scores?metric=nps&touchpoint=support_chat", "")
	total, _ := report["total"].(map[string]any)
	return total["score"], total["responses"]
}

// setUp makes an active NPS survey by mail at support_chat.
func (k *running) setUp() {
	k.t.Helper()
	made := k.want(201, "POST", "/v1/surveys", `{"name":"After support chat","template":"nps","touchpoint":"support_chat",
		"channel":"email","trigger":{"type":"interaction"}}`)
	k.want(200, "POST", fmt.Sprintf("/v1/surveys/%s/activate", made["id"]), "")
}

func (k *running) chat(customer string) map[string]any {
	k.t.Helper()
	answer := k.want(202, "POST", "/v1/interactions", `{"touchpoint":"support_chat","customer":`+customer+`}`)
	decisions, _ := answer["decisions"].([]any)
	if len(decisions) != 1 {
		k.t.Fatalf("decisions %v", answer)
	}
	decision, _ := decisions[0].(map[string]any)
	return decision
}
