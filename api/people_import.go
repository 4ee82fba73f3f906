package api

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"slices"

	"github.com/labstack/echo/v4"

	"koe/survey"
	"koe/survey/history"
	"koe/survey/store"
)

// peopleReport is what became of a file of people.
type peopleReport struct {
	Accepted   int                 `json:"accepted"`
	Rejected   int                 `json:"rejected"`
	Rejections []history.Rejection `json:"rejections"`
	Ignored    []string            `json:"ignored_columns"`
}

// maxRejections bounds a report.
const maxRejections = 1000

// peopleFile is a file of people that was read to its end.
type peopleFile struct {
	people     []survey.Person
	lines      []int // on which each of people begins
	rejections []history.Rejection
	ignored    []string
}

func (a *api) readPeople(c echo.Context) (peopleFile, error) {
	zone, err := a.zone(c)
	if err != nil {
		return peopleFile{}, err
	}
	file := peopleFile{rejections: []history.Rejection{}, ignored: []string{}}
	table, err := history.ReadPeople(bytes.NewReader(rawBody(c)), zone)
	if err != nil {
		return file, err
	}
	file.ignored = append(file.ignored, table.Ignored()...)
	for {
		person, line, problem, err := table.Next()
		switch {
		case errors.Is(err, io.EOF):
			return file, nil
		case err != nil:
			return file, err
		case problem != nil:
			file.rejections = append(file.rejections, history.Reject(line, problem))
		default:
			file.people, file.lines = append(file.people, person), append(file.lines, line)
		}
	}
}

// report adds what the store said of those that could be read.
func (f peopleFile) report(done store.PeopleImported) answer {
	rejections := slices.Clone(f.rejections)
	for _, p := range done.Problems {
		rejections = append(rejections, history.Rejection{Line: f.lines[p.Row], Field: p.Field, Reason: p.Reason})
	}
	slices.SortFunc(rejections, func(a, b history.Rejection) int { return cmp.Compare(a.Line, b.Line) })
	return okay(peopleReport{Accepted: done.Accepted, Rejected: len(rejections),
		Rejections: rejections[:min(len(rejections), maxRejections)], Ignored: f.ignored}, "")
}

// importPeople takes over a CSV file of people. A file that cannot be read to
// its end is refused as a whole.
func (a *api) importPeople(c echo.Context) error {
	file, err := a.readPeople(c)
	if err != nil {
		return err
	}
	return a.once(c, func(by store.Caller) (answer, error) {
		done, err := a.Store.ImportPeople(c.Request().Context(), by, file.people)
		return file.report(done), err
	}, func(_ store.Caller, resource string) (answer, error) {
		done, err := a.Store.RepeatPeople(resource)
		return file.report(done), err
	})
}
