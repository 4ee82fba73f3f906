package api

import (
	"context"
	"math"
	"strconv"

	"github.com/labstack/echo/v4"

	"koe/scoring"
	"koe/survey"
	"koe/survey/report"
	"koe/survey/store"
)

// impactResponse is a scenario and what it was made from.
type impactResponse struct {
	Touchpoint string          `json:"touchpoint"`
	Timezone   string          `json:"timezone"`
	Source     string          `json:"source"`
	Rebuilding bool            `json:"rebuilding,omitempty"`
	Notes      []string        `json:"notes,omitempty"`
	From       *survey.Instant `json:"from"`
	To         *survey.Instant `json:"to"`
	report.Impact
}

// maxVolume is more contacts a day than there are people.
const maxVolume = 1e10

// showImpact calculates what the unhappy customers of a touchpoint would cost.
func (a *api) showImpact(c echo.Context) error {
	filter, err := scoreFilter(queryOf(c))
	if err != nil {
		return err
	}
	f, err := a.frame(c)
	if err != nil {
		return err
	}
	impact, counted, err := a.impact(c.Request().Context(), caller(c), filter, f, queryOf(c))
	if err != nil {
		return err
	}
	return send(c, okay(impactResponse{Touchpoint: filter.Touchpoint, Timezone: f.zone.String(), Source: counted.Source,
		Rebuilding: counted.Rebuilding, Notes: counted.Notes, From: f.From, To: f.To, Impact: impact}, ""))
}

// impact is the scenario of a touchpoint at the volume and leave rate that a
// query names.
func (a *api) impact(ctx context.Context, by store.Caller, filter store.ScoreFilter, f frame, q query) (report.Impact, store.Counted, error) {
	var p survey.Problems
	p.Require("touchpoint", filter.Touchpoint)
	volume := q.number(&p, "volume_per_day", 0, maxVolume, nil)
	leaveRate := q.number(&p, "leave_rate", 0, 1, new(scoring.DefaultLeaveRate))
	if err := p.Err(); err != nil {
		return report.Impact{}, store.Counted{}, err
	}
	counted, err := a.Store.Tally(ctx, by, store.ScoreQuery{ScoreFilter: filter, Spans: f.spans(nil), AnyMetric: true})
	if err != nil {
		return report.Impact{}, counted, err
	}
	impact, err := report.NewImpact(counted.Spans[0], volume, leaveRate, f.level)
	return impact, counted, err
}

// number reads a number between two bounds; without a default it is required.
func (q query) number(p *survey.Problems, name string, least, most float64, initial *float64) float64 {
	raw, given := q[name]
	if !given && initial != nil {
		return *initial
	}
	n, err := strconv.ParseFloat(raw, 64)
	switch {
	case !given:
		p.Add(name, "required", "is required: a number such as 100")
	case err != nil || math.IsNaN(n) || n < least || n > most:
		p.Add(name, "range", "must be a number from %g to %g", least, most)
	}
	return n
}
