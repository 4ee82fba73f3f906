package api_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"koe/scoring"
	"koe/survey"
)

// wantScore compares a score in an answer with what package scoring says of a
// histogram.
func (r response) wantScore(path string, m scoring.Measure, h scoring.Histogram, level float64) response {
	r.t.Helper()
	result, err := scoring.Report([]scoring.Cell{{Measure: m, Histogram: h}}, level)
	if err != nil {
		r.t.Fatal(err)
	}
	text, err := json.Marshal(result)
	if err != nil {
		r.t.Fatal(err)
	}
	var want map[string]any
	if err := json.Unmarshal(text, &want); err != nil {
		r.t.Fatal(err)
	}
	got, _ := r.at(path).(map[string]any)
	for name := range want {
		if !reflect.DeepEqual(got[name], want[name]) {
			r.t.Errorf("%s: %s.%s is %v instead of %v", r.request, path, name, got[name], want[name])
		}
	}
	return r
}

// rebuilt counts everything anew that waits for it, as the scheduler does.
func (s *server) rebuilt() {
	s.t.Helper()
	for more := true; more; {
		var err error
		if more, err = s.store.Rebuild(s.t.Context()); err != nil {
			s.t.Fatal(err)
		}
	}
}

var npsMeasure = scoring.DefaultMeasure(scoring.NPS, 0, 10, 0)

func TestScores(t *testing.T) {
	s := newServer(t)
	chat := s.survey("chat", ``)
	shop := s.survey("shop", `"touchpoint":"shop","name":"Shop ☕"`)
	s.survey("also-shop", `"touchpoint":"shop"`)
	want := map[string]scoring.Histogram{}
	random := rand.New(rand.NewPCG(1, 2))
	for range 60 {
		key, score := []string{"chat", "shop", "also-shop"}[random.IntN(3)], random.IntN(11)
		s.answered(key, score, ``)
		h := want[key]
		h[score]++
		want[key] = h
	}
	all := want["chat"].Add(want["shop"]).Add(want["also-shop"])
	both := want["shop"].Add(want["also-shop"])
	get := func(query string) response { return s.do("GET", "/v1/scores?"+query, nil).want(200) }
	get("metric=nps").wantScore("total", npsMeasure, all, 0.95).wantAt("metric", "nps").wantAt("measure", "0-10").wantAt("definition", npsMeasure.Definition()).
		wantAt("timezone", "Asia/Tokyo").wantAt("source", "tallies").wantAt("from", nil).wantAt("to", nil).wantAt("groups", nil).wantAt("total.reliable", true)
	get("").wantScore("total", npsMeasure, all, 0.95) // there is only one metric
	get("metric=nps&level=0.8").wantScore("total", npsMeasure, all, 0.8)
	get("metric=nps&level=0.999").wantScore("total", npsMeasure, all, 0.999).wantAt("total.interval.level", 0.999)
	get("metric=nps&touchpoint=shop").wantScore("total", npsMeasure, both, 0.95)
	get("metric=nps&survey=shop").wantScore("total", npsMeasure, want["shop"], 0.95)
	get("metric=nps&survey="+shop).wantScore("total", npsMeasure, want["shop"], 0.95)
	get("metric=nps&survey=shop&touchpoint=chat").wantAt("total.responses", 0.0)
	get("metric=nps&group_by=touchpoint").wantScore("total", npsMeasure, all, 0.95).wantAt("groups[0].key", "shop").wantAt("groups[0].name", "Shop").wantScore("groups[0]", npsMeasure, both, 0.95).
		wantAt("groups[1].key", "chat").wantScore("groups[1]", npsMeasure, want["chat"], 0.95).wantAt("groups[2]", nil) // most answers first
	get("metric=nps&group_by=survey&touchpoint=shop").wantAt("groups[1].key", shop).wantAt("groups[1].name", "Shop ☕").wantScore("groups[1]", npsMeasure, want["shop"], 0.95).wantAt("groups[2]", nil)
	get("metric=nps&group_by=survey&survey="+chat).wantScore("groups[0]", npsMeasure, want["chat"], 0.95).wantAt("groups[1]", nil)
	if none := get("metric=csat&group_by=survey"); !strings.Contains(string(none.body), `"groups":[]`) {
		t.Errorf("%s", none.body)
	}
}

