package store

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"slices"

	"koe/survey"
)

// ErasePerson forgets a person, by id or external id: their record, and in
// every row that came of them the address, name, external ids, comments, texts
// and attributes that are not declared segments. What waits for them is called
// off, and their links open nothing any more. Answers keep score, date,
// language, channel and segments without the person, so no score moves. A
// suppression stays as a keyed hash of the address. That somebody was erased is
// kept, by koe's own id. NotFound where there is nobody.
func (s *Store) ErasePerson(ctx context.Context, by Caller, name string) error {
	return s.write(ctx, by, func(q *session) error {
		// before the rows are read: from here on no survey declares other
		// segments, and their counts belong to this calendar
		if _, err := q.counting(); err != nil {
			return err
		}
		person, found, err := q.personNamed(name, q.forUpdate())
		if err == nil && !found {
			err = errNoPerson
		}
		if err != nil {
			return err
		}
		of := survey.ID(person.ID)
		// first: an answer that is being given holds its invitation, and is
		// there to be erased once that is let go
		invited, err := s.eraseInvitations(q, of)
		if err != nil {
			return err
		}
		if err := s.eraseResponses(q, of); err != nil {
			return err
		}
		told, err := s.eraseInteractions(q, of)
		if err != nil {
			return err
		}
		if person.Email != nil {
			told = append(told, s.addressHash(by.Workspace, *person.Email))
		}
		if err := q.eraseAddresses(slices.Concat(invited, told)); err != nil {
			return err
		}
		for _, statement := range []string{
			`UPDATE decisions SET person_id = NULL WHERE workspace_id = ? AND person_id = ?`,
			`DELETE FROM outbox WHERE workspace_id = ? AND person_id = ?`,
			`DELETE FROM turns WHERE workspace_id = ? AND person_id = ?`,
			`DELETE FROM members WHERE workspace_id = ? AND person_id = ?`,
			`DELETE FROM people WHERE workspace_id = ? AND id = ?`,
		} {
			if _, err := q.exec(statement, by.Workspace, person.ID); err != nil {
				return err
			}
		}
		return q.audit("person.erased", of.String(), "")
	})
}

// erased is the event and the reason of what was ended or emptied because the
// person is gone.
const erased = "erased"

// eraseInvitations returns the hashes of the addresses that were invited.
func (s *Store) eraseInvitations(q *session, person survey.ID) (hashes [][]byte, err error) {
	var rows []invitationRow
	if err := q.list(&rows, `SELECT `+invitationColumns+` FROM invitations`+q.indexedBy("invitations_person_id_planned_at")+` WHERE workspace_id = ? AND person_id = ? ORDER BY id`+q.forUpdate(),
		q.by.Workspace, person); err != nil {
		return nil, err
	}
	for _, row := range rows {
		hashes = append(hashes, row.AddressHash)
		if err := s.eraseInvitation(q, row); err != nil {
			return nil, err
		}
		if err := q.forget(aboutInvitation, survey.ID(row.ID)); err != nil {
			return nil, err
		}
	}
	return hashes, nil
}

// eraseInvitation ends an invitation that nobody answered, and empties it. A
// mail that is just being handed over cannot be called back: its outcome will
// be noted, and no reminder follows.
func (s *Store) eraseInvitation(q *session, row invitationRow) error {
	reason, expires := row.Reason, row.ExpiresAt
	switch survey.InvitationState(row.State) {
	case survey.InvitationScheduled:
		reason = erased
		if err := q.endInvitation(row, survey.InvitationCancelled, erased, ""); err != nil {
			return err
		}
	case survey.InvitationSent, survey.InvitationUncertain:
		reason = erased
		if err := q.endInvitation(row, survey.InvitationExpired, erased, ""); err != nil {
			return err
		}
	case survey.InvitationSending:
		expires = min(expires, int64(q.now))
	case survey.InvitationFailed: // in the words of the mail server
		reason = erased
	}
	if err := s.eraseFromCohort(q, &row); err != nil {
		return err
	}
	unknown := make([]byte, len(tokenHash("")))
	_, _ = rand.Read(unknown) // it never fails; the program ends instead
	return q.must(`UPDATE invitations SET person_id = NULL, external_id = NULL, email = NULL, address_hash = NULL, domain = '', name = '',
		timezone = '', token_hash = ?, message_id = NULL, reason = ?, expires_at = ?, updated_at = ?
		WHERE workspace_id = ? AND id = ?`, unknown, reason, expires, q.now, row.WorkspaceID, row.ID)
}

