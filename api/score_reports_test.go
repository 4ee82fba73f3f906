package api_test

import (
	"encoding/csv"
	"fmt"
	"math"
	"math/rand/v2"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"koe/scoring"
	"koe/survey"
	"koe/survey/store/storetest"
)

// eachServer runs fn on a koe with SQLite and on one with PostgreSQL.
func eachServer(t *testing.T, fn func(t *testing.T, s *server)) {
	t.Helper()
	storetest.EachMigrated(t, func(t *testing.T, url string) { fn(t, openServer(t, url)) })
}

// scores asks for a score.
func (s *server) scores(query string, args ...any) response {
	s.t.Helper()
	return s.do("GET", "/v1/scores?"+fmt.Sprintf(query, args...), nil).want(200)
}

// number is at, for a number.
func (r response) number(path string) float64 {
	r.t.Helper()
	n, ok := r.at(path).(float64)
	if !ok {
		r.t.Fatalf("%s: %s is no number in %s", r.request, path, r.body)
	}
	return n
}

// list is at, for a list of objects.
func (r response) list(path string) (objects []map[string]any) {
	r.t.Helper()
	items, ok := r.at(path).([]any)
	if !ok {
		r.t.Fatalf("%s: %s is no list in %s", r.request, path, r.body)
	}
	for _, item := range items {
		object, _ := item.(map[string]any)
		objects = append(objects, object)
	}
	return objects
}

// wantNumber fails the test where a number is another, to 1e-6.
func (r response) wantNumber(path string, want float64) response {
	r.t.Helper()
	if got := r.number(path); math.Abs(got-want) > 1e-6 {
		r.t.Errorf("%s: %s is %v instead of %v", r.request, path, got, want)
	}
	return r
}

// sheet reads an answer as CSV: a row is its cells by the name of the column.
func (r response) sheet() (rows []map[string]string) {
	r.t.Helper()
	if got := r.header.Get("Content-Type"); got != "text/csv; charset=utf-8" {
		r.t.Errorf("%s: CSV as %q", r.request, got)
	}
	lines, err := csv.NewReader(strings.NewReader(string(r.body))).ReadAll()
	if err != nil {
		r.t.Fatalf("%s: %v: %s", r.request, err, r.body)
	}
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, column := range lines[0] {
			row[column] = line[i]
		}
		rows = append(rows, row)
	}
	return rows
}

// told is an answer with what it can be split by.
type told struct {
	given
	locale, channel, agent string
	topics                 []string
}

var asks = `{"name":"Asks","metric":"nps","default_locale":"en","questions":[{"key":"score","type":"score","text":{"en":"Score?"}},
	{"key":"topic","type":"choice","text":{"en":"Topic?"},"options":[{"key":"speed","text":{"en":"Speed"}},{"key":"price","text":{"en":"Price"}}]},
	{"key":"topics","type":"choice","multiple":true,"text":{"en":"Topics?"},"options":[{"key":"speed","text":{"en":"Speed"}},{"key":"price","text":{"en":"Price"}}]},
	{"key":"clarity","type":"rating","scale":{"min":1,"max":5},"text":{"en":"Was it clear?","ja":"明確?"}},
	{"key":"why","type":"text","text":{"en":"Why?"}},{"key":"contact","type":"consent","text":{"en":"May we?"}}]}`

// many are random answers around the turn of a year and a change of clocks, to a
// survey that asks more than a score.
func (s *server) many(n int) (answers []told) {
	s.t.Helper()
	s.do("PUT", "/v1/templates/asks", asks).want(201)
	s.survey("asks", `"template":"asks","segments":["agent"]`)
	random := rand.New(rand.NewPCG(3, 4))
	start := time.Date(2025, 10, 20, 0, 0, 0, 0, time.UTC)
	for range n {
		a := told{given: given{start.Add(time.Duration(random.Int64N(int64(100 * 24 * time.Hour)))).Truncate(time.Millisecond), random.IntN(11)},
			locale: []string{"en", "ja", "de"}[random.IntN(3)], channel: []string{"kiosk", "app"}[random.IntN(2)], agent: []string{"Kim", "李", "=Ana", ""}[random.IntN(4)]}
		body := map[string]any{"survey_id": "asks", "score": a.score, "responded_at": a.at.Format(time.RFC3339Nano), "locale": a.locale, "channel": a.channel}
		if a.agent != "" {
			body["attributes"] = map[string]any{"agent": a.agent}
		}
		for _, topic := range []string{"speed", "price"} {
			if random.IntN(2) == 0 {
				a.topics = append(a.topics, topic)
			}
		}
		if a.topics != nil {
			body["answers"] = map[string]any{"topic": a.topics[0], "topics": a.topics}
		}
		s.do("POST", "/v1/responses", body).want(201)
		answers = append(answers, a)
	}
	return answers
}

