package api

import (
	"github.com/labstack/echo/v4"

	"koe/scoring"
	"koe/survey"
	"koe/survey/store"
)

// targetResponse is a target with the period that is under way, which nothing is
// judged by, and its latest changes.
type targetResponse struct {
	survey.Target
	Running survey.TargetLook     `json:"running"`
	Changes []survey.TargetChange `json:"changes"`
}

// forReader is a target without addresses where a viewer looks.
func forReader(by store.Caller, t survey.Target) survey.Target {
	if by.Role == store.Viewer {
		t.Notify = nil
	}
	return t
}

// createTarget sets a target and judges the period that ended last.
func (a *api) createTarget(c echo.Context) error {
	var in survey.TargetTerms
	if err := bind(c, &in); err != nil {
		return err
	}
	return a.once(c, func(by store.Caller) (answer, error) {
		t, err := a.Store.CreateTarget(c.Request().Context(), by, in)
		if err != nil {
			return answer{}, err
		}
		out, err := a.judged(c, by, t.ID)
		return created(out, ""), err
	}, func(by store.Caller, resource string) (answer, error) {
		id, err := survey.ParseID(resource)
		if err != nil {
			return answer{}, err
		}
		out, err := a.target(c, by, id)
		return created(out, ""), err
	})
}

// judged is a target whose terms are new, once it is judged.
func (a *api) judged(c echo.Context, by store.Caller, id survey.ID) (targetResponse, error) {
	if err := a.Store.JudgeTarget(c.Request().Context(), store.DueTarget{Workspace: by.Workspace, Target: id}); err != nil {
		return targetResponse{}, err
	}
	return a.target(c, by, id)
}

func (a *api) target(c echo.Context, by store.Caller, id survey.ID) (out targetResponse, err error) {
	ctx := c.Request().Context()
	if out.Target, err = a.Store.Target(ctx, by, id); err != nil {
		return out, err
	}
	if out.Running, err = a.Store.RunningLook(ctx, by, out.Target); err != nil {
		return out, err
	}
	out.Target = forReader(by, out.Target)
	out.Changes, err = a.Store.TargetChanges(ctx, by, id)
	return out, err
}

func (a *api) listTargets(c echo.Context) error {
	q, by := queryOf(c), caller(c)
	page, err := q.page()
	if err != nil {
		return err
	}
	state, err := q.oneOf("state", string(scoring.Met), string(scoring.AtRisk), string(scoring.Breached), string(scoring.Insufficient))
	if err != nil {
		return err
	}
	items, next, err := a.Store.Targets(c.Request().Context(), by, store.TargetFilter{Touchpoint: q["touchpoint"], State: scoring.Standing(state)}, page)
	if err != nil {
		return err
	}
	for i := range items {
		items[i] = forReader(by, items[i])
	}
	return send(c, listed(items, next))
}

func (a *api) showTarget(c echo.Context) error {
	id, err := idParam(c, "target")
	if err != nil {
		return err
	}
	out, err := a.target(c, caller(c), id)
	return reply(c, okay(out, ""), err)
}

func (a *api) patchTarget(c echo.Context) error {
	id, err := idParam(c, "target")
	if err != nil {
		return err
	}
	by := caller(c)
	if _, err := a.Store.ChangeTarget(c.Request().Context(), by, id, func(terms *survey.TargetTerms) error {
		var changed survey.TargetTerms
		if err := mergePatch(*terms, rawBody(c), &changed); err != nil {
			return err
		}
		*terms = changed
		return nil
	}); err != nil {
		return err
	}
	out, err := a.judged(c, by, id)
	return reply(c, okay(out, ""), err)
}

func (a *api) deleteTarget(c echo.Context) error {
	id, err := idParam(c, "target")
	if err != nil {
		return err
	}
	return reply(c, gone(), a.Store.DeleteTarget(c.Request().Context(), caller(c), id))
}
