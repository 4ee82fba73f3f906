package shown

import "koe/survey"

// FollowUp is an unhappy answer that somebody gets back to.
type FollowUp struct {
	ID           survey.ID            `json:"id"`
	State        survey.FollowUpState `json:"state"`
	Overdue      bool                 `json:"overdue"`
	Owner        *string              `json:"owner"`
	OwnerName    *string              `json:"owner_name"`
	SurveyID     survey.ID            `json:"survey_id"`
	Touchpoint   string               `json:"touchpoint"`
	Since        survey.Instant       `json:"since"`
	OpenedAt     survey.Instant       `json:"opened_at"`
	DueAt        survey.Instant       `json:"due_at"`
	FirstTouchAt *survey.Instant      `json:"first_touch_at"`
	ResolvedAt   *survey.Instant      `json:"resolved_at"`
	ClosedAt     *survey.Instant      `json:"closed_at"`
	EscalatedAt  *survey.Instant      `json:"escalated_at"`
	Outcome      *string              `json:"outcome"`
	Confirmation survey.Confirmation  `json:"confirmation"`
	ConfirmBy    *survey.Instant      `json:"confirm_by"`
	Reopened     int                  `json:"times_reopened"`
	MayContact   *bool                `json:"may_contact"`
	UpdatedAt    survey.Instant       `json:"updated_at"`
	Response     Response             `json:"response"`
}

// NewFollowUp shows a follow-up as it stands at an instant.
func NewFollowUp(f survey.FollowUp, now survey.Instant) FollowUp {
	out := FollowUp{ID: f.ID, State: f.State, Overdue: f.Overdue(now), SurveyID: f.Survey, Touchpoint: f.Touchpoint, Since: f.Since,
		OpenedAt: f.OpenedAt, DueAt: f.DueAt, FirstTouchAt: f.TouchedAt, ResolvedAt: f.ResolvedAt, ClosedAt: f.ClosedAt,
		EscalatedAt: f.EscalatedAt, Outcome: OrNull(f.Outcome), Confirmation: f.Confirmation, ConfirmBy: f.ConfirmBy, Reopened: f.Reopened,
		MayContact: f.MayContact, UpdatedAt: f.UpdatedAt, Response: NewResponse(f.Response)}
	if f.Owner != nil {
		out.Owner, out.OwnerName = OrNull(f.Owner.Email), OrNull(f.Owner.Name)
	}
	return out
}
