package api

import (
	"io"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"koe/survey"
	"koe/survey/store"
	"koe/templates"
)

// dashboardPath is where the pages of staff lie.
const dashboardPath = "/dashboard"

// inDashboard is true for the pages of staff: to them an error is a page too.
func inDashboard(r *http.Request) bool {
	return r.URL.Path == dashboardPath || strings.HasPrefix(r.URL.Path, dashboardPath+"/")
}

// visit is a member at the dashboard.
type visit struct {
	by        store.Caller
	member    survey.Member
	workspace survey.Workspace
}

// visitKey is where a request keeps its visit.
const visitKey = "visit"

// cookieName is what a session's cookie is called. Over https no other host and
// no page below a path can set it.
func (a *api) cookieName() string {
	if a.secure() {
		return "__Host-koe"
	}
	return "koe"
}

func (a *api) secure() bool { return strings.HasPrefix(a.BaseURL, "https://") }

// setCookie keeps a secret in the browser; "" takes it away.
func (a *api) setCookie(c echo.Context, secret string) {
	cookie := &http.Cookie{Name: a.cookieName(), Value: secret, Path: "/", HttpOnly: true, Secure: a.secure(), SameSite: http.SameSiteLaxMode, //nolint:gosec // over plain http there is no Secure
		MaxAge: int((90 * 24 * time.Hour).Seconds())}
	if secret == "" {
		cookie.MaxAge = -1
	}
	c.SetCookie(cookie)
}

// visit finds who is signed in: Unauthorized where nobody is.
func (a *api) visit(c echo.Context) (v visit, err error) {
	cookie, err := c.Cookie(a.cookieName())
	if err != nil {
		return v, survey.Errorf(survey.Unauthorized, "", "sign in first")
	}
	ctx := c.Request().Context()
	if v.by, v.member, err = a.Store.SignedIn(ctx, cookie.Value); err != nil {
		return v, err
	}
	v.workspace, err = a.Store.Workspace(ctx, v.by)
	return v, err
}

// ownOrigin refuses what another site's page posts. Browsers say where a request
// comes from; what says nothing is no browser of our day, and SameSite holds.
func (a *api) ownOrigin(c echo.Context) error {
	// with no-referrer a browser would not name the origin of a form over http
	c.Response().Header().Set("Referrer-Policy", "same-origin")
	foreign, err := a.fromAnotherOrigin(c.Request())
	if err == nil && foreign {
		err = survey.Errorf(survey.Forbidden, "", "this form was sent from another site's page")
	}
	return err
}

// fromAnotherOrigin is true for a post that, as a browser says, a page of
// another origin than koe's sent.
func (a *api) fromAnotherOrigin(r *http.Request) (bool, error) {
	guard := http.NewCrossOriginProtection()
	if base, err := url.Parse(a.BaseURL); err == nil {
		if err := guard.AddTrustedOrigin(base.Scheme + "://" + base.Host); err != nil {
			return false, err
		}
	}
	return guard.Check(r) != nil, nil
}

// askToSignIn leads to where one signs in, and from there to this page again.
func (a *api) askToSignIn(c echo.Context) error {
	to := dashboardPath + "/sign-in"
	if r := c.Request(); r.Method == http.MethodGet || r.Method == http.MethodHead {
		to += "?next=" + url.QueryEscape(r.URL.RequestURI())
	}
	return c.Redirect(http.StatusSeeOther, to)
}

// maxOnward is the most bytes of where to go after signing in.
const maxOnward = 1000

// onward is a path of the dashboard to go to; everything else is "".
func onward(raw string) string {
	u, err := url.Parse(raw)
	odd := func(r rune) bool { return r <= ' ' || r == '\\' || r >= 0x7f }
	if err != nil || len(raw) > maxOnward || strings.ContainsFunc(raw, odd) || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" ||
		path.Clean(u.Path) != u.Path || u.Path != dashboardPath && !strings.HasPrefix(u.Path, dashboardPath+"/") {
		return ""
	}
	return u.RequestURI()
}

// dashboard is what stands around a page, as far as it is known who reads it.
func (a *api) dashboard(c echo.Context) templates.Dashboard {
	d := templates.Dashboard{Path: onward(c.Request().URL.RequestURI())}
	if v, ok := c.Get(visitKey).(visit); ok {
		d.Company, d.Member = v.workspace.Name, v.member.Name
		d.Locale = v.member.Locale
		zone, err := survey.LoadZone(v.member.Timezone)
		if err == nil {
			d.Printing = a.Now().In(zone).Format("2006-01-02 15:04")
		}
		return d
	}
	d.Locale = a.Words.StaffLocale(c.QueryParam("lang"), c.Request().Header.Get("Accept-Language"))
	return d
}

// staffPage shows a page of the dashboard by its name.
func (a *api) staffPage(c echo.Context, status int, name string, d templates.Dashboard, body any) error {
	return showPage(c, status, pagePolicy, func(out io.Writer) error { return a.Words.DashboardPage(out, name, d, body) })
}

// staffProblem is an error as the dashboard shows it.
type staffProblem struct {
	Text, Detail, RequestID string
	SignIn                  bool // offers another link
}

// dashboardProblem shows an error as a page, in words of the reader's language
// where there are some.
func (a *api) dashboardProblem(c echo.Context, e *survey.Error) error {
	code, _ := status(e.Kind)
	key := map[int]string{http.StatusForbidden: "forbidden", http.StatusNotFound: "unknown", http.StatusMethodNotAllowed: "unknown",
		http.StatusTooManyRequests: "too_many", http.StatusServiceUnavailable: "unavailable", http.StatusInternalServerError: "fault"}[code]
	p := staffProblem{}
	switch {
	case strings.HasPrefix(c.Request().URL.Path, dashboardPath+"/sign-in/") && (e.Kind == survey.NotFound || e.Kind == survey.Gone):
		key, p.SignIn = "over", true
	case key == "":
		key, p.Detail = "invalid", e.Error()
	case key == "fault":
		p.RequestID = requestID(c)
	}
	d := a.dashboard(c)
	var err error
	if d.Title, err = a.Words.Staff(d.Locale, "problem_"+key+"_title"); err != nil {
		return err
	}
	if p.Text, err = a.Words.Staff(d.Locale, "problem_"+key); err != nil {
		return err
	}
	retryAfter(c, e)
	return a.staffPage(c, code, "problem", d, p)
}

// setLanguage is what the buttons of the languages post.
func (a *api) setLanguage(c echo.Context, v visit) error {
	form, err := readForm(c)
	if err != nil {
		return err
	}
	if err := a.Store.SetOwnLocale(c.Request().Context(), v.by, form.Get("locale")); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, orDashboard(onward(form.Get("back"))))
}

func orDashboard(path string) string {
	if path == "" {
		return dashboardPath
	}
	return path
}
