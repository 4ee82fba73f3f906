// Package source reads what other tools post about their customers: a help
// desk's ticket that was solved, a shop's order that went out. A source says
// where in a tool's JSON things stand and which of its events count; reading a
// payload by it gives interactions, or why there is none. Verify says whether
// the tool that it is said to come from has signed it.
//
// It knows how tools write and nothing of what follows from it. It reads what
// strangers wrote: what it says of a payload names places, never what stood
// there.
package source

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"koe/survey"
)

// Source is another tool that posts events.
type Source struct {
	Key        string         `json:"key"`
	Name       string         `json:"name"`
	Preset     string         `json:"preset"`     // what stood in for mapping, condition and signature where they were not given
	Touchpoint string         `json:"touchpoint"` // where its interactions happen
	Mapping    *Mapping       `json:"mapping"`    // the preset's where nil
	Condition  Condition      `json:"condition"`
	Signature  Scheme         `json:"signature"`
	CreatedAt  survey.Instant `json:"created_at"`
	UpdatedAt  survey.Instant `json:"updated_at"`
}

// Mapping says where in a payload things stand: each field is a path, ""
// where it is not told. See parse for how paths are written.
type Mapping struct {
	Touchpoint string            `json:"touchpoint,omitempty"` // a touchpoint's key; the source's own where the payload has none
	ExternalID string            `json:"external_id"`          // what makes an event happen once
	OccurredAt string            `json:"occurred_at,omitempty"`
	Customer   CustomerMapping   `json:"customer,omitzero"`
	Attributes map[string]string `json:"attributes,omitempty"` // by the attribute's name; "*" is the place of an object whose plain members are taken
}

// CustomerMapping says where a payload names the customer.
type CustomerMapping struct {
	ExternalID string `json:"external_id,omitempty"`
	Email      string `json:"email,omitempty"`
	Name       string `json:"name,omitempty"`
	Locale     string `json:"locale,omitempty"`
	Timezone   string `json:"timezone,omitempty"`
}

// Condition is what an event must say to count: at each path one of the values.
// They compare as words in letters of any case.
type Condition map[string]survey.Values

const (
	maxPath       = 500
	maxConditions = 20
	maxValues     = 100
	maxMapped     = 100 // attributes
)

// Clean fills in what the preset says and brings the source into the form that
// koe keeps, or returns an Invalid error with every field that is wrong.
func (s *Source) Clean() error {
	var p survey.Problems
	if !survey.ValidKey(s.Key) {
		p.Add("key", "format", "must be lower-case letters, digits, _ and -, at most 63")
	}
	if s.Preset == "" {
		s.Preset = Generic
	}
	if !s.fill() {
		p.Add("preset", "unknown", "must be one of %s", strings.Join(PresetNames(), ", "))
		return p.Err()
	}
	if s.Name = survey.Line(&p, "name", s.Name, 200); s.Name == "" {
		s.Name = s.Key
	}
	switch {
	case s.Touchpoint == "" && s.Mapping.Touchpoint == "":
		p.Add("touchpoint", "required", "is required: where the interactions happen, such as support_ticket; or map mapping.touchpoint")
	case s.Touchpoint != "" && !survey.ValidKey(s.Touchpoint):
		p.Add("touchpoint", "format", "must be lower-case letters, digits, _ and -, at most 63")
	}
	s.Mapping.clean(&p)
	s.Condition.clean(&p)
	if !slices.Contains(Schemes(), s.Signature) {
		p.Add("signature", "unknown", "must be one of %s", schemeNames())
	}
	return p.Err()
}

func (m *Mapping) clean(p *survey.Problems) {
	if m.ExternalID = strings.TrimSpace(m.ExternalID); m.ExternalID == "" {
		p.Add("mapping.external_id", "required", "is required: where the payload has the id of its ticket, conversation or order; it makes a repeat harmless")
	}
	for field, path := range m.fields() {
		checkPath(p, "mapping."+field, path)
	}
	if len(m.Attributes) > maxMapped {
		p.Add("mapping.attributes", "too_many", "must have at most %d names", maxMapped)
		return
	}
	names := make(survey.Attributes, len(m.Attributes))
	for _, name := range slices.Sorted(maps.Keys(m.Attributes)) {
		if name != everyMember {
			names[name] = survey.TextValue("")
		}
		if m.Attributes[name] == "" {
			p.Add("mapping.attributes."+name, "required", "must be a path; leave the attribute out where there is none")
		}
		checkPath(p, "mapping.attributes."+name, m.Attributes[name])
	}
	names.Clean(p, "mapping.attributes")
}

// everyMember stands for the names of all plain members of an object.
const everyMember = "*"

// fields are the paths by the fields of an interaction, without attributes.
func (m *Mapping) fields() map[string]string {
	return map[string]string{"touchpoint": m.Touchpoint, "external_id": m.ExternalID, "occurred_at": m.OccurredAt,
		"customer.external_id": m.Customer.ExternalID, "customer.email": m.Customer.Email, "customer.name": m.Customer.Name,
		"customer.locale": m.Customer.Locale, "customer.timezone": m.Customer.Timezone}
}

func (c Condition) clean(p *survey.Problems) {
	if len(c) > maxConditions {
		p.Add("condition", "too_many", "must have at most %d paths", maxConditions)
		return
	}
	for _, path := range slices.Sorted(maps.Keys(c)) {
		field := "condition." + path
		if strings.TrimSpace(path) == "" {
			p.Add("condition", "required", "must name a path for each of its lists")
		}
		checkPath(p, field, path)
		if len(c[path]) == 0 || len(c[path]) > maxValues {
			p.Add(field, "range", "must have 1 to %d values", maxValues)
		}
		for i, value := range c[path] {
			checked := survey.Attributes{"value": value}
			var own survey.Problems
			if _, plain := checked.Clean(&own, "")["value"]; !plain || own.Err() != nil {
				p.Add(fmt.Sprintf("%s[%d]", field, i), "type", "must be a text, a number or true/false")
			}
		}
	}
}

func checkPath(p *survey.Problems, field, path string) {
	if path == "" {
		return
	}
	if utf8.RuneCountInString(path) > maxPath {
		p.Add(field, "too_long", "must have at most %d characters", maxPath)
		return
	}
	if _, err := parse(path); err != nil {
		p.Add(field, "format", "%s", err)
	}
}
