package api

import (
	"io"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"koe/survey"
	"koe/survey/store"
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

// mayReadMail says whether a request is shown captured mail, which signs its
// readers in as anybody: false where it is nobody on this machine. A koe whose
// links lead elsewhere serves others, through a proxy that may look like somebody
// on this machine; it asks for an admin key of the workspace "default".
func (a *api) mayReadMail(c echo.Context) (bool, error) {
	if a.Mailbox == nil || !a.atHome(c.Request()) {
		return false, nil
	}
	if a.servesItself() {
		return true, nil
	}
	if err := a.authenticate(c); err != nil {
		// alone: Chromium asks nobody where another scheme comes first
		c.Response().Header().Set("WWW-Authenticate", `Basic realm="koe"`)
		return false, err
	}
	w, err := a.Store.Workspace(c.Request().Context(), caller(c))
	if err != nil {
		return false, err
	}
	if w.Key != store.DefaultWorkspace {
		return false, survey.Errorf(survey.Forbidden, "", "take a key of the workspace %q: its administrators read all mail that is captured", store.DefaultWorkspace)
	}
	return true, Admins.admit(caller(c))
}

func (a *api) showMailbox(c echo.Context) error {
	if may, err := a.mayReadMail(c); err != nil {
		return err
	} else if !may {
		return a.pageUnknown(c)
	}
	return showPage(c, http.StatusOK, pagePolicy, func(out io.Writer) error {
		return a.Words.MailboxPage(out, a.Mailbox.List())
	})
}

func (a *api) showMail(c echo.Context) error {
	entry, _, found, err := a.mail(c)
	if err != nil {
		return err
	}
	if !found {
		return a.pageUnknown(c)
	}
	return showPage(c, http.StatusOK, messagePolicy, func(out io.Writer) error {
		return a.Words.MailboxMessage(out, entry)
	})
}

func (a *api) showMailHTML(c echo.Context) error {
	_, html, found, err := a.mail(c)
	if err != nil {
		return err
	}
	if !found || html == "" {
		return a.pageUnknown(c)
	}
	return showPage(c, http.StatusOK, mailPolicy, func(out io.Writer) error {
		_, err := io.Copy(out, strings.NewReader(html))
		return err
	})
}

func (a *api) mail(c echo.Context) (entry templates.MailboxEntry, html string, found bool, err error) {
	if may, err := a.mayReadMail(c); err != nil || !may {
		return entry, "", false, err
	}
	entry, html, found = a.Mailbox.Find(param(c, "id"))
	return entry, html, found, nil
}

// pageUnknown is the page for what does not exist, or not for this visitor.
func (a *api) pageUnknown(c echo.Context) error {
	return showPage(c, http.StatusNotFound, pagePolicy, func(out io.Writer) error {
		return a.Words.SurveyPage(out, templates.SurveyPage{Step: templates.StepUnknown,
			Locale: c.Request().Header.Get("Accept-Language")})
	})
}
