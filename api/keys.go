package api

import (
	"github.com/labstack/echo/v4"

	"koe/survey"
	"koe/survey/store"
)

type keyRequest struct {
	Name string     `json:"name" validate:"required,max=200"`
	Role store.Role `json:"role" validate:"required,oneof=viewer sender editor admin"`
}

// newKey is a key with its secret, which is told once: a replay omits it.
type newKey struct {
	store.Key
	Secret string `json:"key,omitempty"`
}

func (a *api) createKey(c echo.Context) error {
	var in keyRequest
	if err := bind(c, &in); err != nil {
		return err
	}
	if err := a.check(in); err != nil {
		return err
	}
	ctx := c.Request().Context()
	return a.once(c, func(by store.Caller) (answer, error) {
		key, secret, err := a.Store.CreateKey(ctx, by, in.Name, in.Role)
		return created(newKey{key, secret}, ""), err
	}, func(by store.Caller, resource string) (answer, error) {
		id, err := survey.ParseID(resource)
		if err != nil {
			return answer{}, err
		}
		key, err := a.Store.Key(ctx, by, id)
		return created(newKey{Key: key}, ""), err
	})
}

func (a *api) listKeys(c echo.Context) error {
	page, err := queryOf(c).page()
	if err != nil {
		return err
	}
	items, next, err := a.Store.Keys(c.Request().Context(), caller(c), page)
	return reply(c, listed(items, next), err)
}

func (a *api) revokeKey(c echo.Context) error {
	id, err := idParam(c, "key")
	if err != nil {
		return err
	}
	return reply(c, gone(), a.Store.RevokeKey(c.Request().Context(), caller(c), id))
}
