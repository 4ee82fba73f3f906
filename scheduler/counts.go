package scheduler

import "sync/atomic"

// Counts are the mails of this process since it started, by what became of
// each try.
type Counts struct {
	Sent, Retried, Failed, Uncertain int64
}

// counts are Counts while they grow.
type counts struct {
	sent, retried, failed, uncertain atomic.Int64
}

// Counts is what this process has done so far.
func (s *Scheduler) Counts() Counts {
	return Counts{s.counts.sent.Load(), s.counts.retried.Load(), s.counts.failed.Load(), s.counts.uncertain.Load()}
}

// counted adds to what became of mails, once it is kept.
func counted(total *atomic.Int64, n int, err error) error {
	if err == nil {
		total.Add(int64(n))
	}
	return err
}
