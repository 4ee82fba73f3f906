package store

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"time"

	"koe/survey"
)

const responseColumns = `workspace_id, id, survey_id, touchpoint_id, measure_id, template_id, template_version, person_id,
	invitation_id, external_id, score, answers, comment, locale, channel, attributes, segments, tags, complete,
	excluded_reason, responded_at, created_at, updated_at, stratum_id`

// NewResponse is an answer that was taken elsewhere.
type NewResponse struct {
	Survey      string // id or key
	Score       *int
	Answers     survey.Answers
	Comment     string
	Customer    survey.Customer
	Attributes  survey.Attributes
	Locale      string
	Channel     string
	ExternalID  string
	RespondedAt *survey.Instant
	Tags        []string
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
		out = d.response()
		return nil
	})
	return out, repeat, err
}

// responseDraft is a response that was checked before its turn to be written.
type responseDraft struct {
	row      responseRow
	place    *surveyPlace
	template *survey.Template
	answers  survey.Answers
	own      survey.Attributes
	// attributes are own and the person's segments; the texts of row are of these
	attributes survey.Attributes
	customer   survey.Customer
	person     *survey.Person
	tags       []string
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

// draftAt is the draft of an answer to a survey, whatever in says of which;
// Invalid names what does not fit it.
func draftAt(place *surveyPlace, template *survey.Template, in NewResponse, now survey.Instant) (responseDraft, error) {
	d := responseDraft{place: place, template: template}
	var p survey.Problems
	d.fill(&p, in, now)
	err := p.Err()
	if err != nil {
		return d, err
	}
	if d.row.Answers, err = asJSON(d.answers); err != nil {
		return d, err
	}
	if d.row.Tags, err = asJSON(d.tags); err != nil {
		return d, err
	}
	return d, d.describe(d.own)
}

// describe sets the attributes, and the segments among them.
func (d *responseDraft) describe(attributes survey.Attributes) (err error) {
	d.attributes = attributes
	if d.row.Attributes, err = asJSON(attributes); err != nil {
		return err
	}
	d.row.Segments, err = asJSON(segmentsOf(d.place.Survey, attributes))
	return err
}

func (d *responseDraft) fill(p *survey.Problems, in NewResponse, now survey.Instant) {
	d.template.CheckScore(p, "score", in.Score)
	d.answers = d.template.CheckAnswers(p, "answers", in.Answers)
	in.Customer.Clean(p, "customer")
	d.own = in.Attributes.Clean(p, "attributes")
	d.customer, d.tags = in.Customer, survey.CleanTags(p, "tags", in.Tags)
	locale := in.Locale
	if locale != "" {
		if known, err := survey.ParseLocale(locale); err != nil {
			p.Add("locale", "format", "%s", err)
		} else {
			locale = known
		}
	}
	at := now
	if in.RespondedAt != nil {
		at = *in.RespondedAt
		if at > now.Add(maxAhead) {
			p.Add("responded_at", "range", "must not lie more than a day ahead")
		}
	}
	channel := survey.Line(p, "channel", in.Channel, 64)
	if channel == "" {
		channel = "api"
	}
	score := 0
	if in.Score != nil {
		score = *in.Score
	}
	d.row = responseRow{SurveyID: id(d.place.Survey.ID), TouchpointID: id(d.place.TouchpointID),
		MeasureID: measureID(d.template.Measure()), TemplateID: id(d.place.TemplateID),
		TemplateVersion: d.place.Survey.TemplateVersion, Score: score, Locale: locale, Channel: channel,
		RespondedAt: int64(at), Complete: true}
	d.row.Comment = d.comment(p, in.Comment, score)
	if external := survey.Line(p, "external_id", in.ExternalID, 255); external != "" {
		d.row.ExternalID = &external
	}
}

// comment is the first text answer; a comment given by itself stands in for it
// and becomes the answer to that question.
func (d *responseDraft) comment(p *survey.Problems, given string, score int) string {
	given = strings.TrimSpace(strings.ReplaceAll(survey.Prose(p, "comment", given, 10000), "\r\n", "\n"))
	answered := d.template.Comment(score, d.answers)
	switch {
	case given == "":
		return answered
	case answered != "" && answered != given:
		p.Add("comment", "conflict", "differs from the answer to the first text question")
	case answered == "":
		d.answers = d.template.WithComment(score, d.answers, given)
	}
	return given
}

const maxAhead = 24 * time.Hour

// insertDraft finishes a draft within a transaction and writes it; false where
// its external id is taken.
func (s *Store) insertDraft(q *session, d *responseDraft) (bool, error) {
	known, err := s.isRepeat(q, d) // which must not touch the person either
	if err != nil || known {
		return false, err
	}
	return s.keepDraft(q, d)
}

// keepDraft is insertDraft of what is no repeat of an earlier transaction.
func (s *Store) keepDraft(q *session, d *responseDraft) (bool, error) {
	if d.customer.Known() {
		person, err := q.person(d.customer, d.own)
		if err != nil {
			return false, err
		}
		d.person, d.row.PersonID = &person, id(person.ID)
		if d.row.Locale == "" {
			d.row.Locale = person.Locale
		}
	}
	if d.row.Locale == "" {
		d.row.Locale = d.template.DefaultLocale
	}
	if len(d.place.Survey.Segments) > 0 && d.person != nil { // whose record may know some
		if err := d.describe(d.place.attributes(d.own, d.person)); err != nil {
			return false, err
		}
	}
	r := &d.row
	r.WorkspaceID, r.ID, r.CreatedAt, r.UpdatedAt = q.by.Workspace, id(newID()), int64(q.now), int64(q.now)
	return s.insertResponse(q, *r, *d.template, d.answers)
}

// isRepeat is true where the external id of a draft is taken, if by an answer
// whose respondent was erased since.
func (s *Store) isRepeat(q *session, d *responseDraft) (bool, error) {
	if d.row.ExternalID == nil {
		return false, nil
	}
	_, known, err := s.knownResponse(q, d.row.SurveyID, *d.row.ExternalID)
	return known, err
}

// insertResponse writes a response and moves the tallies; false where a unique
// key refuses it. Template and answers are what the row says.
func (s *Store) insertResponse(q *session, r responseRow, t survey.Template, answers survey.Answers) (bool, error) {
	c, err := q.counting() // first: it holds the calendar until the end
	if err != nil {
		return false, err
	}
	segments, err := s.segmentsOfRow(q, r)
	if err != nil {
		return false, err
	}
	if r.StratumID, err = s.stratumOf(q, r, segments); err != nil {
		return false, err
	}
	fresh, err := q.inserted(`INSERT INTO responses (`+responseColumns+`)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		r.WorkspaceID, r.ID, r.SurveyID, r.TouchpointID, r.MeasureID, r.TemplateID, r.TemplateVersion, r.PersonID.orNil(),
		r.InvitationID.orNil(), r.ExternalID, r.Score, r.Answers, r.Comment, r.Locale, r.Channel, r.Attributes, r.Segments,
		r.Tags, r.Complete, r.ExcludedReason, r.RespondedAt, r.CreatedAt, r.UpdatedAt, r.StratumID)
	if err != nil || !fresh {
		return false, err
	}
	q.countAs(c, r, segments, t, answers, 1)
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

// response is the draft as a caller sees it, without a second query.
func (d responseDraft) response() survey.Response {
	r := d.row.plain()
	r.Touchpoint, r.Template, r.Person = d.place.Survey.Touchpoint, d.template.Key, d.person
	r.Answers, r.Attributes, r.Tags = d.answers, d.attributes, d.tags
	return r
}

// response is the row as the domain knows it, without what other tables know.
func (r responseRow) response() (survey.Response, error) {
	out := r.plain()
	out.Tags = []string{}
	answers, err := answersOf(r.Answers)
	out.Answers = answers
	return out, errors.Join(err, fromJSON(r.Attributes, &out.Attributes), fromJSON(r.Tags, &out.Tags))
}

// plain is what needs no decoding.
func (r responseRow) plain() survey.Response {
	out := survey.Response{ID: survey.ID(r.ID), Survey: survey.ID(r.SurveyID), TemplateVersion: r.TemplateVersion,
		Metric: string(measureOf(r.MeasureID).Metric), Score: r.Score, Comment: r.Comment,
		Locale: r.Locale, Channel: r.Channel, Invitation: r.InvitationID.orNil(),
		RespondedAt: survey.Instant(r.RespondedAt), CreatedAt: survey.Instant(r.CreatedAt),
		UpdatedAt: survey.Instant(r.UpdatedAt), Complete: r.Complete}
	if r.ExternalID != nil && !strings.HasPrefix(*r.ExternalID, formerMark) {
		out.ExternalID = *r.ExternalID
	}
	return out
}

// answersOf reads kept answers into the types that the domain uses.
func answersOf(text string) (survey.Answers, error) {
	raw := map[string]any{}
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
