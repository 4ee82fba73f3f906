package mail

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/emersion/go-msgauth/dkim"
)

// DKIM signs messages for a domain (RFC 6376), with RSA and SHA-256 or with
// Ed25519 (RFC 8463). It may be used concurrently.
type DKIM struct {
	options dkim.SignOptions
}

// signed are the fields that a signature covers. One that a message has not got
// is covered too, and those that people are shown are covered once more than
// there are: nobody can put another in on the way.
var signed = []string{"From", "From", "To", "To", "Reply-To", "Reply-To", "Subject", "Subject", "Date", "Date", "Message-ID",
	"In-Reply-To", "References", "List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "Auto-Submitted", "X-Koe-Invitation",
	"MIME-Version", "Content-Type", "Content-Type", "Content-Transfer-Encoding"}

const (
	minRSA = 1024 // bits; RFC 8301 has verifiers refuse less
	label  = `[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?`
)

var (
	dkimDomain   = regexp.MustCompile(`^` + label + `(\.` + label + `)+$`)
	dkimSelector = regexp.MustCompile(`^` + label + `(\.` + label + `)*$`)
)

// NewDKIM reads what KOE_DKIM_DOMAIN, KOE_DKIM_SELECTOR and KOE_DKIM_KEY say:
// all three or, for mail that somebody else signs or nobody, none; then the
// result is nil. Errors name the variable and show nothing of the key.
func NewDKIM(domain, selector, key string) (*DKIM, error) {
	if domain == "" && selector == "" && key == "" {
		return nil, nil //nolint:nilnil // nobody signs
	}
	const together = "; KOE_DKIM_DOMAIN, KOE_DKIM_SELECTOR and KOE_DKIM_KEY go together"
	var signer crypto.Signer
	if key != "" {
		var err error
		if signer, err = dkimKey(key); err != nil {
			return nil, fmt.Errorf("KOE_DKIM_KEY: %w", err)
		}
	}
	badDomain := len(domain) > 253 || !dkimDomain.MatchString(domain)
	badSelector := len(selector) > 100 || !dkimSelector.MatchString(selector)
	switch {
	case badSelector && (selector != "" || !badDomain):
		return nil, errors.New("KOE_DKIM_SELECTOR: must be the name before ._domainkey in the DNS, such as koe1" + together)
	case badDomain:
		return nil, errors.New("KOE_DKIM_DOMAIN: must be the domain in ASCII that mail is signed for, such as example.com" + together)
	case signer == nil:
		return nil, errors.New("KOE_DKIM_KEY: is missing" + together)
	}
	return &DKIM{dkim.SignOptions{Domain: domain, Selector: selector, Signer: signer, HeaderKeys: signed,
		HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed}}, nil
}

// dkimKey reads a private key in PEM. A line break may be written \n, because
// not everything that sets variables lets one stand there.
func dkimKey(text string) (crypto.Signer, error) {
	errKey := errors.New("must be a private RSA or Ed25519 key in PEM, as openssl genpkey writes it")
	block, _ := pem.Decode([]byte(strings.ReplaceAll(text, `\n`, "\n")))
	if block == nil {
		return nil, errKey
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		if parsed, err = x509.ParsePKCS1PrivateKey(block.Bytes); err != nil {
			return nil, errKey // the parser's words might tell of the key
		}
	}
	switch key := parsed.(type) {
	case *rsa.PrivateKey:
		if key.N.BitLen() < minRSA {
			return nil, fmt.Errorf("has %d bits; mail servers take a signature of %d or more, better 2048", key.N.BitLen(), minRSA)
		}
		return key, nil
	case ed25519.PrivateKey:
		return key, nil
	}
	return nil, errKey
}

// sign is the message with its signature before it.
func (d *DKIM) sign(raw []byte) ([]byte, error) {
	if d == nil {
		return raw, nil
	}
	options := d.options
	var b bytes.Buffer
	b.Grow(len(raw) + 1024)
	if err := dkim.Sign(&b, bytes.NewReader(raw), &options); err != nil {
		return nil, fmt.Errorf("sign mail: %w", err)
	}
	return b.Bytes(), nil
}
