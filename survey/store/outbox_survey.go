package store

import (
	"cmp"
	"time"

	"koe/survey"
)

// mostLooked is how many mails of a workspace are looked at, in each state, for
// those of one survey: no index has them by survey.
const mostLooked = 10 * SummaryCap

// sumMailOf is sumMail of one survey.
func (q *session) sumMailOf(of survey.ID) (MailSummary, error) {
	m := MailSummary{Waiting: map[survey.Reason]int{}}
	for _, reason := range waitReasons {
		m.Waiting[reason] = 0
	}
	holds := WaitPaused
	var one int
	paused, err := q.row(`SELECT 1 FROM workspaces WHERE id = ? AND sending_paused_at IS NOT NULL`, []any{q.by.Workspace}, &one)
	if err != nil {
		return m, err
	}
	if paused {
		holds = WaitSending
	}
	if err := q.sumWaitingOf(&m, of, holds); err != nil {
		return m, err
	}
	if _, err := q.row(`SELECT COUNT(*) FROM invitations v JOIN workspaces w ON w.id = +v.workspace_id AND v.mail_state IN ('claimed', 'sending')
		WHERE w.id = ? AND v.survey_id = ?`, []any{q.by.Workspace, of}, &m.InFlight); err != nil {
		return m, err
	}
	return m, q.sumOutcomesOf(&m, of)
}

func (q *session) sumWaitingOf(m *MailSummary, of survey.ID, holds survey.Reason) error {
	var reason string
	var held bool
	var later, n int
	var first int64
	return q.each(`SELECT wait_reason, held, later, COUNT(*), MIN(due_at) FROM (SELECT survey_id, wait_reason, held, due_at,
		CASE WHEN due_at > ? THEN 1 ELSE 0 END AS later FROM invitations`+q.indexedBy("invitations_waiting")+`
		WHERE workspace_id = ? AND mail_state = 'waiting' LIMIT ?) AS part WHERE survey_id = ? GROUP BY wait_reason, held, later`,
		[]any{q.now, q.by.Workspace, mostLooked, of}, []any{&reason, &held, &later, &n, &first}, func() error {
			at := survey.Instant(first)
			switch why := survey.Reason(cmp.Or(reason, string(WaitScheduled))); {
			case held:
				m.Waiting[holds] = min(m.Waiting[holds]+n, SummaryCap)
			case later == 1:
				m.Waiting[why] = min(m.Waiting[why]+n, SummaryCap)
				m.NextDue = earlier(m.NextDue, &at)
			default:
				m.Due = min(m.Due+n, SummaryCap)
				m.OldestDue = earlier(m.OldestDue, &at)
			}
			return nil
		})
}

// sumOutcomesOf counts the mails of the last day by what became of them, and
// those sent in each of the last minutes.
func (q *session) sumOutcomesOf(m *MailSummary, of survey.ID) error {
	const minute = int64(time.Minute / time.Millisecond)
	newest := int64(q.now) / minute
	m.Minutes = make([]SentMinute, sentMinutes)
	for i := range m.Minutes {
		m.Minutes[i].Start = survey.Instant((newest - int64(i)) * minute)
	}
	var outcome string
	var at int64
	var n int
	return q.each(`SELECT outcome, at, COUNT(*) FROM (SELECT survey_id, outcome, CASE WHEN outcome_at >= ? THEN outcome_at / ? ELSE 0 END AS at
		FROM invitations`+q.indexedBy("invitations_outcome")+` WHERE workspace_id = ? AND outcome IS NOT NULL AND outcome IN ('sent', 'failed', 'uncertain')
		AND outcome_at >= ? LIMIT ?) AS part WHERE survey_id = ? GROUP BY outcome, at`,
		[]any{(newest - sentMinutes + 1) * minute, minute, q.by.Workspace, q.now.Add(-24 * time.Hour), mostLooked, of}, []any{&outcome, &at, &n}, func() error {
			counts := map[string]*int{"sent": &m.Sent, "failed": &m.Failed, "uncertain": &m.Uncertain}[outcome]
			*counts = min(*counts+n, SummaryCap)
			if back := newest - at; outcome == "sent" && back >= 0 && back < sentMinutes {
				m.Minutes[back].Sent = min(n, SummaryCap)
			}
			return nil
		})
}
