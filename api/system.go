package api

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"path"

	"github.com/labstack/echo/v4"

	"koe/templates"
)

// pagePolicy is the Content-Security-Policy of koe's pages: its own style
// sheet, script and images, forms that post to koe, and nothing else.
const pagePolicy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; form-action 'self'; " +
	"base-uri 'none'; frame-ancestors 'none'"

// health is what probes read.
type health struct {
	Status string `json:"status"`
	Detail string `json:"detail,omitempty"`
}

func (a *api) healthz(c echo.Context) error { return send(c, okay(health{Status: "ok"}, "")) }

func (a *api) readyz(c echo.Context) error {
	if err := a.Store.Ready(c.Request().Context()); err != nil {
		return err
	}
	paused, err := a.Store.PausedWorkspaces(c.Request().Context())
	if err != nil {
		return err
	}
	now := health{Status: "ok"}
	if len(paused) > 0 {
		now.Detail = fmt.Sprintf("sending has paused itself for bounces or complaints (workspaces: %d); see GET /v1/sending", len(paused))
	}
	return send(c, okay(now, ""))
}

func (a *api) openapi(c echo.Context) error {
	return write(c, http.StatusOK, "application/yaml; charset=utf-8", a.OpenAPI)
}

// docs needs 'unsafe-inline' styles: its viewer writes them as it draws.
func (a *api) docs(c echo.Context) error {
	return showPage(c, http.StatusOK, templates.DocsPolicy+"; frame-ancestors 'none'", a.Words.DocsPage)
}

func (a *api) welcome(c echo.Context) error {
	return showPage(c, http.StatusOK, pagePolicy, func(out io.Writer) error {
		return a.Words.WelcomePage(out, a.Mailbox != nil && a.atHome(c.Request()))
	})
}

// static serves a file that pages load. It may be kept for an hour; what it
// holds changes with koe's version alone.
func (a *api) static(c echo.Context) error {
	name := param(c, "file")
	if !fs.ValidPath(name) {
		return notFound("file")
	}
	content, err := fs.ReadFile(templates.Static(), name)
	if err != nil {
		return notFound("file")
	}
	media := mime.TypeByExtension(path.Ext(name))
	if media == "" {
		media = "text/plain; charset=utf-8"
	}
	c.Response().Header().Set("Cache-Control", "public, max-age=3600")
	return write(c, http.StatusOK, media, content)
}

// embedScript is what another site loads to show an open link in a frame.
func (a *api) embedScript(c echo.Context) error {
	content, err := fs.ReadFile(templates.Static(), "embed.js")
	if err != nil {
		return err
	}
	c.Response().Header().Set("Cache-Control", "public, max-age=3600")
	c.Response().Header().Set("Cross-Origin-Resource-Policy", "cross-origin")
	return write(c, http.StatusOK, "text/javascript; charset=utf-8", content)
}

// showPage writes a page under a Content-Security-Policy, as a whole or not at
// all.
func showPage(c echo.Context, status int, policy string, render func(io.Writer) error) error {
	var b bytes.Buffer
	if err := render(&b); err != nil {
		return err
	}
	c.Response().Header().Set("Content-Security-Policy", policy)
	return write(c, status, "text/html; charset=utf-8", b.Bytes())
}
