package api_test

import (
	"strings"
	"testing"

	"koe/templates/chart"
)

func TestScoreChart(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		s.survey("asked", `"name":"After <b>chat</b>"`)
		for day, scores := range map[string][]int{"2026-01-10": {10, 9, 3}, "2026-03-20": {10, 10, 10, 7}} {
			for _, score := range scores {
				s.answered("asked", score, `,"responded_at":"`+day+`T03:00:00Z"`)
			}
		}
		s.do("POST", "/v1/notes", `{"day":"2026-03-12","text":"新しい & <購入>画面"}`).want(201)
		s.do("POST", "/v1/notes", `{"day":"2027-03-12","text":"too late"}`).want(201)
		const query = "/v1/scores?touchpoint=chat&interval=month&from=2026-01-01&to=2026-05-01&format=svg"
		got := s.do("GET", query+"&width=360&target=50", nil).want(200)
		if got.header.Get("Content-Type") != "image/svg+xml" || got.header.Get("Content-Security-Policy") != chart.Policy() || got.header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("headers %v", got.header)
		}
		svg := string(got.body)
		for _, want := range []string{`width="360"`, "From Jan 2026 to Apr 2026 (Asia/Tokyo)", "Periods: 4, 2 of them without answers", "First: 33 in Jan 2026 (n = 3, interval",
			"Last: 75 in Mar 2026 (n = 4", "Target 50", "12 Mar 2026: 新しい &amp; &lt;購入&gt;画面", `lang="en"`} {
			if !strings.Contains(svg, want) {
				t.Errorf("does not say %q in\n%s", want, svg)
			}
		}
		if strings.Contains(svg, "too late") {
			t.Error("a note of another year is shown")
		}
		// the words come in the language asked for, else in the browser's
		for language, more := range map[string]string{"ja": "&lang=ja", "en": "&lang=en"} {
			if asked := s.do("GET", query+more, nil, with("Accept-Language", "ja")).want(200); !strings.Contains(string(asked.body), `lang="`+language+`"`) {
				t.Errorf("%s: %.200s", language, asked.body)
			}
		}
		if asked := s.do("GET", query, nil, with("Accept-Language", "ja;q=0.9, de;q=0.1")).want(200); !strings.Contains(string(asked.body), `lang="ja"`) {
			t.Errorf("%.200s", asked.body)
		}
		accepted := s.do("GET", strings.TrimSuffix(query, "&format=svg"), nil, with("Accept", "image/svg+xml")).want(200)
		if accepted.header.Get("Content-Type") != "image/svg+xml" {
			t.Errorf("headers %v", accepted.header)
		}
		none := s.do("GET", strings.ReplaceAll(query, "2026", "2020"), nil).want(200)
		if !strings.Contains(string(none.body), "No answers in this range") {
			t.Errorf("a year without answers: %s", none.body)
		}
		s.do("GET", strings.ReplaceAll(query, "&from=2026-01-01&to=2026-05-01", "&rolling=30d"), nil).want(200)
	})
}

func TestScoreChartRefuses(t *testing.T) {
	s := newServer(t)
	s.survey("asked", "")
	for query, field := range map[string]string{
		"format=svg": "interval",
		"format=svg&interval=month&group_by=survey":                                "group_by",
		"format=svg&interval=month&compare=previous&from=2026-01-01&to=2026-02-01": "compare",
		"format=svg&interval=month&width=5":                                        "width",
		"format=svg&interval=month&lang=de":                                        "lang",
		"format=svg&interval=month&target=1000":                                    "target",
		"format=svg&interval=month&target=NaN":                                     "target",
		"format=svg&interval=month&touchpoint=nowhere":                             "touchpoint",
		"interval=month&width=400":                                                 "width",
		"interval=month&format=csv&lang=ja":                                        "lang",
		"interval=month&format=png":                                                "format",
	} {
		s.do("GET", "/v1/scores?metric=nps&"+query, nil).wantProblem(422, field)
	}
}
