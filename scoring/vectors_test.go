package scoring

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"
)

// vector is one entry of the files of edge cases and published examples.
type vector struct {
	ID         string          `json:"id"`
	Group      string          `json:"group"`
	Input      json.RawMessage `json:"input"`
	Expected   json.RawMessage `json:"expected"`
	Published  json.RawMessage `json:"published"`
	Recomputed json.RawMessage `json:"recomputed"`
}

// decode reads a part of a vector, which must be there.
func decode[T any](t *testing.T, raw json.RawMessage) T {
	t.Helper()
	var value T
	if err := json.Unmarshal(raw, &value); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return value
}

// elsewhere are the groups of edge cases that are not about scores: packages
// survey (dates) and survey/store (rates, identity) check them.
var elsewhere = []string{"time-bucket", "iso-week", "day-span", "time-parse", "response-rate", "identity"}

func TestEdges(t *testing.T) {
	var vectors []vector
	readTruth(t, "edges.public.json", &vectors)
	checks := map[string]func(*testing.T, vector){
		"nps":               checkNPS,
		"rounding":          checkRounding,
		"largest-remainder": checkPercents,
		"wilson":            checkWilson,
		"csat":              checkCSAT,
		"ces":               checkCES,
		"reversed-scale":    checkReversed,
		"out-of-scale":      checkOutOfScale,
		"significance":      checkSignificance,
	}
	seen := map[string]int{}
	for _, v := range vectors {
		seen[v.Group]++
		if slices.Contains(elsewhere, v.Group) {
			continue
		}
		t.Run(v.Group+"/"+v.ID, func(t *testing.T) {
			check, known := checks[v.Group]
			if !known {
				t.Fatal("no test knows this group")
			}
			check(t, v)
		})
	}
	for group := range checks {
		if seen[group] == 0 {
			t.Errorf("no vector of the group %s", group)
		}
	}
	if len(vectors) < 70 || seen["out-of-scale"] < 17 {
		t.Errorf("only %d vectors: %v", len(vectors), seen)
	}
}

func checkNPS(t *testing.T, v vector) { decode[npsTruth](t, v.Expected).check(t) }

func checkRounding(t *testing.T, v vector) {
	var list string
	if json.Unmarshal(v.Input, &list) == nil {
		ties := decode[[][5]float64](t, v.Expected)
		if len(ties) == 0 {
			t.Fatal("empty list")
		}
		for _, tie := range ties {
			k, n := int64(tie[0]), int64(tie[1])
			if Round(k, n) != int(tie[4]) || Round(-k, n) != -int(tie[4]) || percent(k, n) != tie[2] {
				t.Errorf("%d of %d: %v, shown %d, want %v, shown %v", k, n, percent(k, n), Round(k, n), tie[2], tie[4])
			}
		}
		return
	}
	answers, want := decode[npsTruth](t, v.Input), decode[npsTruth](t, v.Expected)
	r := Score(nps, answers.answers(t), 0.95)
	nearOrNil(t, want.NPS, r.Score)
	wholes(t, want.Percents, r.Percent)
	if want.Rounded == nil || *r.Rounded != *want.Rounded {
		t.Errorf("headline %d, want %v", *r.Rounded, want.Rounded)
	}
}

func checkPercents(t *testing.T, v vector) {
	want := decode[struct {
		Sum100 []int `json:"int_sum100"`
	}](t, v.Expected)
	if got := Percents(decode[[]int64](t, v.Input)...); !slices.Equal(got, want.Sum100) {
		t.Errorf("got %v, want %v", got, want.Sum100)
	}
}

func checkWilson(t *testing.T, v vector) {
	input := decode[struct{ Satisfied, N int64 }](t, v.Input)
	r := Score(thumbs, Histogram{1: input.Satisfied, 0: input.N - input.Satisfied}, 0.95)
	want := decode[*struct {
		Percent float64   `json:"pct"`
		Wilson  []float64 `json:"wilson95"`
		Z196    []float64 `json:"wilson_z_1_96"`
	}](t, v.Expected)
	if want == nil {
		if r.Score != nil || r.Interval != nil {
			t.Errorf("got %+v, want nothing", r)
		}
		return
	}
	near(t, want.Percent, *r.Score, digits)
	pair(t, want.Wilson, r.Interval.Low, r.Interval.High)
	if r.Interval.Low == 0 != (input.Satisfied == 0) || r.Interval.High == 100 != (input.Satisfied == input.N) {
		t.Errorf("got %+v", *r.Interval)
	}
	low, high := wilson(input.Satisfied, input.N, 1.96)
	pair(t, want.Z196, 100*low, 100*high)
}

func checkCSAT(t *testing.T, v vector) {
	type figures struct {
		Mean      float64
		Top2      *float64 `json:"top2"`
		Top2Pct   *float64 `json:"top2_pct"`
		Deviation *float64 `json:"sd"`
	}
	compare := func(scores []int, want figures) {
		t.Helper()
		r := Score(csat5, tally(t, csat5, scores), 0.95)
		near(t, want.Mean, *r.Mean, digits)
		if want.Top2 == nil {
			want.Top2 = want.Top2Pct
			nearOrNil(t, want.Deviation, r.StandardDeviation)
		}
		nearOrNil(t, want.Top2, r.Score)
	}
	inputs := decode[map[string][]int](t, v.Input)
	if scores, single := inputs["scores"]; single {
		compare(scores, decode[figures](t, v.Expected))
		return
	}
	want := decode[map[string]figures](t, v.Expected)
	if len(inputs) == 0 || len(inputs) != len(want) {
		t.Fatalf("%d inputs, %d outcomes", len(inputs), len(want))
	}
	for name, scores := range inputs {
		compare(scores, want[name])
	}
}

