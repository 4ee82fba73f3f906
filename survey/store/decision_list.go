package store

import (
	"context"

	"koe/survey"
)

// Decision is one that was made, with what became of its invitation since.
type Decision struct {
	ID         survey.ID
	Survey     survey.ID
	Person     *survey.ID
	SourceType string // "interaction" and so on: what it was made after
	Source     survey.ID
	Verdict    survey.Verdict
	Reason     survey.Reason
	Until      *survey.Instant
	Invitation *DecidedInvitation // nil where skipped
	CreatedAt  survey.Instant
}

// DecidedInvitation is where the invitation of a decision stands.
type DecidedInvitation struct {
	ID     survey.ID
	State  survey.InvitationState
	Reason string
	SendAt survey.Instant
}

// DecisionFilter narrows a list; empty fields do not.
type DecisionFilter struct {
	Verdict  survey.Verdict
	Reason   survey.Reason
	From, To *survey.Instant
}

// Decisions lists what a survey decided, the newest first.
func (s *Store) Decisions(ctx context.Context, by Caller, ref string, f DecisionFilter, page Page) ([]Decision, string, error) {
	q := s.reading(ctx, by)
	place, err := s.surveyByRef(q, ref)
	if err != nil {
		return nil, "", away(err)
	}
	where, args := []string{"d.workspace_id = ?", "d.survey_id = ?"}, []any{by.Workspace, place.Survey.ID}
	and := func(condition string, value any) { where, args = append(where, condition), append(args, value) }
	if f.Verdict != "" {
		and("d.verdict = ?", string(f.Verdict))
	}
	if f.Reason != "" {
		and("d.reason = ?", string(f.Reason))
	}
	if f.From != nil {
		and("d.created_at >= ?", *f.From)
	}
	if f.To != nil {
		and("d.created_at < ?", *f.To)
	}
	var rows []decisionRow
	next, err := s.newestFirst(q, "decisions "+place.Survey.ID.String(), f, page, "d.created_at", where, args,
		func(tail string, args []any) (int, error) {
			err := q.list(&rows, `SELECT d.id, d.survey_id, d.person_id, d.source_type, d.source_id, d.verdict, d.reason, d.until_at,
				d.created_at, v.id AS invitation_id, v.state, v.reason AS ended, v.planned_at, v.expires_at
				FROM decisions d LEFT JOIN invitations v ON v.workspace_id = d.workspace_id AND v.id = d.invitation_id`+tail, args...)
			return len(rows), err
		}, func(i int) (int64, survey.ID) { return rows[i].CreatedAt, survey.ID(rows[i].ID) })
	if err != nil {
		return nil, "", away(err)
	}
	list := make([]Decision, min(len(rows), page.Limit))
	for i := range list {
		list[i] = rows[i].decision(q.now)
	}
	return list, next, nil
}

// DecisionCounts says how many decisions of a survey in a span came to which
// reason; "" is that somebody is asked. Of more than SummaryCap the latest are
// counted. A survey that does not exist has none.
func (s *Store) DecisionCounts(ctx context.Context, by Caller, of survey.ID, span Span) (map[survey.Reason]int, error) {
	q := s.reading(ctx, by)
	where, args := `workspace_id = ? AND survey_id = ?`, []any{by.Workspace, of}
	if span.From != nil {
		where, args = where+` AND created_at >= ?`, append(args, *span.From)
	}
	if span.To != nil {
		where, args = where+` AND created_at < ?`, append(args, *span.To)
	}
	counts := map[survey.Reason]int{}
	var reason string
	var n int
	err := q.each(`SELECT reason, COUNT(*) FROM (SELECT reason FROM decisions`+q.indexedBy("decisions_survey_id_created_at")+`
		WHERE `+where+` ORDER BY created_at DESC LIMIT ?) AS part GROUP BY reason`, append(args, SummaryCap), []any{&reason, &n}, func() error {
		counts[survey.Reason(reason)] = n
		return nil
	})
	return counts, away(err)
}

type decisionRow struct {
	ID           id
	SurveyID     id
	PersonID     id
	SourceType   string
	SourceID     id
	Verdict      string
	Reason       string
	UntilAt      *int64
	CreatedAt    int64
	InvitationID id
	State        *string
	Ended        *string
	PlannedAt    *int64
	ExpiresAt    *int64
}

func (r decisionRow) decision(now survey.Instant) Decision {
	d := Decision{ID: survey.ID(r.ID), Survey: survey.ID(r.SurveyID), Person: r.PersonID.orNil(), SourceType: r.SourceType,
		Source: survey.ID(r.SourceID), Verdict: survey.Verdict(r.Verdict), Reason: survey.Reason(r.Reason),
		Until: (*survey.Instant)(r.UntilAt), CreatedAt: survey.Instant(r.CreatedAt)}
	if r.State != nil {
		state, reason := shownState(*r.State, *r.Ended, survey.Instant(*r.ExpiresAt), now)
		d.Invitation = &DecidedInvitation{ID: survey.ID(r.InvitationID), State: state, Reason: reason, SendAt: survey.Instant(*r.PlannedAt)}
	}
	return d
}
