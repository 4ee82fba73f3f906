package store

import (
	"context"

	"koe/survey"
)

// Report runs fn as the count of a report does: on one snapshot. responses is
// how many responses it sees.
func (s *Store) Report(ctx context.Context, by Caller, fn func(responses func() (int, error)) error) error {
	return s.snapshot(ctx, by, func(q *session) error {
		return fn(func() (n int, err error) {
			_, err = q.row(`SELECT COUNT(*) FROM responses WHERE workspace_id = ?`, []any{by.Workspace}, &n)
			return n, err
		})
	})
}

// ReportsAtOnce is how many reports have a place.
func (s *Store) ReportsAtOnce() int { return cap(s.reporting) }

// NextDue is when the next mail is due; nil where none waits.
func (s *Store) NextDue(ctx context.Context) (*survey.Instant, error) {
	var due *int64
	_, err := s.reading(ctx, Caller{}).row(`SELECT MIN(due_at) FROM invitations WHERE mail_state = 'waiting' AND NOT held`, nil, &due)
	return (*survey.Instant)(due), err
}

// Notify puts a notice into the outbox.
func (s *Store) Notify(ctx context.Context, by Caller, event survey.Event, subject survey.ID, to string) error {
	return s.write(ctx, by, func(q *session) error { return q.notify(event, subject, to, nil) })
}
