package api

import (
	"github.com/labstack/echo/v4"

	"koe/survey"
	"koe/survey/store"
)

type keyRequest struct {
	Name string     `json:"name" validate:"required,max=200"`
	Role store.Role `json:"role" validate:"required,oneof=viewer sender editor admin"`

	DelightedSurvey string `json:"delighted_survey"`
}

// keyResponse is an API key. Its secret is told once, to whoever made it: a
// replay omits it.
type keyResponse struct {
	ID        survey.ID      `json:"id"`
	Name      string         `json:"name"`
	Role      store.Role     `json:"role"`
	CreatedAt survey.Instant `json:"created_at"`
	Survey    *survey.ID     `json:"delighted_survey"`
	Secret    string         `json:"key,omitempty"`
}

func keyOf(k store.Key, secret string) keyResponse {
	return keyResponse{k.ID, k.Name, k.Role, k.CreatedAt, k.DelightedSurvey, secret}
}

func (a *api) createKey(c echo.Context) error {
	var in keyRequest
	if err := bind(c, &in); err != nil {
		return err
	}
	if err := a.check(in); err != nil {
		return err
	}
	var choices []store.KeySetting
	if in.DelightedSurvey != "" {
		choices = append(choices, store.PlaysDelighted(in.DelightedSurvey))
	}
	ctx := c.Request().Context()
	return a.once(c, func(by store.Caller) (answer, error) {
		key, secret, err := a.Store.CreateKey(ctx, by, in.Name, in.Role, choices...)
		return created(keyOf(key, secret), ""), err
	}, func(by store.Caller, resource string) (answer, error) {
		id, err := survey.ParseID(resource)
		if err != nil {
			return answer{}, err
		}
		key, err := a.Store.Key(ctx, by, id)
		return created(keyOf(key, ""), ""), err
	})
}

// listKeys shows the keys that work.
func (a *api) listKeys(c echo.Context) error {
	page, err := queryOf(c).page()
	if err != nil {
		return err
	}
	items, next, err := a.Store.Keys(c.Request().Context(), caller(c), page)
	if err != nil {
		return err
	}
	out := make([]keyResponse, len(items))
	for i, k := range items {
		out[i] = keyOf(k, "")
	}
	return send(c, listed(out, next))
}

func (a *api) revokeKey(c echo.Context) error {
	id, err := idParam(c, "key")
	if err != nil {
		return err
	}
	return reply(c, gone(), a.Store.RevokeKey(c.Request().Context(), caller(c), id))
}
