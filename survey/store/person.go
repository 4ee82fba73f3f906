package store

import (
	"context"
	"maps"
	"slices"

	"koe/survey"
)

// A person is named by koe's id or by the sender's external id. An id of koe's
// is a UUID that koe made; where an external id looks like one too, koe's own
// comes first.

var errNoPerson = survey.Errorf(survey.NotFound, "", "there is no such person")

// personNamed finds a person by id or external id.
func (q *session) personNamed(name, lock string) (row personRow, found bool, err error) {
	const query = `SELECT ` + personColumns + ` FROM people WHERE workspace_id = ? AND `
	if known, bad := survey.ParseID(name); bad == nil {
		found, err = q.row(query+`id = ?`+lock, []any{q.by.Workspace, known}, row.scan()...)
	}
	if err == nil && !found {
		row = personRow{}
		found, err = q.row(query+`external_id = ?`+lock, []any{q.by.Workspace, name}, row.scan()...)
	}
	return row, found, err
}

// PersonFilter narrows a list of people; empty fields do not.
type PersonFilter struct {
	Email       string
	ExternalID  string
	Attributes  map[string]string
	From, To    *survey.Instant // when koe first heard of them; To exclusive
	Reachable   bool            // only those whose address is not suppressed; a page may have fewer entries than its limit
	OldestFirst bool
}

// People lists those who came last first, unless told otherwise. An address
// that is none is Invalid.
func (s *Store) People(ctx context.Context, by Caller, f PersonFilter, page Page) ([]survey.Person, string, error) {
	q := s.reading(ctx, by)
	where, args := []string{"workspace_id = ?"}, []any{by.Workspace}
	if f.Email != "" {
		address, err := survey.NormalizeAddress(f.Email)
		if err != nil {
			return nil, "", survey.Errorf(survey.Invalid, "email", "%s", err)
		}
		f.Email = address
		where, args = append(where, "email = ?"), append(args, address)
	}
	if f.ExternalID != "" {
		where, args = append(where, "external_id = ?"), append(args, f.ExternalID)
	}
	where, args = q.narrowPeople(f, where, args)
	var rows []personRow
	byID := order{"workspace_id, id", !f.OldestFirst, func(c cursor) []any { return []any{by.Workspace, c.ID} }} // as the key
	next, err := s.page(q, "people", f, page, byID, where, args,
		func(tail string, args []any) (int, error) {
			err := q.list(&rows, `SELECT `+personColumns+` FROM people`+tail, args...)
			return len(rows), err
		}, func(i int) cursor { return cursor{ID: survey.ID(rows[i].ID)} })
	if err != nil {
		return nil, "", away(err)
	}
	list := make([]survey.Person, min(len(rows), page.Limit))
	for i := range list {
		if list[i], err = rows[i].person(); err != nil {
			return nil, "", err
		}
	}
	if f.Reachable {
		list, err = s.reachable(ctx, by, list)
	}
	return list, next, err
}

// reachable leaves out those whose address is suppressed, by the hash: whoever
// was erased and is told of again has an address that no suppression spells out.
func (s *Store) reachable(ctx context.Context, by Caller, people []survey.Person) ([]survey.Person, error) {
	addresses := make([]string, 0, len(people))
	for _, p := range people {
		if p.Email != "" {
			addresses = append(addresses, p.Email)
		}
	}
	suppressed, err := s.SuppressionsOf(ctx, by, addresses)
	return slices.DeleteFunc(people, func(p survey.Person) bool {
		_, is := suppressed[p.Email]
		return is
	}), err
}

func (q *session) narrowPeople(f PersonFilter, where []string, args []any) ([]string, []any) {
	for _, name := range slices.Sorted(maps.Keys(f.Attributes)) {
		text, more := q.attributeText(name)
		where, args = append(where, text+" = ?"), append(append(args, more...), f.Attributes[name])
	}
	if f.From != nil {
		where, args = append(where, "created_at >= ?"), append(args, *f.From)
	}
	if f.To != nil {
		where, args = append(where, "created_at < ?"), append(args, *f.To)
	}
	if f.Reachable { // most of them: see reachable
		where = append(where, `NOT EXISTS (SELECT 1 FROM suppressions s WHERE s.workspace_id = people.workspace_id AND s.email = people.email)`)
	}
	return where, args
}

// Person shows a person by id or external id, and the suppression of their
// address; nil where there is none.
func (s *Store) Person(ctx context.Context, by Caller, name string) (survey.Person, *survey.Suppression, error) {
	q := s.reading(ctx, by)
	row, found, err := q.personNamed(name, "")
	if err == nil && !found {
		err = errNoPerson
	}
	if err != nil {
		return survey.Person{}, nil, away(err)
	}
	person, err := row.person()
	if err != nil {
		return person, nil, err
	}
	suppression, err := s.suppressionOf(q, person.Email)
	return person, suppression, away(err)
}

