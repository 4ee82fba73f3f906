package scheduler_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"koe/survey"
	"koe/survey/store"
	"koe/survey/store/storetest"
)

// subscribeAs makes a webhook in a format.
func (d desk) subscribeAs(h *hook, format survey.Format, change func(*survey.Webhook), events ...survey.Event) *hook {
	d.t.Helper()
	w := survey.Webhook{URL: h.url, Events: events, Format: format}
	if change != nil {
		change(&w)
	}
	var err error
	if h.webhook, h.secret, err = d.store.CreateWebhook(d.t.Context(), d.by, w); err != nil {
		d.t.Fatalf("%s: %v", h.name, err)
	}
	return h
}

// invited asks somebody by mail and returns the token of their link.
func (d desk) invited(address string) string {
	d.t.Helper()
	d.becomes(d.happens("chat", address), survey.InvitationSent)
	return d.server.lettersTo(address)[0].token(d.t)
}

func (d desk) reply(token string, reply store.Reply) {
	d.t.Helper()
	if _, err := d.store.Answer(d.t.Context(), token, storetest.Says(reply)); err != nil {
		d.t.Fatal(err)
	}
}

func (d desk) scores(token string, score int) {
	d.t.Helper()
	d.reply(token, store.Reply{Score: &score})
}

func (d desk) says(token, comment string) {
	d.t.Helper()
	d.reply(token, store.Reply{Answers: survey.Answers{"reason": comment}, Complete: true})
}

func unmarshal(t *testing.T, body []byte) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal(body, &v); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return v
}

// Delighted's header has room for one signature: after a rotation it is by the
// new secret.
func TestDelightedSignaturesAfterARotation(t *testing.T) {
	t.Parallel()
	atDesk(t, nil, func(d desk) {
		h := d.subscribeAs(listening(d.t, "delighted", status(200)), survey.FormatDelighted, nil, survey.EventResponseCreated)
		d.ask("chat", nil)
		d.run(delivering)
		d.scores(d.invited("ana@example.com"), 9)
		d.ends(h)
		_, fresh, err := d.store.RotateWebhook(d.t.Context(), d.by, h.webhook.ID)
		if err != nil {
			d.t.Fatal(err)
		}
		d.scores(d.invited("ben@example.com"), 9)
		d.ends(h)
		came := h.all()
		if len(came) != 2 {
			d.t.Fatalf("%d requests", len(came))
		}
		for i, secret := range []string{h.secret, fresh} {
			mac := hmac.New(sha256.New, []byte(secret))
			mac.Write(came[i].body)
			if got := came[i].Get("X-Delighted-Webhook-Signature"); got != "sha256="+hex.EncodeToString(mac.Sum(nil)) {
				d.t.Errorf("request %d is signed %q", i, got)
			}
		}
	})
}

