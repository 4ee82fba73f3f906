package api

import (
	"encoding/base64"
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
	by, err := a.Store.Authenticate(c.Request().Context(), secret)
	if err != nil {
		return err
	}
	c.Set(callerKey, by)
	return nil
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
