package store

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"koe/survey"
)

// visitsBatch is how many visits are written in one transaction.
const visitsBatch = 1000

// RecordVisits keeps what another system's records tell of the past, in the
// order in which it happened: interactions with their decisions, invitations
// with all that happened to them, answers. Everything is counted as if koe had
// been there; nothing is decided anew and nothing is sent, except what was not
// sent before now and is due. A person is kept as first seen.
//
// It is for filling a new database: a visit whose external id is known is
// passed over, and what was committed before an error stays.
func (s *Store) RecordVisits(ctx context.Context, by Caller, visits iter.Seq[survey.Visit]) error {
	h, err := s.newHistorian(ctx, by)
	if err != nil {
		return err
	}
	batch := make([]survey.Visit, 0, visitsBatch)
	for v := range visits {
		if batch = append(batch, v); len(batch) < visitsBatch {
			continue
		}
		if err := h.write(ctx, batch); err != nil {
			return err
		}
		batch = batch[:0]
	}
	return h.write(ctx, batch)
}

// historian writes the past. It remembers the people it has met, as far as
// they are committed.
type historian struct {
	*Store
	by        Caller
	now       survey.Instant
	workspace survey.Workspace
	calendar  calendar
	places    map[string]visited
	people    map[string]survey.Person
	met       map[string]survey.Person // in the transaction that is being written
}

// visited is a survey with the template that it asks.
type visited struct {
	surveyPlace
	template survey.Template
}

func (s *Store) newHistorian(ctx context.Context, by Caller) (*historian, error) {
	q := s.reading(ctx, by)
	h := &historian{Store: s, by: by, now: q.now, places: map[string]visited{}, people: map[string]survey.Person{}}
	var err error
	if h.workspace, err = q.workspace(by.Workspace); err != nil {
		return nil, away(err)
	}
	h.calendar, err = q.calendar("")
	return h, away(err)
}

// write keeps a batch in one transaction.
func (h *historian) write(ctx context.Context, batch []survey.Visit) error {
	drafts := make([]responseDraft, len(batch))
	for i, v := range batch {
		place, err := h.place(ctx, v.Survey)
		if err == nil && v.Answer != nil {
			drafts[i], err = draftAt(&place.surveyPlace, &place.template, saidThen(v), h.now)
		}
		if err != nil {
			return fmt.Errorf("visit %s: %w", v.Interaction.ExternalID, err)
		}
	}
	err := h.Store.write(ctx, h.by, func(q *session) error {
		defer func() { q.now = h.now }()
		h.met = map[string]survey.Person{}
		for i, v := range batch {
			if err := h.visit(q, v, drafts[i]); err != nil {
				return fmt.Errorf("visit %s: %w", v.Interaction.ExternalID, err)
			}
		}
		return nil
	})
	if err == nil {
		for key, person := range h.met {
			h.people[key] = person
		}
	}
	return err
}

func (h *historian) place(ctx context.Context, key string) (visited, error) {
	if known, ok := h.places[key]; ok {
		return known, nil
	}
	q := h.reading(ctx, h.by)
	place, err := h.surveyByRef(q, key)
	if err != nil {
		return visited{}, away(err)
	}
	template, err := h.templateVersion(q, place.TemplateID, place.Survey.TemplateVersion)
	if err != nil {
		return visited{}, away(err)
	}
	h.places[key] = visited{place, template}
	return h.places[key], nil
}

// saidThen is the answer of a visit. Whoever said it is filled in later.
func saidThen(v survey.Visit) NewResponse {
	in := NewResponse{Score: &v.Answer.Score, Answers: v.Answer.Answers, Comment: v.Answer.Comment, Attributes: v.Interaction.Attributes,
		Locale: v.Interaction.Customer.Locale, Channel: v.Channel, RespondedAt: &v.AnsweredAt}
	if v.Elsewhere {
		in.ExternalID = v.Interaction.ExternalID
	}
	return in
}

// visit keeps one visit, with the session's now at each event in turn.
func (h *historian) visit(q *session, v survey.Visit, d responseDraft) error {
	q.now = v.Interaction.OccurredAt
	person, err := h.person(q, v.Interaction)
	if err != nil {
		return err
	}
	d.person, d.row.PersonID = &person, id(person.ID)
	if v.Elsewhere {
		return h.answered(q, v, &d)
	}
	place := h.places[v.Survey]
	in := v.Interaction
	in.ID, in.ReceivedAt, in.Customer.Email = newID(), q.now, &person.Email // in the form that koe keeps
	if fresh, err := q.insertInteraction(in, place.TouchpointID, &person); err != nil || !fresh {
		return err
	}
	switch {
	case v.Skipped != "":
		_, err = h.keepDecision(q, survey.Decision{Verdict: survey.Skipped, Reason: v.Skipped, Until: v.Until}, place.surveyPlace, in, &person, fromInteraction)
	case v.SentAt == nil:
		_, err = h.keepDecision(q, h.planned(v, place), place.surveyPlace, in, &person, fromInteraction)
	default:
		err = h.invitation(q, v, in, place, person, d)
	}
	return err
}

