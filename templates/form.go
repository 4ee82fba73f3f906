package templates

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"koe/survey"
)

// field is one question as a form shows it.
type field struct {
	Name     string
	Type     survey.QuestionType
	Label    phrase
	Required bool
	Multiple bool
	Max      int    // characters, of a text
	Value    string // of a text
	Thumbs   bool
	Worded   bool    // every point has a word
	Points   []point // first and last of a scale have words
	Options  []option
	Error    string
}

// option is one thing to choose: a point of a scale, an option of a choice,
// the yes of a consent.
type option struct {
	ID      string
	Value   string
	Label   phrase
	Word    phrase // what an end of a scale means
	Checked bool
}

// ID is the element that a link in the list of problems leads to.
func (f field) ID() string {
	if len(f.Options) > 0 {
		return f.Options[0].ID
	}
	return f.Name
}

// ErrorID is the element of the field's message; HintID of its explanation.
func (f field) ErrorID() string { return f.Name + ".error" }

// HintID is the element that explains the field.
func (f field) HintID() string { return f.Name + ".hint" }

// Length is the number of characters of a text, as it is judged.
func (f field) Length() int { return utf8.RuneCountInString(survey.Written(f.Value)) }

// Input is the HTML type of the field's options.
func (f field) Input() string {
	if f.Multiple || f.Type == survey.ConsentQuestion {
		return "checkbox"
	}
	return "radio"
}

// First is the low end of a scale, Last the high one.
func (f field) First() point { return f.Points[0] }

// Last is the high end of a scale.
func (f field) Last() point { return f.Points[len(f.Points)-1] }

// field lays out a question with what was typed, else saved.
func (w wording) field(q survey.Question, p SurveyPage) (field, error) {
	f := field{Name: QuestionField(q.Key), Type: q.Type, Label: w.phrase(q.Text), Required: q.Required,
		Multiple: q.Multiple, Max: q.Longest()}
	if q.Type == survey.ScoreQuestion {
		f.Name = ScoreField
	}
	f.Error = p.Errors[f.Name]
	given := p.given(q, f.Name)
	switch q.Type {
	case survey.TextQuestion:
		f.Value = strings.Join(given, "\n")
	case survey.ChoiceQuestion:
		for _, o := range q.Options {
			f.Options = append(f.Options, option{Value: o.Key, Label: w.phrase(o.Text)})
		}
	case survey.ConsentQuestion:
		yes, err := w.own("yes")
		if err != nil {
			return f, err
		}
		f.Options = []option{{Value: "yes", Label: yes}}
	case survey.ScoreQuestion, survey.RatingQuestion:
		s, err := w.scale(q)
		if err != nil {
			return f, err
		}
		f.Points, f.Thumbs, f.Worded = s.Points, s.Thumbs, s.Worded
		for _, at := range s.Points {
			f.Options = append(f.Options, option{Value: strconv.Itoa(at.Value),
				Label: phrase{Text: at.Label}, Word: at.Word})
		}
	}
	for i := range f.Options {
		f.Options[i].ID = fmt.Sprintf("%s.%d", f.Name, i+1)
		f.Options[i].Checked = slices.Contains(given, f.Options[i].Value)
	}
	return f, nil
}

// given is what the form shows as answered, as a form would post it.
func (p SurveyPage) given(q survey.Question, name string) []string {
	if q.Type == survey.ScoreQuestion {
		if chosen := p.chosen(); chosen != nil {
			return []string{strconv.Itoa(*chosen)}
		}
		return nil
	}
	if p.Typed != nil {
		return p.Typed[name]
	}
	switch saved := p.Answers[q.Key].(type) {
	case string:
		return []string{saved}
	case []string:
		return saved
	case int:
		return []string{strconv.Itoa(saved)}
	case bool:
		if saved {
			return []string{"yes"}
		}
	}
	return nil
}

