package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"koe/survey/store/storetest"
	"koe/survey/store/storetest/battery"
)

// scanners are programs that open the links of every mail.
var scanners = []string{
	"Mozilla/5.0 (compatible; Microsoft Outlook SafeLinks)",
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36",
	"Barracuda Sentinel (EE)", "Mimecast-URL-Protect/1.0", "ProofpointURLDefense/2.0", "GoogleImageProxy",
	"Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", "facebookexternalhit/1.1", "Symantec-ClickTime/1.0", "",
}

// scan opens an address as a scanner does: in advance, and then once more.
func (c *crowd) scan(method, address, agent string) error {
	request, err := http.NewRequestWithContext(c.t.Context(), method, "http://127.0.0.1:"+c.port+address, nil)
	if err != nil {
		return err
	}
	request.Header.Set("User-Agent", agent)
	request.Header.Set("Purpose", "prefetch")
	request.Header.Set("Sec-Purpose", "prefetch;prerender")
	response, err := c.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %d", method, address, response.StatusCode)
	}
	return nil
}

// stormed is how many links a storm is about: a thousand in full, else a tenth.
func stormed() int {
	if battery.Full() {
		return 1000
	}
	return 100
}

// Ten scanners open every link of a thousand mails, and the link out of each:
// nobody has answered, nobody has unsubscribed, and every link still works.
func TestScannersAnswerNothing(t *testing.T) {
	storetest.EachEmpty(t, func(t *testing.T, database string) {
		k := startKoe(t, database)
		n := stormed()
		links := k.links(k.linkSurvey("poster"), n)
		of, count := scores(n)
		c := k.crowd(32)
		c.each(n*len(scanners), func(i int) error {
			path, agent := strings.TrimPrefix(links[i/len(scanners)], c.base), scanners[i%len(scanners)]
			address := fmt.Sprintf("%s?score=%d", path, i%11)
			if i%3 == 0 {
				address = strings.Replace(path, "/s/", "/u/", 1)
			}
			if err := c.scan(http.MethodHead, address, agent); err != nil {
				return err
			}
			return c.scan(http.MethodGet, address, agent)
		})
		k.counted("poster", map[int]int{})
		if out, ok := k.want(200, "GET", "/v1/suppressions", "")["data"].([]any); !ok || len(out) != 0 {
			t.Errorf("scanners unsubscribed %v", out)
		}
		c.each(n, func(i int) error { return c.score(links[i], of(i)) }) // and then people press Send
		k.counted("poster", count)
		c.quiet()
	})
}

// A scanner that is a real browser opens every link and the link out of it,
// runs the scripts of the pages and waits: that answers nothing either. Who
// presses Send does, once.
func TestABrowserThatOpensEveryLink(t *testing.T) {
	k := startKoe(t, storetest.SQLite(t))
	n := stormed()
	links := k.links(k.linkSurvey("poster"), n)
	of, _ := scores(n)
	b := k.browseFor(t, 10*time.Minute)
	b.scripts(true)
	for i, link := range links {
		b.open(fmt.Sprintf("%s?score=%d", link, of(i)))
		b.wantChosen(fmt.Sprint(of(i)))
		if i%20 == 0 {
			lookAWhile()
		}
		if i%3 == 0 {
			b.open(strings.Replace(link, "/s/", "/u/", 1))
		}
	}
	lookAWhile()
	k.counted("poster", map[int]int{})
	if out, ok := k.want(200, "GET", "/v1/suppressions", "")["data"].([]any); !ok || len(out) != 0 {
		t.Errorf("a browser that pressed nothing unsubscribed %v", out)
	}
	_, count := scores(n / 10)
	for i, link := range links[:n/10] {
		b.open(fmt.Sprintf("%s?score=%d", link, of(i)))
		b.follow("button")
	}
	k.counted("poster", count)
}

// However often Send is pressed at once, a link is one answer, and everybody
// who pressed sees the same page.
func TestAThousandLinksAnsweredTwentyTimesAtOnce(t *testing.T) {
	storetest.EachEmpty(t, func(t *testing.T, database string) {
		k := startKoe(t, database)
		n := stormed()
		links := k.links(k.linkSurvey("poster"), n)
		of, count := scores(n)
		c := k.crowd(60)            // three links at a time
		seen := make([]sync.Map, n) // the pages of a link
		c.each(20*n, func(i int) error {
			form := url.Values{"step": {"score"}, "score": {fmt.Sprint(of(i / 20))}}.Encode()
			raw, err := c.ask(200, "POST", strings.TrimPrefix(links[i/20], c.base), "application/x-www-form-urlencoded", form)
			if seen[i/20].Store(string(raw), true); err != nil {
				return err
			}
			different := 0
			seen[i/20].Range(func(any, any) bool { different++; return true })
			if different != 1 {
				return fmt.Errorf("%d different pages for one answer, the last:\n%s", different, raw)
			}
			return nil
		})
		k.counted("poster", count)
		c.quiet()
	})
}
