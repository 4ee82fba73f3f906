package store

import (
	"context"

	"koe/survey"
)

// Opened is what a token opens: everything that a page about it shows.
type Opened struct {
	Invitation survey.Invitation
	Survey     survey.Survey
	Template   survey.Template
	Workspace  survey.Workspace
	Touchpoint string // its name
	OccurredAt *survey.Instant
	Response   *survey.Response // nil before the first answer
	Editable   bool             // the answer may still be given or changed
	Unfinished bool             // questions that have no answer yet may still be answered
	Named      bool             // the answer is seen to come from this customer
	Suppressed bool             // the address is suppressed
}

// Open finds what a token opens. It records nothing. A token that nobody knows
// is NotFound; one whose end has passed, or whose invitation was called off,
// is Gone, with Opened filled so that a page can be shown.
func (s *Store) Open(ctx context.Context, token string) (Opened, error) {
	workspace, err := tokenWorkspace(token)
	if err != nil {
		return Opened{}, err
	}
	q := s.reading(ctx, Caller{Workspace: workspace})
	opened, _, err := s.open(q, token, "")
	if err == nil {
		s.shown.add([]seenRow{shownToken(token)})
	}
	return opened, away(err)
}

// occasionColumns are, beside an invitation's own, its survey's revision, its
// touchpoint's key and name, and when what it asks about happened.
const occasionColumns = `,
	(SELECT s.revision FROM surveys s WHERE s.workspace_id = invitations.workspace_id AND s.id = invitations.survey_id),
	COALESCE((SELECT t.key FROM touchpoints t WHERE t.workspace_id = invitations.workspace_id AND t.id = invitations.touchpoint_id), ''),
	COALESCE((SELECT t.name FROM touchpoints t WHERE t.workspace_id = invitations.workspace_id AND t.id = invitations.touchpoint_id), ''),
	(SELECT i.occurred_at FROM interactions i WHERE i.workspace_id = invitations.workspace_id AND i.id = invitations.interaction_id)`

func (s *Store) open(q *session, token, lock string) (Opened, invitationRow, error) {
	var o Opened
	var row invitationRow
	var touchpoint string // its key
	var revision, occurred *int64
	found, err := q.row(`SELECT `+invitationColumns+occasionColumns+` FROM invitations WHERE workspace_id = ? AND token_hash = ?`+lock,
		[]any{q.by.Workspace, tokenHash(token)}, append(row.into(), &revision, &touchpoint, &o.Touchpoint, &occurred)...)
	if err != nil || !found {
		if err == nil {
			err = errNoInvitation
		}
		return Opened{}, row, err
	}
	if revision == nil {
		return Opened{}, row, errNoSurvey
	}
	place, err := s.surveyAt(q, survey.ID(row.SurveyID), *revision)
	if err != nil {
		return Opened{}, row, err
	}
	o.Survey = place.Survey
	if o.Invitation, err = row.invitation(q.now); err != nil {
		return o, row, err
	}
	if o.Template, err = s.templateVersion(q, survey.ID(row.TemplateID), row.TemplateVersion); err != nil {
		return o, row, err
	}
	if o.Workspace, err = q.workspace(q.by.Workspace); err != nil {
		return o, row, err
	}
	o.Invitation.Touchpoint, o.OccurredAt = touchpoint, (*survey.Instant)(occurred)
	if o.Invitation.State == survey.InvitationAnswered { // else there is none; Verify says so
		if o.Response, err = s.answerOf(q, row.ID); err != nil {
			return o, row, err
		}
	}
	if o.Invitation.Email != "" {
		if o.Suppressed, err = s.suppressed(q, o.Invitation.Email); err != nil {
			return o, row, err
		}
	}
	o.Named = row.PersonID.orNil() != nil
	o.judge(q.now)
	return o, row, o.closed(q.now)
}

// judge says what may still be done with the answer.
func (o *Opened) judge(now survey.Instant) {
	o.Editable = o.Response == nil || survey.Editable(o.Survey, *o.Response, now)
	o.Unfinished = o.Response != nil && survey.Unfinished(o.Invitation, *o.Response, now)
}

