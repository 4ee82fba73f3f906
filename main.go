// Koe asks customers at the right touchpoint how it went and keeps the score:
// one program with a REST API, the pages that customers see, and a scheduler
// that sends the mail.
//
// This package starts it and does nothing in the place of the others:
// config.go reads the settings, commands.go holds the commands, database.go opens
// the database with its secret, main.go serves.
package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"koe/api"
	"koe/scheduler"
	"koe/scheduler/mail"
	"koe/survey"
	"koe/survey/store"
	"koe/templates"
)

//go:embed openapi.yaml
var openAPI []byte

// heapGrowth is by how many percent the heap may grow before it is collected,
// where GOGC does not say. koe's own memory is small beside SQLite's, and at the
// usual 100 a tenth of an answer's time goes into collecting.
const heapGrowth = 150

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(heapGrowth)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends koe at once
	err := run(ctx, os.Args[1:], os.Environ(), os.Stdout, notes{os.Stderr})
	if err != nil && !(ctx.Err() != nil && errors.Is(err, context.Canceled)) {
		fmt.Fprintln(os.Stderr, "koe:", strings.ReplaceAll(err.Error(), "\n", "; "))
		status := exitError{status: 1}
		_ = errors.As(err, &status)
		os.Exit(status.status)
	}
}

// serve is the command. A role may run apart from the other, over one database.
type serve struct {
	Role []string `default:"api,scheduler" enum:"api,scheduler" placeholder:"ROLE,…" help:"What this process does: api, scheduler or both (default both)."`
}

// Help lists the settings that cannot be flags.
func (serve) Help() string { return variablesOnly }

func (s serve) api() bool       { return slices.Contains(s.Role, "api") }
func (s serve) scheduler() bool { return slices.Contains(s.Role, "scheduler") }

// play is what is put on a stage before koe serves, and what is said about it.
type play struct {
	fill func(*store.Store) error
	hint func(base, key string) string
}

// Run serves until ctx is done and what is in hand is finished.
func (s serve) Run(ctx context.Context, c Config, out io.Writer) error {
	return s.run(ctx, c, out, play{fill: func(*store.Store) error { return nil }, hint: firstSteps})
}

func (s serve) run(ctx context.Context, c Config, out io.Writer, p play) (err error) {
	if len(s.Role) == 0 {
		return errors.New("--role: name api, scheduler or both")
	}
	if !s.api() && c.SMTP == nil {
		return errors.New("KOE_SMTP_URL: is needed by a scheduler without the api: nobody could look into its mailbox")
	}
	var listener net.Listener
	if s.api() {
		if listener, err = net.Listen("tcp", c.Listen); err != nil {
			return fmt.Errorf("KOE_LISTEN: %w", err)
		}
		defer listener.Close()
		c.Listen = withPort(c.Listen, listener.Addr())
	}
	c.BaseURL = c.baseURL(c.Listen)
	if path, lite := c.sqlite(); lite && s.scheduler() {
		lock, err := lockBeside(path)
		if err != nil {
			return err
		}
		defer func() { _ = lock.Close() }() // nothing was written to it
	}
	db, err := openStore(ctx, c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := p.fill(db); err != nil {
		return err
	}
	if s.api() {
		if err := welcome(ctx, db, c, out, p.hint); err != nil {
			return err
		}
	}
	return s.work(ctx, c, db, listener)
}

// welcome makes the workspace "default", adopts KOE_ADMIN_KEY and prints where
// koe serves. Where no key of the workspace works yet and none is given, it
// makes one and prints it, this once, with what comes next.
func welcome(ctx context.Context, s *store.Store, c Config, out io.Writer, hint func(base, key string) string) error {
	w, _, err := s.EnsureDefault(ctx)
	if err != nil {
		return err
	}
	if c.AdminKey != "" {
		if _, err := s.AdoptKey(ctx, w.ID, keyVariable, c.AdminKey, store.Admin); err != nil {
			return fmt.Errorf("KOE_ADMIN_KEY: %w", err)
		}
		return c.printAddresses(out, "")
	}
	by := store.Caller{Workspace: w.ID, KeyName: "koe", Role: store.Admin}
	key, err := s.FirstKey(ctx, by, "first start")
	if err != nil {
		return err
	}
	if key == "" {
		return c.printAddresses(out, "")
	}
	token, err := s.FirstSignIn(ctx, by)
	if err != nil {
		return err
	}
	if err := c.printAddresses(out, fmt.Sprintf(`
  Admin key      %s
                 (shown this once; koe key create makes another)
  Sign in        %s/dashboard/sign-in/%s
                 (to the dashboard, once and within a day)`, key, c.BaseURL, token)); err != nil {
		return err
	}
	_, err = io.WriteString(out, hint(c.BaseURL, key))
	return err
}

// firstSteps is what somebody with an empty database may try.
func firstSteps(base, key string) string {
	return fmt.Sprintf("Try it:\n\n  curl -H 'Authorization: Bearer %s' %s/v1/templates\n\n", key, base)
}

// printAddresses says where to look, below what comes first.
func (c Config) printAddresses(out io.Writer, first string) error {
	mailbox := c.BaseURL + "/mailbox"
	if base, err := url.Parse(c.BaseURL); err == nil && !loopback(base.Hostname()) {
		mailbox = "/mailbox, at a loopback address and with an admin key as user name; set KOE_SMTP_URL to send mail"
	}
	if c.SMTP != nil {
		mailbox = "none: mail is sent"
	}
	_, err := fmt.Fprintf(out, `
  koe serves at  %[1]s
%[2]s
  Docs           %[1]s/docs
  Dashboard      %[1]s/dashboard
  Mailbox        %[3]s
  Readiness      %[1]s/readyz

`, c.BaseURL, first, mailbox)
	return err
}

// withPort is the address as it was asked for, with the port that it got.
func withPort(asked string, got net.Addr) string {
	host, _, _ := net.SplitHostPort(asked)
	_, port, _ := net.SplitHostPort(got.String())
	return net.JoinHostPort(host, port)
}

// work runs the roles side by side; one that fails ends the other.
func (s serve) work(ctx context.Context, c Config, db *store.Store, listener net.Listener) error {
	words, err := templates.New()
	if err != nil {
		return err
	}
	log, box := c.logger(os.Stderr), &mail.Mailbox{}
	options := api.Options{Store: db, Words: words, OpenAPI: openAPI, BaseURL: c.BaseURL, Mailbox: mailbox(box),
		TrustedProxies: c.TrustedProxies, RatePerKey: c.RatePerKey, Bounces: c.Bounces, Log: log, Version: version}
	newMailer := func() mail.Mailer { return box }
	if c.SMTP != nil {
		newMailer, options.Mailbox = func() mail.Mailer { return mail.NewSMTP(*c.SMTP) }, nil
	}
	mails, err := scheduler.New(scheduler.Options{Store: db, Words: words, NewMailer: newMailer, From: c.MailFrom, BounceAddress: c.BounceAddress, BaseURL: c.BaseURL,
		Workers: c.MailWorkers, PerSecond: c.MailPerSecond, PerDomain: c.MailPerDomain, Lease: c.MailLease, CatchUp: c.CatchUp, WebhookLoopback: c.WebhookLoopback, Log: log})
	if err != nil {
		return err
	}
	options.SendTest = testMail(mails)
	if s.scheduler() {
		options.WebhookTries = func() api.WebhookTries { return api.WebhookTries(mails.Tries()) }
		options.MailCounts = func() api.MailCounts { return api.MailCounts(mails.Counts()) }
	}
	var server *http.Server
	if s.api() {
		server = api.Server(api.New(options))
		server.ErrorLog = slog.NewLogLogger(log.Handler(), slog.LevelWarn)
	}
	debug.FreeOSMemory() // what starting took; else the heap would grow to thrice of it before it is collected

	group, ctx := errgroup.WithContext(ctx)
	if s.scheduler() {
		group.Go(func() error { return mails.Run(ctx) })
	}
	if server != nil {
		group.Go(func() error {
			if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
				return err
			}
			return nil
		})
		group.Go(func() error {
			<-ctx.Done()
			return drain(server)
		})
	}
	log.Info("koe serves", "base_url", c.BaseURL, "roles", s.Role)
	err = group.Wait()
	log.Info("koe has stopped")
	return err
}

