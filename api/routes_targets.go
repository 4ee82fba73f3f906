package api

// targetRoutes are about what figures shall be.
func targetRoutes() []Route {
	return []Route{
		{"createTarget", post, "/v1/targets", Editors, jsonBody, "", (*api).createTarget},
		{"listTargets", get, "/v1/targets", Readers, noBody, paging + "touchpoint state", (*api).listTargets},
		{"showTarget", get, "/v1/targets/{id}", Readers, noBody, "", (*api).showTarget},
		{"patchTarget", patch, "/v1/targets/{id}", Editors, patchBody, "", (*api).patchTarget},
		{"deleteTarget", remove, "/v1/targets/{id}", Editors, noBody, "", (*api).deleteTarget},
	}
}
