package source

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // Intercom signs so; HMAC holds with SHA-1
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"hash"
	"strconv"
	"strings"
	"time"

	"koe/survey"
)

// Scheme is how a tool signs what it posts.
type Scheme string

// The schemes that koe knows.
const (
	Unsigned Scheme = "none" // the address is the secret, or a key comes along
	Zendesk  Scheme = "zendesk"
	Intercom Scheme = "intercom"
	HubSpot  Scheme = "hubspot"
	Shopify  Scheme = "shopify"
	Standard Scheme = "standard" // Standard Webhooks
)

// Schemes are all schemes.
func Schemes() []Scheme {
	return []Scheme{Unsigned, Zendesk, Intercom, HubSpot, Shopify, Standard}
}

func schemeNames() string {
	all := make([]string, 0, len(Schemes()))
	for _, one := range Schemes() {
		all = append(all, string(one))
	}
	return strings.Join(all, ", ")
}

// Signed is true where the tool proves that it is the sender.
func (s Scheme) Signed() bool { return s != Unsigned }

// Post is what came, as far as signatures look at it.
type Post struct {
	Header  func(name string) string
	Method  string
	Targets []string // the addresses under which the tool may know koe, with the query
	Body    []byte
	At      survey.Instant // when it came
}

// ErrForged is all that Verify says of a signature that is missing, wrong or
// too old.
var ErrForged = errors.New("not signed by the tool that it is said to come from")

const (
	maxAge     = 5 * time.Minute // as HubSpot and Standard Webhooks ask for
	zendeskAge = time.Hour       // Zendesk names no limit; a retry keeps its instant
)

// Verify says whether a tool signed what came with a secret; ErrForged where
// it did not. An unsigned scheme proves nothing: ErrForged.
func (s Scheme) Verify(secret string, p Post) error {
	ok := false
	switch s {
	case Zendesk:
		at := p.Header("X-Zendesk-Webhook-Signature-Timestamp")
		signed, err := survey.ParseInstant(at)
		ok = err == nil && p.At.Sub(signed).Abs() <= zendeskAge &&
			matches(p.Header("X-Zendesk-Webhook-Signature"), sum(sha256.New, secret, at, string(p.Body)))
	case Intercom:
		hexed, named := strings.CutPrefix(p.Header("X-Hub-Signature"), "sha1=")
		given, err := hex.DecodeString(hexed)
		ok = named && err == nil && hmac.Equal(given, sum(sha1.New, secret, string(p.Body)))
	case HubSpot:
		ok = p.byHubSpot(secret)
	case Shopify:
		ok = matches(p.Header("X-Shopify-Hmac-Sha256"), sum(sha256.New, secret, string(p.Body)))
	case Standard:
		ok = p.byStandard(secret)
	case Unsigned:
	}
	if !ok || secret == "" {
		return ErrForged
	}
	return nil
}

// decoded is how HubSpot writes an address before it signs it.
var decoded = strings.NewReplacer("%3A", ":", "%2F", "/", "%3F", "?", "%40", "@", "%21", "!", "%24", "$", "%27", "'",
	"%28", "(", "%29", ")", "%2A", "*", "%2C", ",", "%3B", ";")

func (p Post) byHubSpot(secret string) bool {
	at := p.Header("X-HubSpot-Request-Timestamp")
	signed, err := strconv.ParseInt(at, 10, 64)
	if err != nil || signed < 0 || p.At.Sub(survey.Instant(signed)).Abs() > maxAge {
		return false
	}
	given := p.Header("X-HubSpot-Signature-v3")
	for _, target := range p.Targets {
		if matches(given, sum(sha256.New, secret, p.Method, decoded.Replace(target), string(p.Body), at)) {
			return true
		}
	}
	return false
}

// byStandard reads the signatures of Standard Webhooks, of which there may be
// several.
func (p Post) byStandard(secret string) bool {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	at := p.Header("Webhook-Timestamp")
	seconds, wrong := strconv.ParseInt(at, 10, 64)
	if err != nil || wrong != nil || len(key) == 0 || p.At.Sub(survey.InstantOf(time.Unix(seconds, 0))).Abs() > maxAge {
		return false
	}
	want := sum(sha256.New, string(key), p.Header("Webhook-Id"), ".", at, ".", string(p.Body))
	for one := range strings.FieldsSeq(p.Header("Webhook-Signature")) {
		if given, v1 := strings.CutPrefix(one, "v1,"); v1 && matches(given, want) {
			return true
		}
	}
	return false
}

func sum(of func() hash.Hash, secret string, parts ...string) []byte {
	mac := hmac.New(of, []byte(secret))
	for _, part := range parts {
		mac.Write([]byte(part))
	}
	return mac.Sum(nil)
}

// matches compares in a time that does not tell where they differ.
func matches(given string, want []byte) bool {
	got, err := base64.StdEncoding.DecodeString(given)
	return err == nil && hmac.Equal(got, want)
}
