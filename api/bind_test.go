package api_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"koe/survey/store"
)

// Values that JSON's grammar does not know.
var brokenValues = []string{
	// numbers
	`+1`, `-`, `--1`, `01`, `-01`, `00`, `1.`, `.5`, `-.5`, `0.`, `-0.`, `1.e1`, `1e`, `1E`, `1e+`, `1E-`, `0e`, `1e1.5`,
	`1.2.3`, `1e2e3`, `0x1F`, `0b1`, `0o7`, `1_000`, `1,5`, `1 000`, `- 1`, `1-1`, `1+1`, `1/2`, `(1)`, `1%`, `1f`, `1L`, `1n`,
	`1a`, `１`, `½`, `∞`, `1e٣`, `Infinity`, `-Infinity`, `+Infinity`, `inf`, `NaN`, `-NaN`, `nan`, `$1`, `1€`,
	// words
	`True`, `TRUE`, `False`, `Null`, `NULL`, `nul`, `nulll`, `tru`, `truee`, `fals`, `undefined`, `None`, `nil`, `yes`, `a`,
	`true false`, `null null`, `truefalse`, `t`, `new Date()`, `function(){}`,
	// signs
	`*`, `#`, `@`, `/`, `\`, `!`, `?`, `&`, `|`, `~`, `^`, `=`, `:`, `,`, `;`, `.`, `..`, `…`, `'`, "`", `"`, ``, ` `,
	// quotes
	`'a'`, "`a`", `“a”`, `«a»`, `「a」`, `"a`, `a"`, `"a" "b"`, `"a""b"`, `"a"b`, `"a"+"b"`, `'a"`, `"a'`, `r"a"`, `"""a"""`,
	// escapes
	`"\x41"`, `"\a"`, `"\'"`, `"\0"`, `"\ "`, `"\.`, `"\`, `"\"`, `"\\\"`, `"\u"`, `"\u1"`, `"\u12"`, `"\u123"`, `"\u123g"`,
	`"\u 123"`, `"\u+123"`, `"\u00zz"`, `"\U0041"`, `"\u{41}"`, `"\u-041"`, `"\N"`, `"\é"`, `"\🙂"`, `\u0041`, `\n`, "\"\\\n\"", "\"\\\t\"",
	// surrogates without their other half
	`"\ud800"`, `"\udbff"`, `"\udc00"`, `"\udfff"`, `"\ud800\ud800"`, `"\udc00\ud800"`, `"\ud800x"`, `"x\udc00"`, `"\ud83d\u0041"`,
	`"\ud83d\n"`, `"\ud83d \ude00"`, `"\uD83D"`, `"\ud83d\ude"`,
	// control characters as they are
	"\"\t\"", "\"\n\"", "\"\r\"", "\"\x00\"", "\"a\x00b\"", "\"\x01\"", "\"\x08\"", "\"\x0c\"", "\"\x1b[0m\"", "\"\x1f\"", "\x00", "\x1f1",
	// bytes that are not UTF-8
	"\"\xff\"", "\"\xfe\xff\"", "\"\x80\"", "\"\xbf\"", "\"\xc0\xaf\"", "\"\xc1\xbf\"", "\"\xc3\"", "\"\xc3\x28\"", "\"\xe2\x82\"", "\"\xe0\x80\xaf\"",
	"\"\xed\xa0\x80\"", "\"\xed\xbf\xbf\"", "\"\xf0\x28\x8c\x28\"", "\"\xf0\x80\x80\xaf\"", "\"\xf4\x90\x80\x80\"", "\"\xf8\x88\x80\x80\x80\"", "\"caf\xe9\"",
	// lists
	`[`, `]`, `[1`, `[1,`, `[1,]`, `[,1]`, `[,]`, `[,`, `[1 2]`, `[1;2]`, `[1:2]`, `[1,,2]`, `[1,2,,]`, `[[]`, `[]]`, `["a"`, `["a",`, `["a`, `[1}`, `[}`,
	`(1,2)`, `[*]`, `[...]`, `[1,2`, `[[[]]`, `[true,fals]`, `[""`, `<1>`, "[1\x00]", "[\x0b1]",
	// objects
	`{`, `{]`, `{,}`, `{"a"}`, `{"a":}`, `{"a",1}`, `{"a" 1}`, `{"a"::1}`, `{"a":1,}`, `{"a":1,,"b":2}`, `{,"a":1}`, `{a:1}`, `{'a':1}`, `{1:1}`,
	`{null:1}`, `{"a":1 "b":2}`, `{"a":1;"b":2}`, `{"a"=1}`, `{"a"=>1}`, `{"a":1`, `{"a":{`, `{{}}`, `{[]:1}`, `{"a":1]`, `{:1}`, `{"a":"b"`, `{"a`, `{"a":`,
	// comments
	`/*c*/1`, `1/*c*/`, "1//c\n", "//c\n1", "#c\n1", `--c`, `<!--c-->1`,
}

