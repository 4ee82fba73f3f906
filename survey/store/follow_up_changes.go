package store

import (
	"context"
	"slices"
	"strings"

	"koe/survey"
)

// FollowUpChange is what staff may change of a follow-up.
type FollowUpChange struct {
	State   survey.FollowUpState
	Outcome string
	Owner   string // a member's address; "" for nobody
}

// ChangeFollowUp changes a follow-up. Whoever it is given to is mailed, but for
// themselves; what is resolved is closed, or the customer asked, as the survey's
// rule says; what is taken up again is due anew. change may run more than once.
// Errors: NotFound, Invalid with the fields.
func (s *Store) ChangeFollowUp(ctx context.Context, by Caller, of survey.ID, change func(*FollowUpChange) error) (f survey.FollowUp, events []Event, err error) {
	err = s.write(ctx, by, func(q *session) error {
		row, err := q.followUpRow(of, q.forUpdate())
		if err != nil {
			return err
		}
		if _, _, err := s.wholeFollowUp(q, of); err != nil { // it may not be the caller's to see
			return err
		}
		if err := s.changeFollowUp(q, &row, change); err != nil {
			return err
		}
		f, events, err = s.wholeFollowUp(q, of)
		return err
	})
	return f, events, err
}

func (s *Store) changeFollowUp(q *session, row *followUpRow, change func(*FollowUpChange) error) error {
	place, attributes, err := s.aboutFollowUp(q, *row)
	if err != nil {
		return err
	}
	f := row.followUp()
	was := FollowUpChange{State: f.State, Outcome: f.Outcome}
	if owner := row.OwnerID.orNil(); owner != nil {
		m, err := q.member(*owner, "")
		if err != nil && !isNotFound(err) {
			return err
		}
		f.Owner, was.Owner = &m, m.Email
	}
	wanted := was
	if err := change(&wanted); err != nil {
		return err
	}
	var p survey.Problems
	if !slices.Contains(survey.FollowUpStates(), wanted.State) {
		p.Add("state", "unknown", "must be open, in_progress or resolved")
	}
	f.Outcome = survey.CleanOutcome(&p, wanted.Outcome)
	var owner *survey.Member
	if wanted.Owner != was.Owner && wanted.Owner != "" {
		if owner, err = q.checkNewOwner(&p, wanted.Owner, place.Survey.Touchpoint, attributes); err != nil {
			return err
		}
	}
	if err := p.Err(); err != nil {
		return err
	}
	changed := changedFields(was, FollowUpChange{wanted.State, f.Outcome, wanted.Owner})
	if len(changed) == 0 {
		return nil
	}
	if err := q.audit("follow_up.changed", survey.ID(row.ID).String(), strings.Join(changed, ", ")); err != nil {
		return err
	}
	if wanted.Owner != was.Owner {
		if err := q.handOver(row, &f, owner); err != nil {
			return err
		}
	}
	return s.move(q, row, f, wanted.State, place)
}

func changedFields(was, now FollowUpChange) (names []string) {
	if was.State != now.State {
		names = append(names, "state")
	}
	if was.Outcome != now.Outcome {
		names = append(names, "outcome")
	}
	if was.Owner != now.Owner {
		names = append(names, "owner")
	}
	return names
}

// checkNewOwner notes a problem where somebody cannot take a follow-up.
func (q *session) checkNewOwner(p *survey.Problems, address, touchpoint string, of survey.Attributes) (*survey.Member, error) {
	if normal, err := survey.NormalizeAddress(address); err == nil {
		address = normal
	}
	m, found, err := q.memberByAddress(address)
	if err == nil && found { // held until this is kept: nobody removes them meanwhile
		if m, err = q.member(m.ID, q.forChange()); isNotFound(err) {
			found, err = false, nil
		}
	}
	switch {
	case err != nil:
		return nil, err
	case !found:
		p.Add("owner", "unknown", "is no member of this workspace")
	case !m.MayOwn(touchpoint, of):
		p.Add("owner", "scope", "may not change this follow-up: a viewer, or somebody who does not see its answer")
	}
	return &m, nil
}

// handOver gives a follow-up to another member, or to nobody.
func (q *session) handOver(row *followUpRow, f *survey.FollowUp, owner *survey.Member) error {
	f.Owner, row.OwnerID, row.AssignedAt = owner, id{}, nil
	if owner == nil {
		return q.event(aboutFollowUp, survey.ID(row.ID), "unowned", "", q.byActor())
	}
	row.OwnerID, row.AssignedAt = id(owner.ID), (*int64)(&q.now)
	if owner.ID == q.by.KeyID { // whoever takes it knows
		return q.event(aboutFollowUp, survey.ID(row.ID), "assigned", owner.ID.String(), q.byActor())
	}
	return q.tellOwner(row, *owner, true)
}