func (s *Store) suppressionOf(q *session, address string) (*survey.Suppression, error) {
	if address == "" {
		return nil, nil
	}
	var row suppressionRow
	found, err := q.find(&row, `SELECT `+suppressionColumns+` FROM suppressions WHERE workspace_id = ? AND address_hash = ?`,
		q.by.Workspace, s.addressHash(q.by.Workspace, address))
	if err != nil || !found {
		return nil, err
	}
	v := row.suppression()
	return &v, nil
}

// PutPerson makes the person whom an external id names, or replaces all that
// koe knows of them; created is true where it made one. koe's own id will do
// for somebody who is there. Somebody who was known by the same address alone
// is taken for this person. When another tool asked last stays where it is not
// said. Invitations keep the address that they were made for. Errors: Invalid with the fields, Conflict where the external id, or an
// address that stands alone, is another person's.
func (s *Store) PutPerson(ctx context.Context, by Caller, name string, in survey.Person) (out survey.Person, created bool, err error) {
	err = s.write(ctx, by, func(q *session) error {
		out, created = in, false
		row, found, err := q.personNamed(name, q.forUpdate())
		if err != nil {
			return err
		}
		if err := q.nameOf(&out, name, row, found); err != nil {
			return err
		}
		if !found {
			if row, found, err = q.findPerson(out.ExternalID, out.Email); err != nil {
				return err
			}
		}
		if !found {
			created = true
			return q.insertWhole(&out)
		}
		out.ID, out.CreatedAt = survey.ID(row.ID), survey.Instant(row.CreatedAt)
		if out.LastAskedAt == nil { // who was asked lately is not asked again because a list leaves it out
			out.LastAskedAt = (*survey.Instant)(row.LastAskedAt)
		}
		return q.replacePerson(&out)
	})
	return out, created, err
}

// nameOf checks a person that is put under a name, and settles the external id.
func (q *session) nameOf(person *survey.Person, name string, row personRow, found bool) error {
	var p survey.Problems
	byID := found && survey.ID(row.ID).String() == name
	switch given := person.ExternalID; {
	case byID && given == "" && row.ExternalID != nil:
		person.ExternalID = *row.ExternalID
	case byID:
	case given != "" && given != name:
		p.Add("external_id", "conflict", "must be the one in the path, or be left out")
	default:
		person.ExternalID = name
	}
	person.Clean(&p, q.now)
	if p.Err() == nil && person.ExternalID == "" && person.Email == "" {
		p.Add("email", "required", "is required for somebody who has no external_id")
	}
	return p.Err()
}

func (q *session) insertWhole(person *survey.Person) error {
	text, err := asJSON(person.Attributes)
	if err != nil {
		return err
	}
	person.ID, person.CreatedAt, person.UpdatedAt = newID(), q.now, q.now
	fresh, err := q.inserted(`INSERT INTO people (workspace_id, `+personColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		q.by.Workspace, person.ID, orNull(person.ExternalID), orNull(person.Email), person.Name, person.Locale,
		person.Timezone, text, person.LastAskedAt, q.now, q.now)
	if err == nil && !fresh {
		err = errTwin
	}
	return err
}

func (q *session) replacePerson(person *survey.Person) error {
	field, condition, value := "external_id", `external_id = ?`, any(person.ExternalID)
	if person.ExternalID == "" {
		field, condition, value = "email", `external_id IS NULL AND email = ?`, person.Email
	}
	var one int
	taken, err := q.row(`SELECT 1 FROM people WHERE workspace_id = ? AND id <> ? AND `+condition,
		[]any{q.by.Workspace, person.ID, value}, &one)
	if err != nil {
		return err
	}
	if taken {
		return survey.Errorf(survey.Conflict, field, "%s is another person's; erase or change that one first", field)
	}
	text, err := asJSON(person.Attributes)
	if err != nil {
		return err
	}
	person.UpdatedAt = q.now
	return q.must(`UPDATE people SET external_id = ?, email = ?, name = ?, locale = ?, timezone = ?,
		attributes = ?, last_asked_at = ?, updated_at = ? WHERE workspace_id = ? AND id = ?`,
		orNull(person.ExternalID), orNull(person.Email), person.Name, person.Locale, person.Timezone,
		text, person.LastAskedAt, q.now, q.by.Workspace, person.ID)
}
