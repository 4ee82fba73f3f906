package api

import (
	"errors"
	"strconv"

	"github.com/labstack/echo/v4"

	"koe/scoring"
	"koe/survey"
	"koe/survey/store"
)

type scoreReport struct {
	Metric     scoring.Metric  `json:"metric"`
	Measure    string          `json:"measure,omitempty"`
	Definition string          `json:"definition"`
	Timezone   string          `json:"timezone"`
	Source     string          `json:"source"`
	From       *survey.Instant `json:"from"`
	To         *survey.Instant `json:"to"`
	Total      scoring.Result  `json:"total"`
	Groups     []scoreGroup    `json:"groups,omitzero"`
}

type scoreGroup struct {
	Key  string `json:"key"`
	Name string `json:"name,omitempty"`
	scoring.Result
}

// showScores counts and scores: one query, one pure function.
func (a *api) showScores(c echo.Context) error {
	q := queryOf(c)
	f, err := a.scoreQuery(q)
	if err != nil {
		return err
	}
	zone, err := a.zone(c)
	if err != nil {
		return err
	}
	var span store.Span
	if span.From, span.To, err = q.span(zone); err != nil {
		return err
	}
	f.Spans = []store.Span{span}
	level, err := q.level()
	if err != nil {
		return err
	}
	counted, err := a.Store.Tally(c.Request().Context(), caller(c), f)
	if err != nil {
		return err
	}
	report, err := reportOf(counted, level)
	if err != nil {
		return err
	}
	report.Timezone, report.From, report.To = zone.String(), span.From, span.To
	return send(c, okay(report, ""))
}

func reportOf(counted store.Counted, level float64) (scoreReport, error) {
	report := scoreReport{Metric: counted.Metric, Source: counted.Source, Definition: scoring.Definition(counted.Spans[0])}
	if len(counted.Spans[0]) == 1 {
		report.Measure = counted.Spans[0][0].Measure.Key()
	}
	var err error
	if report.Total, err = scored(counted.Spans[0], level); err != nil {
		return report, err
	}
	if counted.Groups != nil {
		report.Groups = []scoreGroup{}
	}
	for _, g := range counted.Groups {
		result, err := scored(g.Spans[0], level)
		if err != nil {
			return report, err
		}
		report.Groups = append(report.Groups, scoreGroup{g.Key, g.Name, result})
	}
	return report, nil
}

func scored(cells []scoring.Cell, level float64) (scoring.Result, error) {
	result, err := scoring.Report(cells, level)
	if errors.Is(err, scoring.ErrMixedCES) {
		return result, survey.Errorf(survey.Invalid, "ces_version", "answers to CES 1.0 and 2.0 meet here; say ces_version=1 or ces_version=2")
	}
	return result, err
}

func (a *api) scoreQuery(q query) (f store.ScoreQuery, err error) {
	f.Touchpoint, f.Survey = q["touchpoint"], q["survey"]
	metric, err := q.oneOf("metric", "nps", "csat", "ces")
	if err != nil {
		return f, err
	}
	f.Metric = scoring.Metric(metric)
	if f.GroupBy, err = q.oneOf("group_by", "touchpoint", "survey"); err != nil {
		return f, err
	}
	version, err := q.whole("ces_version", 1, 2)
	if version != nil {
		f.CESVersion = *version
	}
	return f, err
}

// level reads the confidence level: above 0.5, at most 0.999, default 0.95.
func (q query) level() (float64, error) {
	raw, given := q["level"]
	if !given {
		return 0.95, nil
	}
	level, err := strconv.ParseFloat(raw, 64)
	if err != nil || !scoring.ValidLevel(level) {
		return 0, survey.Errorf(survey.Invalid, "level", "level must be above 0.5 and at most 0.999, such as 0.95")
	}
	return level, nil
}