// histogramOf counts the answers of a range that are kept.
func histogramOf(answers []told, from, to time.Time, keep func(told) bool) (h scoring.Histogram) {
	for _, a := range answers {
		if !a.at.Before(from) && a.at.Before(to) && (keep == nil || keep(a)) {
			h[a.score]++
		}
	}
	return h
}

func midnight(t *testing.T, day any, zone string) time.Time {
	t.Helper()
	loc, err := survey.LoadZone(zone)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := day.(string)
	d, err := survey.ParseDay(text)
	if err != nil {
		t.Fatal(err)
	}
	return survey.StartOf(d, loc).Time()
}

// Whatever the zone, the periods of a report are what counting answers by hand
// comes to, and add up to its total.
func TestPeriodsOfScores(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		answers := s.many(150)
		for _, zone := range []string{"Asia/Tokyo", "UTC", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"} {
			for _, interval := range []string{"day", "week", "month", "quarter", "year"} {
				from, to := midnight(t, "2025-10-23", zone), midnight(t, "2026-01-18", zone)
				got := s.scores("from=2025-10-23&to=2026-01-18&interval=%s&timezone=%s", interval, zone).wantScore("total", npsMeasure, histogramOf(answers, from, to, nil), 0.95)
				if source := got.text("source"); (source == "tallies") != (zone == "Asia/Tokyo") {
					t.Errorf("%s by %s comes from %s", zone, interval, source)
				}
				var sum float64
				periods := got.list("periods")
				for i, p := range periods {
					start, end := midnight(t, p["start"], zone), midnight(t, p["end"], zone)
					got.wantScore(fmt.Sprintf("periods[%d]", i), npsMeasure, histogramOf(answers, start, end, nil), 0.95)
					sum += got.number(fmt.Sprintf("periods[%d].responses", i))
					if i > 0 && periods[i-1]["end"] != p["start"] {
						t.Errorf("%s: a gap before %s", got.request, p["start"])
					}
				}
				if sum != got.number("total.responses") || periods[0]["start"] != "2025-10-23" || periods[len(periods)-1]["end"] != "2026-01-18" {
					t.Errorf("%s: the periods have %v answers", got.request, sum)
				}
			}
		}
		// a day of 25 hours: the clocks go back in New York
		long := s.scores("from=2025-11-02&to=2025-11-03&interval=day&timezone=America/New_York").wantAt("from", "2025-11-02T04:00:00.000Z").wantAt("to", "2025-11-03T05:00:00.000Z")
		long.wantScore("periods[0]", npsMeasure, histogramOf(answers, midnight(t, "2025-11-02", "America/New_York"), midnight(t, "2025-11-03", "America/New_York"), nil), 0.95)
	})
}

// A rolling window is the same as its range asked for by itself.
func TestRollingScores(t *testing.T) {
	s := newServer(t)
	answers := s.many(120)
	for _, query := range []string{"interval=week&rolling=30d", "interval=day&rolling=1w", "interval=month&rolling=90d&timezone=America/New_York"} {
		got := s.scores("from=2025-11-01&to=2025-12-10&%s", query)
		zone := got.text("timezone")
		for i, p := range got.list("periods") {
			start, end := midnight(t, p["start"], zone), midnight(t, p["end"], zone)
			got.wantScore(fmt.Sprintf("periods[%d]", i), npsMeasure, histogramOf(answers, start, end, nil), 0.95)
		}
	}
	s.scores("from=2025-11-01&to=2025-11-03&interval=day&rolling=30d&group_by=locale").wantAt("periods[0].start", "2025-10-03").wantAt("periods[0].end", "2025-11-02").
		wantAt("periods[1].start", "2025-10-04").wantAt("periods[2]", nil).
		wantScore("total", npsMeasure, histogramOf(answers, midnight(t, "2025-11-01", "Asia/Tokyo"), midnight(t, "2025-11-03", "Asia/Tokyo"), nil), 0.95)
}

