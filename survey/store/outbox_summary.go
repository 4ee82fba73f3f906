package store

import (
	"context"
	"fmt"
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

// DeliverySummary counts the rows of one kind in the outbox.
type DeliverySummary struct {
	Kind      string
	Due       int
	Waiting   int // for a later instant
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
	survey.WaitRetry, survey.WaitDomainCap, survey.WaitReminder, WaitPaused, WaitSending}

// sentMinutes is how far back Minutes goes.
const sentMinutes = 5

// OutboxSummary counts what waits in a workspace, and what went out lately.
func (s *Store) OutboxSummary(ctx context.Context, by Caller) (OutboxSummary, error) {
	q := s.reading(ctx, by)
	out := OutboxSummary{At: q.now, Mail: MailSummary{Waiting: map[survey.Reason]int{}}}
	for _, part := range []func(*OutboxSummary) error{q.sumWaiting, q.sumInFlight, q.sumOutcomes, q.sumDeliveries} {
		if err := part(&out); err != nil {
			return out, away(err)
		}
	}
	return out, nil
}

// counted is COUNT(*) up to SummaryCap.
func (q *session) counted(n *int, from string, args ...any) error {
	_, err := q.row(fmt.Sprintf(`SELECT COUNT(*) FROM (SELECT 1 FROM %s LIMIT %d) AS part`, from, SummaryCap), args, n)
	return err
}

// sumWaiting walks the reasons in the index that is sorted by them.
func (q *session) sumWaiting(out *OutboxSummary) error {
	const waiting = `invitations WHERE workspace_id = ? AND mail_state = 'waiting' AND held = ? AND wait_reason = ?`
	m := &out.Mail
	holds := WaitPaused
	m.Waiting[WaitPaused], m.Waiting[WaitSending] = 0, 0
	sending, _, err := q.sending("")
	if err != nil {
		return err
	}
	if sending.Paused != "" {
		holds = WaitSending
	}
	for _, reason := range waitReasons {
		if reason == WaitPaused || reason == WaitSending {
			continue
		}
		kept := string(reason)
		if reason == WaitScheduled {
			kept = ""
		}
		var due, later, held int
		var oldest, next *int64
		if err := q.counted(&due, waiting+` AND due_at <= ?`, q.by.Workspace, false, kept, q.now); err != nil {
			return err
		}
		if err := q.counted(&later, waiting+` AND due_at > ?`, q.by.Workspace, false, kept, q.now); err != nil {
			return err
		}
		if err := q.counted(&held, waiting, q.by.Workspace, true, kept); err != nil {
			return err
		}
		if _, err := q.row(`SELECT MIN(due_at) FROM `+waiting+` AND due_at <= ?`, []any{q.by.Workspace, false, kept, q.now}, &oldest); err != nil {
			return err
		}
		if _, err := q.row(`SELECT MIN(due_at) FROM `+waiting+` AND due_at > ?`, []any{q.by.Workspace, false, kept, q.now}, &next); err != nil {
			return err
		}
		m.Due = min(m.Due+due, SummaryCap)
		m.Waiting[reason] = later
		m.Waiting[holds] = min(m.Waiting[holds]+held, SummaryCap)
		m.OldestDue = earlier(m.OldestDue, (*survey.Instant)(oldest))
		m.NextDue = earlier(m.NextDue, (*survey.Instant)(next))
	}
	return nil
}

func earlier(a, b *survey.Instant) *survey.Instant {
	if a == nil || b != nil && *b < *a {
		return b
	}
	return a
}

func (q *session) sumInFlight(out *OutboxSummary) error {
	return q.counted(&out.Mail.InFlight, `invitations WHERE mail_state IN ('claimed', 'sending') AND workspace_id = ?`, q.by.Workspace)
}

// sumOutcomes counts what became of mails lately.
func (q *session) sumOutcomes(out *OutboxSummary) error {
	const since = `invitations WHERE workspace_id = ? AND outcome = ? AND outcome IS NOT NULL AND outcome_at >= ?`
	m := &out.Mail
	for outcome, n := range map[string]*int{"sent": &m.Sent, "failed": &m.Failed, "uncertain": &m.Uncertain} {
		if err := q.counted(n, since, q.by.Workspace, outcome, q.now.Add(-24*time.Hour)); err != nil {
			return err
		}
	}
	minute := survey.InstantOf(q.now.Time().Truncate(time.Minute))
	for range sentMinutes {
		one := SentMinute{Start: minute}
		if err := q.counted(&one.Sent, since+` AND outcome_at < ?`, q.by.Workspace, "sent", minute, minute.Add(time.Minute)); err != nil {
			return err
		}
		m.Minutes = append(m.Minutes, one)
		minute = minute.Add(-time.Minute)
	}
	return nil
}

// sumDeliveries counts the outbox by kind; what has been delivered is not
// counted.
func (q *session) sumDeliveries(out *OutboxSummary) error {
	var rows []struct {
		Kind, State string
		Later       int
		N           int
		Oldest      int64
	}
	if err := q.list(&rows, fmt.Sprintf(`SELECT kind, state, later, COUNT(*) AS n, MIN(due_at) AS oldest
		FROM (SELECT kind, state, due_at, CASE WHEN due_at > ? THEN 1 ELSE 0 END AS later FROM outbox
		WHERE workspace_id = ? AND state IN ('waiting', 'claimed', 'failed') ORDER BY state, due_at LIMIT %d) AS part
		GROUP BY kind, state, later ORDER BY kind`, SummaryCap), q.now, q.by.Workspace); err != nil {
		return err
	}
	for _, row := range rows {
		if n := len(out.Deliveries); n == 0 || out.Deliveries[n-1].Kind != row.Kind {
			out.Deliveries = append(out.Deliveries, DeliverySummary{Kind: row.Kind})
		}
		d := &out.Deliveries[len(out.Deliveries)-1]
		switch {
		case row.State == outboxFailed:
			d.Failed += row.N
		case row.State != outboxWaiting:
			d.InFlight += row.N
		case row.Later == 1:
			d.Waiting += row.N
		default:
			d.Due += row.N
			d.OldestDue = (*survey.Instant)(&row.Oldest)
		}
	}
	return nil
}

// MailGauges are the mails of all workspaces that wait or are under way; counts
// end at SummaryCap.
type MailGauges struct {
	Due, InFlight int
	OldestDue     time.Duration // how long the oldest has been due; 0 where none is
}

// MailGauges counts for whoever watches koe as a whole.
func (s *Store) MailGauges(ctx context.Context) (MailGauges, error) {
	q := s.reading(ctx, Caller{})
	var g MailGauges
	held := "held = 0"
	if q.postgres {
		held = "NOT held"
	}
	due := `invitations WHERE mail_state = 'waiting' AND ` + held + ` AND due_at <= ?`
	if err := q.counted(&g.Due, due, q.now); err != nil {
		return g, away(err)
	}
	if err := q.counted(&g.InFlight, `invitations WHERE mail_state IN ('claimed', 'sending')`); err != nil {
		return g, away(err)
	}
	var oldest *int64
	_, err := q.row(`SELECT MIN(due_at) FROM `+due, []any{q.now}, &oldest)
	if oldest != nil {
		g.OldestDue = q.now.Sub(survey.Instant(*oldest))
	}
	return g, away(err)
}

// outcome notes what became of the latest mail; see OutboxSummary.
func (q *session) outcome(row invitationRow, what string) error {
	return q.must(`UPDATE invitations SET outcome = ?, outcome_at = ? WHERE workspace_id = ? AND id = ?`,
		what, q.now, row.WorkspaceID, row.ID)
}
