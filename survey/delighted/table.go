package delighted

import (
	"encoding/json"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"koe/survey"
	"koe/survey/history"
)

// table reads the records of a CSV file.
type table struct {
	rows    *history.Table
	kind    Kind
	zone    *time.Location
	columns []column
}

// column is a field, or a property by its own name, and where it stands.
type column struct {
	field    string // "" for a property
	property string
	at       int
}

// aliases are other names of fields, as exports and lists have them.
var aliases = map[string]string{"person_id": "person", "person.id": "person", "person_email": "email", "person.email": "email",
	"person_name": "name", "person.name": "name", "properties": "person_properties"}

// fieldOf is the field that a header names, in any case, with blanks for _; for
// a property its name is returned instead.
func fieldOf(header string) (field, property string) {
	name := strings.ReplaceAll(strings.ToLower(header), " ", "_")
	if other, is := aliases[name]; is {
		name = other
	}
	if slices.Contains(fields, name) || slices.Contains(passedOver, name) {
		return name, ""
	}
	for _, prefix := range []string{propertyField, "properties."} {
		if strings.HasPrefix(name, prefix) && len(header) > len(prefix) {
			return "", header[len(prefix):]
		}
	}
	for _, prefix := range []string{"person_properties[", "properties["} {
		if strings.HasPrefix(name, prefix) && strings.HasSuffix(header, "]") {
			return "", header[len(prefix) : len(header)-1]
		}
	}
	return "", header
}

// readTable reads the header. Columns name those of fields that the header does
// not name by itself; those that this file does not have are left to others.
func readTable(r io.Reader, columns map[string]string, zone *time.Location) (*table, error) {
	rows, err := history.NewTable(r)
	if err != nil {
		return nil, err
	}
	t := &table{rows: rows, zone: zone}
	header := rows.Header()
	mapped := map[int]bool{}
	has, hint := map[string]bool{}, ""
	for _, field := range slices.Sorted(maps.Keys(columns)) {
		if !slices.ContainsFunc(header, func(name string) bool { return strings.EqualFold(name, strings.TrimSpace(columns[field])) }) {
			continue
		}
		at, err := rows.Column(field, columns[field])
		if err != nil {
			return nil, err
		}
		mapped[at] = true
		t.add(field, at, has)
	}
	for at, name := range header {
		field, property := fieldOf(name)
		switch {
		case mapped[at], name == "", slices.Contains(passedOver, field):
			has[field] = true
		case field == "":
			if property == name && hintsAtOptOut(name) {
				hint = name
			}
			t.columns = append(t.columns, column{property: property, at: at})
		case columns[field] != "" && has[field]: // another column was chosen for it
		case has[field]:
			return nil, survey.Errorf(survey.Invalid, field, "the column %q is there twice; rename one, or choose with --map %s=COLUMN", name, field)
		default:
			t.add(field, at, has)
		}
	}
	if t.kind = kindOf(func(field string) bool { return has[field] }); t.kind == "" {
		return nil, unknownKind(header)
	}
	if saysOfEach(columns, header, t.kind) && has["id"] && has["email"] {
		t.kind = People
	}
	if hint != "" && (t.kind == People || t.kind == Responses) {
		return nil, survey.Errorf(survey.Invalid, "unsubscribed_at", "the column %q may say who opted out; say so with --map unsubscribed_at=%q "+
			"or --map bounced_at=%q, or that it is a property with --map %s%s=%q", hint, hint, hint, propertyField, strings.ReplaceAll(hint, " ", "_"), hint)
	}
	return t, nil
}

// saysOfEach is true for a table that looks like a list of opt-outs only because
// one of its columns was said to tell who opted out. With the people's ids it is
// a list of people, and asks in each row: all of them would be taken for
// opt-outs else. Nobody who opted out is lost: their rows say so, whatever they
// say but no.
func saysOfEach(columns map[string]string, header []string, kind Kind) bool {
	field := map[Kind]string{Unsubscribes: "unsubscribed_at", Bounces: "bounced_at"}[kind]
	return columns[field] != "" && !slices.ContainsFunc(header, func(name string) bool {
		own, _ := fieldOf(name)
		return own == field
	})
}

// hintsAtOptOut is true for the name of a column that is no field, and still may
// say who must not be mailed.
func hintsAtOptOut(name string) bool {
	name = strings.NewReplacer(" ", "", "_", "", "-", "").Replace(strings.ToLower(name))
	return slices.ContainsFunc([]string{"unsubscribe", "bounced", "optout", "optedout"}, func(word string) bool { return strings.Contains(name, word) })
}

