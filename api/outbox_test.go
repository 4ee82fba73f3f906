package api_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"koe/survey/store"
)

// TestOutboxSummary: what is due, what waits and for what, what is in flight and
// what went out; the gauges say the same of all workspaces.
func TestOutboxSummary(t *testing.T) {
	eachServer(t, func(t *testing.T, s *server) {
		const summary = "/v1/outbox/summary"
		s.do("GET", summary, nil).want(200).wantAt("mail.due", 0.0).wantAt("mail.in_flight", 0.0).wantAt("mail.oldest_due_at", nil).wantAt("mail.next_due_at", nil).wantAt("deliveries[0]", nil)
		hook := s.do("POST", "/v1/webhooks", `{`+endpoint+`}`).want(201).text("id")
		s.do("POST", "/v1/webhooks/"+hook+"/test", nil).want(202)
		s.do("GET", summary, nil).want(200).wantAt("deliveries[0].kind", "webhook").wantAt("deliveries[0].due", 1.0).wantAt("deliveries[0].paused", 0.0).wantAt("deliveries[0].in_flight", 0.0)
		s.do("PATCH", "/v1/webhooks/"+hook, `{"state":"paused"}`).want(200)
		s.do("GET", summary, nil).want(200).wantAt("deliveries[0].due", 0.0).wantAt("deliveries[0].paused", 1.0).wantAt("deliveries[0].oldest_due_at", nil)
		s.do("PATCH", "/v1/webhooks/"+hook, `{"state":"active"}`).want(200)
		s.survey("now", `"channel":"email","touchpoint":"now","trigger":{"type":"interaction"},"rules":{"quiet_period":"0s","reminders":["3d"]}`)
		s.survey("later", `"channel":"email","touchpoint":"later","trigger":{"type":"interaction","delay":"2h"},"rules":{"quiet_period":"0s"}`)
		s.survey("held", `"channel":"email","touchpoint":"held","trigger":{"type":"interaction","delay":"2h"},"rules":{"quiet_period":"0s"}`)
		for _, touchpoint := range []string{"now", "now", "later", "later", "later", "held"} {
			s.do("POST", "/v1/interactions", `{"touchpoint":"`+touchpoint+`","customer":{"email":"ana@example.com"}}`).want(202)
		}
		s.do("POST", "/v1/surveys/held/pause", nil).want(200)
		s.do("GET", summary, nil).want(200).wantAt("mail.due", 2.0).wantAt("mail.waiting.scheduled", 3.0).wantAt("mail.waiting.paused_survey", 1.0).wantAt("mail.waiting.sending_paused", 0.0)
		s.do("GET", summary+"?survey=now", nil).want(200).wantAt("mail.due", 2.0).wantAt("mail.waiting.scheduled", 0.0).wantAt("mail.waiting.paused_survey", 0.0).wantAt("deliveries[0]", nil)
		later := s.do("GET", summary+"?survey=later", nil).want(200).wantAt("mail.due", 0.0).wantAt("mail.waiting.scheduled", 3.0).wantAt("mail.oldest_due_at", nil)
		if all := s.do("GET", summary, nil); later.at("mail.next_due_at") != all.at("mail.next_due_at") {
			t.Errorf("next due: %v of a survey, %v of all", later.at("mail.next_due_at"), all.at("mail.next_due_at"))
		}
		s.do("GET", summary+"?survey=held", nil).want(200).wantAt("mail.waiting.paused_survey", 1.0).wantAt("mail.due", 0.0)
		s.do("GET", summary+"?survey=nowhere", nil).wantProblem(422, "survey")
		s.page(s.staffOf(store.Viewer, "en"), "/dashboard/surveys/later").want(200).says("Mail at this moment", "<dt>For its planned time</dt><dd>3</dd>", "<dt>Being sent</dt><dd>0</dd>")
		claims, err := s.store.ClaimDue(t.Context(), 10, time.Minute)
		if err != nil || len(claims) != 2 {
			t.Fatal(claims, err)
		}
		s.do("GET", summary, nil).want(200).wantAt("mail.due", 0.0).wantAt("mail.in_flight", 2.0)
		s.do("GET", summary+"?survey=now", nil).want(200).wantAt("mail.due", 0.0).wantAt("mail.in_flight", 2.0)
		s.do("GET", summary+"?survey=later", nil).want(200).wantAt("mail.in_flight", 0.0)
		metrics := string(s.do("GET", "/metrics", nil).want(200).body)
		for _, line := range []string{"koe_mail_due 0", "koe_mail_in_flight 2", "koe_mail_oldest_due_seconds 0", "koe_sending_paused 0",
			"koe_mail_sent_last_minute 0", `koe_mail_waiting{reason="scheduled"} 3`, `koe_mail_waiting{reason="paused_survey"} 1`,
			`koe_mail_waiting{reason="send_window"} 0`, `koe_mail_last_day{outcome="sent"} 0`} {
			if !strings.Contains(metrics, "\n"+line+"\n") {
				t.Errorf("the metrics lack %q", line)
			}
		}
		if _, err := s.store.StartSending(t.Context(), claims, func(m store.Mail) string { return m.Invitation.ID.String() + "@example.com" }); err != nil {
			t.Fatal(err)
		}
		if err := s.store.Sent(t.Context(), claims[0]); err != nil {
			t.Fatal(err)
		}
		if err := s.store.Uncertain(t.Context(), claims[1], "cut off"); err != nil {
			t.Fatal(err)
		}
		s.do("GET", summary, nil).want(200).wantAt("mail.in_flight", 0.0).wantAt("mail.last_24h.uncertain", 1.0).wantAt("mail.last_24h.sent", 1.0).wantAt("mail.last_24h.failed", 0.0).wantAt("mail.waiting.reminder", 2.0)
		s.do("GET", summary+"?survey=later", nil).want(200).wantAt("mail.last_24h.sent", 0.0)
		mine, all := s.do("GET", summary+"?survey=now", nil).want(200), s.do("GET", summary, nil)
		for _, figure := range []string{"mail.last_24h", "mail.sent_per_minute"} {
			if got, want := fmt.Sprint(mine.at(figure)), fmt.Sprint(all.at(figure)); got != want {
				t.Errorf("%s is %s of a survey, %s of all", figure, got, want)
			}
		}
		metrics = string(s.do("GET", "/metrics", nil).want(200).body)
		for _, line := range []string{`koe_mail_waiting{reason="reminder"} 2`, `koe_mail_last_day{outcome="sent"} 1`,
			`koe_mail_last_day{outcome="failed"} 0`, `koe_mail_last_day{outcome="uncertain"} 1`} {
			if !strings.Contains(metrics, "\n"+line+"\n") {
				t.Errorf("the metrics lack %q", line)
			}
		}
	})
}
