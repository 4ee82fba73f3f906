package store

import "koe/survey"

// What an event is about.
const (
	aboutInvitation = "invitation"
	aboutResponse   = "response"
)

// event keeps a change with its instant and reason. Detail holds no personal
// data and no token.
func (q *session) event(subjectType string, subject survey.ID, typ, reason, detail string) error {
	return q.later(`INSERT INTO events (workspace_id, id, subject_type, subject_id, type, reason, detail, at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		q.by.Workspace, newID(), subjectType, subject, typ, reason, detail, q.now)
}

// Event is one change of an invitation or a response.
type Event struct {
	At     survey.Instant `json:"at"`
	Type   string         `json:"type"`
	Reason string         `json:"reason,omitempty"`
	Detail string         `json:"detail,omitempty"`
}

func (q *session) events(subject survey.ID) ([]Event, error) {
	events := []Event{}
	err := q.list(&events, `SELECT at, type, reason, detail FROM events
		WHERE workspace_id = ? AND subject_id = ? ORDER BY at, id`, q.by.Workspace, subject)
	return events, err
}
