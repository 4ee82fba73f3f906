package history

import (
	"io"
	"strings"
	"time"

	"koe/survey"
)

// People reads people row by row from a CSV file with the columns external_id,
// email, name, locale, timezone, last_asked_at and attributes.NAME, in any
// order. An empty cell says nothing.
type People struct {
	table   *Table
	zone    *time.Location
	columns []column
	ignored []string
}

// ReadPeople reads the header. A last_asked_at without an offset is a time in
// zone. Invalid says that no column tells people apart, or that one is there
// twice.
func ReadPeople(r io.Reader, zone *time.Location) (*People, error) {
	table, err := NewTable(r)
	if err != nil {
		return nil, err
	}
	p := &People{table: table, zone: zone}
	known := map[string]bool{}
	for at, name := range table.Header() {
		field := name
		if !strings.HasPrefix(name, attributesField) {
			field = strings.ToLower(name)
		}
		switch {
		case !personField(field):
			p.ignored = append(p.ignored, name)
			continue
		case known[field]:
			return nil, survey.Errorf(survey.Invalid, field, "the column %q is there twice; rename one", field)
		}
		known[field] = true
		p.columns = append(p.columns, column{field, at})
	}
	if !known["external_id"] && !known["email"] {
		return nil, survey.Errorf(survey.Invalid, "external_id", "needs a column external_id or email; there are: %s", table.columns())
	}
	return p, nil
}

func personField(name string) bool {
	switch name {
	case "external_id", "email", "name", "locale", "timezone", "last_asked_at":
		return true
	}
	return len(name) > len(attributesField) && strings.HasPrefix(name, attributesField)
}

// Ignored are the columns that mean nothing to koe.
func (p *People) Ignored() []string { return p.ignored }

// Next returns the next person as the row has them, unchecked, and the line on
// which it begins. Problem is set where the row cannot be read; io.EOF comes
// after the last, and any other error ends the file.
func (p *People) Next() (person survey.Person, line int, problem *survey.Error, err error) {
	row, err := p.table.Next()
	if err != nil {
		return person, row.Line, nil, err
	}
	if row.Fault != "" {
		return person, row.Line, survey.Errorf(survey.Invalid, "", "%s", row.Fault), nil
	}
	person.Attributes = survey.Attributes{}
	for _, column := range p.columns {
		text := strings.TrimSpace(row.Cells[column.at])
		if text == "" {
			continue
		}
		switch column.field {
		case "external_id":
			person.ExternalID = text
		case "email":
			person.Email = text
		case "name":
			person.Name = text
		case "locale":
			person.Locale = text
		case "timezone":
			person.Timezone = text
		case "last_asked_at":
			at, wrong := DateFormat{}.Parse(text, p.zone)
			if wrong != nil {
				return person, row.Line, survey.Errorf(survey.Invalid, column.field, "%s", wrong), nil
			}
			person.LastAskedAt = &at
		default:
			person.Attributes[strings.TrimPrefix(column.field, attributesField)] = survey.TextValue(text)
		}
	}
	return person, row.Line, nil, nil
}
