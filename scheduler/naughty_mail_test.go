package scheduler_test

import (
	"mime"
	"net/mail"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"

	koemail "koe/scheduler/mail"
	"koe/survey"
	"koe/survey/store/storetest"
	"koe/templates"
)

// naughtyMail is the mail of a customer of that name and attribute, in which a
// company of that name speaks of a touchpoint of that name.
func naughtyMail(t *testing.T, words *templates.Words, s string) (koemail.Message, templates.Mail) {
	t.Helper()
	w := survey.NewWorkspace("acme", s, "Asia/Tokyo")
	w.PostalFooter = s
	template := survey.Template{Key: "k", Name: "k", DefaultLocale: "en", Metric: "nps",
		Placeholders: map[string]survey.Text{"name": {"en": "you"}, "attributes.x": {"en": "it"}},
		Mail:         survey.TemplateMail{Subject: survey.Text{"en": "Hello {{name}}, how was {{attributes.x}}?"}},
		Questions:    []survey.Question{{Key: "score", Type: survey.ScoreQuestion, Text: survey.Text{"en": "How was {{attributes.x}}, {{name}}?"}}}}
	if err := template.Clean(); err != nil {
		t.Fatal(err)
	}
	at := survey.InstantOf(time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC))
	said, err := words.Invitation(templates.InvitationMail{Template: template, Version: 1, Workspace: w, Name: s, Locale: "en", Touchpoint: s, OccurredAt: &at,
		Attributes: survey.Attributes{"x": survey.TextValue(s)}, BaseURL: "https://koe.example", SurveyURL: "https://koe.example/s/abc", UnsubscribeURL: "https://koe.example/u/abc"})
	if err != nil {
		t.Fatalf("%.80q: %v", s, err)
	}
	return koemail.Message{ID: "1@koe.example", From: koemail.Address{Name: "Acme", Email: "a@koe.example"}, To: koemail.Address{Email: "ana@example.com"},
		Subject: said.Subject, Text: said.Text, HTML: said.HTML, Date: at.Time()}, said
}

// kindsOf are the elements of a mail with the names of their attributes.
func kindsOf(t *testing.T, page string) map[string]bool {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]bool{}
	for node := range root.Descendants() {
		kind := node.Data
		for _, a := range node.Attr {
			kind += " " + a.Key
		}
		if node.Type == html.ElementNode {
			kinds[kind] = true
		}
	}
	return kinds
}

// Whatever a customer, a company and a touchpoint are called, a mail has the
// headers that koe gives it, its subject is one line, and no markup comes alive.
func TestMailsOfNaughtyNames(t *testing.T) {
	t.Parallel()
	words, err := templates.New()
	if err != nil {
		t.Fatal(err)
	}
	plain, said := naughtyMail(t, words, "Ana")
	kinds := kindsOf(t, said.HTML)
	headers := headersOf(t, plain)
	for _, s := range storetest.Naughty(t, "..") {
		if !utf8.ValidString(s) || strings.Contains(s, "\x00") {
			continue // nobody can be called so
		}
		m, said := naughtyMail(t, words, s)
		for kind := range kindsOf(t, said.HTML) {
			if !kinds[kind] {
				t.Errorf("%.80q: <%s> came alive", s, kind)
			}
		}
		got := headersOf(t, m)
		for name := range got {
			if headers[name] == nil {
				t.Errorf("%.80q: a header %s", s, name)
			}
		}
		subject, err := new(mime.WordDecoder).DecodeHeader(got["Subject"][0])
		if err != nil || subject != said.Subject || strings.ContainsFunc(subject, unicode.IsControl) || utf8.RuneCountInString(subject) > 200 {
			t.Errorf("%.80q: the subject %.300q, %v, is not %.300q", s, subject, err, said.Subject)
		}
		if strings.ContainsAny(said.Subject+said.Text+said.HTML, "\r\u202e\u2066") {
			t.Errorf("%.80q: what turns the words around it is in the mail", s)
		}
	}
}

func headersOf(t *testing.T, m koemail.Message) mail.Header {
	t.Helper()
	raw, err := m.Bytes()
	if err != nil {
		t.Fatalf("%.80q: %v", m.Subject, err)
	}
	read, err := mail.ReadMessage(strings.NewReader(string(raw)))
	if err != nil {
		t.Fatalf("%.80q: %v", m.Subject, err)
	}
	for name, values := range read.Header {
		if len(values) != 1 {
			t.Errorf("%d headers %s", len(values), name)
		}
	}
	return read.Header
}