// Without from and to, periods go from the first answer's to the last's.
func TestPeriodsWithoutARange(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		s.survey("chat", ``)
		s.scores("metric=nps&interval=month").wantAt("periods[0]", nil).wantAt("total.responses", 0.0)
		for _, at := range []string{"2025-11-30T15:00:00Z", "2026-02-28T14:59:59.999Z"} { // the first and the last of two months in Tokyo
			s.answered("chat", 9, `,"responded_at":"`+at+`"`)
		}
		s.scores("interval=month").wantAt("from", nil).wantAt("to", nil).wantAt("periods[0].start", "2025-12-01").wantAt("periods[0].responses", 1.0).
			wantAt("periods[1].score", nil).wantAt("periods[2].start", "2026-02-01").wantAt("periods[2].end", "2026-03-01").wantAt("periods[2].responses", 1.0).wantAt("periods[3]", nil)
		s.scores("interval=month&from=2026-02-10").wantAt("periods[0].start", "2026-02-10").wantAt("periods[0].end", "2026-03-01").wantAt("periods[1]", nil)
		s.scores("interval=quarter&to=2026-01-10").wantAt("periods[0].start", "2025-10-01").wantAt("periods[1].end", "2026-01-10").wantAt("periods[2]", nil)
	})
}

// Every way to split a score adds up to it, and filters cut out the same parts.
func TestGroupsOfScores(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		answers := s.many(120)
		from, to := midnight(t, "2025-10-25", "Asia/Tokyo"), midnight(t, "2026-01-20", "Asia/Tokyo")
		for by, of := range map[string]func(told) string{
			"locale": func(a told) string { return a.locale }, "channel": func(a told) string { return a.channel }, "attributes.agent": func(a told) string { return a.agent },
			"answers.topic": func(a told) string { return strings.Join(a.topics[:min(1, len(a.topics))], "") }, "touchpoint": func(told) string { return "chat" },
		} {
			for _, zone := range []string{"Asia/Tokyo", "Europe/London"} {
				from, to := midnight(t, "2025-10-25", zone), midnight(t, "2026-01-20", zone)
				got := s.scores("from=2025-10-25&to=2026-01-20&timezone=%s&group_by=%s", zone, by)
				var sum, last float64
				for i, g := range got.list("groups") {
					at := fmt.Sprintf("groups[%d]", i)
					got.wantScore(at, npsMeasure, histogramOf(answers, from, to, func(a told) bool { return of(a) == g["key"] }), 0.95)
					n := got.number(at + ".responses")
					if i > 0 && n > last {
						t.Errorf("%s: %s has more answers than the one before", got.request, at)
					}
					sum, last = sum+n, n
					if key, _ := g["key"].(string); key != "" && !strings.HasPrefix(by, "answers.") {
						only := s.scores("from=2025-10-25&to=2026-01-20&timezone=%s&%s=%s", zone, by, url.QueryEscape(key))
						if !reflect.DeepEqual(only.at("total.distribution"), g["distribution"]) {
							t.Errorf("%s: filtered %v, grouped %v", only.request, only.at("total.distribution"), g["distribution"])
						}
					}
				}
				if sum != got.number("total.responses") {
					t.Errorf("%s: the groups have %v answers", got.request, sum)
				}
			}
		}
		// several choices: an answer counts for each
		got := s.scores("from=2025-10-25&to=2026-01-20&group_by=answers.topics")
		for i, g := range got.list("groups") {
			got.wantScore(fmt.Sprintf("groups[%d]", i), npsMeasure, histogramOf(answers, from, to, func(a told) bool {
				return g["key"] == "" && len(a.topics) == 0 || slices.Contains(a.topics, fmt.Sprint(g["key"]))
			}), 0.95)
		}
		// two segments at once
		s.scores("from=2025-10-25&to=2026-01-20&locale=JA&attributes.agent=Kim").wantAt("source", "rows").
			wantScore("total", npsMeasure, histogramOf(answers, from, to, func(a told) bool { return a.locale == "ja" && a.agent == "Kim" }), 0.95)
	})
}

