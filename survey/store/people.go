package store

import (
	"maps"

	"koe/survey"
)

type personRow struct {
	WorkspaceID int64
	ID          id
	ExternalID  *string
	Email       *string
	Name        string
	Locale      string
	Timezone    string
	Attributes  string
	LastAskedAt *int64
	CreatedAt   int64
	UpdatedAt   int64 // of when the rest is: before CreatedAt where an old answer was the first to name them
}

const personColumns = `id, external_id, email, name, locale, timezone, attributes, last_asked_at, created_at, updated_at`

// scan returns the fields in the order of personColumns.
func (r *personRow) scan() []any {
	return []any{&r.ID, &r.ExternalID, &r.Email, &r.Name, &r.Locale, &r.Timezone,
		&r.Attributes, &r.LastAskedAt, &r.CreatedAt, &r.UpdatedAt}
}

func (r personRow) person() (survey.Person, error) {
	p := survey.Person{ID: survey.ID(r.ID), Name: r.Name, Locale: r.Locale, Timezone: r.Timezone,
		LastAskedAt: (*survey.Instant)(r.LastAskedAt),
		CreatedAt:   survey.Instant(r.CreatedAt), UpdatedAt: survey.Instant(max(r.CreatedAt, r.UpdatedAt))}
	if r.ExternalID != nil {
		p.ExternalID = *r.ExternalID
	}
	if r.Email != nil {
		p.Email = *r.Email
	}
	return p, fromJSON(r.Attributes, &p.Attributes)
}

// person finds the person that a customer names, or makes one, and brings it
// up to date: with everything that was so asOf, at most now, or, where more
// recent things are known, with what is missing. It is locked until the transaction ends, so that two surveys
// cannot both decide that they are the first to ask.
//
// A person is the external id, else the address. A known external id with a
// new address updates it; the first external id seen with the address of
// somebody known by address alone adopts that person.
func (q *session) person(c survey.Customer, attributes survey.Attributes, asOf survey.Instant) (survey.Person, error) {
	person, _, err := q.personOrNew(c, attributes, asOf, nil)
	return person, err
}

// personOrNew is person, and says whether it made one; one that it makes was
// last asked by another tool then.
func (q *session) personOrNew(c survey.Customer, attributes survey.Attributes, asOf survey.Instant, last *survey.Instant) (survey.Person, bool, error) {
	if q.mostKnown { // one statement instead of two
		row, found, err := q.findPerson(c.ExternalID, c.Address())
		if err != nil {
			return survey.Person{}, false, err
		}
		if found {
			person, err := q.updatePerson(row, c, attributes, asOf)
			return person, false, err
		}
	}
	made, fresh, err := q.insertPerson(c, attributes, asOf, last) // most are new: one statement instead of two
	if err != nil || fresh {
		return made, fresh, err
	}
	row, found, err := q.findPerson(c.ExternalID, c.Address())
	if err == nil && !found {
		err = errTwin
	}
	if err != nil {
		return survey.Person{}, false, err
	}
	person, err := q.updatePerson(row, c, attributes, asOf)
	return person, false, err
}

func (q *session) findPerson(externalID, address string) (row personRow, found bool, err error) {
	query := `SELECT ` + personColumns + ` FROM people WHERE workspace_id = ? AND `
	byAddressAlone := query + `email = ? AND external_id IS NULL`
	switch {
	case externalID != "" && !q.postgres && address != "": // both at once; the first row counts
		found, err = q.row(query+`external_id = ? UNION ALL `+byAddressAlone,
			[]any{q.by.Workspace, externalID, q.by.Workspace, address}, row.scan()...)
		return row, found, err
	case externalID != "":
		found, err = q.row(query+`external_id = ?`+q.forUpdate(), []any{q.by.Workspace, externalID}, row.scan()...)
		if found || err != nil || address == "" {
			return row, found, err
		}
		found, err = q.row(byAddressAlone+q.forUpdate(), []any{q.by.Workspace, address}, row.scan()...)
		return row, found, err
	}
	found, err = q.row(`SELECT `+personColumns+` FROM people`+q.indexedBy("people_email")+` WHERE workspace_id = ? AND email = ?
		ORDER BY external_id IS NOT NULL, id LIMIT 1`+q.forUpdate(), []any{q.by.Workspace, address}, row.scan()...)
	return row, found, err
}

