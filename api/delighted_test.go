package api_test

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"koe/api"
	"koe/survey"
	"koe/survey/store"
)

// project makes the survey that plays a Delighted project: it sends mail by
// hand, and by a schedule with a list.
func (s *server) project(fields string) string {
	s.t.Helper()
	return s.survey("project", `"channel":"email","trigger":{"type":"manual"}`+fields)
}

// delighted calls an operation as the clients do: a form where the body is no
// JSON.
func (s *server) delighted(method, path string, body any, options ...func(*http.Request)) response {
	s.t.Helper()
	media := "application/json"
	if text, isText := body.(string); isText && !strings.HasPrefix(text, "{") {
		media = "application/x-www-form-urlencoded"
	}
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte(s.key+":"))
	return s.do(method, "/delighted/v1"+path, body, append([]func(*http.Request){with("Content-Type", media),
		with("Accept", "application/json"), with("Authorization", basic)}, options...)...)
}

// wantRefused fails the test where a call is not refused for these parameters.
func (r response) wantRefused(status int, parameters ...string) response {
	r.t.Helper()
	r.want(status).wantAt("status", float64(status))
	if got := r.header.Get("Content-Type"); got != "application/json" {
		r.t.Errorf("%s: refused as %q", r.request, got)
	}
	if r.at("message") == "" {
		r.t.Errorf("%s: refused without a message: %s", r.request, r.body)
	}
	wrong, _ := r.at("errors").(map[string]any)
	for _, name := range parameters {
		if wrong[name] == nil {
			r.t.Errorf("%s: does not name %q: %s", r.request, name, r.body)
		}
	}
	if len(wrong) != len(parameters) {
		r.t.Errorf("%s: names %d parameters instead of %d: %s", r.request, len(wrong), len(parameters), r.body)
	}
	return r
}

// items are the entries of an answer that is a list.
func (r response) items() (list []map[string]any) {
	r.t.Helper()
	r.want(200).into(&list)
	return list
}

// wire sends bytes as they are and reads the answer.
func (s *server) wire(text string) response {
	s.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, text); err != nil {
		s.t.Fatal(err)
	}
	line, _, _ := strings.Cut(text, "\r\n")
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		s.t.Fatalf("%s: %v", line, err)
	}
	defer answer.Body.Close()
	got := response{t: s.t, request: line, status: answer.StatusCode, header: answer.Header}
	if got.body, err = io.ReadAll(answer.Body); err != nil {
		s.t.Fatal(err)
	}
	return got
}

// What the official clients send, byte for byte, the key and ids put in.
var (
	pythonHead = "Host: koe.example.com\r\nUser-Agent: Delighted Python 4.2.0\r\nAccept-Encoding: gzip, deflate\r\nAccept: application/json\r\nConnection: keep-alive\r\nAuthorization: Basic {NOCOLON}\r\n"
	rubyHead   = "Accept-Encoding: gzip;q=1.0,deflate;q=0.6,identity;q=0.3\r\nAccept: application/json\r\nUser-Agent: Delighted RubyGem 2.1.0\r\nAuthorization: Basic {COLON}\r\nConnection: close\r\nHost: koe.example.com\r\n"
	phpHead    = "Host: koe.example.com\r\nUser-Agent: Delighted PHP API Client 4.2.0\r\nAccept: application/json\r\nAuthorization: Basic {COLON}\r\n"
	nodeHead   = "Accept: application/json\r\nContent-Type: application/json\r\nAuthorization: Basic {COLON}\r\nUser-Agent: Delighted Node Client 2.2.0\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
	curlHead   = "Host: koe.example.com\r\nAuthorization: Basic {COLON}\r\nUser-Agent: curl/8.14.1\r\nAccept: */*\r\n"

	sendsJSON = "Content-Type: application/json\r\n"
	sendsForm = "Content-Type: application/x-www-form-urlencoded\r\n"
)

type wireForm struct {
	name       string
	line, head string
	body       string
	status     int
	want       string // within the answer's body
}

