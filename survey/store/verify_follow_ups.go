package store

// followUpChecks are about follow-ups and what they belong to.
func followUpChecks() []rowCheck {
	return []rowCheck{
		{"a follow-up is of an answer that is not kept, or of another survey's, place's or person's", `SELECT f.id FROM follow_ups f
			LEFT JOIN responses r ON r.workspace_id = f.workspace_id AND r.id = f.response_id
			WHERE f.workspace_id = ? AND (r.id IS NULL OR r.survey_id <> f.survey_id OR r.touchpoint_id <> f.touchpoint_id
			OR f.person_id IS NULL AND r.person_id IS NOT NULL OR f.person_id IS NOT NULL AND (r.person_id IS NULL OR r.person_id <> f.person_id))`},
		{"a follow-up is owned by nobody who is a member", `SELECT f.id FROM follow_ups f WHERE f.workspace_id = ? AND f.owner_id IS NOT NULL
			AND NOT EXISTS (SELECT 1 FROM workspace_members m WHERE m.workspace_id = f.workspace_id AND m.id = f.owner_id)`},
		{"a follow-up is in no known state, or its state and instants contradict each other", `SELECT id FROM follow_ups WHERE workspace_id = ? AND NOT (
			(state IN ('open', 'in_progress') AND resolved_at IS NULL AND closed_at IS NULL AND confirmation IN ('not_asked', 'reopened')
			OR state = 'resolved' AND resolved_at IS NOT NULL AND touched_at IS NOT NULL AND escalate_at IS NULL
				AND (confirmation = 'pending') = (closed_at IS NULL) AND confirmation IN ('not_asked', 'pending', 'confirmed', 'unconfirmed'))
			AND (confirmation = 'pending') = (confirm_by IS NOT NULL) AND (owner_id IS NULL OR assigned_at IS NOT NULL) AND reopened >= 0
			AND (escalate_at IS NULL OR escalated_at IS NULL))`},
		{"a mail is about a follow-up that is not kept", `SELECT o.id FROM outbox o WHERE o.workspace_id = ? AND o.kind = 'notice' AND o.event LIKE 'follow_up.%'
			AND NOT EXISTS (SELECT 1 FROM follow_ups f WHERE f.workspace_id = o.workspace_id AND f.id = o.subject_id)`},
	}
}
