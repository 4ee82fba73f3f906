package main

import (
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"koe/survey/store/storetest"
)

var surveyLink = regexp.MustCompile(`http://koe\.example\.com:\d+/s/[A-Za-z0-9_-]+`)

func TestWalk(t *testing.T) {
	storetest.EachEmpty(t, func(t *testing.T, database string) {
		box, smtpURL := startSMTP(t)
		k := startKoe(t, database, "KOE_SMTP_URL="+smtpURL, "KOE_MAIL_FROM=Acme <feedback@acme.example>")
		k.setUp()
		const ana = `{"external_id":"c-17","email":"ana@example.com","name":"Ana","locale":"en"}`
		if d := k.chat(ana); d["decision"] != "scheduled" {
			t.Fatalf("decision %v", d)
		}
		m, text, html := box.next(t)
		link := surveyLink.FindString(text)
		if link == "" || !strings.Contains(html, link+"?score=9") {
			t.Fatalf("no link in the mail: %s", text)
		}
		for _, method := range []string{"GET", "HEAD", "GET"} {
			if code := fetch(t, method, k.local(link+"?score=9")); code != 200 {
				t.Fatalf("%s the link: %d", method, code)
			}
		}
		if _, n := k.score(); n != 0.0 {
			t.Fatalf("opening the link recorded %v answers", n)
		}
		if code, page := k.post(link, url.Values{"step": {"score"}, "score": {"9"}}); code != 200 || !strings.Contains(page, "q_") {
			t.Fatalf("after the score: %d %s", code, page)
		}
		if code, page := k.post(link, url.Values{"step": {"questions"}, commentField(t, k, link): {"Quick & kind 🎉"}}); code != 200 || strings.Contains(page, "<form") {
			t.Fatalf("after the comment: %d %s", code, page)
		}
		if score, n := k.score(); score != 100.0 || n != 1.0 {
			t.Fatalf("score %v of %v, want 100 of 1", score, n)
		}
		responses, _ := k.want(200, "GET", "/v1/responses", "")["data"].([]any)
		if first, _ := responses[0].(map[string]any); first["comment"] != "Quick & kind 🎉" {
			t.Errorf("response %v", first)
		}
		unsubscribe := strings.Trim(m.Header.Get("List-Unsubscribe"), "<>")
		if m.Header.Get("List-Unsubscribe-Post") != "List-Unsubscribe=One-Click" || m.Header.Get("List-Id") == "" {
			t.Errorf("headers %v", m.Header)
		}
		if code := fetch(t, "GET", k.local(unsubscribe)); code != 200 {
			t.Errorf("the page behind List-Unsubscribe: %d", code)
		}
		if code, _ := k.post(unsubscribe, url.Values{"List-Unsubscribe": {"One-Click"}}); code != 200 {
			t.Fatalf("one click: %d", code)
		}
		if d := k.chat(ana); d["decision"] != "skipped" || d["reason"] != "suppressed" {
			t.Fatalf("after unsubscribing: %v", d)
		}
	})
}

// commentField is the form field of the text question that the page shows.
func commentField(t *testing.T, k *running, link string) string {
	t.Helper()
	response, err := http.Get(k.local(link)) //nolint:noctx // a test's own server
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	page, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`<textarea[^>]*name="([^"]+)"`).FindSubmatch(page)
	if found == nil {
		t.Fatalf("no text question on the page: %s", page)
	}
	return string(found[1])
}

func fetch(t *testing.T, method, address string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	return response.StatusCode
}
