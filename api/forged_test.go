package api_test

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"koe/survey/store"
)

// mailed tells of an interaction at the shop, and returns the token of its mail,
// and the invitation. A mail that the server did not take waits for another try.
func (s *server) mailed(email string, taken bool) (token, invitation string) {
	s.t.Helper()
	told := s.do("POST", "/v1/interactions", `{"touchpoint":"shop","customer":{"email":"`+email+`","locale":"ja"}}`).want(202)
	ctx := context.Background()
	claims, err := s.store.ClaimDue(ctx, 10, time.Minute)
	if err != nil || len(claims) != 1 {
		s.t.Fatalf("%v, %v", claims, err)
	}
	mails, err := s.store.StartSending(ctx, claims, func(m store.Mail) string { return m.Invitation.ID.String() + "@example.com" })
	if err != nil || len(mails) != 1 {
		s.t.Fatalf("%v, %v", mails, err)
	}
	if taken {
		err = s.store.Sent(ctx, claims[0])
	} else {
		err = s.store.Retry(ctx, claims[0], "421 later")
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return mails[0].Token, told.text("decisions[0].invitation_id")
}

// Whatever is wrong with a form is said at once: nobody mends one thing to be
// told of the next.
func TestAllThatIsWrongIsToldAtOnce(t *testing.T) {
	s := newServer(t)
	s.do("PUT", "/v1/templates/form", formTemplate).want(201)
	s.survey("after", `"template":"form"`)
	token := s.token("after", `{}`)
	s.answer(token, "step=score&score=9&q_why="+strings.Repeat("x", 11)+"&q_none=x").wantPage(422, "Please choose one of the answers.", "Please use at most 10 characters.")
	s.answer(token, "step=score&score=2").wantPage(200)
	s.answer(token, "step=questions&q_why="+strings.Repeat("長", 11)+"&q_many=c&q_speed=9&q_contact=perhaps").
		wantPage(422, `href="#q_why"`, `href="#q_one.1"`, `href="#q_many.1"`, `href="#q_speed.1"`, `href="#q_contact.1"`, strings.Repeat("長", 11),
			"Please answer this question.", "Please use at most 10 characters.")
	// blanks are no answer, and what no text can hold is shown where it stands
	s.answer(token, "step=questions&q_one=%20").wantPage(422, `href="#q_one.1"`)
	for raw, shown := range map[string]string{"a%00b": "a\ufffdb", "caf%e9": "caf\ufffd"} {
		s.answer(token, "step=questions&q_one=a&q_why="+raw).wantPage(422, `href="#q_why"`, "cannot be kept", ">\n"+shown+"</textarea>", `value="a" checked`)
	}
	s.do("GET", "/v1/responses", nil).want(200).wantAt("data[0].complete", false).wantAt("data[0].answers.why", nil)
	s.answer(token, "step=questions&q_one=a&q_why=ok&q_contact=no&utm=%ff").wantPage(200, "Thank you")
	s.do("GET", "/v1/responses", nil).want(200).wantAt("data[0].complete", true).wantAt("data[0].answers.contact", false)

	slug := s.openLink("after", ``)
	(&visitor{s, slug, "forged"}).post("step=score&score=9").wantPage(422, "We do not recognise this form", "Please choose one of the answers.", `name="form"`)
	v := s.visit(slug)
	v.post("step=score&score=2").wantPage(200)
	s.do("POST", v.own(), "step=questions&q_why="+strings.Repeat("x", 11), form).wantPage(422, `href="#q_one.1"`, `href="#q_why"`)
}

const branchTemplate = `{"name":"Branch","metric":"nps","default_locale":"en","questions":[
	{"key":"score","type":"score","text":{"en":"Would you recommend us?"}},
	{"key":"topic","type":"choice","options":[{"key":"speed","text":{"en":"Speed"}},{"key":"price","text":{"en":"Price"}}],"text":{"en":"What was it?"}},
	{"key":"late","type":"choice","required":true,"options":[{"key":"day","text":{"en":"A day"}},{"key":"week","text":{"en":"A week"}}],"text":{"en":"How late?"},"show_if":{"topic":{"in":["speed"]}}},
	{"key":"more","type":"text","text":{"en":"Anything else?"}}]}`

// A question that only an answer asks for comes on the page after it.
func TestQuestionsThatAnAnswerAsksFor(t *testing.T) {
	s := newServer(t)
	s.do("PUT", "/v1/templates/branch", branchTemplate).want(201)
	s.survey("after", `"template":"branch"`)
	token := s.token("after", `{}`)
	s.answer(token, "step=score&score=4").wantPage(200, "What was it?", "Anything else?").never("How late?")
	s.answer(token, "step=questions&q_topic=speed&q_more=no").wantPage(200, "How late?", `value="speed" checked`, ">\nno</textarea>").never("Thank you for your answer")
	s.do("GET", "/v1/responses", nil).want(200).wantAt("data[0].complete", false).wantAt("data[0].answers.topic", "speed")
	s.open(token).wantPage(200, "How late?")
	s.answer(token, "step=questions&q_topic=speed&q_more=no").wantPage(422, `href="#q_late.1"`, "Please answer this question.")
	s.answer(token, "step=questions&q_topic=speed&q_more=no&q_late=week").wantPage(200, "Thank you for your answer")
	s.do("GET", "/v1/responses", nil).want(200).wantAt("data[0].complete", true).wantAt("data[0].answers.late", "week")
	// nothing more is asked of those whom it does not concern, nor of who sends all at once
	token = s.token("after", `{}`)
	s.answer(token, "step=score&score=4").wantPage(200)
	s.answer(token, "step=questions&q_topic=price&q_more=no").wantPage(200, "Thank you for your answer")
	s.answer(s.token("after", `{}`), "step=questions&score=9&q_topic=speed&q_late=day").wantPage(200, "Thank you for your answer")
}

// A link that is over says so, whoever posts what to it, and nothing is kept.
func TestLinksThatAreOver(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		s.survey("mailed", `"channel":"email","touchpoint":"shop","rules":{"quiet_period":"0s","expires_after":"2d"}`)
		s.survey("after", `"rules":{"editable_for":"1h"}`)
		over := map[string]string{}
		var cancelled string
		over["cancelled"], cancelled = s.mailed("a@example.com", false)
		s.do("POST", "/v1/invitations/"+cancelled+"/cancel", nil).want(200)
		over["suppressed"], _ = s.mailed("b@example.com", false)
		s.do("POST", "/v1/suppressions", `{"email":"b@example.com"}`).want(201)
		s.now.move(time.Hour) // at the next try the rules are asked again
		if claims, err := s.store.ClaimDue(t.Context(), 10, time.Minute); err != nil {
			t.Fatal(err)
		} else if mails, err := s.store.StartSending(t.Context(), claims, func(store.Mail) string { return "x@example.com" }); err != nil || len(mails) > 0 {
			t.Fatalf("%v, %v", mails, err)
		}
		over["deleted"], _ = s.mailed("c@example.com", true)
		s.answer(over["deleted"], "step=score&score=9").wantPage(200)
		s.do("DELETE", "/v1/responses/"+s.do("GET", "/v1/responses", nil).want(200).text("data[0].id"), nil).want(204)
		for why, token := range over {
			for _, got := range []response{s.open(token), s.open(token + "?score=9"), s.answer(token, "step=score&score=9"), s.answer(token, "step=questions&q_praise=x"), s.answer(token, "")} {
				got.request = why + ": " + got.request
				got.wantPage(410, `lang="ja"`, "このアンケートは終了しました")
			}
		}
		s.do("GET", "/v1/responses", nil).want(200).wantAt("data[0]", nil)
		// who wants no more mail may still answer the one that came
		unsubscribed, _ := s.mailed("e@example.com", true)
		s.do("POST", "/u/"+unsubscribed, "", form).wantPage(200)
		s.answer(unsubscribed, "step=score&score=9").wantPage(200, "ご回答：9")
		expired, _ := s.mailed("d@example.com", true)
		answered := s.token("after", `{}`)
		s.answer(answered, "step=questions&score=9&q_praise=kind").wantPage(200)
		s.now.move(48 * time.Hour)
		s.answer(expired, "step=score&score=9").wantPage(410, "このアンケートは終了しました")
		s.answer(answered, "step=score&score=1").wantPage(409, "Your answer: 9", "can no longer be changed")
		s.do("GET", "/v1/scores?metric=nps", nil).want(200).wantAt("total.responses", 2.0).wantAt("total.score", 100.0)
	})
}

