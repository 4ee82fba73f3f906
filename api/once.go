package api

import (
	"crypto/sha256"
	"encoding/binary"
	"strings"

	"github.com/labstack/echo/v4"

	"koe/survey"
	"koe/survey/store"
)

// onceHeader is the header that makes a repeat of a POST harmless.
const onceHeader = "Idempotency-Key"

// runningKey names a request in flight.
type runningKey struct {
	workspace int64
	caller    survey.ID
	key       string
}

// once runs do, or, where a request with the same Idempotency-Key was answered
// before, replay: it gets what the store remembers (see store.Remembered) and
// renders the same answer anew. Only success is remembered. Errors: Invalid
// where the key came with another request, Conflict while the first is still
// running.
func (a *api) once(c echo.Context, do func(store.Caller) (answer, error),
	replay func(by store.Caller, resource string) (answer, error)) error {
	by := caller(c)
	key, err := onceKey(c)
	if err != nil {
		return err
	}
	if key == "" {
		done, err := do(by)
		return reply(c, done, err)
	}
	flight := runningKey{by.Workspace, by.KeyID, key}
	if _, taken := a.running.LoadOrStore(flight, true); taken {
		return survey.Errorf(survey.Conflict, "", "a request with this Idempotency-Key is still running; try again")
	}
	defer a.running.Delete(flight)

	by.Once = &store.Once{Key: key, Request: fingerprint(c)}
	ctx := c.Request().Context()
	resource, found, err := a.Store.Remembered(ctx, by)
	if err != nil {
		return err
	}
	if found {
		by.Once = nil // a replay writes nothing
		again, err := replay(by, resource)
		if err == nil {
			c.Response().Header().Set("Idempotency-Replayed", "true")
		}
		return reply(c, again, err)
	}
	done, err := do(by)
	if err != nil {
		return err
	}
	if !by.Once.Kept {
		if err := a.Store.Remember(ctx, by); err != nil {
			return err
		}
	}
	return send(c, done)
}

// onceKey reads the header: 1 to 255 visible ASCII characters; "" where it is
// not sent.
func onceKey(c echo.Context) (string, error) {
	given := c.Request().Header.Values(onceHeader)
	if len(given) == 0 {
		return "", nil
	}
	key := given[0]
	odd := func(r rune) bool { return r <= ' ' || r > '~' }
	if len(given) > 1 || key == "" || len(key) > 255 || strings.ContainsFunc(key, odd) {
		return "", survey.Errorf(survey.Invalid, onceHeader, "%s must be 1 to 255 visible ASCII characters, such as a UUID", onceHeader)
	}
	return key, nil
}

// fingerprint tells one request from another: method, path, query and body.
func fingerprint(c echo.Context) []byte {
	request := c.Request()
	hash := sha256.New()
	for _, part := range [][]byte{[]byte(request.Method), []byte(request.URL.EscapedPath()), []byte(request.URL.RawQuery), rawBody(c)} {
		var length [8]byte // keeps "a"+"bc" apart from "ab"+"c"
		binary.BigEndian.PutUint64(length[:], uint64(len(part)))
		hash.Write(length[:])
		hash.Write(part)
	}
	return hash.Sum(nil)
}