// Documents that JSON's grammar does not know, or that are no object.
var brokenDocuments = []string{
	``, ` `, "\n", "\t\r\n ", `{`, `}`, `{{`, `}}`, `{}}`, `{]`, `[}`, `{"name":"a"`, `{"name":"a"}}`, `{"name":"a"}]`, `{"name":"a"},`,
	`{"name":"a"}{"name":"a"}`, `{"name":"a"} {}`, `{"name":"a"},{"name":"b"}`, `{}[]`, `{} null`, `{}x`, `{} "a"`, `{}1`, "{}\n{}", `{}{`, `{};`, `;{}`, `,{}`,
	"{}\x00", "\x00{}", "{}\x1a", "\f{}", "\v{}", "{}\f", "\x1e{}\n", "{}\x7f",
	"\u00a0{}", "\u2028{}", "\u2029{}", "\u3000{}", "\u200b{}", "{}\u00a0", "{\u00a0}", "{}\u2028", "\u0085{}",
	"\ufeff{\"key\":\"a\",\"name\":\"a\"}", "{}\ufeff", "\ufeff", "\ufeff\ufeff{}", "\xef\xbb{}", "\xef\xbb\xbf",
	"\xff\xfe{\x00}\x00", "\xfe\xff\x00{\x00}", "{\x00}\x00", "\x00{\x00}", "\x00\x00\x00{\x00\x00\x00}",
	`// comment` + "\n{}", `/* comment */{}`, `{}//`, `{}/**/`, "#!/bin/sh\n{}", `{/*c*/}`, "{//c\n}", `{}#`,
	`{name:"a"}`, `{'name':"a"}`, `{"name":'a'}`, `{"name":"a",}`, `{,"name":"a"}`, `{"name","a"}`, `{"name"}`, `{"name":}`, `{"name"="a"}`, `{"name":"a";}`, `{"na` + "\n" + `me":"a"}`,
	"{\"na\x00me\":\"a\"}", "{\"na\xff\":\"a\"}", `{"\ud800":"a"}`, `{"\x":"a"}`, `{"name:"a"}`, `{name":"a"}`, `{"name":"a"`, `{"name":"a`,
	`[]`, `[{}]`, `[{"key":"a","name":"a"}]`, `null`, `true`, `false`, `0`, `-1`, `1e5`, `""`, `"{}"`, `"a"`, `NaN`, `undefined`,
	`key=a&name=a`, `<touchpoint/>`, "---\nkey: a\n", `name`, `a,b`, "key\tname", `)]}',{}`, `callback({})`, `{}.`, `({})`, `data: {}`, `%7B%7D`,
	strings.Repeat("[", 100_000), strings.Repeat(`{"name":`, 100_000), strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000),
	`{"name":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + `}`,
	`{"name":` + strings.Repeat(`{"a":`, 100_000) + `1` + strings.Repeat("}", 100_000) + `}`,
	`{"name":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`,
	`{"name":` + strings.Repeat("[{\"a\":", 50_000) + `}`, strings.Repeat("{", 100_000), strings.Repeat("}", 100_000),
}

func TestBrokenJSONIsMalformed(t *testing.T) {
	s := newServer(t)
	documents := append([]string{}, brokenDocuments...)
	for _, value := range brokenValues {
		documents = append(documents, `{"key":"a","name":`+value+`}`)
	}
	if len(documents) < 300 {
		t.Fatalf("only %d documents", len(documents))
	}
	for _, document := range documents {
		got := s.do("POST", "/v1/touchpoints", document)
		got.request = strings.ToValidUTF8(document[:min(len(document), 60)], "?")
		if got.status != 400 {
			t.Errorf("%q: %d %s", got.request, got.status, got.body)
			continue
		}
		got.wantProblem(400)
		// it was the grammar that was told, not a field that happened to be wrong too
		if got.at("errors") != nil {
			t.Errorf("%q: blames a field: %s", got.request, got.body)
		}
	}
	if list := s.do("GET", "/v1/touchpoints", nil).want(200); list.at("data[0]") != nil {
		t.Errorf("something was stored: %s", list.body)
	}
}

func TestGoodJSONThatKoeRefuses(t *testing.T) {
	s := newServer(t)
	for _, c := range []struct{ path, document, field string }{
		{"/v1/touchpoints", `{"key":"a","name":"a","key":"b"}`, "key"},
		{"/v1/touchpoints", `{"key":"a","name":"a","name":"a"}`, "name"},
		{"/v1/touchpoints", `{"key":"a","k\u0065y":"b","name":"a"}`, "key"},
		{"/v1/touchpoints", `{"key":"a","name":"a","colour":"red"}`, "colour"},
		{"/v1/touchpoints", `{"key":"a","name":"a","":1}`, `""`},
		{"/v1/touchpoints", `{"Key":"a","name":"a"}`, "Key"},
		{"/v1/touchpoints", `{"key":"a","name":"a","__proto__":{}}`, "__proto__"},
		{"/v1/touchpoints", `{"key":"a","name":"a","created_at":"2026-01-01T00:00:00Z"}`, "created_at"},
		{"/v1/touchpoints", `{"key":"a","name":"a\u0000b"}`, "name"},
		{"/v1/touchpoints", `{"key":"\u0000","name":"a"}`, "key"},
		{"/v1/touchpoints", `{"key":"a","name":"a","\u0000":1}`, "\x00"},
		{"/v1/surveys", `{"name":"a","template":"nps","touchpoint":"a","channel":"link","trigger":{"type":"manual"},"rules":{"sample":1,"sample":0}}`, "rules.sample"},
		{"/v1/surveys", `{"name":"a","template":"nps","touchpoint":"a","channel":"link","trigger":{"type":"manual"},"state":"active"}`, "state"},
		{"/v1/surveys", `{"name":"a","template":"nps","touchpoint":"a","channel":"link","trigger":{"type":"schedule"},"cron":"0 9 * * *"}`, "cron"},
		{"/v1/surveys", `{"name":"a","template":"nps","touchpoint":"a","channel":"link","trigger":{"type":"manual","colour":"red"}}`, "trigger.colour"},
		{"/v1/surveys", `{"name":"a","template":"nps","touchpoint":"a","channel":"link","trigger":{"type":"manual"},"rules":{"condition":{"attributes.plan":["a\u0000"]}}}`, "rules.condition.attributes.plan[0]"},
		{"/v1/surveys", `{"name":"a","template":"nps","touchpoint":"a","channel":"link","trigger":{"type":"manual"},"rules":{"condition":{"attributes.plan":{"x":1,"x":2}}}}`, "rules.condition.attributes.plan.x"},
		{"/v1/templates", `{"key":"a","name":"a","metric":"nps","default_locale":"en","questions":[{"key":"score","type":"score","text":{"en":"a","en":"b"}}]}`, "questions[0].text.en"},
		{"/v1/templates", `{"key":"a","name":"a","metric":"nps","default_locale":"en","questions":[{"key":"score","type":"score","scale":{"min":0,"max":10,"step":2},"text":{"en":"a"}}]}`, "questions[0].scale.step"},
		{"/v1/templates", `{"key":"a","name":"a","metric":"nps","default_locale":"en","version":7,"questions":[]}`, "version"},
	} {
		got := s.do("POST", c.path, c.document)
		got.request = c.document
		got.wantProblem(400, c.field)
	}
}

func TestValuesOfTheWrongType(t *testing.T) {
	s := newServer(t)
	template := `{"key":"a","name":"a","metric":"nps","default_locale":"en","questions":[{"key":"score","type":"score","scale":{"min":%,"max":10},"text":{"en":"a"}}]}`
	for document, field := range map[string]string{
		`{"key":"a","name":5}`:                             "name",
		`{"key":"a","name":null}`:                          "name",
		`{"key":"a","name":{}}`:                            "name",
		`{"key":["a"],"name":"a"}`:                         "key",
		`{"key":"a","name":true}`:                          "name",
		strings.Replace(template, "%", `6.5`, 1):           "questions[0].scale.min",
		strings.Replace(template, "%", `"9"`, 1):           "questions[0].scale.min",
		strings.Replace(template, "%", `1e400`, 1):         "questions[0].scale.min",
		strings.Replace(template, "%", `9e99`, 1):          "questions[0].scale.min",
		strings.Replace(template, "%", `true`, 1):          "questions[0].scale.min",
		`{"key":"a","questions":{"key":"score"}}`:          "questions",
		`{"key":"a","mail":"words"}`:                       "mail",
		`{"key":"a","questions":[{"required":"yes"}]}`:     "questions[0].required",
		`{"key":"a","questions":[{"text":"Hello"}]}`:       "questions[0].text",
		`{"key":"a","questions":[{"text":{"en":["a"]}}]}`:  "questions[0].text.en",
		`{"key":"a","thank_you":[{"link":"https://a.b"}]}`: "thank_you[0].link",
	} {
		path := "/v1/templates"
		if !strings.Contains(document, "questions") && !strings.Contains(document, "thank_you") && !strings.Contains(document, "mail") {
			path = "/v1/touchpoints"
		}
		got := s.do("POST", path, document)
		got.request = document
		got.wantProblem(422, field)
	}
}

func TestUnusualJSONIsRead(t *testing.T) {
	s := newServer(t)
	for document, name := range map[string]string{
		" \t\r\n{ \"key\" : \"a1\" ,\n\"name\" : \"a\" } \r\n": "a",
		`{"k\u0065y":"a2","name":"\u0061\/\"\\"}`:              `a/"\`,
		`{"key":"a3","name":"\ud83d\ude00 お客様 עברית"}`:         "😀 お客様 עברית",
		`{"name":"a\\u0000","key":"a4"}`:                       `a\u0000`,
		`{"key":"a5","name":"e\u0301"}`:                        "é",
		`{"key":"a6","name":"\uffff\ufdd0"}`:                   "\uffff\ufdd0",
	} {
		s.do("POST", "/v1/touchpoints", document).want(201).wantAt("name", name)
	}
	s.do("POST", "/v1/touchpoints", `{"key":"a8","name":"a"}`, with("Content-Type", `application/json; charset="UTF-8"`)).want(201)
}

