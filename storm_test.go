package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"koe/survey/store/storetest"
)

// crowd is many clients of one koe, each with a connection of its own.
type crowd struct {
	*running
	client *http.Client
	size   int
}

func (k *running) crowd(size int) *crowd {
	transport := &http.Transport{MaxConnsPerHost: size, MaxIdleConns: size, MaxIdleConnsPerHost: size}
	k.t.Cleanup(transport.CloseIdleConnections)
	return &crowd{k, &http.Client{Transport: transport, Timeout: time.Minute}, size}
}

// each does fn for 0 to n-1, as many at once as the crowd is large, and fails
// the test with the first few of the errors.
func (c *crowd) each(n int, fn func(i int) error) {
	c.t.Helper()
	var next, failed atomic.Int64
	var wait sync.WaitGroup
	for range c.size {
		wait.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				if err := fn(int(i)); err != nil && failed.Add(1) <= 5 {
					c.t.Errorf("number %d: %v", i, err)
				}
			}
		})
	}
	wait.Wait()
	if failed.Load() > 0 {
		c.t.Fatalf("%d of %d failed", failed.Load(), n)
	}
}

// ask sends one request and wants a status; it returns the answer's body.
func (c *crowd) ask(status int, method, path, media, body string) ([]byte, error) {
	request, err := http.NewRequestWithContext(c.t.Context(), method, "http://127.0.0.1:"+c.port+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+c.key)
	if body != "" {
		request.Header.Set("Content-Type", media)
	}
	response, err := c.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != status {
		err = fmt.Errorf("%s %s: %d, want %d: %.300s", method, path, response.StatusCode, status, raw)
	}
	return raw, err
}

func (c *crowd) json(status int, method, path, body string, into any) error {
	raw, err := c.ask(status, method, path, "application/json", body)
	if err != nil || into == nil {
		return err
	}
	return json.Unmarshal(raw, into)
}

// score posts a score to a personal link, as the page does.
func (c *crowd) score(link string, score int) error {
	path := strings.TrimPrefix(link, c.base)
	form := url.Values{"step": {"score"}, "score": {fmt.Sprint(score)}}
	_, err := c.ask(200, "POST", path, "application/x-www-form-urlencoded", form.Encode())
	return err
}

// linkSurvey is an active NPS survey by link at a touchpoint; it returns its id.
func (k *running) linkSurvey(touchpoint string) string {
	k.t.Helper()
	made := k.want(201, "POST", "/v1/surveys", `{"name":"Storm","template":"nps","touchpoint":"`+touchpoint+`",
		"channel":"link","trigger":{"type":"interaction"}}`)
	id, _ := made["id"].(string)
	k.want(200, "POST", "/v1/surveys/"+id+"/activate", "")
	return id
}

// links makes personal links and returns their addresses.
func (k *running) links(survey string, n int) []string {
	k.t.Helper()
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(`{"customer":{"external_id":"p-%d","email":"p%d@example.com"}}`, i, i)
	}
	made, _ := k.want(201, "POST", "/v1/surveys/"+survey+"/links", `{"links":[`+strings.Join(list, ",")+`]}`)["data"].([]any)
	if len(made) != n {
		k.t.Fatalf("%d links, want %d", len(made), n)
	}
	for i, one := range made {
		link, _ := one.(map[string]any)
		list[i], _ = link["url"].(string)
	}
	return list
}

// counted wants n answers at a touchpoint with the scores given as often, by
// the tallies and by the rows.
func (k *running) counted(touchpoint string, want map[int]int) {
	k.t.Helper()
	n := 0
	for _, count := range want {
		n += count
	}
	for _, by := range []struct{ source, span string }{{"tallies", ""}, {"rows", "&from=2020-01-01T00:00:00.001Z"}} {
		var report struct {
			Source string
			Total  struct {
				Responses    int
				Distribution []struct{ Value, Count int }
			}
		}
		if err := k.crowd(1).json(200, "GET", "/v1/scores?metric=nps&touchpoint="+touchpoint+by.span, "", &report); err != nil {
			k.t.Fatal(err)
		}
		got := map[int]int{}
		for _, bar := range report.Total.Distribution {
			if bar.Count != 0 {
				got[bar.Value] = bar.Count
			}
		}
		if report.Source != by.source || report.Total.Responses != n || !maps.Equal(got, want) {
			k.t.Errorf("by the %s: %d answers %v, want by the %s %d %v", report.Source, report.Total.Responses, got, by.source, n, want)
		}
	}
}

// quiet stops koe and wants nothing in its log that says trouble, and nothing
// wrong in the database.
func (c *crowd) quiet() {
	c.t.Helper()
	c.client.CloseIdleConnections() // koe would wait for one that was opened and not used
	c.stop()
	for _, word := range []string{"locked", "deadlock", "panic", `"level":"ERROR"`, "DATA RACE"} {
		if strings.Contains(c.log.String(), word) {
			c.t.Errorf("the log says %q", word)
		}
	}
	verify := exec.Command(c.cmd.Path, "verify")
	verify.Dir, verify.Env = c.cmd.Dir, c.cmd.Env
	if said, err := verify.CombinedOutput(); err != nil {
		c.t.Errorf("koe verify: %v: %s", err, said)
	}
}

