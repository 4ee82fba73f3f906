package api_test

import (
	"context"
	"database/sql"
	"html"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"koe/survey/store/storetest"
)

var (
	hiddenField = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)">`)
	textField   = regexp.MustCompile(`(?s)<textarea name="([^"]+)"[^>]*>\n(.*?)</textarea>`)
)

var formAction = regexp.MustCompile(`<form method="post" action="([^"]+)"`)

// action is where the form of a page is sent.
func action(r response) string {
	found := formAction.FindSubmatch(r.body)
	if found == nil {
		return ""
	}
	return html.UnescapeString(string(found[1]))
}

// fields are what the form of a page would send.
func (r response) fields() string {
	sent := url.Values{}
	for _, field := range append(hiddenField.FindAllStringSubmatch(string(r.body), -1), textField.FindAllStringSubmatch(string(r.body), -1)...) {
		sent.Add(html.UnescapeString(field[1]), html.UnescapeString(field[2]))
	}
	return sent.Encode()
}

// While storage is away nothing is lost: the page says so in the respondent's
// language and holds what was typed, and its button sends it again.
func TestAnswersSurviveStorageThatIsAway(t *testing.T) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) { // somebody else writes, for longer than koe waits
		t.Parallel()
		s := newServer(t)
		hold := func() (release func()) {
			db, err := sql.Open("sqlite3", strings.TrimPrefix(s.database, "sqlite:")+"?_txlock=immediate")
			if err != nil {
				t.Fatal(err)
			}
			tx, err := db.BeginTx(context.Background(), nil)
			if err != nil {
				t.Fatal(err)
			}
			return func() { _ = tx.Rollback(); _ = db.Close() }
		}
		s.answersSurvive(hold, "")
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		gate, address := storetest.Behind(t, storetest.Postgres(t))
		s := openServer(t, address)
		s.answersSurvive(func() func() { gate.Shut(); return gate.Open }, "ja") // nobody can know the customer's language
	})
}

func (s *server) answersSurvive(hold func() (release func()), accepts string) {
	s.survey("after", ``)
	slug := s.openLink("after", `"kiosk":true,"embed_origins":["https://shop.example"]`)
	const typed = "おそい & <b>長い</b>\r\n二行目"
	more := "step=questions&q_topic=price&q_topic=speed&q_improve=" + url.QueryEscape(typed)
	token, visitor, tablet := s.token("after", `{"locale":"ja"}`), s.visit(slug+"?lang=ja"), s.visit(slug+"?via=kiosk&lang=ja")
	framed, walkedAway := s.visit(slug+"?via=embed"), s.visit(slug+"?via=kiosk&lang=en")
	s.answer(token, "step=score&score=4").wantPage(200)
	visitor.post("step=score&score=4").wantPage(200)
	inFrame := action(framed.post("step=score&score=4").want(200))
	onTablet := walkedAway.post("step=score&score=4").want(303).header.Get("Location")
	s.now.move(3 * time.Second)

	release := hold()
	posts := []func() response{
		func() response { return s.answer(token, more, with("Accept-Language", accepts)) },
		func() response { return s.do("POST", visitor.own()+"?lang=ja", more, form) },
		func() response { return tablet.post("step=score&score=2") },
		func() response { return s.do("POST", "/u/"+token, "", form) },
		func() response { return s.do("POST", inFrame, more, form) },
		func() response { return s.do("POST", onTablet, more, form) },
	}
	refused := make([]chan response, len(posts))
	for i, post := range posts {
		refused[i] = make(chan response, 1)
		go func() { refused[i] <- post() }()
	}
	var pages []response
	for i, one := range refused {
		page := <-one
		pages = append(pages, page)
		page.want(503)
		if page.header.Get("Retry-After") == "" || page.header.Get("Content-Type") != "text/html; charset=utf-8" {
			s.t.Errorf("%s: %v", page.request, page.header)
		}
		if i < 2 {
			page.wantPage(503, `lang="ja"`, "送信できませんでした", "おそい &amp; &lt;b&gt;長い&lt;/b&gt;", `role="alert"`).never("<b>")
		}
	}
	for i, lang := range map[int]string{2: "ja", 5: "en"} {
		if want := `<body data-start="/l/` + slug + `?lang=` + lang + `&amp;via=kiosk" data-wait="90"`; !strings.Contains(string(pages[i].body), want) {
			s.t.Errorf("%s: a tablet does not go on by itself: %s", pages[i].request, pages[i].body)
		}
	}
	if policy := pages[4].header.Get("Content-Security-Policy"); !strings.HasSuffix(policy, "frame-ancestors https://shop.example") {
		s.t.Errorf("a frame's error has the policy %q", policy)
	}
	release()

	s.answer(token, pages[0].fields()).wantPage(200, "率直なご意見")
	s.do("POST", visitor.own(), pages[1].fields(), form).wantPage(200)
	s.now.move(3 * time.Second)
	tablet.post("step=score&score=2").want(303)
	got := s.do("GET", "/v1/responses?has_comment=true", nil).want(200).wantAt("data[2]", nil)
	for _, i := range []string{"data[0].", "data[1]."} {
		got.wantAt(i+"comment", strings.ReplaceAll(typed, "\r", "")).wantAt(i+"answers.topic[0]", "price").wantAt(i+"answers.topic[1]", "speed").wantAt(i+"complete", true)
	}
	s.do("GET", "/v1/scores?metric=nps", nil).want(200).wantAt("total.responses", 5.0)
	if checked, err := s.store.Verify(s.t.Context()); err != nil || len(checked.Faults) > 0 {
		s.t.Error(err, checked.Faults)
	}
	if log := s.log.String(); strings.Contains(log, "おそい") || strings.Contains(log, token) {
		s.t.Error("the log tells who said what")
	}
}

// A first answer counts before its questions are answered, and an edit moves the
// score as long as it may.
func TestAPartialAnswerCountsAndAnEditMovesIt(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		s.survey("after", `"rules":{"editable_for":"1h"}`)
		token := s.token("after", `{}`)
		slug := s.openLink("after", ``)
		visitor := s.visit(slug)
		s.answer(token, "step=score&score=10").wantPage(200)
		visitor.post("step=score&score=10").wantPage(200)
		s.do("GET", "/v1/responses", nil).want(200).wantAt("data[0].complete", false).wantAt("data[1].complete", false)
		s.do("GET", "/v1/scores?metric=nps", nil).want(200).wantAt("total.responses", 2.0).wantAt("total.score", 100.0)
		s.answer(token, "step=score&score=0").wantPage(200)
		s.do("POST", visitor.own(), "step=score&score=7", form).wantPage(200)
		s.do("GET", "/v1/scores?metric=nps", nil).want(200).wantAt("total.responses", 2.0).wantAt("total.score", -50.0)
		s.now.move(time.Hour)
		s.answer(token, "step=score&score=10").wantPage(409)
		s.do("POST", visitor.own(), "step=score&score=10", form).wantPage(409)
		s.do("GET", "/v1/scores?metric=nps", nil).want(200).wantAt("total.score", -50.0)
		if checked, err := s.store.Verify(t.Context()); err != nil || len(checked.Faults) > 0 {
			t.Error(err, checked.Faults)
		}
	})
}
