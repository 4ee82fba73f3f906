package store

import (
	"context"

	"koe/survey"
)

// Standing is where a person stands: when they were last asked, by koe or by
// another tool before, when they last answered, and when they will be asked.
type Standing struct {
	LastAskedAt, LastRespondedAt, NextAt *survey.Instant
}

// Standings are those of some people; the map misses who was never asked and
// never answered.
func (s *Store) Standings(ctx context.Context, by Caller, people []survey.Person) (map[survey.ID]Standing, error) {
	out := make(map[survey.ID]Standing, len(people))
	ids := make([]survey.ID, len(people))
	for i, p := range people {
		ids[i] = p.ID
		if p.LastAskedAt != nil {
			out[p.ID] = Standing{LastAskedAt: p.LastAskedAt}
		}
	}
	if len(ids) == 0 {
		return out, nil
	}
	q := s.reading(ctx, by)
	var rows []struct {
		PersonID id
		SentAt   *int64
		NextAt   *int64
	}
	if err := q.list(&rows, `SELECT person_id, MAX(sent_at) AS sent_at, MIN(CASE WHEN state = 'scheduled' THEN planned_at END) AS next_at
		FROM invitations WHERE workspace_id = ? AND person_id IN ? GROUP BY person_id`, by.Workspace, q.idList(ids)); err != nil {
		return nil, away(err)
	}
	for _, row := range rows {
		one := out[survey.ID(row.PersonID)]
		if at := (*survey.Instant)(row.SentAt); at != nil && (one.LastAskedAt == nil || *at > *one.LastAskedAt) {
			one.LastAskedAt = at
		}
		one.NextAt = (*survey.Instant)(row.NextAt)
		out[survey.ID(row.PersonID)] = one
	}
	var answered []struct {
		PersonID    id
		RespondedAt int64
	}
	if err := q.list(&answered, `SELECT person_id, MAX(responded_at) AS responded_at FROM responses
		WHERE workspace_id = ? AND person_id IN ? GROUP BY person_id`, by.Workspace, q.idList(ids)); err != nil {
		return nil, away(err)
	}
	for _, row := range answered {
		one := out[survey.ID(row.PersonID)]
		one.LastRespondedAt = new(survey.Instant(row.RespondedAt))
		out[survey.ID(row.PersonID)] = one
	}
	return out, nil
}

// SuppressedFilter narrows a list of suppressions; To is exclusive.
type SuppressedFilter struct {
	Reasons  []survey.SuppressionReason
	From, To *survey.Instant
}

// Suppressed is a suppression with the person whose address it is; nil where
// koe knows nobody by it.
type Suppressed struct {
	survey.Suppression
	Person *survey.Person
}

// SuppressedLeaf lists suppressions, the oldest first, without those of people
// who were erased.
func (s *Store) SuppressedLeaf(ctx context.Context, by Caller, f SuppressedFilter, leaf Leaf) ([]Suppressed, error) {
	q := s.reading(ctx, by)
	where, args := `workspace_id = ? AND email IS NOT NULL AND reason IN ?`, []any{by.Workspace, f.Reasons}
	if f.From != nil {
		where, args = where+` AND created_at >= ?`, append(args, *f.From)
	}
	if f.To != nil {
		where, args = where+` AND created_at < ?`, append(args, *f.To)
	}
	var rows []suppressionRow
	if err := q.list(&rows, `SELECT `+suppressionColumns+` FROM suppressions WHERE `+where+` ORDER BY created_at, id LIMIT ? OFFSET ?`,
		append(args, leaf.Limit, leaf.Skip)...); err != nil {
		return nil, away(err)
	}
	out := make([]Suppressed, len(rows))
	addresses := make([]string, len(rows))
	for i, row := range rows {
		out[i].Suppression = row.suppression()
		addresses[i] = out[i].Email
	}
	people, err := q.peopleByAddress(addresses)
	for i := range out {
		out[i].Person = people[out[i].Email]
	}
	return out, away(err)
}

// peopleByAddress finds who is meant by addresses: the person known by it
// alone, else the first of those who have it.
func (q *session) peopleByAddress(addresses []string) (map[string]*survey.Person, error) {
	people := make(map[string]*survey.Person, len(addresses))
	if len(addresses) == 0 {
		return people, nil
	}
	var rows []personRow
	if err := q.list(&rows, `SELECT `+personColumns+` FROM people WHERE workspace_id = ? AND email IN ?
		ORDER BY external_id IS NOT NULL, id`, q.by.Workspace, addresses); err != nil {
		return nil, err
	}
	for _, row := range rows {
		p, err := row.person()
		if err != nil {
			return nil, err
		}
		if _, first := people[p.Email]; !first {
			people[p.Email] = &p
		}
	}
	return people, nil
}

// CancelPending calls off what waits for a person to be sent, and says how many
// mails that were. NotFound where nobody has the address.
func (s *Store) CancelPending(ctx context.Context, by Caller, email string) (cancelled int, err error) {
	address, bad := survey.NormalizeAddress(email)
	if bad != nil {
		return 0, errNoPerson
	}
	err = s.write(ctx, by, func(q *session) error {
		cancelled = 0
		if _, err := q.counting(); err != nil { // before people and invitations are locked, as everywhere
			return err
		}
		var people []struct{ ID id }
		if err := q.list(&people, `SELECT id FROM people`+q.indexedBy("people_email")+` WHERE workspace_id = ? AND email = ? ORDER BY id`+q.forUpdate(), by.Workspace, address); err != nil {
			return err
		}
		if len(people) == 0 {
			return errNoPerson
		}
		for _, person := range people {
			n, err := q.callOff(`person_id = ?`, person.ID)
			if err != nil {
				return err
			}
			cancelled += n
		}
		return nil
	})
	return cancelled, err
}

// callOff cancels the invitations under a condition that were not sent yet, and
// says how many those were.
func (q *session) callOff(condition string, args ...any) (int, error) {
	var rows []invitationRow
	if err := q.list(&rows, `SELECT `+invitationColumns+` FROM invitations WHERE workspace_id = ? AND state = 'scheduled' AND `+condition+`
		ORDER BY id`+q.forUpdate(), append([]any{q.by.Workspace}, args...)...); err != nil {
		return 0, err
	}
	for _, row := range rows {
		if err := q.endInvitation(row, survey.InvitationCancelled, "requested", "by "+q.actor()); err != nil {
			return 0, err
		}
	}
	return len(rows), nil
}
