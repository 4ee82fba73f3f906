package templates

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"koe/survey"
)

// TestARememberedPageIsTheRenderedOne holds pages that were made before against
// the same ones rendered alone.
func TestARememberedPageIsTheRenderedOne(t *testing.T) {
	w := words(t)
	show := func(p SurveyPage) string {
		t.Helper()
		var b bytes.Buffer
		if err := w.SurveyPage(&b, p); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	made, shown := 0, map[string]bool{}
	for _, s := range stock(t) {
		scale := s.Score().Scale
		for _, lang := range []string{"en", "ja", "ar"} {
			for _, step := range []Step{StepScore, StepQuestions, StepThanks} {
				for score := scale.Min - 1; score <= scale.Max; score++ {
					p := surveyPage(s, step, lang)
					p.Name, p.Editable = "Ana", score%2 == 0
					if p.Preselected = nil; score >= scale.Min {
						p.Preselected = new(score)
						if step != StepScore {
							p.Score = p.Preselected
						}
					}
					alone := show(p)
					p.Version = 1
					for _, name := range []string{"Ana", "Bo"} { // the second time it is remembered
						if p.Name = name; show(p) != alone {
							t.Fatalf("%s, %s, %s, %d for %s:\n%s\ninstead of\n%s", s.Key, lang, step, score, name, show(p), alone)
						}
					}
					made++
					shown[alone] = true
				}
			}
		}
	}
	if n := len(w.pages.made); n != made || len(shown) < made/2 {
		t.Errorf("%d pages are remembered, want %d; %d differ", n, made, len(shown))
	}
}

// What differs from customer to customer is never remembered.
func TestPagesOfTheirOwn(t *testing.T) {
	w := words(t)
	common := surveyPage(stockTemplate(t, "csat"), StepQuestions, "en")
	common.Version = 1
	for name, change := range map[string]func(*SurveyPage){
		"a draft":    func(p *SurveyPage) { p.Version = 0 },
		"typed":      func(p *SurveyPage) { p.Typed = map[string][]string{} },
		"errors":     func(p *SurveyPage) { p.Errors = map[string]string{"q_improve": "x"} },
		"answers":    func(p *SurveyPage) { p.Answers = survey.Answers{"improve": "x"} },
		"a form":     func(p *SurveyPage) { p.Form = "x" },
		"an address": func(p *SurveyPage) { p.Address = "/l/x/y" },
		"a kiosk":    func(p *SurveyPage) { p.Start = "/l/x" },
		"a query":    func(p *SurveyPage) { p.Query = map[string][]string{"store": {"1"}} },
		"a placeholder": func(p *SurveyPage) {
			p.Template.ThankYou = []survey.ThankYou{{Text: survey.Text{"ja": "{{name}}", "en": "x"}}}
		},
		"a message": func(p *SurveyPage) { p.Step = StepExpired },
	} {
		p := common
		if change(&p); w.SurveyPage(&bytes.Buffer{}, p) != nil || len(w.pages.made) > 0 {
			t.Errorf("%s is remembered", name)
		}
	}
	var plain, named strings.Builder
	theirs := common
	if theirs.Named = true; w.SurveyPage(&plain, common) != nil || w.SurveyPage(&named, theirs) != nil || plain.String() == named.String() {
		t.Error("who is known and who is not are told the same")
	}
	clear(w.pages.made)
	for i := range maxPagePlates + 3 {
		p := common
		p.Touchpoint = fmt.Sprint("desk ", i)
		var b strings.Builder
		if err := w.SurveyPage(&b, p); err != nil || !strings.Contains(b.String(), p.Touchpoint) {
			t.Fatal(err)
		}
	}
	if n := len(w.pages.made); n != 3 {
		t.Errorf("%d pages are remembered", n)
	}
}
