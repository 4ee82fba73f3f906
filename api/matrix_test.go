package api_test

import (
	"context"
	"fmt"
	"image/color"
	"net/http"
	"slices"
	"strings"
	"testing"

	"koe/api"
	"koe/survey/store"
)

// hidden stands in everything that another workspace must never see.
const hidden = "hidden words"

// called is one good request to an operation: what it answers to whoever may
// call it, and to an admin of another workspace.
type called struct {
	path    string
	body    any
	own     int
	foreign int
}

// world is a workspace in which everything exists that a path can name.
type world struct {
	*server
	slug string // of the open link of the survey "asked"

	n int // how many things were made, for fresh names
}

func newWorld(t *testing.T) *world {
	w := &world{server: newServer(t, mailbox, func(o *api.Options) {
		o.SendTest = func(context.Context, api.TestMail) error { return nil }
	})}
	w.do("PATCH", "/v1/workspace", `{"name":"`+hidden+`"}`).want(200)
	w.survey("asked", `"name":"`+hidden+`","rules":{"quiet_period":"0s"}`)
	w.survey("mailed", `"name":"`+hidden+`","channel":"email","touchpoint":"shop","rules":{"quiet_period":"0s"}`)
	w.slug = w.openLink("asked", ``)
	return w
}

func (w *world) fresh() string { w.n++; return fmt.Sprint("fresh-", w.n) }

// made puts a fresh resource of a kind and returns its path.
func (w *world) made(kind, body string) string {
	path := "/v1/" + kind + "/" + w.fresh()
	w.do("PUT", path, body).want(201)
	return path
}

const (
	hiddenTemplate = `{"name":"` + hidden + `","metric":"nps","default_locale":"en","questions":[{"key":"score","type":"score","text":{"en":"` + hidden + `"}}]}`
	myTemplate     = `{"name":"mine","metric":"nps","default_locale":"en","questions":[{"key":"score","type":"score","text":{"en":"mine"}}]}`
	hiddenPoint    = `{"name":"` + hidden + `"}`
	hiddenSurvey   = `{"name":"` + hidden + `","template":"nps","touchpoint":"chat","channel":"link","trigger":{"type":"manual"}}`
	mySurvey       = `{"name":"mine","template":"nps","touchpoint":"mine","channel":"link","trigger":{"type":"manual"}}`
	somebody       = `"customer":{"external_id":"c-1","email":"ana@hidden-words.example.com","name":"` + hidden + `"},"attributes":{"agent":"` + hidden + `"}`
)

// settings are the calls of a workspace's settings.
func (w *world) settings(operation string) (called, bool) {
	switch operation {
	case "showWorkspace":
		return called{"/v1/workspace", nil, 200, 200}, true
	case "patchWorkspace":
		return called{"/v1/workspace", `{}`, 200, 200}, true
	case "putLogo":
		return called{"/v1/workspace/logo", pngOf(w.t, picture(2, 2, color.Black)), 200, 200}, true
	case "deleteLogo":
		return called{"/v1/workspace/logo", nil, 204, 204}, true
	case "createKey":
		return called{"/v1/keys", `{"name":"mine","role":"viewer"}`, 201, 201}, true
	case "listKeys":
		return called{"/v1/keys", nil, 200, 200}, true
	case "revokeKey":
		id := w.do("POST", "/v1/keys", `{"name":"`+hidden+`","role":"viewer"}`).want(201).text("id")
		return called{"/v1/keys/" + id, nil, 204, 404}, true
	case "createBounces":
		return called{"/v1/bounces", `{"bounces":[{"type":"hard","email":"` + w.fresh() + `@example.com"}]}`, 200, 200}, true
	case "showSending":
		return called{"/v1/sending", nil, 200, 200}, true
	case "resumeSending":
		return called{"/v1/sending/resume", nil, 409, 409}, true
	case "createSuppression":
		return called{"/v1/suppressions", `{"email":"` + w.fresh() + `@example.com"}`, 201, 201}, true
	case "listSuppressions", "deleteSuppression":
		id := w.do("POST", "/v1/suppressions", `{"email":"`+w.fresh()+`@hidden-words.example.com"}`).want(201).text("id")
		if operation == "listSuppressions" {
			return called{"/v1/suppressions", nil, 200, 200}, true
		}
		return called{"/v1/suppressions/" + id, nil, 204, 404}, true
	}
	return called{}, false
}

