package api

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strconv"

	"github.com/labstack/echo/v4"

	"koe/survey/report"
	"koe/survey/store"
	"koe/templates"
)

// dashboardSurveyRoutes are the pages that say what koe is about to ask, and why.
func dashboardSurveyRoutes() []Route {
	return []Route{
		{"showSurveysPage", get, surveysPath, Public, noBody, "", signedIn(Readers, "from? until? compare? cursor format lang", (*api).showSurveysPage)},
		{"showStaffSurvey", get, surveysPath + "/{id}", Public, noBody, "", signedIn(Readers, "from? until? compare? reason? cursor format lang", (*api).showStaffSurvey)},
	}
}

const surveysPath = dashboardPath + "/surveys"

// What the pages of surveys show of long lists.
const (
	surveysOnPage   = 100
	decisionsOnPage = 25
)

// seesTouchpoint is true for a touchpoint that the member is not limited away
// from.
func (v visit) seesTouchpoint(key string) bool {
	seen := v.by.Scope.Touchpoints
	return len(seen) == 0 || slices.Contains(seen, key)
}

// showSurveysPage lists the surveys with how often each was answered, and how
// the workspace's mail stands: that of all touchpoints, for members who see all
// of them.
func (a *api) showSurveysPage(c echo.Context, v visit) error {
	ctx, cursor := c.Request().Context(), queryOf(c)["cursor"]
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
	answers, err := a.answersBySurvey(ctx, v.by, f)
	if err != nil {
		return err
	}
	names, err := a.touchpointNames(ctx, v)
	if err != nil {
		return err
	}
	if format == "csv" {
		return a.sendSurveys(c, v, f, answers, names)
	}
	list, next, err := a.Store.Surveys(ctx, v.by, store.SurveyFilter{}, store.Page{Limit: surveysOnPage, Cursor: cursor})
	if err != nil {
		return err
	}
	link := days.values()
	page := templates.SurveysPage{Range: days.shown(f), Workspace: v.workspace, Touchpoints: names, Answers: answers, Path: surveysPath, Query: "?" + link.Encode()}
	for _, one := range list {
		if v.seesTouchpoint(one.Touchpoint) {
			page.Surveys = append(page.Surveys, one)
		}
	}
	if next != "" {
		link.Set("cursor", next)
		page.Next = surveysPath + "?" + link.Encode()
	}
	if v.seesAll() {
		if page.Mail, err = a.mailNow(ctx, v.by, ""); err != nil {
			return err
		}
	}
	return showPage(c, http.StatusOK, pagePolicy, func(out io.Writer) error { return a.Words.SurveysPage(out, a.dashboard(c), page) })
}

// seesAll is true for a member who is limited to nothing.
func (v visit) seesAll() bool { return len(v.by.Scope.Touchpoints) == 0 && v.by.Scope.Segment == nil }

// mailNow is how the mail of a survey stands, or of all.
func (a *api) mailNow(ctx context.Context, by store.Caller, of string) (*templates.MailNow, error) {
	sum, err := a.Store.OutboxSummary(ctx, by, of)
	if err != nil {
		return nil, err
	}
	m := sum.Mail
	return &templates.MailNow{Due: m.Due, InFlight: m.InFlight, Waiting: m.Waiting, Sent: m.Sent, Failed: m.Failed, Uncertain: m.Uncertain}, nil
}

// answersBySurvey are the answers to each survey, by its id, in the range and in
// what that is compared with.
func (a *api) answersBySurvey(ctx context.Context, by store.Caller, f frame) (map[string]templates.Counts, error) {
	counted, err := a.Store.Tally(ctx, by, store.ScoreQuery{Spans: f.spans(nil), GroupBy: store.BySurvey, AnyMetric: true})
	if err != nil {
		return nil, err
	}
	found := map[string]templates.Counts{}
	for _, g := range counted.Groups {
		var n [2]int64
		for i := range n {
			for _, cell := range g.Spans[i] {
				n[i] += cell.Histogram.N()
			}
		}
		found[g.Key] = templates.Counts{Now: n[0], Before: n[1]}
	}
	return found, nil
}

// sendSurveys sends every survey that a member sees as a CSV file.
func (a *api) sendSurveys(c echo.Context, v visit, f frame, answers map[string]templates.Counts, names map[string]string) error {
	list, err := a.surveysSeen(c.Request().Context(), v)
	if err != nil {
		return err
	}
	columns := []string{"id", "key", "name", "touchpoint", "touchpoint_name", "state", "channel", "trigger", "template", "template_version", "from", "to", "timezone", "answers"}
	if f.before != nil {
		columns = append(columns, "previous_from", "previous_to", "previous_answers")
	}
	return stream(c, csvType, "surveys.csv", func(to io.Writer, _ func()) error {
		out, err := report.NewMarkedCSV(to, columns...)
		if err != nil {
			return err
		}
		for _, one := range list {
			n := answers[one.ID.String()]
			row := map[string]string{"id": one.ID.String(), "key": one.Key, "name": one.Name, "touchpoint": one.Touchpoint, "touchpoint_name": names[one.Touchpoint],
				"state": string(one.State), "channel": string(one.Channel), "trigger": string(one.Trigger.Type), "template": one.Template,
				"template_version": strconv.Itoa(one.TemplateVersion), "from": f.From.String(), "to": f.To.String(), "timezone": f.zone.String(),
				"answers": strconv.FormatInt(n.Now, 10)}
			if f.before != nil {
				row["previous_from"], row["previous_to"], row["previous_answers"] = f.before.From.String(), f.before.To.String(), strconv.FormatInt(n.Before, 10)
			}
			if err := out.Write(row); err != nil {
				return err
			}
		}
		return out.Flush()
	})
}
