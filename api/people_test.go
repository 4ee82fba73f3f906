package api_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"koe/survey/store"
)

func TestPeople(t *testing.T) {
	s := newServer(t)
	full := `{"email":" Ana@Example.COM ","name":"Ana 田中 😀","locale":"ja_jp","timezone":"Asia/Tokyo","attributes":{"plan":"pro","seats":12,"x":null},"last_asked_at":"2026-09-01T00:00:00Z"}`
	made := s.do("PUT", "/v1/people/c-17", full).want(201).wantAt("external_id", "c-17").wantAt("email", "ana@example.com").wantAt("locale", "ja-JP").wantAt("name", "Ana 田中 😀").
		wantAt("attributes.seats", 12.0).wantAt("last_asked_at", "2026-09-01T00:00:00.000Z")
	id := made.text("id")
	for _, name := range []string{"c-17", id} {
		s.do("GET", "/v1/people/"+name, nil).want(200).wantAt("id", id).wantAt("attributes.plan", "pro").wantAt("suppression", nil)
	}
	s.do("PUT", "/v1/people/c-17", `{"external_id":"c-17","email":"ana@example.org"}`).want(200).wantAt("id", id).wantAt("name", nil).wantAt("last_asked_at", "2026-09-01T00:00:00.000Z").wantAt("attributes.plan", nil)
	s.do("PUT", "/v1/people/"+id, `{"name":"Ana"}`).want(200).wantAt("external_id", "c-17").wantAt("email", nil).wantAt("name", "Ana")
	s.do("PUT", "/v1/people/"+id, `{"external_id":"c-18","email":"ana@example.org"}`).want(200).wantAt("external_id", "c-18")
	s.do("GET", "/v1/people/c-17", nil).wantProblem(404)
	s.do("POST", "/v1/suppressions", `{"email":"ana@example.org","reason":"complained"}`).want(201)
	s.do("GET", "/v1/people/c-18", nil).want(200).wantAt("suppression.reason", "complained").wantAt("suppression.email", "ana@example.org")

	// ids of yours may look like anything, one of koe's too
	uuid := "7d3b2a10-0000-4000-8000-00000000abcd"
	for _, name := range []string{uuid, "a/b?c=d#e", "顧客 1", "e\u0301", "import", ".hidden", "50%"} {
		path := "/v1/people/" + url.PathEscape(name)
		got := s.do("PUT", path, `{}`)
		got.request = name
		got.want(201).wantAt("external_id", strings.ReplaceAll(name, "e\u0301", "é"))
		s.do("PUT", path, `{}`).want(200).wantAt("id", got.at("id"))
		s.do("GET", path, nil).want(200).wantAt("id", got.at("id"))
		s.do("GET", path+"/export", nil).want(200).wantAt("person.id", got.at("id"))
		s.do("DELETE", path, nil).want(204)
		s.do("DELETE", path, nil).wantProblem(404)
	}
}

// Somebody known by an address alone becomes the person of an external id, and
// nobody becomes two.
func TestPeopleByAddressAlone(t *testing.T) {
	s := newServer(t)
	s.survey("after", ``)
	s.tell(`,"customer":{"email":"bo@example.com"}`).want(202)
	list := s.do("GET", "/v1/people?email=BO@example.com", nil).want(200).wantAt("data[0].external_id", nil).wantAt("data[1]", nil)
	id := list.text("data[0].id")
	s.do("PUT", "/v1/people/"+id, `{"name":"Bo"}`).wantProblem(422, "email")
	s.do("PUT", "/v1/people/b-1", `{"email":"bo@example.com"}`).want(200).wantAt("id", id)
	s.do("GET", "/v1/people?external_id=b-1", nil).want(200).wantAt("data[0].id", id)
	// another who shares the address stays another
	other := s.do("PUT", "/v1/people/b-2", `{"email":"bo@example.com"}`).want(201).text("id")
	if found := ids(s.do("GET", "/v1/people?email=bo@example.com", nil)); fmt.Sprint(found) != fmt.Sprint([]string{other, id}) {
		t.Errorf("found %v", found)
	}
	s.do("PUT", "/v1/people/"+other, `{"external_id":"b-1"}`).wantProblem(409, "external_id")
	s.tell(`,"customer":{"email":"cy@example.com"}`).want(202)
	cy := ids(s.do("GET", "/v1/people?email=cy@example.com", nil))[0]
	s.tell(`,"customer":{"email":"di@example.com"}`).want(202)
	s.do("PUT", "/v1/people/"+cy, `{"email":"di@example.com"}`).wantProblem(409, "email")
	s.do("GET", "/v1/people?limit=2", nil).want(200).wantAt("data[2]", nil)
	first := s.do("GET", "/v1/people?limit=3", nil).want(200)
	rest := s.do("GET", "/v1/people?limit=3&cursor="+first.text("next_cursor"), nil).want(200).wantAt("next_cursor", nil)
	if all := append(ids(first), ids(rest)...); len(all) != 4 || all[3] != id {
		t.Errorf("pages %v", all)
	}
}

