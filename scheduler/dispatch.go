package scheduler

import (
	"context"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"koe/survey"
	"koe/survey/store"
)

// heartbeat is how often a claim is extended while its mail waits for a worker
// or for the server.
func (s *Scheduler) heartbeat() time.Duration { return s.Lease / 3 }

// depth is how many mails are in the pipeline at most. While each worker sends
// one, another is being taken or noted for it; where the database is a server of
// its own, which answers in turn, one more. What a process that is killed leaves
// behind as uncertain is one of those.
func (s *Scheduler) depth() int {
	if s.Store.Remote() {
		return 3 * s.Workers
	}
	return 2 * s.Workers
}

// pipeline takes mails through their steps, at most depth at a time. A step
// takes all mails that are ready for it at once, so that one durable write
// serves many, and while some are written down others are sent.
//
//	take (claim, rules, "sending") -> work (SMTP) -> note ("sent")
type pipeline struct {
	*Scheduler
	most   int
	ready  chan begun         // marked as sending
	sent   chan store.Claim   // taken by the server
	done   chan []store.Claim // out of the pipeline
	hand   hand
	hungry bool // more may be due than was last taken
	next   time.Time
	absent atomic.Pointer[time.Time] // when the database was last found to be away; nil for never
}

// begun is a mail that is marked as sending, with when that was known to hold.
// Where it is unsure whether the mark is kept, the mail is to be given back.
type begun struct {
	mail   store.Mail
	at     time.Time
	unsure bool
}

// dispatch runs the pipeline until ctx is done and all that was in it has ended
// or was given back.
func (s *Scheduler) dispatch(ctx context.Context) error {
	most := s.depth()
	p := &pipeline{Scheduler: s, most: most, ready: make(chan begun, most), sent: make(chan store.Claim, most),
		done: make(chan []store.Claim, most), hand: hand{claims: map[store.Claim]struct{}{}}}
	var workers, noter, beat errgroup.Group
	for range s.Workers {
		workers.Go(func() error { return p.work(ctx) })
	}
	noter.Go(func() error { p.note(ctx); return nil })
	beat.Go(func() error { p.beat(ctx); return nil })
	p.feed(ctx)
	close(p.ready)
	err := workers.Wait()
	close(p.sent)
	_ = noter.Wait() // these two have no error
	_ = beat.Wait()
	return err
}

// feed takes what is due, until ctx is done.
func (p *pipeline) feed(ctx context.Context) {
	slot := time.NewTimer(time.Hour) // when a mail that was over a cap may go
	defer slot.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-p.wake:
			p.take(ctx)
		case <-slot.C:
			p.take(ctx)
		case claims := <-p.done:
			p.hand.drop(claims)
			if p.hungry && p.hand.size() <= p.most*3/4 { // early enough that workers have others meanwhile
				p.take(ctx)
			}
		case <-p.lost:
			p.settle(ctx)
		}
		if !p.next.IsZero() {
			slot.Reset(max(early, p.next.Sub(p.Now())))
			p.next = time.Time{}
		}
	}
}

// While mails do not go out, because a rule moves or ends them or their domain
// is over its cap, take looks for others in their place. A million may be due
// so, when a send window closes: it looks at twice as many each time, up to
// mostLooked, but lets mails in hand have their turn after maxRounds, or after a
// while.
const (
	maxRounds  = 50
	mostLooked = 256
)

// take brings as many due mails to the workers as there is room for.
func (p *pipeline) take(ctx context.Context) {
	look, start := 0, time.Now()
	for round := 0; ctx.Err() == nil && p.hand.size() < p.most; round++ {
		if round == maxRounds || time.Since(start) > p.heartbeat()/2 {
			p.next = p.Now() // go on as soon as the others had theirs
			return
		}
		room := p.room()
		if room == 0 {
			p.later(p.Now().Add(p.pace()))
			return
		}
		look = max(room, min(2*look, mostLooked))
		late, cancel := lasting(ctx, toNote)
		taken, err := p.Store.TakeDue(late, room, look, p.Lease, p.until, p.messageID)
		cancel()
		if err != nil {
			p.troubled(ctx, taken, err)
			return
		}
		p.begin(taken.Mails)
		p.hungry = taken.More
		if !p.hungry || len(taken.Mails) == room {
			break
		}
		if taken.Busy == taken.Found && look >= mostLooked { // others decide about all of them: the clock wakes it again
			p.hungry = false
			break
		}
	}
	if p.hungry && p.pace() > 0 {
		p.later(p.Now().Add(p.pace()))
	}
}

