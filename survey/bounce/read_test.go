package bounce_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"koe/survey"
	"koe/survey/bounce"
)

const tag = "abcdefghijklmnopqrstuvwxyz234567abcdefghijklm" // 45, as koe's first tags

// dsn is a notification about recipients, each given as its fields.
func dsn(recipients ...string) string {
	return "From MAILER-DAEMON Mon Nov 23 10:00:00 2026\n" + strings.ReplaceAll(`Return-Path: <>
Delivered-To: bounces+`+tag+`@mail.example.com
Date: Mon, 23 Nov 2026 10:00:00 +0000
From: Mail Delivery System <MAILER-DAEMON@mx.example.net>
Subject: Undelivered Mail
Content-Type: multipart/report; report-type=delivery-status;
	boundary="=_b"

--=_b
Content-Type: text/plain; charset=iso-2022-jp

Status: 5.0.0 is what people read here
--=_b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net
Arrival-Date: Mon, 23 Nov 2026 09:59:58 +0000

`+strings.Join(recipients, "\n\n")+`

--=_b
Content-Type: text/rfc822-headers

Return-Path: <bounces+`+tag+`@mail.example.com>
Message-ID: <019ab6d2-5c1e-7f04-8a31-6b0f4d2c9e75@example.com>
X-Koe-Invitation: `+tag+`
Subject: How was it?

--=_b--
`, "\n", "\r\n")
}

const (
	failed  = "Final-Recipient: rfc822; Ana@Example.com\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 no\n such user"
	delayed = "Final-Recipient: rfc822; bo@example.com\nAction: delayed\nStatus: 4.4.1"
)

func read(t *testing.T, text string) []survey.Bounce {
	t.Helper()
	reports, err := bounce.Read(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return reports
}

func TestNotifications(t *testing.T) {
	for name, c := range map[string]struct {
		text  string
		kinds string
	}{
		"failed":                   {dsn(failed), "hard 5.1.1"},
		"delayed":                  {dsn(delayed), ""},
		"relayed":                  {dsn(strings.ReplaceAll(failed, "failed", "relayed")), ""},
		"delivered":                {dsn(strings.ReplaceAll(failed, "failed", "delivered")), ""},
		"expanded":                 {dsn(strings.ReplaceAll(failed, "failed", "expanded")), ""},
		"several":                  {dsn(failed, delayed, strings.ReplaceAll(failed, "5.1.1", "4.2.2")), "hard 5.1.1, soft 4.2.2"},
		"failed (and more)":        {dsn(strings.ReplaceAll(failed, "failed", "Failed (mailbox)")), "hard 5.1.1"},
		"no status, 550":           {dsn("Final-Recipient: rfc822;a@example.com\nAction: failed\nDiagnostic-Code: smtp; 550 go away"), "hard "},
		"no status, 452":           {dsn("Final-Recipient: rfc822;a@example.com\nAction: failed\nDiagnostic-Code: smtp; 452 full"), "soft "},
		"no status at all":         {dsn("Final-Recipient: rfc822;a@example.com\nAction: failed"), "soft "},
		"a status with a comment":  {dsn(strings.ReplaceAll(failed, "Status: 5.1.1", "Status: 5.1.1 (bad address)")), "hard 5.1.1"},
		"no boundary":              {strings.Replace(dsn(failed), "boundary=\"=_b\"", "x=y", 1), "hard 5.1.1"},
		"another boundary":         {strings.Replace(dsn(failed), "boundary=\"=_b\"", "boundary=other", 1), ""},
		"an unknown charset":       {strings.Replace(dsn(failed), "iso-2022-jp", "klingon-8", 1), "hard 5.1.1"},
		"in the words of a person": {"From: ana@example.com\nSubject: Status: 5.1.1\n\nAction: failed\n", ""},
	} {
		var kinds []string
		for _, b := range read(t, c.text) {
			kinds = append(kinds, string(b.Kind)+" "+b.Code)
		}
		if got := strings.Join(kinds, ", "); got != c.kinds {
			t.Errorf("%s: %q instead of %q", name, got, c.kinds)
		}
	}
	b := read(t, dsn(failed))[0]
	if b.Email != "ana@example.com" || b.MessageID != "019ab6d2-5c1e-7f04-8a31-6b0f4d2c9e75@example.com" || len(b.Tags) != 1 || b.Tags[0] != tag ||
		b.Reason != "550 5.1.1 no such user" || b.At != survey.InstantOf(time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)) {
		t.Errorf("%+v", b)
	}
}

