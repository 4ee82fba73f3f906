package api

import (
	"github.com/labstack/echo/v4"

	"koe/survey"
	"koe/survey/shown"
	"koe/survey/store"
)

// surveyRequest is what may be said of a survey; the rest is koe's.
type surveyRequest struct {
	Key        string         `json:"key,omitempty"`
	Name       string         `json:"name"`
	Template   string         `json:"template"`
	Touchpoint string         `json:"touchpoint"`
	Channel    survey.Channel `json:"channel"`
	Trigger    survey.Trigger `json:"trigger"`
	Rules      survey.Rules   `json:"rules"`
	Segments   []string       `json:"segments"`
}

func requestOf(s survey.Survey) surveyRequest {
	return surveyRequest{s.Key, s.Name, s.Template, s.Touchpoint, s.Channel, s.Trigger, s.Rules, s.Segments}
}

func (r surveyRequest) over(s survey.Survey) survey.Survey {
	s.Key, s.Name, s.Template, s.Touchpoint = r.Key, r.Name, r.Template, r.Touchpoint
	s.Channel, s.Trigger, s.Rules, s.Segments = r.Channel, r.Trigger, r.Rules, r.Segments
	return s
}

// surveyResponse is a survey as it is answered: with a key, or null.
type surveyResponse struct {
	ID  survey.ID `json:"id"`
	Key *string   `json:"key"`
	survey.Survey
}

func surveyOf(s survey.Survey) surveyResponse { return surveyResponse{s.ID, shown.OrNull(s.Key), s} }

func surveyAnswer(s survey.Survey) (any, string) { return surveyOf(s), etag(s.Revision) }

func (a *api) createSurvey(c echo.Context) error {
	var in surveyRequest
	if err := bind(c, &in); err != nil {
		return err
	}
	ctx := c.Request().Context()
	return a.once(c, func(by store.Caller) (answer, error) {
		s, err := a.Store.CreateSurvey(ctx, by, in.over(survey.Survey{}))
		return created(surveyAnswer(s)), err
	}, func(by store.Caller, ref string) (answer, error) {
		s, err := a.Store.Survey(ctx, by, ref)
		return created(surveyAnswer(s)), err
	})
}

func (a *api) listSurveys(c echo.Context) error {
	q := queryOf(c)
	page, err := q.page()
	if err != nil {
		return err
	}
	filter := store.SurveyFilter{State: survey.State(q["state"]), Touchpoint: q["touchpoint"], Template: q["template"]}
	items, next, err := a.Store.Surveys(c.Request().Context(), caller(c), filter, page)
	if err != nil {
		return err
	}
	out := make([]surveyResponse, len(items))
	for i, s := range items {
		out[i] = surveyOf(s)
	}
	return send(c, listed(out, next))
}

func (a *api) showSurvey(c echo.Context) error {
	ref, err := surveyParam(c)
	if err != nil {
		return err
	}
	s, err := a.Store.Survey(c.Request().Context(), caller(c), ref)
	return reply(c, okay(surveyAnswer(s)), err)
}

func (a *api) putSurvey(c echo.Context) error {
	var in surveyRequest
	if err := bind(c, &in); err != nil {
		return err
	}
	var err error
	if in.Key, err = keyInPath(c, "id", in.Key); err != nil {
		return err
	}
	ctx, by := c.Request().Context(), caller(c)
	match, err := matching(c, func() error {
		_, err := a.Store.Survey(ctx, by, in.Key)
		return err
	})
	if err != nil {
		return err
	}
	s, fresh, err := a.Store.PutSurvey(ctx, by, in.over(survey.Survey{}), match)
	body, tag := surveyAnswer(s)
	return reply(c, createdOr(fresh, body, tag), err)
}

func (a *api) patchSurvey(c echo.Context) error {
	ref, err := surveyParam(c)
	if err != nil {
		return err
	}
	match, err := existing(c)
	if err != nil {
		return err
	}
	s, err := a.Store.PatchSurvey(c.Request().Context(), caller(c), ref, match, func(s survey.Survey) (survey.Survey, error) {
		var in surveyRequest
		err := mergePatch(requestOf(s), rawBody(c), &in)
		return in.over(s), err
	})
	return reply(c, okay(surveyAnswer(s)), err)
}

func (a *api) activateSurvey(c echo.Context) error { return a.setSurveyState(c, survey.Active) }
func (a *api) pauseSurvey(c echo.Context) error    { return a.setSurveyState(c, survey.Paused) }
func (a *api) archiveSurvey(c echo.Context) error  { return a.setSurveyState(c, survey.Archived) }

func (a *api) setSurveyState(c echo.Context, to survey.State) error {
	ref, err := surveyParam(c)
	if err != nil {
		return err
	}
	match, err := existing(c)
	if err != nil {
		return err
	}
	if err := bindNothing(c); err != nil {
		return err
	}
	ctx := c.Request().Context()
	return a.once(c, func(by store.Caller) (answer, error) {
		s, err := a.Store.SetSurveyState(ctx, by, ref, to, match)
		return okay(surveyAnswer(s)), err
	}, func(by store.Caller, _ string) (answer, error) {
		s, err := a.Store.Survey(ctx, by, ref)
		return okay(surveyAnswer(s)), err
	})
}
