package store

import (
	"context"
	"slices"
	"time"

	"koe/survey"
)

// notify puts a mail to somebody of the company into the outbox, in the
// transaction of its cause. The words are written when it is sent: subject is what
// it is about, and body (nil for nothing) holds what else that needs, as JSON;
// never an answer, a token or a secret.
func (q *session) notify(event survey.Event, subject survey.ID, to string, body any) error {
	text := ""
	if body != nil {
		var err error
		if text, err = asJSON(body); err != nil {
			return err
		}
	}
	_, err := q.post(posted{kind: outboxNotice, event: event, subject: subject, to: to, body: text, due: q.now})
	return err
}

// notifyAt is notify for a mail about somebody who may be erased, from an
// instant on.
func (q *session) notifyAt(event survey.Event, subject survey.ID, to string, person *survey.ID, due survey.Instant) (survey.ID, error) {
	return q.post(posted{kind: outboxNotice, event: event, subject: subject, person: person, to: to, due: due})
}

// forgetNotices drops every notice to an address, whether it was sent or not.
func (q *session) forgetNotices(to string) error {
	if to == "" {
		return nil
	}
	_, err := q.exec(`DELETE FROM outbox`+q.indexedBy("outbox_destination")+` WHERE workspace_id = ? AND kind = 'notice' AND destination = ?`, q.by.Workspace, to)
	return err
}

// ClaimNotices takes at most n notices that are due.
func (s *Store) ClaimNotices(ctx context.Context, n int, lease time.Duration) ([]Dispatch, error) {
	q := s.reading(ctx, Caller{})
	var workspaces []int64
	// not DISTINCT, for which SQLite walks the whole outbox
	if err := q.list(&workspaces, `SELECT workspace_id FROM outbox`+q.indexedBy("outbox_notices")+` WHERE state = 'waiting' AND kind = 'notice'
		AND due_at <= ? ORDER BY due_at LIMIT 1000`, q.now); err != nil || len(workspaces) == 0 {
		return nil, away(err)
	}
	seen := map[int64]bool{} // in the order in which they are due, so that no workspace waits for all of another's
	workspaces = slices.DeleteFunc(workspaces, func(w int64) bool {
		was := seen[w]
		seen[w] = true
		return was
	})
	var claimed []Dispatch
	err := s.write(ctx, Caller{}, func(q *session) error {
		claimed = claimed[:0]
		for _, workspace := range workspaces {
			if len(claimed) == n {
				break
			}
			q.by.Workspace = workspace
			some, err := q.claimOutbox("outbox_notices", `kind = 'notice' AND webhook_id IS NULL`, nil, n-len(claimed), lease)
			if err != nil {
				return err
			}
			claimed = append(claimed, some...)
		}
		return nil
	})
	return claimed, err
}
