package store

import (
	"errors"
	"strings"
	"time"

	"koe/survey"
)

// responseDraft is a response that was checked before its turn to be written.
type responseDraft struct {
	row      responseRow
	place    *surveyPlace
	template *survey.Template
	answers  survey.Answers
	own      survey.Attributes
	aside    survey.Attributes // of own, those that are not the person's
	// attributes are own and the person's segments; the texts of row are of these
	attributes survey.Attributes
	segments   map[string]string
	customer   survey.Customer
	told       *survey.Instant // when customer and own were so; nil is now
	person     *survey.Person
	tags       []string
	names      []string // of an import: those of own, in order
	unnamed    bool     // of an import: without an external id, in a file that is not known
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
	if d.row.Answers, err = objectJSON(d.answers); err != nil {
		return d, err
	}
	if d.row.Tags, err = asJSON(d.tags); err != nil {
		return d, err
	}
	if d.row.RuleTags = "[]"; len(in.RuleTags) > 0 {
		if d.row.RuleTags, err = asJSON(in.RuleTags); err != nil {
			return d, err
		}
	}
	return d, d.describe(d.own)
}

// describe sets the attributes, and the segments among them.
func (d *responseDraft) describe(attributes survey.Attributes) (err error) {
	d.attributes, d.segments = attributes, segmentsOf(d.place.Survey, attributes)
	if d.row.Attributes, err = objectJSON(attributes); err != nil {
		return err
	}
	d.row.Segments, err = objectJSON(d.segments)
	return err
}

func (d *responseDraft) fill(p *survey.Problems, in NewResponse, now survey.Instant) {
	d.template.CheckScore(p, "score", in.Score)
	d.answers = d.template.CheckAnswers(p, "answers", in.Answers)
	in.Customer.Clean(p, "customer")
	if d.aside = in.Aside; len(in.Aside) > 0 {
		in.Attributes = in.Aside.Over(in.Attributes)
	}
	d.own = in.Attributes.Clean(p, "attributes")
	d.customer, d.told, d.tags = in.Customer, in.RespondedAt, survey.CleanTags(p, "tags", in.Tags)
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
	if in.Excluded != "" {
		if !survey.ValidExclusion(in.Excluded) {
			p.Add("excluded_reason", "unknown", "must be trap, too_fast, cross_site, too_many or by_editor, or empty where the answer counts")
		}
		d.row.ExcludedReason = &in.Excluded
	}
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
	if _, err := q.counting(); err != nil { // first: what is declared from here on waits, or is counted anew
		return false, err
	}
	place, err := s.declaring(q, d.place.Survey.ID)
	if err != nil {
		return false, err
	}
	if err := d.redeclare(place); err != nil {
		return false, err
	}
	known, err := s.isRepeat(q, d) // which must not touch the person either
	if err != nil || known {
		return false, err
	}
	if err := q.complete(d); err != nil {
		return false, err
	}
	return s.insertResponse(q, &d.row, *d.template, d.answers)
}

// declaring is a survey with the segments that it declares now.
func (s *Store) declaring(q *session, of survey.ID) (surveyPlace, error) {
	if q.shared == nil {
		return s.surveyPlace(q, of)
	}
	ref := surveyOf{q.by.Workspace, of}
	if known, ok := q.shared.surveys[ref]; ok {
		return known, nil
	}
	place, err := s.surveyPlace(q, of)
	if err == nil {
		if q.shared.surveys == nil {
			q.shared.surveys = map[surveyOf]surveyPlace{}
		}
		q.shared.surveys[ref] = place
	}
	return place, err
}

// redeclare gives a draft the segments that its survey declares now, where it
// was changed since the draft was made.
func (d *responseDraft) redeclare(now surveyPlace) error {
	if d.place.Survey.Revision == now.Survey.Revision {
		return nil
	}
	var own survey.Attributes
	if err := fromJSON(d.row.Attributes, &own); err != nil {
		return err
	}
	place := *d.place
	place.Survey.Segments = now.Survey.Segments
	d.place = &place
	return d.describe(own)
}

// complete adds to a draft what only its transaction knows: the person, who is
// made or brought up to date, and what follows from them.
func (q *session) complete(d *responseDraft) error {
	if d.customer.Known() {
		person, err := q.personOf(d)
		if err != nil {
			return err
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
			return err
		}
	}
	r := &d.row
	r.WorkspaceID, r.ID, r.CreatedAt, r.UpdatedAt = q.by.Workspace, id(newID()), int64(q.now), int64(q.now)
	return nil
}

// personOf is the person whom a draft names, made or brought up to date.
func (q *session) personOf(d *responseDraft) (survey.Person, error) {
	asOf := q.now
	if d.told != nil {
		asOf = min(asOf, *d.told)
	}
	return q.person(d.customer, d.own.Without(d.aside), asOf)
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

// response is the draft as a caller sees it, once it is kept and without a
// second query.
func (d responseDraft) response() (survey.Response, error) {
	r := d.row.plain()
	r.Touchpoint, r.Template, r.Person = d.place.Survey.Touchpoint, d.template.Key, d.person
	r.Answers, r.Attributes, r.Tags = d.answers, d.attributes, d.tags
	if d.row.RuleTags == "" || d.row.RuleTags == "[]" {
		return r, nil
	}
	return r, errors.Join(fromJSON(d.row.Tags, &r.Tags), fromJSON(d.row.RuleTags, &r.RuleTags))
}
