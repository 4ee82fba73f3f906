package store

import (
	"context"
	"fmt"
	"time"

	"koe/survey"
)

// Ask is somebody whom one survey is to ask because their company says so,
// whatever the survey's trigger.
type Ask struct {
	Survey      survey.ID
	Customer    survey.Customer   // with an address or an external id
	Known       survey.Attributes // of the person alone
	Attributes  survey.Attributes // of this occasion, and so of the person
	LastAskedAt *survey.Instant   // by another tool; the later one counts
	Email       string            // the person's address from now on; "" keeps it
	Delay       time.Duration     // whole seconds
	Send        bool              // false keeps what is known of the person and asks nobody
}

// Asked is what became of an Ask. Decided is the zero value where nobody was to
// be asked.
type Asked struct {
	Person  survey.Person
	Fresh   bool // nobody had told of the person before
	Decided Decided
}

// AskPerson keeps what is said of a person and lets a survey decide about them
// in the same transaction; the rules hold as for any interaction. Errors:
// Invalid with the fields, also where the survey is not an active one that
// sends mail.
func (s *Store) AskPerson(ctx context.Context, by Caller, in Ask) (out Asked, err error) {
	q := s.reading(ctx, by)
	place, err := s.surveyPlace(q, in.Survey)
	if err != nil {
		return out, away(err)
	}
	occasion := survey.Interaction{Touchpoint: place.Survey.Touchpoint, Customer: in.Customer, Attributes: in.Attributes}
	if err := in.clean(&occasion, q.now); err != nil {
		return out, err
	}
	err = s.write(ctx, by, func(q *session) error {
		out, err = s.askAbout(q, in, occasion)
		return err
	})
	return out, err
}

func (in *Ask) clean(occasion *survey.Interaction, now survey.Instant) error {
	var p survey.Problems
	p.Merge("", occasion.Clean(now))
	in.Known = in.Known.Clean(&p, "attributes")
	if !occasion.Customer.Known() {
		p.Add("customer.email", "required", "is required")
	}
	if in.LastAskedAt != nil && *in.LastAskedAt > now.Add(maxAhead) {
		p.Add("last_asked_at", "range", "must not lie more than a day ahead")
	}
	if in.Email != "" {
		address, err := survey.NormalizeAddress(in.Email)
		if err != nil {
			p.Add("email", "format", "%s", err)
		}
		in.Email = address
	}
	return p.Err()
}

func (s *Store) askAbout(q *session, in Ask, occasion survey.Interaction) (out Asked, err error) {
	if _, err := q.counting(); err != nil { // before a person is locked, as everywhere
		return out, err
	}
	place, err := s.surveyPlace(q, in.Survey)
	if err != nil {
		return out, err
	}
	if err := mailsNow(place.Survey); in.Send && err != nil {
		return out, err
	}
	if out.Person, out.Fresh, err = q.personOrNew(occasion.Customer, occasion.Attributes.Over(in.Known), q.now, nil); err != nil {
		return out, err
	}
	if in.Email != "" && in.Email != out.Person.Email {
		if err := s.readdress(q, &out.Person, in.Email); err != nil {
			return out, err
		}
		occasion.Customer.Email = &in.Email
	}
	if err := q.askedBefore(&out.Person, in.LastAskedAt); err != nil || !in.Send {
		return out, err
	}
	w, err := q.workspace(q.by.Workspace)
	if err != nil {
		return out, err
	}
	occasion.ID, occasion.OccurredAt, occasion.ReceivedAt = newID(), q.now, q.now
	if _, err := q.insertInteraction(occasion, place.TouchpointID, &out.Person); err != nil {
		return out, err
	}
	place.Survey.Trigger.Delay = survey.Duration(fmt.Sprintf("%ds", int64(in.Delay/time.Second)))
	out.Decided, err = s.decideOne(q, occasion, place, w, &out.Person, fromInteraction)
	return out, err
}

// mailsNow is Invalid where a survey sends no mail to anybody new.
func mailsNow(v survey.Survey) error {
	switch {
	case v.Channel != survey.Email:
		return survey.Errorf(survey.Invalid, "send", "the survey %q hands out links and sends no mail; use one whose channel is email", v.Name)
	case v.State != survey.Active:
		return survey.Errorf(survey.Invalid, "send", "the survey %q is %s; activate it, or say false here", v.Name, v.State)
	}
	return nil
}

// readdress gives a person another address. What was suppressed stays so:
// nobody who unsubscribed is asked again because their address changed.
func (s *Store) readdress(q *session, person *survey.Person, address string) error {
	other, found, err := q.findPerson("", address)
	if err != nil {
		return err
	}
	if found && survey.ID(other.ID) != person.ID {
		return survey.Errorf(survey.Invalid, "email", "is another person's address; erase or change that one first")
	}
	if person.Email != "" {
		before, err := s.suppressionOf(q, person.Email)
		if err != nil {
			return err
		}
		if before != nil {
			moved, fresh, err := s.suppress(q, address, before.Reason)
			if err != nil {
				return err
			}
			if fresh {
				err = q.audit("suppression.created", moved.ID.String(), string(before.Reason))
			}
			if err != nil {
				return err
			}
		}
	}
	person.Email = address
	return q.must(`UPDATE people SET email = ?, updated_at = ? WHERE workspace_id = ? AND id = ?`,
		address, q.now, q.by.Workspace, person.ID)
}

// askedBefore notes when another tool asked a person, where that was later than
// what is known.
func (q *session) askedBefore(person *survey.Person, at *survey.Instant) error {
	if at == nil || person.LastAskedAt != nil && *person.LastAskedAt >= *at {
		return nil
	}
	person.LastAskedAt = at
	return q.must(`UPDATE people SET last_asked_at = ?, updated_at = ? WHERE workspace_id = ? AND id = ?`,
		*at, q.now, q.by.Workspace, person.ID)
}
