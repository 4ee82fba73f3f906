package api_test

import (
	"encoding/csv"
	"fmt"
	"strings"
	"testing"
	"time"

	"koe/survey"
	"koe/survey/store"
)

// table reads a CSV file as rows by the names of their columns.
func (r response) table() (rows []map[string]string) {
	r.t.Helper()
	lines, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(r.body), "\uFEFF"))).ReadAll()
	if err != nil || len(lines) == 0 || !strings.HasPrefix(r.header.Get("Content-Type"), "text/csv") {
		r.t.Fatalf("%s is no CSV file: %v, %s", r.request, err, r.body)
	}
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, cell := range line {
			row[lines[0][i]] = cell
		}
		rows = append(rows, row)
	}
	return rows
}

// cell is the value in the first row of a kind and name; "" where there is none.
func cell(rows []map[string]string, kind, name, column string) string {
	for _, row := range rows {
		if row["row"] == kind && row["name"] == name {
			return row[column]
		}
	}
	return ""
}

// twoDesks asks at two touchpoints and takes answers of this month and the one
// before; the shop's have names of their own.
func (s *server) twoDesks() {
	s.t.Helper()
	s.survey("chatted", `"segments":["agent"],"rules":{"quiet_period":"0s","follow_up":{"score":{"max":6},"owner":"kim@company.example"}}`)
	s.survey("bought", `"template":"csat","touchpoint":"shop","segments":["till"]`)
	for i, day := range []string{"2026-11-20", "2026-11-21", "2026-10-10"} {
		s.answered("chatted", 2+i, fmt.Sprintf(`,"comment":"=cmd()|late %d","attributes":{"agent":"Kim"},"customer":{"email":"ana%d@example.com","name":"@Ana"},"responded_at":"%sT03:00:00Z"`, i, i, day))
	}
	s.answered("chatted", 9, `,"comment":"fine","attributes":{"agent":"Lee"},"responded_at":"2026-11-20T03:00:00Z"`)
	s.answered("bought", 5, `,"comment":"at the till","attributes":{"till":"4","salary_band":"x"},"responded_at":"2026-11-20T03:00:00Z"`)
}

// Every view is there as CSV, of what the member may see alone, and no cell of it
// is run by a spreadsheet.
func TestEveryViewAsCSV(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		s.colleague("Kim", survey.Editor, nil)
		s.twoDesks()
		id := s.do("GET", "/v1/responses?survey=chatted&score_max=2", nil).want(200).text("data[0].id")
		s.do("PATCH", "/v1/responses/"+id, `{"tags":["vip"]}`).want(200)
		followUp := s.do("GET", "/v1/follow-ups", nil).want(200).text("data[0].id")
		s.do("POST", "/v1/follow-ups/"+followUp+"/notes", `{"text":"-called"}`).want(201)
		viewer := s.signedIn("kim@company.example")
		s.colleague("Shop", survey.Viewer, func(m *survey.Member) { m.Touchpoints = []string{"shop"} })
		s.colleague("Lee", survey.Viewer, func(m *survey.Member) { m.Segment = &survey.Segment{Key: "agent", Values: []string{"Lee"}} })
		shop, lee := s.signedIn("shop@company.example"), s.signedIn("lee@company.example")

		s.page(viewer, "/dashboard/follow-ups?touchpoint=chat").want(200).says(`href="/dashboard/follow-ups?format=csv&amp;touchpoint=chat"`)
		list := s.page(viewer, "/dashboard/follow-ups?state=all&format=csv").want(200).table()
		if len(list) != 2 || list[0]["response.comment"] != "'=cmd()|late 0" || list[0]["customer.name"] != "'@Ana" || list[0]["owner"] != "kim@company.example" {
			t.Errorf("the follow-ups: %v", list)
		}
		for _, address := range []string{"follow-ups?state=all", "surveys?" + november, "responses/" + id + "?", "comments?" + november} {
			if file := s.page(viewer, "/dashboard/"+address+"&format=csv").want(200); !strings.HasPrefix(string(file.body), "\uFEFF") {
				t.Errorf("%s has no mark for spreadsheets", address)
			}
		}
		byAPI := s.do("GET", "/v1/follow-ups?format=csv&order=due", nil).want(200)
		if strings.HasPrefix(string(byAPI.body), "\uFEFF") {
			t.Error("a program reads a mark")
		}
		if diff := fmt.Sprint(byAPI.table()); diff != fmt.Sprint(list) {
			t.Errorf("by the API: %s", diff)
		}
		s.do("GET", "/v1/follow-ups?state=resolved", nil, with("Accept", "text/csv")).want(200).says("id,state")
		s.do("GET", "/v1/follow-ups?format=csv&limit=5", nil).wantProblem(422, "format")
		s.do("GET", "/v1/follow-ups?format=csv&owner=nobody@example.com", nil).wantProblem(422, "owner")

		page := s.page(viewer, "/dashboard/follow-ups/"+followUp+"?format=csv").want(200).table()
		if cell(page, "follow_up", "state", "value") != "open" || cell(page, "note", "test admin", "value") != "'-called" || cell(page, "event", "opened", "at") == "" ||
			!strings.HasPrefix(cell(page, "response", "comment", "value"), "'=cmd()|late") {
			t.Errorf("a follow-up: %v", page)
		}
		page = s.page(viewer, "/dashboard/responses/"+id+"?format=csv").want(200).table()
		if cell(page, "response", "score", "value") != "2" || cell(page, "attribute", "agent", "value") != "Kim" || cell(page, "event", "edited", "at") == "" ||
			cell(page, "event", "follow_up_opened", "at") == "" || cell(page, "tag", "vip", "row") == "" || cell(page, "customer", "email", "value") != "ana0@example.com" {
			t.Errorf("an answer: %v", page)
		}
		surveys := s.page(viewer, "/dashboard/surveys?"+november+"&format=csv").want(200).table()
		if len(surveys) != 2 || surveys[0]["answers"] == surveys[1]["answers"] || surveys[0]["previous_answers"] == surveys[1]["previous_answers"] {
			t.Errorf("the surveys: %v", surveys)
		}
		// who is limited reads their own, and learns no name of the others'
		comments := s.page(viewer, "/dashboard/comments?"+november+"&format=csv").want(200).says("attributes.salary_band", "attributes.agent", "answers.improve")
		if n := len(comments.table()); n != 4 {
			t.Errorf("%d comments", n)
		}
		s.page(shop, "/dashboard/comments?format=csv").want(200).says("attributes.salary_band", "at the till").never("attributes.agent", "answers.missing", "cmd()")
		s.page(lee, "/dashboard/comments?format=csv").want(200).says("attributes.agent", "fine").never("salary_band", "attributes.till", "cmd()")
		s.page(shop, "/dashboard/surveys?format=csv").want(200).says("bought").never("chatted")
		for _, other := range []string{shop, lee} {
			s.page(other, "/dashboard/follow-ups?state=all&format=csv").want(200).says("id,state").never("cmd()")
			s.page(other, "/dashboard/follow-ups/"+followUp+"?format=csv").want(404)
			s.page(other, "/dashboard/responses/"+id+"?format=csv").want(404)
		}
		s.page(shop, "/dashboard/surveys/chatted?format=csv").want(404)
		if said := s.page(lee, "/dashboard/surveys/chatted?format=csv").want(200).table(); cell(said, "survey", "state", "value") != "active" || cell(said, "mail", "due", "value") != "" {
			t.Errorf("a survey to who sees a part: %v", said)
		}
	})
}