// What Delighted posted, koe posts: envelope, ids, times and signature.
func TestWebhooksAsDelightedWroteThem(t *testing.T) {
	t.Parallel()
	atDesk(t, nil, func(d desk) {
		h := d.subscribeAs(listening(d.t, "delighted", func(w http.ResponseWriter, _ *http.Request, n int) {
			w.WriteHeader(map[bool]int{true: 500, false: 200}[n == 1])
		}), survey.FormatDelighted, nil, survey.EventResponseCreated, survey.EventResponseUpdated, survey.EventPersonUnsubscribed)
		d.ask("chat", func(v *survey.Survey) { v.Rules.Reminders = nil })
		d.run(delivering)
		token := d.invited("ana@example.com")
		d.scores(token, 9)
		d.ends(h)
		d.says(token, "速い <b>")
		var answer survey.ID
		for _, one := range d.deliveries(h) {
			answer = *one.SubjectID
		}
		if _, _, err := d.store.ChangeResponse(d.t.Context(), d.by, answer, func(v *store.ResponseChange) error {
			v.Tags, v.Attributes = []string{"speed"}, survey.Attributes{"plan": survey.TextValue("pro")}
			return nil
		}); err != nil {
			d.t.Fatal(err)
		}
		if err := d.store.Unsubscribe(d.t.Context(), token); err != nil {
			d.t.Fatal(err)
		}
		if _, err := d.store.TestWebhook(d.t.Context(), d.by, h.webhook.ID); err != nil {
			d.t.Fatal(err)
		}
		d.ends(h)

		came := h.all()
		if len(came) != 5 {
			d.t.Fatalf("%d requests", len(came))
		}
		seen := map[string]map[string]any{}
		for i, p := range came {
			mac := hmac.New(sha256.New, []byte(h.secret))
			mac.Write(p.body)
			if got := p.Get("X-Delighted-Webhook-Signature"); got != "sha256="+hex.EncodeToString(mac.Sum(nil)) || p.Get("Webhook-Signature") != "" {
				d.t.Errorf("signed %q", got)
			}
			e := unmarshal(d.t, p.body)
			id, _ := e["event_id"].(string)
			if raw, err := hex.DecodeString(id); err != nil || len(raw) != 32 || len(e) != 3 {
				d.t.Errorf("%s", p.body)
			}
			if i == 1 && id != unmarshal(d.t, came[0].body)["event_id"] {
				d.t.Error("a retry has another event_id")
			}
			name, _ := e["event_type"].(string)
			seen[name], _ = e["event_data"].(map[string]any)
		}
		created, updated := seen["survey_response.created"], seen["survey_response.updated"]
		person, _ := updated["person"].(map[string]any)
		personID, _ := person["id"].(string)
		if created["comment"] != nil || updated["comment"] != "速い <b>" || updated["score"] != 9.0 || updated["survey_type"] != "nps" || updated["id"] != created["id"] ||
			person["email"] != "ana@example.com" || personID == "" || strings.Trim(personID, "0123456789") != "" || person["created_at"] != created["created_at"] {
			d.t.Errorf("%v\n%v", created, updated)
		}
		if gone := seen["unsubscribe.created"]; gone["email"] != "ana@example.com" || gone["unsubscribed_at"] == nil {
			d.t.Errorf("%v", gone)
		}

		if err := d.store.DeleteResponse(d.t.Context(), d.by, answer); err != nil {
			d.t.Fatal(err)
		}
		for _, one := range d.deliveries(h) {
			if one.Event == survey.EventResponseCreated {
				if _, err := d.store.Redeliver(d.t.Context(), d.by, h.webhook.ID, one.ID); err != nil {
					d.t.Fatal(err)
				}
			}
		}
		d.ends(h)
		came = h.all()
		if gone, _ := unmarshal(d.t, came[len(came)-1].body)["event_data"].(map[string]any); len(came) != 6 || gone["id"] != created["id"] || gone["deleted"] != true {
			d.t.Errorf("%d requests, of what is gone: %v", len(came), gone)
		}
		if seen["webhook.test"]["message"] == nil {
			d.t.Error("no test")
		}
	})
}

// slackTexts are what Slack was told.
func slackTexts(t *testing.T, h *hook) (texts []string) {
	t.Helper()
	for _, p := range h.all() {
		text, _ := unmarshal(t, p.body)["text"].(string)
		if p.Get("Webhook-Signature") != "" || text == "" {
			t.Errorf("%v %s", p.Header, p.body)
		}
		texts = append(texts, text)
	}
	return texts
}

// teamsTexts are what the blocks of cards say.
func teamsTexts(t *testing.T, h *hook) (texts []string) {
	t.Helper()
	for _, p := range h.all() {
		var message struct {
			Type        string
			Attachments []struct {
				ContentType string
				Content     struct {
					Type, Version string
					Body          []struct {
						Type, Text string
						Wrap       bool
					}
				}
			}
		}
		if err := json.Unmarshal(p.body, &message); err != nil || message.Type != "message" || len(message.Attachments) != 1 {
			t.Fatalf("%s: %v", p.body, err)
		}
		card := message.Attachments[0]
		if card.ContentType != "application/vnd.microsoft.card.adaptive" || card.Content.Type != "AdaptiveCard" || card.Content.Version == "" {
			t.Errorf("%s", p.body)
		}
		var all []string
		for _, block := range card.Content.Body {
			if block.Type != "TextBlock" || !block.Wrap {
				t.Errorf("%s", p.body)
			}
			all = append(all, block.Text)
		}
		texts = append(texts, strings.Join(all, "\n--\n"))
	}
	return texts
}