// targets are the calls about targets.
func (w *world) targets(operation string) (called, bool) {
	input := func(name string) string { return `{"name":"` + name + `","kind":"response_rate","at_least":15}` }
	made := func() string { return "/v1/targets/" + w.do("POST", "/v1/targets", input(hidden)).want(201).text("id") }
	switch operation {
	case "createTarget":
		return called{"/v1/targets", input("mine"), 201, 201}, true
	case "listTargets":
		made()
		return called{"/v1/targets", nil, 200, 200}, true
	case "showTarget":
		return called{made(), nil, 200, 404}, true
	case "patchTarget":
		return called{made(), `{"name":"mine"}`, 200, 404}, true
	case "deleteTarget":
		return called{made(), nil, 204, 404}, true
	}
	return called{}, false
}

// webhooks are the calls about webhooks.
func (w *world) webhooks(operation string) (called, bool) {
	const input = `{"url":"https://hidden-words.example.com/koe","events":["response.created"]}`
	made := func() string { return "/v1/webhooks/" + w.do("POST", "/v1/webhooks", input).want(201).text("id") }
	delivery := func(path string) string {
		return w.do("POST", path+"/test", nil).want(202).text("id")
	}
	switch operation {
	case "createWebhook":
		return called{"/v1/webhooks", strings.Replace(input, "hidden-words", "mine", 1), 201, 201}, true
	case "listWebhooks":
		made()
		return called{"/v1/webhooks", nil, 200, 200}, true
	case "showWebhook":
		return called{made(), nil, 200, 404}, true
	case "patchWebhook":
		return called{made(), `{"description":"mine"}`, 200, 404}, true
	case "deleteWebhook":
		return called{made(), nil, 204, 404}, true
	case "rotateWebhook":
		return called{made() + "/rotate", nil, 200, 404}, true
	case "testWebhook":
		return called{made() + "/test", nil, 202, 404}, true
	case "listDeliveries":
		return called{made() + "/deliveries", nil, 200, 404}, true
	case "redeliverWebhook": // it waits still
		path := made()
		return called{path + "/deliveries/" + delivery(path) + "/redeliver", nil, 409, 404}, true
	}
	return called{}, false
}

// members are the calls about who signs in.
func (w *world) members(operation string) (called, bool) {
	made := func() string {
		return "/v1/members/" + w.do("POST", "/v1/members", `{"email":"`+w.fresh()+`@hidden-words.example.com","role":"viewer"}`).want(201).text("id")
	}
	switch operation {
	case "createMember":
		return called{"/v1/members", `{"email":"` + w.fresh() + `@example.com","role":"viewer"}`, 201, 201}, true
	case "listMembers":
		made()
		return called{"/v1/members", nil, 200, 200}, true
	case "showMember":
		return called{made(), nil, 200, 404}, true
	case "patchMember":
		return called{made(), `{"name":"mine"}`, 200, 404}, true
	case "deleteMember":
		return called{made(), nil, 204, 404}, true
	case "listSessions":
		return called{made() + "/sessions", nil, 200, 404}, true
	case "endSessions":
		return called{made() + "/sessions", nil, 204, 404}, true
	case "listAudit":
		return called{"/v1/audit", nil, 200, 200}, true
	}
	return called{}, false
}