// closed says why nothing can be answered here any more; an answer that was
// given stays to be seen.
func (o Opened) closed(now survey.Instant) error {
	switch {
	case o.Response != nil:
		return nil
	case o.Invitation.State == survey.InvitationCancelled, o.Invitation.State == survey.InvitationSuppressed:
		return survey.Errorf(survey.Gone, "", "this invitation was called off")
	case o.Invitation.State == survey.InvitationAnswered:
		return survey.Errorf(survey.Gone, "", "this answer was deleted")
	case o.Invitation.Expired(now):
		return survey.Errorf(survey.Gone, "", "this survey has expired")
	}
	return nil
}

func (s *Store) answerOf(q *session, invitation id) (*survey.Response, error) {
	var row responseRow
	found, err := q.find(&row, `SELECT `+responseColumns+` FROM responses WHERE workspace_id = ? AND invitation_id = ?`,
		q.by.Workspace, invitation)
	if err != nil || !found {
		return nil, err
	}
	r, err := row.response()
	return &r, err
}

// Reply is one POST of a respondent. Score nil leaves the score as it is,
// Answers nil the answers.
type Reply struct {
	Score    *int
	Answers  survey.Answers
	Complete bool
	Locale   string
}

// Answer keeps what a respondent said: the first reply makes the response,
// later ones change it while it is editable, an identical one changes nothing.
// An answer that is not complete takes answers to questions that had none until
// the link's end; what was answered stays as it is.
// Said is asked for the reply once it is known what the token opens, which is
// so read once; its error is Answer's. It may be asked again where the
// transaction collides.
//
// A reply that comes too late and differs is a Conflict; Gone and NotFound as
// Open says; Invalid names the question. Opened shows the state after the reply,
// or the one that refused it; it is empty where nothing could be read.
func (s *Store) Answer(ctx context.Context, token string, said func(Opened) (Reply, error)) (Opened, error) {
	workspace, err := tokenWorkspace(token)
	if err != nil {
		return Opened{}, err
	}
	var opened Opened
	if err := s.issued(ctx, workspace, token); err != nil {
		return opened, err
	}
	err = s.write(ctx, Caller{Workspace: workspace}, func(q *session) error {
		if _, err := q.counting(); err != nil { // before the invitation is locked, as a rebuild does
			return err
		}
		o, row, err := s.open(q, token, q.forUpdate())
		opened = o
		if err != nil {
			return err
		}
		reply, err := said(o)
		if err != nil {
			return err
		}
		if o.Response == nil {
			opened.Response, err = s.firstReply(q, o, row, reply)
		} else {
			opened.Response, err = s.changeReply(q, o, row, reply)
		}
		if opened.Response == nil {
			opened.Response = o.Response
		}
		opened.judge(q.now)
		return err
	})
	return opened, err
}

// ceremony: what a first reply does to response, invitation and tallies.
func (s *Store) firstReply(q *session, o Opened, row invitationRow, reply Reply) (*survey.Response, error) {
	var p survey.Problems
	o.Template.CheckScore(&p, survey.ScoreKey, reply.Score)
	answers := o.Template.CheckAnswers(&p, "answers", reply.Answers)
	if err := p.Err(); err != nil {
		return nil, err
	}
	r := responseRow{WorkspaceID: row.WorkspaceID, ID: id(newID()), SurveyID: row.SurveyID, TouchpointID: row.TouchpointID,
		MeasureID: measureID(o.Template.Measure()), TemplateID: row.TemplateID, TemplateVersion: row.TemplateVersion,
		PersonID: row.PersonID, InvitationID: row.ID, Score: *reply.Score, Comment: o.Template.Comment(*reply.Score, answers),
		Locale: reply.Locale, Channel: row.Channel, Attributes: row.Attributes, Tags: "[]",
		Complete: reply.Complete || len(o.Template.Shown(*reply.Score, answers)) == 0, RespondedAt: int64(q.now), CreatedAt: int64(q.now), UpdatedAt: int64(q.now)}
	var err error
	if r.Answers, err = asJSON(answers); err != nil {
		return nil, err
	}
	if inserted, err := s.insertResponse(q, &r, o.Template, answers); err != nil || !inserted {
		return nil, err
	}
	if err := s.answered(q, row, r); err != nil {
		return nil, err
	}
	if err := q.emit(survey.EventResponseCreated, survey.ID(r.ID), r.PersonID.orNil()); err != nil {
		return nil, err
	}
	if err := s.followOn(q, r); err != nil {
		return nil, err
	}
	if err := s.openFollowUp(q, o.Survey, r, q.now); err != nil {
		return nil, err
	}
	out, err := r.response()
	return &out, err
}

