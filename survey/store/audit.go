package store

// audit keeps who did what to the settings of a workspace, in the transaction
// that did it. Rows are only ever added. Subject names what was changed (a key,
// an id); neither it nor detail holds an answer, an address or a secret.
func (q *session) audit(action, subject, detail string) error {
	_, err := q.exec(`INSERT INTO audit (workspace_id, id, at, actor, action, subject, detail) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		q.by.Workspace, newID(), q.now, q.actor(), action, subject, detail)
	return err
}

// actor names the key that asked for a change.
func (q *session) actor() string {
	if q.by.KeyID.IsZero() {
		return q.by.KeyName
	}
	return q.by.KeyName + " (" + q.by.KeyID.String() + ")"
}
