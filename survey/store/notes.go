package store

import (
	"context"
	"slices"
	"strings"

	"koe/survey"
)

type noteRow struct {
	ID         id
	Day        int64
	Text       string
	Touchpoint *string
	CreatedAt  int64
	UpdatedAt  int64
}

// noteSelect is a SELECT of notes, which it calls n, by an index or whichever.
func noteSelect(index string) string {
	return `SELECT n.id, n.day, n.text, t.key AS touchpoint, n.created_at, n.updated_at FROM notes n` + index + `
	LEFT JOIN touchpoints t ON t.workspace_id = n.workspace_id AND t.id = n.touchpoint_id`
}

func (r noteRow) note() survey.Note {
	n := survey.Note{ID: survey.ID(r.ID), Day: survey.Day(r.Day), Text: r.Text,
		CreatedAt: survey.Instant(r.CreatedAt), UpdatedAt: survey.Instant(r.UpdatedAt)}
	if r.Touchpoint != nil {
		n.Touchpoint = *r.Touchpoint
	}
	return n
}

var errNoNote = survey.Errorf(survey.NotFound, "", "there is no such note")

// CreateNote keeps a note. A touchpoint that does not exist is Invalid on
// "touchpoint".
func (s *Store) CreateNote(ctx context.Context, by Caller, n survey.Note) (survey.Note, error) {
	if err := n.Clean(); err != nil {
		return n, err
	}
	if err := by.Scope.writesNote(n.Touchpoint); err != nil {
		return n, err
	}
	err := s.write(ctx, by, func(q *session) error {
		at, err := q.noteAt(n.Touchpoint)
		if err != nil {
			return err
		}
		n.ID, n.CreatedAt, n.UpdatedAt = newID(), q.now, q.now
		if _, err := q.exec(`INSERT INTO notes (workspace_id, id, touchpoint_id, day, text, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
			by.Workspace, n.ID, at, n.Day, n.Text, q.now, q.now); err != nil {
			return err
		}
		q.resource = n.ID.String()
		return q.audit("note.created", n.ID.String(), "")
	})
	return n, err
}

// seesNote is true for notes at a touchpoint that a member reads, and for those
// on every chart.
func (s Scope) seesNote(touchpoint string) bool {
	return len(s.Touchpoints) == 0 || touchpoint == "" || slices.Contains(s.Touchpoints, touchpoint)
}

// writesNote refuses who is limited to some touchpoints a note on every chart.
func (s Scope) writesNote(touchpoint string) error {
	if len(s.Touchpoints) > 0 && touchpoint == "" {
		return survey.Errorf(survey.Forbidden, "", "notes on the charts of all touchpoints are for members who are not limited to some")
	}
	return nil
}

// noteAt is the touchpoint of a note by its key, nil for a note on every chart.
func (q *session) noteAt(key string) (*survey.ID, error) {
	if key == "" {
		return nil, nil
	}
	found, ok, err := q.touchpointID(key)
	if err == nil && (!ok || !q.by.Scope.seesNote(key)) {
		err = survey.Errorf(survey.Invalid, "touchpoint", "there is no touchpoint %q; name one that exists, or leave it out for a note on every chart", key)
	}
	return &found, err
}

// Note shows a note.
func (s *Store) Note(ctx context.Context, by Caller, of survey.ID) (survey.Note, error) {
	n, err := s.reading(ctx, by).note(of)
	return n, away(err)
}

func (q *session) note(of survey.ID) (survey.Note, error) {
	var row noteRow
	found, err := q.find(&row, noteSelect("")+` WHERE n.workspace_id = ? AND n.id = ?`, q.by.Workspace, of)
	n := row.note()
	if err == nil && (!found || !q.by.Scope.seesNote(n.Touchpoint)) {
		return survey.Note{}, errNoNote
	}
	return n, err
}

// NoteFilter narrows a list of notes; empty fields do not.
type NoteFilter struct {
	Touchpoint string      // what its chart shows: its own notes and those on every chart
	From, To   *survey.Day // To exclusive
}

// Notes lists the latest day first. A touchpoint that does not exist is Invalid
// on "touchpoint".
func (s *Store) Notes(ctx context.Context, by Caller, f NoteFilter, page Page) ([]survey.Note, string, error) {
	q := s.reading(ctx, by)
	where, args := []string{"n.workspace_id = ?"}, []any{by.Workspace}
	if f.Touchpoint != "" {
		at, err := q.noteAt(f.Touchpoint)
		if err != nil {
			return nil, "", away(err)
		}
		where, args = append(where, "(n.touchpoint_id = ? OR n.touchpoint_id IS NULL)"), append(args, at)
	}
	seen, all, err := q.touchpointsSeen()
	if err != nil {
		return nil, "", away(err)
	}
	if !all {
		where, args = append(where, "(n.touchpoint_id IS NULL"+strings.Repeat(" OR n.touchpoint_id = ?", len(seen))+")"), append(args, seen...)
	}
	if f.From != nil {
		where, args = append(where, "n.day >= ?"), append(args, *f.From)
	}
	if f.To != nil {
		where, args = append(where, "n.day < ?"), append(args, *f.To)
	}
	var rows []noteRow
	next, err := s.newestFirst(q, "notes", f, page, "n.day", where, args,
		func(tail string, args []any) (int, error) {
			err := q.list(&rows, noteSelect(q.indexedBy("notes_day"))+tail, args...)
			return len(rows), err
		}, func(i int) (int64, survey.ID) { return rows[i].Day, survey.ID(rows[i].ID) })
	if err != nil {
		return nil, "", away(err)
	}
	list := make([]survey.Note, min(len(rows), page.Limit))
	for i := range list {
		list[i] = rows[i].note()
	}
	return list, next, nil
}

// ChangeNote changes day, text and touchpoint of a note.
func (s *Store) ChangeNote(ctx context.Context, by Caller, of survey.ID, change func(*survey.Note) error) (survey.Note, error) {
	var out survey.Note
	err := s.write(ctx, by, func(q *session) error {
		before, err := q.note(of)
		if err != nil {
			return err
		}
		if err := by.Scope.writesNote(before.Touchpoint); err != nil {
			return err
		}
		out = before
		if err := change(&out); err != nil {
			return err
		}
		if err := out.Clean(); err != nil {
			return err
		}
		if err := by.Scope.writesNote(out.Touchpoint); err != nil {
			return err
		}
		at, err := q.noteAt(out.Touchpoint)
		if err != nil || out == before {
			return err
		}
		out.UpdatedAt = q.now
		n, err := q.exec(`UPDATE notes SET touchpoint_id = ?, day = ?, text = ?, updated_at = ? WHERE workspace_id = ? AND id = ?`,
			at, out.Day, out.Text, q.now, by.Workspace, of)
		if err != nil {
			return err
		}
		if n == 0 { // it was deleted meanwhile
			return errNoNote
		}
		return q.audit("note.changed", of.String(), "")
	})
	return out, err
}

// DeleteNote removes a note.
func (s *Store) DeleteNote(ctx context.Context, by Caller, of survey.ID) error {
	return s.write(ctx, by, func(q *session) error {
		before, err := q.note(of)
		if err != nil {
			return err
		}
		if err := by.Scope.writesNote(before.Touchpoint); err != nil {
			return err
		}
		n, err := q.exec(`DELETE FROM notes WHERE workspace_id = ? AND id = ?`, by.Workspace, of)
		if err != nil {
			return err
		}
		if n == 0 {
			return errNoNote
		}
		return q.audit("note.deleted", of.String(), "")
	})
}
