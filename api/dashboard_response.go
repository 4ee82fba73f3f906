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
	"koe/survey/store"
	"koe/templates"
)

// showResponsePage is the page of one answer, with its story.
func (a *api) showResponsePage(c echo.Context, v visit) error {
	id, err := idParam(c, "response")
	if err != nil {
		return err
	}
	format, err := queryOf(c).oneOf("format", "csv")
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	r, events, err := a.Store.Response(ctx, v.by, id)
	if err != nil {
		return err
	}
	f, followed, err := a.Store.FollowUpOfResponse(ctx, v.by, r.ID)
	if err != nil && !is(err, survey.NotFound) { // it may not be theirs to see
		return err
	}
	if err != nil {
		f = nil
	}
	story, err := a.story(ctx, v.by, r, events, calledBack(f, followed))
	if err != nil {
		return err
	}
	if format == "csv" {
		return sendAbout(c, "answer", func(t *about, _ func()) error {
			for _, h := range story {
				t.row(map[string]string{"row": "event", "name": h.Key, "value": h.Detail, "at": survey.InstantOf(h.At).String()})
			}
			return t.response(r)
		})
	}
	page, err := a.responsePage(ctx, v, r)
	if err != nil {
		return err
	}
	if page.Story = story; f != nil {
		page.FollowUp = &templates.FollowUpLink{Address: dashboardPath + "/follow-ups/" + f.ID.String(), State: f.State}
	}
	return showPage(c, http.StatusOK, pagePolicy, func(out io.Writer) error { return a.Words.ResponsePage(out, a.dashboard(c), page) })
}

// responsePage gathers what the page says of the answer itself.
func (a *api) responsePage(ctx context.Context, v visit, r survey.Response) (page templates.ResponsePage, err error) {
	names, err := a.touchpointNames(ctx, v)
	if err != nil {
		return page, err
	}
	place, err := a.Store.Survey(ctx, v.by, r.Survey.String())
	if err != nil {
		return page, err
	}
	zone, err := survey.LoadZone(v.workspace.Timezone)
	if err != nil {
		return page, err
	}
	page = templates.ResponsePage{Comment: commentOf(r, names), Response: r, Zone: zone, Survey: place.Name, Channel: r.Channel, Excluded: r.Excluded != "",
		MayEdit: Editors.admit(v.by) == nil}
	if r.Person != nil {
		page.Customer = r.Person.Name
		for _, name := range []string{r.Person.Email, r.Person.ExternalID} {
			if page.Customer == "" {
				page.Customer = name
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.Attributes)) {
		page.Attribute = append(page.Attribute, templates.NamedValue{Name: name, Value: r.Attributes[name].Text()})
	}
	template, err := a.Store.TemplateVersion(ctx, v.by, r.Template, r.TemplateVersion)
	if err != nil {
		return page, err
	}
	page.Template = template.Template
	return page, nil
}

// storyWords are the events that a story has words for.
var storyWords = map[string]string{"scheduled": "scheduled", "sent": "sent", "answered": "answered", "edited": "edited", "excluded": "excluded",
	"included": "included", "erased": "erased", "bounced": "bounced", "soft_bounced": "delayed", "delayed": "delayed",
	"reminder_1_sent": "reminded", "reminder_2_sent": "reminded", "reminder_3_sent": "reminded"}

// passing are events that nobody wants to read about.
var passing = []string{"claimed", "sending"}

// followUpWords are the events of a follow-up that the story of its answer tells.
var followUpWords = []string{"opened", "resolved", "confirmed", "reopened", "unconfirmed", "escalated"}

// calledBack is what became of the follow-up of an answer, nil for none.
func calledBack(f *survey.FollowUp, events []store.Event) (story []templates.Happened) {
	if f == nil {
		return nil
	}
	for _, e := range events {
		if slices.Contains(followUpWords, e.Type) {
			story = append(story, templates.Happened{At: e.At.Time(), Key: "follow_up_" + e.Type})
		}
	}
	if f.TouchedAt != nil {
		who := ""
		if f.Owner != nil {
			who = f.Owner.Name
		}
		story = append(story, templates.Happened{At: f.TouchedAt.Time(), Key: "called_back", Detail: who})
	}
	return story
}

// story is what happened to an answer, the invitation that it came of, and its
// follow-up.
func (a *api) story(ctx context.Context, by store.Caller, r survey.Response, events []store.Event, followed []templates.Happened) ([]templates.Happened, error) {
	if r.Invitation != nil {
		_, before, err := a.Store.Invitation(ctx, by, *r.Invitation)
		if err != nil && !is(err, survey.NotFound) {
			return nil, err
		}
		events = slices.Concat(before, events)
	}
	story := make([]templates.Happened, 0, len(events)+1)
	answered := false
	for _, e := range events {
		if slices.Contains(passing, e.Type) {
			continue
		}
		key, known := storyWords[e.Type]
		if !known {
			key = "other"
		}
		answered = answered || key == "answered"
		story = append(story, templates.Happened{At: e.At.Time(), Key: key, Detail: eventDetail(e, known)})
	}
	if !answered {
		story = slices.Insert(story, 0, templates.Happened{At: r.RespondedAt.Time(), Key: "answered"}) // before what became of it in the same instant
	}
	story = append(story, followed...)
	slices.SortStableFunc(story, func(a, b templates.Happened) int { return a.At.Compare(b.At) })
	return story, nil
}

func eventDetail(e store.Event, known bool) string {
	parts := []string{e.Reason, e.Detail}
	if !known {
		parts = append([]string{e.Type}, parts...)
	}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), " · ")
}
