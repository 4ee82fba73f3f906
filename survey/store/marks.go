package store

import "koe/survey"

// A mark is what a claimed mail becomes when it is about to be sent.
type mark struct {
	row       claimedRow
	state     string
	messageID string
}

// markSending marks mails as sending; on PostgreSQL all at once, because there
// each statement is a way to the server and back.
func (q *session) markSending(marks []mark) error {
	if len(marks) == 0 {
		return nil
	}
	events := newLog(q.now)
	workspaces, ids := make([]int64, len(marks)), make([]survey.ID, len(marks))
	states, messageIDs := make([]string, len(marks)), make([]string, len(marks))
	for i, m := range marks {
		workspaces[i], ids[i], states[i], messageIDs[i] = m.row.WorkspaceID, survey.ID(m.row.ID), m.state, m.messageID
		if m.row.MailNo == 0 {
			events.add(m.row.WorkspaceID, ids[i], m.state)
		}
	}
	if q.postgres {
		if _, err := q.exec(`UPDATE invitations v SET mail_state = 'sending', state = m.state, message_id = m.message_id, updated_at = ?
			FROM unnest(?::bigint[], ?::uuid[], ?::text[], ?::text[]) AS m (w, id, state, message_id)
			WHERE v.workspace_id = m.w AND v.id = m.id`, q.now, workspaces, idArray(ids), states, messageIDs); err != nil {
			return err
		}
		return q.log(events)
	}
	for i, m := range marks {
		if err := q.must(`UPDATE invitations SET mail_state = 'sending', state = ?, message_id = ?, updated_at = ?
			WHERE workspace_id = ? AND id = ?`, states[i], messageIDs[i], q.now, m.row.WorkspaceID, m.row.ID); err != nil {
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
	_, err := q.exec(`UPDATE invitations v SET state = m.state, reason = '', sent_at = m.sent_at, cohort_at = m.cohort_at,
		mail_state = m.mail_state, mail_no = m.mail_no, due_at = m.due_at, held = m.held, wait_reason = 'reminder', attempt = 0,
		outcome = 'sent', outcome_at = ?, updated_at = ?
		FROM unnest(?::bigint[], ?::uuid[], ?::text[], ?::text[], ?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[], ?::boolean[])
		AS m (w, id, state, mail_state, sent_at, cohort_at, mail_no, due_at, held) WHERE v.workspace_id = m.w AND v.id = m.id`,
		q.now, q.now, workspaces, idArray(ids), states, mailStates, sentAt, cohortAt, mailNo, dueAt, held)
	return err
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
	_, err := q.exec(`INSERT INTO events (workspace_id, id, subject_type, subject_id, type, reason, detail, at)
		SELECT w, id, ?::text, subject, type, '', '', ?::bigint FROM unnest(?::bigint[], ?::uuid[], ?::uuid[], ?::text[]) AS e (w, id, subject, type)`,
		aboutInvitation, l.at, l.workspaces, idArray(ids), idArray(l.subjects), l.types)
	return err
}
