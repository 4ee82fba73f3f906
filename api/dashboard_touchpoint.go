package api

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strconv"

	"github.com/labstack/echo/v4"

	"koe/scoring"
	"koe/survey"
	"koe/survey/report"
	"koe/survey/store"
	"koe/templates"
	"koe/templates/chart"
)

// latestComments is how many comments a touchpoint's page shows.
const latestComments = 10

// touchpointAsked is what a touchpoint's page is asked for, read and completed.
type touchpointAsked struct {
	query      query
	days       dayRange
	frame      frame
	lang       string
	touchpoint store.Touchpoint
	filter     store.ScoreFilter
	measures   []scoring.Measure // what was measured there, most answers first
	segments   []string          // by which its surveys split their answers, in order
	segment    string            // one of them; "" where there are none
}

// measured says whether anybody has ever answered there.
func (t touchpointAsked) measured() bool { return len(t.measures) > 0 }

// askedOfTouchpoint reads the query and completes what it leaves open: an
// interval that fits the range, the score with most answers, the first segment.
// A touchpoint that does not exist, or is not the member's to see, is NotFound.
func (a *api) askedOfTouchpoint(c echo.Context, v visit) (t touchpointAsked, err error) {
	ctx := c.Request().Context()
	key, err := keyParam(c, "touchpoint")
	if err != nil {
		return t, err
	}
	if t.touchpoint, err = a.Store.Touchpoint(ctx, v.by, key); err != nil {
		return t, err
	}
	if !v.seesTouchpoint(key) {
		return t, notFound("touchpoint")
	}
	t.lang, t.query = a.Words.StaffLocale(v.member.Locale), queryOf(c)
	if t.days, err = a.dayRange(c, v); err != nil {
		return t, err
	}
	if t.frame, err = a.framed(c, t.days); err != nil { // without an interval: what is compared is what the scoreboard compares
		return t, err
	}
	t.frame.interval = t.days.usualInterval()
	if raw := t.query["interval"]; raw != "" {
		if t.frame.interval, err = survey.ParseInterval(raw); err != nil {
			return t, err
		}
	}
	t.filter.Touchpoint = key
	if t.measures, err = a.measuresAt(ctx, v.by, key, t.frame); err != nil || !t.measured() {
		return t, err
	}
	chosen := t.measures[0]
	for _, m := range t.measures {
		if measureName(m) == t.query["metric"] {
			chosen = m
		}
	}
	t.filter.Metric, t.filter.CESVersion = chosen.Metric, chosen.CESVersion
	if t.segments, err = a.segmentsAt(ctx, v.by, key); err != nil || len(t.segments) == 0 {
		return t, err
	}
	t.segment = t.segments[0]
	if slices.Contains(t.segments, t.query["segment"]) {
		t.segment = t.query["segment"]
	}
	return t, nil
}

// usualInterval cuts a range into as many periods as a chart shows well.
func (r dayRange) usualInterval() survey.Interval {
	switch days := r.until - r.from + 1; {
	case days <= 45:
		return survey.Daily
	case days <= 184:
		return survey.Weekly
	case days <= 3*366:
		return survey.Monthly
	case days <= 10*366:
		return survey.Quarterly
	}
	return survey.Yearly
}

// measureName names what can be reported together: a metric, of CES a version.
func measureName(m scoring.Measure) string {
	if m.Metric == scoring.CES {
		return "ces" + strconv.Itoa(m.CESVersion)
	}
	return string(m.Metric)
}

// measuresAt are one measure for each kind of score that was ever measured at a
// touchpoint: those with most answers in the range first.
func (a *api) measuresAt(ctx context.Context, by store.Caller, key string, f frame) ([]scoring.Measure, error) {
	counted, err := a.Store.Tally(ctx, by, store.ScoreQuery{ScoreFilter: store.ScoreFilter{Touchpoint: key}, Spans: []store.Span{f.Span, {}}, AnyMetric: true})
	if err != nil {
		return nil, err
	}
	answers := map[string]int64{}
	for _, cell := range counted.Spans[0] {
		answers[measureName(cell.Measure)] += cell.Histogram.N()
	}
	var found []scoring.Measure
	for _, cell := range counted.Spans[1] {
		if !slices.ContainsFunc(found, func(m scoring.Measure) bool { return measureName(m) == measureName(cell.Measure) }) {
			found = append(found, cell.Measure)
		}
	}
	slices.SortStableFunc(found, func(a, b scoring.Measure) int {
		return int(min(1, max(-1, answers[measureName(b)]-answers[measureName(a)])))
	})
	return found, nil
}

// segmentsAt are the segments of the surveys that ask at a touchpoint.
func (a *api) segmentsAt(ctx context.Context, by store.Caller, key string) (names []string, err error) {
	page := store.Page{Limit: 500}
	for {
		surveys, next, err := a.Store.Surveys(ctx, by, store.SurveyFilter{Touchpoint: key}, page)
		if err != nil {
			return nil, err
		}
		for _, v := range surveys {
			names = append(names, v.Segments...)
		}
		if page.Cursor = next; next == "" {
			slices.Sort(names)
			return slices.Compact(names), nil
		}
	}
}

