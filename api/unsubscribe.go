package api

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"errors"
	"koe/survey"
	"koe/survey/store"
	"koe/templates"
)

// showUnsubscribePage asks whether to unsubscribe; opening it does nothing.
func (a *api) showUnsubscribePage(c echo.Context) error {
	opened, err := a.Store.Open(c.Request().Context(), param(c, "token"))
	if err != nil && !isGone(err) {
		return a.closedPage(c, opened, err)
	}
	p := a.surveyPage(c, opened)
	p.Step = templates.StepUnsubscribe
	if opened.Suppressed {
		p.Step = templates.StepUnsubscribed
	}
	return a.respondentPage(c, http.StatusOK, p)
}

// isGone is true for a link whose survey is over; unsubscribing works all the
// same.
func isGone(err error) bool {
	var known *survey.Error
	return errors.As(err, &known) && known.Kind == survey.Gone
}

// unsubscribe takes an address out: by the page's button, or by a mail
// program's one click (RFC 8058), without cookies and whatever the body says.
func (a *api) unsubscribe(c echo.Context) error {
	token := param(c, "token")
	if err := a.limits.token(token); err != nil {
		return a.pageError(c, store.Opened{}, nil, err)
	}
	ctx := c.Request().Context()
	if err := a.Store.Unsubscribe(ctx, token); err != nil {
		return a.pageError(c, store.Opened{}, nil, err)
	}
	opened, err := a.Store.Open(ctx, token)
	if err != nil && !isGone(err) {
		return a.closedPage(c, opened, err)
	}
	p := a.surveyPage(c, opened)
	p.Step = templates.StepUnsubscribed
	return a.respondentPage(c, http.StatusOK, p)
}
