// Package delighted answers the calls of Delighted's API v1 as that service did,
// so that code written for it runs against koe after a change of address and
// key. It knows the wire: what clients send in which form, and what they expect
// back, which is generous where koe is strict. What is asked for is done by the
// same calls of the store as koe's own API.
//
// A key plays the part of one Delighted project: the survey of
// store.KeySurvey. What koe cannot do is refused with the name of the parameter;
// nothing is taken and dropped. docs/from-delighted.md has the table of both.
//
// The package api mounts it: it finds whose key it is, holds it to its rate, and
// passes errors to Refuse.
package delighted

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"

	"github.com/labstack/echo/v4"

	"koe/survey"
	"koe/survey/store"
)

// Base is what the paths of all operations begin with.
const Base = "/delighted/v1"

// Server answers the operations.
type Server struct {
	Store   *store.Store
	BaseURL *url.URL // koe's own, for links to answers
	Proxies []netip.Prefix
}

// request is one call: what it says, on whose behalf, and about which survey.
type request struct {
	echo.Context
	by store.Caller
	params
	templates map[string]survey.Template // those that were looked up
}

func (r *request) http() *http.Request { return r.Request() }

// template is what a survey asks; version 0 is the newest.
func (s *Server) template(r *request, key string, version int) (survey.Template, error) {
	name := fmt.Sprintf("%s %d", key, version)
	if known, ok := r.templates[name]; ok {
		return known, nil
	}
	look := func() (store.TemplateRecord, error) {
		return s.Store.TemplateVersion(r.http().Context(), r.by, key, version)
	}
	if version == 0 {
		look = func() (store.TemplateRecord, error) { return s.Store.Template(r.http().Context(), r.by, key) }
	}
	found, err := look()
	if err == nil {
		r.templates[name] = found.Template
	}
	return found.Template, err
}

// Operation is one of Delighted's operations.
type Operation func(*Server, *request) error

// Serve reads a call in any of the forms in which clients send it and answers
// it. Errors are for Refuse.
func (s *Server) Serve(c echo.Context, by store.Caller, do Operation) error {
	if !acceptable(c) {
		return survey.Errorf(survey.NotAcceptable, "", "say Accept: application/json, or end the path in .json")
	}
	p, err := readParams(c.Request())
	if err != nil {
		return err
	}
	return do(s, &request{Context: c, by: by, params: p, templates: map[string]survey.Template{}})
}

// answer writes JSON; every answer has some, since clients fail without.
func answer(c echo.Context, status int, body any) error {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(body); err != nil {
		return err
	}
	header := c.Response().Header()
	header.Set("Content-Type", "application/json")
	header.Set("Content-Length", strconv.Itoa(b.Len()))
	c.Response().WriteHeader(status)
	_, err := c.Response().Write(b.Bytes())
	return err
}

// done is the answer of operations that have nothing else to say.
var done = map[string]bool{"ok": true}

// refusal is an error as Delighted's clients read it.
type refusal struct {
	Status  int                 `json:"status"`
	Message string              `json:"message"`
	Errors  map[string][]string `json:"errors,omitempty"`
}

// Refuse writes an error under the status that api's table gives its kind.
func Refuse(c echo.Context, status int, e *survey.Error) error {
	out := refusal{Status: status, Message: e.Message}
	switch status {
	case http.StatusUnprocessableEntity:
		out.Message, out.Errors = http.StatusText(status), map[string][]string{}
		for _, f := range e.Fields {
			out.Errors[f.Field] = append(out.Errors[f.Field], f.Message)
		}
		if len(e.Fields) == 0 {
			out.Errors["base"] = []string{e.Message}
		}
	case http.StatusTooManyRequests:
		out.Message = http.StatusText(status)
	}
	return answer(c, status, out)
}

// renamed gives the fields of a store's error the names of a call's parameters.
// A name that ends in a dot is a prefix.
func renamed(err error, names map[string]string) error {
	var known *survey.Error
	if !errors.As(err, &known) || len(known.Fields) == 0 {
		return err
	}
	out := *known
	out.Fields = make([]survey.FieldError, len(known.Fields))
	for i, f := range known.Fields {
		f.Field = rename(f.Field, names)
		out.Fields[i] = f
	}
	return &out
}

// isKind tells whether an error is of a kind.
func isKind(err error, kind survey.Kind) bool {
	var known *survey.Error
	return errors.As(err, &known) && known.Kind == kind
}
