package store

import (
	"context"
	"crypto/hmac"
	"encoding/base64"
	"encoding/binary"

	"koe/survey"
)

// A form of an open link is signed: it names the response that it will make,
// when it was shown and what it asks. So nobody can post what koe has not shown,
// an answer is judged by the scale that was seen, a form that is sent twice is
// one answer, and whoever has it can go on with it. koe keeps no forms.

// OpenPage is what an open link shows. Invitation has no more than a page
// needs: there is none.
type OpenPage struct {
	Opened
	Link    survey.OpenLink
	Form    string         // the signed form
	ShownAt survey.Instant // when it was first shown
}

type openForm struct {
	response survey.ID
	shownAt  survey.Instant
	template survey.ID
	version  int // of the template
}

// A form is its response's id, its instant, its template's id and version, and
// the seal. Those that were made before forms named a template end after the
// instant; they ask what their survey asks now.
const (
	shortForm = 16 + 8
	longForm  = shortForm + 16 + 4
	formMAC   = 16
)

func (s *Store) sealForm(workspace int64, of survey.ID, f openForm) string {
	b := binary.BigEndian.AppendUint64(f.response[:], uint64(f.shownAt))
	b = binary.BigEndian.AppendUint32(append(b, f.template[:]...), uint32(f.version))
	return base64.RawURLEncoding.EncodeToString(append(b, s.formSeal(workspace, of, b)...))
}

func (s *Store) formSeal(workspace int64, of survey.ID, form []byte) []byte {
	return s.derive("open form", workspace, append(of[:], form...))[:formMAC]
}

// unsealForm is false for what koe has not made for this survey.
func (s *Store) unsealForm(workspace int64, place surveyPlace, text string) (f openForm, ok bool) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	length := len(b) - formMAC
	if err != nil || length != shortForm && length != longForm || !hmac.Equal(b[length:], s.formSeal(workspace, place.Survey.ID, b[:length])) {
		return f, false
	}
	f.template, f.version = place.TemplateID, place.Survey.TemplateVersion
	copy(f.response[:], b)
	f.shownAt = survey.Instant(binary.BigEndian.Uint64(b[len(f.response):]))
	if length == longForm {
		copy(f.template[:], b[shortForm:])
		f.version = int(binary.BigEndian.Uint32(b[shortForm+len(f.template):]))
	}
	return f, true
}

// errNoForm is of a form that koe has not made for this survey, errOldForm of
// one that it made too long ago.
var (
	errNoForm  = formError("unknown", "was not made by this page; open the link again")
	errOldForm = formError("expired", "was made too long ago; open the link again")
)

func formError(code, message string) error {
	return &survey.Error{Kind: survey.Invalid, Message: message, Fields: []survey.FieldError{{Field: "form", Code: code, Message: message}}}
}

// errNoSlug is of a link that nobody has, and of one whose survey is a draft.
var errNoSlug = survey.Errorf(survey.NotFound, "", "there is no such link")

// OpenBySlug is what an open link shows to somebody who comes by it, with a
// fresh form. It records nothing. NotFound where nobody has the link, Gone
// where its survey is archived, Conflict where it is paused, the last two with
// what a page needs.
func (s *Store) OpenBySlug(ctx context.Context, slug string) (OpenPage, error) {
	q, place, page, err := s.bySlug(ctx, slug)
	if err != nil {
		return page, away(err)
	}
	f := openForm{newID(), q.now, place.TemplateID, place.Survey.TemplateVersion}
	page.Form, page.ShownAt = s.sealForm(q.by.Workspace, place.Survey.ID, f), q.now
	if page.Opened, err = s.formOpened(q, place, f, ""); err != nil {
		return page, away(err)
	}
	switch page.Survey.State {
	case survey.Archived:
		return page, errEnded
	case survey.Paused:
		return page, survey.Errorf(survey.Conflict, "", "this survey is paused")
	}
	return page, nil
}

var errEnded = survey.Errorf(survey.Gone, "", "this survey has ended")

