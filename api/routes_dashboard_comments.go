package api

// commentRoutes are the pages of comments, of tags and of single answers.
func commentRoutes() []Route {
	return []Route{
		{"showComments", get, "/dashboard/comments", Public, noBody, "", signedIn(Readers, commentQuery, (*api).showComments)},
		{"showTagsPage", get, "/dashboard/tags", Public, noBody, "", signedIn(Readers, tagsQuery, (*api).showTagsPage)},
		{"postTagRule", post, "/dashboard/tags/rules", Public, formBody, "", signedIn(Editors, "", (*api).postTagRule)},
		{"changeTagRule", post, "/dashboard/tags/rules/{id}", Public, formBody, "", signedIn(Editors, "", (*api).postTagRule)},
		{"removeTagRule", post, "/dashboard/tags/rules/{id}/delete", Public, formBody, "", signedIn(Editors, "", (*api).removeTagRule)},
		{"showResponsePage", get, "/dashboard/responses/{id}", Public, noBody, "", signedIn(Readers, "format lang", (*api).showResponsePage)},
		{"tagResponse", post, "/dashboard/responses/{id}/tags", Public, formBody, "", signedIn(Editors, "", (*api).tagResponse)},
	}
}
