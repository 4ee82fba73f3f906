package history_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"koe/survey"
	"koe/survey/history"
)

func TestReadPeople(t *testing.T) {
	tokyo, err := survey.LoadZone("Asia/Tokyo")
	if err != nil {
		t.Fatal(err)
	}
	people, err := history.ReadPeople(strings.NewReader("\uFEFFEMAIL;attributes.Plan;phone;last_asked_at;external_id;\n"+
		"ana@example.com; pro ;1;2026-11-01;c-1;\n"+
		";;;;;\n"+
		"a;b\n"+
		"bo@example.com;;;soon;;\n"+
		"\"cy\n\";;;2026-11-01T00:00:00Z;;"), tokyo)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(people.Ignored()); got != "[phone ]" {
		t.Errorf("ignored %s", got)
	}
	var got []string
	for {
		p, line, problem, err := people.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if problem != nil {
			r := history.Reject(line, problem)
			got = append(got, fmt.Sprint(r.Line, " no ", r.Field))
			continue
		}
		asked := "-"
		if p.LastAskedAt != nil {
			asked = p.LastAskedAt.String()
		}
		got = append(got, fmt.Sprint(line, " ", p.ExternalID, " ", p.Email, " ", p.Attributes["Plan"].Text(), " ", asked))
	}
	want := []string{"2 c-1 ana@example.com pro 2026-10-31T15:00:00.000Z", "3    -", "4 no ", "5 no last_asked_at", "6  cy  2026-11-01T00:00:00.000Z"}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("read\n%s\ninstead of\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestFilesOfPeopleThatAreRefused(t *testing.T) {
	for file, want := range map[string]struct {
		kind  survey.Kind
		field string
	}{
		"":                             {survey.Malformed, ""},
		"name,phone\nAna,1\n":          {survey.Invalid, "external_id"},
		"email,Email\n":                {survey.Invalid, "email"},
		"email,\"name\n":               {survey.Malformed, ""},
		"email\xff\n":                  {survey.Malformed, ""},
		"attributes.,external-id\n1,2": {survey.Invalid, "external_id"},
	} {
		_, err := history.ReadPeople(strings.NewReader(file), time.UTC)
		var known *survey.Error
		if !errors.As(err, &known) || known.Kind != want.kind || want.field != "" && known.Fields[0].Field != want.field {
			t.Errorf("%q: %v", file, err)
		}
	}
}
