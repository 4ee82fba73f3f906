package api_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"koe/survey"
	"koe/survey/store"
)

// colleague makes somebody of the company.
func (s *server) colleague(name string, role survey.Role, change func(*survey.Member)) survey.Member {
	s.t.Helper()
	m := survey.Member{Email: strings.ToLower(name) + "@company.example", Name: name, Role: role}
	if change != nil {
		change(&m)
	}
	made, err := s.store.CreateMember(s.t.Context(), store.Caller{Workspace: s.workspace.ID, KeyName: "test"}, m)
	if err != nil {
		s.t.Fatal(err)
	}
	return made
}

// followed makes an unhappy answer and returns its follow-up.
func (s *server) followed(of string, score int, fields string) response {
	s.t.Helper()
	answer := s.answered(of, score, fields)
	list := s.do("GET", "/v1/follow-ups?limit=500", nil).want(200)
	for i := 0; list.at(fmt.Sprintf("data[%d]", i)) != nil; i++ {
		if list.at(fmt.Sprintf("data[%d].response.id", i)) == answer {
			return s.do("GET", "/v1/follow-ups/"+list.text(fmt.Sprintf("data[%d].id", i)), nil).want(200)
		}
	}
	s.t.Fatalf("%d opened no follow-up", score)
	return response{}
}

// solvedURL is the path that a customer is mailed.
func (s *server) solvedURL(followUp string) string {
	s.t.Helper()
	id, err := survey.ParseID(followUp)
	if err != nil {
		s.t.Fatal(err)
	}
	m, err := s.store.FollowUpMail(s.t.Context(), store.Dispatch{Workspace: s.workspace.ID, Subject: id, Event: survey.EventFollowUpAsked, To: "ana@example.com"})
	if err != nil {
		s.t.Fatal(err)
	}
	return "/f/" + m.Token
}

func (s *server) tend() (n int) {
	s.t.Helper()
	n, err := s.store.TendFollowUps(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

func TestRulesOfFollowUps(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		s.colleague("Kim", survey.Editor, nil)
		s.colleague("Vic", survey.Viewer, nil)
		s.do("PUT", "/v1/touchpoints/elsewhere", `{"name":"Elsewhere"}`).want(201)
		s.colleague("Far", survey.Editor, func(m *survey.Member) { m.Touchpoints = []string{"elsewhere"} })
		for rule, field := range map[string]string{
			`{"score":{}}`:                                                            "score",
			`{"score":{"min":4,"max":3}}`:                                             "score",
			`{"score":{"min":11}}`:                                                    "score",
			`{"score":{"max":6},"due":"0s"}`:                                          "due",
			`{"score":{"max":6},"due":"soon"}`:                                        "due",
			`{"score":{"max":6},"owner":"Kim"}`:                                       "owner",
			`{"score":{"max":6},"owner":"attributes."}`:                               "owner",
			`{"score":{"max":6},"owner":"nobody@company.example"}`:                    "owner",
			`{"score":{"max":6},"owner":"vic@company.example"}`:                       "owner",
			`{"score":{"max":6},"owner":"far@company.example"}`:                       "owner",
			`{"score":{"max":6},"escalate_to":"boss"}`:                                "escalate_to",
			`{"score":{"max":6},"confirm_within":"1d"}`:                               "confirm_within",
			`{"score":{"max":6},"confirm_with_customer":true,"confirm_within":"10m"}`: "confirm_within",
		} {
			body := `{"name":"x","template":"nps","touchpoint":"chat","channel":"link","trigger":{"type":"manual"},"rules":{"follow_up":` + rule + `}}`
			s.do("POST", "/v1/surveys", body).wantProblem(422, "rules.follow_up."+field)
		}
		s.survey("x", `"rules":{"follow_up":{"score":{"max":6},"owner":" KIM@company.example "}}`)
		s.do("GET", "/v1/surveys/x", nil).want(200).wantAt("rules.follow_up.owner", "kim@company.example").wantAt("rules.follow_up.due", "24h")
		s.do("PATCH", "/v1/surveys/x", `{"rules":{"follow_up":{"owner":"vic@company.example"}}}`).wantProblem(422, "rules.follow_up.owner")
		s.do("PATCH", "/v1/surveys/x", `{"rules":{"follow_up":null}}`).want(200).wantAt("rules.follow_up", nil)
	})
}

