package store

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"koe/survey"
)

// PeopleImported is what became of a list of people.
type PeopleImported struct {
	Accepted int          `json:"accepted"`
	Problems []RowProblem `json:"problems"`
}

// RowProblem says why one of a list was not taken over: its place in the list
// and the first field that is wrong. It does not repeat what was said.
type RowProblem struct {
	Row    int    `json:"row"` // from 0
	Field  string `json:"field"`
	Reason string `json:"reason"`
}

// peopleBatch is how many people are written in one transaction: few, so that
// answers never wait long.
const peopleBatch = 500

// ImportPeople takes over what is known of people elsewhere, in several
// transactions; a list that was cut short can be sent again. Who is there
// already learns what is new: what a row does not say stays as it was, and of
// two LastAskedAt the later counts. UpdatedAt, where it is set, is when a row was
// so: what is more recent here stays. One that is wrong spoils no other.
func (s *Store) ImportPeople(ctx context.Context, by Caller, people []survey.Person) (PeopleImported, error) {
	var out PeopleImported
	for from := 0; from == 0 || from < len(people); from += peopleBatch {
		to := min(from+peopleBatch, len(people))
		step := by
		if to < len(people) {
			step.Once = nil // the last one remembers the request
		}
		var done PeopleImported
		if err := s.write(ctx, step, func(q *session) error {
			done = PeopleImported{out.Accepted, slices.Clone(out.Problems)}
			for _, i := range q.inPersonOrder(people, from, to) {
				err := q.importPerson(people[i])
				var known *survey.Error
				switch {
				case err == nil:
					done.Accepted++
				case errors.As(err, &known) && len(known.Fields) > 0:
					done.Problems = append(done.Problems, RowProblem{i, known.Fields[0].Field, known.Fields[0].Message})
				default:
					return err
				}
			}
			var err error
			q.resource, err = asJSON(done)
			return err
		}); err != nil {
			return out, err
		}
		out = done
	}
	return out, nil
}

// RepeatPeople is what a remembered request imported.
func (s *Store) RepeatPeople(resource string) (PeopleImported, error) {
	var out PeopleImported
	return out, fromJSON(resource, &out)
}

// inPersonOrder are the rows from a place up to another, as they came, or on
// PostgreSQL in the order in which people are locked everywhere.
func (q *session) inPersonOrder(people []survey.Person, from, to int) []int {
	order := make([]int, 0, to-from)
	for i := from; i < to; i++ {
		order = append(order, i)
	}
	if q.postgres {
		slices.SortStableFunc(order, func(a, b int) int {
			return cmp.Or(strings.Compare(people[a].ExternalID, people[b].ExternalID), strings.Compare(people[a].Email, people[b].Email))
		})
	}
	return order
}

func (q *session) importPerson(given survey.Person) error {
	var p survey.Problems
	given.Clean(&p, q.now)
	if p.Err() == nil && given.ExternalID == "" && given.Email == "" {
		p.Add("external_id", "required", "needs an external_id or an email")
	}
	if err := p.Err(); err != nil {
		return err
	}
	c := survey.Customer{ExternalID: given.ExternalID, Name: given.Name, Locale: given.Locale, Timezone: given.Timezone}
	if given.Email != "" {
		c.Email = &given.Email
	}
	asOf, touched := q.now, ", updated_at = ?"
	if given.UpdatedAt != 0 {
		asOf, touched = min(q.now, given.UpdatedAt), ""
	}
	person, _, err := q.personOrNew(c, given.Attributes, asOf, given.LastAskedAt)
	if err != nil || given.LastAskedAt == nil || person.LastAskedAt != nil && *person.LastAskedAt >= *given.LastAskedAt {
		return err
	}
	args := []any{*given.LastAskedAt, q.now, q.by.Workspace, person.ID}
	if touched == "" {
		args = slices.Delete(args, 1, 2)
	}
	return q.must(`UPDATE people SET last_asked_at = ?`+touched+` WHERE workspace_id = ? AND id = ?`, args...)
}
