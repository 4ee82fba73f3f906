package api_test

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"koe/survey/store"
)

// survey makes an active survey under a key: NPS at the touchpoint chat, by
// link, unless the fields (members of a JSON object) say otherwise.
func (s *server) survey(key, fields string) (id string) {
	s.t.Helper()
	v := map[string]any{"name": key, "template": "nps", "touchpoint": "chat", "channel": "link", "trigger": map[string]any{"type": "interaction"}}
	if err := json.Unmarshal([]byte("{"+fields+"}"), &v); err != nil {
		s.t.Fatal(err)
	}
	id = s.do("PUT", "/v1/surveys/"+key, v).want(201).text("id")
	s.do("POST", "/v1/surveys/"+key+"/activate", nil).want(200)
	return id
}

// tell reports an interaction at the touchpoint chat.
func (s *server) tell(fields string, options ...func(*http.Request)) response {
	s.t.Helper()
	return s.do("POST", "/v1/interactions", `{"touchpoint":"chat"`+fields+`}`, options...)
}

// onDisk is what a server has written into its database, whether or not it is
// in the main file already.
func (s *server) onDisk() string {
	s.t.Helper()
	files, err := filepath.Glob(strings.TrimPrefix(s.database, "sqlite:") + "*")
	if err != nil || len(files) < 2 {
		s.t.Fatalf("%v %v", files, err)
	}
	var all strings.Builder
	for _, name := range files {
		content, err := os.ReadFile(name)
		if err != nil {
			s.t.Fatal(err)
		}
		all.Write(content)
	}
	return all.String()
}

func TestInteractions(t *testing.T) {
	s := newServer(t)
	id := s.survey("after", `"channel":"email","trigger":{"type":"interaction","delay":"2h"}`)
	told := `,"external_id":"chat-1","customer":{"external_id":"c-1","email":" Ana@Example.com ","name":"Ana","locale":"ja_jp","timezone":"Asia/Tokyo"},
		"attributes":{"agent":"Kim","nothing":null,"n":1.50},"occurred_at":"2026-11-22T18:00:00+09:00"`
	first := s.tell(told).want(202).wantAt("decisions[0].survey_id", id).wantAt("decisions[0].decision", "scheduled").
		wantAt("decisions[0].send_at", "2026-11-22T11:00:00.000Z").wantAt("decisions[0].url", nil).wantAt("decisions[1]", nil)
	shown := s.do("GET", "/v1/interactions/"+first.text("id"), nil).want(200).wantAt("touchpoint", "chat").wantAt("external_id", "chat-1").
		wantAt("customer.email", "ana@example.com").wantAt("customer.locale", "ja-JP").wantAt("attributes.n", 1.5).wantAt("occurred_at", "2026-11-22T09:00:00.000Z").
		wantAt("received_at", "2026-11-22T09:30:00.000Z").wantAt("decisions[0].invitation_id", first.at("decisions[0].invitation_id"))
	if strings.Contains(string(shown.body), "nothing") {
		t.Errorf("null was kept: %s", shown.body)
	}
	// the same again, whatever it says now, asks nobody
	s.now.move(time.Hour)
	again := s.tell(`,"external_id":"chat-1","customer":{"email":"bo@example.com"}`).want(200).wantAt("id", first.at("id"))
	if string(again.body) != string(first.body) {
		t.Errorf("%s instead of %s", again.body, first.body)
	}
	// at another touchpoint it is another one
	s.do("PUT", "/v1/touchpoints/shop", `{"name":"Shop"}`).want(201)
	s.do("POST", "/v1/interactions", `{"touchpoint":"shop","external_id":"chat-1"}`).want(202).wantAt("decisions[0]", nil)
	for _, path := range []string{"0190a1b2-0000-7000-8000-000000000000", "x", "%00", strings.ToUpper(first.text("id"))} {
		s.do("GET", "/v1/interactions/"+path, nil).wantProblem(404)
	}
}

