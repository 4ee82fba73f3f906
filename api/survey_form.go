package api

import (
	"bytes"
	"io"
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

// readForm reads a posted form. Fields that are given twice where once is
// meant, or that no page of koe shows, are refused later, by name.
func readForm(c echo.Context) (url.Values, error) {
	media, parameters, _ := mime.ParseMediaType(c.Request().Header.Get("Content-Type")) // readBody has checked it
	form, err := url.ParseQuery(string(rawBody(c)))
	if media == mediaParts {
		form, err = readParts(rawBody(c), parameters["boundary"])
	}
	if err != nil {
		return nil, survey.Errorf(survey.Malformed, "", "the form cannot be read")
	}
	for name, values := range form {
		for i, v := range values {
			clean, err := survey.Clean(v)
			if err != nil {
				return nil, survey.Errorf(survey.Malformed, "", "the form field %.80q %s", name, err)
			}
			form[name][i] = clean
		}
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

// replyOf turns a form into a reply. What no page of this survey could have
// posted is refused: another question's key, two scores, a choice that does
// not exist.
func replyOf(o store.Opened, form url.Values) (store.Reply, error) {
	var p survey.Problems
	reply := store.Reply{}
	if scores, given := form[templates.ScoreField]; given {
		reply.Score = formScore(&p, o.Template, scores)
	}
	following := form.Get(templates.StepField) == string(templates.StepQuestions)
	if _, given := form[templates.ScoreField]; !following && !given {
		o.Template.CheckScore(&p, survey.ScoreKey, nil)
	}
	score := 0
	if reply.Score != nil {
		score = *reply.Score
	} else if o.Response != nil {
		score = o.Response.Score
	}
	answers, answered := formAnswers(&p, o.Template, form)
	if following || answered {
		reply.Answers = answers
		reply.Complete = following
	}
	if following {
		for _, q := range o.Template.Shown(score, o.Template.CheckAnswers(&survey.Problems{}, "answers", answers)) {
			if q.Required && answers[q.Key] == nil {
				p.Add("answers."+q.Key, "required", "is required")
			}
		}
	}
	return reply, p.Err()
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
		return given[0] == "yes"
	}
	return given[0]
}
