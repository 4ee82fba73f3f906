package api

import (
	"io"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"koe/templates"
)

// Mailbox is the mail that koe captured instead of sending it, for developing.
type Mailbox struct {
	List func() []templates.MailboxEntry // newest first
	Find func(id string) (entry templates.MailboxEntry, html string, found bool)
}

// Policies of the pages that show a mail. What a mail holds runs nothing and
// loads nothing from elsewhere, wherever it is opened.
const (
	messagePolicy = pagePolicy + "; frame-src 'self'"
	mailPolicy    = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; form-action 'none'; " +
		"frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
)

func (a *api) showMailbox(c echo.Context) error {
	if a.Mailbox == nil || !a.atHome(c.Request()) {
		return a.pageUnknown(c)
	}
	return showPage(c, http.StatusOK, pagePolicy, func(out io.Writer) error {
		return a.Words.MailboxPage(out, a.Mailbox.List())
	})
}

func (a *api) showMail(c echo.Context) error {
	entry, _, found := a.mail(c)
	if !found {
		return a.pageUnknown(c)
	}
	return showPage(c, http.StatusOK, messagePolicy, func(out io.Writer) error {
		return a.Words.MailboxMessage(out, entry)
	})
}

func (a *api) showMailHTML(c echo.Context) error {
	_, html, found := a.mail(c)
	if !found || html == "" {
		return a.pageUnknown(c)
	}
	return showPage(c, http.StatusOK, mailPolicy, func(out io.Writer) error {
		_, err := io.Copy(out, strings.NewReader(html))
		return err
	})
}

func (a *api) mail(c echo.Context) (templates.MailboxEntry, string, bool) {
	if a.Mailbox == nil || !a.atHome(c.Request()) {
		return templates.MailboxEntry{}, "", false
	}
	return a.Mailbox.Find(param(c, "id"))
}

// pageUnknown is the page for what does not exist, or not for this visitor.
func (a *api) pageUnknown(c echo.Context) error {
	return showPage(c, http.StatusNotFound, pagePolicy, func(out io.Writer) error {
		return a.Words.SurveyPage(out, templates.SurveyPage{Step: templates.StepUnknown,
			Locale: c.Request().Header.Get("Accept-Language")})
	})
}
