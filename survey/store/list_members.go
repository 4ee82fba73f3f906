package store

import (
	"context"

	"koe/survey"
)

// ListMember is a person on the list of a survey whose schedule goes by one (see
// survey.Trigger.Members).
type ListMember struct {
	Person     survey.Person
	Attributes survey.Attributes // what each asking tells of them
	CreatedAt  survey.Instant
	UpdatedAt  survey.Instant
	Next       *survey.Invitation // nil where no mail is planned yet
}

type listMemberRow struct {
	PersonID   id
	Attributes string
	CreatedAt  int64
	UpdatedAt  int64
}

const listMemberColumns = `person_id, attributes, created_at, updated_at`

// over are the member's attributes, and what is missing in them.
func (r listMemberRow) over(known survey.Attributes) (survey.Attributes, error) {
	var own survey.Attributes
	err := fromJSON(r.Attributes, &own)
	return own.Over(known), err
}

func (q *session) listMemberRow(of, person survey.ID) (row listMemberRow, found bool, err error) {
	found, err = q.find(&row, `SELECT `+listMemberColumns+` FROM members WHERE workspace_id = ? AND survey_id = ? AND person_id = ?`,
		q.by.Workspace, of, person)
	return row, found, err
}

// PutListMember puts a person on a survey's list, or changes what is told of them:
// the attributes replace those of before. The person is one that koe knows by
// id, or else is found or made by the customer's address; what the customer says
// is taken over. Errors:
// Invalid with the fields, also where the survey goes by no list; NotFound for
// an id that is nobody's.
func (s *Store) PutListMember(ctx context.Context, by Caller, of survey.ID, person *survey.ID, c survey.Customer, attributes survey.Attributes) (out ListMember, fresh bool, err error) {
	var p survey.Problems
	attributes = attributes.Clean(&p, "attributes")
	c.Clean(&p, "customer")
	if err := p.Err(); err != nil {
		return out, false, err
	}
	err = s.write(ctx, by, func(q *session) error {
		out, fresh = ListMember{Attributes: attributes, CreatedAt: q.now, UpdatedAt: q.now}, false
		place, err := s.surveyPlace(q, of)
		if err != nil {
			return err
		}
		if !place.Survey.Trigger.Members {
			return survey.Errorf(survey.Invalid, "trigger", "the survey %q goes by no list; give it the trigger {\"type\":\"schedule\",\"members\":true}", place.Survey.Name)
		}
		if person != nil {
			row, found, err := q.personNamed(person.String(), q.forUpdate())
			if err == nil && !found {
				err = errNoPerson
			}
			if err != nil {
				return err
			}
			if out.Person, err = q.updatePerson(row, c, nil, q.now); err != nil {
				return err
			}
		} else if out.Person, err = q.person(c, survey.Attributes{}, q.now); err != nil {
			return err
		}
		text, err := asJSON(attributes)
		if err != nil {
			return err
		}
		if fresh, err = q.inserted(`INSERT INTO members (workspace_id, survey_id, `+listMemberColumns+`) VALUES (?, ?, ?, ?, ?, ?)`,
			by.Workspace, of, out.Person.ID, text, q.now, q.now); err != nil || fresh {
			return err
		}
		_, err = q.row(`UPDATE members SET attributes = ?, updated_at = ? WHERE workspace_id = ? AND survey_id = ? AND person_id = ? RETURNING created_at`,
			[]any{text, q.now, by.Workspace, of, out.Person.ID}, &out.CreatedAt)
		return err
	})
	return out, fresh, err
}

