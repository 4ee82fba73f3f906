package api_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
)

// answered posts an answer that was taken elsewhere and returns its id.
func (s *server) answered(survey string, score int, fields string) string {
	s.t.Helper()
	return s.do("POST", "/v1/responses", fmt.Sprintf(`{"survey_id":%q,"score":%d%s}`, survey, score, fields)).want(201).text("id")
}

func TestPostingAnswers(t *testing.T) {
	s := newServer(t)
	id := s.survey("after", `"template":"csat","segments":["plan"]`)
	least := s.do("POST", "/v1/responses", `{"survey_id":"after","score":5}`).want(201).wantAt("survey_id", id).wantAt("touchpoint", "chat").wantAt("metric", "csat").wantAt("score", 5.0).
		wantAt("comment", nil).wantAt("locale", "en").wantAt("channel", "api").wantAt("customer", nil).wantAt("invitation_id", nil).wantAt("template.version", 1.0).
		wantAt("responded_at", "2026-11-22T09:30:00.000Z").wantAt("complete", true).wantAt("tags[0]", nil)
	full := s.do("POST", "/v1/responses", `{"survey_id":"`+id+`","score":2,"answers":{"improve":" Slow.\r\n遅い 😞 ","topic":["speed","price","speed"],"contact":false},
		"comment":"Slow.\n遅い 😞","customer":{"external_id":"c-1","email":"Ana@Example.com","locale":"ja"},"attributes":{"plan":"pro","vip":true,"n":1.50,"x":null},
		"channel":"kiosk","responded_at":"2026-01-31T23:59:59.999+09:00","external_id":"r-1"}`).want(201).
		wantAt("comment", "Slow.\n遅い 😞").wantAt("answers.improve", "Slow.\n遅い 😞").wantAt("answers.topic[1]", "price").wantAt("answers.topic[2]", nil).wantAt("answers.contact", false).
		wantAt("locale", "ja").wantAt("channel", "kiosk").wantAt("customer.email", "ana@example.com").wantAt("attributes.vip", true).
		wantAt("responded_at", "2026-01-31T14:59:59.999Z").wantAt("external_id", "r-1")
	for _, r := range []response{least, full} {
		if shown := s.do("GET", "/v1/responses/"+r.text("id"), nil).want(200); string(shown.body) != string(r.body) {
			t.Errorf("shown as %s, made as %s", shown.body, r.body)
		}
	}
	// a comment by itself answers the first text question that this score sees
	s.do("POST", "/v1/responses", `{"survey_id":"after","score":5,"comment":"Kind"}`).want(201).wantAt("answers.praise", "Kind").wantAt("answers.improve", nil)
	// the same external id of a survey is kept once
	repeat := `{"survey_id":"after","score":4,"external_id":"r-1"}`
	for range 2 {
		s.do("POST", "/v1/responses", repeat, once("k")).want(200).wantAt("id", full.at("id")).wantAt("score", 2.0)
	}
	s.do("POST", "/v1/responses", repeat).want(200).wantAt("id", full.at("id"))
	s.survey("other", `"touchpoint":"shop"`)
	s.do("POST", "/v1/responses", `{"survey_id":"other","score":4,"external_id":"r-1"}`).want(201)
	for range 2 {
		got := s.do("POST", "/v1/responses", `{"survey_id":"other","score":0}`, once("k2")).want(201)
		if n := len(ids(s.do("GET", "/v1/responses?survey=other&score_max=0", nil))); n != 1 {
			t.Errorf("%d responses after %v", n, got.header)
		}
	}
	for _, path := range []string{"0190a1b2-0000-7000-8000-000000000000", "x", "%ff", strings.ToUpper(full.text("id"))} {
		s.do("GET", "/v1/responses/"+path, nil).wantProblem(404)
	}
}

// A JSON number that is whole is a whole number, however it is written.
func TestWholeScoresInOtherNotations(t *testing.T) {
	s := newServer(t)
	s.survey("nps", ``)
	for written, score := range map[string]float64{"9.0": 9, "10.0": 10, "1e1": 10, "0.0": 0, "-0": 0, "70e-1": 7, "9": 9} {
		got := s.do("POST", "/v1/responses", `{"survey_id":"nps","score":`+written+`}`)
		got.request += " " + written
		got.want(201).wantAt("score", score)
	}
	s.do("POST", "/v1/responses", `{"survey_id":"nps","score":6.5}`).wantProblem(422, "score").wantAt("errors[0].code", "type").
		wantAt("errors[0].message", "must be a whole number")
	s.do("POST", "/v1/responses", `{"survey_id":"nps","score":1e400}`).wantProblem(422, "score").wantAt("errors[0].message", "is a number out of range")
	s.do("POST", "/v1/responses", `{"survey_id":"nps","score":1e300}`).wantProblem(422, "score").wantAt("errors[0].message", "is a number out of range")
	s.do("POST", "/v1/responses", `{"survey_id":"nps"}`).wantProblem(422, "score").wantAt("errors[0].code", "required")
	s.do("POST", "/v1/responses", `{"score":9}`).wantProblem(422, "survey_id").wantAt("errors[0].code", "required")
}

