package api

import (
	"context"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"koe/survey"
	"koe/survey/history"
	"koe/survey/report"
	"koe/survey/store"
	"koe/templates"
)

// What the page of comments shows of long lists.
const (
	commentsShown = 25
	topReasons    = 3
	tagsOffered   = 50
)

// commentQuery are the filters of the page of comments: an empty field of the
// form is no filter.
const commentQuery = "from? until? compare? touchpoint? tag? q? score? cursor? format lang"

// What the filter of scores offers.
const (
	scoreUnhappy = "unhappy"
	scoreHappy   = "happy"
)

// commentsAsked is what the page of comments is asked for.
type commentsAsked struct {
	days dayRange
	q    query
	mood string
}

func (a *api) commentsAsked(c echo.Context, v visit) (out commentsAsked, err error) {
	out.q = queryOf(c)
	if out.days, err = a.dayRange(c, v); err != nil {
		return out, err
	}
	if out.q["score"] != "" {
		out.mood, err = out.q.oneOf("score", scoreUnhappy, scoreHappy)
	}
	return out, err
}

// asked is the same as the API's query says it.
func (w commentsAsked) asked(names ...string) query {
	q := w.days.asked()
	delete(q, "compare")
	for _, name := range names {
		if w.q[name] != "" {
			q[name] = w.q[name]
		}
	}
	return q
}

// address is the page's own, with other values for some of its parameters; ""
// takes one away.
func (w commentsAsked) address(path string, changes ...string) string {
	values := url.Values{"from": {w.days.from.String()}, "until": {w.days.until.String()}}
	for _, name := range []string{"touchpoint", "tag", "q", "score"} {
		if w.q[name] != "" {
			values.Set(name, w.q[name])
		}
	}
	for i := 0; i+1 < len(changes); i += 2 {
		if values.Del(changes[i]); changes[i+1] != "" {
			values.Set(changes[i], changes[i+1])
		}
	}
	return path + "?" + values.Encode()
}

const (
	commentsPath = dashboardPath + "/comments"
	tagsPath     = dashboardPath + "/tags"
)

// showComments is the page of comments, or a CSV file of all that its filters
// let through.
func (a *api) showComments(c echo.Context, v visit) error {
	format, err := queryOf(c).oneOf("format", "csv")
	if err != nil {
		return err
	}
	asked, err := a.commentsAsked(c, v)
	if err != nil {
		return err
	}
	c.Set(queryKey, asked.asked("touchpoint", "tag", "q"))
	filter, err := a.responseFilter(c, queryOf(c))
	if err != nil {
		return err
	}
	filter.HasComment, filter.Mood = new(true), store.Mood(asked.mood)
	if format == "csv" {
		return a.sendComments(c, v, filter)
	}
	ctx := c.Request().Context()
	list, next, err := a.Store.Responses(ctx, v.by, filter, store.Page{Limit: commentsShown, Cursor: asked.q["cursor"]})
	if err != nil {
		return err
	}
	zone, err := survey.LoadZone(v.workspace.Timezone)
	if err != nil {
		return err
	}
	page := templates.CommentsPage{Zone: zone, MayEdit: Editors.admit(v.by) == nil, CSV: asked.address(commentsPath, "format", "csv")}
	if next != "" {
		page.Next = asked.address(commentsPath, "cursor", next)
	}
	names, err := a.touchpointNames(ctx, v)
	if err != nil {
		return err
	}
	for _, r := range list {
		page.Comments = append(page.Comments, commentOf(r, names))
	}
	tags, err := a.reasons(c, v, asked, store.ScoreFilter{Touchpoint: asked.q["touchpoint"]})
	if err != nil {
		return err
	}
	page.Reasons = templates.TagTable{Report: tags, Most: topReasons, More: asked.address(tagsPath, "tag", "", "q", "", "score", ""),
		Links: func(tag string) string { return asked.address(commentsPath, "tag", tag, "cursor", "") }}
	page.CommentFilter = commentFilter(commentsPath, asked, names, tags)
	return showPage(c, http.StatusOK, pagePolicy, func(out io.Writer) error { return a.Words.CommentsPage(out, a.dashboard(c), page) })
}

