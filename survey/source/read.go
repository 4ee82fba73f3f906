package source

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"koe/survey"
)

// Event is what one event of a payload comes to: an interaction, or the path
// of the condition that it does not fulfil, or what is wrong with it.
type Event struct {
	Interaction survey.Interaction // cleaned, where Ignored is "" and Err nil
	Ignored     string
	Err         error // a *survey.Error; its fields are places in the payload
}

// maxEvents bounds a payload that is a list.
const maxEvents = 1000

// Read reads a payload by the source, which is clean: an object is one event, a
// list as many as it has items, of which one bad one spoils no other. Malformed
// where it is not JSON. now is when an event happened that does not say so.
func (s Source) Read(payload []byte, now survey.Instant) (events []Event, list bool, err error) {
	document, err := decode(payload)
	if err != nil {
		return nil, false, err
	}
	items, list := document.([]any)
	switch {
	case !list:
		return []Event{s.event(document, "", now)}, false, nil
	case len(items) > maxEvents:
		return nil, true, survey.Errorf(survey.Invalid, "", "a list must have at most %d events", maxEvents)
	}
	for i, item := range items {
		events = append(events, s.event(item, fmt.Sprintf("[%d]", i), now))
	}
	return events, true, nil
}

func decode(payload []byte) (any, error) {
	if !utf8.Valid(payload) {
		return nil, survey.Errorf(survey.Malformed, "", "the payload must be JSON in UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(payload))
	d.UseNumber() // an id of 17 digits stays what it is
	var document any
	err := d.Decode(&document)
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("there is more after it")
		}
	}
	if err != nil {
		return nil, survey.Errorf(survey.Malformed, "", "the payload is not JSON; it breaks off, or something else follows, near byte %d", d.InputOffset())
	}
	return document, nil
}

// reading is one event while it is read.
type reading struct {
	source   Source
	document any
	at       string // the event's place in the payload, "" for the whole
	problems survey.Problems
	places   map[string]string // of the interaction's fields in the payload
	warnings []string
}

func (s Source) event(document any, at string, now survey.Instant) Event {
	r := &reading{source: s, document: document, at: at, places: map[string]string{}}
	if _, object := document.(map[string]any); !object {
		r.problems.Add(r.name(nil), "type", "must be an object")
		return Event{Err: r.problems.Err()}
	}
	if failed := r.condition(); failed != "" {
		return Event{Ignored: failed}
	}
	if err := r.problems.Err(); err != nil {
		return Event{Err: err}
	}
	in := r.interaction()
	err := r.problems.Err()
	if err == nil {
		err = r.placed(in.Clean(now))
	}
	if err != nil {
		return Event{Err: err}
	}
	return Event{Interaction: in}
}

// name is a place in the payload as errors name it.
func (r *reading) name(p path) string {
	inside := p.String()
	switch {
	case inside == "" && r.at == "":
		return "body"
	case inside == "" || r.at == "" || strings.HasPrefix(inside, "["):
		return r.at + inside
	}
	return r.at + "." + inside
}

// condition is the path that has none of its values, "" where all have one. An
// event that has another value somewhere is left out; one that lacks a place
// altogether is of a shape that the source does not know.
func (r *reading) condition() (failed string) {
	paths := slices.Sorted(maps.Keys(r.source.Condition))
	for _, text := range paths {
		at := look(r.document, text)
		words, plain := wordsOf(at.value)
		if at.there && !(plain && slices.ContainsFunc(r.source.Condition[text], func(v survey.Value) bool {
			return strings.EqualFold(v.Text(), strings.TrimSpace(words))
		})) {
			return text
		}
	}
	for _, text := range paths {
		if at := look(r.document, text); !at.there {
			r.problems.Add(r.name(at.path), "required", "is required: the condition looks at %s", text)
		}
	}
	return ""
}

