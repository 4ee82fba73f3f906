package main

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // zones are the same on every machine

	"github.com/knadh/koanf/v2"

	"koe/api"
	"koe/scheduler/mail"
	"koe/survey"
)

// Settings are the variables that may also be flags, as they are written:
// --base-url is KOE_BASE_URL. A flag wins over its variable.
type Settings struct {
	Listen              string `default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"where to serve (default ${default})"`
	BaseURL             string `placeholder:"URL" help:"what links in mails begin with (default http:// and the address of KOE_LISTEN)"`
	DatabaseURL         string `default:"sqlite:koe.db" placeholder:"URL" help:"sqlite:PATH or postgres://… (default ${default})"`
	DatabaseConnections string `default:"10" placeholder:"N" help:"PostgreSQL connections of this process at most (default ${default})"`
	MailFrom            string `default:"koe <feedback@localhost>" placeholder:"ADDRESS" help:"sender, where a workspace names none (default ${default})"`
	MailWorkers         string `default:"4" placeholder:"N" help:"connections to the SMTP server (default ${default})"`
	MailPerSecond       string `default:"unlimited" placeholder:"N" help:"mails a second at most (default ${default})"`
	MailPerDomain       string `default:"unlimited" placeholder:"N" help:"mails a second to one domain at most (default ${default})"`
	MailsPerRecipient   string `default:"50" placeholder:"N" help:"first mails to one address within 24 hours at most, or unlimited (default ${default})"`
	MailsPerKey         string `default:"1000000" placeholder:"N" help:"mails planned in a day by what one key tells at most, or unlimited (default ${default})"`
	CatchUp             string `default:"6h" placeholder:"DURATION" help:"by how much a schedule may fire late, after koe was down; 0s makes up for nothing (default ${default})"`
	WebhookLoopback     string `default:"false" placeholder:"BOOL" help:"let webhooks reach this machine itself, for development (default ${default})"`
	MailLease           string `default:"15s" placeholder:"TIME" help:"how long a claimed mail is kept without a sign of life, 1s to 60s (default ${default})"`
	BounceAddress       string `placeholder:"ADDRESS" help:"mailbox that takes what comes back, such as bounces@mail.example.com (default the sender's)"`
	DKIMDomain          string `placeholder:"DOMAIN" help:"domain that mail is signed for (default none); goes with KOE_DKIM_KEY"`
	DKIMSelector        string `placeholder:"NAME" help:"name of the key in that domain's DNS, before ._domainkey"`
	TrustedProxies      string `placeholder:"NETWORK,…" help:"whose X-Forwarded-* headers are believed, such as 10.0.0.0/8 (default none)"`
	RatePerKey          string `default:"unlimited" placeholder:"N" help:"requests a second and key at most (default ${default})"`
	LogFormat           string `placeholder:"FORMAT" help:"text or json (default text on a terminal, else json)"`
	LogLevel            string `default:"info" placeholder:"LEVEL" help:"debug, info, warn or error (default ${default})"`
	Timezone            string `placeholder:"ZONE" help:"time zone of a new workspace, such as Asia/Tokyo (default this machine's, else UTC)"`
}

// The secret variables. They are never flags: everybody on a machine can read
// the command lines of all programs.
const (
	smtpVariable     = "KOE_SMTP_URL"
	keyVariable      = "KOE_ADMIN_KEY"
	secretVariable   = "KOE_SECRET"
	dkimVariable     = "KOE_DKIM_KEY"
	sesVariable      = "KOE_BOUNCE_SES_TOPIC"
	postmarkVariable = "KOE_BOUNCE_POSTMARK_SECRET"
	sendgridVariable = "KOE_BOUNCE_SENDGRID_KEY"
)

const variablesOnly = `These are variables only, because they are secret:

  KOE_SMTP_URL   smtp://HOST:587 or smtps://HOST:465, with a login as
                 USER:PASSWORD@ before HOST
                 (default empty: mail is captured and shown at /mailbox)
  KOE_ADMIN_KEY  becomes an admin key of the workspace "default"
                 (default empty: the first start makes one and prints it)
  KOE_SECRET     what links are derived from, 32 characters or more
                 (default made once and kept beside the SQLite file;
                 required with PostgreSQL)
  KOE_DKIM_KEY   signs mail: a private RSA or Ed25519 key in PEM
                 (default empty: koe signs nothing)

Whose reports of bounces are believed beside those of API keys (default none):

  KOE_BOUNCE_SES_TOPIC        ARNs of the SNS topics that SES reports to
  KOE_BOUNCE_POSTMARK_SECRET  password in the address of Postmark's webhooks
  KOE_BOUNCE_SENDGRID_KEY     verification key of SendGrid's signed webhook
`

