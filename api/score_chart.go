package api

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"koe/survey"
	"koe/survey/report"
	"koe/survey/store"
	"koe/templates/chart"
)

const mediaSVG = chart.Media

// drawingParameters are what a chart takes beside the score that it shows.
const drawingParameters = "lang width target"

// drawable refuses what a chart cannot show, and what only a chart can.
func drawable(q query, media string) error {
	var p survey.Problems
	if media != mediaSVG {
		for _, name := range []string{"lang", "width", "target"} {
			if _, given := q[name]; given {
				p.Add(name, "format", "is for a chart: say format=svg too, or leave it out")
			}
		}
		return p.Err()
	}
	if _, given := q["interval"]; !given {
		p.Add("interval", "required", "is required for a chart: one of day, week, month, quarter, year")
	}
	for _, name := range []string{"group_by", "compare"} {
		if _, given := q[name]; given {
			p.Add(name, "format", "is not shown by a chart; leave it out, or ask for format=json")
		}
	}
	return p.Err()
}

// sendScoreChart draws the score of a range, period by period.
func (a *api) sendScoreChart(c echo.Context, filter store.ScoreFilter, f frame) error {
	ctx, by, q := c.Request().Context(), caller(c), queryOf(c)
	width, err := q.whole("width", chart.MinWidth, chart.MaxWidth)
	if err != nil {
		return err
	}
	lang, err := a.chartLanguage(c)
	if err != nil {
		return err
	}
	target, err := q.score("target")
	if err != nil {
		return err
	}
	r, err := a.scores(ctx, by, store.ScoreQuery{ScoreFilter: filter}, f)
	if err != nil {
		return err
	}
	l, err := a.lineOf(ctx, by, r, filter, f)
	if err != nil {
		return err
	}
	l.Language, l.Target = lang, target
	if width != nil {
		l.Width = *width
	}
	c.Response().Header().Set("Vary", "Accept, Accept-Language")
	return sendDrawing(c, l.SVG())
}

// lineOf is the chart of a report, in no language yet.
func (a *api) lineOf(ctx context.Context, by store.Caller, r report.Report, filter store.ScoreFilter, f frame) (chart.Line, error) {
	l := chart.Line{Metric: r.Metric, LowerIsBetter: r.Total.Direction == "lower_is_better", Every: f.interval, Rolling: f.rolling,
		Timezone: r.Timezone, Level: f.level}
	for _, p := range r.Periods {
		l.Points = append(l.Points, chart.Point(p))
	}
	var err error
	if l.Title, err = a.chartTitle(ctx, by, filter); err != nil || len(l.Points) == 0 {
		return l, err
	}
	from, to := l.Points[0].Start, l.Points[len(l.Points)-1].End
	l.Notes, _, err = a.Store.Notes(ctx, by, store.NoteFilter{Touchpoint: filter.Touchpoint, From: &from, To: &to}, store.Page{Limit: maxChartNotes})
	return l, err
}

// maxChartNotes is how many notes a chart marks, the latest ones.
const maxChartNotes = 100

// chartTitle says whose score it is.
func (a *api) chartTitle(ctx context.Context, by store.Caller, filter store.ScoreFilter) (string, error) {
	switch {
	case filter.Touchpoint != "":
		t, err := a.Store.Touchpoint(ctx, by, filter.Touchpoint)
		return t.Name, err
	case filter.Survey != "":
		v, err := a.Store.Survey(ctx, by, filter.Survey)
		return v.Name, err
	}
	w, err := a.Store.Workspace(ctx, by)
	return w.Name, err
}

// chartLanguage is the language of a chart: what lang= names, else what the
// reader's browser asks for, else English.
func (a *api) chartLanguage(c echo.Context) (string, error) {
	lang, err := queryOf(c).oneOf("lang", chart.Languages()...)
	if lang == "" {
		lang = a.Words.Locale(c.Request().Header.Get("Accept-Language"))
	}
	return lang, err
}

// score reads a score; nil where the parameter is not given.
func (q query) score(name string) (*float64, error) {
	if _, given := q[name]; !given {
		return nil, nil
	}
	var p survey.Problems
	v := q.number(&p, name, -100, 100, nil)
	return &v, p.Err()
}

// sendDrawing sends a drawing, which may be opened as a document of its own.
func sendDrawing(c echo.Context, svg []byte) error {
	c.Response().Header().Set("Content-Security-Policy", chart.Policy())
	return write(c, http.StatusOK, mediaSVG, svg)
}
