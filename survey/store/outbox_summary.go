package store

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"koe/survey"
)

// SummaryCap is how far OutboxSummary counts: a count of so many means "so many
// or more". It keeps the question cheap with a million mails waiting.
const SummaryCap = 100_000

// OutboxSummary says whether koe is sending, for one workspace.
type OutboxSummary struct {
	At   survey.Instant
	Mail MailSummary
	// Deliveries is everything else that leaves koe, by kind; empty where
	// nothing of the kind waits or has failed.
	Deliveries []DeliverySummary
}

// MailSummary counts mails by what they wait for. Every count ends at
// SummaryCap.
type MailSummary struct {
	Due       int                   // may go out now
	Waiting   map[survey.Reason]int // for a later instant, and why; WaitPaused is held, whatever its instant
	InFlight  int                   // claimed by a sender, or being handed over
	Minutes   []SentMinute          // the last minutes, the newest first; the first is not over yet
	Sent      int                   // in the last 24 hours: of each invitation its latest mail
	Failed    int                   // likewise
	Uncertain int                   // likewise
	OldestDue *survey.Instant       // since when the oldest of Due has waited
	NextDue   *survey.Instant       // of those that wait for a later instant
}

// SentMinute is how many mails went out in one minute.
type SentMinute struct {
	Start survey.Instant
	Sent  int
}

// DeliverySummary counts the rows of one kind in the outbox. Every count ends at
// SummaryCap.
type DeliverySummary struct {
	Kind      string
	Due       int
	Waiting   int // for a later instant
	Paused    int // for their webhook to be active again, whatever their instant
	InFlight  int
	Failed    int
	OldestDue *survey.Instant
}

// The keys of Waiting beside the reasons of a survey.Recheck.
const (
	WaitScheduled survey.Reason = "scheduled"     // for the instant it was planned for
	WaitPaused    survey.Reason = "paused_survey" // its survey is paused
	// WaitSending: sending has paused itself; held mail of paused surveys too
	WaitSending survey.Reason = "sending_paused"
)

// waitReasons are all keys of Waiting.
var waitReasons = []survey.Reason{WaitScheduled, survey.WaitSendWindow, survey.SkipDailyLimit, survey.SkipQuietPeriod,
	survey.WaitRetry, survey.WaitDomainCap, survey.WaitRecipientCap, survey.WaitReminder, WaitPaused, WaitSending}

// sentMinutes is how far back Minutes goes.
const sentMinutes = 5

// OutboxSummary counts what waits in a workspace, and what went out lately: of
// everything, or of the mail of one survey (its id or key; nothing else that
// leaves koe is of one). Invalid on "survey" where there is none.
func (s *Store) OutboxSummary(ctx context.Context, by Caller, of string) (OutboxSummary, error) {
	q := s.reading(ctx, by)
	out := OutboxSummary{At: q.now}
	if of != "" {
		place, err := s.surveyByRef(q, of)
		if err != nil {
			return out, namedFilter("survey", err)
		}
		out.Mail, err = q.sumMail(mailOf{true, ` WHERE w.id = ? AND s.id = ?`, []any{by.Workspace, place.Survey.ID}})
		return out, away(err)
	}
	var err error
	if out.Mail, err = q.sumMail(mailOf{which: ` WHERE w.id = ?`, args: []any{by.Workspace}}); err == nil {
		err = q.sumDeliveries(&out)
	}
	return out, away(err)
}

// MailTotals counts the mail of all workspaces together, for whoever watches koe
// as a whole.
func (s *Store) MailTotals(ctx context.Context) (at survey.Instant, m MailSummary, err error) {
	q := s.reading(ctx, Caller{})
	m, err = q.sumMail(mailOf{})
	return q.now, m, away(err)
}

// mailOf is whose mail is counted: that of workspaces w, or of surveys s of them.
type mailOf struct {
	surveys bool
	which   string // the condition on w and s; "" for all
	args    []any  // of which
}

// from are the tables w and s.
func (of mailOf) from() string {
	if of.surveys {
		return ` FROM workspaces w JOIN surveys s ON s.workspace_id = w.id`
	}
	return ` FROM workspaces w`
}

