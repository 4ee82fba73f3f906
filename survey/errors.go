package survey

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Kind says what a caller can do about an error. The api package maps kinds
// to statuses in one table; every error that is not an *Error is a fault of
// koe's own and its text is not shown.
type Kind string

// The kinds of errors that a caller may see.
const (
	Malformed     Kind = "malformed"      // the request cannot be read
	Unauthorized  Kind = "unauthorized"   // no key, or one that koe does not know
	Forbidden     Kind = "forbidden"      // the key's role is too small
	NotFound      Kind = "not_found"      // does not exist in this workspace
	Conflict      Kind = "conflict"       // not in the present state
	Gone          Kind = "gone"           // was there once
	Stale         Kind = "stale"          // If-Match names an older version
	TooLarge      Kind = "too_large"      // more than koe reads
	WrongMedia    Kind = "wrong_media"    // a media type that koe does not read
	Invalid       Kind = "invalid"        // readable, but not acceptable; has fields
	TooMany       Kind = "too_many"       // slow down; RetryAfter says how long
	Unavailable   Kind = "unavailable"    // storage is away; RetryAfter says how long
	NoMethod      Kind = "no_method"      // the path exists, the method does not
	NotAcceptable Kind = "not_acceptable" // no form of the answer that the caller takes
	NotModified   Kind = "not_modified"   // nothing to say
)

// FieldError names one field of a request and what is wrong with it.
// Field is a path such as "questions[1].scale.max".
type FieldError struct {
	Field   string `json:"field"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

// Error is an error whose text a caller may read.
type Error struct {
	Kind       Kind
	Message    string
	Fields     []FieldError
	RetryAfter time.Duration
}

// Error returns the message, with the fields behind it. What a single field
// says too is said once.
func (e *Error) Error() string {
	if len(e.Fields) == 0 {
		return e.Message
	}
	if len(e.Fields) == 1 && e.Fields[0].Message == e.Message {
		return e.Fields[0].Field + ": " + e.Message
	}
	parts := make([]string, len(e.Fields))
	for i, f := range e.Fields {
		parts[i] = f.Field + ": " + f.Message
	}
	return e.Message + ": " + strings.Join(parts, "; ")
}

// Errorf makes an error of a kind. A field, where given, is named in Fields
// under the code of the kind.
func Errorf(kind Kind, field, format string, args ...any) *Error {
	message := fmt.Sprintf(format, args...)
	e := &Error{Kind: kind, Message: message}
	if field != "" {
		e.Fields = []FieldError{{Field: field, Code: string(kind), Message: message}}
	}
	return e
}

// Problems collects what is wrong with an input, so that a caller can mend
// all of it in one go. The zero value is empty.
type Problems struct {
	fields []FieldError
}

// maxProblems bounds the answer to a hopeless input.
const maxProblems = 100

// Add notes a problem with a field. Code is a short stable word such as
// "required", "too_long", "range", "unknown", "format".
func (p *Problems) Add(field, code, format string, args ...any) {
	if len(p.fields) < maxProblems {
		p.fields = append(p.fields, FieldError{field, code, fmt.Sprintf(format, args...)})
	}
}

// Require notes a missing value.
func (p *Problems) Require(field, value string) {
	if strings.TrimSpace(value) == "" {
		p.Add(field, "required", "is required")
	}
}

// Merge takes over the fields of err, where it is an *Error with fields, under
// a prefix.
func (p *Problems) Merge(prefix string, err error) {
	var e *Error
	if errors.As(err, &e) {
		for _, f := range e.Fields {
			p.Add(prefix+f.Field, f.Code, "%s", f.Message)
		}
	}
}

// Err is nil where nothing was added, else an Invalid error with every field.
func (p *Problems) Err() error {
	if len(p.fields) == 0 {
		return nil
	}
	return &Error{Kind: Invalid, Message: "the request is not valid", Fields: p.fields}
}
