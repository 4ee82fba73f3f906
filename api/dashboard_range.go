package api

import (
	"io"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"koe/survey"
	"koe/templates"
)

// framed is what a range and its comparison are to a report.
func (a *api) framed(c echo.Context, days dayRange) (frame, error) {
	c.Set(queryKey, days.asked())
	return a.frame(c)
}

// shown is the range as a page shows it.
func (r dayRange) shown(f frame) templates.Range {
	out := templates.Range{From: r.from, Until: r.until, Zone: f.zone.String(), Compare: r.compare, Compares: compares()}
	if f.before != nil {
		out.Before = []survey.Day{survey.DayOf(*f.before.From, f.zone), survey.DayOf(*f.before.To-1, f.zone)}
	}
	return out
}

// stream sends a file while it is made. Making it calls going now and then: a
// slow reader is waited for as long as there is something to read. Where it
// fails before anything has left, that is answered like any other error.
func stream(c echo.Context, media, file string, making func(out io.Writer, going func()) error) error {
	header := c.Response().Header()
	header.Set("Content-Type", media)
	header.Set("Content-Disposition", `attachment; filename="`+file+`"`)
	control := http.NewResponseController(c.Response())
	err := making(c.Response(), func() { _ = control.SetWriteDeadline(time.Now().Add(patience)) })
	switch {
	case err == nil:
	case c.Response().Committed:
		cutOff(c)
	default:
		header.Del("Content-Disposition")
	}
	return err
}
