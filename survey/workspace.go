package survey

import (
	"net/url"
	"unicode/utf8"
)

// QuietScope says whose invitations count for the quiet period.
type QuietScope string

// The scopes of a quiet period.
const (
	QuietWorkspace QuietScope = "workspace" // any survey of the workspace
	QuietSurvey    QuietScope = "survey"    // this survey alone
)

// Workspace is a tenant with its settings.
type Workspace struct {
	ID            int64      `json:"-"`
	Key           string     `json:"key"`
	Name          string     `json:"name"`
	Timezone      string     `json:"timezone"`
	QuietPeriod   Duration   `json:"quiet_period"`
	QuietScope    QuietScope `json:"quiet_scope"`
	SenderName    string     `json:"sender_name"`
	SenderAddress string     `json:"sender_address"`
	ReplyTo       string     `json:"reply_to"`
	PostalFooter  string     `json:"postal_footer"`
	PrivacyURL    string     `json:"privacy_url"`
	DefaultLocale string     `json:"default_locale"`
	AccentColor   string     `json:"accent_color"` // as it was asked for; see AccentOf
	Logo          string     `json:"-"`            // what its address ends in; empty without
	LogoWidth     int        `json:"-"`            // in pixels, of two to each on the screen
	LogoHeight    int        `json:"-"`
	CreatedAt     Instant    `json:"created_at"`
	UpdatedAt     Instant    `json:"updated_at"`
}

// NewWorkspace is a workspace with the settings that nobody has changed yet.
func NewWorkspace(key, name, timezone string) Workspace {
	return Workspace{Key: key, Name: name, Timezone: timezone, QuietPeriod: "30d",
		QuietScope: QuietWorkspace, DefaultLocale: "en"}
}

// Clean brings the settings into the form that koe keeps, or returns an
// Invalid error with every field that is wrong. Sender, reply-to, footer and
// privacy link may be empty.
func (w *Workspace) Clean() error {
	var p Problems
	if !ValidKey(w.Key) {
		p.Add("key", "format", "must be lower-case letters, digits, _ and -, at most 63")
	}
	p.Require("name", w.Name)
	w.Name = Line(&p, "name", w.Name, 200)
	if _, err := LoadZone(w.Timezone); err != nil {
		p.Add("timezone", "format", "%s", err)
	}
	if _, err := ParseDuration(string(w.QuietPeriod)); err != nil {
		p.Add("quiet_period", "format", "%s", err)
	}
	if w.QuietScope != QuietWorkspace && w.QuietScope != QuietSurvey {
		p.Add("quiet_scope", "unknown", "must be workspace or survey")
	}
	w.SenderName = Line(&p, "sender_name", w.SenderName, 200)
	w.SenderAddress = optionalAddress(&p, "sender_address", w.SenderAddress)
	w.ReplyTo = optionalAddress(&p, "reply_to", w.ReplyTo)
	w.PostalFooter = Prose(&p, "postal_footer", w.PostalFooter, 500)
	if w.PrivacyURL != "" {
		checkLink(&p, "privacy_url", w.PrivacyURL)
	}
	if w.AccentColor != "" {
		colour, err := ParseColour(w.AccentColor)
		if err != nil {
			p.Add("accent_color", "format", "%s; leave it out for koe's own", err)
		} else {
			w.AccentColor = colour.String()
		}
	}
	if locale, err := ParseLocale(w.DefaultLocale); err != nil {
		p.Add("default_locale", "format", "%s", err)
	} else {
		w.DefaultLocale = locale
	}
	return p.Err()
}

// LogoPath is where koe serves the logo; empty without one.
func (w Workspace) LogoPath() string {
	if w.Logo == "" {
		return ""
	}
	return "/logos/" + w.Logo + ".png"
}

func optionalAddress(p *Problems, field, s string) string {
	if s == "" {
		return ""
	}
	address, err := NormalizeAddress(s)
	if err != nil {
		p.Add(field, "format", "%s", err)
		return s
	}
	return address
}

// checkLink accepts an absolute http or https address and nothing else, so
// that a page can never be made to run or send anything.
func checkLink(p *Problems, field, s string) {
	u, err := url.Parse(s)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" || u.User != nil ||
		len(s) > 2000 || !utf8.ValidString(s) {
		p.Add(field, "format", "must be an http or https address")
	}
}
