package scheduler_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-message"

	"koe/survey"
)

// goldenMails are an invitation and its reminder in two languages, as a server
// is given them.
func goldenMails(t *testing.T) map[string]letter {
	t.Helper()
	d := alone(t, nil)
	d.ask("chat", func(v *survey.Survey) { v.Rules.Reminders = []survey.Duration{"3d"} })
	d.run(nil)
	mails := map[string]letter{}
	for _, language := range []string{"en", "ja"} {
		address := language + "@example.com"
		r, err := d.store.RecordInteraction(t.Context(), d.by, survey.Interaction{Touchpoint: "chat",
			Customer: survey.Customer{Email: &address, Name: "山田 花子", Locale: language}})
		if err != nil || r.Decisions[0].Invitation == nil {
			t.Fatalf("%+v, %v", r, err)
		}
		d.becomes(*r.Decisions[0].Invitation, survey.InvitationSent)
	}
	d.clock.Advance(3 * 24 * time.Hour)
	for _, language := range []string{"en", "ja"} {
		address := language + "@example.com"
		d.until("the reminder has come", func() bool { return len(d.server.lettersTo(address)) == 2 })
		both := d.server.lettersTo(address)
		mails[language], mails[language+", reminder"] = both[0], both[1]
	}
	return mails
}

var spamScore = regexp.MustCompile(`(?m)^X-Spam-Status: .*?score=(-?[0-9.]+)`)

func TestGoldenMailsAreNoSpam(t *testing.T) {
	t.Parallel()
	const most = 1.0
	filter, err := exec.LookPath("spamassassin")
	if err != nil {
		if os.Getenv("KOE_TEST_MUST") == "1" {
			t.Fatal("there is no spamassassin on this machine, but KOE_TEST_MUST is 1")
		}
		t.Skip("there is no spamassassin on this machine (apt-get install spamassassin)")
	}
	const control = "Subject: x\r\n\r\nXJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X\r\n"
	if score := spamPoints(t, filter, control); score <= most {
		t.Fatalf("the filter gives %.1f points to what every filter must refuse", score)
	}
	for name, mail := range goldenMails(t) {
		// the clock of the tests stands in another year: a mail from far off is suspicious
		today := time.Now().UTC().Format(time.RFC1123Z)
		if score := spamPoints(t, filter, strings.Replace(mail.raw, mail.Header.Get("Date"), today, 1)); score > most {
			t.Errorf("%s: %.1f points, want at most %.1f", name, score, most)
		}
	}
}

// spamPoints is what SpamAssassin's local rules give a mail.
func spamPoints(t *testing.T, filter, raw string) float64 {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filter, "-L", "-t")
	cmd.Stdin = strings.NewReader(raw)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("spamassassin: %v", err)
	}
	found := spamScore.FindSubmatch(out)
	if found == nil {
		t.Fatalf("no score in\n%s", out)
	}
	score, err := strconv.ParseFloat(string(found[1]), 64)
	if err != nil {
		t.Fatal(err)
	}
	return score
}

// TestGoldenMailsAreWellFormed reads them with another library than the one
// that wrote them.
func TestGoldenMailsAreWellFormed(t *testing.T) {
	t.Parallel()
	for name, mail := range goldenMails(t) {
		for i, line := range strings.Split(strings.TrimSuffix(mail.raw, "\r\n"), "\r\n") {
			if len(line) > 998 || strings.ContainsFunc(line, func(r rune) bool { return r > 0x7e || r < ' ' && r != '\t' }) {
				t.Errorf("%s: line %d does not travel: %q", name, i+1, line)
			}
		}
		entity, err := message.Read(strings.NewReader(mail.raw))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if version := entity.Header.Get("Mime-Version"); version != "1.0" {
			t.Errorf("%s: MIME-Version %q", name, version)
		}
		var kinds []string
		parts := entity.MultipartReader()
		for parts != nil {
			part, err := parts.NextPart()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			kind, params, err := part.Header.ContentType()
			body, bad := io.ReadAll(part.Body)
			if err != nil || bad != nil || !strings.EqualFold(params["charset"], "utf-8") || !bytes.Contains(body, []byte("https://koe.example/s/")) {
				t.Errorf("%s: a part %s %v of %d bytes, %v, %v", name, kind, params, len(body), err, bad)
			}
			kinds = append(kinds, kind)
		}
		if want := []string{"text/plain", "text/html"}; !slices.Equal(kinds, want) {
			t.Errorf("%s: parts %v, want %v", name, kinds, want)
		}
		for field := range entity.Header.Map() {
			if n := len(entity.Header.Values(field)); n != 1 {
				t.Errorf("%s: %d fields %s", name, n, field)
			}
		}
	}
}
