package history_test

import (
	"strings"
	"testing"

	"koe/survey"
	"koe/survey/history"
)

// TestWriteCSVLeavesNothingOut: what came in after the columns were chosen ends
// the file instead of being dropped.
func TestWriteCSVLeavesNothingOut(t *testing.T) {
	of := func(attributes survey.Attributes, answers survey.Answers) survey.Response {
		return survey.Response{Score: 9, Attributes: attributes, Answers: answers}
	}
	plan := survey.TextValue("pro")
	for _, c := range []struct {
		response survey.Response
		missing  string
	}{
		{of(nil, nil), ""},
		{of(survey.Attributes{"plan": plan}, survey.Answers{"reason": "x"}), ""},
		{of(survey.Attributes{"plan": plan, "店": plan}, nil), `attribute "店"`},
		{of(survey.Attributes{"agent": plan}, survey.Answers{"reason": "x"}), `attribute "agent"`},
		{of(survey.Attributes{"plan": plan}, survey.Answers{"staff": 3}), `question "staff"`},
	} {
		var file strings.Builder
		w, err := history.WriteCSV(&file, []string{"plan", "city"}, []string{"reason"}, true)
		if err != nil {
			t.Fatal(err)
		}
		err = w.Write(c.response)
		if (err == nil) != (c.missing == "") || err != nil && !strings.Contains(err.Error(), c.missing+" appeared after the export began; export again") {
			t.Errorf("%v, want %s", err, c.missing)
		}
		if file.Len() > 0 {
			t.Errorf("%q has left before the first row", file.String())
		}
	}
}
