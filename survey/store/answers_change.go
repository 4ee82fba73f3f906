package store

import (
	"maps"
	"reflect"

	"koe/survey"
)

// changeReply edits a response within its window. A reply that says nothing new
// changes nothing once the window and the link's end have passed.
func (s *Store) changeReply(q *session, o Opened, row invitationRow, reply Reply) (*survey.Response, error) {
	now := *o.Response
	if reply.Score != nil {
		var p survey.Problems
		if o.Template.CheckScore(&p, survey.ScoreKey, reply.Score); p.Err() != nil {
			return nil, p.Err()
		}
		now.Score = *reply.Score
	}
	if reply.Answers != nil {
		var p survey.Problems
		answers := o.Template.CheckAnswers(&p, "answers", reply.Answers)
		if err := p.Err(); err != nil {
			return nil, err
		}
		now.Answers = answers
		for key, kept := range o.Response.Answers { // what this score does not ask stays as it was said
			if _, said := answers[key]; !said && !o.asked(key, now.Score, answers) {
				now.Answers[key] = kept
			}
		}
	}
	finishes := o.finish(&now)
	now.Comment = o.Template.Comment(now.Score, now.Answers)
	now.Complete = now.Complete || reply.Complete || len(o.Template.Shown(now.Score, now.Answers)) == 0
	if now.Score == o.Response.Score && reflect.DeepEqual(now.Answers, o.Response.Answers) {
		if now.Complete == o.Response.Complete || !o.Editable && !o.Unfinished {
			return o.Response, nil
		}
		if err := q.must(`UPDATE responses SET complete = ? WHERE workspace_id = ? AND id = ?`, now.Complete, row.WorkspaceID, now.ID); err != nil {
			return nil, err
		}
		same := responseRow{ID: id(now.ID), PersonID: row.PersonID, Score: now.Score, Complete: now.Complete}
		if now.Excluded != "" {
			same.ExcludedReason = &now.Excluded
		}
		if err := s.reviewFollowUp(q, o.Survey, same, same); err != nil {
			return nil, err
		}
		return &now, q.emitUpdated(now.ID, row.PersonID.orNil(), false)
	}
	if !o.Editable && !finishes {
		return nil, survey.Errorf(survey.Conflict, "", "this answer can no longer be changed")
	}
	return &now, s.rewrite(q, o.Survey, row, now)
}

// finish brings back what was answered before, where only questions that had no
// answer may still be answered. It is true where now answers some of them.
func (o Opened) finish(now *survey.Response) bool {
	if o.Editable || !o.Unfinished || now.Score != o.Response.Score {
		return false
	}
	all := maps.Clone(now.Answers)
	maps.Copy(all, o.Response.Answers)
	if len(all) == len(o.Response.Answers) {
		return false
	}
	now.Answers = all
	return true
}

func (o Opened) asked(key string, score int, answers survey.Answers) bool {
	for _, question := range o.Template.Shown(score, answers) {
		if question.Key == key {
			return true
		}
	}
	return false
}

// rewrite replaces what a response says and moves the tallies with it.
func (s *Store) rewrite(q *session, v survey.Survey, row invitationRow, now survey.Response) error {
	old, _, err := q.lockResponse(now.ID)
	if err != nil {
		return err
	}
	after := old
	after.Score, after.Comment, after.Complete, after.UpdatedAt = now.Score, now.Comment, now.Complete, int64(q.now)
	if after.Answers, err = asJSON(now.Answers); err != nil {
		return err
	}
	if err := s.replaceResponse(q, old, &after); err != nil {
		return err
	}
	if err := s.reviewFollowUp(q, v, old, after); err != nil {
		return err
	}
	if row.ID != (id{}) { // else there is no invitation
		if err := s.commented(q, row, now.Comment != ""); err != nil {
			return err
		}
	}
	if err := q.emitUpdated(now.ID, row.PersonID.orNil(), true); err != nil {
		return err
	}
	return q.event(aboutResponse, now.ID, "edited", "", "by the respondent")
}

// commented notes whether the answer to an invitation holds a comment, and
// counts it in the invitation's cohort.
func (s *Store) commented(q *session, row invitationRow, said bool) error {
	if said == row.Commented {
		return nil
	}
	by := cohort{commented: 1}
	if !said {
		by.commented = -1
	}
	if err := q.must(`UPDATE invitations SET commented = ? WHERE workspace_id = ? AND id = ?`, said, row.WorkspaceID, row.ID); err != nil {
		return err
	}
	return s.countInvitation(q, row, by)
}
