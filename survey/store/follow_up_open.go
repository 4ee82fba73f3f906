package store

import "koe/survey"

// aboutFollowUp is what an event of a follow-up is about.
const aboutFollowUp = "follow_up"

// waitsForComment is how long the owner's mail waits for what comes behind the
// score, as chats do.
const waitsForComment = survey.ChatWaits

// ruleOf is what a survey says of follow-ups now; the zero rule where it says
// nothing.
func ruleOf(v survey.Survey) survey.FollowUpRule {
	if v.Rules.FollowUp == nil {
		return survey.FollowUpRule{}
	}
	return *v.Rules.FollowUp
}

// callsForFollowUp is true for an answer that somebody gets back to: one that
// counts and whose score the survey's rule names.
func callsForFollowUp(v survey.Survey, r responseRow) bool {
	return v.Rules.FollowUp != nil && r.ExcludedReason == nil && v.Rules.FollowUp.Score.Holds(r.Score)
}

// openFollowUp opens a follow-up of an answer that calls for one, in the
// transaction that keeps the answer. What is older than the survey's max_age
// when koe learns of it is history, and opens none.
func (s *Store) openFollowUp(q *session, v survey.Survey, r responseRow, since survey.Instant) error {
	if !callsForFollowUp(v, r) || q.now.Sub(since) > v.Rules.MaxAge.Length() {
		return nil
	}
	rule := ruleOf(v)
	f := survey.FollowUp{State: survey.FollowUpOpen, Confirmation: survey.NotAsked, Since: since, DueAt: since.Add(rule.Due.Length())}
	var attributes survey.Attributes
	if err := fromJSON(r.Attributes, &attributes); err != nil {
		return err
	}
	at, err := q.touchpointKey(survey.ID(r.TouchpointID)) // the survey may ask elsewhere by now
	if err != nil {
		return err
	}
	owner, owned, err := q.chooseOwner(rule, at, attributes)
	if err != nil {
		return err
	}
	row := followUpRow{WorkspaceID: r.WorkspaceID, ID: id(newID()), SurveyID: r.SurveyID, TouchpointID: r.TouchpointID, ResponseID: r.ID,
		PersonID: r.PersonID, Since: int64(since), OpenedAt: int64(q.now), Nonce: newNonce()}
	if owned {
		f.Owner, row.OwnerID, row.AssignedAt = &owner, id(owner.ID), (*int64)(&q.now)
	}
	row.take(f, rule, q.now)
	fresh, err := q.inserted(`INSERT INTO follow_ups (`+followUpColumns+`, token_hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		row.WorkspaceID, row.ID, row.SurveyID, row.TouchpointID, row.ResponseID, row.PersonID.orNil(), row.OwnerID.orNil(), row.State, row.Outcome,
		row.Confirmation, row.Reopened, row.Since, row.OpenedAt, row.DueAt, row.AssignedAt, nil, nil, nil, row.EscalateAt, nil, nil, nil,
		row.Nonce, row.UpdatedAt, tokenHash(s.followUpToken(row.WorkspaceID, row.Nonce)))
	if err != nil || !fresh {
		return err
	}
	if err := q.event(aboutFollowUp, survey.ID(row.ID), "opened", "", ""); err != nil {
		return err
	}
	if owned {
		if err := q.tellOwner(&row, owner, r.Complete); err != nil {
			return err
		}
		if err := q.saveFollowUp(row); err != nil {
			return err
		}
	}
	return q.emit(survey.EventFollowUpOpened, survey.ID(row.ID), row.PersonID.orNil())
}

// tellOwner mails a new owner. Until the answer is complete the mail waits for
// the rest of it, for a while.
func (q *session) tellOwner(row *followUpRow, owner survey.Member, complete bool) (err error) {
	if err := q.event(aboutFollowUp, survey.ID(row.ID), "assigned", owner.ID.String(), q.byActor()); err != nil {
		return err
	}
	due := q.now
	if !complete {
		due = due.Add(waitsForComment)
	}
	notice, err := q.notifyAt(survey.EventFollowUpOpened, survey.ID(row.ID), owner.Email, row.PersonID.orNil(), due)
	row.NoticeID = id(notice)
	return err
}

// byActor says who did it; "" where koe did.
func (q *session) byActor() string {
	if who := q.actor(); who != "" {
		return "by " + who
	}
	return ""
}

// reviewFollowUp looks at an answer that was changed: one that has become
// unhappy opens a follow-up; one that has become happy keeps its own, which
// remembers it, for somebody may have called already. The owner's mail waits no
// longer once the answer is complete.
func (s *Store) reviewFollowUp(q *session, v survey.Survey, was, now responseRow) error {
	if now.PersonID != was.PersonID {
		if _, err := q.exec(`UPDATE follow_ups SET person_id = ? WHERE workspace_id = ? AND response_id = ?`, now.PersonID.orNil(), q.by.Workspace, now.ID); err != nil {
			return err
		}
	}
	before, after := callsForFollowUp(v, was), callsForFollowUp(v, now)
	if after && !before {
		row, found, err := q.followUpOf(now.ID, "")
		if err != nil {
			return err
		}
		if !found {
			return s.openFollowUp(q, v, now, q.now)
		}
		return q.event(aboutFollowUp, survey.ID(row.ID), "answer_changed", "unhappy", "")
	}
	if !before {
		return nil
	}
	row, found, err := q.followUpOf(now.ID, "")
	if err != nil || !found {
		return err
	}
	if !after {
		if err := q.event(aboutFollowUp, survey.ID(row.ID), "answer_changed", "happy", ""); err != nil {
			return err
		}
	}
	if !now.Complete || row.NoticeID == (id{}) {
		return nil
	}
	_, err = q.exec(`UPDATE outbox SET due_at = ? WHERE workspace_id = ? AND id = ? AND state = 'waiting' AND attempt = 0 AND due_at > ?`,
		q.now, q.by.Workspace, row.NoticeID, q.now)
	return err
}

// dropFollowUp forgets the follow-up of a response that is deleted.
func (q *session) dropFollowUp(response id) error {
	row, found, err := q.followUpOf(response, q.forUpdate())
	if err != nil || !found {
		return err
	}
	for _, statement := range []string{
		`DELETE FROM follow_up_notes` + q.indexedBy("follow_up_notes_follow_up_id") + ` WHERE workspace_id = ? AND follow_up_id = ?`,
		`DELETE FROM outbox` + q.indexedBy("outbox_notice_subject_id") + ` WHERE workspace_id = ? AND subject_id = ? AND kind = 'notice'`,
		`DELETE FROM follow_ups WHERE workspace_id = ? AND id = ?`,
	} {
		if _, err := q.exec(statement, row.WorkspaceID, row.ID); err != nil {
			return err
		}
	}
	return nil
}
