package api_test

import (
	"strings"
	"testing"
	"time"
)

func TestUnsubscribing(t *testing.T) {
	s := newServer(t)
	s.survey("mail", `"channel":"email","rules":{"quiet_period":"0s","expires_after":"1d"}`)
	token := s.token("mail", `{"external_id":"c-1","email":"Ana@Example.com"}`)
	see := func(path string) response { return s.do("GET", path, nil, as("")) }
	see("/u/"+token).wantPage(200, "No more surveys?", "<form").never("ana@example.com")
	s.do("HEAD", "/u/"+token, nil, as("")).want(200)
	if s.count("suppressions") != 0 {
		t.Fatal("looking unsubscribes")
	}
	waiting := s.tell(`,"customer":{"external_id":"c-1"}`).want(202).wantAt("decisions[0].decision", "scheduled")
	for range 3 { // as often as somebody presses
		s.do("POST", "/u/"+token, nil, as("")).wantPage(200, "Done").never("ana@example.com", "<form")
	}
	see("/u/"+token).wantPage(200, "Done")
	list := s.do("GET", "/v1/suppressions", nil).want(200).wantAt("data[0].email", "ana@example.com").wantAt("data[0].reason", "unsubscribed").wantAt("data[1]", nil)
	s.tell(`,"customer":{"external_id":"c-1"}`).want(202).wantAt("decisions[0].reason", "suppressed")
	s.tell(`,"customer":{"email":"ANA@example.com"}`).want(202).wantAt("decisions[0].reason", "suppressed")
	s.tell(`,"customer":{"email":"bo@example.com"}`).want(202).wantAt("decisions[0].decision", "scheduled")
	_ = waiting
	// the survey can still be answered by whoever wants to
	s.open(token).wantPage(200, "How likely")
	// and somebody can come back
	s.do("DELETE", "/v1/suppressions/"+list.text("data[0].id"), nil).want(204)
	s.tell(`,"customer":{"external_id":"c-1"}`).want(202).wantAt("decisions[0].decision", "scheduled")
	see("/u/"+token).wantPage(200, "No more surveys?")

	// long after the survey's end
	s.now.move(30 * 24 * time.Hour)
	s.open(token).wantPage(410)
	see("/u/"+token).wantPage(200, "No more surveys?")
	s.do("POST", "/u/"+token, nil, as("")).wantPage(200, "Done")
	if s.count("suppressions") != 1 {
		t.Error("an expired link does not unsubscribe")
	}
}

// A mail program posts without cookies, in either form (RFC 8058).
func TestOneClickUnsubscribing(t *testing.T) {
	s := newServer(t)
	s.survey("mail", `"channel":"email"`)
	for email, post := range map[string]struct{ media, body string }{
		"a@example.com": {"application/x-www-form-urlencoded", "List-Unsubscribe=One-Click"},
		"b@example.com": {"application/x-www-form-urlencoded; charset=UTF-8", "List-Unsubscribe=One-Click"},
		"c@example.com": {"multipart/form-data; boundary=----x", "------x\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n------x--\r\n"},
		"d@example.com": {"application/x-www-form-urlencoded", "whatever=else"},
	} {
		token := s.token("mail", `{"email":"`+email+`"}`)
		s.do("POST", "/u/"+token, post.body, as(""), with("Content-Type", post.media)).wantPage(200, "Done")
		if got := ids(s.do("GET", "/v1/suppressions?email="+strings.ReplaceAll(email, "@", "%40"), nil)); len(got) != 1 {
			t.Errorf("%s is not suppressed", email)
		}
	}
	// a link that never had an address has nothing to suppress
	s.do("POST", "/u/"+s.token("mail", `{"external_id":"c-1"}`), nil, as("")).wantPage(200)
	if n := s.count("suppressions"); n != 4 {
		t.Errorf("%d suppressions", n)
	}
	if log := s.log.String(); strings.Contains(log, "@example.com") || strings.Contains(log, "One-Click") {
		t.Errorf("the log tells: %s", log)
	}
}
