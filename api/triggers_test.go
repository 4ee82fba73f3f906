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
	s.do("PATCH", "/v1/surveys/pulse", `{"trigger":{"cron":"\t0  9 * * 5-7 "}}`).want(200).wantAt("trigger.cron", "0 9 * * 5-7")
	s.do("PATCH", "/v1/surveys/pulse", `{"trigger":{"cron":" "}}`).wantProblem(422, "trigger.cron")
	s.do("PATCH", "/v1/surveys/pulse", `{"trigger":{"cron":"0 25 * * *"}}`).wantProblem(422, "trigger.cron").
		wantAt("errors[0].message", `has the hour "25", which cannot be read; it takes 0 to 23, * for any, a list such as 2,4, a range such as 2-4 (the smaller first) and a step such as */2`)
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
	cleo := func(attributes string) response {
		return s.do("POST", "/v1/surveys/pulse/simulate", `{"customer":{"email":"cleo@example.com"},"at":"2026-11-22T09:30:00Z","attributes":`+attributes+`}`).want(200)
	}
	cleo(`{"plan":5}`).wantAt("decision", "scheduled").wantAt("rules[0].rule", "trigger").wantAt("rules[2].rule", "audience").wantAt("rules[2].verdict", "pass")
	cleo(`{"plan":"free"}`).wantAt("reason", "condition").wantAt("rules[2].rule", "audience").wantAt("rules[2].verdict", "skip")
	s.do("PATCH", "/v1/surveys/"+made.text("id"), `{"trigger":{"type":"manual","cron":null,"every":null,"timezone":null,"audience":null}}`).want(200).wantAt("trigger.cron", nil)
	s.do("GET", "/v1/surveys/nowhere/fires", nil).wantProblem(404)
}

// A condition that no answer fulfils is refused, and so is a text without room.
func TestWhatNoAnswerFulfils(t *testing.T) {
	s := newServer(t)
	template := func(question, thanks string) string {
		return `{"key":"own","name":"Own","metric":"csat","default_locale":"en","questions":[{"key":"score","type":"score","text":{"en":"?"}},
			{"key":"topic","type":"choice","text":{"en":"?"},"options":[{"key":"speed","text":{"en":"Speed"}}]},
			{"key":"why","type":"text","text":{"en":"Why?"}` + question + `}],"thank_you":[{"text":{"en":"Thanks"}` + thanks + `}]}`
	}
	for _, c := range []struct{ body, field string }{
		{template(`,"show_if":{"score":{"min":6}}`, ``), "questions[2].show_if.score"},
		{template(`,"show_if":{"score":{"max":0}}`, ``), "questions[2].show_if.score"},
		{template(`,"show_if":{"topic":{"in":["price"]}}`, ``), "questions[2].show_if.topic.in"},
		{template(`,"max_length":0`, ``), "questions[2].max_length"},
		{template(``, `,"when":{"score":{"min":9}}`), "thank_you[0].when.score"},
		{template(``, `,"when":{"topic":{"in":["price"]}}`), "thank_you[0].when.topic.in"},
	} {
		s.do("POST", "/v1/templates", c.body).wantProblem(422, c.field)
		s.do("PUT", "/v1/templates/own", c.body).wantProblem(422, c.field)
	}
	s.do("POST", "/v1/templates", template(`,"show_if":{"score":{"min":0,"max":1}}`, `,"when":{"score":{"min":5,"max":9}}`)).want(201)
	s.survey("asked", `"template":"own"`)
	s.do("POST", "/v1/surveys", `{"name":"After","template":"ces","touchpoint":"after","channel":"email","trigger":{"type":"response","survey":"asked","when":{"score":{"min":6}}}}`).
		wantProblem(422, "trigger.when.score")
}

