package api

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"koe/survey"
)

// openLimits hold open links, and those who answer by them, to a number of
// posts. They count within this process, in memory alone: addresses are never
// written down.
type openLimits struct {
	now     func() time.Time
	mu      sync.Mutex
	clients map[netip.Prefix]*rate.Limiter // what one address may post
	links   map[string]*rate.Limiter       // what may be posted to one link
	many    map[answering]*rate.Limiter    // what one address may answer before it is odd
	kiosks  map[device]turn                // when a kiosk was last answered at
	signIns map[netip.Prefix]*rate.Limiter // how often one address may ask for a link to sign in
}

// answering is an address at a link.
type answering struct {
	client netip.Prefix
	link   string
}

// device is a kiosk: an address at a link with the attributes that it tells.
type device struct {
	answering
	told string
}

// A whole conference may sit behind one address, a row of tablets too, and a
// poster may be on television.
const (
	clientPosts, clientPostsPerSecond = 3 * manyAnswers, 5   // score, questions and a change of each
	linkPosts, linkPostsPerSecond     = 4 * clientPosts, 100 // so that no one address shuts a link
	manyAnswers, manyAnswersEvery     = 500, 10 * time.Second
	kioskAnswersEvery                 = 5 * time.Second // instead, at a link that may stand on kiosks
	kioskPause                        = 2 * time.Second
	signInAsks, signInAsksEvery       = 20, 30 * time.Second
)

func newOpenLimits(now func() time.Time) *openLimits {
	return &openLimits{now: now, clients: map[netip.Prefix]*rate.Limiter{}, links: map[string]*rate.Limiter{},
		many: map[answering]*rate.Limiter{}, kiosks: map[device]turn{},
		signIns: map[netip.Prefix]*rate.Limiter{}}
}

// clientOf is whom an address belongs to: a home has a /64 of version 6. What
// is no address is everybody's.
func clientOf(address string) netip.Prefix {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return netip.Prefix{}
	}
	ip = ip.Unmap().WithZone("")
	bits := ip.BitLen()
	if ip.Is6() {
		bits = 64
	}
	prefix, _ := ip.Prefix(bits) // the bits fit
	return prefix
}

// client counts a post of an address; one too many is TooMany.
func (l *openLimits) client(address string) error {
	l.mu.Lock()
	limiter := limiterOf(l.clients, clientOf(address), clientPostsPerSecond, clientPosts)
	l.mu.Unlock()
	return l.count(limiter, "too many answers come from here; try again in a moment")
}

// signIn counts who asks for a link to sign in; one too many is TooMany.
func (l *openLimits) signIn(address string) error {
	l.mu.Lock()
	limiter := limiterOf(l.signIns, clientOf(address), rate.Every(signInAsksEvery), signInAsks)
	l.mu.Unlock()
	return l.count(limiter, "too many links are asked for from here; try again in some minutes")
}

// link counts a post to a link that exists; one too many is TooMany.
func (l *openLimits) link(slug string) error {
	l.mu.Lock()
	limiter := limiterOf(l.links, slug, linkPostsPerSecond, linkPosts)
	l.mu.Unlock()
	return l.count(limiter, "too many answers come to this link; try again in a moment")
}

func (l *openLimits) count(limiter *rate.Limiter, message string) error {
	if limiter.AllowN(l.now(), 1) {
		return nil
	}
	return &survey.Error{Kind: survey.TooMany, RetryAfter: time.Second, Message: message}
}

// tooMany is whether one more answer of an address to a link is odd, by whatever
// way in: what the link allows decides, for the way in is the visitor's word.
func (l *openLimits) tooMany(address string, link survey.OpenLink) bool {
	return l.answers(address, link).TokensAt(l.now()) < 1
}

// answered counts an answer that was kept.
func (l *openLimits) answered(address string, link survey.OpenLink) {
	l.answers(address, link).AllowN(l.now(), 1)
}

func (l *openLimits) answers(address string, link survey.OpenLink) *rate.Limiter {
	every := rate.Every(manyAnswersEvery)
	if link.Kiosk {
		every = rate.Every(kioskAnswersEvery)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	limiter := limiterOf(l.many, answering{clientOf(address), link.Slug}, every, manyAnswers)
	if limiter.Limit() != every { // the link was changed since
		limiter.SetLimitAt(l.now(), every)
	}
	return limiter
}

// turn is the last answer of a kiosk that counts.
type turn struct {
	form string // that it was given with
	at   time.Time
}

// tooSoon counts an answer of a kiosk. A form that is sent twice, by a double
// tap, is one answer: neither of its posts is too soon after the other, whichever
// is kept first.
func (l *openLimits) tooSoon(kiosk device, form string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	last, known := l.kiosks[kiosk]
	now := l.now()
	if known && last.form == form {
		return false
	}
	if since := now.Sub(last.at); known && since >= 0 && since < kioskPause {
		return true
	}
	if !known && len(l.kiosks) >= maxLimiters {
		clear(l.kiosks)
	}
	l.kiosks[kiosk] = turn{form, now}
	return false
}

// notKept takes back what tooSoon counted, where the answer was not kept.
func (l *openLimits) notKept(kiosk device, form string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.kiosks[kiosk].form == form {
		delete(l.kiosks, kiosk)
	}
}
