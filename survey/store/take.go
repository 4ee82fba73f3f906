package store

import (
	"context"
	"math/rand/v2"
	"time"

	"koe/survey"
)

// fenceStep is by how much a fence grows at most: a mail may be taken millions
// of times before the number is full.
const fenceStep = 1 << 40

// Taken is what TakeDue took.
type Taken struct {
	Mails []Mail // to be sent; they are marked as sending
	Found int    // how many were due, with those that did not go out
	Busy  int    // how many of them were left because others hold their addresses
	More  bool   // others may be due
}

// TakeDue is ClaimDue and StartSending in one durable step: it looks at no more
// than look mails that are due, oldest first, asks the rules about them and
// marks those that go out as sending, for a lease, n at most. May says until
// when mail to a domain that may go out has to wait, 0 where it need not; such
// mail is put back. May is asked again where the transaction collides.
//
// Where there is an error the mails may be marked all the same.
func (s *Store) TakeDue(ctx context.Context, n, look int, lease time.Duration, may func(domain string) survey.Instant,
	messageID func(Mail) string) (t Taken, err error) {
	err = s.write(ctx, Caller{}, func(q *session) error {
		due, err := q.due(look)
		if err != nil {
			return err
		}
		for i := range due {
			// no number that was given before: where this is rolled back, whoever
			// gives these mails back must not mean those of another take
			due[i].Fence += 1 + rand.Int64N(fenceStep) //nolint:gosec // it tells takes apart, and hides nothing
			due[i].Attempt++
		}
		did, err := s.begin(q, due, start{most: n, lease: lease, may: may, messageID: messageID})
		t = Taken{Mails: did.mails, Found: len(due), Busy: did.busy, More: did.full || len(due) == look}
		return err
	})
	return t, err
}

// due locks mails that are due, oldest first, and that nobody else holds.
func (q *session) due(n int) ([]claimedRow, error) {
	where, err := q.whereDue()
	if err != nil {
		return nil, err
	}
	rows := make([]claimedRow, 0, n)
	var row claimedRow
	query, fields := q.mailQuery(&row, whileClaimed)
	err = q.each(query+` FROM invitations v WHERE `+where+` ORDER BY v.due_at LIMIT ?`+q.skipLocked(), []any{q.now, n}, fields, func() error {
		rows = append(rows, row)
		return nil
	})
	return rows, err
}

// whereDue is the condition of mails that may be claimed now.
func (q *session) whereDue() (string, error) {
	paused, err := q.holdPaused()
	return `mail_state = 'waiting' AND held = ` + q.truth(false) + ` AND due_at <= ?` + notOf(paused), err
}

// putBack has mails wait for their place among those of their domain.
func (q *session) putBack(list []Later) error {
	if len(list) == 0 {
		return nil
	}
	if q.postgres {
		n := len(list)
		workspaces, ids, until := make([]int64, n), make([]survey.ID, n), make([]int64, n)
		for i, l := range list {
			workspaces[i], ids[i], until[i] = l.Claim.Workspace, l.Claim.Invitation, int64(l.Until)
		}
		_, err := q.exec(`UPDATE invitations v SET due_at = m.until, wait_reason = ?
			FROM unnest(?::bigint[], ?::uuid[], ?::bigint[]) AS m (w, id, until) WHERE v.workspace_id = m.w AND v.id = m.id`,
			string(survey.WaitDomainCap), workspaces, idArray(ids), until)
		return err
	}
	for _, l := range list {
		if err := q.must(`UPDATE invitations SET due_at = ?, wait_reason = ? WHERE workspace_id = ? AND id = ?`,
			l.Until, string(l.Why), l.Claim.Workspace, l.Claim.Invitation); err != nil {
			return err
		}
	}
	return nil
}