// dashboard are the calls of pages of staff: a key signs nobody in.
func (w *world) dashboard(operation string) (called, bool) {
	link := func() string {
		token, err := w.store.FirstSignIn(context.Background(), store.Caller{Workspace: w.workspace.ID, KeyName: "koe", Role: store.Admin})
		if err != nil {
			w.t.Fatal(err)
		}
		return "/dashboard/sign-in/" + token
	}
	switch operation {
	case "showFollowUpsPage":
		return called{"/dashboard/follow-ups", nil, 303, 303}, true
	case "showFollowUpPage":
		return called{"/dashboard/follow-ups/019ab6da-1111-7222-8333-444455556666", nil, 303, 303}, true
	case "changeFollowUpPage":
		return called{"/dashboard/follow-ups/019ab6da-1111-7222-8333-444455556666", "state=open", 303, 303}, true
	case "notePage":
		return called{"/dashboard/follow-ups/019ab6da-1111-7222-8333-444455556666/notes", "text=x", 303, 303}, true
	case "showComments", "showTagsPage":
		return called{map[string]string{"showComments": "/dashboard/comments", "showTagsPage": "/dashboard/tags"}[operation], nil, 303, 303}, true
	case "showResponsePage":
		return called{"/dashboard/responses/" + w.answered("asked", 9, ""), nil, 303, 303}, true
	case "tagResponse":
		return called{"/dashboard/responses/" + w.answered("asked", 9, "") + "/tags", "add=mine", 303, 303}, true
	case "postTagRule", "changeTagRule", "removeTagRule":
		const id = "/dashboard/tags/rules/019ab6f0-1b2c-7d3e-8f40-51627384a5b6"
		path := map[string]string{"postTagRule": "/dashboard/tags/rules", "changeTagRule": id, "removeTagRule": id + "/delete"}[operation]
		return called{path, "tag=mine&keywords=mine", 303, 303}, true
	case "showSurveysPage":
		return called{"/dashboard/surveys", nil, 303, 303}, true
	case "showStaffSurvey":
		return called{"/dashboard/surveys/asked", nil, 303, 303}, true
	case "showDashboard":
		return called{"/dashboard", nil, 303, 303}, true
	case "showTouchpointPage", "showTouchpointTrend", "showTouchpointDistribution":
		return called{"/dashboard/touchpoints/chat" + map[string]string{"showTouchpointTrend": "/scores.svg", "showTouchpointDistribution": "/distribution.svg"}[operation], nil, 303, 303}, true
	case "addTouchpointNote":
		return called{"/dashboard/touchpoints/chat/notes", "", 303, 303}, true
	case "deleteTouchpointNote":
		return called{"/dashboard/touchpoints/chat/notes/019ab6f2-3344-7556-9677-8899aabbccdd/delete", "", 303, 303}, true
	case "setLanguage":
		return called{"/dashboard/language", "locale=ja", 303, 303}, true
	case "signOut":
		return called{"/dashboard/sign-out", "", 303, 303}, true
	case "showSignIn":
		return called{"/dashboard/sign-in", nil, 200, 200}, true
	case "askSignIn":
		return called{"/dashboard/sign-in", "email=" + w.fresh() + "@example.com", 200, 200}, true
	case "showSignInLink":
		return called{link(), nil, 200, 200}, true
	case "signIn":
		return called{link(), "", 303, 303}, true
	}
	return called{}, false
}

// sources are the calls about tools that post events.
func (w *world) sources(operation string) (called, bool) {
	const input = `{"touchpoint":"chat","condition":{"state":"` + hidden + `"}}`
	path := func() string { return w.made("sources", input) }
	switch operation {
	case "listSources":
		path()
		return called{"/v1/sources", nil, 200, 200}, true
	case "showSource":
		return called{path(), nil, 200, 404}, true
	case "putSource":
		return called{path(), `{"touchpoint":"chat"}`, 200, 201}, true
	case "deleteSource":
		return called{path(), nil, 204, 404}, true
	case "takeSource", "probeSource": // what does not count answers whoever knows the address
		url := w.do("GET", path(), nil).want(200).text("url")
		if operation == "probeSource" {
			return called{strings.TrimPrefix(url, "http://localhost:8080"), nil, 200, 200}, true
		}
		return called{strings.TrimPrefix(url, "http://localhost:8080"), `{"id":"1","state":"open"}`, 200, 200}, true
	case "previewSource":
		return called{path() + "/preview", `{"id":"1","state":"open"}`, 200, 404}, true
	case "listSourceDeliveries":
		return called{path() + "/deliveries", nil, 200, 404}, true
	}
	return called{}, false
}