// A chat is told of an answer when its comment is in, or ten minutes after the
// score; of those scores alone that it asks for; and nothing in a comment
// reaches out of it.
func TestChatsAreToldWhenTheCommentIsIn(t *testing.T) {
	t.Parallel()
	atDesk(t, nil, func(d desk) {
		slack := d.subscribeAs(listening(d.t, "slack", status(200)), survey.FormatSlack, nil, survey.EventResponseCreated)
		teams := d.subscribeAs(listening(d.t, "teams", status(202)), survey.FormatTeams, nil, survey.EventResponseCreated, survey.EventResponseUpdated)
		six := 6
		low := d.subscribeAs(listening(d.t, "low", status(200)), survey.FormatSlack, func(w *survey.Webhook) { w.ScoreMax = &six }, survey.EventResponseCreated)
		v := d.ask("chat", func(v *survey.Survey) { v.Rules.Reminders, v.Rules.ExpiresAfter = nil, "30d" })
		d.run(delivering)
		ana, bob := d.invited("ana@example.com"), d.invited("bob@example.com")

		d.scores(ana, 9)
		d.scores(ana, 8) // an edit is no comment
		if due := d.round(slack, teams, low); due == nil || due.Sub(d.clock.Instant()) != 10*time.Minute {
			d.t.Fatalf("due %v", due)
		}
		const hostile = "<!channel> & <https://evil.example|click>\r\n[link](https://evil.example) *b* _i_\n- one\n1. two\n# big\u202e"
		d.clock.Advance(time.Minute)
		d.says(ana, hostile)
		if due := d.round(slack, teams, low); due != nil {
			d.t.Fatalf("the comment is in, and due is %v", due)
		}
		want := "*8 of 10 to “" + d.asked(v) + "” at chat*\n> &lt;!channel&gt; &amp; &lt;https://evil.example|click&gt;\n> [link](https://evil.example) *b* _i_\n> - one\n> 1. two\n> # big\n山田 花子\n<"
		if got := slackTexts(d.t, slack); len(got) != 1 || !strings.HasPrefix(got[0], want) {
			d.t.Errorf("slack was told\n%q\n%q", got, want)
		}
		want = "\n--\n\\<\\!channel\\> & \\<https://evil.example\\|click\\>\n\n\\[link\\]\\(https://evil.example\\) \\*b\\* \\_i\\_\n\n\\- one\n\n1\\. two\n\n\\# big"
		if got := teamsTexts(d.t, teams); len(got) != 1 || !strings.Contains(got[0], want) {
			d.t.Errorf("teams was told\n%q\n%q", got, want)
		}

		d.scores(bob, 3)
		d.clock.Advance(9*time.Minute + 59*time.Second)
		d.round()
		if n := len(slack.all()); n != 1 {
			d.t.Errorf("told %d times before it is due", n)
		}
		d.ends(slack, teams, low)
		if got := slackTexts(d.t, slack); len(got) != 2 || !strings.HasPrefix(got[1], "*3 of 10") || strings.Contains(got[1], "> ") {
			d.t.Errorf("slack was told %q", got)
		}
		d.says(bob, strings.Repeat("長", 2000))
		d.ends(slack, teams, low)
		if got := teamsTexts(d.t, teams); len(got) != 3 || !strings.Contains(got[2], "changed") || len([]rune(got[2])) > 1000 || !strings.Contains(got[2], "長…") {
			d.t.Errorf("teams was told %q", got)
		}
		d.answered(v, 1) // of another tool: its comment is in
		d.ends(slack, teams, low)
		if n := len(slack.all()); n != 3 {
			d.t.Errorf("slack was told %d times", n)
		}
		if got := slackTexts(d.t, low); len(got) != 1 || !strings.HasPrefix(got[0], "*3 of 10") {
			d.t.Errorf("who asks for low scores was told %q", got)
		}
		states := map[string]int{}
		for _, one := range d.deliveries(low) {
			states[one.State]++
		}
		if states["skipped"] != 2 || states["delivered"] != 1 || len(states) != 2 {
			d.t.Errorf("%v", states)
		}
		if _, err := d.store.TestWebhook(d.t.Context(), d.by, low.webhook.ID); err != nil {
			d.t.Fatal(err)
		}
		d.ends(low)
		if got := slackTexts(d.t, low); len(got) != 2 || !strings.Contains(got[1], "test") {
			d.t.Errorf("the test said %q", got)
		}
	})
}

// asked is the name of the template that a survey asks.
func (d desk) asked(v survey.Survey) string {
	d.t.Helper()
	t, err := d.store.Template(d.t.Context(), d.by, v.Template)
	if err != nil {
		d.t.Fatal(err)
	}
	return t.Name
}
