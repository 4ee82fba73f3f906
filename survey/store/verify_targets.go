package store

// targetChecks are about targets, their history and who is told.
func targetChecks() []rowCheck {
	return []rowCheck{
		{"a target stands in no known state, or is never judged", `SELECT id FROM targets WHERE workspace_id = ?
			AND (state NOT IN ('met', 'at_risk', 'breached', 'insufficient') OR next_at <= 0 OR revision < 1 OR state <> 'insufficient' AND judged IS NULL)`},
		{"a target's last change says another state", `SELECT t.id FROM targets t JOIN target_changes c ON c.workspace_id = t.workspace_id AND c.target_id = t.id
			WHERE t.workspace_id = ? AND c.kind = 'state' AND c.became <> t.state AND NOT EXISTS (SELECT 1 FROM target_changes n
			WHERE n.workspace_id = c.workspace_id AND n.target_id = c.target_id AND n.kind = 'state' AND n.revision > c.revision)`},
		{"a target's change changes nothing, or comes twice", `SELECT c.id FROM target_changes c WHERE c.workspace_id = ? AND (c.was = c.became
			OR EXISTS (SELECT 1 FROM target_changes n WHERE n.workspace_id = c.workspace_id AND n.target_id = c.target_id AND n.kind = c.kind
			AND n.revision = c.revision AND n.id <> c.id))`},
		{"a target tells somebody who is no member", `SELECT m.target_id FROM target_members m WHERE m.workspace_id = ?
			AND NOT EXISTS (SELECT 1 FROM workspace_members w WHERE w.workspace_id = m.workspace_id AND w.id = m.member_id)`},
		{"a change is told twice to one member", `SELECT o.subject_id FROM outbox o WHERE o.workspace_id = ? AND o.kind = 'notice'
			AND o.event = 'target.changed' GROUP BY o.subject_id, o.destination HAVING COUNT(*) > 1`},
	}
}
