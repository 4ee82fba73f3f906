package store

import (
	"context"
	"time"

	"koe/survey"
)

// AskedFollowUp is what a customer sees who is asked whether it is solved.
type AskedFollowUp struct {
	Workspace   survey.Workspace
	Touchpoint  string // its name
	RespondedAt survey.Instant
	Locale      string // of the answer
	Timezone    string // of the customer; may be empty
	FollowUp    survey.FollowUp
	Suppressed  bool // the address is suppressed
}

// Asking is true while the customer's word is waited for.
func (a AskedFollowUp) Asking() bool { return a.FollowUp.Confirmation == survey.ConfirmationPending }

// OpenFollowUp finds what a customer's token opens. It records nothing. A token
// that nobody knows is NotFound.
func (s *Store) OpenFollowUp(ctx context.Context, token string) (AskedFollowUp, error) {
	workspace, err := tokenWorkspace(token)
	if err != nil {
		return AskedFollowUp{}, err
	}
	asked, _, _, err := s.askedFollowUp(s.reading(ctx, Caller{Workspace: workspace}), token, "")
	return asked, away(err)
}

func (s *Store) askedFollowUp(q *session, token, lock string) (a AskedFollowUp, row followUpRow, place surveyPlace, err error) {
	found, err := q.find(&row, `SELECT `+followUpColumns+` FROM follow_ups WHERE workspace_id = ? AND token_hash = ?`+lock, q.by.Workspace, tokenHash(token))
	if err == nil && !found {
		err = errNoInvitation
	}
	if err != nil {
		return a, row, place, err
	}
	if place, err = s.surveyPlace(q, survey.ID(row.SurveyID)); err != nil {
		return a, row, place, err
	}
	list, err := s.followUpsOf(q, []followUpRow{row})
	if err == nil && len(list) == 0 {
		err = errNoInvitation
	}
	if err != nil {
		return a, row, place, err
	}
	a.FollowUp = list[0]
	a.RespondedAt, a.Locale = a.FollowUp.Response.RespondedAt, a.FollowUp.Response.Locale
	if who := a.FollowUp.Response.Person; who != nil {
		a.Timezone = who.Timezone
		if who.Email != "" {
			if a.Suppressed, err = s.suppressed(q, who.Email); err != nil {
				return a, row, place, err
			}
		}
	}
	if a.Workspace, err = q.workspace(q.by.Workspace); err != nil {
		return a, row, place, err
	}
	_, err = q.row(`SELECT name FROM touchpoints WHERE workspace_id = ? AND id = ?`, []any{q.by.Workspace, row.TouchpointID}, &a.Touchpoint)
	return a, row, place, err
}

// AnswerFollowUp keeps what a customer says to whether it is solved: yes closes
// it, no opens it again and mails its owner. The same once more changes nothing.
// Errors: NotFound; Gone where nobody waits for it any more; Conflict where the
// other was said; the last two with what a page needs.
func (s *Store) AnswerFollowUp(ctx context.Context, token string, solved bool) (a AskedFollowUp, err error) {
	workspace, err := tokenWorkspace(token)
	if err != nil {
		return a, err
	}
	err = s.write(ctx, Caller{Workspace: workspace}, func(q *session) error {
		found, row, place, err := s.askedFollowUp(q, token, q.forUpdate())
		a = found
		if err != nil {
			return err
		}
		return s.hear(q, &row, &a.FollowUp, ruleOf(place.Survey), solved)
	})
	return a, err
}

// hear keeps the customer's word. f, what is known of the row, is changed with it.
func (s *Store) hear(q *session, row *followUpRow, f *survey.FollowUp, rule survey.FollowUpRule, solved bool) error {
	changed, err := f.Answer(solved, rule, q.now)
	if err != nil || !changed {
		return err
	}
	row.take(*f, rule, q.now)
	if err := q.event(aboutFollowUp, survey.ID(row.ID), string(f.Confirmation), "", "by the customer"); err != nil {
		return err
	}
	if !solved {
		if err := s.tellReopened(q, row); err != nil {
			return err
		}
	}
	return q.saveFollowUp(*row)
}

// A customer is mailed the same question maxAsks times in the days that the outbox
// remembers, and not again within askedAfresh of a mail that they have not answered:
// its link leads to the question still.
const (
	maxAsks     = 3
	askedAfresh = 24 * time.Hour
)

