package templates

import (
	"fmt"
	"html/template"
	"io"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"koe/scoring"
	"koe/survey"
)

// Step says which page a respondent sees.
type Step string

// The steps of a survey, and the pages beside them.
const (
	StepScore        Step = "score"        // the score question, first
	StepQuestions    Step = "questions"    // the follow-up questions that fit the score
	StepThanks       Step = "thanks"       // after the answer
	StepClosed       Step = "closed"       // answered, and no longer editable
	StepExpired      Step = "expired"      // the link's end has passed
	StepPaused       Step = "paused"       // an open link's survey takes no answers just now
	StepUnknown      Step = "unknown"      // no such link
	StepUnsubscribe  Step = "unsubscribe"  // asks whether to unsubscribe
	StepUnsubscribed Step = "unsubscribed" // done
	StepUnavailable  Step = "unavailable"  // nothing can be saved just now
	StepTooMany      Step = "too_many"     // slow down
	StepTooLong      Step = "too_long"     // more was written than koe takes at once
	StepUnread       Step = "unread"       // what came is no form
)

// ScoreField is the form's name for the score; StepField is the hidden field
// that says which step was posted ("score" or "questions"). TextsField, once for
// each text question, names its field. RestField stands where a page shows only
// the questions that had no answer yet. FormField and TrapField are of open links
// alone: the signed form, and what only a program fills.
const (
	ScoreField = "score"
	StepField  = "step"
	TextsField = "texts"
	RestField  = "rest"
	FormField  = "form"
	TrapField  = "homepage"
)

// QuestionField is the form's name for a follow-up question. Several choices
// repeat it; a consent's value is "yes".
func QuestionField(key string) string { return "q_" + key }

// SurveyPage is one page that a respondent sees. The pages from StepExpired on
// need no template and no workspace: they say less without.
type SurveyPage struct {
	Step       Step
	Template   survey.Template
	Version    int // of the template; 0 for a draft, which is not remembered
	Workspace  survey.Workspace
	Name       string // of the customer, for placeholders alone
	Locale     string // wished for; see SurveyLocale
	Attributes survey.Attributes
	Touchpoint string // its name for people
	OccurredAt *survey.Instant
	Timezone   string // of the customer; may be empty
	Named      bool   // the company sees which customer answers
	Framed     bool   // the page stands in a frame of another site
	Path       string // under which koe is reached, such as "/koe"; style sheet and logo stand there

	Preselected *int           // the score that the link named: chosen, not recorded
	Score       *int           // the score that is saved
	Answers     survey.Answers // the follow-up answers that are saved
	Editable    bool           // the answer can still be changed

	// Of an open link, which Open says: the signed form that the page posts, where it was not
	// posted yet; the address of the answer, or of the link where there is none
	// yet; what the page's links and forms keep in their query; and, on a kiosk,
	// where it begins anew, after which wait, and how long after the last touch
	// (0: not by the page).
	Open       bool
	Form       string
	Address    string
	Query      url.Values
	Start      string
	Wait, Idle time.Duration

	// Typed is the form as it was posted, to be shown again; where it is not
	// nil it wins over what is saved. Errors are messages by form field, as
	// FormErrors makes them.
	Typed  map[string][]string
	Errors map[string]string
}

type languageLink struct {
	Lang    string
	Name    string
	URL     string
	Current bool
}

type pageView struct {
	frame
	Step      Step
	Title     string
	Text      string
	Languages []languageLink
	Fields    []field
	Problems  []problem
	Saved     *point  // the answer that was given
	Between   string  // its scale, such as "0–10"; empty for thumbs
	Thanks    *phrase // what the template says
	Link      *link
	Editable  bool
	Locale    string // of the questions
	Posted    bool   // the page answers a form
	GoesTo    string // who gets the answer, and whether they see whose it is
	Refill    []refill
	Form      string // signed, of an open link
	Address   string // what the page's own links lead to, without the query; empty is the page's
	Query     url.Values
	Own       string // what the page's forms lead to; empty is the page's address
	Start     string // where a kiosk begins anew
	Wait      int    // after how many seconds; 0: not by the page
	Idle      int    // how many seconds after the last touch
	Script    template.JS
}

// TrapField is the name of the field that only a program fills.
func (v pageView) TrapField() string { return TrapField }

// TextsField is the name of the field that names the fields of texts.
func (v pageView) TextsField() string { return TextsField }

// Counts is true where a text's length is counted while it is typed.
func (v pageView) Counts() bool {
	return slices.ContainsFunc(v.Fields, func(f field) bool { return f.Type == survey.TextQuestion })
}

