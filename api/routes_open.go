package api

// brandRoutes are the operations of how a company looks.
func brandRoutes() []Route {
	return []Route{
		{"putLogo", put, "/v1/workspace/logo", Admins, imageBody, "", (*api).putLogo},
		{"deleteLogo", remove, "/v1/workspace/logo", Admins, noBody, "", (*api).deleteLogo},
		{"showPreview", get, "/preview/{sealed}", Public, noBody, "", (*api).showPreview},
		{"tryPreview", post, "/preview/{sealed}", Public, formBody, "", (*api).tryPreview},
		{"showLogo", get, "/logos/{file}", Public, noBody, "", (*api).showLogo},
		{"showBrandStyle", get, "/brand/{file}", Public, noBody, "", (*api).showBrandStyle},
	}
}

// openRoutes are the operations of anonymous ways in.
func openRoutes() []Route {
	return []Route{
		{"showOpenLink", get, "/v1/surveys/{id}/open-link", Readers, noBody, "", (*api).showOpenLink},
		{"putOpenLink", put, "/v1/surveys/{id}/open-link", Editors, jsonBody, "", (*api).putOpenLink},
		{"deleteOpenLink", remove, "/v1/surveys/{id}/open-link", Editors, noBody, "", (*api).deleteOpenLink},
		{"showQRSVG", get, "/v1/surveys/{id}/qr.svg", Readers, noBody, "attributes.*", (*api).showQRSVG},
		{"showQRPNG", get, "/v1/surveys/{id}/qr.png", Readers, noBody, "attributes.* size", (*api).showQRPNG},

		{"showOpenPage", get, "/l/{slug}", Public, noBody, "", (*api).showOpenPage},
		{"answerOpenPage", post, "/l/{slug}", Public, formBody, "", (*api).answerOpenPage},
		{"showOpenAnswer", get, "/l/{slug}/{form}", Public, noBody, "", (*api).showOpenAnswer},
		{"changeOpenAnswer", post, "/l/{slug}/{form}", Public, formBody, "", (*api).changeOpenAnswer},
		{"embedScript", get, "/embed.js", Public, noBody, "", (*api).embedScript},
	}
}