// OpenForm is what somebody sees who has a form already. It records nothing.
// Errors are as those of OpenBySlug, but that a paused survey may still be
// answered; Invalid on "form" where it is not this link's ("unknown"), or nothing was
// answered with it in time ("expired").
func (s *Store) OpenForm(ctx context.Context, slug, form string) (OpenPage, error) {
	q, place, page, err := s.bySlug(ctx, slug)
	if err != nil {
		return page, away(err)
	}
	f, ok := s.unsealForm(q.by.Workspace, place, form)
	if !ok {
		return page, errNoForm
	}
	page.Form, page.ShownAt = form, f.shownAt
	page.Opened, err = s.formOpened(q, place, f, "")
	if err == nil {
		err = page.formClosed(q.now)
	}
	return page, away(err)
}

// bySlug finds the survey that a slug leads to.
func (s *Store) bySlug(ctx context.Context, slug string) (q *session, place surveyPlace, page OpenPage, err error) {
	q = s.reading(ctx, Caller{})
	if !survey.ValidKey(slug) {
		return q, place, page, errNoSlug
	}
	var of id
	found, err := q.row(`SELECT workspace_id, survey_id FROM public_slugs WHERE slug = ?`, []any{slug}, &q.by.Workspace, &of)
	if err != nil || !found {
		if err == nil {
			err = errNoSlug
		}
		return q, place, page, err
	}
	page.Link, found, err = q.openLink(survey.ID(of))
	if err != nil {
		return q, place, page, err
	}
	if !found || page.Link.Slug != slug {
		return q, place, page, errNoSlug
	}
	place, err = s.surveyPlace(q, survey.ID(of))
	if err == nil && place.Survey.State == survey.Draft {
		err = errNoSlug
	}
	return q, place, page, err
}

// formOpened is what a form stands for: the answer that was made with it, or
// the survey with what the form asks.
func (s *Store) formOpened(q *session, place surveyPlace, f openForm, lock string) (Opened, error) {
	o := Opened{Survey: place.Survey, Invitation: survey.Invitation{ExpiresAt: f.shownAt.Add(survey.FormLasts)}}
	template, version := f.template, f.version
	var row responseRow
	found, err := q.find(&row, `SELECT `+responseColumns+` FROM responses WHERE workspace_id = ? AND id = ? AND survey_id = ?`+lock,
		q.by.Workspace, f.response, place.Survey.ID)
	if err != nil {
		return o, err
	}
	o.Editable = true
	if found {
		r, err := row.response()
		if err != nil {
			return o, err
		}
		template, version = survey.ID(row.TemplateID), row.TemplateVersion
		o.answeredOpen(r, q.now)
	}
	if o.Template, err = s.templateVersion(q, template, version); err != nil {
		return o, err
	}
	if o.Workspace, err = q.workspace(q.by.Workspace); err != nil {
		return o, err
	}
	_, err = q.row(`SELECT key, name FROM touchpoints WHERE workspace_id = ? AND id = ?`,
		[]any{q.by.Workspace, place.TouchpointID}, &o.Invitation.Touchpoint, &o.Touchpoint)
	return o, err
}

// answeredOpen is what follows from the answer that was made with a form.
func (o *Opened) answeredOpen(r survey.Response, now survey.Instant) {
	o.Response, o.Invitation.Attributes, o.Invitation.Locale = &r, r.Attributes, r.Locale
	o.judge(now)
}

// formClosed says why nothing can be answered with a form any more.
func (o Opened) formClosed(now survey.Instant) error {
	switch {
	case o.Response != nil:
		return nil
	case o.Survey.State == survey.Archived:
		return errEnded
	case now >= o.Invitation.ExpiresAt:
		return errOldForm
	}
	return nil
}

// Arrival is how an answer came by an open link.
type Arrival struct {
	Channel    string // the way in
	Attributes survey.Attributes
	Excluded   string // why it is left out of scores; empty where it counts
}