func TestInteractionsThatAreRefused(t *testing.T) {
	s := newServer(t)
	s.survey("after", ``)
	for fields, wrong := range map[string]string{
		`"touchpoint":"none"`: "touchpoint", `"touchpoint":""`: "touchpoint", `"touchpoint":"A b"`: "touchpoint", `"customer":{}`: "touchpoint",
		`"touchpoint":"chat","customer":{"email":""}`:                                    "customer.email",
		`"touchpoint":"chat","customer":{"email":"nobody"}`:                              "customer.email",
		`"touchpoint":"chat","customer":{"email":"a@example.com\r\nBcc: b@example.com"}`: "customer.email",
		`"touchpoint":"chat","customer":{"email":"a@example.com\n"}`:                     "", // white space around it is trimmed
		`"touchpoint":"chat","customer":{"email":"Ana <a@example.com>"}`:                 "customer.email",
		`"touchpoint":"chat","customer":{"email":"a@b@example.com"}`:                     "customer.email",
		`"touchpoint":"chat","customer":{"name":"a\r\nb"}`:                               "customer.name",
		`"touchpoint":"chat","customer":{"timezone":"Mars/Olympus"}`:                     "customer.timezone",
		`"touchpoint":"chat","customer":{"timezone":"Local"}`:                            "customer.timezone",
		`"touchpoint":"chat","customer":{"timezone":"../../etc/passwd"}`:                 "customer.timezone",
		`"touchpoint":"chat","customer":{"locale":"klingonisch"}`:                        "customer.locale",
		`"touchpoint":"chat","customer":"ana@example.com"`:                               "customer",
		`"touchpoint":"chat","occurred_at":"yesterday"`:                                  "occurred_at",
		`"touchpoint":"chat","occurred_at":"2026-11-22"`:                                 "occurred_at",
		`"touchpoint":"chat","occurred_at":"2026-02-30T00:00:00Z"`:                       "occurred_at",
		`"touchpoint":"chat","occurred_at":1790000000`:                                   "occurred_at",
		`"touchpoint":"chat","occurred_at":"2026-11-23T09:30:01Z"`:                       "occurred_at", // a day ahead and a second
		`"touchpoint":"chat","external_id":"` + strings.Repeat("é", 256) + `"`:           "external_id",
		`"touchpoint":"chat","external_id":5`:                                            "external_id",
		`"touchpoint":"chat","attributes":{"a":{"b":1}}`:                                 "attributes.a",
		`"touchpoint":"chat","attributes":{"a":[1]}`:                                     "attributes.a",
		`"touchpoint":"chat","attributes":{"a\"b":1}`:                                    "attributes",
		`"touchpoint":"chat","attributes":[]`:                                            "attributes",
	} {
		got := s.do("POST", "/v1/interactions", "{"+fields+"}")
		got.request = fields
		if wrong == "" {
			got.want(202)
			continue
		}
		got.wantProblem(422, wrong)
	}
	// all of it at once
	s.tell(`,"external_id":"a\nb","customer":{"email":"","locale":"?","timezone":"?"}`).
		wantProblem(422, "external_id", "customer.email", "customer.locale", "customer.timezone")
	s.tell(`,"customer":{"email":null,"name":"","locale":"","timezone":""},"external_id":""`).want(202)
	s.do("POST", "/v1/interactions", `{"touchpoint":"chat","attributes":{"a":"`+strings.Repeat("a", 1<<20)+`"}}`).wantProblem(413)
}

