package api

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"koe/survey"
	"koe/survey/report"
	"koe/survey/store"
)

// csvType is what CSV files go out as.
const csvType = mediaCSV + "; charset=utf-8"

// tables begins a CSV file: report.NewCSV, or report.NewMarkedCSV for a reader at
// a spreadsheet.
type tables func(to io.Writer, columns ...string) (*report.CSV, error)

// sendFollowUps sends all follow-ups that a filter lets through as a CSV file.
func (a *api) sendFollowUps(c echo.Context, f store.FollowUpFilter, begin tables) error {
	now := survey.InstantOf(a.Now())
	return stream(c, csvType, "follow-ups.csv", func(to io.Writer, going func()) error {
		out, err := begin(to, report.FollowUpColumns()...)
		if err != nil {
			return err
		}
		if c.Request().Method == http.MethodHead {
			return nil
		}
		written := 0
		if err := a.Store.ExportFollowUps(c.Request().Context(), caller(c), f, func(one survey.FollowUp) error {
			if written++; written%100 == 1 {
				going()
			}
			return out.Write(report.FollowUpCells(one, now))
		}); err != nil {
			return err
		}
		return out.Flush()
	})
}

// aboutColumns are those of the CSV file of a page about one thing: what kind of
// row it is, what is said, and where it fits what was said of the range before,
// when it happened, and for when it was planned.
var aboutColumns = []string{"row", "name", "value", "previous", "at", "planned"}

// about writes the CSV file of a page about one thing, and remembers what failed.
type about struct {
	out *report.CSV
	err error
}

func newAbout(to io.Writer) *about {
	out, err := report.NewMarkedCSV(to, aboutColumns...)
	return &about{out, err}
}

func (t *about) row(cells map[string]string) {
	if t.err == nil {
		t.err = t.out.Write(cells)
	}
}

func (t *about) say(row, name, value string) {
	t.row(map[string]string{"row": row, "name": name, "value": value})
}

// count says how many, and how many before where that was counted.
func (t *about) count(row, name string, now int, before *int) {
	cells := map[string]string{"row": row, "name": name, "value": strconv.Itoa(now)}
	if before != nil {
		cells["previous"] = strconv.Itoa(*before)
	}
	t.row(cells)
}

func (t *about) event(e store.Event) {
	t.row(map[string]string{"row": "event", "name": e.Type, "value": eventDetail(e, true), "at": e.At.String()})
}

// attributes says them by name.
func (t *about) attributes(of survey.Attributes) {
	for _, name := range slices.Sorted(maps.Keys(of)) {
		t.say("attribute", name, of[name].Text())
	}
}

// answers says what was answered to questions, by their keys.
func (t *about) answers(of survey.Answers) error {
	for _, key := range slices.Sorted(maps.Keys(of)) {
		value, is := of[key].(string)
		if !is {
			raw, err := json.Marshal(of[key])
			if err != nil {
				return err
			}
			value = string(raw)
		}
		t.say("answer", key, value)
	}
	return nil
}

// response says what is known of an answer.
func (t *about) response(r survey.Response) error {
	for _, cell := range [][2]string{{"id", r.ID.String()}, {"survey_id", r.Survey.String()}, {"touchpoint", r.Touchpoint}, {"metric", r.Metric},
		{"score", strconv.Itoa(r.Score)}, {"comment", r.Comment}, {"responded_at", r.RespondedAt.String()}, {"locale", r.Locale}, {"channel", r.Channel},
		{"excluded_reason", r.Excluded}} {
		t.say("response", cell[0], cell[1])
	}
	if p := r.Person; p != nil {
		for _, cell := range [][2]string{{"id", p.ID.String()}, {"external_id", p.ExternalID}, {"email", p.Email}, {"name", p.Name}} {
			t.say("customer", cell[0], cell[1])
		}
	}
	for _, tag := range r.Tags {
		t.say("tag", tag, "")
	}
	t.attributes(r.Attributes)
	return t.answers(r.Answers)
}

// followUp says how a follow-up stands, with its notes.
func (t *about) followUp(f survey.FollowUp, now survey.Instant) {
	cells := report.FollowUpCells(f, now)
	for _, column := range report.FollowUpColumns() {
		if !strings.Contains(column, ".") { // what is of the answer and its customer is said of the answer
			t.say("follow_up", column, cells[column])
		}
	}
	for _, note := range f.Notes {
		t.row(map[string]string{"row": "note", "name": note.By, "value": note.Text, "at": note.At.String()})
	}
}

// sendAbout sends what do says of one thing.
func sendAbout(c echo.Context, file string, do func(t *about, going func()) error) error {
	return stream(c, csvType, file+".csv", func(to io.Writer, going func()) error {
		t := newAbout(to)
		if err := do(t, going); err != nil {
			return err
		}
		if t.err != nil {
			return t.err
		}
		return t.out.Flush()
	})
}

// sendDecisions adds what a survey decided, the newest first.
func (a *api) sendDecisions(ctx context.Context, by store.Caller, t *about, of survey.ID, f store.DecisionFilter, going func()) error {
	for page := (store.Page{Limit: 500}); ; {
		list, next, err := a.Store.Decisions(ctx, by, of.String(), f, page)
		if err != nil {
			return err
		}
		going()
		for _, d := range list {
			cells := map[string]string{"row": "decision", "name": decisionName(d.Reason), "at": d.CreatedAt.String()}
			if d.Invitation != nil {
				cells["value"], cells["planned"] = string(d.Invitation.State), d.Invitation.SendAt.String()
			}
			t.row(cells)
		}
		if page.Cursor = next; next == "" || t.err != nil {
			return t.err
		}
	}
}

// decisionName is what a decision came to.
func decisionName(reason survey.Reason) string {
	if reason == "" {
		return "asked"
	}
	return string(reason)
}