func TestAnswersThatAreRefused(t *testing.T) {
	s := newServer(t)
	s.survey("nps", ``)
	s.survey("csat", `"template":"csat"`)
	s.survey("thumbs", `"template":"csat-thumbs"`)
	for body, fields := range map[string]string{
		`{}`: "survey_id", `{"score":5}`: "survey_id", `{"survey_id":"","score":5}`: "survey_id", `{"survey_id":null,"score":5}`: "survey_id", `{"survey_id":5,"score":5}`: "survey_id",
		`{"survey_id":"none","score":5}`:                                 "survey_id",
		`{"survey_id":"0190a1b2-0000-7000-8000-000000000000","score":5}`: "survey_id",
		`{"survey_id":"nps"}`:                                            "score", `{"survey_id":"nps","score":null}`: "score", `{"survey_id":"nps","score":11}`: "score", `{"survey_id":"nps","score":-1}`: "score",
		`{"survey_id":"csat","score":0}`: "score", `{"survey_id":"csat","score":6}`: "score", `{"survey_id":"thumbs","score":2}`: "score",
		`{"survey_id":"nps","score":6.5}`: "score", `{"survey_id":"nps","score":"9"}`: "score", `{"survey_id":"nps","score":true}`: "score", `{"survey_id":"nps","score":[9]}`: "score",
		`{"survey_id":"nps","score":1e400}`: "score", `{"survey_id":"nps","score":99999999999999999999}`: "score", `{"survey_id":"nps","score":-0.5}`: "score",
		`{"survey_id":"nps","score":9,"answers":{"colour":"red"}}`:                               "answers.colour",
		`{"survey_id":"nps","score":9,"answers":{"score":9}}`:                                    "answers.score",
		`{"survey_id":"nps","score":9,"answers":{"praise":5}}`:                                   "answers.praise",
		`{"survey_id":"nps","score":9,"answers":{"topic":"none"}}`:                               "answers.topic",
		`{"survey_id":"nps","score":9,"answers":{"topic":["speed",5]}}`:                          "answers.topic",
		`{"survey_id":"nps","score":9,"answers":{"topic":{"speed":true}}}`:                       "answers.topic",
		`{"survey_id":"nps","score":9,"answers":{"contact":"yes"}}`:                              "answers.contact",
		`{"survey_id":"nps","score":9,"answers":[]}`:                                             "answers",
		`{"survey_id":"nps","score":9,"answers":{"praise":"a"},"comment":"b"}`:                   "comment",
		`{"survey_id":"nps","score":9,"comment":5}`:                                              "comment",
		`{"survey_id":"nps","score":9,"comment":"` + strings.Repeat("長", 10_001) + `"}`:          "comment",
		`{"survey_id":"nps","score":9,"customer":{"email":""}}`:                                  "customer.email",
		`{"survey_id":"nps","score":9,"attributes":{"a":{}}}`:                                    "attributes.a",
		`{"survey_id":"nps","score":9,"locale":"??"}`:                                            "locale",
		`{"survey_id":"nps","score":9,"channel":"a\nb"}`:                                         "channel",
		`{"survey_id":"nps","score":9,"responded_at":"2026-11-23T09:30:01Z"}`:                    "responded_at",
		`{"survey_id":"nps","score":9,"responded_at":"soon"}`:                                    "responded_at",
		`{"survey_id":"nps","score":9,"external_id":"` + strings.Repeat("x", 256) + `"}`:         "external_id",
		`{"survey_id":"nps","score":11,"locale":"??","customer":{"email":""},"answers":{"x":1}}`: "score answers.x customer.email locale",
	} {
		got := s.do("POST", "/v1/responses", body)
		got.request = body[:min(len(body), 100)]
		got.wantProblem(422, strings.Fields(fields)...)
	}
	s.do("POST", "/v1/responses", `{"survey_id":"nps","score":9,"comment":"a\u0000b"}`).wantProblem(400, "comment")
	s.do("POST", "/v1/responses", `{"survey_id":"nps","score":9,"answers":{"praise":"a\u0000b"}}`).wantProblem(400, "answers.praise")
	s.do("POST", "/v1/responses", `{"survey_id":"nps","score":9,"score":0}`).wantProblem(400, "score")
	s.do("POST", "/v1/responses", `{"survey_id":"nps","score":9,"tags":["x"]}`).wantProblem(400, "tags")
	s.do("POST", "/v1/responses", "{\"survey_id\":\"nps\",\"score\":9,\"comment\":\"\xff\"}").wantProblem(400)
	s.do("POST", "/v1/responses", `{"survey_id":"nps","score":9,"comment":"`+strings.Repeat("a", 1<<20)+`"}`).wantProblem(413)
	if n := s.count("responses") + s.count("tallies") + s.count("people"); n != 0 {
		t.Errorf("%d rows were kept", n)
	}
}

