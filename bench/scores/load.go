package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"koe/bench/program"
)

// bench is koe under load.
type bench struct {
	*program.Program
	answers *writer
	kept    map[string]int // answers per touchpoint
}

// open makes a survey at each touchpoint.
func (b *bench) open() error {
	for _, t := range touchpoints {
		if err := b.Call(http.MethodPost, "/v1/surveys", fmt.Sprintf(`{"key":%q,"name":%q,"template":%q,"touchpoint":%q,
			"channel":"link","trigger":{"type":"manual"},"segments":["plan","region"]}`, t.key, t.key, t.template, t.key), nil); err != nil {
			return err
		}
		if err := b.Call(http.MethodPost, "/v1/surveys/"+t.key+"/activate", "", nil); err != nil {
			return err
		}
	}
	return nil
}

// fill imports answers until there are n in all, and says how long it took.
func (b *bench) fill(n int) (rows int, took time.Duration, err error) {
	start := time.Now()
	for _, t := range touchpoints {
		more := int(t.share*float64(n)) - b.kept[t.key]
		if err := b.imports(t, more); err != nil {
			return 0, 0, fmt.Errorf("import of %s: %w", t.key, err)
		}
		b.kept[t.key] += more
		rows += more
	}
	return rows, time.Since(start), nil
}

func (b *bench) imports(t touchpoint, n int) error {
	answer, err := b.send(http.MethodPost, "/v1/responses/import?survey="+url.QueryEscape(t.key), "text/csv", b.answers.csv(t, n))
	if err != nil {
		return err
	}
	defer answer.Close()
	var said struct{ Accepted, Skipped, Rejected int }
	if err := json.NewDecoder(answer).Decode(&said); err != nil {
		return err
	}
	if said.Accepted != n {
		return fmt.Errorf("of %d answers: %+v", n, said)
	}
	return nil
}

// send speaks to koe; the answer is to be closed.
func (b *bench) send(method, path, kind string, body io.Reader) (io.ReadCloser, error) {
	req, err := http.NewRequest(method, b.URL+path, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+b.Key)
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode > 299 {
		defer answer.Body.Close()
		words, _ := io.ReadAll(answer.Body) // the error below stands without them
		return nil, fmt.Errorf("%s %s: %s: %s", method, path, answer.Status, words)
	}
	return answer.Body, nil
}

// trickle posts single answers, one after the other, until it is told to stop.
type trickle struct {
	stop chan struct{}
	done sync.WaitGroup
	took []time.Duration
	err  error
}

const pause = 20 * time.Millisecond

func (b *bench) trickle() *trickle {
	t := &trickle{stop: make(chan struct{})}
	t.done.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-t.stop:
				return
			case <-time.After(pause):
			}
			body := fmt.Sprintf(`{"survey_id":"checkout_ease","score":%d,"comment":"Still here.","attributes":{"plan":"pro","region":"wales"}}`, 1+i%7)
			start := time.Now()
			if t.err = b.Call(http.MethodPost, "/v1/responses", body, nil); t.err != nil {
				return
			}
			t.took = append(t.took, time.Since(start))
		}
	})
	return t
}

// end stops the trickle and says how many answers it gave.
func (t *trickle) end() (int, error) {
	close(t.stop)
	t.done.Wait()
	return len(t.took), t.err
}

// timed asks n times and returns how long each answer took, whole.
func (b *bench) timed(n int, path string) ([]time.Duration, error) {
	took := make([]time.Duration, 0, n)
	for range n {
		start := time.Now()
		answer, err := b.send(http.MethodGet, path, "", nil)
		if err != nil {
			return nil, err
		}
		_, err = io.Copy(io.Discard, answer)
		_ = answer.Close()
		if err != nil {
			return nil, err
		}
		took = append(took, time.Since(start))
	}
	return took, nil
}

// export reads at most so many records of an export, and says how many there
// were and how long they took.
func (b *bench) export(of string, most int) (rows int, took time.Duration, err error) {
	start := time.Now()
	answer, err := b.send(http.MethodGet, "/v1/responses/export?format=csv&survey="+url.QueryEscape(of), "", nil)
	if err != nil {
		return 0, 0, err
	}
	defer answer.Close()
	part, quoted := make([]byte, 1<<16), false
	for rows = -1; rows < most; { // the header is no record
		n, err := answer.Read(part)
		rows += records(part[:n], &quoted)
		if err == io.EOF {
			break
		}
		if err != nil {
			return 0, 0, err
		}
	}
	return min(rows, most), time.Since(start), nil
}

// records counts the ends of lines outside of quotes.
func records(part []byte, quoted *bool) int {
	n := 0
	for len(part) > 0 {
		i := bytes.IndexAny(part, "\"\n")
		if i < 0 {
			break
		}
		if part[i] == '"' {
			*quoted = !*quoted
		} else if !*quoted {
			n++
		}
		part = part[i+1:]
	}
	return n
}

// quantile is the value below which a share of them lies.
func quantile(of []time.Duration, share float64) time.Duration {
	if len(of) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(of))
	return sorted[min(len(sorted)-1, int(share*float64(len(sorted))))]
}
