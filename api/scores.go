package api

import (
	"context"

	"github.com/labstack/echo/v4"

	"koe/scoring"
	"koe/survey"
	"koe/survey/report"
	"koe/survey/store"
)

// showScores counts everything in one go, and has it scored.
func (a *api) showScores(c echo.Context) error {
	ctx, by, q := c.Request().Context(), caller(c), queryOf(c)
	media, err := reportMedia(c, mediaJSON, mediaCSV, mediaSVG)
	if err != nil {
		return err
	}
	if err := drawable(q, media); err != nil {
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
	if media == mediaSVG {
		return a.sendScoreChart(c, filter, f)
	}
	r, err := a.scores(ctx, by, store.ScoreQuery{ScoreFilter: filter, GroupBy: groupBy, Rates: true}, f)
	if err != nil {
		return err
	}
	return sendReport(c, media, "scores", r)
}

// scores is the report of a range: every place that shows a score has it from
// here.
func (a *api) scores(ctx context.Context, by store.Caller, asked store.ScoreQuery, f frame) (report.Report, error) {
	periods, err := a.periods(ctx, by, asked.ScoreFilter, f)
	if err != nil {
		return report.Report{}, err
	}
	asked.Spans = f.spans(periods)
	counted, err := a.Store.Tally(ctx, by, asked)
	if err != nil {
		return report.Report{}, err
	}
	return report.New(f.reported(counted, periods))
}

// reported is what was counted of the spans of f, as a report takes it.
func (f frame) reported(counted store.Counted, periods []survey.Period) report.Counted {
	in := report.Counted{Metric: counted.Metric, Timezone: f.zone.String(), Source: counted.Source, Rebuilding: counted.Rebuilding, Excluded: counted.Excluded,
		Notes: append(counted.Notes, f.notes()...), From: f.From, To: f.To, Level: f.level,
		Cells: counted.Spans[0], Previous: f.previous(counted.Spans[1])}
	if periods != nil {
		in.Periods = []report.CountedPeriod{}
	}
	if r := counted.Rates; r != nil {
		in.Rates = report.NewRates(r.Invited, r.Delivered, r.Opened, r.Answered, r.Commented)
	}
	for i, p := range periods {
		in.Periods = append(in.Periods, report.CountedPeriod{Period: p, Cells: counted.Spans[2+i]})
	}
	if counted.Groups != nil {
		in.Groups = []report.CountedGroup{}
	}
	for _, g := range counted.Groups {
		in.Groups = append(in.Groups, report.CountedGroup{Key: g.Key, Name: g.Name, Cells: g.Spans[0], Previous: g.Spans[1], Periods: g.Spans[2:]})
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