var wireForms = []wireForm{
	{"python creates", "POST /delighted/v1/people", pythonHead + sendsJSON, `{"email": "jo+x@example.com", "properties": {"plan": "pro", "n": 3}}`, 201, `"properties":{"n":3,"plan":"pro"}`},
	{"python lists", "GET /delighted/v1/people?auto_handle_rate_limits=True", pythonHead, `{}`, 200, `"email":"jo+x@example.com"`},
	{"python expands", "GET /delighted/v1/survey_responses?expand%5B%5D=person", pythonHead, ``, 200, `"person":{"id":"{PERSON}"`},
	{"python saves", "PUT /delighted/v1/survey_responses/{RESPONSE}", pythonHead + sendsJSON,
		`{"id": "{RESPONSE}", "person": {"id": "{PERSON}", "email": "ana@example.com"}, "survey_type": "nps", "score": 7, "comment": "So so", "permalink": "x", "person_properties": {"plan": "team"}, "notes": [], "tags": ["mine"]}`,
		200, `"score":7,"comment":"So so"`},
	{"python deletes pending, a slash in the address", "DELETE /delighted/v1/people/a/b%2Bc%40example.com/survey_requests/pending", pythonHead, `{}`, 200, `{"ok":true}`},
	{"python deletes, a slash in the address", "DELETE /delighted/v1/people/email%3Aa/b%2Bc%40example.com", pythonHead, `{}`, 202, `{"ok":true}`},
	{"python deletes again", "DELETE /delighted/v1/people/email%3Aa/b%2Bc%40example.com", pythonHead, `{}`, 404, `"status":404`},

	{"ruby unsubscribes", "POST /delighted/v1/unsubscribes", rubyHead + sendsJSON, `{"person_email":"ruby@example.com"}`, 201, `{"ok":true}`},
	{"ruby lists", "GET /delighted/v1/unsubscribes?page=1&per_page=100", rubyHead, ``, 200, `"email":"ruby@example.com"`},
	{"ruby expands", "GET /delighted/v1/survey_responses/{RESPONSE}?expand[]=person&expand[]=notes", rubyHead, ``, 200, `"person":{"id":"{PERSON}"`},
	{"ruby saves", "PUT /delighted/v1/survey_responses/{RESPONSE}", rubyHead + sendsJSON, `{"person":"{PERSON}","score":8,"expand":["person"],"comment":null}`, 200, `"score":8,"comment":null`},
	{"ruby leaves the list", "DELETE /delighted/v1/autopilot/email/memberships", rubyHead + sendsJSON, `{"person_id":"{PERSON}"}`, 202, `{"person":{"id":"{PERSON}"`},

	{"php creates", "POST /delighted/v1/people", phpHead + sendsForm, `email=php%40example.com&name=P%20H&send=false&properties%5Bplan%5D=pro&properties%5Bnew%20one%5D=true`, 201, `"survey_scheduled_at":null,"properties":{"new one":"true","plan":"pro"}`},
	{"php lists, a raw plus", "GET /delighted/v1/people?email=jo+x@example.com", phpHead, ``, 200, `"email":"jo+x@example.com"`},
	{"php saves", "PUT /delighted/v1/survey_responses/{RESPONSE}", phpHead + sendsJSON, `{"score":10,"person_properties":[]}`, 200, `"person_properties":{}`},
	{"php unsubscribes", "POST /delighted/v1/unsubscribes", phpHead + sendsForm, `person_email=php.out%40example.com`, 201, `{"ok":true}`},
	{"php answers", "POST /delighted/v1/survey_responses", phpHead + sendsForm, `person={PERSON}&score=9&comment=Tr%C3%A8s%20bien%20%26%20vite&person_properties%5Bstore%20id%5D=12`,
		201, `"score":9,"comment":"Très bien & vite"`},
	{"php joins the list", "POST /delighted/v1/autopilot/email/memberships", phpHead + sendsForm, `person_email=php.list%40example.com&person_name=P%20H&properties%5BPurchase%20Experience%5D=Retail%20Store`,
		201, `"properties":{"Purchase Experience":"Retail Store"}`},
	{"php joins the list again", "POST /delighted/v1/autopilot/email/memberships", phpHead + sendsForm, `person_email=php.list%40example.com`, 200, `"email":"php.list@example.com"`},
	{"php leaves the list", "DELETE /delighted/v1/autopilot/email/memberships", phpHead + sendsForm, `person_email=ana%40example.com`, 404, `"status":404`},
	{"php deletes", "DELETE /delighted/v1/people/email%3Aphp%40example.com", phpHead + sendsForm, ``, 202, `{"ok":true}`},

	{"node saves a person", "PUT /delighted/v1/people", nodeHead, `{"id":"{PERSON}","email":"ana@example.com","name":"Ana","survey_scheduled_at":null,"properties":{},"send":false}`, 200, `"name":"Ana"`},
	{"node saves an answer", "PUT /delighted/v1/survey_responses", nodeHead, `{"id":"{RESPONSE}","score":1}`, 200, `"score":1`},
	{"node expands twice", "GET /delighted/v1/survey_responses?expand=person&expand=notes", nodeHead, ``, 200, `"person":{"id":"{PERSON}"`},
	{"node leaves the list", "DELETE /delighted/v1/autopilot/email/memberships?person_id={PERSON}", nodeHead, ``, 404, `"status":404`},

	{"curl posts a form", "POST /delighted/v1/people.json", curlHead + sendsForm, `email=curl@example.com&delay=60&properties[plan]=pro`, 201, `"plan":"pro"`},
	{"curl answers for a number", "POST /delighted/v1/survey_responses.json", curlHead + sendsJSON, `{"person": {PERSON}, "score": 10}`, 201, `"person":"{PERSON}"`},
	{"curl posts JSON without saying so", "POST /delighted/v1/unsubscribes.json", curlHead + sendsForm, `{"person_email":"curl@example.com"}`, 201, `{"ok":true}`},
	{"curl deletes by a raw reference", "DELETE /delighted/v1/people/email:curl@example.com.json", curlHead, ``, 202, `{"ok":true}`},
	{"curl shows the score", "GET /delighted/v1/metrics.json", curlHead, ``, 200, `"response_count":3`},
	{"curl goes past the end", "GET /delighted/v1/survey_responses.json?page=99", curlHead, ``, 200, `[]`},
}

func TestDelightedWireForms(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		s.survey("project", `"channel":"email","trigger":{"type":"schedule","members":true}`)
		ana := s.delighted("POST", "/people", `{"email":"ana@example.com","name":"Ana","send":false}`).want(201).text("id")
		s.delighted("POST", "/people", `{"email":"a/b+c@example.com"}`).want(201)
		answer := s.delighted("POST", "/survey_responses", `{"person":"`+ana+`","score":9,"comment":"Good"}`).want(201).text("id")
		s.delighted("POST", "/autopilot/email/memberships", `{"person_id":"`+ana+`"}`).want(201)
		put := strings.NewReplacer("{PERSON}", ana, "{RESPONSE}", answer,
			"{COLON}", base64.StdEncoding.EncodeToString([]byte(s.key+":")), "{NOCOLON}", base64.StdEncoding.EncodeToString([]byte(s.key)))
		for _, form := range wireForms {
			body := put.Replace(form.body)
			length := ""
			if body != "" || strings.HasPrefix(form.line, "P") {
				length = fmt.Sprintf("Content-Length: %d\r\n", len(body))
			}
			got := s.wire(put.Replace(form.line) + " HTTP/1.1\r\n" + put.Replace(form.head) + length + "\r\n" + body)
			if got.status != form.status || !strings.Contains(string(got.body), put.Replace(form.want)) {
				t.Errorf("%s: %d %s", form.name, got.status, got.body)
			}
			if got.header.Get("Content-Type") != "application/json" || !json.Valid(got.body) {
				t.Errorf("%s: answers as %q: %s", form.name, got.header.Get("Content-Type"), got.body)
			}
		}
	})
}

