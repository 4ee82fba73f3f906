package survey

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"koe/scoring"
)

// Measure is what the template's score is: metric, scale and judgement.
func (t Template) Measure() scoring.Measure {
	scale := Scale{}
	if q := t.Score(); q != nil && q.Scale != nil {
		scale = *q.Scale
	}
	version := 0
	if t.CESVersion != nil {
		version = *t.CESVersion
	}
	m := scoring.DefaultMeasure(t.Metric, scale.Min, scale.Max, version)
	if t.Metric == scoring.CSAT && t.SatisfiedFrom != nil {
		m.SatisfiedFrom = *t.SatisfiedFrom
	}
	return m
}

// fillMeasure gives the score the scale that its metric mostly has. Conditions
// that look at the score are checked against it.
func (t *Template) fillMeasure() {
	if t.Metric == scoring.CES && t.CESVersion == nil {
		two := 2
		t.CESVersion = &two
	}
	if q := t.Score(); q != nil && q.Scale == nil {
		q.Scale = t.usualScale()
	}
}

func (t *Template) cleanMeasure(p *Problems) {
	q := t.Score()
	if q == nil {
		return
	}
	if t.Metric != scoring.CSAT && t.SatisfiedFrom != nil {
		p.Add("satisfied_from", "unknown", "only csat has it")
		return
	}
	if t.Metric != scoring.CES && t.CESVersion != nil {
		p.Add("ces_version", "unknown", "only ces has it")
		return
	}
	m := t.Measure()
	if err := m.Validate(); err != nil {
		field, message := "metric", err.Error()
		var wrong *scoring.MeasureError
		if errors.As(err, &wrong) {
			field, message = wrong.Field, wrong.Message
		}
		if strings.HasPrefix(field, "scale") {
			field = fmt.Sprintf("questions[%d].%s", slices.IndexFunc(t.Questions,
				func(q Question) bool { return q.Type == ScoreQuestion }), field)
		}
		p.Add(field, "range", "%s", message)
		return
	}
	if t.Metric == scoring.CSAT {
		t.SatisfiedFrom = &m.SatisfiedFrom
	}
}

func (t Template) usualScale() *Scale {
	switch {
	case t.Metric == scoring.NPS:
		return &Scale{0, 10}
	case t.Metric == scoring.CES && *t.CESVersion == 2:
		return &Scale{1, 7}
	case t.Metric == scoring.CSAT || t.Metric == scoring.CES:
		return &Scale{1, 5}
	}
	return nil
}