func TestMediaTypes(t *testing.T) {
	s := newServer(t)
	for _, media := range []string{"", "text/plain", "text/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
		"application/json; charset=latin1", "application/jsonp", "application/*", "*/*", "application/xml", "json", "application/json, text/plain",
		"application/merge-patch+json", "application/problem+json", ";", "application/json; charset"} {
		got := s.do("POST", "/v1/touchpoints", `{"key":"a","name":"a"}`, with("Content-Type", media))
		got.request = media
		got.wantProblem(415)
	}
	s.do("POST", "/v1/touchpoints", `{"key":"a","name":"a"}`, with("Content-Encoding", "gzip")).wantProblem(415)
	s.do("POST", "/v1/touchpoints", `{"key":"a","name":"a"}`).want(201)
	s.do("PATCH", "/v1/touchpoints/a", `{"name":"b"}`, with("Content-Type", "application/merge-patch+json")).want(200).wantAt("name", "b")
	s.do("PATCH", "/v1/touchpoints/a", `{"name":"c"}`).want(200).wantAt("name", "c")
}

func TestBodySizes(t *testing.T) {
	s := newServer(t)
	document := func(size int) string {
		head, tail := `{"key":"a","name":"`, `"}`
		return head + strings.Repeat("a", size-len(head)-len(tail)) + tail
	}
	s.do("POST", "/v1/touchpoints", document(2<<20)).wantProblem(413)
	s.do("POST", "/v1/touchpoints", document(1<<20+1)).wantProblem(413)
	s.do("POST", "/v1/touchpoints", document(1<<20)).wantProblem(422, "name") // read, and too long a name
	// one that does not say how long it is
	s.do("POST", "/v1/touchpoints", document(2<<20), unsized).wantProblem(413)
	s.do("POST", "/v1/touchpoints", `{"key":"a","name":"a"}`, unsized).want(201)
}

