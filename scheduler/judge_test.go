package scheduler_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"koe/scoring"
	"koe/survey"
	"koe/survey/store"
)

// A target that stands otherwise once its month has ended is told to its
// members, each in their language, to a webhook and to a chat, once.
func TestTargetsAreJudgedAndTold(t *testing.T) {
	t.Parallel()
	atDesk(t, nil, func(d desk) {
		v := d.ask("chat", func(v *survey.Survey) { v.Channel = survey.LinkOnly })
		var hanako survey.Member
		for _, address := range []string{"kim@example.com", "hanako@example.com"} {
			var err error
			if hanako, err = d.store.CreateMember(d.t.Context(), d.by, survey.Member{Email: address, Role: survey.Viewer, Locale: "en"}); err != nil {
				d.t.Fatal(err)
			}
		}
		h := d.subscribe(listening(d.t, "good", status(200)), survey.EventTargetChanged)
		slack := listening(d.t, "slack", status(200))
		if _, _, err := d.store.CreateWebhook(d.t.Context(), d.by, survey.Webhook{URL: slack.url, Format: survey.FormatSlack,
			Events: []survey.Event{survey.EventTargetChanged}}); err != nil {
			d.t.Fatal(err)
		}
		target, err := d.store.CreateTarget(d.t.Context(), d.by, survey.TargetTerms{Name: "Recommended", Kind: survey.TargetScore, Metric: scoring.NPS,
			Touchpoint: "chat", AtLeast: new(30.0), Notify: []string{"kim@example.com", "hanako@example.com"}})
		if err != nil {
			d.t.Fatal(err)
		}
		r := d.run(delivering)
		stands := func(state scoring.Standing) func() bool {
			return func() bool {
				now, err := d.store.Target(d.t.Context(), d.by, target.ID)
				return err == nil && now.Judged != nil && now.State == state
			}
		}
		d.until("October is judged", stands(scoring.Insufficient))
		for range 40 {
			if _, _, err := d.store.CreateResponse(d.t.Context(), d.by, store.NewResponse{Survey: v.ID.String(), Score: new(3)}); err != nil {
				d.t.Fatal(err)
			}
		}
		r.end()
		d.clock.Advance(10 * 24 * time.Hour)
		due, err := d.store.DueTargets(d.t.Context(), 10)
		if err != nil || len(due) != 1 {
			d.t.Fatal(due, err)
		}
		if err := d.store.JudgeTarget(d.t.Context(), due[0]); err != nil {
			d.t.Fatal(err)
		}
		// who is told reads it as they want it by then
		if _, err := d.store.ChangeMember(d.t.Context(), d.by, hanako.ID, func(m *survey.Member) error { m.Locale = "ja"; return nil }); err != nil {
			d.t.Fatal(err)
		}
		d.run(delivering)
		d.until("November is judged", stands(scoring.Breached))
		d.until("all are told", func() bool {
			return len(d.server.lettersTo("kim@example.com"))+len(d.server.lettersTo("hanako@example.com")) == 2 && len(h.all()) == 1 && len(slack.all()) == 1
		})
		if l := d.server.lettersTo("kim@example.com")[0]; l.Header.Get("Subject") != "Recommended: breached" || !strings.Contains(l.raw, "at least 30") {
			d.t.Errorf("%s", l.raw)
		}
		if l := d.server.lettersTo("hanako@example.com")[0].plain(); !strings.Contains(l, "信頼区間の全体が目標を外れています。") {
			d.t.Errorf("%s", l)
		}
		var e event
		if err := json.Unmarshal(h.all()[0].body, &e); err != nil || e.Type != "target.changed" || strings.Contains(string(h.all()[0].body), "@example.com") {
			d.t.Fatalf("%v, %s", err, h.all()[0].body)
		}
		of, _ := e.Data["target"].(map[string]any)
		change, _ := e.Data["change"].(map[string]any)
		if of["id"] != target.ID.String() || change["from"] != "insufficient" || change["to"] != "breached" || change["kind"] != "state" {
			d.t.Errorf("told of %s", h.all()[0].body)
		}
		if body := string(slack.all()[0].body); !strings.Contains(body, "Recommended: breached") || !strings.Contains(body, "at least 30") {
			d.t.Errorf("a chat is told %s", body)
		}
		d.verified()
	})
}
