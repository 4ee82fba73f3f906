package store

import (
	"context"
	"errors"
	"strings"

	"koe/survey"
)

type invitationRow struct {
	WorkspaceID     int64
	ID              id
	SurveyID        id
	TouchpointID    id
	PersonID        id
	InteractionID   id
	TemplateID      id
	TemplateVersion int
	Channel         string
	Email           *string
	AddressHash     []byte
	Name            string
	Locale          string
	Timezone        string
	Attributes      string
	Segments        string
	Nonce           []byte
	State           string
	Reason          string
	PlannedAt       int64
	ExpiresAt       int64
	SentAt          *int64
	AnsweredAt      *int64
	OpenedAt        *int64
	BouncedAt       *int64
	ComplainedAt    *int64
	MessageID       *string
	MailNo          int
	MailState       string
	Attempt         int
	Fence           int64
	Held            bool
	PlannedDay      int64
	CohortAt        *int64
	Commented       bool
	CreatedAt       int64
	UpdatedAt       int64
	dueAt           int64 // of the next mail; read for mails alone
}

const invitationColumns = `workspace_id, id, survey_id, touchpoint_id, person_id, interaction_id, template_id, template_version,
	channel, email, address_hash, name, locale, timezone, attributes, segments, nonce, state, reason, planned_at, expires_at, sent_at,
	answered_at, opened_at, bounced_at, complained_at, message_id, mail_no, mail_state, attempt, fence, held, planned_day, cohort_at, commented, created_at, updated_at`

// into is where the values of invitationColumns go.
func (r *invitationRow) into() []any {
	return []any{&r.WorkspaceID, &r.ID, &r.SurveyID, &r.TouchpointID, &r.PersonID, &r.InteractionID, &r.TemplateID,
		&r.TemplateVersion, &r.Channel, &r.Email, &r.AddressHash, &r.Name, &r.Locale, &r.Timezone, &r.Attributes, &r.Segments,
		&r.Nonce, &r.State, &r.Reason, &r.PlannedAt, &r.ExpiresAt, &r.SentAt, &r.AnsweredAt, &r.OpenedAt, &r.BouncedAt,
		&r.ComplainedAt, &r.MessageID, &r.MailNo, &r.MailState, &r.Attempt, &r.Fence, &r.Held, &r.PlannedDay, &r.CohortAt,
		&r.Commented, &r.CreatedAt, &r.UpdatedAt}
}

// segments are the values by which the invitation is tallied: those of the
// day it was made, whatever the survey declares since.
func (r invitationRow) segments() (map[string]string, error) {
	segments := map[string]string{}
	return segments, fromJSON(r.Segments, &segments)
}

// plannedDay is the day in whose plan the invitation is counted.
func (r invitationRow) plannedDay() surveyDay {
	return surveyDay{r.WorkspaceID, survey.ID(r.SurveyID), survey.Day(r.PlannedDay)}
}

// invitation is the row as the domain knows it. An invitation past its end
// shows as expired, whether or not the sweep has come by.
func (r invitationRow) invitation(now survey.Instant) (survey.Invitation, error) {
	v := survey.Invitation{ID: survey.ID(r.ID), Survey: survey.ID(r.SurveyID), Interaction: r.InteractionID.orNil(),
		Channel: survey.Channel(r.Channel), TemplateVersion: r.TemplateVersion, Name: r.Name, Locale: r.Locale,
		Timezone: r.Timezone, State: survey.InvitationState(r.State), Reason: r.Reason,
		SendAt: survey.Instant(r.PlannedAt), ExpiresAt: survey.Instant(r.ExpiresAt),
		SentAt: (*survey.Instant)(r.SentAt), AnsweredAt: (*survey.Instant)(r.AnsweredAt),
		OpenedAt: (*survey.Instant)(r.OpenedAt), BouncedAt: (*survey.Instant)(r.BouncedAt),
		MailNo: r.MailNo, Attempt: r.Attempt, Held: r.Held,
		CreatedAt: survey.Instant(r.CreatedAt), UpdatedAt: survey.Instant(r.UpdatedAt)}
	if r.Email != nil {
		v.Email = *r.Email
	}
	if r.MessageID != nil {
		v.MessageID = *r.MessageID
	}
	v.State, v.Reason = shownState(r.State, r.Reason, v.ExpiresAt, now)
	return v, fromJSON(r.Attributes, &v.Attributes)
}