// Many clients write all of a body before they read. The answer must reach
// them whatever it was that refused it.
func TestAnswersToClientsThatWriteFirst(t *testing.T) {
	s := newServer(t)
	body := bytes.Repeat([]byte("x"), 5<<20)
	good := "POST /v1/touchpoints HTTP/1.1\r\nHost: koe\r\nContent-Type: application/json\r\nAuthorization: Bearer " + s.key + "\r\n"
	sized := fmt.Sprintf("Content-Length: %d\r\n\r\n", len(body))
	chunked := fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n", len(body))
	for _, c := range []struct {
		head, tail string
		status     int
	}{
		{good + sized, "", 413},
		{good + chunked, "\r\n0\r\n\r\n", 413},
		{strings.Replace(good, s.key, "koe_none", 1) + sized, "", 401},
		{strings.Replace(good, s.key, s.newKey(s.workspace, store.Viewer), 1) + sized, "", 403},
		{strings.Replace(good, "/v1/touchpoints", "/v1/none", 1) + sized, "", 404},
		{strings.Replace(good, "/v1/touchpoints", "/s/none", 1) + sized, "", 413},
		{strings.Replace(good, "application/json", "text/plain", 1) + strings.Replace(sized, "5242880", "1000000", 1), "", 415},
	} {
		sent := body
		if c.status == 415 {
			sent = body[:1_000_000]
		}
		connection, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range [][]byte{[]byte(c.head), sent, []byte(c.tail)} {
			if _, err := connection.Write(part); err != nil {
				t.Fatalf("%d: the connection was cut off: %v", c.status, err)
			}
		}
		answer, err := http.ReadResponse(bufio.NewReader(connection), nil)
		if err != nil {
			t.Fatalf("%d: no answer: %v", c.status, err)
		}
		if _, err := io.ReadAll(answer.Body); err != nil || answer.StatusCode != c.status {
			t.Errorf("%d instead of %d, %v", answer.StatusCode, c.status, err)
		}
		_ = answer.Body.Close()
		_ = connection.Close()
	}
}

