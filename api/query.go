package api

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"koe/survey"
	"koe/survey/store"
)

// query is a request's query parameters: each is one that the operation
// knows and is given once. It has a value unless it is one of those where an
// empty one means something: their names end in ? where routes list them.
type query map[string]string

// queryKey is where a request keeps its query.
const queryKey = "query"

// queryOf is the query that readQuery let pass.
func queryOf(c echo.Context) query {
	q, _ := c.Get(queryKey).(query)
	return q
}

// readQuery refuses what cannot be read, what the operation does not know and
// what is given twice.
func readQuery(c echo.Context, allowed string) error {
	raw := c.Request().URL.RawQuery
	if raw == "" {
		return nil
	}
	values, err := url.ParseQuery(raw)
	if err != nil {
		return survey.Errorf(survey.Malformed, "", "the query of the address cannot be read")
	}
	q := make(query, len(values))
	for name, given := range values {
		clean, err := survey.Clean(given[0])
		known, empty := knows(allowed, name)
		switch {
		case !known:
			return survey.Errorf(survey.Malformed, "", "there is no query parameter %.80q here%s", name, suggest(allowed))
		case len(given) > 1:
			return survey.Errorf(survey.Malformed, "", "the query parameter %.80q is given %d times", name, len(given))
		case err != nil:
			return survey.Errorf(survey.Malformed, "", "the query parameter %.80q %s", name, err)
		case clean == "" && !empty:
			return survey.Errorf(survey.Invalid, name, "%s must not be empty; leave it out", name)
		}
		q[name] = clean
	}
	c.Set(queryKey, q)
	return nil
}

// knows says whether a parameter is among the allowed, and whether it may be
// empty.
func knows(allowed, name string) (known, empty bool) {
	for one := range strings.FieldsSeq(allowed) {
		one, empty := strings.CutSuffix(one, "?")
		prefix, open := strings.CutSuffix(one, "*")
		if one == name || open && strings.HasPrefix(name, prefix) && name != prefix {
			return true, empty
		}
	}
	return false, false
}

func suggest(allowed string) string {
	if names := strings.Fields(strings.ReplaceAll(allowed, "?", "")); len(names) > 0 {
		return "; there are " + strings.Join(names, ", ")
	}
	return ""
}

// page reads limit (50, at most 500) and cursor.
func (q query) page() (store.Page, error) {
	page := store.Page{Limit: 50, Cursor: q["cursor"]}
	limit, err := q.whole("limit", 1, 500)
	if limit != nil {
		page.Limit = *limit
	}
	return page, err
}

// whole reads a whole number; nil where the parameter is not given.
func (q query) whole(name string, least, most int) (*int, error) {
	raw, ok := q[name]
	if !ok {
		return nil, nil
	}
	n, err := strconv.Atoi(raw)
	if err != nil || n < least || n > most || strconv.Itoa(n) != raw {
		return nil, survey.Errorf(survey.Invalid, name, "%s must be a whole number from %d to %d", name, least, most)
	}
	return &n, nil
}

// instant reads an instant, or a day for the day's first instant in a zone;
// nil where the parameter is not given.
func (q query) instant(name string, zone *time.Location) (*survey.Instant, error) {
	raw, ok := q[name]
	if !ok {
		return nil, nil
	}
	i, err := boundary(raw, zone)
	if err != nil {
		return nil, survey.Errorf(survey.Invalid, name,
			"%s must be a day such as 2026-01-31 or an instant such as 2026-01-31T09:00:00Z (a + in it is written %%2B)", name)
	}
	return &i, nil
}

// boundary reads an instant, or a day for the day's first instant in a zone.
func boundary(raw string, zone *time.Location) (survey.Instant, error) {
	if day, err := survey.ParseDay(raw); err == nil {
		return survey.StartOf(day, zone), nil
	}
	return survey.ParseInstant(raw)
}

// attributes reads the parameters attributes.NAME; nil where there are none.
func (q query) attributes(p *survey.Problems) map[string]string {
	var found map[string]string
	for name, value := range q {
		attribute, is := strings.CutPrefix(name, "attributes.")
		if !is {
			continue
		}
		if found == nil {
			found = map[string]string{}
		}
		for known, v := range (survey.Attributes{attribute: survey.TextValue(value)}).Clean(p, "attributes") {
			found[known] = v.Text()
		}
	}
	return found
}

// span reads from and to and refuses a range that ends before it begins.
func (q query) span(zone *time.Location) (from, to *survey.Instant, err error) {
	if from, err = q.instant("from", zone); err != nil {
		return nil, nil, err
	}
	if to, err = q.instant("to", zone); err != nil {
		return nil, nil, err
	}
	if from != nil && to != nil && *from > *to {
		return nil, nil, survey.Errorf(survey.Invalid, "from", "from must not be after to")
	}
	return from, to, nil
}

// oneOf reads one of a few words; "" where the parameter is not given.
func (q query) oneOf(name string, words ...string) (string, error) {
	raw, ok := q[name]
	if !ok {
		return "", nil
	}
	for _, word := range words {
		if raw == word {
			return raw, nil
		}
	}
	return "", survey.Errorf(survey.Invalid, name, "%s must be one of %s", name, strings.Join(words, ", "))
}

// param is a part of the path, such as the id in /v1/surveys/{id}.
func param(c echo.Context, name string) string {
	if c.Request().URL.RawPath == "" { // it is decoded already
		return c.Param(name)
	}
	raw, err := url.PathUnescape(c.Param(name))
	if err != nil {
		return ""
	}
	return raw
}

// keyParam is a key in the path. One that nothing can have is NotFound, as is
// one that nothing has.
func keyParam(c echo.Context, what string) (string, error) {
	key := param(c, "key")
	if !survey.ValidKey(key) {
		return "", notFound(what)
	}
	return key, nil
}

// keyInPath is the key under which a PUT writes. The body may repeat it, and
// must not say another.
func keyInPath(c echo.Context, name, given string) (string, error) {
	key := param(c, name)
	if !survey.ValidKey(key) {
		return "", survey.Errorf(survey.Invalid, "key", "the key in the path must be lower-case letters, digits, _ and -, at most 63")
	}
	if given != "" && given != key {
		return "", survey.Errorf(survey.Invalid, "key", "key must be %s as in the path, or be left out", key)
	}
	return key, nil
}

// idParam is an id in the path; one that is none is NotFound.
func idParam(c echo.Context, what string) (survey.ID, error) {
	id, err := survey.ParseID(param(c, "id"))
	if err != nil {
		return id, notFound(what)
	}
	return id, nil
}

// surveyParam is a survey's id or key in the path.
func surveyParam(c echo.Context) (string, error) {
	ref := param(c, "id")
	if _, err := survey.ParseID(ref); err != nil && !survey.ValidKey(ref) {
		return "", notFound("survey")
	}
	return ref, nil
}

func notFound(what string) error {
	return survey.Errorf(survey.NotFound, "", "there is no such %s", what)
}
