package api

import (
	"fmt"

	"github.com/labstack/echo/v4"

	"koe/survey"
	"koe/survey/shown"
	"koe/survey/store"
)

type invitationResponse struct {
	shown.Invitation
	Events []store.Event `json:"events,omitempty"`
}

func invitationOf(v survey.Invitation) invitationResponse {
	return invitationResponse{Invitation: shown.NewInvitation(v)}
}

func (a *api) listInvitations(c echo.Context) error {
	q := queryOf(c)
	page, err := q.page()
	if err != nil {
		return err
	}
	zone, err := a.zone(c)
	if err != nil {
		return err
	}
	f := store.InvitationFilter{Survey: q["survey"], Customer: q["customer"]}
	if f.From, f.To, err = q.span(zone); err != nil {
		return err
	}
	state, err := q.oneOf("state", "scheduled", "sending", "sent", "answered", "failed", "uncertain", "expired", "cancelled", "suppressed")
	if err != nil {
		return err
	}
	f.State = survey.InvitationState(state)
	list, next, err := a.Store.Invitations(c.Request().Context(), caller(c), f, page)
	if err != nil {
		return err
	}
	out := make([]invitationResponse, len(list))
	for i, v := range list {
		out[i] = invitationOf(v)
	}
	return send(c, listed(out, next))
}

func (a *api) showInvitation(c echo.Context) error {
	id, err := idParam(c, "invitation")
	if err != nil {
		return err
	}
	shown, err := a.invitation(c, caller(c), id)
	if err != nil {
		return err
	}
	return send(c, shown)
}

func (a *api) invitation(c echo.Context, by store.Caller, id survey.ID) (answer, error) {
	v, events, err := a.Store.Invitation(c.Request().Context(), by, id)
	if err != nil {
		return answer{}, err
	}
	shown := invitationOf(v)
	shown.Events = events
	return okay(shown, ""), nil
}

// cancelInvitation calls off what was not sent yet.
func (a *api) cancelInvitation(c echo.Context) error {
	id, err := idParam(c, "invitation")
	if err != nil {
		return err
	}
	if err := bindNothing(c); err != nil {
		return err
	}
	return a.once(c, func(by store.Caller) (answer, error) {
		if err := a.Store.CancelInvitation(c.Request().Context(), by, id); err != nil {
			return answer{}, err
		}
		return a.invitation(c, by, id)
	}, func(by store.Caller, _ string) (answer, error) { return a.invitation(c, by, id) })
}

// linkRequest is a personal link to make; its fields are those of store.Link.
type linkRequest struct {
	Customer   survey.Customer   `json:"customer"`
	Attributes survey.Attributes `json:"attributes"`
	Locale     string            `json:"locale"`
	ExternalID string            `json:"external_id"`
}

type linkResponse struct {
	InvitationID survey.ID      `json:"invitation_id"`
	URL          string         `json:"url"`
	ExpiresAt    survey.Instant `json:"expires_at"`
	ExternalID   string         `json:"external_id,omitempty"`
}

const maxLinks = 10_000

// createLinks makes personal links that somebody else delivers.
func (a *api) createLinks(c echo.Context) error {
	ref, err := surveyParam(c)
	if err != nil {
		return err
	}
	var in struct {
		Links []linkRequest `json:"links"`
	}
	if err := bind(c, &in); err != nil {
		return err
	}
	if len(in.Links) == 0 || len(in.Links) > maxLinks {
		return survey.Errorf(survey.Invalid, "links", "must have 1 to %d items", maxLinks)
	}
	links := make([]store.Link, len(in.Links))
	for i, l := range in.Links {
		links[i] = store.Link(l)
	}
	respond := func(made []store.Made, err error) (answer, error) {
		if err != nil {
			return answer{}, fmt.Errorf("make links: %w", err)
		}
		out := struct {
			Data []linkResponse `json:"data"`
		}{make([]linkResponse, len(made))}
		for i, m := range made {
			out.Data[i] = linkResponse{m.Invitation, a.surveyURL(m.Token), m.ExpiresAt, m.ExternalID}
		}
		return created(out, ""), nil
	}
	return a.once(c, func(by store.Caller) (answer, error) {
		return respond(a.Store.CreateLinks(c.Request().Context(), by, ref, links))
	}, func(by store.Caller, resource string) (answer, error) {
		return respond(a.Store.RepeatLinks(c.Request().Context(), by, resource))
	})
}
