package api_test

import (
	"html"
	"strings"
	"testing"
)

func TestCommentsAtTheDashboard(t *testing.T) {
	s := newServer(t)
	s.survey("asked", `"rules":{"quiet_period":"0s"}`)
	s.survey("shop", `"touchpoint":"shop","template":"csat"`)
	hostile := `<script>alert(1)</script> =1+1 ` + "\u202e" + `late`
	bad := s.answered("asked", 2, `,"comment":"`+strings.ReplaceAll(hostile, `"`, `\"`)+`","customer":{"external_id":"c-1","name":"Ana <b>"},"attributes":{"agent":"<i>Kim"}`)
	good := s.answered("asked", 10, `,"comment":"素晴らしい対応でした","locale":"ja"`)
	s.answered("shop", 5, `,"comment":"at the shop"`)
	s.do("POST", "/v1/tag-rules", `{"tag":"<b>late","keywords":["late"]}`).want(201)
	s.applyRules()
	s.member("viewer@example.com", "")
	s.do("POST", "/v1/members", `{"email":"editor@example.com","role":"editor"}`).want(201)
	s.member("shop@example.com", `,"touchpoints":["shop"],"locale":"ja"`)
	viewer, editor, shop := s.signedIn("viewer@example.com"), s.signedIn("editor@example.com"), s.signedIn("shop@example.com")
	see := func(cookie, path string) string {
		t.Helper()
		return string(s.do("GET", path, nil, staff(cookie)).want(200).body)
	}
	holds := func(page string, want bool, parts ...string) {
		t.Helper()
		for _, part := range parts {
			if strings.Contains(page, part) != want {
				t.Errorf("%q: %v instead of %v in %s", part, !want, want, page)
			}
		}
	}
	page := see(viewer, "/dashboard/comments")
	holds(page, true, html.EscapeString("<script>alert(1)</script>"), "素晴らしい対応でした", "at the shop", html.EscapeString("<b>late"), "never added up")
	holds(page, false, "<script>alert", `name="remove"`)
	holds(see(viewer, "/dashboard/comments?touchpoint=chat"), true, "Top reasons", html.EscapeString("<b>late"), "Costs")
	holds(see(viewer, "/dashboard/comments?score=unhappy"), false, "素晴らしい", "at the shop")
	holds(see(viewer, "/dashboard/comments?q=LATE&tag=&score="), true, "alert(1)")
	holds(see(viewer, "/dashboard/comments?tag=nothing"), true, "No comment matches")
	holds(see(viewer, "/dashboard/comments?until=2020-01-01"), false, "alert(1)")
	holds(see(shop, "/dashboard/comments"), true, "at the shop", "お客様の声")
	holds(see(shop, "/dashboard/comments"), false, "alert(1)", `value="chat"`)
	s.do("GET", "/dashboard/comments?touchpoint=nowhere", nil, staff(viewer)).want(422)
	s.do("GET", "/dashboard/comments?score=odd", nil, staff(viewer)).want(422)
	s.do("GET", "/dashboard/comments", nil, staff("")).want(303)
	csv := see(viewer, "/dashboard/comments?score=unhappy&format=csv")
	holds(csv, true, "<b>late", "alert(1)")
	holds(csv, false, "at the shop")

	path := "/dashboard/responses/" + bad
	story := see(viewer, path)
	holds(story, true, html.EscapeString("Ana <b>"), html.EscapeString("<i>Kim"), "What happened", "Answered", "by rule")
	holds(see(viewer, "/dashboard/responses/"+good), true, `lang="ja"`)
	s.do("GET", path, nil, staff(shop)).want(404)
	s.do("GET", "/dashboard/responses/nothing", nil, staff(viewer)).want(404)

	s.do("POST", path+"/tags", "add=x", staff(viewer)).want(403)
	s.do("POST", path+"/tags", "add=mine&back=/dashboard/comments", staff(editor)).want(303).wantHeader("Location", "/dashboard/comments")
	s.do("POST", path+"/tags", "remove=%3Cb%3Elate&back=//evil.example.com", staff(editor)).want(303).wantHeader("Location", path)
	s.do("GET", "/v1/responses/"+bad, nil).want(200).wantAt("tags[0]", "mine").wantAt("tags[1]", nil)
	holds(see(editor, path), true, `name="remove"`, "Changed", "by editor")

	holds(see(editor, "/dashboard/tags?rule=%3Cslow%3E"), true, `value="&lt;slow&gt;"`, "Rules", html.EscapeString("<b>late"))
	s.do("POST", "/dashboard/tags/rules", "tag=shop&keywords=shop%0D%0A%0D%0Astore&touchpoint=", staff(editor)).want(303)
	s.do("POST", "/dashboard/tags/rules", "tag=a&keywords=a", staff(editor)).want(422)
	s.do("POST", "/dashboard/tags/rules", "tag=a&keywords=shop", staff(viewer)).want(403)
	rule := s.do("GET", "/v1/tag-rules", nil).want(200).wantAt("data[0].keywords[1]", "store").text("data[0].id")
	s.do("POST", "/dashboard/tags/rules/"+rule, "tag=shops&keywords=shop&touchpoint=shop", staff(editor)).want(303)
	s.do("GET", "/v1/tag-rules/"+rule, nil).want(200).wantAt("tag", "shops").wantAt("touchpoint", "shop")
	s.do("POST", "/dashboard/tags/rules/"+rule+"/delete", "", staff(editor)).want(303)
	s.do("GET", "/v1/tag-rules/"+rule, nil).wantProblem(404)
	holds(see(viewer, "/dashboard/tags?touchpoint=chat&format=csv"), true, "row,tag,")
}