func (t *table) add(field string, at int, has map[string]bool) {
	has[field] = true
	name, property := fieldOf(field)
	t.columns = append(t.columns, column{name, property, at})
}

// kindOf tells what a record is by the fields that it has.
func kindOf(has func(field string) bool) Kind {
	dated := has("created_at") || has("last_sent_at") || has("last_responded_at")
	switch {
	case has("score"):
		return Responses
	case has("unsubscribed_at") && !has("bounced_at") && !dated:
		return Unsubscribes
	case has("bounced_at") && !has("unsubscribed_at") && !dated:
		return Bounces
	case has("email") && (dated || has("id") || has("unsubscribed_at")):
		return People
	}
	return ""
}

func unknownKind(names []string) error {
	list := strings.Join(names, ", ")
	if len(list) > 500 {
		list = list[:strings.LastIndexByte(list[:500], ',')+1] + " …"
	}
	return survey.Errorf(survey.Invalid, "", "is none of Delighted's lists that koe knows (people, unsubscribes, bounces, survey responses, metrics); "+
		"it has: %s. Say which column is what with --map, such as --map unsubscribed_at=COLUMN, or leave the file out", list)
}

// next returns the next record. A row that the file's end cuts off ends it.
func (t *table) next() (Record, error) {
	row, err := t.rows.Next()
	if err != nil {
		return Record{}, err
	}
	r := Record{Kind: t.kind, Line: row.Line}
	if row.Fault != "" {
		if row.Open {
			return r, survey.Errorf(survey.Malformed, "", "line %d: the file ends inside of this row; is it cut off? Export it again", row.Line)
		}
		r.Fault = &history.Rejection{Line: row.Line, Reason: row.Fault}
		t.salvage(&r, row.Cells)
		return r, nil
	}
	var p survey.Problems
	for _, c := range t.columns {
		cell := row.Cells[c.at]
		if strings.TrimSpace(cell) == "" {
			continue
		}
		switch c.field {
		case "":
			if t.kind == People || t.kind == Responses {
				r.Properties = append(r.Properties, Property{c.property, history.ParseAttribute(cell)})
			}
		case "tags":
			r.Tags = tagsOf(history.Unguard(cell))
		case "notes", "additional_answers", "person_properties":
			r.setJSON(&p, c.field, history.Unguard(cell))
		default:
			r.set(&p, c.field, history.Unguard(cell), t.zone)
		}
	}
	r.clocks(&p, t.zone)
	r.judge(&p)
	return r, nil
}

// salvage reads out of a row that does not fit the header whom it is about and
// whether they opted out, from where that should stand; in a list of opt-outs
// from wherever an address stands.
func (t *table) salvage(r *Record, cells []string) {
	if t.kind == Responses {
		return
	}
	var p survey.Problems // the row is refused as it is
	for _, c := range t.columns {
		if c.at < len(cells) && slices.Contains([]string{"id", "person", "email", "unsubscribed_at", "bounced_at"}, c.field) {
			r.set(&p, c.field, history.Unguard(cells[c.at]), t.zone)
		}
	}
	if t.kind != People && len(addressesIn(r.Email)) == 0 {
		r.Email = strings.TrimSpace(strings.Join(cells, " "))
	}
}

// setJSON reads a cell that holds what the API nests; other words are a note, or
// are refused.
func (r *Record) setJSON(p *survey.Problems, field, cell string) {
	var err error
	switch cell = strings.TrimSpace(cell); field {
	case "notes":
		if json.Unmarshal([]byte(cell), &r.Notes) != nil {
			r.Notes = []Note{{Text: cell}}
		}
	case "additional_answers":
		err = json.Unmarshal([]byte(cell), &r.Additional)
	case "person_properties":
		var all map[string]survey.Value
		err = json.Unmarshal([]byte(cell), &all)
		r.addProperties(all)
	}
	if err != nil {
		p.Add(field, "format", "must be JSON as the API writes it")
	}
}

// tagsOf splits a cell: a list in JSON, or words with | or else commas between
// them.
func tagsOf(cell string) []string {
	var list []string
	if json.Unmarshal([]byte(cell), &list) == nil {
		return list
	}
	between := ","
	if strings.Contains(cell, "|") {
		between = "|"
	}
	return strings.Split(cell, between)
}
