package api_test

import "testing"

func TestTriggers(t *testing.T) {
	s := newServer(t)
	made := s.do("POST", "/v1/surveys", `{"key":"pulse","name":"Pulse","template":"nps","touchpoint":"pulse","channel":"email",
		"trigger":{"type":"schedule","audience":{"attributes.plan":["pro",5]},"timezone":"Asia/Tokyo"}}`).want(201).
		wantAt("trigger.cron", "0 9 * * 1-5").wantAt("trigger.every", "90d").wantAt("trigger.delay", nil)
	s.do("POST", "/v1/surveys/pulse/activate", nil).want(200)
	s.do("GET", "/v1/surveys/pulse/fires", nil).want(200).wantAt("data[0]", nil).wantAt("next_cursor", nil)
	s.do("PATCH", "/v1/surveys/pulse", `{"trigger":{"cron":"30 8 1 * *","every":"4w"}}`).want(200).wantAt("trigger.cron", "30 8 1 * *").wantAt("trigger.timezone", "Asia/Tokyo")
	s.do("PATCH", "/v1/surveys/pulse", `{"trigger":{"cron":"TZ=UTC 0 9 * * *"}}`).wantProblem(422, "trigger.cron")
	s.do("PATCH", "/v1/surveys/pulse", `{"trigger":{"every":"10m"},"channel":"link"}`).wantProblem(422, "trigger.every", "channel")
	s.do("PUT", "/v1/surveys/after", `{"name":"After","template":"ces","touchpoint":"after","channel":"email",
		"trigger":{"type":"response","survey":"pulse","when":{"score":{"max":6}},"delay":"60d"}}`).want(201).wantAt("trigger.survey", "pulse").wantAt("trigger.when.score.max", 6.0)
	s.do("POST", "/v1/surveys/after/activate", nil).want(200)
	s.do("POST", "/v1/surveys", `{"name":"After","template":"ces","touchpoint":"after","channel":"email","trigger":{"type":"response","survey":"nowhere"}}`).
		wantProblem(422, "trigger.survey")
	s.do("POST", "/v1/surveys", `{"name":"After","template":"ces","touchpoint":"after","channel":"email","trigger":{"type":"response","survey":"pulse","when":{"mood":{"max":1}}}}`).
		wantProblem(422, "trigger.when.mood")
	s.do("POST", "/v1/surveys", `{"name":"After","template":"ces","touchpoint":"after","channel":"email","trigger":{"type":"response","audience":{}}}`).
		wantProblem(422, "trigger.survey")
	s.answered("pulse", 3, `,"customer":{"email":"ana@example.com"}`)
	s.answered("pulse", 9, `,"customer":{"email":"bob@example.com"}`)
	s.do("GET", "/v1/invitations?survey=after", nil).want(200).wantAt("data[0].state", "scheduled").wantAt("data[0].customer.email", "ana@example.com").
		wantAt("data[0].interaction_id", nil).wantAt("data[1]", nil)
	s.do("POST", "/v1/surveys/pulse/simulate", `{"customer":{"email":"cleo@example.com"},"at":"2026-11-22T09:30:00Z"}`).want(200).wantAt("decision", "scheduled").wantAt("rules[0].rule", "trigger")
	s.do("PATCH", "/v1/surveys/"+made.text("id"), `{"trigger":{"type":"manual","cron":null,"every":null,"timezone":null,"audience":null}}`).want(200).wantAt("trigger.cron", nil)
	s.do("GET", "/v1/surveys/nowhere/fires", nil).wantProblem(404)
}
