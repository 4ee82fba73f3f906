package api_test

import (
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestAPreviewInTheBrowser(t *testing.T) {
	s := newServer(t)
	preview := func(body string) string {
		return strings.TrimPrefix(s.do("POST", "/v1/templates/nps/preview", body).want(200).text("url"), "https://koe.example.com")
	}
	mail := preview(`{"what":"mail","locale":"ja","name":"花子"}`)
	shown := s.do("GET", mail, nil, as("")).want(200)
	link := regexp.MustCompile(`href="https://koe\.example\.com(/preview/[^"?]+\?score=9)"`).FindSubmatch(shown.body)
	if link == nil || !strings.Contains(string(shown.body), "花子") {
		t.Fatalf("%s", shown.body)
	}
	s.do("GET", mail+"?lang=en", nil, as("")).want(200)
	// a button of the mail leads to the page, which can be tried to its end
	page, _, _ := strings.Cut(string(link[1]), "?")
	s.do("GET", string(link[1]), nil, as("")).wantPage(200, `lang="ja"`, ` checked`)
	tried := s.do("POST", page, "step=score&score=3&lang=ja", form).wantPage(200, `value="questions"`, "ご回答：3")
	onward := regexp.MustCompile(`action="(/preview/[^"]+)"`).FindSubmatch(tried.body)
	s.do("GET", string(onward[1])+"?edit=1&lang=en", nil, as("")).wantPage(200, `value="score"`, " checked")
	s.do("GET", string(onward[1])+"?lang=en", nil, as("")).wantPage(200, "Your answer: 3")
	s.do("POST", string(onward[1])+"?lang=en", "step=questions&q_improve=words", form).wantPage(200, "Thank you for your honest answer")
	s.do("POST", string(onward[1])+"?lang=en", "step=questions&q_improve="+strings.Repeat("x", 10_001), form).wantPage(422, "Please use at most")
	s.do("POST", page+"?lang=en", "step=score", form).wantPage(422, "Please choose one")
	s.do("POST", page+"?lang=en", "step=questions", form).wantPage(422)
	for _, table := range []string{"responses", "invitations", "events"} {
		if s.count(table) != 0 {
			t.Errorf("a preview left %s", table)
		}
	}
	for _, forged := range []string{"x", "", strings.Repeat("A", 80), page[len("/preview/"):len(page)-4] + "AAAA", page[len("/preview/"):] + "A"} {
		if forged != "" {
			s.do("GET", "/preview/"+forged, nil, as("")).wantPage(404)
		}
	}
	s.now.move(time.Hour)
	s.do("GET", page, nil, as("")).wantPage(410)
	s.do("POST", page, "step=score&score=3", form).wantPage(410)
}

// What a template does not say in a language is said in its default one, marked
// as such, question by question; the preview names it.
func TestAPreviewFallsBackQuestionByQuestion(t *testing.T) {
	s := newServer(t)
	s.do("PUT", "/v1/templates/form", formTemplate).want(201)
	shown := s.do("POST", "/v1/templates/form/preview", `{"what":"page","locale":"ja"}`).want(200).wantAt("locale", "ja").wantAt("fallbacks[0]", "questions[1].text")
	page := strings.TrimPrefix(shown.text("url"), "https://koe.example.com")
	s.do("GET", page, nil, as("")).wantPage(200, `<html lang="ja"`, "いかがでしたか?")
	s.do("POST", page, "step=score&score=2", form).wantPage(200, `<html lang="ja"`, `<span lang="en" dir="ltr">Why?</span>`, `<span lang="en" dir="ltr">Which?</span>`)
}
