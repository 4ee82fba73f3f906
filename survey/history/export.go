package history

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"io"
	"maps"
	"slices"
	"strconv"

	"koe/survey"
	"koe/survey/shown"
)

// Writer writes responses one by one, in a form that imports again.
type Writer struct {
	write func(survey.Response) error
	flush func() error
}

// Write writes one response.
func (w *Writer) Write(r survey.Response) error { return w.write(r) }

// Flush writes what is still held back.
func (w *Writer) Flush() error { return w.flush() }

// exportedColumns come before the attributes and the answers.
var exportedColumns = []string{"id", "survey_id", "touchpoint", "metric", "score", "comment", "responded_at", "external_id",
	"locale", "channel", "customer.id", "customer.external_id", "customer.email", "customer.name", "tags", "rule_tags", "template.key",
	"template.version", "invitation_id", "complete", "excluded_reason", "created_at", "updated_at"}

// WriteCSV begins a CSV file with a column for every attribute and question
// that is named. Write refuses a response that has others (Conflict): they came
// in after the names were looked up, and nothing is left out without a word. Cells are guarded ([Guard]), several
// choices and tags have a | between them. A byte order mark tells spreadsheets
// that the file is UTF-8.
func WriteCSV(w io.Writer, attributes, questions []string, mark bool) (*Writer, error) {
	out := csv.NewWriter(w)
	if mark {
		var err error
		if out, err = Marked(w); err != nil {
			return nil, err
		}
	}
	row := append([]string{}, exportedColumns...)
	for _, name := range attributes {
		row = append(row, attributesField+name)
	}
	for _, key := range questions {
		row = append(row, answersField+key)
	}
	write := func(r survey.Response) error {
		row = appendCells(row[:0], r)
		unwritten := len(r.Attributes)
		for _, name := range attributes {
			if v, known := r.Attributes[name]; known {
				row = append(row, attributeCell(v))
				unwritten--
			} else {
				row = append(row, "")
			}
		}
		if unwritten > 0 {
			return tooLate("attribute", r.Attributes, attributes)
		}
		unwritten = len(r.Answers)
		for _, key := range questions {
			answer, given := r.Answers[key]
			if row = append(row, answerCell(answer)); given {
				unwritten--
			}
		}
		if unwritten > 0 {
			return tooLate("question", r.Answers, questions)
		}
		return out.Write(row)
	}
	flush := func() error {
		out.Flush()
		return out.Error()
	}
	return &Writer{write, flush}, out.Write(row)
}

// Marked begins a CSV file with a byte order mark. It is held back like the rows:
// what fails before the first of them leaves leaves nothing behind.
func Marked(w io.Writer) (*csv.Writer, error) {
	held := bufio.NewWriter(w) // the writer takes this one for its own
	_, err := held.WriteString("\uFEFF")
	return csv.NewWriter(held), err
}

// tooLate says which name of a response has no column.
func tooLate[V any](what string, of map[string]V, columns []string) error {
	for _, name := range slices.Sorted(maps.Keys(of)) {
		if !slices.Contains(columns, name) {
			return survey.Errorf(survey.Conflict, "", "the %s %q appeared after the export began; export again", what, name)
		}
	}
	return nil
}

func appendCells(row []string, r survey.Response) []string {
	person := survey.Person{}
	personID, invitation := "", ""
	if r.Person != nil {
		person, personID = *r.Person, r.Person.ID.String()
	}
	if r.Invitation != nil {
		invitation = r.Invitation.String()
	}
	return append(row, r.ID.String(), r.Survey.String(), r.Touchpoint, r.Metric, strconv.Itoa(r.Score), Guard(r.Comment),
		r.RespondedAt.String(), Guard(r.ExternalID), Guard(r.Locale), Guard(r.Channel), personID, Guard(person.ExternalID),
		Guard(person.Email), Guard(person.Name), joinList(r.Tags), joinList(r.RuleTags), r.Template, strconv.Itoa(r.TemplateVersion), invitation,
		strconv.FormatBool(r.Complete), r.Excluded, r.CreatedAt.String(), r.UpdatedAt.String())
}

// answerCell writes an answer so that parseAnswer reads the same.
func answerCell(v any) string {
	switch answer := v.(type) {
	case string:
		return Guard(answer)
	case []string:
		return joinList(answer)
	case int:
		return strconv.Itoa(answer)
	case bool:
		return strconv.FormatBool(answer)
	}
	return ""
}

// WriteJSONLines writes one JSON object a line, with everything that the API
// shows of a response.
func WriteJSONLines(w io.Writer) *Writer {
	buffer := bufio.NewWriter(w)
	out := json.NewEncoder(buffer)
	out.SetEscapeHTML(false)
	return &Writer{func(r survey.Response) error { return out.Encode(shown.NewResponse(r)) }, buffer.Flush}
}
