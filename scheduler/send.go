package scheduler

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"koe/scheduler/mail"
	"koe/survey"
	"koe/survey/store"
)

// Once koe is asked to stop, a mail that is with a worker may still take so
// long, and after it the note of what became of it.
const (
	inHand = 6 * time.Second
	toNote = 2 * time.Second
)

// work is one worker with one connection. Once ctx is done it gives back what
// it has not begun.
func (p *pipeline) work(ctx context.Context) error {
	mailer := p.NewMailer()
	for b := range p.ready {
		c := b.mail.Claim
		if b.unsure || ctx.Err() != nil {
			p.giveBack(ctx, []store.Claim{c})
			continue
		}
		sent, err := p.send(ctx, mailer, b)
		if err != nil {
			p.Log.Error("a mail could not be brought to its end", "invitation", c.Invitation, "error", err)
		}
		if begun := (notBegun{}); errors.As(err, &begun) { // no server has heard of it
			p.giveBack(ctx, []store.Claim{c})
		} else if sent {
			p.sent <- c
		} else {
			p.done <- []store.Claim{c}
		}
	}
	return mailer.Close()
}

// notBegun is why a mail was not brought to the server.
type notBegun struct{ error }

// send brings one mail to the server: sent is true where the server took it,
// which is still to be noted, else what became of it is noted. Once begun it
// outlives ctx for a while: half a mail is worse than none. A panic is its
// error, so that it ends one mail and not koe; the mail becomes uncertain when
// its lease runs out.
func (p *pipeline) send(ctx context.Context, mailer mail.Mailer, b begun) (sent bool, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			sent, err = false, fmt.Errorf("a panic: %v", fault)
		}
	}()
	c := b.mail.Claim
	if time.Since(b.at) > p.heartbeat() { // a process that slept may have lost it meanwhile
		var held []store.Claim
		if err := patiently(ctx, func() (err error) { held, err = p.Store.Extend(ctx, p.Lease, c); return err }); err != nil {
			return false, notBegun{err}
		}
		if len(held) == 0 {
			return false, nil
		}
	}
	outcome := p.handOver(ctx, mailer, b.mail)
	if outcome == nil {
		return true, nil
	}
	late, cancel := lasting(ctx, toNote)
	defer cancel()
	return false, patiently(late, func() error { return p.noteFailure(late, c, outcome) })
}

func (p *pipeline) handOver(ctx context.Context, mailer mail.Mailer, m store.Mail) error {
	late, cancel := lasting(ctx, inHand)
	defer cancel()
	message, err := p.message(m)
	if err != nil {
		return err
	}
	return mailer.Send(late, message)
}

// lasting is a context that ends some time after ctx does.
func lasting(ctx context.Context, more time.Duration) (context.Context, context.CancelFunc) {
	late, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(more, cancel) })
	return late, func() { stop(); cancel() }
}

// longestPause is how long the database is left alone at most while it is away.
const longestPause = 5 * time.Second

// patiently does what may fail while the database is away, until it is back or
// ctx is done. What cannot be kept becomes uncertain when its lease runs out.
func patiently(ctx context.Context, do func() error) error {
	wait := 100 * time.Millisecond
	for {
		err := do()
		if !away(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(wait):
			wait = min(2*wait, longestPause)
		}
	}
}

func away(err error) bool {
	var known *survey.Error
	return errors.As(err, &known) && known.Kind == survey.Unavailable
}

func (p *pipeline) noteFailure(ctx context.Context, c store.Claim, outcome error) error {
	var refused *mail.SendError
	switch {
	case !errors.As(outcome, &refused):
		return counted(&p.counts.failed, 1, p.Store.Fail(ctx, c, outcome.Error()))
	case refused.Uncertain:
		return counted(&p.counts.uncertain, 1, p.Store.Uncertain(ctx, c, refused.Error()))
	case refused.Temporary:
		return counted(&p.counts.retried, 1, p.Store.Retry(ctx, c, refused.Error()))
	case refused.NoSuchAddress():
		return counted(&p.counts.failed, 1, p.Store.Unreachable(ctx, c, refused.Error()))
	}
	return counted(&p.counts.failed, 1, p.Store.Fail(ctx, c, refused.Error()))
}

// stepsBack is how often note lets others run before it writes: those who are
// just about to be through come along.
const stepsBack = 2

// note writes down that mails were taken, all that were meanwhile at once.
func (p *pipeline) note(ctx context.Context) {
	for c := range p.sent {
		batch := []store.Claim{c}
		for idle := 0; idle < stepsBack; {
			select {
			case c, open := <-p.sent:
				if !open {
					idle = stepsBack
					break
				}
				batch, idle = append(batch, c), 0
			default:
				idle++
				runtime.Gosched()
			}
		}
		p.noteSent(ctx, batch)
		p.done <- batch
	}
}

func (p *pipeline) noteSent(ctx context.Context, batch []store.Claim) {
	late, cancel := lasting(ctx, inHand+toNote)
	defer cancel()
	err := patiently(late, func() error { return counted(&p.counts.sent, len(batch), p.Store.Sent(late, batch...)) })
	switch {
	case err == nil:
	case len(batch) > 1 && !away(err): // one that cannot be written holds up no other
		for _, c := range batch {
			p.noteSent(ctx, []store.Claim{c})
		}
	default:
		p.Log.Error("that mails were sent could not be noted", "count", len(batch), "invitation", batch[0].Invitation, "error", err)
	}
}
