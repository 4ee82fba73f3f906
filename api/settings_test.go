package api_test

import (
	"strings"
	"testing"
	"time"
)

func TestWorkspaceSettings(t *testing.T) {
	s := newServer(t)
	before := s.do("GET", "/v1/workspace", nil).want(200).wantAt("key", "default").wantAt("timezone", "Asia/Tokyo").wantAt("quiet_period", "30d")
	s.now.move(time.Minute)
	s.do("PATCH", "/v1/workspace", `{"name":"青空 ✈","quiet_period":"2w","reply_to":" Support@Example.COM ","postal_footer":"a\nb","privacy_url":"https://example.com/p"}`).
		want(200).wantAt("name", "青空 ✈").wantAt("reply_to", "support@example.com").wantAt("timezone", "Asia/Tokyo").wantAt("created_at", before.at("created_at")).
		wantAt("updated_at", "2026-11-22T09:31:00.000Z")
	s.do("PATCH", "/v1/workspace", `{"reply_to":""}`).want(200).wantAt("reply_to", "").wantAt("quiet_period", "2w")
	s.do("PATCH", "/v1/workspace", `{"sender_name":null,"sender_address":null,"reply_to":null,"postal_footer":null,"privacy_url":null}`).want(200).
		wantAt("postal_footer", "").wantAt("privacy_url", "").wantAt("name", "青空 ✈")
	for _, field := range []string{"key", "created_at", "updated_at", "id", "tally_generation"} {
		s.do("PATCH", "/v1/workspace", `{"`+field+`":"x"}`).wantProblem(400, field)
		s.do("PATCH", "/v1/workspace", `{"`+field+`":null}`).wantProblem(400, field)
	}
	for body, field := range map[string]string{`{"timezone":"Mars/Olympus"}`: "timezone", `{"timezone":"Local"}`: "timezone", `{"timezone":null}`: "timezone",
		`{"name":""}`: "name", `{"quiet_period":"1 month"}`: "quiet_period", `{"quiet_scope":"galaxy"}`: "quiet_scope", `{"sender_address":"a@b\r\nBcc: c@d"}`: "sender_address",
		`{"reply_to":"nobody"}`: "reply_to", `{"privacy_url":"javascript:alert(1)"}`: "privacy_url", `{"default_locale":"xx-"}`: "default_locale", `{"name":"a\nb"}`: "name"} {
		s.do("PATCH", "/v1/workspace", body).wantProblem(422, field)
	}
	// all that is wrong is told at once
	s.do("PATCH", "/v1/workspace", `{"name":"","timezone":"x","default_locale":"?"}`).wantProblem(422, "name", "timezone", "default_locale")
}

func TestTouchpoints(t *testing.T) {
	s := newServer(t)
	s.do("POST", "/v1/touchpoints", `{"key":"support_chat","name":"Support chat"}`).want(201).wantAt("name", "Support chat")
	s.do("POST", "/v1/touchpoints", `{"key":"support_chat","name":"Again"}`).wantProblem(409)
	s.do("PUT", "/v1/touchpoints/support_chat", `{"key":"other","name":"a"}`).wantProblem(422, "key")
	s.do("PUT", "/v1/touchpoints/support_chat", `{"key":"support_chat","name":"Chat"}`).want(200).wantAt("name", "Chat")
	for _, key := range []string{"A", "a b", "%20", "-a", "é", "%00", "%FF", "a%2Fb", strings.Repeat("a", 64)} {
		s.do("GET", "/v1/touchpoints/"+key, nil).wantProblem(404)
		s.do("PUT", "/v1/touchpoints/"+key, `{"name":"a"}`).wantProblem(422, "key")
	}
	s.do("POST", "/v1/touchpoints", `{"name":"a"}`).wantProblem(422, "key")
	s.do("PATCH", "/v1/touchpoints/none", `{"name":"a"}`).wantProblem(404)
	s.do("PATCH", "/v1/touchpoints/support_chat", `{"key":"b"}`).wantProblem(400, "key")
	// one that is asked about cannot go
	s.do("PUT", "/v1/surveys/chat", `{"name":"a","template":"nps","touchpoint":"support_chat","channel":"link","trigger":{"type":"manual"}}`).want(201)
	s.do("DELETE", "/v1/touchpoints/support_chat", nil).wantProblem(409)
	s.do("PUT", "/v1/touchpoints/free", `{"name":"a"}`).want(201)
	s.do("DELETE", "/v1/touchpoints/free", nil).want(204)
	s.do("DELETE", "/v1/touchpoints/free", nil).wantProblem(404)
}

const ownTemplate = `{"key":"own","name":"Own","metric":"csat","default_locale":"en","placeholders":{"name":{"en":"there"},"attributes.agent":{"en":"us","ja":"私たち"}},
	"mail":{"subject":{"en":"How was {{attributes.agent}}, {{name}}?"}},
	"questions":[{"key":"score","type":"score","scale":{"min":1,"max":5},"text":{"en":"How was it?","ja":"いかがでしたか?"}},{"key":"why","type":"text","text":{"en":"Why?"}}]}`