func TestScoresWithoutAnswers(t *testing.T) {
	s := newServer(t)
	s.survey("chat", ``)
	for metric, groups := range map[string][]string{"nps": {"promoters", "passives", "detractors"}, "csat": {"satisfied", "neutral", "dissatisfied"}, "ces": {"agree", "neutral", "disagree"}} {
		got := s.do("GET", "/v1/scores?survey=chat&metric="+metric, nil).want(200).wantAt("total.responses", 0.0).wantAt("total.score", nil).wantAt("total.interval", nil).
			wantAt("total.mean", nil).wantAt("total.percent", nil).wantAt("total.reliable", false)
		if !strings.Contains(string(got.body), `"score":null`) {
			t.Errorf("%s", got.body)
		}
		for _, group := range groups {
			got.wantAt("total.counts."+group, 0.0)
		}
	}
}

func TestScoreQueriesThatAreRefused(t *testing.T) {
	s := newServer(t)
	s.survey("chat", ``)
	s.survey("shop", `"touchpoint":"shop","template":"csat"`)
	s.answered("chat", 9, ``)
	s.answered("shop", 5, ``)
	s.do("GET", "/v1/scores?survey=shop", nil).want(200).wantAt("metric", "csat") // only that was measured there
	s.do("GET", "/v1/scores?touchpoint=chat", nil).want(200).wantAt("metric", "nps")
	for query, field := range map[string]string{"": "metric", "group_by=touchpoint": "metric", "metric=NPS": "metric", "metric=nps&touchpoint=none": "touchpoint", "metric=nps&survey=none": "survey",
		"metric=nps&from=2026-12-01&to=2026-11-01": "from", "metric=nps&from=2026-13-01": "from", "metric=nps&to=tomorrow": "to", "metric=nps&from=2026-11-01T00:00:00": "from",
		"metric=nps&timezone=Mars/Olympus": "timezone", "metric=nps&timezone=Local": "timezone", "metric=nps&timezone=%2B09:00": "timezone", "metric=nps&timezone=../../etc/passwd": "timezone",
		"metric=nps&group_by=agent": "group_by", "metric=nps&level=0.5": "level", "metric=nps&level=1": "level", "metric=nps&level=95": "level", "metric=nps&level=NaN": "level", "metric=nps&level=": "level",
		"metric=ces&ces_version=3": "ces_version", "metric=nps&survey=" + strings.Repeat("x", 5000): "survey"} {
		s.do("GET", "/v1/scores?"+query, nil).wantProblem(422, field)
	}
	for _, query := range []string{"metric=nps&by=month", "metric=nps&metric=nps", "limit=1", "metric=nps&attributes.=1", "metric=nps&attributes=1"} {
		s.do("GET", "/v1/scores?"+query, nil).wantProblem(400)
	}
}

