package api

import (
	"context"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"koe/survey"
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
const commentQuery = "from? until? compare? touchpoint? survey? segment? value? follow_up? tag? q? score? cursor? format lang"

// mostCounted is how many comments of a range the page looks at to count them.
const mostCounted = 10_000

// What the filter of scores offers.
const (
	scoreUnhappy = "unhappy"
	scoreHappy   = "happy"
)

// commentsAsked is what the page of comments is asked for.
type commentsAsked struct {
	days     dayRange
	q        query
	mood     string
	surveys  []survey.Survey // that the member sees
	segments []string        // that can be narrowed to a value: of the chosen survey, or of all
}

func (a *api) commentsAsked(c echo.Context, v visit) (out commentsAsked, err error) {
	out.q = queryOf(c)
	if out.days, err = a.dayRange(c, v); err != nil {
		return out, err
	}
	if out.q["score"] != "" {
		if out.mood, err = out.q.oneOf("score", scoreUnhappy, scoreHappy); err != nil {
			return out, err
		}
	}
	if out.surveys, err = a.surveysSeen(c.Request().Context(), v); err != nil {
		return out, err
	}
	for _, one := range out.surveys {
		if chosen := out.q["survey"]; chosen == "" || chosen == one.ID.String() || chosen == one.Key {
			out.segments = append(out.segments, one.Segments...)
		}
	}
	slices.Sort(out.segments)
	out.segments = slices.Compact(out.segments)
	if name := out.segment(); name != "" && !slices.Contains(out.segments, name) {
		err = survey.Errorf(survey.Invalid, "segment", "no survey here has the segment %q; choose one that the survey has, or another survey", name)
	}
	return out, err
}

// segment is the one that a value was given for; "" for none.
func (w commentsAsked) segment() string {
	if w.q["value"] == "" {
		return ""
	}
	return w.q["segment"]
}

// scores are the same filters, as far as scores have them.
func (w commentsAsked) scores() store.ScoreFilter {
	f := store.ScoreFilter{Touchpoint: w.q["touchpoint"], Survey: w.q["survey"]}
	if name := w.segment(); name != "" {
		f.Attributes = map[string]string{name: w.q["value"]}
	}
	return f
}

// surveysSeen are the surveys at the touchpoints that a member sees.
func (a *api) surveysSeen(ctx context.Context, v visit) ([]survey.Survey, error) {
	var seen []survey.Survey
	for page := (store.Page{Limit: 500}); ; {
		list, next, err := a.Store.Surveys(ctx, v.by, store.SurveyFilter{}, page)
		if err != nil {
			return nil, err
		}
		for _, one := range list {
			if v.seesTouchpoint(one.Touchpoint) {
				seen = append(seen, one)
			}
		}
		if page.Cursor = next; next == "" {
			return seen, nil
		}
	}
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
	if name := w.segment(); name != "" {
		q["attributes."+name] = w.q["value"]
	}
	return q
}

// address is the page's own, with other values for some of its parameters; ""
// takes one away.
func (w commentsAsked) address(path string, changes ...string) string {
	values := w.days.values()
	for _, name := range []string{"touchpoint", "survey", "segment", "value", "follow_up", "tag", "q", "score"} {
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
	c.Set(queryKey, asked.asked("touchpoint", "survey", "follow_up", "tag", "q"))
	filter, err := a.responseFilter(c, queryOf(c))
	if err != nil {
		return err
	}
	filter.HasComment, filter.Mood = new(true), store.Mood(asked.mood)
	if format == "csv" {
		return a.sendResponses(c, filter, "comments.csv", true)
	}
	f, err := a.framed(c, asked.days)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	list, next, err := a.Store.Responses(ctx, v.by, filter, store.Page{Limit: commentsShown, Cursor: asked.q["cursor"]})
	if err != nil {
		return err
	}
	page := templates.CommentsPage{Zone: f.zone, MayEdit: Editors.admit(v.by) == nil, CSV: asked.address(commentsPath, "format", "csv")}
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
	if asked.q["cursor"] == "" { // the first page says it
		if page.Count, page.CountBefore, err = a.countComments(ctx, v.by, filter, f); err != nil {
			return err
		}
	}
	tags, err := a.reasons(ctx, v, asked, f)
	if err != nil {
		return err
	}
	page.Reasons = templates.TagTable{Report: tags, Most: topReasons, More: asked.address(tagsPath, "tag", "", "q", "", "score", "", "follow_up", ""),
		Links: func(tag string) string { return asked.address(commentsPath, "tag", tag, "cursor", "") }}
	page.CommentFilter = commentFilter(commentsPath, asked, f, names, tags)
	return showPage(c, http.StatusOK, pagePolicy, func(out io.Writer) error { return a.Words.CommentsPage(out, a.dashboard(c), page) })
}

// commentOf is an answer as a page shows it.
func commentOf(r survey.Response, names map[string]string) templates.Comment {
	return templates.Comment{ID: r.ID, Score: r.Score, Measure: r.Measure, Text: r.Comment, Locale: r.Locale, At: r.RespondedAt, Touchpoint: names[r.Touchpoint],
		Tags: r.Tags, RuleTags: r.RuleTags, Link: dashboardPath + "/responses/" + r.ID.String()}
}

// countComments counts what the filters let through, and what they would have
// in the range that is compared with; nil where nothing is.
func (a *api) countComments(ctx context.Context, by store.Caller, filter store.ResponseFilter, f frame) (now, before *templates.Found, err error) {
	count := func() (*templates.Found, error) {
		found, err := a.Store.CountComments(ctx, by, filter, mostCounted)
		return &templates.Found{N: found.N, More: found.More}, err
	}
	if now, err = count(); err != nil || f.before == nil {
		return now, nil, err
	}
	filter.From, filter.To = f.before.From, f.before.To
	before, err = count()
	return now, before, err
}

func commentFilter(action string, asked commentsAsked, in frame, names map[string]string, tags *report.Tags) templates.CommentFilter {
	f := templates.CommentFilter{Action: action, Range: asked.days.shown(in), Touchpoint: asked.q["touchpoint"], Tag: asked.q["tag"],
		Q: asked.q["q"], Score: asked.mood, Scores: []string{scoreUnhappy, scoreHappy}, Segment: asked.q["segment"], Value: asked.q["value"], Segments: asked.segments,
		FollowUp: asked.q["follow_up"], FollowUps: []string{store.Unresolved, string(survey.FollowUpOpen), string(survey.FollowUpInProgress), string(survey.FollowUpResolved), store.NoFollowUp}}
	for _, one := range asked.surveys {
		chosen := asked.q["survey"] != "" && (asked.q["survey"] == one.Key || asked.q["survey"] == one.ID.String())
		f.Surveys = append(f.Surveys, templates.Choice{Value: one.ID.String(), Name: one.Name, Chosen: chosen})
	}
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
func (a *api) reasons(ctx context.Context, v visit, asked commentsAsked, f frame) (*report.Tags, error) {
	tags, err := a.tags(ctx, v.by, asked.scores(), f)
	if is(err, survey.Invalid) { // of the metric: the rest was read before
		return nil, nil
	}
	return &tags, err
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
