package api

import (
	"errors"
	"io"
	"net/http"

	"github.com/labstack/echo/v4"

	"koe/survey"
	"koe/survey/store"
	"koe/templates"
)

// showSolvedPage asks a customer whether it is solved. It records nothing,
// whoever opens it: mail scanners open every link.
func (a *api) showSolvedPage(c echo.Context) error { return a.askSolved(c, http.StatusOK) }

func (a *api) askSolved(c echo.Context, status int) error {
	asked, err := a.Store.OpenFollowUp(c.Request().Context(), param(c, "token"))
	if err != nil {
		return a.pageError(c, store.Opened{}, nil, err)
	}
	step := templates.StepSolvedOver
	switch asked.FollowUp.Confirmation {
	case survey.ConfirmationPending:
		step = templates.StepSolvedAsk
	case survey.Confirmed:
		step = templates.StepSolvedYes
	case survey.Refuted:
		step = templates.StepSolvedNo
	}
	return a.solvedPage(c, status, asked, step)
}

// answerSolvedPage keeps what the customer pressed.
func (a *api) answerSolvedPage(c echo.Context) error {
	token := param(c, "token")
	form, err := readForm(c)
	if err != nil {
		return err
	}
	if err := a.limits.token(token); err != nil {
		return a.pageError(c, store.Opened{}, form, err)
	}
	said := form.Get(templates.SolvedField)
	if said != "yes" && said != "no" { // a form that koe has not made
		return a.askSolved(c, http.StatusUnprocessableEntity)
	}
	asked, err := a.Store.AnswerFollowUp(c.Request().Context(), token, said == "yes")
	var known *survey.Error
	switch {
	case err == nil && said == "yes":
		return a.solvedPage(c, http.StatusOK, asked, templates.StepSolvedYes)
	case err == nil:
		return a.solvedPage(c, http.StatusOK, asked, templates.StepSolvedNo)
	case errors.As(err, &known) && known.Kind == survey.Gone:
		return a.solvedPage(c, http.StatusGone, asked, templates.StepSolvedOver)
	case errors.As(err, &known) && known.Kind == survey.Conflict:
		return a.solvedPage(c, http.StatusConflict, asked, templates.StepSolvedSaid)
	}
	return a.pageError(c, store.Opened{}, form, err)
}

func (a *api) solvedPage(c echo.Context, status int, asked store.AskedFollowUp, step templates.Step) error {
	p := templates.SolvedPage{Step: step, Workspace: asked.Workspace, Touchpoint: asked.Touchpoint, RespondedAt: asked.RespondedAt,
		Timezone: asked.Timezone, Locale: a.askedLocale(c, asked), Path: a.path}
	return showPage(c, status, a.respondentPolicy(c), func(out io.Writer) error { return a.Words.SolvedPage(out, p) })
}

func (a *api) askedLocale(c echo.Context, asked store.AskedFollowUp) string {
	return a.Words.Locale(c.QueryParam("lang"), asked.Locale, c.Request().Header.Get("Accept-Language"))
}

// unsubscribeAskedPage is the page for taking out an address by the link in a
// mail that asked whether it is solved.
func (a *api) unsubscribeAskedPage(c echo.Context, step templates.Step) error {
	asked, err := a.Store.OpenFollowUp(c.Request().Context(), param(c, "token"))
	if err != nil {
		return a.pageError(c, store.Opened{}, nil, err)
	}
	if asked.Suppressed {
		step = templates.StepUnsubscribed
	}
	return a.respondentPage(c, http.StatusOK, templates.SurveyPage{Step: step, Workspace: asked.Workspace, Locale: a.askedLocale(c, asked)})
}
