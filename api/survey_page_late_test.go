package api_test

import (
	"html"
	"regexp"
	"strings"
	"testing"
	"time"
)

// Who writes slowly loses nothing: after the time for changes, questions that
// have no answer yet can be answered until the link's end. What was answered
// stays as it is.
func TestQuestionsAnsweredAfterTheTimeForChanges(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		s.do("PUT", "/v1/templates/branch", branchTemplate).want(201)
		s.survey("after", `"template":"branch","rules":{"editable_for":"0s","expires_after":"2d"}`)
		token, visitor := s.token("after", `{}`), s.visit(s.openLink("after", `"kiosk":true`))
		visitor.post("step=score&score=4").wantPage(200, "What was it?").never("?edit=1")
		for _, path := range []string{"/s/" + token, visitor.own()} {
			post := func(fields string) response { return s.do("POST", path, fields, form) }
			post("step=score&score=4").wantPage(200, "What was it?").never("?edit=1", "it comes from you")
			post("step=questions&q_topic=speed").wantPage(200, "How late?", "Anything else?").never("What was it?")
			s.do("GET", path, nil, as("")).wantPage(200, "How late?").never("What was it?")
			post("step=questions&q_more=slow").wantPage(422, `href="#q_late.1"`, ">\nslow</textarea>")
			post("step=score&score=9").wantPage(409, "can no longer be changed")
			post("step=questions&q_topic=price&q_late=week&q_more=").wantPage(200, "Thank you for your answer") // another window, still open
			post("step=questions&q_late=week&q_more=").wantPage(200, "Thank you for your answer")               // a double click
			post("step=questions&q_late=day").wantPage(409, "can no longer be changed")
			post("step=questions&q_more=more").wantPage(409)
			post("step=score&score=4").wantPage(200, "Thank you for your answer").never(`value="questions"`)
			s.do("GET", path, nil, as("")).wantPage(200, "Thank you for your answer")
		}
		tablet := s.visit(visitor.path + "?via=kiosk")
		to := tablet.post("step=score&score=4").want(303).header.Get("Location")
		s.do("POST", to, "step=questions&q_topic=speed", form).want(303)
		s.do("GET", to, nil, as("")).wantPage(200, "How late?", "Next answer").never("What was it?")
		s.do("POST", to, "step=questions&q_more=ok", form).wantPage(422, `href="#q_late.1"`)
		s.do("POST", to, "step=questions&q_late=week&q_more=ok", form).want(303)
		s.do("GET", to, nil, as("")).wantPage(200, "Thank you for your answer")
		got := s.do("GET", "/v1/responses", nil).want(200).wantAt("data[3]", nil)
		for _, i := range []string{"data[0].", "data[1].", "data[2]."} {
			got.wantAt(i+"complete", true).wantAt(i+"score", 4.0).wantAt(i+"answers.topic", "speed").wantAt(i+"answers.late", "week")
		}
		token, visitor = s.token("after", `{}`), s.visit(visitor.path)
		visitor.post("step=score&score=4").wantPage(200)
		for _, path := range []string{"/s/" + token, visitor.own()} {
			s.do("POST", path, "step=questions&score=4&q_topic=speed", form).wantPage(200, "How late?")
		}
		left := "/s/" + s.token("after", `{}`)
		s.do("POST", left, "step=score&score=4", form).wantPage(200, "What was it?")
		s.now.move(48 * time.Hour)
		for _, path := range []string{"/s/" + token, visitor.own()} {
			s.do("GET", path, nil, as("")).wantPage(200, "Thank you for your answer")
			s.do("POST", path, "step=questions&q_late=week", form).wantPage(409)
		}
		s.do("POST", left, "step=questions&q_topic=&q_more=", form).wantPage(200, "Thank you for your answer")
		s.do("GET", "/v1/responses", nil).want(200).wantAt("data[0].answers.topic", nil).wantAt("data[0].complete", false)
		if checked, err := s.store.Verify(t.Context()); err != nil || len(checked.Faults) > 0 {
			t.Error(err, checked.Faults)
		}
	})
}

