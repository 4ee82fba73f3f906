package api_test

import (
	"database/sql"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// form makes a request what a browser posts, without a key.
func form(r *http.Request) {
	r.Header.Del("Authorization")
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
}

// answer posts the form of a survey's page.
func (s *server) answer(token, fields string, options ...func(*http.Request)) response {
	s.t.Helper()
	return s.do("POST", "/s/"+token, fields, append([]func(*http.Request){form}, options...)...)
}

// open fetches a survey's page.
func (s *server) open(path string, options ...func(*http.Request)) response {
	s.t.Helper()
	return s.do("GET", "/s/"+path, nil, append([]func(*http.Request){as("")}, options...)...)
}

// wantPage fails the test where an answer is no page of koe's with all of
// these texts.
func (r response) wantPage(status int, texts ...string) response {
	r.t.Helper()
	r.want(status)
	if got := r.header.Get("Content-Type"); got != "text/html; charset=utf-8" {
		r.t.Errorf("%s: a page as %q: %s", r.request, got, r.body)
	}
	policy := r.header.Get("Content-Security-Policy")
	if !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "frame-ancestors 'none'") || strings.Contains(policy, "unsafe") || strings.Count(policy, "script-src 's") != 1 {
		r.t.Errorf("%s: policy %q", r.request, policy)
	}
	stored := r.header.Get("Cache-Control")
	back := stored == "private, max-age=0" && status == http.StatusOK && strings.Contains(string(r.body), `name="form"`) // the start of an open link
	if r.header.Get("Referrer-Policy") != "no-referrer" || stored != "no-store" && !back || r.header.Get("Set-Cookie") != "" {
		r.t.Errorf("%s: %v", r.request, r.header)
	}
	for _, text := range texts {
		if !strings.Contains(string(r.body), text) {
			r.t.Errorf("%s: the page lacks %q: %s", r.request, text, r.body)
		}
	}
	return r
}

// never fails the test where an answer has one of these texts.
func (r response) never(texts ...string) response {
	r.t.Helper()
	for _, text := range texts {
		if strings.Contains(string(r.body), text) {
			r.t.Errorf("%s: the page tells %q", r.request, text)
		}
	}
	return r
}

