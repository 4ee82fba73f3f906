package store

import (
	"time"

	"koe/survey"
)

// keyDay is what the caller's key has had planned today, in UTC: before this
// transaction, which is read once and only where it is asked for, and in it.
type keyDay struct {
	known  bool
	before int
	here   int
}

// keyFull is from when on the caller's key may have mail planned again; nil
// where it may now. Others may plan at the same time: what is planned may come
// to a little more than the cap.
func (s *Store) keyFull(q *session) (*survey.Instant, error) {
	if s.mailsPerKey == 0 || q.by.KeyID.IsZero() {
		return nil, nil
	}
	today := survey.DayOf(q.now, time.UTC)
	if !q.key.known {
		q.key.known = true
		if _, err := q.row(`SELECT mails FROM key_days WHERE workspace_id = ? AND key_id = ? AND day = ?`,
			[]any{q.by.Workspace, q.by.KeyID, today}, &q.key.before); err != nil {
			return nil, err
		}
	}
	if q.key.before+q.key.here < s.mailsPerKey {
		return nil, nil
	}
	tomorrow := survey.StartOf(today+1, time.UTC)
	return &tomorrow, nil
}

// flushKey counts what was planned, as the last that a transaction locks.
func (q *session) flushKey() error {
	if q.key.here == 0 {
		return nil
	}
	return q.later(`INSERT INTO key_days (workspace_id, key_id, day, mails) VALUES (?, ?, ?, ?)
		ON CONFLICT (workspace_id, key_id, day) DO UPDATE SET mails = key_days.mails + excluded.mails`,
		q.by.Workspace, q.by.KeyID, survey.DayOf(q.now, time.UTC), q.key.here)
}

// sweepKeys forgets the days that are over.
func (q *session) sweepKeys() error {
	_, err := q.exec(`DELETE FROM key_days WHERE day < ?`, survey.DayOf(q.now, time.UTC))
	return err
}
