package api

import (
	"cmp"
	"slices"

	"github.com/labstack/echo/v4"

	"koe/survey"
	"koe/survey/report"
	"koe/survey/store"
)

// scoreboardResponse is the scoreboard and what it was counted from.
type scoreboardResponse struct {
	Timezone   string          `json:"timezone"`
	Source     string          `json:"source"`
	Rebuilding bool            `json:"rebuilding,omitempty"`
	Notes      []string        `json:"notes,omitempty"`
	From       *survey.Instant `json:"from"`
	To         *survey.Instant `json:"to"`
	report.Scoreboard
}

// showScoreboard is the score of every touchpoint, by key.
func (a *api) showScoreboard(c echo.Context) error {
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
	board, err := a.scoreboard(c, filter, f, nil)
	if err != nil {
		return err
	}
	return sendReport(c, media, "scoreboard", board)
}

// scoreboard counts and scores every touchpoint that the caller sees, and its
// trend over some periods.
func (a *api) scoreboard(c echo.Context, filter store.ScoreFilter, f frame, trend []survey.Period) (out scoreboardResponse, err error) {
	spans := f.spans(trend)
	counted, err := a.Store.Tally(c.Request().Context(), caller(c),
		store.ScoreQuery{ScoreFilter: filter, Spans: spans, SplitSpans: len(spans), GroupBy: store.ByTouchpoint, AnyMetric: true})
	if err != nil {
		return out, err
	}
	touchpoints := make([]report.CountedTouchpoint, len(counted.Groups))
	for i, g := range counted.Groups {
		touchpoints[i] = report.CountedTouchpoint{Key: g.Key, Name: g.Name, Cells: g.Spans[0], Previous: g.Spans[1], Trend: g.Spans[2:]}
	}
	slices.SortFunc(touchpoints, func(a, b report.CountedTouchpoint) int { return cmp.Compare(a.Key, b.Key) })
	board, err := report.NewScoreboard(touchpoints, f.previous(nil), f.level)
	return scoreboardResponse{Timezone: f.zone.String(), Source: counted.Source,
		Rebuilding: counted.Rebuilding, Notes: append(counted.Notes, f.notes()...), From: f.From, To: f.To, Scoreboard: board}, err
}
