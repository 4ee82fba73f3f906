package api

// memberRoutes are the operations of who signs in.
func memberRoutes() []Route {
	return []Route{
		{"createMember", post, "/v1/members", Admins, jsonBody, "", (*api).createMember},
		{"listMembers", get, "/v1/members", Admins, noBody, paging, (*api).listMembers},
		{"showMember", get, "/v1/members/{id}", Admins, noBody, "", (*api).showMember},
		{"patchMember", patch, "/v1/members/{id}", Admins, patchBody, "", (*api).patchMember},
		{"deleteMember", remove, "/v1/members/{id}", Admins, noBody, "", (*api).deleteMember},
		{"listSessions", get, "/v1/members/{id}/sessions", Admins, noBody, paging, (*api).listSessions},
		{"endSessions", remove, "/v1/members/{id}/sessions", Admins, noBody, "", (*api).endSessions},
		{"listAudit", get, "/v1/audit", Admins, noBody, paging + "actor action from to", (*api).listAudit},
	}
}