// The parts may be encoded for the way, and the tag stand in one place alone.
func TestNotificationsInOtherClothes(t *testing.T) {
	for name, encode := range map[string]func(string) string{
		"base64": func(s string) string {
			return "Content-Transfer-Encoding: BASE64\n\n" + base64.StdEncoding.EncodeToString([]byte(s))
		},
		"quoted-printable": func(s string) string {
			return "Content-Transfer-Encoding: quoted-printable\n\n" + strings.ReplaceAll(s, "5.1.1", "5=2E1=\n.1")
		},
		"two bytes a letter": func(s string) string {
			return "Content-Type: message/delivery-status; charset=utf-16le\n\n\xff\xfe" + strings.Join(strings.Split(s, ""), "\x00") + "\x00"
		},
	} {
		text := "To: bounces+" + strings.ToUpper(tag) + "@example.com\nContent-Type: multipart/mixed; boundary=b\n\n--b\n" +
			"Content-Type: message/delivery-status\n" + encode("Reporting-MTA: dns; x\n\n"+failed+"\n") + "\n--b--\n"
		got := read(t, text)
		if len(got) != 1 || got[0].Kind != survey.HardBounce || got[0].Code != "5.1.1" || len(got[0].Tags) != 1 || got[0].Tags[0] != tag {
			t.Errorf("%s: %+v", name, got)
		}
	}
	reports, err := bounce.Read(strings.NewReader(strings.ReplaceAll(dsn(failed), tag, "")), "bounces+"+tag+"@example.com")
	if err != nil || len(reports) != 1 || len(reports[0].Tags) != 1 {
		t.Errorf("by the envelope: %+v, %v", reports, err)
	}
}

func TestFeedbackReports(t *testing.T) {
	report := func(kind string) string {
		return "To: fbl@example.com\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\n\n--b\nContent-Type: text/plain\n\nspam\n--b\n" +
			"Content-Type: message/feedback-report\n\nFeedback-Type: " + kind + "\nUser-Agent: x/1\nVersion: 1\nOriginal-Mail-From: <bounces+" + tag +
			"@example.com>\nOriginal-Rcpt-To: <ana@example.com>\n\n--b\nContent-Type: message/rfc822\n\nMessage-ID: <1@example.com>\nX-Koe-Invitation: " + tag + "\n\nHello\n--b--\n"
	}
	got := read(t, report("abuse"))
	if len(got) != 1 || got[0].Kind != survey.Complaint || got[0].Email != "ana@example.com" || got[0].MessageID != "1@example.com" || len(got[0].Tags) != 1 {
		t.Errorf("%+v", got)
	}
	for _, kind := range []string{"not-spam", "auth-failure", "other", ""} {
		if got := read(t, report(kind)); len(got) != 0 {
			t.Errorf("%s: %+v", kind, got)
		}
	}
}

// However early a report ends, reading it ends too; what came is believed.
func TestTruncatedReports(t *testing.T) {
	text := dsn(failed)
	whole := strings.Index(text, "Diagnostic-Code")
	for n := range len(text) {
		reports, err := bounce.Read(strings.NewReader(text[:n]))
		if err != nil && !errors.Is(err, bounce.ErrNoMessage) {
			t.Fatal(err)
		}
		if n >= whole && len(reports) != 1 {
			t.Fatalf("cut at %d: %+v", n, reports)
		}
	}
}

func TestNaughtyReports(t *testing.T) {
	deep := "Content-Type: multipart/mixed; boundary=b0\n\n"
	for i := range 1000 {
		deep += fmt.Sprintf("--b%d\nContent-Type: multipart/mixed; boundary=b%d\n\n", i, i+1)
	}
	big := strings.Replace(dsn(failed), "Subject: How was it?", "Subject: "+strings.Repeat("x", 5<<20), 1)
	many := dsn(strings.Split(strings.TrimSuffix(strings.Repeat(failed+"|", 50_000), "|"), "|")...)
	for name, c := range map[string]struct {
		text string
		most int
	}{
		"1000 deep": {deep + failed, 0}, "5 MB": {big, 1}, "50,000 recipients": {many, 100},
		"a header of 20 MB": {"From: x\nSubject: " + strings.Repeat("y", 20<<20), 0}, "100,000 parts": {"Content-Type: multipart/mixed; boundary=b\n\n" + strings.Repeat("--b\n\n", 100_000), 0},
	} {
		start := time.Now()
		reports := read(t, c.text)
		if len(reports) != c.most {
			t.Errorf("%s: %d reports", name, len(reports))
		}
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("%s took %s", name, took)
		}
	}
	for _, text := range []string{"", "\n", "no message\n", "\x00\x01\x02"} {
		if _, err := bounce.Read(strings.NewReader(text)); !errors.Is(err, bounce.ErrNoMessage) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := bounce.Read(io.MultiReader(strings.NewReader("A: b\n\n"), broken{})); err == nil || errors.Is(err, bounce.ErrNoMessage) {
		t.Errorf("input that breaks: %v", err)
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrClosedPipe }

func FuzzRead(f *testing.F) {
	f.Add([]byte(dsn(failed, delayed)))
	f.Add([]byte("Content-Type: multipart/report; boundary=b\n\n--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\n--b--"))
	f.Add([]byte("Content-Type: message/delivery-status\nContent-Transfer-Encoding: base64\n\nRmluYWw="))
	f.Fuzz(func(t *testing.T, text []byte) {
		reports, err := bounce.Read(bytes.NewReader(text))
		if err != nil && !errors.Is(err, bounce.ErrNoMessage) {
			t.Fatal(err)
		}
		for _, b := range reports {
			if b.Kind == "" || !utf8.ValidString(b.Reason+b.Code+b.MessageID+b.Email) || strings.ContainsRune(b.Reason+b.MessageID, 0) || len(b.Reason) > 500 {
				t.Errorf("%+v", b)
			}
		}
	})
}