// tags are the calls about tags and their rules.
func (w *world) tags(operation string) (called, bool) {
	made := func() string {
		return "/v1/tag-rules/" + w.do("POST", "/v1/tag-rules", `{"tag":"`+hidden+`","keywords":["`+hidden+`"]}`).want(201).text("id")
	}
	switch operation {
	case "showTags", "suggestTags":
		id := w.answered("asked", 3, `,"comment":"`+hidden+`"`)
		w.do("PATCH", "/v1/responses/"+id, `{"tags":["`+hidden+`"]}`).want(200)
		return called{map[string]string{"showTags": "/v1/tags?metric=nps", "suggestTags": "/v1/tags/suggestions"}[operation], nil, 200, 200}, true
	case "createTagRule":
		return called{"/v1/tag-rules", `{"tag":"mine","keywords":["mine"]}`, 201, 201}, true
	case "listTagRules":
		made()
		return called{"/v1/tag-rules", nil, 200, 200}, true
	case "previewTagRule":
		w.answered("asked", 3, `,"comment":"`+hidden+`"`)
		return called{"/v1/tag-rules/preview", `{"keywords":["words"]}`, 200, 200}, true
	case "showTagRule":
		return called{made(), nil, 200, 404}, true
	case "patchTagRule":
		return called{made(), `{"tag":"mine"}`, 200, 404}, true
	case "deleteTagRule":
		return called{made(), nil, 204, 404}, true
	}
	return called{}, false
}

// people are the calls about people.
func (w *world) people(operation string) (called, bool) {
	put := func() string {
		path := "/v1/people/" + w.fresh()
		w.do("PUT", path, `{"email":"`+w.fresh()+`@hidden-words.example.com","name":"`+hidden+`"}`).want(201)
		return path
	}
	switch operation {
	case "listPeople":
		put()
		return called{"/v1/people", nil, 200, 200}, true
	case "importPeople":
		return called{"/v1/people/import", "external_id\nc-1\n", 200, 200}, true
	case "showPerson":
		return called{put(), nil, 200, 404}, true
	case "putPerson":
		return called{put(), `{"name":"mine"}`, 200, 201}, true
	case "erasePerson":
		return called{put(), nil, 204, 404}, true
	case "exportPerson":
		return called{put() + "/export", nil, 200, 404}, true
	}
	return called{}, false
}

// surveys are the calls of templates, touchpoints and surveys.
func (w *world) surveys(operation string) (called, bool) {
	template := func() string { return w.made("templates", hiddenTemplate) }
	point := func() string { return w.made("touchpoints", hiddenPoint) }
	asked := func() string { return w.made("surveys", hiddenSurvey) }
	switch operation {
	case "createTemplate":
		return called{"/v1/templates", `{"key":"` + w.fresh() + `",` + myTemplate[1:], 201, 201}, true
	case "listTemplates":
		return called{"/v1/templates", nil, 200, 200}, true
	case "showTemplate", "archiveTemplate":
		return called{template(), nil, map[bool]int{true: 200, false: 204}[operation == "showTemplate"], 404}, true
	case "putTemplate":
		return called{template(), myTemplate, 200, 201}, true
	case "listTemplateVersions":
		return called{template() + "/versions", nil, 200, 404}, true
	case "showTemplateVersion":
		return called{template() + "/versions/1", nil, 200, 404}, true
	case "previewTemplate":
		return called{template() + "/preview", `{"what":"page"}`, 200, 404}, true
	case "testTemplate":
		return called{template() + "/test", `{"to":"me@example.com"}`, 202, 404}, true
	case "createTouchpoint":
		return called{"/v1/touchpoints", `{"key":"` + w.fresh() + `","name":"mine"}`, 201, 201}, true
	case "listTouchpoints":
		return called{"/v1/touchpoints", nil, 200, 200}, true
	case "showTouchpoint", "deleteTouchpoint":
		return called{point(), nil, map[bool]int{true: 200, false: 204}[operation == "showTouchpoint"], 404}, true
	case "putTouchpoint":
		return called{point(), `{"name":"mine"}`, 200, 201}, true
	case "patchTouchpoint":
		return called{point(), `{"name":"mine"}`, 200, 404}, true
	case "createSurvey":
		_, key, _ := strings.Cut(template(), "/v1/templates/")
		return called{"/v1/surveys", strings.Replace(mySurvey, `"nps"`, `"`+key+`"`, 1), 201, 422}, true
	case "listSurveys":
		return called{"/v1/surveys", nil, 200, 200}, true
	case "showSurvey":
		return called{asked(), nil, 200, 404}, true
	case "putSurvey":
		return called{asked(), mySurvey, 200, 201}, true
	case "patchSurvey":
		return called{asked(), `{"name":"mine"}`, 200, 404}, true
	case "listFires":
		return called{asked() + "/fires", nil, 200, 404}, true
	case "activateSurvey":
		return called{asked() + "/activate", nil, 200, 404}, true
	case "pauseSurvey":
		path := asked()
		w.do("POST", path+"/activate", nil).want(200)
		return called{path + "/pause", nil, 200, 404}, true
	case "archiveSurvey":
		return called{asked() + "/archive", nil, 200, 404}, true
	case "showOpenLink", "putOpenLink", "deleteOpenLink", "showQRSVG", "showQRPNG":
		path := asked()
		w.do("PUT", path+"/open-link", `{}`).want(201)
		return map[string]called{"showOpenLink": {path + "/open-link", nil, 200, 404}, "putOpenLink": {path + "/open-link", `{}`, 200, 404},
			"deleteOpenLink": {path + "/open-link", nil, 204, 404}, "showQRSVG": {path + "/qr.svg", nil, 200, 404}, "showQRPNG": {path + "/qr.png", nil, 200, 404}}[operation], true
	}
	return called{}, false
}

