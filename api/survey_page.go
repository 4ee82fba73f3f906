package api

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"github.com/labstack/echo/v4"

	"koe/survey"
	"koe/survey/store"
	"koe/templates"
)

// showSurveyPage shows the survey behind a link: the score question, the
// follow-ups once there is a score, or thanks. It records no answer, whoever
// asks and however often: mail scanners open every link.
func (a *api) showSurveyPage(c echo.Context) error {
	opened, err := a.Store.Open(c.Request().Context(), param(c, "token"))
	if err != nil {
		return a.pageError(c, opened, nil, err)
	}
	a.noteOpened(c, opened)
	p := a.surveyPage(c, opened)
	p.Step, p.Preselected = stepOf(opened, c.QueryParams())
	return a.respondentPage(c, http.StatusOK, p)
}

// stepOf is the page that an address leads to, and the score that it chooses.
func stepOf(o store.Opened, values url.Values) (templates.Step, *int) {
	switch {
	case o.Response == nil,
		o.Editable && (values.Get("edit") == "1" || differs(o, values.Get("score"))):
		return templates.StepScore, chosenScore(o.Template, values.Get("score"))
	case o.Response.Complete, !asks(o):
		return templates.StepThanks, nil
	}
	return templates.StepQuestions, nil
}

// nextStep is the page after a reply.
func nextStep(after store.Opened, reply store.Reply) templates.Step {
	complete := after.Response.Complete && (reply.Complete || len(after.Template.Shown(after.Response.Score, after.Response.Answers)) == 0)
	if complete || !asks(after) {
		return templates.StepThanks
	}
	return templates.StepQuestions
}

// asks is true where questions may still be answered: all of them while the
// answer may be changed, then those that have no answer yet.
func asks(o store.Opened) bool {
	return o.Editable || o.Unfinished && len(o.Template.Waiting(o.Response.Score, o.Response.Answers)) > 0
}

// noteOpened notes for the rates that somebody who clicked opened the page: a
// browser says so of a navigation by a person's hand, scanners seldom do. It is
// a best effort: where it cannot be written the page is shown all the same.
func (a *api) noteOpened(c echo.Context, opened store.Opened) {
	header := c.Request().Header
	if opened.Invitation.OpenedAt != nil || c.Request().Method != http.MethodGet ||
		header.Get("Sec-Fetch-User") != "?1" || header.Get("Sec-Fetch-Mode") != "navigate" ||
		header.Get("Sec-Purpose") != "" || header.Get("Purpose") != "" { // fetched in advance
		return
	}
	if err := a.Store.NoteOpened(c.Request().Context(), param(c, "token")); err != nil {
		a.Log.Warn("an opened page was not noted", "error", err)
	}
}

// chosenScore is the score that a link names; nil for one that is off the
// scale.
func chosenScore(t survey.Template, raw string) *int {
	score, err := strconv.Atoi(raw)
	if err != nil || !t.Measure().Contains(score) || strconv.Itoa(score) != raw {
		return nil
	}
	return &score
}

// differs is true where somebody who answered comes back by another button of
// the mail.
func differs(o store.Opened, raw string) bool {
	score := chosenScore(o.Template, raw)
	return score != nil && *score != o.Response.Score
}

// surveyPage is what every step of a survey shows.
func (a *api) surveyPage(c echo.Context, o store.Opened) templates.SurveyPage {
	p := templates.SurveyPage{Template: o.Template, Version: o.Invitation.TemplateVersion, Workspace: o.Workspace, Name: o.Invitation.Name,
		Locale: a.locale(c, o), Attributes: o.Invitation.Attributes, Touchpoint: o.Touchpoint,
		OccurredAt: o.OccurredAt, Timezone: o.Invitation.Timezone, Named: o.Named, Editable: o.Editable}
	if o.Response != nil {
		p.Score, p.Answers = &o.Response.Score, o.Response.Answers
	}
	return p
}

// locale is the language that a respondent reads: what the link says, the
// customer's own, the browser's, the template's default.
func (a *api) locale(c echo.Context, o store.Opened) string {
	return a.Words.SurveyLocale(o.Template, c.QueryParam("lang"), o.Invitation.Locale,
		c.Request().Header.Get("Accept-Language"))
}

// answerSurveyPage keeps what was posted: the score at once, then the
// follow-ups. A browser gets the next page in the same answer.
func (a *api) answerSurveyPage(c echo.Context) error {
	token := param(c, "token")
	form, err := readForm(c)
	if err != nil {
		return err
	}
	if err := a.limits.token(token); err != nil {
		return a.pageError(c, store.Opened{}, form, err)
	}
	ctx := c.Request().Context()
	var reply store.Reply
	after, err := a.Store.Answer(ctx, token, func(o store.Opened) (store.Reply, error) {
		var bad error
		reply, bad = replyOf(o, form)
		reply.Locale = a.locale(c, o)
		return reply, bad
	})
	if err != nil {
		if after.Template.Key == "" { // nothing can be written, but perhaps read: the form is shown again
			if opened, none := a.Store.Open(ctx, token); none == nil {
				after = opened
			}
		}
		return a.pageError(c, after, form, err)
	}
	p := a.surveyPage(c, after)
	p.Step = nextStep(after, reply)
	return a.respondentPage(c, http.StatusOK, p)
}

func (a *api) respondentPage(c echo.Context, status int, p templates.SurveyPage) error {
	p.Path = a.path
	return showPage(c, status, a.respondentPolicy(c), func(out io.Writer) error { return a.Words.SurveyPage(out, p) })
}

// pageError shows an error as a page: for somebody who answers, a problem in
// JSON is none. What was typed is kept where the form was read. An error that
// is none of survey's, and one of koe's own after it was shown, is returned.
func (a *api) pageError(c echo.Context, o store.Opened, typed url.Values, err error) error {
	var known *survey.Error
	if !errors.As(err, &known) {
		return err
	}
	return a.problemPage(c, a.surveyPage(c, o), o, typed, known)
}

// problemPage is pageError for a page that is begun.
func (a *api) problemPage(c echo.Context, p templates.SurveyPage, o store.Opened, typed url.Values, known *survey.Error) (err error) {
	p.Locale = a.Words.Locale(c.QueryParam("lang"), p.Locale, c.Request().Header.Get("Accept-Language"))
	if o.Template.Key != "" {
		p.Locale = a.locale(c, o)
	}
	p.Typed = typed
	switch known.Kind {
	case survey.NotFound:
		p.Step = templates.StepUnknown
	case survey.Gone:
		p.Step = templates.StepExpired
	case survey.Conflict:
		p.Step, p.Typed = templates.StepClosed, nil
		if o.Response == nil && o.Survey.State == survey.Paused {
			p.Step = templates.StepPaused
		}
	case survey.TooMany:
		p.Step = templates.StepTooMany
	case survey.TooLarge:
		p.Step = templates.StepTooLong
	case survey.Malformed, survey.WrongMedia:
		p.Step = templates.StepUnread
	case survey.Invalid:
		p.Step = templates.StepScore
		if o.Response != nil && typed.Get(templates.StepField) == string(templates.StepQuestions) {
			p.Step = templates.StepQuestions
		}
		if p.Errors, err = a.Words.FormErrors(o.Template, p.Locale, known); err != nil {
			return err
		}
	default:
		p.Step = templates.StepUnavailable
	}
	retryAfter(c, known)
	code, _ := status(known.Kind)
	if shown := a.respondentPage(c, code, p); shown != nil || code < http.StatusInternalServerError {
		return shown
	}
	return known // the log wants to know
}