// Config is what the settings say, checked.
type Config struct {
	Listen        string // HOST:PORT
	BaseURL       string // without a slash at its end; "" follows the listening address
	DatabaseURL   string
	Connections   int // PostgreSQL's, at most
	SMTP          *mail.SMTPConfig
	MailFrom      mail.Address
	BounceAddress string // "" where mail comes back to its sender
	MailWorkers   int
	MailPerSecond float64 // 0 is unlimited, here and below
	MailPerDomain float64
	// MailsPerRecipient: within 24 hours
	MailsPerRecipient int
	MailsPerKey       int           // in a day (UTC)
	MailLease         time.Duration // 1 to 60 seconds
	CatchUp           time.Duration
	// WebhookLoopback: webhooks may reach this machine itself
	WebhookLoopback bool
	RatePerKey      float64
	Bounces         api.BounceDoors
	TrustedProxies  []netip.Prefix
	LogFormat       string // text, json, or "": as the terminal wants
	LogLevel        slog.Level
	Timezone        string // of the machine where nobody chose one
	ZoneChosen      bool   // somebody chose Timezone
	AdminKey        string // "" for none
	Secret          string // "" where it is kept beside the SQLite file
}

// config checks the settings. The error is one line that names the first wrong
// variable and the mend, and shows nothing of a secret.
func (s Settings) config(k *koanf.Koanf) (Config, error) {
	var err error
	c := Config{
		Listen:            read(&err, "KOE_LISTEN", s.Listen, listenAddress),
		BaseURL:           read(&err, "KOE_BASE_URL", s.BaseURL, baseURL),
		DatabaseURL:       read(&err, "KOE_DATABASE_URL", s.DatabaseURL, databaseURL),
		Connections:       read(&err, "KOE_DATABASE_CONNECTIONS", s.DatabaseConnections, upTo(1000)),
		MailFrom:          read(&err, "KOE_MAIL_FROM", s.MailFrom, mail.ParseAddress),
		MailWorkers:       read(&err, "KOE_MAIL_WORKERS", s.MailWorkers, upTo(100)),
		MailPerSecond:     read(&err, "KOE_MAIL_PER_SECOND", s.MailPerSecond, rate),
		MailPerDomain:     read(&err, "KOE_MAIL_PER_DOMAIN", s.MailPerDomain, rate),
		MailsPerRecipient: read(&err, "KOE_MAILS_PER_RECIPIENT", s.MailsPerRecipient, mailsADay(100_000)),
		MailsPerKey:       read(&err, "KOE_MAILS_PER_KEY", s.MailsPerKey, mailsADay(100_000_000)),
		MailLease:         read(&err, "KOE_MAIL_LEASE", s.MailLease, shortTime),
		BounceAddress:     read(&err, "KOE_BOUNCE_ADDRESS", s.BounceAddress, bounceAddress),
		CatchUp:           read(&err, "KOE_CATCH_UP", s.CatchUp, lengthOfTime),
		WebhookLoopback:   read(&err, "KOE_WEBHOOK_LOOPBACK", s.WebhookLoopback, yesOrNo),
		RatePerKey:        read(&err, "KOE_RATE_PER_KEY", s.RatePerKey, rate),
		TrustedProxies:    read(&err, "KOE_TRUSTED_PROXIES", s.TrustedProxies, networks),
		LogFormat:         read(&err, "KOE_LOG_FORMAT", s.LogFormat, logFormat),
		LogLevel:          read(&err, "KOE_LOG_LEVEL", s.LogLevel, logLevel),
		Timezone:          read(&err, "KOE_TIMEZONE", s.Timezone, timezone),
		ZoneChosen:        s.Timezone != "",
		AdminKey:          read(&err, keyVariable, k.String(keyVariable), presentableKey),
		Secret:            read(&err, secretVariable, k.String(secretVariable), longSecret),
	}
	c.Bounces = bounceDoors(&err, k)
	if err != nil {
		return c, err
	}
	if url := k.String(smtpVariable); url != "" {
		server, err := mail.ParseSMTPURL(url) // its error names the variable
		if err != nil {
			return c, err
		}
		c.SMTP = &server
	}
	dkim, err := mail.NewDKIM(s.DKIMDomain, s.DKIMSelector, k.String(dkimVariable)) // its error names the variable
	if err != nil {
		return c, err
	}
	if c.SMTP != nil {
		c.SMTP.DKIM = dkim
	}
	return c, c.together()
}

// read is parse(text), or the first error under the name of its variable.
func read[T any](first *error, name, text string, parse func(string) (T, error)) T {
	value, err := parse(text)
	if err != nil && *first == nil {
		*first = fmt.Errorf("%s: %w", name, err)
	}
	return value
}

// together checks what is right by itself and wrong beside another.
func (c Config) together() error {
	if _, lite := c.sqlite(); !lite && c.Secret == "" {
		return errors.New("KOE_SECRET: is required with PostgreSQL; make one with: openssl rand -hex 32")
	}
	base, err := url.Parse(c.baseURL(c.Listen))
	if err == nil && c.SMTP != nil && loopback(base.Hostname()) {
		return errors.New("KOE_BASE_URL: links in mails would lead to this machine alone; " +
			"set the address that your customers reach, such as https://feedback.example.com")
	}
	return err
}

// baseURL is what links begin with, served at an address.
func (c Config) baseURL(address string) string {
	if c.BaseURL != "" {
		return c.BaseURL
	}
	host, port, _ := net.SplitHostPort(address)
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}

func loopback(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") ||
		err == nil && (ip.Unmap().IsLoopback() || ip.IsUnspecified())
}