func checkCES(t *testing.T, v vector) {
	input := decode[struct {
		Scores map[string]int64 `json:"scores_1_to_7"`
	}](t, v.Input)
	want := decode[struct {
		Mean  float64
		Agree float64 `json:"agree_5_7_pct"`
		Top2  float64 `json:"top2_6_7_pct"`
		Net   float64 `json:"net_6_7_minus_1_3"`
	}](t, v.Expected)
	h := histogram(t, input.Scores)
	r := Score(agreement, h, 0.95)
	near(t, want.Mean, *r.Score, digits)
	near(t, want.Agree, *r.PercentAgree, digits)
	near(t, want.Top2, percent(h.between(6, 7), h.N()), digits)
	near(t, want.Net, percent(h.between(6, 7)-r.Counts.Of("disagree"), h.N()), digits)
}

func checkReversed(t *testing.T, v vector) {
	input := decode[struct{ Scores []int }](t, v.Input)
	want := decode[struct {
		Mean float64 `json:"mean_as_answered"`
		Ease float64 `json:"mean_of_ease"`
		Low  int64   `json:"low_effort_count_1_2"`
		Pct  int     `json:"low_effort_pct"`
		High int     `json:"high_effort_pct"`
	}](t, v.Expected)
	r := Score(effort, tally(t, effort, input.Scores), 0.95)
	near(t, want.Mean, *r.Score, digits)
	near(t, want.Ease, 6-*r.Score, digits)
	if r.Counts.Of("low") != want.Low || r.Percent.Of("low") != want.Pct || r.Percent.Of("high") != want.High {
		t.Errorf("got %v %v, want %+v", r.Counts, r.Percent, want)
	}
	if r.Direction != "lower_is_better" {
		t.Errorf("direction %q", r.Direction)
	}
}

func checkOutOfScale(t *testing.T, v vector) {
	var list struct{ Raw []string }
	if json.Unmarshal(v.Input, &list) == nil && len(list.Raw) > 0 {
		checkMixedScores(t, v, list.Raw)
		return
	}
	input := decode[struct {
		Metric Metric
		Raw    *string // null is missing, as is ""
	}](t, v.Input)
	raw := ""
	if input.Raw != nil {
		raw = *input.Raw
	}
	m := map[Metric]Measure{NPS: nps, CSAT: csat5, CES: agreement}[input.Metric]
	if err := m.Validate(); err != nil {
		t.Fatal(err)
	}
	score, err := ParseScore(raw)
	accepted := err == nil && m.Contains(score)
	// Where the vector leaves the choice, koe accepts: "9.0" and " 9 " are a 9.
	want, plain := decode[map[string]any](t, v.Expected)["accepted"].(bool)
	if plain && accepted != want || !plain && (!accepted || score != 9) {
		t.Errorf("%q: accepted %v as %d, %v", raw, accepted, score, err)
	}
	if (raw == "") != errors.Is(err, ErrMissing) {
		t.Errorf("%q: %v", raw, err)
	}
}

func checkMixedScores(t *testing.T, v vector, raws []string) {
	want := decode[struct {
		Valid             []int
		Rejected, Missing int
		NPS               float64
		N                 int64
	}](t, v.Expected)
	var valid []int
	rejected, missing := 0, 0
	for _, raw := range raws {
		score, err := ParseScore(raw)
		switch {
		case errors.Is(err, ErrMissing):
			missing++
		case err != nil || !nps.Contains(score):
			rejected++
		default:
			valid = append(valid, score)
		}
	}
	r := Score(nps, tally(t, nps, valid), 0.95)
	if !slices.Equal(valid, want.Valid) || rejected != want.Rejected || missing != want.Missing || r.Responses != want.N {
		t.Errorf("valid %v, rejected %d, missing %d, want %+v", valid, rejected, missing, want)
	}
	near(t, want.NPS, *r.Score, digits)
}

func checkSignificance(t *testing.T, v vector) {
	input := decode[struct {
		Current, Previous *npsTruth
		K1, N1, K2, N2    int64
	}](t, v.Input)
	if input.Current == nil {
		c, err := Compare(
			[]Cell{{thumbs, Histogram{1: input.K1, 0: input.N1 - input.K1}}},
			[]Cell{{thumbs, Histogram{1: input.K2, 0: input.N2 - input.K2}}}, 0.95)
		if err != nil {
			t.Fatal(err)
		}
		decode[shareChange](t, v.Expected).check(t, c)
		return
	}
	c, err := Compare([]Cell{{nps, input.Current.answers(t)}}, []Cell{{nps, input.Previous.answers(t)}}, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	want := decode[struct{ Wald *npsChange }](t, v.Expected).Wald
	if want == nil {
		if c != nil {
			t.Errorf("got %+v, want nothing", *c)
		}
		return
	}
	want.check(t, c)
}

// tally counts scores that are on the scale.
func tally(t *testing.T, m Measure, scores []int) Histogram {
	t.Helper()
	if len(scores) == 0 {
		t.Fatal("no scores")
	}
	var h Histogram
	for _, score := range scores {
		if !m.Contains(score) {
			t.Fatalf("%d is not on the scale", score)
		}
		h[score]++
	}
	return h
}