// Every reason for which nobody is asked.
func TestReasons(t *testing.T) {
	s := newServer(t)
	for key, fields := range map[string]string{
		"condition":   `"rules":{"condition":{"attributes.plan":["pro",5]}}`,
		"not_sampled": `"rules":{"sample":0}`,
		"no_address":  `"channel":"email"`,
		"suppressed":  `"channel":"email"`,
		"too_old":     `"rules":{"max_age":"1h"}`,
		"paused":      ``,
		"quiet":       `"rules":{"quiet_period":"2d","quiet_scope":"survey"}`,
		"daily":       `"channel":"email","rules":{"daily_limit":1,"expires_after":"5h"}`,
	} {
		s.survey(key, fields+strings.Repeat(",", min(1, len(fields)))+`"touchpoint":"at_`+key+`"`)
	}
	s.do("POST", "/v1/surveys/paused/pause", nil).want(200)
	s.do("POST", "/v1/suppressions", `{"email":"gone@example.com"}`).want(201)
	at := func(key, fields string) response {
		return s.do("POST", "/v1/interactions", `{"touchpoint":"at_`+key+`"`+fields+`}`).want(202)
	}
	for _, c := range []struct{ key, fields, reason string }{
		{"condition", `,"attributes":{"plan":"free"}`, "condition"},
		{"condition", ``, "condition"},
		{"condition", `,"attributes":{"plan":"5"}`, ""},
		{"not_sampled", `,"customer":{"external_id":"c-1"}`, "not_sampled"},
		{"no_address", `,"customer":{"external_id":"c-2"}`, "no_address"},
		{"no_address", ``, "no_address"},
		{"suppressed", `,"customer":{"email":"GONE@example.com"}`, "suppressed"},
		{"too_old", `,"occurred_at":"2026-11-22T08:29:59.999Z"`, "too_old"},
		{"too_old", `,"occurred_at":"1970-01-01T00:00:00Z"`, "too_old"},
		{"too_old", `,"occurred_at":"2026-11-22T08:30:00Z"`, ""},
		{"paused", ``, "paused"},
		{"quiet", `,"customer":{"external_id":"c-3"}`, ""},
		{"quiet", `,"customer":{"external_id":"c-3"}`, "quiet_period"},
		{"daily", `,"customer":{"email":"first@example.com"}`, ""},
		{"daily", `,"customer":{"email":"second@example.com"}`, "daily_limit"}, // tomorrow begins after its end
	} {
		got := at(c.key, c.fields)
		if c.reason == "" {
			got.wantAt("decisions[0].decision", "scheduled").wantAt("decisions[0].reason", nil)
			continue
		}
		got.wantAt("decisions[0].decision", "skipped").wantAt("decisions[0].reason", c.reason).wantAt("decisions[0].invitation_id", nil).wantAt("decisions[0].url", nil)
	}
	at("quiet", `,"customer":{"external_id":"c-3"}`).wantAt("decisions[0].until", "2026-11-24T09:30:00.000Z")
	s.now.move(48 * time.Hour)
	at("quiet", `,"customer":{"external_id":"c-3"}`).wantAt("decisions[0].decision", "scheduled")
}

func TestTwoSurveysAtOneTouchpoint(t *testing.T) {
	s := newServer(t)
	older := s.survey("z-older", ``)
	s.now.move(time.Second)
	newer := s.survey("a-newer", ``)
	s.tell(`,"customer":{"external_id":"c-1"}`).want(202).
		wantAt("decisions[0].survey_id", older).wantAt("decisions[0].decision", "scheduled").
		wantAt("decisions[1].survey_id", newer).wantAt("decisions[1].reason", "quiet_period").wantAt("decisions[1].until", "2026-12-22T09:30:01.000Z")
	// somebody without a name is one customer all the same, and another one each time
	for range 2 {
		s.tell(``).want(202).wantAt("decisions[0].decision", "scheduled").wantAt("decisions[1].reason", "quiet_period")
	}
}

