package survey

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"koe/scoring"
)

// Template is what a survey asks, in which words, and how the score is judged.
// A stored version never changes; a new wording is a new version.
type Template struct {
	Key           string          `json:"key"`
	Name          string          `json:"name"`
	Metric        scoring.Metric  `json:"metric"`
	SatisfiedFrom *int            `json:"satisfied_from,omitempty"`
	CESVersion    *int            `json:"ces_version,omitempty"`
	DefaultLocale string          `json:"default_locale"`
	Unreviewed    []string        `json:"unreviewed,omitempty"` // languages in which nobody has checked the wording
	Placeholders  map[string]Text `json:"placeholders,omitempty"`
	Mail          TemplateMail    `json:"mail"`
	Questions     []Question      `json:"questions"`
	ThankYou      []ThankYou      `json:"thank_you,omitempty"`
}

// TemplateMail is the wording of the mail around the score question. Empty
// texts fall back to koe's own words.
type TemplateMail struct {
	Subject Text `json:"subject,omitempty"`
	Intro   Text `json:"intro,omitempty"`
}

// ThankYou is shown after the answer: the first whose When matches.
type ThankYou struct {
	When When  `json:"when,omitempty"`
	Text Text  `json:"text"`
	Link *Link `json:"link,omitempty"`
}

// Link is an address to offer after the answer; http or https only.
type Link struct {
	URL  string `json:"url"`
	Text Text   `json:"text"`
}

const maxQuestions = 30

// Score is the template's score question; nil only where Clean would refuse.
func (t Template) Score() *Question {
	for i := range t.Questions {
		if t.Questions[i].Type == ScoreQuestion {
			return &t.Questions[i]
		}
	}
	return nil
}

// Clean fills defaults and brings the template into the form that koe keeps,
// or returns an Invalid error with every field that is wrong.
func (t *Template) Clean() error {
	var p Problems
	if !ValidKey(t.Key) {
		p.Add("key", "format", "must be lower-case letters, digits, _ and -, at most 63")
	}
	p.Require("name", t.Name)
	t.Name = Line(&p, "name", t.Name, 200)
	if locale, err := ParseLocale(t.DefaultLocale); err != nil {
		p.Add("default_locale", "format", "%s", err)
	} else {
		t.DefaultLocale = locale
	}
	t.cleanUnreviewed(&p)
	t.cleanPlaceholders(&p)
	checkOptional(&p, "mail.subject", t.Mail.Subject, t.DefaultLocale, 500, t.Placeholders)
	checkOptional(&p, "mail.intro", t.Mail.Intro, t.DefaultLocale, 500, t.Placeholders)
	for _, tag := range slices.Sorted(maps.Keys(t.Mail.Subject)) {
		Line(&p, "mail.subject."+tag, t.Mail.Subject[tag], 200)
	}
	t.fillMeasure()
	t.cleanQuestions(&p)
	t.cleanMeasure(&p)
	for i := range t.ThankYou {
		thanks := &t.ThankYou[i]
		at := fmt.Sprintf("thank_you[%d]", i)
		checkWords(&p, at+".text", thanks.Text, t.DefaultLocale, 1000, t.Placeholders)
		thanks.When.clean(&p, at+".when", t.Questions)
		if thanks.Link != nil {
			checkLink(&p, at+".link.url", thanks.Link.URL)
			checkWords(&p, at+".link.text", thanks.Link.Text, t.DefaultLocale, 200, t.Placeholders)
		}
	}
	return p.Err()
}

func (t *Template) cleanPlaceholders(p *Problems) {
	for _, given := range slices.Sorted(maps.Keys(t.Placeholders)) {
		fallback, name := t.Placeholders[given], norm.NFC.String(given)
		delete(t.Placeholders, given)
		t.Placeholders[name] = fallback
		at := "placeholders." + name
		attribute, isAttribute := strings.CutPrefix(name, attributePrefix)
		if name != "name" && (!isAttribute || !attributeName.MatchString(attribute)) {
			p.Add(at, "unknown", "must be name or attributes.NAME")
			continue
		}
		checkWords(p, at, fallback, t.DefaultLocale, 200, nil)
	}
}

func (t *Template) cleanQuestions(p *Problems) {
	if len(t.Questions) == 0 || len(t.Questions) > maxQuestions {
		p.Add("questions", "range", "must have 1 to %d questions", maxQuestions)
		return
	}
	scores := 0
	seen := map[string]bool{}
	for i := range t.Questions {
		q := &t.Questions[i]
		at := fmt.Sprintf("questions[%d]", i)
		switch {
		case !ValidKey(q.Key):
			p.Add(at+".key", "format", "must be lower-case letters, digits, _ and -, at most 63")
		case seen[q.Key]:
			p.Add(at+".key", "duplicate", "is used twice")
		}
		seen[q.Key] = true
		if q.Type == ScoreQuestion {
			if scores++; scores > 1 {
				p.Add(at+".type", "duplicate", "a template has exactly one score question")
			}
			if q.Key != ScoreKey {
				p.Add(at+".key", "format", "the score question's key must be score")
			}
			if len(q.ShowIf) > 0 {
				p.Add(at+".show_if", "unknown", "the score is always asked")
			}
		} else if q.Key == ScoreKey {
			p.Add(at+".key", "format", "only the score question may be named score")
		}
		q.clean(p, at, t.DefaultLocale, t.Placeholders)
		q.ShowIf.clean(p, at+".show_if", t.earlier(i))
	}
	if scores == 0 {
		p.Add("questions", "required", "must have one question of type score")
	}
}

// earlier is the score, which is always asked first, and what stands before
// question i.
func (t Template) earlier(i int) []Question {
	earlier := slices.Clone(t.Questions[:i])
	if q := t.Score(); q != nil {
		earlier = append(earlier, *q)
	}
	return earlier
}

