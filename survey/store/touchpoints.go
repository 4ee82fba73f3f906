package store

import (
	"context"
	"slices"
	"strings"

	"koe/survey"
)

// Touchpoint is a moment in a customer's journey. Revision counts its changes.
type Touchpoint struct {
	ID        survey.ID      `json:"-"`
	Key       string         `json:"key"`
	Name      string         `json:"name"`
	CreatedAt survey.Instant `json:"created_at"`
	UpdatedAt survey.Instant `json:"updated_at"`
	Revision  int64          `json:"-"`
}

// clean checks key and name; a touchpoint without a name is called by its key.
func (t *Touchpoint) clean() error {
	var p survey.Problems
	if !survey.ValidKey(t.Key) {
		p.Add("key", "format", "must be lower-case letters, digits, _ and -, at most 63")
	}
	if strings.TrimSpace(t.Name) == "" {
		t.Name = t.Key
	}
	t.Name = cleanName(&p, t.Name)
	return p.Err()
}

// cleanName checks a name that somebody gave: one line of at most 200
// characters. Problems are noted under "name".
func cleanName(p *survey.Problems, name string) string {
	p.Require("name", name)
	return survey.Line(p, "name", name, 200)
}

type touchpointRow struct {
	ID        id
	Key       string
	Name      string
	Revision  int64
	CreatedAt int64
	UpdatedAt int64
}

const touchpointColumns = `id, key, name, revision, created_at, updated_at`

func (r touchpointRow) touchpoint() Touchpoint {
	return Touchpoint{ID: survey.ID(r.ID), Key: r.Key, Name: r.Name, Revision: r.Revision,
		CreatedAt: survey.Instant(r.CreatedAt), UpdatedAt: survey.Instant(r.UpdatedAt)}
}

// CreateTouchpoint makes a touchpoint; a key that is taken is a Conflict.
func (s *Store) CreateTouchpoint(ctx context.Context, by Caller, t Touchpoint) (Touchpoint, error) {
	if err := t.clean(); err != nil {
		return Touchpoint{}, err
	}
	err := s.write(ctx, by, func(q *session) error {
		made, err := q.insertTouchpoint(&t)
		if err == nil && !made {
			err = survey.Errorf(survey.Conflict, "key", "there is a touchpoint %q already", t.Key)
		}
		q.resource = t.Key
		return err
	})
	return t, err
}

// PutTouchpoint makes a touchpoint or renames it. ifMatch, where not 0, must be
// its revision, else the write is Stale.
func (s *Store) PutTouchpoint(ctx context.Context, by Caller, t Touchpoint, ifMatch int64) (out Touchpoint, created bool, err error) {
	if err := t.clean(); err != nil {
		return Touchpoint{}, false, err
	}
	err = s.write(ctx, by, func(q *session) error {
		out, created = t, false
		if ifMatch == 0 {
			var err error
			if created, err = q.insertTouchpoint(&out); err != nil || created {
				return err
			}
		}
		row, err := q.touchpointRow(t.Key, q.forChange())
		if err := checkMatch(ifMatch, row.Revision, err); err != nil {
			return err
		}
		if row.Name != t.Name {
			row.Name, row.UpdatedAt = t.Name, int64(q.now)
			row.Revision++
			err = q.must(`UPDATE touchpoints SET name = ?, revision = ?, updated_at = ? WHERE workspace_id = ? AND id = ?`,
				row.Name, row.Revision, row.UpdatedAt, by.Workspace, row.ID)
			if err == nil {
				err = q.audit("touchpoint.changed", t.Key, "")
			}
		}
		out = row.touchpoint()
		return err
	})
	return out, created, err
}

// Touchpoint shows a touchpoint.
func (s *Store) Touchpoint(ctx context.Context, by Caller, key string) (Touchpoint, error) {
	row, err := s.reading(ctx, by).touchpointRow(key, "")
	return row.touchpoint(), away(err)
}

// Touchpoints lists in the order of the keys.
func (s *Store) Touchpoints(ctx context.Context, by Caller, page Page) ([]Touchpoint, string, error) {
	q := s.reading(ctx, by)
	var rows []touchpointRow
	next, err := s.byKey(q, "touchpoints", page, "key", []string{"workspace_id = ?"}, []any{by.Workspace},
		func(tail string, args []any) (int, error) {
			err := q.list(&rows, `SELECT `+touchpointColumns+` FROM touchpoints`+tail, args...)
			return len(rows), err
		}, func(i int) string { return rows[i].Key })
	if err != nil {
		return nil, "", away(err)
	}
	list := make([]Touchpoint, min(len(rows), page.Limit))
	for i := range list {
		list[i] = rows[i].touchpoint()
	}
	return list, next, nil
}