// walk are the calls from an interaction to a score; sender is the key whose
// interaction is shown.
func (w *world) walk(operation, sender string) (called, bool) {
	scheduled := func() string {
		return "/v1/invitations/" + w.do("POST", "/v1/interactions", `{"touchpoint":"shop",`+somebody+`}`).want(202).text("decisions[0].invitation_id")
	}
	answered := func() string { return "/v1/responses/" + w.answered("asked", 9, `,"comment":"`+hidden+`",`+somebody) }
	switch operation {
	case "createInteraction":
		return called{"/v1/interactions", `{"touchpoint":"chat"}`, 202, 422}, true
	case "createInteractions":
		return called{"/v1/interactions/batch", `{"interactions":[{"touchpoint":"chat"}]}`, 200, 200}, true
	case "showInteraction":
		return called{"/v1/interactions/" + w.tell(","+somebody, as(sender)).want(202).text("id"), nil, 200, 404}, true
	case "simulateSurvey":
		return called{"/v1/surveys/asked/simulate", `{}`, 200, 404}, true
	case "createLinks":
		return called{"/v1/surveys/asked/links", `{"links":[{}]}`, 201, 404}, true
	case "listInvitations":
		scheduled()
		return called{"/v1/invitations", nil, 200, 200}, true
	case "showInvitation":
		return called{scheduled(), nil, 200, 404}, true
	case "cancelInvitation":
		return called{scheduled() + "/cancel", nil, 200, 404}, true
	case "resendInvitation":
		path := scheduled()
		w.refused()
		return called{path + "/resend", nil, 200, 404}, true
	case "createResponse":
		return called{"/v1/responses", `{"survey_id":"asked","score":9}`, 201, 422}, true
	case "listResponses":
		answered()
		return called{"/v1/responses", nil, 200, 200}, true
	case "importResponses":
		return called{"/v1/responses/import?survey=asked", "score\n9\n", 200, 422}, true
	case "exportResponses":
		answered()
		return called{"/v1/responses/export?format=ndjson", nil, 200, 200}, true
	case "showResponse":
		return called{answered(), nil, 200, 404}, true
	case "patchResponse":
		return called{answered(), `{"tags":["mine"]}`, 200, 404}, true
	case "deleteResponse":
		return called{answered(), nil, 204, 404}, true
	case "showScores":
		answered()
		return called{"/v1/scores?metric=nps&group_by=survey", nil, 200, 200}, true
	case "showScoreboard":
		answered()
		return called{"/v1/scores/touchpoints", nil, 200, 200}, true
	case "showImpact":
		answered()
		return called{"/v1/impact?touchpoint=chat&volume_per_day=100", nil, 200, 422}, true
	case "showSurveyAnswers":
		answered()
		return called{"/v1/surveys/asked/answers", nil, 200, 404}, true
	}
	return called{}, false
}