func TestTheSurveyPage(t *testing.T) {
	s := newServer(t)
	s.survey("after", ``)
	token := s.token("after", `{"external_id":"c-1","email":"ana@example.com","name":"Ana"}`)
	s.open(token).wantPage(200, "How likely are you to recommend us", `name="step" value="score"`, "which can see that it comes from you").never(" checked", "Ana", "ana@example.com", "c-1", "<script")
	for query, chosen := range map[string]int{"?score=9": 1, "?score=0": 1, "?score=11": 0, "?score=-1": 0, "?score=09": 0, "?score=9.0": 0, "?score=x": 0, "?score=": 0, "?score=%00": 0, "?score=9&score=8": 1, "?score=%zz": 0} {
		got := s.open(token+query).wantPage(200, `value="score"`)
		if n := strings.Count(string(got.body), " checked"); n != chosen {
			t.Errorf("%s: %d chosen", query, n)
		}
	}
	if s.count("responses") != 0 {
		t.Fatal("opening a page records")
	}
	// the score first, at once
	s.answer(token, "step=score&score=4").wantPage(200, "Your answer: 4", "disappointed you", "which can see that it comes from you", `name="q_improve"`, `name="q_topic"`, `name="q_contact"`).never(`name="q_praise"`)
	saved := s.do("GET", "/v1/responses", nil).want(200).wantAt("data[0].score", 4.0).wantAt("data[0].complete", false).wantAt("data[0].channel", "link").wantAt("data[0].customer.external_id", "c-1")
	s.do("GET", "/v1/scores?metric=nps", nil).want(200).wantAt("total.score", -100.0)
	id := saved.text("data[0].id")
	show := func() response { return s.do("GET", "/v1/responses/"+id, nil).want(200) }
	// a double click changes nothing
	s.answer(token, "step=score&score=4").wantPage(200, `name="q_improve"`)
	s.open(token).wantPage(200, `name="step" value="questions"`, "Your answer: 4")
	// then the questions
	s.answer(token, "step=questions&q_improve=Too+slow.%0D%0A"+url.QueryEscape("遅い 😞")+"&q_topic=price&q_topic=speed&q_contact=yes").wantPage(200, "Thank you for your honest answer", "Your answer: 4").never("Too slow")
	events := s.count("events")
	s.answer(token, "step=questions&q_improve=Too+slow.%0D%0A"+url.QueryEscape("遅い 😞")+"&q_topic=price&q_topic=speed&q_contact=yes").wantPage(200, "Thank you for your honest answer")
	if s.count("events") != events {
		t.Error("an identical repeat is an event")
	}
	show().wantAt("comment", "Too slow.\n遅い 😞").wantAt("answers.topic[1]", "speed").wantAt("answers.contact", true).wantAt("complete", true)
	s.open(token).wantPage(200, "Thank you for your honest answer")
	// edits within the window: another button of the mail, or the link on the page
	s.open(token+"?score=10").wantPage(200, `name="step" value="score"`, " checked")
	s.open(token+"?score=4").wantPage(200, "Thank you for your honest answer")
	s.open(token+"?edit=1").wantPage(200, `value="score"`, " checked")
	show().wantAt("score", 4.0)
	s.now.move(24*time.Hour - time.Millisecond)
	s.answer(token, "step=score&score=9").wantPage(200, "Your answer: 9", `name="q_praise"`)
	show().wantAt("score", 9.0).wantAt("comment", nil).wantAt("answers.improve", "Too slow.\n遅い 😞") // what this score does not ask stays as it was said
	s.do("GET", "/v1/scores?metric=nps", nil).want(200).wantAt("total.score", 100.0).wantAt("total.responses", 1.0)
	// and no longer after it
	s.now.move(time.Millisecond)
	before := show()
	s.answer(token, "step=score&score=0").wantPage(409, "can no longer be changed", "Your answer: 9").never("?edit=1")
	s.answer(token, "step=questions&q_praise=late").wantPage(409)
	s.answer(token, "step=score&score=9").wantPage(200, "Thank you").never(`value="questions"`) // which could not be saved
	s.open(token+"?score=3").wantPage(200, "Thank you").never(`value="score"`)
	if after := show(); string(after.body) != string(before.body) {
		t.Errorf("%s instead of %s", after.body, before.body)
	}
	s.do("GET", "/v1/invitations", nil).want(200).wantAt("data[0].state", "answered").wantAt("data[0].answered_at", "2026-11-22T09:30:00.000Z")
}

// Mail scanners and previews fetch every link, often several times and with
// HEAD first. None of that is an answer.
func TestScannersRecordNothing(t *testing.T) {
	s := newServer(t)
	s.survey("after", ``)
	token := s.token("after", `{"email":"ana@example.com"}`)
	before := s.do("GET", "/v1/invitations", nil)
	agents := []string{"", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36", "Mozilla/5.0 (compatible; BarracudaCentral)",
		"Mozilla/5.0 (compatible; Proofpoint URL Defense)", "MimecastWebScanner", "Microsoft Office/16.0 (Microsoft Outlook 16.0)", "GoogleImageProxy", "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
		"facebookexternalhit/1.1", "WhatsApp/2.23", "curl/8.5.0", "python-requests/2.32"}
	for _, agent := range agents {
		for _, method := range []string{"GET", "HEAD"} {
			for _, path := range []string{"/s/" + token, "/s/" + token + "?score=9", "/s/" + token + "?score=0&edit=1&step=score", "/u/" + token, "/u/" + token + "?List-Unsubscribe=One-Click"} {
				got := s.do(method, path, nil, as(""), with("User-Agent", agent)).want(200)
				if method == "HEAD" && len(got.body) > 0 {
					t.Errorf("%s: a body", path)
				}
			}
		}
	}
	s.answer(token+"?score=9", "").wantPage(422) // only what is posted counts
	for _, method := range []string{"PUT", "PATCH", "DELETE", "BREW"} {
		s.do(method, "/s/"+token+"?score=9", nil, as("")).want(405)
	}
	after := s.do("GET", "/v1/invitations", nil)
	if n := s.count("responses") + s.count("suppressions") + s.count("tallies"); n != 0 || string(after.body) != string(before.body) {
		t.Errorf("%d rows; %s instead of %s", n, after.body, before.body)
	}
}

