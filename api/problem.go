package api

import (
	"errors"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"koe/api/delighted"
	"koe/survey"
	"koe/survey/store"
)

// problem is an error as callers see it (RFC 9457).
type problem struct {
	Type      string              `json:"type"`
	Title     string              `json:"title"`
	Status    int                 `json:"status"`
	Detail    string              `json:"detail"`
	RequestID string              `json:"request_id"`
	Errors    []survey.FieldError `json:"errors,omitempty"`
}

// fault is the kind of every error that is koe's own.
const fault survey.Kind = "fault"

// status is the table of what each kind of error is over HTTP.
func status(kind survey.Kind) (code int, title string) {
	switch kind {
	case survey.NotModified:
		return http.StatusNotModified, "Not modified"
	case survey.Malformed:
		return http.StatusBadRequest, "Malformed"
	case survey.Unauthorized:
		return http.StatusUnauthorized, "Unauthorized"
	case survey.Forbidden:
		return http.StatusForbidden, "Forbidden"
	case survey.NotFound:
		return http.StatusNotFound, "Not found"
	case survey.NoMethod:
		return http.StatusMethodNotAllowed, "Method not allowed"
	case survey.NotAcceptable:
		return http.StatusNotAcceptable, "Not acceptable"
	case survey.Conflict:
		return http.StatusConflict, "Conflict"
	case survey.Gone:
		return http.StatusGone, "Gone"
	case survey.Stale:
		return http.StatusPreconditionFailed, "Stale"
	case survey.TooLarge:
		return http.StatusRequestEntityTooLarge, "Too large"
	case survey.WrongMedia:
		return http.StatusUnsupportedMediaType, "Wrong media type"
	case survey.Invalid:
		return http.StatusUnprocessableEntity, "Invalid"
	case survey.TooMany:
		return http.StatusTooManyRequests, "Too many requests"
	case survey.Unavailable:
		return http.StatusServiceUnavailable, "Unavailable"
	}
	return http.StatusInternalServerError, "Fault"
}

// seen is the error that the caller gets to see for any error.
func seen(err error) *survey.Error {
	var known *survey.Error
	var router *echo.HTTPError
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &router) && router.Code == http.StatusNotFound:
		return survey.Errorf(survey.NotFound, "", "there is nothing at this path; see /docs")
	case errors.As(err, &router) && router.Code == http.StatusMethodNotAllowed:
		return survey.Errorf(survey.NoMethod, "", "this path does not take this method; Allow names those that it takes")
	}
	return survey.Errorf(fault, "", "something went wrong inside koe; its log knows more under this request_id")
}

// problem writes an error. It is echo's error handler, the only place where an
// error becomes an answer.
func (a *api) problem(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	drain(c.Request())
	e := seen(err)
	if forRespondents(c.Request()) {
		if broken := a.errorPage(c, e); c.Response().Committed {
			return
		} else if broken != nil {
			a.Log.Error("an error page could not be shown", "request_id", requestID(c), "error", broken)
		}
	}
	if inDashboard(c.Request()) {
		if broken := a.dashboardProblem(c, e); c.Response().Committed {
			return
		} else if broken != nil {
			a.Log.Error("an error page could not be shown", "request_id", requestID(c), "error", broken)
		}
	}
	p := a.problemOf(c, e)
	header := c.Response().Header()
	switch e.Kind {
	case survey.NotModified:
		c.Response().WriteHeader(p.Status)
		return
	case survey.Unauthorized:
		if header.Get("WWW-Authenticate") == "" {
			header.Set("WWW-Authenticate", `Bearer realm="koe", Basic realm="koe"`)
		}
	}
	retryAfter(c, e)
	header.Del("ETag")
	if delighted.Within(c.Request()) {
		if err := delighted.Refuse(c, p.Status, e); err != nil {
			a.Log.Warn("an error could not be written", "request_id", p.RequestID, "error", err)
		}
		return
	}
	if err := writeJSON(c, p.Status, "application/problem+json", p); err != nil {
		a.Log.Warn("an error could not be written", "request_id", p.RequestID, "error", err)
	}
}

// forRespondents is true for the pages that respondents open: to them an error
// is a page too.
func forRespondents(r *http.Request) bool {
	return slices.ContainsFunc([]string{"/s/", "/u/", "/l/", "/f/", "/preview/"}, func(way string) bool { return strings.HasPrefix(r.URL.Path, way) })
}

// errorPage shows an error of which nothing else is known.
func (a *api) errorPage(c echo.Context, e *survey.Error) error {
	if strings.HasPrefix(c.Request().URL.Path, "/l/") {
		return a.openError(c, store.OpenPage{}, nil, e)
	}
	return a.pageError(c, store.Opened{}, nil, e)
}

// problemOf is an error as it stands in an answer.
func (a *api) problemOf(c echo.Context, e *survey.Error) problem {
	code, title := status(e.Kind)
	return problem{Type: a.BaseURL + "/docs#section/Errors", Title: title, Status: code,
		Detail: e.Message, RequestID: requestID(c), Errors: e.Fields}
}

// retryAfter says when to come back, where the error knows.
func retryAfter(c echo.Context, e *survey.Error) {
	if e.RetryAfter > 0 {
		c.Response().Header().Set("Retry-After", strconv.Itoa(wholeSeconds(e.RetryAfter)))
	}
}

// wholeSeconds rounds up: a caller who comes back then is not too early.
func wholeSeconds(d time.Duration) int { return int(math.Ceil(d.Seconds())) }