// hostile texts come out as they went in.
var hostile = []string{"とても良い。また利用します", "👍🏽👨‍👩‍👧‍👦 \U0001F1EF\U0001F1F5", "שלום <b>עולם</b> \u202Eabc\u202C", `'; DROP TABLE responses; --`, `"quotes" \ back\\slash`,
	"=cmd|' /C calc'!A0", "{{.Name}} {{name}} ${x} %s %d %%", "<script>alert(1)</script>", "a\tb\nc", "e\u0301", strings.Repeat("長", 10_000), "\u200b", "_%!"}

func TestTextsAreKept(t *testing.T) {
	s := newServer(t)
	s.survey("nps", ``)
	for _, text := range hostile {
		want := strings.ReplaceAll(text, "e\u0301", "é")
		got := s.do("POST", "/v1/responses", map[string]any{"survey_id": "nps", "score": 9, "comment": text, "customer": map[string]any{"external_id": strings.Map(oneLine, text[:min(len(text), 60)])}}).want(201)
		got.request = text[:min(len(text), 40)]
		got.wantAt("comment", want).wantAt("answers.praise", want)
		s.do("GET", "/v1/responses/"+got.text("id"), nil).want(200).wantAt("comment", want)
		if len(text) < 150 {
			if found := ids(s.do("GET", "/v1/responses?q="+url.QueryEscape(text), nil)); len(found) != 1 || found[0] != got.text("id") {
				t.Errorf("%q: found %v", text, found)
			}
		}
	}
}

// oneLine drops what an id cannot have.
func oneLine(r rune) rune {
	if r < ' ' || r == '\uFFFD' {
		return -1
	}
	return r
}