// move brings a follow-up into a state and keeps it.
func (s *Store) move(q *session, row *followUpRow, f survey.FollowUp, to survey.FollowUpState, place surveyPlace) error {
	rule, from := ruleOf(place.Survey), f.State
	var address, why string
	mails := true
	if to == survey.FollowUpResolved && from != to && rule.Confirm {
		var err error
		if address, why, err = s.askable(q, *row); err != nil {
			return err
		}
		if address != "" {
			if mails, why, err = q.asksAgain(*row, address); err != nil {
				return err
			}
		}
		if why != "" {
			address = ""
		}
	}
	f.Move(to, rule, address != "", q.now)
	row.take(f, rule, q.now)
	if from != to {
		if err := q.event(aboutFollowUp, survey.ID(row.ID), string(to), "", q.byActor()); err != nil {
			return err
		}
	}
	if f.Confirmation == survey.ConfirmationPending && from != to && mails {
		if _, err := q.notifyAt(survey.EventFollowUpAsked, survey.ID(row.ID), address, row.PersonID.orNil(), q.now); err != nil {
			return err
		}
		if err := q.event(aboutFollowUp, survey.ID(row.ID), "asked", "", ""); err != nil {
			return err
		}
	}
	if f.Confirmation == survey.Unconfirmed && from != to {
		if err := q.event(aboutFollowUp, survey.ID(row.ID), "unconfirmed", why, ""); err != nil {
			return err
		}
	}
	return q.saveFollowUp(*row)
}

// The reasons for which a customer is not asked whether it is solved.
const (
	noConsent = "no_consent"
	noAddress = "no_address"
	nowQuiet  = "suppressed"
	noAnswer  = "silence"
	askedOft  = "asked_often"
)

// askable is the address of a customer who may be asked, or why there is none.
func (s *Store) askable(q *session, row followUpRow) (address, why string, err error) {
	person := row.PersonID.orNil()
	if person == nil {
		return "", noAddress, nil
	}
	people, err := q.peopleByID([]survey.ID{*person})
	if err != nil {
		return "", "", err
	}
	if who := people[*person]; who == nil || who.Email == "" {
		return "", noAddress, nil
	}
	address = people[*person].Email
	if off, err := s.suppressed(q, address); err != nil || off {
		return "", nowQuiet, err
	}
	var answer responseRow
	found, err := q.find(&answer, `SELECT `+responseColumns+` FROM responses WHERE workspace_id = ? AND id = ?`, q.by.Workspace, row.ResponseID)
	if err != nil || !found {
		return "", noAddress, err
	}
	template, err := s.templateVersion(q, survey.ID(answer.TemplateID), answer.TemplateVersion)
	if err != nil {
		return "", "", err
	}
	answers, err := answersOf(answer.Answers)
	if err != nil || !survey.MayAsk(template, answers) {
		return "", noConsent, err
	}
	return address, "", nil
}

// maxFollowUpNotes keeps a story that can be read.
const maxFollowUpNotes = 500

// AddNote writes down what somebody of the company did or learned; it counts as
// taking the follow-up up. Errors: NotFound, Invalid, Conflict where there are
// 500.
func (s *Store) AddNote(ctx context.Context, by Caller, of survey.ID, text string) (note survey.FollowUpNote, err error) {
	var p survey.Problems
	text = survey.CleanFollowUpNote(&p, text)
	if err := p.Err(); err != nil {
		return note, err
	}
	err = s.write(ctx, by, func(q *session) error {
		row, err := q.followUpRow(of, q.forUpdate())
		if err != nil {
			return err
		}
		if _, _, err := s.wholeFollowUp(q, of); err != nil { // it may not be the caller's to see
			return err
		}
		var all int
		if _, err := q.row(`SELECT COUNT(*) FROM follow_up_notes`+q.indexedBy("follow_up_notes_follow_up_id")+` WHERE workspace_id = ? AND follow_up_id = ?`, []any{by.Workspace, row.ID}, &all); err != nil {
			return err
		}
		if all >= maxFollowUpNotes {
			return survey.Errorf(survey.Conflict, "", "a follow-up has at most %d notes", maxFollowUpNotes)
		}
		note, err = q.addNote(row, text)
		return err
	})
	return note, err
}

func (q *session) addNote(row followUpRow, text string) (note survey.FollowUpNote, err error) {
	note = survey.FollowUpNote{ID: newID(), At: q.now, By: q.by.KeyName, Text: text}
	if _, err := q.exec(`INSERT INTO follow_up_notes (workspace_id, id, follow_up_id, author, text, created_at) VALUES (?, ?, ?, ?, ?, ?)`,
		q.by.Workspace, note.ID, row.ID, note.By, note.Text, note.At); err != nil {
		return note, err
	}
	q.resource = note.ID.String()
	f := row.followUp()
	f.Touch(q.now)
	row.TouchedAt, row.UpdatedAt = (*int64)(f.TouchedAt), int64(q.now)
	if err := q.saveFollowUp(row); err != nil {
		return note, err
	}
	return note, q.audit("follow_up.noted", survey.ID(row.ID).String(), "")
}

// FollowUpNote shows one note of a follow-up.
func (s *Store) FollowUpNote(ctx context.Context, by Caller, of, note survey.ID) (survey.FollowUpNote, error) {
	q := s.reading(ctx, by)
	notes, err := q.followUpNotes(id(of))
	if err != nil {
		return survey.FollowUpNote{}, away(err)
	}
	for _, one := range notes {
		if one.ID == note {
			return one, nil
		}
	}
	return survey.FollowUpNote{}, errNoFollowUp
}
