package api

import (
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"koe/survey"
	"koe/survey/store"
)

// callerKey is where a request keeps on whose behalf it runs.
const callerKey = "caller"

// caller is on whose behalf a request runs: the workspace and the key.
func caller(c echo.Context) store.Caller {
	by, _ := c.Get(callerKey).(store.Caller)
	return by
}

// maxSecret bounds what is hashed for somebody unknown.
const maxSecret = 255

// authenticate finds the key of a request, at every request anew, so that a
// revoked one stops working at once.
func (a *api) authenticate(c echo.Context) error {
	given := c.Request().Header.Values("Authorization")
	if len(given) == 0 {
		return survey.Errorf(survey.Unauthorized, "", "send a key: Authorization: Bearer koe_…, or HTTP Basic with the key as user name")
	}
	secret, ok := secretOf(given[0])
	if !ok || len(given) > 1 || len(secret) > maxSecret {
		return survey.Errorf(survey.Unauthorized, "", "the Authorization header must be Bearer KEY, or Basic with the key as user name")
	}
	if fromAnotherSite(c.Request(), given[0]) {
		return survey.Errorf(survey.Forbidden, "", "a page of another site may not use the key that a browser keeps for HTTP Basic; send Authorization: Bearer KEY")
	}
	by, err := a.Store.Authenticate(c.Request().Context(), secret)
	if err != nil {
		return err
	}
	c.Set(callerKey, by)
	return nil
}

// fromAnotherSite is true for a change that a browser says another site's page asks
// for, with Basic credentials: browsers keep those, and send them unasked.
func fromAnotherSite(r *http.Request, authorization string) bool {
	scheme, _, _ := strings.Cut(authorization, " ")
	if !strings.EqualFold(scheme, "basic") || r.Method == http.MethodGet || r.Method == http.MethodHead {
		return false
	}
	site := r.Header.Get("Sec-Fetch-Site")
	return site == "cross-site" || site == "same-site"
}

// secretOf reads the key from "Bearer KEY" or from Basic credentials, whose
// user name it is; a password is not looked at, the colon may be missing.
func secretOf(header string) (string, bool) {
	scheme, rest, _ := strings.Cut(header, " ")
	rest = strings.TrimSpace(rest)
	switch strings.ToLower(scheme) {
	case "bearer":
		return rest, rest != ""
	case "basic":
		decoded, err := base64.StdEncoding.DecodeString(rest)
		if err != nil {
			return "", false
		}
		name, _, _ := strings.Cut(string(decoded), ":")
		return name, name != ""
	}
	return "", false
}