func TestResponsesByFilter(t *testing.T) {
	s := newServer(t)
	nps := s.survey("nps", `"segments":["agent"]`)
	s.survey("csat", `"template":"csat","touchpoint":"shop"`)
	a := s.answered("nps", 9, `,"comment":"Sehr ÄRGERLICH, 100% late_ness!","locale":"de","responded_at":"2026-11-01T00:00:00Z","attributes":{"agent":"Kim","vip":true,"n":1.50,"q":"say \"hi\" <b>"}`)
	b := s.answered("nps", 0, `,"responded_at":"2026-11-02T00:00:00Z","attributes":{"agent":"金 さん","vip":"true","n":"1.5","a.b":"x"}`)
	c := s.answered("csat", 5, `,"comment":"おそい 100 lateXness","responded_at":"2026-11-03T00:00:00Z","locale":"ja","attributes":{"agent":"100%","vip":false}`)
	for query, want := range map[string][]string{
		"":           {c, b, a},
		"survey=nps": {b, a}, "survey=" + nps: {b, a}, "survey=csat": {c}, "touchpoint=chat": {b, a}, "touchpoint=shop": {c}, "metric=nps": {b, a}, "metric=csat": {c}, "metric=ces": nil,
		"score_min=5": {c, a}, "score_max=5": {c, b}, "score_min=5&score_max=5": {c}, "score_min=6&score_max=5": nil, "score_min=0&score_max=10": {c, b, a},
		"from=2026-11-02T00:00:00Z": {c, b}, "to=2026-11-02T00:00:00Z": {a}, "from=2026-11-02&to=2026-11-03": {b}, // days in Tokyo
		"locale=ja": {c}, "locale=de": {a}, "locale=fr": nil, "has_comment=true": {c, a}, "has_comment=false": {b}, "tag=x": nil, "tag=%25": nil, "tag=%22": nil,
		"q=late": {c, a}, "q=late_ness": {a}, "q=100%25": {a}, "q=100": {c, a}, "q=%25": {a}, "q=_": {a}, "q=!": {a}, "q=おそ": {c}, "q='": nil, "q=%5C": nil,
		"q=ärgerlich": {a}, "q=ÄRGERLICH": {a}, "q=Ärgerlich": {a}, "q=SEHR+ä": {a}, "q=argerlich": nil,
		"attributes.agent=Kim": {a}, "attributes.agent=kim": nil, "attributes.agent=金+さん": {b}, "attributes.agent=100%25": {c}, "attributes.agent=%25": nil,
		"attributes.vip=true": {b, a}, "attributes.vip=false": {c}, "attributes.vip=1": nil, "attributes.n=1.50": {a}, "attributes.n=1.5": {b}, "attributes.a.b=x": {b}, "attributes.a=x": nil,
		"attributes.q=say+%22hi%22+%3Cb%3E": {a}, "attributes.none=x": nil, "attributes.agent=Kim&attributes.vip=true": {a}, "attributes.agent=Kim&attributes.vip=false": nil,
		"attributes.agent=%27+OR+1%3D1+--": nil, "survey=nps&score_min=1&has_comment=true&q=LATE&attributes.vip=true&metric=nps&touchpoint=chat&locale=de": {a},
	} {
		encoded := strings.NewReplacer("金", "%E9%87%91", "さん", "%E3%81%95%E3%82%93", "おそ", "%E3%81%8A%E3%81%9D", "ä", "%C3%A4", "Ä", "%C3%84").Replace(query)
		if got := ids(s.do("GET", "/v1/responses?"+encoded, nil)); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %v instead of %v", query, got, want)
		}
	}
	for query, field := range map[string]string{"survey=none": "survey", "touchpoint=none": "touchpoint", "metric=NPS": "metric", "score_min=11": "score_min", "score_max=-1": "score_max",
		"score_min=6.5": "score_min", "score_min=five": "score_min", "has_comment=yes": "has_comment", "from=2026-11-03&to=2026-11-02": "from", "from=x": "from", "q=": "q",
		"attributes.a%22b=x": "attributes", "attributes.a%27b=x": "attributes", "attributes.%24=x": "attributes", "attributes.a%5B0%5D=x": "attributes", "attributes.agent=": "attributes.agent",
		"attributes." + strings.Repeat("a", 65) + "=x": "attributes", "q=" + strings.Repeat("x", 201): "q", "tag=" + strings.Repeat("x", 201): "tag"} {
		got := s.do("GET", "/v1/responses?"+query, nil)
		got.wantProblem(422, field)
	}
	for _, query := range []string{"attributes.=x", "attributes=x", "colour=x", "score=5", "q=%00", "q=%ff", "attributes.agent=a&attributes.agent=b"} {
		s.do("GET", "/v1/responses?"+query, nil).wantProblem(400)
	}
}

func TestPagesOfResponses(t *testing.T) {
	s := newServer(t)
	s.survey("nps", ``)
	made := map[string]bool{}
	for i := range 6 { // two in each instant
		made[s.answered("nps", i, fmt.Sprintf(`,"responded_at":"2026-11-0%dT00:00:00Z"`, 1+i/2))] = true
	}
	cursor, last := "", ""
	for pages := 0; pages == 0 || cursor != ""; pages++ {
		path := "/v1/responses?limit=4&survey=nps"
		if cursor != "" {
			path += "&cursor=" + cursor
		}
		got := s.do("GET", path, nil).want(200)
		for i, id := range ids(got) {
			at := got.text(fmt.Sprintf("data[%d].responded_at", i))
			if !made[id] || last != "" && at > last {
				t.Errorf("%s of %s comes out of order", id, at)
			}
			delete(made, id)
			last = at
		}
		if pages == 0 { // before, between and behind what was seen
			s.answered("nps", 9, ``)
			s.answered("nps", 9, `,"responded_at":"2026-11-02T12:00:00Z"`)
		}
		cursor, _ = got.at("next_cursor").(string)
		if cursor != "" {
			for _, other := range []string{"/v1/responses?survey=nps&score_min=0", "/v1/responses?", "/v1/invitations?survey=nps", "/v1/responses?survey=nps&attributes.a=b"} {
				s.do("GET", other+"&cursor="+cursor, nil).wantProblem(422, "cursor")
			}
		}
	}
	if len(made) > 0 {
		t.Errorf("never saw %v", made)
	}
}