func TestUnhappyAnswersAreFollowedUp(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		s.colleague("Kim", survey.Editor, nil)
		s.colleague("Lee", survey.Admin, nil)
		s.colleague("Vic", survey.Viewer, nil)
		s.do("PUT", "/v1/touchpoints/elsewhere", `{"name":"Elsewhere"}`).want(201)
		s.colleague("Far", survey.Editor, func(m *survey.Member) { m.Touchpoints = []string{"elsewhere"} })
		s.survey("after", `"rules":{"follow_up":{"score":{"max":6},"due":"8h"}}`)
		s.survey("plain", `"touchpoint":"chat"`)

		s.answered("after", 7, "")
		s.answered("plain", 0, "")
		if n := len(ids(s.do("GET", "/v1/follow-ups", nil).want(200))); n != 0 {
			t.Fatalf("%d follow-ups of happy answers", n)
		}
		// a respondent's page opens one too, and what comes behind the score belongs to it
		token := s.token("after", `{"email":"ana@example.com","name":"Ana"}`)
		s.answer(token, "step=score&score=2").want(200)
		s.answer(token, "step=questions&q_improve=late").want(200)
		list := s.do("GET", "/v1/follow-ups", nil).want(200)
		list.wantAt("data[0].state", "open").wantAt("data[0].response.score", 2.0).wantAt("data[0].due_at", "2026-11-22T17:30:00.000Z").
			wantAt("data[0].response.customer.name", "Ana").wantAt("data[0].touchpoint", "chat").wantAt("data[0].confirmation", "not_asked").wantAt("data[1]", nil)
		owned := map[any]int{list.at("data[0].owner"): 1}
		for range 5 {
			owned[s.followed("after", 6, "").at("owner")]++
		}
		if owned["kim@company.example"] != 3 || owned["lee@company.example"] != 3 {
			t.Errorf("given to %v", owned)
		}
		// history opens none: an import, and what is told long after
		s.do("POST", "/v1/responses/import?survey=after", "score\n1\n", with("Content-Type", "text/csv")).want(200)
		s.answered("after", 1, `,"responded_at":"2026-10-01T00:00:00Z"`)
		if n := len(ids(s.do("GET", "/v1/follow-ups?limit=500", nil).want(200))); n != 6 {
			t.Errorf("%d follow-ups instead of 6", n)
		}
		s.followed("after", 1, `,"responded_at":"2026-11-22T08:30:00Z"`).wantAt("since", "2026-11-22T08:30:00.000Z").wantAt("due_at", "2026-11-22T16:30:00.000Z")
		s.verified()
	})
}

