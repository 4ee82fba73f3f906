package delighted

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"koe/survey"
)

// params are what a call says, whichever way: the query of its address, and
// over it its body. A value is a text, a json.Number, a bool, nil, a list or an
// object of these. What nobody asks for is ignored, as Delighted did.
//
// The reading methods note what is wrong; err is all of it.
type params struct {
	values   map[string]any
	problems survey.Problems
}

func (p *params) err() error { return p.problems.Err() }

// readParams reads a query and a body: JSON, or a form as Rails writes it. The
// body of a GET is not looked at.
func readParams(r *http.Request) (params, error) {
	p := params{values: map[string]any{}}
	query, err := url.ParseQuery(plussed(r.URL.RawQuery))
	if err != nil {
		return p, survey.Errorf(survey.Malformed, "", "the query of the address cannot be read")
	}
	p.nest(query)
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return p, p.err()
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return p, survey.Errorf(survey.Malformed, "", "the body did not arrive in full")
	}
	body = bytes.TrimSpace(body)
	switch media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); {
	case len(body) == 0:
	case body[0] == '{' || media == "application/json": // curl -d says form of any text
		err = p.readJSON(body)
	default:
		err = p.readForm(string(body))
	}
	if err != nil {
		return p, err
	}
	return p, p.err()
}

// unblanked are the parameters of which no value has a blank.
var unblanked = []string{"email", "email_update", "person_email", "phone_number", "phone_number_update", "person_phone_number"}

// plussed is a query in which a + of an address or a telephone number stays
// one: some clients do not escape it. Bodies are read by the letter.
func plussed(query string) string {
	pairs := strings.Split(query, "&")
	for i, pair := range pairs {
		if name, value, _ := strings.Cut(pair, "="); slices.Contains(unblanked, name) {
			pairs[i] = name + "=" + strings.ReplaceAll(value, "+", "%2B")
		}
	}
	return strings.Join(pairs, "&")
}

