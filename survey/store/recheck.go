package store

import (
	"koe/survey"
)

// recheck asks the rules again and keeps what they say; true where the mail may
// go out now.
func (s *Store) recheck(q *session, m Mail, claimed claimedRow, known known) (bool, error) {
	know, err := q.meanwhile(m, claimed, known)
	row := claimed.invitationRow
	if err != nil {
		return false, err
	}
	again := survey.BeforeSending(m.Invitation, m.Survey, m.Workspace, know, q.now)
	switch {
	case again.Send && m.Survey.Rules.DailyLimit != nil && row.MailNo == 0 && row.SentAt == nil:
		return true, q.takePlace(row, again.Day, known)
	case again.Send:
		return true, nil
	case again.WaitTo != 0:
		return false, q.postpone(row, again)
	}
	return false, q.endMail(row, again)
}

// postpone puts a mail back on the queue because of a rule.
func (q *session) postpone(row invitationRow, again survey.Recheck) error {
	if row.MailNo == 0 {
		if err := q.moveDay(row, again.Day); err != nil {
			return err
		}
	}
	if err := q.must(`UPDATE invitations SET mail_state = 'waiting', due_at = ?, wait_reason = ?, attempt = ?, updated_at = ?
		WHERE workspace_id = ? AND id = ?`, again.WaitTo, string(again.Reason), row.Attempt-1, q.now, row.WorkspaceID, row.ID); err != nil {
		return err
	}
	return q.event(aboutInvitation, survey.ID(row.ID), "postponed", string(again.Reason), "until "+again.WaitTo.String())
}

// endMail ends a mail that a rule forbids: the invitation, or where that was
// out already what was left of its reminders.
func (q *session) endMail(row invitationRow, again survey.Recheck) error {
	if row.MailNo > 0 {
		if err := q.event(aboutInvitation, survey.ID(row.ID), "reminder_skipped", string(again.Reason), ""); err != nil {
			return err
		}
		return q.mailDone(row)
	}
	return q.endInvitation(row, again.State, string(again.Reason), "when it was about to be sent")
}

// meanwhile is what has happened since the decision about a mail that is about
// to go out. Beyond the suppression it is only asked of a mail that was never
// out, and only what the survey's rules look at.
func (q *session) meanwhile(m Mail, row claimedRow, known known) (survey.Meanwhile, error) {
	know := survey.Meanwhile{Suppressed: row.suppressed, MailsADay: known.mailsADay}
	if row.zone != nil {
		know.Timezone = *row.zone
	}
	if !row.first() {
		return know, nil
	}
	know.OccurredAt = m.Invitation.CreatedAt
	if m.OccurredAt != nil {
		know.OccurredAt = *m.OccurredAt
	}
	answered, err := q.followedAnswer(row)
	if err != nil {
		return know, err
	}
	if answered != nil {
		know.OccurredAt = answered.at
	}
	if know.Attributes, err = q.knownNow(m, row, answered); err != nil {
		return know, err
	}
	if row.others && known.asks(m.Survey, m.Workspace) {
		if err := q.sentMeanwhile(&know, row.invitationRow, known.going); err != nil {
			return know, err
		}
	}
	if quiet(m.Survey, m.Workspace) {
		for _, last := range row.lastAsked {
			if last != nil {
				at := survey.Instant(*last)
				know.SentAny = append(know.SentAny, survey.Sent{At: at, Planned: at})
				know.SentHere = append(know.SentHere, survey.Sent{At: at, Planned: at}) // it may have been this survey
			}
		}
	}
	if m.Survey.Rules.DailyLimit != nil {
		err = q.dayOf(&know, m, known)
	}
	return know, err
}

// followedAnswer is the response that an invitation follows.
type followedAnswer struct {
	attributes string
	at         survey.Instant
}

// followedAnswer is nil for an invitation that follows none.
func (q *session) followedAnswer(row claimedRow) (*followedAnswer, error) {
	if row.InteractionID != (id{}) || row.PersonID == (id{}) {
		return nil, nil
	}
	var a followedAnswer
	found, err := q.row(`SELECT r.attributes, r.responded_at FROM decisions d`+q.indexedBy("decisions_person_id")+`
		JOIN responses r ON r.workspace_id = d.workspace_id AND r.id = d.source_id
		WHERE d.workspace_id = ? AND d.person_id = ? AND d.invitation_id = ? AND d.source_type = ?`,
		[]any{row.WorkspaceID, row.PersonID, row.ID, fromResponse}, &a.attributes, &a.at)
	if err != nil || !found {
		return nil, err
	}
	return &a, nil
}

