package api

import (
	"github.com/labstack/echo/v4"

	"koe/survey"
	"koe/survey/store"
)

// sendingResponse is whether a workspace's mail goes out.
type sendingResponse struct {
	Paused     bool            `json:"paused"`
	Reason     *string         `json:"reason"`
	Since      *survey.Instant `json:"since"`
	Sent       int             `json:"sent"`
	Bounced    int             `json:"bounced"`
	Refused    int             `json:"refused"`
	Complained int             `json:"complained"`
}

func (a *api) showSending(c echo.Context) error {
	now, err := a.Store.Sending(c.Request().Context(), caller(c))
	out := sendingResponse{Sent: now.Reputation.Sent, Bounced: now.Reputation.Bounced, Refused: now.Reputation.Refused,
		Complained: now.Reputation.Complained}
	if now.Paused != "" {
		out.Paused, out.Reason, out.Since = true, &now.Paused, &now.Since
	}
	return reply(c, okay(out, ""), err)
}

func (a *api) resumeSending(c echo.Context) error {
	if err := bindNothing(c); err != nil {
		return err
	}
	return a.once(c, func(by store.Caller) (answer, error) {
		return gone(), a.Store.ResumeSending(c.Request().Context(), by)
	}, func(store.Caller, string) (answer, error) { return gone(), nil })
}