// followUps are the calls about unhappy answers.
func (w *world) followUps(operation string) (called, bool) {
	opened := func() string {
		w.do("PATCH", "/v1/surveys/asked", `{"rules":{"follow_up":{"score":{"max":6},"confirm_with_customer":true}}}`).want(200)
		return "/v1/follow-ups/" + w.followed("asked", 1, `,"comment":"`+hidden+`","answers":{"contact":true},`+somebody).text("id")
	}
	switch operation {
	case "listFollowUps":
		opened()
		return called{"/v1/follow-ups", nil, 200, 200}, true
	case "summarizeFollowUps":
		return called{"/v1/follow-ups/summary", nil, 200, 200}, true
	case "showFollowUp":
		return called{opened(), nil, 200, 404}, true
	case "patchFollowUp":
		return called{opened(), `{"state":"in_progress"}`, 200, 404}, true
	case "createFollowUpNote":
		return called{opened() + "/notes", `{"text":"mine"}`, 201, 404}, true
	case "showSolvedPage", "answerSolvedPage":
		path := opened()
		w.do("PATCH", path, `{"state":"resolved"}`).want(200)
		return called{w.solvedURL(strings.TrimPrefix(path, "/v1/follow-ups/")), map[string]any{"answerSolvedPage": "solved=yes"}[operation], 200, 200}, true
	}
	return called{}, false
}

// sending are the calls about what koe decided and sends.
func (w *world) sending(operation string) (called, bool) {
	switch operation {
	case "listDecisions":
		w.do("POST", "/v1/interactions", `{"touchpoint":"shop",`+somebody+`}`).want(202)
		return called{"/v1/surveys/mailed/decisions", nil, 200, 404}, true
	case "showOutbox":
		return called{"/v1/outbox/summary", nil, 200, 200}, true
	}
	return called{}, false
}

// public are the calls that ask for no key.
func (w *world) public(operation string) (called, bool) {
	token := func() string { return w.token("asked", `{}`) }
	if strings.HasSuffix(operation, "OpenPage") || strings.HasSuffix(operation, "OpenAnswer") {
		v := w.visit(w.slug)
		if operation == "showOpenPage" {
			return called{"/l/" + v.path, nil, 200, 200}, true
		}
		if operation == "answerOpenPage" {
			return called{"/l/" + v.path, "step=score&score=9&form=" + v.form, 200, 200}, true
		}
		v.post("step=score&score=9").want(200)
		return called{v.own(), map[string]any{"showOpenAnswer": nil, "changeOpenAnswer": "step=score&score=9"}[operation], 200, 200}, true
	}
	if operation == "showPreview" || operation == "tryPreview" {
		preview := w.do("POST", "/v1/templates/nps/preview", `{"what":"page"}`).want(200).text("url")
		return called{strings.TrimPrefix(preview, "http://localhost:8080"), map[string]any{"tryPreview": "step=score&score=9"}[operation], 200, 200}, true
	}
	if operation == "showLogo" {
		logo := w.do("PUT", "/v1/workspace/logo", pngOf(w.t, picture(2, 2, color.Black)), with("Content-Type", "image/png")).want(200).text("logo.url")
		return called{strings.TrimPrefix(logo, "http://localhost:8080"), nil, 200, 200}, true
	}
	path, known := map[string]string{"embedScript": "/embed.js", "showBrandStyle": "/brand/0b4a80.css", "healthz": "/healthz", "readyz": "/readyz", "metrics": "/metrics", "openapi": "/openapi.yaml", "docs": "/docs", "welcome": "/", "static": "/static/page.css",
		"showMailbox": "/mailbox", "showMail": "/mailbox/m@1", "showMailHTML": "/mailbox/m@1/html",
		"showSurveyPage": "/s/" + token(), "showUnsubscribePage": "/u/" + token(), "unsubscribe": "/u/" + token()}[operation]
	if operation == "answerSurveyPage" {
		return called{"/s/" + token(), "step=score&score=9", 200, 200}, true
	}
	return called{path, nil, 200, 200}, known
}