// The ways to send a key: with and without the colon, whatever the password.
func TestDelightedKeys(t *testing.T) {
	s := newServer(t)
	s.project(``)
	for name, c := range map[string]struct {
		said   string
		status int
	}{
		"with a colon":            {s.key + ":", 200},
		"without":                 {s.key, 200},
		"a password":              {s.key + ":-", 200},
		"a colon in the password": {s.key + ":a:b", 200},
		"a colon in the key":      {s.key[:9] + ":" + s.key[9:] + ":", 401},
		"an empty key":            {":", 401},
		"the key as password":     {":" + s.key, 401},
		"nobody's key":            {"koe_nobody:", 401},
	} {
		got := s.delighted("GET", "/metrics", nil, with("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(c.said))))
		if got.status != c.status {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
		if got.status == 401 {
			got.wantRefused(401)
		}
	}
	s.delighted("GET", "/metrics", nil, with("Authorization", "Basic ?")).wantRefused(401)
	s.delighted("GET", "/metrics", nil, as("")).wantRefused(401)
}

func TestDelightedTakesJSONAlone(t *testing.T) {
	s := newServer(t)
	s.project(``)
	for accept, status := range map[string]int{"application/json": 200, "text/html": 406, "text/html, application/json;q=0.5": 200, "*/*": 200, "application/json;q=0": 406, "application/xml": 406} {
		got := s.delighted("GET", "/metrics", nil, with("Accept", accept)).want(status)
		if status == 406 {
			got.wantRefused(406)
		}
		s.delighted("GET", "/metrics.json", nil, with("Accept", accept)).want(200)
	}
	s.delighted("GET", "/nothing", nil).wantRefused(404)
	s.delighted("PATCH", "/people", nil).wantRefused(405)
}

// What is wrong with a call is said about its parameter, beside a call that is
// right.
func TestDelightedBadInput(t *testing.T) {
	s := newServer(t)
	s.project(``)
	ana := s.delighted("POST", "/people", `{"email":"ana@example.com","send":false}`).want(201).text("id")
	answer := s.delighted("POST", "/survey_responses", `{"person":"`+ana+`","score":9}`).want(201).text("id")
	for range 3 {
		s.delighted("POST", "/people", fmt.Sprintf(`{"email":"p%d@example.com","send":false}`, rand.Int())).want(201)
	}
	link := s.delighted("GET", "/people?per_page=2", nil).want(200).header.Get("Link")
	_, cursor, _ := strings.Cut(strings.TrimSuffix(link, `>; rel="next"`), "page_info=")
	cursor, _, _ = strings.Cut(cursor, "&")
	edited := "A" + cursor[1:]
	if cursor[0] == 'A' {
		edited = "B" + cursor[1:]
	}
	future := strconv.FormatInt(testStart.Add(48*time.Hour).Unix(), 10)
	nobody := "2108571830573926451627389403726451627"
	for _, c := range []struct {
		method, path, body string
		status             int
		parameters         string
	}{
		{"POST", "/people", `properties[plan=pro&email=x@example.com`, 422, "properties[plan"},
		{"POST", "/people", `properties[plan]=pro&email=x@example.com`, 201, ""},
		{"POST", "/people", `properties[plan]x=pro&email=x@example.com`, 422, "properties[plan]x"},
		{"POST", "/people", `properties[a][b]=pro&email=x@example.com`, 422, "properties.a"},
		{"POST", "/people", `properties=pro&email=x@example.com`, 422, "properties"},
		{"POST", "/people", `{"email":"x@example.com","properties":{"a":[1]}}`, 422, "properties.a"},
		{"POST", "/people", `{"email":"x@example.com","properties":{"a":null,"b":false}}`, 200, ""},
		{"POST", "/people", `{"email":"x@example.com"`, 400, ""},
		{"POST", "/people", `{"email":"x@example.com"} {}`, 400, ""},
		{"POST", "/people", "{\"email\":\"x\xff@example.com\"}", 400, ""},
		{"POST", "/people", `email=%zz`, 400, ""},
		{"POST", "/people", `{}`, 422, "email"},
		{"POST", "/people", ``, 422, "email"},
		{"POST", "/people", `{"email":["x@example.com",{}]}`, 422, "email"},
		{"POST", "/people", `{"email":"x"}`, 422, "email"},
		{"POST", "/people", `{"email":"jo x@example.com"}`, 422, "email"},
		{"POST", "/people", `email=jo+x@example.com`, 422, "email"},
		{"POST", "/people", `{"email":"x@example.com","email_update":"jo x@example.com"}`, 422, "email_update"},
		{"POST", "/people", `{"email":"x@example.com\u0000"}`, 422, "email"},
		{"POST", "/people", `{"email":"x@example.com","name":"` + strings.Repeat("x", 300) + `"}`, 422, "name"},
		{"POST", "/people", `{"email":"x@example.com","delay":-1}`, 422, "delay"},
		{"POST", "/people", `{"email":"x@example.com","delay":"soon"}`, 422, "delay"},
		{"POST", "/people", `{"email":"x@example.com","delay":60,"unheard_of":{"a":1}}`, 200, ""},
		{"POST", "/people", `{"email":"x@example.com","send":"perhaps"}`, 422, "send"},
		{"POST", "/people", `{"email":"x@example.com","send":"false"}`, 200, ""},
		{"POST", "/people", `{"phone_number":"+14155550123"}`, 422, "email"},
		{"POST", "/people", `{"phone_number":"+14155550123","channel":"sms"}`, 422, "channel email"},
		{"POST", "/people", `{"email":"x@example.com","phone_number":"+14155550123"}`, 200, ""},
		{"POST", "/people", `{"email":"x@example.com","phone_number":"555-0123"}`, 422, "phone_number"},
		{"POST", "/people", `{"email":"x@example.com","channel":"Email"}`, 422, "channel"},
		{"POST", "/people", `{"email":"x@example.com","last_sent_at":` + future + `}`, 422, "last_sent_at"},
		{"POST", "/people", `{"email":"x@example.com","email_update":"ana@example.com"}`, 422, "email_update"},
		{"POST", "/people", `{"email":"x@example.com","email_update":"nowhere"}`, 422, "email_update"},
		{"POST", "/people", `{"email":"x@example.com","properties":{"question_product_name":"Shoes"}}`, 422, "properties.question_product_name"},
		{"POST", "/people", `{"email":"x@example.com","properties":{"locale":"elvish!"}}`, 422, "properties.locale"},
		{"POST", "/people", `{"email":"x@example.com","properties":{"locale":"ja","question_product_name":""}}`, 200, ""},

		{"GET", "/people?per_page=1000", ``, 422, "per_page"},
		{"GET", "/people?per_page=100", ``, 200, ""},
		{"GET", "/people?per_page=0", ``, 422, "per_page"},
		{"GET", "/people?page_info=" + edited, ``, 422, "page_info"},
		{"GET", "/people?per_page=2&page_info=" + cursor, ``, 200, ""},
		{"GET", "/people?since=" + future, ``, 200, ""},
		{"GET", "/people?since=2026-01-01", ``, 422, "since"},
		{"GET", "/people?since=20&until=10", ``, 422, "since"},
		{"GET", "/people?email=x@example.com&phone_number=%2B14155550123", ``, 422, "phone_number"},
		{"GET", "/people?phone_number=%2B14155550123", ``, 200, ""},
		{"GET", "/people?phone_number=+14155550123", ``, 200, ""},
		{"GET", "/people?email=jo%20x@example.com", ``, 422, "email"},
		{"GET", "/people?email=nobody@example.com", ``, 200, ""},
		{"GET", "/people?email=%zz", ``, 400, ""},
		{"GET", "/people/" + nobody, ``, 404, ""},
		{"GET", "/people/" + ana, ``, 200, ""},
		{"DELETE", "/people/" + nobody, ``, 404, ""},
		{"DELETE", "/people/email:nobody@example.com", ``, 404, ""},
		{"DELETE", "/people/phone_number:+1", ``, 404, ""},
		{"DELETE", "/people/ana@example.com", ``, 404, ""},
		{"DELETE", "/people/0" + ana, ``, 404, ""},
		{"DELETE", "/people/nobody@example.com/survey_requests/pending", ``, 404, ""},
		{"DELETE", "/people/ana@example.com/survey_requests/pending", ``, 200, ""},

		{"POST", "/unsubscribes", `{}`, 422, "person_email"},
		{"POST", "/unsubscribes", `{"person_email":"nowhere"}`, 422, "person_email"},
		{"POST", "/unsubscribes", `{"person_email":"jo x@example.com"}`, 422, "person_email"},
		{"POST", "/unsubscribes", `person_email=jo+x@example.com`, 422, "person_email"},
		{"POST", "/unsubscribes", `person_email=x@example.com`, 201, ""},
		{"POST", "/unsubscribes", `{"person_email":"x@example.com"}`, 200, ""},
		{"GET", "/unsubscribes?page=0", ``, 422, "page"},
		{"GET", "/unsubscribes?page=9", ``, 200, ""},
		{"GET", "/bounces?since=" + future, ``, 200, ""},

		{"POST", "/survey_responses", `{"person":"` + ana + `","score":11}`, 422, "score"},
		{"POST", "/survey_responses", `{"person":"` + ana + `","score":-1}`, 422, "score"},
		{"POST", "/survey_responses", `{"person":"` + ana + `","score":6.5}`, 422, "score"},
		{"POST", "/survey_responses", `{"person":"` + ana + `"}`, 422, "score"},
		{"POST", "/survey_responses", `{"score":9}`, 422, "person"},
		{"POST", "/survey_responses", `{"person":"` + nobody + `","score":9}`, 422, "person"},
		{"POST", "/survey_responses", `{"person":"17x","score":9}`, 422, "person"},
		{"POST", "/survey_responses", `{"person":1.5e36,"score":9}`, 422, "person"},
		{"POST", "/survey_responses", `{"person":` + ana + `,"score":10.0}`, 201, ""},
		{"POST", "/survey_responses", `person=` + ana + `&score=10&person_properties[plan]=pro&created_at=1700000000`, 201, ""},
		{"POST", "/survey_responses", `{"person":"` + ana + `","score":9,"created_at":` + future + `}`, 422, "created_at"},
		{"PUT", "/survey_responses/" + answer, `{"score":11}`, 422, "score"},
		{"PUT", "/survey_responses/" + answer, `{"person":"` + nobody + `"}`, 422, "person"},
		{"PUT", "/survey_responses/" + nobody, `{"score":1}`, 404, ""},
		{"PUT", "/survey_responses", `{"score":1}`, 404, ""},
		{"GET", "/survey_responses/" + nobody, ``, 404, ""},
		{"GET", "/survey_responses/x", ``, 404, ""},
		{"GET", "/survey_responses?order=up", ``, 422, "order"},
		{"GET", "/survey_responses?trend=1", ``, 422, "trend"},
		{"GET", "/survey_responses?person_id=x", ``, 422, "person_id"},
		{"GET", "/survey_responses?person_id=" + nobody, ``, 200, ""},
		{"GET", "/survey_responses?page=10000001", ``, 422, "page"},
		{"GET", "/survey_responses?expand=everything", ``, 200, ""},

		{"GET", "/metrics?groups[]=web", ``, 422, "groups"},
		{"GET", "/metrics?groups[]=core&since=" + future, ``, 200, ""},
		{"GET", "/metrics?trend=3", ``, 422, "trend"},

		{"GET", "/autopilot/fax", ``, 404, ""},
		{"GET", "/autopilot/sms", ``, 200, ""},
		{"GET", "/autopilot/sms/memberships", ``, 200, ""},
		{"POST", "/autopilot/sms/memberships", `{"person_email":"ana@example.com"}`, 422, "platform"},
		{"POST", "/autopilot/email/memberships", `{"person_email":"ana@example.com"}`, 422, "base"},
		{"POST", "/autopilot/email/memberships", `{"person_email":"ana@example.com","person_id":"1"}`, 422, "person_email"},
		{"POST", "/autopilot/email/memberships", `{"person_phone_number":"+4912345678"}`, 422, "person_phone_number"},
		{"DELETE", "/autopilot/email/memberships", ``, 422, "person_email"},
		{"DELETE", "/autopilot/email/memberships?person_email=ana@example.com", ``, 404, ""},
	} {
		var body any
		if c.body != "" {
			body = c.body
		}
		got := s.delighted(c.method, c.path, body)
		got.request += " " + c.body
		if got.status != c.status {
			t.Errorf("%s: %d instead of %d: %s", got.request, got.status, c.status, got.body)
			continue
		}
		if c.status >= 400 {
			got.wantRefused(c.status, strings.Fields(c.parameters)...)
		}
	}
	s.delighted("POST", "/people", `<email>`, with("Content-Type", "text/xml")).wantRefused(415)
	s.delighted("POST", "/people", "{"+strings.Repeat(" ", 1<<20)+"}").wantRefused(413)
	if list := s.delighted("GET", "/people?since="+future, nil).items(); len(list) != 0 {
		t.Errorf("people of the future: %v", list)
	}
}

func TestDelightedIsHeldToTheRate(t *testing.T) {
	s := newServer(t, func(o *api.Options) { o.RatePerKey = 1 })
	s.do("GET", "/v1/workspace", nil).want(200)
	got := s.delighted("GET", "/people", nil).wantRefused(429)
	if got.text("message") != "Too Many Requests" || got.header.Get("Retry-After") != "1" {
		t.Errorf("%v %s", got.header, got.body)
	}
}

// Where a list goes on is told as the client knows koe, and by a proxy's word
// where that is trusted.
func TestDelightedPages(t *testing.T) {
	trusted := func(o *api.Options) { o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} }
	forwarded := []func(*http.Request){with("X-Forwarded-Host", "evil.example, feedback.example"), with("X-Forwarded-Proto", "https")}
	host := func(name string) func(*http.Request) { return func(r *http.Request) { r.Host = name } }
	for name, c := range map[string]struct {
		settings []func(*api.Options)
		options  []func(*http.Request)
		begins   string
	}{
		"by Host":                {nil, []func(*http.Request){host("koe.internal:8080")}, "http://koe.internal:8080/delighted/v1/people.json?"},
		"by its own name":        {nil, []func(*http.Request){host("koe.example.com")}, "https://koe.example.com/delighted/v1/people.json?"},
		"by a stranger's word":   {nil, append(forwarded, host("koe.internal")), "http://koe.internal/delighted/v1/people.json?"},
		"by a proxy's":           {[]func(*api.Options){trusted}, append(forwarded, host("koe.internal")), "https://feedback.example/delighted/v1/people.json?"},
		"a host that would cut":  {nil, []func(*http.Request){host("a,b;c")}, "https://koe.example.com/delighted/v1/people.json?"},
		"a proxy that says none": {[]func(*api.Options){trusted}, []func(*http.Request){host("koe.internal")}, "http://koe.internal/delighted/v1/people.json?"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, c.settings...)
			s.project(``)
			for i := range 5 {
				s.delighted("POST", "/people", fmt.Sprintf(`{"email":"p%d@example.com","send":false}`, i)).want(201)
			}
			s.delighted("POST", "/unsubscribes", `{"person_email":"p1@example.com"}`).want(201)
			var found []string
			for at, pages := "/people?per_page=2&since=1000", 0; at != ""; pages++ {
				got := s.delighted("GET", at, nil, c.options...).want(200)
				for _, p := range got.items() {
					found = append(found, fmt.Sprint(p["email"]))
				}
				link := got.header.Get("Link")
				if link == "" {
					break
				}
				address, ok := strings.CutSuffix(strings.TrimPrefix(link, "<"), `>; rel="next"`)
				if !ok || !strings.HasPrefix(address, c.begins) || strings.ContainsAny(address, ",;") || !strings.Contains(address, "since=1000") || pages > 3 {
					t.Fatalf("a Link %q after %d pages", link, pages)
				}
				next, err := url.Parse(address)
				if err != nil {
					t.Fatal(err)
				}
				at = strings.TrimPrefix(next.RequestURI(), "/delighted/v1")
			}
			if strings.Join(found, " ") != "p0@example.com p2@example.com p3@example.com p4@example.com" {
				t.Errorf("found %v", found)
			}
		})
	}
}

