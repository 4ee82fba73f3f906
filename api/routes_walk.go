package api

// walkRoutes are the operations of the way from an interaction to a score.
// responseFilters narrow a list of responses.
const responseFilters = "survey touchpoint metric score_min score_max from to locale tag has_comment excluded follow_up q attributes.*"

func walkRoutes() []Route {
	return []Route{
		{"createInteraction", post, "/v1/interactions", Senders, jsonBody, "", (*api).createInteraction},
		{"createInteractions", post, "/v1/interactions/batch", Senders, listBody, "", (*api).createInteractions},
		{"showInteraction", get, "/v1/interactions/{id}", Senders, noBody, "", (*api).showInteraction},
		{"simulateSurvey", post, "/v1/surveys/{id}/simulate", Editors, jsonBody, "", (*api).simulateSurvey},

		{"createLinks", post, "/v1/surveys/{id}/links", Senders, listBody, "", (*api).createLinks},
		{"listInvitations", get, "/v1/invitations", Editors, noBody, paging + "state survey customer from to", (*api).listInvitations},
		{"showInvitation", get, "/v1/invitations/{id}", Editors, noBody, "", (*api).showInvitation},
		{"cancelInvitation", post, "/v1/invitations/{id}/cancel", Editors, bareBody, "", (*api).cancelInvitation},
		{"resendInvitation", post, "/v1/invitations/{id}/resend", Editors, bareBody, "", (*api).resendInvitation},

		{"createResponse", post, "/v1/responses", Editors, jsonBody, "", (*api).createResponse},
		{"listResponses", get, "/v1/responses", Readers, noBody, paging + responseFilters, (*api).listResponses},
		{"importResponses", post, "/v1/responses/import", Editors, rowsBody, "survey map.* ignore date_format timezone dry_run", (*api).importResponses},
		{"exportResponses", get, "/v1/responses/export", Readers, noBody, responseFilters + " timezone format bom", (*api).exportResponses},
		{"showResponse", get, "/v1/responses/{id}", Readers, noBody, "", (*api).showResponse},
		{"patchResponse", patch, "/v1/responses/{id}", Editors, patchBody, "", (*api).patchResponse},
		{"deleteResponse", remove, "/v1/responses/{id}", Editors, noBody, "", (*api).deleteResponse},
		{"showScores", get, "/v1/scores", Readers, noBody, scoreFilters + reportRange + "touchpoint group_by interval rolling compare " + drawingParameters, (*api).showScores},
		{"showScoreboard", get, "/v1/scores/touchpoints", Readers, noBody, scoreFilters + reportRange + "compare", (*api).showScoreboard},
		{"showImpact", get, "/v1/impact", Readers, noBody, "metric ces_version touchpoint volume_per_day leave_rate from to timezone level", (*api).showImpact},
		{"showSurveyAnswers", get, "/v1/surveys/{id}/answers", Readers, noBody, answerFilters + reportRange, (*api).showSurveyAnswers},

		{"showSurveyPage", get, "/s/{token}", Public, noBody, "", (*api).showSurveyPage},
		{"answerSurveyPage", post, "/s/{token}", Public, formBody, "", (*api).answerSurveyPage},
		{"showUnsubscribePage", get, "/u/{token}", Public, noBody, "", (*api).showUnsubscribePage},
		{"unsubscribe", post, "/u/{token}", Public, formBody, "", (*api).unsubscribe},
	}
}
