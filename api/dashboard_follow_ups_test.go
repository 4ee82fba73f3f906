package api_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"koe/survey"
	"koe/survey/store"
)

// The way of somebody who owns a follow-up through the pages, and what others
// may not do there.
func TestFollowUpsOnTheDashboard(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		kim := s.colleague("Kim", survey.Editor, nil)
		s.colleague("Vic", survey.Viewer, func(m *survey.Member) { m.Locale = "ja" })
		s.do("PUT", "/v1/touchpoints/elsewhere", `{"name":"Elsewhere"}`).want(201)
		s.colleague("Far", survey.Editor, func(m *survey.Member) { m.Touchpoints = []string{"elsewhere"} })
		s.colleague("Seg", survey.Editor, func(m *survey.Member) { m.Segment = &survey.Segment{Key: "agent", Values: []string{"Lee"}} })
		s.survey("after", `"rules":{"follow_up":{"score":{"max":6},"owner":"kim@company.example","confirm_with_customer":true}},"segments":["agent"]`)
		const hostile = `<script>alert(1)</script>`
		one := s.followed("after", 2, `,"comment":"`+hostile+`\n返事が遅い\u202e","answers":{"contact":true},"attributes":{"agent":"Kim"},"customer":{"email":"ana@example.com","name":"`+hostile+`"}`)
		path := "/dashboard/follow-ups/" + one.text("id")
		s.do("GET", path, nil, staff("")).want(303)

		mine := s.signedIn(kim.Email)
		list := string(s.do("GET", "/dashboard/follow-ups?owner=me", nil, staff(mine)).want(200).body)
		page := string(s.do("GET", path, nil, staff(mine)).want(200).body)
		for _, shown := range []string{list, page} {
			if strings.Contains(shown, "<script") || strings.ContainsRune(shown, '\u202e') || !strings.Contains(shown, "返事が遅い") || !strings.Contains(shown, `/dashboard/follow-ups"`) {
				t.Errorf("shown as\n%s", shown)
			}
		}
		for _, want := range []string{"2 of 10", "agreed to be contacted", "mailto:ana@example.com", `name="outcome"`, "Given to Kim"} {
			if !strings.Contains(page, want) {
				t.Errorf("the page lacks %q:\n%s", want, page)
			}
		}
		s.do("POST", path+"/notes", "text="+url.QueryEscape("Called; <b>nobody</b>"), staff(mine)).want(303).wantHeader("Location", path+"#notes")
		s.do("POST", path+"/notes", "text=", staff(mine)).want(422)
		s.do("POST", path, "state=resolved&owner=kim@company.example&outcome="+url.QueryEscape("返金"), staff(mine)).want(303).wantHeader("Location", path)
		s.do("POST", path, "state=done&owner=", staff(mine)).want(422)
		s.do("POST", path, "state=open", staff(mine), with("Sec-Fetch-Site", "cross-site")).want(403)
		s.do("GET", "/v1/follow-ups/"+one.text("id"), nil).want(200).wantAt("state", "resolved").wantAt("outcome", "返金").
			wantAt("confirmation", "pending").wantAt("notes[0].by", "Kim").wantAt("owner", kim.Email)
		if page := string(s.do("GET", path, nil, staff(mine)).want(200).body); !strings.Contains(page, "Called; &lt;b&gt;nobody&lt;/b&gt;") || !strings.Contains(page, "Asked, no answer yet") {
			t.Errorf("after all:\n%s", page)
		}

		answer := "/dashboard/responses/" + one.text("response.id")
		s.page(mine, answer).want(200).says(`href="`+path+`"`, "Follow-up: Resolved", "Follow-up opened", "Called back", "Follow-up resolved")
		s.page(mine, path).want(200).says(`href="` + answer + `"`)

		// a viewer reads, in Japanese, and changes nothing; others do not see it
		viewer := s.signedIn("vic@company.example")
		if page := string(s.do("GET", path, nil, staff(viewer)).want(200).body); !strings.Contains(page, "Kimが担当になりました") || strings.Contains(page, `name="outcome"`) {
			t.Errorf("a viewer is shown\n%s", page)
		}
		s.do("POST", path, "state=open", staff(viewer)).want(403)
		for _, email := range []string{"far@company.example", "seg@company.example"} {
			other := s.signedIn(email)
			s.do("GET", path, nil, staff(other)).want(404)
			s.do("POST", path, "state=open", staff(other)).want(404)
			s.do("POST", path+"/notes", "text=x", staff(other)).want(404)
			if list := string(s.do("GET", "/dashboard/follow-ups?state=all&overdue=", nil, staff(other)).want(200).body); strings.Contains(list, one.text("id")) {
				t.Errorf("%s is shown\n%s", email, list)
			}
		}
		for _, query := range []string{"?state=lost", "?from=yesterday", "?touchpoint=lost", "?owner=x@company.example"} {
			s.do("GET", "/dashboard/follow-ups"+query, nil, staff(mine)).want(422)
		}
		s.do("GET", "/dashboard/follow-ups?state=all&from=2026-11-01&until=2026-11-30&touchpoint=chat&owner=none", nil, staff(mine)).want(200)
		s.do("GET", "/dashboard/follow-ups/lost", nil, staff(mine)).want(404)
	})
}

// A filter knows every touchpoint and every member, however many there are.
func TestFiltersOfALargeCompany(t *testing.T) {
	s := newServer(t)
	by := store.Caller{Workspace: s.workspace.ID, KeyName: "test"}
	kim := s.colleague("Kim", survey.Editor, nil)
	for i := range 501 {
		if _, err := s.store.CreateMember(t.Context(), by, survey.Member{Email: fmt.Sprintf("m%d@company.example", i), Role: survey.Editor}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.store.CreateTouchpoint(t.Context(), by, store.Touchpoint{Key: fmt.Sprintf("at_%03d", i), Name: "Shop"}); err != nil {
			t.Fatal(err)
		}
	}
	s.page(s.signedIn(kim.Email), "/dashboard/follow-ups?owner=kim@company.example&touchpoint=at_500").want(200).
		says(`<option value="kim@company.example" selected>`, `<option value="at_500" selected>`)
}
