package store

import (
	"context"
	"fmt"

	"koe/survey"
)

// maxVisits bounds one transaction of RecordVisits.
const maxVisits = 100000

// RecordVisits keeps what another system's records tell of the past, at most
// 1,000 visits: interactions with their decisions, invitations with all that
// happened to them, answers. Everything is counted as if koe had been there;
// nothing is decided anew and nothing is sent, except what was not sent before
// now and is due. A visit whose external id is known is passed over.
//
// It is for filling a new database. Events of the past carry their instants;
// rows are as old as what they tell.
func (s *Store) RecordVisits(ctx context.Context, by Caller, visits []survey.Visit) error {
	if len(visits) > maxVisits {
		return survey.Errorf(survey.Invalid, "visits", "must be at most %d at a time", maxVisits)
	}
	drafts := make([]responseDraft, len(visits))
	for i, v := range visits {
		if !v.Elsewhere {
			continue
		}
		var err error
		if drafts[i], err = s.draftResponse(ctx, by, elsewhere(v)); err != nil {
			return fmt.Errorf("visit %s: %w", v.Interaction.ExternalID, err)
		}
	}
	return s.write(ctx, by, func(q *session) error {
		now := q.now
		defer func() { q.now = now }()
		w, err := q.workspace(by.Workspace)
		if err != nil {
			return err
		}
		for i, v := range visits {
			if v.Elsewhere {
				d := drafts[i]
				q.now = v.AnsweredAt
				_, err = s.insertDraft(q, &d)
			} else {
				err = s.recordVisit(q, v, w, now)
			}
			if err != nil {
				return fmt.Errorf("visit %s: %w", v.Interaction.ExternalID, err)
			}
		}
		return nil
	})
}

// elsewhere is the answer of a visit that another tool asked about.
func elsewhere(v survey.Visit) NewResponse {
	in := NewResponse{Survey: v.Survey, Customer: v.Interaction.Customer, Attributes: v.Interaction.Attributes,
		Channel: v.Channel, ExternalID: v.Interaction.ExternalID, RespondedAt: &v.AnsweredAt}
	if v.Answer != nil {
		in.Score, in.Answers, in.Comment = &v.Answer.Score, v.Answer.Answers, v.Answer.Comment
	}
	return in
}

// recordVisit keeps an interaction and what it led to, with the session's now
// at each event in turn.
func (s *Store) recordVisit(q *session, v survey.Visit, w survey.Workspace, now survey.Instant) error {
	q.now = v.Interaction.OccurredAt
	in := v.Interaction
	if err := in.Clean(q.now); err != nil {
		return err
	}
	in.ID, in.ReceivedAt = newID(), q.now
	place, err := s.surveyByRef(q, v.Survey)
	if err != nil {
		return err
	}
	person, err := s.person(q, in.Customer, in.Attributes)
	if err != nil {
		return err
	}
	if fresh, err := q.insertInteraction(in, place.TouchpointID, &person); err != nil || !fresh {
		return err
	}
	decision := survey.Decision{Verdict: survey.Skipped, Reason: v.Skipped, Until: v.Until}
	if v.Skipped == "" {
		decision = planned(v, place.Survey, w)
	}
	decided, err := s.keepDecision(q, decision, place, in, &person, w)
	if err != nil || v.SentAt == nil {
		return err
	}
	row, err := q.invitationRow(*decided.Invitation, "")
	if err != nil {
		return err
	}
	return s.relive(q, v, row, place, w, now)
}

// planned is the decision that led to an invitation.
func planned(v survey.Visit, of survey.Survey, w survey.Workspace) survey.Decision {
	d := survey.Decision{Verdict: survey.Scheduled, SendAt: v.Interaction.OccurredAt.Add(of.Trigger.Delay.Length())}
	if v.SentAt != nil {
		d.SendAt = *v.SentAt
	}
	d.ExpiresAt = d.SendAt.Add(of.Rules.ExpiresAfter.Length())
	loc, err := survey.LoadZone(w.Timezone)
	if err == nil {
		d.Day = survey.DayOf(d.SendAt, loc)
	}
	return d
}

