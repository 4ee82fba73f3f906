package api_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"koe/survey/store"
)

// ids are the ids of a list, in its order.
func ids(r response) (found []string) {
	r.t.Helper()
	var page struct{ Data []struct{ ID string } }
	r.want(200).into(&page)
	for _, item := range page.Data {
		found = append(found, item.ID)
	}
	return found
}

func TestInvitations(t *testing.T) {
	s := newServer(t)
	mail := s.survey("mail", `"channel":"email","trigger":{"type":"interaction","delay":"2h"},"rules":{"expires_after":"7d"}`)
	s.survey("link", `"touchpoint":"shop","rules":{"quiet_period":"0s"}`)
	told := s.tell(`,"customer":{"external_id":"c-1","email":"ana@example.com","name":"Ana","locale":"ja"},"attributes":{"agent":"Kim"}`).want(202)
	first := told.text("decisions[0].invitation_id")
	s.now.move(time.Hour)
	second := s.do("POST", "/v1/interactions", `{"touchpoint":"shop","customer":{"external_id":"c-2"}}`).want(202).text("decisions[0].invitation_id")
	s.now.move(time.Hour)
	third := s.do("POST", "/v1/interactions", `{"touchpoint":"shop","customer":{"email":"ana@example.com"}}`).want(202).text("decisions[0].invitation_id")

	shown := s.do("GET", "/v1/invitations/"+first, nil).want(200).wantAt("survey_id", mail).wantAt("touchpoint", "chat").wantAt("channel", "email").wantAt("state", "scheduled").
		wantAt("reason", nil).wantAt("customer.external_id", "c-1").wantAt("customer.email", "ana@example.com").wantAt("interaction_id", told.at("id")).
		wantAt("template.key", "nps").wantAt("template.version", 1.0).wantAt("locale", "ja").wantAt("send_at", "2026-11-22T11:30:00.000Z").wantAt("expires_at", "2026-11-29T11:30:00.000Z").
		wantAt("sent_at", nil).wantAt("held", false).wantAt("events[0].type", "scheduled").wantAt("events[0].at", "2026-11-22T09:30:00.000Z").wantAt("events[1]", nil)
	person := shown.text("customer.id")
	s.do("GET", "/v1/invitations/"+second, nil).want(200).wantAt("state", "sent").wantAt("sent_at", "2026-11-22T10:30:00.000Z").wantAt("mail_no", 0.0)

	for query, want := range map[string][]string{
		"":                         {third, second, first},
		"state=scheduled":          {first},
		"state=sent":               {third, second},
		"state=answered":           nil,
		"state=expired":            nil,
		"survey=mail":              {first},
		"survey=" + mail:           {first},
		"survey=link&state=sent":   {third, second},
		"customer=c-1":             {third, first},
		"customer=" + person:       {third, first},
		"customer=Ana@Example.com": {third, first},
		"customer=nobody":          nil,
		"customer=" + url.QueryEscape(`' OR 1=1 --`):        nil,
		"from=2026-11-22T10:30:00Z":                         {third, second},
		"to=2026-11-22T10:30:00Z":                           {first},
		"from=2026-11-22T10:30:00Z&to=2026-11-22T10:30:00Z": nil,
		"from=2026-11-22":                                   {third, second, first}, // midnight in Tokyo was long before
		"to=2026-11-22":                                     nil,
		"from=2026-11-23":                                   nil,
	} {
		if got := ids(s.do("GET", "/v1/invitations?"+query, nil)); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %v instead of %v", query, got, want)
		}
	}
	if list := s.do("GET", "/v1/invitations", nil); strings.Contains(string(list.body), `"events"`) {
		t.Errorf("a list tells events: %s", list.body)
	}
	for query, field := range map[string]string{"state=open": "state", "survey=none": "survey", "from=2026-11-23&to=2026-11-22": "from", "from=now": "from",
		"to=2026-02-30": "to", "from=2026-11-22T10:00:00+09:00": "from", "limit=0": "limit"} {
		s.do("GET", "/v1/invitations?"+query, nil).wantProblem(422, field)
	}
	for _, id := range []string{"0190a1b2-0000-7000-8000-000000000000", "x", strings.ToUpper(first)} {
		s.do("GET", "/v1/invitations/"+id, nil).wantProblem(404)
		s.do("POST", "/v1/invitations/"+id+"/cancel", nil).wantProblem(404)
	}
}

func TestCancellingAnInvitation(t *testing.T) {
	s := newServer(t)
	s.survey("mail", `"channel":"email","trigger":{"type":"interaction","delay":"2h"}`)
	told := func(status string) string {
		return s.tell(`,"customer":{"email":"ana@example.com"}`).want(202).wantAt("decisions[0].decision", status).text("decisions[0].invitation_id")
	}
	id := told("scheduled")
	s.do("POST", "/v1/invitations/"+id+"/cancel", `{"why":"so"}`).wantProblem(400, "why")
	s.now.move(time.Minute)
	for i := range 2 {
		got := s.do("POST", "/v1/invitations/"+id+"/cancel", nil, once("k")).want(200).wantAt("state", "cancelled").wantAt("reason", "requested").wantAt("events[1].detail", "by test admin").
			wantAt("updated_at", "2026-11-22T09:31:00.000Z").wantAt("events[1].type", "cancelled").wantAt("events[2]", nil)
		if replayed := got.header.Get("Idempotency-Replayed"); (replayed == "true") != (i == 1) {
			t.Errorf("replayed: %q", replayed)
		}
	}
	s.do("POST", "/v1/invitations/"+id+"/cancel", nil).wantProblem(409)
	told("scheduled") // who was not asked after all may be asked
	s.survey("link", `"touchpoint":"shop"`)
	sent := s.do("POST", "/v1/interactions", `{"touchpoint":"shop"}`).want(202).text("decisions[0].invitation_id")
	s.do("POST", "/v1/invitations/"+sent+"/cancel", nil).wantProblem(409)
}