// A client that asks first need not send what would be refused.
func TestWhoWaitsForContinueIsRefusedAtOnce(t *testing.T) {
	s := newServer(t)
	connection, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = connection.Close() }()
	_, err = fmt.Fprintf(connection, "POST /v1/touchpoints HTTP/1.1\r\nHost: koe\r\nContent-Type: application/json\r\nAuthorization: Bearer %s\r\n"+
		"Expect: 100-continue\r\nContent-Length: 5000000\r\n\r\n", s.key)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != 413 {
		t.Errorf("%d instead of 413", answer.StatusCode)
	}
}

func TestASurveyWithoutAKeySaysSo(t *testing.T) {
	s := newServer(t)
	made := s.do("POST", "/v1/surveys", `{"name":"Chat","template":"nps","touchpoint":"chat","channel":"link","trigger":{"type":"manual"}}`).want(201)
	for _, got := range []response{made, s.do("GET", "/v1/surveys/"+made.text("id"), nil)} {
		if !strings.Contains(string(got.body), `"key":null`) {
			t.Errorf("%s", got.body)
		}
	}
	if list := s.do("GET", "/v1/surveys", nil).want(200); !strings.Contains(string(list.body), `"key":null`) {
		t.Errorf("%s", list.body)
	}
}

func TestMergePatch(t *testing.T) {
	s := newServer(t)
	made := s.do("PUT", "/v1/surveys/chat", `{"name":"Chat","template":"nps","touchpoint":"chat","channel":"link","trigger":{"type":"interaction","delay":"2h"},
		"rules":{"daily_limit":500,"sample":0.25,"reminders":["3d"],"condition":{"attributes.plan":["pro",5,true]}},"segments":["agent"]}`).want(201)
	s.do("PATCH", "/v1/surveys/chat", `{}`).want(200).wantAt("updated_at", made.text("updated_at"))
	s.do("PATCH", "/v1/surveys/chat", `{"name":"Talk","rules":{"daily_limit":null,"sample":0.5},"segments":["agent","plan"]}`).want(200).
		wantAt("name", "Talk").wantAt("rules.daily_limit", nil).wantAt("rules.sample", 0.5).wantAt("rules.reminders[0]", "3d").
		wantAt("rules.condition.attributes.plan[0]", nil).wantAt("segments[1]", "plan").wantAt("trigger.delay", "2h").wantAt("key", "chat")
	s.do("PATCH", "/v1/surveys/chat", `{"rules":null,"trigger":{"delay":null}}`).want(200).
		wantAt("rules.sample", 1.0).wantAt("rules.reminders", nil).wantAt("trigger.delay", "0s")

	for document, field := range map[string]string{
		`{"colour":"red"}`:                  "colour",
		`{"colour":null}`:                   "colour",
		`{"rules":{"smaple":null}}`:         "rules.smaple",
		`{"rules":{"smaple":1}}`:            "rules.smaple",
		`{"id":"x"}`:                        "id",
		`{"state":"active"}`:                "state",
		`{"name":"a","name":"b"}`:           "name",
		`{"rules":{"sample":1,"sample":0}}`: "rules.sample",
		`{"name":"\u0000"}`:                 "name",
	} {
		got := s.do("PATCH", "/v1/surveys/chat", document)
		got.request = document
		got.wantProblem(400, field)
		switch code, message := got.text("errors[0].code"), got.text("errors[0].message"); {
		case strings.Contains(document, "u0000") && code == "format":
		case strings.Count(document, `"`+field[strings.LastIndex(field, ".")+1:]+`"`) == 2 && code == "duplicate":
		case code != "unknown" || message != "there is no such field here":
			t.Errorf("%s: %s: %s", document, code, message)
		}
	}
	for document, field := range map[string]string{
		`{"name":null}`:            "name",
		`{"name":5}`:               "name",
		`{"rules":5}`:              "rules",
		`{"rules":{"sample":"1"}}`: "rules.sample",
		`{"rules":{"sample":2}}`:   "rules.sample",
		`{"template":"no-such"}`:   "template",
		`{"segments":[null]}`:      "segments[0]",

		`{"segments":["attributes.agent"]}`: "segments[0]",
	} {
		got := s.do("PATCH", "/v1/surveys/chat", document)
		got.request = document
		got.wantProblem(422, field)
	}
	for _, document := range []string{``, `[]`, `null`, `"name"`, `[{"op":"replace"}]`, `{"name":}`} {
		s.do("PATCH", "/v1/surveys/chat", document).wantProblem(400)
	}
	s.do("GET", "/v1/surveys/chat", nil).want(200).wantAt("name", "Talk")
}