// What a range is compared with stands beside it, and in every address that leads
// on.
func TestEveryViewCompares(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		s.colleague("Kim", survey.Editor, nil)
		s.twoDesks()
		viewer := s.staffOf(store.Viewer, "en")
		const year = november + "&compare=year"
		s.page(viewer, "/dashboard/comments?"+november).want(200).says("Comments: 4, before: 1.", "compare=previous&amp;")
		s.page(viewer, "/dashboard/comments?from=2026-11-10&until=2026-11-22&compare=none").want(200).says("Comments: 4.", "compare=none&amp;").never("before:")
		s.page(viewer, "/dashboard/comments?"+year).want(200).says("Comments: 4, before: 0.", "Compared with November 1, 2025")
		s.page(viewer, "/dashboard/tags?"+year+"&touchpoint=chat").want(200).says("compare=year&amp;", "Compared with November 1, 2025")
		s.page(viewer, "/dashboard/surveys?from=2026-10-31&until=2026-11-22").want(200).says("compare=previous&amp;from=2026-10-31", `3 <span class="soft">(before: 1)</span>`)

		s.do("POST", "/v1/interactions", `{"touchpoint":"chat","customer":{"email":"ben@example.com"}}`).want(202)
		s.now.move(31 * 24 * time.Hour)
		for range 3 {
			s.do("POST", "/v1/interactions", `{"touchpoint":"chat","customer":{"email":"ben@example.com"}}`).want(202)
		}
		viewer = s.signedIn("viewer-en@example.com") // the session is over
		const range2 = "from=2026-12-20&until=2026-12-31"
		const range1 = "from=2026-12-01&until=2026-12-31"
		at := "/dashboard/surveys/chatted?"
		s.page(viewer, at+range1).want(200).says(`<dt>Asked</dt><dd>3 <span class="soft">(before: 1)</span></dd>`, "Compared with")
		s.page(viewer, at+range2+"&compare=none").want(200).says(`<dt>Asked</dt><dd>3</dd>`, "compare=none&amp;format=csv")
		said := s.page(viewer, at+range1+"&format=csv").want(200).table()
		if cell(said, "decided", "asked", "value") != "3" || cell(said, "decided", "asked", "previous") != "1" || cell(said, "range", "to", "previous") != "2026-11-30T15:00:00.000Z" ||
			cell(said, "decision", "asked", "planned") == "" || cell(said, "rule", "quiet_period", "value") != "0s" || cell(said, "invitations", "invited", "previous") == "" {
			t.Errorf("a survey: %v", said)
		}
		s.answered("chatted", 1, "")
		s.page(viewer, "/dashboard/follow-ups?state=all&compare=previous&"+range1).want(200).says("Compared with", `Open</dt><dd>1 <span class="soft">(before: 2)`, "compare=previous&amp;format=csv")
		s.page(viewer, "/dashboard/follow-ups?state=all&from=2099-01-01").want(200).never("before:")
		s.page(viewer, "/dashboard/follow-ups?compare=odd").want(422)
	})
}

