package scheduler_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"koe/api"
	"koe/survey/store"
	"koe/templates"
)

// door is the API and the dashboard over a desk's database.
type door struct {
	desk
	handler     http.Handler
	key, cookie string
}

// door opens them for a key and a member who sees all.
func (d desk) door() door {
	d.t.Helper()
	words, err := templates.New()
	if err != nil {
		d.t.Fatal(err)
	}
	_, key, err := d.store.CreateKey(d.t.Context(), d.by, "reader", store.Viewer)
	if err != nil {
		d.t.Fatal(err)
	}
	server := api.Server(api.New(api.Options{Store: d.store, Words: words, BaseURL: "https://koe.example", Now: d.clock.Now, Version: "test"}))
	o := door{desk: d, handler: server.Handler, key: key}
	token, err := d.store.FirstSignIn(d.t.Context(), d.by)
	if err != nil {
		d.t.Fatal(err)
	}
	signedIn := httptest.NewRequest(http.MethodPost, "/dashboard/sign-in/"+token, strings.NewReader(""))
	signedIn.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer := httptest.NewRecorder()
	o.handler.ServeHTTP(answer, signedIn)
	o.cookie, _, _ = strings.Cut(answer.Header().Get("Set-Cookie"), ";")
	if answer.Code != http.StatusSeeOther || o.cookie == "" {
		d.t.Fatalf("%d %s", answer.Code, answer.Body)
	}
	return o
}

func (o door) get(path string, query url.Values) []byte {
	o.t.Helper()
	asked := httptest.NewRequest(http.MethodGet, path+"?"+query.Encode(), nil)
	if strings.HasPrefix(path, "/v1/") {
		asked.Header.Set("Authorization", "Bearer "+o.key)
	} else {
		asked.Header.Set("Cookie", o.cookie)
	}
	answer := httptest.NewRecorder()
	o.handler.ServeHTTP(answer, asked)
	if answer.Code != http.StatusOK {
		o.t.Fatalf("%s: %d, %s", path, answer.Code, answer.Body)
	}
	return answer.Body.Bytes()
}

// exact is a figure with all its digits.
func exact(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }

// figuresAgree holds the scoreboard's page, its CSV and GET /v1/scores to the
// scoreboard of the API, which the digest was held to: one day in Tokyo.
func (o door) figuresAgree(board []boardRow) {
	o.t.Helper()
	days := url.Values{"from": {"2026-11-22"}, "until": {"2026-11-22"}, "compare": {"previous"}}
	var onPage, want []string
	for _, f := range regexp.MustCompile(`<data value="([^"]*)">`).FindAllStringSubmatch(string(o.get("/dashboard", days)), -1) {
		onPage = append(onPage, strings.TrimPrefix(strings.ReplaceAll(f[1], "&#43;", "+"), "+"))
	}
	days.Set("format", "csv")
	lines, err := csv.NewReader(strings.NewReader(string(o.get("/dashboard", days)))).ReadAll()
	if err != nil || len(lines) != len(board)+1 {
		o.t.Fatalf("%v, %v", lines, err)
	}
	for i, row := range board {
		figures := map[string]string{"touchpoint": row.Touchpoint, "score": exact(row.Total.Score), "responses": fmt.Sprint(row.Total.Responses), "interval_low": exact(row.Total.Interval.Low),
			"interval_high": exact(row.Total.Interval.High), "previous_score": exact(row.Comparison.Score), "difference": exact(row.Comparison.Difference)}
		want = append(want, figures["score"], figures["responses"], figures["difference"])
		for at, column := range lines[0] {
			if figure, is := figures[column]; is && strings.TrimPrefix(lines[i+1][at], "'") != figure {
				o.t.Errorf("%s of %s is %s in the CSV, %s at the API", column, row.Name, lines[i+1][at], figure)
			}
		}
		var alone boardRow
		if err := json.Unmarshal(o.get("/v1/scores", url.Values{"touchpoint": {row.Touchpoint}, "metric": {row.Metric}, "from": {"2026-11-22"}, "to": {"2026-11-23"},
			"compare": {"previous"}}), &alone); err != nil {
			o.t.Fatal(err)
		}
		if alone.Total != row.Total || alone.Comparison != row.Comparison {
			o.t.Errorf("%s alone is %+v, on the scoreboard %+v", row.Name, alone, row)
		}
	}
	if strings.Join(onPage, " ") != strings.Join(want, " ") {
		o.t.Errorf("the page shows %v, the API %v", onPage, want)
	}
}
