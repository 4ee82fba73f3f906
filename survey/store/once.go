package store

import (
	"bytes"
	"context"
	"time"

	"koe/survey"
)

// Once makes a repeat of a request harmless: its Idempotency-Key and a hash of
// what was asked. Kept is true once the row that remembers it is durable.
type Once struct {
	Key     string
	Request []byte
	Kept    bool
}

// remembers is how long a key is remembered.
const remembers = 24 * time.Hour

// errRepeat ends a transaction whose key was taken by a twin.
var errRepeat = survey.Errorf(survey.Conflict, "", "a request with this Idempotency-Key is still running; try again")

// Remembered finds what an earlier request with the caller's key made: the
// resource text that its method left. Another request under the same key is
// Invalid.
func (s *Store) Remembered(ctx context.Context, by Caller) (resource string, found bool, err error) {
	q := s.reading(ctx, by)
	var request []byte
	found, err = q.row(`SELECT request_hash, resource FROM idempotency
		WHERE workspace_id = ? AND key_id = ? AND key = ? AND created_at > ?`,
		[]any{by.Workspace, by.KeyID, by.Once.Key, q.now.Add(-remembers)}, &request, &resource)
	if err != nil || !found {
		return "", false, away(err)
	}
	if !bytes.Equal(request, by.Once.Request) {
		return "", false, survey.Errorf(survey.Invalid, "Idempotency-Key", "was used with another request")
	}
	return resource, true, nil
}

// Remember keeps a key whose request wrote nothing.
func (s *Store) Remember(ctx context.Context, by Caller) error {
	return s.write(ctx, by, func(*session) error { return nil })
}

// claimOnce takes the key for this transaction; a twin that holds it is a
// Conflict, soon rather than after a long wait.
func (q *session) claimOnce() error {
	if q.by.Once == nil || q.by.Once.Kept {
		return nil
	}
	if q.postgres {
		if _, err := q.exec("SET LOCAL lock_timeout = '100ms'"); err != nil {
			return err
		}
	}
	if _, err := q.exec(`DELETE FROM idempotency WHERE workspace_id = ? AND key_id = ? AND key = ? AND created_at <= ?`,
		q.by.Workspace, q.by.KeyID, q.by.Once.Key, q.now.Add(-remembers)); err != nil {
		return repeat(err)
	}
	n, err := q.exec(`INSERT INTO idempotency (workspace_id, key_id, key, request_hash, resource, created_at)
		VALUES (?, ?, ?, ?, '', ?) ON CONFLICT DO NOTHING`,
		q.by.Workspace, q.by.KeyID, q.by.Once.Key, q.by.Once.Request, q.now)
	if err != nil {
		return repeat(err)
	}
	if n == 0 {
		return errRepeat
	}
	if q.postgres {
		_, err = q.exec("SET LOCAL lock_timeout = 0")
	}
	return err
}

// repeat turns "the lock is held" into a Conflict.
func repeat(err error) error {
	if postgresCode(err) == "55P03" {
		return errRepeat
	}
	return err
}

// keepOnce writes what a repeat will be answered with.
func (q *session) keepOnce() error {
	if q.by.Once == nil || q.by.Once.Kept {
		return nil
	}
	return q.must(`UPDATE idempotency SET resource = ? WHERE workspace_id = ? AND key_id = ? AND key = ?`,
		q.resource, q.by.Workspace, q.by.KeyID, q.by.Once.Key)
}
