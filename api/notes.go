package api

import (
	"github.com/labstack/echo/v4"

	"koe/survey"
	"koe/survey/store"
)

// noteRequest is what an author may set of a note.
type noteRequest struct {
	Day        string `json:"day"`
	Text       string `json:"text"`
	Touchpoint string `json:"touchpoint"`
}

// into fills a note; a day that is none is Invalid on "day".
func (r noteRequest) into(n *survey.Note) error {
	day, err := survey.ParseDay(r.Day)
	if err != nil {
		return survey.Errorf(survey.Invalid, "day", "%s", err)
	}
	n.Day, n.Text, n.Touchpoint = day, r.Text, r.Touchpoint
	return nil
}

func (a *api) createNote(c echo.Context) error {
	var in noteRequest
	if err := bind(c, &in); err != nil {
		return err
	}
	var n survey.Note
	if err := in.into(&n); err != nil {
		return err
	}
	ctx := c.Request().Context()
	return a.once(c, func(by store.Caller) (answer, error) {
		made, err := a.Store.CreateNote(ctx, by, n)
		return created(made, ""), err
	}, func(by store.Caller, resource string) (answer, error) {
		id, err := survey.ParseID(resource)
		if err != nil {
			return answer{}, err
		}
		made, err := a.Store.Note(ctx, by, id)
		return created(made, ""), err
	})
}

func (a *api) listNotes(c echo.Context) error {
	q := queryOf(c)
	page, err := q.page()
	if err != nil {
		return err
	}
	f := store.NoteFilter{Touchpoint: q["touchpoint"]}
	if f.From, err = q.optionalDay("from"); err != nil {
		return err
	}
	if f.To, err = q.optionalDay("to"); err != nil {
		return err
	}
	items, next, err := a.Store.Notes(c.Request().Context(), caller(c), f, page)
	return reply(c, listed(items, next), err)
}

// optionalDay reads a day; nil where the parameter is not given.
func (q query) optionalDay(name string) (*survey.Day, error) {
	raw, given := q[name]
	if !given {
		return nil, nil
	}
	day, err := survey.ParseDay(raw)
	if err != nil {
		return nil, survey.Errorf(survey.Invalid, name, "%s %s", name, err)
	}
	return &day, nil
}

func (a *api) showNote(c echo.Context) error {
	id, err := idParam(c, "note")
	if err != nil {
		return err
	}
	n, err := a.Store.Note(c.Request().Context(), caller(c), id)
	return reply(c, okay(n, ""), err)
}

func (a *api) patchNote(c echo.Context) error {
	id, err := idParam(c, "note")
	if err != nil {
		return err
	}
	n, err := a.Store.ChangeNote(c.Request().Context(), caller(c), id, func(n *survey.Note) error {
		var changed noteRequest
		if err := mergePatch(noteRequest{n.Day.String(), n.Text, n.Touchpoint}, rawBody(c), &changed); err != nil {
			return err
		}
		return changed.into(n)
	})
	return reply(c, okay(n, ""), err)
}

func (a *api) deleteNote(c echo.Context) error {
	id, err := idParam(c, "note")
	if err != nil {
		return err
	}
	return reply(c, gone(), a.Store.DeleteNote(c.Request().Context(), caller(c), id))
}
