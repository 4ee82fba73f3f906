package shown

import (
	"fmt"
	"math/big"
	"slices"

	"koe/survey"
)

// Digits is an id as Delighted writes it, a text of digits: an id of koe's is a
// number of 128 bits, here in decimal.
func Digits(id survey.ID) string { return new(big.Int).SetBytes(id[:]).String() }

func seconds(i survey.Instant) int64 { return i.Time().Unix() }

// DelightedResponse is an answer in Delighted's shape. Person is a
// DelightedPerson, or whatever else a caller puts there; nil for nobody. koe
// keeps no notes.
type DelightedResponse struct {
	ID         string            `json:"id"`
	Person     any               `json:"person"`
	Type       string            `json:"survey_type"`
	Score      int               `json:"score"`
	Comment    *string           `json:"comment"`
	Permalink  string            `json:"permalink"`
	CreatedAt  int64             `json:"created_at"`
	UpdatedAt  int64             `json:"updated_at"`
	Properties survey.Attributes `json:"person_properties"`
	Notes      []string          `json:"notes"`
	Tags       []string          `json:"tags"`
	Additional []DelightedAnswer `json:"additional_answers"`
}

// DelightedPerson is somebody in Delighted's shape.
type DelightedPerson struct {
	ID        string  `json:"id"`
	Name      *string `json:"name"`
	Email     *string `json:"email"`
	CreatedAt int64   `json:"created_at"`
}

// NewDelightedPerson shows somebody.
func NewDelightedPerson(p survey.Person) DelightedPerson {
	return DelightedPerson{Digits(p.ID), OrNull(p.Name), OrNull(p.Email), seconds(p.CreatedAt)}
}

// DelightedAnswer is the answer to a question beside score and comment. Its
// value has one field that is not null: the one of the question's type.
type DelightedAnswer struct {
	ID    string `json:"id"`
	Value struct {
		Text  *string           `json:"free_response"`
		Scale *int              `json:"scale"`
		One   *DelightedOption  `json:"select_one"`
		Many  []DelightedOption `json:"select_many"`
	} `json:"value"`
	Question struct {
		ID   string `json:"id"`
		Type string `json:"type"`
		Text string `json:"text"`
	} `json:"question"`
}

// DelightedOption is one that can be chosen.
type DelightedOption struct {
	ID   string `json:"id"`
	Text string `json:"text"`
}

// NewDelightedResponse shows a response to the template that was asked, with the
// person in it. Ids of further answers are the response's with the number of the
// question behind it.
func NewDelightedResponse(r survey.Response, t survey.Template, baseURL string) DelightedResponse {
	out := DelightedResponse{ID: Digits(r.ID), Type: r.Metric, Score: r.Score, Comment: OrNull(r.Comment),
		Permalink: baseURL + "/v1/responses/" + r.ID.String(), CreatedAt: seconds(r.RespondedAt), UpdatedAt: seconds(r.UpdatedAt),
		Properties: r.Attributes, Notes: []string{}, Tags: append([]string{}, r.Tags...), Additional: []DelightedAnswer{}}
	if out.Properties == nil {
		out.Properties = survey.Attributes{}
	}
	if p := r.Person; p != nil {
		out.Person = NewDelightedPerson(*p)
	}
	comment := t.CommentKey(r.Score, r.Answers)
	for i, question := range t.Questions {
		if said, answered := r.Answers[question.Key]; answered && question.Key != comment {
			one := newDelightedAnswer(question, said, func(text survey.Text) string {
				words, _ := text.In(r.Locale, t.DefaultLocale)
				return words
			})
			one.ID = fmt.Sprintf("%s%02d", out.ID, i)
			out.Additional = append(out.Additional, one)
		}
	}
	return out
}

func newDelightedAnswer(q survey.Question, said any, words func(survey.Text) string) (out DelightedAnswer) {
	chosen := func(key string) DelightedOption {
		i := slices.IndexFunc(q.Options, func(o survey.Option) bool { return o.Key == key })
		if i < 0 {
			return DelightedOption{key, key}
		}
		return DelightedOption{key, words(q.Options[i].Text)}
	}
	out.Question.ID, out.Question.Text, out.Question.Type = q.Key, words(q.Text), "free_response"
	switch x := said.(type) {
	case int:
		out.Value.Scale, out.Question.Type = &x, "scale"
	case bool:
		out.Value.One, out.Question.Type = &DelightedOption{"no", "no"}, "select_one"
		if x {
			out.Value.One = &DelightedOption{"yes", "yes"}
		}
	case []string:
		out.Question.Type, out.Value.Many = "select_many", make([]DelightedOption, len(x))
		for i, key := range x {
			out.Value.Many[i] = chosen(key)
		}
	case string:
		if q.Type == survey.ChoiceQuestion {
			one := chosen(x)
			out.Value.One, out.Question.Type = &one, "select_one"
			break
		}
		out.Value.Text = &x
	}
	return out
}
