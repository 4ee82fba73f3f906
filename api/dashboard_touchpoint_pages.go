package api

import (
	"io"
	"net/http"

	"github.com/labstack/echo/v4"

	"koe/survey"
	"koe/survey/store"
	"koe/templates"
	"koe/templates/chart"
)

// touchpointQuery are the parameters of a touchpoint's page. A form sends what is
// not filled in as an empty value.
const touchpointQuery = "from? until? compare? interval? metric? segment? volume_per_day? leave_rate? width?"

// touchpointRoutes are a touchpoint's page and what it consists of.
func touchpointRoutes() []Route {
	const page = "/dashboard/touchpoints/{key}"
	return []Route{
		{"showTouchpointPage", get, page, Public, noBody, "", signedIn(Readers, touchpointQuery+" format", (*api).showTouchpointPage)},
		{"showTouchpointTrend", get, page + "/scores.svg", Public, noBody, "", signedIn(Readers, touchpointQuery, (*api).showTouchpointTrend)},
		{"showTouchpointDistribution", get, page + "/distribution.svg", Public, noBody, "", signedIn(Readers, touchpointQuery, (*api).showTouchpointDistribution)},
		{"addTouchpointNote", post, page + "/notes", Public, formBody, "", signedIn(Editors, touchpointQuery, (*api).addTouchpointNote)},
		{"deleteTouchpointNote", post, page + "/notes/{id}/delete", Public, formBody, "", signedIn(Editors, touchpointQuery, (*api).deleteTouchpointNote)},
	}
}

// showTouchpointPage is the page, or its report as a CSV file.
func (a *api) showTouchpointPage(c echo.Context, v visit) error {
	ctx := c.Request().Context()
	t, err := a.askedOfTouchpoint(c, v)
	if err != nil {
		return err
	}
	format, err := t.query.oneOf("format", "csv")
	if err != nil {
		return err
	}
	if format == "csv" && t.measured() {
		r, err := a.touchpointReport(ctx, v.by, t)
		if err != nil {
			return err
		}
		return sendReport(c, mediaCSV, t.touchpoint.Key, r)
	}
	p, err := a.touchpointPage(ctx, v, t)
	if err != nil {
		return err
	}
	return a.sendTouchpointPage(c, http.StatusOK, p)
}

func (a *api) sendTouchpointPage(c echo.Context, status int, p templates.TouchpointPage) error {
	return showPage(c, status, pagePolicy, func(out io.Writer) error { return a.Words.TouchpointPage(out, a.dashboard(c), p) })
}

// showTouchpointTrend is the page's chart: the drawing of GET /v1/scores.
func (a *api) showTouchpointTrend(c echo.Context, v visit) error {
	t, err := a.askedOfTouchpoint(c, v)
	if err != nil {
		return err
	}
	l := chart.Line{Language: t.lang, Title: t.touchpoint.Name, Every: t.frame.interval, Level: t.frame.level}
	if t.measured() {
		r, err := a.scores(c.Request().Context(), v.by, store.ScoreQuery{ScoreFilter: t.filter}, t.frame)
		if err != nil {
			return err
		}
		if l, err = a.lineOf(c.Request().Context(), v.by, r, t.filter, t.frame); err != nil {
			return err
		}
	}
	targets, err := a.touchpointTargets(c.Request().Context(), v.by, t)
	if err != nil {
		return err
	}
	l.Language, l.Target = t.lang, t.goal(targets)
	if l.Width, err = t.width(); err != nil {
		return err
	}
	return sendDrawing(c, l.SVG())
}

func (a *api) showTouchpointDistribution(c echo.Context, v visit) error {
	t, err := a.askedOfTouchpoint(c, v)
	if err != nil {
		return err
	}
	d := chart.Distribution{Language: t.lang, Title: t.touchpoint.Name}
	if t.measured() {
		whole := t.frame
		whole.interval, whole.before = "", nil
		r, err := a.scores(c.Request().Context(), v.by, store.ScoreQuery{ScoreFilter: t.filter}, whole)
		if err != nil {
			return err
		}
		d = t.distribution(r)
	}
	if d.Width, err = t.width(); err != nil {
		return err
	}
	return sendDrawing(c, d.SVG())
}

// width is how wide a picture is to be; 0 where nobody says.
func (t touchpointAsked) width() (int, error) {
	if t.query["width"] == "" {
		return 0, nil
	}
	width, err := t.query.whole("width", chart.MinWidth, chart.MaxWidth)
	if err != nil {
		return 0, err
	}
	return *width, nil
}

// addTouchpointNote keeps what the form says, or shows the form again with what
// is wrong.
func (a *api) addTouchpointNote(c echo.Context, v visit) error {
	form, err := readForm(c)
	if err != nil {
		return err
	}
	t, err := a.askedOfTouchpoint(c, v)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	var n survey.Note
	asked := noteRequest{Day: form.Get("day"), Text: form.Get("text"), Touchpoint: t.touchpoint.Key}
	if form.Get("all") != "" {
		asked.Touchpoint = ""
	}
	if err = asked.into(&n); err == nil {
		_, err = a.Store.CreateNote(ctx, v.by, n)
	}
	if is(err, survey.Invalid) {
		p, err := a.touchpointPage(ctx, v, t)
		if err != nil {
			return err
		}
		p.NoteWrong, p.NoteDay, p.NoteText = true, asked.Day, asked.Text
		return a.sendTouchpointPage(c, http.StatusUnprocessableEntity, p)
	}
	if err != nil {
		return err
	}
	return t.back(c)
}

func (a *api) deleteTouchpointNote(c echo.Context, v visit) error {
	t, err := a.askedOfTouchpoint(c, v)
	if err != nil {
		return err
	}
	id, err := idParam(c, "note")
	if err != nil {
		return err
	}
	if err := a.Store.DeleteNote(c.Request().Context(), v.by, id); err != nil && !is(err, survey.NotFound) { // it may be a second click
		return err
	}
	return t.back(c)
}

// back leads to the page again.
func (t touchpointAsked) back(c echo.Context) error {
	return c.Redirect(http.StatusSeeOther, dashboardPath+"/touchpoints/"+t.touchpoint.Key+"?"+t.values().Encode()+"#trend")
}