// Shown are the follow-up questions that fit a score and the answers so far,
// in order; the score question is not among them. An answer counts only where
// its own question is shown.
func (t Template) Shown(score int, answers Answers) []Question {
	shown, _ := t.walk(score, answers)
	return shown
}

// Waiting are those of Shown that have no answer yet.
func (t Template) Waiting(score int, answers Answers) []Question {
	return slices.DeleteFunc(t.Shown(score, answers), func(q Question) bool { return answers[q.Key] != nil })
}

// walk goes through the questions as a respondent does: those that are shown,
// and the answers to them.
func (t Template) walk(score int, answers Answers) (shown []Question, said Answers) {
	said = Answers{}
	for _, q := range t.Questions {
		if q.Type == ScoreQuestion || !q.ShowIf.Match(score, said) {
			continue
		}
		shown = append(shown, q)
		if answer, is := answers[q.Key]; is {
			said[q.Key] = answer
		}
	}
	return shown, said
}

// CheckAnswers brings answers into their kept form. Keys that the template
// does not ask are problems under field ("answers.reason").
func (t Template) CheckAnswers(p *Problems, field string, raw Answers) Answers {
	clean := make(Answers, len(raw))
	for _, key := range slices.Sorted(maps.Keys(raw)) {
		at := field + "." + key
		i := slices.IndexFunc(t.Questions, func(q Question) bool { return q.Key == key })
		if i < 0 {
			p.Add(at, "unknown", "is not a question of the template")
			continue
		}
		if raw[key] == nil {
			continue
		}
		if v := t.Questions[i].check(p, at, raw[key]); v != nil {
			clean[key] = v
		}
	}
	return clean
}

// CommentKey is the first shown text question, whose answer is the comment; ""
// where none is shown.
func (t Template) CommentKey(score int, answers Answers) string {
	for _, q := range t.Shown(score, answers) {
		if q.Type == TextQuestion {
			return q.Key
		}
	}
	return ""
}

// Comment is the answer to the first shown text question.
func (t Template) Comment(score int, answers Answers) string {
	comment, _ := answers[t.CommentKey(score, answers)].(string)
	return comment
}

// WithComment is answers with a comment that was given by itself as the answer
// to the first text question that is shown. An empty one changes nothing.
func (t Template) WithComment(score int, answers Answers, comment string) Answers {
	key := t.CommentKey(score, answers)
	if comment == "" || key == "" {
		return answers
	}
	merged := maps.Clone(answers)
	if merged == nil {
		merged = Answers{}
	}
	merged[key] = comment
	return merged
}

// Thanks is what to say after an answer; nil where the template says nothing
// that fits.
func (t Template) Thanks(score int, answers Answers) *ThankYou {
	_, said := t.walk(score, answers)
	for i := range t.ThankYou {
		if t.ThankYou[i].When.Match(score, said) {
			return &t.ThankYou[i]
		}
	}
	return nil
}

var placeholder = regexp.MustCompile(`\{\{\s*([^{}]*?)\s*\}\}`)

// checkOptional is checkWords for a wording that may be left out.
func checkOptional(p *Problems, at string, words Text, locale string, max int, declared map[string]Text) {
	if len(words) > 0 {
		checkWords(p, at, words, locale, max, declared)
	}
}

// checkWords brings one wording into its kept form and checks it in all its
// languages: the default one is there, tags are tags in their usual spelling,
// nothing is too long, and only declared placeholders are used.
func checkWords(p *Problems, at string, words Text, locale string, max int, declared map[string]Text) {
	for _, given := range slices.Sorted(maps.Keys(words)) {
		tag, err := ParseLocale(given)
		if err != nil {
			p.Add(at+"."+given, "format", "%s", err)
			continue
		}
		s := words[given]
		if tag != given {
			if _, twice := words[tag]; twice {
				p.Add(at+"."+given, "duplicate", "is %s, which is there too", tag)
				continue
			}
			delete(words, given) // nobody would look for it under this spelling
			words[tag] = s
		}
		clean, err := Clean(s)
		if err != nil {
			p.Add(at+"."+tag, "format", "%s", err)
			continue
		}
		if utf8.RuneCountInString(clean) > max {
			p.Add(at+"."+tag, "too_long", "must have at most %d characters", max)
		}
		words[tag] = clean
		for _, use := range placeholder.FindAllStringSubmatch(clean, -1) {
			if _, ok := declared[use[1]]; !ok {
				p.Add(at+"."+tag, "undeclared", "uses {{%s}}, which placeholders does not declare", use[1])
			}
		}
		if rest := placeholder.ReplaceAllString(clean, ""); strings.Contains(rest, "{{") {
			p.Add(at+"."+tag, "format", "has {{ without a matching }}")
		}
	}
	if strings.TrimSpace(words[locale]) == "" {
		p.Add(at, "required", "must have a text in the default locale %s", locale)
	}
}

// Fill puts a customer's values into words. Only placeholders that the
// template declares are filled; what is not known takes the declared fallback.
// The result is plain text: whoever shows it escapes it.
func (t Template) Fill(words, locale, name string, attributes Attributes) string {
	return placeholder.ReplaceAllStringFunc(words, func(use string) string {
		key := placeholder.FindStringSubmatch(use)[1]
		fallback, ok := t.Placeholders[key]
		if !ok {
			return use
		}
		value := name
		if attribute, is := strings.CutPrefix(key, attributePrefix); is {
			value = ""
			if v, known := attributes[attribute]; known {
				value = v.Text()
			}
		}
		if value = strings.Join(strings.Fields(value), " "); value != "" {
			return value
		}
		words, _ := fallback.In(locale, t.DefaultLocale)
		return words
	})
}