// The rounding that the design's example shows: each share on its own.
func TestDelightedRounds(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		s.project(``)
		s.delighted("GET", "/metrics", nil).want(200).wantAt("nps", nil).wantAt("promoter_percent", nil).wantAt("response_count", 0.0)
		ana := s.delighted("POST", "/people", `{"email":"ana@example.com","send":false}`).want(201).text("id")
		for score, n := range map[int]int{10: 32, 8: 13, 2: 6} {
			for range n {
				s.delighted("POST", "/survey_responses", fmt.Sprintf(`{"person":%q,"score":%d}`, ana, score)).want(201)
			}
		}
		got := s.delighted("GET", "/metrics", nil).want(200)
		for name, want := range map[string]float64{"nps": 51, "promoter_count": 32, "promoter_percent": 63, "passive_count": 13, "passive_percent": 25,
			"detractor_count": 6, "detractor_percent": 12, "response_count": 51} {
			got.wantAt(name, want)
		}
	})
}

// Metrics are the scores of /v1, rounded, for any range; without one they are
// those of the last 30 days before the latest answer.
func TestDelightedMetricsAreTheScores(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		s.project(``)
		ana := s.delighted("POST", "/people", `{"email":"ana@example.com","send":false}`).want(201).text("id")
		random := rand.New(rand.NewPCG(6, 1))
		start := testStart.AddDate(0, 0, -90)
		for range 120 {
			at := start.Add(time.Duration(random.Int64N(int64(80 * 24 * time.Hour))))
			s.delighted("POST", "/survey_responses", fmt.Sprintf(`{"person":%q,"score":%d,"created_at":%d}`, ana, random.IntN(11), at.Unix())).want(201)
		}
		s.survey("another", `"touchpoint":"shop"`)
		s.answered("another", 0, ``)
		compare := func(path, query string) {
			got, want := s.delighted("GET", path, nil).want(200), s.scores("survey=project&metric=nps&%s", query)
			n := want.number("total.responses")
			got.wantAt("response_count", n).wantAt("nps", want.at("total.rounded"))
			for theirs, ours := range map[string]string{"promoter": "promoters", "passive": "passives", "detractor": "detractors"} {
				count := want.number("total.counts." + ours)
				got.wantAt(theirs+"_count", count)
				if n > 0 {
					got.wantAt(theirs+"_percent", float64(int(count/n*100+0.5+1e-9)))
				}
			}
		}
		for range 50 {
			from := start.Add(time.Duration(random.Int64N(int64(60 * 24 * time.Hour)))).Truncate(time.Second)
			to := from.Add(time.Duration(random.Int64N(int64(30 * 24 * time.Hour)))).Truncate(time.Second)
			compare(fmt.Sprintf("/metrics?since=%d&until=%d", from.Unix(), to.Unix()), "from="+from.Format(time.RFC3339)+"&to="+to.Format(time.RFC3339))
		}
		latest := s.delighted("GET", "/survey_responses?order=desc&per_page=1", nil).want(200).number("[0].created_at")
		last := time.Unix(int64(latest), 0).UTC()
		compare("/metrics", "from="+last.AddDate(0, 0, -30).Format(time.RFC3339)+"&to="+last.Add(time.Millisecond).Format(time.RFC3339Nano))
	})
}

