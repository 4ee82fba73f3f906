package survey

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// walkTemplate has a question of every type; later ones look at earlier ones.
func walkTemplate(t *testing.T) Template {
	t.Helper()
	en := func(s string) Text { return Text{"en": s} }
	options := func(keys ...string) (list []Option) {
		for _, key := range keys {
			list = append(list, Option{key, en(key)})
		}
		return list
	}
	template := Template{Key: "walk", Name: "Walk", Metric: "nps", DefaultLocale: "en", Questions: []Question{
		{Key: "praise", Type: TextQuestion, Text: en("?"), ShowIf: When{"score": {Min: pointer(9)}}}, // before the score, and still after it
		{Key: "score", Type: ScoreQuestion, Text: en("?")},
		{Key: "reason", Type: TextQuestion, Text: en("?"), MaxLength: new(10), ShowIf: When{"score": {Max: pointer(8)}}},
		{Key: "topic", Type: ChoiceQuestion, Text: en("?"), Multiple: true, Options: options("speed", "price", "other"), ShowIf: When{"score": {Max: pointer(6)}}},
		{Key: "which", Type: TextQuestion, Text: en("?"), ShowIf: When{"topic": {In: []string{"other"}}}},
		{Key: "plan", Type: ChoiceQuestion, Text: en("?"), Options: options("free", "pro")},
		{Key: "ease", Type: RatingQuestion, Text: en("?"), Scale: &Scale{1, 5}, ShowIf: When{"plan": {In: []string{"pro"}}, "score": {Min: pointer(3), Max: pointer(9)}}},
		{Key: "contact", Type: ConsentQuestion, Text: en("?"), ShowIf: When{"ease": {Max: pointer(2)}}},
	}, ThankYou: []ThankYou{
		{When: When{"score": {Min: pointer(9)}}, Text: en("promoter")},
		{When: When{"topic": {In: []string{"price", "speed"}}}, Text: en("topic")},
		{When: When{"ease": {Max: pointer(2)}}, Text: en("hard")},
	}}
	if err := template.Clean(); err != nil {
		t.Fatal(err)
	}
	return template
}

func TestShownAndThanks(t *testing.T) {
	template := walkTemplate(t)
	for _, test := range []struct {
		name    string
		score   int
		answers Answers
		shown   string
		thanks  string
		comment string
	}{
		{"promoter", 10, nil, "praise plan", "promoter", ""},
		{"at 9", 9, Answers{"praise": "good", "reason": "hidden"}, "praise plan", "promoter", "good"},
		{"at 8", 8, Answers{"praise": "hidden", "reason": "slow"}, "reason plan", "", "slow"},
		{"at 6", 6, nil, "reason topic plan", "", ""},
		{"one of several", 6, Answers{"topic": []string{"speed"}}, "reason topic plan", "topic", ""},
		{"two of several", 6, Answers{"topic": []string{"other", "price"}, "which": "the app"}, "reason topic which plan", "topic", ""},
		{"only the first text is the comment", 6, Answers{"topic": []string{"other"}, "which": "the app", "reason": "slow"}, "reason topic which plan", "", "slow"},
		{"another option", 8, Answers{"plan": "free"}, "reason plan", "", ""},
		{"two conditions", 8, Answers{"plan": "pro"}, "reason plan ease", "", ""},
		{"one of two conditions", 2, Answers{"plan": "pro"}, "reason topic plan", "", ""},
		{"at an end of both", 9, Answers{"plan": "pro"}, "praise plan ease", "promoter", ""},
		{"rated high", 8, Answers{"plan": "pro", "ease": 3}, "reason plan ease", "", ""},
		{"rated low", 8, Answers{"plan": "pro", "ease": 2}, "reason plan ease contact", "hard", ""},
		{"what is hidden hides what looks at it", 8, Answers{"plan": "free", "ease": 1, "contact": true}, "reason plan", "", ""},
		{"an answer to what is not shown any more", 8, Answers{"topic": []string{"other", "price"}}, "reason plan", "", ""},
		{"of another kind", 6, Answers{"topic": 5, "plan": true}, "reason topic plan", "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			var keys []string
			for _, q := range template.Shown(test.score, test.answers) {
				keys = append(keys, q.Key)
			}
			if got := strings.Join(keys, " "); got != test.shown {
				t.Errorf("shows %s, want %s", got, test.shown)
			}
			thanks := ""
			if thank := template.Thanks(test.score, test.answers); thank != nil {
				thanks = thank.Text["en"]
			}
			if thanks != test.thanks {
				t.Errorf("thanks with %q, want %q", thanks, test.thanks)
			}
			if got := template.Comment(test.score, test.answers); got != test.comment {
				t.Errorf("comment %q, want %q", got, test.comment)
			}
		})
	}
}

