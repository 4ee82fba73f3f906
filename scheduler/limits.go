package scheduler

import (
	"context"
	"sync"

	"golang.org/x/time/rate"
)

// limits cap how fast mails go out, in all and to each domain.
type limits struct {
	all       *rate.Limiter
	perDomain rate.Limit
	mu        sync.Mutex
	domains   map[string]*rate.Limiter
}

// maxDomains bounds the memory; past it the caps begin anew.
const maxDomains = 10_000

func newLimits(perSecond, perDomain float64) *limits {
	limit := func(n float64) rate.Limit {
		if n <= 0 {
			return rate.Inf
		}
		return rate.Limit(n)
	}
	return &limits{all: rate.NewLimiter(limit(perSecond), 1), perDomain: limit(perDomain), domains: map[string]*rate.Limiter{}}
}

// wait returns when a mail to a domain may go out, or ctx's error.
func (l *limits) wait(ctx context.Context, domain string) error {
	if l.perDomain != rate.Inf {
		if err := l.domain(domain).Wait(ctx); err != nil {
			return err
		}
	}
	return l.all.Wait(ctx)
}

func (l *limits) domain(name string) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.domains) >= maxDomains {
		clear(l.domains)
	}
	limiter, ok := l.domains[name]
	if !ok {
		limiter = rate.NewLimiter(l.perDomain, 1)
		l.domains[name] = limiter
	}
	return limiter
}