// person finds whom a visit names, or makes them.
func (h *historian) person(q *session, in survey.Interaction) (survey.Person, error) {
	key := in.Customer.ExternalID
	for _, known := range []map[string]survey.Person{h.people, h.met} {
		if person, ok := known[key]; ok {
			return person, nil
		}
	}
	if err := in.Clean(q.now); err != nil {
		return survey.Person{}, err
	}
	person, err := q.person(in.Customer, in.Attributes, q.now)
	if err == nil && key != "" {
		h.met[key] = person
	}
	return person, err
}

// planned is the decision that led to an invitation.
func (h *historian) planned(v survey.Visit, at visited) survey.Decision {
	d := survey.Decision{Verdict: survey.Scheduled, SendAt: v.Interaction.OccurredAt.Add(at.Survey.Trigger.Delay.Length())}
	if v.SentAt != nil {
		d.SendAt = *v.SentAt
	}
	d.ExpiresAt = d.SendAt.Add(at.Survey.Rules.ExpiresAfter.Length())
	d.Day = survey.DayOf(d.SendAt, h.calendar.loc)
	return d
}

// pastInvitation is an invitation that went out, with what became of it.
type pastInvitation struct {
	invitationRow
	due    survey.Instant // of the next reminder
	events []pastEvent
}

type pastEvent struct {
	typ, reason, detail string
	at                  survey.Instant
}

func (p *pastInvitation) happened(at survey.Instant, typ, reason string) {
	p.events = append(p.events, pastEvent{typ: typ, reason: reason, at: at})
	p.UpdatedAt = int64(at)
}

// invitation keeps the invitation of a visit, its decision, events and answer.
func (h *historian) invitation(q *session, v survey.Visit, in survey.Interaction, place visited, person survey.Person, d responseDraft) error {
	attributes := place.attributes(in.Attributes, &person)
	decision := h.planned(v, place)
	p := pastInvitation{due: decision.SendAt, invitationRow: invitationRow{WorkspaceID: q.by.Workspace, ID: id(newID()),
		SurveyID: id(place.Survey.ID), TouchpointID: id(place.TouchpointID), PersonID: id(person.ID), InteractionID: id(in.ID),
		TemplateID: id(place.TemplateID), TemplateVersion: place.Survey.TemplateVersion, Channel: string(place.Survey.Channel),
		Email: &person.Email, Name: in.Customer.Name, Locale: in.Customer.Locale, Timezone: in.Customer.Timezone, Nonce: newNonce(),
		State: string(survey.InvitationSent), PlannedAt: int64(decision.SendAt), ExpiresAt: int64(decision.ExpiresAt),
		SentAt: (*int64)(v.SentAt), CohortAt: (*int64)(v.SentAt), OpenedAt: (*int64)(v.OpenedAt), MailState: mailNone,
		CreatedAt: int64(q.now)}}
	var err error
	if p.Attributes, err = asJSON(attributes); err != nil {
		return err
	}
	if p.Segments, err = asJSON(segmentsOf(place.Survey, attributes)); err != nil {
		return err
	}
	if err := h.sent(q, &p, v, place.Survey); err != nil {
		return err
	}
	if err := h.insertPast(q, p, decision.Day); err != nil {
		return err
	}
	if err := h.countInvitation(q, p.invitationRow, p.cohort()); err != nil {
		return err
	}
	if _, err := q.exec(insertDecision, q.by.Workspace, newID(), place.Survey.ID, person.ID, fromInteraction, in.ID,
		string(survey.Scheduled), "", nil, p.ID, in.OccurredAt); err != nil {
		return err
	}
	q.moveOn(surveyDay{q.by.Workspace, place.Survey.ID, decision.Day}, dayMove{planned: 1})
	if v.Answer == nil {
		return nil
	}
	d.row.InvitationID, d.row.Channel = p.ID, p.Channel
	return h.answered(q, v, &d)
}

// answered keeps the answer of a visit, and what came of it.
func (h *historian) answered(q *session, v survey.Visit, d *responseDraft) error {
	q.now = v.AnsweredAt
	if fresh, err := h.insertDraft(q, d); err != nil || !fresh || v.FollowUp == nil {
		return err
	}
	return h.followedUp(q, h.places[v.Survey].surveyPlace, d.row, *v.FollowUp)
}

