package store

import (
	"bytes"
	"time"

	"koe/survey"
)

// recheck asks the rules again, and keeps what they say of a mail that may not go
// out now.
func (s *Store) recheck(q *session, m Mail, claimed claimedRow, known known) (survey.Recheck, error) {
	know, err := q.meanwhile(m, claimed, known)
	row := claimed.invitationRow
	if err != nil {
		return survey.Recheck{}, err
	}
	again := survey.BeforeSending(m.Invitation, m.Survey, m.Workspace, know, q.now)
	switch {
	case again.Send:
		return again, nil
	case again.WaitTo != 0:
		return again, q.postpone(row, again)
	}
	return again, q.endMail(row, again)
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
		if err := q.sentMeanwhile(&know, m, row.invitationRow, known); err != nil {
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

// mostOthers bounds how many other invitations of somebody are looked at, but
// for as many as a day may bring them.
const mostOthers = 200

// sentMeanwhile finds what reached the person or the address by other
// invitations, as far back as a rule asks. The address is held, see holdShared.
func (q *session) sentMeanwhile(know *survey.Meanwhile, m Mail, row invitationRow, known known) error {
	period, _ := survey.QuietRule(m.Survey, m.Workspace)
	since := q.now.Add(-max(period.Length(), 24*time.Hour))
	listed := map[id]bool{}
	out := func(of, by id, channel string, planned int64, at survey.Instant) {
		if listed[of] || of == row.ID {
			return
		}
		listed[of] = true
		sent := survey.Sent{At: at, Planned: survey.Instant(planned)}
		know.SentAny = append(know.SentAny, sent)
		if channel == string(survey.Email) {
			know.Mailed = append(know.Mailed, at)
		}
		if by == row.SurveyID {
			know.SentHere = append(know.SentHere, sent)
		}
	}
	for _, other := range known.going { // they are not marked yet
		same := row.PersonID != (id{}) && other.PersonID == row.PersonID || row.AddressHash != nil && bytes.Equal(other.AddressHash, row.AddressHash)
		if same && other.WorkspaceID == row.WorkspaceID {
			out(other.ID, other.SurveyID, other.Channel, other.PlannedAt, q.now)
		}
	}
	var of, by id
	var channel string
	var planned int64
	var at *int64
	query, args := q.wentOut(row, since, max(mostOthers, known.mailsADay))
	return q.each(query, args, []any{&of, &by, &channel, &planned, &at}, func() error {
		when := q.now // it is just being handed over
		if at != nil {
			when = survey.Instant(*at)
		}
		out(of, by, channel, planned, when)
		return nil
	})
}

// wentOut asks for the invitations of the same person or address that went out
// after an instant, or are just being handed over; perhaps twice each. What
// waits is not looked at, however much there is. Whoever answered faster than
// the mail server replied was reached by then, which is when they are in the
// cohort.
func (q *session) wentOut(row invitationRow, since survey.Instant, most int) (string, []any) {
	const columns, at = `SELECT id, survey_id, channel, planned_at, `, `COALESCE(sent_at, cohort_at)`
	one := func(column string) string {
		return `SELECT * FROM (` + columns + at + ` AS out_at FROM invitations` + q.indexedBy("invitations_"+column+"_sent_at") + `
			WHERE workspace_id = ? AND ` + column + ` = ? AND ` + column + ` IS NOT NULL AND cohort_at IS NOT NULL AND ` + at + ` > ?
			AND state NOT IN ('cancelled', 'suppressed', 'failed') ORDER BY ` + at + ` DESC LIMIT ?) AS `
	}
	query := one("person_id") + `a UNION ALL ` + one("address_hash") + `b UNION ALL ` + columns + `sent_at FROM invitations` + q.indexedBy("invitations_lease_until") + `
		WHERE mail_state IN ('claimed', 'sending') AND workspace_id = ? AND state = 'sending' AND (person_id = ? OR address_hash = ?)`
	return query, []any{row.WorkspaceID, row.PersonID, since, most, row.WorkspaceID, row.AddressHash, since, most,
		row.WorkspaceID, row.PersonID, row.AddressHash}
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

// leavePlace takes back what takePlace counted, because the mail did not go. It
// holds the limit: nobody counts that mail meanwhile.
func (q *session) leavePlace(row invitationRow) error {
	if row.MailNo > 0 || row.SentAt != nil {
		return nil
	}
	q.moveOn(row.plannedDay(), dayMove{sent: -1})
	return q.lockLimits([]survey.ID{survey.ID(row.SurveyID)})
}
