package main

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"koe/survey/store/storetest"
)

var toldLength = regexp.MustCompile(`Your text has ([0-9,]+) character`)

// The page's one script counts as koe does, so that nobody is refused who was
// told that it fits.
func TestTheCounterCountsAsKoeDoes(t *testing.T) {
	k := startKoe(t, storetest.SQLite(t))
	k.want(201, "PUT", "/v1/templates/everything", everything) // takes 20 characters
	k.manual("everything", "everything", `{}`)
	link := k.link("everything", "en", "ana")
	k.post(link, url.Values{"step": {"score"}, "score": {"9"}})
	b := k.browse(t)
	b.scripts(true)
	b.open(link)
	const counter = `document.getElementById("q_why.hint").lastElementChild`
	for _, c := range []struct {
		text string
		want int
	}{
		{"とても親切でした", 8},
		{"ｶﾞｷﾞ half-width", 15},
		{"か\u3099き\u3099", 2}, // composes
		{"e\u0301te\u0301", 3},
		{"🎉", 1},
		{"👨‍👩‍👧‍👦", 7}, // one family on the screen, seven code points
		{"🇯🇵", 2},
		{"👍🏽", 2},
		{"q\u0302\u0323", 3}, // does not compose
		{"one\ntwo\n", 7},
		{" \u3000\u00a0\u0085 x \ufeff", 3}, // every blank of Unicode, and a mark that is none
		{"\u202eturned\u202c", 8},
		{strings.Repeat("長", 20), 20},
		{strings.Repeat("長", 21), 21},
		{strings.Repeat("か\u3099", 20) + " ", 20},
		{strings.Repeat("行\n", 10) + "行", 21},
		{strings.Repeat("行\n", 10), 19},
	} {
		js[any](b, fmt.Sprintf(`{const t = document.querySelector("textarea"); t.value = %s; t.dispatchEvent(new Event("input"))}`, quoted(t, c.text)))
		if got, want := js[string](b, counter+".textContent"), fmt.Sprintf("%d / 20", c.want); got != want {
			t.Errorf("%q: the page counts %s, want %s", c.text, got, want)
		}
		if over := js[bool](b, counter+`.className === "over"`); over != (c.want > 20) {
			t.Errorf("%q: over is %v", c.text, over)
		}
		// what a browser posts of it, once as it is and once too long for certain
		posted := strings.ReplaceAll(c.text, "\n", "\r\n")
		if code, page := k.post(link, url.Values{"step": {"questions"}, "q_why": {posted}}); (code == 200) != (c.want <= 20) {
			t.Errorf("%q: %d\n%s", c.text, code, page)
		}
		_, page := k.post(link, url.Values{"step": {"questions"}, "q_why": {strings.Repeat("x", 100) + posted + "x"}})
		told := toldLength.FindStringSubmatch(page)
		js[any](b, fmt.Sprintf(`{const t = document.querySelector("textarea"); t.value = "x".repeat(100) + %s + "x"; t.dispatchEvent(new Event("input"))}`, quoted(t, c.text)))
		if got := js[string](b, counter+".textContent"); told == nil || got != told[1]+" / 20" {
			t.Errorf("%q: the page counts %s, koe %v", c.text, got, told)
		}
	}
}

// quoted is a text as a script writes it.
func quoted(t *testing.T, text string) string {
	t.Helper()
	raw, err := json.Marshal(text)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// Whatever a finger does, it is one answer, and the last one counts.
func TestTappingTwiceAndGoingBack(t *testing.T) {
	for _, scripts := range []bool{true, false} {
		t.Run(fmt.Sprint("scripts ", scripts), func(t *testing.T) {
			k := startKoe(t, storetest.SQLite(t))
			k.linkSurvey("support_chat")
			link, _ := k.chat(`{"external_id":"c-17"}`)["url"].(string)
			b := k.browse(t)
			b.scripts(scripts)
			one := func(after string, want float64) {
				t.Helper()
				if score, n := k.score(); score != want || n != 1.0 {
					t.Fatalf("after %s: %v of %v answers, want %v of 1", after, score, n, want)
				}
			}
			b.open(link + "?score=9")
			ask(b, chromedp.DoubleClick(chromedp.CSS("button")))
			b.soon("the next page", `document.readyState === "complete" && !document.querySelector("input[name=score]")`)
			one("tapping twice", 100)
			b.open(link) // wherever the second tap has led
			b.open(link + "?score=3")
			b.follow("button")
			one("another score", -100)
			b.leads(chromedp.Reload()) // posts again
			one("reloading", -100)
			b.leads(chromedp.NavigateBack()) // before the page: what was posted took its place
			one("going back", -100)
			b.open(link + "?edit=1")
			b.wantChosen("3")
			b.click("input[value='10']")
			b.follow("button")
			one("changing", 100)
			b.click("textarea")
			b.types(comment)
			b.follow("button")
			b.leads(chromedp.Reload())
			b.wantText("Thank you! It is good to know")
			one("reloading thanks", 100)
			responses, _ := k.want(200, "GET", "/v1/responses", "")["data"].([]any)
			if first, _ := responses[0].(map[string]any); len(responses) != 1 || first["comment"] != comment {
				t.Errorf("%d responses, the last %v", len(responses), first)
			}
		})
	}
}
