package api

import (
	"github.com/labstack/echo/v4"

	"koe/survey"
	"koe/survey/store"
)

// memberRequest is what an admin may set of a member.
type memberRequest struct {
	Email       string          `json:"email"`
	Name        string          `json:"name"`
	Role        survey.Role     `json:"role"`
	Locale      string          `json:"locale"`
	Timezone    string          `json:"timezone"`
	Touchpoints []string        `json:"touchpoints"`
	Segment     *survey.Segment `json:"segment"`
	Digest      survey.Digest   `json:"digest"`
}

func (r memberRequest) into(m *survey.Member) {
	m.Email, m.Name, m.Role, m.Locale, m.Timezone = r.Email, r.Name, r.Role, r.Locale, r.Timezone
	m.Touchpoints, m.Segment, m.Digest = r.Touchpoints, r.Segment, r.Digest
}

func (a *api) createMember(c echo.Context) error {
	var in memberRequest
	if err := bind(c, &in); err != nil {
		return err
	}
	ctx := c.Request().Context()
	return a.once(c, func(by store.Caller) (answer, error) {
		var m survey.Member
		in.into(&m)
		m, err := a.Store.CreateMember(ctx, by, m)
		return created(m, ""), err
	}, func(by store.Caller, resource string) (answer, error) {
		id, err := survey.ParseID(resource)
		if err != nil {
			return answer{}, err
		}
		m, err := a.Store.Member(ctx, by, id)
		return created(m, ""), err
	})
}

func (a *api) listMembers(c echo.Context) error {
	page, err := queryOf(c).page()
	if err != nil {
		return err
	}
	items, next, err := a.Store.Members(c.Request().Context(), caller(c), page)
	return reply(c, listed(items, next), err)
}

func (a *api) showMember(c echo.Context) error {
	id, err := idParam(c, "member")
	if err != nil {
		return err
	}
	m, err := a.Store.Member(c.Request().Context(), caller(c), id)
	return reply(c, okay(m, ""), err)
}

func (a *api) patchMember(c echo.Context) error {
	id, err := idParam(c, "member")
	if err != nil {
		return err
	}
	m, err := a.Store.ChangeMember(c.Request().Context(), caller(c), id, func(m *survey.Member) error {
		var changed memberRequest
		now := memberRequest{m.Email, m.Name, m.Role, m.Locale, m.Timezone, m.Touchpoints, m.Segment, m.Digest}
		if err := mergePatch(now, rawBody(c), &changed); err != nil {
			return err
		}
		changed.into(m)
		return nil
	})
	return reply(c, okay(m, ""), err)
}

// deleteMember removes a member, who is signed out at once.
func (a *api) deleteMember(c echo.Context) error {
	id, err := idParam(c, "member")
	if err != nil {
		return err
	}
	return reply(c, gone(), a.Store.RemoveMember(c.Request().Context(), caller(c), id))
}

// listSessions says where a member is signed in.
func (a *api) listSessions(c echo.Context) error {
	id, err := idParam(c, "member")
	if err != nil {
		return err
	}
	page, err := queryOf(c).page()
	if err != nil {
		return err
	}
	items, next, err := a.Store.Sessions(c.Request().Context(), caller(c), id, page)
	return reply(c, listed(items, next), err)
}

// endSessions signs a member out everywhere.
func (a *api) endSessions(c echo.Context) error {
	id, err := idParam(c, "member")
	if err != nil {
		return err
	}
	return reply(c, gone(), a.Store.EndSessions(c.Request().Context(), caller(c), id))
}
