package store

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"math"
	"strings"

	"koe/survey"
)

const responseColumns = `workspace_id, id, survey_id, touchpoint_id, measure_id, template_id, template_version, person_id,
	invitation_id, external_id, score, answers, comment, locale, channel, attributes, segments, tags, complete,
	excluded_reason, responded_at, created_at, updated_at, stratum_id, rule_tags, refused_tags`

const (
	insertResponses = `INSERT INTO responses (` + responseColumns + `) VALUES `
	responseValues  = `(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
)

// values are those of responseColumns.
func (r responseRow) values() []any {
	return []any{r.WorkspaceID, r.ID, r.SurveyID, r.TouchpointID, r.MeasureID, r.TemplateID, r.TemplateVersion, r.PersonID.orNil(),
		r.InvitationID.orNil(), r.ExternalID, r.Score, r.Answers, r.Comment, r.Locale, r.Channel, r.Attributes, r.Segments,
		r.Tags, r.Complete, r.ExcludedReason, r.RespondedAt, r.CreatedAt, r.UpdatedAt, r.StratumID, cmp.Or(r.RuleTags, "[]"), cmp.Or(r.RefusedTags, "[]")}
}

// NewResponse is an answer that was taken elsewhere.
type NewResponse struct {
	Survey      string // id or key
	Score       *int
	Answers     survey.Answers
	Comment     string
	Customer    survey.Customer
	Attributes  survey.Attributes
	Aside       survey.Attributes // of the answer alone: they do not become its customer's
	Locale      string
	Channel     string
	ExternalID  string
	RespondedAt *survey.Instant
	Tags        []string
	RuleTags    []string // those of Tags that a rule of another koe put there, and will be a rule's here if one says so
	Excluded    string   // why it is left out of scores; "" where it counts
}

// CreateResponse keeps an answer that was taken elsewhere and moves the
// tallies. The same external id of a survey is kept once: repeat is true and
// the first answer is returned.
func (s *Store) CreateResponse(ctx context.Context, by Caller, in NewResponse) (out survey.Response, repeat bool, err error) {
	draft, err := s.draftResponse(ctx, by, in)
	if err != nil {
		return survey.Response{}, false, err
	}
	err = s.write(ctx, by, func(q *session) error {
		d := draft
		repeat = false
		inserted, err := s.insertDraft(q, &d)
		if err != nil {
			return err
		}
		if !inserted {
			repeat = true
			row, err := s.responseByExternalID(q, d.row.SurveyID, *d.row.ExternalID)
			if err != nil {
				return err
			}
			q.resource = "repeat " + survey.ID(row.ID).String()
			out, err = s.responseOf(q, row)
			return err
		}
		q.resource = survey.ID(d.row.ID).String()
		if out, err = d.response(); err != nil {
			return err
		}
		if err := s.followOn(q, d.row); err != nil {
			return err
		}
		if err := s.openFollowUp(q, d.place.Survey, d.row, survey.Instant(d.row.RespondedAt)); err != nil {
			return err
		}
		return q.emit(survey.EventResponseCreated, out.ID, d.row.PersonID.orNil())
	})
	return out, repeat, err
}

// draftResponse checks everything that does not need the write lock.
func (s *Store) draftResponse(ctx context.Context, by Caller, in NewResponse) (responseDraft, error) {
	q := s.reading(ctx, by)
	if in.Survey == "" {
		var p survey.Problems
		p.Add("survey_id", "required", "is required: the survey that was answered")
		return responseDraft{}, p.Err()
	}
	place, template, err := s.asks(q, in.Survey)
	if err != nil {
		return responseDraft{}, namedFilter("survey_id", err)
	}
	return draftAt(&place, &template, in, q.now)
}

// asks is a survey and what it asks; a draft is asked what it would ask.
func (s *Store) asks(q *session, ref string) (surveyPlace, survey.Template, error) {
	place, err := s.surveyByRef(q, ref)
	if err != nil {
		return place, survey.Template{}, err
	}
	if place.Survey.TemplateVersion == 0 {
		if place.Survey.TemplateVersion, err = q.newestVersion(place.TemplateID); err != nil {
			return place, survey.Template{}, away(err)
		}
	}
	template, err := s.templateVersion(q, place.TemplateID, place.Survey.TemplateVersion)
	return place, template, away(err)
}

// insertResponse writes a response and moves the tallies; false where a unique
// key refuses it. Template and answers are what the row says; its segments are
// those that its survey declares now, and rules add their tags.
func (s *Store) insertResponse(q *session, r *responseRow, t survey.Template, answers survey.Answers) (bool, error) {
	c, err := q.counting() // first: it holds the calendar until the end
	if err != nil {
		return false, err
	}
	// from here on no survey declares others until the answer is kept
	if r.Segments, err = s.segmentsNow(q, r.SurveyID, r.Attributes); err != nil {
		return false, err
	}
	if err := s.registerColumns(q, c, *r); err != nil {
		return false, err
	}
	segments, err := s.segmentsOfRow(q, c, *r)
	if err != nil {
		return false, err
	}
	if r.StratumID, err = s.stratumOf(q, c, *r, segments); err != nil {
		return false, err
	}
	if err := s.tagNew(q, c, r); err != nil {
		return false, err
	}
	fresh, err := q.inserted(insertResponses+responseValues, r.values()...)
	if err != nil || !fresh {
		return false, err
	}
	q.countAs(c, *r, segments, t, answers, 1)
	return true, nil
}

// knownResponse finds the response that a survey keeps under an external id, or
// kept under it until its person was erased.
func (s *Store) knownResponse(q *session, of id, externalID string) (found id, known bool, err error) {
	const query = `SELECT id FROM responses WHERE workspace_id = ? AND survey_id = ? AND external_id = ?`
	known, err = q.row(query+` UNION ALL `+query, []any{q.by.Workspace, of, externalID,
		q.by.Workspace, of, s.former(q.by.Workspace, survey.ID(of), externalID)}, &found)
	return found, known, err
}

func (s *Store) responseByExternalID(q *session, of id, externalID string) (responseRow, error) {
	var row responseRow
	found, known, err := s.knownResponse(q, of, externalID)
	if err == nil && known {
		known, err = q.find(&row, `SELECT `+responseColumns+` FROM responses WHERE workspace_id = ? AND id = ?`, q.by.Workspace, found)
	}
	if err == nil && !known {
		err = errors.New("a response was refused as a repeat of none")
	}
	return row, err
}

// response is the row as the domain knows it, without what other tables know.
func (r responseRow) response() (survey.Response, error) {
	out := r.plain()
	out.Tags, out.Attributes = []string{}, survey.Attributes{}
	var err error
	if out.Answers, err = answersOf(r.Answers); err != nil {
		return out, err
	}
	if r.Attributes != "{}" {
		err = fromJSON(r.Attributes, &out.Attributes)
	}
	if r.Tags != "[]" {
		err = errors.Join(err, fromJSON(r.Tags, &out.Tags))
	}
	if r.RuleTags != "[]" {
		err = errors.Join(err, fromJSON(r.RuleTags, &out.RuleTags))
	}
	return out, err
}

// plain is what needs no decoding.
func (r responseRow) plain() survey.Response {
	out := survey.Response{ID: survey.ID(r.ID), Survey: survey.ID(r.SurveyID), TemplateVersion: r.TemplateVersion,
		Metric: string(measureOf(r.MeasureID).Metric), Measure: measureOf(r.MeasureID), Score: r.Score, Comment: r.Comment,
		Locale: r.Locale, Channel: r.Channel, Invitation: r.InvitationID.orNil(),
		RespondedAt: survey.Instant(r.RespondedAt), CreatedAt: survey.Instant(r.CreatedAt),
		UpdatedAt: survey.Instant(r.UpdatedAt), Complete: r.Complete}
	if r.ExcludedReason != nil {
		out.Excluded = *r.ExcludedReason
	}
	if r.ExternalID != nil && !strings.HasPrefix(*r.ExternalID, formerMark) {
		out.ExternalID = *r.ExternalID
	}
	return out
}

// answersOf reads kept answers into the types that the domain uses.
func answersOf(text string) (survey.Answers, error) {
	raw := map[string]any{}
	if text == "{}" {
		return survey.Answers{}, nil
	}
	if err := json.Unmarshal([]byte(text), &raw); err != nil {
		return nil, err
	}
	answers := make(survey.Answers, len(raw))
	for key, v := range raw {
		switch x := v.(type) {
		case float64:
			answers[key] = int(math.Round(x))
		case []any:
			keys := make([]string, 0, len(x))
			for _, one := range x {
				if s, ok := one.(string); ok {
					keys = append(keys, s)
				}
			}
			answers[key] = keys
		default:
			answers[key] = v
		}
	}
	return answers, nil
}

func (s *Store) responseOf(q *session, row responseRow) (survey.Response, error) {
	list, err := s.responsesOf(q, []responseRow{row})
	if err != nil {
		return survey.Response{}, err
	}
	return list[0], nil
}

// responsesOf adds to rows what other tables know.
func (s *Store) responsesOf(q *session, rows []responseRow) ([]survey.Response, error) {
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
	touchpoints := map[id]string{}
	list := make([]survey.Response, len(rows))
	for i, row := range rows {
		r, err := row.response()
		if err != nil {
			return nil, err
		}
		template, err := s.templateVersion(q, survey.ID(row.TemplateID), row.TemplateVersion)
		if err != nil {
			return nil, err
		}
		if _, known := touchpoints[row.TouchpointID]; !known {
			if touchpoints[row.TouchpointID], err = q.touchpointKey(survey.ID(row.TouchpointID)); err != nil {
				return nil, err
			}
		}
		r.Template, r.Touchpoint, r.Person = template.Key, touchpoints[row.TouchpointID], people[survey.ID(row.PersonID)]
		list[i] = r
	}
	return list, nil
}

// Response shows one response with everything that was changed of it since.
func (s *Store) Response(ctx context.Context, by Caller, of survey.ID) (survey.Response, []Event, error) {
	q := s.reading(ctx, by)
	var row responseRow
	found, err := q.find(&row, `SELECT `+responseColumns+` FROM responses WHERE workspace_id = ? AND id = ?`, by.Workspace, of)
	if err == nil && found {
		found, err = q.sees(row)
	}
	if err == nil && !found {
		err = errNoResponse
	}
	if err != nil {
		return survey.Response{}, nil, away(err)
	}
	r, err := s.responseOf(q, row)
	if err != nil {
		return r, nil, away(err)
	}
	events, err := q.events(of)
	return r, events, away(err)
}
