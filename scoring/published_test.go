package scoring

import (
	"math"
	"strconv"
	"testing"
)

// TestPublished checks the examples that others published: makers of survey
// tools, statisticians, packages.
func TestPublished(t *testing.T) {
	var vectors []vector
	readTruth(t, "published.public.json", &vectors)
	checks := map[string]func(*testing.T, vector){
		"delighted-csat":     checkScale,
		"cys-ces7":           checkScale,
		"simplesat-a":        checkThreeWay,
		"simplesat-b":        checkThreeWay,
		"gist-jdmaturen":     checkNPSError,
		"crossvalidated-nps": checkNPSError,
		"codegolf-wilson":    checkWilsonList,
		"newcombe-1998":      checkNewcombe,
		"iuhhelpers-se":      checkMissingScores,
		"r-nps-1.1-doc":      checkNPSGroups,
	}
	notHere := map[string]string{
		"measuringu-recipe": "words, no figures: adjustedWald follows them",
		"trengo-rr":         "a response rate by another rule; koe counts the cohort that was sent, see survey/store",
	}
	ran := 0
	for _, v := range vectors {
		t.Run(v.ID, func(t *testing.T) {
			if _, skipped := notHere[v.ID]; skipped {
				return
			}
			check, known := checks[v.ID]
			if !known {
				t.Fatal("no test knows this example")
			}
			ran++
			check(t, v)
		})
	}
	if ran != len(checks) {
		t.Errorf("%d of %d examples found", ran, len(checks))
	}
}

func checkScale(t *testing.T, v vector) { decode[scaleTruth](t, v.Recomputed).check(t) }

func checkThreeWay(t *testing.T, v vector) {
	input := decode[struct{ Positive, Neutral, Negative int64 }](t, v.Input)
	r := Score(DefaultMeasure(CSAT, 1, 3, 0), Histogram{3: input.Positive, 2: input.Neutral, 1: input.Negative}, 0.95)
	near(t, decode[float64](t, v.Published), *r.Score, digits)
}

func checkNPSError(t *testing.T, v vector) {
	input := decode[struct{ N, Promoters, Detractors int64 }](t, v.Input)
	if input.Promoters == 0 {
		input.Promoters, input.Detractors = input.N/2, input.N/6 // given as shares
	}
	want := decode[struct {
		NPS, SE  float64
		Variance *float64
		Wald     []float64 `json:"wald95"`
		Adjusted []float64 `json:"adj_wald95"`
	}](t, v.Recomputed)
	passives := input.N - input.Promoters - input.Detractors
	r := Score(nps, Histogram{10: input.Promoters, 8: passives, 3: input.Detractors}, 0.95)
	near(t, want.NPS, *r.Score, digits)
	near(t, want.SE, *r.StandardError, digits)
	if want.Variance != nil {
		near(t, *want.Variance, math.Pow(*r.StandardError/100, 2)*float64(input.N), digits)
	}
	half := normalQuantile(0.95) * *r.StandardError
	pair(t, want.Wald, *r.Score-half, *r.Score+half)
	pair(t, want.Adjusted, r.Interval.Low, r.Interval.High)
}

func checkWilsonList(t *testing.T, v vector) {
	list := decode[[]struct {
		Successes, Failures int64
		Published           [2]float64 // with z = 1.96
		Exact               [2]float64 `json:"exact_z"`
	}](t, v.Recomputed)
	if len(list) != 12 {
		t.Fatalf("%d cases", len(list))
	}
	for _, c := range list {
		n := c.Successes + c.Failures
		low, high := wilson(c.Successes, n, 1.96)
		near(t, c.Published[0], low, 1e-12)
		near(t, c.Published[1], high, 1e-12)
		low, high = Wilson(c.Successes, n, 0.95)
		near(t, 100*c.Exact[0], low, 6e-9)
		near(t, 100*c.Exact[1], high, 6e-9)
	}
}

func checkNewcombe(t *testing.T, v vector) {
	shares, published, recomputed := decode[[][2]int64](t, v.Input), decode[[][2]float64](t, v.Published), decode[[][2]float64](t, v.Recomputed)
	if len(shares) != 4 || len(published) != 4 || len(recomputed) != 4 {
		t.Fatal("want four cases")
	}
	for i, share := range shares {
		low, high := Wilson(share[0], share[1], 0.95)
		near(t, 100*published[i][0], low, 0.006)
		near(t, 100*published[i][1], high, 0.006)
		near(t, 100*recomputed[i][0], low, 6e-5)
		near(t, 100*recomputed[i][1], high, 6e-5)
	}
}

// checkMissingScores: a missing answer leaves the denominator too.
func checkMissingScores(t *testing.T, v vector) {
	var scores []int
	for _, score := range decode[[]*int](t, v.Input) {
		if score != nil {
			scores = append(scores, *score)
		}
	}
	want := decode[struct {
		N       int64
		NPS, SE float64
	}](t, v.Recomputed)
	r := Score(nps, tally(t, nps, scores), 0.95)
	if r.Responses != want.N {
		t.Errorf("got %d answers, want %d", r.Responses, want.N)
	}
	near(t, want.NPS, *r.Score, digits)
	near(t, want.SE, *r.StandardError, digits)
}

// checkNPSGroups: every score is in its group, and what is off the scale in none.
func checkNPSGroups(t *testing.T, v vector) {
	groups := decode[map[string]*string](t, v.Recomputed)
	if len(groups) != 15 {
		t.Fatalf("%d scores", len(groups))
	}
	names := map[string]string{"Promoter": "promoters", "Passive": "passives", "Detractor": "detractors"}
	for raw, group := range groups {
		score, err := strconv.Atoi(raw)
		if err != nil || nps.Contains(score) != (group != nil) {
			t.Errorf("%s: on the scale %v, group %v", raw, nps.Contains(score), group)
			continue
		}
		if group == nil {
			continue
		}
		r := Score(nps, tally(t, nps, []int{score}), 0.95)
		if r.Counts.Of(names[*group]) != 1 {
			t.Errorf("%d: got %v, want %s", score, r.Counts, *group)
		}
	}
}
