package api

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"koe/survey"
	"koe/survey/store"
	"koe/templates"
)

// showStaffSurvey says how one survey decides, what it has decided and what is
// under way; as a page, or as CSV with every decision of the range.
func (a *api) showStaffSurvey(c echo.Context, v visit) error {
	ctx, q := c.Request().Context(), queryOf(c)
	ref, err := surveyParam(c)
	if err != nil {
		return err
	}
	format, err := q.oneOf("format", "csv")
	if err != nil {
		return err
	}
	one, err := a.Store.Survey(ctx, v.by, ref)
	if err == nil && !v.seesTouchpoint(one.Touchpoint) {
		err = notFound("survey")
	}
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
	page := templates.StaffSurvey{Survey: one, Workspace: v.workspace, Zone: f.zone, Range: days.shown(f), Path: surveysPath + "/" + one.ID.String(),
		Query: days.values(), Reason: survey.Reason(q["reason"])}
	if err := a.surveyFigures(ctx, v, &page, f); err != nil {
		return err
	}
	if format == "csv" {
		return a.sendSurvey(c, v, page, f)
	}
	place, err := a.Store.Touchpoint(ctx, v.by, one.Touchpoint)
	if err != nil {
		return err
	}
	if page.Touchpoint = place.Name; v.by.Scope.Segment == nil { // decisions are of all segments
		if err := a.decided(ctx, v, &page, f.Span, q["cursor"]); err != nil {
			return err
		}
	}
	return showPage(c, http.StatusOK, pagePolicy, func(out io.Writer) error { return a.Words.StaffSurveyPage(out, a.dashboard(c), page) })
}

// surveyFigures counts what became of a survey in the range, and in what that is
// compared with. Decisions and mails are of all segments: who is limited to one is
// shown none.
func (a *api) surveyFigures(ctx context.Context, v visit, page *templates.StaffSurvey, f frame) (err error) {
	all := v.by.Scope.Segment == nil
	if page.Counted, err = a.surveyFigured(ctx, v.by, page.Survey.ID, f.Span, all); err != nil {
		return err
	}
	if f.before != nil {
		before, err := a.surveyFigured(ctx, v.by, page.Survey.ID, *f.before, all)
		if err != nil {
			return err
		}
		page.CountedBefore = &before
	}
	if all {
		page.Mail, err = a.mailNow(ctx, v.by, page.Survey.ID.String())
	}
	return err
}

func (a *api) surveyFigured(ctx context.Context, by store.Caller, of survey.ID, span store.Span, decisions bool) (out templates.SurveyFigures, err error) {
	counted, err := a.Store.Tally(ctx, by, store.ScoreQuery{ScoreFilter: store.ScoreFilter{Survey: of.String()}, Spans: []store.Span{span}, AnyMetric: true, Rates: true})
	if err != nil {
		return out, err
	}
	if r := counted.Rates; r != nil {
		out.Invited, out.Delivered, out.Answered = r.Invited, r.Delivered, r.Answered
	}
	if decisions {
		out.Decided, err = a.Store.DecisionCounts(ctx, by, of, span)
	}
	return out, err
}

// decided puts on a survey's page the latest that it decided in a range.
func (a *api) decided(ctx context.Context, v visit, page *templates.StaffSurvey, span store.Span, cursor string) error {
	list, next, err := a.Store.Decisions(ctx, v.by, page.Survey.ID.String(), store.DecisionFilter{Reason: page.Reason, From: span.From, To: span.To},
		store.Page{Limit: decisionsOnPage, Cursor: cursor})
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
		values := maps.Clone(page.Query)
		values.Set("cursor", next)
		if page.Reason != "" {
			values.Set("reason", string(page.Reason))
		}
		page.Next = page.Path + "?" + values.Encode()
	}
	return nil
}

// sendSurvey sends what a survey's page tells, with all decisions of the range.
func (a *api) sendSurvey(c echo.Context, v visit, page templates.StaffSurvey, f frame) error {
	return sendAbout(c, "survey", func(t *about, going func()) error {
		one := page.Survey
		for _, cell := range [][2]string{{"id", one.ID.String()}, {"key", one.Key}, {"name", one.Name}, {"touchpoint", one.Touchpoint}, {"state", string(one.State)},
			{"channel", string(one.Channel)}, {"trigger", string(one.Trigger.Type)}, {"template", one.Template}} {
			t.say("survey", cell[0], cell[1])
		}
		if err := t.rules(one.Rules); err != nil {
			return err
		}
		t.days(f)
		t.figures(page.Counted, page.CountedBefore)
		if m := page.Mail; m != nil {
			t.mail(*m)
		}
		if v.by.Scope.Segment != nil {
			return nil
		}
		return a.sendDecisions(c.Request().Context(), v.by, t, one.ID, store.DecisionFilter{Reason: page.Reason, From: f.From, To: f.To}, going)
	})
}

// rules says them as the API does.
func (t *about) rules(of survey.Rules) error {
	raw, err := json.Marshal(of)
	if err != nil {
		return err
	}
	var named map[string]json.RawMessage
	if err := json.Unmarshal(raw, &named); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(named)) {
		value := string(named[name])
		_ = json.Unmarshal(named[name], &value) // what is no text stays as it is
		t.say("rule", name, value)
	}
	return nil
}

// days says which range the figures are of.
func (t *about) days(f frame) {
	from, to := map[string]string{"row": "range", "name": "from", "value": f.From.String()}, map[string]string{"row": "range", "name": "to", "value": f.To.String()}
	if f.before != nil {
		from["previous"], to["previous"] = f.before.From.String(), f.before.To.String()
	}
	t.row(from)
	t.row(to)
	t.say("range", "timezone", f.zone.String())
}

func (t *about) figures(now templates.SurveyFigures, before *templates.SurveyFigures) {
	then := func(of func(templates.SurveyFigures) int) *int {
		if before == nil {
			return nil
		}
		return new(of(*before))
	}
	for _, one := range []struct {
		name string
		of   func(templates.SurveyFigures) int
	}{
		{"invited", func(f templates.SurveyFigures) int { return int(f.Invited) }},
		{"delivered", func(f templates.SurveyFigures) int { return int(f.Delivered) }},
		{"answered", func(f templates.SurveyFigures) int { return int(f.Answered) }},
	} {
		t.count("invitations", one.name, one.of(now), then(one.of))
	}
	for _, reason := range now.Reasons(before) {
		of := func(f templates.SurveyFigures) int { return f.Decided[reason] }
		t.count("decided", decisionName(reason), of(now), then(of))
	}
}

func (t *about) mail(m templates.MailNow) {
	for _, one := range []struct {
		name string
		n    int
	}{{"due", m.Due}, {"in_flight", m.InFlight}, {"sent_last_24h", m.Sent}, {"failed_last_24h", m.Failed}, {"uncertain_last_24h", m.Uncertain}} {
		t.count("mail", one.name, one.n, nil)
	}
	for _, reason := range slices.Sorted(maps.Keys(m.Waiting)) {
		t.count("waiting", string(reason), m.Waiting[reason], nil)
	}
}