// A page that shows what is left of the questions says nothing about the others,
// also where they may be changed again by the time that it is sent.
func TestAPageOfTheRestDropsNothing(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		s.do("PUT", "/v1/templates/branch", branchTemplate).want(201)
		s.survey("after", `"template":"branch","rules":{"editable_for":"0s","expires_after":"2d"}`)
		token, visitor := s.token("after", `{}`), s.visit(s.openLink("after", ``))
		visitor.post("step=score&score=4").wantPage(200, "What was it?")
		for _, path := range []string{"/s/" + token, visitor.own()} {
			s.do("POST", path, "step=score&score=4", form).wantPage(200, "What was it?")
			s.do("POST", path, "step=questions&q_topic=speed", form).wantPage(200, "How late?")
		}
		left := s.do("GET", "/s/"+token, nil, as("")).wantPage(200, "How late?").never("What was it?")
		s.do("PATCH", "/v1/surveys/after", `{"rules":{"editable_for":"2d","expires_after":"2d"}}`).want(200)
		for _, path := range []string{"/s/" + token, visitor.own()} {
			s.do("POST", path, left.fields()+"&q_late=week", form).wantPage(200, "Thank you for your answer")
		}
		got := s.do("GET", "/v1/responses", nil).want(200)
		for _, i := range []string{"data[0].", "data[1]."} {
			got.wantAt(i+"complete", true).wantAt(i+"answers.topic", "speed").wantAt(i+"answers.late", "week")
		}
	})
}

var toGerman = regexp.MustCompile(`href="([^"]+)" lang="de"`)

// inGerman follows the language switch of a page.
func (r response) inGerman(s *server) response {
	r.t.Helper()
	found := toGerman.FindSubmatch(r.body)
	if found == nil {
		r.t.Fatalf("%s: no German: %s", r.request, r.body)
	}
	return s.do("GET", html.UnescapeString(string(found[1])), nil, as("")).wantPage(200, `<html lang="de"`)
}

var toEdit = regexp.MustCompile(`href="([^"]+[?]edit=1[^"]*)"`)

// A language that somebody switches to lasts, wherever the form of the page
// leads.
func TestASwitchedLanguageLasts(t *testing.T) {
	s := newServer(t)
	s.survey("shop", ``)
	slug := s.openLink("shop", `"kiosk":true`)
	german := s.visit(slug).post("step=score&score=4").wantPage(200, `<html lang="en"`).inGerman(s)
	s.do("POST", action(german), "step=questions&q_improve="+strings.Repeat("x", 2001), form).wantPage(422, `<html lang="de"`)
	thanks := s.do("POST", action(german), "step=questions&q_improve=x", form).wantPage(200, `<html lang="de"`)
	edit := toEdit.FindSubmatch(thanks.body)
	if edit == nil {
		t.Fatalf("nothing to change: %s", thanks.body)
	}
	score := s.do("GET", html.UnescapeString(string(edit[1])), nil, as("")).wantPage(200, `<html lang="de"`, `value="score"`)
	s.do("POST", action(score), "step=score", form).wantPage(422, `<html lang="de"`)
	s.do("POST", action(score), "step=score&score=5", form).wantPage(200, `<html lang="de"`, `value="questions"`)

	asked := s.visit(slug + "?via=kiosk").post("step=score&score=4").want(303).header.Get("Location")
	german = s.do("GET", asked, nil, as("")).wantPage(200, `<html lang="en"`).inGerman(s)
	to := s.do("POST", action(german), "step=questions&q_improve=x", form).want(303).header.Get("Location")
	s.do("GET", to, nil, as("")).wantPage(200, `<html lang="de"`)

	for set, start := range map[string]string{"?lang=ja&via=kiosk": "?lang=ja&amp;via=kiosk", "?via=kiosk": "?via=kiosk"} { // whoever comes next reads what the tablet was set up in
		begins := `="/l/` + slug + start + `"`
		german = s.do("GET", "/l/"+slug+set, nil, as("")).wantPage(200, "data-start"+begins).inGerman(s)
		german.wantPage(200, "data-start"+begins)
		s.now.move(3 * time.Second)
		to = s.do("POST", action(german), german.fields()+"&score=4", form).want(303).header.Get("Location")
		asked := s.do("GET", to, nil, as("")).wantPage(200, `<html lang="de"`, "href"+begins, "data-start"+begins)
		to = s.do("POST", action(asked), "step=questions&q_improve=x", form).want(303).header.Get("Location")
		s.do("GET", to, nil, as("")).wantPage(200, `<html lang="de"`, "href"+begins)
	}

	preview := strings.TrimPrefix(s.do("POST", "/v1/templates/nps/preview", `{"what":"page"}`).want(200).text("url"), "https://koe.example.com")
	tried := s.do("POST", preview, "step=score&score=4", form).wantPage(200, `<html lang="en"`).inGerman(s)
	s.do("POST", action(tried), "step=questions&q_improve=x", form).wantPage(200, `<html lang="de"`)
}
