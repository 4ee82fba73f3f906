package store

import (
	"context"
	"strings"

	"koe/survey"
)

// audit keeps who did what to the settings of a workspace and to its answers, in
// the transaction that did it. Rows are only ever added. Subject names what was changed (a key,
// an id); neither it nor detail holds an answer, an address or a secret.
func (q *session) audit(action, subject, detail string) error {
	_, err := q.exec(`INSERT INTO audit (workspace_id, id, at, actor, actor_id, action, subject, detail) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		q.by.Workspace, newID(), q.now, q.actor(), id(q.by.KeyID).orNil(), action, subject, detail)
	return err
}

// actor names the key or the member who asked for a change.
func (q *session) actor() string {
	if q.by.KeyID.IsZero() {
		return q.by.KeyName
	}
	return q.by.KeyName + " (" + q.by.KeyID.String() + ")"
}

// AuditEntry is one thing that somebody did.
type AuditEntry struct {
	ID      survey.ID      `json:"id"`
	At      survey.Instant `json:"at"`
	Actor   string         `json:"actor"`    // the name that the key or the member had; "command line" for a command, "koe" for koe itself
	ActorID *survey.ID     `json:"actor_id"` // of the key or the member; nil for a command and koe itself
	Action  string         `json:"action"`
	Subject string         `json:"subject"` // a key or an id of what was changed
	Detail  string         `json:"detail"`
}

// AuditFilter narrows the list of who did what; empty fields do not.
type AuditFilter struct {
	Actor    *survey.ID
	Action   string
	From, To *survey.Instant // To exclusive
}

type auditRow struct {
	ID      id
	At      int64
	Actor   string
	ActorID id
	Action  string
	Subject string
	Detail  string
}

func (r auditRow) entry() AuditEntry {
	e := AuditEntry{ID: survey.ID(r.ID), At: survey.Instant(r.At), Actor: r.Actor, ActorID: r.ActorID.orNil(), Action: r.Action, Subject: r.Subject, Detail: r.Detail}
	if e.ActorID != nil {
		e.Actor = strings.TrimSuffix(e.Actor, " ("+e.ActorID.String()+")")
	}
	if e.Actor == "" {
		e.Actor = "koe"
	}
	return e
}

// Audit lists who did what, the newest first. Nothing of it is ever changed.
func (s *Store) Audit(ctx context.Context, by Caller, f AuditFilter, page Page) ([]AuditEntry, string, error) {
	q := s.reading(ctx, by)
	where, args := []string{"workspace_id = ?"}, []any{by.Workspace}
	index := "audit_at"
	if f.Action != "" {
		index, where, args = "audit_action", append(where, "action = ?"), append(args, f.Action)
	}
	if f.Actor != nil {
		index, where, args = "audit_actor_id", append(where, "actor_id = ?"), append(args, *f.Actor)
	}
	if f.From != nil {
		where, args = append(where, "at >= ?"), append(args, *f.From)
	}
	if f.To != nil {
		where, args = append(where, "at < ?"), append(args, *f.To)
	}
	var rows []auditRow
	next, err := s.newestFirst(q, "audit", f, page, "at", where, args,
		func(tail string, args []any) (int, error) {
			err := q.list(&rows, `SELECT id, at, actor, actor_id, action, subject, detail FROM audit`+q.indexedBy(index)+tail, args...)
			return len(rows), err
		}, func(i int) (int64, survey.ID) { return rows[i].At, survey.ID(rows[i].ID) })
	if err != nil {
		return nil, "", away(err)
	}
	list := make([]AuditEntry, min(len(rows), page.Limit))
	for i := range list {
		list[i] = rows[i].entry()
	}
	return list, next, nil
}