const touchpointUsers = `SELECT CASE
	WHEN EXISTS (SELECT 1 FROM surveys WHERE workspace_id = ? AND touchpoint_id = ?) THEN 'surveys'
	WHEN EXISTS (SELECT 1 FROM responses WHERE workspace_id = ? AND touchpoint_id = ?) THEN 'responses'
	WHEN EXISTS (SELECT 1 FROM invitations WHERE workspace_id = ? AND touchpoint_id = ?) THEN 'invitations'
	WHEN EXISTS (SELECT 1 FROM interactions WHERE workspace_id = ? AND touchpoint_id = ?) THEN 'interactions'
	WHEN EXISTS (SELECT 1 FROM targets WHERE workspace_id = ? AND touchpoint_id = ?) THEN 'targets'
	WHEN EXISTS (SELECT 1 FROM tag_rules WHERE workspace_id = ? AND touchpoint_id = ?) THEN 'tag rules'
	ELSE '' END`

// DeleteTouchpoint removes a touchpoint at which nothing has happened and no
// survey asks, with its notes; any other is a Conflict.
func (s *Store) DeleteTouchpoint(ctx context.Context, by Caller, key string, ifMatch int64) error {
	return s.write(ctx, by, func(q *session) error {
		row, err := q.touchpointRow(key, q.forUpdate()) // the lock keeps new users of it away
		if err := checkMatch(ifMatch, row.Revision, err); err != nil {
			return err
		}
		var users string
		if _, err := q.row(touchpointUsers, slices.Repeat([]any{by.Workspace, row.ID}, strings.Count(touchpointUsers, "?")/2), &users); err != nil {
			return err
		}
		if users != "" {
			return survey.Errorf(survey.Conflict, "", "the touchpoint has %s; it cannot be deleted", users)
		}
		if _, err := q.exec(`DELETE FROM notes`+q.indexedBy("notes_touchpoint_id")+` WHERE workspace_id = ? AND touchpoint_id = ?`, by.Workspace, row.ID); err != nil {
			return err
		}
		if err := q.must(`DELETE FROM touchpoints WHERE workspace_id = ? AND id = ?`, by.Workspace, row.ID); err != nil {
			return err
		}
		return q.audit("touchpoint.deleted", key, "")
	})
}

// insertTouchpoint is false where the key is taken. It fills in what is new.
func (q *session) insertTouchpoint(t *Touchpoint) (bool, error) {
	t.ID, t.Revision, t.CreatedAt, t.UpdatedAt = newID(), 1, q.now, q.now
	n, err := q.exec(`INSERT INTO touchpoints (workspace_id, `+touchpointColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT DO NOTHING`, q.by.Workspace, t.ID, t.Key, t.Name, t.Revision, t.CreatedAt, t.UpdatedAt)
	if err != nil || n == 0 {
		return false, err
	}
	return true, q.audit("touchpoint.created", t.Key, "")
}

func (q *session) touchpointRow(key, lock string) (touchpointRow, error) {
	var row touchpointRow
	found, err := q.find(&row, `SELECT `+touchpointColumns+` FROM touchpoints WHERE workspace_id = ? AND key = ?`+lock,
		q.by.Workspace, key)
	if err == nil && !found {
		err = survey.Errorf(survey.NotFound, "", "there is no such touchpoint")
	}
	return row, err
}

// touchpointID finds a touchpoint by its key.
func (q *session) touchpointID(key string) (survey.ID, bool, error) {
	var found id
	ok, err := q.row(`SELECT id FROM touchpoints WHERE workspace_id = ? AND key = ?`, []any{q.by.Workspace, key}, &found)
	return survey.ID(found), ok, err
}

// nameOf is a name that customers can read, made from a key: "support_chat" is
// "Support chat".
func nameOf(key string) string {
	words := strings.NewReplacer("_", " ", "-", " ").Replace(key)
	return strings.ToUpper(words[:1]) + words[1:]
}

// touchpoint finds a touchpoint or, where it does not exist yet, makes it.
func (q *session) touchpoint(key string) (survey.ID, error) {
	for {
		if found, ok, err := q.touchpointID(key); ok || err != nil {
			return found, err
		}
		t := Touchpoint{Key: key, Name: nameOf(key)}
		if made, err := q.insertTouchpoint(&t); made || err != nil {
			return t.ID, err
		}
	}
}
