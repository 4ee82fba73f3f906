package templates_test

import (
	"strings"
	"testing"

	"koe/scoring"
	"koe/survey"
	"koe/templates"
)

func TestTargetNotices(t *testing.T) {
	words, err := templates.New()
	if err != nil {
		t.Fatal(err)
	}
	target := survey.NewTarget(survey.TargetTerms{Name: "Chat <b>\u202egood", Kind: survey.TargetScore, Metric: scoring.CSAT, AtLeast: new(85.0), Minimum: 30})
	look := survey.TargetLook{Start: 20758, End: 20788, Figure: scoring.FigureOfShare(112, 143, 0.95)}
	change := survey.TargetChange{Kind: survey.ChangedState, From: "at_risk", To: "breached", Look: &look}
	drop := survey.TargetChange{Kind: survey.ChangedDrop, From: "usual", To: "unusual",
		Drop: &survey.TargetDrop{Day: 20758, Drop: scoring.Drop{Score: new(62.04), Before: new(81.0), Responses: 143}}}
	for name, c := range map[string]struct {
		change survey.TargetChange
		locale string
		want   []string
	}{
		"english":          {change, "en", []string{"Chat <b>good: breached", "from “at risk” to “breached”", "at least 85%", "78.3% (between 70.9% and 84.3%), of 143", "2026-11-01 to 2026-11-30", "one period of twenty"}},
		"japanese":         {change, "ja", []string{"Chat <b>good：未達", "85%以上", "78.3%（70.9%〜84.3%）、143件", "2026-11-01〜2026-11-30", "「要注意」から「未達」"}},
		"drop in english":  {drop, "en", []string{"Unusual drop: Chat <b>good", "up to 2026-11-01: 62% (143 answers)", "Eight weeks before: 81%", "less than once a year"}},
		"drop in japanese": {drop, "ja", []string{"スコアの異常な低下", "2026-11-01までの7日間：62%（回答143件）", "その前の8週間：81%"}},
	} {
		mail, err := words.TargetChanged(target, c.change, c.locale, "https://koe.example.com")
		if err != nil {
			t.Fatal(err)
		}
		all := mail.Subject + "\n" + mail.Text
		for _, want := range append(c.want, "https://koe.example.com/dashboard") {
			if !strings.Contains(all, want) {
				t.Errorf("%s: no %q in\n%s", name, want, all)
			}
		}
		if strings.ContainsAny(mail.Subject, "\n\u202e") {
			t.Errorf("%s: subject %q", name, mail.Subject)
		}
	}
	chat, err := words.ChatTarget(target, change, "https://koe.example.com")
	if err != nil || chat.Title != "Chat <b>good: breached" || !strings.Contains(chat.Comment, "78.3%") || strings.HasPrefix(chat.Comment, "\n") {
		t.Errorf("%+v", chat)
	}
	if empty, err := words.TargetChanged(target, survey.TargetChange{Kind: survey.ChangedState, From: "met", To: "insufficient", Look: &survey.TargetLook{}}, "en", ""); err != nil || !strings.Contains(empty.Text, "It was: –, of 0") {
		t.Errorf("%s", empty.Text)
	}
}
