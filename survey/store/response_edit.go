package store

import (
	"context"
	"maps"
	"reflect"
	"slices"
	"strings"

	"koe/survey"
)

// ResponseChange is what an editor may change of a response. Score is never
// nil in what a change is made from.
type ResponseChange struct {
	Score   *int
	Answers survey.Answers
	Tags    []string
	// Excluded leaves it out of scores. What was left out for another reason
	// keeps it.
	Excluded bool
	// Attributes are those of the answer.
	Attributes survey.Attributes
	// Person is whose answer it is; nil for nobody that is known. An answer to
	// an invitation stays the invited person's.
	Person *survey.ID
}

// ChangeResponse changes what a response says and moves the tallies with it;
// the comment follows from the answers. A change is kept as an event, with what
// was changed and by whom, and without a text. change may run more than once.
// Errors: NotFound, Invalid with the fields.
func (s *Store) ChangeResponse(ctx context.Context, by Caller, of survey.ID, change func(*ResponseChange) error) (survey.Response, []Event, error) {
	var out survey.Response
	var events []Event
	err := s.write(ctx, by, func(q *session) error {
		old, invitation, err := q.lockResponse(of)
		if err != nil {
			return err
		}
		now, changed, err := s.changed(q, old, change)
		if err != nil {
			return err
		}
		if len(changed) > 0 {
			now.UpdatedAt = int64(q.now)
			if err := s.replaceResponse(q, old, &now); err != nil {
				return err
			}
			place, err := s.surveyPlace(q, survey.ID(now.SurveyID))
			if err != nil {
				return err
			}
			if err := s.reviewFollowUp(q, place.Survey, old, now); err != nil {
				return err
			}
			if invitation != nil && (old.Comment != "") != (now.Comment != "") {
				if err := s.commented(q, *invitation, now.Comment != ""); err != nil {
					return err
				}
			}
			said := slices.Contains(changed, "score") || slices.Contains(changed, "answers")
			if err := q.emitUpdated(of, old.PersonID.orNil(), said); err != nil {
				return err
			}
			if err := q.edited(old, now, changed); err != nil {
				return err
			}
		}
		if out, err = s.responseOf(q, now); err != nil {
			return err
		}
		events, err = q.events(of)
		return err
	})
	return out, events, err
}

// edited keeps a change of a response as events: that it is left out of scores,
// or no longer, as one of its own.
func (q *session) edited(old, now responseRow, changed []string) error {
	of, actor := survey.ID(old.ID), "by "+q.actor()
	if err := q.audit("response.changed", of.String(), strings.Join(changed, ", ")); err != nil {
		return err
	}
	if len(changed) > 1 || !slices.Contains(changed, "excluded") {
		if err := q.event(aboutResponse, of, "edited", strings.Join(changed, ", "), actor); err != nil {
			return err
		}
	}
	switch {
	case old.ExcludedReason == nil && now.ExcludedReason != nil:
		return q.event(aboutResponse, of, "excluded", *now.ExcludedReason, actor)
	case old.ExcludedReason != nil && now.ExcludedReason == nil:
		return q.event(aboutResponse, of, "included", *old.ExcludedReason, actor)
	}
	return nil
}

// DeleteResponse takes a response out of rows and tallies. That it was deleted,
// and by whom, is kept as an event. The invitation stays answered: nobody is
// asked twice because of it, and its link opens nothing any more.
func (s *Store) DeleteResponse(ctx context.Context, by Caller, of survey.ID) error {
	return s.write(ctx, by, func(q *session) error {
		old, invitation, err := q.lockResponse(of)
		if err != nil {
			return err
		}
		if err := q.must(`DELETE FROM responses WHERE workspace_id = ? AND id = ?`, old.WorkspaceID, old.ID); err != nil {
			return err
		}
		if err := s.count(q, old, -1); err != nil {
			return err
		}
		if err := q.unfollow(old.ID, "response_deleted"); err != nil {
			return err
		}
		if err := q.dropFollowUp(old.ID); err != nil {
			return err
		}
		if invitation != nil {
			if err := s.commented(q, *invitation, false); err != nil {
				return err
			}
		}
		if err := q.audit("response.deleted", of.String(), ""); err != nil {
			return err
		}
		return q.event(aboutResponse, of, "deleted", "", "by "+q.actor())
	})
}

var errNoResponse = survey.Errorf(survey.NotFound, "", "there is no such response")

// lockResponse loads a response, and the invitation that it answers (nil
// without one), until the transaction ends. The calendar is locked first, then
// the invitation, as by a respondent's own edit.
func (q *session) lockResponse(of survey.ID) (responseRow, *invitationRow, error) {
	var row responseRow
	var invitation *invitationRow
	if _, err := q.counting(); err != nil { // first: the row's counts belong to this calendar
		return row, nil, err
	}
	const query = `SELECT ` + responseColumns + ` FROM responses WHERE workspace_id = ? AND id = ?`
	found, err := q.find(&row, query, q.by.Workspace, of)
	if err == nil && found && row.InvitationID != (id{}) {
		var locked invitationRow
		if locked, err = q.invitationRow(survey.ID(row.InvitationID), q.forUpdate()); err != nil {
			return row, nil, err
		}
		invitation = &locked
	}
	if err == nil && found && q.postgres {
		row = responseRow{}
		found, err = q.find(&row, query+q.forUpdate(), q.by.Workspace, of)
	}
	if err == nil && found {
		found, err = q.sees(row)
	}
	if err == nil && !found {
		err = errNoResponse
	}
	return row, invitation, err
}

