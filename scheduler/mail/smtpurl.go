package mail

import (
	"crypto/tls"
	"errors"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Security says how a connection is encrypted. The server's certificate is
// checked wherever there is TLS.
type Security int

// The zero value is the strict one.
const (
	StartTLS      Security = iota // STARTTLS, or no mail
	ImplicitTLS                   // TLS from the first byte
	Opportunistic                 // STARTTLS where the server offers it
	Plaintext                     // no TLS
)

// SMTPConfig is a server and how to speak to it. Zero times stand for the
// defaults.
//
// A password never leaves the machine unencrypted: without TLS it is sent to a
// loopback address only.
type SMTPConfig struct {
	Host     string
	Port     int
	Username string
	Password string `json:"-"` // "" with an empty Username: no login
	Security Security

	TLS  *tls.Config `json:"-"` // nil: the system's certificate authorities
	DKIM *DKIM       `json:"-"` // signs what is sent; nil: nobody does

	DialTimeout    time.Duration // connecting: 10 s
	CommandTimeout time.Duration // each command, and the message up to its dot: 60 s
	// ReplyTimeout is the wait for the reply to the final dot: 2 minutes. The
	// ten minutes of RFC 5321 guard against clients that give up and send
	// again; koe does not send an uncertain mail again.
	ReplyTimeout time.Duration
	IdleTimeout  time.Duration // until an unused connection is closed: 30 s
}

// String names the server, never the login.
func (c SMTPConfig) String() string {
	scheme := "smtp://"
	if c.Security == ImplicitTLS {
		scheme = "smtps://"
	}
	return scheme + c.address()
}

func (c SMTPConfig) address() string { return net.JoinHostPort(c.Host, strconv.Itoa(c.Port)) }

func (c SMTPConfig) loopback() bool {
	ip := net.ParseIP(c.Host)
	return strings.EqualFold(c.Host, "localhost") || ip != nil && ip.IsLoopback()
}

func (c SMTPConfig) tlsConfig() *tls.Config {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.TLS != nil {
		config = c.TLS.Clone()
	}
	if config.ServerName == "" {
		config.ServerName = c.Host
	}
	return config
}

func (c SMTPConfig) withDefaults() SMTPConfig {
	for _, t := range []struct {
		value   *time.Duration
		usually time.Duration
	}{
		{&c.DialTimeout, 10 * time.Second}, {&c.CommandTimeout, time.Minute},
		{&c.ReplyTimeout, 2 * time.Minute}, {&c.IdleTimeout, 30 * time.Second},
	} {
		if *t.value <= 0 {
			*t.value = t.usually
		}
	}
	return c
}

// What is wrong with a KOE_SMTP_URL. The messages never repeat what was given:
// a password with an @ or a # in it turns up in any part of a URL.
var (
	errURL = errors.New("KOE_SMTP_URL cannot be read; write smtp://user:password@host:587, " +
		"with special characters of user and password percent-encoded (@ is %40, # is %23, / is %2F, % is %25)")
	errURLScheme = errors.New("KOE_SMTP_URL must begin with smtp:// or smtps://, such as smtp://user:password@host:587")
	errURLHost   = errors.New("KOE_SMTP_URL names no host; write smtp://host:587")
	errURLPort   = errors.New("KOE_SMTP_URL has a port that is not between 1 and 65535")
	errURLRest   = errors.New("KOE_SMTP_URL has something behind host and port; only ?tls=none or ?tls=opportunistic may stand there " +
		"(in a password, ? is written %3F, # is %23, / is %2F)")
	errURLTLS   = errors.New("KOE_SMTP_URL: tls must be none or opportunistic; leave it out to require STARTTLS")
	errURLSMTPS = errors.New("KOE_SMTP_URL: smtps:// is always encrypted; leave out ?tls= or write smtp://")
	errURLLogin = errors.New("KOE_SMTP_URL must have both a user and a password, or neither: smtp://user:password@host:587")
	errURLPlain = errors.New("KOE_SMTP_URL would send the password unencrypted; leave out ?tls=none or the login " +
		"(a login without TLS is for a server on this machine only: localhost, 127.0.0.1, ::1)")
)

// ParseSMTPURL reads the value of KOE_SMTP_URL.
//
//	smtp://user:password@host:587    STARTTLS required; port 587 where left out
//	smtps://user:password@host:465   TLS from the start; port 465 where left out
//	smtp://host:25?tls=opportunistic STARTTLS where offered, its certificate checked
//	smtp://host:25?tls=none          no TLS; with a login only on this machine
//
// User and password are percent-decoded. An error names KOE_SMTP_URL and the
// mend, and never shows a part of the value.
func ParseSMTPURL(s string) (SMTPConfig, error) {
	u, err := url.Parse(s)
	if err != nil {
		return SMTPConfig{}, errURL
	}
	if u.Opaque != "" { // "smtp:host", "user:password@host"
		return SMTPConfig{}, errURLScheme
	}
	c := SMTPConfig{Host: u.Hostname(), Port: 587}
	switch u.Scheme {
	case "smtp":
	case "smtps":
		c.Port, c.Security = 465, ImplicitTLS
	default:
		return SMTPConfig{}, errURLScheme
	}
	if u.Path != "" && u.Path != "/" || u.Fragment != "" {
		return SMTPConfig{}, errURLRest
	}
	if c.Host == "" {
		return SMTPConfig{}, errURLHost
	}
	if port := u.Port(); port != "" {
		if c.Port, err = strconv.Atoi(port); err != nil || c.Port < 1 || c.Port > 65535 {
			return SMTPConfig{}, errURLPort
		}
	}
	if c.Security, err = securityOf(u.RawQuery, c.Security); err != nil {
		return SMTPConfig{}, err
	}
	return c, c.login(u.User)
}

func securityOf(query string, scheme Security) (Security, error) {
	values, err := url.ParseQuery(query)
	switch {
	case err != nil || len(values) > 1 || len(values) == 1 && len(values["tls"]) != 1:
		return scheme, errURLRest
	case len(values) == 0:
		return scheme, nil
	case scheme == ImplicitTLS:
		return scheme, errURLSMTPS
	case values.Get("tls") == "none":
		return Plaintext, nil
	case values.Get("tls") == "opportunistic":
		return Opportunistic, nil
	}
	return scheme, errURLTLS
}

func (c *SMTPConfig) login(user *url.Userinfo) error {
	if user == nil {
		return nil
	}
	c.Username = user.Username()
	c.Password, _ = user.Password()
	control := func(r rune) bool { return r < ' ' || r == 0x7f }
	switch {
	case c.Username == "" || c.Password == "":
		return errURLLogin
	case strings.ContainsFunc(c.Username+c.Password, control):
		return errURL
	case c.Security == Plaintext && !c.loopback():
		return errURLPlain
	}
	return nil
}
