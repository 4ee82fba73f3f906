package scoring

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
)

// TestSurveys checks every figure that other tools computed from four real
// surveys: in all, by segment, by period.
func TestSurveys(t *testing.T) {
	for name, least := range map[string]int{
		"sfo_survey_2016.json": 20, "sfo_survey_2017.json": 60, "nps_bank_2021.json": 90, "csat_callcenter_2021q1.json": 40,
	} {
		t.Run(name, func(t *testing.T) {
			var file map[string]json.RawMessage
			readTruth(t, name, &file)
			checked := 0
			for key, raw := range file {
				checked += checkTree(t, key, raw)
			}
			if checked < least {
				t.Errorf("only %d sets of figures found", checked)
			}
		})
	}
}

// checkTree checks all sets of figures below a place of a file, and says how
// many there were.
func checkTree(t *testing.T, path string, raw json.RawMessage) int {
	t.Helper()
	var node map[string]json.RawMessage
	if json.Unmarshal(raw, &node) != nil || node == nil {
		return 0
	}
	if node["histogram"] != nil {
		metric := CSAT
		if node["nps"] != nil {
			metric = NPS
		} else if node["agree_from_5"] != nil {
			metric = CES
		}
		failed := t.Failed()
		if checkFigures(t, metric, raw); t.Failed() && !failed {
			t.Logf("the first mistake is in %s", path)
		}
		return 1
	}
	checked := 0
	for key, child := range node {
		checked += checkTree(t, path+"/"+key, child)
	}
	return checked
}

// scored is a set of figures that has counts.
type scored struct {
	Histogram map[string]int64
}

func (s scored) of(t *testing.T) Histogram {
	t.Helper()
	if s.Histogram == nil {
		t.Fatal("no histogram")
	}
	return histogram(t, s.Histogram)
}

func TestBankComparisons(t *testing.T) {
	var truth struct {
		Markets     map[string]scored `json:"by_market"`
		Quarters    map[string]scored `json:"by_quarter"`
		Months      map[string]scored `json:"by_month"`
		Comparisons map[string]map[string]struct{ Wald npsChange }
	}
	readTruth(t, "nps_bank_2021.json", &truth)
	sets := map[string]Histogram{}
	for _, by := range []map[string]scored{truth.Markets, truth.Quarters, truth.Months} {
		for name, s := range by {
			sets[name] = s.of(t)
		}
	}
	sets["H1"] = sets["2021-Q1"].Add(sets["2021-Q2"])
	sets["H2"] = sets["2021-Q3"].Add(sets["2021-Q4"])
	checked := 0
	for _, changes := range truth.Comparisons {
		for name, change := range changes {
			now, before := named(t, sets, name)
			c, err := Compare([]Cell{{nps, now}}, []Cell{{nps, before}}, 0.95)
			if err != nil {
				t.Fatal(err)
			}
			change.Wald.check(t, c)
			checked++
		}
	}
	if checked < 18 {
		t.Errorf("only %d comparisons found", checked)
	}
}

// named finds the two sides of "B - A".
func named(t *testing.T, sets map[string]Histogram, name string) (now, before Histogram) {
	t.Helper()
	a, b, _ := strings.Cut(name, " - ")
	now, before = sets[a], sets[b]
	if now.N() == 0 || before.N() == 0 {
		t.Fatalf("no answers of %q among %v", name, slices.Sorted(maps.Keys(sets)))
	}
	return now, before
}

func TestCallCenterComparisons(t *testing.T) {
	type change struct {
		Top2 shareChange
		Mean struct {
			Difference float64 `json:"diff"`
			T          float64 `json:"welch_t"`
			P          float64 `json:"p_two_sided"`
		}
	}
	var truth struct {
		Months      map[string]scored `json:"by_month"`
		Agents      map[string]scored `json:"by_agent"`
		Comparisons map[string]map[string]change
	}
	readTruth(t, "csat_callcenter_2021q1.json", &truth)
	sets := map[string]Histogram{}
	for _, by := range []map[string]scored{truth.Months, truth.Agents} {
		for name, s := range by {
			sets[name] = s.of(t)
		}
	}
	checked := 0
	for _, changes := range truth.Comparisons {
		for name, want := range changes {
			now, before := named(t, sets, name)
			c, err := Compare([]Cell{{csat5, now}}, []Cell{{csat5, before}}, 0.95)
			if err != nil {
				t.Fatal(err)
			}
			want.Top2.check(t, c)
			means := compareMeans(now, before, 0.95)
			near(t, want.Mean.Difference, *means.Difference, digits)
			near(t, want.Mean.T, *means.Z, digits)
			near(t, want.Mean.P, *means.PValue, digits)
			checked++
		}
	}
	if checked < 5 {
		t.Errorf("only %d comparisons found", checked)
	}
}

func TestAirportComparisons(t *testing.T) {
	type year struct {
		Items       map[string]scored                 `json:"csat_by_touchpoint_item"`
		Ease        map[string]scored                 `json:"effort_ease_1to5_5_is_easy"`
		Comparisons map[string]map[string]shareChange `json:"comparisons_2017_minus_2016"`
	}
	var now, before year
	readTruth(t, "sfo_survey_2017.json", &now)
	readTruth(t, "sfo_survey_2016.json", &before)
	checked := 0
	for kind, sides := range map[string][2]map[string]scored{"csat_top2": {now.Items, before.Items}, "ease_agree": {now.Ease, before.Ease}} {
		for item, want := range now.Comparisons[kind] {
			c, err := Compare([]Cell{{csat5, sides[0][item].of(t)}}, []Cell{{csat5, sides[1][item].of(t)}}, 0.95)
			if err != nil {
				t.Fatal(err)
			}
			want.check(t, c)
			checked++
		}
	}
	if checked < 14 {
		t.Errorf("only %d comparisons found", checked)
	}
}
