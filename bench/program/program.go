// Package program builds, starts and calls the programs that are measured.
package program

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"time"
)

// Program is one running server.
type Program struct {
	Name string
	URL  string // http://127.0.0.1:PORT
	Key  string // koe's admin key
	out  string // the file that takes its output
	cmd  *exec.Cmd
}

// Build compiles packages of this module into a folder, by the name that each
// program is to have there.
func Build(dir string, packages map[string]string) error {
	for name, pkg := range packages {
		if out, err := exec.Command("go", "build", "-o", filepath.Join(dir, name), pkg).CombinedOutput(); err != nil {
			return fmt.Errorf("build %s: %w\n%s", name, err, out)
		}
	}
	return nil
}

// Start runs a built program in the folder until it listens. What it prints goes into a file:
// a pipe that nobody empties would stop it.
func Start(dir, name, port string, args, env []string) (*Program, error) {
	p := &Program{Name: name, URL: "http://127.0.0.1:" + port, out: filepath.Join(dir, name+".log")}
	out, err := os.Create(p.out)
	if err != nil {
		return nil, err
	}
	defer func() { _ = out.Close() }() // the program has a handle of its own
	p.cmd = exec.Command(filepath.Join(dir, name), args...)
	p.cmd.Dir, p.cmd.Env = dir, append(os.Environ(), env...)
	p.cmd.Stdout, p.cmd.Stderr = out, out
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	for range 300 {
		conn, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err == nil {
			return p, conn.Close()
		}
		time.Sleep(100 * time.Millisecond)
	}
	p.Stop()
	printed, _ := os.ReadFile(p.out) // the error below stands without it
	return nil, fmt.Errorf("%s does not listen after 30 s; it printed:\n%s", name, printed)
}

var adminKey = regexp.MustCompile(`\bkoe_[A-Za-z0-9_-]+`)

// StartKoe starts koe as a newcomer would, with the key that it prints on its
// first start, and without a log of requests.
func StartKoe(dir string, env ...string) (*Program, error) {
	port, err := FreePort()
	if err != nil {
		return nil, err
	}
	p, err := Start(dir, "koe", port, []string{"serve"}, append([]string{"KOE_LISTEN=127.0.0.1:" + port,
		"KOE_DATABASE_URL=sqlite:koe.db", "KOE_SMTP_URL=", "KOE_ADMIN_KEY=", "KOE_RATE_PER_KEY=", "KOE_LOG_LEVEL=warn"}, env...))
	if err != nil {
		return nil, err
	}
	if err := p.readKey(); err != nil {
		p.Stop()
		return nil, err
	}
	return p, nil
}

// readKey takes the key that koe printed.
func (p *Program) readKey() error {
	for range 50 { // it may print the key a moment after it listens
		printed, err := os.ReadFile(p.out)
		if err != nil {
			return err
		}
		if p.Key = string(adminKey.Find(printed)); p.Key != "" {
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return errors.New("koe printed no key")
}

var signInLink = regexp.MustCompile(`/dashboard/sign-in/[A-Za-z0-9_-]+`)

// SignInLink is the link to the dashboard that koe printed on its first start;
// it can be used once.
func (p *Program) SignInLink() (string, error) {
	printed, err := os.ReadFile(p.out)
	if err != nil {
		return "", err
	}
	link := signInLink.Find(printed)
	if link == nil {
		return "", errors.New("koe printed no link to sign in")
	}
	return p.URL + string(link), nil
}

// Call speaks to koe's API; out, where not nil, takes the answer.
func (p *Program) Call(method, path, body string, out any) error {
	req, err := http.NewRequest(method, p.URL+path, bytes.NewBufferString(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+p.Key)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	var text bytes.Buffer
	if _, err := text.ReadFrom(answer.Body); err != nil {
		return err
	}
	if answer.StatusCode > 299 {
		return fmt.Errorf("%s %s: %s: %s", method, path, answer.Status, text.String())
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(text.Bytes(), out)
}

var peak = regexp.MustCompile(`VmHWM:\s*(\d+) kB`)

// PeakMemory is the most resident memory, in bytes, that the program ever had.
func (p *Program) PeakMemory() (int, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	found := peak.FindSubmatch(status)
	if found == nil {
		return 0, errors.New("the system tells no VmHWM")
	}
	kb, err := strconv.Atoi(string(found[1]))
	return kb * 1024, err
}

// Stop ends the program and waits for it.
func (p *Program) Stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // fails where it has ended already
	late := time.AfterFunc(10*time.Second, func() { _ = p.cmd.Process.Kill() })
	defer late.Stop()
	_ = p.cmd.Wait()
}

// CPU is the processor time that a program took which has ended.
func (p *Program) CPU() time.Duration {
	if p.cmd.ProcessState == nil {
		return 0
	}
	return p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime()
}

// FreePort is a port that was free a moment ago.
func FreePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}
