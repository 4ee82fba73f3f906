package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"koe/survey"
)

// answer is what an operation says when all went well. A nil body is none.
type answer struct {
	status int
	body   any
	etag   string
}

// page is a page of a list.
type page[T any] struct {
	Data       []T     `json:"data"`
	NextCursor *string `json:"next_cursor"`
}

// listed is the answer of a list: its items, and the cursor of the next page
// or "".
func listed[T any](items []T, next string) answer {
	p := page[T]{Data: items}
	if items == nil {
		p.Data = []T{}
	}
	if next != "" {
		p.NextCursor = &next
	}
	return answer{status: http.StatusOK, body: p}
}

// okay is the answer with a resource as it is now; etag may be empty.
func okay(body any, etag string) answer { return answer{http.StatusOK, body, etag} }

// accepted is the answer with what is under way.
func accepted(body any) answer { return answer{http.StatusAccepted, body, ""} }

// created is the answer with a new resource.
func created(body any, etag string) answer { return answer{http.StatusCreated, body, etag} }

// createdOr is created, or okay for what was there before.
func createdOr(fresh bool, body any, etag string) answer {
	if fresh {
		return created(body, etag)
	}
	return okay(body, etag)
}

// gone is the answer of a DELETE.
func gone() answer { return answer{status: http.StatusNoContent} }

// reply sends an answer, or passes the error on.
func reply(c echo.Context, a answer, err error) error {
	if err != nil {
		return err
	}
	return send(c, a)
}

// send writes an answer.
func send(c echo.Context, a answer) error {
	if a.etag != "" {
		c.Response().Header().Set("ETag", a.etag)
	}
	if a.body == nil {
		c.Response().WriteHeader(a.status)
		return nil
	}
	return writeJSON(c, a.status, mediaJSON, a.body)
}

// usualAnswer holds most answers without growing, in bytes.
const usualAnswer = 1024

// writeJSON writes once, with its length. Texts stay as they are: "<" is not
// escaped, since the answer is never HTML (nosniff says so).
func writeJSON(c echo.Context, status int, media string, body any) error {
	b := bytes.NewBuffer(make([]byte, 0, usualAnswer))
	encoder := json.NewEncoder(b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(body); err != nil {
		return err
	}
	return write(c, status, media, b.Bytes())
}

func write(c echo.Context, status int, media string, body []byte) error {
	header := c.Response().Header()
	header.Set("Content-Type", media)
	header.Set("Content-Length", strconv.Itoa(len(body)))
	c.Response().WriteHeader(status)
	_, err := c.Response().Write(body)
	return err
}

// etag is the strong tag of a version or revision.
func etag(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }

// anyVersion is what If-Match: * asks for: that there is something to change.
const anyVersion = -1

// ifMatch is the version that a write insists on: 0 where the request names
// none, or anyVersion. A tag that koe never gives is Stale.
func ifMatch(c echo.Context) (int64, error) {
	given := c.Request().Header.Values("If-Match")
	if len(given) == 0 {
		return 0, nil
	}
	tag := strings.TrimSpace(given[0])
	if tag == "*" && len(given) == 1 {
		return anyVersion, nil
	}
	inner, isTag := strings.CutPrefix(tag, `"`)
	inner, closed := strings.CutSuffix(inner, `"`)
	if weak := strings.HasPrefix(tag, `W/"`); len(given) > 1 || !weak && (!isTag || !closed || strings.Contains(inner, `"`)) {
		return 0, survey.Errorf(survey.Malformed, "", `If-Match must be one ETag, such as "3", or *`)
	}
	version, err := strconv.ParseInt(inner, 10, 64)
	if err != nil || version < 1 || etag(version) != tag {
		return 0, stale()
	}
	return version, nil
}

// existing is ifMatch for operations on what must be there anyway: for them *
// asks for nothing more.
func existing(c echo.Context) (int64, error) {
	version, err := ifMatch(c)
	return max(version, 0), err
}

// matching is ifMatch for operations that may also create: * insists that
// present finds something.
func matching(c echo.Context, present func() error) (int64, error) {
	version, err := ifMatch(c)
	if err != nil || version != anyVersion {
		return version, err
	}
	err = present()
	if is(err, survey.NotFound) {
		err = stale()
	}
	return 0, err
}

func stale() error {
	return survey.Errorf(survey.Stale, "", "it has changed since you read it; read it again")
}

// is tells whether an error is of a kind.
func is(err error, kind survey.Kind) bool {
	var known *survey.Error
	return errors.As(err, &known) && known.Kind == kind
}