// shownState is the state that a caller sees.
func shownState(state, reason string, expires, now survey.Instant) (survey.InvitationState, string) {
	switch survey.InvitationState(state) {
	case survey.InvitationScheduled, survey.InvitationSent, survey.InvitationUncertain:
		if now >= expires {
			return survey.InvitationExpired, string(survey.EndExpired)
		}
	}
	return survey.InvitationState(state), reason
}

// InvitationFilter narrows a list; empty fields do not.
type InvitationFilter struct {
	State    survey.InvitationState
	Survey   string // id or key
	Customer string // a person's id, external id or address
	From, To *survey.Instant
}

// Invitations lists the newest first.
func (s *Store) Invitations(ctx context.Context, by Caller, f InvitationFilter, page Page) ([]survey.Invitation, string, error) {
	q := s.reading(ctx, by)
	where, args := []string{"workspace_id = ?"}, []any{by.Workspace}
	and := func(condition string, values ...any) {
		where, args = append(where, condition), append(args, values...)
	}
	if f.Survey != "" {
		place, err := s.surveyByRef(q, f.Survey)
		if err != nil {
			return nil, "", namedFilter("survey", err)
		}
		and("survey_id = ?", place.Survey.ID)
	}
	if f.State != "" {
		s.andState(and, f.State, q.now)
	}
	if f.Customer != "" {
		people, err := q.customersNamed(f.Customer)
		if err != nil {
			return nil, "", away(err)
		}
		if len(people) == 0 {
			return []survey.Invitation{}, "", nil
		}
		and("person_id IN ?", q.idList(people))
	}
	if f.From != nil {
		and("created_at >= ?", *f.From)
	}
	if f.To != nil {
		and("created_at < ?", *f.To)
	}
	var rows []invitationRow
	next, err := s.newestFirst(q, "invitations", f, page, "created_at", where, args,
		func(tail string, args []any) (int, error) {
			err := q.list(&rows, `SELECT `+invitationColumns+` FROM invitations`+tail, args...)
			return len(rows), err
		}, func(i int) (int64, survey.ID) { return rows[i].CreatedAt, survey.ID(rows[i].ID) })
	if err != nil {
		return nil, "", away(err)
	}
	rows = rows[:min(len(rows), page.Limit)]
	list, err := s.invitations(q, rows)
	return list, next, away(err)
}

// andState narrows by the state that a caller sees, in which a link past its
// end is expired.
func (s *Store) andState(and func(string, ...any), state survey.InvitationState, now survey.Instant) {
	switch state {
	case survey.InvitationExpired:
		and("(state = 'expired' OR (state IN ('scheduled', 'sent', 'uncertain') AND expires_at <= ?))", now)
	case survey.InvitationScheduled, survey.InvitationSent, survey.InvitationUncertain:
		and("state = ? AND expires_at > ?", string(state), now)
	default:
		and("state = ?", string(state))
	}
}

// namedFilter turns "there is no such survey" into a problem of the filter.
func namedFilter(field string, err error) error {
	var known *survey.Error
	if errors.As(err, &known) && known.Kind == survey.NotFound {
		return survey.Errorf(survey.Invalid, field, "does not exist in this workspace")
	}
	return away(err)
}

// customersNamed finds people by id, external id or address.
func (q *session) customersNamed(name string) ([]survey.ID, error) {
	var rows []struct{ ID id }
	var err error
	if known, bad := survey.ParseID(name); bad == nil {
		err = q.list(&rows, `SELECT id FROM people WHERE workspace_id = ? AND id = ?`, q.by.Workspace, known)
	}
	if err == nil && len(rows) == 0 {
		err = q.list(&rows, `SELECT id FROM people WHERE workspace_id = ? AND external_id = ?`, q.by.Workspace, name)
	}
	if err == nil && len(rows) == 0 && strings.Contains(name, "@") {
		if address, bad := survey.NormalizeAddress(name); bad == nil {
			err = q.list(&rows, `SELECT id FROM people`+q.indexedBy("people_email")+` WHERE workspace_id = ? AND email = ?`, q.by.Workspace, address)
		}
	}
	people := make([]survey.ID, len(rows))
	for i, row := range rows {
		people[i] = survey.ID(row.ID)
	}
	return people, err
}