// eraseFromCohort leaves an invitation the attributes that its survey declares
// as segments now, and counts it by those.
func (s *Store) eraseFromCohort(q *session, row *invitationRow) error {
	was := *row
	if err := s.resegment(q, row, true); err != nil || row.Segments == was.Segments {
		return err
	}
	if err := s.countInvitation(q, was, was.cohort().negated()); err != nil {
		return err
	}
	return s.countInvitation(q, *row, row.cohort())
}

// forget takes the words of mail servers out of what happened, and keeps that
// the rest of it was erased.
func (q *session) forget(about string, subject survey.ID) error {
	if _, err := q.exec(`UPDATE events SET reason = '', detail = '' WHERE workspace_id = ? AND subject_id = ?
		AND type IN ('delayed', 'failed', 'uncertain', 'reminder_failed', 'bounced', 'soft_bounced', 'complained')`, q.by.Workspace, subject); err != nil {
		return err
	}
	return q.event(about, subject, erased, "", "by "+q.actor())
}

func (s *Store) eraseResponses(q *session, person survey.ID) error {
	var rows []responseRow
	if err := q.list(&rows, `SELECT `+responseColumns+` FROM responses`+q.indexedBy("responses_person_id")+` WHERE workspace_id = ? AND person_id = ? ORDER BY id`+q.forUpdate(),
		q.by.Workspace, person); err != nil {
		return err
	}
	for _, row := range rows {
		if err := s.eraseResponse(q, row); err != nil {
			return err
		}
		if err := s.eraseFollowUp(q, row.ID); err != nil {
			return err
		}
		if err := q.forget(aboutResponse, survey.ID(row.ID)); err != nil {
			return err
		}
	}
	return nil
}

// eraseResponse empties the texts of a response. Their keys stay, so that it
// can still be counted how many had something to say.
func (s *Store) eraseResponse(q *session, row responseRow) error {
	if err := s.eraseFromTallies(q, &row); err != nil {
		return err
	}
	template, err := s.templateVersion(q, survey.ID(row.TemplateID), row.TemplateVersion)
	if err != nil {
		return err
	}
	answers, err := answersOf(row.Answers)
	if err != nil {
		return err
	}
	for _, question := range template.Questions {
		if _, said := answers[question.Key]; said && question.Type == survey.TextQuestion {
			answers[question.Key] = ""
		}
	}
	text, err := asJSON(answers)
	if err != nil {
		return err
	}
	var former any // NULL
	if row.ExternalID != nil {
		former = s.former(q.by.Workspace, survey.ID(row.SurveyID), *row.ExternalID)
	}
	if _, err := q.exec(`DELETE FROM outbox WHERE workspace_id = ? AND subject_id = ?`, row.WorkspaceID, row.ID); err != nil {
		return err
	}
	return q.must(`UPDATE responses SET person_id = NULL, external_id = ?, answers = ?, comment = '', updated_at = ?
		WHERE workspace_id = ? AND id = ?`, former, text, q.now, row.WorkspaceID, row.ID)
}

// eraseFromTallies leaves a response the attributes that its survey declares as
// segments now, and counts it by those.
func (s *Store) eraseFromTallies(q *session, row *responseRow) error {
	was := *row
	c, err := q.counting()
	if err != nil {
		return err
	}
	if err := s.restratify(q, c, row, true); err != nil || row.Segments == was.Segments {
		return err
	}
	if err := s.count(q, was, -1); err != nil {
		return err
	}
	return s.count(q, *row, 1)
}

