package api

import (
	"github.com/labstack/echo/v4"

	"koe/survey"
	"koe/survey/shown"
	"koe/survey/store"
)

// listedDecision is one of a survey's decisions, with what became of it.
type listedDecision struct {
	ID         survey.ID         `json:"id"`
	SurveyID   survey.ID         `json:"survey_id"`
	Decision   survey.Verdict    `json:"decision"`
	Reason     survey.Reason     `json:"reason,omitempty"`
	Until      *survey.Instant   `json:"until,omitempty"`
	CustomerID *survey.ID        `json:"customer_id"`
	Source     decisionSource    `json:"source"`
	Invitation *invitationStands `json:"invitation"`
	CreatedAt  survey.Instant    `json:"created_at"`
}

type decisionSource struct {
	Type string    `json:"type"`
	ID   survey.ID `json:"id"`
}

type invitationStands struct {
	ID     survey.ID              `json:"id"`
	State  survey.InvitationState `json:"state"`
	Reason *string                `json:"reason"`
	SendAt survey.Instant         `json:"send_at"`
}

// listDecisions lists what a survey decided, and why.
func (a *api) listDecisions(c echo.Context) error {
	ref, err := surveyParam(c)
	if err != nil {
		return err
	}
	f, page, err := a.decisionFilter(c)
	if err != nil {
		return err
	}
	list, next, err := a.Store.Decisions(c.Request().Context(), caller(c), ref, f, page)
	if err != nil {
		return err
	}
	out := make([]listedDecision, len(list))
	for i, d := range list {
		out[i] = listedDecision{ID: d.ID, SurveyID: d.Survey, Decision: d.Verdict, Reason: d.Reason, Until: d.Until,
			CustomerID: d.Person, Source: decisionSource{d.SourceType, d.Source}, CreatedAt: d.CreatedAt}
		if v := d.Invitation; v != nil {
			out[i].Invitation = &invitationStands{v.ID, v.State, shown.OrNull(v.Reason), v.SendAt}
		}
	}
	return send(c, listed(out, next))
}

func (a *api) decisionFilter(c echo.Context) (store.DecisionFilter, store.Page, error) {
	var f store.DecisionFilter
	q := queryOf(c)
	page, err := q.page()
	if err != nil {
		return f, page, err
	}
	zone, err := a.zone(c)
	if err != nil {
		return f, page, err
	}
	if f.From, f.To, err = q.span(zone); err != nil {
		return f, page, err
	}
	verdict, err := q.oneOf("decision", "scheduled", "skipped")
	if err != nil {
		return f, page, err
	}
	reason, err := q.oneOf("reason", "suppressed", "quiet_period", "not_sampled", "daily_limit", "condition", "no_address", "paused", "too_old", "key_cap")
	f.Verdict, f.Reason = survey.Verdict(verdict), survey.Reason(reason)
	return f, page, err
}