func TestTemplatesAndTheirVersions(t *testing.T) {
	s := newServer(t)
	s.do("POST", "/v1/templates", ownTemplate).want(201).wantAt("version", 1.0).wantAt("satisfied_from", 4.0).wantAt("archived_at", nil)
	s.do("POST", "/v1/templates", ownTemplate).wantProblem(409)
	s.do("PUT", "/v1/templates/own", ownTemplate).want(200).wantAt("version", 1.0) // the same words make no version
	s.do("PUT", "/v1/templates/other", ownTemplate).wantProblem(422, "key")
	changed := strings.Replace(ownTemplate, "Why?", "Why so?", 1)
	s.do("PUT", "/v1/templates/own", changed).want(200).wantAt("version", 2.0)
	s.do("GET", "/v1/templates/own/versions", nil).want(200).wantAt("data[0].version", 2.0).wantAt("data[1].version", 1.0).wantAt("next_cursor", nil)
	s.do("GET", "/v1/templates/own/versions/1", nil).want(200).wantAt("questions[1].text.en", "Why?")
	for _, version := range []string{"0", "3", "-1", "x", "01", "1.0", "%2B1", "99999999999999999999"} {
		s.do("GET", "/v1/templates/own/versions/"+version, nil).wantProblem(404)
	}
	s.do("GET", "/v1/templates/none/versions", nil).wantProblem(404)

	s.do("PUT", "/v1/surveys/own", `{"name":"a","template":"own","touchpoint":"chat","channel":"link","trigger":{"type":"manual"}}`).want(201)
	s.do("POST", "/v1/surveys/own/activate", nil).want(200).wantAt("template_version", 2.0)
	s.do("DELETE", "/v1/templates/own", nil).wantProblem(409)
	s.do("POST", "/v1/surveys/own/archive", nil).want(200)
	s.do("DELETE", "/v1/templates/own", nil).want(204)
	if list := s.do("GET", "/v1/templates?limit=500", nil).want(200); strings.Contains(string(list.body), `"own"`) {
		t.Error("an archived template is listed")
	}
	if s.do("GET", "/v1/templates/own", nil).want(200).at("archived_at") == nil {
		t.Error("not archived")
	}
	for document, field := range map[string]string{
		strings.Replace(ownTemplate, `"text","text":{"en":"Why?"}`, `"score","text":{"en":"Why?"}`, 1): "questions[1].key",
		strings.Replace(ownTemplate, "Why?", "Why {{attributes.plan}}?", 1):                            "questions[1].text.en",
		strings.Replace(ownTemplate, `"max":5`, `"max":4`, 1):                                          "questions[0].scale.max",
	} {
		got := s.do("POST", "/v1/templates", document).wantProblem(422)
		if !strings.Contains(string(got.body), `"`+field+`"`) {
			t.Errorf("%s is not named: %s", field, got.body)
		}
	}
}

func TestPreview(t *testing.T) {
	s := newServer(t)
	s.do("PUT", "/v1/templates/own", ownTemplate).want(201)
	mail := s.do("POST", "/v1/templates/own/preview", `{"what":"mail","name":"<b>Ana</b>","attributes":{"agent":"Kim"}}`).want(200).
		wantAt("locale", "en").wantAt("subject", "How was Kim, <b>Ana</b>?")
	if html := mail.text("html"); strings.Contains(html, "<b>Ana") || !strings.Contains(html, "How was it?") || !strings.Contains(mail.text("text"), "How was it?") {
		t.Errorf("%s", mail.body)
	}
	page := s.do("POST", "/v1/templates/own/preview", `{"what":"page","locale":"ja","score":2}`).want(200).wantAt("locale", "ja").wantAt("subject", nil)
	if html := page.text("html"); !strings.Contains(html, "いかがでしたか?") || strings.Count(html, " checked") != 1 {
		t.Errorf("%s", html)
	}
	s.do("POST", "/v1/templates/nps/preview", `{"what":"page","locale":"de"}`).want(200).wantAt("locale", "de").wantAt("unreviewed", true).wantAt("fallbacks", nil)
	s.do("POST", "/v1/templates/nps/preview", `{"what":"page","locale":"ja"}`).want(200).wantAt("unreviewed", nil).wantAt("fallbacks", nil)
	s.do("PUT", "/v1/templates/half", strings.NewReplacer(`"metric"`, `"unreviewed":["ja"],"metric"`, `"key":"own"`, `"key":"half"`).Replace(ownTemplate)).want(201)
	s.do("POST", "/v1/templates/half/preview", `{"what":"mail","locale":"ja"}`).want(200).wantAt("unreviewed", true).
		wantAt("fallbacks[0]", "placeholders.name").wantAt("fallbacks[1]", "mail.subject").wantAt("fallbacks[2]", "questions[1].text")
	for body, field := range map[string]string{`{}`: "what", `{"what":"poster"}`: "what", `{"what":"page","score":6}`: "score", `{"what":"page","score":"5"}`: "score",
		`{"what":"mail","attributes":{"a":{}}}`: "attributes.a", `{"what":"mail","locale":"??"}`: "locale", `{"what":"mail","name":"a\nb"}`: "name"} {
		s.do("POST", "/v1/templates/own/preview", body).wantProblem(422, field)
	}
	s.do("POST", "/v1/templates/none/preview", `{"what":"mail"}`).wantProblem(404)
}

