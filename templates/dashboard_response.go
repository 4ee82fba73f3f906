package templates

import (
	"io"
	"slices"
	"time"

	"koe/survey"
)

// ResponsePage is what the page of one answer shows.
type ResponsePage struct {
	Comment
	Zone      *time.Location
	Survey    string
	Customer  string // "" for nobody who is known
	Channel   string
	Response  survey.Response
	Template  survey.Template // that was answered
	Attribute []NamedValue
	Excluded  bool
	FollowUp  *FollowUpLink // nil for none
	Story     []Happened    // the oldest first
	MayEdit   bool
}

// FollowUpLink leads to the follow-up of an answer.
type FollowUpLink struct {
	Address string
	State   survey.FollowUpState
}

// NamedValue is a name with what it is.
type NamedValue struct{ Name, Value string }

// Happened is one thing in the story of an answer. Key names the wording
// story_KEY; Detail stands behind it as it is.
type Happened struct {
	At          time.Time
	Key, Detail string
}

type responseView struct {
	ResponsePage
	One     commentView
	Said    []saidLine
	Consent string // "" where the template does not ask for it
	Story   []happenedView
}

type happenedView struct{ At, Exact, What, Detail string }

// ResponsePage renders the page of one answer.
func (w *Words) ResponsePage(out io.Writer, d Dashboard, p ResponsePage) error {
	v := staffFigures{w.staffVoice(d.Locale)}
	one, err := v.comment(p.Comment, p.Zone)
	if err != nil {
		return err
	}
	one.MayEdit, one.Back = p.MayEdit, d.Path
	words := followUpWordsIn(v.Lang)
	view := responseView{ResponsePage: p, One: one, Said: said(w, words, p.Template, p.Response, v.Lang)}
	view.Said = slices.DeleteFunc(view.Said, func(line saidLine) bool { return line.Comment })
	if consent := survey.MayContact(p.Template, p.Response.Answers); consent != nil {
		view.Consent = words.consent(consent)
	}
	for _, h := range p.Story {
		at := h.At.In(p.Zone)
		shown := happenedView{At: at.Format("2006-01-02 15:04"), Exact: at.Format(time.RFC3339), Detail: inert(h.Detail)}
		if shown.What, err = v.Say("story_" + h.Key); err != nil {
			return err
		}
		view.Story = append(view.Story, shown)
	}
	return w.DashboardPage(out, "response", d, view)
}
