package templates

import (
	"slices"
	"strings"
	"testing"

	"koe/scoring"
	"koe/survey"
)

func stock(t *testing.T) []survey.Template {
	t.Helper()
	all, err := Stock()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func stockTemplate(t *testing.T, key string) survey.Template {
	t.Helper()
	for _, one := range stock(t) {
		if one.Key == key {
			return one
		}
	}
	t.Fatalf("no stock template %s", key)
	return survey.Template{}
}

func TestStockMeasures(t *testing.T) {
	want := map[string]scoring.Measure{
		"nps":         {Metric: scoring.NPS, Min: 0, Max: 10},
		"csat":        {Metric: scoring.CSAT, Min: 1, Max: 5, SatisfiedFrom: 4},
		"csat-thumbs": {Metric: scoring.CSAT, Min: 0, Max: 1, SatisfiedFrom: 1},
		"ces":         {Metric: scoring.CES, Min: 1, Max: 7, CESVersion: 2},
		"ces-effort":  {Metric: scoring.CES, Min: 1, Max: 5, CESVersion: 1},
	}
	got := map[string]scoring.Measure{}
	for _, s := range stock(t) {
		got[s.Key] = s.Measure()
	}
	if len(got) != len(want) {
		t.Errorf("stock templates: %v", got)
	}
	for key, measure := range want {
		if got[key] != measure {
			t.Errorf("%s measures %+v, want %+v", key, got[key], measure)
		}
	}
}

// textsOf are the texts of a template by what they are.
func textsOf(s survey.Template) map[string]survey.Text {
	texts := map[string]survey.Text{"subject": s.Mail.Subject, "intro": s.Mail.Intro}
	for key, text := range s.Placeholders {
		texts["placeholder "+key] = text
	}
	for _, q := range s.Questions {
		texts["question "+q.Key] = q.Text
		if q.Type == survey.ScoreQuestion {
			texts["low"], texts["high"] = q.LowLabel, q.HighLabel
		}
		for _, o := range q.Options {
			texts["option "+q.Key+" "+o.Key] = o.Text
		}
	}
	for i, thanks := range s.ThankYou {
		texts["thanks "+string(rune('0'+i))] = thanks.Text
	}
	return texts
}

// Every text of a stock template is there in every language that koe speaks.
func TestStockIsCompleteInEveryLanguage(t *testing.T) {
	for _, s := range stock(t) {
		for name, text := range textsOf(s) {
			for _, lang := range words(t).languages {
				if strings.TrimSpace(text[lang]) == "" {
					t.Errorf("%s: %s has no %s", s.Key, name, lang)
				}
			}
		}
	}
}

func TestStockFollowsUpOnEveryScore(t *testing.T) {
	for _, s := range stock(t) {
		scale := s.Score().Scale
		for score := scale.Min; score <= scale.Max; score++ {
			texts := 0
			for _, q := range s.Shown(score, nil) {
				if q.Type == survey.TextQuestion {
					texts++
				}
			}
			if texts != 1 {
				t.Errorf("%s shows %d text questions after %d, want 1", s.Key, texts, score)
			}
			if s.Thanks(score, nil) == nil {
				t.Errorf("%s says no thanks after %d", s.Key, score)
			}
			middle, unhappy := groupOf(s.Measure(), score)
			asked := slices.ContainsFunc(s.Shown(score, nil), func(q survey.Question) bool {
				return q.Type == survey.ConsentQuestion
			})
			if asked != unhappy && !middle {
				t.Errorf("%s after %d: asks whether to contact: %v, unhappy: %v", s.Key, score, asked, unhappy)
			}
		}
	}
}

// groupOf says whether scoring counts a score in the middle or as unhappy.
func groupOf(m scoring.Measure, score int) (middle, unhappy bool) {
	var h scoring.Histogram
	h[score] = 1
	for _, group := range scoring.Score(m, h, 0.95).Counts {
		if group.Value == 0 {
			continue
		}
		switch group.Name {
		case "neutral", "medium":
			return true, false
		case "detractors", "dissatisfied", "disagree", "high":
			return false, true
		}
	}
	return false, false
}

func TestReadTemplateRefuses(t *testing.T) {
	good := "key: a\nname: A\nmetric: nps\ndefault_locale: en\nquestions: [{key: score, type: score, text: {en: Q}}]\n"
	if _, err := readTemplate([]byte(good)); err != nil {
		t.Fatalf("a good template: %v", err)
	}
	for name, bad := range map[string]string{
		"unknown field":          good + "colour: red\n",
		"duplicate field":        good + "name: B\n",
		"no YAML":                "key: [",
		"undeclared placeholder": strings.Replace(good, "en: Q", "en: 'Q {{name}}'", 1),
		"wrong scale":            strings.Replace(good, "type: score,", "type: score, scale: {min: 0, max: 9},", 1),
		"no question":            "key: a\nname: A\nmetric: nps\ndefault_locale: en\n",
	} {
		if got, err := readTemplate([]byte(bad)); err == nil {
			t.Errorf("%s was read as %+v", name, got)
		}
	}
}
