package scoring

import (
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
)

var (
	nps       = DefaultMeasure(NPS, 0, 10, 0)
	csat5     = DefaultMeasure(CSAT, 1, 5, 0)
	thumbs    = DefaultMeasure(CSAT, 0, 1, 0)
	effort    = DefaultMeasure(CES, 1, 5, 1)
	agreement = DefaultMeasure(CES, 1, 7, 2)
)

func TestJSON(t *testing.T) {
	for _, c := range []struct {
		m    Measure
		h    Histogram
		want string
	}{
		{csat5, Histogram{1: 1, 4: 1}, `{"responses":2,"score":50,"rounded":50,"standard_error":35.35533905932`},
		{thumbs, Histogram{}, `{"responses":0,"score":null,"rounded":null,"standard_error":null,"interval":null,"reliable":false,` +
			`"counts":{"satisfied":0,"dissatisfied":0},"share":null,"percent":null,` +
			`"distribution":[{"value":0,"count":0},{"value":1,"count":0}],"mean":null,"standard_deviation":null}`},
		{agreement, Histogram{6: 1}, `{"responses":1,"score":6,"rounded":6,"standard_error":null,"interval":null,"reliable":false,` +
			`"counts":{"agree":1,"neutral":0,"disagree":0},"share":{"agree":100,"neutral":0,"disagree":0},` +
			`"percent":{"agree":100,"neutral":0,"disagree":0},"distribution":[{"value":1,"count":0},{"value":2,"count":0},` +
			`{"value":3,"count":0},{"value":4,"count":0},{"value":5,"count":0},{"value":6,"count":1},{"value":7,"count":0}],` +
			`"mean":6,"standard_deviation":null,"percent_agree":100,"percent_agree_interval":{"level":0.95,"method":"wilson",`},
		{agreement, Histogram{}, `{"responses":0,"score":null,"rounded":null,"standard_error":null,"interval":null,"reliable":false,` +
			`"counts":{"agree":0,"neutral":0,"disagree":0},"share":null,"percent":null,"distribution":[{"value":1,"count":0},` +
			`{"value":2,"count":0},{"value":3,"count":0},{"value":4,"count":0},{"value":5,"count":0},{"value":6,"count":0},` +
			`{"value":7,"count":0}],"mean":null,"standard_deviation":null,"percent_agree":null,"percent_agree_interval":null}`},
		{effort, Histogram{}, `{"responses":0,"score":null,"rounded":null,"standard_error":null,"interval":null,"reliable":false,` +
			`"counts":{"low":0,"medium":0,"high":0},"share":null,"percent":null,"distribution":[{"value":1,"count":0},` +
			`{"value":2,"count":0},{"value":3,"count":0},{"value":4,"count":0},{"value":5,"count":0}],` +
			`"mean":null,"standard_deviation":null,"direction":"lower_is_better"}`},
	} {
		got, err := json.Marshal(Score(c.m, c.h, 0.95))
		if err != nil || !strings.HasPrefix(string(got), c.want) {
			t.Errorf("got  %s, %v\nwant %s", got, err, c.want)
		}
	}
}

func TestDirection(t *testing.T) {
	for m, want := range map[Measure]string{nps: "", csat5: "", agreement: "", effort: "lower_is_better"} {
		for _, h := range []Histogram{{}, {4: 3}} {
			if got := Score(m, h, 0.95).Direction; got != want {
				t.Errorf("%+v: direction %q, want %q", m, got, want)
			}
		}
		if got := m.Direction(); want == "" && got != "higher_is_better" || want != "" && got != want {
			t.Errorf("%+v: direction %q", m, got)
		}
	}
}

func TestReliable(t *testing.T) {
	if Score(nps, Histogram{9: 29}, 0.95).Reliable || !Score(nps, Histogram{9: 30}, 0.95).Reliable {
		t.Error("a score is reliable from 30 answers")
	}
}

