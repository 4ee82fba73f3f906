package api

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"koe/survey"
)

// showSignIn asks for the address that a link is mailed to.
func (a *api) showSignIn(c echo.Context) error {
	said := ""
	if c.QueryParam("out") != "" {
		said = "signed_out"
	}
	d := a.dashboard(c)
	d.Onward = onward(c.QueryParam("next"))
	return a.staffPage(c, http.StatusOK, "sign_in", d, signInForm{Said: said})
}

// signInForm is what the page to sign in shows.
type signInForm struct {
	Email string
	Said  string // the key of a message
	Wrong bool   // the address is none
}

// askSignIn says the same whether the address is a member's or not.
func (a *api) askSignIn(c echo.Context) error {
	form, err := readForm(c)
	if err != nil {
		return err
	}
	if err := a.open.signIn(c.RealIP()); err != nil {
		return err
	}
	d := a.dashboard(c)
	if lang := form.Get("lang"); lang != "" {
		d.Locale = a.Words.StaffLocale(lang)
	}
	d.Onward, d.Path = onward(form.Get("next")), dashboardPath+"/sign-in"
	address, err := survey.NormalizeAddress(form.Get("email"))
	if err != nil {
		return a.staffPage(c, http.StatusUnprocessableEntity, "sign_in", d, signInForm{Email: form.Get("email"), Wrong: true})
	}
	if err := a.Store.AskSignIn(c.Request().Context(), address, d.Onward); err != nil {
		return err
	}
	return a.staffPage(c, http.StatusOK, "sign_in_sent", d, signInForm{Email: address})
}

// confirmation is what the page of a link shows: a button for each workspace.
type confirmation struct {
	Workspaces []survey.Workspace
	Several    bool
}

// showSignInLink shows a button and signs nobody in: programs that check mail open
// every link.
func (a *api) showSignInLink(c echo.Context) error {
	link, err := a.Store.SignInLink(c.Request().Context(), param(c, "token"))
	if err != nil {
		return err
	}
	d := a.dashboard(c)
	d.Locale = a.Words.StaffLocale(c.QueryParam("lang"), link.Locale)
	return a.staffPage(c, http.StatusOK, "sign_in_confirm", d, confirmation{link.Workspaces, len(link.Workspaces) > 1})
}

// signIn uses a link up.
func (a *api) signIn(c echo.Context) error {
	form, err := readForm(c)
	if err != nil {
		return err
	}
	secret, next, err := a.Store.SignIn(c.Request().Context(), param(c, "token"), form.Get("workspace"))
	if err != nil {
		return err
	}
	a.setCookie(c, secret)
	return c.Redirect(http.StatusSeeOther, orDashboard(onward(next)))
}

// signOut ends the session, if there is one still.
func (a *api) signOut(c echo.Context) error {
	v, err := a.visit(c)
	if err == nil {
		err = a.Store.SignOut(c.Request().Context(), v.by)
	}
	if err != nil && !is(err, survey.Unauthorized) {
		return err
	}
	a.setCookie(c, "")
	return c.Redirect(http.StatusSeeOther, dashboardPath+"/sign-in?out=1")
}
