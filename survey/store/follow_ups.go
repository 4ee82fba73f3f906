package store

import (
	"context"
	"slices"

	"koe/survey"
)

type followUpRow struct {
	WorkspaceID  int64
	ID           id
	SurveyID     id
	TouchpointID id
	ResponseID   id
	PersonID     id
	OwnerID      id
	State        string
	Outcome      string
	Confirmation string
	Reopened     int
	Since        int64
	OpenedAt     int64
	DueAt        int64
	AssignedAt   *int64
	TouchedAt    *int64
	ResolvedAt   *int64
	ClosedAt     *int64
	EscalateAt   *int64
	EscalatedAt  *int64
	ConfirmBy    *int64
	NoticeID     id
	Nonce        []byte
	UpdatedAt    int64
}

const followUpColumns = `workspace_id, id, survey_id, touchpoint_id, response_id, person_id, owner_id, state, outcome, confirmation, reopened,
	since, opened_at, due_at, assigned_at, touched_at, resolved_at, closed_at, escalate_at, escalated_at, confirm_by, notice_id, nonce, updated_at`

// followUp is the row as the domain knows it, without what other tables know.
func (r followUpRow) followUp() survey.FollowUp {
	return survey.FollowUp{ID: survey.ID(r.ID), Survey: survey.ID(r.SurveyID), State: survey.FollowUpState(r.State), Outcome: r.Outcome,
		Confirmation: survey.Confirmation(r.Confirmation), Reopened: r.Reopened, Since: survey.Instant(r.Since),
		OpenedAt: survey.Instant(r.OpenedAt), DueAt: survey.Instant(r.DueAt), TouchedAt: (*survey.Instant)(r.TouchedAt),
		ResolvedAt: (*survey.Instant)(r.ResolvedAt), ClosedAt: (*survey.Instant)(r.ClosedAt), EscalatedAt: (*survey.Instant)(r.EscalatedAt),
		ConfirmBy: (*survey.Instant)(r.ConfirmBy), UpdatedAt: survey.Instant(r.UpdatedAt)}
}

// take puts into the row what may change of a follow-up but its owner.
func (r *followUpRow) take(f survey.FollowUp, rule survey.FollowUpRule, now survey.Instant) {
	r.State, r.Outcome, r.Confirmation, r.Reopened = string(f.State), f.Outcome, string(f.Confirmation), f.Reopened
	r.DueAt, r.TouchedAt, r.ResolvedAt, r.ClosedAt = int64(f.DueAt), (*int64)(f.TouchedAt), (*int64)(f.ResolvedAt), (*int64)(f.ClosedAt)
	r.EscalatedAt, r.ConfirmBy, r.UpdatedAt = (*int64)(f.EscalatedAt), (*int64)(f.ConfirmBy), int64(now)
	r.EscalateAt = (*int64)(f.EscalateAt(rule, now))
}

// saveFollowUp writes what may change of a row.
func (q *session) saveFollowUp(r followUpRow) error {
	return q.must(`UPDATE follow_ups SET owner_id = ?, assigned_at = ?, state = ?, outcome = ?, confirmation = ?, reopened = ?, due_at = ?,
		touched_at = ?, resolved_at = ?, closed_at = ?, escalate_at = ?, escalated_at = ?, confirm_by = ?, notice_id = ?, updated_at = ?
		WHERE workspace_id = ? AND id = ?`, r.OwnerID.orNil(), r.AssignedAt, r.State, r.Outcome, r.Confirmation, r.Reopened, r.DueAt,
		r.TouchedAt, r.ResolvedAt, r.ClosedAt, r.EscalateAt, r.EscalatedAt, r.ConfirmBy, r.NoticeID.orNil(), r.UpdatedAt, r.WorkspaceID, r.ID)
}

var errNoFollowUp = survey.Errorf(survey.NotFound, "", "there is no such follow-up")

func (q *session) followUpRow(of survey.ID, lock string) (row followUpRow, err error) {
	found, err := q.find(&row, `SELECT `+followUpColumns+` FROM follow_ups WHERE workspace_id = ? AND id = ?`+lock, q.by.Workspace, of)
	if err == nil && !found {
		err = errNoFollowUp
	}
	return row, err
}

