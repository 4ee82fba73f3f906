package store

import (
	"context"
	"fmt"
	"slices"

	"koe/survey"
)

// Link is a personal link to make: for whom, and what is known of the
// occasion.
type Link struct {
	Customer   survey.Customer
	Attributes survey.Attributes
	Locale     string
	ExternalID string
}

// Made is a personal link.
type Made struct {
	Invitation survey.ID
	Token      string
	ExternalID string
	ExpiresAt  survey.Instant
}

// CreateLinks makes personal links for a survey, all or none. Whoever asked for
// links decides whom to give them to: no rule is asked. The survey must be
// active.
func (s *Store) CreateLinks(ctx context.Context, by Caller, ref string, links []Link) ([]Made, error) {
	var made []Made
	err := s.write(ctx, by, func(q *session) error {
		made = make([]Made, len(links))
		place, err := s.surveyByRef(q, ref)
		if err != nil {
			return err
		}
		if place.Survey.State != survey.Active {
			return survey.Errorf(survey.Conflict, "", "the survey is %s; activate it to make links", place.Survey.State)
		}
		place.Survey.Channel = survey.LinkOnly // whatever the survey's own way is
		w, err := q.workspace(by.Workspace)
		if err != nil {
			return err
		}
		loc, err := survey.LoadZone(w.Timezone)
		if err != nil {
			return err
		}
		clean, err := cleanLinks(links)
		if err != nil {
			return err
		}
		if _, err := q.counting(); err != nil { // before a person is locked, as everywhere
			return err
		}
		customers := make([]survey.Customer, len(clean))
		for i, link := range clean {
			customers[i] = link.Customer
		}
		order, err := q.inLockOrder(customers)
		if err != nil {
			return err
		}
		ids := make([]survey.ID, len(clean))
		for _, i := range order {
			link := clean[i]
			var person *survey.Person
			if link.Customer.Known() {
				known, err := q.person(link.Customer, link.Attributes, q.now)
				if err != nil {
					return err
				}
				person, link.Customer = &known, fillCustomer(link.Customer, known)
			}
			v := invite{place: place, person: person, customer: link.Customer, externalID: link.ExternalID,
				attributes: place.attributes(link.Attributes, person), sendAt: q.now,
				expiresAt: q.now.Add(place.Survey.Rules.ExpiresAfter.Length()), day: survey.DayOf(q.now, loc)}
			one, err := s.invite(q, v)
			if err != nil {
				return err
			}
			made[i], ids[i] = Made{one.id, one.token, link.ExternalID, v.expiresAt}, one.id
		}
		q.resource, err = asJSON(ids)
		return err
	})
	return made, err
}

// cleanLinks brings links into the form that koe keeps, or says what is wrong
// with each of them.
func cleanLinks(links []Link) ([]Link, error) {
	var p survey.Problems
	clean := slices.Clone(links)
	for i := range clean {
		clean[i].clean(&p, fmt.Sprintf("links[%d]", i))
	}
	return clean, p.Err()
}

func (l *Link) clean(p *survey.Problems, at string) {
	l.Customer.Clean(p, at+".customer")
	l.Attributes = l.Attributes.Clean(p, at+".attributes")
	if len([]rune(l.ExternalID)) > 255 {
		p.Add(at+".external_id", "too_long", "must have at most 255 characters")
	}
	if l.Locale != "" {
		locale, err := survey.ParseLocale(l.Locale)
		if err != nil {
			p.Add(at+".locale", "format", "%s", err)
			return
		}
		l.Customer.Locale = locale
	}
}

// RepeatLinks renders again the links that a remembered request made.
func (s *Store) RepeatLinks(ctx context.Context, by Caller, resource string) ([]Made, error) {
	var ids []survey.ID
	if err := fromJSON(resource, &ids); err != nil {
		return nil, err
	}
	q := s.reading(ctx, by)
	made := make([]Made, 0, len(ids))
	for _, one := range ids {
		var nonce []byte
		var expires int64
		var external *string
		found, err := q.row(`SELECT nonce, expires_at, external_id FROM invitations WHERE workspace_id = ? AND id = ?`,
			[]any{by.Workspace, one}, &nonce, &expires, &external)
		if err != nil {
			return nil, away(err)
		}
		if !found {
			continue
		}
		link := Made{Invitation: one, Token: s.token(by.Workspace, nonce), ExpiresAt: survey.Instant(expires)}
		if external != nil {
			link.ExternalID = *external
		}
		made = append(made, link)
	}
	return made, nil
}