// The npm package itself, against koe.
func TestDelightedNode(t *testing.T) {
	if os.Getenv("KOE_TEST_DELIGHTED_NODE") == "" {
		if os.Getenv("KOE_TEST_MUST") == "1" {
			t.Fatal("KOE_TEST_DELIGHTED_NODE is not set: the folder with node_modules/delighted")
		}
		t.Skip("KOE_TEST_DELIGHTED_NODE is not set: the folder with node_modules/delighted")
	}
	s := newServer(t)
	s.survey("project", `"channel":"email","trigger":{"type":"schedule","members":true}`)
	s.delighted("POST", "/people", `{"email":"waits@example.com","delay":600}`).want(201)
	s.do("POST", "/v1/suppressions", `{"email":"gone@example.com","reason":"bounced"}`).want(201)
	parts := strings.Split(s.url, ":")
	out, err := exec.CommandContext(t.Context(), "node", "testdata/delighted.js", parts[len(parts)-1], s.newKey(s.workspace, store.Admin), "waits@example.com").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if n := strings.Count(string(out), "\nok ") + strings.Count(string(out[:3]), "ok "); n != 21 {
		t.Errorf("%d methods: %s", n, out)
	}
	s.verified()
}

// verified fails the test where rows and tallies disagree.
func (s *server) verified() {
	s.t.Helper()
	checked, err := s.store.Verify(s.t.Context())
	if err != nil || len(checked.Faults) > 0 {
		s.t.Error(err, checked.Faults)
	}
}