// An event is not lost because its sender grew a field.
func TestUnknownFieldsOfAnInteraction(t *testing.T) {
	s := newServer(t)
	s.do("PUT", "/v1/touchpoints/chat", `{"name":"Chat"}`).want(201)
	got := s.do("POST", "/v1/interactions", `{"colour":{"deep":[1,{"x":2}]},"touchpoint":"chat","customer":{"external_id":"c-1","phone":"1","Name":"x"},"attributes":{"any":"thing"}}`).want(202)
	var out struct{ Warnings []string }
	got.into(&out)
	told := strings.Join(out.Warnings, "\n")
	for _, name := range []string{"colour", "customer.phone", "customer.Name"} {
		if !strings.Contains(told, name) {
			t.Errorf("%s is not told: %q", name, out.Warnings)
		}
	}
	if len(out.Warnings) != 3 {
		t.Errorf("%q", out.Warnings)
	}
	known := s.do("POST", "/v1/interactions", `{"touchpoint":"chat","customer":{"external_id":"c-1"}}`).want(202)
	if known.at("warnings[0]") != nil {
		t.Errorf("%s", known.body)
	}
	for document, field := range map[string]string{
		`{"touchpoint":"chat","colour":1,"colour":2}`:                   "colour",
		`{"touchpoint":"chat","colour":{"a":1,"a":2}}`:                  "colour.a",
		`{"touchpoint":"chat","colour":"\u0000"}`:                       "colour",
		`{"touchpoint":"chat","customer":{"phone":"1","phone":"1"}}`:    "customer.phone",
		`{"touchpoint":"chat","colour":1,"attributes":{"a":1,"a":"1"}}`: "attributes.a",
	} {
		s.do("POST", "/v1/interactions", document).wantProblem(400, field)
	}
	s.do("POST", "/v1/interactions", `{"touchpoint":"chat","colour":}`).wantProblem(400)
	s.do("POST", "/v1/interactions", `{"touchpoint":"chat","colour":1,"customer":{"external_id":5}}`).wantProblem(422, "customer.external_id")
	many := `{"touchpoint":"chat"`
	for i := range 5000 {
		many += `,"x` + strconv.Itoa(i) + `":1`
	}
	s.do("POST", "/v1/interactions", many+`}`).want(202).into(&out)
	if len(out.Warnings) != 100 {
		t.Errorf("%d warnings", len(out.Warnings))
	}
}
