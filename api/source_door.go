package api

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"koe/survey"
	"koe/survey/source"
	"koe/survey/store"
)

// sourceResult is what became of one event that a tool posted. Links are left
// out: a tool keeps the answers that it gets.
type sourceResult struct {
	Outcome   string             `json:"outcome"`
	ID        *survey.ID         `json:"id,omitempty"`
	Decisions []decisionResponse `json:"decisions,omitzero"`
	Warnings  []string           `json:"warnings,omitempty"`
	Condition string             `json:"condition,omitempty"`
	Problem   *problem           `json:"problem,omitempty"`
}

// takeSource takes what a tool posts. One event answers as an interaction does:
// 202 where it is new, 200 where it was told before or does not count, 422 where
// it has another shape. A list answers 200 with a result for each.
func (a *api) takeSource(c echo.Context) error {
	door, err := a.door(c)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	events, list, err := door.Read(rawBody(c), survey.InstantOf(a.Now()))
	if err != nil {
		if noted := a.Store.NoteUnread(ctx, door, err); noted != nil {
			return noted
		}
		return err
	}
	outcomes, err := a.Store.TakeFromSource(ctx, door, events)
	if err != nil {
		return err
	}
	if !list {
		if err := outcomes[0].Err; err != nil {
			return err
		}
		code, one := a.sourced(c, events[0], outcomes[0])
		return send(c, answer{status: code, body: one})
	}
	out := struct {
		Results []sourceResult `json:"results"`
	}{make([]sourceResult, len(events))}
	for i, e := range events {
		_, out.Results[i] = a.sourced(c, e, outcomes[i])
	}
	return send(c, okay(out, ""))
}

func (a *api) sourced(c echo.Context, e source.Event, o store.Outcome) (int, sourceResult) {
	switch {
	case o.Err != nil:
		p := a.problemOf(c, seen(o.Err))
		return p.Status, sourceResult{Outcome: store.SourceRefused, Problem: &p}
	case e.Ignored != "":
		return http.StatusOK, sourceResult{Outcome: store.SourceIgnored, Condition: e.Ignored}
	}
	out := sourceResult{Outcome: store.SourceRecorded, ID: &o.Interaction.ID, Decisions: a.decisions(o.Decisions), Warnings: o.Interaction.Warnings}
	for i := range out.Decisions {
		out.Decisions[i].URL = ""
	}
	if o.Repeat {
		out.Outcome = store.SourceRepeated
	}
	return receiptStatus(o.Recorded), out
}

// errUnproven says the same whether the source does not exist or nothing
// proves who posts.
func errUnproven() error {
	return survey.Errorf(survey.Unauthorized, "", "nothing proves that this comes from the source's tool: post to the source's url, signed as the source says; "+
		"a source without a signature also takes a key: Authorization: Bearer koe_…")
}

// door finds the source that is posted to, and asks for its proof: the tool's
// signature where the source names one, else the source's secret address or a
// key that may tell of interactions.
func (a *api) door(c echo.Context) (store.Door, error) {
	name, by := param(c, "key"), store.Caller{}
	keyed := survey.ValidKey(name) && c.Request().Header.Get("Authorization") != ""
	if keyed {
		if err := a.authenticate(c); err != nil {
			return store.Door{}, err
		}
		by = caller(c)
		if err := Senders.admit(by); err != nil {
			return store.Door{}, err
		}
	}
	ctx := c.Request().Context()
	door, err := a.Store.SourceDoor(ctx, by, name)
	switch {
	case is(err, survey.NotFound) && !keyed:
		return door, errUnproven()
	case err != nil:
		return door, err
	}
	if door.Signature.Signed() {
		err = door.Signature.Verify(door.Secret, a.posted(c))
	} else if !door.Address && !keyed {
		err = source.ErrForged
	}
	if err != nil {
		if noted := a.Store.NoteUnproven(ctx, door); noted != nil {
			return door, noted
		}
		return door, errUnproven()
	}
	c.Set(callerKey, door.Caller)
	return door, a.limit(c)
}

// probeSource answers a tool that asks whether somebody is there before it is
// switched on, as Intercom does: at a secret address alone.
func (a *api) probeSource(c echo.Context) error {
	name := param(c, "key")
	if survey.ValidKey(name) {
		return errUnproven()
	}
	_, err := a.Store.SourceDoor(c.Request().Context(), store.Caller{}, name)
	if is(err, survey.NotFound) {
		return errUnproven()
	}
	return reply(c, okay(nil, ""), err)
}

// posted is a request as signatures look at it. A tool knows koe by its own
// address, or, where koe was not told that, by the one that was asked for.
func (a *api) posted(c echo.Context) source.Post {
	request := c.Request()
	target := request.URL.RequestURI()
	return source.Post{Header: request.Header.Get, Method: request.Method, Body: rawBody(c), At: survey.InstantOf(a.Now()),
		Targets: []string{a.BaseURL + target, "https://" + request.Host + target, "http://" + request.Host + target}}
}