func TestWhoOwnsAFollowUp(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		kim, lee := s.colleague("Kim", survey.Editor, nil), s.colleague("山田 花子", survey.Editor, func(m *survey.Member) { m.Email = "hanako@company.example" })
		s.colleague("Seg", survey.Editor, func(m *survey.Member) {
			m.Segment = &survey.Segment{Key: "agent", Values: []string{"only"}}
		})
		s.survey("after", `"rules":{"follow_up":{"score":{"max":6},"owner":"attributes.agent","escalate_to":"boss@example.com"}},"segments":["agent"]`)
		s.followed("after", 1, `,"attributes":{"agent":"山田　花子"}`).wantAt("owner", lee.Email).wantAt("owner_name", lee.Name)
		s.followed("after", 1, `,"attributes":{"agent":"HANAKO@company.example"}`).wantAt("owner", lee.Email)
		s.followed("after", 1, `,"attributes":{"agent":"somebody"}`).wantAt("owner", kim.Email) // who has the fewest of those who see it
		mine := s.followed("after", 1, `,"attributes":{"agent":"only"}`)
		mine.wantAt("owner", "seg@company.example")

		// staff hand over, to members who may
		path := "/v1/follow-ups/" + mine.text("id")
		s.do("PATCH", path, `{"owner":"nobody@company.example"}`).wantProblem(422, "owner")
		s.do("PATCH", path, `{"owner":""}`).wantProblem(422, "owner")
		s.do("PATCH", path, `{"owner":null}`).want(200).wantAt("owner", nil)
		s.do("GET", "/v1/follow-ups?owner=none", nil).want(200).wantAt("data[0].id", mine.text("id")).wantAt("data[1]", nil)
		if n := s.tend(); n != 1 { // nobody owns it: it is escalated at once
			t.Errorf("%d were tended", n)
		}
		s.do("PATCH", path, `{"owner":"kim@company.example"}`).want(200).wantAt("owner", kim.Email)
		s.do("GET", "/v1/follow-ups?owner=kim@company.example&order=due", nil).want(200).wantAt("data[2]", nil)
		s.do("GET", "/v1/follow-ups?owner=x@company.example", nil).wantProblem(422, "owner")

		// what a member may not see any more, or leaves behind, goes to others
		if err := s.store.RemoveMember(t.Context(), store.Caller{Workspace: s.workspace.ID, KeyName: "test"}, kim.ID); err != nil {
			t.Fatal(err)
		}
		s.do("GET", path, nil).want(200).wantAt("owner", "seg@company.example")
		if _, err := s.store.ChangeMember(t.Context(), store.Caller{Workspace: s.workspace.ID, KeyName: "test"}, lee.ID, func(m *survey.Member) error {
			m.Role = survey.Viewer
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		list := s.do("GET", "/v1/follow-ups?owner=none", nil).want(200)
		if n := len(ids(list)); n != 3 {
			t.Errorf("%d are owned by nobody: %s", n, list.body)
		}
		s.verified()
	})
}