// A navigation by a person's hand is noted, once, and is no state.
func TestAPageThatAPersonOpens(t *testing.T) {
	s := newServer(t)
	s.survey("after", ``)
	token := s.token("after", `{"email":"ana@example.com"}`)
	open := func(mode string) {
		s.do("GET", "/s/"+token, nil, as(""), with("Sec-Fetch-User", "?1"), with("Sec-Fetch-Mode", mode)).want(200)
	}
	open("no-cors")
	s.do("GET", "/v1/invitations", nil).want(200).wantAt("data[0].opened_at", nil)
	open("navigate")
	noted := s.do("GET", "/v1/invitations", nil).want(200).wantAt("data[0].opened_at", s.now.time().UTC().Format("2006-01-02T15:04:05.000Z")).wantAt("data[0].state", "sent")
	s.now.move(time.Minute)
	open("navigate")
	if again := s.do("GET", "/v1/invitations", nil); string(again.body) != string(noted.body) {
		t.Errorf("%s instead of %s", again.body, noted.body)
	}
	if checked, err := s.store.Verify(t.Context()); err != nil || len(checked.Faults) > 0 {
		t.Error(err, checked.Faults)
	}
}

func TestLinksThatOpenNothing(t *testing.T) {
	s := newServer(t)
	s.survey("after", `"rules":{"expires_after":"1d"}`)
	token := s.token("after", `{"email":"ana@example.com"}`)
	other := newServer(t)        // the same secret and workspace number, another database
	pages := map[string]string{} // one for all that is looked at, one for all that is posted
	for _, path := range []string{"unknown", token[:len(token)-1], token + "x", strings.ToUpper(token), token[:len(token)-1] + "-", "%00", "%ff", "..%2f", "a%2Fb", "Yw" + strings.Repeat("A", 24), strings.Repeat("a", 33), strings.Repeat("x", 5000), "preview"} {
		for _, method := range []string{"GET", "POST"} {
			for _, page := range []string{"/s/", "/u/"} {
				got := s.do(method, page+path, "score=9", form)
				got.request = method + " " + page + path[:min(len(path), 50)]
				known := pages[method+page]
				if shown := string(got.wantPage(404, "We do not know this link").body); known != "" && known != shown {
					t.Fatalf("unknown links are told apart: %s and %s", known, shown)
				} else {
					pages[method+page] = shown
				}
			}
		}
	}
	for _, path := range []string{"", "/", "unknown/page", token + "/", "../" + token} {
		if shown := string(s.open(path).wantPage(404).body); shown != pages["GET/s/"] {
			t.Errorf("%s is told apart: %s", path, shown)
		}
	}
	if shown := string(other.open(token).wantPage(404).body); shown != pages["GET/s/"] {
		t.Errorf("a link of another database is told apart: %s", shown)
	}
	s.now.move(24 * time.Hour)
	s.open(token).wantPage(410, "This survey has ended")
	s.open(token+"?score=9&lang=ja").wantPage(410, `lang="ja"`)
	s.answer(token, "step=score&score=9").wantPage(410, "This survey has ended")
	if s.count("responses") != 0 {
		t.Error("answered after its end")
	}
	// what was answered stays to be seen
	token = s.token("after", `{}`)
	s.answer(token, "step=score&score=9").wantPage(200)
	s.now.move(48 * time.Hour)
	s.open(token).wantPage(200, "Your answer: 9")
	s.answer(token, "step=score&score=8").wantPage(409)
	// an invitation that was called off
	s.survey("archived", `"touchpoint":"shop"`)
	token = s.token("archived", `{}`)
	s.do("POST", "/v1/surveys/archived/archive", nil).want(200)
	s.open(token).wantPage(200) // it is out, and can be answered
}

const formTemplate = `{"name":"Form","metric":"csat","default_locale":"en","questions":[
	{"key":"score","type":"score","scale":{"min":1,"max":5},"text":{"en":"How was it?","ja":"いかがでしたか?"}},
	{"key":"why","type":"text","max_length":10,"text":{"en":"Why?"}},
	{"key":"one","type":"choice","required":true,"options":[{"key":"a","text":{"en":"A"}},{"key":"b","text":{"en":"B"}}],"text":{"en":"Which?"}},
	{"key":"many","type":"choice","multiple":true,"options":[{"key":"a","text":{"en":"A"}},{"key":"b","text":{"en":"B"}}],"text":{"en":"Which ones?"}},
	{"key":"speed","type":"rating","scale":{"min":1,"max":3},"text":{"en":"How fast?"}},
	{"key":"contact","type":"consent","text":{"en":"May we?"}}]}`

