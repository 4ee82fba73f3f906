package api

import (
	"strings"

	"github.com/labstack/echo/v4"

	"koe/survey"
	"koe/survey/store"
)

// personRequest is all that is known of a person: what is left out is not
// known.
type personRequest struct {
	ExternalID  string            `json:"external_id"`
	Email       *string           `json:"email"`
	Name        string            `json:"name"`
	Locale      string            `json:"locale"`
	Timezone    string            `json:"timezone"`
	Attributes  survey.Attributes `json:"attributes"`
	LastAskedAt *survey.Instant   `json:"last_asked_at"`
}

// personShown is a person with what is known of their address.
type personShown struct {
	survey.Person
	Suppression *survey.Suppression `json:"suppression"`
}

// personParam is a person's id or external id in the path; one that nobody can
// have is NotFound.
func personParam(c echo.Context) (string, error) {
	var p survey.Problems
	name := survey.Line(&p, "external_id", param(c, "id"), 255)
	if p.Err() != nil || name == "" {
		return "", notFound("person")
	}
	return name, nil
}

func (a *api) listPeople(c echo.Context) error {
	q := queryOf(c)
	page, err := q.page()
	if err != nil {
		return err
	}
	list, next, err := a.Store.People(c.Request().Context(), caller(c),
		store.PersonFilter{Email: q["email"], ExternalID: strings.TrimSpace(q["external_id"])}, page)
	return reply(c, listed(list, next), err)
}

func (a *api) showPerson(c echo.Context) error {
	name, err := personParam(c)
	if err != nil {
		return err
	}
	person, suppression, err := a.Store.Person(c.Request().Context(), caller(c), name)
	return reply(c, okay(personShown{person, suppression}, ""), err)
}

func (a *api) putPerson(c echo.Context) error {
	var in personRequest
	if err := bind(c, &in); err != nil {
		return err
	}
	name, err := personParam(c)
	if err != nil {
		return survey.Errorf(survey.Invalid, "external_id", "the external_id in the path must be one line of at most 255 characters")
	}
	person := survey.Person{ExternalID: in.ExternalID, Name: in.Name, Locale: in.Locale, Timezone: in.Timezone,
		Attributes: in.Attributes, LastAskedAt: in.LastAskedAt}
	if in.Email != nil {
		if *in.Email == "" { // an address that is there and empty is a mistake
			return survey.Errorf(survey.Invalid, "email", "must be one mail address such as ana@example.com, or be left out")
		}
		person.Email = *in.Email
	}
	put, fresh, err := a.Store.PutPerson(c.Request().Context(), caller(c), name, person)
	return reply(c, createdOr(fresh, put, ""), err)
}

// erasePerson forgets a person; see store.ErasePerson.
func (a *api) erasePerson(c echo.Context) error {
	name, err := personParam(c)
	if err != nil {
		return err
	}
	return reply(c, gone(), a.Store.ErasePerson(c.Request().Context(), caller(c), name))
}

// personExport is everything that koe holds about a person.
type personExport struct {
	ExportedAt   survey.Instant       `json:"exported_at"`
	Person       survey.Person        `json:"person"`
	Suppression  *survey.Suppression  `json:"suppression"`
	Interactions []interactionShown   `json:"interactions"`
	Invitations  []invitationExported `json:"invitations"`
	Responses    []responseResponse   `json:"responses"`
	Memberships  []store.Membership   `json:"memberships"`
	FollowUps    []followUpResponse   `json:"follow_ups"`
}

// invitationExported is an invitation with its own copy of what was known of
// the person.
type invitationExported struct {
	invitationResponse
	Email      string            `json:"email,omitempty"`
	Name       string            `json:"name,omitempty"`
	Timezone   string            `json:"timezone,omitempty"`
	Attributes survey.Attributes `json:"attributes"`
}

func (a *api) exportPerson(c echo.Context) error {
	name, err := personParam(c)
	if err != nil {
		return err
	}
	held, err := a.Store.ExportPerson(c.Request().Context(), caller(c), name)
	if err != nil {
		return err
	}
	out := personExport{ExportedAt: survey.InstantOf(a.Now()), Person: held.Person, Suppression: held.Suppression,
		Interactions: make([]interactionShown, len(held.Interactions)), Invitations: make([]invitationExported, len(held.Invitations)),
		Responses: make([]responseResponse, len(held.Responses)), Memberships: held.Memberships, FollowUps: []followUpResponse{}}
	for i, r := range held.Interactions {
		out.Interactions[i] = interactionShown{r.Interaction, a.decisions(r.Decisions)}
	}
	for i, v := range held.Invitations {
		out.Invitations[i] = invitationExported{invitationOf(v.Invitation), v.Email, v.Name, v.Timezone, v.Attributes}
		out.Invitations[i].Events = v.Events
	}
	for i, r := range held.Responses {
		out.Responses[i] = responseOf(r.Response)
		out.Responses[i].Events = r.Events
	}
	for _, f := range held.FollowUps {
		out.FollowUps = append(out.FollowUps, a.followUpOf(f.FollowUp, f.Events))
	}
	return send(c, okay(out, ""))
}