// asksAgain says whether a customer who is asked is mailed for it, and why they are
// not asked any more ("" where they are).
func (q *session) asksAgain(row followUpRow, address string) (mails bool, why string, err error) {
	var asked int
	var last survey.Instant
	if _, err := q.row(`SELECT COUNT(*), COALESCE(MAX(created_at), 0) FROM outbox`+q.indexedBy("outbox_notice_subject_id")+` WHERE workspace_id = ? AND subject_id = ?
		AND kind = 'notice' AND event = ? AND destination = ? AND state IN ('waiting', 'claimed', 'delivered')`,
		[]any{row.WorkspaceID, row.ID, string(survey.EventFollowUpAsked), address}, &asked, &last); err != nil {
		return false, "", err
	}
	var latest string // the question, or the word on it
	if _, err := q.row(`SELECT type FROM events WHERE workspace_id = ? AND subject_id = ? AND type IN ('asked', 'confirmed', 'reopened')
		ORDER BY at DESC, id DESC LIMIT 1`, []any{row.WorkspaceID, row.ID}, &latest); err != nil {
		return false, "", err
	}
	switch {
	case asked > 0 && latest == "asked" && q.now < last.Add(askedAfresh):
		return false, "", nil
	case asked >= maxAsks:
		return false, askedOft, nil
	}
	return true, "", nil
}

// tellReopened mails the owner that it was not solved; where there is none any
// more, or they may not see it now, it gets another.
func (s *Store) tellReopened(q *session, row *followUpRow) error {
	place, attributes, err := s.aboutFollowUp(q, *row)
	if err != nil {
		return err
	}
	if owner := row.OwnerID.orNil(); owner != nil {
		m, err := q.member(*owner, q.forChange()) // nobody removes them meanwhile
		if err == nil && m.Email != "" && m.MayOwn(place.Survey.Touchpoint, attributes) {
			_, err = q.notifyAt(survey.EventFollowUpReopened, survey.ID(row.ID), m.Email, row.PersonID.orNil(), q.now)
			return err
		}
		if err != nil && !isNotFound(err) {
			return err
		}
	}
	row.OwnerID, row.AssignedAt = id{}, nil
	return q.giveOwner(row, place, attributes)
}

// unsubscribeAsked is Unsubscribe for the token of a follow-up.
func (s *Store) unsubscribeAsked(q *session, token string) error {
	a, _, _, err := s.askedFollowUp(q, token, "")
	if err != nil {
		return err
	}
	who := a.FollowUp.Response.Person
	if who == nil || who.Email == "" {
		return nil
	}
	if err := s.endSuppressed(q, who.Email); err != nil {
		return err
	}
	made, fresh, err := s.suppress(q, who.Email, survey.Unsubscribed)
	if err != nil || !fresh {
		return err
	}
	return q.emit(survey.EventPersonUnsubscribed, made.ID, &who.ID)
}

// eraseFollowUp takes out of a response's follow-up who it is about and what
// was written down; its times stay. Nobody waits for the customer's word.
func (s *Store) eraseFollowUp(q *session, response id) error {
	row, found, err := q.followUpOf(response, q.forUpdate())
	if err != nil || !found {
		return err
	}
	for _, statement := range []string{
		`UPDATE follow_up_notes` + q.indexedBy("follow_up_notes_follow_up_id") + ` SET text = '' WHERE workspace_id = ? AND follow_up_id = ?`,
		`DELETE FROM outbox` + q.indexedBy("outbox_notice_subject_id") + ` WHERE workspace_id = ? AND subject_id = ? AND kind = 'notice'`,
	} {
		if _, err := q.exec(statement, row.WorkspaceID, row.ID); err != nil {
			return err
		}
	}
	f := row.followUp()
	f.Silence(q.now)
	row.State, row.Confirmation, row.ClosedAt, row.ConfirmBy = string(f.State), string(f.Confirmation), (*int64)(f.ClosedAt), nil
	row.Outcome, row.NoticeID, row.UpdatedAt = "", id{}, int64(q.now)
	if err := q.saveFollowUp(row); err != nil {
		return err
	}
	if err := q.must(`UPDATE follow_ups SET person_id = NULL, token_hash = ? WHERE workspace_id = ? AND id = ?`,
		tokenHash(string(newNonce())), row.WorkspaceID, row.ID); err != nil {
		return err
	}
	return q.event(aboutFollowUp, survey.ID(row.ID), erased, "", q.byActor())
}
