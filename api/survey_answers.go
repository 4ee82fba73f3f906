package api

import (
	"github.com/labstack/echo/v4"

	"koe/scoring"
	"koe/survey/report"
	"koe/survey/store"
)

// showSurveyAnswers is what the answers to every further question come to.
func (a *api) showSurveyAnswers(c echo.Context) error {
	ref, err := surveyParam(c)
	if err != nil {
		return err
	}
	media, err := reportMedia(c, mediaJSON, mediaCSV)
	if err != nil {
		return err
	}
	filter, err := scoreFilter(queryOf(c))
	if err != nil {
		return err
	}
	f, err := a.frame(c)
	if err != nil {
		return err
	}
	counted, err := a.Store.Answers(c.Request().Context(), caller(c), ref, filter, f.Span)
	if err != nil {
		return err
	}
	in := report.CountedAnswers{SurveyID: counted.Survey.String(), Timezone: f.zone.String(), Source: counted.Source, Rebuilding: counted.Rebuilding,
		Notes: counted.Notes, From: f.From, To: f.To, Level: f.level, Cells: counted.Responses}
	for _, q := range counted.Questions {
		in.Questions = append(in.Questions, questionOf(q, counted.DefaultLocale))
	}
	r, err := report.NewAnswers(in)
	if err != nil {
		return err
	}
	return sendReport(c, media, "answers", r)
}

func questionOf(q store.QuestionCount, locale string) report.CountedQuestion {
	words, _ := q.Question.Text.In(locale, locale)
	out := report.CountedQuestion{Question: q.Question, Text: words, Answered: countOf(q.Answered)}
	for _, v := range q.Values {
		out.Values = append(out.Values, report.CountedGroup{Key: v.Key, Cells: v.Cells})
	}
	return out
}

// countOf is how many answers cells have.
func countOf(cells []scoring.Cell) (n int64) {
	for _, cell := range cells {
		n += cell.Histogram.N()
	}
	return n
}
