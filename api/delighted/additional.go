package delighted

import (
	"fmt"
	"slices"

	"koe/survey"
)

// additional is the answer to a question beside the score and the comment.
type additional struct {
	ID       string   `json:"id"`
	Value    value    `json:"value"`
	Question question `json:"question"`
}

// value has one field that is not null: the one of the question's type.
type value struct {
	Text  *string  `json:"free_response"`
	Scale *int     `json:"scale"`
	One   *option  `json:"select_one"`
	Many  []option `json:"select_many"`
}

type option struct {
	ID   string `json:"id"`
	Text string `json:"text"`
}

type question struct {
	ID   string `json:"id"`
	Type string `json:"type"`
	Text string `json:"text"`
}

// additionalOf are the further answers, in the order of the questions. Their
// ids are the response's with the number of the question behind it.
func additionalOf(t survey.Template, r survey.Response) []additional {
	out := []additional{}
	comment := commentKey(t, r.Score, r.Answers)
	for i, q := range t.Questions {
		said, answered := r.Answers[q.Key]
		if !answered || q.Key == comment {
			continue
		}
		words := func(text survey.Text) string {
			in, _ := text.In(r.Locale, t.DefaultLocale)
			return in
		}
		one := additional{ID: fmt.Sprintf("%s%02d", digits(r.ID), i), Question: question{ID: q.Key, Text: words(q.Text)}}
		one.Question.Type = one.Value.set(q, said, words)
		out = append(out, one)
	}
	return out
}

// set puts in what was said and returns the question's type.
func (v *value) set(q survey.Question, said any, words func(survey.Text) string) string {
	chosen := func(key string) option {
		i := slices.IndexFunc(q.Options, func(o survey.Option) bool { return o.Key == key })
		if i < 0 {
			return option{key, key}
		}
		return option{key, words(q.Options[i].Text)}
	}
	switch x := said.(type) {
	case int:
		v.Scale = &x
		return "scale"
	case bool:
		v.One = &option{"no", "no"}
		if x {
			v.One = &option{"yes", "yes"}
		}
		return "select_one"
	case []string:
		v.Many = make([]option, len(x))
		for i, key := range x {
			v.Many[i] = chosen(key)
		}
		return "select_many"
	case string:
		if q.Type == survey.ChoiceQuestion {
			v.One = new(chosen(x))
			return "select_one"
		}
		v.Text = &x
	}
	return "free_response"
}
