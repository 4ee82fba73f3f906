package mail

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestParseSMTPURL(t *testing.T) {
	for s, want := range map[string]SMTPConfig{
		"smtp://mx.example.com":                        {Host: "mx.example.com", Port: 587},
		"smtp://mx.example.com/":                       {Host: "mx.example.com", Port: 587},
		"SMTP://mx.example.com:25":                     {Host: "mx.example.com", Port: 25},
		"smtps://mx.example.com":                       {Host: "mx.example.com", Port: 465, Security: ImplicitTLS},
		"smtps://mx.example.com:4465":                  {Host: "mx.example.com", Port: 4465, Security: ImplicitTLS},
		"smtp://mx.example.com:25?tls=none":            {Host: "mx.example.com", Port: 25, Security: Plaintext},
		"smtp://mx.example.com?tls=opportunistic":      {Host: "mx.example.com", Port: 587, Security: Opportunistic},
		"smtp://k%40e:p%40s%2Fs%25%23@mx.example.com":  {Host: "mx.example.com", Port: 587, Username: "k@e", Password: "p@s/s%#"},
		"smtp://u:p@mx.example.com?tls=opportunistic":  {Host: "mx.example.com", Port: 587, Username: "u", Password: "p", Security: Opportunistic},
		"smtp://u:p@localhost:25?tls=none":             {Host: "localhost", Port: 25, Username: "u", Password: "p", Security: Plaintext},
		"smtp://u:p@127.0.0.9:25?tls=none":             {Host: "127.0.0.9", Port: 25, Username: "u", Password: "p", Security: Plaintext},
		"smtp://u:p@[::1]:25?tls=none":                 {Host: "::1", Port: 25, Username: "u", Password: "p", Security: Plaintext},
		"smtp://%E5%A3%B0:%F0%9F%94%91@mx.example.com": {Host: "mx.example.com", Port: 587, Username: "声", Password: "🔑"},
	} {
		if got, err := ParseSMTPURL(s); err != nil || got != want {
			t.Errorf("%s: %+v %v", s, got, err)
		}
	}
}

// Each refusal says which variable and what to do, and shows nothing of the
// value: every one of these holds "secret" somewhere.
func TestParseSMTPURLRefuses(t *testing.T) {
	for s, want := range map[string]error{
		"":                                  errURLScheme,
		"user:secret@mx.example.com":        errURLScheme,
		"mx.example.com/secret":             errURLScheme,
		"https://u:secret@mx.example.com":   errURLScheme,
		"smtp:secret":                       errURLScheme,
		"smtp://":                           errURLHost,
		"smtp://u:secret@":                  errURLHost,
		"smtp://u:secret@:587":              errURLHost,
		"smtp://u:secret@mx:0":              errURLPort,
		"smtp://u:secret@mx:65536":          errURLPort,
		"smtp://u:secret@mx:port":           errURL,
		"smtp://u:se%zzcret@mx":             errURL,
		"smtp://u:se/secret@mx":             errURL,
		"smtp://u:secret@mx\n":              errURL,
		"smtp://u:secret%0d%0a@mx":          errURL,
		"smtp://u:12#secret@mx":             errURLRest,
		"smtp://u:12/secret@mx":             errURLRest,
		"smtp://u:12?secret@mx":             errURLRest,
		"smtp://u:secret@mx?starttls=true":  errURLRest,
		"smtp://u:secret@mx?tls=none&a=b":   errURLRest,
		"smtp://mx?tls=none&tls=secret":     errURLRest,
		"smtp://u:secret@mx?tls=off":        errURLTLS,
		"smtp://u:secret@mx?tls=":           errURLTLS,
		"smtps://u:secret@mx?tls=none":      errURLSMTPS,
		"smtp://secret@mx":                  errURLLogin,
		"smtp://secret:@mx":                 errURLLogin,
		"smtp://:secret@mx":                 errURLLogin,
		"smtp://u:secret@mx:25?tls=none":    errURLPlain,
		"smtp://u:secret@10.0.0.1?tls=none": errURLPlain,
	} {
		_, err := ParseSMTPURL(s)
		if !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", s, err, want)
		} else if text := err.Error(); !strings.HasPrefix(text, "KOE_SMTP_URL") || strings.Contains(text, "secret") {
			t.Errorf("%q: %s", s, text)
		}
	}
}

func TestConfigDoesNotShowThePassword(t *testing.T) {
	config, err := ParseSMTPURL("smtps://koe:secret@mx.example.com")
	if err != nil {
		t.Fatal(err)
	}
	asJSON, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	if shown := fmt.Sprintf("%v %+v %s %s", config, config, config, asJSON); strings.Contains(shown, "secret") ||
		!strings.Contains(shown, "smtps://mx.example.com:465") {
		t.Error(shown)
	}
}

func TestUnsetTimesHaveDefaults(t *testing.T) {
	got := SMTPConfig{ReplyTimeout: time.Second}.withDefaults()
	want := SMTPConfig{DialTimeout: 10 * time.Second, CommandTimeout: time.Minute, ReplyTimeout: time.Second, IdleTimeout: 30 * time.Second}
	if got != want {
		t.Errorf("%+v", got)
	}
}
