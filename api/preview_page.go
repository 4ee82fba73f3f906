package api

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"koe/survey"
	"koe/survey/store"
	"koe/templates"
)

// previewed is what the address of a preview says: what to show, and how far
// somebody has tried it.
type previewed struct {
	Template   string            `json:"t"`
	What       string            `json:"w"`
	Locale     string            `json:"l,omitempty"`
	Score      *int              `json:"s,omitempty"` // chosen
	Name       string            `json:"n,omitempty"`
	Attributes survey.Attributes `json:"a,omitempty"`
	Answered   *int              `json:"d,omitempty"` // the score that was tried
}

// previewURL is an address that shows a preview in a browser, for an hour and
// without a key.
func (a *api) previewURL(by store.Caller, p previewed) (string, error) {
	what, err := json.Marshal(p)
	return a.BaseURL + "/preview/" + a.Store.SealPreview(by, what), err
}

// trial is a preview that is being looked at.
type trial struct {
	previewed
	by        store.Caller
	template  survey.Template
	workspace survey.Workspace
	locale    string
}

func (a *api) openTrial(c echo.Context) (t trial, err error) {
	by, what, err := a.Store.OpenPreview(param(c, "sealed"))
	if err != nil {
		return t, err
	}
	t.by = by
	if err := json.Unmarshal(what, &t.previewed); err != nil {
		return t, err
	}
	if t.template, t.workspace, err = a.templateToShow(c.Request().Context(), by, t.Template); err != nil {
		return t, err
	}
	t.locale = a.Words.SurveyLocale(t.template, c.QueryParam("lang"), t.Locale, t.workspace.DefaultLocale)
	return t, nil
}

// trialPage is what the survey's page shows of a trial. Nothing of it is kept: how
// far it has come stands in the address.
func (a *api) trialPage(t trial, step templates.Step) (p templates.SurveyPage, err error) {
	p = templates.SurveyPage{Step: step, Template: t.template, Workspace: t.workspace, Name: t.Name, Locale: t.locale, Named: true,
		Attributes: t.Attributes, Preselected: t.Score, Score: t.Answered, Editable: t.Answered != nil}
	if t.Answered != nil {
		t.Locale = t.locale // which may have been switched
		address, err := a.previewURL(t.by, t.previewed)
		if err != nil {
			return p, err
		}
		p.Address = a.path + strings.TrimPrefix(address, a.BaseURL)
	}
	return p, nil
}

// showPreview shows the mail or the page in a browser. The buttons of the mail
// lead to the page; the page can be tried to its end.
func (a *api) showPreview(c echo.Context) error {
	t, err := a.openTrial(c)
	if err != nil {
		return a.pageError(c, store.Opened{}, nil, err)
	}
	if t.What == "mail" {
		return a.showMailPreview(c, t)
	}
	if chosen := chosenScore(t.template, c.QueryParam("score")); chosen != nil {
		t.Score = chosen
	}
	step := templates.StepScore
	if t.Answered != nil && c.QueryParam("edit") != "1" {
		step = templates.StepQuestions
	}
	p, err := a.trialPage(t, step)
	if err != nil {
		return err
	}
	return a.respondentPage(c, http.StatusOK, p)
}

func (a *api) showMailPreview(c echo.Context, t trial) error {
	mail := a.sampleMail(t.template, t.workspace, t.Name, t.locale, t.Attributes, false)
	onward := t.previewed
	onward.What, onward.Locale = "page", t.locale
	var err error
	if mail.SurveyURL, err = a.previewURL(t.by, onward); err != nil {
		return err
	}
	shown, err := a.Words.Invitation(mail)
	if err != nil {
		return err
	}
	return showPage(c, http.StatusOK, mailPolicy, func(out io.Writer) error {
		_, err := io.WriteString(out, shown.HTML)
		return err
	})
}

// tryPreview goes on with a page that is being tried, and records nothing.
func (a *api) tryPreview(c echo.Context) error {
	form, err := readForm(c)
	if err != nil {
		return err
	}
	t, err := a.openTrial(c)
	if err != nil {
		return a.pageError(c, store.Opened{}, form, err)
	}
	opened := store.Opened{Template: t.template, Workspace: t.workspace, Named: true}
	opened.Invitation = survey.Invitation{Name: t.Name, Locale: t.locale, Attributes: t.Attributes}
	if t.Answered != nil {
		opened.Response = &survey.Response{Score: *t.Answered}
	}
	reply, err := replyOf(opened, form)
	if err != nil {
		return a.pageError(c, opened, form, err)
	}
	if reply.Score != nil {
		t.Answered, t.Score = reply.Score, nil
	}
	if t.Answered == nil {
		return a.pageError(c, opened, form, survey.Errorf(survey.Invalid, survey.ScoreKey, "is required"))
	}
	step := templates.StepQuestions
	if reply.Complete || len(t.template.Shown(*t.Answered, reply.Answers)) == 0 {
		step = templates.StepThanks
	}
	p, err := a.trialPage(t, step)
	if err != nil {
		return err
	}
	p.Answers = reply.Answers
	return a.respondentPage(c, http.StatusOK, p)
}