// invitations are the invitations v of w or s in a state that has an index of its
// own: waiting or outcome.
func (q *session) invitations(of mailOf, state string) string {
	if of.surveys {
		return ` FROM invitations v` + q.indexedBy("invitations_survey_"+state) + ` WHERE v.workspace_id = w.id AND v.survey_id = s.id AND `
	}
	return ` FROM invitations v` + q.indexedBy("invitations_"+state) + ` WHERE v.workspace_id = w.id AND `
}

// counted is COUNT(*) up to SummaryCap.
func counted(invitations, where string) string {
	return fmt.Sprintf(`(SELECT COUNT(*) FROM (SELECT 1%s%s LIMIT %d) AS part)`, invitations, where, SummaryCap)
}

// sumMail counts mail.
func (q *session) sumMail(of mailOf) (MailSummary, error) {
	m := MailSummary{Waiting: map[survey.Reason]int{}}
	for _, part := range []func(*MailSummary, mailOf) error{q.sumWaiting, q.sumInFlight, q.sumOutcomes} {
		if err := part(&m, of); err != nil {
			return m, err
		}
	}
	return m, nil
}

// sumWaiting walks the reasons in the index that is sorted by them.
func (q *session) sumWaiting(m *MailSummary, of mailOf) error {
	reasons := make([]string, 0, len(waitReasons))
	for _, reason := range waitReasons {
		m.Waiting[reason] = 0
		if reason != WaitPaused && reason != WaitSending {
			reasons = append(reasons, "SELECT '"+kept(reason)+"' AS reason")
		}
	}
	waiting := `v.mail_state = 'waiting' AND v.wait_reason = r.reason AND v.held = `
	due, later := waiting+q.truth(false)+` AND v.due_at <= ?`, waiting+q.truth(false)+` AND v.due_at > ?`
	invitations := q.invitations(of, "waiting")
	first := func(where string) string { return `(SELECT MIN(v.due_at)` + invitations + where + `)` }
	var reason string
	var paused bool
	var isDue, isLater, isHeld int
	var oldest, next *int64
	return q.each(`SELECT reason, paused, CAST(SUM(due) AS bigint), CAST(SUM(later) AS bigint),
		CAST(SUM(held) AS bigint), MIN(oldest), MIN(next) FROM (SELECT r.reason AS reason,
		w.sending_paused_at IS NOT NULL AS paused, `+counted(invitations, due)+` AS due, `+counted(invitations, later)+` AS later,
		`+counted(invitations, waiting+q.truth(true))+` AS held, `+first(due)+` AS oldest, `+first(later)+` AS next`+of.from()+`
		CROSS JOIN (`+strings.Join(reasons, " UNION ALL ")+`) AS r`+of.which+`) AS parts
		GROUP BY reason, paused`, append([]any{q.now, q.now, q.now, q.now}, of.args...),
		[]any{&reason, &paused, &isDue, &isLater, &isHeld, &oldest, &next}, func() error {
			why, holds := survey.Reason(cmp.Or(reason, string(WaitScheduled))), WaitPaused
			if paused {
				holds = WaitSending
			}
			m.Due = min(m.Due+isDue, SummaryCap)
			m.Waiting[why] = min(m.Waiting[why]+isLater, SummaryCap)
			m.Waiting[holds] = min(m.Waiting[holds]+isHeld, SummaryCap)
			m.OldestDue = earlier(m.OldestDue, (*survey.Instant)(oldest))
			m.NextDue = earlier(m.NextDue, (*survey.Instant)(next))
			return nil
		})
}

// kept is how the database keeps a reason.
func kept(why survey.Reason) string {
	if why == WaitScheduled {
		return ""
	}
	return string(why)
}

func earlier(a, b *survey.Instant) *survey.Instant {
	if a == nil || b != nil && *b < *a {
		return b
	}
	return a
}

func (q *session) sumInFlight(m *MailSummary, of mailOf) error {
	with := ""
	if of.surveys {
		with = ` JOIN surveys s ON s.workspace_id = w.id AND s.id = v.survey_id`
	}
	// + keeps SQLite from walking all that the workspace has
	_, err := q.row(`SELECT COUNT(*) FROM invitations v`+q.indexedBy("invitations_lease_until")+`
		JOIN workspaces w ON w.id = +v.workspace_id AND v.mail_state IN ('claimed', 'sending')`+with+of.which, of.args, &m.InFlight)
	m.InFlight = min(m.InFlight, SummaryCap)
	return err
}

