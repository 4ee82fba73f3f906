package report

import (
	"strconv"
	"strings"

	"koe/survey"
)

// FollowUpColumns are the columns of a table of follow-ups.
func FollowUpColumns() []string {
	return []string{"id", "state", "overdue", "owner", "owner_name", "survey_id", "touchpoint", "since", "opened_at", "due_at", "first_touch_at",
		"resolved_at", "closed_at", "escalated_at", "outcome", "confirmation", "confirm_by", "times_reopened", "may_contact", "updated_at",
		"response.id", "response.metric", "response.score", "response.comment", "response.responded_at", "response.tags",
		"customer.id", "customer.external_id", "customer.email", "customer.name"}
}

// FollowUpCells are the cells of a follow-up as it stands at an instant.
func FollowUpCells(f survey.FollowUp, now survey.Instant) map[string]string {
	r := f.Response
	row := map[string]string{"id": f.ID.String(), "state": string(f.State), "overdue": strconv.FormatBool(f.Overdue(now)), "survey_id": f.Survey.String(),
		"touchpoint": f.Touchpoint, "since": f.Since.String(), "opened_at": f.OpenedAt.String(), "due_at": f.DueAt.String(), "first_touch_at": instant(f.TouchedAt),
		"resolved_at": instant(f.ResolvedAt), "closed_at": instant(f.ClosedAt), "escalated_at": instant(f.EscalatedAt), "outcome": f.Outcome,
		"confirmation": string(f.Confirmation), "confirm_by": instant(f.ConfirmBy), "times_reopened": strconv.Itoa(f.Reopened), "updated_at": f.UpdatedAt.String(),
		"response.id": r.ID.String(), "response.metric": r.Metric, "response.score": strconv.Itoa(r.Score), "response.comment": r.Comment,
		"response.responded_at": r.RespondedAt.String(), "response.tags": strings.Join(r.Tags, "|")}
	if f.Owner != nil {
		row["owner"], row["owner_name"] = f.Owner.Email, f.Owner.Name
	}
	if f.MayContact != nil {
		row["may_contact"] = strconv.FormatBool(*f.MayContact)
	}
	if p := r.Person; p != nil {
		row["customer.id"], row["customer.external_id"], row["customer.email"], row["customer.name"] = p.ID.String(), p.ExternalID, p.Email, p.Name
	}
	return row
}
