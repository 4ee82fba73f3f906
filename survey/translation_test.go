package survey

import (
	"slices"
	"testing"

	"koe/scoring"
)

func TestFallbacks(t *testing.T) {
	template := Template{Key: "k", Name: "K", Metric: scoring.CSAT, DefaultLocale: "en", Unreviewed: []string{"pt_br", "de", "de"},
		Placeholders: map[string]Text{"name": {"en": "there", "de": "Sie"}},
		Mail:         TemplateMail{Subject: Text{"en": "Hi", "de": "Hallo"}},
		Questions: []Question{
			{Key: "score", Type: ScoreQuestion, Scale: &Scale{Min: 1, Max: 5}, Text: Text{"en": "How?", "de": "Wie?", "pt": "Como?"}, LowLabel: Text{"en": "Bad"}, HighLabel: Text{"en": "Good"}},
			{Key: "why", Type: ChoiceQuestion, Text: Text{"en": "Why?", "de": "Warum?"}, Options: []Option{{Key: "a", Text: Text{"en": "A", "de": "A"}}, {Key: "b", Text: Text{"en": "B"}}}}},
		ThankYou: []ThankYou{{Text: Text{"en": "Thanks", "de": "Danke"}, Link: &Link{URL: "https://example.com/", Text: Text{"en": "Look"}}}}}
	if err := template.Clean(); err != nil {
		t.Fatal(err)
	}
	if want := []string{"de", "pt-BR"}; !slices.Equal(template.Unreviewed, want) {
		t.Errorf("unreviewed %q, want %q", template.Unreviewed, want)
	}
	for locale, want := range map[string]bool{"de": true, "de-AT": true, "pt": false, "pt-BR": true, "en": false} {
		if got := template.IsUnreviewed(locale); got != want {
			t.Errorf("%s is unreviewed: %v, want %v", locale, got, want)
		}
	}
	german := []string{"questions[0].low_label", "questions[0].high_label", "questions[1].options[1].text", "thank_you[0].link.text"}
	for locale, want := range map[string][]string{"en": nil, "en-GB": nil, "de": german, "de-AT": german} {
		if got := template.Fallbacks(locale); !slices.Equal(got, want) {
			t.Errorf("in %s: %q, want %q", locale, got, want)
		}
	}
	if got := template.Fallbacks("pt-BR"); !slices.Contains(got, "mail.subject") || slices.Contains(got, "questions[0].text") {
		t.Errorf("in pt-BR: %q", got)
	}
	template.Unreviewed = []string{"not a tag"}
	if err := template.Clean(); err == nil {
		t.Error("a language that is none was taken")
	}
}
