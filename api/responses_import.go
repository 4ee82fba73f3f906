package api

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"koe/survey"
	"koe/survey/history"
	"koe/survey/store"
)

// importReport is what became of a file of answers.
type importReport struct {
	Accepted   int64               `json:"accepted"`
	Skipped    int64               `json:"skipped"`  // blank and repeated
	Blank      int64               `json:"blank"`    // without a score
	Repeated   int64               `json:"repeated"` // kept before
	Rejected   int64               `json:"rejected"`
	Rejections []history.Rejection `json:"rejections"`
	Truncated  bool                `json:"rejections_truncated"`
	DryRun     bool                `json:"dry_run"`
	Notes      []string            `json:"notes"`
}

// patience is how long a client may take for the next piece of a body or an
// answer that is streamed.
const patience = 30 * time.Second

// streamed is a request's body, however long it is and takes.
type streamed struct {
	body    io.Reader
	control *http.ResponseController
}

func (s streamed) Read(b []byte) (int, error) {
	_ = s.control.SetReadDeadline(time.Now().Add(patience)) // where it is not supported, the server's own holds
	n, err := s.body.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		err = survey.Errorf(survey.Malformed, "", "the body did not arrive in full")
	}
	return n, err
}

// importResponses reads answers from the body while it arrives. What was kept
// before a body that cannot be read on stays, and is a repeat the next time.
func (a *api) importResponses(c echo.Context) error {
	q := queryOf(c)
	options, err := q.reading()
	if err != nil {
		return err
	}
	dry, err := q.oneOf("dry_run", "true", "false")
	if err != nil {
		return err
	}
	if q["survey"] == "" {
		return survey.Errorf(survey.Invalid, "survey", "is required: the id or key of the survey that was answered")
	}
	report := importReport{Rejections: []history.Rejection{}, DryRun: dry == "true"}
	control := http.NewResponseController(c.Response())
	body := streamed{c.Request().Body, control}
	done, err := a.Store.Import(c.Request().Context(), caller(c), store.Import{Survey: q["survey"], DryRun: report.DryRun,
		Open: func(t survey.Template, zone *time.Location) (*history.Reader, error) {
			if options.Zone == nil {
				options.Zone = zone
			}
			if media, _, _ := mime.ParseMediaType(c.Request().Header.Get("Content-Type")); media == mediaLines {
				return history.ReadJSONLines(body, options)
			}
			return history.ReadCSV(body, t, options)
		},
		Rejected: func(_ *history.Reader, _ history.Entry, why history.Rejection) error {
			if report.Truncated = len(report.Rejections) == maxRejections; !report.Truncated {
				report.Rejections = append(report.Rejections, why)
			}
			return nil
		}})
	_ = control.SetWriteDeadline(time.Now().Add(patience))
	if err != nil {
		return err
	}
	report.Accepted, report.Skipped, report.Rejected = done.Accepted, done.Skipped(), done.Rejected
	report.Blank, report.Repeated, report.Notes = done.Blank, done.Repeated, done.Notes()
	return send(c, okay(report, ""))
}

// mapPrefix begins a parameter that names the column of a field:
// map.score=NPS.
const mapPrefix = "map."

// reading is how the columns of a file are to be read. Zone is nil where none
// is named.
func (q query) reading() (o history.Options, err error) {
	for name, column := range q {
		if field, is := strings.CutPrefix(name, mapPrefix); is {
			if o.Columns == nil {
				o.Columns = map[string]string{}
			}
			o.Columns[field] = column
		}
	}
	o.Blank = history.ParseBlank(q["ignore"])
	if format := q["date_format"]; format != "" {
		if o.Dates, err = history.ParseDateFormat(format); err != nil {
			return o, survey.Errorf(survey.Invalid, "date_format", "%s", err)
		}
	}
	if name := q["timezone"]; name != "" {
		if o.Zone, err = survey.LoadZone(name); err != nil {
			return o, survey.Errorf(survey.Invalid, "timezone", "%s", err)
		}
	}
	return o, nil
}

// exportResponses writes responses while they are read.
func (a *api) exportResponses(c echo.Context) error {
	q := queryOf(c)
	f, err := a.responseFilter(c, q)
	if err != nil {
		return err
	}
	format, err := q.oneOf("format", "csv", "ndjson")
	if err != nil {
		return err
	}
	mark, err := q.oneOf("bom", "true", "false")
	if err != nil {
		return err
	}
	if format == "ndjson" {
		return stream(c, mediaLines, "responses.ndjson", func(to io.Writer, going func()) error {
			return a.export(c, f, history.WriteJSONLines(to), going)
		})
	}
	return a.sendResponses(c, f, "responses.csv", mark == "true")
}

// sendResponses exports the responses that a filter lets through as a CSV file.
func (a *api) sendResponses(c echo.Context, f store.ResponseFilter, file string, mark bool) error {
	f.CreatedUntil = new(survey.InstantOf(a.Now())) // an answer that comes between may have names without a column
	names, err := a.Store.ExportedNames(c.Request().Context(), caller(c), f)
	if err != nil {
		return err
	}
	return stream(c, csvType, file, func(to io.Writer, going func()) error {
		out, err := history.WriteCSV(to, names.Attributes, names.Questions, mark)
		if err != nil {
			return err
		}
		return a.export(c, f, out, going)
	})
}

func (a *api) export(c echo.Context, f store.ResponseFilter, out *history.Writer, going func()) error {
	if c.Request().Method == http.MethodHead {
		return nil
	}
	written := 0
	if err := a.Store.Export(c.Request().Context(), caller(c), f, func(r survey.Response) error {
		if written++; written%100 == 1 {
			going()
		}
		return out.Write(r)
	}); err != nil {
		return err
	}
	return out.Flush()
}

// cutOff closes the connection under an answer that cannot be finished, so that
// nobody takes it for a whole one.
func cutOff(c echo.Context) {
	if conn, _, err := http.NewResponseController(c.Response()).Hijack(); err == nil {
		_ = conn.Close()
	}
}
