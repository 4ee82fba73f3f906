package api

import (
	"bytes"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"koe/survey"
	"koe/survey/store"
	"koe/templates"
)

// readForm reads a posted form. Its values are as they came: what cannot be
// kept, is given twice where once is meant, or stands on no page of koe's is
// refused later, by name.
func readForm(c echo.Context) (url.Values, error) {
	media, parameters, _ := mime.ParseMediaType(c.Request().Header.Get("Content-Type")) // readBody has checked it
	form, err := url.ParseQuery(string(rawBody(c)))
	if media == mediaParts {
		form, err = readParts(rawBody(c), parameters["boundary"])
	}
	if err != nil {
		return nil, survey.Errorf(survey.Malformed, "", "the form cannot be read")
	}
	return form, nil
}

// readParts reads multipart/form-data, as some mail programs post one click.
func readParts(raw []byte, boundary string) (url.Values, error) {
	form := url.Values{}
	reader := multipart.NewReader(bytes.NewReader(raw), boundary)
	for {
		part, err := reader.NextPart()
		if err == io.EOF { //nolint:errorlint // one that is wrapped means that the form was cut off
			return form, nil
		}
		if err != nil {
			return nil, err
		}
		value, err := io.ReadAll(part)
		if err != nil {
			return nil, err
		}
		form.Add(part.FormName(), string(value))
	}
}

// replyOf turns a form into a reply, its answers in their kept form. What no
// page of this survey could have posted is refused: another question's key, two
// scores, a choice that does not exist. The error names all that is wrong.
func replyOf(o store.Opened, form url.Values) (store.Reply, error) {
	var p survey.Problems
	reply := store.Reply{}
	following := form.Get(templates.StepField) == string(templates.StepQuestions)
	if scores, given := form[templates.ScoreField]; given || !following {
		reply.Score = formScore(&p, o.Template, scores)
	}
	given, answered := formAnswers(&p, o.Template, form)
	answers := o.Template.CheckAnswers(&p, "answers", given)
	if following || answered {
		if restAlone(o, form) {
			for key, said := range o.Response.Answers {
				if _, posted := form[templates.QuestionField(key)]; !posted {
					answers[key] = said
				}
			}
		}
		reply.Answers = answers
		reply.Complete = following && lastQuestions(&p, o, reply, form)
	}
	return reply, p.Err()
}

// restAlone is true where the page showed only the questions that had no answer
// yet, also where more may be changed by now.
func restAlone(o store.Opened, form url.Values) bool {
	return o.Response != nil && (!o.Editable || form.Has(templates.RestField))
}

// lastQuestions is true where the form has asked all that these answers ask for.
// A question that only now fits gets a page of its own; one that was asked, is
// required and blank is a problem.
func lastQuestions(p *survey.Problems, o store.Opened, reply store.Reply, form url.Values) bool {
	last, score := true, 0
	said := reply.Answers
	var saved, stays survey.Answers
	if o.Response != nil {
		score, saved = o.Response.Score, o.Response.Answers
		if restAlone(o, form) {
			stays, said = maps.Clone(saved), maps.Clone(said)
			maps.DeleteFunc(stays, func(key string, _ any) bool { return o.Editable && form.Has(templates.QuestionField(key)) })
			maps.Copy(said, stays)
		}
	}
	if reply.Score != nil {
		score = *reply.Score
	}
	asked := o.Template.Shown(score, saved)
	for _, q := range o.Template.Shown(score, said) {
		given, posted := form[templates.QuestionField(q.Key)]
		switch {
		case stays[q.Key] != nil:
		case !posted && !slices.ContainsFunc(asked, func(a survey.Question) bool { return a.Key == q.Key }):
			last = false
		case q.Required && blank(given) && (o.Editable || o.Unfinished):
			p.Add("answers."+q.Key, "required", "is required")
		}
	}
	return last
}

func blank(given []string) bool {
	return !slices.ContainsFunc(given, func(s string) bool { return strings.TrimSpace(s) != "" })
}

func formScore(p *survey.Problems, t survey.Template, given []string) *int {
	if len(given) == 1 {
		if score, err := strconv.Atoi(given[0]); err == nil && strconv.Itoa(score) == given[0] {
			t.CheckScore(p, survey.ScoreKey, &score)
			return &score
		}
	}
	t.CheckScore(p, survey.ScoreKey, nil)
	return nil
}

// formAnswers reads the fields of the follow-up questions into the types that
// the template takes.
func formAnswers(p *survey.Problems, t survey.Template, form url.Values) (survey.Answers, bool) {
	answers, any := survey.Answers{}, false
	for name, given := range form {
		key, is := strings.CutPrefix(name, templates.QuestionField(""))
		if !is {
			continue
		}
		any = true
		i := slices.IndexFunc(t.Questions, func(q survey.Question) bool { return q.Key == key && q.Type != survey.ScoreQuestion })
		if i < 0 {
			p.Add("answers."+key, "unknown", "is not a question of this survey")
			continue
		}
		if v := formAnswer(p, t.Questions[i], given); v != nil {
			answers[key] = v
		}
	}
	return answers, any
}

func formAnswer(p *survey.Problems, q survey.Question, given []string) any {
	if q.Type == survey.ChoiceQuestion && q.Multiple {
		return slices.DeleteFunc(slices.Clone(given), func(s string) bool { return s == "" })
	}
	if len(given) != 1 {
		p.Add("answers."+q.Key, "too_many", "takes one answer")
		return nil
	}
	if given[0] == "" {
		return nil
	}
	switch q.Type {
	case survey.RatingQuestion:
		n, err := strconv.Atoi(given[0])
		if err != nil {
			p.Add("answers."+q.Key, "type", "must be a whole number")
			return nil
		}
		return n
	case survey.ConsentQuestion:
		if given[0] != "yes" && given[0] != "no" {
			p.Add("answers."+q.Key, "type", "must be yes or no")
			return nil
		}
		return given[0] == "yes"
	}
	return given[0]
}
