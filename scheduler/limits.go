package scheduler

import (
	"maps"
	"sync"
	"time"
)

// domainCaps say which mails may go out now to each domain, and when the others
// may. They never make anybody wait: what is over its domain's cap is put back
// on the queue, so that no other domain's mail stands behind it. They run on
// the clock by which mails fall due.
type domainCaps struct {
	every time.Duration // between two mails to one domain; 0 is no cap
	mu    sync.Mutex
	of    map[string]*domainCap
}

type domainCap struct {
	free   time.Time // when the next mail may go
	queued time.Time // the place of the next that is put back; never before free
}

const (
	// early is by how much a mail may go before its time: instants are kept in
	// milliseconds, and a dispatcher that wakes fifty times a second has to keep
	// up with any cap.
	early = 20 * time.Millisecond
	// maxDomains bounds the memory; past it those that are quiet are forgotten.
	maxDomains = 10_000
)

func newDomainCaps(perSecond float64) *domainCaps {
	c := &domainCaps{of: map[string]*domainCap{}}
	if perSecond > 0 {
		c.every = time.Duration(float64(time.Second) / perSecond)
	}
	return c
}

// may is the zero time where a mail to a domain may go now, which counts it;
// else the instant for which it has a place in the domain's queue.
func (c *domainCaps) may(domain string, now time.Time) time.Time {
	if c.every == 0 {
		return time.Time{}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	d := c.domain(domain, now)
	if d.free.Sub(now) > c.every+early { // the clock was set back
		*d = domainCap{}
	}
	if !now.Before(d.free.Add(-early)) {
		if d.free.Before(now) {
			d.free = now
		}
		d.free = d.free.Add(c.every)
		return time.Time{}
	}
	if d.queued.Before(d.free) {
		d.queued = d.free
	}
	place := d.queued
	d.queued = place.Add(c.every)
	return place
}

func (c *domainCaps) domain(name string, now time.Time) *domainCap {
	d, ok := c.of[name]
	if ok {
		return d
	}
	if len(c.of) >= maxDomains {
		maps.DeleteFunc(c.of, func(_ string, d *domainCap) bool { return d.free.Before(now) && d.queued.Before(now) })
	}
	if len(c.of) >= maxDomains {
		clear(c.of)
	}
	d = &domainCap{}
	c.of[name] = d
	return d
}
