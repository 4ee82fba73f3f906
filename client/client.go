// Package client speaks to koe's API: one method for each operation of
// openapi.yaml, which it is generated from, and one error for all of them.
//
//	koe := client.New("https://feedback.example.com", os.Getenv("KOE_KEY"))
//	receipt, err := koe.CreateInteraction(ctx, nil, client.InteractionInput{
//		Touchpoint: "support_chat",
//		Customer:   client.Customer{Email: new("ana@example.com")},
//	})
//
// It sends each request once. Every POST but an import takes an Idempotency-Key
// in its parameters: with one a request may be sent again after a broken
// connection, and does nothing twice.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"

	"github.com/oapi-codegen/runtime"
)

// Client is one key's access to one koe. It may be used from several goroutines
// at once.
type Client struct {
	base string // without a slash at its end
	key  string
	http *http.Client
}

// New is a client of the koe at base, such as https://feedback.example.com, for
// a key of it.
func New(base, key string) *Client { return NewOver(http.DefaultClient, base, key) }

// NewOver is New over a client of its own, which brings timeouts, proxies and
// certificates.
func NewOver(over *http.Client, base, key string) *Client {
	return &Client{base: strings.TrimSuffix(base, "/"), key: key, http: over}
}

// Error is a request that koe refused. Its Problem says why, and with status
// 422 which fields.
type Error struct {
	Problem
	RetryAfter string // of 429 and 503: seconds
}

// Error is the problem in one line.
func (e *Error) Error() string {
	text := fmt.Sprintf("koe: %d %s: %s", e.Status, e.Title, e.Detail)
	for _, field := range e.Errors {
		text += fmt.Sprintf("; %s %s", field.Field, field.Message)
	}
	return text
}

// request is one call; err is the first argument that cannot be sent.
type request struct {
	method string
	route  string
	asked  []string // NAME=VALUE, escaped
	heads  http.Header
	body   io.Reader
	err    error
}

func newRequest(method, route string) *request {
	return &request{method: method, route: route, heads: http.Header{}}
}

func (r *request) path(name string, value any) {
	text, err := runtime.StyleParamWithOptions("simple", false, name, value, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationPath})
	if text == "" && err == nil {
		err = errors.New("is empty")
	}
	r.refuse(name, err)
	r.route = strings.Replace(r.route, "{"+name+"}", text, 1)
}

func (r *request) query(name string, explode bool, value any) {
	if value = given(value); value == nil {
		return
	}
	if segments, is := value.(FilterSegments); is { // each is a parameter of its own, by its whole name
		for segment, value := range segments {
			r.query(name+"."+strings.TrimPrefix(segment, name+"."), explode, value)
		}
		return
	}
	text, err := runtime.StyleParamWithOptions("form", explode, name, value, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationQuery})
	r.refuse(name, err)
	if err == nil {
		r.asked = append(r.asked, text)
	}
}

func (r *request) header(name string, value any) {
	if value = given(value); value != nil {
		r.heads.Set(name, fmt.Sprint(value))
	}
}

func (r *request) json(body any) {
	text, err := json.Marshal(body)
	r.refuse("body", err)
	r.stream("application/json", bytes.NewReader(text))
}

func (r *request) stream(contentType string, body io.Reader) {
	r.heads.Set("Content-Type", contentType)
	r.body = body
}

func (r *request) refuse(name string, err error) {
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("%s: %w", name, err)
	}
}

// given is what a pointer points to; nil where it points nowhere.
func given(value any) any {
	v := reflect.ValueOf(value)
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return v.Elem().Interface()
	case reflect.Map, reflect.Slice:
		if v.Len() == 0 {
			return nil
		}
	}
	return value
}

// open sends a request and gives the body of its answer, which is the caller's
// to close. Where koe refuses the error is an *Error.
func (c *Client) open(ctx context.Context, r *request) (io.ReadCloser, error) {
	if r.err != nil {
		return nil, fmt.Errorf("koe: %s %s: %w", r.method, r.route, r.err)
	}
	address := c.base + r.route
	if len(r.asked) > 0 {
		address += "?" + strings.Join(r.asked, "&")
	}
	req, err := http.NewRequestWithContext(ctx, r.method, address, r.body)
	if err != nil {
		return nil, err
	}
	req.Header = r.heads
	req.Header.Set("Authorization", "Bearer "+c.key)
	answer, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode/100 != 2 {
		defer func() { _ = answer.Body.Close() }()
		return nil, refused(answer)
	}
	return answer.Body, nil
}

// refused reads a problem; what is none, such as a proxy's page, has its status.
func refused(answer *http.Response) error {
	out := &Error{RetryAfter: answer.Header.Get("Retry-After")}
	body, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	if err != nil {
		return err
	}
	if json.Unmarshal(body, &out.Problem) != nil || out.Status == 0 {
		out.Problem = Problem{Status: answer.StatusCode, Title: http.StatusText(answer.StatusCode), Detail: "not an answer of koe's"}
	}
	return out
}

// do sends a request and decodes its answer; into is nil where there is none.
func (c *Client) do(ctx context.Context, r *request, into any) error {
	r.heads.Set("Accept", "application/json")
	body, err := c.open(ctx, r)
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }()
	if into == nil {
		return nil
	}
	if err := json.NewDecoder(body).Decode(into); err != nil {
		return fmt.Errorf("koe: %s %s: the answer: %w", r.method, r.route, err)
	}
	return nil
}