// sent lets happen again what happened to an invitation since it was made.
func (h *historian) sent(q *session, p *pastInvitation, v survey.Visit, of survey.Survey) error {
	sent := *v.SentAt
	if of.Channel == survey.Email {
		message := survey.ID(p.ID).String() + "@koe.invalid"
		p.MessageID = &message
		p.happened(v.Interaction.OccurredAt, string(survey.InvitationScheduled), "")
		p.happened(sent, string(survey.InvitationSending), "")
		p.happened(sent, string(survey.InvitationSent), "")
	} else {
		p.happened(sent, string(survey.InvitationSent), "")
		p.events[0].detail = "link"
	}
	expires := survey.Instant(p.ExpiresAt)
	switch {
	case v.BouncedAt != nil:
		p.State, p.Reason, p.BouncedAt = string(survey.InvitationFailed), "bounced", (*int64)(v.BouncedAt)
		p.happened(*v.BouncedAt, p.State, p.Reason)
		return h.suppressThen(q, p, *v.BouncedAt, survey.Bounced)
	case v.Answer != nil:
		if err := h.reminded(p, of, v.AnsweredAt); err != nil {
			return err
		}
		p.State, p.AnsweredAt, p.MailState, p.Commented = string(survey.InvitationAnswered), (*int64)(&v.AnsweredAt), mailNone, v.Answer.Comment != ""
		p.happened(v.AnsweredAt, p.State, "")
		return nil
	case v.UnsubscribedAt != nil:
		if err := h.suppressThen(q, p, *v.UnsubscribedAt, survey.Unsubscribed); err != nil {
			return err
		}
	default:
		if err := h.reminded(p, of, min(h.now, expires)); err != nil {
			return err
		}
	}
	if expires <= h.now {
		p.State, p.Reason = string(survey.InvitationExpired), "expired"
		p.happened(expires, p.State, p.Reason)
	}
	return nil
}

func (h *historian) suppressThen(q *session, p *pastInvitation, at survey.Instant, why survey.SuppressionReason) error {
	q.now = at
	_, _, err := h.suppress(q, *p.Email, why)
	return err
}

// reminded keeps the reminders that went out before an instant; the next one,
// where it is still to come, waits for its time.
func (h *historian) reminded(p *pastInvitation, of survey.Survey, until survey.Instant) error {
	v, err := p.invitation(0)
	if err != nil {
		return err
	}
	for went := *v.SentAt; ; {
		due, more := survey.NextReminder(v, of, h.workspace, p.MailNo, went)
		if !more {
			return nil
		}
		p.MailNo++
		if due >= until {
			p.MailState, p.due = mailWaiting, due
			return nil
		}
		p.happened(due, sentWord(p.MailNo), "")
		went = due
	}
}

const insertDecision = `INSERT INTO decisions (workspace_id, id, survey_id, person_id, source_type, source_id, verdict, reason,
	until_at, invitation_id, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

// insertPast writes the invitation as it is now, and its events.
func (h *historian) insertPast(q *session, p pastInvitation, day survey.Day) error {
	address := *p.Email
	_, domain, _ := strings.Cut(address, "@")
	token := h.token(p.WorkspaceID, p.Nonce)
	if _, err := q.exec(`INSERT INTO invitations (workspace_id, id, survey_id, touchpoint_id, person_id, interaction_id,
		template_id, template_version, channel, email, address_hash, domain, name, locale, timezone, attributes, segments,
		nonce, token_hash, state, reason, planned_at, expires_at, sent_at, answered_at, opened_at, bounced_at, message_id,
		mail_no, mail_state, due_at, attempt, lease_until, fence, held, planned_day, cohort_at, commented, created_at, updated_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 1, ?, ?, ?, ?, ?, ?)`,
		p.WorkspaceID, p.ID, p.SurveyID, p.TouchpointID, p.PersonID, p.InteractionID, p.TemplateID, p.TemplateVersion, p.Channel,
		address, h.addressHash(p.WorkspaceID, address), domain, p.Name, p.Locale, p.Timezone, p.Attributes, p.Segments,
		p.Nonce, tokenHash(token), p.State, p.Reason, p.PlannedAt, p.ExpiresAt, p.SentAt, p.AnsweredAt, p.OpenedAt, p.BouncedAt,
		p.MessageID, p.MailNo, p.MailState, p.due, false, day, p.CohortAt, p.Commented, p.CreatedAt, p.UpdatedAt); err != nil {
		return err
	}
	for _, e := range p.events {
		q.now = e.at
		if err := q.event(aboutInvitation, survey.ID(p.ID), e.typ, e.reason, e.detail); err != nil {
			return err
		}
	}
	return nil
}