func TestComparedScores(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		answers := s.many(150)
		in := func(from, to string, keep func(told) bool) scoring.Histogram {
			return histogramOf(answers, midnight(t, from, "Asia/Tokyo"), midnight(t, to, "Asia/Tokyo"), keep)
		}
		for _, c := range []struct{ query, from, to, beforeFrom, beforeTo string }{
			{"compare=previous", "2025-12-01", "2026-01-01", "2025-11-01", "2025-12-01"},
			{"compare=previous&interval=day", "2025-12-01", "2026-01-01", "2025-10-31", "2025-12-01"},
			{"compare=previous", "2025-12-02", "2025-12-10", "2025-11-24", "2025-12-02"},
			{"compare=2025-10-20/2025-11-20", "2025-12-02", "2025-12-10", "2025-10-20", "2025-11-20"},
			{"compare=2025-10-19T15:00:00Z/2025-11-20T00:00:00%%2B09:00", "2025-12-02", "2025-12-10", "2025-10-20", "2025-11-20"},
		} {
			got := s.scores(c.query+"&group_by=attributes.agent&level=0.9&from=%s&to=%s", c.from, c.to)
			want, err := scoring.Compare([]scoring.Cell{{Measure: npsMeasure, Histogram: in(c.from, c.to, nil)}}, []scoring.Cell{{Measure: npsMeasure, Histogram: in(c.beforeFrom, c.beforeTo, nil)}}, 0.9)
			if err != nil {
				t.Fatal(err)
			}
			got.wantAt("comparison.from", survey.InstantOf(midnight(t, c.beforeFrom, "Asia/Tokyo")).String()).wantAt("comparison.to", survey.InstantOf(midnight(t, c.beforeTo, "Asia/Tokyo")).String()).
				wantNumber("comparison.score", *want.Score).wantNumber("comparison.difference", *want.Difference).wantNumber("comparison.z", *want.Z).
				wantNumber("comparison.p_value", *want.PValue).wantAt("comparison.significant", want.Significant).wantAt("notes", nil)
			for i, g := range got.list("groups") {
				of := func(a told) bool { return a.agent == g["key"] }
				before := in(c.beforeFrom, c.beforeTo, of)
				got.wantNumber(fmt.Sprintf("groups[%d].comparison.responses", i), float64(before.N()))
				if mine, err := scoring.Compare([]scoring.Cell{{Measure: npsMeasure, Histogram: in(c.from, c.to, of)}}, []scoring.Cell{{Measure: npsMeasure, Histogram: before}}, 0.9); err != nil {
					t.Fatal(err)
				} else if mine != nil {
					got.wantNumber(fmt.Sprintf("groups[%d].comparison.difference", i), *mine.Difference)
				}
			}
		}
		if notes := s.scores("from=2025-12-01&to=2026-01-01&compare=2025-11-15/2025-12-15").at("notes"); notes == nil {
			t.Error("nothing is said of ranges that overlap")
		}
		s.scores("from=2025-12-01&to=2025-12-01&compare=previous&interval=day").wantAt("metric", "nps").wantAt("total.responses", 0.0).wantAt("periods[0]", nil).wantAt("comparison.responses", 0.0)
		s.scores("from=2025-12-01&to=2026-01-01&compare=2020-01-01/2020-02-01").wantAt("comparison.score", nil).wantAt("comparison.difference", nil).
			wantAt("comparison.responses", 0.0).wantAt("comparison.significant", false)
	})
}

// Rates are of those who were sent an invitation in the range.
func TestRatesOfScores(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		s.survey("chat", `"rules":{"quiet_period":"0s"}`)
		s.scores("metric=nps").wantAt("rates.invited", 0.0).wantAt("rates.response_rate", nil).wantAt("rates.comment_rate", nil)
		for i := range 4 {
			token := s.token("chat", fmt.Sprintf(`{"external_id":"c-%d"}`, i))
			if i < 3 {
				s.open(token).want(200)
			}
			if i < 2 {
				s.answer(token, "step=score&score=9").want(200)
			}
			if i < 1 {
				s.answer(token, "step=questions&q_praise=Quick").want(200)
			}
		}
		s.answered("chat", 3, ``) // nobody was asked for it
		s.scores("metric=nps").wantAt("total.responses", 3.0).wantAt("rates.invited", 4.0).wantAt("rates.delivered", 4.0).wantAt("rates.answered", 2.0).
			wantAt("rates.response_rate", 50.0).wantAt("rates.comment_rate", 50.0)
		s.scores("metric=nps&from=2026-11-23").wantAt("rates.invited", 0.0)
		s.scores("metric=nps&from=2026-11-22&to=2026-11-23&timezone=America/New_York").wantAt("rates.invited", 4.0)
		s.scores("metric=nps&tag=x").wantAt("rates", nil)
	})
}

