package api

// noteRoutes are the operations of dated notes on charts.
func noteRoutes() []Route {
	return []Route{
		{"createNote", post, "/v1/notes", Editors, jsonBody, "", (*api).createNote},
		{"listNotes", get, "/v1/notes", Readers, noBody, paging + "touchpoint from to", (*api).listNotes},
		{"showNote", get, "/v1/notes/{id}", Readers, noBody, "", (*api).showNote},
		{"patchNote", patch, "/v1/notes/{id}", Editors, patchBody, "", (*api).patchNote},
		{"deleteNote", remove, "/v1/notes/{id}", Editors, noBody, "", (*api).deleteNote},
	}
}
