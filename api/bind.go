package api

import (
	"bytes"
	"encoding"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/labstack/echo/v4"

	"koe/survey"
)

// maxDepth is how deep a request may nest. The deepest that koe understands is
// about ten.
const maxDepth = 100

// bind reads the request's JSON object into a struct. Errors: Malformed for
// what is not JSON, and for a field that is unknown or given twice, NUL,
// invalid UTF-8, a second value; Invalid, with its field, for a value of the
// wrong type.
func bind[T any](c echo.Context, into *T) error { return decode(rawBody(c), into) }

// bindLenient is bind for events that must not be lost because their sender
// grew a field: unknown fields are left out and returned, such as
// "customer.phone". Everything else is refused as bind does.
func bindLenient[T any](c echo.Context, into *T) (unknown []string, err error) {
	return decodeLenient(rawBody(c), into)
}

// decodeLenient is decode for such events.
func decodeLenient[T any](raw []byte, into *T) (unknown []string, err error) {
	if err := checkText(raw); err != nil {
		return nil, err
	}
	err = json.Unmarshal(raw, into, json.RejectUnknownMembers(true))
	if !errors.Is(err, json.ErrUnknownName) {
		return nil, explain(raw, err)
	}
	*into = *new(T)
	if err := json.Unmarshal(raw, into); err != nil {
		return nil, explain(raw, err)
	}
	return unknownFields(raw, reflect.TypeFor[T]()), nil
}

// bindNothing is for operations whose path says it all.
func bindNothing(c echo.Context) error {
	if len(rawBody(c)) == 0 {
		return nil
	}
	return bind(c, &struct{}{})
}

// decode reads one JSON object, strictly.
func decode(raw []byte, into any) error {
	if err := checkText(raw); err != nil {
		return err
	}
	return explain(raw, json.Unmarshal(raw, into, json.RejectUnknownMembers(true)))
}

// checkText refuses what the decoder would let pass: anything but an object,
// nesting without end, NUL.
func checkText(raw []byte) error {
	if err := checkObject(raw); err != nil {
		return err
	}
	if depthOf(raw) > maxDepth {
		return survey.Errorf(survey.Malformed, "", "the JSON nests deeper than %d levels", maxDepth)
	}
	if bytes.Contains(raw, []byte(`\u0000`)) {
		return findNUL(raw)
	}
	return nil
}

func checkObject(raw []byte) error {
	if start := bytes.TrimLeft(raw, " \t\r\n"); len(start) > 0 && start[0] != '{' {
		return survey.Errorf(survey.Malformed, "", "the body must be a JSON object")
	}
	return nil
}

// depthOf is how deep brackets nest, at a glance: a decoder that recursed into
// 100,000 of them would be too late.
func depthOf(raw []byte) (deepest int) {
	depth, text := 0, false
	for i := 0; i < len(raw); i++ {
		switch b := raw[i]; {
		case text && b == '\\':
			i++
		case b == '"':
			text = !text
		case text:
		case b == '{', b == '[':
			depth++
			deepest = max(deepest, depth)
		case b == '}', b == ']':
			depth--
		}
	}
	return deepest
}

// findNUL looks for an escaped NUL in names and texts. Broken JSON is left to
// the decoder, which says what is wrong with it.
func findNUL(raw []byte) error {
	d := jsontext.NewDecoder(bytes.NewReader(raw))
	for {
		token, err := d.ReadToken()
		if err != nil {
			return nil //nolint:nilerr // see above: the decoder meets the same error and explains it
		}
		if token.Kind() == '"' && strings.IndexByte(token.String(), 0) >= 0 {
			return malformedAt(d.StackPointer(), "format", "must not contain NUL")
		}
	}
}

func malformedAt(p jsontext.Pointer, code, message string) error {
	return wrongAt(survey.Malformed, p, code, message)
}

func wrongAt(kind survey.Kind, p jsontext.Pointer, code, message string) error {
	return wrongField(kind, dotted(p), code, message)
}

func wrongField(kind survey.Kind, field, code, message string) error {
	return &survey.Error{Kind: kind, Message: field + ": " + message,
		Fields: []survey.FieldError{{Field: field, Code: code, Message: message}}}
}