// What no page of the survey could have posted is refused beside its field,
// and what was typed stays.
func TestForgedForms(t *testing.T) {
	s := newServer(t)
	s.do("PUT", "/v1/templates/form", formTemplate).want(201)
	s.survey("after", `"template":"form"`)
	token := s.token("after", `{}`)
	for _, fields := range []string{"", "step=score", "step=score&score=", "step=score&score=0", "step=score&score=6", "step=score&score=-1", "step=score&score=05", "step=score&score=5.0", "step=score&score=+5",
		"step=score&score=5&score=4", "step=score&score=5&score=5", "step=score&score=five", "step=score&score=99999999999999999999", "step=questions&q_one=a", "q_one=a", "step=score&score[]=5", "SCORE=5",
		"step=score&score=5&q_none=x", "step=score&score=5&q_score=4", "step=score&score=5&q_=x", "step=score&score=5&q_speed=9"} {
		got := s.answer(token, fields)
		got.request = fields
		got.wantPage(422, "Please check your answer", `role="alert"`, `value="score"`)
	}
	if s.count("responses") != 0 {
		t.Fatal("a forged form was kept")
	}
	s.answer(token, "step=score&score=2").wantPage(200, `name="q_one"`)
	typed := "&q_why=" + url.QueryEscape(`"<b>typed`)
	for fields, id := range map[string]string{
		"q_one=c": "q_one.error", "q_one=a&q_one=b": "q_one.error", "q_one=a&q_one=a": "q_one.error", "": "q_one.error", "q_one=": "q_one.error",
		"q_one=a&q_many=c": "q_many.error", "q_one=a&q_many=a&q_many=c": "q_many.error", "q_one=a&q_speed=4": "q_speed.error", "q_one=a&q_speed=2.5": "q_speed.error",
		"q_one=a&q_speed=1&q_speed=2": "q_speed.error", "q_one=a&q_contact=yes&q_contact=yes": "q_contact.error", "q_one=a&q_none=x": "Please check your answer", "q_one=a&score=9": "Please check your answer",
	} {
		got := s.answer(token, "step=questions&"+fields+typed)
		got.request = fields
		got.wantPage(422, "Please check your answer", id, `&#34;&lt;b&gt;typed`, `value="questions"`).never("<b>typed")
	}
	s.answer(token, "step=questions&q_one=b&q_why="+strings.Repeat("長", 11)).wantPage(422, "at most 10 characters", strings.Repeat("長", 11), `q_why.error`)
	s.do("GET", "/v1/responses", nil).want(200).wantAt("data[0].complete", false).wantAt("data[0].answers.one", nil).wantAt("data[0].score", 2.0)
	s.answer(token, "step=questions&q_one=b&q_many=a&q_many=b&q_speed=3&q_contact=yes&q_why="+strings.Repeat("長", 10)+"&utm_source=x").wantPage(200, "Thank you")
	s.do("GET", "/v1/responses", nil).want(200).wantAt("data[0].answers.one", "b").wantAt("data[0].answers.many[1]", "b").wantAt("data[0].answers.speed", 3.0).wantAt("data[0].answers.contact", true)
	// another survey's questions, and a token of another survey
	s.survey("nps", `"touchpoint":"shop"`)
	s.answer(s.token("nps", `{}`), "step=score&score=9&q_one=a").wantPage(422)
	s.answer(s.token("nps", `{}`), "step=score&score=10").wantPage(200, `name="q_praise"`).never(`name="q_one"`)
	// in the respondent's language
	s.answer(s.token("after", `{"locale":"ja"}`), "step=score").wantPage(422, "いかがでしたか?", `lang="ja"`)
}

