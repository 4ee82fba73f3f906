package main

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

// program is one running server under load.
type program struct {
	name   string
	url    string // http://127.0.0.1:PORT
	key    string // the admin key; empty for the floor
	survey string
	out    string // the file that takes its output
	cmd    *exec.Cmd
	rounds []round
}

// start runs a built program in the folder. What it prints goes into a file:
// a pipe that nobody empties would stop it.
func start(dir, name, port string, args, env []string) (*program, error) {
	p := &program{name: name, url: "http://127.0.0.1:" + port, out: filepath.Join(dir, name+".log")}
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
	p.stop()
	printed, _ := os.ReadFile(p.out) // the error below stands without it
	return nil, fmt.Errorf("%s does not listen after 30 s; it printed:\n%s", name, printed)
}

func startFloor(dir string) (*program, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	p, err := start(dir, "floor", port, []string{"-listen", "127.0.0.1:" + port, "-db", "floor.db"}, nil)
	if err == nil {
		p.survey = "00000000-0000-7000-8000-000000000000" // as long as koe's, so that both read as much
	}
	return p, err
}

var adminKey = regexp.MustCompile(`\bkoe_[A-Za-z0-9_-]+`)

// startKoe starts koe as a newcomer would, with the key that it prints on its
// first start, and opens a survey.
func startKoe(dir string) (*program, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	p, err := start(dir, "koe", port, []string{"serve"}, []string{
		"KOE_LISTEN=127.0.0.1:" + port, "KOE_DATABASE_URL=sqlite:koe.db", "KOE_SMTP_URL=", "KOE_ADMIN_KEY=", "KOE_RATE_PER_KEY=", "KOE_LOG_LEVEL=warn"}) // the floor logs no requests either
	if err != nil {
		return nil, err
	}
	if err := p.openSurvey(); err != nil {
		p.stop()
		return nil, err
	}
	return p, nil
}

func (p *program) openSurvey() error {
	for range 50 { // it may print the key a moment after it listens
		printed, err := os.ReadFile(p.out)
		if err != nil {
			return err
		}
		if p.key = string(adminKey.Find(printed)); p.key != "" {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	if p.key == "" {
		return errors.New("koe printed no key")
	}
	var made struct {
		ID string `json:"id"`
	}
	if err := p.call(http.MethodPost, "/v1/surveys", `{"name":"bench","template":"nps",
		"touchpoint":"bench","channel":"link","trigger":{"type":"manual"}}`, &made); err != nil {
		return err
	}
	p.survey = made.ID
	return p.call(http.MethodPost, "/v1/surveys/"+p.survey+"/activate", "", nil)
}

// stored checks that koe counts every answer that it acknowledged.
func (p *program) stored(want int) error {
	var scores struct {
		Total struct {
			Responses int `json:"responses"`
		} `json:"total"`
	}
	if err := p.call(http.MethodGet, "/v1/scores?metric=nps&survey="+p.survey, "", &scores); err != nil {
		return err
	}
	if got := scores.Total.Responses; got != want {
		return fmt.Errorf("koe acknowledged %d answers and counts %d", want, got)
	}
	return nil
}

// call speaks to koe's API; out, where not nil, takes the answer.
func (p *program) call(method, path, body string, out any) error {
	req, err := http.NewRequest(method, p.url+path, bytes.NewBufferString(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+p.key)
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

// peakMemory is the most resident memory, in bytes, that the program ever had.
func (p *program) peakMemory() (int, error) {
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

// stop ends the program and waits for it.
func (p *program) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // fails where it has ended already
	late := time.AfterFunc(10*time.Second, func() { _ = p.cmd.Process.Kill() })
	defer late.Stop()
	_ = p.cmd.Wait()
}

// freePort is a port that was free a moment ago.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}