// The CSV of a report says what its JSON says.
func TestScoresAsCSV(t *testing.T) {
	s := newServer(t)
	s.many(60)
	const query = "from=2025-11-01&to=2026-01-01&interval=month&group_by=attributes.agent&compare=previous"
	report := s.scores(query)
	rows := s.scores(query + "&format=csv").sheet()
	accepted := s.do("GET", "/v1/scores?"+query, nil, with("Accept", "text/csv")).want(200)
	if !reflect.DeepEqual(accepted.sheet(), rows) || accepted.header.Get("Content-Disposition") != `attachment; filename="scores.csv"` {
		t.Errorf("%s", accepted.body)
	}
	wantRow := func(row map[string]string, of any) {
		t.Helper()
		object, _ := of.(map[string]any)
		for name, value := range object {
			switch v := value.(type) {
			case float64:
				if got := row[name]; got != fmt.Sprint(v) {
					var n float64
					if _, err := fmt.Sscan(got, &n); err != nil || n != v {
						t.Errorf("%s is %q instead of %v", name, got, v)
					}
				}
			case string:
				if got := strings.TrimPrefix(row[name], "'"); got != v {
					t.Errorf("%s is %q instead of %q", name, got, v)
				}
			case nil:
				if row[name] != "" {
					t.Errorf("%s is %q instead of nothing", name, row[name])
				}
			}
		}
	}
	wantRow(rows[0], report.at("total"))
	all := append(report.list("periods"), report.list("groups")...)
	if len(rows) != 1+len(all) {
		t.Fatalf("%d rows", len(rows))
	}
	for i, of := range all {
		wantRow(rows[i+1], of)
		counts, _ := of["counts"].(map[string]any)
		wantRow(rows[i+1], counts)
	}
	comparison, _ := report.at("comparison").(map[string]any)
	if fmt.Sprint(comparison["difference"]) != rows[0]["difference"] {
		t.Errorf("compared %v, %v", comparison, rows[0])
	}
}

func TestFormatsOfReports(t *testing.T) {
	s := newServer(t)
	s.survey("chat", ``)
	s.answered("chat", 9, ``)
	for accept, want := range map[string]string{"*/*": "application/json", "": "application/json", "application/json": "application/json", "text/csv": "text/csv", "text/*": "text/csv",
		"text/csv;q=0.5, */*;q=0.1": "text/csv", "application/json;q=0.5, text/csv": "text/csv", "text/csv;q=0.2, application/json": "application/json", "text/csv, */*": "application/json",
		"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8": "application/json", "application/json;q=0, */*": "text/csv", "TEXT/CSV; charset=utf-8": "text/csv",
		";;;": "application/json", "image/png": "", "text/csv;q=0": "", "application/json;q=0, text/csv;q=0": ""} {
		for _, path := range []string{"/v1/scores?metric=nps", "/v1/scores/touchpoints", "/v1/surveys/chat/answers"} {
			got := s.do("GET", path, nil, with("Accept", accept))
			if want == "" {
				got.wantProblem(406)
			} else if media, _, _ := strings.Cut(got.want(200).header.Get("Content-Type"), ";"); media != want {
				t.Errorf("%s: Accept %q is answered as %s", path, accept, media)
			}
		}
	}
	s.do("GET", "/v1/scores?metric=nps&format=json", nil, with("Accept", "text/csv")).want(200).wantAt("metric", "nps")
	s.do("GET", "/v1/scores?metric=nps&format=xlsx", nil).wantProblem(422, "format")
	if head := s.do("HEAD", "/v1/scores?metric=nps&format=csv", nil).want(200); head.header.Get("Content-Length") == "0" || len(head.body) > 0 {
		t.Errorf("HEAD: %v", head.header)
	}
}

