package api

import (
	"io"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"koe/survey"
	"koe/survey/store"
	"koe/templates"
)

// tagsQuery are the parameters of the page of tags: its filters, and what a form
// for a rule begins with.
const tagsQuery = "from? until? compare? touchpoint? survey? segment? value? rule? format lang"

// showTagsPage is the page of tags, or its table as CSV.
func (a *api) showTagsPage(c echo.Context, v visit) error {
	return a.tagsPage(c, v, http.StatusOK, templates.TagRuleForm{Tag: queryOf(c)["rule"], Keywords: queryOf(c)["rule"]}, "")
}

func (a *api) tagsPage(c echo.Context, v visit, code int, form templates.TagRuleForm, problem string) error {
	ctx := c.Request().Context()
	format, err := queryOf(c).oneOf("format", "csv")
	if err != nil {
		return err
	}
	asked, err := a.commentsAsked(c, v)
	if err != nil {
		return err
	}
	f, err := a.framed(c, asked.days)
	if err != nil {
		return err
	}
	f.interval = asked.days.tagInterval()
	tags, err := a.reasons(ctx, v, asked, f)
	if err != nil {
		return err
	}
	if format == "csv" && tags != nil {
		return sendReport(c, mediaCSV, "tags", *tags)
	}
	names, err := a.touchpointNames(ctx, v)
	if err != nil {
		return err
	}
	page := templates.TagsPage{CommentFilter: commentFilter(tagsPath, asked, f, names, tags), MayEdit: Editors.admit(v.by) == nil, Form: form, Problem: problem}
	page.Reasons = templates.TagTable{Report: tags, Course: true, Links: func(tag string) string { return asked.address(commentsPath, "tag", tag) }}
	if tags != nil {
		page.CSV = asked.address(tagsPath, "format", "csv")
	}
	if page.Rules, _, err = a.Store.TagRules(ctx, v.by, store.Page{Limit: 500}); err != nil {
		return err
	}
	c.Set(queryKey, asked.asked("touchpoint", "survey"))
	filter, err := a.responseFilter(c, queryOf(c))
	if err != nil {
		return err
	}
	found, err := a.Store.SuggestTags(ctx, v.by, filter)
	if err != nil {
		return err
	}
	page.Comments = found.Comments
	for _, term := range found.Terms[:min(len(found.Terms), suggestionsShown)] {
		page.Suggestions = append(page.Suggestions, templates.TagSuggestion{Term: term.Term, Comment: term.Comment,
			Search: asked.address(commentsPath, "q", term.Term.Term), Rule: asked.address(tagsPath, "rule", term.Term.Term) + "#rule"})
	}
	return showPage(c, code, pagePolicy, func(out io.Writer) error { return a.Words.TagsPage(out, a.dashboard(c), page) })
}

// tagInterval cuts a range into as many periods as a table of tags has room for;
// "" where it is too long for any.
func (r dayRange) tagInterval() survey.Interval {
	switch days := r.until - r.from + 1; {
	case days <= 2*366:
		return survey.Monthly
	case days <= 8*366:
		return survey.Quarterly
	case days <= 30*366:
		return survey.Yearly
	}
	return ""
}

// suggestionsShown are those of the suggestions that the page has room for.
const suggestionsShown = 15

// postTagRule makes a rule of a form, or changes the one in the path.
func (a *api) postTagRule(c echo.Context, v visit) error {
	form, err := readForm(c)
	if err != nil {
		return err
	}
	in := templates.TagRuleForm{Tag: form.Get("tag"), Keywords: form.Get("keywords"), Touchpoint: form.Get("touchpoint")}
	fill := func(r *survey.TagRule) error {
		r.Tag, r.Keywords, r.Touchpoint = in.Tag, keywordLines(in.Keywords), in.Touchpoint
		return nil
	}
	ctx := c.Request().Context()
	var rule survey.TagRule
	if param(c, "id") == "" {
		_ = fill(&rule) // it never fails
		rule, err = a.Store.CreateTagRule(ctx, v.by, rule)
	} else {
		id, bad := idParam(c, "tag rule")
		if bad != nil {
			return bad
		}
		rule, err = a.Store.ChangeTagRule(ctx, v.by, id, fill)
	}
	if is(err, survey.Invalid) || is(err, survey.Conflict) {
		return a.tagsPage(c, v, http.StatusUnprocessableEntity, in, err.Error())
	}
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, tagsPath+"#rules")
}

// keywordLines are the lines of a form's field that hold something.
func keywordLines(text string) []string {
	var words []string
	for line := range strings.Lines(text) {
		if word := strings.TrimSpace(line); word != "" {
			words = append(words, word)
		}
	}
	return words
}

func (a *api) removeTagRule(c echo.Context, v visit) error {
	id, err := idParam(c, "tag rule")
	if err != nil {
		return err
	}
	if err := a.Store.DeleteTagRule(c.Request().Context(), v.by, id); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, tagsPath+"#rules")
}
