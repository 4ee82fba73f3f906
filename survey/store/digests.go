package store

import (
	"context"
	"strings"

	"koe/survey"
)

// DueDigest is a member whose digest is due.
type DueDigest struct {
	Workspace int64
	Member    survey.ID
}

// DueDigests are at most n members whose digest is due, the longest first.
func (s *Store) DueDigests(ctx context.Context, n int) ([]DueDigest, error) {
	q := s.reading(ctx, Caller{})
	var due []DueDigest
	var one DueDigest
	var of id
	err := q.each(`SELECT workspace_id, id FROM workspace_members`+q.indexedBy("workspace_members_digest_at")+` WHERE digest_at > 0 AND digest_at <= ?
		ORDER BY digest_at LIMIT ?`, []any{q.now, n}, []any{&one.Workspace, &of}, func() error {
		one.Member = survey.ID(of)
		due = append(due, one)
		return nil
	})
	return due, away(err)
}

// QueueDigest puts a member's digest into the outbox, unless it is too late for
// it, and plans the next. Any number of processes may do so at once: the first one
// moves on when the next is due, and the others find nothing that is. A member
// who is gone is none.
func (s *Store) QueueDigest(ctx context.Context, due DueDigest) error {
	return s.write(ctx, Caller{Workspace: due.Workspace, KeyName: "koe"}, func(q *session) error {
		var at, told int64
		found, err := q.row(`SELECT digest_at, digest_told FROM workspace_members WHERE workspace_id = ? AND id = ?`+q.forUpdate(),
			[]any{due.Workspace, due.Member}, &at, &told)
		if err != nil || !found || at == 0 || at > int64(q.now) {
			return err
		}
		m, err := q.member(due.Member, "")
		if err != nil {
			return err
		}
		if period, is := m.DueDigest(survey.Day(told), q.now); is {
			if err := q.notify(survey.EventDigest, m.ID, m.Email, period); err != nil {
				return err
			}
			told = int64(period.End)
		}
		return q.must(`UPDATE workspace_members SET digest_at = ?, digest_told = ? WHERE workspace_id = ? AND id = ?`,
			m.NextDigest(q.now), told, due.Workspace, due.Member)
	})
}

// planDigest says when a member's next digest falls due.
func (q *session) planDigest(m survey.Member) error {
	return q.must(`UPDATE workspace_members SET digest_at = ? WHERE workspace_id = ? AND id = ?`, m.NextDigest(q.now), q.by.Workspace, m.ID)
}

// DigestMail is what a digest is written of: what its member may see now.
type DigestMail struct {
	Member    survey.Member
	Workspace survey.Workspace
	Period    survey.DigestPeriod
	Counted   Counted           // by touchpoint: the period, and the one before
	Open      int               // unhappy answers of the period that nobody has resolved
	Said      []survey.FollowUp // those of them that came last with a comment
	// Unwanted says why it is not sent any more; "" where it is.
	Unwanted string
}

// DigestMail looks up what a digest says. Unwanted, nothing else is.
func (s *Store) DigestMail(ctx context.Context, d Dispatch) (m DigestMail, err error) {
	q := s.reading(ctx, Caller{Workspace: d.Workspace})
	if err := fromJSON(d.Body, &m.Period); err != nil {
		return m, err
	}
	m.Member, err = q.member(d.Subject, "")
	switch {
	case isNotFound(err) || err == nil && m.Member.Email != d.To:
		return DigestMail{Unwanted: "the member is gone"}, nil
	case err != nil:
		return m, away(err)
	case m.Member.Digest != m.Period.Rhythm:
		return DigestMail{Unwanted: "the member wants it no more"}, nil
	case m.Period.Late(q.now):
		return DigestMail{Unwanted: "it is too late for it"}, nil
	}
	if m.Workspace, err = q.workspace(d.Workspace); err != nil {
		return m, away(err)
	}
	by := Caller{Workspace: d.Workspace, KeyID: m.Member.ID, KeyName: m.Member.Name, Role: m.Member.Role, Scope: ScopeOf(m.Member)}
	p := m.Period
	if m.Counted, err = s.Tally(ctx, by, ScoreQuery{Spans: []Span{{&p.From, &p.To}, {&p.Since, &p.From}}, GroupBy: ByTouchpoint, AnyMetric: true}); err != nil {
		return m, err
	}
	var answers int64
	for _, cell := range m.Counted.Spans[0] {
		answers += cell.Histogram.N()
	}
	if answers == 0 {
		return DigestMail{Unwanted: "nothing came in"}, nil
	}
	return m, s.digestFollowUps(ctx, by, &m)
}

// digestSaid is how many comments a digest quotes, and among how many of the
// latest unhappy answers it looks for them.
const (
	digestSaid    = 5
	digestAnswers = 50
)

func (s *Store) digestFollowUps(ctx context.Context, by Caller, m *DigestMail) error {
	f := FollowUpFilter{States: []survey.FollowUpState{survey.FollowUpOpen, survey.FollowUpInProgress}, From: &m.Period.From, To: &m.Period.To}
	q := s.reading(ctx, by)
	where, args, err := s.followUpConditions(q, f)
	if err != nil {
		return err
	}
	if _, err := q.row(`SELECT COUNT(*) FROM follow_ups`+q.indexedBy("follow_ups_opened_at")+` WHERE `+strings.Join(where, " AND "), args, &m.Open); err != nil {
		return away(err)
	}
	latest, _, err := s.FollowUps(ctx, by, f, Page{Limit: digestAnswers})
	for _, one := range latest {
		if one.Response.Comment != "" && len(m.Said) < digestSaid {
			m.Said = append(m.Said, one)
		}
	}
	return err
}
