package api

import (
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"koe/survey"
	"koe/survey/report"
	"koe/survey/store"
	"koe/templates"
)

// dashboardFollowUpRoutes are the pages of getting back to customers.
func dashboardFollowUpRoutes() []Route {
	return []Route{
		{"showFollowUpsPage", get, "/dashboard/follow-ups", Public, noBody, "",
			signedIn(Readers, "state? owner? touchpoint? overdue? from? until? compare? cursor format lang", (*api).showFollowUpsPage)},
		{"showFollowUpPage", get, "/dashboard/follow-ups/{id}", Public, noBody, "", signedIn(Readers, "format lang", (*api).showFollowUpPage)},
		{"changeFollowUpPage", post, "/dashboard/follow-ups/{id}", Public, formBody, "", signedIn(Editors, "", (*api).changeFollowUpPage)},
		{"notePage", post, "/dashboard/follow-ups/{id}/notes", Public, formBody, "", signedIn(Editors, "", (*api).notePage)},
	}
}

// zone is where the member's days are.
func (v visit) zone() *time.Location {
	for _, name := range []string{v.member.Timezone, v.workspace.Timezone} {
		if zone, err := survey.LoadZone(name); err == nil {
			return zone
		}
	}
	return time.UTC
}

// unresolved is what the list shows where nobody has chosen a state.
const unresolved = "unresolved"

// followUpsOnPage is how many stand on one page of the list.
const followUpsOnPage = 50

// showFollowUpsPage lists follow-ups, what is due first, beside how fast
// customers are got back to; or sends all that its filters let through as CSV.
func (a *api) showFollowUpsPage(c echo.Context, v visit) error {
	ctx, q := c.Request().Context(), queryOf(c)
	format, err := q.oneOf("format", "csv")
	if err != nil {
		return err
	}
	board := templates.FollowUpBoard{State: unresolved, Owner: q["owner"], Touchpoint: q["touchpoint"], Overdue: q["overdue"] != "", From: q["from"], Until: q["until"],
		Zone: v.zone(), Now: survey.InstantOf(a.Now()), Path: dashboardPath + "/follow-ups"}
	if q["state"] != "" {
		board.State = q["state"]
	}
	f, err := a.boardFilter(v, board)
	if err != nil {
		return err
	}
	if format == "csv" {
		return a.sendFollowUps(c, f, report.NewMarkedCSV)
	}
	if board.Owners, err = a.members(c, v); err != nil {
		return err
	}
	names, err := a.touchpointNames(ctx, v)
	if err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(names)) {
		board.Touchpoints = append(board.Touchpoints, templates.Choice{Value: key, Name: names[key]})
	}
	var next string
	if board.List, next, err = a.Store.FollowUps(ctx, v.by, f, store.Page{Limit: followUpsOnPage, Cursor: q["cursor"]}); err != nil {
		return err
	}
	board.CSV = boardAddress(board.Path, q, "format", "csv")
	if next != "" {
		board.Next = boardAddress(board.Path, q, "cursor", next)
	}
	if err := a.sumFollowUps(c, v, f, &board); err != nil {
		return err
	}
	return showPage(c, http.StatusOK, pagePolicy, func(out io.Writer) error { return a.Words.FollowUpBoard(out, a.dashboard(c), board) })
}

// boardAddress is the list's own, with another parameter.
func boardAddress(path string, q query, name, value string) string {
	values := url.Values{}
	for name, value := range q {
		if name != "cursor" && name != "lang" && value != "" {
			values.Set(name, value)
		}
	}
	values.Set(name, value)
	return path + "?" + values.Encode()
}

// sumFollowUps puts the figures above the list, of all states. A range with both
// ends is compared, if asked, with the one before.
func (a *api) sumFollowUps(c echo.Context, v visit, f store.FollowUpFilter, board *templates.FollowUpBoard) (err error) {
	ctx := c.Request().Context()
	f.States, f.Overdue = nil, nil
	if board.Sum, err = a.Store.FollowUpSummary(ctx, v.by, f); err != nil {
		return err
	}
	board.Range.Compares = compares()
	if board.Range.Compare, err = queryOf(c).compare(); err != nil || f.From == nil || f.To == nil {
		return err
	}
	days, err := a.dayRange(c, v)
	if err != nil {
		return err
	}
	in, err := a.framed(c, days)
	if err != nil {
		return err
	}
	if board.Range = days.shown(in); in.before == nil {
		return nil
	}
	f.From, f.To = in.before.From, in.before.To
	before, err := a.Store.FollowUpSummary(ctx, v.by, f)
	board.SumBefore = &before
	return err
}

