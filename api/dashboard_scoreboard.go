package api

import (
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/labstack/echo/v4"

	"koe/survey"
	"koe/survey/store"
	"koe/templates"
)

// What the dashboard compares a range with.
const (
	comparePrevious = "previous"
	compareYear     = "year"
	compareNone     = "none"
)

// usualDays is how long a range is where nobody has chosen one; it ends today.
const usualDays = 30

// dayRange is the range of days that a page of the dashboard is about, as its
// address says it: from and until, both inclusive.
type dayRange struct {
	from, until survey.Day
	compare     string
}

// dayRange reads from, until and compare, in the workspace's days.
func (a *api) dayRange(c echo.Context, v visit) (r dayRange, err error) {
	q := queryOf(c)
	zone, err := survey.LoadZone(v.workspace.Timezone)
	if err != nil {
		return r, err
	}
	r.until = survey.DayOf(survey.InstantOf(a.Now()), zone)
	if err := q.day("until", &r.until); err != nil {
		return r, err
	}
	r.from = r.until - usualDays + 1
	if err := q.day("from", &r.from); err != nil {
		return r, err
	}
	if r.from > r.until {
		return r, survey.Errorf(survey.Invalid, "from", "must not be after until")
	}
	r.compare, err = q.compare()
	return r, err
}

// compares are the words of compare, as a page offers them.
func compares() []string { return []string{comparePrevious, compareYear, compareNone} }

// compare reads what a range is compared with: with the one before it unless
// something else is asked for.
func (q query) compare() (string, error) {
	if q["compare"] == "" {
		return comparePrevious, nil
	}
	return q.oneOf("compare", compares()...)
}

// day reads a day; what is not given or empty stays as it is.
func (q query) day(name string, into *survey.Day) error {
	raw := q[name]
	if raw == "" {
		return nil
	}
	day, err := survey.ParseDay(raw)
	if err != nil {
		return survey.Errorf(survey.Invalid, name, "must be a day such as 2026-01-31")
	}
	*into = day
	return nil
}

// asked is the range as the API's query says it.
func (r dayRange) asked() query {
	q := query{"from": r.from.String(), "to": (r.until + 1).String()}
	switch r.compare {
	case comparePrevious:
		q["compare"] = "previous"
	case compareYear:
		q["compare"] = yearBefore(r.from).String() + "/" + yearBefore(r.until+1).String()
	}
	return q
}

// values are the range as the dashboard's addresses say it.
func (r dayRange) values() url.Values {
	return url.Values{"from": {r.from.String()}, "until": {r.until.String()}, "compare": {r.compare}}
}

// showDashboard is the scoreboard as a page, or as a CSV file.
func (a *api) showDashboard(c echo.Context, v visit) error {
	format, err := queryOf(c).oneOf("format", "csv")
	if err != nil {
		return err
	}
	days, err := a.dayRange(c, v)
	if err != nil {
		return err
	}
	f, err := a.framed(c, days)
	if err != nil {
		return err
	}
	board, err := a.scoreboard(c, store.ScoreFilter{}, f, days.trend(f.zone))
	if err != nil {
		return err
	}
	if format == "csv" {
		return sendReport(c, mediaCSV, "scoreboard", board)
	}
	link := days.values()
	page := templates.Scoreboard{From: days.from, Until: days.until, Zone: board.Timezone, Compare: days.compare, Notes: board.Notes, Rebuilding: board.Rebuilding,
		Compares: compares()}
	if f.before != nil {
		page.Before = []survey.Day{survey.DayOf(*f.before.From, f.zone), survey.DayOf(*f.before.To-1, f.zone)}
	}
	for _, s := range board.Data {
		standing := templates.Standing{Touchpoint: s.Touchpoint, Name: s.Name, Metric: s.Metric, Measure: s.Measure, Total: s.Total, Trend: s.Trend,
			Link: dashboardPath + "/touchpoints/" + s.Touchpoint + "?" + link.Encode()}
		if s.Comparison != nil {
			standing.Change = &s.Comparison.Comparison
		}
		page.Standings = append(page.Standings, standing)
	}
	if page.Targets, _, err = a.Store.Targets(c.Request().Context(), v.by, store.TargetFilter{}, store.Page{Limit: targetsShown}); err != nil {
		return err
	}
	link.Set("format", "csv")
	page.CSV = dashboardPath + "?" + link.Encode()
	return showPage(c, http.StatusOK, pagePolicy, func(out io.Writer) error { return a.Words.ScoreboardPage(out, a.dashboard(c), page) })
}

// targetsShown is how many targets a page shows: all that a workspace can have.
const targetsShown = 200

// trendPeriods is how many points the line beside a score has.
const trendPeriods = 12

// trend are the twelve weeks up to the end of the range, or months where the
// range is longer than that.
func (r dayRange) trend(zone *time.Location) []survey.Period {
	every := survey.Weekly
	if r.until-r.from >= trendPeriods*7 {
		every = survey.Monthly
	}
	periods := make([]survey.Period, trendPeriods)
	end := survey.StartOf(r.until+1, zone)
	for i := trendPeriods - 1; i >= 0; i-- {
		periods[i] = every.Around(end-1, zone)
		periods[i].To = end
		end = periods[i].From
	}
	return periods
}

func yearBefore(d survey.Day) survey.Day {
	y, m, day := d.Date()
	return survey.DayOfDate(time.Date(y-1, m, day, 0, 0, 0, 0, time.UTC).Date())
}