// EditURL leads to the score again, in the language of the page.
func (v pageView) EditURL() string {
	query := url.Values{}
	maps.Copy(query, v.Query)
	query.Set("edit", "1")
	query.Set("lang", v.Locale)
	return v.Address + "?" + query.Encode()
}

// Scripted is true where the page has something for its script to do.
func (v pageView) Scripted() bool { return v.Counts() || v.Wait > 0 }

// Own is where an answer by an open link is found again, and where a form that
// was not posted yet gives it, in the language of the page; empty for what has no
// address of its own. It is never the address of the page that shows the form:
// browsers throw away what they keep of an address that is posted to.
func (p SurveyPage) Own() string {
	address, query := p.Address, url.Values{}
	maps.Copy(query, p.Query)
	if p.Form != "" {
		address += "/" + p.Form
		query.Set("lang", p.Locale)
	}
	if address == "" || len(query) == 0 {
		return address
	}
	return address + "?" + query.Encode()
}

// link leads out of the survey, to where the template says.
type link struct {
	URL  string
	Text phrase
}

// SurveyPage renders a page. Errors: an unknown step; a step that needs a
// template or a score without one; a failing writer. Pages that are the same
// for many customers are rendered once.
func (w *Words) SurveyPage(out io.Writer, p SurveyPage) error {
	key, common := p.key()
	if common {
		if page, made := w.pages.page(key); made {
			_, err := io.WriteString(out, page)
			return err
		}
	}
	view, name, err := w.surveyView(p)
	if err != nil {
		return fmt.Errorf("page %s: %w", p.Step, err)
	}
	if !common {
		return w.page(out, name, view)
	}
	var b strings.Builder
	if err := w.page(&b, name, view); err != nil {
		return err
	}
	w.pages.keep(key, b.String())
	_, err = io.WriteString(out, b.String())
	return err
}

func (w *Words) surveyView(p SurveyPage) (view pageView, name string, err error) {
	words := w.wording(p.Template, p.Locale, p.Name, p.Attributes)
	p.Typed = showable(p.Typed)
	switch p.Step {
	case StepScore, StepQuestions, StepThanks, StepClosed:
		if q := p.Template.Score(); q == nil || q.Scale == nil {
			return view, "", fmt.Errorf("the template has no score question")
		}
	default:
		words.voice = w.voice(p.Locale, p.Template.DefaultLocale)
	}
	view.Step, view.Locale, view.Posted = p.Step, words.locale, p.Typed != nil
	view.Form, view.Address, view.Query, view.Own, view.Start = p.Form, p.Address, p.Query, p.Own(), p.Start
	view.Editable, view.Script = p.Editable && p.Step != StepClosed, w.script
	view.Wait, view.Idle = int(p.Wait.Seconds()), int(p.Idle.Seconds())
	if view.frame, err = newFrame(words.voice, p.Workspace, p.Touchpoint, p.OccurredAt, p.Timezone); err != nil {
		return view, "", err
	}
	view.brand, view.Framed = pageBrand(p.Workspace, p.Path), p.Framed
	view.Languages = w.languageLinks(p, words)
	switch p.Step {
	case StepScore:
		return view, "score.html", view.score(p, words)
	case StepQuestions:
		return view, "questions.html", view.questions(p, words)
	case StepThanks, StepClosed:
		return view, "thanks.html", view.thanks(p, words)
	}
	return view, "message.html", view.message(p)
}

// score is the page of the score question.
func (v *pageView) score(p SurveyPage, words wording) error {
	f, err := words.field(*p.Template.Score(), p)
	if err != nil {
		return err
	}
	v.Fields, v.Title = []field{f}, f.Label.Text
	v.Problems = problems(v.Fields, p.Errors)
	return v.goesTo(p)
}

// goesTo says who gets the answer, and whether they see whose it is.
func (v *pageView) goesTo(p SurveyPage) (err error) {
	key := "goes_to"
	if p.Named {
		key = "goes_to_named"
	}
	v.GoesTo, err = v.Say(key, "Company", v.Company)
	return err
}

