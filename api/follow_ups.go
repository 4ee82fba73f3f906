package api

import (
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"koe/survey"
	"koe/survey/report"
	"koe/survey/shown"
	"koe/survey/store"
)

// followUpResponse is one follow-up with its story.
type followUpResponse struct {
	shown.FollowUp
	Notes  []survey.FollowUpNote `json:"notes"`
	Events []store.Event         `json:"events"`
}

func (a *api) followUpOf(f survey.FollowUp, events []store.Event) followUpResponse {
	out := followUpResponse{shown.NewFollowUp(f, survey.InstantOf(a.Now())), f.Notes, events}
	if out.Notes == nil {
		out.Notes = []survey.FollowUpNote{}
	}
	return out
}

// listFollowUps is a page of them, or all as a CSV file.
func (a *api) listFollowUps(c echo.Context) error {
	q := queryOf(c)
	media, err := reportMedia(c, mediaJSON, mediaCSV)
	if err != nil {
		return err
	}
	page, err := q.page()
	if err != nil {
		return err
	}
	f, err := a.followUpFilter(c, q)
	if err != nil {
		return err
	}
	c.Response().Header().Set("Vary", "Accept")
	if media == mediaCSV {
		if q["limit"] != "" || q["cursor"] != "" {
			return survey.Errorf(survey.Invalid, "format", "a CSV file has all follow-ups that the filters let through; leave out limit and cursor")
		}
		return a.sendFollowUps(c, f, report.NewCSV)
	}
	list, next, err := a.Store.FollowUps(c.Request().Context(), caller(c), f, page)
	if err != nil {
		return err
	}
	out := make([]shown.FollowUp, len(list))
	for i, one := range list {
		out[i] = shown.NewFollowUp(one, survey.InstantOf(a.Now()))
	}
	return send(c, listed(out, next))
}

// followUpFilter reads what narrows and sorts a list. state may name several,
// parted by commas.
func (a *api) followUpFilter(c echo.Context, q query) (f store.FollowUpFilter, err error) {
	f = store.FollowUpFilter{Survey: q["survey"], Touchpoint: q["touchpoint"], Owner: q["owner"]}
	if said, given := q["state"]; given {
		for state := range strings.SplitSeq(said, ",") {
			if !slices.Contains(survey.FollowUpStates(), survey.FollowUpState(state)) {
				return f, survey.Errorf(survey.Invalid, "state", "state must be open, in_progress or resolved, or several of them parted by commas")
			}
			f.States = append(f.States, survey.FollowUpState(state))
		}
	}
	overdue, err := q.oneOf("overdue", "true", "false")
	if err != nil {
		return f, err
	}
	if overdue != "" {
		late := overdue == "true"
		f.Overdue = &late
	}
	order, err := q.oneOf("order", "newest", "due")
	if err != nil {
		return f, err
	}
	f.ByDue = order == "due"
	zone, err := a.zone(c)
	if err != nil {
		return f, err
	}
	f.From, f.To, err = q.span(zone)
	return f, err
}

func (a *api) summarizeFollowUps(c echo.Context) error {
	f, err := a.followUpFilter(c, queryOf(c))
	if err != nil {
		return err
	}
	sum, err := a.Store.FollowUpSummary(c.Request().Context(), caller(c), f)
	return reply(c, okay(sum, ""), err)
}

func (a *api) showFollowUp(c echo.Context) error {
	id, err := idParam(c, "follow-up")
	if err != nil {
		return err
	}
	f, events, err := a.Store.FollowUp(c.Request().Context(), caller(c), id)
	if err != nil {
		return err
	}
	return send(c, okay(a.followUpOf(f, events), ""))
}

// followUpPatch is what staff may change of a follow-up. Owner is a member's
// address, or null for nobody.
type followUpPatch struct {
	State   survey.FollowUpState `json:"state"`
	Owner   *string              `json:"owner"`
	Outcome *string              `json:"outcome"`
}

func (a *api) patchFollowUp(c echo.Context) error {
	id, err := idParam(c, "follow-up")
	if err != nil {
		return err
	}
	f, events, err := a.Store.ChangeFollowUp(c.Request().Context(), caller(c), id, func(v *store.FollowUpChange) error {
		var wanted followUpPatch
		if err := mergePatch(followUpPatch{v.State, shown.OrNull(v.Owner), shown.OrNull(v.Outcome)}, rawBody(c), &wanted); err != nil {
			return err
		}
		if wanted.Owner != nil && *wanted.Owner == "" {
			return survey.Errorf(survey.Invalid, "owner", "must be the address of a member, or null for nobody")
		}
		*v = store.FollowUpChange{State: wanted.State, Owner: orEmpty(wanted.Owner), Outcome: orEmpty(wanted.Outcome)}
		return nil
	})
	if err != nil {
		return err
	}
	return send(c, okay(a.followUpOf(f, events), ""))
}

func orEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

type followUpNoteRequest struct {
	Text string `json:"text"`
}

func (a *api) createFollowUpNote(c echo.Context) error {
	id, err := idParam(c, "follow-up")
	if err != nil {
		return err
	}
	var in followUpNoteRequest
	if err := bind(c, &in); err != nil {
		return err
	}
	ctx := c.Request().Context()
	return a.once(c, func(by store.Caller) (answer, error) {
		note, err := a.Store.AddNote(ctx, by, id, in.Text)
		return created(note, ""), err
	}, func(by store.Caller, resource string) (answer, error) {
		made, err := survey.ParseID(resource)
		if err != nil {
			return answer{}, err
		}
		note, err := a.Store.FollowUpNote(ctx, by, id, made)
		return created(note, ""), err
	})
}
