package api

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"koe/scoring"
	"koe/survey"
	"koe/survey/store"
)

// What every report of scores takes: which answers, of which range, in which
// format.
const (
	answerFilters = "metric ces_version locale? channel? tag attributes.*? "
	scoreFilters  = answerFilters + "survey "
	reportRange   = "from to timezone level format "
)

// scoreFilter reads which answers to count.
func scoreFilter(q query) (f store.ScoreFilter, err error) {
	f = store.ScoreFilter{Touchpoint: q["touchpoint"], Survey: q["survey"], Tag: q["tag"]}
	metric, err := q.oneOf("metric", "nps", "csat", "ces")
	if err != nil {
		return f, err
	}
	f.Metric = scoring.Metric(metric)
	version, err := q.whole("ces_version", 1, 2)
	if err != nil {
		return f, err
	}
	if version != nil {
		f.CESVersion = *version
	}
	var p survey.Problems
	if raw, given := q["locale"]; given {
		f.Locale = new("") // answers without one
		if raw != "" {
			if *f.Locale, err = survey.ParseLocale(raw); err != nil {
				p.Add("locale", "format", "%s", err)
			}
		}
	}
	if raw, given := q["channel"]; given {
		channel := survey.Line(&p, "channel", raw, 64)
		f.Channel = &channel
	}
	survey.Prose(&p, "tag", f.Tag, 200)
	f.Attributes = q.attributes(&p)
	return f, p.Err()
}

// groupBy reads what a score is split by; the store knows what there is.
func (q query) groupBy() (string, error) {
	by := q["group_by"]
	var p survey.Problems
	survey.Line(&p, "group_by", by, 100)
	if by == "attributes." || by == "answers." {
		p.Add("group_by", "format", "must name what follows the dot, such as %sagent", by)
	}
	return by, p.Err()
}

// frame is the range that a report is about, what it is compared with, and how
// it is cut.
type frame struct {
	store.Span
	zone     *time.Location // whose days are meant
	level    float64
	interval survey.Interval // "" for no periods
	rolling  int             // the length of a window in days; 0 for none
	before   *store.Span     // closed; nil for no comparison
}

// frame reads from, to, timezone, level, interval, rolling and compare, of
// which a route knows some.
func (a *api) frame(c echo.Context) (f frame, err error) {
	q := queryOf(c)
	if f.zone, err = a.zone(c); err != nil {
		return f, err
	}
	if f.From, f.To, err = q.span(f.zone); err != nil {
		return f, err
	}
	if f.level, err = q.level(); err != nil {
		return f, err
	}
	if raw, given := q["interval"]; given {
		if f.interval, err = survey.ParseInterval(raw); err != nil {
			return f, err
		}
	}
	if raw, given := q["rolling"]; given {
		if f.rolling, err = survey.ParseRolling(raw); err != nil {
			return f, err
		}
		if f.interval == "" {
			return f, survey.Errorf(survey.Invalid, "rolling", "rolling needs interval: a window ends where each period ends, such as interval=day")
		}
	}
	f.before, err = f.compared(q)
	return f, err
}

// compared is the range to compare with, nil where none was asked for.
func (f frame) compared(q query) (*store.Span, error) {
	raw, given := q["compare"]
	if !given {
		return nil, nil
	}
	if f.From == nil || f.To == nil {
		return nil, survey.Errorf(survey.Invalid, "compare", "compare needs a range with both ends: say from and to")
	}
	if raw == "previous" {
		from := survey.Before(*f.From, *f.To, f.interval, f.zone)
		if from.Time().Year() < 1 {
			return nil, survey.Errorf(survey.Invalid, "compare", "the range before this one would begin before the year 1; ask for a shorter range")
		}
		return &store.Span{From: &from, To: f.From}, nil
	}
	first, last, isRange := strings.Cut(raw, "/")
	from, fromErr := boundary(first, f.zone)
	to, toErr := boundary(last, f.zone)
	switch {
	case !isRange || fromErr != nil || toErr != nil:
		return nil, survey.Errorf(survey.Invalid, "compare",
			"compare must be previous, or two days or instants with a / between them, such as 2025-01-01/2025-04-01")
	case from >= to:
		return nil, survey.Errorf(survey.Invalid, "compare", "the range to compare with must begin before it ends")
	}
	return &store.Span{From: &from, To: &to}, nil
}

// notes are what a reader of the comparison has to know.
func (f frame) notes() []string {
	if f.before == nil || *f.before.From >= *f.To || *f.before.To <= *f.From {
		return nil
	}
	return []string{"the two ranges that are compared overlap: answers in both count on both sides, and z and p_value take them as different people"}
}

// spans are what to count: the range, what it is compared with (or the range
// again), and every period.
func (f frame) spans(periods []survey.Period) []store.Span {
	spans := make([]store.Span, 0, len(periods)+2)
	spans = append(spans, f.Span, f.Span)
	if f.before != nil {
		spans[1] = *f.before
	}
	for _, p := range periods {
		spans = append(spans, store.Span{From: &p.From, To: &p.To})
	}
	return spans
}

// periods cuts the range, nil without an interval. Where an end of it is open,
// the answers' own range goes as far as the whole periods of the first and the
// last.
func (a *api) periods(ctx context.Context, by store.Caller, filter store.ScoreFilter, f frame) ([]survey.Period, error) {
	if f.interval == "" {
		return nil, nil
	}
	from, to := f.From, f.To
	if from == nil || to == nil {
		first, last, err := a.Store.DataSpan(ctx, by, filter)
		if err != nil {
			return nil, err
		}
		if first == nil || last == nil {
			return []survey.Period{}, nil
		}
		if from == nil {
			from = new(f.interval.Around(*first, f.zone).From)
		}
		if to == nil {
			to = new(f.interval.Around(*last, f.zone).To)
		}
	}
	periods, err := survey.Periods(*from, *to, f.interval, f.zone)
	if err != nil {
		return nil, err
	}
	if f.rolling > 0 {
		periods = survey.Rolling(periods, f.rolling, f.zone)
	}
	if periods == nil {
		periods = []survey.Period{}
	}
	return periods, nil
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