func TestSeveralMeasures(t *testing.T) {
	s := newServer(t)
	for key, template := range map[string]string{"five": "csat", "thumbs": "csat-thumbs", "agree": "ces", "effort": "ces-effort"} {
		s.survey(key, `"touchpoint":"t_`+key+`","template":"`+template+`"`)
	}
	for _, score := range []int{5, 4, 3, 1} {
		s.answered("five", score, ``)
	}
	for _, score := range []int{1, 1, 0} {
		s.answered("thumbs", score, ``)
	}
	// satisfied over all, whatever the scale
	s.do("GET", "/v1/scores?metric=csat&group_by=touchpoint", nil).want(200).wantAt("total.responses", 7.0).wantAt("total.counts.satisfied", 4.0).wantAt("total.mean", nil).
		wantAt("total.distribution", nil).wantAt("measure", nil).
		wantScore("groups[0]", scoring.DefaultMeasure(scoring.CSAT, 1, 5, 0), scoring.Histogram{0, 1, 0, 1, 1, 1}, 0.95).
		wantScore("groups[1]", scoring.DefaultMeasure(scoring.CSAT, 0, 1, 0), scoring.Histogram{1, 2}, 0.95)
	if score, ok := s.do("GET", "/v1/scores?metric=csat", nil).at("total.score").(float64); !ok || score < 57.142 || score > 57.143 {
		t.Errorf("CSAT %v", score)
	}
	for _, score := range []int{7, 5, 2} {
		s.answered("agree", score, ``)
	}
	s.do("GET", "/v1/scores?metric=ces", nil).want(200).wantScore("total", scoring.DefaultMeasure(scoring.CES, 1, 7, 2), scoring.Histogram{0, 0, 1, 0, 0, 1, 0, 1}, 0.95)
	for _, score := range []int{1, 2} {
		s.answered("effort", score, ``)
	}
	s.do("GET", "/v1/scores?metric=ces", nil).wantProblem(422, "ces_version")
	s.do("GET", "/v1/scores", nil).wantProblem(422, "metric").wantAt("errors[0].code", "required")
	s.do("GET", "/v1/scores?metric=ces&group_by=touchpoint", nil).wantProblem(422, "ces_version")
	s.do("GET", "/v1/scores?metric=ces&survey=effort", nil).want(200).wantAt("total.direction", "lower_is_better")
	s.do("GET", "/v1/scores?metric=ces&ces_version=1&group_by=touchpoint", nil).want(200).wantAt("groups[1]", nil).
		wantScore("total", scoring.DefaultMeasure(scoring.CES, 1, 5, 1), scoring.Histogram{0, 1, 1}, 0.95)
	s.do("GET", "/v1/scores?metric=ces&ces_version=2", nil).want(200).wantAt("total.responses", 3.0).wantAt("total.direction", nil)
}

// given is one answer at an instant.
type given struct {
	at    time.Time
	score int
}

// countedIn counts answers from one instant up to another by hand.
func countedIn(answers []given, from, to time.Time) (h scoring.Histogram) {
	for _, a := range answers {
		if !a.at.Before(from) && a.at.Before(to) {
			h[a.score]++
		}
	}
	return h
}

// around are answers beside every midnight of a few zones, to the millisecond.
func (s *server) around(key string) (answers []given) {
	for day := range 6 {
		for _, hour := range []time.Duration{0, 15 * time.Hour, 5 * time.Hour, 12 * time.Hour} { // midnight in London, Tokyo, New York; noon
			for _, off := range []time.Duration{-time.Millisecond, 0, time.Millisecond} {
				at := time.Date(2026, 10, 29+day, 0, 0, 0, 0, time.UTC).Add(hour + off)
				score := len(answers) * 7 % 11
				s.answered(key, score, `,"responded_at":"`+at.Format(time.RFC3339Nano)+`"`)
				answers = append(answers, given{at, score})
			}
		}
	}
	return answers
}

