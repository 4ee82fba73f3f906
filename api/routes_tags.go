package api

// tagRoutes are the operations of tags and of the rules that put them on answers.
func tagRoutes() []Route {
	return []Route{
		{"showTags", get, "/v1/tags", Readers, noBody, scoreFilters + reportRange + "touchpoint compare interval", (*api).showTags},
		{"suggestTags", get, "/v1/tags/suggestions", Readers, noBody, "survey touchpoint locale from to timezone", (*api).suggestTags},
		{"createTagRule", post, "/v1/tag-rules", Editors, jsonBody, "", (*api).createTagRule},
		{"listTagRules", get, "/v1/tag-rules", Readers, noBody, paging, (*api).listTagRules},
		{"previewTagRule", post, "/v1/tag-rules/preview", Editors, jsonBody, "", (*api).previewTagRule},
		{"showTagRule", get, "/v1/tag-rules/{id}", Readers, noBody, "", (*api).showTagRule},
		{"patchTagRule", patch, "/v1/tag-rules/{id}", Editors, patchBody, "", (*api).patchTagRule},
		{"deleteTagRule", remove, "/v1/tag-rules/{id}", Editors, noBody, "", (*api).deleteTagRule},
	}
}
