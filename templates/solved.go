package templates

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"koe/survey"
)

// The pages of a customer who is asked whether it is solved.
const (
	StepSolvedAsk  Step = "solved_ask"  // asks, with two buttons
	StepSolvedYes  Step = "solved_yes"  // it is
	StepSolvedNo   Step = "solved_no"   // it is not, and open again
	StepSolvedOver Step = "solved_over" // nobody waits for the answer any more
	StepSolvedSaid Step = "solved_said" // the other was answered before
)

// SolvedField is the form's name for the answer: "yes" or "no".
const SolvedField = "solved"

// SolvedPage is what a customer sees who is asked whether it is solved.
type SolvedPage struct {
	Step        Step
	Workspace   survey.Workspace
	Touchpoint  string // its name for people
	RespondedAt survey.Instant
	Timezone    string // of the customer; may be empty
	Locale      string // wished for
	Path        string // as of SurveyPage
}

type solvedView struct {
	pageView
	SolvedField string
}

// Asks is true on the page with the two buttons.
func (v solvedView) Asks() bool { return v.Step == StepSolvedAsk }

// SolvedPage renders a page. Errors: an unknown step, a failing writer.
func (w *Words) SolvedPage(out io.Writer, p SolvedPage) (err error) {
	view := solvedView{SolvedField: SolvedField}
	view.Step = p.Step
	speaks := w.voice(p.Locale, p.Workspace.DefaultLocale)
	if view.frame, err = newFrame(speaks, p.Workspace, p.Touchpoint, &p.RespondedAt, p.Timezone); err != nil {
		return fmt.Errorf("page %s: %w", p.Step, err)
	}
	view.brand = pageBrand(p.Workspace, p.Path)
	for _, tag := range w.languages {
		view.Languages = append(view.Languages, languageLink{tag, languageName(tag), "?lang=" + tag, tag == speaks.Lang})
	}
	if view.Title, err = view.Say(string(p.Step) + "_title"); err != nil {
		return fmt.Errorf("page %s: %w", p.Step, err)
	}
	if !view.Asks() {
		if view.Text, err = view.Say(string(p.Step)+"_text", "Company", view.Company); err != nil {
			return fmt.Errorf("page %s: %w", p.Step, err)
		}
	}
	return w.page(out, "solved.html", view)
}

// SolvedMail asks a customer whether it is solved.
type SolvedMail struct {
	Workspace      survey.Workspace
	Name           string // of the customer; may be empty
	Locale         string // wished for
	Touchpoint     string // its name for people
	RespondedAt    survey.Instant
	Timezone       string // of the customer; may be empty
	BaseURL        string // what the address of the logo begins with
	URL            string // absolute; nothing is recorded by opening it
	UnsubscribeURL string // absolute
}

type solvedMailView struct {
	frame
	Subject        string
	Greeting       string
	Intro          string
	Question       string
	URL            string
	UnsubscribeURL string
}

// SolvedMail renders a mail. Errors: an address that is not http or https.
func (w *Words) SolvedMail(m SolvedMail) (Mail, error) {
	if !isLink(m.URL) || !isLink(m.UnsubscribeURL) {
		return Mail{}, errors.New("links must be http or https addresses")
	}
	view := solvedMailView{URL: m.URL, UnsubscribeURL: m.UnsubscribeURL}
	speaks := w.voice(m.Locale, m.Workspace.DefaultLocale)
	var err error
	if view.frame, err = newFrame(speaks, m.Workspace, m.Touchpoint, &m.RespondedAt, m.Timezone); err != nil {
		return Mail{}, err
	}
	view.brand = brandOf(m.Workspace, m.BaseURL)
	for _, one := range []struct {
		into *string
		key  string
	}{{&view.Subject, "solved_subject"}, {&view.Intro, "solved_intro"}, {&view.Question, "solved_ask_title"}, {&view.Greeting, "greeting"}} {
		if *one.into, err = view.Say(one.key, "Company", view.Company); err != nil {
			return Mail{}, err
		}
	}
	if name := speaks.inert(m.Name); name != "" {
		if view.Greeting, err = view.Say("greeting_name", "Name", name); err != nil {
			return Mail{}, err
		}
	}
	view.Subject = subjectLine(view.Subject)
	var text, html bytes.Buffer
	if err := w.text.ExecuteTemplate(&text, "solved.txt", view); err != nil {
		return Mail{}, err
	}
	if err := w.html.ExecuteTemplate(&html, "solved_mail.html", view); err != nil {
		return Mail{}, err
	}
	return Mail{Subject: view.Subject, Text: text.String(), HTML: html.String()}, nil
}
