package source

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// A path says where a value stands: names with dots between them, [0] for an
// item of a list, [name=value] for the first item, or the object itself, whose
// member name has that value, ["a.b"] for a name that holds a dot or a bracket.
// Paths with | between them are tried in turn, and the first that leads to
// something counts. A $. in front, as JSONPath has it, is passed over.
type path []step

// step is one of name, index and choice.
type step struct {
	name  string
	index int    // of a list's item, where isIndex
	value string // what the member name must have, where isChoice
	kind  stepKind
}

type stepKind int

const (
	isName stepKind = iota
	isIndex
	isChoice
)

// parse reads paths that are to be tried in turn; there is at least one.
func parse(text string) ([]path, error) {
	var all []path
	for text = strings.TrimSpace(text); ; {
		one, rest, err := parseOne(text)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
		if rest == "" {
			return all, nil
		}
		text = strings.TrimSpace(rest[1:]) // behind the |
	}
}

var errPath = errors.New(`must be a path such as ticket.id, items[0].name, list[id=42].value or ["a.b"], or several with | between them`)

// parseOne reads up to a | or the end.
func parseOne(text string) (one path, rest string, err error) {
	if after, dollar := strings.CutPrefix(text, "$"); dollar {
		text = strings.TrimPrefix(after, ".")
	}
	for text != "" && text[0] != '|' {
		var next step
		switch {
		case text[0] == '[':
			next, text, err = parseBracket(text[1:])
		default:
			end := strings.IndexAny(text, ".[]|")
			if end < 0 {
				end = len(text)
			}
			next, text = step{name: strings.TrimSpace(text[:end])}, text[end:]
			if next.name == "" || strings.HasPrefix(text, "]") {
				err = errPath
			}
		}
		if err != nil {
			return nil, "", err
		}
		one = append(one, next)
		text = strings.TrimLeft(text, " ")
		if after, dot := strings.CutPrefix(text, "."); dot {
			if after == "" || strings.ContainsAny(after[:1], ".[]| ") {
				return nil, "", errPath
			}
			text = after
		}
	}
	if len(one) == 0 || text == "|" {
		return nil, "", errPath
	}
	return one, text, nil
}

// parseBracket reads what stands between brackets, and what is behind them.
func parseBracket(text string) (step, string, error) {
	if strings.HasPrefix(text, `"`) {
		quoted, err := strconv.QuotedPrefix(text)
		if err != nil {
			return step{}, "", errPath
		}
		name, err := strconv.Unquote(quoted)
		rest, closed := strings.CutPrefix(text[len(quoted):], "]")
		if err != nil || !closed || name == "" {
			return step{}, "", errPath
		}
		return step{name: name}, rest, nil
	}
	inside, rest, closed := strings.Cut(text, "]")
	if !closed {
		return step{}, "", errPath
	}
	if name, value, choice := strings.Cut(inside, "="); choice {
		if name = strings.TrimSpace(name); name == "" {
			return step{}, "", errPath
		}
		return step{name: name, value: strings.TrimSpace(value), kind: isChoice}, rest, nil
	}
	index, err := strconv.ParseUint(inside, 10, 31)
	if err != nil {
		return step{}, "", errPath
	}
	return step{index: int(index), kind: isIndex}, rest, nil
}

// String writes the path as parse reads it.
func (p path) String() string {
	var b strings.Builder
	for i, s := range p {
		switch {
		case s.kind == isIndex:
			fmt.Fprintf(&b, "[%d]", s.index)
		case s.kind == isChoice:
			fmt.Fprintf(&b, "[%s=%s]", s.name, s.value)
		case strings.ContainsAny(s.name, `.[]|" `):
			fmt.Fprintf(&b, "[%q]", s.name)
		default:
			if i > 0 {
				b.WriteByte('.')
			}
			b.WriteString(s.name)
		}
	}
	return b.String()
}

// find follows a path; there is false where it leads nowhere. A null that it
// leads to is there.
func (p path) find(in any) (found any, there bool) {
	for _, s := range p {
		switch v := in.(type) {
		case map[string]any:
			switch s.kind {
			case isName:
				in, there = v[s.name]
			case isChoice:
				there = s.chooses(v)
			case isIndex:
				there = false
			}
		case []any:
			in, there = s.among(v)
		default:
			there = false
		}
		if !there {
			return nil, false
		}
	}
	return in, true
}

func (s step) among(list []any) (any, bool) {
	switch s.kind {
	case isIndex:
		if s.index < len(list) {
			return list[s.index], true
		}
	case isChoice:
		for _, item := range list {
			if object, is := item.(map[string]any); is && s.chooses(object) {
				return item, true
			}
		}
	case isName: // a list has no names
	}
	return nil, false
}

func (s step) chooses(object map[string]any) bool {
	words, plain := wordsOf(object[s.name])
	return plain && strings.EqualFold(words, s.value)
}

// wordsOf is a plain value as words: a text, the digits of a number as they
// were written, true or false. False for null, a list and an object.
func wordsOf(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		return strconv.FormatBool(v), true
	}
	return "", false
}

// place is where something was looked for in a payload, and what is there.
type place struct {
	path  path // that led there; the first where none did
	value any
	there bool // something stands there, if only null or ""
	said  bool // and it is neither null nor an empty text
}

// look tries paths in turn: the first that leads to something that is said,
// else to something that is there.
func look(in any, text string) (best place) {
	paths, err := parse(text)
	if err != nil { // Clean has refused it
		return best
	}
	best.path = paths[0]
	for _, p := range paths {
		value, there := p.find(in)
		if text, is := value.(string); there && value != nil && (!is || strings.TrimSpace(text) != "") {
			return place{p, value, true, true}
		}
		if there && !best.there {
			best = place{path: p, value: value, there: true}
		}
	}
	return best
}