func TestAFollowUpIsWorkedOn(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		s.colleague("Kim", survey.Editor, nil)
		s.survey("after", `"rules":{"follow_up":{"score":{"max":6},"confirm_with_customer":true}}`)
		one := s.followed("after", 3, `,"comment":"late","answers":{"contact":true},"customer":{"email":"ana@example.com","name":"Ana"}`)
		path := "/v1/follow-ups/" + one.text("id")
		s.now.move(2 * time.Hour)
		s.do("POST", path+"/notes", `{"text":""}`).wantProblem(422, "text")
		note := s.do("POST", path+"/notes", `{"text":" Called <b>back</b>\r\n返事なし "}`).want(201).wantAt("text", "Called <b>back</b>\n返事なし").wantAt("by", "test admin")
		s.do("GET", path, nil).want(200).wantAt("first_touch_at", "2026-11-22T11:30:00.000Z").wantAt("state", "open").wantAt("notes[0].id", note.at("id"))
		s.do("PATCH", path, `{"state":"done"}`).wantProblem(422, "state")
		s.do("PATCH", path, `{"outcome":"two\nlines"}`).wantProblem(422, "outcome")
		s.do("PATCH", path, `{"state":"in_progress","color":"red"}`).wantProblem(400)
		s.do("PATCH", path, `{"state":"in_progress"}`).want(200).wantAt("state", "in_progress").wantAt("first_touch_at", "2026-11-22T11:30:00.000Z")
		s.now.move(time.Hour)
		s.do("PATCH", path, `{"state":"resolved","outcome":"返金"}`).want(200).wantAt("confirmation", "pending").wantAt("closed_at", nil).
			wantAt("outcome", "返金").wantAt("confirm_by", "2026-11-25T12:30:00.000Z").wantAt("resolved_at", "2026-11-22T12:30:00.000Z")

		// scanners open links, and record nothing
		page := s.solvedURL(one.text("id"))
		shown := s.do("GET", page+"?lang=ja", nil).want(200)
		if !strings.Contains(string(shown.body), "解決しましたか") || strings.Count(string(shown.body), `name="solved"`) != 2 {
			t.Errorf("the page asks %s", shown.body)
		}
		s.do("HEAD", page, nil).want(200)
		s.do("POST", page, "solved=maybe", form).want(422)
		s.do("GET", path, nil).want(200).wantAt("confirmation", "pending")
		s.do("POST", "/f/"+strings.Repeat("A", 25), "solved=yes", form).want(404)
		s.do("GET", "/s/"+strings.TrimPrefix(page, "/f/"), nil).want(404) // one token, one purpose

		// no opens it again, due anew; the same once more changes nothing
		s.do("POST", page, "solved=no", form).want(200)
		s.do("POST", page, "solved=no", form).want(200)
		s.do("POST", page, "solved=yes", form).want(409)
		s.do("GET", path, nil).want(200).wantAt("state", "open").wantAt("times_reopened", 1.0).wantAt("confirmation", "reopened").
			wantAt("resolved_at", nil).wantAt("due_at", "2026-11-23T12:30:00.000Z")
		s.do("PATCH", path, `{"state":"resolved"}`).want(200).wantAt("confirmation", "pending")
		s.do("POST", page, "solved=yes", form).want(200)
		s.do("POST", page, "solved=no", form).want(409)
		s.do("GET", path, nil).want(200).wantAt("state", "resolved").wantAt("confirmation", "confirmed").wantAt("closed_at", "2026-11-22T12:30:00.000Z")

		// who has said yes is mailed when it is resolved anew, as who has said no
		s.do("PATCH", path, `{"state":"in_progress"}`).want(200)
		s.do("PATCH", path, `{"state":"resolved"}`).want(200).wantAt("confirmation", "pending")
		if n := strings.Count(string(s.do("GET", path, nil).want(200).body), `"type":"asked"`); n != 3 {
			t.Errorf("%d mails after a no and a yes", n)
		}
		s.do("POST", page, "solved=yes", form).want(200)

		// silence closes, and counts as unconfirmed
		two := s.followed("after", 3, `,"answers":{"contact":true},"customer":{"email":"ana@example.com"}`)
		s.do("PATCH", "/v1/follow-ups/"+two.text("id"), `{"state":"resolved"}`).want(200).wantAt("confirmation", "pending")
		if n := s.tend(); n != 0 {
			t.Errorf("%d were tended too early", n)
		}
		wordless := s.followed("after", 3, `,"customer":{"email":"bo@example.com"}`) // who has not agreed is not asked
		s.do("PATCH", "/v1/follow-ups/"+wordless.text("id"), `{"state":"resolved"}`).want(200).wantAt("may_contact", nil).
			wantAt("confirmation", "unconfirmed").wantAt("events[3].reason", "no_consent")
		s.now.move(72 * time.Hour)
		if n := s.tend(); n != 1 {
			t.Errorf("%d were closed", n)
		}
		s.do("GET", "/v1/follow-ups/"+two.text("id"), nil).want(200).wantAt("confirmation", "unconfirmed").wantAt("confirm_by", nil)
		s.do("POST", s.solvedURL(two.text("id")), "solved=yes", form).want(410)
		s.do("GET", s.solvedURL(two.text("id")), nil).want(200)

		// who has unsubscribed, by the link of that mail too, is not asked
		s.do("GET", "/u/"+strings.TrimPrefix(page, "/f/"), nil).want(200)
		s.do("POST", "/u/"+strings.TrimPrefix(page, "/f/"), "List-Unsubscribe=One-Click", form).want(200)
		s.do("GET", "/v1/suppressions", nil).want(200).wantAt("data[0].email", "ana@example.com").wantAt("data[0].reason", "unsubscribed")
		three := s.followed("after", 3, `,"customer":{"email":"ana@example.com"}`)
		s.do("PATCH", "/v1/follow-ups/"+three.text("id"), `{"state":"resolved"}`).want(200).wantAt("confirmation", "unconfirmed").wantAt("events[3].reason", "suppressed")
		four := s.followed("after", 3, "") // nobody to ask
		s.do("PATCH", "/v1/follow-ups/"+four.text("id"), `{"state":"resolved"}`).want(200).wantAt("confirmation", "unconfirmed")
		s.do("PATCH", "/v1/follow-ups/"+four.text("id"), `{"state":"open"}`).want(200).wantAt("confirmation", "not_asked").wantAt("closed_at", nil)

		// to and fro: one mail a day, three in all
		five := "/v1/follow-ups/" + s.followed("after", 3, `,"answers":{"contact":true},"customer":{"email":"eve@example.com"}`).text("id")
		mails := func() int { return strings.Count(string(s.do("GET", five, nil).want(200).body), `"type":"asked"`) }
		for day := 1; day <= 3; day++ {
			for range 3 {
				s.do("PATCH", five, `{"state":"in_progress"}`).want(200)
				s.do("PATCH", five, `{"state":"resolved"}`).want(200).wantAt("confirmation", "pending")
			}
			if n := mails(); n != day {
				t.Errorf("%d mails within %d days", n, day)
			}
			s.now.move(24 * time.Hour)
		}
		s.do("PATCH", five, `{"state":"open"}`).want(200)
		s.do("PATCH", five, `{"state":"resolved"}`).want(200).wantAt("confirmation", "unconfirmed")
		if got := s.do("GET", five, nil).want(200); mails() != 3 || !strings.Contains(string(got.body), `"reason":"asked_often"`) {
			t.Errorf("asked once more, or not told why not: %s", got.body)
		}
		s.verified()
	})
}

