package templates

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"koe/survey"
)

// InvitationMail is what an invitation, a reminder or a test mail says.
type InvitationMail struct {
	Template   survey.Template
	Version    int // of the template; 0 for a draft, which is not remembered
	Workspace  survey.Workspace
	Name       string // of the customer; may be empty
	Locale     string // wished for; the template's default where it does not speak it
	Attributes survey.Attributes
	Touchpoint string // its name for people
	OccurredAt *survey.Instant
	Timezone   string // of the customer; may be empty

	BaseURL        string // what the address of the logo begins with
	SurveyURL      string // absolute; an answer is added as ?score=N
	UnsubscribeURL string // absolute; may be empty
	Reminder       bool   // the subject stays the invitation's, so that both are shown as one thread
	Test           bool   // says so in subject and body
}

// Mail is a rendered mail. Subject is one line; HTML is under 60 KB; Text says
// all that HTML says.
type Mail struct {
	Subject string
	Text    string
	HTML    string
}

type invitationView struct {
	frame
	scale
	Subject        string
	Greeting       string
	Intro          phrase
	Question       phrase
	SurveyURL      string
	UnsubscribeURL string
	Reminder       bool
	Test           bool
}

// buttons are scores that stay beside each other however narrow the screen is;
// the names of the ends that are among them stand below.
type buttons struct {
	Points    []point
	Low, High *point
}

// Width is that of the buttons in pixels, with the space behind each.
func (b buttons) Width() int { return 46 * len(b.Points) }

// maxButtons fit beside each other on the narrowest phone, which is 320 pixels
// wide.
const maxButtons = 6

// Buttons are the points in one stretch, or in two halves of which the second
// goes below the first where there is no room beside it.
func (v invitationView) Buttons() []buttons {
	first, last, half := v.First(), v.Last(), len(v.Points)
	if half > maxButtons {
		half = (half + 1) / 2
	}
	stretches := []buttons{{Points: v.Points[:half], Low: &first}}
	if half < len(v.Points) {
		stretches = append(stretches, buttons{Points: v.Points[half:]})
	}
	stretches[len(stretches)-1].High = &last
	return stretches
}

// ScoreURL leads to the page with a score chosen; nothing is recorded by it.
func (v invitationView) ScoreURL(score int) (string, error) {
	u, err := url.Parse(v.SurveyURL)
	if err != nil {
		return "", err
	}
	query := u.Query()
	query.Set("score", strconv.Itoa(score))
	u.RawQuery = query.Encode()
	return u.String(), nil
}

// Invitation renders a mail. Errors: a template without score question, an
// address that is not http or https. Mails that differ in name and links alone
// are rendered once.
func (w *Words) Invitation(m InvitationMail) (Mail, error) {
	name := inert(m.Name)
	key, ok := m.key(name)
	if !ok {
		return w.render(m)
	}
	plate, ok, err := w.plate(key, m)
	if err != nil || !ok {
		return w.render(m)
	}
	return plate.print(w.plates.name, name, m), nil
}

func (w *Words) render(m InvitationMail) (Mail, error) {
	view, err := w.invitationView(m)
	if err != nil {
		return Mail{}, fmt.Errorf("invitation: %w", err)
	}
	var text, html bytes.Buffer
	if err := w.text.ExecuteTemplate(&text, "invitation.txt", view); err != nil {
		return Mail{}, err
	}
	if err := w.html.ExecuteTemplate(&html, "invitation.html", view); err != nil {
		return Mail{}, err
	}
	return Mail{Subject: view.Subject, Text: text.String(), HTML: html.String()}, nil
}

func (w *Words) invitationView(m InvitationMail) (invitationView, error) {
	var v invitationView
	question := m.Template.Score()
	if question == nil || question.Scale == nil {
		return v, errors.New("the template has no score question")
	}
	if !isLink(m.SurveyURL) || m.UnsubscribeURL != "" && !isLink(m.UnsubscribeURL) {
		return v, errors.New("links must be http or https addresses")
	}
	words := w.wording(m.Template, m.Locale, m.Name, m.Attributes)
	var err error
	if v.frame, err = newFrame(words.voice, m.Workspace, m.Touchpoint, m.OccurredAt, m.Timezone); err != nil {
		return v, err
	}
	v.brand = brandOf(m.Workspace, m.BaseURL)
	if v.scale, err = words.scale(*question); err != nil {
		return v, err
	}
	if v.Intro, err = words.orOwn(m.Template.Mail.Intro, "mail_intro", v.Company); err != nil {
		return v, err
	}
	if v.Subject, err = words.subject(m, v.Company); err != nil {
		return v, err
	}
	if v.Greeting, err = words.greeting(m.Template.Mail.Intro); err != nil {
		return v, err
	}
	v.Question = words.phrase(question.Text)
	v.SurveyURL, v.UnsubscribeURL = m.SurveyURL, m.UnsubscribeURL
	v.Reminder, v.Test = m.Reminder, m.Test
	return v, nil
}

// orOwn is the template's text, or koe's own words where it has none.
func (w wording) orOwn(text survey.Text, key, company string) (phrase, error) {
	if p := w.phrase(text); p.Text != "" {
		return p, nil
	}
	return w.own(key, "Company", company)
}

func (w wording) subject(m InvitationMail, company string) (string, error) {
	p, err := w.orOwn(m.Template.Mail.Subject, "mail_subject", company)
	if err != nil {
		return "", err
	}
	subject := p.Text
	if m.Test {
		if subject, err = w.Say("test_subject", "Subject", subject); err != nil {
			return "", err
		}
	}
	return subjectLine(subject), nil
}

// maxSubject is in characters: at four bytes each they still fit the header.
const maxSubject = 200

// subjectLine is one line that a mail can have as its subject whatever the
// values in it are.
func subjectLine(words string) string {
	words = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.Join(strings.FieldsFunc(strings.ToValidUTF8(words, ""), parts), " "))
	if runes := []rune(words); len(runes) > maxSubject {
		words = strings.TrimSpace(string(runes[:maxSubject-1])) + "…"
	}
	return words
}

// parts is true for what parts words, and not for the spaces that keep a French
// sign with its word, nor for the wide one of Japanese.
func parts(r rune) bool {
	return unicode.IsSpace(r) && r != '\u00a0' && r != '\u202f' && r != '\u3000'
}

var usesName = regexp.MustCompile(`\{\{\s*name\s*\}\}`)

// greeting is empty where the intro greets by name itself.
func (w wording) greeting(intro survey.Text) (string, error) {
	words, _ := intro.In(w.locale, w.template.DefaultLocale)
	switch {
	case usesName.MatchString(words):
		return "", nil
	case w.name == "":
		return w.Say("greeting")
	}
	return w.Say("greeting_name", "Name", w.name)
}

func isLink(address string) bool {
	u, err := url.Parse(address)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}
