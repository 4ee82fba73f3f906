package api

import (
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"koe/survey"
	"koe/survey/store"
)

// Route is one operation of the API: who may call it, what it reads, what
// answers.
type Route struct {
	Operation string // operationId in openapi.yaml, and the name of the handler
	Method    string
	Path      string // as in openapi.yaml; also the label in logs and metrics
	Access    Access
	body      body
	query     string // names of query parameters; a name that ends in * is a prefix
	handle    func(*api, echo.Context) error
}

// Access says who may call an operation.
type Access int

// Each role may call what is named for it; an admin may call everything.
const (
	Public  Access = iota // no key is asked for
	Readers               // viewers and editors
	Editors               // editors
	Senders               // senders and editors
	Admins
)

// Roles are the roles that may call; none for a Public operation.
func (a Access) Roles() []store.Role {
	switch a {
	case Public:
		return nil
	case Readers:
		return []store.Role{store.Viewer, store.Editor, store.Admin}
	case Editors:
		return []store.Role{store.Editor, store.Admin}
	case Senders:
		return []store.Role{store.Sender, store.Editor, store.Admin}
	}
	return []store.Role{store.Admin}
}

// admit refuses a caller whose role is too small.
func (a Access) admit(by store.Caller) error {
	roles := a.Roles()
	if slices.Contains(roles, by.Role) {
		return nil
	}
	need := string(roles[0])
	for _, role := range roles[1:] {
		need += " or " + string(role)
	}
	return survey.Errorf(survey.Forbidden, "", "this needs a key of the role %s; this key is %s", need, by.Role)
}

const (
	get    = http.MethodGet
	head   = http.MethodHead
	post   = http.MethodPost
	put    = http.MethodPut
	patch  = http.MethodPatch
	remove = http.MethodDelete
)

// paging is what every list takes.
const paging = "limit cursor "

// anyQuery is for operations that read their query themselves.
const anyQuery = "*"

// Routes are all operations. A GET answers HEAD too; every POST with a key
// takes an Idempotency-Key.
func Routes() []Route {
	return slices.Concat(systemRoutes(), settingsRoutes(), surveyRoutes(), walkRoutes(), sendingRoutes(), openRoutes(), brandRoutes(), bounceRoutes(), sourceRoutes(), followUpRoutes(), memberRoutes(), dashboardRoutes(), commentRoutes(), touchpointRoutes(), dashboardFollowUpRoutes(), dashboardSurveyRoutes(), noteRoutes(), targetRoutes(), tagRoutes(), delightedRoutes())
}

func systemRoutes() []Route {
	return []Route{
		{"healthz", get, "/healthz", Public, noBody, "", (*api).healthz},
		{"readyz", get, "/readyz", Public, noBody, "", (*api).readyz},
		{"metrics", get, "/metrics", Public, noBody, "", (*api).showMetrics},
		{"openapi", get, "/openapi.yaml", Public, noBody, "", (*api).openapi},
		{"docs", get, "/docs", Public, noBody, "", (*api).docs},
		{"welcome", get, "/", Public, noBody, "", (*api).welcome},
		{"static", get, "/static/{file}", Public, noBody, "", (*api).static},

		{"showMailbox", get, "/mailbox", Public, noBody, "", (*api).showMailbox},
		{"showMail", get, "/mailbox/{id}", Public, noBody, "", (*api).showMail},
		{"showMailHTML", get, "/mailbox/{id}/html", Public, noBody, "", (*api).showMailHTML},
	}
}

func settingsRoutes() []Route {
	return []Route{
		{"showWorkspace", get, "/v1/workspace", Readers, noBody, "", (*api).showWorkspace},
		{"patchWorkspace", patch, "/v1/workspace", Admins, patchBody, "", (*api).patchWorkspace},

		{"createKey", post, "/v1/keys", Admins, jsonBody, "", (*api).createKey},
		{"listKeys", get, "/v1/keys", Admins, noBody, paging, (*api).listKeys},
		{"revokeKey", remove, "/v1/keys/{id}", Admins, noBody, "", (*api).revokeKey},

		{"listPeople", get, "/v1/people", Admins, noBody, paging + "email external_id", (*api).listPeople},
		{"importPeople", post, "/v1/people/import", Admins, csvBody, "timezone", (*api).importPeople},
		{"showPerson", get, "/v1/people/{id}", Admins, noBody, "", (*api).showPerson},
		{"putPerson", put, "/v1/people/{id}", Admins, jsonBody, "", (*api).putPerson},
		{"erasePerson", remove, "/v1/people/{id}", Admins, noBody, "", (*api).erasePerson},
		{"exportPerson", get, "/v1/people/{id}/export", Admins, noBody, "", (*api).exportPerson},

		{"createWebhook", post, "/v1/webhooks", Admins, jsonBody, "", (*api).createWebhook},
		{"listWebhooks", get, "/v1/webhooks", Admins, noBody, paging, (*api).listWebhooks},
		{"showWebhook", get, "/v1/webhooks/{id}", Admins, noBody, "", (*api).showWebhook},
		{"patchWebhook", patch, "/v1/webhooks/{id}", Admins, patchBody, "", (*api).patchWebhook},
		{"deleteWebhook", remove, "/v1/webhooks/{id}", Admins, noBody, "", (*api).deleteWebhook},
		{"rotateWebhook", post, "/v1/webhooks/{id}/rotate", Admins, bareBody, "", (*api).rotateWebhook},
		{"testWebhook", post, "/v1/webhooks/{id}/test", Admins, bareBody, "", (*api).testWebhook},
		{"listDeliveries", get, "/v1/webhooks/{id}/deliveries", Admins, noBody, paging, (*api).listDeliveries},
		{"redeliverWebhook", post, "/v1/webhooks/{id}/deliveries/{delivery}/redeliver", Admins, bareBody, "", (*api).redeliverWebhook},

		{"createSuppression", post, "/v1/suppressions", Editors, jsonBody, "", (*api).createSuppression},
		{"listSuppressions", get, "/v1/suppressions", Editors, noBody, paging + "email", (*api).listSuppressions},
		{"deleteSuppression", remove, "/v1/suppressions/{id}", Editors, noBody, "", (*api).deleteSuppression},
	}
}

