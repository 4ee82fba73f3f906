// Package api is koe's HTTP side: the REST API and the pages that people see
// in a browser. It, and delighted below it, are the only packages that know echo.
//
// It reads requests strictly, asks the store, and writes what the store said;
// it decides nothing about surveys itself and knows neither SQL nor mail. One
// resource is one file; a handler bears the name of its operation in
// openapi.yaml. To add an operation, write its handler and give it a line in
// routes.go.
//
// Errors travel as *survey.Error and become application/problem+json in one
// place, problem.go. Every other error is a fault: 500, its text in the log
// alone.
package api

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/go-playground/validator/v10"
	"github.com/labstack/echo/v4"

	"koe/api/delighted"
	"koe/survey"
	"koe/survey/store"
	"koe/templates"
)

// Options are what the API needs. Store, Words, OpenAPI and BaseURL are
// required.
type Options struct {
	Store   *store.Store
	Words   *templates.Words
	OpenAPI []byte // the contract, as it is served
	BaseURL string // what links begin with, such as "https://koe.example.com"

	Mailbox  *Mailbox                              // captured mail; nil where mail is sent
	SendTest func(context.Context, TestMail) error // nil where mail cannot be sent

	WebhookTries func() WebhookTries // what this process posted; nil where it sends nothing
	MailCounts   func() MailCounts   // what this process sent; nil where it sends nothing

	TrustedProxies []netip.Prefix // whose X-Forwarded-For is believed
	RatePerKey     float64        // requests per second and key; 0 means unlimited
	Bounces        BounceDoors    // whose reports are believed

	Log     *slog.Logger     // slog.Default() where nil
	Now     func() time.Time // the clock; time.Now where nil
	Version string           // of koe, for the welcome page
}

// TestMail is a mail that somebody sends to themselves to look at it.
type TestMail struct {
	ID   string // Message-ID without its angle brackets
	From survey.Workspace
	To   string // a checked address
	templates.Mail
}

type api struct {
	Options
	echo     *echo.Echo
	validate *validator.Validate
	limits   *limits
	open     *openLimits
	seen     *seenLinks
	metrics  *metrics
	running  sync.Map // Idempotency-Keys whose first request has not ended

	delighted *delighted.Server

	certificates certificates // SNS's
	path         string       // of BaseURL, before every path of koe's; empty without
}

// New is the handler of everything that koe serves over HTTP.
func New(o Options) http.Handler {
	o.BaseURL = strings.TrimRight(o.BaseURL, "/")
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	a := &api{Options: o, echo: echo.New(), validate: newValidator(),
		limits: newLimits(o.RatePerKey, o.Now), open: newOpenLimits(o.Now), seen: &seenLinks{links: map[string]survey.OpenLink{}},
		metrics: newMetrics(mailMetrics{o.Store, o.MailCounts}, webhookMetrics{o.Store, o.WebhookTries}, targetMetrics{o.Store}, followUpMetrics{o.Store})}
	if a.Bounces.Fetch == nil {
		a.Bounces.Fetch = FetchSNS()
	}
	a.echo.HideBanner, a.echo.HidePort = true, true
	a.echo.HTTPErrorHandler = a.problem
	a.echo.IPExtractor = clientAddress(o.TrustedProxies)

	base, err := url.Parse(a.BaseURL)
	if err != nil { // main has checked it
		base = &url.URL{}
	}
	a.path = base.EscapedPath()
	a.delighted = &delighted.Server{Store: a.Store, BaseURL: base, Proxies: a.TrustedProxies}
	a.echo.Pre(delighted.Route)
	a.echo.Use(
		identify,    // every answer has a request id and safe headers
		a.record,    // every request leaves one log line and its metrics
		a.recovered, // a panic is an error like others
	)
	for _, r := range Routes() {
		handle := a.serve(r)
		a.echo.Add(r.Method, echoPath(r.Path), handle)
		if r.Method == http.MethodGet {
			a.echo.Add(http.MethodHead, echoPath(r.Path), handle)
		}
	}
	return a.echo
}

// serve is a route's way through: who asks, whether they may, whether not too
// often, what they send; then the handler.
func (a *api) serve(r Route) echo.HandlerFunc {
	return func(c echo.Context) error {
		c.Set(routeKey, r)
		if inDashboard(c.Request()) {
			if err := a.ownOrigin(c); err != nil {
				return err
			}
		}
		if r.Access != Public {
			if err := a.authenticate(c); err != nil {
				return err
			}
			if err := a.limit(c); err != nil {
				return err
			}
			if err := r.Access.admit(caller(c)); err != nil {
				return err
			}
			if r.query != anyQuery {
				if err := readQuery(c, r.query); err != nil {
					return err
				}
			}
		}
		if err := readBody(c, r.body); err != nil {
			return err
		}
		return r.handle(a, c)
	}
}

// routeKey is where a request keeps its Route.
const routeKey = "route"

// routeOf is the route that a request met; false for a path or a method that
// does not exist.
func routeOf(c echo.Context) (Route, bool) {
	r, ok := c.Get(routeKey).(Route)
	return r, ok
}

// echoPath writes "/v1/surveys/{id}" as echo does: "/v1/surveys/:id".
func echoPath(path string) string {
	return strings.NewReplacer("{", ":", "}", "").Replace(path)
}
