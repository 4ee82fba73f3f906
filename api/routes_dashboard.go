package api

import (
	"github.com/labstack/echo/v4"

	"koe/survey"
)

// dashboardRoutes are the pages of staff. They ask for no key: who is signed in is
// for signedIn to find out, and every POST must come from koe's own pages.
func dashboardRoutes() []Route {
	return []Route{
		{"showSignIn", get, "/dashboard/sign-in", Public, noBody, "", (*api).showSignIn},
		{"askSignIn", post, "/dashboard/sign-in", Public, formBody, "", (*api).askSignIn},
		{"showSignInLink", get, "/dashboard/sign-in/{token}", Public, noBody, "", (*api).showSignInLink},
		{"signIn", post, "/dashboard/sign-in/{token}", Public, formBody, "", (*api).signIn},
		{"signOut", post, "/dashboard/sign-out", Public, formBody, "", (*api).signOut},
		{"setLanguage", post, "/dashboard/language", Public, formBody, "", signedIn(Readers, "", (*api).setLanguage)},

		{"showDashboard", get, "/dashboard", Public, noBody, "", signedIn(Readers, "from? until? compare? format lang", (*api).showDashboard)},
	}
}

// signedIn is a page, or what a form of it posts, for members of the roles that
// access names, with the query parameters that it takes. Who is not signed in is
// led to where one does that, and back.
func signedIn(access Access, query string, show func(*api, echo.Context, visit) error) func(*api, echo.Context) error {
	return func(a *api, c echo.Context) error {
		v, err := a.visit(c)
		if is(err, survey.Unauthorized) {
			return a.askToSignIn(c)
		}
		if err != nil {
			return err
		}
		c.Set(callerKey, v.by)
		c.Set(visitKey, v)
		if err := access.admit(v.by); err != nil {
			return err
		}
		if err := readQuery(c, query); err != nil {
			return err
		}
		return show(a, c, v)
	}
}