// AnswerForm keeps what somebody answered with a form, as Answer does: the
// first reply makes the response, later ones change it, identical ones change
// nothing, and a hundred at once are one. How it came is read of the first
// alone. A response that was deleted stays so: Gone.
func (s *Store) AnswerForm(ctx context.Context, slug, form string, reply Reply, came Arrival) (OpenPage, error) {
	reading, place, page, err := s.bySlug(ctx, slug)
	if err != nil {
		return page, away(err)
	}
	f, ok := s.unsealForm(reading.by.Workspace, place, form)
	if !ok {
		return page, errNoForm
	}
	page.Form, page.ShownAt = form, f.shownAt
	err = s.write(ctx, reading.by, func(q *session) error {
		if _, err := q.counting(); err != nil { // before the response is locked, as a rebuild does
			return err
		}
		if page.Opened, err = s.formOpened(q, place, f, q.forUpdate()); err != nil {
			return err
		}
		if err := page.formClosed(q.now); err != nil {
			return err
		}
		var after *survey.Response
		if page.Response == nil {
			if after, err = s.firstOpenReply(q, place, page.Opened, f, reply, came); err != nil {
				return err
			}
		}
		if page.Response == nil && after == nil { // its twin was faster
			if page.Opened, err = s.formOpened(q, place, f, q.forUpdate()); err != nil {
				return err
			}
		}
		if page.Response != nil {
			if after, err = s.changeReply(q, page.Opened, invitationRow{WorkspaceID: q.by.Workspace}, reply); err != nil {
				return err
			}
		}
		page.answeredOpen(*after, q.now)
		return nil
	})
	return page, err
}

// firstOpenReply makes the response; nil where it is there already.
func (s *Store) firstOpenReply(q *session, place surveyPlace, o Opened, f openForm, reply Reply, came Arrival) (*survey.Response, error) {
	var p survey.Problems
	o.Template.CheckScore(&p, survey.ScoreKey, reply.Score)
	answers := o.Template.CheckAnswers(&p, "answers", reply.Answers)
	if err := p.Err(); err != nil {
		return nil, err
	}
	var one int
	deleted, err := q.row(`SELECT 1 FROM events`+q.indexedBy("events_subject_id_at")+` WHERE workspace_id = ? AND subject_id = ? AND type = 'deleted' LIMIT 1`,
		[]any{q.by.Workspace, f.response}, &one)
	if err != nil {
		return nil, err
	}
	if deleted {
		return nil, survey.Errorf(survey.Gone, "", "this answer was deleted")
	}
	r := responseRow{WorkspaceID: q.by.Workspace, ID: id(f.response), SurveyID: id(place.Survey.ID), TouchpointID: id(place.TouchpointID),
		MeasureID: measureID(o.Template.Measure()), TemplateID: id(f.template), TemplateVersion: f.version,
		Score: *reply.Score, Comment: o.Template.Comment(*reply.Score, answers), Locale: reply.Locale, Channel: came.Channel, Tags: "[]",
		Complete:    reply.Complete || len(o.Template.Shown(*reply.Score, answers)) == 0,
		RespondedAt: int64(q.now), CreatedAt: int64(q.now), UpdatedAt: int64(q.now)}
	if came.Excluded != "" {
		r.ExcludedReason = &came.Excluded
	}
	if r.Attributes, err = objectJSON(came.Attributes); err != nil {
		return nil, err
	}
	if r.Answers, err = objectJSON(answers); err != nil {
		return nil, err
	}
	if fresh, err := s.insertResponse(q, &r, o.Template, answers); err != nil || !fresh {
		return nil, err
	}
	if came.Excluded != "" {
		if err := q.event(aboutResponse, f.response, "excluded", came.Excluded, ""); err != nil {
			return nil, err
		}
	}
	if err := q.emit(survey.EventResponseCreated, f.response, nil); err != nil {
		return nil, err
	}
	if err := s.openFollowUp(q, place.Survey, r, q.now); err != nil {
		return nil, err
	}
	out, err := r.response()
	return &out, err
}