func TestFormsThatCannotBeRead(t *testing.T) {
	s := newServer(t)
	s.survey("after", ``)
	token := s.token("after", `{"email":"ana@example.com"}`)
	large := "step=score&score=9&q_praise=" + strings.Repeat("x", 256<<10)
	for _, page := range []string{"/s/", "/u/"} {
		s.do("POST", page+token, large, form).wantPage(413, "longer than this page can send", `<a class="button" href="">Try again</a>`).never("not available just now", "<form", "page before")
		s.do("POST", page+token+"?lang=ja", large, form, unsized).wantPage(413, "文章が長すぎます")
		for _, media := range []string{"text/plain", "application/json", "application/x-www-form-urlencoded; charset=shift_jis", ""} {
			s.do("POST", page+token, "score=9", form, with("Content-Type", media)).wantPage(415, "could not be read", `<a class="button" href="">Try again</a>`).never("go back")
		}
	}
	for _, fields := range []string{"score=%zz", "score=9;a"} {
		s.answer(token, fields).wantPage(400, "could not be read").never("not available just now")
	}
	for _, fields := range []string{"score=9&q_praise=%ff", "score=9&q_praise=%00"} {
		s.answer(token, fields).wantPage(422, "cannot be kept")
	}
	parts := with("Content-Type", "multipart/form-data; boundary=xx")
	for _, body := range []string{"--xx\r\nbroken", "--yy\r\n\r\n--yy--\r\n", "x"} {
		s.answer(token, body, parts).wantPage(400)
	}
	s.answer(token, "--xx--\r\n", with("Content-Type", "multipart/form-data")).wantPage(400)
	if n := s.count("responses") + s.count("suppressions"); n != 0 {
		t.Errorf("%d rows were kept", n)
	}
	s.answer(token, "--xx\r\nContent-Disposition: form-data; name=\"score\"\r\n\r\n9\r\n--xx\r\nContent-Disposition: form-data; name=\"step\"\r\n\r\nscore\r\n--xx--\r\n", parts).wantPage(200, "Your answer: 9")
	long := "step=questions&q_praise=" + strings.Repeat("x", 2001)
	s.answer(token, long).wantPage(422, "at most 2,000 characters")
	s.answer(token, long[:len(long)-1]).wantPage(200)
}

// A fault of koe's own is a page too, and the log knows why.
func TestAFaultIsAPage(t *testing.T) {
	s := newServer(t)
	s.survey("after", ``)
	token, slug := s.token("after", `{}`), s.openLink("after", ``)
	preview := strings.TrimPrefix(s.do("POST", "/v1/templates/nps/preview", `{"what":"page"}`).want(200).text("url"), "https://koe.example.com")
	s.raw(func(db *sql.DB) error {
		_, err := db.Exec(`ALTER TABLE invitations RENAME TO elsewhere; ALTER TABLE open_links RENAME TO gone; ALTER TABLE templates RENAME TO away`)
		return err
	})
	for _, path := range []string{"/l/" + slug, preview} {
		s.do("GET", path, nil, as("")).wantPage(500, "not available just now").never("no such table")
	}
	s.open(token).wantPage(500, "not available just now").never("invitations")
	s.do("HEAD", "/u/"+token, nil, as("")).want(500)
	s.answer(token, "step=score&score=9").wantPage(500).never("invitations")
	s.do("POST", "/u/"+token, nil, as("")).wantPage(500)
	if log := s.log.String(); strings.Count(log, "no such table: invitations") != 4 {
		t.Errorf("%s", log)
	}
}

// However often a button is pressed at once, it is one answer.
func TestOneAnswerOfManyAtOnce(t *testing.T) {
	s := newServer(t)
	s.survey("after", ``)
	token := s.token("after", `{}`)
	answers := make(chan response)
	for i := range 20 {
		go func() { answers <- s.answer(token, fmt.Sprintf("step=score&score=%d", i%11)) }()
	}
	for range 20 {
		(<-answers).want(200)
	}
	if n := s.count("responses"); n != 1 {
		t.Errorf("%d responses", n)
	}
	score := s.do("GET", "/v1/responses", nil).want(200).at("data[0].score")
	got := s.do("GET", "/v1/scores?metric=nps", nil).want(200).wantAt("total.responses", 1.0).wantAt("total.mean", score)
	s.do("GET", "/v1/scores?metric=nps&timezone=Asia/Kathmandu&from=2026-01-01", nil).want(200).wantAt("source", "rows").wantAt("total.mean", got.at("total.mean"))
}