// delightedCall are the calls in Delighted's way; their survey is "mailed".
func (w *world) delightedCall(operation string) (called, bool) {
	const base = "/delighted/v1"
	person := func() string {
		return w.delighted("POST", "/people", `{"email":"`+w.fresh()+`@hidden-words.example.com","name":"`+hidden+`","send":false}`).want(201).text("id")
	}
	answer := func() string {
		return w.delighted("POST", "/survey_responses", `{"person":"`+person()+`","score":9,"comment":"`+hidden+`"}`).want(201).text("id")
	}
	switch operation {
	case "delightedCreatePerson":
		return called{base + "/people", `{"email":"` + w.fresh() + `@example.com"}`, 201, 422}, true
	case "delightedSavePerson":
		return called{base + "/people.json", `{"email":"` + w.fresh() + `@example.com","send":false}`, 201, 422}, true
	case "delightedListPeople":
		person()
		return called{base + "/people", nil, 200, 200}, true
	case "delightedShowPerson":
		return called{base + "/people/" + person(), nil, 200, 404}, true
	case "delightedDeletePerson":
		return called{base + "/people/" + person(), nil, 202, 404}, true
	case "delightedDeletePending":
		email := w.fresh() + "@hidden-words.example.com"
		w.delighted("POST", "/people", `{"email":"`+email+`"}`).want(201)
		return called{base + "/people/" + email + "/survey_requests/pending", nil, 200, 404}, true
	case "delightedUnsubscribe":
		return called{base + "/unsubscribes", `{"person_email":"` + w.fresh() + `@example.com"}`, 201, 201}, true
	case "delightedListUnsubscribes", "delightedListBounces":
		w.do("POST", "/v1/suppressions", `{"email":"`+w.fresh()+`@hidden-words.example.com","reason":"bounced"}`).want(201)
		return called{map[string]string{"delightedListUnsubscribes": base + "/unsubscribes", "delightedListBounces": base + "/bounces"}[operation], nil, 200, 200}, true
	case "delightedCreateResponse":
		return called{base + "/survey_responses", `{"person":"` + person() + `","score":9}`, 201, 422}, true
	case "delightedSaveResponse":
		return called{base + "/survey_responses", `{"id":"` + answer() + `","score":8}`, 200, 404}, true
	case "delightedListResponses":
		answer()
		return called{base + "/survey_responses", nil, 200, 422}, true
	case "delightedShowResponse":
		return called{base + "/survey_responses/" + answer(), nil, 200, 404}, true
	case "delightedUpdateResponse":
		return called{base + "/survey_responses/" + answer(), `{"score":8}`, 200, 404}, true
	case "delightedMetrics":
		answer()
		return called{base + "/metrics", nil, 200, 422}, true
	case "delightedShowAutopilot":
		return called{base + "/autopilot/email", nil, 200, 422}, true
	case "delightedListMembers":
		return called{base + "/autopilot/email/memberships", nil, 200, 422}, true
	case "delightedPutMember": // the survey goes by no list
		return called{base + "/autopilot/email/memberships", `{"person_id":"` + person() + `"}`, 422, 422}, true
	case "delightedDeleteMember":
		return called{base + "/autopilot/email/memberships?person_id=" + person(), nil, 404, 422}, true
	}
	return called{}, false
}

// notes are the calls about notes on charts.
func (w *world) notes(operation string) (called, bool) {
	note := func() string {
		return "/v1/notes/" + w.do("POST", "/v1/notes", `{"day":"2026-03-12","text":"`+hidden+`"}`).want(201).text("id")
	}
	switch operation {
	case "createNote":
		return called{"/v1/notes", `{"day":"2026-03-12","text":"mine"}`, 201, 201}, true
	case "listNotes":
		note()
		return called{"/v1/notes", nil, 200, 200}, true
	case "showNote":
		return called{note(), nil, 200, 404}, true
	case "patchNote":
		return called{note(), `{"text":"mine"}`, 200, 404}, true
	case "deleteNote":
		return called{note(), nil, 204, 404}, true
	}
	return called{}, false
}

func (w *world) call(r api.Route, sender string) called {
	w.t.Helper()
	for _, find := range []func(operation string) (called, bool){
		w.settings, w.webhooks, w.members, w.dashboard, w.targets, w.tags, w.followUps, w.sources, w.people, w.surveys, w.sending, w.public, w.notes, w.delightedCall,
		func(operation string) (called, bool) { return w.walk(operation, sender) },
	} {
		if c, known := find(r.Operation); known {
			return c
		}
	}
	w.t.Fatalf("%s has no call here: say what it answers to whom", r.Operation)
	return called{}
}

