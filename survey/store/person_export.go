package store

import (
	"context"

	"koe/survey"
)

// PersonRecord is everything that koe holds about a person, oldest first.
type PersonRecord struct {
	Person       survey.Person
	Suppression  *survey.Suppression
	Interactions []Recorded
	Invitations  []InvitationRecord
	Responses    []ResponseRecord
	Memberships  []Membership
	FollowUps    []FollowUpRecord
}

// FollowUpRecord is a follow-up with its notes and everything that became of it.
type FollowUpRecord struct {
	survey.FollowUp
	Events []Event
}

// Membership is a survey's list that a person is on, and what is told of them
// there.
type Membership struct {
	Survey     survey.ID         `json:"survey_id"`
	Attributes survey.Attributes `json:"attributes"`
	CreatedAt  survey.Instant    `json:"created_at"`
	UpdatedAt  survey.Instant    `json:"updated_at"`
}

// InvitationRecord is an invitation with everything that became of it.
type InvitationRecord struct {
	survey.Invitation
	Events []Event
}

// ResponseRecord is a response with everything that was changed of it.
type ResponseRecord struct {
	survey.Response
	Events []Event
}

// ExportPerson collects everything that koe holds about a person, named by id
// or external id. That somebody asked for it is kept in the audit.
func (s *Store) ExportPerson(ctx context.Context, by Caller, name string) (PersonRecord, error) {
	var out PersonRecord
	var err error
	if out.Person, out.Suppression, err = s.Person(ctx, by, name); err != nil {
		return out, err
	}
	if err := s.auditExport(ctx, by, "person.exported", out.Person.ID.String()); err != nil {
		return out, err
	}
	q := s.reading(ctx, by)
	if out.Interactions, err = s.interactionsOf(q, out.Person.ID); err != nil {
		return out, away(err)
	}
	if out.Invitations, err = s.invitationsOf(q, out.Person.ID); err != nil {
		return out, away(err)
	}
	if out.Responses, err = s.responsesBy(q, out.Person.ID); err != nil {
		return out, away(err)
	}
	if out.Memberships, err = q.membershipsOf(out.Person.ID); err != nil {
		return out, away(err)
	}
	for _, r := range out.Responses {
		f, events, err := s.FollowUpOfResponse(ctx, by, r.ID)
		if err != nil {
			return out, err
		}
		if f != nil {
			out.FollowUps = append(out.FollowUps, FollowUpRecord{*f, events})
		}
	}
	return out, nil
}

func (q *session) membershipsOf(person survey.ID) ([]Membership, error) {
	var rows []struct {
		SurveyID             id
		Attributes           string
		CreatedAt, UpdatedAt int64
	}
	if err := q.list(&rows, `SELECT survey_id, attributes, created_at, updated_at FROM members WHERE workspace_id = ? AND person_id = ? ORDER BY created_at, survey_id`,
		q.by.Workspace, person); err != nil {
		return nil, err
	}
	list := make([]Membership, len(rows))
	for i, row := range rows {
		list[i] = Membership{Survey: survey.ID(row.SurveyID), CreatedAt: survey.Instant(row.CreatedAt), UpdatedAt: survey.Instant(row.UpdatedAt)}
		if err := fromJSON(row.Attributes, &list[i].Attributes); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (s *Store) interactionsOf(q *session, person survey.ID) ([]Recorded, error) {
	var rows []struct{ ID id }
	if err := q.list(&rows, `SELECT id FROM interactions WHERE workspace_id = ? AND person_id = ? ORDER BY id`, q.by.Workspace, person); err != nil {
		return nil, err
	}
	list := make([]Recorded, len(rows))
	for i, row := range rows {
		var err error
		if list[i], err = s.recordedRow(q, survey.ID(row.ID)); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (s *Store) invitationsOf(q *session, person survey.ID) ([]InvitationRecord, error) {
	var rows []invitationRow
	if err := q.list(&rows, `SELECT `+invitationColumns+` FROM invitations WHERE workspace_id = ? AND person_id = ? ORDER BY id`,
		q.by.Workspace, person); err != nil {
		return nil, err
	}
	list, err := s.invitations(q, rows)
	if err != nil {
		return nil, err
	}
	records := make([]InvitationRecord, len(list))
	for i, v := range list {
		records[i].Invitation = v
		if records[i].Events, err = q.events(v.ID); err != nil {
			return nil, err
		}
	}
	return records, nil
}

func (s *Store) responsesBy(q *session, person survey.ID) ([]ResponseRecord, error) {
	var rows []responseRow
	if err := q.list(&rows, `SELECT `+responseColumns+` FROM responses WHERE workspace_id = ? AND person_id = ? ORDER BY id`,
		q.by.Workspace, person); err != nil {
		return nil, err
	}
	list, err := s.responsesOf(q, rows)
	if err != nil {
		return nil, err
	}
	records := make([]ResponseRecord, len(list))
	for i, r := range list {
		records[i].Response = r
		if records[i].Events, err = q.events(r.ID); err != nil {
			return nil, err
		}
	}
	return records, nil
}