// RemoveListMember takes people off a survey's list, and calls off what its schedule
// has planned for them. NotFound where none of them is on it.
func (s *Store) RemoveListMember(ctx context.Context, by Caller, of survey.ID, people []survey.ID) (out survey.Person, err error) {
	err = s.write(ctx, by, func(q *session) error {
		out = survey.Person{}
		if _, err := q.counting(); err != nil { // before invitations are locked, as everywhere
			return err
		}
		for _, person := range people {
			n, err := q.exec(`DELETE FROM members WHERE workspace_id = ? AND survey_id = ? AND person_id = ?`, by.Workspace, of, person)
			if err != nil {
				return err
			}
			if n == 0 {
				continue
			}
			if _, err := q.callOff(`survey_id = ? AND person_id = ? AND interaction_id IS NULL`, of, person); err != nil {
				return err
			}
			known, err := q.peopleByID([]survey.ID{person})
			if err != nil || known[person] == nil {
				return err
			}
			out = *known[person]
		}
		if out.ID.IsZero() {
			return survey.Errorf(survey.NotFound, "", "there is no such person on the survey's list")
		}
		return nil
	})
	return out, err
}

// ListMemberFilter narrows a list of members; nil does not.
type ListMemberFilter struct {
	People                 []survey.ID
	UpdatedFrom, UpdatedTo *survey.Instant // To exclusive
}

// ListMembers lists a survey's, in the order in which koe heard of the people.
func (s *Store) ListMembers(ctx context.Context, by Caller, of survey.ID, f ListMemberFilter, page Page) ([]ListMember, string, error) {
	q := s.reading(ctx, by)
	where, args := []string{"workspace_id = ?", "survey_id = ?"}, []any{by.Workspace, of}
	if f.People != nil {
		if len(f.People) == 0 {
			return []ListMember{}, "", nil
		}
		where, args = append(where, "person_id IN ?"), append(args, q.idList(f.People))
	}
	if f.UpdatedFrom != nil {
		where, args = append(where, "updated_at >= ?"), append(args, *f.UpdatedFrom)
	}
	if f.UpdatedTo != nil {
		where, args = append(where, "updated_at < ?"), append(args, *f.UpdatedTo)
	}
	var rows []listMemberRow
	byPerson := order{"workspace_id, survey_id, person_id", false, func(c cursor) []any { return []any{by.Workspace, of, c.ID} }} // as the key
	next, err := s.page(q, "members of "+of.String(), f, page, byPerson, where, args,
		func(tail string, args []any) (int, error) {
			err := q.list(&rows, `SELECT `+listMemberColumns+` FROM members`+tail, args...)
			return len(rows), err
		}, func(i int) cursor { return cursor{ID: survey.ID(rows[i].PersonID)} })
	if err != nil {
		return nil, "", away(err)
	}
	list, err := s.listMembersOf(q, of, rows[:min(len(rows), page.Limit)])
	return list, next, away(err)
}

// listMembersOf adds to rows what other tables know.
func (s *Store) listMembersOf(q *session, of survey.ID, rows []listMemberRow) ([]ListMember, error) {
	ids := make([]survey.ID, len(rows))
	for i, row := range rows {
		ids[i] = survey.ID(row.PersonID)
	}
	people, err := q.peopleByID(ids)
	if err != nil || len(rows) == 0 {
		return []ListMember{}, err
	}
	var planned []invitationRow
	if err := q.list(&planned, `SELECT `+invitationColumns+` FROM invitations WHERE workspace_id = ? AND person_id IN ? AND survey_id = ?
		AND state = 'scheduled' ORDER BY planned_at DESC`, q.by.Workspace, q.idList(ids), of); err != nil {
		return nil, err
	}
	next := make(map[id]*survey.Invitation, len(planned)) // the first counts
	for _, row := range planned {
		v, err := row.invitation(q.now)
		if err != nil {
			return nil, err
		}
		next[row.PersonID] = &v
	}
	list := make([]ListMember, 0, len(rows))
	for _, row := range rows {
		person := people[survey.ID(row.PersonID)]
		if person == nil { // erased a moment ago
			continue
		}
		m := ListMember{Person: *person, CreatedAt: survey.Instant(row.CreatedAt), UpdatedAt: survey.Instant(row.UpdatedAt), Next: next[row.PersonID]}
		if err := fromJSON(row.Attributes, &m.Attributes); err != nil {
			return nil, err
		}
		list = append(list, m)
	}
	return list, nil
}
