package api

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"koe/scoring"
	"koe/survey"
	"koe/survey/shown"
	"koe/survey/store"
)

// point is a point of a scale. As in JSON Schema 9.0 is a whole number, the
// same as 9; 6.5 and "9" are none.
type point int

func (p *point) UnmarshalJSON(raw []byte) error {
	n, err := strconv.ParseFloat(string(raw), 64)
	switch {
	case err != nil:
		return err
	case n != math.Trunc(n):
		return errors.New("not whole")
	case math.Abs(n) > math.MaxInt32:
		return strconv.ErrRange
	}
	*p = point(n)
	return nil
}

type responseRequest struct {
	SurveyID    string            `json:"survey_id"`
	Score       *point            `json:"score"`
	Answers     survey.Answers    `json:"answers"`
	Comment     string            `json:"comment"`
	Customer    survey.Customer   `json:"customer"`
	Attributes  survey.Attributes `json:"attributes"`
	Locale      string            `json:"locale"`
	Channel     string            `json:"channel"`
	RespondedAt *survey.Instant   `json:"responded_at"`
	ExternalID  string            `json:"external_id"`
}

type responseResponse struct {
	shown.Response
	Events []store.Event `json:"events,omitempty"`
}

func responseOf(r survey.Response) responseResponse {
	return responseResponse{Response: shown.NewResponse(r)}
}

// createResponse keeps an answer that was taken elsewhere: 201, or 200 with
// the first one where its external id was kept before.
func (a *api) createResponse(c echo.Context) error {
	var in responseRequest
	if err := bind(c, &in); err != nil {
		return err
	}
	return a.once(c, func(by store.Caller) (answer, error) {
		r, repeat, err := a.Store.CreateResponse(c.Request().Context(), by, store.NewResponse{Survey: in.SurveyID,
			Score: (*int)(in.Score), Answers: in.Answers, Comment: in.Comment, Customer: in.Customer, Attributes: in.Attributes,
			Locale: in.Locale, Channel: in.Channel, RespondedAt: in.RespondedAt, ExternalID: in.ExternalID})
		if err != nil {
			return answer{}, err
		}
		return createdOr(!repeat, responseOf(r), ""), nil
	}, func(by store.Caller, resource string) (answer, error) {
		text, repeat := strings.CutPrefix(resource, "repeat ")
		id, err := survey.ParseID(text)
		if err != nil {
			return answer{}, err
		}
		r, _, err := a.Store.Response(c.Request().Context(), by, id)
		return createdOr(!repeat, responseOf(r), ""), err
	})
}

func (a *api) showResponse(c echo.Context) error {
	id, err := idParam(c, "response")
	if err != nil {
		return err
	}
	r, events, err := a.Store.Response(c.Request().Context(), caller(c), id)
	return reply(c, responseWith(r, events), err)
}

// responseWith is one response with everything that was changed of it.
func responseWith(r survey.Response, events []store.Event) answer {
	shown := responseOf(r)
	shown.Events = events
	return okay(shown, "")
}

// responsePatch is what an editor may change of a response.
type responsePatch struct {
	Score   *point         `json:"score"`
	Answers survey.Answers `json:"answers"`
	Tags    []string       `json:"tags"`

	Excluded bool `json:"excluded"`
}

func (a *api) patchResponse(c echo.Context) error {
	id, err := idParam(c, "response")
	if err != nil {
		return err
	}
	r, events, err := a.Store.ChangeResponse(c.Request().Context(), caller(c), id, func(v *store.ResponseChange) error {
		var wanted responsePatch
		if err := mergePatch(responsePatch{(*point)(v.Score), v.Answers, v.Tags, v.Excluded}, rawBody(c), &wanted); err != nil {
			return err
		}
		v.Score, v.Answers, v.Tags, v.Excluded = (*int)(wanted.Score), wanted.Answers, wanted.Tags, wanted.Excluded
		return nil
	})
	return reply(c, responseWith(r, events), err)
}

func (a *api) deleteResponse(c echo.Context) error {
	id, err := idParam(c, "response")
	if err != nil {
		return err
	}
	return reply(c, gone(), a.Store.DeleteResponse(c.Request().Context(), caller(c), id))
}

func (a *api) listResponses(c echo.Context) error {
	q := queryOf(c)
	page, err := q.page()
	if err != nil {
		return err
	}
	f, err := a.responseFilter(c, q)
	if err != nil {
		return err
	}
	list, next, err := a.Store.Responses(c.Request().Context(), caller(c), f, page)
	if err != nil {
		return err
	}
	out := make([]responseResponse, len(list))
	for i, r := range list {
		out[i] = responseOf(r)
	}
	return send(c, listed(out, next))
}

func (a *api) responseFilter(c echo.Context, q query) (f store.ResponseFilter, err error) {
	f = store.ResponseFilter{Survey: q["survey"], Touchpoint: q["touchpoint"], Tag: strings.TrimSpace(q["tag"]), Q: q["q"]}
	metric, err := q.oneOf("metric", "nps", "csat", "ces")
	if err != nil {
		return f, err
	}
	f.Metric = scoring.Metric(metric)
	if f.ScoreMin, err = q.whole("score_min", 0, 10); err != nil {
		return f, err
	}
	if f.ScoreMax, err = q.whole("score_max", 0, 10); err != nil {
		return f, err
	}
	said, err := q.oneOf("has_comment", "true", "false")
	if err != nil {
		return f, err
	}
	if said != "" {
		with := said == "true"
		f.HasComment = &with
	}
	if said, err = q.oneOf("excluded", "true", "false"); err != nil {
		return f, err
	}
	if said != "" {
		left := said == "true"
		f.Excluded = &left
	}
	var p survey.Problems
	survey.Prose(&p, "q", f.Q, 200)
	survey.Prose(&p, "tag", f.Tag, 200)
	f.Attributes = q.attributes(&p)
	if said, is := q["locale"]; is {
		if f.Locale, err = survey.ParseLocale(said); err != nil {
			p.Add("locale", "format", "%s", err)
		}
	}
	if f.FollowUp, err = q.oneOf("follow_up", store.Unresolved, "open", "in_progress", "resolved", store.NoFollowUp); err != nil {
		return f, err
	}
	if err := p.Err(); err != nil {
		return f, err
	}
	zone, err := a.zone(c)
	if err != nil {
		return f, err
	}
	f.From, f.To, err = q.span(zone)
	return f, err
}

// zone is the time zone in which a request's days are read: the one that it
// names, else the workspace's.
func (a *api) zone(c echo.Context) (*time.Location, error) {
	name := queryOf(c)["timezone"]
	if name == "" {
		w, err := a.Store.Workspace(c.Request().Context(), caller(c))
		if err != nil {
			return nil, err
		}
		name = w.Timezone
	}
	zone, err := survey.LoadZone(name)
	if err != nil {
		return nil, survey.Errorf(survey.Invalid, "timezone", "%s", err)
	}
	return zone, nil
}