// Whom a rule holds back is not asked, and that is no error.
func TestDelightedThrottles(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		s.project(`,"rules":{"quiet_period":"30d"}`)
		at := float64(testStart.Unix())
		ask := func(fields string) response {
			return s.delighted("POST", "/people", `{"email":"ana@example.com"`+fields+`}`)
		}
		ask(`,"delay":60,"name":"Ana"`).want(201).wantAt("survey_scheduled_at", at+60).wantAt("name", "Ana")
		ask(``).want(200).wantAt("survey_scheduled_at", nil).wantAt("name", "Ana")
		s.delighted("GET", "/people?email=ana@example.com", nil).want(200).wantAt("[0].next_survey_scheduled_at", at+60).wantAt("[0].last_sent_at", nil)
		s.delighted("DELETE", "/people/ana@example.com/survey_requests/pending", `{}`).want(200)
		s.delighted("GET", "/people?email=ana@example.com", nil).want(200).wantAt("[0].next_survey_scheduled_at", nil)
		ask(``).want(200).wantAt("survey_scheduled_at", at)

		// asked by Delighted before
		seeded := fmt.Sprint(testStart.AddDate(0, 0, -29).Unix())
		s.delighted("POST", "/people", `{"email":"ben@example.com","last_sent_at":`+seeded+`}`).want(201).wantAt("survey_scheduled_at", nil)
		s.delighted("POST", "/people", `{"email":"ben@example.com","last_sent_at":1}`).want(200).wantAt("survey_scheduled_at", nil)
		s.delighted("GET", "/people?email=ben@example.com", nil).want(200).wantAt("[0].last_sent_at", float64(testStart.AddDate(0, 0, -29).Unix()))
		s.now.move(25 * time.Hour)
		s.delighted("POST", "/people", `{"email":"ben@example.com"}`).want(200).wantAt("survey_scheduled_at", at+25*3600)

		// who unsubscribed stays so under another address
		s.delighted("POST", "/unsubscribes", `{"person_email":"eve@example.com"}`).want(201)
		s.delighted("POST", "/people", `{"email":"Eve@example.com"}`).want(201).wantAt("survey_scheduled_at", nil)
		s.delighted("POST", "/people", `{"email":"eve@example.com","email_update":"eve@example.org"}`).want(200).wantAt("survey_scheduled_at", nil).wantAt("email", "eve@example.org")
		list := s.delighted("GET", "/unsubscribes", nil).items()
		if len(list) != 2 || list[0]["email"] != "eve@example.com" || list[1]["email"] != "eve@example.org" || list[1]["person_id"] == nil {
			t.Errorf("unsubscribed: %v", list)
		}
		s.delighted("POST", "/people", `{"email":"ana@example.com","email_update":"ana@example.org"}`, s.basic(store.Editor)).wantRefused(403)

		// and when they were erased and are told of again
		s.delighted("DELETE", "/people/email:eve@example.org", `{}`).want(202)
		s.delighted("POST", "/people", `{"email":"eve@example.org"}`).want(201).wantAt("survey_scheduled_at", nil)
		s.delighted("GET", "/people?email=eve@example.org", nil).want(200).wantAt("[0].email", "eve@example.org")
		for _, one := range s.delighted("GET", "/people", nil).items() {
			if one["email"] == "eve@example.org" {
				t.Errorf("listed as active: %v", one)
			}
		}
		s.verified()
	})
}

// basic sends a key of a role as Delighted's clients do.
func (s *server) basic(role store.Role) func(*http.Request) {
	return with("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(s.newKey(s.workspace, role))))
}

// Who may not read people is told of a person what they said themselves, and
// sees whose an answer is without the telephone number.
func TestDelightedTellsEditorsTheirOwnWords(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		s.survey("project", `"channel":"email","trigger":{"type":"schedule","members":true}`)
		viewer, editor := s.basic(store.Viewer), s.basic(store.Editor)
		const known = `{"email":"ana@example.com","name":"Ana","phone_number":"+14155550123","send":false}`
		ana := s.delighted("POST", "/people", known).want(201).text("id")
		s.delighted("POST", "/survey_responses", `{"person":"`+ana+`","score":9}`).want(201)
		list := func(key func(*http.Request)) response {
			return s.delighted("GET", "/survey_responses?expand[]=person", nil, key).want(200).wantAt("[0].person.id", ana).wantAt("[0].person.name", "Ana")
		}
		list(viewer).wantAt("[0].person.phone_number", nil)
		list(editor).wantAt("[0].person.phone_number", nil)
		list(s.basic(store.Admin)).wantAt("[0].person.phone_number", "+14155550123")

		s.delighted("POST", "/people", `{"email":"ana@example.com","send":false}`, editor).want(200).wantAt("id", ana).wantAt("email", "ana@example.com").wantAt("name", nil).wantAt("phone_number", nil)
		s.delighted("POST", "/people", known, editor).want(200).wantAt("name", "Ana").wantAt("phone_number", "+14155550123")
		const members = "/autopilot/email/memberships"
		whole := func(r response) {
			t.Helper()
			r.wantAt("person.email", "ana@example.com").wantAt("person.name", "Ana").wantAt("person.phone_number", "+14155550123")
		}
		none := func(r response) response {
			t.Helper()
			return r.wantAt("person.id", ana).wantAt("person.name", nil).wantAt("person.phone_number", nil)
		}
		whole(s.delighted("POST", members, `{"person_id":"`+ana+`"}`).want(201))
		none(s.delighted("POST", members, `{"person_id":"`+ana+`"}`, editor).want(200)).wantAt("person.email", nil)
		none(s.delighted("POST", members, `{"person_email":"ana@example.com"}`, editor).want(200)).wantAt("person.email", "ana@example.com")
		s.delighted("POST", members, `{"person_phone_number":"+14155550123","person_name":"Ana"}`, editor).want(200).
			wantAt("person.phone_number", "+14155550123").wantAt("person.name", "Ana").wantAt("person.email", nil)
		none(s.delighted("DELETE", members, `{"person_email":"ana@example.com"}`, editor).want(202))
		s.delighted("POST", members, `{"person_email":"ana@example.com"}`).want(201)
		whole(s.delighted("DELETE", members, `{"person_id":"`+ana+`"}`).want(202))
	})
}