// noSuchField refuses a field by its dotted name.
func noSuchField(field string) error {
	return wrongField(survey.Malformed, field, "unknown", "there is no such field here")
}

// checkGrammar is the first place at which a document is not JSON; nil where
// it is. Options are those that it was read with.
func checkGrammar(raw []byte, options []jsontext.Options) error {
	d := jsontext.NewDecoder(bytes.NewReader(raw), options...)
	err := d.SkipValue()
	if err == nil {
		_, err = d.ReadToken()
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err == nil {
		err = &jsontext.SyntacticError{ByteOffset: d.InputOffset(), Err: errors.New("there is more after the object")}
	}
	return err
}

// explain turns the decoder's error into one that names the field and says
// what to send instead. The decoder stops at the first value that does not
// fit; where the document is not JSON further on, that comes first. Options are
// those that it was read with.
func explain(raw []byte, err error, options ...jsontext.Options) error {
	var meaning *json.SemanticError
	var syntax *jsontext.SyntacticError
	if errors.As(err, &meaning) {
		if broken := checkGrammar(raw, options); broken != nil {
			err = broken
		}
	}
	switch {
	case err == nil:
		return nil
	case errors.As(err, &meaning) && errors.Is(meaning.Err, json.ErrUnknownName):
		return noSuchField(dotted(meaning.JSONPointer))
	case errors.As(err, &meaning):
		if meaning.JSONKind == '"' && meaning.Err != nil && readsText(meaning.GoType) {
			return wrongAt(survey.Invalid, meaning.JSONPointer, "format", meaning.Err.Error())
		}
		return wrongAt(survey.Invalid, meaning.JSONPointer, "type", wanted(meaning))
	case errors.As(err, &syntax) && errors.Is(syntax.Err, jsontext.ErrDuplicateName):
		return malformedAt(syntax.JSONPointer, "duplicate", "is given twice")
	case errors.As(err, &syntax):
		return notJSON(syntax)
	}
	return survey.Errorf(survey.Malformed, "", "the body is not JSON that can be read")
}

func notJSON(syntax *jsontext.SyntacticError) error {
	reason := "unexpected text"
	switch {
	case errors.Is(syntax.Err, io.ErrUnexpectedEOF):
		reason = "it ends too early"
	case syntax.Err != nil:
		reason = syntax.Err.Error()
	}
	within := ""
	if field := dotted(syntax.JSONPointer); field != "" {
		within = " in " + field
	}
	return survey.Errorf(survey.Malformed, "", "the body is not JSON: at byte %d%s: %s", syntax.ByteOffset, within, reason)
}

// wanted says what a field takes.
func wanted(e *json.SemanticError) string {
	if errors.Is(e.Err, strconv.ErrRange) {
		return "is a number out of range"
	}
	t := e.GoType
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t == nil:
		return "is of the wrong type"
	case readsText(t) || t.Kind() == reflect.String:
		return "must be a text"
	}
	switch t.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return "must be a whole number"
	case reflect.Float32, reflect.Float64:
		return "must be a number"
	case reflect.Bool:
		return "must be true or false"
	case reflect.Slice, reflect.Array:
		return "must be a list"
	case reflect.Struct, reflect.Map:
		return "must be an object"
	}
	return fmt.Sprintf("must not be %s", e.JSONKind)
}

// readsText is true for a type that is written as a text and read by itself,
// such as survey.Instant.
func readsText(t reflect.Type) bool {
	return t != nil && (t.Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) ||
		reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()))
}

// maxField bounds how much of a caller's own text an error repeats.
const maxField = 200

// dotted writes a JSON pointer as people do: "questions[1].scale.max".
func dotted(p jsontext.Pointer) string {
	var b strings.Builder
	for token := range p.Tokens() {
		if token == "" {
			token = `""`
		}
		switch _, err := strconv.ParseUint(token, 10, 31); {
		case err == nil:
			b.WriteString("[" + token + "]")
		case b.Len() > 0:
			b.WriteString("." + token)
		default:
			b.WriteString(token)
		}
		if b.Len() > maxField {
			return strings.ToValidUTF8(b.String()[:maxField], "") + "…"
		}
	}
	return b.String()
}