// refused has the mail server refuse every mail that is due.
func (s *server) refused() {
	s.t.Helper()
	claims, err := s.store.ClaimDue(s.t.Context(), 100, time.Minute)
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := s.store.StartSending(s.t.Context(), claims, func(m store.Mail) string { return m.Invitation.ID.String() + "@acme.example" }); err != nil {
		s.t.Fatal(err)
	}
	for _, c := range claims {
		if err := s.store.Fail(s.t.Context(), c, "smtp rcpt: 554 5.7.1 no"); err != nil {
			s.t.Fatal(err)
		}
	}
}

func TestSendingAnInvitationAgain(t *testing.T) {
	s := newServer(t)
	s.survey("mail", `"channel":"email"`)
	id := s.tell(`,"customer":{"email":"ana@example.com"}`).want(202).text("decisions[0].invitation_id")
	s.do("POST", "/v1/invitations/"+id+"/resend", nil).wantProblem(409)
	s.refused()
	s.do("GET", "/v1/invitations/"+id, nil).want(200).wantAt("state", "failed").wantAt("reason", "smtp rcpt: 554 5.7.1 no")
	s.do("POST", "/v1/invitations/"+id+"/resend", `{"why":"so"}`).wantProblem(400, "why")
	for i := range 2 {
		got := s.do("POST", "/v1/invitations/"+id+"/resend", nil, once("k")).want(200).wantAt("state", "scheduled").wantAt("reason", nil).
			wantAt("message_id", id+"@acme.example").wantAt("events[3].type", "resend").wantAt("events[3].detail", "by test admin").wantAt("events[4]", nil)
		if replayed := got.header.Get("Idempotency-Replayed"); (replayed == "true") != (i == 1) {
			t.Errorf("replayed: %q", replayed)
		}
	}
	s.do("POST", "/v1/invitations/0190a1b2-0000-7000-8000-000000000000/resend", nil).wantProblem(404)
}

// A link past its end is expired, whether or not anybody has swept.
func TestExpiredInvitations(t *testing.T) {
	s := newServer(t)
	s.survey("link", `"rules":{"expires_after":"1d"}`)
	id := s.tell(`,"customer":{"external_id":"c-1"}`).want(202).text("decisions[0].invitation_id")
	s.now.move(24*time.Hour - time.Millisecond)
	s.do("GET", "/v1/invitations/"+id, nil).wantAt("state", "sent")
	s.now.move(time.Millisecond)
	for _, sweep := range []bool{false, true} {
		if sweep {
			if n, err := s.store.Sweep(t.Context()); n != 1 || err != nil {
				t.Fatal(n, err)
			}
		}
		s.do("GET", "/v1/invitations/"+id, nil).wantAt("state", "expired").wantAt("reason", "expired")
		if got := ids(s.do("GET", "/v1/invitations?state=expired", nil)); len(got) != 1 {
			t.Errorf("%v", got)
		}
		if got := ids(s.do("GET", "/v1/invitations?state=sent", nil)); len(got) != 0 {
			t.Errorf("%v", got)
		}
		s.do("POST", "/v1/invitations/"+id+"/cancel", nil).wantProblem(409)
	}
	s.do("GET", "/v1/invitations/"+id, nil).wantAt("events[1].type", "expired")
}

func TestPagesOfInvitations(t *testing.T) {
	s := newServer(t)
	s.survey("link", `"rules":{"quiet_period":"0s"}`)
	made := map[string]bool{}
	for range 5 { // all in one instant: the id decides
		made[s.tell(``).want(202).text("decisions[0].invitation_id")] = true
	}
	cursor, seen := "", map[string]bool{}
	for pages := 0; pages == 0 || cursor != ""; pages++ {
		path := "/v1/invitations?state=sent&limit=2"
		if cursor != "" {
			path += "&cursor=" + cursor
		}
		got := s.do("GET", path, nil).want(200)
		for _, id := range ids(got) {
			if seen[id] || !made[id] {
				t.Errorf("%s once more, or out of nowhere", id)
			}
			seen[id] = true
		}
		if pages == 0 {
			s.now.move(time.Second)
			s.tell(``).want(202)
		}
		next, _ := got.at("next_cursor").(string)
		if next != "" {
			for _, other := range []string{"/v1/invitations?limit=2", "/v1/invitations?state=answered", "/v1/invitations?state=sent&from=2026-01-01",
				"/v1/responses?limit=2", "/v1/suppressions?limit=2", "/v1/keys?limit=2"} {
				s.do("GET", other+"&cursor="+next, nil).wantProblem(422, "cursor")
			}
			s.do("GET", "/v1/invitations?state=sent&limit=3&cursor="+next, nil).want(200) // the limit may change
			s.do("GET", "/v1/invitations?state=sent&cursor="+next[:len(next)-1], nil).wantProblem(422, "cursor")
		}
		cursor = next
	}
	if len(seen) != len(made) {
		t.Errorf("saw %d of %d", len(seen), len(made))
	}
}
