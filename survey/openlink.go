package survey

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"
)

// OpenLink is a survey's anonymous way in: one address for everybody, on a
// poster, on a tablet at the door, in a page of the company's own site. Nobody
// is known by it.
type OpenLink struct {
	Slug           string   `json:"slug"`
	Attributes     []string `json:"attributes"`       // the names that the address may carry a value for
	OncePerBrowser bool     `json:"once_per_browser"` // a cookie remembers that this browser has answered
	Kiosk          bool     `json:"kiosk"`            // may stand on a device that many people share
	EmbedOrigins   []string `json:"embed_origins"`    // the sites that may show it in a frame
	CreatedAt      Instant  `json:"created_at"`
	UpdatedAt      Instant  `json:"updated_at"`
}

// The ways in, which are the channel of the answers that come by them.
const (
	ByLink  = "link"  // the address itself
	ByQR    = "qr"    // from a code
	ByKiosk = "kiosk" // on a shared device
	ByEmbed = "embed" // in a frame of another site
)

const (
	minSlug         = 6
	maxOpen         = 20  // attributes, and origins
	maxOpenValue    = 200 // characters of an attribute's value
	maxOriginLength = 255
)

// reservedQuery are the names in an open link's address that mean something
// else than an attribute.
var reservedQuery = []string{"via", "lang", "score", "edit", "form", "step", "start_lang"}

// Clean brings the link into the form that koe keeps, or returns an Invalid
// error with every field that is wrong. An empty slug is left for koe to
// choose.
func (l *OpenLink) Clean() error {
	var p Problems
	if l.Slug != "" && (!ValidKey(l.Slug) || len(l.Slug) < minSlug) {
		p.Add("slug", "format", "must be %d to 63 lower-case letters, digits, _ and -; leave it out for one that nobody can guess", minSlug)
	}
	if l.Attributes == nil {
		l.Attributes = []string{}
	}
	if len(l.Attributes) > maxOpen {
		p.Add("attributes", "too_many", "must be at most %d names", maxOpen)
	}
	for i, given := range l.Attributes {
		name, at := norm.NFC.String(given), fmt.Sprintf("attributes[%d]", i)
		switch {
		case !attributeName.MatchString(name):
			p.Add(at, "format", "must be the name of an attribute, such as store")
		case slices.Contains(reservedQuery, name):
			p.Add(at, "reserved", "%s has a meaning of its own in the address; take another name", name)
		case slices.Contains(l.Attributes[:i], name):
			p.Add(at, "duplicate", "is named twice")
		}
		l.Attributes[i] = name
	}
	l.cleanOrigins(&p)
	return p.Err()
}

func (l *OpenLink) cleanOrigins(p *Problems) {
	if l.EmbedOrigins == nil {
		l.EmbedOrigins = []string{}
	}
	if len(l.EmbedOrigins) > maxOpen {
		p.Add("embed_origins", "too_many", "must be at most %d", maxOpen)
	}
	for i, given := range l.EmbedOrigins {
		at := fmt.Sprintf("embed_origins[%d]", i)
		origin, ok := cleanOrigin(given)
		switch {
		case !ok:
			p.Add(at, "format", "must be a scheme, a host and perhaps a port, such as https://www.example.com")
		case slices.Contains(l.EmbedOrigins[:i], origin):
			p.Add(at, "duplicate", "is named twice")
		}
		l.EmbedOrigins[i] = origin
	}
}

// cleanOrigin is an origin as a browser writes it. It goes into a header, so
// nothing that could end a word there is let through.
func cleanOrigin(given string) (string, bool) {
	u, err := url.Parse(strings.ToLower(given))
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.User != nil || u.Path != "" && u.Path != "/" ||
		u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || u.Hostname() == "" || len(given) > maxOriginLength {
		return given, false
	}
	for _, r := range u.Host {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') && !strings.ContainsRune(".-:[]", r) {
			return given, false
		}
	}
	return u.Scheme + "://" + u.Host, true
}

// Entrance is the way in that an address names, as far as the link allows it.
func (l OpenLink) Entrance(via string) string {
	switch {
	case via == ByQR, via == ByKiosk && l.Kiosk, via == ByEmbed && len(l.EmbedOrigins) > 0:
		return via
	}
	return ByLink
}

// Told are the attributes that an address may tell: those on the list, each by
// its first value. What is not on the list, empty, too long (200 characters)
// or no text is as if it were not there: addresses grow parameters by
// themselves, and a visitor cannot mend them.
func (l OpenLink) Told(query url.Values) Attributes {
	told := Attributes{}
	for _, name := range l.Attributes {
		value := query.Get(name)
		if value == "" || len([]rune(value)) > maxOpenValue {
			continue
		}
		var p Problems
		clean := Attributes{name: TextValue(value)}.Clean(&p, "attributes")
		if p.Err() == nil {
			told[name] = clean[name]
		}
	}
	return told
}

// A form of an open link is good for FormLasts from when it was shown; one that
// comes back within FormHaste was not read by a person.
const (
	FormLasts = 24 * time.Hour
	FormHaste = time.Second
)

// KioskLeft is how long after its last change an answer on a kiosk is surely
// left by whoever gave it.
const KioskLeft = 10 * time.Minute

// Why an answer is left out of scores until an editor decides otherwise.
const (
	ExcludedTrap      = "trap"       // a field was filled that people do not see
	ExcludedTooFast   = "too_fast"   // it was sent within a second of the page, or of the answer before on this kiosk
	ExcludedCrossSite = "cross_site" // a page of another site sent it
	ExcludedTooMany   = "too_many"   // one address sent too many to this link
	ExcludedByEditor  = "by_editor"  // an editor has left it out
)

// Suspicion is what is odd about how an answer came by an open link.
type Suspicion struct {
	Age     time.Duration // from the page to the answer
	Trap    bool          // the hidden field was filled
	Soon    bool          // the same kiosk answered a moment ago
	Foreign bool          // a page of another site sent it
	Many    bool          // one address sends many
}

// ValidExclusion is true for a reason to leave an answer out of scores.
func ValidExclusion(reason string) bool {
	return slices.Contains([]string{ExcludedTrap, ExcludedTooFast, ExcludedCrossSite, ExcludedTooMany, ExcludedByEditor}, reason)
}

// Excluded is the reason to leave the answer out of scores, or "".
func (s Suspicion) Excluded() string {
	switch {
	case s.Trap:
		return ExcludedTrap
	case s.Age < FormHaste, s.Soon:
		return ExcludedTooFast
	case s.Foreign:
		return ExcludedCrossSite
	case s.Many:
		return ExcludedTooMany
	}
	return ""
}
