package scheduler

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// turned turns jobs for five and a half seconds of a clock that does not wait,
// and returns how often each had a turn, and the log.
func turned(ctx context.Context, t *testing.T, jobs map[string]func() error) (turns map[string]int, said string) {
	t.Helper()
	turns = map[string]int{}
	var log bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var table []job
		for name, do := range jobs {
			table = append(table, job{name, "@every 1s", func(context.Context) error {
				mu.Lock()
				turns[name]++
				mu.Unlock()
				return do()
			}})
		}
		s := &Scheduler{Options: Options{Log: slog.New(slog.NewTextHandler(&log, nil))}}
		clock, err := s.clock(ctx, table)
		if err != nil {
			t.Fatal(err)
		}
		clock.Start()
		time.Sleep(5500 * time.Millisecond)
		<-clock.Stop().Done()
	})
	return turns, log.String()
}

func TestAJobThatPanicsOrFailsDisturbsNoOther(t *testing.T) {
	turns, log := turned(t.Context(), t, map[string]func() error{
		"panics": func() error { panic("out of order") },
		"fails":  func() error { return errors.New("the database is away") },
		"works":  func() error { return nil },
	})
	for name, n := range turns {
		if n != 5 {
			t.Errorf("the job that %s had %d turns in five seconds", name, n)
		}
	}
	for _, words := range []string{"out of order", "a job failed", "the database is away"} {
		if strings.Count(log, words) != 5 {
			t.Errorf("the log says %q %d times, want 5:\n%s", words, strings.Count(log, words), log)
		}
	}
}

func TestAJobThatStillRunsIsNotStartedAgain(t *testing.T) {
	turns, _ := turned(t.Context(), t, map[string]func() error{
		"slow":  func() error { time.Sleep(2500 * time.Millisecond); return nil },
		"works": func() error { return nil },
	})
	if turns["slow"] != 2 || turns["works"] != 5 {
		t.Errorf("turns in five seconds: %v, want 2 of slow and 5 of works", turns)
	}
}

func TestNoJobIsStartedAfterTheEnd(t *testing.T) {
	ended, end := context.WithCancel(t.Context())
	end()
	turns, log := turned(ended, t, map[string]func() error{"works": func() error { return nil }})
	if turns["works"] != 0 || log != "" {
		t.Errorf("%d turns after the end; log %s", turns["works"], log)
	}
}
