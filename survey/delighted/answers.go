package delighted

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"koe/scoring"
	"koe/survey"
	"koe/survey/history"
)

// Answers turn responses into answers to one survey, and count them.
type Answers struct {
	Facts    *Facts
	Names    *Names
	Template survey.Template // what is asked, and how it is judged
	Latest   survey.Instant  // the last answer of all, see Recent

	Histogram   scoring.Histogram // of those that koe keeps, or has
	Recent      scoring.Histogram // of these the last 30 days, which Delighted's metrics are about
	First, Last *survey.Instant
	Twice       int64 // rows of a response that came before
	Unnamed     int64 // answers whose person no file names

	seen map[string]struct{}
}

// Entry is what a response comes to. Twice is true for one whose id was there
// before: the first counts.
func (a *Answers) Entry(r Record) (e history.Entry, twice bool) {
	e = history.Entry{Line: r.Line, Rejection: r.Fault}
	if r.Fault != nil {
		return e, false
	}
	named := r.name()
	if a.seen == nil {
		a.seen = map[string]struct{}{}
	}
	if _, twice = a.seen[named]; twice {
		a.Twice++
		return e, true
	}
	var p survey.Problems
	score, blank, err := history.Options{}.Score(r.Score)
	if e.Blank = blank; blank {
		return e, false
	}
	if err != nil {
		p.Add("score", "format", "%s", err)
	} else {
		a.Template.CheckScore(&p, "score", &score)
	}
	e.Answer = history.Answer{Score: &score, RespondedAt: r.Created, ExternalID: named, Comment: r.Comment, Locale: localeOf(r.Properties), Tags: tidy(r.Tags)}
	if r.Created == nil {
		p.Add("created_at", "required", "is required: when the answer was given")
	}
	e.Answer.Answers, e.Answer.Aside = a.beside(r, score)
	e.Answer.Attributes = a.Names.attributes(r.Properties, maxAttributes-len(e.Answer.Aside))
	if address := a.Facts.AddressOf(r); address != "" {
		e.Answer.Customer = survey.Customer{Email: &address, Name: r.Name}
	}
	var known *survey.Error
	if errors.As(p.Err(), &known) {
		e.Rejection = new(history.Reject(r.Line, known))
		return e, false
	}
	a.seen[named] = struct{}{}
	a.count(e, 1)
	return e, false
}

// name is the external id that an answer is kept under: Delighted's id, else
// what tells it from others.
func (r Record) name() string {
	if r.ID != "" {
		return "delighted:" + r.ID
	}
	when := survey.Instant(0)
	if r.Created != nil {
		when = *r.Created
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%d/%q/%q/%q/%q/%q", when, r.Person, strings.ToLower(r.Email), r.Type, r.Score, r.Comment))
	return "delighted:" + hex.EncodeToString(sum[:12])
}

// Refused takes an entry back that koe did not keep after all.
func (a *Answers) Refused(e history.Entry) {
	if e.Rejection == nil { // else it was not counted
		a.count(e, -1)
		delete(a.seen, e.Answer.ExternalID)
	}
}

const month = 30 * 24 * time.Hour

func (a *Answers) count(e history.Entry, by int64) {
	at := *e.Answer.RespondedAt
	a.Histogram[*e.Answer.Score] += by
	if at > a.Latest.Add(-month) {
		a.Recent[*e.Answer.Score] += by
	}
	if e.Answer.Customer.Email == nil {
		a.Unnamed += by
	}
	if a.First == nil || at < *a.First {
		a.First = &at
	}
	if a.Last == nil || at > *a.Last {
		a.Last = &at
	}
}

// tidy drops tags that are empty or there already.
func tidy(tags []string) []string {
	var list []string
	for _, tag := range tags {
		if tag = strings.TrimSpace(tag); tag != "" && !slices.Contains(list, tag) {
			list = append(list, tag)
		}
	}
	return list
}

// beside are the answers to further questions and the notes. What a question of
// the template asks too, by key or by words, is an answer to that; the others,
// and the notes, are attributes of the answer alone.
func (a *Answers) beside(r Record, score int) (survey.Answers, survey.Attributes) {
	answers, aside := survey.Answers{}, survey.Attributes{}
	for i, note := range r.Notes {
		words := []string{}
		for _, word := range []string{note.clock, note.By} {
			if word != "" {
				words = append(words, word)
			}
		}
		text := strings.TrimSpace(note.Text)
		if len(words) > 0 {
			text = strings.Join(words, " ") + ": " + text
		}
		spread(aside, fmt.Sprintf("note %d", i+1), text)
	}
	for _, more := range r.Additional {
		if key, value, fits := a.asked(more); fits && !a.comments(r, score, key, value) {
			answers[key] = value
			continue
		}
		name := a.Names.name(more.Question.Text)
		if name == "" {
			name = a.Names.name("question " + more.Question.ID.text)
		}
		spread(aside, name, more.words())
	}
	return answers, aside
}

// comments is true for the answer to the question that the comment answers.
func (a *Answers) comments(r Record, score int, key string, value any) bool {
	return r.Comment != "" && a.Template.Comment(score, survey.Answers{key: value}) != ""
}

// words are an additional answer as a text.
func (m Additional) words() string {
	switch v := m.Value; {
	case v.Free != nil:
		return strings.TrimSpace(*v.Free)
	case v.Scale != nil:
		return fmt.Sprint(*v.Scale)
	case v.One != nil:
		return v.One.Text
	default:
		list := make([]string, len(v.Many))
		for i, one := range v.Many {
			list[i] = one.Text
		}
		return strings.Join(list, "|")
	}
}

// asked finds the question of the template that an additional answer fits.
func (a *Answers) asked(m Additional) (key string, value any, fits bool) {
	for _, q := range a.Template.Questions {
		if q.Key != strings.ToLower(m.Question.ID.text) && !says(q.Text, m.Question.Text) {
			continue
		}
		switch v := m.Value; {
		case q.Type == survey.TextQuestion && v.Free != nil:
			value = *v.Free
		case q.Type == survey.RatingQuestion && v.Scale != nil:
			value = *v.Scale
		case q.Type == survey.ChoiceQuestion && (v.One != nil || v.Many != nil):
			value = optionsOf(q, m.chosen())
		}
		var p survey.Problems
		kept := a.Template.CheckAnswers(&p, "answers", survey.Answers{q.Key: value})
		if p.Err() == nil && kept[q.Key] != nil {
			return q.Key, value, true
		}
	}
	return "", nil, false
}

func (m Additional) chosen() []choice {
	if m.Value.One != nil {
		return []choice{*m.Value.One}
	}
	return m.Value.Many
}

// optionsOf are the keys of what was chosen; what is no option stays as it is,
// for the template's check to refuse.
func optionsOf(q survey.Question, chosen []choice) []string {
	keys := make([]string, len(chosen))
	for i, c := range chosen {
		keys[i] = c.ID.text
		for _, o := range q.Options {
			if o.Key == c.ID.text || says(o.Text, c.Text) {
				keys[i] = o.Key
				break
			}
		}
	}
	return keys
}

// says is true where these are the words in one of the languages.
func says(in survey.Text, words string) bool {
	words = strings.TrimSpace(words)
	for _, one := range in {
		if words != "" && strings.EqualFold(strings.TrimSpace(one), words) {
			return true
		}
	}
	return false
}
