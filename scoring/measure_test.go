package scoring

import (
	"errors"
	"testing"
)

func TestMeasureValidate(t *testing.T) {
	for _, c := range []struct {
		m     Measure
		field string // "" if valid
	}{
		{Measure{NPS, 0, 10, 0, 0}, ""},
		{Measure{NPS, 1, 10, 0, 0}, "scale.min"},
		{Measure{NPS, 0, 5, 0, 0}, "scale.max"},
		{Measure{NPS, 0, 10, 9, 0}, "satisfied_from"},
		{Measure{NPS, 0, 10, 0, 2}, "ces_version"},
		{Measure{CSAT, 1, 3, 3, 0}, ""},
		{Measure{CSAT, 1, 5, 4, 0}, ""},
		{Measure{CSAT, 1, 5, 2, 0}, ""},
		{Measure{CSAT, 1, 7, 6, 0}, ""},
		{Measure{CSAT, 1, 10, 9, 0}, ""},
		{Measure{CSAT, 0, 1, 1, 0}, ""},
		{Measure{CSAT, 0, 5, 4, 0}, "scale.max"},
		{Measure{CSAT, 1, 2, 2, 0}, "scale.max"},
		{Measure{CSAT, 1, 11, 9, 0}, "scale.max"},
		{Measure{CSAT, 2, 5, 4, 0}, "scale.min"},
		{Measure{CSAT, -1, 1, 1, 0}, "scale.min"},
		{Measure{CSAT, 1, 5, 1, 0}, "satisfied_from"},
		{Measure{CSAT, 1, 5, 6, 0}, "satisfied_from"},
		{Measure{CSAT, 1, 5, 0, 0}, "satisfied_from"},
		{Measure{CSAT, 1, 5, 4, 1}, "ces_version"},
		{Measure{CES, 1, 5, 0, 1}, ""},
		{Measure{CES, 1, 7, 0, 2}, ""},
		{Measure{CES, 1, 7, 0, 1}, "scale.max"},
		{Measure{CES, 1, 5, 0, 2}, "scale.max"},
		{Measure{CES, 0, 7, 0, 2}, "scale.min"},
		{Measure{CES, 1, 7, 5, 2}, "satisfied_from"},
		{Measure{CES, 1, 7, 0, 0}, "ces_version"},
		{Measure{CES, 1, 7, 0, 3}, "ces_version"},
		{Measure{"", 1, 5, 0, 0}, "metric"},
		{Measure{"NPS", 0, 10, 0, 0}, "metric"},
	} {
		var measureError *MeasureError
		err := c.m.Validate()
		switch {
		case c.field == "" && err != nil:
			t.Errorf("%+v: %v", c.m, err)
		case c.field != "" && (!errors.As(err, &measureError) || measureError.Field != c.field || measureError.Message == ""):
			t.Errorf("%+v: got %v, want a wrong %s", c.m, err, c.field)
		}
	}
}

func TestDefaultMeasure(t *testing.T) {
	for _, c := range []struct {
		got           Measure
		satisfiedFrom int
		key, sentence string
	}{
		{nps, 0, "0-10", "promoters (9–10) minus detractors (0–6), in percent of all scored responses"},
		{csat5, 4, "1-5", "satisfied (4–5 of 1–5) in percent of all scored responses"},
		{DefaultMeasure(CSAT, 1, 3, 0), 3, "1-3", "satisfied (3 of 1–3) in percent of all scored responses"},
		{thumbs, 1, "0-1", "satisfied (1 of 0–1) in percent of all scored responses"},
		{DefaultMeasure(CSAT, 1, 7, 0), 6, "1-7", "satisfied (6–7 of 1–7) in percent of all scored responses"},
		{DefaultMeasure(CSAT, 1, 10, 0), 9, "1-10", "satisfied (9–10 of 1–10) in percent of all scored responses"},
		{effort, 0, "1-5", "mean effort from 1 (very low) to 5 (very high) of all scored responses, lower is better"},
		{agreement, 0, "1-7", "mean agreement that it was easy, from 1 (strongly disagree) to 7 (strongly agree), of all scored responses"},
	} {
		if err := c.got.Validate(); err != nil {
			t.Error(err)
		}
		if c.got.SatisfiedFrom != c.satisfiedFrom || c.got.Key() != c.key || c.got.Definition() != c.sentence {
			t.Errorf("%+v: %s, %s", c.got, c.got.Key(), c.got.Definition())
		}
	}
}

func TestContains(t *testing.T) {
	for score, want := range map[int]bool{-1: false, 0: false, 1: true, 5: true, 6: false, 99: false} {
		if csat5.Contains(score) != want {
			t.Errorf("%d: want %v", score, want)
		}
	}
	if !nps.Contains(0) || nps.Contains(11) {
		t.Error("0 is a score, 11 is none")
	}
}

// TestMeasureErrorMends: the message says what would do.
func TestMeasureErrorMends(t *testing.T) {
	m := csat5
	m.SatisfiedFrom = 6
	if err := m.Validate(); err == nil || err.Error() != "satisfied_from must be from 2 to 5" {
		t.Errorf("got %v", err)
	}
}

func TestDefinition(t *testing.T) {
	for _, c := range []struct {
		cells []Cell
		want  string
	}{
		{nil, ""},
		{[]Cell{{nps, Histogram{}}}, nps.Definition()},
		{[]Cell{{csat5, Histogram{5: 1}}, {csat5, Histogram{1: 1}}}, csat5.Definition()},
		{[]Cell{{csat5, Histogram{5: 1}}, {thumbs, Histogram{1: 1}}}, "satisfied (4–5 of 1–5, 1 of 0–1) in percent of all scored responses"},
		{[]Cell{{effort, Histogram{5: 1}}, {agreement, Histogram{1: 1}}}, ""},
	} {
		if got := Definition(c.cells); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}
