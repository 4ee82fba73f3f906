package api

import (
	"github.com/labstack/echo/v4"

	"koe/scoring"
	"koe/survey"
	"koe/survey/report"
	"koe/survey/store"
)

// showScores counts everything in one go, and has it scored.
func (a *api) showScores(c echo.Context) error {
	ctx, by, q := c.Request().Context(), caller(c), queryOf(c)
	media, err := reportMedia(c)
	if err != nil {
		return err
	}
	filter, err := scoreFilter(q)
	if err != nil {
		return err
	}
	f, err := a.frame(c)
	if err != nil {
		return err
	}
	groupBy, err := q.groupBy()
	if err != nil {
		return err
	}
	periods, err := a.periods(ctx, by, filter, f)
	if err != nil {
		return err
	}
	counted, err := a.Store.Tally(ctx, by, store.ScoreQuery{ScoreFilter: filter, Spans: f.spans(periods), GroupBy: groupBy})
	if err != nil {
		return err
	}
	in := f.reported(counted, periods)
	filter.Metric = counted.Metric
	if err := a.addRates(c, &in, filter, f.Span); err != nil {
		return err
	}
	r, err := report.New(in)
	if err != nil {
		return err
	}
	return sendReport(c, media, "scores", r)
}

// reported is what was counted of the spans of f, as a report takes it.
func (f frame) reported(counted store.Counted, periods []survey.Period) report.Counted {
	in := report.Counted{Metric: counted.Metric, Timezone: f.zone.String(), Source: counted.Source, Rebuilding: counted.Rebuilding,
		Notes: append(counted.Notes, f.notes()...), From: f.From, To: f.To, Level: f.level,
		Cells: counted.Spans[0], Previous: f.previous(counted.Spans[1])}
	if periods != nil {
		in.Periods = []report.CountedPeriod{}
	}
	for i, p := range periods {
		in.Periods = append(in.Periods, report.CountedPeriod{Period: p, Cells: counted.Spans[2+i]})
	}
	if counted.Groups != nil {
		in.Groups = []report.CountedGroup{}
	}
	for _, g := range counted.Groups {
		in.Groups = append(in.Groups, report.CountedGroup{Key: g.Key, Name: g.Name, Cells: g.Spans[0], Previous: g.Spans[1]})
	}
	return in
}

// previous is the range to compare with and its answers, nil where nothing is
// compared.
func (f frame) previous(cells []scoring.Cell) *report.CountedRange {
	if f.before == nil {
		return nil
	}
	return &report.CountedRange{From: *f.before.From, To: *f.before.To, Cells: cells}
}

// addRates adds how many of those who were asked in the range have answered,
// where invitations can be told by the filter.
func (a *api) addRates(c echo.Context, in *report.Counted, filter store.ScoreFilter, span store.Span) error {
	rates, source, err := a.Store.Rates(c.Request().Context(), caller(c), filter, []store.Span{span})
	if err != nil || len(rates) == 0 {
		return err
	}
	r := rates[0]
	in.Rates = report.NewRates(r.Invited, r.Delivered, r.Opened, r.Answered, r.Commented)
	if source == "rows" {
		in.Source = source
	}
	return nil
}