func (r *reading) interaction() survey.Interaction {
	m := r.source.Mapping
	in := survey.Interaction{Touchpoint: r.text("touchpoint", m.Touchpoint), ExternalID: r.externalID(m.ExternalID),
		OccurredAt: r.instant(m.OccurredAt), Attributes: r.attributes(m.Attributes)}
	if in.Touchpoint == "" {
		in.Touchpoint = r.source.Touchpoint
	}
	if in.Touchpoint == "" {
		at := look(r.document, m.Touchpoint)
		r.problems.Add(r.name(at.path), "required", "is required: the source has no touchpoint of its own")
	}
	in.Customer = survey.Customer{ExternalID: r.text("customer.external_id", m.Customer.ExternalID), Name: r.text("customer.name", m.Customer.Name)}
	if email := r.text("customer.email", m.Customer.Email); email != "" {
		in.Customer.Email = &email
	}
	in.Customer.Locale = r.nicety("customer.locale", m.Customer.Locale, func(s string) error { _, err := survey.ParseLocale(s); return err })
	in.Customer.Timezone = r.nicety("customer.timezone", m.Customer.Timezone, func(s string) error { _, err := survey.LoadZone(s); return err })
	if !in.Customer.Known() {
		r.warnings = append(r.warnings, "the payload names no customer, so nobody can be asked by mail")
	}
	in.Warnings = r.warnings
	return in
}

// text is the words at a path, "" where nothing is said there.
func (r *reading) text(field, text string) string {
	if text == "" {
		return ""
	}
	at := look(r.document, text)
	r.places[field] = r.name(at.path)
	if !at.said {
		return ""
	}
	words, plain := wordsOf(at.value)
	if !plain {
		r.problems.Add(r.name(at.path), "type", "must be a text")
	}
	return words
}

func (r *reading) externalID(text string) string {
	id := strings.TrimSpace(r.text("external_id", text))
	if at := look(r.document, text); !at.said {
		r.problems.Add(r.name(at.path), "required", "is required: it is what makes a repeat harmless")
	}
	return id
}

// nicety is a text that is left out, with a warning, where koe cannot read it.
func (r *reading) nicety(field, text string, check func(string) error) string {
	words := strings.TrimSpace(r.text(field, text))
	if words == "" {
		return ""
	}
	if check(words) != nil {
		r.warnings = append(r.warnings, fmt.Sprintf("koe cannot read the %s at %s", field, r.places[field]))
		return ""
	}
	return words
}

// instant reads RFC 3339 and Unix times, in seconds or milliseconds.
func (r *reading) instant(text string) survey.Instant {
	words := strings.TrimSpace(r.text("occurred_at", text))
	if words == "" {
		return 0
	}
	if instant, err := survey.ParseInstant(words); err == nil {
		return max(instant, 1) // 0 is taken as not said
	}
	const millisecondsFrom = 100_000_000_000 // as seconds it would be the year 5138
	n, err := strconv.ParseInt(words, 10, 64)
	switch {
	case err != nil || n < 1 || n > 1000*millisecondsFrom:
		r.problems.Add(r.places["occurred_at"], "format", "must be an RFC 3339 instant, or a Unix time in seconds or milliseconds")
		return 0
	case n < millisecondsFrom:
		n *= 1000
	}
	return survey.Instant(n)
}

// attributes are the plain values at their paths; what is not there is left
// out.
func (r *reading) attributes(mapped map[string]string) survey.Attributes {
	out := make(survey.Attributes, len(mapped))
	if text, every := mapped[everyMember]; every {
		at := look(r.document, text)
		r.places["attributes"] = r.name(at.path)
		members, object := at.value.(map[string]any)
		if at.said && !object {
			r.problems.Add(r.name(at.path), "type", "must be an object")
		}
		for name, value := range members {
			out[name] = r.value(value, at.path)
		}
	}
	for name, text := range mapped {
		if at := look(r.document, text); name != everyMember && at.said {
			r.places["attributes."+name] = r.name(at.path)
			out[name] = r.value(at.value, at.path)
		}
	}
	return out
}

func (r *reading) value(value any, at path) (v survey.Value) {
	literal, err := json.Marshal(value)
	if err == nil {
		err = v.UnmarshalJSON(literal)
	}
	if err != nil {
		r.problems.Add(r.name(at), "type", "must be a text, a number or true/false")
	}
	return v
}

// placed names the fields of an error as they are called in the payload: by
// paths of the mapping, since they are kept. Of the members of an object the
// message alone says which it is.
func (r *reading) placed(err error) error {
	var known *survey.Error
	if !errors.As(err, &known) {
		return err
	}
	fields := slices.Clone(known.Fields)
	for i, f := range fields {
		at, mapped := r.places[f.Field]
		if name, member := strings.CutPrefix(f.Field, "attributes."); member && !mapped {
			at, mapped = r.places["attributes"]
			fields[i].Message = fmt.Sprintf("%q: %s", name, f.Message)
		}
		if mapped {
			fields[i].Field = at
		}
	}
	return &survey.Error{Kind: known.Kind, Message: known.Message, Fields: fields}
}
