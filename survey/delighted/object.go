package delighted

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"time"

	"koe/survey"
	"koe/survey/history"
)

// object is one of the API's objects, of any of its lists.
type object struct {
	ID               scalar                  `json:"id"`
	Person           json.RawMessage         `json:"person"`
	PersonID         scalar                  `json:"person_id"`
	Email            scalar                  `json:"email"`
	Name             scalar                  `json:"name"`
	CreatedAt        scalar                  `json:"created_at"`
	LastSentAt       scalar                  `json:"last_sent_at"`
	LastRespondedAt  scalar                  `json:"last_responded_at"`
	UnsubscribedAt   scalar                  `json:"unsubscribed_at"`
	BouncedAt        scalar                  `json:"bounced_at"`
	Phone            scalar                  `json:"phone_number"`
	SurveyType       scalar                  `json:"survey_type"`
	Score            scalar                  `json:"score"`
	Comment          scalar                  `json:"comment"`
	Tags             []string                `json:"tags"`
	Notes            []Note                  `json:"notes"`
	Additional       []Additional            `json:"additional_answers"`
	Properties       map[string]survey.Value `json:"properties"`
	PersonProperties map[string]survey.Value `json:"person_properties"`
	ResponseCount    json.RawMessage         `json:"response_count"`
}

// objects reads the records of a file of JSON.
type objects struct {
	in   *history.Objects
	zone *time.Location
}

func (o *objects) next() (Record, error) {
	text, line, err := o.in.Next()
	if err != nil {
		return Record{}, err
	}
	r := Record{Line: line}
	var in object
	if err := json.Unmarshal(text, &in); err != nil {
		var wrong *json.UnmarshalTypeError
		if !errors.As(err, &wrong) && !json.Valid(text) {
			return r, survey.Errorf(survey.Malformed, "", "line %d: is not JSON: %s", line, err)
		}
		r.Fault = &history.Rejection{Line: line, Reason: "is not as the API writes it: " + err.Error()}
		if wrong != nil {
			r.Fault.Field = wrong.Field
		}
	}
	if r.Kind = in.kind(); r.Kind == "" {
		var all map[string]json.RawMessage
		_ = json.Unmarshal(text, &all) // it was read before
		return r, unknownKind(slices.Sorted(maps.Keys(all)))
	}
	if r.Kind == Metrics {
		return r, json.Unmarshal(text, &r.Figures)
	}
	in.fill(&r, o.zone)
	return r, nil
}

func (in *object) kind() Kind {
	if in.ResponseCount != nil && !in.Score.is {
		return Metrics
	}
	said := map[string]bool{"score": in.Score.is, "unsubscribed_at": in.UnsubscribedAt.is, "bounced_at": in.BouncedAt.is, "id": in.ID.is,
		"email": in.Email.is, "created_at": in.CreatedAt.is, "last_sent_at": in.LastSentAt.is, "last_responded_at": in.LastRespondedAt.is}
	return kindOf(func(field string) bool { return said[field] })
}

func (in *object) fill(r *Record, zone *time.Location) {
	var p survey.Problems
	in.expand(&p)
	for _, f := range []struct {
		field string
		value scalar
	}{{"id", in.ID}, {"person", in.PersonID}, {"email", in.Email}, {"name", in.Name}, {"created_at", in.CreatedAt},
		{"last_sent_at", in.LastSentAt}, {"last_responded_at", in.LastRespondedAt}, {"unsubscribed_at", in.UnsubscribedAt},
		{"bounced_at", in.BouncedAt}, {"phone_number", in.Phone}, {"survey_type", in.SurveyType}, {"score", in.Score}, {"comment", in.Comment}} {
		r.set(&p, f.field, f.value.text, zone)
	}
	r.Tags, r.Notes, r.Additional = in.Tags, in.Notes, in.Additional
	r.addProperties(in.PersonProperties)
	r.addProperties(in.Properties)
	r.clocks(&p, zone)
	r.judge(&p)
}

// expand takes over the person of an answer: an id, or a whole object.
func (in *object) expand(p *survey.Problems) {
	switch {
	case len(in.Person) == 0:
	case in.Person[0] != '{':
		if err := json.Unmarshal(in.Person, &in.PersonID); err != nil {
			p.Add("person", "type", "must be an id or a person")
		}
	default:
		var person struct{ ID, Email, Name scalar }
		if err := json.Unmarshal(in.Person, &person); err != nil {
			p.Add("person", "type", "must be an id or a person")
		}
		in.PersonID, in.Email, in.Name = person.ID, person.Email, person.Name
	}
}

// addProperties takes over properties in the order of their names; what is
// nested in one stays as JSON.
func (r *Record) addProperties(all map[string]survey.Value) {
	for _, name := range slices.Sorted(maps.Keys(all)) {
		value := all[name]
		text := value.Text()
		switch {
		case text == "" || text == "null":
			continue
		case !value.IsText() && (text[0] == '{' || text[0] == '['):
			var flat bytes.Buffer
			if json.Compact(&flat, []byte(text)) != nil {
				continue
			}
			value = survey.TextValue(flat.String())
		}
		r.Properties = append(r.Properties, Property{name, value})
	}
}

// clocks reads the dates of notes.
func (r *Record) clocks(p *survey.Problems, zone *time.Location) {
	for i, note := range r.Notes {
		if note.At.text == "" {
			continue
		}
		if at := date(p, "notes", note.At.text, zone); at != nil {
			r.Notes[i].clock = at.Time().Format("2006-01-02 15:04")
		}
	}
}

// File reads the records of one file, whatever it is.
type File struct {
	next func() (Record, error)
}

// Options say how files are read.
type Options struct {
	Columns map[string]string // of CSV: the column of a field, where it is not called so
	Zone    *time.Location    // of dates without an offset
}

// Check is Invalid where Columns name a field that there is not.
func (o Options) Check() error {
	for _, name := range slices.Sorted(maps.Keys(o.Columns)) {
		field, property := fieldOf(name)
		if field == "" && property == name || field == "" && property == "" {
			return survey.Errorf(survey.Invalid, "map", "there is no field %q; there are: %s", name, FieldNames())
		}
	}
	return nil
}

// Open begins to read a file: JSON where it begins with a bracket, else CSV. The
// errors are those of [history.NewTable] and [history.Objects], and Invalid
// where the file is none of Delighted's lists.
func Open(r io.Reader, o Options) (*File, error) {
	in := text(r)
	if isJSON(in) {
		return &File{(&objects{history.NewObjects(in), o.Zone}).next}, nil
	}
	t, err := readTable(in, o.Columns, o.Zone)
	if err != nil {
		return nil, cutOff(err)
	}
	return &File{t.next}, nil
}

// Next returns the next record; io.EOF after the last. A record with a Fault is
// of no use; any other error ends the file.
func (f *File) Next() (Record, error) {
	r, err := f.next()
	return r, cutOff(err)
}

func cutOff(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return survey.Errorf(survey.Malformed, "", "the file ends inside of a character; is it cut off?")
	}
	return err
}

// isJSON looks at the first byte that is not blank.
func isJSON(in *bufio.Reader) bool {
	for n := 64; ; n *= 2 {
		head, err := in.Peek(n)
		head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\uFEFF")), " \t\r\n")
		if len(head) > 0 {
			return head[0] == '{' || head[0] == '['
		}
		if err != nil || n > 4096 {
			return false
		}
	}
}
