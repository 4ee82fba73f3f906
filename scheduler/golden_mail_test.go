package scheduler_test

import (
	"errors"
	"fmt"
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
	"golang.org/x/net/html"

	"koe/survey"
	"koe/templates"
)

// goldenMail is a mail as a server is given it, and what it was made from.
type goldenMail struct {
	letter
	template   survey.Template
	language   string
	text, html string
}

// goldenScales are the stock templates, and what they would ask on the other
// scales.
func goldenScales(t *testing.T) map[string]survey.Template {
	t.Helper()
	stock, err := templates.Stock()
	if err != nil {
		t.Fatal(err)
	}
	scales := map[string]survey.Template{}
	for _, s := range stock {
		scales[s.Key] = s
		if s.Key != "csat" {
			continue
		}
		for _, most := range []int{3, 7, 10} {
			other := s
			other.SatisfiedFrom, other.Questions = nil, slices.Clone(s.Questions[:1])
			other.Questions[0].Scale = &survey.Scale{Min: 1, Max: most}
			scales[fmt.Sprintf("csat-1-%d", most)] = other
		}
	}
	for key, s := range scales {
		s.Key = "golden-" + key
		scales[key] = s
	}
	if len(scales) != 8 {
		t.Fatalf("%d scales", len(scales))
	}
	return scales
}

var goldenNames = map[string]string{"en": "Ana", "ja": "山田 花子", "de": "Jörg Müller", "fr": "Zoé", "es": "Íñigo", "ar": "سارة"}

