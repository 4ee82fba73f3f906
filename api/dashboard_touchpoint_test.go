package api_test

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"koe/survey/store"
)

// desk fills a touchpoint: Lucky has three perfect answers, Kim many good ones,
// Lee many bad ones.
func (s *server) desk() {
	s.t.Helper()
	s.survey("asked", `"name":"After chat","segments":["agent"]`)
	n := 0
	give := func(agent, day string, score, times int) {
		for range times {
			n++
			s.answered("asked", score, fmt.Sprintf(`,"external_id":"e-%d","comment":"comment %d","attributes":{"agent":%q},"responded_at":"%sT03:00:00Z"`, n, n, agent, day))
		}
	}
	give("Lucky", "2026-11-03", 10, 3)
	give("Kim", "2026-11-10", 10, 31)
	give("Kim", "2026-11-11", 7, 4)
	give("Lee", "2026-11-12", 2, 30)
	give("Kim", "2026-10-12", 9, 5)
}

// staffOf is the cookie of a member of a role who reads in a language.
func (s *server) staffOf(role store.Role, locale string) string {
	s.t.Helper()
	email := string(role) + "-" + locale + "@example.com"
	s.do("POST", "/v1/members", `{"email":"`+email+`","role":"`+string(role)+`","locale":"`+locale+`"}`).want(201)
	return s.signedIn(email)
}

// page asks for a page as a member does.
func (s *server) page(cookie, path string) response {
	s.t.Helper()
	return s.do("GET", path, nil, staff(cookie))
}

// says fails the test where a page lacks one of these texts.
func (r response) says(texts ...string) response {
	r.t.Helper()
	for _, text := range texts {
		if !strings.Contains(string(r.body), text) {
			r.t.Errorf("%s lacks %q: %s", r.request, text, r.body)
		}
	}
	return r
}

const november = "from=2026-11-01&until=2026-11-22"

// The page, its CSV, its charts and the API say the same.
func TestTouchpointPageAndAPIAgree(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		s.desk()
		viewer := s.staffOf(store.Viewer, "en")
		page := s.page(viewer, "/dashboard/touchpoints/chat?"+november).want(200)
		html := string(page.body)
		api := "touchpoint=chat&from=2026-11-01&to=2026-11-23&compare=previous&group_by=attributes.agent&interval=day"
		report := s.scores("%s", api)

		values := regexp.MustCompile(`<data value="([^"]*)">`).FindAllStringSubmatch(html, -1)
		want := []string{fmt.Sprint(report.at("total.score"))}
		for _, agent := range []string{"Kim", "Lee", "Lucky"} { // those who are surely good first, those of few answers last
			for _, g := range report.list("groups") {
				if g["key"] == agent {
					want = append(want, fmt.Sprint(g["score"]))
				}
			}
		}
		if len(values) != len(want) {
			t.Fatalf("figures %v, want %v in %s", values, want, html)
		}
		for i := range want {
			if values[i][1] != want[i] {
				t.Errorf("figure %d is %s, the API says %s", i, values[i][1], want[i])
			}
		}
		for _, words := range []string{"n = 68", "fewer than 30 answers", "Oct 2026", "comment 68", "No answers"} {
			if strings.Contains(html, words) != (words != "No answers") {
				t.Errorf("about %q: %s", words, html)
			}
		}
		if sheet := s.page(viewer, "/dashboard/touchpoints/chat?format=csv&"+november).want(200); string(sheet.body) != string(s.do("GET", "/v1/scores?"+api+"&format=csv", nil).want(200).body) {
			t.Errorf("the CSV differs from the API's: %s", sheet.body)
		}
		drawn := s.page(viewer, "/dashboard/touchpoints/chat/scores.svg?width=400&"+november).want(200)
		if same := s.do("GET", "/v1/scores?touchpoint=chat&from=2026-11-01&to=2026-11-23&interval=day&format=svg&width=400&lang=en", nil).want(200); string(same.body) != string(drawn.body) {
			t.Errorf("the chart differs from the API's: %s", drawn.body)
		}
		s.page(viewer, "/dashboard/touchpoints/chat/distribution.svg?"+november).want(200)

		scenario := s.page(viewer, "/dashboard/touchpoints/chat?volume_per_day=100&leave_rate=0.52&"+november).want(200)
		impact := s.do("GET", "/v1/impact?touchpoint=chat&volume_per_day=100&leave_rate=0.52&from=2026-11-01&to=2026-11-23", nil).want(200)
		if lost := fmt.Sprintf("%.0f customers lost a month", impact.number("customers_lost_per_month")); !strings.Contains(string(scenario.body), lost) {
			t.Errorf("does not say %q", lost)
		}
	})
}