func TestReportsThatAreRefused(t *testing.T) {
	s := newServer(t)
	s.do("PUT", "/v1/templates/asks", asks).want(201)
	s.survey("asks", `"template":"asks","segments":["agent"]`)
	s.answered("asks", 9, ``)
	const month = "from=2026-01-01&to=2026-02-01&"
	for query, field := range map[string]string{
		"interval=fortnight": "interval", "interval=Month": "interval", "interval=day&from=1970-01-01&to=2080-01-01": "interval", "interval=day&from=1970-01-01&to=2026-01-01T00:00:00Z": "interval",
		"rolling=30d": "rolling", "interval=day&rolling=30": "rolling", "interval=day&rolling=0d": "rolling", "interval=day&rolling=9999d": "rolling",
		"compare=previous": "compare", "compare=previous&from=2026-01-01": "compare", "compare=previous&to=2026-01-01": "compare", "compare=2025-01-01/2025-02-01": "compare",
		month + "compare=before": "compare", month + "compare=2025-01-01": "compare", month + "compare=2025-02-01/2025-01-01": "compare", month + "compare=2025-01-01/2025-01-01": "compare",
		month + "compare=2025-01-01/": "compare", month + "compare=a/b": "compare", "compare=previous&from=1970-01-01&to=9999-12-31": "compare",
		"to=2026-01-01&from=2026-02-01": "from", "timezone=Mars/Olympus": "timezone", "level=2": "level",
		"group_by=month": "group_by", "group_by=attributes.plan": "group_by", "group_by=attributes.": "group_by", "group_by=answers.": "group_by", "group_by=answers.why": "group_by",
		"group_by=answers.clarity": "group_by", "group_by=answers.none": "group_by", "group_by=agent": "group_by", "group_by=attributes." + strings.Repeat("x", 200): "group_by",
		"attributes.plan=pro": "attributes.plan", "locale=-": "locale", "channel=" + strings.Repeat("x", 65): "channel", "tag=" + strings.Repeat("x", 201): "tag",
		"touchpoint=none": "touchpoint", "survey=none": "survey", "metric=none": "metric", "format=svg": "interval", "format=pdf": "format",
	} {
		refused := s.do("GET", "/v1/scores?"+query, nil).wantProblem(422, field)
		if detail := refused.text("errors[0].message"); len(detail) > 300 {
			t.Errorf("%s: %s", query, detail)
		}
	}
	for query, part := range map[string]string{"interval=day&from=1970-01-01&to=2080-01-01": "2000", "group_by=attributes.plan": `"segments"`, "timezone=Mars/Olympus": "zone",
		"compare=previous&from=2026-01-01": "from and to", "group_by=month": "attributes.NAME"} {
		if detail := s.do("GET", "/v1/scores?"+query, nil).text("detail"); !strings.Contains(detail, part) {
			t.Errorf("%s: %s", query, detail)
		}
	}
	for _, query := range []string{"by=month", "compare=previous&compare=previous", "limit=3", "attributes.=1"} {
		s.do("GET", "/v1/scores?"+query, nil).wantProblem(400)
	}
	for _, query := range []string{"group_by=touchpoint", "interval=day", "touchpoint=asks"} {
		s.do("GET", "/v1/scores/touchpoints?"+query, nil).wantProblem(400)
	}
	s.do("GET", "/v1/scores/touchpoints?compare=previous", nil).wantProblem(422, "compare")
	s.do("GET", "/v1/scores/touchpoints?attributes.plan=pro", nil).wantProblem(422, "attributes.plan")
}