// boardFilter is what the list's form asks for.
func (a *api) boardFilter(v visit, b templates.FollowUpBoard) (f store.FollowUpFilter, err error) {
	f = store.FollowUpFilter{Owner: b.Owner, Touchpoint: b.Touchpoint, ByDue: true}
	if f.Owner == "me" {
		f.Owner = v.member.Email
	}
	if b.Overdue {
		f.Overdue = &b.Overdue
	}
	switch {
	case b.State == unresolved:
		f.States = []survey.FollowUpState{survey.FollowUpOpen, survey.FollowUpInProgress}
	case b.State == "all":
	case slices.Contains(survey.FollowUpStates(), survey.FollowUpState(b.State)):
		f.States = []survey.FollowUpState{survey.FollowUpState(b.State)}
	default:
		return f, survey.Errorf(survey.Invalid, "state", "must be unresolved, open, in_progress, resolved or all")
	}
	zone, err := survey.LoadZone(v.workspace.Timezone)
	if err != nil {
		return f, err
	}
	for _, end := range []struct {
		raw  string
		into **survey.Instant
		more survey.Day
		name string
	}{{b.From, &f.From, 0, "from"}, {b.Until, &f.To, 1, "until"}} {
		if end.raw == "" {
			continue
		}
		day, err := survey.ParseDay(end.raw)
		if err != nil {
			return f, survey.Errorf(survey.Invalid, end.name, "must be a day such as 2026-01-31")
		}
		at := survey.StartOf(day+end.more, zone)
		*end.into = &at
	}
	return f, nil
}

// members are those who may own something.
func (a *api) members(c echo.Context, v visit) (list []survey.Member, err error) {
	page := store.Page{Limit: 500}
	for {
		some, next, err := a.Store.Members(c.Request().Context(), v.by, page)
		if err != nil {
			return nil, err
		}
		list = append(list, some...)
		if page.Cursor = next; next == "" {
			return slices.DeleteFunc(list, func(m survey.Member) bool { return m.Email == "" || m.Role == survey.Viewer }), nil
		}
	}
}

// showFollowUpPage shows one follow-up with its answer, story and notes, and to
// whom may change it the forms for that.
func (a *api) showFollowUpPage(c echo.Context, v visit) error {
	id, err := idParam(c, "follow-up")
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	format, err := queryOf(c).oneOf("format", "csv")
	if err != nil {
		return err
	}
	f, events, err := a.Store.FollowUp(ctx, v.by, id)
	if err != nil {
		return err
	}
	if format == "csv" {
		return sendAbout(c, "follow-up", func(t *about, _ func()) error {
			t.followUp(f, survey.InstantOf(a.Now()))
			for _, e := range events {
				t.event(e)
			}
			return t.response(f.Response)
		})
	}
	t, err := a.Store.TemplateVersion(ctx, v.by, f.Response.Template, f.Response.TemplateVersion)
	if err != nil {
		return err
	}
	members, err := a.members(c, v)
	if err != nil {
		return err
	}
	file := templates.FollowUpFile{FollowUp: f, Template: t.Template, Members: members, Zone: v.zone(), Now: survey.InstantOf(a.Now()),
		MayChange: Editors.admit(v.by) == nil, Path: dashboardPath + "/follow-ups/" + id.String(), List: dashboardPath + "/follow-ups"}
	for _, e := range events {
		file.Story = append(file.Story, templates.FollowUpStep{At: e.At, Type: e.Type, Reason: e.Reason, Detail: e.Detail})
	}
	return showPage(c, http.StatusOK, pagePolicy, func(out io.Writer) error { return a.Words.FollowUpFile(out, a.dashboard(c), file) })
}

// changeFollowUpPage keeps what the form says.
func (a *api) changeFollowUpPage(c echo.Context, v visit) error {
	id, err := idParam(c, "follow-up")
	if err != nil {
		return err
	}
	form, err := readForm(c)
	if err != nil {
		return err
	}
	if _, _, err := a.Store.ChangeFollowUp(c.Request().Context(), v.by, id, func(f *store.FollowUpChange) error {
		// what was left as it was shown is not set: others may have changed it since
		if form.Get("state") != form.Get("was_state") {
			f.State = survey.FollowUpState(form.Get("state"))
		}
		if form.Get("owner") != form.Get("was_owner") {
			f.Owner = form.Get("owner")
		}
		if form.Get("outcome") != form.Get("was_outcome") {
			f.Outcome = form.Get("outcome")
		}
		return nil
	}); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, dashboardPath+"/follow-ups/"+id.String())
}

func (a *api) notePage(c echo.Context, v visit) error {
	id, err := idParam(c, "follow-up")
	if err != nil {
		return err
	}
	form, err := readForm(c)
	if err != nil {
		return err
	}
	if _, err := a.Store.AddNote(c.Request().Context(), v.by, id, form.Get("text")); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, dashboardPath+"/follow-ups/"+id.String()+"#notes")
}