func TestTouchpointPageOfNothing(t *testing.T) {
	s := newServer(t)
	s.desk()
	s.do("POST", "/v1/touchpoints", `{"key":"quiet","name":"<b>静か</b>"}`).want(201)
	viewer, reader := s.staffOf(store.Viewer, "en"), s.staffOf(store.Viewer, "ja")
	s.page(viewer, "/dashboard/touchpoints/quiet").want(200).says("Nobody has answered at this touchpoint yet", "&lt;b&gt;静か")
	s.page(reader, "/dashboard/touchpoints/quiet").want(200).says("まだ回答がありません")
	s.page(viewer, "/dashboard/touchpoints/chat?from=2020-01-01&until=2020-12-31&compare=none").want(200).says("No answers in this range.", "Nobody was asked by koe in this range.", "No comments in this range.")
	s.page(reader, "/dashboard/touchpoints/chat?from=2020-01-01&until=2020-12-31").want(200).says("この期間に回答はありません")
	for _, picture := range []string{"scores.svg", "distribution.svg"} {
		s.page(viewer, "/dashboard/touchpoints/quiet/"+picture).want(200)
		s.page(viewer, "/dashboard/touchpoints/chat/"+picture+"?from=2020-01-01&until=2020-12-31").want(200)
		s.page(viewer, "/dashboard/touchpoints/chat/"+picture+"?width=1").want(422)
	}
	s.page(viewer, "/dashboard/touchpoints/quiet?format=csv").want(200).says("Nobody has answered")
	s.page(viewer, "/dashboard/touchpoints/nowhere").want(404)
	s.page(viewer, "/dashboard/touchpoints/Not%20A%20Key").want(404)
	s.page(viewer, "/dashboard/touchpoints/chat?interval=hour").want(422)
	s.page(viewer, "/dashboard/touchpoints/chat?from=2026-12-01&until=2026-11-01").want(422)
	s.page(viewer, "/dashboard/touchpoints/chat?volume_per_day=lots").want(200).says("must be a number")
	s.page("", "/dashboard/touchpoints/chat").want(303)

	other, _ := s.newWorkspace("other")
	if _, err := s.store.CreateTouchpoint(t.Context(), store.Caller{Workspace: other.ID, KeyName: "test"}, store.Touchpoint{Key: "theirs"}); err != nil {
		t.Fatal(err)
	}
	s.page(viewer, "/dashboard/touchpoints/theirs").want(404)
}

// Editors write notes where viewers read them.
func TestTouchpointPageNotes(t *testing.T) {
	s := newServer(t)
	s.desk()
	editor, viewer := s.staffOf(store.Editor, "en"), s.staffOf(store.Viewer, "en")
	const page = "/dashboard/touchpoints/chat"
	s.page(editor, page+"?"+november).want(200).says("Add a note to the chart")
	s.page(viewer, page+"?"+november).want(200).never("Add a note to the chart", "<form method=\"post\" action=\"/dashboard/touchpoints")

	fields := url.Values{"day": {"2026-11-05"}, "text": {"New & <better> chat"}}
	s.do("POST", page+"/notes", fields.Encode(), staff(viewer)).want(403)
	added := s.do("POST", page+"/notes?"+november, fields.Encode(), staff(editor)).want(303)
	if to := added.header.Get("Location"); to != page+"?compare=previous&from=2026-11-01&until=2026-11-22#trend" {
		t.Errorf("leads to %s", to)
	}
	s.do("POST", page+"/notes", url.Values{"day": {"2026-11-06"}, "text": {"Everywhere"}, "all": {"yes"}}.Encode(), staff(editor)).want(303)
	notes := s.do("GET", "/v1/notes?touchpoint=chat", nil).want(200).list("data")
	if len(notes) != 2 || notes[0]["touchpoint"] != nil || notes[1]["touchpoint"] != "chat" {
		t.Fatalf("kept %v", notes)
	}
	drawn := s.page(viewer, page+"/scores.svg?"+november).want(200)
	s.page(viewer, page+"?"+november).want(200).says("5 Nov 2026: New &amp; &lt;better&gt; chat")
	if !strings.Contains(string(drawn.body), "5 Nov 2026: New &amp; &lt;better&gt; chat") {
		t.Errorf("the chart does not show it: %s", drawn.body)
	}
	s.do("POST", page+"/notes?"+november, url.Values{"day": {"2026-02-30"}, "text": {"kept in the form"}}.Encode(), staff(editor)).want(422).says("A note needs a day", `value="kept in the form"`)
	s.do("POST", page+"/notes", url.Values{"day": {"2026-11-05"}, "text": {" "}}.Encode(), staff(editor)).want(422)

	id, _ := notes[1]["id"].(string)
	s.do("POST", page+"/notes/"+id+"/delete", "", staff(viewer)).want(403)
	s.do("POST", page+"/notes/"+id+"/delete", "", staff(editor)).want(303)
	s.do("POST", page+"/notes/"+id+"/delete", "", staff(editor)).want(303) // a second click
	s.do("GET", "/v1/notes/"+id, nil).wantProblem(404)
}