// touchpointReport is the report that everything on the page is read from: the
// answer of GET /v1/scores to the same question.
func (a *api) touchpointReport(ctx context.Context, by store.Caller, t touchpointAsked) (report.Report, error) {
	asked := store.ScoreQuery{ScoreFilter: t.filter, Rates: true}
	if t.segment != "" {
		asked.GroupBy = "attributes." + t.segment
	}
	return a.scores(ctx, by, asked, t.frame)
}

// touchpointPage gathers what the page shows.
func (a *api) touchpointPage(ctx context.Context, v visit, t touchpointAsked) (templates.TouchpointPage, error) {
	by := v.by
	p := templates.TouchpointPage{Key: t.touchpoint.Key, Name: t.touchpoint.Name, MayEdit: Editors.admit(by) == nil, Zone: t.frame.zone, Query: t.values(),
		From: t.days.from, Until: t.days.until, Interval: string(t.frame.interval), Compare: t.days.compare,
		Intervals: []string{"day", "week", "month", "quarter", "year"}, Compares: compares(),
		Segment: t.segment, Segments: t.segments, NoteDay: t.days.until.String()}
	var err error
	if p.Targets, err = a.touchpointTargets(ctx, by, t); err != nil || !t.measured() {
		return p, err
	}
	for _, m := range t.measures {
		p.Measures = append(p.Measures, templates.MeasureChoice{Value: measureName(m), Chosen: m.Metric == t.filter.Metric && m.CESVersion == t.filter.CESVersion})
	}
	if p.Report, err = a.touchpointReport(ctx, by, t); err != nil {
		return p, err
	}
	line, err := a.lineOf(ctx, by, p.Report, t.filter, t.frame)
	if err != nil {
		return p, err
	}
	line.Language, line.Target = t.lang, t.goal(p.Targets)
	p.Trend, p.Notes, p.Distribution = line.Describe(), line.Notes, t.distribution(p.Report).Describe()
	if p.Comments, p.MoreComments, err = a.latestComments(ctx, by, t); err != nil {
		return p, err
	}
	p.Impact, err = a.impactOf(ctx, by, t)
	return p, err
}

// touchpointTargets are what shall be there, the newest first.
func (a *api) touchpointTargets(ctx context.Context, by store.Caller, t touchpointAsked) ([]survey.Target, error) {
	targets, _, err := a.Store.Targets(ctx, by, store.TargetFilter{Touchpoint: t.touchpoint.Key}, store.Page{Limit: targetsShown})
	return targets, err
}

// goal is what the score shall be; nil where nobody has said so.
func (t touchpointAsked) goal(targets []survey.Target) *float64 {
	for _, one := range targets {
		if one.Kind == survey.TargetScore && one.Metric == t.filter.Metric && one.CESVersion == t.filter.CESVersion {
			return cmp.Or(one.AtLeast, one.AtMost)
		}
	}
	return nil
}

// distribution is the drawing of how the answers of a report fall.
func (t touchpointAsked) distribution(r report.Report) chart.Distribution {
	return chart.Distribution{Language: t.lang, Title: t.touchpoint.Name, Metric: r.Metric, LowerIsBetter: r.Total.Direction == "lower_is_better", Result: r.Total}
}

// latestComments are those of the range; more where there are others.
func (a *api) latestComments(ctx context.Context, by store.Caller, t touchpointAsked) (comments []templates.LatestComment, more bool, err error) {
	list, next, err := a.Store.Responses(ctx, by, store.ResponseFilter{Touchpoint: t.touchpoint.Key, Metric: t.filter.Metric, HasComment: new(true),
		From: t.frame.From, To: t.frame.To}, store.Page{Limit: latestComments})
	for _, r := range list {
		comments = append(comments, templates.LatestComment{ID: r.ID, Score: r.Score, Text: r.Comment, Locale: r.Locale, At: r.RespondedAt,
			Day: survey.BegunDay(r.RespondedAt, t.frame.zone)})
	}
	return comments, next != "", err
}

// impactOf is the scenario that the reader sets up: none before they have, and
// Wrong where they set what cannot be.
func (a *api) impactOf(ctx context.Context, by store.Caller, t touchpointAsked) (templates.ImpactScenario, error) {
	s := templates.ImpactScenario{Volume: t.query["volume_per_day"], LeaveRate: t.query["leave_rate"]}
	if s.Volume == "" {
		return s, nil
	}
	asked := query{"volume_per_day": s.Volume}
	if s.LeaveRate != "" {
		asked["leave_rate"] = s.LeaveRate
	}
	impact, _, err := a.impact(ctx, by, t.filter, t.frame, asked)
	if is(err, survey.Invalid) {
		s.Wrong = true
		return s, nil
	}
	s.Impact = &impact
	return s, err
}

// values are what the page's links, forms and pictures repeat.
func (t touchpointAsked) values() url.Values {
	values := t.days.values()
	for _, name := range []string{"interval", "metric", "segment"} {
		if t.query[name] != "" {
			values.Set(name, t.query[name])
		}
	}
	return values
}
