package survey

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Value is one attribute's value: a text, a number or true/false, kept as its
// JSON literal so that a number of any length comes out as it went in.
type Value struct {
	literal string
}

// TextValue is a value that is a text.
func TextValue(s string) Value {
	b, err := json.Marshal(s)
	if err != nil {
		return Value{}
	}
	return Value{string(b)}
}

// IsText is true for a text, false for a number or a yes/no.
func (v Value) IsText() bool { return strings.HasPrefix(v.literal, `"`) }

// Text is the value as words: the text itself, the digits as they were
// written, "true" or "false".
func (v Value) Text() string {
	if !v.IsText() {
		return v.literal
	}
	if !strings.Contains(v.literal, `\`) { // nothing is escaped: mostly so
		return v.literal[1 : len(v.literal)-1]
	}
	var s string
	if json.Unmarshal([]byte(v.literal), &s) != nil {
		return ""
	}
	return s
}

// MarshalJSON writes the literal.
func (v Value) MarshalJSON() ([]byte, error) {
	if v.literal == "" {
		return []byte("null"), nil
	}
	return []byte(v.literal), nil
}

// UnmarshalJSON keeps any literal; Attributes.clean refuses what is no scalar,
// with the name of the attribute.
func (v *Value) UnmarshalJSON(b []byte) error {
	v.literal = string(bytes.TrimSpace(b))
	return nil
}

// Attributes are what a company tells about a customer or an interaction:
// at most 100 names, each with a text of at most 1,000 characters, a number or
// a yes/no. null means "not known" and is left out.
type Attributes map[string]Value

const (
	maxAttributes     = 100
	maxAttributeRunes = 1000
)

// Clean checks names and values and drops nulls; problems are noted under
// field ("attributes.plan").
func (a Attributes) Clean(p *Problems, field string) Attributes {
	if len(a) > maxAttributes {
		p.Add(field, "too_many", "must have at most %d names", maxAttributes)
		return a
	}
	clean := make(Attributes, len(a))
	for _, given := range slices.Sorted(maps.Keys(a)) {
		v, name := a[given], norm.NFC.String(given)
		at := field + "." + name
		if !attributeName.MatchString(name) {
			p.Add(field, "format", "the name %q must be letters, digits, _ . - or blanks, at most 64", given)
			continue
		}
		if _, twice := clean[name]; twice {
			p.Add(at, "duplicate", "is named twice")
		}
		switch {
		case v.literal == "null" || v.literal == "":
		case strings.HasPrefix(v.literal, "{"), strings.HasPrefix(v.literal, "["):
			p.Add(at, "type", "must be a text, a number or true/false")
		case v.IsText():
			s := Prose(p, at, v.Text(), maxAttributeRunes)
			clean[name] = TextValue(s)
		case utf8.RuneCountInString(v.literal) > 64:
			p.Add(at, "too_long", "a number must have at most 64 digits")
		default:
			clean[name] = v
		}
	}
	return clean
}

// Over is a with what is missing in it taken from below.
func (a Attributes) Over(below Attributes) Attributes {
	merged := make(Attributes, len(a)+len(below))
	for name, v := range below {
		merged[name] = v
	}
	for name, v := range a {
		merged[name] = v
	}
	return merged
}

// Without is a with none of the names of others.
func (a Attributes) Without(others Attributes) Attributes {
	if len(others) == 0 {
		return a
	}
	kept := make(Attributes, len(a))
	for name, v := range a {
		if _, is := others[name]; !is {
			kept[name] = v
		}
	}
	return kept
}

// Only is a with no names but these.
func (a Attributes) Only(names []string) Attributes {
	kept := make(Attributes)
	for _, name := range names {
		if v, ok := a[name]; ok {
			kept[name] = v
		}
	}
	return kept
}

// Condition names attributes ("attributes.plan") and the values that pass. All
// names must pass; of one name any value.
type Condition map[string]Values

// Values is one or several values; one alone may stand without brackets.
type Values []Value

// UnmarshalJSON reads a value or a list of values.
func (v *Values) UnmarshalJSON(b []byte) error {
	if b = bytes.TrimSpace(b); len(b) > 0 && b[0] == '[' {
		var list []Value
		if err := json.Unmarshal(b, &list); err != nil {
			return err
		}
		*v = list
		return nil
	}
	*v = Values{{string(b)}}
	return nil
}

const attributePrefix = "attributes."

func (c Condition) clean(p *Problems, field string) Condition {
	clean := make(Condition, len(c))
	for _, given := range slices.Sorted(maps.Keys(c)) {
		values, name := c[given], norm.NFC.String(given)
		key, ok := strings.CutPrefix(name, attributePrefix)
		if !ok || !attributeName.MatchString(key) {
			p.Add(field, "unknown", "%q must be attributes.NAME", given)
			continue
		}
		if _, twice := clean[name]; twice {
			p.Add(field+"."+name, "duplicate", "is named twice")
		}
		if len(values) == 0 || len(values) > maxAttributes {
			p.Add(field+"."+name, "range", "must have 1 to %d values", maxAttributes)
		}
		for _, v := range values {
			checked := Attributes{key: v}.Clean(p, field+".attributes")
			if _, ok := checked[key]; !ok {
				p.Add(field+"."+name, "type", "must be texts, numbers or true/false")
				break
			}
			clean[name] = append(clean[name], checked[key])
		}
	}
	return clean
}

// Match is true where every named attribute has one of its values; values
// compare as words, so 5 is "5". The first name that failed is returned.
func (c Condition) Match(a Attributes) (failed string, ok bool) {
	for _, name := range slices.Sorted(maps.Keys(c)) {
		values := c[name]
		v, known := a[strings.TrimPrefix(name, attributePrefix)]
		if !known || !slices.ContainsFunc(values, func(w Value) bool { return w.Text() == v.Text() }) {
			return name, false
		}
	}
	return "", true
}