func TestPeopleThatAreRefused(t *testing.T) {
	s := newServer(t)
	for body, field := range map[string]string{`{"email":""}`: "email", `{"email":"x"}`: "email", `{"email":"a@b.c\r\nBcc: d@e.f"}`: "email", `{"locale":"?"}`: "locale", `{"timezone":"UTC+9"}`: "timezone",
		`{"name":"a\nb"}`: "name", `{"external_id":"other"}`: "external_id", `{"attributes":{"a":{}}}`: "attributes.a", `{"last_asked_at":"2026-12-22T00:00:00Z"}`: "last_asked_at", `{"last_asked_at":"soon"}`: "last_asked_at", `{"name":5}`: "name"} {
		s.do("PUT", "/v1/people/c-1", body).wantProblem(422, field)
	}
	s.do("PUT", "/v1/people/c-1", `{"phone":"1"}`).wantProblem(400, "phone")
	for _, name := range []string{strings.Repeat("x", 256), "%20", "a%0Ab", "%00", "%ff"} {
		s.do("PUT", "/v1/people/"+name, `{}`).wantProblem(422, "external_id")
		s.do("GET", "/v1/people/"+name, nil).wantProblem(404)
		s.do("DELETE", "/v1/people/"+name, nil).wantProblem(404)
		s.do("GET", "/v1/people/"+name+"/export", nil).wantProblem(404)
	}
	s.do("GET", "/v1/people?email=x", nil).wantProblem(422, "email")
	s.do("GET", "/v1/people?q=x", nil).wantProblem(400)
	if n := s.count("people"); n != 0 {
		t.Errorf("%d people were kept", n)
	}
}

// When another tool asked last counts for the quiet period, whoever says so.
func TestLastAskedCountsForTheQuietPeriod(t *testing.T) {
	s := newServer(t)
	s.survey("after", `"rules":{"quiet_period":"30d"}`)
	s.do("PUT", "/v1/people/c-1", `{"last_asked_at":"2026-11-01T00:00:00Z"}`).want(201)
	s.tell(`,"customer":{"external_id":"c-1"}`).want(202).wantAt("decisions[0].reason", "quiet_period").wantAt("decisions[0].until", "2026-12-01T00:00:00.000Z")
	s.do("PUT", "/v1/people/c-2", `{"last_asked_at":"2026-10-01T00:00:00Z"}`).want(201)
	s.tell(`,"customer":{"external_id":"c-2"}`).want(202).wantAt("decisions[0].decision", "scheduled")
	s.do("POST", "/v1/people/import", "external_id,last_asked_at\nc-3,2026-11-20 09:00\n", with("Content-Type", "text/csv")).want(200).wantAt("accepted", 1.0)
	s.tell(`,"customer":{"external_id":"c-3"}`).want(202).wantAt("decisions[0].reason", "quiet_period").wantAt("decisions[0].until", "2026-12-20T00:00:00.000Z") // 9:00 in Tokyo
}

