// Package scheduler is everything that happens without a request: schedules that
// fire, mails that fall due, events for webhooks, leases that run out, invitations that expire, tallies that are
// folded.
//
// It waits and never decides: what may be sent and when is for package survey
// to say, and every step is durable in the store before the next begins. It
// knows nothing of HTTP routes or SQL. Any number of processes may run it over
// one PostgreSQL; over one SQLite file there is one.
package scheduler

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/robfig/cron/v3"
	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"koe/scheduler/mail"
	"koe/survey/store"
	"koe/templates"
)

// Options are what a Scheduler needs. PerSecond and PerDomain are mails per
// second, in all and to one domain; 0 means no cap. Caps hold per process.
type Options struct {
	Store     *store.Store
	Words     *templates.Words
	NewMailer func() mail.Mailer // one for each worker
	From      mail.Address       // where a workspace names no sender
	BaseURL   string             // what links begin with
	// BounceAddress is the mailbox that takes what comes back, with a signed
	// part put behind its name; "" has it come back to the sender.
	BounceAddress string
	Workers       int
	PerSecond     float64
	PerDomain     float64
	Lease         time.Duration // how long a claimed mail is held without a sign of life; 15 s where 0
	// CatchUp is by how much a schedule may fire late, after koe was down; see
	// store.FireDue. 0 makes up for nothing.
	CatchUp time.Duration
	// WebhookLoopback lets webhooks reach this machine itself, for development.
	WebhookLoopback bool
	DeliveryTime    time.Duration // for one try of a webhook; 15 s where 0
	Resolver        *net.Resolver // of webhooks' host names; the machine's where nil
	Log             *slog.Logger
	Now             func() time.Time // the clock; time.Now where nil
}

// Scheduler turns the jobs.
type Scheduler struct {
	Options
	caps      *domainCaps
	all       *rate.Limiter
	counts    counts
	endpoints *endpoints
	tries     tries
	wake      chan struct{} // mail may be due
	lost      chan struct{} // mail may have been left behind
	outbox    chan struct{} // something else may be due
	// paused are the workspaces whose sending has paused itself, as the log was
	// told; of watchPaused alone, which never runs twice at a time.
	paused map[int64]string
}