// sumOutcomes counts what became of mails lately.
func (q *session) sumOutcomes(m *MailSummary, of mailOf) error {
	minute := survey.InstantOf(q.now.Time().Truncate(time.Minute))
	m.Minutes = make([]SentMinute, sentMinutes)
	invitations := q.invitations(of, "outcome")
	var sums []string
	var since, into []any
	var counts []*int
	sum := func(outcome, until string, n *int, from ...any) {
		sums = append(sums, `CAST(COALESCE(SUM(`+counted(invitations, `v.outcome = '`+outcome+`' AND v.outcome IS NOT NULL AND v.outcome_at >= ?`+until)+`), 0) AS bigint)`)
		since, into = append(since, from...), append(into, n)
		counts = append(counts, n)
	}
	day := q.now.Add(-24 * time.Hour)
	sum("sent", "", &m.Sent, day)
	sum("failed", "", &m.Failed, day)
	sum("uncertain", "", &m.Uncertain, day)
	for i := range m.Minutes {
		one := &m.Minutes[i]
		one.Start = minute.Add(-time.Duration(i) * time.Minute)
		sum("sent", ` AND v.outcome_at < ?`, &one.Sent, one.Start, one.Start.Add(time.Minute))
	}
	_, err := q.row(`SELECT `+strings.Join(sums, ", ")+of.from()+of.which, append(since, of.args...), into...)
	for _, n := range counts {
		*n = min(*n, SummaryCap)
	}
	return err
}

// sumDeliveries counts the outbox by kind; what has been delivered is not
// counted.
func (q *session) sumDeliveries(out *OutboxSummary) error {
	rows := ` FROM outbox o` + q.indexedBy("outbox_kind_state") + ` WHERE o.workspace_id = w.id AND o.kind = k.kind AND o.state = `
	hooks := func(state string) string {
		return ` FROM webhooks h CROSS JOIN outbox o` + q.indexedBy("outbox_webhook_id_due_at") + ` WHERE k.kind = 'webhook' AND h.workspace_id = w.id AND h.state ` + state + `
			AND o.workspace_id = h.workspace_id AND o.webhook_id = h.id AND o.webhook_id IS NOT NULL AND o.state = 'waiting'`
	}
	notices, active := rows+`'waiting' AND k.kind = 'notice'`, hooks(`= 'active'`)
	var d DeliverySummary
	var oldest *int64
	return q.each(`SELECT k.kind, `+
		counted(notices, ` AND o.due_at <= ?`)+` + `+counted(active, ` AND o.due_at <= ?`)+`, `+
		counted(notices, ` AND o.due_at > ?`)+` + `+counted(active, ` AND o.due_at > ?`)+`, `+
		counted(hooks(`<> 'active'`), ``)+`, `+counted(rows, `'claimed'`)+`, `+counted(rows, `'failed'`)+`,
		CASE k.kind WHEN 'notice' THEN (SELECT MIN(o.due_at)`+notices+`) ELSE (SELECT MIN(first) FROM (SELECT (SELECT MIN(o.due_at)
			FROM outbox o`+q.indexedBy("outbox_webhook_id_due_at")+` WHERE o.workspace_id = h.workspace_id AND o.webhook_id = h.id AND o.webhook_id IS NOT NULL
			AND o.state = 'waiting') AS first FROM webhooks h WHERE h.workspace_id = w.id AND h.state = 'active') AS firsts) END
		FROM workspaces w CROSS JOIN (SELECT '`+outboxNotice+`' AS kind UNION ALL SELECT '`+outboxWebhook+`' AS kind) AS k WHERE w.id = ? ORDER BY k.kind`,
		[]any{q.now, q.now, q.now, q.now, q.by.Workspace},
		[]any{&d.Kind, &d.Due, &d.Waiting, &d.Paused, &d.InFlight, &d.Failed, &oldest}, func() error {
			d.OldestDue = nil
			if oldest != nil && survey.Instant(*oldest) <= q.now {
				since := survey.Instant(*oldest)
				d.OldestDue = &since
			}
			if d != (DeliverySummary{Kind: d.Kind}) {
				out.Deliveries = append(out.Deliveries, d)
			}
			return nil
		})
}

// outcome notes what became of the latest mail; see OutboxSummary.
func (q *session) outcome(row invitationRow, what string) error {
	return q.must(`UPDATE invitations SET outcome = ?, outcome_at = ? WHERE workspace_id = ? AND id = ?`,
		what, q.now, row.WorkspaceID, row.ID)
}
