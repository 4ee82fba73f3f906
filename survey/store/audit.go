package store

// audit keeps who did what to the settings of a workspace, in the transaction
// that did it. Rows are only ever added. Subject names what was changed (a key,
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