func (p *params) readJSON(body []byte) error {
	if !utf8.Valid(body) {
		return survey.Errorf(survey.Malformed, "", "the body must be valid UTF-8")
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	said := map[string]any{}
	if err := decoder.Decode(&said); err != nil {
		return survey.Errorf(survey.Malformed, "", "the body is not a JSON object that can be read")
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return survey.Errorf(survey.Malformed, "", "there is more after the JSON object")
	}
	for name, v := range said {
		p.values[name] = v
	}
	return nil
}

func (p *params) readForm(body string) error {
	form, err := url.ParseQuery(body)
	if err != nil {
		return survey.Errorf(survey.Malformed, "", "the form cannot be read; send application/x-www-form-urlencoded, or JSON")
	}
	p.nest(form)
	return nil
}

// nest reads names as Rails writes them: properties[plan]=pro, expand[]=person.
// The last of several values counts; all of them do where the name ends in [].
func (p *params) nest(form url.Values) {
	for _, name := range slices.Sorted(maps.Keys(form)) {
		given := form[name]
		path, closed := bracketed(name)
		if !closed || len(path) > maxNesting {
			p.problems.Add(name, "format", "has a bracket that is not closed, or too many")
			continue
		}
		within := p.values
		for _, part := range path[:len(path)-1] {
			inner, isObject := within[part].(map[string]any)
			if !isObject {
				inner = map[string]any{}
				within[part] = inner
			}
			within = inner
		}
		last := path[len(path)-1]
		if strings.HasSuffix(name, "[]") || len(given) > 1 {
			list := make([]any, len(given))
			for i, one := range given {
				list[i] = one
			}
			within[last] = list
			continue
		}
		within[last] = given[0]
	}
}

// maxNesting is how many parts a name may have; two are understood.
const maxNesting = 5

// bracketed splits "properties[plan]" into its parts; "[]" at the end is none.
func bracketed(name string) (path []string, closed bool) {
	head, rest, nested := strings.Cut(strings.TrimSuffix(name, "[]"), "[")
	path = append(path, head)
	for nested {
		part, after, ok := strings.Cut(rest, "]")
		if !ok || strings.Contains(part, "[") || after != "" && after[0] != '[' {
			return nil, false
		}
		path = append(path, part)
		_, rest, nested = strings.Cut(after, "[")
	}
	return path, true
}

// given is true where a call names a parameter and does not say null.
func (p *params) given(name string) bool { return p.values[name] != nil }

// text is a parameter as a text; "" where it is not given. A number is what it
// is written as; of several the last counts.
func (p *params) text(name string) string {
	v := p.values[name]
	if list, several := v.([]any); several && len(list) > 0 {
		v = list[len(list)-1]
	}
	switch x := v.(type) {
	case nil:
	case string:
		clean, err := survey.Clean(strings.TrimSpace(x))
		if err != nil {
			p.problems.Add(name, "format", "%s", err)
		}
		return clean
	case json.Number:
		return x.String()
	case bool:
		return strconv.FormatBool(x)
	default:
		p.problems.Add(name, "type", "must be a text")
	}
	return ""
}

// id is an id as Delighted writes it, a text or a number of digits.
func (p *params) id(name string) *survey.ID {
	text := p.text(name)
	if text == "" {
		return nil
	}
	id, ok := parseDigits(text)
	if !ok { // such as an id of Delighted's own, or a number that lost digits on its way
		p.problems.Add(name, "unknown", "does not exist here; an id is a text of digits that koe gave")
		return nil
	}
	return &id
}

// whole is a whole number within bounds; nil where it is not given.
func (p *params) whole(name string, least, most int64) *int64 {
	text := p.text(name)
	if text == "" {
		return nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		if f, bad := strconv.ParseFloat(text, 64); bad == nil && f == float64(int64(f)) { // 9.0 is 9
			n, err = int64(f), nil
		}
	}
	if err != nil || n < least || n > most {
		p.problems.Add(name, "range", "must be a whole number from %d to %d", least, most)
		return nil
	}
	return &n
}

// lastSecond is the end of the year 9999.
const lastSecond = 253402300799

// seconds is an instant, in whole seconds since 1970.
func (p *params) seconds(name string) *survey.Instant {
	n := p.whole(name, 0, lastSecond)
	if n == nil {
		return nil
	}
	return new(survey.InstantOf(time.Unix(*n, 0)))
}

// span is a range of instants: from, which is part of it, to, which is not.
func (p *params) span(since, until string) (from, to *survey.Instant) {
	from, to = p.seconds(since), p.seconds(until)
	if from != nil && to != nil && *from > *to {
		p.problems.Add(since, "range", "must not be after %s", until)
	}
	return from, to
}

// flag is a yes or no; otherwise where it is not given.
func (p *params) flag(name string, otherwise bool) bool {
	text := p.text(name)
	if text == "" {
		return otherwise
	}
	yes, err := strconv.ParseBool(text)
	if err != nil {
		p.problems.Add(name, "type", "must be true or false")
	}
	return yes
}

// words are the values of a parameter that may be given several times.
func (p *params) words(name string) []string {
	switch x := p.values[name].(type) {
	case nil:
		return nil
	case []any:
		words := make([]string, 0, len(x))
		for _, one := range x {
			word, isText := one.(string)
			if !isText {
				p.problems.Add(name, "type", "must be texts")
			}
			words = append(words, word)
		}
		return words
	}
	return []string{p.text(name)}
}

// attributes are the members of an object of texts, numbers and yes or no. An
// empty list is an empty object: so PHP writes it.
func (p *params) attributes(name string) survey.Attributes {
	object, isObject := p.values[name].(map[string]any)
	if list, isList := p.values[name].([]any); !isObject && p.given(name) && !(isList && len(list) == 0) && p.values[name] != "" {
		p.problems.Add(name, "type", "must be an object of texts, numbers and true or false")
	}
	out := make(survey.Attributes, len(object))
	for key, v := range object {
		if v == nil { // not known
			continue
		}
		literal, err := json.Marshal(v)
		var value survey.Value
		if err == nil {
			err = value.UnmarshalJSON(literal)
		}
		if err != nil {
			p.problems.Add(name+"."+key, "type", "cannot be read")
		}
		out[key] = value
	}
	return out
}

// refuse notes a parameter that koe can do nothing for.
func (p *params) refuse(name, why string) {
	if p.given(name) {
		p.problems.Add(name, "unsupported", "%s", why)
	}
}

func rename(field string, names map[string]string) string {
	for from, to := range names {
		if field == from {
			return to
		}
		if rest, within := strings.CutPrefix(field, from); within && strings.HasSuffix(from, ".") {
			return to + rest
		}
	}
	return field
}