// Every operation × every kind of caller.
func TestWhoMayDoWhat(t *testing.T) {
	w := newWorld(t)
	_, foreign := w.newWorkspace("other")
	gone := w.do("POST", "/v1/keys", `{"name":"gone","role":"admin"}`).want(201)
	w.do("DELETE", "/v1/keys/"+gone.text("id"), nil).want(204)
	roles := []store.Role{store.Viewer, store.Sender, store.Editor, store.Admin}
	keys := map[store.Role]string{}
	for _, role := range roles {
		keys[role] = w.newKey(w.workspace, role)
	}
	for _, r := range api.Routes() {
		ask := func(c called, key string) response {
			got := w.do(r.Method, c.path, c.body, as(key), func(request *http.Request) {
				if strings.HasSuffix(r.Path, "/import") {
					request.Header.Set("Content-Type", "text/csv")
				}
				if r.Operation == "putLogo" {
					request.Header.Set("Content-Type", "image/png")
				}
				if strings.HasPrefix(r.Path, "/s/") || strings.HasPrefix(r.Path, "/l/") || strings.HasPrefix(r.Path, "/dashboard") || strings.HasPrefix(r.Path, "/f/") || r.Operation == "tryPreview" {
					request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				}
			})
			got.request = r.Operation
			return got
		}
		if strings.HasPrefix(r.Path, "/v1/bounces/") { // no key is a provider's proof
			for _, key := range []string{"", foreign, keys[store.Admin]} {
				ask(called{path: r.Path, body: `{}`}, key).wantProblem(401)
			}
			continue
		}
		if r.Access == api.Public {
			for _, key := range append([]string{"", "koe_nobody", gone.text("key"), foreign}, keys[store.Viewer], keys[store.Admin]) {
				c := w.call(r, w.key)
				ask(c, key).want(c.own)
			}
			continue
		}
		refused := func(got response, status int) {
			if strings.HasPrefix(r.Path, "/delighted/") {
				got.wantRefused(status)
			} else {
				got.wantProblem(status)
			}
		}
		c := w.call(r, w.key)
		refused(ask(c, ""), 401)
		refused(ask(c, gone.text("key")), 401)
		if theirs := ask(c, foreign).want(c.foreign); strings.Contains(string(theirs.body), "hidden") {
			t.Errorf("%s tells another workspace: %s", r.Operation, theirs.body)
		}
		for _, role := range roles {
			if !slices.Contains(r.Access.Roles(), role) {
				refused(ask(c, keys[role]), 403)
			}
		}
		for _, role := range r.Access.Roles() {
			ask(w.call(r, keys[role]), keys[role]).want(c.own)
		}
	}
}

// What a filter or a body names of another workspace does not exist either.
func TestFiltersNameNothingOfOthers(t *testing.T) {
	w := newWorld(t)
	_, foreign := w.newWorkspace("other")
	id := w.answered("asked", 9, `,`+somebody)
	person := w.do("GET", "/v1/responses/"+id, nil).want(200).text("customer.id")
	survey := w.do("GET", "/v1/surveys/asked", nil).want(200).text("id")
	for path, field := range map[string]string{"/v1/responses?survey=asked": "survey", "/v1/responses?survey=" + survey: "survey", "/v1/responses?touchpoint=shop": "touchpoint",
		"/v1/invitations?survey=" + survey: "survey", "/v1/scores?metric=nps&survey=" + survey: "survey", "/v1/scores?metric=nps&touchpoint=chat": "touchpoint",
		"/v1/scores/touchpoints?survey=asked": "survey"} {
		w.do("GET", path, nil, as(foreign)).wantProblem(422, field)
	}
	for _, customer := range []string{person, "c-1", "ana%40hidden-words.example.com"} {
		if found := ids(w.do("GET", "/v1/invitations?customer="+customer, nil, as(foreign))); len(found) > 0 {
			t.Errorf("%s: %v", customer, found)
		}
	}
	w.do("POST", "/v1/responses", `{"survey_id":"`+survey+`","score":9}`, as(foreign)).wantProblem(422, "survey_id")
	w.do("GET", "/v1/scores?metric=nps", nil, as(foreign)).want(200).wantAt("total.responses", 0.0)
	w.do("POST", "/v1/interactions/batch", `{"interactions":[{"touchpoint":"chat"}]}`, as(foreign)).want(200).wantAt("results[0].status", 422.0)
	// a customer of both is two people
	w.do("PUT", "/v1/touchpoints/chat", `{"name":"mine"}`, as(foreign)).want(201)
	mine := w.do("POST", "/v1/interactions", `{"touchpoint":"chat","customer":{"external_id":"c-1"}}`, as(foreign)).want(202)
	if shown := w.do("GET", "/v1/interactions/"+mine.text("id"), nil, as(foreign)).want(200); strings.Contains(string(shown.body), "hidden") {
		t.Errorf("%s", shown.body)
	}
}