// followUpOf is the follow-up of a response; false where there is none.
func (q *session) followUpOf(response id, lock string) (row followUpRow, found bool, err error) {
	found, err = q.find(&row, `SELECT `+followUpColumns+` FROM follow_ups WHERE workspace_id = ? AND response_id = ?`+lock, q.by.Workspace, response)
	return row, found, err
}

// FollowUpFilter narrows a list; empty fields do not.
type FollowUpFilter struct {
	States     []survey.FollowUpState
	Owner      string // a member's address; Unowned for nobody
	Overdue    *bool
	Survey     string // id or key
	Touchpoint string
	From, To   *survey.Instant // when it was opened
	ByDue      bool            // what is due first stands first, else what was opened last
}

// Unowned as a filter's owner means what nobody owns.
const Unowned = "none"

// FollowUps lists follow-ups, without their notes.
func (s *Store) FollowUps(ctx context.Context, by Caller, f FollowUpFilter, page Page) ([]survey.FollowUp, string, error) {
	q := s.reading(ctx, by)
	where, args, err := s.followUpConditions(q, f)
	if err != nil {
		return nil, "", err
	}
	sorted, index, where := f.sorted(where)
	var rows []followUpRow
	load := func(tail string, args []any) (int, error) {
		err := q.list(&rows, `SELECT `+followUpColumns+` FROM follow_ups`+q.indexedBy(index)+tail, args...)
		return len(rows), err
	}
	next, err := s.page(q, "follow-ups", f, page, sorted, where, args, load, func(i int) cursor {
		if f.ByDue {
			return cursor{Number: rows[i].DueAt, ID: survey.ID(rows[i].ID)}
		}
		return cursor{Number: rows[i].OpenedAt, ID: survey.ID(rows[i].ID)}
	})
	if err != nil {
		return nil, "", away(err)
	}
	list, err := s.followUpsOf(q, rows[:min(len(rows), page.Limit)])
	return list, next, away(err)
}

// sorted is how a list with these conditions is sorted, and the index that has it so.
func (f FollowUpFilter) sorted(where []string) (by order, index string, conditions []string) {
	if !f.ByDue {
		return newest("opened_at"), "follow_ups_opened_at", where
	}
	by = order{"due_at, id", false, func(c cursor) []any { return []any{c.Number, c.ID} }}
	if len(f.States) > 0 && !slices.Contains(f.States, survey.FollowUpResolved) {
		return by, "follow_ups_due_at", append(where, "state <> 'resolved'")
	}
	return by, "follow_ups_due_at_all", where
}

// FollowUp shows one with its notes and everything that became of it.
func (s *Store) FollowUp(ctx context.Context, by Caller, of survey.ID) (survey.FollowUp, []Event, error) {
	return s.wholeFollowUp(s.reading(ctx, by), of)
}

// FollowUpOfResponse is FollowUp by the answer; nil where it has none.
func (s *Store) FollowUpOfResponse(ctx context.Context, by Caller, response survey.ID) (*survey.FollowUp, []Event, error) {
	q := s.reading(ctx, by)
	row, found, err := q.followUpOf(id(response), "")
	if err != nil || !found {
		return nil, nil, away(err)
	}
	f, events, err := s.wholeFollowUp(q, survey.ID(row.ID))
	return &f, events, err
}

func (s *Store) wholeFollowUp(q *session, of survey.ID) (survey.FollowUp, []Event, error) {
	row, err := q.followUpRow(of, "")
	if err != nil {
		return survey.FollowUp{}, nil, away(err)
	}
	list, err := s.followUpsOf(q, []followUpRow{row})
	if err != nil {
		return survey.FollowUp{}, nil, away(err)
	}
	if len(list) == 0 || !q.by.Scope.seesFollowUp(list[0]) {
		return survey.FollowUp{}, nil, errNoFollowUp
	}
	f := list[0]
	if f.Notes, err = q.followUpNotes(row.ID); err != nil {
		return f, nil, away(err)
	}
	events, err := q.events(of)
	return f, events, away(err)
}

