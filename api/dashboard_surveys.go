package api

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"slices"

	"github.com/labstack/echo/v4"

	"koe/survey"
	"koe/survey/store"
	"koe/templates"
)

// dashboardSurveyRoutes are the pages that say what koe is about to ask, and why.
func dashboardSurveyRoutes() []Route {
	return []Route{
		{"showSurveysPage", get, surveysPath, Public, noBody, "", signedIn(Readers, "cursor lang", (*api).showSurveysPage)},
		{"showStaffSurvey", get, surveysPath + "/{id}", Public, noBody, "", signedIn(Readers, "from? until? reason? cursor lang", (*api).showStaffSurvey)},
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

// showSurveysPage lists the surveys, and how the workspace's mail stands: that
// of all touchpoints, for members who see all of them.
func (a *api) showSurveysPage(c echo.Context, v visit) error {
	ctx := c.Request().Context()
	list, next, err := a.Store.Surveys(ctx, v.by, store.SurveyFilter{}, store.Page{Limit: surveysOnPage, Cursor: queryOf(c)["cursor"]})
	if err != nil {
		return err
	}
	names, err := a.touchpointNames(ctx, v)
	if err != nil {
		return err
	}
	page := templates.SurveysPage{Workspace: v.workspace, Touchpoints: names, Path: surveysPath}
	for _, one := range list {
		if v.seesTouchpoint(one.Touchpoint) {
			page.Surveys = append(page.Surveys, one)
		}
	}
	if next != "" {
		page.Next = surveysPath + "?" + url.Values{"cursor": {next}}.Encode()
	}
	if len(v.by.Scope.Touchpoints) == 0 && v.by.Scope.Segment == nil {
		sum, err := a.Store.OutboxSummary(ctx, v.by)
		if err != nil {
			return err
		}
		m := sum.Mail
		page.Mail = &templates.MailNow{Due: m.Due, InFlight: m.InFlight, Waiting: m.Waiting, Sent: m.Sent, Failed: m.Failed, Uncertain: m.Uncertain}
	}
	return showPage(c, http.StatusOK, pagePolicy, func(out io.Writer) error { return a.Words.SurveysPage(out, a.dashboard(c), page) })
}

// showStaffSurvey says how one survey decides, and what it has decided.
func (a *api) showStaffSurvey(c echo.Context, v visit) error {
	ctx, q := c.Request().Context(), queryOf(c)
	ref, err := surveyParam(c)
	if err != nil {
		return err
	}
	one, err := a.Store.Survey(ctx, v.by, ref)
	if err == nil && !v.seesTouchpoint(one.Touchpoint) {
		err = survey.Errorf(survey.NotFound, "", "there is no such survey")
	}
	if err != nil {
		return err
	}
	days, err := a.dayRange(c, v)
	if err != nil {
		return err
	}
	zone, err := survey.LoadZone(v.workspace.Timezone)
	if err != nil {
		return err
	}
	from, to := survey.StartOf(days.from, zone), survey.StartOf(days.until+1, zone)
	path := surveysPath + "/" + one.ID.String()
	page := templates.StaffSurvey{Survey: one, Workspace: v.workspace, Zone: zone, From: days.from, Until: days.until, Path: path, Reason: survey.Reason(q["reason"])}
	place, err := a.Store.Touchpoint(ctx, v.by, one.Touchpoint)
	if err != nil {
		return err
	}
	page.Touchpoint = place.Name
	span := store.Span{From: &from, To: &to}
	counted, err := a.Store.Tally(ctx, v.by, store.ScoreQuery{ScoreFilter: store.ScoreFilter{Survey: one.ID.String()}, Spans: []store.Span{span}, AnyMetric: true, Rates: true})
	if err != nil {
		return err
	}
	if r := counted.Rates; r != nil {
		page.Mails = templates.SurveyMails{Invited: r.Invited, Delivered: r.Delivered, Answered: r.Answered}
	}
	if v.by.Scope.Segment == nil { // decisions are of all segments
		if err := a.decided(ctx, v, &page, span, q); err != nil {
			return err
		}
	}
	return showPage(c, http.StatusOK, pagePolicy, func(out io.Writer) error { return a.Words.StaffSurveyPage(out, a.dashboard(c), page) })
}

// decided puts on a survey's page what it decided in a range.
func (a *api) decided(ctx context.Context, v visit, page *templates.StaffSurvey, span store.Span, q query) (err error) {
	if page.Counts, err = a.Store.DecisionCounts(ctx, v.by, page.Survey.ID, span); err != nil {
		return err
	}
	list, next, err := a.Store.Decisions(ctx, v.by, page.Survey.ID.String(), store.DecisionFilter{Reason: page.Reason, From: span.From, To: span.To},
		store.Page{Limit: decisionsOnPage, Cursor: q["cursor"]})
	if err != nil {
		return err
	}
	for _, d := range list {
		shown := templates.Decided{At: d.CreatedAt, Reason: d.Reason}
		if d.Invitation != nil {
			shown.State, shown.SendAt = d.Invitation.State, d.Invitation.SendAt
		}
		page.Decisions = append(page.Decisions, shown)
	}
	if next != "" {
		page.Next = page.Path + "?" + url.Values{"from": {page.From.String()}, "until": {page.Until.String()}, "reason": {q["reason"]}, "cursor": {next}}.Encode()
	}
	return nil
}
