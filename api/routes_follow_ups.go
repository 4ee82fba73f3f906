package api

const followUpFilters = "owner survey touchpoint from to timezone"

// followUpRoutes are the operations of getting back to unhappy customers.
func followUpRoutes() []Route {
	return []Route{
		{"listFollowUps", get, "/v1/follow-ups", Readers, noBody, paging + "state overdue order format " + followUpFilters, (*api).listFollowUps},
		{"summarizeFollowUps", get, "/v1/follow-ups/summary", Readers, noBody, followUpFilters, (*api).summarizeFollowUps},
		{"showFollowUp", get, "/v1/follow-ups/{id}", Readers, noBody, "", (*api).showFollowUp},
		{"patchFollowUp", patch, "/v1/follow-ups/{id}", Editors, patchBody, "", (*api).patchFollowUp},
		{"createFollowUpNote", post, "/v1/follow-ups/{id}/notes", Editors, jsonBody, "", (*api).createFollowUpNote},

		{"showSolvedPage", get, "/f/{token}", Public, noBody, "", (*api).showSolvedPage},
		{"answerSolvedPage", post, "/f/{token}", Public, formBody, "", (*api).answerSolvedPage},
	}
}