// drain lets the requests that are under way end, and cuts off those that take
// too long.
func drain(server *http.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), 8*time.Second)
	defer cancel()
	if err := server.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return server.Close()
}

// mailbox shows captured mail to the API.
func mailbox(box *mail.Mailbox) *api.Mailbox {
	return &api.Mailbox{
		List: func() []templates.MailboxEntry {
			var list []templates.MailboxEntry
			for _, m := range box.List() {
				list = append(list, entry(m))
			}
			return list
		},
		Find: func(id string) (templates.MailboxEntry, string, bool) {
			m, found := box.Find(id)
			return entry(m), m.HTML, found
		},
	}
}

func entry(m mail.Message) templates.MailboxEntry {
	sent, _ := m.Bytes() // what is in the box could be built
	head, _, _ := strings.Cut(string(sent), "\r\n\r\n")
	headers := strings.Split(strings.ReplaceAll(head, "\r\n ", " "), "\r\n")
	for i, header := range headers {
		if strings.HasPrefix(header, "Subject: ") {
			headers[i] = "Subject: " + m.Subject // as people read it
		}
	}
	return templates.MailboxEntry{ID: m.ID, From: shown(m.From), To: shown(m.To), Subject: m.Subject, Date: survey.InstantOf(m.Date),
		Headers: headers, Text: m.Text, HasHTML: m.HTML != ""}
}

func shown(a mail.Address) string {
	if a.Name == "" {
		return a.Email
	}
	return a.Name + " <" + a.Email + ">"
}

// testMail sends a mail to somebody who wants to look at it, and says what the
// mail server thought of it.
func testMail(s *scheduler.Scheduler) func(context.Context, api.TestMail) error {
	return func(ctx context.Context, m api.TestMail) error {
		err := s.SendTest(ctx, m.From, m.ID, m.To, m.Mail)
		var refused *mail.SendError
		switch {
		case !errors.As(err, &refused):
			return err
		case refused.Temporary || refused.Uncertain:
			return &survey.Error{Kind: survey.Unavailable, RetryAfter: time.Minute, Message: refused.Error()}
		}
		return survey.Errorf(survey.Invalid, "to", "%s", refused)
	}
}