func TestFollowUpsOfChangedAndErasedAnswers(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		s.colleague("Kim", survey.Editor, nil)
		s.survey("after", `"rules":{"follow_up":{"score":{"max":6}}}`)
		happy := s.answered("after", 9, `,"customer":{"external_id":"c-1","email":"ana@example.com"}`)
		s.now.move(time.Hour)
		s.do("PATCH", "/v1/responses/"+happy, `{"score":2}`).want(200)
		one := s.do("GET", "/v1/follow-ups", nil).want(200).wantAt("data[0].since", "2026-11-22T10:30:00.000Z").text("data[0].id")
		s.do("PATCH", "/v1/responses/"+happy, `{"score":10}`).want(200)
		s.do("GET", "/v1/follow-ups/"+one, nil).want(200).wantAt("state", "open").wantAt("response.score", 10.0).wantAt("events[2].reason", "happy")
		s.do("GET", "/v1/responses?follow_up=open", nil).want(200).wantAt("data[0].id", happy).wantAt("data[1]", nil)
		s.do("GET", "/v1/responses?follow_up=none", nil).want(200).wantAt("data[0]", nil)
		s.do("GET", "/v1/responses/export?format=ndjson&follow_up=resolved", nil).want(200)
		s.do("GET", "/v1/responses?follow_up=lost", nil).wantProblem(422, "follow_up")
		s.do("POST", "/v1/follow-ups/"+one+"/notes", `{"text":"Ana was angry"}`).want(201)
		s.do("PATCH", "/v1/follow-ups/"+one, `{"state":"resolved","outcome":"Ana got a voucher"}`).want(200)

		export := s.do("GET", "/v1/people/c-1/export", nil).want(200)
		export.wantAt("follow_ups[0].notes[0].text", "Ana was angry").wantAt("follow_ups[0].outcome", "Ana got a voucher")
		s.do("DELETE", "/v1/people/c-1", nil).want(204)
		s.do("GET", "/v1/follow-ups/"+one, nil).want(200).wantAt("notes[0].text", "").wantAt("outcome", nil).
			wantAt("response.customer", nil).wantAt("resolved_at", "2026-11-22T10:30:00.000Z").wantAt("since", "2026-11-22T10:30:00.000Z")
		s.verified()
		s.do("DELETE", "/v1/responses/"+happy, nil).want(204)
		s.do("GET", "/v1/follow-ups/"+one, nil).wantProblem(404)
		s.verified()
	})
}

