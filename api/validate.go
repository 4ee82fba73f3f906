package api

import (
	"errors"
	"reflect"
	"strings"

	"github.com/go-playground/validator/v10"

	"koe/survey"
)

// newValidator reads `validate` tags and names fields as the JSON does.
func newValidator() *validator.Validate {
	v := validator.New(validator.WithRequiredStructEnabled())
	v.RegisterTagNameFunc(func(f reflect.StructField) string {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		return name
	})
	return v
}

// check is nil where a request fulfils its `validate` tags, else Invalid with
// every field that does not.
func (a *api) check(request any) error {
	err := a.validate.Struct(request)
	var wrong validator.ValidationErrors
	if !errors.As(err, &wrong) {
		return err
	}
	var p survey.Problems
	for _, w := range wrong {
		_, field, _ := strings.Cut(w.Namespace(), ".") // without the Go type
		switch w.Tag() {
		case "required":
			p.Add(field, "required", "is required")
		case "oneof":
			p.Add(field, "unknown", "must be one of %s", strings.Join(strings.Fields(w.Param()), ", "))
		case "max":
			p.Add(field, "too_long", "must have at most %s characters", w.Param())
		default:
			p.Add(field, "format", "must fulfil %s %s", w.Tag(), w.Param())
		}
	}
	return p.Err()
}
