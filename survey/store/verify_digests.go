package store

// digestChecks are about when members are mailed how it went.
func digestChecks() []rowCheck {
	return []rowCheck{
		{"a member's digest is never due, or due though none is wanted", `SELECT id FROM workspace_members WHERE workspace_id = ?
			AND (digest <> 'none' AND email <> '') <> (digest_at > 0)`},
		{"a digest is told twice", `SELECT o.subject_id FROM outbox o WHERE o.workspace_id = ? AND o.kind = 'notice' AND o.event = 'digest'
			GROUP BY o.subject_id, o.body HAVING COUNT(*) > 1`},
		{"a digest waits for somebody who is no member", `SELECT o.id FROM outbox o WHERE o.workspace_id = ? AND o.kind = 'notice' AND o.event = 'digest'
			AND NOT EXISTS (SELECT 1 FROM workspace_members m WHERE m.workspace_id = o.workspace_id AND m.id = o.subject_id)`},
	}
}
