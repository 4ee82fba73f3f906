package delighted

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"koe/survey"
)

const (
	maxName       = 64   // characters of an attribute's name
	maxAttributes = 100  // of one person or answer
	maxValue      = 1000 // characters of one
)

// Names call properties as koe's attributes may be called, each always the
// same, and note which could not stay as they were, or at all.
type Names struct {
	First []string // the attributes that are kept before others, where there are too many

	of      map[string]string // by Delighted's name
	taken   map[string]bool
	leftOut map[string]int64 // rows, by koe's name
}

// NewNames keep first what surveys count by.
func NewNames(first []string) *Names {
	return &Names{First: first, of: map[string]string{}, taken: map[string]bool{}, leftOut: map[string]int64{}}
}

// name is what a property is called; "" where nothing is left of its name.
func (n *Names) name(given string) string {
	if known, is := n.of[given]; is {
		return known
	}
	name := allowed(given)
	for free, i := name, 2; name != "" && n.taken[name]; i++ {
		end := fmt.Sprint(" ", i)
		name = cutRunes(free, maxName-len(end)) + end
	}
	n.of[given], n.taken[name] = name, true
	return name
}

// allowed makes a name of letters, digits, _ . - and blanks.
func allowed(given string) string {
	clean, err := survey.Clean(strings.TrimSpace(given))
	if err != nil {
		return ""
	}
	name := strings.Map(func(r rune) rune {
		switch {
		case unicode.IsLetter(r), unicode.IsNumber(r), unicode.IsMark(r), strings.ContainsRune("_.- ", r):
			return r
		}
		return '_'
	}, clean)
	name = strings.TrimRight(strings.TrimLeftFunc(name, func(r rune) bool { return unicode.IsMark(r) || strings.ContainsRune("_.- ", r) }), "_ ")
	return strings.TrimRight(cutRunes(name, maxName), " ")
}

func cutRunes(s string, most int) string {
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most])
	}
	return s
}

// attributes are a row's properties; at most room of them.
func (n *Names) attributes(properties []Property, room int) survey.Attributes {
	all := make(survey.Attributes, min(len(properties), room))
	if len(properties) > room {
		for _, p := range properties { // what is counted by comes first
			if name := n.name(p.Name); slices.Contains(n.First, name) && len(all) < room {
				all[name] = p.Value
			}
		}
	}
	for _, p := range properties {
		name := n.name(p.Name)
		if _, twice := all[name]; twice || name == "" {
			continue
		}
		if len(all) == room {
			n.leftOut[name]++
			continue
		}
		all[name] = p.Value
	}
	return all
}

// Notes say what of the properties is not as it was.
func (n *Names) Notes() []string {
	var notes []string
	for _, given := range slices.Sorted(maps.Keys(n.of)) {
		switch name := n.of[given]; name {
		case given:
		case "":
			notes = append(notes, fmt.Sprintf("the property %q is left out: its name has no letter or digit", given))
		default:
			notes = append(notes, fmt.Sprintf("the property %q is the attribute %q", given, name))
		}
	}
	if len(n.leftOut) > 0 {
		notes = append(notes, fmt.Sprintf("more than %d properties in a row; left out of some or all: %s",
			maxAttributes, strings.Join(slices.Sorted(maps.Keys(n.leftOut)), ", ")))
	}
	return notes
}

// spread keeps a long text as several attributes: "note 1", "note 2".
func spread(into survey.Attributes, name, text string) {
	for part := 1; text != "" && len(into) < maxAttributes; part++ {
		piece := cutRunes(text, maxValue)
		text = text[len(piece):]
		called := name
		if part > 1 {
			called = fmt.Sprintf("%s %d", cutRunes(name, maxName-4), part)
		}
		into[called] = survey.TextValue(piece)
	}
}
