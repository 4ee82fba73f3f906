package api_test

import (
	"strings"
	"testing"
	"time"

	"koe/survey"
	"koe/survey/store"
)

// A year in which nobody answers is shown as one, on every page and in every
// CSV, and no digest tells of it.
func TestAYearWithoutAnswers(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		id := s.survey("asked", `"segments":["agent"],"rules":{"follow_up":{"score":{"max":6}}}`)
		s.answered("asked", 9, `,"comment":"long ago","responded_at":"2024-02-01T03:00:00Z"`)
		s.do("POST", "/v1/targets", `{"name":"Score","kind":"score","metric":"nps","touchpoint":"chat","at_least":40}`).want(201)
		s.do("POST", "/v1/tag-rules", `{"tag":"ago","keywords":["long ago"]}`).want(201)
		s.applyRules()
		s.do("POST", "/v1/members", `{"email":"monthly@example.com","role":"viewer","digest":"monthly","timezone":"UTC"}`).want(201)
		s.now.move(30 * 24 * time.Hour)
		due, err := s.store.DueDigests(t.Context(), 10)
		if err != nil || len(due) != 1 {
			t.Fatalf("%v are due, %v", due, err)
		}
		if err := s.store.QueueDigest(t.Context(), due[0]); err != nil {
			t.Fatal(err)
		}
		claimed, err := s.store.ClaimNotices(t.Context(), 10, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range claimed {
			if d.Event != survey.EventDigest {
				continue
			}
			if m, err := s.store.DigestMail(t.Context(), d); err != nil || m.Unwanted != "nothing came in" {
				t.Errorf("a digest of nothing: %q, %v", m.Unwanted, err)
			}
		}
		en, ja := s.staffOf(store.Editor, "en"), s.staffOf(store.Viewer, "ja")
		for _, path := range []string{"", "/touchpoints/chat", "/comments", "/tags", "/follow-ups", "/surveys", "/surveys/" + id} {
			for _, compare := range []string{"previous", "year", "none"} {
				at := "/dashboard" + path + "?from=2026-01-01&until=2026-12-31&compare=" + compare
				for _, cookie := range []string{en, ja} {
					s.page(cookie, at).want(200).never("NaN", "Inf", "<nil>", "%!", "long ago</blockquote>")
				}
				s.page(en, at+"&format=csv").want(200).never("NaN", "Inf", "<nil>", "%!")
			}
		}
		for _, drawing := range []string{"scores.svg", "distribution.svg"} {
			s.page(en, "/dashboard/touchpoints/chat/"+drawing+"?from=2026-01-01&until=2026-12-31").want(200).never("NaN", "Inf")
		}
		s.do("GET", "/v1/tags?from=2026-01-01&to=2027-01-01&interval=month&compare=previous&metric=nps", nil).want(200).wantAt("data[0]", nil)
	})
}

// Somebody who answered only after a reminder: the answer's story tells both mails.
func TestTheStoryTellsOfReminders(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		s.survey("mailed", `"channel":"email","rules":{"reminders":["3d"]}`)
		s.tell(`,"customer":{"email":"ana@example.com"}`).want(202)
		var token string
		for range 2 {
			claims, err := s.store.ClaimDue(t.Context(), 10, time.Minute)
			if err != nil || len(claims) != 1 {
				t.Fatal(claims, err)
			}
			mails, err := s.store.StartSending(t.Context(), claims, func(m store.Mail) string { return m.Invitation.ID.String() + "@example.com" })
			if err != nil {
				t.Fatal(err)
			}
			token = mails[0].Token
			if err := s.store.Sent(t.Context(), claims[0]); err != nil {
				t.Fatal(err)
			}
			s.now.move(3*24*time.Hour + time.Minute)
		}
		s.do("POST", "/s/"+token, "step=score&score=2", with("Content-Type", "application/x-www-form-urlencoded")).want(200)
		one := "/dashboard/responses/" + ids(s.do("GET", "/v1/responses", nil))[0]
		viewer := s.staffOf(store.Viewer, "en")
		story := string(s.page(viewer, one).want(200).says("Invitation sent", "Reminded", "Answered").never("reminder_1").body)
		if sent, reminded, answered := strings.Index(story, "Invitation sent"), strings.Index(story, "Reminded"), strings.Index(story, "> Answered"); sent > reminded || reminded > answered {
			t.Errorf("in another order: %s", story)
		}
		s.page(s.staffOf(store.Viewer, "ja"), one).want(200).says("リマインドを送信")
		if rows := s.page(viewer, one+"?format=csv").want(200).table(); cell(rows, "event", "reminded", "at") == "" {
			t.Errorf("as CSV: %v", rows)
		}
	})
}