// scores are n scores from 0 to 10 in turn, and how often each comes.
func scores(n int) (of func(i int) int, count map[int]int) {
	of = func(i int) int { return i % 11 }
	count = map[int]int{}
	for i := range n {
		count[of(i)]++
	}
	return of, count
}

func TestAThousandAnswersAtOnce(t *testing.T) {
	storetest.EachEmpty(t, func(t *testing.T, database string) {
		k := startKoe(t, database)
		survey := k.linkSurvey("checkout")
		const n = 1000
		of, count := scores(n)
		c := k.crowd(64)
		c.each(n, func(i int) error {
			return c.json(201, "POST", "/v1/responses", fmt.Sprintf(`{"survey_id":%q,"score":%d,"external_id":"r-%d","comment":"ありがとう %d",
				"customer":{"external_id":"c-%d"}}`, survey, of(i), i, i, i%100), nil)
		})
		k.counted("checkout", count)
		c.each(n, func(i int) error { // sent again, as after a lost reply
			return c.json(200, "POST", "/v1/responses", fmt.Sprintf(`{"survey_id":%q,"score":%d,"external_id":"r-%d","comment":"ありがとう %d",
				"customer":{"external_id":"c-%d"}}`, survey, of(i), i, i, i%100), nil)
		})
		k.counted("checkout", count)
		c.quiet()
	})
}

func TestAThousandLinksAnsweredAtOnce(t *testing.T) {
	storetest.EachEmpty(t, func(t *testing.T, database string) {
		k := startKoe(t, database)
		const n = 1000
		links := k.links(k.linkSurvey("poster"), n)
		of, count := scores(n)
		c := k.crowd(64)
		c.each(n, func(i int) error { return c.score(links[i], of(i)) })
		k.counted("poster", count)
		c.quiet()
	})
}

func TestOneLinkAnsweredTwentyTimesAtOnce(t *testing.T) {
	storetest.EachEmpty(t, func(t *testing.T, database string) {
		k := startKoe(t, database)
		survey := k.linkSurvey("poster")
		links := k.links(survey, 50)
		of, count := scores(len(links))
		c := k.crowd(20)
		for i, link := range links {
			c.each(20, func(int) error { return c.score(link, of(i)) })
		}
		k.counted("poster", count)
		var page struct{ Data []map[string]any }
		if err := c.json(200, "GET", "/v1/responses?limit=100&survey="+survey, "", &page); err != nil {
			t.Fatal(err)
		}
		invitations := map[any]bool{}
		for _, response := range page.Data {
			invitations[response["invitation_id"]] = true
		}
		if len(page.Data) != len(links) || len(invitations) != len(links) {
			t.Errorf("%d responses of %d links, want one each of %d", len(page.Data), len(invitations), len(links))
		}
		c.quiet()
	})
}

// walkAlone is what one of many clients does: answers taken elsewhere for
// customers that others share, an interaction, the page, an answer, the score.
func (c *crowd) walkAlone(survey string, i int) error {
	var said struct {
		Decisions []struct{ Decision, URL string }
	}
	err := errors.Join(
		c.json(201, "POST", "/v1/responses", fmt.Sprintf(`{"survey_id":%q,"score":%d,"customer":{"external_id":"shared-%d"}}`, survey, i%11, i%7), nil),
		c.json(202, "POST", "/v1/interactions", fmt.Sprintf(`{"touchpoint":"till","customer":{"external_id":"own-%d","email":"own%d@example.com"}}`, i, i), &said))
	if err != nil {
		return err
	}
	if len(said.Decisions) != 1 || said.Decisions[0].Decision != "scheduled" {
		return fmt.Errorf("decisions %v", said.Decisions)
	}
	link := said.Decisions[0].URL
	_, page := c.ask(200, "GET", strings.TrimPrefix(link, c.base)+"?score=3", "", "")
	return errors.Join(page, c.score(link, i%11),
		c.json(200, "GET", "/v1/scores?metric=nps&touchpoint=till", "", nil),
		c.json(200, "GET", "/v1/scores?metric=nps&touchpoint=till&from=2020-01-01T00:00:00.001Z", "", nil),
		c.json(202, "POST", "/v1/interactions", fmt.Sprintf(`{"touchpoint":"till","customer":{"external_id":"shared-%d"}}`, i%7), nil))
}

func TestTwoConnectionsForManyClients(t *testing.T) {
	k := startKoe(t, storetest.Postgres(t), "KOE_DATABASE_CONNECTIONS=2")
	survey := k.linkSurvey("till")
	const n = 256
	c := k.crowd(n)
	c.each(n, func(i int) error { return c.walkAlone(survey, i) })
	_, count := scores(n)
	for score := range maps.Clone(count) {
		count[score] *= 2 // each client answers once as staff and once by link
	}
	k.counted("till", count)
	c.quiet()
}