func TestFiguresOfFollowUps(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		s.colleague("Kim", survey.Editor, nil)
		s.survey("after", `"rules":{"follow_up":{"score":{"max":6},"due":"4h","escalate_to":"boss@example.com"}}`)
		empty := s.do("GET", "/v1/follow-ups/summary", nil).want(200)
		empty.wantAt("total", 0.0).wantAt("time_to_first_touch.median_hours", nil).wantAt("confirmation.confirmed.percent", nil)
		var made []string
		for i := range 4 {
			made = append(made, "/v1/follow-ups/"+s.followed("after", i, fmt.Sprintf(`,"customer":{"external_id":"c-%d"}`, i)).text("id"))
		}
		s.now.move(time.Hour)
		s.do("PATCH", made[0], `{"state":"in_progress"}`).want(200)
		s.do("PATCH", made[1], `{"state":"resolved"}`).want(200)
		s.now.move(2 * time.Hour)
		s.do("PATCH", made[0], `{"state":"resolved"}`).want(200)
		s.do("PATCH", made[2], `{"state":"in_progress"}`).want(200)
		s.now.move(2 * time.Hour)
		s.answered("after", 8, `,"customer":{"external_id":"c-0"}`)
		s.answered("after", 6, `,"customer":{"external_id":"c-1"}`)
		s.do("GET", "/v1/follow-ups/summary?survey=after&touchpoint=chat&from=2026-11-01", nil).want(200).wantAt("total", 5.0).
			wantAt("states.open", 2.0).wantAt("states.in_progress", 1.0).wantAt("states.resolved", 2.0).wantAt("overdue", 2.0).
			wantAt("time_to_first_touch.n", 3.0).wantAt("time_to_first_touch.median_hours", 1.0).wantAt("time_to_resolve.median_hours", 2.0).
			wantAt("time_to_resolve.p90_hours", 2.8).wantAt("next_scores[0].n", 2.0).wantAt("next_scores[0].before", 0.5).wantAt("next_scores[0].after", 7.0)
		s.do("GET", "/v1/follow-ups?overdue=true&state=open,in_progress", nil).want(200).wantAt("data[1].overdue", true).wantAt("data[2]", nil)
		s.do("GET", "/v1/follow-ups?overdue=false&order=due&limit=2", nil).want(200).wantAt("data[1].state", "resolved")
		s.do("GET", "/v1/follow-ups?overdue=maybe", nil).wantProblem(422, "overdue")
		s.do("GET", "/v1/follow-ups?state=lost", nil).wantProblem(422, "state")
		s.do("GET", "/v1/follow-ups?touchpoint=lost", nil).wantProblem(422, "touchpoint")

		// what is overdue is escalated once, however often somebody looks
		if n := s.tend(); n != 2 {
			t.Errorf("%d were escalated", n)
		}
		s.now.move(48 * time.Hour)
		if n := s.tend(); n != 1 { // the last one
			t.Errorf("%d were escalated later", n)
		}
		metrics := string(s.do("GET", "/metrics", nil).want(200).body)
		for _, line := range []string{"koe_follow_ups_open 3\n", "koe_follow_ups_overdue 3\n", "koe_follow_ups_unowned 0\n"} {
			if !strings.Contains(metrics, line) {
				t.Errorf("/metrics lacks %q", line)
			}
		}
		first := s.do("GET", "/v1/follow-ups?order=due&limit=2", nil).want(200)
		second := s.do("GET", "/v1/follow-ups?order=due&limit=2&cursor="+first.text("next_cursor"), nil).want(200)
		if seen := map[any]bool{first.at("data[0].id"): true, first.at("data[1].id"): true, second.at("data[0].id"): true, second.at("data[1].id"): true}; len(seen) != 4 {
			t.Errorf("pages repeat: %v", seen)
		}

		// later what is resolved is history, what is not is not
		s.do("GET", "/v1/follow-ups/summary", nil).want(200).wantAt("total", 5.0).wantAt("from", "2026-08-26T14:30:00.000Z").wantAt("next_scores[0].n", 2.0)
		s.now.move(90 * 24 * time.Hour)
		s.do("GET", "/v1/follow-ups/summary", nil).want(200).wantAt("total", 3.0).wantAt("states.resolved", 0.0).wantAt("states.open", 2.0).
			wantAt("overdue", 3.0).wantAt("time_to_resolve.n", 0.0).wantAt("next_scores[0]", nil)
		s.do("GET", "/v1/follow-ups/summary?owner=kim@company.example&from=2026-11-01", nil).want(200).wantAt("total", 5.0).wantAt("next_scores[0].n", 2.0)
		s.verified()
	})
}
