package delighted

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"koe/survey"
	"koe/survey/history"
)

// Kind says what a record is.
type Kind string

// The kinds of records, as Delighted's API calls their lists.
const (
	People       Kind = "people"
	Unsubscribes Kind = "unsubscribes"
	Bounces      Kind = "bounces"
	Responses    Kind = "survey_responses"
	Metrics      Kind = "metrics"
)

// Record is one row of a file, or one object.
type Record struct {
	Kind  Kind
	Line  int                // where it begins
	Fault *history.Rejection // why it cannot be read

	ID     string // Delighted's, of the response or of the person
	Person string // Delighted's id of the person
	Email  string // as it stands there
	Name   string

	Created, LastSent, LastResponded *survey.Instant
	Unsubscribed, Bounced            *survey.Instant // 0 where it is said, and not when

	Type       string // survey_type, in lower case
	Score      string
	Comment    string
	Properties []Property
	Tags       []string
	Notes      []Note
	Additional []Additional
	Figures    map[string]json.RawMessage // of metrics
}

// Property is one of a person's or an answer's properties.
type Property struct {
	Name  string
	Value survey.Value
}

// Note is what somebody at the company wrote beside an answer.
type Note struct {
	Text  string `json:"text"`
	By    string `json:"user_email"`
	At    scalar `json:"created_at"`
	clock string // At, as it is kept
}

// Additional is the answer to a further question.
type Additional struct {
	Value struct {
		Free  *string  `json:"free_response"`
		Scale *int     `json:"scale"`
		One   *choice  `json:"select_one"`
		Many  []choice `json:"select_many"`
	} `json:"value"`
	Question struct {
		ID   scalar `json:"id"`
		Type string `json:"type"`
		Text string `json:"text"`
	} `json:"question"`
}

type choice struct {
	ID   scalar `json:"id"`
	Text string `json:"text"`
}

// scalar is a text, a number or a yes/no, as words; null is empty.
type scalar struct {
	text string
	is   bool // it was there, if as null
}

// UnmarshalJSON refuses lists and objects.
func (s *scalar) UnmarshalJSON(b []byte) error {
	s.is = true
	switch b[0] {
	case '"':
		return json.Unmarshal(b, &s.text)
	case '{', '[':
		return fmt.Errorf("must be a text or a number")
	case 'n':
		s.text = ""
		return nil
	}
	s.text = string(b)
	return nil
}

// propertyField is the prefix of a property's field.
const propertyField = "person_properties."

// fields are what a record is made of, under the names of the API.
var fields = []string{"id", "person", "email", "name", "created_at", "last_sent_at", "last_responded_at", "unsubscribed_at",
	"bounced_at", "phone_number", "survey_type", "score", "comment", "tags", "notes", "additional_answers", "person_properties"}

// passedOver are fields that the API has and koe has no use for.
var passedOver = []string{"permalink", "updated_at", "next_survey_scheduled_at", "survey_scheduled_at"}

// FieldNames lists the fields for people.
func FieldNames() string { return strings.Join(fields, ", ") + ", " + propertyField + "NAME" }

// set keeps what a field says; an empty text says nothing.
func (r *Record) set(p *survey.Problems, field, said string, zone *time.Location) {
	if said = strings.TrimSpace(said); said == "" {
		return
	}
	switch field {
	case "id":
		r.ID = said
	case "person":
		r.Person = said
	case "email":
		r.Email = said
	case "name":
		r.Name = said
	case "created_at":
		r.Created = date(p, field, said, zone)
	case "last_sent_at":
		r.LastSent = date(p, field, said, zone)
	case "last_responded_at":
		r.LastResponded = date(p, field, said, zone)
	case "unsubscribed_at":
		r.Unsubscribed = optOut(p, field, said, zone)
	case "bounced_at":
		r.Bounced = optOut(p, field, said, zone)
	case "phone_number": // as the API keeps it
		if r.Kind == People {
			r.Properties = append(r.Properties, Property{field, survey.TextValue(said)})
		}
	case "survey_type":
		r.Type = strings.ToLower(said)
	case "score":
		r.Score = said
	case "comment":
		r.Comment = said
	}
}

// seconds are Unix seconds, as the API writes every date.
var seconds = regexp.MustCompile(`^[0-9]{9,10}(\.[0-9]*)?$`)

var withOffset = func() history.DateFormat {
	f, err := history.ParseDateFormat("%F %T %z")
	if err != nil {
		panic(err) // a constant of this file
	}
	return f
}()

// date reads Unix seconds, a date with an offset, or one in zone. What cannot be
// read is a problem, and nil.
func date(p *survey.Problems, field, said string, zone *time.Location) *survey.Instant {
	if seconds.MatchString(said) {
		whole, _, _ := strings.Cut(said, ".")
		n, _ := strconv.ParseInt(whole, 10, 64) // the pattern is of digits
		return new(survey.Instant(n * 1000))
	}
	if plain, utc := strings.CutSuffix(said, " UTC"); utc {
		said, zone = plain, time.UTC
	}
	if at, err := withOffset.Parse(said, zone); err == nil {
		return &at
	}
	at, err := history.DateFormat{}.Parse(said, zone)
	if err != nil {
		p.Add(field, "format", "%q must be Unix seconds such as 1790000000, or a date such as 2026-11-22 09:30", short(said))
		return nil
	}
	return &at
}

// optOut reads when somebody opted out: 0 where they did, and it is not said when
// or cannot be read; nil for the words that say no.
func optOut(p *survey.Problems, field, said string, zone *time.Location) *survey.Instant {
	switch strings.ToLower(said) {
	case "false", "no", "0", "null":
		return nil
	case "true", "yes", "1":
		return new(survey.Instant)
	}
	if at := date(p, field, said, zone); at != nil {
		return at
	}
	return new(survey.Instant)
}

func short(s string) string {
	if runes := []rune(s); len(runes) > 40 {
		return string(runes[:40]) + "…"
	}
	return s
}

// judge keeps the first of the problems as the record's fault.
func (r *Record) judge(p *survey.Problems) {
	if known, is := p.Err().(*survey.Error); is && r.Fault == nil { //nolint:errorlint // Problems makes it itself
		r.Fault = new(history.Reject(r.Line, known))
	}
}
