package report

import (
	"strings"
	"testing"

	"koe/scoring"
)

// An agent with three perfect answers is not better than one with two hundred
// good ones, and one with a hundred is not better than one with a thousand that
// are nearly as good.
func TestRanked(t *testing.T) {
	r, err := New(Counted{Metric: scoring.CSAT, Level: 0.95, Cells: cell(csat, scoring.Histogram{5: 1}), Groups: []CountedGroup{
		{Key: "three", Cells: cell(csat, scoring.Histogram{5: 3})},
		{Key: "hundred", Cells: cell(csat, scoring.Histogram{5: 91, 1: 9})},
		{Key: "thousand", Cells: cell(csat, scoring.Histogram{5: 900, 1: 100})},
		{Key: "bad", Cells: cell(csat, scoring.Histogram{5: 10, 1: 90})},
		{Key: "nobody"},
		{Key: "twenty", Cells: cell(csat, scoring.Histogram{5: 10, 1: 10})},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if got := keysOf(Ranked(r.Groups)); got != "thousand hundred bad twenty three nobody" {
		t.Errorf("ranked %s", got)
	}
	if got := keysOf(r.Groups); !strings.HasPrefix(got, "three hundred") {
		t.Errorf("the report itself was changed: %s", got)
	}
}

// Where low is good, so is a low end that is certain.
func TestRankedByEffort(t *testing.T) {
	r, err := New(Counted{Metric: scoring.CES, Level: 0.95, Cells: cell(effort, scoring.Histogram{1: 1}), Groups: []CountedGroup{
		{Key: "hard", Cells: cell(effort, scoring.Histogram{4: 40, 5: 40})},
		{Key: "easy", Cells: cell(effort, scoring.Histogram{1: 40, 2: 40})},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if got := keysOf(Ranked(r.Groups)); got != "easy hard" {
		t.Errorf("ranked %s", got)
	}
}

func keysOf(groups []Group) string {
	var keys []string
	for _, g := range groups {
		keys = append(keys, g.Key)
	}
	return strings.Join(keys, " ")
}