func TestImportingPeople(t *testing.T) {
	s := newServer(t)
	csv := with("Content-Type", "text/csv; charset=utf-8")
	s.do("PUT", "/v1/people/c-1", `{"email":"ana@example.com","name":"Ana","attributes":{"plan":"pro"},"last_asked_at":"2026-11-02T00:00:00Z"}`).want(201)
	file := "\uFEFFexternal_id,Email,name,phone,attributes.plan,attributes.Größe,last_asked_at\r\n" +
		"c-1,,,1,,XL,2026-11-01\r\n" + // says nothing of the name; what is later stays
		"c-2,bo@example.com,\"Bo\nJunior\",2,,,\r\n" + // two lines
		"c-3,bo@,Cy,3,,,\r\n" +
		",di@example.com,田中 😀,4,free,,2026-11-20T10:00:00Z\r\n" +
		",,nobody,5,,,\r\n" +
		"c-4,,,6\r\n" +
		"c-5,,,7,,,yesterday\r\n" +
		"12345678901234567890,,,8,,,\r\n"
	got := s.do("POST", "/v1/people/import", file, csv, once("k")).want(200).wantAt("accepted", 3.0).wantAt("rejected", 5.0).wantAt("ignored_columns[0]", "phone").wantAt("ignored_columns[1]", nil)
	for i, want := range []string{"3 name", "5 email", "7 external_id", "8 ", "9 last_asked_at"} {
		at := fmt.Sprintf("rejections[%d].", i)
		if said := fmt.Sprint(got.at(at+"line"), " ", got.at(at+"field")); said != want || got.text(at+"reason") == "" {
			t.Errorf("%s instead of %s", said, want)
		}
	}
	again := s.do("POST", "/v1/people/import", file, csv, once("k")).want(200)
	if again.header.Get("Idempotency-Replayed") != "true" || string(again.body) != string(got.body) {
		t.Errorf("replayed as %s", again.body)
	}
	s.do("POST", "/v1/people/import", file, csv).want(200).wantAt("accepted", 3.0)
	if n := s.count("people"); n != 3 {
		t.Errorf("%d people", n)
	}
	s.do("GET", "/v1/people/c-1", nil).want(200).wantAt("name", "Ana").wantAt("email", "ana@example.com").wantAt("attributes.plan", "pro").wantAt("attributes.Größe", "XL").wantAt("last_asked_at", "2026-11-02T00:00:00.000Z")
	s.do("GET", "/v1/people?email=di@example.com", nil).want(200).wantAt("data[0].name", "田中 😀").wantAt("data[0].attributes.plan", "free").wantAt("data[0].last_asked_at", "2026-11-20T10:00:00.000Z")
	s.do("GET", "/v1/people/12345678901234567890", nil).want(200)
	var many strings.Builder
	many.WriteString("email;name\n")
	for i := range 1700 {
		fmt.Fprintf(&many, "p%d@example.com;P %d\n", i, i)
	}
	s.do("POST", "/v1/people/import", many.String(), csv).want(200).wantAt("accepted", 1700.0).wantAt("rejected", 0.0)

	for body, field := range map[string]string{"name,locale\nAna,ja\n": "external_id", "external_id,email,email\n": "email"} {
		s.do("POST", "/v1/people/import", body, csv).wantProblem(422, field)
	}
	for _, body := range []string{"email\n\"ana@example.com\n", "email\nana@\xff\n"} {
		s.do("POST", "/v1/people/import", body, csv).wantProblem(400)
	}
	s.do("POST", "/v1/people/import", "", csv).wantProblem(400)
	s.do("POST", "/v1/people/import", "email\n", csv).want(200).wantAt("accepted", 0.0)
	s.do("POST", "/v1/people/import?timezone=Mars", "email\n", csv).wantProblem(422, "timezone")
	s.do("POST", "/v1/people/import", "email\n").wantProblem(415)
	s.do("POST", "/v1/people/import", "email\n"+strings.Repeat("x", 8<<20), csv).wantProblem(413)
	if log := s.log.String(); strings.Contains(log, "example.com") || strings.Contains(log, "田中") {
		t.Errorf("people in the log: %s", log)
	}
}