func TestCheckAnswers(t *testing.T) {
	template := walkTemplate(t)
	for name, test := range map[string]struct {
		raw  Answers
		want Answers
		code string // instead of want: the problem
	}{
		"none":                     {nil, Answers{}, ""},
		"nothing said":             {Answers{"reason": nil, "topic": nil, "ease": nil, "contact": nil}, Answers{}, ""},
		"a text":                   {Answers{"reason": "  か\u3099\r\nb "}, Answers{"reason": "が\nb"}, ""},
		"a blank text":             {Answers{"reason": " \n\u3000"}, Answers{}, ""},
		"the longest text":         {Answers{"reason": strings.Repeat("👍", 10)}, Answers{"reason": strings.Repeat("👍", 10)}, ""},
		"blanks do not count":      {Answers{"reason": "   " + strings.Repeat("x", 10) + "   "}, Answers{"reason": strings.Repeat("x", 10)}, ""},
		"long text":                {Answers{"reason": strings.Repeat("x", 11)}, nil, "answers.reason too_long"},
		"text's number":            {Answers{"reason": 5.0}, nil, "answers.reason type"},
		"text's NUL":               {Answers{"reason": "a\x00"}, nil, "answers.reason format"},
		"text's bytes":             {Answers{"reason": "a\xed\xa0\x80"}, nil, "answers.reason format"},
		"several":                  {Answers{"topic": []any{"price", "speed"}}, Answers{"topic": []string{"price", "speed"}}, ""},
		"several of a page":        {Answers{"topic": []string{"price"}}, Answers{"topic": []string{"price"}}, ""},
		"one of several":           {Answers{"topic": "price"}, Answers{"topic": []string{"price"}}, ""},
		"none of several":          {Answers{"topic": []any{}}, Answers{}, ""},
		"the same twice":           {Answers{"topic": []any{"price", "price"}}, Answers{"topic": []string{"price"}}, ""},
		"no option":                {Answers{"topic": []any{"price", "moon"}}, nil, "answers.topic unknown"},
		"an option's number":       {Answers{"topic": []any{"price", 1.0}}, nil, "answers.topic type"},
		"a choice's number":        {Answers{"topic": 1.0}, nil, "answers.topic type"},
		"a choice's object":        {Answers{"topic": map[string]any{"a": "b"}}, nil, "answers.topic type"},
		"an empty key":             {Answers{"plan": ""}, nil, "answers.plan unknown"},
		"one":                      {Answers{"plan": "pro"}, Answers{"plan": "pro"}, ""},
		"one in a list":            {Answers{"plan": []any{"pro"}}, Answers{"plan": "pro"}, ""},
		"two of one":               {Answers{"plan": []any{"pro", "free"}}, nil, "answers.plan too_many"},
		"rating":                   {Answers{"ease": 5.0}, Answers{"ease": 5}, ""},
		"rating of a page":         {Answers{"ease": 1}, Answers{"ease": 1}, ""},
		"rating too high":          {Answers{"ease": 6.0}, nil, "answers.ease range"},
		"rating too low":           {Answers{"ease": 0.0}, nil, "answers.ease range"},
		"half a point":             {Answers{"ease": 2.5}, nil, "answers.ease range"},
		"rating's text":            {Answers{"ease": "3"}, nil, "answers.ease range"},
		"rating's overflow":        {Answers{"ease": 1e300}, nil, "answers.ease range"},
		"rating of no number":      {Answers{"ease": math.NaN()}, nil, "answers.ease range"},
		"rating beyond all":        {Answers{"ease": math.Inf(1)}, nil, "answers.ease range"},
		"consent":                  {Answers{"contact": true}, Answers{"contact": true}, ""},
		"no consent":               {Answers{"contact": false}, Answers{"contact": false}, ""},
		"consent's text":           {Answers{"contact": "yes"}, nil, "answers.contact type"},
		"score among the answers":  {Answers{"score": 9.0}, nil, "answers.score unknown"},
		"what nobody asked":        {Answers{"moon": "x"}, nil, "answers.moon unknown"},
		"what nobody asked, blank": {Answers{"moon": nil}, nil, "answers.moon unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			var p Problems
			got := template.CheckAnswers(&p, "answers", test.raw)
			if test.code != "" {
				wantCodes(t, p.Err(), test.code)
				return
			}
			wantCodes(t, p.Err())
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			var again Problems
			if twice := template.CheckAnswers(&again, "answers", got); again.Err() != nil || !cmp.Equal(got, twice) {
				t.Errorf("checked twice: %v, %v", twice, again.Err())
			}
		})
	}
	var p Problems
	template.CheckAnswers(&p, "answers", Answers{"moon": 1, "ease": 9, "plan": 1})
	wantCodes(t, p.Err(), "answers.moon unknown", "answers.ease range", "answers.plan type")
}

func TestCheckScore(t *testing.T) {
	template := walkTemplate(t)
	for score := -1; score <= 11; score++ {
		var p Problems
		template.CheckScore(&p, "score", &score)
		if wrong := p.Err() != nil; wrong != (score < 0 || score > 10) {
			t.Errorf("%d: %v", score, p.Err())
		}
	}
	var p Problems
	template.CheckScore(&p, "score", nil)
	wantCodes(t, p.Err(), "score required")
}

func TestShowIfLooksAtTheScoreFromAnywhere(t *testing.T) {
	template := walkTemplate(t)
	first := template.Questions[0]
	if first.Key != "praise" || slices.IndexFunc(template.Questions, func(q Question) bool { return q.Type == ScoreQuestion }) == 0 {
		t.Fatal("the score is asked first in this template: the test says nothing")
	}
	if !slices.ContainsFunc(template.Shown(9, nil), func(q Question) bool { return q.Key == "praise" }) {
		t.Error("a question before the score cannot look at it")
	}
}