func TestReportAddsCellsOfOneMeasure(t *testing.T) {
	a, b := Histogram{0: 3, 7: 4, 10: 5}, Histogram{2: 1, 9: 30}
	got, err := Report([]Cell{{nps, a}, {nps, Histogram{}}, {nps, b}}, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	same(t, Score(nps, a.Add(b), 0.95), got)
}

func TestReportOfSeveralCSATMeasures(t *testing.T) {
	ten := DefaultMeasure(CSAT, 1, 10, 0)
	got, err := Report([]Cell{{thumbs, Histogram{1: 7, 0: 1}}, {ten, Histogram{9: 2, 5: 2}}, {csat5, Histogram{4: 4, 3: 3, 2: 1}}}, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	if *got.Score != 65 || got.Responses != 20 || *got.Rounded != 65 {
		t.Errorf("got %v of %d", *got.Score, got.Responses)
	}
	if want := (Groups[int64]{{"satisfied", 13}, {"neutral", 3}, {"dissatisfied", 4}}); !slices.Equal(got.Counts, want) {
		t.Errorf("got %v, want %v", got.Counts, want)
	}
	if got.Mean != nil || got.StandardDeviation != nil || got.Distribution != nil {
		t.Error("different scales have no common mean and distribution")
	}
	low, high := Wilson(13, 20, 0.95)
	if *got.Interval != (Interval{0.95, "wilson", low, high}) {
		t.Errorf("got %v", *got.Interval)
	}
	even, err := Report([]Cell{{thumbs, Histogram{1: 7}}, {ten, Histogram{9: 2}}}, 0.95)
	if err != nil || len(even.Counts) != 2 {
		t.Errorf("no scale has a middle: got %v, %v", even.Counts, err)
	}
}

// A survey that nobody answered, or whose answers were all deleted, is no reason
// to refuse or to split a score.
func TestReportIgnoresEmptyCells(t *testing.T) {
	got, err := Report([]Cell{{effort, Histogram{}}, {agreement, Histogram{7: 2}}}, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	same(t, Score(agreement, Histogram{7: 2}, 0.95), got)

	empty, err := Report([]Cell{{csat5, Histogram{}}, {thumbs, Histogram{}}}, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	same(t, Score(csat5, Histogram{}, 0.95), empty)

	nothing, err := Report(nil, 0.95)
	if err != nil || nothing.Responses != 0 || nothing.Score != nil || nothing.Counts != nil || nothing.Rounded != nil {
		t.Errorf("got %+v, %v", nothing, err)
	}
}

func TestRefusals(t *testing.T) {
	bad := Measure{Metric: CSAT, Min: 1, Max: 4, SatisfiedFrom: 3}
	for _, c := range []struct {
		cells []Cell
		level float64
		want  error
	}{
		{[]Cell{{effort, Histogram{1: 1}}, {agreement, Histogram{7: 1}}}, 0.95, ErrMixedCES},
		{[]Cell{{nps, Histogram{1: 1}}, {csat5, Histogram{5: 1}}}, 0.95, ErrMixedMetrics},
		{[]Cell{{nps, Histogram{}}, {csat5, Histogram{}}}, 0.95, ErrMixedMetrics},
		{[]Cell{{csat5, Histogram{0: 1}}}, 0.95, ErrHistogram},
		{[]Cell{{csat5, Histogram{6: 1}}}, 0.95, ErrHistogram},
		{[]Cell{{nps, Histogram{6: 1}.Sub(Histogram{6: 2})}}, 0.95, ErrHistogram},
		{[]Cell{{nps, Histogram{6: 1}}}, 0.9999, ErrLevel},
		{[]Cell{{nps, Histogram{6: 1}}}, math.NaN(), ErrLevel},
	} {
		if _, err := Report(c.cells, c.level); !errors.Is(err, c.want) {
			t.Errorf("report: got %v, want %v", err, c.want)
		}
		if _, err := Compare(c.cells[:1], c.cells[1:], c.level); !errors.Is(err, c.want) {
			t.Errorf("compare: got %v, want %v", err, c.want)
		}
	}
	var measureError *MeasureError
	if _, err := Report([]Cell{{bad, Histogram{}}}, 0.95); !errors.As(err, &measureError) || measureError.Field != "scale.max" {
		t.Errorf("got %v", err)
	}
}

func TestCompareAddsSeveralCSATMeasures(t *testing.T) {
	got, err := Compare(
		[]Cell{{csat5, Histogram{5: 100, 1: 20}}, {thumbs, Histogram{1: 80}}},
		[]Cell{{csat5, Histogram{4: 150, 2: 50}}}, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	near(t, 3.94771, *got.Z, 5e-6)
}

func TestScoreIgnoresWhatCannotBe(t *testing.T) {
	same(t, Score(csat5, Histogram{5: 2, 1: 1}, 0.95), Score(csat5, Histogram{0: 9, 5: 2, 1: 1, 4: -3, 10: 9}, 0.95))
	r := Score(agreement, Histogram{7: 2, 1: 1}, 95)
	if r.Interval != nil || r.PercentAgreeInterval != nil || r.Score == nil {
		t.Errorf("a level of 95 is not valid: %+v", r)
	}
}

func TestHistogram(t *testing.T) {
	a, b := Histogram{0: 3, 7: 4, 10: 5}, Histogram{0: 1, 9: 30}
	sum := a.Add(b)
	if sum != b.Add(a) || sum.N() != 43 || sum.Sub(b) != a || a != (Histogram{0: 3, 7: 4, 10: 5}) {
		t.Errorf("got %v", sum)
	}
}

// Every figure stays finite and in range, so that it can be written as JSON and
// an interval holds its score.
func TestFinite(t *testing.T) {
	const large = 1_000_000_000_000
	for _, m := range []Measure{nps, csat5, thumbs, effort, agreement} {
		var histograms []Histogram
		for _, count := range []int64{1, 2, 31, large} {
			lowest, highest, ends := Histogram{}, Histogram{}, Histogram{}
			lowest[m.Min], highest[m.Max] = count, count
			ends[m.Min], ends[m.Max] = 1, count
			histograms = append(histograms, lowest, highest, ends)
		}
		for _, h := range histograms {
			for _, level := range []float64{0.51, 0.95, 0.999} {
				r := Score(m, h, level)
				if _, err := json.Marshal(r); err != nil {
					t.Fatalf("%v %v: %v", m, h, err)
				}
				if i := r.Interval; i != nil && !(i.Low <= i.High && -100 <= i.Low && i.High <= 100) {
					t.Errorf("%v %v: %+v", m, h, *i)
				}
				for _, other := range histograms {
					c, err := Compare([]Cell{{m, h}}, []Cell{{m, other}}, level)
					if err != nil {
						t.Fatal(err)
					}
					if _, err := json.Marshal(c); err != nil {
						t.Fatalf("%v %v after %v: %v", m, h, other, err)
					}
					if h == other && c.Significant {
						t.Errorf("%v differs from itself", h)
					}
				}
			}
		}
	}
}

// same fails unless both are equal in JSON.
func same(t *testing.T, want, got any) {
	t.Helper()
	w, err := json.Marshal(want)
	g, err2 := json.Marshal(got)
	if err != nil || err2 != nil || string(w) != string(g) {
		t.Errorf("got  %s, %v\nwant %s, %v", g, err2, w, err)
	}
}

// TestCompareFewMeans: two answers scatter, one does not.
func TestCompareFewMeans(t *testing.T) {
	for _, test := range []struct {
		now, before Histogram
		tested      bool
	}{
		{Histogram{1: 1, 7: 1}, Histogram{2: 1, 3: 1}, true},
		{Histogram{1: 1, 7: 1}, Histogram{2: 1}, false},
		{Histogram{2: 1}, Histogram{1: 1, 7: 1}, false},
	} {
		c, err := Compare([]Cell{{agreement, test.now}}, []Cell{{agreement, test.before}}, 0.95)
		if err != nil || (c.Z != nil) != test.tested || (c.Interval != nil) != test.tested || c.Difference == nil {
			t.Errorf("%v against %v: %+v, %v", test.now, test.before, c, err)
		}
	}
}