// A property that changes a wording is taken where the template has its place.
func TestDelightedWordings(t *testing.T) {
	s := newServer(t)
	s.do("PUT", "/v1/templates/worded", `{"name":"Worded","metric":"nps","default_locale":"en","placeholders":{"attributes.question_product_name":{"en":"us"}},
		"questions":[{"key":"score","type":"score","text":{"en":"How likely are you to recommend {{attributes.question_product_name}}?"}}]}`).want(201)
	s.project(`,"template":"worded"`)
	s.delighted("POST", "/people", `{"email":"ana@example.com","properties":{"question_product_name":"Shoes","locale":"ja"}}`).want(201).wantAt("properties.question_product_name", "Shoes")
	s.delighted("POST", "/people", `{"email":"ben@example.com","properties":{"question_product_name":"Shoes","thank_you_message":"Thanks"}}`).wantRefused(422, "properties.thank_you_message")
	s.do("GET", "/v1/invitations", nil).want(200).wantAt("data[0].locale", "ja").wantAt("data[1]", nil)
}

// Everybody who shares an address is erased, however many they are.
func TestDelightedErasesAll(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		s.project(``)
		for i := range 101 {
			if _, _, err := s.store.PutPerson(t.Context(), store.Caller{Workspace: s.workspace.ID}, fmt.Sprint("c-", i), survey.Person{Email: "desk@example.com"}); err != nil {
				t.Fatal(err)
			}
		}
		s.delighted("DELETE", "/people/email:desk@example.com", `{}`).want(202)
		if list := s.delighted("GET", "/people?email=desk@example.com", nil).items(); len(list) != 0 {
			t.Errorf("%d are left", len(list))
		}
		s.delighted("DELETE", "/people/email:desk@example.com", `{}`).wantRefused(404)
	})
}

// A key stands for the survey that it was made for, or for the oldest one that
// is active and sends mail.
func TestDelightedProjects(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		s.delighted("GET", "/metrics", nil).wantRefused(422, "delighted_survey")
		s.survey("links", ``)
		s.delighted("POST", "/people", `{"email":"ana@example.com"}`).wantRefused(422, "delighted_survey")
		s.project(``)
		shop := s.survey("shop", `"channel":"email","template":"csat","trigger":{"type":"interaction"}`)
		s.delighted("GET", "/metrics", nil).want(200).wantAt("nps", nil)

		s.do("POST", "/v1/keys", `{"name":"x","role":"editor","delighted_survey":"links"}`).wantProblem(422, "delighted_survey")
		s.do("POST", "/v1/keys", `{"name":"x","role":"editor","delighted_survey":"nowhere"}`).wantProblem(422, "delighted_survey")
		made := s.do("POST", "/v1/keys", `{"name":"x","role":"admin","delighted_survey":"shop"}`, with("Idempotency-Key", "k")).want(201).wantAt("delighted_survey", shop)
		s.do("POST", "/v1/keys", `{"name":"x","role":"admin","delighted_survey":"shop"}`, with("Idempotency-Key", "k")).want(201).wantAt("delighted_survey", shop)
		s.do("GET", "/v1/keys", nil).want(200).wantAt("data[0].delighted_survey", shop).wantAt("data[1].delighted_survey", nil)
		s.key = made.text("key")
		ana := s.delighted("POST", "/people", `{"email":"ana@example.com","send":false}`).want(201).text("id")
		s.delighted("POST", "/survey_responses", `{"person":"`+ana+`","score":10}`).wantRefused(422, "score")
		s.delighted("POST", "/survey_responses", `{"person":"`+ana+`","score":5}`).want(201).wantAt("survey_type", "csat")
		s.delighted("GET", "/metrics", nil).want(200).wantAt("csat", 100.0).wantAt("satisfied_count", 1.0).wantAt("satisfied_percent", 100.0)

		s.do("POST", "/v1/surveys/shop/pause", nil).want(200)
		s.delighted("POST", "/people", `{"email":"ben@example.com"}`).wantRefused(422, "send")
		s.delighted("POST", "/people", `{"email":"ben@example.com","send":false}`).want(201)
		s.delighted("GET", "/survey_responses", nil).want(200).wantAt("[0].score", 5.0)
	})
}

