package history

import (
	"errors"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"koe/scoring"
	"koe/survey"
)

// Reader reads answers row by row from a CSV file or from JSON lines.
type Reader struct {
	next   func() (Entry, error)
	header []string // nil for JSON lines
	number int64
}

// Next returns the next row; io.EOF after the last. Other errors are Malformed
// (see [Table]) or the underlying reader's, and end the file.
func (r *Reader) Next() (Entry, error) {
	e, err := r.next()
	if err != nil {
		return e, err
	}
	r.number++
	e.Number = r.number
	return e, nil
}

// NewReader reads entries from somewhere else than a file of koe's own form.
// Each needs an external id; next ends with io.EOF.
func NewReader(next func() (Entry, error)) *Reader { return &Reader{next: next} }

// columns reads the rows of a table.
type columns struct {
	table     *Table
	options   Options
	columns   []column
	questions map[string]survey.Question
}

// column is a field and where it stands.
type column struct {
	field string
	at    int
}

// ReadCSV reads the header of a file of answers to a template. Invalid says
// that a field is not known, that its column is not there, or that no column
// holds the score.
func ReadCSV(r io.Reader, t survey.Template, o Options) (*Reader, error) {
	table, err := NewTable(r)
	if err != nil {
		return nil, err
	}
	c := &columns{table: table, options: o, questions: map[string]survey.Question{}}
	for _, q := range t.Questions {
		c.questions[q.Key] = q
	}
	wanted := o.Columns
	if len(wanted) == 0 {
		wanted = map[string]string{"score": "score"}
		for _, name := range table.Header() {
			if ValidField(name) {
				wanted[name] = name
			}
		}
	}
	for _, field := range slices.Sorted(maps.Keys(wanted)) {
		if !ValidField(field) {
			return nil, survey.Errorf(survey.Invalid, "map", "there is no field %q; there are: %s", field, FieldNames())
		}
		at, err := table.Column(field, wanted[field])
		if err != nil {
			return nil, err
		}
		c.columns = append(c.columns, column{field, at})
	}
	if _, ok := wanted["score"]; !ok {
		return nil, survey.Errorf(survey.Invalid, "score", "needs a column, such as score=RATING; there are: %s", table.columns())
	}
	return &Reader{next: c.next, header: table.Header()}, nil
}

func (c *columns) next() (Entry, error) {
	row, err := c.table.Next()
	if err != nil {
		return Entry{Line: row.Line}, err
	}
	e := Entry{Line: row.Line, raw: row.Cells}
	if row.Fault != "" {
		e.Rejection = &Rejection{Line: row.Line, Reason: row.Fault}
		return e, nil
	}
	var p survey.Problems
	for _, column := range c.columns {
		if cell := row.Cells[column.at]; strings.TrimSpace(cell) != "" || column.field == "score" {
			c.read(&p, &e, column.field, cell)
		}
	}
	e.judge(p)
	return e, nil
}

// judge rejects a row with problems, unless it is blank.
func (e *Entry) judge(p survey.Problems) {
	var known *survey.Error
	if err := p.Err(); errors.As(err, &known) && !e.Blank {
		e.Rejection = new(Reject(e.Line, known))
	}
}

// read sets one field of an entry from a cell that is not empty.
func (c *columns) read(p *survey.Problems, e *Entry, field, cell string) {
	text := strings.TrimSpace(Unguard(cell))
	switch field {
	case "score":
		e.score(p, c.options, cell)
	case "responded_at":
		e.respondedAt(p, c.options, text)
	case "external_id":
		e.Answer.ExternalID = text
	case "comment":
		e.Answer.Comment = Unguard(cell)
	case "locale":
		e.Answer.Locale = text
	case "channel":
		e.Answer.Channel = text
	case "customer.email":
		e.Answer.Customer.Email = &text
	case "customer.external_id":
		e.Answer.Customer.ExternalID = text
	case "customer.name":
		e.Answer.Customer.Name = text
	case "tags":
		e.Answer.Tags = splitList(cell)
	case "rule_tags":
		e.Answer.RuleTags = splitList(cell)
	case "excluded_reason":
		e.Answer.Excluded = text
	default:
		c.readNamed(p, e, field, cell)
	}
}

// readNamed sets an attribute or an answer.
func (c *columns) readNamed(p *survey.Problems, e *Entry, field, cell string) {
	if name, ok := strings.CutPrefix(field, attributesField); ok {
		if e.Answer.Attributes == nil {
			e.Answer.Attributes = survey.Attributes{}
		}
		e.Answer.Attributes[name] = ParseAttribute(cell)
		return
	}
	key := strings.TrimPrefix(field, answersField)
	if e.Answer.Answers == nil {
		e.Answer.Answers = survey.Answers{}
	}
	e.Answer.Answers[key] = parseAnswer(c.questions[key], cell)
}

// parseAnswer reads an answer as its question takes it. What it cannot read it
// leaves as a text, for the template's own check to name.
func parseAnswer(q survey.Question, cell string) any {
	text := strings.TrimSpace(Unguard(cell))
	switch q.Type {
	case survey.ChoiceQuestion:
		if q.Multiple {
			return splitList(cell)
		}
	case survey.RatingQuestion:
		if n, err := scoring.ParseScore(text); err == nil {
			return n
		}
	case survey.ConsentQuestion:
		if yes, err := strconv.ParseBool(strings.ToLower(text)); err == nil {
			return yes
		}
	case survey.TextQuestion:
		return Unguard(cell)
	}
	return text
}

func (e *Entry) score(p *survey.Problems, o Options, text string) {
	score, blank, err := o.Score(text)
	if e.Blank = blank; err != nil {
		p.Add("score", "format", "%s", err)
	}
	e.Answer.Score = &score
}

func (e *Entry) respondedAt(p *survey.Problems, o Options, text string) {
	at, err := o.Dates.Parse(text, o.Zone)
	if err != nil {
		p.Add("responded_at", "format", "%q %s", short(text), err)
	}
	e.Answer.RespondedAt = &at
}