// A thousand posts to one link at once: the first sixty are served, the others
// are told when to come back, and it is one answer.
func TestAThousandPostsAtOnce(t *testing.T) {
	s := newServer(t)
	s.survey("after", ``)
	token := s.token("after", `{}`)
	var mu sync.Mutex
	statuses := map[string]int{}
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			for range 50 {
				got := s.answer(token, fmt.Sprintf("step=score&score=%d", i%11))
				mu.Lock()
				statuses[fmt.Sprint(got.status, " ", got.header.Get("Retry-After"))]++
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if len(statuses) != 2 || statuses["200 "] != 60 || statuses["429 1"] != 940 {
		t.Errorf("%v", statuses)
	}
	if s.count("responses") != 1 {
		t.Errorf("%d responses", s.count("responses"))
	}
	s.open(token).wantPage(200)
}

// What is fetched in advance is not noted as opened, whatever else it says.
func TestPagesFetchedInAdvance(t *testing.T) {
	s := newServer(t)
	s.survey("after", ``)
	token := s.token("after", `{"email":"ana@example.com"}`)
	slug := s.openLink("after", ``)
	for _, header := range []string{"Purpose", "Sec-Purpose", "X-Purpose", "X-Moz"} {
		for _, value := range []string{"prefetch", "prefetch;prerender", "preview"} {
			for _, path := range []string{"/s/" + token + "?score=9", "/u/" + token, "/l/" + slug + "?score=9"} {
				for _, method := range []string{"GET", "HEAD"} {
					s.do(method, path, nil, as(""), with(header, value), with("Sec-Fetch-User", "?1"), with("Sec-Fetch-Mode", "navigate")).want(200)
				}
			}
			if strings.HasPrefix(header, "X-") { // of browsers that are gone
				continue
			}
			s.do("GET", "/v1/invitations", nil).want(200).wantAt("data[0].opened_at", nil).wantAt("data[0].state", "sent")
		}
	}
	if n := s.count("responses") + s.count("suppressions"); n != 0 {
		t.Errorf("%d rows", n)
	}
}

// Pages of open links and previews say what is wrong as pages do.
func TestErrorsOfOpenPagesArePages(t *testing.T) {
	s := newServer(t)
	s.survey("shop", ``)
	slug := s.openLink("shop", ``)
	v := s.visit(slug)
	preview := strings.TrimPrefix(s.do("POST", "/v1/templates/nps/preview", `{"what":"page"}`).want(200).text("url"), "https://koe.example.com")
	for _, path := range []string{"/l/" + slug, v.own(), preview} {
		s.do("POST", path, "score=%zz", form).wantPage(400)
		s.do("POST", path, "score=9", form, with("Content-Type", "text/plain")).wantPage(415)
		s.do("POST", path, "q_praise="+strings.Repeat("x", 256<<10), form).wantPage(413)
		s.do("PUT", path, nil, as("")).wantPage(405)
	}
	s.do("GET", "/l/", nil, as("")).wantPage(404, "We do not know this link")
	long := strings.Repeat("ア", 10_000)
	s.do("PUT", "/v1/templates/long", strings.Replace(formTemplate, `"max_length":10`, `"max_length":10000`, 1)).want(201)
	s.survey("long", `"template":"long","touchpoint":"desk"`)
	token := s.token("long", `{"locale":"ja"}`)
	s.answer(token, "step=score&score=2").wantPage(200)
	s.answer(token, "step=questions&q_one=a&q_why="+url.QueryEscape(long+"ｱ")).wantPage(422, "10,000文字以内でご記入ください。", ">\n"+long+"ｱ</textarea>", "現在10,001文字です。")
	s.answer(token, "step=questions&q_one=a&q_why="+url.QueryEscape(long)).wantPage(200)
	s.do("GET", "/v1/responses?survey=long", nil).want(200).wantAt("data[0].comment", long)
	// as a browser posts it, a form takes several such texts at once
	s.do("PUT", "/v1/templates/three", strings.Replace(branchTemplate, `{"key":"more",`, `{"key":"a","type":"text","max_length":10000,"text":{"en":"A?"}},{"key":"b","type":"text","max_length":10000,"text":{"en":"B?"}},
		{"key":"c","type":"text","max_length":10000,"text":{"en":"C?"}},{"key":"more",`, 1)).want(201)
	s.survey("three", `"template":"three","touchpoint":"desk"`)
	token = s.token("three", `{}`)
	page := s.answer(token, "step=score&score=2").wantPage(200, `<form method="post" enctype="multipart/form-data">`)
	sent, err := url.ParseQuery(page.fields())
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"q_a", "q_b", "q_c"} {
		sent.Set(key, long)
	}
	s.answer(token, inParts(sent), with("Content-Type", "multipart/form-data; boundary=xx")).wantPage(200, "Thank you for your answer")
	s.do("GET", "/v1/responses?survey=three", nil).want(200).wantAt("data[0].answers.a", long).wantAt("data[0].answers.c", long)
}

// inParts is a form as browsers send it in parts, with the boundary xx.
func inParts(form url.Values) string {
	var b strings.Builder
	for name, values := range form {
		for _, value := range values {
			fmt.Fprintf(&b, "--xx\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n%s\r\n", name, value)
		}
	}
	return b.String() + "--xx--\r\n"
}