// problem is one line of the list above a form. Target and Label are empty
// where it is about nothing that the page shows.
type problem struct {
	Target  string
	Label   phrase
	Message string
}

// problems lists the messages in the order of the fields.
func problems(fields []field, messages map[string]string) []problem {
	var list []problem
	shown := map[string]bool{}
	for _, f := range fields {
		shown[f.Name] = true
		if f.Error != "" {
			list = append(list, problem{f.ID(), f.Label, f.Error})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(messages)) {
		if !shown[name] && messages[name] != "" {
			list = append(list, problem{Message: messages[name]})
		}
	}
	return list
}

// FormErrors turns what the domain said about an answer ("score",
// "answers.reason") into messages by form field in the respondent's language;
// nil where err is not about fields.
func (w *Words) FormErrors(t survey.Template, locale string, err error) (map[string]string, error) {
	var wrong *survey.Error
	if !errors.As(err, &wrong) || len(wrong.Fields) == 0 {
		return nil, nil
	}
	voice := w.voice(w.SurveyLocale(t, locale), t.DefaultLocale)
	messages := map[string]string{}
	for _, f := range wrong.Fields {
		key, _ := strings.CutPrefix(f.Field, "answers.")
		name := QuestionField(key)
		if key == survey.ScoreKey {
			name = ScoreField
		}
		say, limit := "error_choice", 0
		if i := slices.IndexFunc(t.Questions, func(q survey.Question) bool { return q.Key == key }); i >= 0 {
			say, limit = errorWording(t.Questions[i], f.Code), t.Questions[i].Longest()
		}
		if f.Field == FormField {
			say, name = "error_form_unknown", FormField
			if f.Code == "expired" {
				say = "error_form"
			}
		}
		message, err := "", error(nil)
		if say == "error_too_long" {
			message, err = voice.Count(say, limit)
		} else {
			message, err = voice.Say(say)
		}
		if err != nil {
			return nil, err
		}
		messages[name] = message
	}
	return messages, nil
}

// errorWording is the key of what to say about a wrong answer.
func errorWording(q survey.Question, code string) string {
	switch {
	case q.Type == survey.ScoreQuestion:
		return "error_score"
	case code == "required":
		return "error_required"
	case q.Type == survey.TextQuestion && code == "too_long":
		return "error_too_long"
	case q.Type == survey.TextQuestion:
		return "error_text"
	}
	return "error_choice"
}

// refill is a form field that is kept while nothing can be saved. What
// somebody wrote is shown; what they chose is only carried along. The form says
// which fields hold texts, since the template may be out of reach: a text of one
// word looks like a choice.
type refill struct {
	Name    string
	Value   string
	Written bool
}

// maxRefills is more than any page of koe's posts: 30 questions, each with up to 50
// options or a text and its name, and a few fields beside them.
const maxRefills = 1600

func refills(typed map[string][]string) []refill {
	var kept []refill
	texts := map[string]bool{}
	for _, name := range typed[TextsField] {
		texts[name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(typed)) {
		key, answer := strings.CutPrefix(name, QuestionField(""))
		if name != StepField && name != ScoreField && name != FormField && name != TextsField && name != RestField && (!answer || !survey.ValidKey(key)) {
			continue
		}
		for _, value := range typed[name] {
			if len(kept) == maxRefills {
				return kept
			}
			written := answer && strings.TrimSpace(value) != "" && (texts[name] || !survey.ValidKey(value))
			kept = append(kept, refill{name, value, written})
		}
	}
	return kept
}

// showable is a posted form as a page can show it: what is no text is marked.
func showable(typed map[string][]string) map[string][]string {
	if typed == nil {
		return nil
	}
	shown := make(map[string][]string, len(typed))
	for name, values := range typed {
		for _, value := range values {
			shown[name] = append(shown[name], strings.ReplaceAll(strings.ToValidUTF8(value, "\ufffd"), "\x00", "\ufffd"))
		}
	}
	return shown
}