func TestScoreboard(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		s.do("GET", "/v1/scores/touchpoints", nil).want(200).wantAt("data[0]", nil).wantAt("source", "tallies")
		s.survey("shop", `"touchpoint":"shop","name":"Shop","template":"csat"`)
		s.survey("thumbs", `"touchpoint":"shop","template":"csat-thumbs"`)
		s.survey("chat", ``)
		s.survey("effort", `"template":"ces-effort"`)
		s.survey("ease", `"template":"ces"`)
		s.survey("idle", `"touchpoint":"idle"`)
		now := map[string]scoring.Histogram{"shop": {0, 1, 0, 1, 1, 5}, "thumbs": {1, 3}, "chat": {0, 0, 1, 0, 0, 0, 0, 1, 0, 4, 2}, "effort": {0, 3, 1}, "ease": {0, 0, 0, 1, 0, 0, 2, 2}}
		for key, h := range now {
			for score, n := range h {
				for range n {
					s.answered(key, score, `,"responded_at":"2026-02-10T00:00:00Z","locale":"ja"`)
				}
			}
		}
		for _, score := range []int{1, 2, 9} {
			s.answered("chat", score, `,"responded_at":"2026-01-10T00:00:00Z"`)
		}
		s.answered("idle", 9, `,"responded_at":"2026-01-10T00:00:00Z"`)
		measures := []struct {
			touchpoint, survey string
			measure            scoring.Measure
		}{{"chat", "chat", npsMeasure}, {"chat", "effort", scoring.DefaultMeasure(scoring.CES, 1, 5, 1)}, {"chat", "ease", scoring.DefaultMeasure(scoring.CES, 1, 7, 2)},
			{"shop", "thumbs", scoring.DefaultMeasure(scoring.CSAT, 0, 1, 0)}, {"shop", "shop", scoring.DefaultMeasure(scoring.CSAT, 1, 5, 0)}}
		board := s.do("GET", "/v1/scores/touchpoints?from=2026-02-01&to=2026-03-01", nil).want(200).wantAt("source", "tallies").wantAt("timezone", "Asia/Tokyo").wantAt("data[5]", nil)
		for i, m := range measures {
			at := fmt.Sprintf("data[%d]", i)
			board.wantAt(at+".touchpoint", m.touchpoint).wantAt(at+".metric", string(m.measure.Metric)).wantAt(at+".measure", m.measure.Key()).
				wantScore(at+".total", m.measure, now[m.survey], 0.95).wantAt(at+".comparison", nil)
		}
		compared := s.do("GET", "/v1/scores/touchpoints?from=2026-02-01&to=2026-03-01&compare=previous&level=0.9", nil).want(200).
			wantAt("data[0].comparison.responses", 3.0).wantAt("data[0].comparison.from", "2025-12-31T15:00:00.000Z").wantAt("data[3].touchpoint", "idle").
			wantAt("data[3].total.score", nil).wantAt("data[3].comparison.score", 100.0).wantAt("data[4].comparison.difference", nil).wantAt("data[0].total.interval.level", 0.9)
		direct := s.scores("metric=nps&touchpoint=chat&from=2026-02-01&to=2026-03-01&compare=previous&level=0.9")
		if !reflect.DeepEqual(direct.at("comparison"), compared.at("data[0].comparison")) || !reflect.DeepEqual(direct.at("total"), compared.at("data[0].total")) {
			t.Errorf("%s\n%s", direct.body, compared.body)
		}
		s.do("GET", "/v1/scores/touchpoints?metric=ces&ces_version=1", nil).want(200).wantAt("data[0].measure", "1-5").wantAt("data[0].total.direction", "lower_is_better").wantAt("data[1]", nil)
		s.do("GET", "/v1/scores/touchpoints?survey=chat&locale=ja", nil).want(200).wantAt("data[0].total.responses", 8.0).wantAt("data[1]", nil)
		s.do("GET", "/v1/scores/touchpoints?timezone=America/New_York&from=2026-02-09&to=2026-02-10", nil).want(200).wantAt("source", "rows").wantAt("data[0].total.responses", 8.0)
		rows := s.do("GET", "/v1/scores/touchpoints?from=2026-02-01&to=2026-03-01&format=csv", nil).want(200).sheet()
		if len(rows) != 5 || rows[0]["touchpoint"] != "chat" || rows[0]["responses"] != "8" || rows[3]["measure"] != "0-1" || rows[3]["score"] != "75" {
			t.Errorf("%v", rows)
		}
	})
}

