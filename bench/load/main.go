// Command load sends the same request over and over on many connections and
// reports how fast it was answered. Where a page is to be opened before it is
// answered, the two are one turn, and turns are what is counted.
//
// It speaks just enough HTTP/1.1 by itself, over plain TCP with bytes made
// ready in advance, because on a small machine a full client costs as much as
// the server that it is meant to measure.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// report is what is printed, as one line of JSON.
type report struct {
	Requests  int     `json:"requests"` // turns, where they are of two
	Seconds   float64 `json:"seconds"`
	PerSecond float64 `json:"per_second"` // answered with 2xx
	P50       float64 `json:"p50_ms"`
	P99       float64 `json:"p99_ms"`
	Not2xx    int     `json:"not_2xx"`
	Example   string  `json:"example,omitempty"` // the start of one answer that was not 2xx
}

// headers is a flag that may be given several times.
type headers []string

func (h *headers) String() string     { return strings.Join(*h, ", ") }
func (h *headers) Set(s string) error { *h = append(*h, s); return nil }

// settings are what the flags say.
type settings struct {
	target, first, method, body string
	extra                       headers
	targets                     []string
	start                       int
	connections, requests       int
}

func main() {
	var s settings
	var file string
	flag.StringVar(&s.target, "url", "", "http:// address to send to; {target} becomes a line of -targets")
	flag.StringVar(&s.first, "first", "", "http:// address to GET before that, in the same turn, on the same host")
	flag.StringVar(&s.method, "method", "POST", "HTTP method")
	flag.StringVar(&s.body, "body-template", "", "body; {n} becomes a number that no two requests share")
	flag.StringVar(&file, "targets", "", "file with a target for each number, one a line, from 0")
	flag.IntVar(&s.start, "start", 0, "the first number")
	flag.IntVar(&s.connections, "connections", 64, "connections, kept alive, one request at a time on each")
	flag.IntVar(&s.requests, "requests", 60000, "requests in all")
	flag.Var(&s.extra, "header", `header such as "Authorization: Bearer KEY"; may be given several times`)
	flag.Parse()

	err := s.read(file)
	var got report
	if err == nil {
		got, err = run(s)
	}
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(got)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

// read takes the targets from their file.
func (s *settings) read(file string) error {
	if file == "" {
		return nil
	}
	lines, err := os.ReadFile(file)
	s.targets = strings.Fields(string(lines))
	return err
}

// turn is what is sent for each number.
func (s settings) turn() (host string, calls []call, err error) {
	type part struct{ address, method, body string }
	parts := []part{{s.target, s.method, s.body}}
	if s.first != "" {
		parts = append([]part{{s.first, "GET", ""}}, parts...)
	}
	for _, one := range parts {
		u, err := url.Parse(one.address)
		if err != nil || u.Scheme != "http" || u.Host == "" || host != "" && host != u.Host {
			return "", nil, fmt.Errorf("%q is not an http:// address, or not on the same host", one.address)
		}
		host = u.Host
		calls = append(calls, newCall(u, one.method, one.body, s.extra))
	}
	return host, calls, nil
}

// run shares the requests out to the connections and waits for all of them.
func run(s settings) (report, error) {
	host, turn, err := s.turn()
	if err != nil {
		return report{}, err
	}
	if s.connections < 1 || s.requests < s.connections {
		return report{}, fmt.Errorf("-requests: %d do not fill %d connections", s.requests, s.connections)
	}
	if n := len(s.targets); n > 0 && n < s.start+s.requests {
		return report{}, fmt.Errorf("-targets: %d lines, but %d numbers", n, s.start+s.requests)
	}
	clients := make([]*client, s.connections)
	for i := range clients {
		if clients[i], err = dial(host, turn, s.targets); err != nil {
			return report{}, err
		}
		defer clients[i].conn.Close()
	}

	errs := make([]error, s.connections)
	var all sync.WaitGroup
	began := time.Now()
	for i, c := range clients {
		share, next := s.requests/s.connections, s.start+i*(s.requests/s.connections)
		if i == s.connections-1 {
			share += s.requests % s.connections
		}
		all.Go(func() { errs[i] = c.send(next, share) })
	}
	all.Wait()
	took := time.Since(began)
	for _, err := range errs {
		if err != nil {
			return report{}, err
		}
	}
	return sum(clients, took), nil
}

// sum makes one report out of what every client saw.
func sum(clients []*client, took time.Duration) report {
	var times []time.Duration
	r := report{Seconds: took.Seconds()}
	for _, c := range clients {
		times = append(times, c.times...)
		r.Not2xx += c.not2xx
		if r.Example == "" {
			r.Example = c.example
		}
	}
	slices.Sort(times)
	at := func(share float64) float64 {
		return float64(times[int(share*float64(len(times)-1))].Microseconds()) / 1000
	}
	r.Requests, r.P50, r.P99 = len(times), at(0.50), at(0.99)
	r.PerSecond = float64(r.Requests-r.Not2xx) / r.Seconds
	return r
}