// The doors of providers are open to all: each asks for its provider's proof.
func bounceRoutes() []Route {
	return []Route{
		{"createBounces", post, "/v1/bounces", Editors, jsonBody, "", (*api).createBounces},
		{"sesBounces", post, "/v1/bounces/ses", Public, reportBody, "", (*api).sesBounces},
		{"postmarkBounces", post, "/v1/bounces/postmark", Public, reportBody, "", (*api).postmarkBounces},
		{"sendgridBounces", post, "/v1/bounces/sendgrid", Public, reportBody, "", (*api).sendgridBounces},

		{"showSending", get, "/v1/sending", Readers, noBody, "", (*api).showSending},
		{"resumeSending", post, "/v1/sending/resume", Admins, bareBody, "", (*api).resumeSending},
	}
}

func surveyRoutes() []Route {
	return []Route{
		{"createTemplate", post, "/v1/templates", Editors, jsonBody, "", (*api).createTemplate},
		{"listTemplates", get, "/v1/templates", Readers, noBody, paging, (*api).listTemplates},
		{"showTemplate", get, "/v1/templates/{key}", Readers, noBody, "", (*api).showTemplate},
		{"putTemplate", put, "/v1/templates/{key}", Editors, jsonBody, "", (*api).putTemplate},
		{"archiveTemplate", remove, "/v1/templates/{key}", Editors, noBody, "", (*api).archiveTemplate},
		{"listTemplateVersions", get, "/v1/templates/{key}/versions", Readers, noBody, paging, (*api).listTemplateVersions},
		{"showTemplateVersion", get, "/v1/templates/{key}/versions/{version}", Readers, noBody, "", (*api).showTemplateVersion},
		{"previewTemplate", post, "/v1/templates/{key}/preview", Editors, jsonBody, "", (*api).previewTemplate},
		{"testTemplate", post, "/v1/templates/{key}/test", Editors, jsonBody, "", (*api).testTemplate},

		{"createTouchpoint", post, "/v1/touchpoints", Editors, jsonBody, "", (*api).createTouchpoint},
		{"listTouchpoints", get, "/v1/touchpoints", Readers, noBody, paging, (*api).listTouchpoints},
		{"showTouchpoint", get, "/v1/touchpoints/{key}", Readers, noBody, "", (*api).showTouchpoint},
		{"putTouchpoint", put, "/v1/touchpoints/{key}", Editors, jsonBody, "", (*api).putTouchpoint},
		{"patchTouchpoint", patch, "/v1/touchpoints/{key}", Editors, patchBody, "", (*api).patchTouchpoint},
		{"deleteTouchpoint", remove, "/v1/touchpoints/{key}", Editors, noBody, "", (*api).deleteTouchpoint},

		{"createSurvey", post, "/v1/surveys", Editors, jsonBody, "", (*api).createSurvey},
		{"listSurveys", get, "/v1/surveys", Readers, noBody, paging + "state touchpoint template", (*api).listSurveys},
		{"showSurvey", get, "/v1/surveys/{id}", Readers, noBody, "", (*api).showSurvey},
		{"putSurvey", put, "/v1/surveys/{id}", Editors, jsonBody, "", (*api).putSurvey},
		{"patchSurvey", patch, "/v1/surveys/{id}", Editors, patchBody, "", (*api).patchSurvey},
		{"listFires", get, "/v1/surveys/{id}/fires", Readers, noBody, paging, (*api).listFires},
		{"activateSurvey", post, "/v1/surveys/{id}/activate", Editors, bareBody, "", (*api).activateSurvey},
		{"pauseSurvey", post, "/v1/surveys/{id}/pause", Editors, bareBody, "", (*api).pauseSurvey},
		{"archiveSurvey", post, "/v1/surveys/{id}/archive", Editors, bareBody, "", (*api).archiveSurvey},
	}
}

// sendingRoutes say what koe decided and whether it is sending.
func sendingRoutes() []Route {
	return []Route{
		{"listDecisions", get, "/v1/surveys/{id}/decisions", Readers, noBody, paging + "decision reason from to", (*api).listDecisions},
		{"showOutbox", get, "/v1/outbox/summary", Readers, noBody, "survey", (*api).showOutbox},
	}
}