// What is changed of an answer moves the score and its segments with it.
func TestDelightedAnswers(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		s.project(`,"segments":["plan"]`)
		ana := s.delighted("POST", "/people", `{"email":"ana@example.com","send":false}`).want(201).text("id")
		ben := s.delighted("POST", "/people", `{"email":"ben@example.com","send":false}`).want(201).text("id")
		made := s.delighted("POST", "/survey_responses", `{"person":"`+ana+`","score":9,"comment":"よい","person_properties":{"plan":"pro"},"created_at":1700000000}`).want(201).
			wantAt("created_at", 1.7e9).wantAt("updated_at", float64(testStart.Unix())).wantAt("comment", "よい").wantAt("notes[0]", nil).wantAt("tags[0]", nil)
		id := made.text("id")
		if uuid, _ := made.at("permalink").(string); !strings.HasPrefix(uuid, "https://koe.example.com/v1/responses/") {
			t.Errorf("%s", made.body)
		}
		s.now.move(time.Minute)
		s.delighted("PUT", "/survey_responses/"+id, made.body).want(200).wantAt("updated_at", float64(testStart.Unix())) // as it was: nothing changes
		s.delighted("PUT", "/survey_responses/"+id, `{"score":3,"comment":null,"person":{"id":"`+ben+`"},"person_properties":{"plan":"team","new":1}}`).want(200).
			wantAt("score", 3.0).wantAt("comment", nil).wantAt("person", ben).wantAt("person_properties.plan", "team").wantAt("updated_at", float64(testStart.Unix()+60))
		s.now.move(time.Minute)
		s.delighted("POST", "/survey_responses", `{"person":"`+ana+`","score":10,"created_at":1600000000}`).want(201)
		first := func(query string) any {
			return s.delighted("GET", "/survey_responses?per_page=1&"+query, nil).want(200).at("[0].score")
		}
		for query, want := range map[string]any{"": 10.0, "order=desc": 3.0, "order=asc:updated_at": 3.0, "order=desc:updated_at": 10.0, "since=1650000000": 3.0, "until=1600000000": nil, "page=2": 3.0, "page=3": nil,
			"person_id=" + ben: 3.0, "person_email=ben@example.com": 3.0, "person_email=x": nil, "updated_since=" + fmt.Sprint(testStart.Unix()+60): 10.0,
			"updated_until=" + fmt.Sprint(testStart.Unix()): nil} {
			if got := first(query); got != want {
				t.Errorf("%s: %v instead of %v", query, got, want)
			}
		}
		s.scores("survey=project&metric=nps&attributes.plan=team").wantAt("total.responses", 1.0)
		s.scores("survey=project&metric=nps&attributes.plan=pro").wantAt("total.responses", 1.0).wantAt("total.rounded", 100.0) // the other answer, by what is known of her
		s.verified()

		// an answer to an invitation belongs to who was invited
		s.delighted("POST", "/people", `{"email":"ana@example.com"}`).want(200)
		token := s.goesOut()
		s.do("POST", "/s/"+token, "step=score&score=2", as(""), with("Content-Type", "application/x-www-form-urlencoded")).want(200)
		own := s.delighted("GET", "/survey_responses?order=desc&expand[]=person", nil).want(200).wantAt("[0].score", 2.0).wantAt("[0].person.email", "ana@example.com").text("[0].id")
		s.delighted("PUT", "/survey_responses/"+own, `{"person":"`+ben+`"}`).wantRefused(422, "person")
		s.delighted("PUT", "/survey_responses/"+own, `{"person":"`+ana+`","score":1}`).want(200).wantAt("score", 1.0)
		s.delighted("GET", "/people?email=ana@example.com", nil).want(200).wantAt("[0].last_responded_at", float64(testStart.Unix()+120))

		s.delighted("DELETE", "/people/email:ana@example.com", `{}`).want(202)
		s.delighted("GET", "/survey_responses?person_id="+ana, nil).want(200).wantAt("[0]", nil)
		s.delighted("GET", "/survey_responses?order=desc", nil).want(200).wantAt("[0].person", nil)
		s.verified()
	})
}

// goesOut is the token of the one mail that is due, just being sent.
func (s *server) goesOut() string {
	s.t.Helper()
	claims, err := s.store.ClaimDue(s.t.Context(), 100, time.Minute)
	if err != nil {
		s.t.Fatal(err)
	}
	started, err := s.store.StartSending(s.t.Context(), claims, func(m store.Mail) string { return m.Invitation.ID.String() + "@acme.example" })
	if err != nil || len(started) != 1 {
		s.t.Fatal(started, err)
	}
	return started[0].Token
}

// The list of a schedule: who is on it is asked, with what is told of them.
func TestDelightedAutopilot(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		s.survey("project", `"channel":"email","trigger":{"type":"schedule","members":true,"every":"30d","cron":"0 9 * * *"}`)
		s.delighted("GET", "/autopilot/email", nil).want(200).wantAt("active", true).wantAt("frequency", 30.0*24*3600)
		s.delighted("POST", "/people", `{"email":"out@example.com","send":false}`).want(201)
		in := s.delighted("POST", "/autopilot/email/memberships", `{"person_email":"in@example.com","person_name":"In","properties":{"plan":"pro"}}`).want(201).
			wantAt("person.name", "In").text("person.id")
		s.now.move(time.Minute)
		s.delighted("POST", "/autopilot/email/memberships", `{"person_id":"`+in+`","properties":{"team":"blue"}}`).want(200).wantAt("properties.team", "blue").wantAt("properties.plan", nil)
		s.delighted("GET", "/autopilot/email/memberships", nil).want(200).wantAt("[0].person.id", in).wantAt("[0].updated_at", float64(testStart.Unix()+60)).
			wantAt("[0].created_at", float64(testStart.Unix())).wantAt("[0].next_survey_request", nil).wantAt("[1]", nil)
		s.delighted("GET", "/autopilot/email/memberships?person_email=out@example.com", nil).want(200).wantAt("[0]", nil)
		s.delighted("POST", "/autopilot/email/memberships", `{"person_email":"two@example.com"}`).want(201)
		link := s.delighted("GET", "/autopilot/email/memberships?per_page=1", nil).want(200).wantAt("[1]", nil).header.Get("Link")
		_, rest, _ := strings.Cut(strings.TrimSuffix(link, `>; rel="next"`), "/delighted/v1")
		s.delighted("GET", rest, nil).want(200).wantAt("[0].person.email", "two@example.com").wantAt("[1]", nil)
		s.delighted("DELETE", "/autopilot/email/memberships?person_email=two@example.com", nil).want(202)

		s.now.move(24 * time.Hour)
		if _, _, err := s.store.FireDue(t.Context(), 48*time.Hour); err != nil {
			t.Fatal(err)
		}
		if _, err := s.store.AskShares(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.delighted("GET", "/autopilot/email/memberships?person_id="+in, nil).want(200).wantAt("[0].next_survey_request.properties.team", "blue")
		list, _, err := s.store.Invitations(t.Context(), store.Caller{Workspace: s.workspace.ID}, store.InvitationFilter{}, store.Page{Limit: 10})
		if err != nil || len(list) != 1 || list[0].Email != "in@example.com" || list[0].State != survey.InvitationScheduled {
			t.Errorf("invited %+v %v", list, err)
		}
		s.delighted("DELETE", "/autopilot/email/memberships", `{"person_email":"in@example.com"}`).want(202).wantAt("person.id", in)
		s.do("GET", "/v1/invitations/"+list[0].ID.String(), nil).want(200).wantAt("state", "cancelled")
		s.delighted("DELETE", "/autopilot/email/memberships", `{"person_email":"in@example.com"}`).wantRefused(404)
		s.delighted("POST", "/autopilot/email/memberships", `person_email=in@example.com&properties[plan]=pro`).want(201)
		person := list[0].Person.ID.String()
		s.do("GET", "/v1/people/"+person+"/export", nil).want(200).wantAt("memberships[0].attributes.plan", "pro").wantAt("memberships[1]", nil)
		s.delighted("DELETE", "/people/"+in, `{}`).want(202)
		s.delighted("GET", "/autopilot/email/memberships", nil).want(200).wantAt("[0]", nil)
	})
}
