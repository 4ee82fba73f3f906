package api

import (
	"context"
	"fmt"

	"github.com/labstack/echo/v4"

	"koe/survey"
	"koe/survey/report"
	"koe/survey/store"
)

// tagRuleRequest is what an editor may set of a rule.
type tagRuleRequest struct {
	Tag        string   `json:"tag"`
	Keywords   []string `json:"keywords"`
	Touchpoint *string  `json:"touchpoint"`
}

func (r tagRuleRequest) into(rule *survey.TagRule) {
	rule.Tag, rule.Keywords, rule.Touchpoint = r.Tag, r.Keywords, ""
	if r.Touchpoint != nil {
		rule.Touchpoint = *r.Touchpoint
	}
}

type tagRuleResponse struct {
	survey.TagRule
	Touchpoint *string  `json:"touchpoint"`
	Warnings   []string `json:"warnings,omitempty"`
}

func tagRuleOf(r survey.TagRule) tagRuleResponse {
	out := tagRuleResponse{TagRule: r}
	if r.Touchpoint != "" {
		out.Touchpoint = &r.Touchpoint
	}
	return out
}

// Of how many comments a rule must match how many for a warning.
const (
	warnedFrom  = 20
	warnedShare = 0.5
)

// tagRuleWarned is a rule with a warning where it matches so much that its tag
// tells nothing.
func (a *api) tagRuleWarned(ctx context.Context, by store.Caller, r survey.TagRule) (tagRuleResponse, error) {
	out := tagRuleOf(r)
	by.Once = nil
	seen, err := a.Store.PreviewTagRule(ctx, by, r)
	if err == nil && seen.Comments >= warnedFrom && float64(seen.Matched) >= warnedShare*float64(seen.Comments) {
		out.Warnings = []string{fmt.Sprintf("it matches %d of the latest %d comments: a tag that most answers have tells them apart from few", seen.Matched, seen.Comments)}
	}
	return out, err
}

func (a *api) createTagRule(c echo.Context) error {
	var in tagRuleRequest
	if err := bind(c, &in); err != nil {
		return err
	}
	ctx := c.Request().Context()
	return a.once(c, func(by store.Caller) (answer, error) {
		var rule survey.TagRule
		in.into(&rule)
		rule, err := a.Store.CreateTagRule(ctx, by, rule)
		if err != nil {
			return answer{}, err
		}
		out, err := a.tagRuleWarned(ctx, by, rule)
		return created(out, ""), err
	}, func(by store.Caller, resource string) (answer, error) {
		id, err := survey.ParseID(resource)
		if err != nil {
			return answer{}, err
		}
		rule, err := a.Store.TagRule(ctx, by, id)
		return created(tagRuleOf(rule), ""), err
	})
}

func (a *api) listTagRules(c echo.Context) error {
	page, err := queryOf(c).page()
	if err != nil {
		return err
	}
	items, next, err := a.Store.TagRules(c.Request().Context(), caller(c), page)
	if err != nil {
		return err
	}
	out := make([]tagRuleResponse, len(items))
	for i, r := range items {
		out[i] = tagRuleOf(r)
	}
	return send(c, listed(out, next))
}

func (a *api) showTagRule(c echo.Context) error {
	id, err := idParam(c, "tag rule")
	if err != nil {
		return err
	}
	rule, err := a.Store.TagRule(c.Request().Context(), caller(c), id)
	return reply(c, okay(tagRuleOf(rule), ""), err)
}

func (a *api) patchTagRule(c echo.Context) error {
	id, err := idParam(c, "tag rule")
	if err != nil {
		return err
	}
	rule, err := a.Store.ChangeTagRule(c.Request().Context(), caller(c), id, func(r *survey.TagRule) error {
		var changed tagRuleRequest
		if err := mergePatch(tagRuleRequest{r.Tag, r.Keywords, tagRuleOf(*r).Touchpoint}, rawBody(c), &changed); err != nil {
			return err
		}
		changed.into(r)
		return nil
	})
	if err != nil {
		return err
	}
	out, err := a.tagRuleWarned(c.Request().Context(), caller(c), rule)
	return reply(c, okay(out, ""), err)
}

func (a *api) deleteTagRule(c echo.Context) error {
	id, err := idParam(c, "tag rule")
	if err != nil {
		return err
	}
	return reply(c, gone(), a.Store.DeleteTagRule(c.Request().Context(), caller(c), id))
}

// previewTagRule says what a rule would match, and keeps nothing.
func (a *api) previewTagRule(c echo.Context) error {
	var in tagRuleRequest
	if err := bind(c, &in); err != nil {
		return err
	}
	preview := func(by store.Caller) (answer, error) {
		var rule survey.TagRule
		in.into(&rule)
		seen, err := a.Store.PreviewTagRule(c.Request().Context(), by, rule)
		if err != nil {
			return answer{}, err
		}
		out := struct {
			store.Latest
			Matched int                `json:"matched"`
			Samples []responseResponse `json:"samples"`
		}{seen.Latest, seen.Matched, make([]responseResponse, len(seen.Samples))}
		for i, r := range seen.Samples {
			out.Samples[i] = responseOf(r)
		}
		return okay(out, ""), nil
	}
	return a.once(c, preview, func(by store.Caller, _ string) (answer, error) { return preview(by) })
}

// showTags says which tags come with unhappy answers.
func (a *api) showTags(c echo.Context) error {
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
	tags, err := a.tags(c.Request().Context(), caller(c), filter, f)
	if err != nil {
		return err
	}
	return sendReport(c, media, "tags", tags)
}

// maxTagPeriods is how many periods a report of tags may have: each tag has all.
const maxTagPeriods = 120

// tags scores every tag of a range.
func (a *api) tags(ctx context.Context, by store.Caller, filter store.ScoreFilter, f frame) (report.Tags, error) {
	periods, err := a.periods(ctx, by, filter, f)
	if err != nil {
		return report.Tags{}, err
	}
	if len(periods) > maxTagPeriods {
		return report.Tags{}, survey.Errorf(survey.Invalid, "interval", "%s cuts this range into %d periods, tags have at most %d: ask for a longer interval or a shorter range",
			f.interval, len(periods), maxTagPeriods)
	}
	spans := f.spans(periods)
	counted, err := a.Store.Tally(ctx, by, store.ScoreQuery{ScoreFilter: filter, Spans: spans, SplitSpans: len(spans), GroupBy: store.ByTag})
	if err != nil {
		return report.Tags{}, err
	}
	return report.NewTags(f.reported(counted, periods))
}

// suggestTags names terms that no rule looks for yet.
func (a *api) suggestTags(c echo.Context) error {
	f, err := a.responseFilter(c, queryOf(c))
	if err != nil {
		return err
	}
	found, err := a.Store.SuggestTags(c.Request().Context(), caller(c), f)
	if err != nil {
		return err
	}
	return send(c, okay(struct {
		store.Latest
		Unhappy int                   `json:"unhappy"`
		From    *survey.Instant       `json:"from"`
		To      *survey.Instant       `json:"to"`
		Data    []store.SuggestedTerm `json:"data"`
	}{found.Latest, found.Unhappy, f.From, f.To, found.Terms}, ""))
}