// room is how many mails may be taken now: what fits, and what the cap over all
// lets go.
func (p *pipeline) room() int {
	fits := p.most - p.hand.size()
	if p.all.Limit() == rate.Inf {
		return fits
	}
	return min(fits, int(p.all.Tokens()))
}

// pace is the time between two mails under the cap over all; 0 where there is
// none.
func (p *pipeline) pace() time.Duration {
	return time.Duration(float64(time.Second) / float64(p.all.Limit()))
}

// until is when a mail to a domain may go; 0 is now.
func (p *pipeline) until(domain string) survey.Instant {
	at := p.caps.may(domain, p.Now().Round(0)) // of the clock on the wall, by which mails fall due: it may be set
	if at.IsZero() {
		return 0
	}
	p.later(at)
	return survey.InstantOf(at)
}

// later has the pipeline look for mail again at an instant.
func (p *pipeline) later(at time.Time) {
	if p.next.IsZero() || at.Before(p.next) {
		p.next = at
	}
}

// begin hands mails to the workers. They alone count for the cap over all: what
// was put back or ended by a rule costs nobody a turn.
func (p *pipeline) begin(mails []store.Mail) {
	at := time.Now()
	p.all.AllowN(at, len(mails)) // there is room: see room
	for _, m := range mails {
		p.hand.add(m.Claim)
		p.ready <- begun{mail: m, at: at} // it never blocks: there is room for all that may be taken
	}
}

// troubled goes on where mails could not be taken together: each is tried alone,
// so that one that cannot be read holds up no other.
func (p *pipeline) troubled(ctx context.Context, taken store.Taken, err error) {
	p.failed(ctx, "no mail could be taken", err)
	for _, m := range taken.Mails { // marked, perhaps: workers give them back, for leases are to be extended meanwhile
		p.hand.add(m.Claim)
		p.ready <- begun{mail: m, unsure: true}
	}
	if away(err) || ctx.Err() != nil {
		return
	}
	room := p.most - p.hand.size()
	claims, err := p.Store.ClaimDue(ctx, room, p.Lease)
	p.failed(ctx, "no mail could be claimed", err)
	p.hungry = err == nil && len(claims) == room
	for _, c := range claims {
		until, why := p.until(c.Domain), survey.WaitDomainCap
		if until == 0 {
			mails, err := p.Store.StartSending(ctx, []store.Claim{c}, p.messageID)
			if err == nil {
				p.begin(mails)
				continue
			}
			p.Log.Error("a mail could not be begun", "invitation", c.Invitation, "error", err)
			until, why = survey.InstantOf(p.Now().Add(time.Minute)), survey.WaitRetry
		}
		if err := p.Store.Postpone(ctx, []store.Later{{Claim: c, Until: until, Why: why}}); err != nil {
			p.Log.Error("a mail could not be put back", "invitation", c.Invitation, "error", err) // its lease runs out
		}
	}
}

// beat keeps what is in the pipeline from being taken for lost, until ctx is
// done. It waits for nothing that feed waits for.
func (p *pipeline) beat(ctx context.Context) {
	beat := time.NewTicker(p.heartbeat())
	defer beat.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-beat.C:
			if claims := p.hand.list(); len(claims) > 0 {
				_, err := p.Store.Extend(ctx, p.Lease, claims...)
				p.failed(ctx, "leases could not be extended", err)
			}
		}
	}
}

// settle takes mails back from processes that are gone. Those that are in this
// pipeline are not, whatever their leases say: the database may have been away
// for longer, or the clock was set. After an absence the other processes get the
// time to find it back, and then a lease's to extend theirs.
func (p *pipeline) settle(ctx context.Context) {
	if at := p.absent.Load(); at != nil && time.Since(*at) < p.Lease+2*longestPause {
		return
	}
	n, err := p.Store.SettleLeases(ctx, false, p.hand.list()...)
	p.failed(ctx, "mails of a process that is gone could not be settled", err)
	if n > 0 {
		p.Log.Warn("mails of a process that is gone were settled", "count", n)
	}
}

// failed says what could not be done, and notes where the database is away.
func (p *pipeline) failed(ctx context.Context, what string, err error) {
	if err == nil || ctx.Err() != nil {
		return
	}
	if away(err) {
		now := time.Now()
		p.absent.Store(&now)
	}
	p.Log.Error(what, "error", err)
}

// giveBack gives back mails of which no server has heard.
func (p *pipeline) giveBack(ctx context.Context, claims []store.Claim) {
	late, cancel := lasting(ctx, toNote)
	defer cancel()
	err := patiently(late, func() error { return p.Store.Release(late, claims...) })
	if err != nil {
		p.Log.Error("mails could not be given back", "count", len(claims), "error", err)
	}
	p.done <- claims
}
