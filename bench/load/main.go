// Command load sends the same request over and over on many connections and
// reports how fast it was answered.
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
	Requests  int     `json:"requests"`
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

func main() {
	var extra headers
	target := flag.String("url", "", "http:// address to send to")
	method := flag.String("method", "POST", "HTTP method")
	body := flag.String("body-template", "", "body; {n} becomes a number that no two requests share")
	start := flag.Int("start", 0, "the first such number")
	connections := flag.Int("connections", 64, "connections, kept alive, one request at a time on each")
	requests := flag.Int("requests", 60000, "requests in all")
	flag.Var(&extra, "header", `header such as "Authorization: Bearer KEY"; may be given several times`)
	flag.Parse()

	got, err := run(*target, *method, *body, extra, *start, *connections, *requests)
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(got)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

// run shares the requests out to the connections and waits for all of them.
func run(target, method, body string, extra []string, start, connections, requests int) (report, error) {
	u, err := url.Parse(target)
	if err != nil || u.Scheme != "http" || u.Host == "" {
		return report{}, fmt.Errorf("-url: %q is not an http:// address", target)
	}
	if connections < 1 || requests < connections {
		return report{}, fmt.Errorf("-requests: %d do not fill %d connections", requests, connections)
	}
	clients := make([]*client, connections)
	for i := range clients {
		if clients[i], err = dial(u, method, body, extra); err != nil {
			return report{}, err
		}
		defer clients[i].conn.Close()
	}

	errs := make([]error, connections)
	var all sync.WaitGroup
	began := time.Now()
	for i, c := range clients {
		share, next := requests/connections, start+i*(requests/connections)
		if i == connections-1 {
			share += requests % connections
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