// An export has everything, and an erasure leaves nothing of it: not in
// answers, not in repeats, not in the log.
func TestExportAndErase(t *testing.T) {
	s := newServer(t)
	s.survey("after", `"segments":["agent"]`)
	s.survey("mail", `"channel":"email","touchpoint":"shop","trigger":{"type":"interaction","delay":"2h"},"rules":{"quiet_period":"0s"}`)
	who := `"customer":{"external_id":"quux-17","email":"quux@example.com","name":"quuxname","timezone":"Asia/Tokyo"},"attributes":{"agent":"Kim","order":"quuxorder"}`
	told := s.do("POST", "/v1/interactions", `{"touchpoint":"chat","external_id":"quuxevent","quuxphone":"1",`+who+`}`, once("told")).want(202)
	_, token, _ := strings.Cut(told.text("decisions[0].url"), "/s/")
	form := with("Content-Type", "application/x-www-form-urlencoded")
	s.do("POST", "/s/"+token, "step=score&score=9", form).want(200)
	s.do("POST", "/s/"+token, "step=details&praise=quuxcomment", form)
	waiting := s.do("POST", "/v1/interactions", `{"touchpoint":"shop",`+who+`}`).want(202).text("decisions[0].invitation_id")
	posted := s.answered("after", 3, `,"comment":"quuxposted","external_id":"quuxresponse",`+who)
	s.do("PATCH", "/v1/responses/"+posted, `{"score":4}`).want(200)
	s.do("POST", "/v1/suppressions", `{"email":"quux@example.com"}`).want(201)
	before := string(s.do("GET", "/v1/scores?metric=nps&survey=after&group_by=survey", nil).want(200).body)

	held := s.do("GET", "/v1/people/quux-17/export", nil).want(200).wantAt("person.email", "quux@example.com").wantAt("suppression.reason", "manual").
		wantAt("interactions[0].external_id", "quuxevent").wantAt("interactions[0].attributes.order", "quuxorder").wantAt("interactions[1].decisions[0].invitation_id", waiting).
		wantAt("invitations[0].state", "answered").wantAt("invitations[1].email", "quux@example.com").wantAt("invitations[1].name", "quuxname").wantAt("invitations[1].events[0].type", "scheduled").
		wantAt("responses[0].score", 9.0).wantAt("responses[1].comment", "quuxposted").wantAt("responses[1].events[0].reason", "score").wantAt("exported_at", "2026-11-22T09:30:00.000Z")
	id := held.text("person.id")
	s.do("DELETE", "/v1/people/quux-17", nil).want(204)

	for _, path := range []string{"/v1/people/quux-17", "/v1/people/" + id, "/v1/people/quux-17/export", "/s/" + token, "/u/" + token} {
		s.do("GET", path, nil).want(404)
	}
	shown := []response{
		s.do("GET", "/v1/responses", nil).want(200).wantAt("data[0].score", 4.0).wantAt("data[0].attributes.agent", "Kim").wantAt("data[0].comment", nil).wantAt("data[0].customer", nil).wantAt("data[0].external_id", nil),
		s.do("GET", "/v1/responses/"+posted, nil).want(200).wantAt("events[1].type", "erased"),
		s.do("GET", "/v1/invitations", nil).want(200),
		s.do("GET", "/v1/invitations/"+waiting, nil).want(200).wantAt("state", "suppressed").wantAt("reason", "suppressed").wantAt("customer", nil),
		s.do("GET", "/v1/interactions/"+told.text("id"), nil).want(200),
		s.do("GET", "/v1/suppressions", nil).want(200).wantAt("data[0].email", ""),
		s.do("GET", "/v1/people", nil).want(200).wantAt("data[0]", nil),
		s.do("POST", "/v1/interactions", `{"touchpoint":"chat","external_id":"quuxevent","quuxphone":"1",`+who+`}`, once("told")).want(202).wantAt("id", told.at("id")),
		s.do("POST", "/v1/interactions", `{"touchpoint":"chat","external_id":"quuxevent",`+who+`}`).want(200).wantAt("id", told.at("id")),
		s.do("POST", "/v1/responses", `{"survey_id":"after","score":9,"external_id":"quuxresponse",`+who+`}`).want(200).wantAt("id", posted),
	}
	for _, r := range shown {
		if strings.Contains(string(r.body), "quux") {
			t.Errorf("%s: %s", r.request, r.body)
		}
	}
	if after := string(s.do("GET", "/v1/scores?metric=nps&survey=after&group_by=survey", nil).want(200).body); after != before {
		t.Errorf("the score was %s and is %s", before, after)
	}
	if strings.Contains(s.log.String(), "quux") {
		t.Error("the log holds what was erased")
	}
	// told of again, the person is a new one, and still suppressed
	s.do("PUT", "/v1/people/quux-17", `{"email":"quux@example.com"}`).want(201).wantAt("created_at", "2026-11-22T09:30:00.000Z")
	if again := s.do("GET", "/v1/people/quux-17", nil).want(200).wantAt("suppression.reason", "manual").text("id"); again == id {
		t.Error("the erased person came back")
	}
	for _, role := range []store.Role{store.Viewer, store.Sender, store.Editor} {
		s.do("GET", "/v1/people/quux-17", nil, as(s.newKey(s.workspace, role))).wantProblem(403)
	}
}