// invitations adds to rows what other tables know.
func (s *Store) invitations(q *session, rows []invitationRow) ([]survey.Invitation, error) {
	ids := make([]survey.ID, 0, len(rows))
	for _, row := range rows {
		if person := row.PersonID.orNil(); person != nil {
			ids = append(ids, *person)
		}
	}
	people, err := q.peopleByID(ids)
	if err != nil {
		return nil, err
	}
	list := make([]survey.Invitation, len(rows))
	for i, row := range rows {
		v, err := row.invitation(q.now)
		if err != nil {
			return nil, err
		}
		place, err := s.surveyPlace(q, v.Survey)
		if err != nil {
			return nil, err
		}
		template, err := s.templateVersion(q, survey.ID(row.TemplateID), row.TemplateVersion)
		if err != nil {
			return nil, err
		}
		v.Touchpoint, v.Template = place.Survey.Touchpoint, template.Key
		if place.TouchpointID != survey.ID(row.TouchpointID) { // the survey has moved since
			if v.Touchpoint, err = q.touchpointKey(survey.ID(row.TouchpointID)); err != nil {
				return nil, err
			}
		}
		v.Person = people[survey.ID(row.PersonID)]
		list[i] = v
	}
	return list, nil
}

func (q *session) touchpointKey(of survey.ID) (string, error) {
	var key string
	_, err := q.row(`SELECT key FROM touchpoints WHERE workspace_id = ? AND id = ?`, []any{q.by.Workspace, of}, &key)
	return key, err
}

var errNoInvitationID = survey.Errorf(survey.NotFound, "", "there is no such invitation")

// Invitation shows one invitation with everything that happened to it.
func (s *Store) Invitation(ctx context.Context, by Caller, of survey.ID) (survey.Invitation, []Event, error) {
	q := s.reading(ctx, by)
	row, err := q.invitationRow(of, "")
	if err != nil {
		return survey.Invitation{}, nil, away(err)
	}
	list, err := s.invitations(q, []invitationRow{row})
	if err != nil {
		return survey.Invitation{}, nil, away(err)
	}
	events, err := q.events(of)
	return list[0], events, away(err)
}

func (q *session) invitationRow(of survey.ID, lock string) (invitationRow, error) {
	var row invitationRow
	found, err := q.find(&row, `SELECT `+invitationColumns+` FROM invitations WHERE workspace_id = ? AND id = ?`+lock,
		q.by.Workspace, of)
	if err == nil && !found {
		err = errNoInvitationID
	}
	return row, err
}

// CancelInvitation calls off an invitation that was not sent yet; any other is
// a Conflict.
func (s *Store) CancelInvitation(ctx context.Context, by Caller, of survey.ID) error {
	return s.write(ctx, by, func(q *session) error {
		q.resource = of.String()
		row, err := q.invitationRow(of, q.forUpdate())
		if err != nil {
			return err
		}
		v, err := row.invitation(q.now)
		if err != nil {
			return err
		}
		if err := v.Cancel(); err != nil {
			return err
		}
		return q.endInvitation(row, survey.InvitationCancelled, "requested", "by "+q.by.KeyName)
	})
}

// endInvitation puts an invitation into one of its ends, takes it off the
// queue, and gives back its place in the day's limit where it never went out.
func (q *session) endInvitation(row invitationRow, to survey.InvitationState, reason, detail string) error {
	if err := q.must(`UPDATE invitations SET state = ?, reason = ?, mail_state = 'none', updated_at = ?
		WHERE workspace_id = ? AND id = ?`, string(to), reason, q.now, row.WorkspaceID, row.ID); err != nil {
		return err
	}
	if row.SentAt == nil { // links made by hand are out at once
		q.moveOn(row.plannedDay(), dayMove{planned: -1})
	}
	if to == survey.InvitationFailed {
		if err := q.emit(survey.EventInvitationFailed, survey.ID(row.ID), row.PersonID.orNil()); err != nil {
			return err
		}
	}
	return q.event(aboutInvitation, survey.ID(row.ID), string(to), reason, detail)
}
