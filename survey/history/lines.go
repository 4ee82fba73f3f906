package history

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"koe/survey"
)

// line is an answer in JSON, in the form in which it is exported and shown by
// the API. Members that an import cannot keep, such as ids, are passed over.
type line struct {
	Score       json.RawMessage   `json:"score"`
	RespondedAt string            `json:"responded_at"`
	ExternalID  string            `json:"external_id"`
	Comment     string            `json:"comment"`
	Locale      string            `json:"locale"`
	Channel     string            `json:"channel"`
	Customer    survey.Customer   `json:"customer"`
	Attributes  survey.Attributes `json:"attributes"`
	Answers     survey.Answers    `json:"answers"`
	Tags        []string          `json:"tags"`
	RuleTags    []string          `json:"rule_tags"`
	Excluded    string            `json:"excluded_reason"`
}

// lines cuts a file into lines.
type lines struct {
	in      *utf8Reader
	number  int
	text    []byte
	options Options
}

// ReadJSONLines reads answers of one JSON object a line, as they are exported.
// A line is at most 1 MB; one that is no JSON object is rejected.
func ReadJSONLines(r io.Reader, o Options) (*Reader, error) {
	if len(o.Columns) > 0 {
		return nil, survey.Errorf(survey.Invalid, "map", "is for CSV; JSON lines have the members of an exported response")
	}
	l := &lines{in: newUTF8Reader(r), options: o}
	return &Reader{next: l.next}, nil
}

func (l *lines) next() (Entry, error) {
	for {
		err := l.cut()
		if err != nil {
			return Entry{Line: l.number}, err
		}
		if len(bytes.TrimSpace(l.text)) > 0 {
			return l.entry(), nil
		}
	}
}

// cut reads up to the next line end.
func (l *lines) cut() error {
	l.text = l.text[:0]
	l.number++
	for {
		window, err := l.in.window()
		var bad notUTF8
		switch {
		case errors.Is(err, io.EOF) && len(l.text) > 0:
			return nil
		case errors.As(err, &bad):
			return bad.onLine(l.number)
		case err != nil:
			return err
		}
		n := bytes.IndexByte(window, '\n')
		ended := n >= 0
		if !ended {
			n = len(window)
		}
		if len(l.text)+n > maxRecord {
			return survey.Errorf(survey.Malformed, "", "line %d: a line of more than %d bytes", l.number, maxRecord)
		}
		l.text = append(l.text, window[:n]...)
		if !ended {
			l.in.drop(n)
			continue
		}
		l.in.drop(n + 1)
		return nil
	}
}

func (l *lines) entry() Entry {
	e := Entry{Line: l.number, raw: []string{string(l.text)}}
	var in line
	if err := json.Unmarshal(l.text, &in); err != nil {
		e.Rejection = &Rejection{Line: l.number, Field: misfitMember(err), Reason: "is not a JSON object of an answer: " + err.Error()}
		return e
	}
	e.Answer = Answer{ExternalID: in.ExternalID, Comment: in.Comment, Locale: in.Locale, Channel: in.Channel, Customer: in.Customer,
		Attributes: in.Attributes, Answers: in.Answers, Tags: in.Tags, RuleTags: in.RuleTags, Excluded: in.Excluded}
	var p survey.Problems
	e.score(&p, l.options, scoreText(in.Score))
	if in.RespondedAt != "" {
		e.respondedAt(&p, l.options, in.RespondedAt)
	}
	e.judge(p)
	return e
}

// misfitMember names the member whose value has the wrong type.
func misfitMember(err error) string {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return wrong.Field
	}
	return ""
}

// scoreText is a score as a cell would hold it: null is empty.
func scoreText(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil { // a text, or null
		return text
	}
	return string(raw)
}