// Comments are narrowed by survey, segment and what became of their follow-up;
// the API narrows by the same.
func TestCommentsAreNarrowed(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		s.colleague("Kim", survey.Editor, nil)
		s.twoDesks()
		viewer := s.staffOf(store.Viewer, "en")
		at := "/dashboard/comments?" + november
		s.page(viewer, at+"&survey=bought").want(200).says("at the till").never("late", `<option value="agent"`)
		s.page(viewer, at+"&survey=chatted&segment=agent&value=Lee").want(200).says("fine", "segment=agent&amp;", "value=Lee").never("late")
		s.page(viewer, at+"&segment=agent&value=").want(200).says("fine", "late", "at the till")
		s.page(viewer, at+"&segment=salary_band&value=x").want(422)
		s.page(viewer, at+"&survey=bought&segment=agent&value=Lee").want(422)
		s.page(viewer, at+"&survey=nowhere").want(422)
		s.page(viewer, at+"&follow_up=odd").want(422)
		one := s.do("GET", "/v1/follow-ups?survey=chatted", nil).want(200).text("data[0].id")
		s.do("PATCH", "/v1/follow-ups/"+one, `{"state":"resolved"}`).want(200)
		s.page(viewer, at+"&follow_up=unresolved").want(200).says("Comments: 1,", "follow_up=unresolved").never("fine")
		s.page(viewer, at+"&follow_up=none").want(200).says("fine", "at the till").never("late")
		for state, want := range map[string]int{"unresolved": 1, "open": 1, "resolved": 1, "in_progress": 0, "none": 3} {
			if got := len(ids(s.do("GET", "/v1/responses?follow_up="+state, nil).want(200))); got != want {
				t.Errorf("%d answers whose follow-up is %s", got, state)
			}
		}
		s.page(viewer, "/dashboard/tags?survey=chatted&segment=agent&value=Kim").want(200).says(`value="Kim"`)
	})
}

// How often a tag came in each month is on the page, by the API and as CSV, and
// the months add up to the whole.
func TestTagsOverTime(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		s.survey("asked", "")
		for day, n := range map[string]int{"2026-09-10": 1, "2026-10-10": 3, "2026-11-10": 2} {
			for i := range n {
				id := s.answered("asked", i, `,"responded_at":"`+day+`T03:00:00Z"`)
				s.do("PATCH", "/v1/responses/"+id, `{"tags":["late"]}`).want(200)
				s.answered("asked", 9, `,"responded_at":"`+day+`T03:00:00Z"`)
			}
		}
		got := s.do("GET", "/v1/tags?from=2026-09-01&to=2026-12-01&interval=month&compare=previous", nil).want(200).
			wantAt("data[0].total.responses", 6.0).wantAt("data[0].periods[1].start", "2026-10-01").wantAt("data[0].periods[1].responses", 3.0).
			wantAt("data[0].periods[1].share_of_responses", 50.0).wantAt("data[0].periods[1].score", -100.0).wantAt("data[0].periods[3]", nil)
		sum := 0.0
		for i := range 3 {
			sum += got.number(fmt.Sprintf("data[0].periods[%d].responses", i))
		}
		if sum != 6 {
			t.Errorf("the months have %v", sum)
		}
		s.do("GET", "/v1/tags?from=2026-09-01&to=2026-12-01", nil).want(200).wantAt("data[0].periods", nil)
		s.do("GET", "/v1/tags?from=2026-01-01&to=2026-12-01&interval=day", nil).wantProblem(422, "interval")
		viewer := s.staffOf(store.Viewer, "ja")
		const page = "/dashboard/tags?from=2026-09-01&until=2026-11-22"
		s.page(viewer, page).want(200).says("推移", "2026-09</th>", "2026-10</th>", "2026-11-01–2026-11-22</th>", `3 <span class="soft">(-100.0)</span>`)
		s.page(viewer, "/dashboard/tags?from=2026-11-01&until=2026-11-22").want(200).never("推移")
		rows := s.page(viewer, page+"&format=csv").want(200).table()
		var months []string
		for _, row := range rows {
			if row["row"] == "period" {
				months = append(months, row["tag"]+" "+row["start"]+" "+row["responses"])
			}
		}
		if strings.Join(months, ", ") != "late 2026-09-01 1, late 2026-10-01 3, late 2026-11-01 2" {
			t.Errorf("%v", months)
		}
	})
}
