package store

import (
	"context"

	"koe/survey"
)

// keySettings are what a key can be set to beside its role.
type keySettings struct {
	DelightedSurvey *survey.ID `json:"delighted_survey,omitempty"`
}

// KeySetting is a choice about a new key.
type KeySetting func(*session, *keySettings) error

// PlaysDelighted makes a key stand for a Delighted project: the survey (id or
// key), which must send mail, is the one that it asks, lists and counts. Invalid
// where there is no such survey.
func PlaysDelighted(ref string) KeySetting {
	return func(q *session, settings *keySettings) error {
		place, err := q.ownSurvey(ref, "")
		switch {
		case isNotFound(err):
			return survey.Errorf(survey.Invalid, "delighted_survey", "there is no survey %q", ref)
		case err != nil:
			return err
		case place.Survey.Channel != survey.Email:
			return survey.Errorf(survey.Invalid, "delighted_survey", "must be a survey whose channel is email")
		}
		settings.DelightedSurvey = &place.Survey.ID
		return nil
	}
}

// KeySurvey is the survey with which the caller's key plays a Delighted
// project: the one that it was made for, else the workspace's oldest active
// survey that sends mail and follows no other. Invalid where there is none.
func (s *Store) KeySurvey(ctx context.Context, by Caller) (survey.Survey, error) {
	q := s.reading(ctx, by)
	var text string
	var settings keySettings
	found, err := q.row(`SELECT settings FROM api_keys WHERE workspace_id = ? AND id = ?`, []any{by.Workspace, by.KeyID}, &text)
	if err == nil && found {
		err = fromJSON(text, &settings)
	}
	if err != nil {
		return survey.Survey{}, away(err)
	}
	if settings.DelightedSurvey == nil {
		var oldest id
		found, err := q.row(`SELECT id FROM surveys WHERE workspace_id = ? AND state = 'active' AND channel = 'email' AND trigger_type <> 'response'
			ORDER BY created_at, id LIMIT 1`, []any{by.Workspace}, &oldest)
		if err != nil {
			return survey.Survey{}, away(err)
		}
		if !found {
			return survey.Survey{}, survey.Errorf(survey.Invalid, "delighted_survey",
				"this workspace has no active survey that sends mail; activate one, or use a key that was made with delighted_survey")
		}
		settings.DelightedSurvey = new(survey.ID(oldest))
	}
	place, err := s.surveyPlace(q, *settings.DelightedSurvey)
	return place.Survey, away(err)
}
