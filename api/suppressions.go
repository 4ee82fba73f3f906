package api

import (
	"strings"

	"github.com/labstack/echo/v4"

	"koe/survey"
	"koe/survey/store"
)

type suppressionRequest struct {
	Email  string                   `json:"email" validate:"required"`
	Reason survey.SuppressionReason `json:"reason"`
}

func (a *api) createSuppression(c echo.Context) error {
	in := suppressionRequest{Reason: survey.ByHand}
	if err := bind(c, &in); err != nil {
		return err
	}
	if err := a.check(in); err != nil {
		return err
	}
	ctx := c.Request().Context()
	return a.once(c, func(by store.Caller) (answer, error) {
		s, fresh, err := a.Store.Suppress(ctx, by, in.Email, in.Reason)
		return createdOr(fresh, s, ""), err
	}, func(by store.Caller, resource string) (answer, error) {
		text, repeat := strings.CutPrefix(resource, "repeat ")
		id, err := survey.ParseID(text)
		if err != nil {
			return answer{}, err
		}
		s, err := a.Store.Suppression(ctx, by, id)
		return createdOr(!repeat, s, ""), err
	})
}

func (a *api) listSuppressions(c echo.Context) error {
	q := queryOf(c)
	page, err := q.page()
	if err != nil {
		return err
	}
	items, next, err := a.Store.Suppressions(c.Request().Context(), caller(c), q["email"], page)
	return reply(c, listed(items, next), err)
}

func (a *api) deleteSuppression(c echo.Context) error {
	id, err := idParam(c, "suppression")
	if err != nil {
		return err
	}
	return reply(c, gone(), a.Store.Unsuppress(c.Request().Context(), caller(c), id))
}