func (s *Store) followUpConditions(q *session, f FollowUpFilter) ([]string, []any, error) {
	where, args := []string{"workspace_id = ?"}, []any{q.by.Workspace}
	and := func(condition string, values ...any) {
		where, args = append(where, condition), append(args, values...)
	}
	if len(f.States) > 0 {
		states := make([]any, len(f.States))
		for i, state := range f.States {
			states[i] = string(state)
		}
		and("state IN ("+marks(len(states))+")", states...)
	}
	if err := s.ownerCondition(q, f.Owner, and); err != nil {
		return nil, nil, err
	}
	if f.Overdue != nil && *f.Overdue {
		and("state <> 'resolved' AND due_at <= ?", q.now)
	} else if f.Overdue != nil {
		and("(state = 'resolved' OR due_at > ?)", q.now)
	}
	if err := q.followUpScope(and); err != nil {
		return nil, nil, away(err)
	}
	if f.Survey != "" {
		place, err := s.surveyByRef(q, f.Survey)
		if err != nil {
			return nil, nil, namedFilter("survey", err)
		}
		and("survey_id = ?", place.Survey.ID)
	}
	if f.Touchpoint != "" {
		touchpoint, found, err := q.touchpointID(f.Touchpoint)
		if err != nil {
			return nil, nil, away(err)
		}
		if !found {
			return nil, nil, survey.Errorf(survey.Invalid, "touchpoint", "does not exist in this workspace")
		}
		and("touchpoint_id = ?", touchpoint)
	}
	if f.From != nil {
		and("opened_at >= ?", *f.From)
	}
	if f.To != nil {
		and("opened_at < ?", *f.To)
	}
	return where, args, nil
}

func (s *Store) ownerCondition(q *session, owner string, and func(string, ...any)) error {
	switch owner {
	case "":
		return nil
	case Unowned:
		and("owner_id IS NULL")
		return nil
	}
	m, found, err := q.memberByAddress(owner)
	if err != nil {
		return away(err)
	}
	if !found {
		return survey.Errorf(survey.Invalid, "owner", "there is no member %q; none means what nobody owns", owner)
	}
	and("owner_id = ?", m.ID)
	return nil
}

// followUpsOf adds to rows what other tables know.
func (s *Store) followUpsOf(q *session, rows []followUpRow) ([]survey.FollowUp, error) {
	if len(rows) == 0 {
		return []survey.FollowUp{}, nil
	}
	answers, owners := make([]survey.ID, len(rows)), map[survey.ID]*survey.Member{}
	for i, row := range rows {
		answers[i] = survey.ID(row.ResponseID)
		if owner := row.OwnerID.orNil(); owner != nil && owners[*owner] == nil {
			m, err := q.member(*owner, "")
			if err != nil && !isNotFound(err) {
				return nil, err
			}
			owners[*owner] = &m
		}
	}
	var found []responseRow
	if err := q.list(&found, `SELECT `+responseColumns+` FROM responses WHERE workspace_id = ? AND id IN ?`, q.by.Workspace, q.idList(answers)); err != nil {
		return nil, err
	}
	responses, err := s.responsesOf(q, found)
	if err != nil {
		return nil, err
	}
	said := make(map[survey.ID]int, len(found))
	for i, r := range responses {
		said[r.ID] = i
	}
	list := make([]survey.FollowUp, 0, len(rows))
	for _, row := range rows {
		i, kept := said[survey.ID(row.ResponseID)]
		if !kept { // deleted a moment ago
			continue
		}
		f := row.followUp()
		f.Response, f.Touchpoint = responses[i], responses[i].Touchpoint
		if owner := row.OwnerID.orNil(); owner != nil && !owners[*owner].ID.IsZero() {
			f.Owner = owners[*owner]
		}
		template, err := s.templateVersion(q, survey.ID(found[i].TemplateID), found[i].TemplateVersion)
		if err != nil {
			return nil, err
		}
		f.MayContact = survey.MayContact(template, f.Response.Answers)
		list = append(list, f)
	}
	return list, nil
}

// followUpNotes are those of a follow-up, the oldest first.
func (q *session) followUpNotes(of id) ([]survey.FollowUpNote, error) {
	var rows []struct {
		ID        id
		Author    string
		Text      string
		CreatedAt int64
	}
	if err := q.list(&rows, `SELECT id, author, text, created_at FROM follow_up_notes`+q.indexedBy("follow_up_notes_follow_up_id")+` WHERE workspace_id = ? AND follow_up_id = ?
		ORDER BY created_at, id`, q.by.Workspace, of); err != nil {
		return nil, err
	}
	notes := make([]survey.FollowUpNote, len(rows))
	for i, row := range rows {
		notes[i] = survey.FollowUpNote{ID: survey.ID(row.ID), At: survey.Instant(row.CreatedAt), By: row.Author, Text: row.Text}
	}
	return notes, nil
}
