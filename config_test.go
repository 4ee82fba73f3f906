package main

import (
	"bytes"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"koe/api"
	"koe/scheduler/mail"
)

const signingKey = `-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g
-----END PRIVATE KEY-----`

const longEnough = "a-secret-of-at-least-thirty-two-characters"

func configOf(environ []string, args ...string) (Config, error) {
	_, c, err := parse(append([]string{"serve"}, args...), environ, io.Discard)
	return c, err
}

func TestDefaults(t *testing.T) {
	got, err := configOf([]string{"HOME=/nowhere", "KOELISTEN=x"})
	if err != nil {
		t.Fatal(err)
	}
	want := Config{Listen: "127.0.0.1:8080", DatabaseURL: "sqlite:koe.db", Connections: 10,
		MailFrom: mail.Address{Name: "koe", Email: "feedback@localhost"}, MailWorkers: 4, MailsPerRecipient: 50, MailsPerKey: 1_000_000, MailLease: 15 * time.Second, CatchUp: 6 * time.Hour, Timezone: machineZone(os.Getenv("TZ"), "/")}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if base := got.baseURL(got.Listen); base != "http://127.0.0.1:8080" {
		t.Errorf("base URL %s", base)
	}
}

// verification is a key as SendGrid shows it.
const verification = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEwlXknAcrchPEG+i9SbXTfLUr4o8zDo2/odKN3PWrKRRzCV0/nsHGacM2L01+op+WA+VmEh2Q3M4tMPyojp8mFA=="

func TestEverySetting(t *testing.T) {
	got, err := configOf([]string{
		"KOE_LISTEN=[::1]:9000", "KOE_BASE_URL=https://feedback.example.com/koe/", "KOE_DATABASE_URL=postgres://a,b/koe?target_session_attrs=read-write",
		"KOE_DATABASE_CONNECTIONS=2", "KOE_SMTP_URL=smtps://u:p@mx.example.com", "KOE_MAIL_FROM=声 <koe@例え.jp>", "KOE_MAIL_WORKERS=8",
		"KOE_MAIL_PER_SECOND=2.5", "KOE_MAIL_PER_DOMAIN=1", "KOE_MAILS_PER_RECIPIENT=unlimited", "KOE_MAILS_PER_KEY=unlimited", "KOE_MAIL_LEASE=2s", "KOE_CATCH_UP=0s", "KOE_RATE_PER_KEY=100", "KOE_TRUSTED_PROXIES=10.1.2.3/8, 192.168.1.5,::1",
		"KOE_LOG_FORMAT=json", "KOE_LOG_LEVEL=WARN", "KOE_TIMEZONE=Asia/Tokyo", "KOE_ADMIN_KEY=koe_0123456789abcdef", "KOE_SECRET=" + longEnough,
		"KOE_TEST_DATA=x", "KOE_BOUNCE_ADDRESS=bounces@mail.example.com", "KOE_DKIM_DOMAIN=example.com", "KOE_DKIM_SELECTOR=koe1", "KOE_DKIM_KEY=" + signingKey,
		"KOE_SERVICE_HOST=10.0.0.1", "KOE_PORT=tcp://10.0.0.1:80", "KOE_PORT_80_TCP_PROTO=tcp",
		"KOE_BOUNCE_SES_TOPIC=arn:aws:sns:eu-west-1:123456789012:bounces, arn:aws-cn:sns:cn-north-1:123456789012:x", "KOE_BOUNCE_POSTMARK_SECRET=sixteen-or-longer",
		"KOE_BOUNCE_SENDGRID_KEY=" + verification,
	})
	if err != nil {
		t.Fatal(err)
	}
	networks := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.168.1.5/32"), netip.MustParsePrefix("::1/128")}
	want := Config{Listen: "[::1]:9000", BaseURL: "https://feedback.example.com/koe", DatabaseURL: "postgres://a,b/koe?target_session_attrs=read-write",
		Connections: 2, SMTP: &mail.SMTPConfig{Host: "mx.example.com", Port: 465, Username: "u", Password: "p", Security: mail.ImplicitTLS},
		MailFrom: mail.Address{Name: "声", Email: "koe@例え.jp"}, BounceAddress: "bounces@mail.example.com", MailWorkers: 8, MailPerSecond: 2.5, MailPerDomain: 1, MailLease: 2 * time.Second, RatePerKey: 100,
		TrustedProxies: networks, LogFormat: "json", LogLevel: slog.LevelWarn, Timezone: "Asia/Tokyo", ZoneChosen: true, AdminKey: "koe_0123456789abcdef", Secret: longEnough,
		Bounces: api.BounceDoors{SESTopics: []string{"arn:aws:sns:eu-west-1:123456789012:bounces", "arn:aws-cn:sns:cn-north-1:123456789012:x"},
			Postmark: "sixteen-or-longer", SendGrid: verification}}
	if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Prefix{}), cmpopts.IgnoreFields(mail.SMTPConfig{}, "DKIM")); diff != "" {
		t.Error(diff)
	}
	if got.SMTP.DKIM == nil {
		t.Error("nobody signs")
	}
}