// Every question is summarised: what was chosen, rated and said, and the score
// that went with it.
func TestSurveyAnswers(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		s.do("PUT", "/v1/templates/asks", asks).want(201)
		id := s.survey("asks", `"template":"asks","segments":["agent"]`)
		empty := s.do("GET", "/v1/surveys/asks/answers", nil).want(200).wantAt("survey_id", id).wantAt("responses", 0.0).wantAt("questions[0].key", "topic").
			wantAt("questions[0].responses", 0.0).wantAt("questions[0].options[1].count", 0.0).wantAt("questions[0].options[1].share", nil).wantAt("questions[2].mean", nil)
		if empty.at("questions[0].options[0].score.counts") == nil {
			t.Errorf("%s", empty.body)
		}
		for _, a := range []struct {
			score           int
			at, answers, by string
		}{
			{9, "2026-01-10T00:00:00Z", `{"topic":"speed","topics":["speed","price"],"clarity":5,"why":"Gut","contact":true}`, "Kim"},
			{3, "2026-01-31T15:00:00Z", `{"topic":"price","topics":["price"],"clarity":2,"contact":false}`, "Kim"},
			{10, "2026-02-10T12:00:00Z", `{"topic":"speed","clarity":4}`, "李"},
			{7, "2026-02-11T00:00:00Z", `{}`, "李"},
		} {
			s.answered("asks", a.score, fmt.Sprintf(`,"responded_at":%q,"answers":%s,"attributes":{"agent":%q},"locale":"ja"`, a.at, a.answers, a.by))
		}
		speed, price := scoring.Histogram{9: 1, 10: 1}, scoring.Histogram{3: 1, 9: 1}
		all := s.do("GET", "/v1/surveys/"+id+"/answers", nil).want(200).wantAt("source", "tallies").wantAt("timezone", "Asia/Tokyo").wantAt("responses", 4.0).
			wantAt("questions[0].type", "choice").wantAt("questions[0].text", "Topic?").wantAt("questions[0].responses", 3.0).wantAt("questions[0].multiple", false).
			wantAt("questions[0].options[0].key", "speed").wantAt("questions[0].options[0].count", 2.0).wantNumber("questions[0].options[0].share", 200/3.0).
			wantAt("questions[0].options[0].interval.method", "wilson").wantScore("questions[0].options[0].score", npsMeasure, speed, 0.95).
			wantAt("questions[1].multiple", true).wantAt("questions[1].responses", 2.0).wantAt("questions[1].options[1].count", 2.0).
			wantScore("questions[1].options[1].score", npsMeasure, price, 0.95).
			wantAt("questions[2].type", "rating").wantAt("questions[2].responses", 3.0).wantNumber("questions[2].mean", 11/3.0).wantAt("questions[2].distribution[4].count", 1.0).
			wantAt("questions[2].scale.max", 5.0).wantAt("questions[3].type", "text").wantAt("questions[3].responses", 1.0).wantAt("questions[4].type", "consent").
			wantAt("questions[4].responses", 2.0).wantAt("questions[5]", nil)
		// the same, counted from rows
		rows := s.do("GET", "/v1/surveys/asks/answers?locale=ja", nil).want(200).wantAt("source", "rows")
		if !reflect.DeepEqual(rows.at("questions"), all.at("questions")) {
			t.Errorf("%s\n%s", all.body, rows.body)
		}
		s.do("GET", "/v1/surveys/asks/answers?from=2026-02-01&to=2026-02-11", nil).want(200).wantAt("responses", 2.0).wantAt("questions[0].responses", 2.0).wantAt("from", "2026-01-31T15:00:00.000Z")
		s.do("GET", "/v1/surveys/asks/answers?from=2026-02-01&timezone=America/New_York", nil).want(200).wantAt("source", "rows").wantAt("responses", 2.0).wantAt("questions[0].responses", 1.0)
		s.do("GET", "/v1/surveys/asks/answers?attributes.agent=Kim&level=0.8", nil).want(200).wantAt("responses", 2.0).wantAt("questions[1].responses", 2.0).wantAt("questions[0].options[0].interval.level", 0.8)
		sheet := s.do("GET", "/v1/surveys/asks/answers?format=csv", nil).want(200).sheet()
		if len(sheet) != 5+2+2+5 || sheet[1]["key"] != "speed" || sheet[1]["count"] != "2" || sheet[1]["responses"] != "2" || sheet[6]["rating_mean"] != fmt.Sprint(all.number("questions[2].mean")) {
			t.Errorf("%v", sheet)
		}
		s.do("GET", "/v1/surveys/none/answers", nil).wantProblem(404)
		s.do("GET", "/v1/surveys/asks/answers?attributes.plan=pro", nil).wantProblem(422, "attributes.plan")
		s.do("GET", "/v1/surveys/asks/answers?from=2026-03-01&to=2026-02-11", nil).wantProblem(422, "from")
		for _, query := range []string{"compare=previous", "interval=day", "survey=asks", "group_by=locale"} {
			s.do("GET", "/v1/surveys/asks/answers?"+query, nil).wantProblem(400)
		}
	})
}

// A segment that is declared later is counted for the answers that are there:
// by rows at first, then from tallies, with the same figures.
func TestASegmentThatIsDeclaredLater(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		answers := s.many(40)
		s.scores("group_by=attributes.agent").wantAt("source", "tallies")
		for i, a := range answers[:10] {
			s.answered("asks", a.score, fmt.Sprintf(`,"attributes":{"plan":%q}`, []string{"pro", "team"}[i%2]))
		}
		s.do("GET", "/v1/scores?metric=nps&group_by=attributes.plan", nil).wantProblem(422, "group_by")
		s.do("PATCH", "/v1/surveys/asks", `{"segments":["agent","plan"]}`).want(200)
		meanwhile := s.scores("group_by=attributes.plan").wantAt("source", "rows").wantAt("rebuilding", true).wantAt("groups[0].key", "").wantAt("groups[1].responses", 5.0)
		board := s.do("GET", "/v1/scores/touchpoints", nil).want(200).wantAt("rebuilding", true)
		s.rebuilt()
		after := s.scores("group_by=attributes.plan").wantAt("source", "tallies").wantAt("rebuilding", nil)
		if !reflect.DeepEqual(after.at("groups"), meanwhile.at("groups")) || !reflect.DeepEqual(after.at("total"), board.at("data[0].total")) {
			t.Errorf("%s\n%s\n%s", meanwhile.body, after.body, board.body)
		}
	})
}