func listenAddress(text string) (string, error) {
	_, port, err := net.SplitHostPort(text)
	if n, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil || strconv.FormatUint(n, 10) != port {
		return "", errors.New("must be HOST:PORT, such as 127.0.0.1:8080 or :8080")
	}
	return text, nil
}

// bounceAddress is a mailbox behind whose name a + and up to 48 characters fit:
// such a part of an address has 64 at most.
func bounceAddress(text string) (string, error) {
	const most = 15
	if text == "" {
		return "", nil
	}
	address, err := mail.ParseAddress(text)
	local, _, _ := strings.Cut(address.Email, "@")
	plain := func(r rune) bool { return r > 0x7e || strings.ContainsRune("+\"\\ ", r) }
	if err != nil || address.Name != "" || len(local) > most || strings.ContainsFunc(local, plain) {
		return "", fmt.Errorf("must be one plain address such as bounces@mail.example.com, with at most %d characters and no + before the @", most)
	}
	return address.Email, nil
}

func baseURL(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	u, err := url.Parse(text)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" || u.User != nil ||
		strings.ContainsAny(text, "?#") {
		return "", errors.New("must be an http or https address without ? and #, such as https://feedback.example.com")
	}
	return strings.TrimRight(text, "/"), nil
}

func databaseURL(text string) (string, error) {
	path, lite := strings.CutPrefix(text, "sqlite:")
	switch {
	case lite && (path == "" || strings.Contains(path, ":memory:") || strings.Contains(path, "mode=memory")):
		return "", errors.New("an in-memory database would lose every answer; name a file, such as sqlite:koe.db")
	case lite, strings.HasPrefix(text, "postgres://"), strings.HasPrefix(text, "postgresql://"):
		return text, nil
	}
	return "", errors.New("must be sqlite:PATH or postgres://…")
}

// upTo reads a whole number from 1.
func upTo(most int) func(string) (int, error) {
	return func(text string) (int, error) {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > most {
			return 0, fmt.Errorf("must be a whole number from 1 to %d", most)
		}
		return n, nil
	}
}

// mailsADay reads a whole number from 1; unlimited is 0.
func mailsADay(most int) func(string) (int, error) {
	return func(text string) (int, error) {
		if text == "unlimited" {
			return 0, nil
		}
		n, err := upTo(most)(text)
		if err != nil {
			err = fmt.Errorf("%w or the word unlimited", err)
		}
		return n, err
	}
}

// rate reads a number per second; unlimited is 0.
func rate(text string) (float64, error) {
	if text == "unlimited" {
		return 0, nil
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || !(n > 0) || math.IsInf(n, 0) {
		return 0, errors.New("must be a number above 0 or the word unlimited")
	}
	return n, nil
}

func lengthOfTime(text string) (time.Duration, error) {
	d, err := survey.ParseDuration(text)
	return d.Length(), err
}

func yesOrNo(text string) (bool, error) {
	if text != "true" && text != "false" {
		return false, errors.New("must be true or false")
	}
	return text == "true", nil
}

// shortTime reads a time such as 15s, of 1 to 60 seconds.
func shortTime(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d < time.Second || d > time.Minute {
		return 0, errors.New("must be a time from 1s to 60s, such as 15s")
	}
	return d, nil
}

func networks(text string) ([]netip.Prefix, error) {
	var list []netip.Prefix
	for _, one := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' }) {
		network, err := netip.ParsePrefix(one)
		if address, plain := netip.ParseAddr(one); plain == nil && address.Zone() == "" {
			network, err = netip.PrefixFrom(address, address.BitLen()), nil
		}
		if err != nil {
			return nil, errors.New("must be networks or addresses with commas between them, such as 10.0.0.0/8,192.168.1.5")
		}
		list = append(list, network.Masked())
	}
	return list, nil
}

func logFormat(text string) (string, error) {
	if text != "" && text != "text" && text != "json" {
		return "", errors.New("must be text or json")
	}
	return text, nil
}

func logLevel(text string) (slog.Level, error) {
	levels := map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}
	level, ok := levels[strings.ToLower(text)]
	if !ok {
		return 0, errors.New("must be debug, info, warn or error")
	}
	return level, nil
}

// presentableKey accepts what fits into both forms of the Authorization
// header; a colon would end the user name of HTTP Basic.
func presentableKey(text string) (string, error) {
	odd := func(r rune) bool { return r <= ' ' || r >= 0x7f || r == ':' }
	if text != "" && (len(text) < 16 || strings.ContainsFunc(text, odd)) {
		return "", errors.New("must be 16 or more ASCII letters, digits and signs, without spaces and colons")
	}
	return text, nil
}

const minSecret = 32

func longSecret(text string) (string, error) {
	if text != "" && len(text) < minSecret {
		return "", fmt.Errorf("must have at least %d characters; make one with: openssl rand -hex 32", minSecret)
	}
	return text, nil
}

// sqlite is the path of the SQLite file; false with PostgreSQL.
func (c Config) sqlite() (string, bool) { return strings.CutPrefix(c.DatabaseURL, "sqlite:") }