func TestRangesOfScores(t *testing.T) {
	s := newServer(t)
	s.survey("chat", ``)
	answers := s.around("chat")
	instant := func(text, zone string) time.Time {
		loc, err := survey.LoadZone(zone)
		if err != nil {
			t.Fatal(err)
		}
		if at, err := time.ParseInLocation("2006-01-02", text, loc); err == nil {
			return at
		}
		at, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	for _, c := range []struct{ from, to, zone, source string }{
		{"2026-10-30", "2026-11-02", "Asia/Tokyo", "tallies"},
		{"2026-10-31", "2026-11-01", "Asia/Tokyo", "tallies"},
		{"2026-10-30T15:00:00Z", "2026-11-01T00:00:00%2B09:00", "Asia/Tokyo", "tallies"},
		{"2026-10-31", "2026-10-31", "Asia/Tokyo", "tallies"},
		{"2026-10-30T15:00:00.001Z", "2026-10-31T15:00:00Z", "Asia/Tokyo", "rows"},
		{"2026-10-30T15:00:00Z", "2026-10-31T14:59:59.999Z", "Asia/Tokyo", "rows"},
		{"2026-10-30", "2026-11-02", "UTC", "rows"},
		{"2026-10-30", "2026-11-02", "America/New_York", "rows"}, // the clocks go back on the 1st
		{"2026-11-01", "2026-11-02", "America/New_York", "rows"},
		{"2026-10-30", "2026-11-02", "Asia/Seoul", "tallies"}, // the same midnights
	} {
		unescaped, err := url.QueryUnescape(c.to)
		if err != nil {
			t.Fatal(err)
		}
		from, to := instant(c.from, c.zone), instant(unescaped, c.zone)
		path := fmt.Sprintf("/v1/scores?metric=nps&group_by=survey&from=%s&to=%s&timezone=%s", c.from, c.to, c.zone)
		got := s.do("GET", path, nil).want(200).wantAt("source", c.source).wantAt("timezone", c.zone).
			wantAt("from", survey.InstantOf(from).String()).wantAt("to", survey.InstantOf(to).String()).wantScore("total", npsMeasure, countedIn(answers, from, to), 0.95)
		if from.Before(to) {
			got.wantScore("groups[0]", npsMeasure, countedIn(answers, from, to), 0.95)
		}
	}
	open := time.Date(2026, 10, 30, 15, 0, 0, 0, time.UTC)
	s.do("GET", "/v1/scores?metric=nps&from=2026-10-31", nil).want(200).wantAt("source", "tallies").wantAt("to", nil).wantScore("total", npsMeasure, countedIn(answers, open, open.AddDate(1, 0, 0)), 0.95)
	s.do("GET", "/v1/scores?metric=nps&to=2026-10-31", nil).want(200).wantAt("from", nil).wantScore("total", npsMeasure, countedIn(answers, time.Time{}, open), 0.95)
}

// A new time zone of the workspace moves answers to their days there, and
// loses none.
func TestANewTimeZoneMovesTheDays(t *testing.T) {
	s := newServer(t)
	s.survey("chat", ``)
	answers := s.around("chat")
	before := s.do("GET", "/v1/scores?metric=nps", nil).want(200).wantAt("total.responses", float64(len(answers)))
	for _, zone := range []string{"America/New_York", "UTC", "Asia/Tokyo", "Pacific/Chatham"} {
		s.do("PATCH", "/v1/workspace", `{"timezone":"`+zone+`"}`).want(200)
		meanwhile := s.do("GET", "/v1/scores?metric=nps", nil).want(200).wantAt("timezone", zone).wantAt("source", "rows").wantAt("rebuilding", true)
		if !reflect.DeepEqual(meanwhile.at("total"), before.at("total")) {
			t.Errorf("%s: meanwhile the total is %v instead of %v", zone, meanwhile.at("total"), before.at("total"))
		}
		s.rebuilt()
		after := s.do("GET", "/v1/scores?metric=nps", nil).want(200).wantAt("timezone", zone).wantAt("source", "tallies").wantAt("rebuilding", nil)
		if !reflect.DeepEqual(after.at("total"), before.at("total")) {
			t.Errorf("%s: the total is %v instead of %v", zone, after.at("total"), before.at("total"))
		}
		loc, err := survey.LoadZone(zone)
		if err != nil {
			t.Fatal(err)
		}
		from, to := time.Date(2026, 10, 31, 0, 0, 0, 0, loc), time.Date(2026, 11, 1, 0, 0, 0, 0, loc)
		s.do("GET", "/v1/scores?metric=nps&from=2026-10-31&to=2026-11-01", nil).want(200).wantAt("source", "tallies").
			wantAt("from", survey.InstantOf(from).String()).wantScore("total", npsMeasure, countedIn(answers, from, to), 0.95)
		// an answer that comes now falls into its day there
		at := from.Add(time.Minute)
		s.answered("chat", 10, `,"responded_at":"`+at.UTC().Format(time.RFC3339Nano)+`"`)
		answers = append(answers, given{at, 10})
		s.do("GET", "/v1/scores?metric=nps&from=2026-10-31&to=2026-11-01", nil).want(200).wantScore("total", npsMeasure, countedIn(answers, from, to), 0.95)
		before = s.do("GET", "/v1/scores?metric=nps", nil)
	}
	s.do("PATCH", "/v1/workspace", `{"timezone":"Nowhere/None"}`).wantProblem(422, "timezone")
	s.do("GET", "/v1/scores?metric=nps", nil).want(200).wantAt("timezone", "Pacific/Chatham").wantAt("total.responses", float64(len(answers)))
}