// commentOf is an answer as a page shows it.
func commentOf(r survey.Response, names map[string]string) templates.Comment {
	return templates.Comment{ID: r.ID, Score: r.Score, Measure: r.Measure, Text: r.Comment, Locale: r.Locale, At: r.RespondedAt, Touchpoint: names[r.Touchpoint],
		Tags: r.Tags, RuleTags: r.RuleTags, Link: dashboardPath + "/responses/" + r.ID.String()}
}

func commentFilter(action string, asked commentsAsked, names map[string]string, tags *report.Tags) templates.CommentFilter {
	f := templates.CommentFilter{Action: action, From: asked.days.from, Until: asked.days.until, Touchpoint: asked.q["touchpoint"], Tag: asked.q["tag"],
		Q: asked.q["q"], Score: asked.mood, Scores: []string{scoreUnhappy, scoreHappy}}
	for _, key := range slices.Sorted(maps.Keys(names)) {
		f.Touchpoints = append(f.Touchpoints, templates.TouchpointChoice{Key: key, Name: names[key]})
	}
	if tags != nil {
		for _, tag := range tags.Data[:min(len(tags.Data), tagsOffered)] {
			f.Tags = append(f.Tags, tag.Tag)
		}
	}
	return f
}

// touchpointNames are the names of the touchpoints that a member sees, by key.
func (a *api) touchpointNames(ctx context.Context, v visit) (map[string]string, error) {
	names := map[string]string{}
	page := store.Page{Limit: 500}
	for {
		list, next, err := a.Store.Touchpoints(ctx, v.by, page)
		if err != nil {
			return nil, err
		}
		for _, t := range list {
			if v.seesTouchpoint(t.Key) {
				names[t.Key] = t.Name
			}
		}
		if page.Cursor = next; next == "" {
			return names, nil
		}
	}
}

// reasons are the tags of a range; nil where there are several kinds of scores.
func (a *api) reasons(c echo.Context, v visit, asked commentsAsked, filter store.ScoreFilter) (*report.Tags, error) {
	c.Set(queryKey, asked.days.asked())
	f, err := a.frame(c)
	if err != nil {
		return nil, err
	}
	tags, err := a.tags(c.Request().Context(), v.by, filter, f)
	if is(err, survey.Invalid) { // of the metric: the rest was read before
		return nil, nil
	}
	return &tags, err
}

// sendComments exports what the page shows, all of it.
func (a *api) sendComments(c echo.Context, v visit, filter store.ResponseFilter) error {
	ctx := c.Request().Context()
	names, err := a.Store.ExportedNames(ctx, v.by, filter)
	if err != nil {
		return err
	}
	header := c.Response().Header()
	header.Set("Content-Type", mediaCSV+"; charset=utf-8")
	header.Set("Content-Disposition", `attachment; filename="comments.csv"`)
	out, err := history.WriteCSV(c.Response(), names.Attributes, names.Questions, true)
	if err != nil {
		return err
	}
	if err := a.Store.Export(ctx, v.by, filter, out.Write); err != nil {
		return err
	}
	return out.Flush()
}

// tagResponse is what the forms beside a comment post: a tag to add, or one to
// remove.
func (a *api) tagResponse(c echo.Context, v visit) error {
	id, err := idParam(c, "response")
	if err != nil {
		return err
	}
	form, err := readForm(c)
	if err != nil {
		return err
	}
	added, removed := strings.TrimSpace(form.Get("add")), form.Get("remove")
	_, _, err = a.Store.ChangeResponse(c.Request().Context(), v.by, id, func(r *store.ResponseChange) error {
		r.Tags = slices.DeleteFunc(r.Tags, func(tag string) bool { return tag == removed })
		if added != "" && !slices.Contains(r.Tags, added) {
			r.Tags = append(r.Tags, added)
		}
		return nil
	})
	if err != nil {
		return err
	}
	back := onward(form.Get("back"))
	if back == "" {
		back = dashboardPath + "/responses/" + id.String()
	}
	return c.Redirect(http.StatusSeeOther, back)
}
