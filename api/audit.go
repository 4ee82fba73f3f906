package api

import (
	"github.com/labstack/echo/v4"

	"koe/survey"
	"koe/survey/store"
)

// listAudit says who did what, the newest first.
func (a *api) listAudit(c echo.Context) error {
	q := queryOf(c)
	page, err := q.page()
	if err != nil {
		return err
	}
	zone, err := a.zone(c)
	if err != nil {
		return err
	}
	var f store.AuditFilter
	if f.From, f.To, err = q.span(zone); err != nil {
		return err
	}
	if raw, given := q["actor"]; given {
		actor, err := survey.ParseID(raw)
		if err != nil {
			return survey.Errorf(survey.Invalid, "actor", "actor must be the id of a key or a member")
		}
		f.Actor = &actor
	}
	var p survey.Problems
	f.Action = survey.Line(&p, "action", q["action"], 100)
	if err := p.Err(); err != nil {
		return err
	}
	items, next, err := a.Store.Audit(c.Request().Context(), caller(c), f, page)
	return reply(c, listed(items, next), err)
}