// questions is the page of the follow-up questions.
func (v *pageView) questions(p SurveyPage, words wording) (err error) {
	if p.Score == nil {
		return fmt.Errorf("no score is saved")
	}
	if v.Title, err = v.Say("saved"); err != nil {
		return err
	}
	asked := p.Template.Shown(*p.Score, p.Answers)
	if !p.Editable { // what was answered stays as it is
		asked = p.Template.Waiting(*p.Score, p.Answers)
	}
	for _, q := range asked {
		f, err := words.field(q, p)
		if err != nil {
			return err
		}
		v.Fields = append(v.Fields, f)
	}
	v.Problems = problems(v.Fields, p.Errors)
	if err = v.goesTo(p); err != nil {
		return err
	}
	return v.answer(p, words)
}

// answer notes which score is saved; a shared device tells nobody.
func (v *pageView) answer(p SurveyPage, words wording) error {
	q := p.Template.Score()
	if p.Start != "" || p.Score == nil || *p.Score < q.Scale.Min || *p.Score > q.Scale.Max {
		return nil
	}
	s, err := words.scale(*q)
	if err != nil {
		return err
	}
	v.Saved = &s.Points[*p.Score-q.Scale.Min]
	if !s.Thumbs {
		v.Between = s.First().Label + "–" + s.Last().Label
	}
	return nil
}

func (v *pageView) thanks(p SurveyPage, words wording) (err error) {
	if v.Title, err = v.Say("thanks_title"); err != nil {
		return err
	}
	if v.Text, err = v.Say("thanks_text"); err != nil {
		return err
	}
	if p.Score == nil {
		return nil
	}
	if thanks := p.Template.Thanks(*p.Score, p.Answers); thanks != nil {
		text := words.phrase(thanks.Text)
		v.Thanks = &text
		if thanks.Link != nil && p.Start == "" { // a shared device leads nowhere
			v.Link = &link{URL: thanks.Link.URL, Text: words.phrase(thanks.Link.Text)}
		}
	}
	return v.answer(p, words)
}

// message is a page that says one thing.
func (v *pageView) message(p SurveyPage) (err error) {
	text := string(p.Step) + "_text"
	switch p.Step {
	case StepExpired, StepPaused, StepUnknown, StepTooMany:
	case StepTooLong, StepUnread:
		v.Posted = true
	case StepUnsubscribe, StepUnsubscribed:
		if v.Company == "" {
			text += "_plain"
		}
	case StepUnavailable:
		if v.Refill = refills(p.Typed); len(v.Refill) == 0 {
			text += "_plain"
		}
	default:
		return fmt.Errorf("no such step")
	}
	if p.Step == StepUnknown && p.Open { // which nobody was sent by mail
		text = "unknown_open_text"
	}
	if p.Step == StepTooMany {
		v.Refill = refills(p.Typed)
	}
	if v.Title, err = v.Say(string(p.Step) + "_title"); err != nil {
		return err
	}
	v.Text, err = v.Say(text, "Company", v.Company)
	return err
}

// languageLinks lead to the same page in the languages that the template
// speaks, or koe itself where the page has only koe's words. The score that is
// chosen goes with them. Pages that hold what somebody typed, or lead back to
// it, have none: it would be lost.
func (w *Words) languageLinks(p SurveyPage, words wording) []languageLink {
	tags, current := w.languages, words.Lang
	switch p.Step {
	case StepUnavailable, StepTooMany, StepTooLong, StepUnread:
		return nil
	case StepScore, StepQuestions, StepThanks, StepClosed:
		tags, current = slices.Sorted(maps.Keys(p.Template.Score().Text)), words.locale
	}
	if len(tags) < 2 {
		return nil
	}
	query := url.Values{}
	maps.Copy(query, p.Query)
	if p.Step == StepScore {
		if chosen := p.chosen(); chosen != nil {
			query.Set("score", strconv.Itoa(*chosen))
		}
		if p.Score != nil {
			query.Set("edit", "1")
		}
	}
	links := make([]languageLink, 0, len(tags))
	for _, tag := range tags {
		query.Set("lang", tag)
		links = append(links, languageLink{tag, languageName(tag), p.Address + "?" + query.Encode(), tag == current})
	}
	return links
}

// chosen is the score that the page shows as chosen: what was posted, else
// what the link named, else what is saved; nil where none is on the scale.
func (p SurveyPage) chosen() *int {
	chosen := p.Preselected
	if chosen == nil {
		chosen = p.Score
	}
	if p.Typed != nil {
		chosen = nil
		if posted, err := scoring.ParseScore(strings.Join(p.Typed[ScoreField], " ")); err == nil {
			chosen = &posted
		}
	}
	if q := p.Template.Score(); chosen == nil || *chosen < q.Scale.Min || *chosen > q.Scale.Max {
		return nil
	}
	return chosen
}
