package api

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"

	"github.com/labstack/echo/v4"
)

// requestIDHeader names the request in the answer and in the log. It is always
// koe's own: what a client sends must not be able to pose as another request.
const requestIDHeader = "X-Request-Id"

func requestID(c echo.Context) string { return c.Response().Header().Get(requestIDHeader) }

// identify gives every answer its request id and the headers that make it
// safe: it is not cached, not sniffed, not framed, loads nothing and tells
// nobody where it came from. A page that needs more says so itself.
func identify(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		header := c.Response().Header()
		header.Set(requestIDHeader, rand.Text())
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("Cache-Control", "no-store")
		header.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		return next(c)
	}
}

// clientWentAway is what the log says of a request whose client did not wait.
const clientWentAway = 499

// record writes an error's answer, then one log line and the metrics of every
// request. They name the route, never the address: it may hold a token.
func (a *api) record(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		start := a.Now()
		err := next(c)
		if err != nil {
			a.problem(err, c)
		}
		code := c.Response().Status
		if err != nil && errors.Is(err, context.Canceled) && c.Request().Context().Err() != nil {
			code = clientWentAway
		}
		label, took := "unknown", a.Now().Sub(start)
		if r, ok := routeOf(c); ok {
			label = r.Path
		}
		a.metrics.observe(label, c.Request().Method, code, took)

		if code < http.StatusInternalServerError && !a.Log.Enabled(c.Request().Context(), slog.LevelInfo) {
			return nil
		}
		attrs := []slog.Attr{slog.String("method", methodLabel(c.Request().Method)), slog.String("route", label),
			slog.Int("status", code), slog.Float64("ms", float64(took.Microseconds())/1000),
			slog.String("request_id", requestID(c))}
		if by := caller(c); !by.KeyID.IsZero() {
			attrs = append(attrs, slog.String("key_id", by.KeyID.String()))
		}
		level := slog.LevelInfo
		if code >= http.StatusInternalServerError {
			level = slog.LevelError
			if err != nil { // a page may have told it in its own words
				attrs = append(attrs, slog.String("error", err.Error()))
			}
		}
		a.Log.LogAttrs(c.Request().Context(), level, "request", attrs...)
		return nil
	}
}

// recovered makes a panic an error like others.
func (a *api) recovered(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		defer func() {
			if cause := recover(); cause != nil {
				err = fmt.Errorf("panic: %v\n%s", cause, debug.Stack())
			}
		}()
		return next(c)
	}
}

// methodLabel keeps what a client makes up out of labels.
func methodLabel(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return "other"
}
