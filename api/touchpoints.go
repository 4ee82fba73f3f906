package api

import (
	"github.com/labstack/echo/v4"

	"koe/survey"
	"koe/survey/store"
)

type touchpointRequest struct {
	Key  string `json:"key"`
	Name string `json:"name" validate:"required"`
}

func touchpointAnswer(t store.Touchpoint) (any, string) { return t, etag(t.Revision) }

func (a *api) createTouchpoint(c echo.Context) error {
	var in touchpointRequest
	if err := bind(c, &in); err != nil {
		return err
	}
	if err := a.check(in); err != nil {
		return err
	}
	ctx := c.Request().Context()
	return a.once(c, func(by store.Caller) (answer, error) {
		t, err := a.Store.CreateTouchpoint(ctx, by, store.Touchpoint{Key: in.Key, Name: in.Name})
		return created(touchpointAnswer(t)), err
	}, func(by store.Caller, key string) (answer, error) {
		t, err := a.Store.Touchpoint(ctx, by, key)
		return created(touchpointAnswer(t)), err
	})
}

func (a *api) listTouchpoints(c echo.Context) error {
	page, err := queryOf(c).page()
	if err != nil {
		return err
	}
	items, next, err := a.Store.Touchpoints(c.Request().Context(), caller(c), page)
	return reply(c, listed(items, next), err)
}

func (a *api) showTouchpoint(c echo.Context) error {
	key, err := keyParam(c, "touchpoint")
	if err != nil {
		return err
	}
	t, err := a.Store.Touchpoint(c.Request().Context(), caller(c), key)
	return reply(c, okay(touchpointAnswer(t)), err)
}

func (a *api) putTouchpoint(c echo.Context) error {
	var in touchpointRequest
	if err := bind(c, &in); err != nil {
		return err
	}
	if err := a.check(in); err != nil {
		return err
	}
	key, err := keyInPath(c, "key", in.Key)
	if err != nil {
		return err
	}
	ctx, by := c.Request().Context(), caller(c)
	match, err := matching(c, func() error {
		_, err := a.Store.Touchpoint(ctx, by, key)
		return err
	})
	if err != nil {
		return err
	}
	t, fresh, err := a.Store.PutTouchpoint(ctx, by, store.Touchpoint{Key: key, Name: in.Name}, match)
	body, tag := touchpointAnswer(t)
	return reply(c, createdOr(fresh, body, tag), err)
}

// touchpointPatch is what may be changed of a touchpoint: its key is how
// others know it.
type touchpointPatch struct {
	Name string `json:"name" validate:"required"`
}

// patchTries is how often a change without If-Match is made again on what
// somebody else has just changed.
const patchTries = 5

func (a *api) patchTouchpoint(c echo.Context) error {
	key, err := keyParam(c, "touchpoint")
	if err != nil {
		return err
	}
	match, err := existing(c)
	if err != nil {
		return err
	}
	ctx, by := c.Request().Context(), caller(c)
	for try := 1; ; try++ {
		t, err := a.Store.Touchpoint(ctx, by, key)
		if err != nil {
			return err
		}
		if match != 0 && match != t.Revision {
			return stale()
		}
		var change touchpointPatch
		if err := mergePatch(touchpointPatch{t.Name}, rawBody(c), &change); err != nil {
			return err
		}
		if err := a.check(change); err != nil {
			return err
		}
		changed, _, err := a.Store.PutTouchpoint(ctx, by, store.Touchpoint{Key: key, Name: change.Name}, t.Revision)
		if match == 0 && try < patchTries && is(err, survey.Stale) {
			continue
		}
		return reply(c, okay(touchpointAnswer(changed)), err)
	}
}

func (a *api) deleteTouchpoint(c echo.Context) error {
	key, err := keyParam(c, "touchpoint")
	if err != nil {
		return err
	}
	match, err := existing(c)
	if err != nil {
		return err
	}
	return reply(c, gone(), a.Store.DeleteTouchpoint(c.Request().Context(), caller(c), key, match))
}