func TestSurveys(t *testing.T) {
	s := newServer(t)
	body := `{"key":"chat","name":"After chat","template":"csat","touchpoint":"new_one","channel":"email","trigger":{"type":"interaction","delay":"2h"}}`
	made := s.do("POST", "/v1/surveys", body).want(201).wantAt("state", "draft").wantAt("template_version", 0.0).wantAt("rules.expires_after", "30d").wantAt("rules.sample", 1.0)
	s.do("GET", "/v1/touchpoints/new_one", nil).want(200) // made with it
	s.do("POST", "/v1/surveys", body).wantProblem(409)
	id := made.text("id")
	s.do("GET", "/v1/surveys/"+id, nil).want(200).wantAt("key", "chat")
	s.do("PUT", "/v1/surveys/chat", strings.Replace(body, "After chat", "Chat", 1)).want(200).wantAt("id", id).wantAt("name", "Chat")
	s.do("PUT", "/v1/surveys/"+id, body).wantProblem(422, "key")

	s.do("POST", "/v1/surveys/chat/pause", nil).wantProblem(409)
	s.do("POST", "/v1/surveys/chat/activate", `{"now":true}`).wantProblem(400, "now")
	s.do("POST", "/v1/surveys/chat/activate", `{}`).want(200).wantAt("state", "active").wantAt("template_version", 1.0)
	s.do("POST", "/v1/surveys/"+id+"/pause", nil).want(200).wantAt("state", "paused")
	s.do("GET", "/v1/surveys?state=paused&touchpoint=new_one&template=csat", nil).want(200).wantAt("data[0].id", id)
	s.do("GET", "/v1/surveys?state=active", nil).want(200).wantAt("data[0]", nil)
	s.do("POST", "/v1/surveys/chat/archive", nil).want(200).wantAt("state", "archived")
	for _, action := range []string{"activate", "pause"} {
		s.do("POST", "/v1/surveys/chat/"+action, nil).wantProblem(409)
	}
	s.do("PATCH", "/v1/surveys/chat", `{"name":"a"}`).wantProblem(409)
	s.do("POST", "/v1/surveys/none/activate", nil).wantProblem(404)

	for change, field := range map[string]string{`"touchpoint":"new_one"`: "touchpoint", `"template":"csat"`: "template", `"channel":"email"`: "channel", `"name":"After chat"`: "name"} {
		without := strings.Replace(strings.Replace(body, change+",", "", 1), `"key":"chat",`, "", 1)
		got := s.do("POST", "/v1/surveys", without)
		got.request = without
		got.wantProblem(422, field)
	}
	s.do("POST", "/v1/surveys", strings.Replace(body, `"csat"`, `"none"`, 1)).wantProblem(422, "template")
	s.do("POST", "/v1/surveys", strings.Replace(body, `"key":"chat"`, `"key":"`+id+`"`, 1)).wantProblem(422, "key")
	s.do("POST", "/v1/surveys", strings.Replace(body, `interaction","delay":"2h`, `full_moon`, 1)).wantProblem(422, "trigger.type")
	for _, ref := range []string{"A", "%20", "x%00", "0190a1b2-0000-7000-8000-000000000000", strings.ToUpper(id), "..."} {
		s.do("GET", "/v1/surveys/"+ref, nil).wantProblem(404)
	}
}

func TestSuppressions(t *testing.T) {
	s := newServer(t)
	made := s.do("POST", "/v1/suppressions", `{"email":" Ana@Example.com "}`).want(201).wantAt("email", "ana@example.com").wantAt("reason", "manual")
	s.do("POST", "/v1/suppressions", `{"email":"ana@example.com","reason":"bounced"}`).want(200).wantAt("id", made.at("id")).wantAt("reason", "manual")
	s.do("POST", "/v1/suppressions", `{"email":"ben@example.com","reason":"complained"}`).want(201)
	s.do("GET", "/v1/suppressions?email=ANA%40example.com", nil).want(200).wantAt("data[0].id", made.at("id")).wantAt("data[1]", nil)
	for body, field := range map[string]string{`{}`: "email", `{"email":""}`: "email", `{"email":null}`: "email", `{"email":"a"}`: "email", `{"email":"a@b\r\nBcc: c@d"}`: "email",
		`{"email":"Ana <ana@example.com>"}`: "email", `{"email":"a@example.com","reason":"boredom"}`: "reason"} {
		s.do("POST", "/v1/suppressions", body).wantProblem(422, field)
	}
	s.do("DELETE", "/v1/suppressions/"+made.text("id"), nil).want(204)
	s.do("DELETE", "/v1/suppressions/"+made.text("id"), nil).wantProblem(404)
	s.do("GET", "/v1/suppressions?email=ana@example.com", nil).want(200).wantAt("data[0]", nil)
}
