package api

import (
	"crypto/sha256"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
	"golang.org/x/time/rate"

	"koe/survey"
)

// limits holds each key, and each link of a respondent, to a number of requests.
// It counts within this process: n replicas let n times as much pass.
type limits struct {
	now       func() time.Time
	perSecond float64 // of a key; 0: no limit
	burst     int     // what may come at once
	mu        sync.Mutex
	byKey     map[survey.ID]*rate.Limiter
	byToken   map[[sha256.Size]byte]*rate.Limiter // hashes, since a client may make up tokens of any length
}

const (
	maxLimiters = 10_000 // bounds the memory; past it everybody starts afresh
	postsATime  = 60     // what may be posted to one link at once, and in every further minute
)

func newLimits(perSecond float64, now func() time.Time) *limits {
	return &limits{now: now, perSecond: perSecond, burst: max(1, int(math.Ceil(perSecond))),
		byKey: map[survey.ID]*rate.Limiter{}, byToken: map[[sha256.Size]byte]*rate.Limiter{}}
}

func (l *limits) key(key survey.ID) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	return limiterOf(l.byKey, key, rate.Limit(l.perSecond), l.burst)
}

func limiterOf[K comparable](known map[K]*rate.Limiter, key K, perSecond rate.Limit, burst int) *rate.Limiter {
	limiter, ok := known[key]
	if !ok {
		if len(known) >= maxLimiters {
			clear(known)
		}
		limiter = rate.NewLimiter(perSecond, burst)
		known[key] = limiter
	}
	return limiter
}

// token counts a post to a respondent's link; one too many is TooMany.
func (l *limits) token(token string) error {
	l.mu.Lock()
	limiter := limiterOf(l.byToken, sha256.Sum256([]byte(token)), rate.Every(time.Minute/postsATime), postsATime)
	l.mu.Unlock()
	if limiter.AllowN(l.now(), 1) {
		return nil
	}
	return &survey.Error{Kind: survey.TooMany, RetryAfter: time.Second,
		Message: "this link was posted to too often; try again in a moment"}
}

// limit counts a request against its key and says what is left, in the headers
// of the IETF's draft (draft-ietf-httpapi-ratelimit-headers).
func (a *api) limit(c echo.Context) error {
	l := a.limits
	if l.perSecond <= 0 {
		return nil
	}
	now, limiter := l.now(), l.key(caller(c).KeyID)
	allowed := limiter.AllowN(now, 1)
	left := limiter.TokensAt(now)
	full := time.Duration((float64(l.burst) - left) / l.perSecond * float64(time.Second))
	window := math.Ceil(float64(l.burst) / l.perSecond)
	header := c.Response().Header()
	header.Set("RateLimit-Policy", fmt.Sprintf(`"key";q=%d;w=%.0f`, l.burst, window))
	header.Set("RateLimit", fmt.Sprintf(`"key";r=%d;t=%d`, int(max(left, 0)), wholeSeconds(full)))
	if allowed {
		return nil
	}
	next := time.Duration((1 - left) / l.perSecond * float64(time.Second))
	return &survey.Error{Kind: survey.TooMany, RetryAfter: max(next, time.Second),
		Message: fmt.Sprintf("this key may make %g requests per second", l.perSecond)}
}
