package api

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"koe/survey"
	"koe/templates"
)

// showUnsubscribePage asks whether to unsubscribe; opening it does nothing. It
// works all the same where the survey is over.
func (a *api) showUnsubscribePage(c echo.Context) error {
	opened, err := a.Store.Open(c.Request().Context(), param(c, "token"))
	if is(err, survey.NotFound) {
		return a.unsubscribeAskedPage(c, templates.StepUnsubscribe)
	}
	if err != nil && !is(err, survey.Gone) {
		return a.pageError(c, opened, nil, err)
	}
	p := a.surveyPage(c, opened)
	p.Step = templates.StepUnsubscribe
	if opened.Suppressed {
		p.Step = templates.StepUnsubscribed
	}
	return a.respondentPage(c, http.StatusOK, p)
}

// unsubscribe takes an address out: by the page's button, or by a mail
// program's one click (RFC 8058), without cookies and whatever the body says.
func (a *api) unsubscribe(c echo.Context) error {
	token := param(c, "token")
	if err := a.limits.token(token); err != nil {
		return err
	}
	ctx := c.Request().Context()
	if err := a.Store.Unsubscribe(ctx, token); err != nil {
		return err
	}
	opened, err := a.Store.Open(ctx, token)
	if is(err, survey.NotFound) {
		return a.unsubscribeAskedPage(c, templates.StepUnsubscribed)
	}
	if err != nil && !is(err, survey.Gone) {
		return a.pageError(c, opened, nil, err)
	}
	p := a.surveyPage(c, opened)
	p.Step = templates.StepUnsubscribed
	return a.respondentPage(c, http.StatusOK, p)
}