func TestASenderSeesItsOwnInteractions(t *testing.T) {
	s := newServer(t)
	s.survey("after", ``)
	mine, theirs := s.newKey(s.workspace, store.Sender), s.newKey(s.workspace, store.Sender)
	first := s.tell(`,"external_id":"x-1"`, as(mine)).want(202)
	path := "/v1/interactions/" + first.text("id")
	s.do("GET", path, nil, as(mine)).want(200)
	s.do("GET", path, nil, as(theirs)).wantProblem(404)
	s.do("GET", path, nil).want(200) // an admin sees all
	s.do("GET", path, nil, as(s.newKey(s.workspace, store.Viewer))).wantProblem(403)
	// a repeat of somebody else's answers alike, replayed or not
	for range 2 {
		s.tell(`,"external_id":"x-1"`, as(theirs), once("k")).want(200).wantAt("decisions[0].invitation_id", first.at("decisions[0].invitation_id"))
	}
}

func TestBatches(t *testing.T) {
	s := newServer(t)
	s.survey("after", ``)
	batch := `{"interactions":[{"touchpoint":"chat","external_id":"x-1","phone":"1","customer":{"external_id":"c-1"}},
		{"touchpoint":"none"},5,{"touchpoint":"chat","customer":{"email":""}},{"touchpoint":"chat","customer":{"external_id":7}},
		{"touchpoint":"chat","external_id":"x-1"},{"touchpoint":"chat","customer":{"external_id":"c-1"}},{}]}`
	got := s.do("POST", "/v1/interactions/batch", batch, once("b")).want(200).
		wantAt("results[0].status", 202.0).wantAt("results[0].decisions[0].decision", "scheduled").
		wantAt("results[0].warnings[0]", "koe does not know the field phone").
		wantAt("results[1].status", 422.0).wantAt("results[1].problem.errors[0].field", "touchpoint").wantAt("results[1].id", nil).
		wantAt("results[2].status", 400.0).wantAt("results[3].problem.errors[0].field", "customer.email").
		wantAt("results[4].problem.errors[0].field", "customer.external_id").wantAt("results[5].status", 200.0).
		wantAt("results[6].status", 202.0).wantAt("results[6].decisions[0].reason", "quiet_period").wantAt("results[7].status", 422.0).wantAt("results[8]", nil)
	if got.at("results[5].id") != got.at("results[0].id") || got.text("results[5].decisions[0].url") != got.text("results[0].decisions[0].url") {
		t.Errorf("a repeat is another: %s", got.body)
	}
	again := s.do("POST", "/v1/interactions/batch", batch, once("b")).want(200)
	strip := func(r response) string {
		return strings.ReplaceAll(string(r.body), r.header.Get("X-Request-Id"), "")
	}
	if strip(again) != strip(got) || again.header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("%s instead of %s", again.body, got.body)
	}
	for body, field := range map[string]string{`{"interactions":[]}`: "interactions", `{}`: "interactions", `{"interactions":{}}`: "interactions", `{"interactions":null}`: "interactions"} {
		s.do("POST", "/v1/interactions/batch", body).wantProblem(422, field)
	}
	s.do("POST", "/v1/interactions/batch", `{"interactions":[{}],"colour":1}`).wantProblem(400, "colour")
	for _, twice := range []string{`{"interactions":[{}],"interactions":[{}]}`, `{"interactions":null,"interaction\u0073":[{}]}`} {
		s.do("POST", "/v1/interactions/batch", twice).wantProblem(400, "interactions").wantAt("errors[0].code", "duplicate")
	}
}

