package scoring_test

import (
	"math"
	"testing"

	"koe/scoring"
)

func TestScenario(t *testing.T) {
	for _, c := range []struct {
		of         scoring.Scenario
		lost, kept float64 // kept: of five points
	}{
		{scoring.Scenario{Unhappy: 0.25, VolumePerDay: 100, LeaveRate: 13.0 / 25}, 390, 78},
		{scoring.Scenario{Unhappy: 0.02, VolumePerDay: 100, LeaveRate: 1}, 60, 60}, // more than are unhappy cannot be kept
		{scoring.Scenario{Unhappy: 0, VolumePerDay: 100, LeaveRate: 0.5}, 0, 0},
		{scoring.Scenario{Unhappy: 0.5, VolumePerDay: 0.1, LeaveRate: 0.5}, 0.75, 0.075},
	} {
		if lost, kept := c.of.LostPerMonth(), c.of.KeptPerMonth(5); math.Abs(lost-c.lost) > 1e-9 || math.Abs(kept-c.kept) > 1e-9 {
			t.Errorf("%+v: %v and %v, want %v and %v", c.of, lost, kept, c.lost, c.kept)
		}
	}
}

func TestUnhappy(t *testing.T) {
	for _, c := range []struct {
		measure scoring.Measure
		answers scoring.Histogram
		want    int64
	}{
		{scoring.DefaultMeasure(scoring.NPS, 0, 10, 0), scoring.Histogram{1, 0, 0, 0, 0, 0, 2, 4, 8, 16, 32}, 3},
		{scoring.DefaultMeasure(scoring.CSAT, 1, 5, 0), scoring.Histogram{0, 1, 2, 4, 8, 16}, 7},
		{scoring.DefaultMeasure(scoring.CSAT, 0, 1, 0), scoring.Histogram{5, 3}, 5},
		{scoring.DefaultMeasure(scoring.CES, 1, 7, 2), scoring.Histogram{0, 1, 2, 4, 8, 16, 32, 64}, 7},
		{scoring.DefaultMeasure(scoring.CES, 1, 5, 1), scoring.Histogram{0, 1, 2, 4, 8, 16}, 24},
		{scoring.DefaultMeasure(scoring.NPS, 0, 10, 0), scoring.Histogram{}, 0},
	} {
		if got := scoring.Score(c.measure, c.answers, 0.95).Unhappy(); got != c.want {
			t.Errorf("%s %s: %d, want %d", c.measure.Metric, c.measure.Key(), got, c.want)
		}
	}
}