// New checks the options.
func New(o Options) (*Scheduler, error) {
	if o.Store == nil || o.Words == nil || o.NewMailer == nil || o.BaseURL == "" || o.Workers < 1 {
		return nil, errors.New("a scheduler needs a store, words, a mailer, a base URL and a worker")
	}
	if o.Lease == 0 {
		o.Lease = 15 * time.Second
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.DeliveryTime == 0 {
		o.DeliveryTime = deliveryTime
	}
	all := rate.NewLimiter(rate.Inf, 0)
	if o.PerSecond > 0 {
		all = rate.NewLimiter(rate.Limit(o.PerSecond), max(1, int(2*o.PerSecond*early.Seconds()))) // what may pass between two looks
	}
	return &Scheduler{Options: o, caps: newDomainCaps(o.PerDomain), all: all, wake: make(chan struct{}, 1), lost: make(chan struct{}, 1),
		endpoints: newEndpoints(o.DeliveryTime, o.WebhookLoopback, o.Resolver), outbox: make(chan struct{}, 1)}, nil
}

// job is one line of the table: what happens how often.
type job struct {
	name string
	spec string // of robfig/cron
	do   func(context.Context) error
}

func (s *Scheduler) jobs() []job {
	return []job{
		{"send", "@every 1s", waking(s.wake)},
		{"fire", "@every 1s", s.fire},
		{"deliver", "@every 1s", waking(s.outbox)},
		{"notify", "@every 1s", s.notify},
		{"follow up", "@every 5s", s.tendFollowUps},
		{"fold", "@every 1s", s.fold},
		{"rebuild", "@every 1s", s.rebuild},
		{"tag", "@every 1s", s.tag},
		{"settle", "@every 1s", waking(s.lost)},
		{"settle deliveries", "@every 5s", s.settleDeliveries},
		{"sweep", "@every 1m", s.sweep},
		{"judge", "@every 5s", s.judge},
		{"digest", "@every 1s", s.queueDigests},
		{"watch", "@every 1s", s.watchPaused},
	}
}

// Run turns the jobs until ctx is done; then it starts nothing new, finishes
// the mails in hand and returns.
func (s *Scheduler) Run(ctx context.Context) error {
	if err := s.starting(ctx); err != nil {
		return err
	}
	clock, err := s.clock(ctx, s.jobs())
	if err != nil {
		return err
	}
	clock.Start()
	_ = waking(s.wake)(ctx) // what is due does not wait for the clock's first turn
	work, ctx := errgroup.WithContext(ctx)
	work.Go(func() error { return s.dispatch(ctx) })
	work.Go(func() error { return s.deliverAll(ctx) })
	err = work.Wait()
	<-clock.Stop().Done()
	return err
}

// clock turns jobs once it is started. A job that still runs is not started
// again, and one that panics disturbs no other.
func (s *Scheduler) clock(ctx context.Context, jobs []job) (*cron.Cron, error) {
	log := cronLog{s.Log}
	// SkipIfStillRunning outside Recover: the other way round, a job that
	// panics once never runs again
	clock := cron.New(cron.WithLocation(time.UTC), cron.WithLogger(log),
		cron.WithChain(cron.SkipIfStillRunning(log), cron.Recover(log)))
	for _, j := range jobs {
		if _, err := clock.AddFunc(j.spec, func() { s.turn(ctx, j) }); err != nil {
			return nil, fmt.Errorf("job %s: %w", j.name, err)
		}
	}
	return clock, nil
}

// turn runs a job once. A job that fails is tried again at its next turn.
func (s *Scheduler) turn(ctx context.Context, j job) {
	if ctx.Err() != nil {
		return
	}
	if err := j.do(ctx); err != nil && ctx.Err() == nil {
		s.Log.Error("a job failed", "job", j.name, "error", err)
	}
}

// waking is the job that wakes whoever waits at a channel.
func waking(at chan<- struct{}) func(context.Context) error {
	return func(context.Context) error {
		select {
		case at <- struct{}{}:
		default: // it is awake already
		}
		return nil
	}
}

// starting settles what an earlier process left, before anything is claimed.
func (s *Scheduler) starting(ctx context.Context) error {
	if _, err := s.Store.SettleDeliveries(ctx, true); err != nil {
		return fmt.Errorf("settle the deliveries of an earlier run: %w", err)
	}
	for {
		n, err := s.Store.SettleLeases(ctx, true)
		if err != nil {
			return fmt.Errorf("settle the mails of an earlier run: %w", err)
		}
		if n == 0 {
			return nil
		}
		s.Log.Warn("mails of an earlier run were settled", "count", n)
	}
}

func (s *Scheduler) sweep(ctx context.Context) error {
	for {
		n, err := s.Store.Sweep(ctx)
		if err != nil || n == 0 {
			return err
		}
	}
}

func (s *Scheduler) fold(ctx context.Context) error {
	for {
		n, err := s.Store.FoldTallies(ctx)
		if err != nil || n == 0 {
			return err
		}
	}
}

// rebuild counts tallies anew where days or segments have changed.
func (s *Scheduler) rebuild(ctx context.Context) error {
	for ctx.Err() == nil {
		more, err := s.Store.Rebuild(ctx)
		if err != nil || !more {
			return err
		}
	}
	return nil
}

// tag looks at answers anew where the rules that tag them have changed.
func (s *Scheduler) tag(ctx context.Context) error {
	for ctx.Err() == nil {
		more, err := s.Store.ApplyTagRules(ctx)
		if err != nil || !more {
			return err
		}
	}
	return nil
}

// cronLog hands cron's own words to slog: its chatter as debug, its errors
// (a job that panicked) as errors.
type cronLog struct{ log *slog.Logger }

// Info is cron's chatter.
func (l cronLog) Info(message string, keysAndValues ...any) {
	l.log.Debug("cron: "+message, keysAndValues...)
}

// Error is a job that panicked.
func (l cronLog) Error(err error, message string, keysAndValues ...any) {
	l.log.Error("cron: "+message, append(keysAndValues, "error", err)...)
}