// goldenMails are an invitation of every scale in every language, and a
// reminder in every language, as a server is given them.
func goldenMails(t *testing.T) map[string]goldenMail {
	t.Helper()
	d := alone(t, nil)
	if _, err := d.store.PatchWorkspace(t.Context(), d.by, func(w *survey.Workspace) error {
		w.PostalFooter, w.PrivacyURL = "店 Acme K.K.\n1-2-3 Marunouchi, Tokyo", "https://acme.example/privacy"
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.store.PutLogo(t.Context(), d.by, []byte("as koe drew it"), 240, 80); err != nil {
		t.Fatal(err)
	}
	scales := goldenScales(t)
	for key, template := range scales {
		if _, err := d.store.CreateTemplate(t.Context(), d.by, template); err != nil {
			t.Fatal(err)
		}
		d.ask(key, func(v *survey.Survey) {
			v.Template = template.Key
			if key == "nps" {
				v.Rules.Reminders = []survey.Duration{"3d"}
			}
		})
	}
	d.run(nil)
	asked, evening := map[string]survey.ID{}, d.clock.Instant().Add(-10*time.Hour-30*time.Minute)
	for key := range scales {
		for language, name := range goldenNames {
			address := key + "." + language + "@example.com"
			r, err := d.store.RecordInteraction(t.Context(), d.by, survey.Interaction{Touchpoint: key, OccurredAt: evening,
				Customer: survey.Customer{Email: &address, Name: name, Locale: language, Timezone: "Asia/Tokyo"}})
			if err != nil || r.Decisions[0].Invitation == nil {
				t.Fatalf("%+v, %v", r, err)
			}
			asked[address] = *r.Decisions[0].Invitation
		}
	}
	for _, invitation := range asked {
		d.becomes(invitation, survey.InvitationSent)
	}
	d.clock.Advance(3 * 24 * time.Hour)
	d.until("the reminders have come", func() bool { return len(d.server.all()) == len(asked)+len(goldenNames) })
	mails := map[string]goldenMail{}
	for key, template := range scales {
		for language := range goldenNames {
			for i, l := range d.server.lettersTo(key + "." + language + "@example.com") {
				g := goldenMail{letter: l, template: template, language: language}
				g.text, g.html = partsOf(t, l.raw)
				mails[fmt.Sprintf("%s, %s, mail %d", key, language, i+1)] = g
			}
		}
	}
	return mails
}

// partsOf reads a mail with another library than the one that wrote it, and
// fails the test where it is not text and HTML as they should travel.
func partsOf(t *testing.T, raw string) (text, html string) {
	t.Helper()
	for i, line := range strings.Split(strings.TrimSuffix(raw, "\r\n"), "\r\n") {
		if len(line) > 998 || strings.ContainsFunc(line, func(r rune) bool { return r > 0x7e || r < ' ' && r != '\t' }) {
			t.Errorf("line %d does not travel: %q", i+1, line)
		}
	}
	entity, err := message.Read(strings.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	for field := range entity.Header.Map() {
		if n := len(entity.Header.Values(field)); n != 1 {
			t.Errorf("%d fields %s", n, field)
		}
	}
	if kind, _, err := entity.Header.ContentType(); kind != "multipart/alternative" || err != nil || entity.Header.Get("Mime-Version") != "1.0" {
		t.Fatalf("%s, %v, MIME-Version %s", kind, err, entity.Header.Get("Mime-Version"))
	}
	var kinds, bodies []string
	for parts := entity.MultipartReader(); ; {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		kind, params, err := part.Header.ContentType()
		body, bad := io.ReadAll(part.Body)
		if err != nil || bad != nil || !strings.EqualFold(params["charset"], "utf-8") {
			t.Errorf("a part %s %v of %d bytes, %v, %v", kind, params, len(body), err, bad)
		}
		kinds, bodies = append(kinds, kind), append(bodies, strings.ReplaceAll(string(body), "\r\n", "\n"))
	}
	if want := []string{"text/plain", "text/html"}; !slices.Equal(kinds, want) {
		t.Fatalf("parts %v, want %v", kinds, want)
	}
	return bodies[0], bodies[1]
}

var goldenDates = map[string]string{"en": "22 November 2026", "ja": "2026年11月22日", "de": "22. November 2026", "fr": "22 novembre 2026",
	"es": "22 de noviembre de 2026", "ar": "22 نوفمبر 2026"}

// A mail of every scale in every language says all that it must in both parts,
// in HTML that mail programs draw, and no filter takes it for spam.
func TestGoldenMails(t *testing.T) {
	t.Parallel()
	mails := goldenMails(t)
	if want := 9 * len(goldenNames); len(mails) != want {
		t.Fatalf("%d mails, want %d", len(mails), want)
	}
	for name, g := range mails {
		t.Run(name, func(t *testing.T) {
			g.checkWords(t)
			checkMailHTML(t, g.html)
		})
	}
	t.Run("no spam", func(t *testing.T) { checkSpam(t, mails) })
}

// checkWords holds both parts against what a mail must say.
func (g goldenMail) checkWords(t *testing.T) {
	link, question := "https://koe.example/s/"+g.token(t), g.template.Score()
	for part, body := range map[string]string{"text": g.text, "html": html.UnescapeString(g.html)} {
		for _, want := range []string{question.Text[g.language], question.LowLabel[g.language], question.HighLabel[g.language], goldenNames[g.language],
			goldenDates[g.language], "店 Acme", "Marunouchi", "https://acme.example/privacy", "help@acme.example", "https://koe.example/u/"} {
			if want == "" || !strings.Contains(body, want) {
				t.Errorf("the %s lacks %q", part, want)
			}
		}
		var want []string
		for score := question.Scale.Min; score <= question.Scale.Max; score++ {
			want = append(want, fmt.Sprintf("%s?score=%d", link, score))
		}
		got := regexp.MustCompile(`https://koe\.example/s/[^"\s]+\?score=\d+`).FindAllString(body, -1)
		if !slices.Equal(got, want) {
			t.Errorf("the %s has the links %q, want %q", part, got, want)
		}
	}
	if !strings.Contains(g.text, "\n"+link+"\n") || !strings.Contains(g.html, `href="`+link+`"`) {
		t.Error("no link without a score")
	}
	if strings.ContainsAny(g.text, "<>") || strings.Contains(g.text, "&#") {
		t.Errorf("HTML in the text:\n%s", g.text)
	}
	direction, start := "ltr", "left"
	if g.language == "ar" {
		direction, start = "rtl", "right"
	}
	if !strings.Contains(g.html, `<html lang="`+g.language+`" dir="`+direction+`">`) {
		t.Errorf("the HTML begins with %.100q", g.html)
	}
	for _, table := range regexp.MustCompile(`<table[^>]* align="(\w+)"`).FindAllStringSubmatch(g.html, -1) {
		if table[1] != start {
			t.Errorf("buttons stand on the %s", table[1])
		}
	}
}

// What the mail programs of most customers draw as it is meant: tables, inlined
// styles, links and pictures.
var (
	mailElements = strings.Fields("html head meta title base style body table tbody tr td a b br bdi span img")
	mailVoid     = strings.Fields("meta base br img")
	mailStyles   = strings.Fields(`padding margin background border border-radius font-size font-weight font-family line-height color
		text-decoration text-align white-space display width max-width height`)
)

func checkMailHTML(t *testing.T, page string) {
	t.Helper()
	if len(page) >= 60<<10 {
		t.Errorf("the HTML has %d bytes", len(page))
	}
	if !strings.HasPrefix(page, "<!doctype html>\n") {
		t.Errorf("it begins with %.40q", page)
	}
	tokens, open := html.NewTokenizer(strings.NewReader(page)), []string{}
	for kind := tokens.Next(); kind != html.ErrorToken; kind = tokens.Next() {
		token := tokens.Token()
		switch kind {
		case html.StartTagToken, html.SelfClosingTagToken:
			checkMailElement(t, token)
			if !slices.Contains(mailVoid, token.Data) {
				open = append(open, token.Data)
			}
		case html.EndTagToken:
			if len(open) == 0 || open[len(open)-1] != token.Data {
				t.Fatalf("</%s> within %v", token.Data, open)
			}
			open = open[:len(open)-1]
		case html.TextToken: // by day it must look right without its style sheet
			if len(open) > 0 && open[len(open)-1] == "style" {
				day, night, ok := strings.Cut(token.Data, "@media (prefers-color-scheme: dark) {")
				if !ok || strings.Count(day, "{") != 1 || strings.Contains(night, "@") || strings.Contains(token.Data, "url") {
					t.Errorf("style sheet %s", token.Data)
				}
			}
		}
	}
	if len(open) > 0 {
		t.Errorf("%v stay open", open)
	}
}

func checkMailElement(t *testing.T, e html.Token) {
	t.Helper()
	if !slices.Contains(mailElements, e.Data) {
		t.Errorf("<%s>", e.Data)
	}
	attributes := map[string]string{}
	for _, a := range e.Attr {
		attributes[a.Key] = a.Val
		if strings.HasPrefix(a.Key, "on") || a.Key == "background" || a.Key == "id" {
			t.Errorf("<%s %s>", e.Data, a.Key)
		}
	}
	for declaration := range strings.SplitSeq(attributes["style"], ";") {
		property, value, _ := strings.Cut(declaration, ":")
		property, side, _ := strings.Cut(strings.TrimSpace(property), "-")
		if side == "left" || side == "right" || side == "top" || side == "bottom" {
			side = ""
		}
		if side != "" {
			property += "-" + side
		}
		if declaration != "" && (!slices.Contains(mailStyles, property) || strings.ContainsAny(value, "()!")) {
			t.Errorf("<%s> with the style %s", e.Data, declaration)
		}
	}
	switch e.Data {
	case "table":
		if attributes["role"] != "presentation" || attributes["cellpadding"] != "0" || attributes["cellspacing"] != "0" || attributes["border"] != "0" {
			t.Errorf("<table %v>", attributes)
		}
	case "img":
		if attributes["alt"] == "" || attributes["width"] == "" || attributes["height"] == "" || !strings.HasPrefix(attributes["src"], "https://koe.example/logos/") {
			t.Errorf("<img %v>", attributes)
		}
	case "a":
		if address := attributes["href"]; !strings.HasPrefix(address, "https://") && !strings.HasPrefix(address, "mailto:") {
			t.Errorf("<a %v>", attributes)
		}
	}
}

var (
	spamScore = regexp.MustCompile(`(?m)^X-Spam-Status: .*?score=(-?[0-9.]+)`)
	messageID = regexp.MustCompile(`(?mi)^Message-ID:\s+(<[^>]+>)`)
)

// checkSpam asks SpamAssassin's local rules about all mails. It is one run,
// because its start takes longer than a hundred mails.
func checkSpam(t *testing.T, mails map[string]goldenMail) {
	const most = 1.0
	filter, err := exec.LookPath("spamassassin")
	if err != nil {
		if os.Getenv("KOE_TEST_MUST") == "1" {
			t.Fatal("there is no spamassassin on this machine, but KOE_TEST_MUST is 1")
		}
		t.Skip("there is no spamassassin on this machine (apt-get install spamassassin)")
	}
	// the clock of the tests stands in another year: a mail from far off is suspicious
	today, ids := time.Now().UTC().Format(time.RFC1123Z), map[string]string{"<control@koe.example>": "control"}
	box := mboxOf("Message-ID: <control@koe.example>\r\nSubject: x\r\n\r\nXJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X\r\n")
	for name, mail := range mails {
		box += mboxOf(strings.Replace(mail.raw, mail.Header.Get("Date"), today, 1))
		ids[mail.Header.Get("Message-Id")] = name
	}
	cmd := exec.CommandContext(t.Context(), filter, "-L", "--mbox")
	cmd.Stdin = strings.NewReader(box)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("spamassassin: %v", err)
	}
	scores := map[string]float64{}
	for one := range strings.SplitSeq("\n"+string(out), "\nFrom ") { // in an order of its own
		id, found := messageID.FindStringSubmatch(one), spamScore.FindStringSubmatch(one)
		if id == nil || found == nil {
			continue
		}
		if scores[ids[id[1]]], err = strconv.ParseFloat(found[1], 64); err != nil {
			t.Fatal(err)
		}
	}
	if scores["control"] <= most || len(scores) != len(ids) {
		t.Fatalf("the filter judged %d of %d mails, and gives %.1f points to what every filter must refuse", len(scores), len(ids), scores["control"])
	}
	for name := range mails {
		if scores[name] > most {
			t.Errorf("%s: %.1f points, want at most %.1f", name, scores[name], most)
		}
	}
}

// mboxOf is a mail as it lies in an mbox.
func mboxOf(raw string) string {
	lines := strings.ReplaceAll(strings.TrimSuffix(raw, "\r\n"), "\r\n", "\n")
	return "From koe@koe.example Sun Nov 22 09:00:00 2026\n" + strings.ReplaceAll(lines, "\nFrom ", "\n>From ") + "\n\n"
}
