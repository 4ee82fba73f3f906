package scoring

import (
	"encoding/json"
	"strings"
	"testing"
)

// syntheticTouchpoint holds the figures of one touchpoint: in all, by segment,
// by month, and each month compared with the one before.
type syntheticTouchpoint struct {
	Metric       Metric
	Overall      json.RawMessage
	BySegment    map[string]json.RawMessage `json:"by_segment"`
	ByMonth      map[string]json.RawMessage `json:"by_month"`
	MonthOnMonth map[string]json.RawMessage `json:"month_on_month"`
}

// TestSynthetic checks ten thousand answers at eight touchpoints.
func TestSynthetic(t *testing.T) {
	var truth struct {
		Touchpoints map[string]syntheticTouchpoint
	}
	readTruth(t, "synth_10k_seed1.json", &truth)
	metrics := map[Metric]int{}
	for name, touchpoint := range truth.Touchpoints {
		metrics[touchpoint.Metric]++
		t.Run(name, func(t *testing.T) {
			h := checkFigures(t, touchpoint.Metric, touchpoint.Overall)
			checkSum(t, touchpoint, h, touchpoint.BySegment)
			checkSum(t, touchpoint, h, touchpoint.ByMonth)
			if len(touchpoint.MonthOnMonth) == 0 {
				t.Fatal("no months compared")
			}
			for months, change := range touchpoint.MonthOnMonth {
				current, previous, _ := strings.Cut(months, " - ")
				checkChange(t, touchpoint.Metric, touchpoint.ByMonth[current], touchpoint.ByMonth[previous], change)
			}
		})
	}
	if len(truth.Touchpoints) != 8 || metrics[NPS] == 0 || metrics[CSAT] == 0 || metrics[CES] == 0 {
		t.Errorf("touchpoints by metric: %v", metrics)
	}
}

// checkFigures checks one set of figures and returns its histogram.
func checkFigures(t *testing.T, metric Metric, raw json.RawMessage) Histogram {
	t.Helper()
	if metric == NPS {
		truth := decode[npsTruth](t, raw)
		truth.check(t)
		return truth.answers(t)
	}
	truth := decode[scaleTruth](t, raw)
	if (truth.Agree != nil) != (metric == CES) {
		t.Errorf("figures do not belong to %s", metric)
	}
	truth.check(t)
	return histogram(t, truth.Histogram)
}

// checkSum checks the parts, and that their histograms add up to the whole.
func checkSum(t *testing.T, touchpoint syntheticTouchpoint, whole Histogram, parts map[string]json.RawMessage) {
	t.Helper()
	var sum Histogram
	for _, raw := range parts {
		sum = sum.Add(checkFigures(t, touchpoint.Metric, raw))
	}
	if sum != whole || whole.N() == 0 {
		t.Errorf("parts add up to %v, want %v", sum, whole)
	}
}

func checkChange(t *testing.T, metric Metric, current, previous, change json.RawMessage) {
	t.Helper()
	a, b := checkFigures(t, metric, current), checkFigures(t, metric, previous)
	switch metric {
	case NPS, CSAT:
		m := nps
		if metric == CSAT {
			m = csat5
		}
		c, err := Compare([]Cell{{m, a}}, []Cell{{m, b}}, 0.95)
		if err != nil {
			t.Fatal(err)
		}
		if metric == NPS {
			decode[struct{ Wald npsChange }](t, change).Wald.check(t, c)
		} else {
			decode[shareChange](t, change).check(t, c)
		}
	case CES:
		// The figures compare the share of 6 and 7; koe compares means.
		decode[shareChange](t, change).check(t, compareShares(a.between(6, 7), a.N(), b.between(6, 7), b.N(), 0.95))
	}
}