// answered takes the invitation off the queue and counts it in its cohort.
func (s *Store) answered(q *session, row invitationRow, r responseRow) error {
	by := cohort{answered: 1}
	set := `UPDATE invitations SET `
	args := []any{}
	// SQLite writes a row's place in an index anew wherever a statement names its
	// column, so the cohort is named only where it begins
	if row.CohortAt == nil { // the server's reply is still to come: the mail was out all the same
		row.CohortAt = (*int64)(&q.now)
		by.sent, by.opened = row.cohort().sent, row.cohort().opened
		set, args = set+`cohort_at = ?, `, append(args, *row.CohortAt)
	}
	row.Commented = r.Comment != ""
	if row.Commented {
		by.commented = 1
	}
	if err := s.countInvitation(q, row, by); err != nil {
		return err
	}
	q.planAgain(row) // a server that refused it had let it through
	mail := mailNone
	if row.MailState == mailSending {
		mail = mailSending // the server's reply will still be noted
	}
	if err := q.must(set+`state = 'answered', reason = '', answered_at = ?, mail_state = ?, commented = ?, updated_at = ?
		WHERE workspace_id = ? AND id = ?`, append(args, q.now, mail, row.Commented, q.now, row.WorkspaceID, row.ID)...); err != nil {
		return err
	}
	return q.event(aboutInvitation, survey.ID(row.ID), "answered", "", "")
}

// NoteOpened notes that a page was opened by somebody who looks like a person,
// once. It is a best effort that no decision reads; an unknown token is nothing
// to note.
func (s *Store) NoteOpened(ctx context.Context, token string) error {
	workspace, err := tokenWorkspace(token)
	if err != nil {
		return err
	}
	return s.write(ctx, Caller{Workspace: workspace}, func(q *session) error {
		if _, err := q.counting(); err != nil { // as Answer
			return err
		}
		var row invitationRow
		found, err := q.find(&row, `SELECT `+invitationColumns+` FROM invitations WHERE workspace_id = ? AND token_hash = ?`+q.forUpdate(),
			workspace, tokenHash(token))
		if err != nil || !found || row.OpenedAt != nil {
			return err
		}
		if err := q.must(`UPDATE invitations SET opened_at = ? WHERE workspace_id = ? AND id = ?`, q.now, workspace, row.ID); err != nil {
			return err
		}
		return s.countInvitation(q, row, cohort{opened: 1})
	})
}

// Unsubscribe suppresses the address behind a token, an invitation's or a
// follow-up's, and calls off what waits for it. It works for every known token,
// however old; a link that never had an address has nothing to suppress.
func (s *Store) Unsubscribe(ctx context.Context, token string) error {
	workspace, err := tokenWorkspace(token)
	if err != nil {
		return err
	}
	return s.write(ctx, Caller{Workspace: workspace}, func(q *session) error {
		if _, err := q.counting(); err != nil { // before invitations are locked, as everywhere
			return err
		}
		var row invitationRow
		found, err := q.find(&row, `SELECT `+invitationColumns+` FROM invitations WHERE workspace_id = ? AND token_hash = ?`,
			workspace, tokenHash(token))
		if err == nil && !found {
			return s.unsubscribeAsked(q, token)
		}
		if err != nil {
			return err
		}
		if row.Email == nil {
			return nil
		}
		if err := s.endSuppressed(q, *row.Email); err != nil {
			return err
		}
		made, fresh, err := s.suppress(q, *row.Email, survey.Unsubscribed)
		if err != nil || !fresh {
			return err
		}
		return q.emit(survey.EventPersonUnsubscribed, made.ID, row.PersonID.orNil())
	})
}
