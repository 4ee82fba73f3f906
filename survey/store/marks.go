package store

import (
	"slices"
	"time"

	"koe/survey"
)

// A mark is what a claimed mail becomes when it is about to be sent.
type mark struct {
	row       claimedRow
	state     string
	messageID string
}

// markSending marks mails as sending, for a lease; 0 leaves the leases that they
// have. On PostgreSQL it marks all at once, because there each statement is a
// way to the server and back.
func (q *session) markSending(marks []mark, lease time.Duration) error {
	if len(marks) == 0 {
		return nil
	}
	n := len(marks)
	events := newLog(q.now)
	workspaces, ids, states, messageIDs := make([]int64, n), make([]survey.ID, n), make([]string, n), make([]string, n)
	fences, attempts := make([]int64, n), make([]int64, n)
	for i, m := range marks {
		workspaces[i], ids[i], states[i], messageIDs[i] = m.row.WorkspaceID, survey.ID(m.row.ID), m.state, m.messageID
		fences[i], attempts[i] = m.row.Fence, int64(m.row.Attempt)
		if m.row.MailNo == 0 {
			events.add(m.row.WorkspaceID, ids[i], m.state)
		}
	}
	until, args := "lease_until", []any{q.now}
	if lease > 0 {
		end, value := q.leaseEnd(lease)
		until, args = end, append(args, value)
	}
	if q.postgres {
		if err := q.later(`UPDATE invitations v SET mail_state = 'sending', state = m.state, message_id = m.message_id, fence = m.fence,
			attempt = m.attempt, updated_at = ?, lease_until = `+until+`
			FROM unnest(?::bigint[], ?::uuid[], ?::text[], ?::text[], ?::bigint[], ?::bigint[]) AS m (w, id, state, message_id, fence, attempt)
			WHERE v.workspace_id = m.w AND v.id = m.id`, append(args, workspaces, idArray(ids), states, messageIDs, fences, attempts)...); err != nil {
			return err
		}
		return q.log(events)
	}
	for i := range marks {
		if err := q.must(`UPDATE invitations SET mail_state = 'sending', updated_at = ?, lease_until = `+until+`, state = ?, message_id = ?,
			fence = ?, attempt = ? WHERE workspace_id = ? AND id = ?`,
			append(slices.Clone(args), states[i], messageIDs[i], fences[i], attempts[i], workspaces[i], ids[i])...); err != nil {
			return err
		}
	}
	return q.log(events)
}

// markSent keeps rows as they are once the server took their mails. Each row's
// MailNo is the next mail's where there is one.
func (q *session) markSent(rows []claimedRow) error {
	events := newLog(q.now)
	for _, r := range rows {
		events.add(r.WorkspaceID, survey.ID(r.ID), sentWord(r.went))
	}
	if q.postgres {
		if err := q.markAllSent(rows); err != nil {
			return err
		}
		return q.log(events)
	}
	for _, r := range rows {
		if err := q.must(`UPDATE invitations SET state = ?, reason = '', sent_at = ?, cohort_at = ?, mail_state = ?, mail_no = ?,
			due_at = ?, wait_reason = 'reminder', held = ?, attempt = 0, outcome = 'sent', outcome_at = ?, updated_at = ? WHERE workspace_id = ? AND id = ?`,
			r.State, r.SentAt, r.CohortAt, r.MailState, r.MailNo, r.dueAt, r.Held, q.now, q.now, r.WorkspaceID, r.ID); err != nil {
			return err
		}
	}
	return q.log(events)
}

func (q *session) markAllSent(rows []claimedRow) error {
	n := len(rows)
	workspaces, ids, states, mailStates := make([]int64, n), make([]survey.ID, n), make([]string, n), make([]string, n)
	sentAt, cohortAt := make([]*int64, n), make([]*int64, n)
	mailNo, dueAt, held := make([]int64, n), make([]int64, n), make([]bool, n)
	for i, r := range rows {
		workspaces[i], ids[i], states[i], mailStates[i] = r.WorkspaceID, survey.ID(r.ID), r.State, r.MailState
		sentAt[i], cohortAt[i], mailNo[i], dueAt[i], held[i] = r.SentAt, r.CohortAt, int64(r.MailNo), r.dueAt, r.Held
	}
	return q.later(`UPDATE invitations v SET state = m.state, reason = '', sent_at = m.sent_at, cohort_at = m.cohort_at,
		mail_state = m.mail_state, mail_no = m.mail_no, due_at = m.due_at, held = m.held, wait_reason = 'reminder', attempt = 0,
		outcome = 'sent', outcome_at = ?, updated_at = ?
		FROM unnest(?::bigint[], ?::uuid[], ?::text[], ?::text[], ?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[], ?::boolean[])
		AS m (w, id, state, mail_state, sent_at, cohort_at, mail_no, due_at, held) WHERE v.workspace_id = m.w AND v.id = m.id`,
		q.now, q.now, workspaces, idArray(ids), states, mailStates, sentAt, cohortAt, mailNo, dueAt, held)
}

// log is what happened to several invitations at one instant.
type log struct {
	at         survey.Instant
	workspaces []int64
	subjects   []survey.ID
	types      []string
}

func newLog(at survey.Instant) *log { return &log{at: at} }

func (l *log) add(workspace int64, subject survey.ID, typ string) {
	l.workspaces, l.subjects, l.types = append(l.workspaces, workspace), append(l.subjects, subject), append(l.types, typ)
}

// log keeps events; see event.
func (q *session) log(l *log) error {
	if !q.postgres {
		for i, typ := range l.types {
			q.by.Workspace = l.workspaces[i]
			if err := q.event(aboutInvitation, l.subjects[i], typ, "", ""); err != nil {
				return err
			}
		}
		return nil
	}
	ids := make([]survey.ID, len(l.types))
	for i := range ids {
		ids[i] = newID()
	}
	return q.later(`INSERT INTO events (workspace_id, id, subject_type, subject_id, type, reason, detail, at)
		SELECT w, id, ?::text, subject, type, '', '', ?::bigint FROM unnest(?::bigint[], ?::uuid[], ?::uuid[], ?::text[]) AS e (w, id, subject, type)`,
		aboutInvitation, l.at, l.workspaces, idArray(ids), idArray(l.subjects), l.types)
}