func TestTooManyPosts(t *testing.T) {
	s := newServer(t)
	s.survey("after", ``)
	token, other := s.token("after", `{}`), s.token("after", `{}`)
	for i := range 60 {
		s.answer(token, fmt.Sprintf("step=score&score=%d", i%11)).wantPage(200)
	}
	asked := strings.Replace(s.open(token).fields(), "q_improve=", "q_improve=slow", 1) // which looks like a choice
	over := s.answer(token, asked, with("Accept-Language", "ja")).wantPage(429, ">\nslow</textarea>", `lang="ja"`)
	if again := s.answer(token, over.fields()).wantPage(429, ">\nslow</textarea>"); again.fields() != asked {
		t.Errorf("%s instead of %s", again.fields(), asked)
	}
	if over.header.Get("Retry-After") != "1" {
		t.Errorf("Retry-After %q", over.header.Get("Retry-After"))
	}
	s.do("POST", "/u/"+token, "", form).wantPage(429)
	s.open(token).wantPage(200) // looking is free
	s.answer(other, "step=score&score=9").wantPage(200)
	s.now.move(time.Second)
	s.answer(token, "step=score&score=9").wantPage(200)
	s.answer(token, "step=score&score=9").wantPage(429)
	s.now.move(time.Minute)
	for range 60 {
		s.answer(token, "step=score&score=9").wantPage(200)
	}
}

func TestTheLanguageOfAPage(t *testing.T) {
	s := newServer(t)
	s.survey("after", ``)
	s.do("PUT", "/v1/templates/german", `{"name":"a","metric":"nps","default_locale":"de","questions":[{"key":"score","type":"score","text":{"de":"Würden Sie uns empfehlen?","pt-BR":"Você nos recomendaria?"}}]}`).want(201)
	s.survey("german", `"touchpoint":"shop","template":"german"`)
	for _, c := range []struct{ survey, customer, query, accepts, want string }{
		{"after", `{}`, "", "", "How likely"},
		{"after", `{}`, "", "ja,en;q=0.5", "ご友人"},
		{"after", `{}`, "", "it, ja;q=0.1", "ご友人"},
		{"after", `{}`, "", "it, de;q=0.1", "Wie wahrscheinlich"},
		{"after", `{}`, "", "*", "How likely"},
		{"after", `{}`, "", ";;;q=x", "How likely"},
		{"after", `{"locale":"ja-JP"}`, "", "en", "ご友人"},
		{"after", `{"locale":"it"}`, "", "ja", "ご友人"},
		{"after", `{"locale":"ar"}`, "", "ja", `lang="ar" dir="rtl"`},
		{"after", `{"locale":"ja"}`, "?lang=en", "ja", "How likely"},
		{"after", `{"locale":"ja"}`, "?lang=klingon%22%3E", "en", "ご友人"},
		{"german", `{}`, "", "en", "Würden Sie"},
		{"german", `{"locale":"pt"}`, "?lang=pt-BR", "", "Você"},
	} {
		token := s.token(c.survey, c.customer)
		s.open(token+c.query, with("Accept-Language", c.accepts)).wantPage(200, c.want)
		s.answer(token+c.query, "step=score&score=9", with("Accept-Language", c.accepts)).wantPage(200)
	}
	// the answer remembers in which language it was given
	if got := ids(s.do("GET", "/v1/responses?locale=ja", nil)); len(got) != 5 {
		t.Errorf("%d answers in Japanese", len(got))
	}
}

// A page shows what the template's placeholders fill in, as text, and nothing
// else of the customer.
func TestPlaceholdersOnThePage(t *testing.T) {
	s := newServer(t)
	s.do("PUT", "/v1/templates/own", strings.Replace(ownTemplate, "How was it?", "How was {{attributes.agent}}, {{name}}?", 1)).want(201)
	s.survey("own", `"template":"own"`)
	link := s.tell(`,"customer":{"external_id":"c-77","email":"ana@example.com","name":"<img src=x onerror=alert(1)>","timezone":"Asia/Tokyo"},
		"attributes":{"agent":"{{name}} & {{.}}","plan":"secret-plan"}`).want(202).text("decisions[0].url")
	_, token, _ := strings.Cut(link, "/s/")
	for _, got := range []response{s.open(token), s.answer(token, "step=score"), s.answer(token, "step=score&score=5"), s.open(token), s.do("GET", "/u/"+token, nil, as(""))} {
		got.never("<img src=x", "c-77", "ana@example.com", "secret-plan", "Kim")
	}
	s.open(s.token("own", `{}`)).wantPage(200, "How was us, there?")
	s.open(token+"?edit=1").wantPage(200, "How was {{name}} &amp; {{.}}, &lt;img src=x onerror=alert(1)&gt;?")
}