// Each value is wrong in the way that its variable can be; the message names
// the variable, is one line, and keeps secrets to itself.
func TestWrongValues(t *testing.T) {
	wrong := map[string][]string{
		"KOE_LISTEN":   {"8080", "localhost", "127.0.0.1:http", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:", "::1:8080", ":+80"},
		"KOE_BASE_URL": {"feedback.example.com", "ftp://example.com", "https://", "https://:80", "https://u:p@example.com", "https://example.com?a=b", "https://example.com/#a", "https://exa mple.com", "//example.com"},
		"KOE_DATABASE_URL": {"koe.db", "mysql://h/d", "sqlite:", "sqlite::memory:", "sqlite:file::memory:?cache=shared", "sqlite:x?mode=memory",
			"postgres:/koe"},
		"KOE_DATABASE_CONNECTIONS":   {"0", "-1", "many", "1.5", "1001", "99999999999999999999"},
		"KOE_SMTP_URL":               {"hidden-word", "http://hidden-word:25", "smtp://u:hidden-word@", "smtp://u:hidden-word@10.0.0.1?tls=none", "smtp://hidden-word@mx"},
		"KOE_MAIL_FROM":              {"koe", "a@example.com, b@example.com", "koe <>", "Koe\r\nBcc: x@example.com <a@example.com>"},
		"KOE_MAIL_WORKERS":           {"0", "-4", "four", "101", "4.0"},
		"KOE_MAIL_PER_SECOND":        {"0", "-1", "NaN", "Inf", "fast", "1e999", "10/s"},
		"KOE_CATCH_UP":               {"6", "-1h", "soon"},
		"KOE_WEBHOOK_LOOPBACK":       {"yes", "1", "TRUE"},
		"KOE_MAIL_LEASE":             {"0s", "999ms", "61s", "15", "soon"},
		"KOE_MAIL_PER_DOMAIN":        {"0", "-1", "none"},
		"KOE_MAILS_PER_RECIPIENT":    {"0", "-1", "none", "1.5", "100001"},
		"KOE_MAILS_PER_KEY":          {"0", "-1", "none", "1.5", "100000001"},
		"KOE_BOUNCE_ADDRESS":         {"bounces", "Bounces <b@example.com>", "b+c@example.com", "bounces-of-our-mail@example.com", "b@example.com, c@example.com"},
		"KOE_DKIM_DOMAIN":            {"example", "exa mple.com", "-.example.com", "a..b"},
		"KOE_DKIM_SELECTOR":          {"a;b", "koe1."},
		"KOE_DKIM_KEY":               {"hidden-word", "-----BEGIN PRIVATE KEY-----\nhidden-word\n-----END PRIVATE KEY-----"},
		"KOE_RATE_PER_KEY":           {"0", "-0.5", "+Inf", "x"},
		"KOE_TRUSTED_PROXIES":        {"everybody", "10.0.0.0/33", "10.0.0.0-10.0.0.9", "fe80::1%eth0", "10.0.0.0/8;10.1.0.0/16"},
		"KOE_LOG_FORMAT":             {"xml", "TEXT"},
		"KOE_LOG_LEVEL":              {"loud", "-4", "info+1"},
		"KOE_TIMEZONE":               {"Mars/Olympus", "Local", "CEST", "../etc/passwd", "+02:00"},
		"KOE_ADMIN_KEY":              {"hidden-word", "hidden-word with spaces", "hidden-word:with-a-colon", "hidden-word-and-ümlaut"},
		"KOE_SECRET":                 {"hidden-word", "hidden-word-of-31-characters-xx"},
		"KOE_BOUNCE_SES_TOPIC":       {"hidden-word", "arn:aws:sqs:eu-west-1:123456789012:x", "arn:aws:sns:eu-west-1:123456789012:x,", "arn:aws:sns:evil/:123456789012:x"},
		"KOE_BOUNCE_POSTMARK_SECRET": {"hidden-word"},
		"KOE_BOUNCE_SENDGRID_KEY":    {"hidden-word", "aGlkZGVuLXdvcmQ="},
	}
	for _, name := range settingNames() {
		if len(wrong[name]) == 0 {
			t.Errorf("%s has no wrong value", name)
		}
	}
	for name, values := range wrong {
		for _, value := range values {
			_, err := configOf([]string{name + "=" + value})
			if err == nil {
				t.Errorf("%s=%s is taken", name, value)
				continue
			}
			text := err.Error()
			if !strings.HasPrefix(text, name) || strings.Contains(text, "\n") || strings.Contains(text, "hidden-word") {
				t.Errorf("%s=%s: %s", name, value, text)
			}
		}
	}
}

// settingNames are the variables of all settings, from the types themselves.
func settingNames() []string {
	names := []string{smtpVariable, keyVariable, secretVariable, dkimVariable, sesVariable, postmarkVariable, sendgridVariable}
	command, _, err := parse([]string{"version"}, nil, io.Discard)
	if err != nil {
		panic(err)
	}
	for _, flag := range command.Model.Flags {
		if flag.Name != "help" {
			names = append(names, variable(flag.Name))
		}
	}
	return names
}

func TestSettingNames(t *testing.T) {
	names := settingNames()
	if want := reflect.TypeFor[Settings]().NumField() + 7; len(names) != want {
		t.Errorf("%d names, want %d", len(names), want)
	}
	for _, name := range []string{"KOE_LISTEN", "KOE_BASE_URL", "KOE_DATABASE_URL", "KOE_SMTP_URL", "KOE_MAIL_FROM", "KOE_MAIL_WORKERS", "KOE_MAIL_PER_SECOND",
		"KOE_MAIL_PER_DOMAIN", "KOE_BOUNCE_ADDRESS", "KOE_DKIM_DOMAIN", "KOE_DKIM_SELECTOR", "KOE_DKIM_KEY", "KOE_ADMIN_KEY", "KOE_SECRET", "KOE_TRUSTED_PROXIES", "KOE_RATE_PER_KEY", "KOE_LOG_FORMAT", "KOE_LOG_LEVEL", "KOE_TIMEZONE",
		"KOE_DATABASE_CONNECTIONS", "KOE_BOUNCE_SES_TOPIC", "KOE_BOUNCE_POSTMARK_SECRET", "KOE_BOUNCE_SENDGRID_KEY"} {
		if !slices.Contains(names, name) {
			t.Errorf("%s is missing", name)
		}
	}
}

func TestFlagsWinOverVariables(t *testing.T) {
	environ := []string{"KOE_LISTEN=127.0.0.1:1", "KOE_LOG_LEVEL=debug", "KOE_MAIL_WORKERS=wrong", "KOE_BASE_URL="}
	c, err := configOf(environ, "--listen=127.0.0.1:2", "--mail-workers", "3", "--timezone=UTC")
	if err != nil {
		t.Fatal(err)
	}
	if c.Listen != "127.0.0.1:2" || c.MailWorkers != 3 || c.LogLevel != slog.LevelDebug || c.Timezone != "UTC" || c.BaseURL != "" {
		t.Errorf("%+v", c)
	}
	if _, err := configOf(nil, "--log-level=loud"); err == nil || !strings.HasPrefix(err.Error(), "--log-level: ") {
		t.Errorf("a wrong flag: %v", err)
	}
	if _, err := configOf([]string{"KOE_LOG_LEVEL=loud"}, "--timezone=UTC"); err == nil || !strings.HasPrefix(err.Error(), "KOE_LOG_LEVEL: ") {
		t.Errorf("a wrong variable beside a flag: %v", err)
	}
}

func TestEmptyVariablesAreNotSet(t *testing.T) {
	var environ []string
	for _, name := range settingNames() {
		environ = append(environ, name+"=")
	}
	got, err := configOf(environ)
	if err != nil {
		t.Fatal(err)
	}
	want, err := configOf(nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestSecretsAreNoFlags(t *testing.T) {
	for _, flag := range []string{"--secret", "--admin-key", "--smtp-url"} {
		if _, err := configOf(nil, flag+"="+longEnough); err == nil || !strings.Contains(err.Error(), "unknown flag") {
			t.Errorf("%s: %v", flag, err)
		}
	}
}

func TestUnknownVariables(t *testing.T) {
	for name, want := range map[string]string{
		"KOE_LISTN":     "KOE_LISTN: koe knows no such variable; did you mean KOE_LISTEN?",
		"KOE_BASEURL":   "KOE_BASEURL: koe knows no such variable; did you mean KOE_BASE_URL?",
		"KOE_listen":    "KOE_listen: koe knows no such variable; koe serve --help lists them all",
		"KOE_PORT":      "KOE_PORT: koe knows no such variable; koe serve --help lists them all",
		"KOE_ROLE":      "KOE_ROLE: koe knows no such variable; koe serve --help lists them all",
		"KOE_TELEPORTS": "KOE_TELEPORTS: koe knows no such variable; koe serve --help lists them all",
	} {
		if _, err := configOf([]string{name + "=8080"}); err == nil || err.Error() != want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"abc", "abc", 0}, {"kitten", "sitting", 3}, {"flaw", "lawn", 2}, {"ab", "ba", 2}} {
		if got := distance(c.a, c.b); got != c.want {
			t.Errorf("%s to %s: %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

func TestBaseURL(t *testing.T) {
	for listen, want := range map[string]string{
		"127.0.0.1:8080":   "http://127.0.0.1:8080",
		"localhost:80":     "http://localhost:80",
		":8080":            "http://127.0.0.1:8080",
		"0.0.0.0:8080":     "http://127.0.0.1:8080",
		"[::]:8080":        "http://127.0.0.1:8080",
		"[::1]:8080":       "http://[::1]:8080",
		"192.168.1.5:8080": "http://192.168.1.5:8080",
	} {
		c, err := configOf([]string{"KOE_LISTEN=" + listen})
		if err != nil || c.baseURL(c.Listen) != want {
			t.Errorf("%s: %s %v", listen, c.baseURL(c.Listen), err)
		}
	}
	c, err := configOf([]string{"KOE_BASE_URL=https://例え.jp//"})
	if err != nil || c.baseURL(c.Listen) != "https://例え.jp" {
		t.Errorf("%s %v", c.BaseURL, err)
	}
}

// A real mail server must not send links that lead nowhere.
func TestDeadLinks(t *testing.T) {
	const smtp = "KOE_SMTP_URL=smtp://mx.example.com"
	for _, more := range []string{"KOE_LOG_LEVEL=info", "KOE_BASE_URL=http://localhost:8080", "KOE_BASE_URL=https://LOCALHOST./koe", "KOE_BASE_URL=http://koe.localhost",
		"KOE_BASE_URL=http://127.9.9.9", "KOE_BASE_URL=http://[::1]:8080", "KOE_BASE_URL=http://[::ffff:127.0.0.1]", "KOE_BASE_URL=http://0.0.0.0:8080", "KOE_LISTEN=:8080"} {
		if _, err := configOf([]string{smtp, more}); err == nil || !strings.HasPrefix(err.Error(), "KOE_BASE_URL: ") {
			t.Errorf("%s: %v", more, err)
		}
	}
	for _, more := range []string{"KOE_BASE_URL=https://feedback.example.com", "KOE_BASE_URL=http://10.0.0.1", "KOE_LISTEN=192.168.1.5:8080"} {
		if _, err := configOf([]string{smtp, more}); err != nil {
			t.Errorf("%s: %v", more, err)
		}
	}
}

func TestPostgresNeedsASecret(t *testing.T) {
	for _, url := range []string{"postgres://h/koe", "postgresql://h/koe"} {
		if _, err := configOf([]string{"KOE_DATABASE_URL=" + url}); err == nil || !strings.HasPrefix(err.Error(), "KOE_SECRET: ") {
			t.Errorf("%s: %v", url, err)
		}
		if _, err := configOf([]string{"KOE_DATABASE_URL=" + url, "KOE_SECRET=" + longEnough}); err != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
}

func TestMachineZone(t *testing.T) {
	for name, c := range map[string]struct{ tz, file, link, want string }{
		"nothing":              {want: "UTC"},
		"TZ":                   {tz: "Asia/Tokyo", file: "Europe/Berlin\n", link: "/usr/share/zoneinfo/Europe/Paris", want: "Asia/Tokyo"},
		"TZ with a colon":      {tz: ":Asia/Tokyo", want: "Asia/Tokyo"},
		"TZ is a path":         {tz: ":/usr/share/zoneinfo/Asia/Tokyo", want: "Asia/Tokyo"},
		"TZ has no such name":  {tz: "XYZ-9", file: "Europe/Berlin\n", want: "Europe/Berlin"},
		"timezone":             {file: "Europe/Berlin\n", link: "/usr/share/zoneinfo/Europe/Paris", want: "Europe/Berlin"},
		"localtime":            {link: "../usr/share/zoneinfo/America/Argentina/Ushuaia", want: "America/Argentina/Ushuaia"},
		"localtime is no zone": {link: "/etc/elsewhere", want: "UTC"},
		"timezone is nonsense": {file: "Local", link: "/usr/share/zoneinfo/Europe/Paris", want: "Europe/Paris"},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			if err := os.Mkdir(filepath.Join(root, "etc"), 0o700); err != nil {
				t.Fatal(err)
			}
			if c.file != "" {
				if err := os.WriteFile(filepath.Join(root, "etc/timezone"), []byte(c.file), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if c.link != "" {
				if err := os.Symlink(c.link, filepath.Join(root, "etc/localtime")); err != nil {
					t.Fatal(err)
				}
			}
			if got := machineZone(c.tz, root); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

func TestLogger(t *testing.T) {
	for format, begin := range map[string]string{"text": "time=", "json": `{"time":`, "": `{"time":`} { // a file is no terminal
		file, err := os.Create(filepath.Join(t.TempDir(), "log"))
		if err != nil {
			t.Fatal(err)
		}
		log := Config{LogFormat: format, LogLevel: slog.LevelWarn}.logger(file)
		log.Info("quiet")
		log.Warn("loud")
		text, err := os.ReadFile(file.Name())
		if err != nil || file.Close() != nil {
			t.Fatal(err)
		}
		if !bytes.HasPrefix(text, []byte(begin)) || bytes.Contains(text, []byte("quiet")) || !bytes.Contains(text, []byte("loud")) {
			t.Errorf("%q: %s", format, text)
		}
	}
}
