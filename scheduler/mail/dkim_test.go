package mail

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/emersion/go-msgauth/dkim"
)

// pemOf is a private key as openssl writes it.
func pemOf(t *testing.T, key crypto.Signer) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func rsaKey(t *testing.T, bits int) *rsa.PrivateKey {
	t.Helper()
	t.Setenv("GODEBUG", "rsa1024min=0")
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// record is what stands in the DNS for a key.
func record(t *testing.T, key crypto.Signer) string {
	t.Helper()
	if public, ok := key.Public().(ed25519.PublicKey); ok {
		return "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(public)
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(der)
}

func TestASignatureHolds(t *testing.T) {
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	bits2048 := rsaKey(t, 2048)
	pkcs1 := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(bits2048)}))
	for name, c := range map[string]struct {
		key     crypto.Signer
		written string
	}{
		"RSA":                 {bits2048, pemOf(t, bits2048)},
		"RSA in the old form": {bits2048, pkcs1},
		"Ed25519":             {edwards, pemOf(t, edwards)},
		"on one line":         {edwards, strings.ReplaceAll(pemOf(t, edwards), "\n", `\n`)},
	} {
		t.Run(name, func(t *testing.T) {
			server := serve(t, StartTLS, nil)
			server.config.DKIM, err = NewDKIM("example.com", "koe1", c.written)
			if err != nil {
				t.Fatal(err)
			}
			m := sample()
			m.UnsubscribeURL, m.InReplyTo = "https://koe.example/u/x", "first@example.com"
			send(t, client(t, server.config), m)
			mails := server.all()
			if len(mails) != 1 {
				t.Fatalf("%d mails", len(mails))
			}
			valid := func(raw []byte) bool {
				list, err := dkim.VerifyWithOptions(bytes.NewReader(raw), &dkim.VerifyOptions{LookupTXT: func(domain string) ([]string, error) {
					if domain != "koe1._domainkey.example.com" {
						t.Errorf("asked for %s", domain)
					}
					return []string{record(t, c.key)}, nil
				}})
				if err != nil || len(list) != 1 {
					t.Fatalf("%v, %v", list, err)
				}
				for _, field := range []string{"From", "To", "Subject", "Date", "Message-ID", "List-Unsubscribe", "List-Unsubscribe-Post",
					"In-Reply-To", "MIME-Version", "Content-Type"} {
					if !slices.Contains(list[0].HeaderKeys, field) {
						t.Errorf("%s is not signed", field)
					}
				}
				return list[0].Err == nil
			}
			raw := mails[0].raw
			if !valid(raw) {
				t.Error("the signature does not hold")
			}
			if valid(bytes.Replace(raw, []byte("Subject: "), []byte("Subject: x"), 1)) {
				t.Error("another subject passes")
			}
			if valid(append([]byte("Reply-To: <thief@example.net>\r\n"), raw...)) {
				t.Error("a reply address may be put in")
			}
		})
	}
}

func TestNothingIsSignedWithoutAKey(t *testing.T) {
	if d, err := NewDKIM("", "", ""); d != nil || err != nil {
		t.Error(d, err)
	}
}

func TestWrongDKIMSettingsNameTheirVariable(t *testing.T) {
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key := pemOf(t, rsaKey(t, 2048))
	for _, c := range []struct{ domain, selector, key, want string }{
		{"", "koe1", key, "KOE_DKIM_DOMAIN: "},
		{"example", "koe1", key, "KOE_DKIM_DOMAIN: "},
		{"exa mple.com", "koe1", key, "KOE_DKIM_DOMAIN: "},
		{"example.com\r\nX: y", "koe1", key, "KOE_DKIM_DOMAIN: "},
		{"example.com", "", key, "KOE_DKIM_SELECTOR: "},
		{"example.com", "a;b", key, "KOE_DKIM_SELECTOR: "},
		{"example.com", "koe1", "", "KOE_DKIM_KEY: "},
		{"example.com", "koe1", "secret words", "KOE_DKIM_KEY: "},
		{"example.com", "koe1", strings.Replace(key, "MII", "MIJ", 1), "KOE_DKIM_KEY: "},
		{"example.com", "koe1", pemOf(t, curve), "KOE_DKIM_KEY: "},
		{"example.com", "koe1", pemOf(t, rsaKey(t, 768)), "KOE_DKIM_KEY: has 768 bits"},
	} {
		_, err := NewDKIM(c.domain, c.selector, c.key)
		if err == nil || !strings.HasPrefix(err.Error(), c.want) || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "MII") {
			t.Errorf("%q %q: %v, want %s", c.domain, c.selector, err, c.want)
		}
	}
}

// brokenSigner is a key that cannot sign.
type brokenSigner struct{ ed25519.PrivateKey }

func (brokenSigner) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("the key is locked away")
}

// A key that cannot sign is for the operator to mend: no server hears of the
// mail, and it waits.
func TestAKeyThatCannotSign(t *testing.T) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signs, err := NewDKIM("example.com", "koe1", pemOf(t, key))
	if err != nil {
		t.Fatal(err)
	}
	signs.options.Signer = brokenSigner{key}
	config, heard := scripted(t)
	config.DKIM = signs
	e := refused(t, client(t, config).Send(t.Context(), sample()), StageSign)
	if !e.Temporary || e.Uncertain || !strings.Contains(e.Error(), "locked away") || len(heard()) != 0 {
		t.Errorf("%+v, heard %q", e, heard())
	}
}
