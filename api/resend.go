package api

import (
	"github.com/labstack/echo/v4"

	"koe/survey/store"
)

// resendInvitation sends a mail once more that failed or may not have arrived.
func (a *api) resendInvitation(c echo.Context) error {
	id, err := idParam(c, "invitation")
	if err != nil {
		return err
	}
	if err := bindNothing(c); err != nil {
		return err
	}
	return a.once(c, func(by store.Caller) (answer, error) {
		if err := a.Store.Resend(c.Request().Context(), by, id); err != nil {
			return answer{}, err
		}
		return a.invitation(c, by, id)
	}, func(by store.Caller, _ string) (answer, error) { return a.invitation(c, by, id) })
}