// insertPerson makes a person; false where findPerson would find one.
func (q *session) insertPerson(c survey.Customer, attributes survey.Attributes, asOf survey.Instant, last *survey.Instant) (survey.Person, bool, error) {
	p := survey.Person{ID: newID(), ExternalID: c.ExternalID, Email: c.Address(), Name: c.Name, Locale: c.Locale,
		Timezone: c.Timezone, Attributes: attributes, LastAskedAt: last, CreatedAt: q.now, UpdatedAt: q.now}
	text, err := asJSON(attributes)
	if err != nil {
		return p, false, err
	}
	fresh, err := q.inserted(q.insertUnlessKnown(c.ExternalID != ""), q.by.Workspace, p.ID, orNull(p.ExternalID),
		orNull(p.Email), p.Name, p.Locale, p.Timezone, text, last, p.CreatedAt, asOf, q.by.Workspace, orNull(p.Email))
	return p, fresh, err
}

// insertUnlessKnown is the statement that makes a person unless findPerson
// would find one: somebody known by the same address alone, or, for a customer
// who is named by the address alone, anybody who has it.
func (q *session) insertUnlessKnown(byExternalID bool) string {
	switch {
	case byExternalID && q.postgres:
		return insertPeople + postgresPerson + unlessAddressAlone
	case byExternalID:
		return insertPeople + sqlitePerson + unlessAddressAlone
	case q.postgres:
		return insertPeople + postgresPerson + unlessAddress
	}
	return insertPeople + sqlitePerson + unlessAddress
}

const (
	insertPeople = `INSERT INTO people (workspace_id, ` + personColumns + `) `
	sqlitePerson = `SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?`
	// what SELECT gives has no type that PostgreSQL could guess
	postgresPerson = `SELECT CAST(? AS bigint), CAST(? AS uuid), CAST(? AS text), CAST(? AS text),
		CAST(? AS text), CAST(? AS text), CAST(? AS text), CAST(? AS text), CAST(? AS bigint), CAST(? AS bigint), CAST(? AS bigint)`
	unlessKnown        = ` WHERE NOT EXISTS (SELECT 1 FROM people WHERE workspace_id = ? AND email = ?`
	unlessAddress      = unlessKnown + `)`
	unlessAddressAlone = unlessKnown + ` AND external_id IS NULL)`
)

// updatePerson takes over what is newer, and what is missing; a row that knows
// it all already is not written.
func (q *session) updatePerson(row personRow, c survey.Customer, attributes survey.Attributes, asOf survey.Instant) (survey.Person, error) {
	person, err := row.person()
	if err != nil {
		return person, err
	}
	newer := int64(asOf) >= row.UpdatedAt
	changed := false
	take := func(field *string, given string) {
		if given != "" && given != *field && (newer || *field == "") {
			*field, changed = given, true
		}
	}
	take(&person.ExternalID, c.ExternalID)
	take(&person.Email, c.Address())
	take(&person.Name, c.Name)
	take(&person.Locale, c.Locale)
	take(&person.Timezone, c.Timezone)
	if len(attributes) > 0 {
		known := person.Attributes.Over(attributes)
		if newer {
			known = attributes.Over(person.Attributes)
		}
		if !maps.Equal(known, person.Attributes) {
			person.Attributes, changed = known, true
		}
	}
	if !changed {
		return person, nil
	}
	text, err := asJSON(person.Attributes)
	if err != nil {
		return person, err
	}
	person.UpdatedAt = max(person.UpdatedAt, asOf)
	err = q.must(`UPDATE people SET external_id = ?, email = ?, name = ?, locale = ?, timezone = ?,
		attributes = ?, updated_at = ? WHERE workspace_id = ? AND id = ?`,
		orNull(person.ExternalID), orNull(person.Email), person.Name, person.Locale, person.Timezone,
		text, max(row.UpdatedAt, int64(asOf)), q.by.Workspace, person.ID)
	return person, err
}

// peopleByID loads people for a list; the map misses those who were erased.
func (q *session) peopleByID(ids []survey.ID) (map[survey.ID]*survey.Person, error) {
	people := make(map[survey.ID]*survey.Person, len(ids))
	if len(ids) == 0 {
		return people, nil
	}
	var rows []personRow
	if err := q.list(&rows, `SELECT `+personColumns+` FROM people WHERE workspace_id = ? AND id IN ?`,
		q.by.Workspace, q.idList(ids)); err != nil {
		return nil, err
	}
	for _, row := range rows {
		p, err := row.person()
		if err != nil {
			return nil, err
		}
		people[p.ID] = &p
	}
	return people, nil
}

func (q *session) idList(ids []survey.ID) []any {
	list := make([]any, len(ids))
	for i, one := range ids {
		list[i] = q.idValue(one)
	}
	return list
}
