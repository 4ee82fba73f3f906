package api

import "github.com/labstack/echo/v4"

// listFires shows when a survey's schedule fired, or should have.
func (a *api) listFires(c echo.Context) error {
	ref, err := surveyParam(c)
	if err != nil {
		return err
	}
	page, err := queryOf(c).page()
	if err != nil {
		return err
	}
	items, next, err := a.Store.Fires(c.Request().Context(), caller(c), ref, page)
	if err != nil {
		return err
	}
	return send(c, listed(items, next))
}
