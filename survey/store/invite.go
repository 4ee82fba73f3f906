package store

import (
	"fmt"
	"strings"

	"koe/survey"
)

// The mail_state of an invitation: what the scheduler has to do with it.
const (
	mailNone    = "none"
	mailWaiting = "waiting"
	mailClaimed = "claimed"
	mailSending = "sending"
)

// invite is what a new invitation is made of.
type invite struct {
	place       surveyPlace
	person      *survey.Person
	customer    survey.Customer
	attributes  survey.Attributes
	interaction *survey.ID
	externalID  string
	sendAt      survey.Instant
	expiresAt   survey.Instant
	waits       survey.Reason // why sendAt is later than the survey's delay makes it
	day         survey.Day
	planned     bool // by a decision
}

type invited struct {
	id    survey.ID
	token string
}

const insertInvitation = `INSERT INTO invitations (workspace_id, id, survey_id, touchpoint_id, person_id, interaction_id,
	template_id, template_version, channel, external_id, email, address_hash, domain, name, locale, timezone, attributes, segments,
	nonce, token_hash, state, reason, planned_at, expires_at, sent_at, mail_no, mail_state, due_at, attempt, lease_until,
	fence, held, planned_day, cohort_at, wait_reason, created_at, updated_at)
	VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', ?, ?, ?, 0, ?, ?, 0, 0, 0, ?, ?, ?, ?, ?, ?)`

// invite writes an invitation: a mail that waits, or a link that is out.
func (s *Store) invite(q *session, v invite) (invited, error) {
	attributes, err := asJSON(v.attributes)
	if err != nil {
		return invited{}, err
	}
	if _, err := q.counting(); err != nil { // from here on no survey declares other segments until this is kept
		return invited{}, err
	}
	segmentText, err := s.segmentsNow(q, id(v.place.Survey.ID), attributes)
	if err != nil {
		return invited{}, err
	}
	made := invited{id: newID()}
	nonce := newNonce()
	made.token = s.token(q.by.Workspace, nonce)
	address := v.customer.Address()
	_, domain, _ := strings.Cut(address, "@")
	state, mail := survey.InvitationScheduled, mailWaiting
	var sentAt, outAt any
	if v.place.Survey.Channel == survey.LinkOnly {
		state, mail = survey.InvitationSent, mailNone
		sentAt, outAt = int64(v.sendAt), int64(v.sendAt)
	}
	var personID *survey.ID
	if v.person != nil {
		personID = &v.person.ID
	}
	if _, err := q.exec(insertInvitation, q.by.Workspace, made.id, v.place.Survey.ID, v.place.TouchpointID, personID,
		v.interaction, v.place.TemplateID, v.place.Survey.TemplateVersion, string(v.place.Survey.Channel),
		orNull(v.externalID), orNull(address), s.addressHash(q.by.Workspace, address), domain, v.customer.Name,
		v.customer.Locale, v.customer.Timezone, attributes, segmentText, nonce, tokenHash(made.token), string(state),
		v.sendAt, v.expiresAt, sentAt, mail, v.sendAt, v.place.Survey.State == survey.Paused, v.day, outAt,
		string(v.waits), q.now, q.now); err != nil {
		return made, fmt.Errorf("invite: %w", err)
	}
	if v.planned { // links made by hand are nobody's daily limit
		q.moveOn(surveyDay{q.by.Workspace, v.place.Survey.ID, v.day}, dayMove{planned: 1})
	}
	if v.place.Survey.Channel == survey.Email {
		return made, q.event(aboutInvitation, made.id, string(state), "", "")
	}
	row := invitationRow{WorkspaceID: q.by.Workspace, ID: id(made.id), SurveyID: id(v.place.Survey.ID), TouchpointID: id(v.place.TouchpointID),
		Locale: v.customer.Locale, Channel: string(v.place.Survey.Channel), Segments: segmentText, CohortAt: (*int64)(&v.sendAt)}
	if err := s.countInvitation(q, row, cohort{sent: 1}); err != nil {
		return made, err
	}
	return made, q.event(aboutInvitation, made.id, string(state), "", "link")
}

// segmentsOf are the values by which a survey's answers and invitations are
// tallied.
func segmentsOf(s survey.Survey, a survey.Attributes) map[string]string {
	segments := map[string]string{}
	for _, name := range s.Segments {
		if text := survey.SegmentValue(a[name].Text()); text != "" { // an empty value is none
			segments[name] = text
		}
	}
	return segments
}