// Rules that could never be kept are refused with their field when a survey is
// created, put or changed.
func TestSurveysThatCouldNotAsk(t *testing.T) {
	s := newServer(t)
	body := func(trigger, rules string) string {
		return `{"name":"After","template":"nps","touchpoint":"chat","channel":"email","trigger":` + trigger + `,"rules":{` + rules + `}}`
	}
	const interaction = `{"type":"interaction"}`
	cron := func(line string) string { return body(`{"type":"schedule","cron":"`+line+`"}`, ``) }
	window := func(w string) string { return body(interaction, `"send_window":{`+w+`}`) }
	for _, c := range []struct{ body, field string }{
		{cron("61 * * * *"), "trigger.cron"},
		{cron("* 24 * * *"), "trigger.cron"},
		{cron("* * 0 * *"), "trigger.cron"},
		{cron("* * * 13 *"), "trigger.cron"},
		{cron("0 0 30 2 *"), "trigger.cron"}, // never
		{cron("0 0 31 4,6,9,11 *"), "trigger.cron"},
		{cron("TZ=UTC 0 9 * * *"), "trigger.cron"},
		{cron("CRON_TZ=Asia/Tokyo 0 9 * * *"), "trigger.cron"},
		{cron("TZ=UTC"), "trigger.cron"},
		{cron("0 0 9 * * *"), "trigger.cron"}, // six fields
		{cron("0 9 * *"), "trigger.cron"},
		{cron("@daily"), "trigger.cron"},
		{cron("@every 1h"), "trigger.cron"},
		{cron("tomorrow"), "trigger.cron"},
		{cron(", 9 * * *"), "trigger.cron"}, // matches nothing
		{cron("0 9 , * 1"), "trigger.cron"},
		{body(`{"type":"schedule","timezone":"Mars/Base"}`, ``), "trigger.timezone"},
		{body(`{"type":"schedule","timezone":"Local"}`, ``), "trigger.timezone"},
		{body(`{"type":"schedule","every":"-90d"}`, ``), "trigger.every"},
		{body(`{"type":"schedule","every":"59m"}`, ``), "trigger.every"},
		{body(`{"type":"schedule","delay":"2h"}`, ``), "trigger.delay"},
		{body(`{"type":"interaction","delay":"-2h"}`, ``), "trigger.delay"},
		{body(`{"type":"interaction","delay":"2 hours"}`, ``), "trigger.delay"},
		{body(`{"type":"response","survey":"none","delay":"-60d"}`, ``), "trigger.delay"},
		{window(`"from":"09:00","to":"18:00","timezone":"Mars/Base"`), "rules.send_window.timezone"},
		{window(`"from":"09:00","to":"09:00"`), "rules.send_window.to"}, // never opens
		{window(`"from":"24:00","to":"06:00"`), "rules.send_window.from"},
		{window(`"from":"9:00","to":"18:00"`), "rules.send_window.from"},
		{window(`"from":"09:00","to":"25:00"`), "rules.send_window.to"},
		{window(`"from":"09:00"`), "rules.send_window.to"},
		{window(`"from":"09:00","to":"18:00","weekdays":[]`), "rules.send_window.weekdays"}, // never opens
		{window(`"from":"09:00","to":"18:00","weekdays":[1,8]`), "rules.send_window.weekdays[1]"},
		{window(`"from":"09:00","to":"18:00","weekdays":[0]`), "rules.send_window.weekdays[0]"},
		{body(interaction, `"reminders":["3d","14d"],"expires_after":"14d"`), "rules.reminders[1]"}, // after expiry
		{body(interaction, `"reminders":["30d"]`), "rules.reminders[0]"},                            // by default too
		{body(interaction, `"reminders":["7d","3d"]`), "rules.reminders[1]"},
		{body(interaction, `"reminders":["-3d"]`), "rules.reminders[0]"},
		{body(interaction, `"reminders":["1d","2d","3d","4d"]`), "rules.reminders"},
		{body(interaction, `"expires_after":"0s"`), "rules.expires_after"},
		{body(interaction, `"expires_after":"-1d"`), "rules.expires_after"},
		{body(interaction, `"max_age":"-7d"`), "rules.max_age"},
		{body(interaction, `"quiet_period":"-30d"`), "rules.quiet_period"},
		{body(interaction, `"quiet_scope":"planet"`), "rules.quiet_scope"},
		{body(interaction, `"sample":1.01`), "rules.sample"},
		{body(interaction, `"daily_limit":0`), "rules.daily_limit"},
		{body(interaction, `"condition":{"plan":"pro"}`), "rules.condition"},
	} {
		for _, how := range [][2]string{{"POST", "/v1/surveys"}, {"PUT", "/v1/surveys/refused"}} {
			got := s.do(how[0], how[1], c.body)
			got.request += " " + c.body
			var named struct{ Errors []struct{ Field string } }
			got.want(422).into(&named)
			if len(named.Errors) == 0 || named.Errors[0].Field != c.field {
				t.Errorf("%s: names %v instead of %s", got.request, named.Errors, c.field)
			}
		}
	}
	s.do("PATCH", "/v1/workspace", `{"timezone":"Mars/Base"}`).wantProblem(422, "timezone")

	// what looks odd and is none of these
	for i, fine := range []string{
		window(`"from":"22:00","to":"06:00"`), // over midnight
		window(`"from":"00:00","to":"24:00","weekdays":[7]`),
		cron("0 0 29 2 *"), // every fourth year
		cron("0 0 31 * *"),
		cron("*/15 9-17 * * MON-FRI"),
		body(interaction, `"reminders":["3d","7d","13d"],"expires_after":"2w"`),
		body(`{"type":"interaction","delay":"0s"}`, `"sample":0,"quiet_period":"0s","max_age":"0s"`),
	} {
		key := string(rune('a' + i))
		s.do("PUT", "/v1/surveys/"+key, fine).want(201)
		s.do("POST", "/v1/surveys/"+key+"/activate", nil).want(200)
	}
	// a mail at noon waits for ten at night, one at midnight is sent
	asked := func(at string) response {
		return s.do("POST", "/v1/surveys/a/simulate", `{"customer":{"email":"ana@example.com","timezone":"Asia/Tokyo"},"at":"`+at+`"}`).want(200)
	}
	asked("2026-11-22T03:00:00Z").wantAt("send_at", "2026-11-22T13:00:00.000Z")
	asked("2026-11-22T15:00:00Z").wantAt("send_at", "2026-11-22T15:00:00.000Z")
}