// knownNow are the attributes that a condition is about: the occasion's own
// over the person's of today; what was known when it was decided lies below. A
// schedule that goes by a list has what its list says of the person for an
// occasion, as it does today.
func (q *session) knownNow(m Mail, row claimedRow, answered *followedAnswer) (survey.Attributes, error) {
	if len(m.Survey.Rules.Condition) == 0 {
		return nil, nil
	}
	var own *string
	var err error
	switch {
	case answered != nil:
		own = &answered.attributes
	case row.InteractionID != (id{}):
		_, err = q.row(`SELECT attributes FROM interactions WHERE workspace_id = ? AND id = ?`, []any{row.WorkspaceID, row.InteractionID}, &own)
	case m.Survey.Trigger.Members:
		_, err = q.row(`SELECT attributes FROM members WHERE workspace_id = ? AND survey_id = ? AND person_id = ?`,
			[]any{row.WorkspaceID, row.SurveyID, row.PersonID}, &own)
	}
	if err != nil {
		return nil, err
	}
	known := m.Invitation.Attributes
	for _, text := range []*string{row.person, own} {
		if text == nil {
			continue
		}
		newer := survey.Attributes{}
		if err := fromJSON(*text, &newer); err != nil {
			return nil, err
		}
		known = newer.Over(known)
	}
	return known, nil
}

// sentMeanwhile finds what reached the person or the address by other
// invitations. The address is held, see holdShared.
func (q *session) sentMeanwhile(know *survey.Meanwhile, row invitationRow, going map[survey.ID]bool) error {
	others, err := q.otherInvitations(row)
	if err != nil {
		return err
	}
	for _, other := range others {
		at := other.SentAt
		switch {
		case at != nil:
		case other.AnsweredAt != nil: // faster than the mail server's reply
			at = other.AnsweredAt
		case other.State == string(survey.InvitationSending), going[survey.ID(other.ID)]:
			at = (*int64)(&q.now)
		default:
			continue
		}
		sent := survey.Sent{At: survey.Instant(*at), Planned: survey.Instant(other.PlannedAt)}
		know.SentAny = append(know.SentAny, sent)
		if other.Channel == string(survey.Email) {
			know.Mailed = append(know.Mailed, sent.At)
		}
		if other.SurveyID == row.SurveyID {
			know.SentHere = append(know.SentHere, sent)
		}
	}
	return nil
}

type otherInvitation struct {
	ID         id
	SurveyID   id
	State      string
	Channel    string
	PlannedAt  int64
	SentAt     *int64
	AnsweredAt *int64
}

// otherInvitations are the newest of the same person or address that count for
// a quiet period, each once.
func (q *session) otherInvitations(row invitationRow) ([]otherInvitation, error) {
	const counts = ` AND id <> ? AND state NOT IN ('cancelled', 'suppressed', 'failed') ORDER BY planned_at DESC LIMIT 200`
	var list []otherInvitation
	listed := map[id]bool{}
	var one otherInvitation
	for _, by := range []struct {
		column string
		value  any
		known  bool
	}{
		{"person_id", row.PersonID, row.PersonID != id{}},
		{"address_hash", row.AddressHash, row.AddressHash != nil},
	} {
		if !by.known {
			continue
		}
		if err := q.each(`SELECT id, survey_id, state, channel, planned_at, sent_at, answered_at FROM invitations
			WHERE workspace_id = ? AND `+by.column+` = ?`+counts, []any{q.by.Workspace, by.value, row.ID},
			[]any{&one.ID, &one.SurveyID, &one.State, &one.Channel, &one.PlannedAt, &one.SentAt, &one.AnsweredAt}, func() error {
				if !listed[one.ID] {
					listed[one.ID] = true
					list = append(list, one)
				}
				one = otherInvitation{}
				return nil
			}); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// dayOf tells what has gone out today under the survey's daily limit, and where
// today is full what is planned for the days to come.
func (q *session) dayOf(know *survey.Meanwhile, m Mail, known known) error {
	today, err := q.todayOf(m.Survey.ID, m.Workspace, known)
	if err != nil {
		return err
	}
	know.SentToday, know.Planned = today.sent, map[survey.Day]int{}
	if know.SentToday >= *m.Survey.Rules.DailyLimit {
		know.Planned, err = q.plannedFrom(m.Survey.ID, today.day+1)
	}
	return err
}

func (q *session) todayOf(of survey.ID, w survey.Workspace, known known) (*heldDay, error) {
	return once(known.days, surveyOf{w.ID, of}, func() (*heldDay, error) { return q.holdDay(of, w.Timezone) })
}

// moveDay gives a mail's place in one day's plan back and takes one in
// another's.
func (q *session) moveDay(row invitationRow, to survey.Day) error {
	from, on := row.plannedDay(), row.plannedDay()
	if on.day = to; on == from {
		return nil
	}
	q.moveOn(from, dayMove{planned: -1})
	q.moveOn(on, dayMove{planned: 1})
	return q.must(`UPDATE invitations SET planned_day = ? WHERE workspace_id = ? AND id = ?`, to, row.WorkspaceID, row.ID)
}

// takePlace counts a first mail that goes out under a daily limit.
func (q *session) takePlace(row invitationRow, today survey.Day, known known) error {
	known.days[surveyOf{row.WorkspaceID, survey.ID(row.SurveyID)}].sent++
	q.moveOn(surveyDay{row.WorkspaceID, survey.ID(row.SurveyID), today}, dayMove{sent: 1})
	return q.moveDay(row, today)
}

// leavePlace takes back what takePlace counted, because the mail did not go.
func (q *session) leavePlace(row invitationRow) {
	if row.MailNo == 0 && row.SentAt == nil {
		q.moveOn(row.plannedDay(), dayMove{sent: -1})
	}
}
