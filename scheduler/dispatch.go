package scheduler

import (
	"context"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"koe/survey"
	"koe/survey/store"
)

// heartbeat is how often a claim is extended while its mail waits for a worker
// or for the server.
func (s *Scheduler) heartbeat() time.Duration { return s.Lease / 3 }

// pipeline takes mails through their steps. At most twice as many as there are
// workers are in it: what a process that is killed leaves behind is one of
// those. A step takes all mails that are ready for it at once, so that one
// durable write serves many, and while some are written down others are sent.
//
//	claim -> start (rules, "sending") -> work (SMTP) -> note ("sent")
type pipeline struct {
	*Scheduler
	most    int
	claimed chan []store.Claim // to be started
	ready   chan begun         // marked as sending
	sent    chan store.Claim   // taken by the server
	done    chan []store.Claim // out of the pipeline
	taken   map[store.Claim]struct{}
	hungry  bool // more may be due than was last claimed
	next    time.Time
	absent  time.Time // when the database was last found to be away
}

// begun is a mail that is marked as sending, with when that was known to hold.
type begun struct {
	mail store.Mail
	at   time.Time
}

// dispatch runs the pipeline until ctx is done and all that was in it has ended
// or was given back.
func (s *Scheduler) dispatch(ctx context.Context) error {
	most := 2 * s.Workers
	p := &pipeline{Scheduler: s, most: most, claimed: make(chan []store.Claim, most), ready: make(chan begun, most),
		sent: make(chan store.Claim, most), done: make(chan []store.Claim, most), taken: map[store.Claim]struct{}{}}
	var starter, workers, noter errgroup.Group
	starter.Go(func() error { p.start(ctx); return nil })
	for range s.Workers {
		workers.Go(func() error { return p.work(ctx) })
	}
	noter.Go(func() error { p.note(ctx); return nil })
	p.feed(ctx)
	close(p.claimed)
	_ = starter.Wait() // it has no error
	close(p.ready)
	err := workers.Wait()
	close(p.sent)
	_ = noter.Wait() // likewise
	return err
}

// feed claims what is due, until ctx is done.
func (p *pipeline) feed(ctx context.Context) {
	beat := time.NewTicker(p.heartbeat())
	defer beat.Stop()
	slot := time.NewTimer(time.Hour) // when a mail that was over its domain's cap may go
	defer slot.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-p.wake:
			p.claim(ctx)
		case <-slot.C:
			p.claim(ctx)
		case claims := <-p.done:
			for _, c := range claims {
				delete(p.taken, c)
			}
			if p.hungry && len(p.taken) <= p.Workers { // half of it is through: fetch more
				p.claim(ctx)
			}
		case <-beat.C:
			p.extend(ctx)
		case <-p.lost:
			p.settle(ctx)
		}
		if !p.next.IsZero() {
			slot.Reset(max(early, p.next.Sub(p.Now())))
			p.next = time.Time{}
		}
	}
}

// maxRounds is how often claim takes others in the place of those that it put
// back, before mails in hand have their turn: a domain over its cap may have a
// million due.
const maxRounds = 50

// claim takes as many due mails as there is room for. Those over their domain's
// cap are put back at once, and others are taken in their place.
func (p *pipeline) claim(ctx context.Context) {
	for round := 0; ctx.Err() == nil && len(p.taken) < p.most; round++ {
		if round == maxRounds {
			p.next = p.Now() // go on as soon as the others had theirs
			return
		}
		room := p.most - len(p.taken)
		claims, err := p.Store.ClaimDue(ctx, room, p.Lease)
		p.failed(ctx, "no mail could be claimed", err)
		p.hungry = len(claims) == room
		now := p.Now().Round(0) // of the clock on the wall, by which mails fall due: it may be set
		var mayGo []store.Claim
		var later []store.Later
		for _, c := range claims {
			if at := p.caps.may(c.Domain, now); at.IsZero() {
				mayGo = append(mayGo, c)
			} else {
				later = append(later, store.Later{Claim: c, Until: survey.InstantOf(at)})
				if p.next.IsZero() || at.Before(p.next) {
					p.next = at
				}
			}
		}
		for _, c := range mayGo {
			p.taken[c] = struct{}{}
		}
		if len(mayGo) > 0 {
			p.claimed <- mayGo // it never blocks: there is room for all that may be taken
		}
		if len(later) == 0 {
			return
		}
		if err := p.Store.Postpone(ctx, later); err != nil {
			p.Log.Error("mails over a cap could not be put back", "error", err) // their leases run out
			return
		}
		if !p.hungry {
			return
		}
	}
}

// extend keeps what is in the pipeline from being taken for lost.
func (p *pipeline) extend(ctx context.Context) {
	if len(p.taken) == 0 {
		return
	}
	_, err := p.Store.Extend(ctx, p.Lease, slices.Collect(maps.Keys(p.taken))...)
	p.failed(ctx, "leases could not be extended", err)
}

// settle takes mails back from processes that are gone. Those that are in this
// pipeline are not, whatever their leases say: the database may have been away
// for longer, or the clock was set. After an absence the other processes get a
// lease's time to extend theirs.
func (p *pipeline) settle(ctx context.Context) {
	if time.Since(p.absent) < p.Lease {
		return
	}
	n, err := p.Store.SettleLeases(ctx, false, slices.Collect(maps.Keys(p.taken))...)
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
		p.absent = time.Now()
	}
	p.Log.Error(what, "error", err)
}

// start asks the rules again and marks mails as sending, all that wait at once.
// What the cap over all does not let go yet waits here, before it is marked.
func (p *pipeline) start(ctx context.Context) {
	var waiting []store.Claim
	for {
		if len(waiting) == 0 {
			claims, open := <-p.claimed
			if !open {
				return
			}
			waiting = claims
		}
		for more := true; more; {
			select {
			case claims := <-p.claimed: // nil where it is closed
				waiting = append(waiting, claims...)
				more = claims != nil
			default:
				more = false
			}
		}
		n := 1
		if p.all.Wait(ctx) == nil {
			for n < len(waiting) && p.all.Allow() {
				n++
			}
			p.begin(ctx, waiting[:n])
		} else { // koe is asked to stop: somebody else sends them at once
			n = len(waiting)
			p.giveBack(ctx, waiting)
		}
		waiting = waiting[n:]
	}
}

// begin brings claimed mails to the workers. Where that fails for all together
// each is tried alone, so that one that cannot be read holds up no other.
func (p *pipeline) begin(ctx context.Context, claims []store.Claim) {
	late, cancel := lasting(ctx, toNote)
	defer cancel()
	mails, err := p.Store.StartSending(late, claims, p.messageID)
	switch {
	case err != nil && len(claims) > 1 && !away(err):
		for _, c := range claims {
			p.begin(ctx, []store.Claim{c})
		}
		return
	case err != nil:
		p.Log.Error("mails could not be begun", "count", len(claims), "invitation", claims[0].Invitation, "error", err)
		p.giveBack(ctx, claims) // the mark may be there all the same
		return
	}
	at := time.Now()
	begins := make(map[store.Claim]bool, len(mails))
	for _, m := range mails {
		begins[m.Claim] = true
	}
	var over []store.Claim
	for _, c := range claims {
		if !begins[c] {
			over = append(over, c)
		}
	}
	if len(over) > 0 {
		p.done <- over
	}
	for _, m := range mails {
		p.ready <- begun{m, at}
	}
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