// relive lets happen again what happened to an invitation that was sent.
func (s *Store) relive(q *session, v survey.Visit, row invitationRow, place surveyPlace, w survey.Workspace, now survey.Instant) error {
	if place.Survey.Channel == survey.Email {
		if err := s.sentThen(q, &row, *v.SentAt); err != nil {
			return err
		}
	}
	if v.OpenedAt != nil {
		if err := q.must(`UPDATE invitations SET opened_at = ? WHERE workspace_id = ? AND id = ?`, *v.OpenedAt, row.WorkspaceID, row.ID); err != nil {
			return err
		}
	}
	switch {
	case v.BouncedAt != nil:
		q.now = *v.BouncedAt
		return s.bouncedThen(q, row)
	case v.Answer != nil:
		if err := s.remindedThen(q, &row, place.Survey, w, v.AnsweredAt); err != nil {
			return err
		}
		q.now = v.AnsweredAt
		return s.answeredThen(q, v, row)
	case v.UnsubscribedAt != nil:
		q.now = *v.UnsubscribedAt
		if _, _, err := s.suppress(q, *row.Email, survey.Unsubscribed); err != nil {
			return err
		}
	default:
		if err := s.remindedThen(q, &row, place.Survey, w, min(now, survey.Instant(row.ExpiresAt))); err != nil {
			return err
		}
	}
	if survey.Instant(row.ExpiresAt) > now {
		return nil
	}
	q.now = survey.Instant(row.ExpiresAt)
	return q.endInvitation(row, survey.InvitationExpired, "expired", "")
}

// sentThen is what StartSending and Sent do, at an instant of the past.
func (s *Store) sentThen(q *session, row *invitationRow, at survey.Instant) error {
	q.now = at
	sent := int64(at)
	row.SentAt, row.State = &sent, string(survey.InvitationSent)
	if err := s.countSent(q, row); err != nil {
		return err
	}
	if err := q.must(`UPDATE invitations SET state = 'sent', sent_at = ?, cohort_day = ?, mail_state = 'none', message_id = ?, updated_at = ?
		WHERE workspace_id = ? AND id = ?`, sent, row.CohortDay, survey.ID(row.ID).String()+"@demo.invalid", at, row.WorkspaceID, row.ID); err != nil {
		return err
	}
	if err := q.event(aboutInvitation, survey.ID(row.ID), "sending", "", ""); err != nil {
		return err
	}
	return q.event(aboutInvitation, survey.ID(row.ID), "sent", "", "")
}

// remindedThen keeps the reminders that went out before an instant; the next
// one, if it is still to come, waits for its time.
func (s *Store) remindedThen(q *session, row *invitationRow, of survey.Survey, w survey.Workspace, until survey.Instant) error {
	if len(of.Rules.Reminders) == 0 {
		return nil
	}
	v, err := row.invitation(0)
	if err != nil {
		return err
	}
	for no := 0; ; no++ {
		due, more := survey.NextReminder(v, of, w, no)
		if !more {
			return nil
		}
		if due >= until {
			return q.must(`UPDATE invitations SET mail_no = ?, mail_state = 'waiting', due_at = ? WHERE workspace_id = ? AND id = ?`,
				no+1, due, row.WorkspaceID, row.ID)
		}
		q.now = due
		if err := q.event(aboutInvitation, survey.ID(row.ID), sentWord(no+1), "", ""); err != nil {
			return err
		}
	}
}

// bouncedThen is a mail that came back for good.
func (s *Store) bouncedThen(q *session, row invitationRow) error {
	segments, err := row.segments()
	if err != nil {
		return err
	}
	q.moveCohort(cohortRow{workspace: row.WorkspaceID, touchpoint: survey.ID(row.TouchpointID), survey: survey.ID(row.SurveyID),
		day: survey.Day(*row.CohortDay)}, segments, row.Locale, survey.Channel(row.Channel), cohort1{bounced: 1})
	if err := q.must(`UPDATE invitations SET bounced_at = ? WHERE workspace_id = ? AND id = ?`, q.now, row.WorkspaceID, row.ID); err != nil {
		return err
	}
	if _, _, err := s.suppress(q, *row.Email, survey.Bounced); err != nil {
		return err
	}
	return q.endInvitation(row, survey.InvitationFailed, "bounced", "")
}

// answeredThen is a respondent's one reply.
func (s *Store) answeredThen(q *session, v survey.Visit, row invitationRow) error {
	template, err := s.templateVersion(q, survey.ID(row.TemplateID), row.TemplateVersion)
	if err != nil {
		return err
	}
	answers := template.WithComment(v.Answer.Score, v.Answer.Answers, v.Answer.Comment)
	_, err = s.firstReply(q, Opened{Template: template}, row,
		Reply{Score: &v.Answer.Score, Answers: answers, Complete: v.Answer.Complete, Locale: row.Locale})
	return err
}