// What cannot be read in one item is that item's own; what breaks the whole
// body is everybody's.
func TestUnreadableItemsOfABatch(t *testing.T) {
	s := newServer(t)
	s.survey("after", ``)
	deep := strings.Repeat("[", 200) + strings.Repeat("]", 200)
	bad := `{"touchpoint":"chat","a":1,"a":2},{"customer":{"name":"x","n\u0061me":"y"}},{"touchpoint":"chat","note":"\u0000"},"\u0000",{"a":` + deep + `}`
	got := s.do("POST", "/v1/interactions/batch", `{"interactions":[`+bad+`,{"touchpoint":"chat","customer":{"external_id":"c-1","phone":"1"}}]}`).want(200)
	for i, want := range []struct{ field, code any }{{"a", "duplicate"}, {"customer.name", "duplicate"}, {"note", "format"}, {nil, nil}, {nil, nil}} {
		at := fmt.Sprintf("results[%d].", i)
		got.wantAt(at+"status", 400.0).wantAt(at+"problem.errors[0].field", want.field).wantAt(at+"problem.errors[0].code", want.code)
	}
	got.wantAt("results[5].status", 202.0).wantAt("results[5].decisions[0].decision", "scheduled").wantAt("results[6]", nil)

	before := s.count("interactions")
	for _, body := range []string{`{"interactions":[{"touchpoint":"chat"},]}`, `{"interactions":[{"touchpoint":"chat"},{"a":}]}`,
		`{"interactions":[{"touchpoint":"chat"}]`, `{"interactions":[{"touchpoint":"chat"}]}{}`, `[{"touchpoint":"chat"}]`,
		`{"interactions":[{"touchpoint":"chat"},` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + `]}`} {
		s.do("POST", "/v1/interactions/batch", body).wantProblem(400)
	}
	s.do("POST", "/v1/interactions/batch", `{"interactions":[{"a":1,"a":2}],"colour":1}`).wantProblem(400, "colour").wantAt("errors[0].code", "unknown")
	if after := s.count("interactions"); after != before {
		t.Errorf("%d interactions instead of %d", after, before)
	}
}

func TestSizesOfBatches(t *testing.T) {
	s := newServer(t)
	s.do("PUT", "/v1/touchpoints/chat", `{"name":"Chat"}`).want(201)
	items := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `,{"touchpoint":"chat","external_id":"x-%d"}`, i)
		}
		return `{"interactions":[` + b.String()[1:] + `]}`
	}
	s.do("POST", "/v1/interactions/batch", items(1001)).wantProblem(422, "interactions")
	var out struct{ Results []struct{ Status int } }
	s.do("POST", "/v1/interactions/batch", items(1000)).want(200).into(&out)
	if len(out.Results) != 1000 || out.Results[0].Status != 202 || out.Results[999].Status != 202 {
		t.Errorf("%d results", len(out.Results))
	}
	large := func(size int) string {
		head, tail := `{"interactions":[{"touchpoint":"chat","note":"`, `"}]}`
		return head + strings.Repeat("x", size-len(head)-len(tail)) + tail
	}
	s.do("POST", "/v1/interactions/batch", large(8<<20)).want(200).wantAt("results[0].status", 202.0)
	s.do("POST", "/v1/interactions/batch", large(8<<20+1)).wantProblem(413)
	s.do("POST", "/v1/interactions/batch", large(8<<20+1), unsized).wantProblem(413)
}

// A repeat answers with the same links after a restart, although the database
// holds neither links nor tokens.
func TestLinksAreRenderedAnew(t *testing.T) {
	s := newServer(t)
	s.survey("after", `"rules":{"quiet_period":"0s"}`)
	requests := []struct{ path, body, url string }{
		{"/v1/interactions", `{"touchpoint":"chat","customer":{"external_id":"c-1"}}`, "decisions[0].url"},
		{"/v1/interactions/batch", `{"interactions":[{"touchpoint":"chat","customer":{"external_id":"c-1"}}]}`, "results[0].decisions[0].url"},
		{"/v1/surveys/after/links", `{"links":[{"external_id":"row-1","customer":{"external_id":"c-1"}}]}`, "data[0].url"},
	}
	var first []response
	for _, r := range requests {
		first = append(first, s.do("POST", r.path, r.body, once("k"+r.path)))
	}
	key, disk := s.key, s.onDisk()
	s.close()
	s = openServer(t, s.database)
	for i, r := range requests {
		again := s.do("POST", r.path, r.body, once("k"+r.path), as(key))
		link := again.text(r.url)
		if again.status != first[i].status || string(again.body) != string(first[i].body) || again.header.Get("Idempotency-Replayed") != "true" {
			t.Errorf("%s: %d %s instead of %d %s", r.path, again.status, again.body, first[i].status, first[i].body)
		}
		_, token, _ := strings.Cut(link, "/s/")
		if len(token) < 22 || strings.Contains(disk, token) || strings.Contains(disk, "/s/") {
			t.Errorf("%s: the database knows the link %s", r.path, link)
		}
		s.do("GET", "/s/"+token, nil, as("")).want(200)
	}
}

