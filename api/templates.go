package api

import (
	"strconv"

	"github.com/labstack/echo/v4"

	"koe/survey"
	"koe/survey/store"
)

func templateAnswer(t store.TemplateRecord) (any, string) { return t, etag(int64(t.Version)) }

func (a *api) createTemplate(c echo.Context) error {
	var t survey.Template
	if err := bind(c, &t); err != nil {
		return err
	}
	ctx := c.Request().Context()
	return a.once(c, func(by store.Caller) (answer, error) {
		made, err := a.Store.CreateTemplate(ctx, by, t)
		return created(templateAnswer(made)), err
	}, func(by store.Caller, key string) (answer, error) {
		made, err := a.Store.TemplateVersion(ctx, by, key, 1)
		return created(templateAnswer(made)), err
	})
}

func (a *api) listTemplates(c echo.Context) error {
	page, err := queryOf(c).page()
	if err != nil {
		return err
	}
	items, next, err := a.Store.Templates(c.Request().Context(), caller(c), page)
	return reply(c, listed(items, next), err)
}

func (a *api) showTemplate(c echo.Context) error {
	key, err := keyParam(c, "template")
	if err != nil {
		return err
	}
	t, err := a.Store.Template(c.Request().Context(), caller(c), key)
	return reply(c, okay(templateAnswer(t)), err)
}

func (a *api) putTemplate(c echo.Context) error {
	var t survey.Template
	if err := bind(c, &t); err != nil {
		return err
	}
	var err error
	if t.Key, err = keyInPath(c, "key", t.Key); err != nil {
		return err
	}
	ctx, by := c.Request().Context(), caller(c)
	match, err := matching(c, func() error {
		_, err := a.Store.Template(ctx, by, t.Key)
		return err
	})
	if err != nil {
		return err
	}
	put, fresh, err := a.Store.PutTemplate(ctx, by, t, match)
	body, tag := templateAnswer(put)
	return reply(c, createdOr(fresh, body, tag), err)
}

func (a *api) archiveTemplate(c echo.Context) error {
	key, err := keyParam(c, "template")
	if err != nil {
		return err
	}
	match, err := existing(c)
	if err != nil {
		return err
	}
	return reply(c, gone(), a.Store.ArchiveTemplate(c.Request().Context(), caller(c), key, match))
}

func (a *api) listTemplateVersions(c echo.Context) error {
	key, err := keyParam(c, "template")
	if err != nil {
		return err
	}
	page, err := queryOf(c).page()
	if err != nil {
		return err
	}
	items, next, err := a.Store.TemplateVersions(c.Request().Context(), caller(c), key, page)
	return reply(c, listed(items, next), err)
}

func (a *api) showTemplateVersion(c echo.Context) error {
	key, err := keyParam(c, "template")
	if err != nil {
		return err
	}
	version, err := strconv.Atoi(param(c, "version"))
	if err != nil || version < 1 || strconv.Itoa(version) != param(c, "version") {
		return notFound("version")
	}
	t, err := a.Store.TemplateVersion(c.Request().Context(), caller(c), key, version)
	return reply(c, okay(t, ""), err)
}