// eraseInteractions empties what happened to the person, and returns the hashes
// of the addresses that were named. It is kept that it happened: the same event,
// told again, is known and asks nobody.
func (s *Store) eraseInteractions(q *session, person survey.ID) (hashes [][]byte, err error) {
	var rows []struct {
		ID           id
		TouchpointID id
		ExternalID   *string
		Customer     string
	}
	if err := q.list(&rows, `SELECT id, touchpoint_id, external_id, customer FROM interactions WHERE workspace_id = ? AND person_id = ? ORDER BY id`,
		q.by.Workspace, person); err != nil {
		return nil, err
	}
	for _, row := range rows {
		var customer survey.Customer
		if err := fromJSON(row.Customer, &customer); err != nil {
			return nil, err
		}
		hashes = append(hashes, s.addressHash(q.by.Workspace, customer.Address()))
		var former any // NULL
		if row.ExternalID != nil {
			former = s.former(q.by.Workspace, survey.ID(row.TouchpointID), *row.ExternalID)
		}
		if err := q.must(`UPDATE interactions SET person_id = NULL, external_id = ?, customer = '{}', attributes = '{}', warnings = '[]'
			WHERE workspace_id = ? AND id = ?`, former, q.by.Workspace, row.ID); err != nil {
			return nil, err
		}
	}
	return hashes, nil
}

// eraseAddresses takes the address itself out of what is known by its hash.
func (q *session) eraseAddresses(hashes [][]byte) error {
	hashes = slices.DeleteFunc(hashes, func(hash []byte) bool { return len(hash) == 0 })
	slices.SortFunc(hashes, bytes.Compare)
	hashes = slices.CompactFunc(hashes, bytes.Equal)
	if q.postgres { // in the order of lockHashes
		if _, err := q.exec(`SELECT 1 FROM addresses WHERE workspace_id = ? AND address_hash = ANY(?::bytea[]) ORDER BY address_hash FOR UPDATE`,
			q.by.Workspace, hashes); err != nil {
			return err
		}
	}
	for _, hash := range hashes {
		for _, statement := range []string{
			`UPDATE suppressions SET email = NULL WHERE workspace_id = ? AND address_hash = ?`,
			`DELETE FROM addresses WHERE workspace_id = ? AND address_hash = ?`,
		} {
			if _, err := q.exec(statement, q.by.Workspace, hash); err != nil {
				return err
			}
		}
	}
	return nil
}

// onlySegments are the attributes of an answer or an invitation without those
// that its survey does not declare as segments now.
func (s *Store) onlySegments(q *session, of id, attributes string) (string, error) {
	place, err := s.surveyPlace(q, survey.ID(of))
	if err != nil {
		return "", err
	}
	var known survey.Attributes
	if err := fromJSON(attributes, &known); err != nil {
		return "", err
	}
	return asJSON(known.Only(place.Survey.Segments))
}

// erasedAmong are those of some rows whose person was erased. of is the id of a
// row, and whether it may be one.
func erasedAmong[R any](q *session, rows []R, of func(R) (id, bool)) (map[id]bool, error) {
	var asked []survey.ID
	for _, row := range rows {
		if one, may := of(row); may {
			asked = append(asked, survey.ID(one))
		}
	}
	if len(asked) == 0 {
		return nil, nil
	}
	var found []struct{ SubjectID id }
	if err := q.list(&found, `SELECT subject_id FROM events WHERE workspace_id = ? AND subject_id IN ? AND type = ?`,
		q.by.Workspace, q.idList(asked), erased); err != nil {
		return nil, err
	}
	out := make(map[id]bool, len(found))
	for _, one := range found {
		out[one.SubjectID] = true
	}
	return out, nil
}

// formerMark begins what stands in place of an erased external id; no caller's
// id can have it.
const formerMark = "\x01"

// former stands in place of an external id within a survey or a touchpoint,
// once the person is erased. It tells nothing without the secret, and what is
// sent again under the id is still known as a repeat.
func (s *Store) former(workspace int64, within survey.ID, externalID string) string {
	hash := s.derive("external id", workspace, append(within[:], externalID...))
	return formerMark + base64.RawURLEncoding.EncodeToString(hash[:16])
}