func TestSimulate(t *testing.T) {
	s := newServer(t)
	s.survey("after", `"channel":"email","trigger":{"type":"interaction","delay":"2h"},"rules":{"max_age":"1d","condition":{"attributes.plan":"pro"}}`)
	s.tell(`,"customer":{"external_id":"c-1","email":"ana@example.com"},"attributes":{"plan":"pro"}`).want(202).wantAt("decisions[0].decision", "scheduled")
	count := func() string {
		return fmt.Sprint(s.count("interactions"), s.count("people"), s.count("decisions"), s.count("invitations"), s.count("events"), s.count("survey_days"))
	}
	before := count()
	simulate := func(body string) response { return s.do("POST", "/v1/surveys/after/simulate", body) }
	simulate(`{"customer":{"email":"new@example.com"},"attributes":{"plan":"pro"}}`).want(200).wantAt("decision", "scheduled").
		wantAt("send_at", "2026-11-22T11:30:00.000Z").wantAt("rules[0].rule", "state").wantAt("rules[0].verdict", "pass").wantAt("reason", nil)
	simulate(`{"at":"2027-01-01T00:00:00Z","customer":{"external_id":"c-1"}}`).want(200).wantAt("decision", "scheduled").wantAt("send_at", "2027-01-01T02:00:00.000Z")
	simulate(`{"customer":{"external_id":"c-1"}}`).want(200).wantAt("reason", "quiet_period").wantAt("until", "2026-12-22T11:30:00.000Z").wantAt("send_at", nil)
	simulate(`{"customer":{"external_id":"c-1"},"occurred_at":"2026-11-20T00:00:00Z"}`).want(200).wantAt("reason", "too_old")
	simulate(`{"touchpoint":"chat","customer":{"email":"new@example.com"}}`).want(200).wantAt("reason", "condition")
	simulate(`{"attributes":{"plan":"pro"}}`).want(200).wantAt("reason", "no_address")
	simulate(`{"touchpoint":"shop"}`).wantProblem(422, "touchpoint")
	simulate(`{"customer":{"email":""}}`).wantProblem(422, "customer.email")
	simulate(`{"at":"soon"}`).wantProblem(422, "at")
	simulate(`{"at":"2027-01-01T00:00:00Z","customer":{"external_id":"c-1","phone":"1"},"colour":"red"}`).want(200).wantAt("decision", "scheduled").
		wantAt("warnings[0]", "koe does not know the field customer.phone").wantAt("warnings[1]", "koe does not know the field colour").wantAt("warnings[2]", nil)
	simulate(`{"at":"2027-01-01T00:00:00Z","at":"2027-01-01T00:00:00Z"}`).wantProblem(400, "at")
	s.do("POST", "/v1/surveys/none/simulate", `{}`).wantProblem(404)
	if after := count(); after != before {
		t.Errorf("%s rows before, %s after", before, after)
	}
}

// raw lets a test into the database behind koe's back.
func (s *server) raw(do func(*sql.DB) error) {
	s.t.Helper()
	db, err := sql.Open("sqlite3", strings.TrimPrefix(s.database, "sqlite:"))
	if err != nil {
		s.t.Fatal(err)
	}
	if err := errors.Join(do(db), db.Close()); err != nil {
		s.t.Fatal(err)
	}
}

// count is how many rows a table has.
func (s *server) count(table string) (n int) {
	s.t.Helper()
	s.raw(func(db *sql.DB) error { return db.QueryRow(`SELECT COUNT(*) FROM ` + table).Scan(&n) })
	return n
}
