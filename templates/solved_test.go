package templates

import (
	"strings"
	"testing"
	"time"

	"koe/survey"
)

var solvedAt = survey.InstantOf(time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC))

// Every page of the question whether it is solved, in every language, whatever
// the names in it are.
func TestSolvedPages(t *testing.T) {
	w := words(t)
	const hostile = `<img src=x onerror=alert(1)>`
	for _, lang := range w.languages {
		for _, step := range []Step{StepSolvedAsk, StepSolvedYes, StepSolvedNo, StepSolvedOver, StepSolvedSaid} {
			var b strings.Builder
			if err := w.SolvedPage(&b, SolvedPage{Step: step, Workspace: survey.Workspace{Name: hostile}, Touchpoint: hostile, RespondedAt: solvedAt, Locale: lang}); err != nil {
				t.Fatal(err)
			}
			all := elements(t, b.String())
			checkInert(t, b.String())
			buttons := len(with(all, "button", "name", SolvedField))
			if html := with(all, "html", "lang", lang); len(html) != 1 || html[0].Attrs["dir"] != direction(lang) || len(with(all, "img", "", "")) != 0 ||
				len(with(all, "h1", "", "")) != 1 || (buttons == 2) != (step == StepSolvedAsk) {
				t.Errorf("%s in %s: %s", step, lang, b.String())
			}
		}
		mail, err := w.SolvedMail(SolvedMail{Workspace: survey.Workspace{Name: hostile + "\u202e"}, Name: hostile, Locale: lang, Touchpoint: hostile, RespondedAt: solvedAt,
			URL: "https://koe.example/f/token", UnsubscribeURL: "https://koe.example/u/token"})
		if err != nil {
			t.Fatal(err)
		}
		links := with(elements(t, mail.HTML), "a", "", "")
		if len(links) != 2 || links[0].Attrs["href"] != "https://koe.example/f/token" || strings.Contains(mail.HTML, "<img") || strings.ContainsRune(mail.HTML+mail.Subject, '\u202e') ||
			!strings.Contains(mail.Text, "https://koe.example/u/token") || strings.ContainsAny(mail.Subject, "\r\n") {
			t.Errorf("the mail in %s: %q %s %s", lang, mail.Subject, mail.Text, mail.HTML)
		}
	}
	if err := w.SolvedPage(&strings.Builder{}, SolvedPage{Step: "lost"}); err == nil {
		t.Error("an unknown step was shown")
	}
	if _, err := w.SolvedMail(SolvedMail{URL: "javascript:alert(1)", UnsubscribeURL: "https://koe.example/u/token"}); err == nil {
		t.Error("a mail leads to a script")
	}
}

// A mail to staff says what was answered, in their language where the template
// speaks it, and quotes what the customer wrote.
func TestFollowUpNotices(t *testing.T) {
	w := words(t)
	both := func(en, ja string) survey.Text { return survey.Text{"en": en, "ja": ja} }
	template := survey.Template{Metric: "csat", DefaultLocale: "en", Name: "x", Questions: []survey.Question{
		{Key: survey.ScoreKey, Type: survey.ScoreQuestion, Scale: &survey.Scale{Min: 1, Max: 5}, Text: both("How satisfied?", "満足度は")},
		{Key: "why", Type: survey.TextQuestion, Text: both("Why?", "理由は")},
		{Key: "topic", Type: survey.ChoiceQuestion, Multiple: true, Text: both("What about?", "何について"), Options: []survey.Option{{Key: "speed", Text: both("Speed", "速さ")}}},
		{Key: "call", Type: survey.ConsentQuestion, Text: both("May we?", "連絡してよいですか")},
	}}
	yes, no := true, false
	for _, c := range []struct {
		event   survey.Event
		locale  string
		consent *bool
		want    []string
	}{
		{survey.EventFollowUpOpened, "en", &yes, []string{"How satisfied?: 1 of 5", "Why?: \n> slow\n> Due: never", "What about?: Speed, lost", "agreed to be contacted", "Due: 22 November 2026 18:00 (Asia/Tokyo)"}},
		{survey.EventFollowUpOverdue, "en", &no, []string{"does not want to be contacted", "Owner: nobody"}},
		{survey.EventFollowUpReopened, "ja", nil, []string{"満足度は：1（5点満点）", "何について：速さ", "解決していない", "ご連絡の可否については回答がありません"}},
	} {
		mail, err := w.FollowUpNotice(FollowUpNotice{Event: c.event, Template: template, Touchpoint: "Shop\r\nBcc: all@example.com", Locale: c.locale, Timezone: "Asia/Tokyo", BaseURL: "https://koe.example",
			FollowUp: survey.FollowUp{DueAt: solvedAt, MayContact: c.consent, Response: survey.Response{Score: 1, Person: &survey.Person{Name: "Ana\nDue: now", Email: "ana@example.com"},
				Answers: survey.Answers{"why": "slow\u2028Due: never\u202e", "topic": []string{"speed", "lost"}, "call": false}}}})
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range c.want {
			if !strings.Contains(mail.Text, want) {
				t.Errorf("%s in %s lacks %q:\n%s", c.event, c.locale, want, mail.Text)
			}
		}
		if strings.Contains(mail.Text, "ana@example.com") || strings.ContainsAny(mail.Subject, "\r\n") || strings.Contains(mail.Text, "\nDue: n") || strings.Count(mail.Text, "https://") != 1 {
			t.Errorf("%s: %q\n%s", c.event, mail.Subject, mail.Text)
		}
	}
	if _, err := w.FollowUpNotice(FollowUpNotice{Event: survey.EventFollowUpAsked, Template: template}); err == nil {
		t.Error("an event without words was written")
	}
}