// changed is a row as a change makes it, and which of its fields are others.
func (s *Store) changed(q *session, old responseRow, change func(*ResponseChange) error) (now responseRow, changed []string, err error) {
	before, err := old.response()
	if err != nil {
		return now, nil, err
	}
	template, err := s.templateVersion(q, survey.ID(old.TemplateID), old.TemplateVersion)
	if err != nil {
		return now, nil, err
	}
	score := before.Score
	wanted := ResponseChange{Score: &score, Answers: maps.Clone(before.Answers), Tags: slices.Clone(before.Tags),
		Excluded: old.ExcludedReason != nil, Attributes: maps.Clone(before.Attributes), Person: old.PersonID.orNil()}
	if err := change(&wanted); err != nil {
		return now, nil, err
	}
	now = old
	var p survey.Problems
	if template.CheckScore(&p, survey.ScoreKey, wanted.Score); wanted.Score != nil && *wanted.Score != old.Score {
		now.Score, changed = *wanted.Score, append(changed, "score")
	}
	given := wanted.Answers
	wanted.Answers = template.CheckAnswers(&p, "answers", given)
	for key, v := range before.Answers { // a text that was erased stays an answer without words
		if v == "" && given[key] == "" {
			wanted.Answers[key] = ""
		}
	}
	if !reflect.DeepEqual(wanted.Answers, before.Answers) {
		changed = append(changed, "answers")
		if now.Answers, err = asJSON(wanted.Answers); err != nil {
			return now, nil, err
		}
	}
	tags := survey.CleanTags(&p, "tags", wanted.Tags)
	if !slices.Equal(tags, before.Tags) {
		changed = append(changed, "tags")
		if err := s.tagByHand(q, &now, before, tags); err != nil {
			return now, nil, err
		}
	}
	if wanted.Excluded != (old.ExcludedReason != nil) {
		changed = append(changed, "excluded")
		if now.ExcludedReason = nil; wanted.Excluded {
			now.ExcludedReason = new(survey.ExcludedByEditor)
		}
	}
	if now.Score != old.Score || now.Answers != old.Answers {
		now.Comment = commentAfter(template, before, now.Score, wanted.Answers)
	}
	if attributes := wanted.Attributes.Clean(&p, "attributes"); !maps.Equal(attributes, before.Attributes) {
		changed = append(changed, "attributes")
		if now.Attributes, err = asJSON(attributes); err != nil {
			return now, nil, err
		}
	}
	if wanted.Person != nil && old.PersonID != id(*wanted.Person) {
		changed, now.PersonID = append(changed, "person"), id(*wanted.Person)
		if err := q.checkOwner(&p, old, *wanted.Person); err != nil {
			return now, nil, err
		}
	}
	return now, changed, p.Err()
}

// commentAfter is the comment of an answer that was changed: the text among its
// answers, and where there was none before and is none now, what came by itself.
func commentAfter(t survey.Template, before survey.Response, score int, answers survey.Answers) string {
	if comment := t.Comment(score, answers); comment != "" || t.Comment(before.Score, before.Answers) != "" {
		return comment
	}
	return before.Comment
}

// checkOwner notes a problem where an answer cannot become a person's.
func (q *session) checkOwner(p *survey.Problems, r responseRow, person survey.ID) error {
	if r.InvitationID != (id{}) {
		p.Add("person", "conflict", "cannot be changed: this answer came by an invitation, and belongs to who was invited")
		return nil
	}
	var one int
	found, err := q.row(`SELECT 1 FROM people WHERE workspace_id = ? AND id = ?`+q.forUpdate(), []any{q.by.Workspace, person}, &one)
	if err == nil && !found {
		p.Add("person", "unknown", "does not exist in this workspace")
	}
	return err
}

// replaceResponse writes what changed in a response, and moves the tallies. With
// the comment the tags that rules give to it change.
func (s *Store) replaceResponse(q *session, old responseRow, now *responseRow) error {
	c, err := q.counting()
	if err != nil {
		return err
	}
	if now.Comment != old.Comment {
		now.RefusedTags = "[]" // what was taken away was about other words
		if err := s.tagByRules(q, c, now); err != nil {
			return err
		}
	}
	if err := q.must(`UPDATE responses SET score = ?, answers = ?, comment = ?, tags = ?, rule_tags = ?, refused_tags = ?, complete = ?,
		excluded_reason = ?, person_id = ?, attributes = ?, updated_at = ? WHERE workspace_id = ? AND id = ?`, now.Score, now.Answers,
		now.Comment, now.Tags, now.RuleTags, now.RefusedTags, now.Complete, now.ExcludedReason, now.PersonID.orNil(), now.Attributes,
		now.UpdatedAt, now.WorkspaceID, now.ID); err != nil {
		return err
	}
	if now.Attributes != old.Attributes {
		if err := s.registerColumns(q, c, *now); err != nil {
			return err
		}
		if err := s.restratify(q, c, now, false); err != nil {
			return err
		}
	}
	if now.Score == old.Score && now.Answers == old.Answers && now.Segments == old.Segments && (now.ExcludedReason == nil) == (old.ExcludedReason == nil) {
		return nil
	}
	if err := s.count(q, old, -1); err != nil {
		return err
	}
	if err := s.count(q, *now, 1); err != nil {
		return err
	}
	return s.followOn(q, *now)
}
