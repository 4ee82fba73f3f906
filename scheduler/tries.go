package scheduler

import (
	"sync/atomic"

	"koe/survey/store"
)

// Tries are what became of the webhooks' events that this process has posted
// since it started, one for each try.
type Tries struct {
	Taken, Refused, Unreached int64 // answered 200 to 299, otherwise, and not at all
}

// tries are Tries while they grow.
type tries struct {
	taken, refused, unreached atomic.Int64
}

// Tries is what this process has posted so far.
func (s *Scheduler) Tries() Tries {
	return Tries{s.tries.taken.Load(), s.tries.refused.Load(), s.tries.unreached.Load()}
}

func (t *tries) count(tried store.Tried) {
	switch {
	case tried.Skipped: // nothing was posted
	case tried.Error == "":
		t.taken.Add(1)
	case tried.Status != 0:
		t.refused.Add(1)
	default:
		t.unreached.Add(1)
	}
}
