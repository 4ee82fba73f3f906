package scoring

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// These tests check koe against figures that others computed: the folder in
// KOE_TEST_DATA holds them in truth/. Without it they are skipped, unless
// KOE_TEST_MUST=1 says that they must run.

func readTruth(t *testing.T, name string, value any) {
	t.Helper()
	folder := os.Getenv("KOE_TEST_DATA")
	if folder == "" {
		if os.Getenv("KOE_TEST_MUST") == "1" {
			t.Fatal("KOE_TEST_DATA is not set, but KOE_TEST_MUST is 1")
		}
		t.Skip("KOE_TEST_DATA is not set: it names the folder with truth/" + name)
	}
	data, err := os.ReadFile(filepath.Join(folder, "truth", name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, value); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// digits is the precision of the figures: eight decimals.
const digits = 6e-9

// npsTruth holds the figures of one set of NPS answers.
type npsTruth struct {
	N          int64            `json:"n"`
	Promoters  int64            `json:"promoters"`
	Passives   int64            `json:"passives"`
	Detractors int64            `json:"detractors"`
	NPS        *float64         `json:"nps"`
	Rounded    *int             `json:"nps_int_half_away"`
	Percents   []int            `json:"pct_int_sum100"`
	Share      *float64         `json:"pct_promoters"`
	Error      *float64         `json:"se"`
	Wald       []float64        `json:"wald95"`
	Adjusted   []float64        `json:"adj_wald95_clipped"`
	Mean       *float64         `json:"score_mean"`
	Deviation  *float64         `json:"score_sd"`
	Histogram  map[string]int64 `json:"histogram"`
}

func (truth npsTruth) answers(t *testing.T) Histogram {
	t.Helper()
	if truth.Histogram == nil {
		return Histogram{9: truth.Promoters, 7: truth.Passives, 0: truth.Detractors}
	}
	return histogram(t, truth.Histogram)
}

func (truth npsTruth) check(t *testing.T) {
	t.Helper()
	r := Score(nps, truth.answers(t), 0.95)
	want := Groups[int64]{{"promoters", truth.Promoters}, {"passives", truth.Passives}, {"detractors", truth.Detractors}}
	if r.Responses != truth.N || !slices.Equal(r.Counts, want) {
		t.Errorf("got %d %v, want %d %v", r.Responses, r.Counts, truth.N, want)
	}
	nearOrNil(t, truth.NPS, r.Score)
	nearOrNil(t, truth.Error, r.StandardError)
	wholes(t, truth.Percents, r.Percent)
	if truth.NPS == nil {
		return
	}
	if truth.Rounded != nil && *r.Rounded != *truth.Rounded {
		t.Errorf("headline %d, want %d", *r.Rounded, *truth.Rounded)
	}
	if truth.Share != nil {
		near(t, *truth.Share, r.Share.Of("promoters"), digits)
	}
	half := normalQuantile(0.95) * *r.StandardError
	pair(t, truth.Wald, *r.Score-half, *r.Score+half)
	pair(t, truth.Adjusted, r.Interval.Low, r.Interval.High)
	if truth.Mean != nil {
		nearOrNil(t, truth.Mean, r.Mean)
		nearOrNil(t, truth.Deviation, r.StandardDeviation)
	}
}

// shareTruth holds the figures of one share of the answers.
type shareTruth struct {
	Count   int64     `json:"count"`
	Percent float64   `json:"pct"`
	Rounded int       `json:"pct_int_half_away"`
	Wilson  []float64 `json:"wilson95"`
}

// scaleTruth holds the figures of one set of CSAT or CES answers.
type scaleTruth struct {
	N         int64            `json:"n"`
	Histogram map[string]int64 `json:"histogram"`
	Mean      *float64         `json:"mean"`
	Deviation *float64         `json:"sd"`
	MeanError *float64         `json:"mean_se"`
	MeanT     []float64        `json:"mean_t95"`
	Top2      shareTruth       `json:"top2"`
	Bottom2   shareTruth       `json:"bottom2"`
	Top1      shareTruth       `json:"top1"`
	Agree     *shareTruth      `json:"agree_from_5"`
	Percents  []int            `json:"pct_int_sum100"`
}

func (truth scaleTruth) check(t *testing.T) {
	t.Helper()
	h := histogram(t, truth.Histogram)
	m := csat5
	if truth.Agree != nil {
		m = agreement
	}
	r := Score(m, h, 0.95)
	if r.Responses != truth.N {
		t.Errorf("got %d answers, want %d", r.Responses, truth.N)
	}
	nearOrNil(t, truth.Mean, r.Mean)
	nearOrNil(t, truth.Deviation, r.StandardDeviation)
	if got := Percents(h[m.Min : m.Max+1]...); !slices.Equal(got, truth.Percents) {
		t.Errorf("percents %v, want %v", got, truth.Percents)
	}
	if truth.N == 0 {
		return
	}
	for _, share := range []struct {
		want      shareTruth
		low, high int
	}{{truth.Top2, m.Max - 1, m.Max}, {truth.Bottom2, m.Min, m.Min + 1}, {truth.Top1, m.Max, m.Max}} {
		k := h.between(share.low, share.high)
		low, high := Wilson(k, h.N(), 0.95)
		share.want.check(t, k, h.N(), low, high)
	}
	if m == csat5 {
		truth.Top2.check(t, r.Counts.Of("satisfied"), r.Responses, r.Interval.Low, r.Interval.High)
		near(t, truth.Top2.Percent, *r.Score, digits)
		return
	}
	truth.Agree.check(t, r.Counts.Of("agree"), r.Responses, r.PercentAgreeInterval.Low, r.PercentAgreeInterval.High)
	near(t, truth.Agree.Percent, *r.PercentAgree, digits)
	nearOrNil(t, truth.Mean, r.Score)
	nearOrNil(t, truth.MeanError, r.StandardError)
	if r.Interval != nil {
		// koe's interval ends where the scale ends.
		pair(t, []float64{max(truth.MeanT[0], float64(m.Min)), min(truth.MeanT[1], float64(m.Max))}, r.Interval.Low, r.Interval.High)
	}
}

func (truth shareTruth) check(t *testing.T, k, n int64, low, high float64) {
	t.Helper()
	if k != truth.Count || Round(k, n) != truth.Rounded {
		t.Errorf("got %d, %d%%, want %d, %d%%", k, Round(k, n), truth.Count, truth.Rounded)
	}
	near(t, truth.Percent, percent(k, n), digits)
	pair(t, truth.Wilson, low, high)
}

// npsChange and shareChange hold the figures of two periods compared.
type npsChange struct {
	Difference  float64   `json:"diff"`
	Z           *float64  `json:"z"`
	P           *float64  `json:"p_two_sided"`
	Interval    []float64 `json:"ci95"`
	Significant bool      `json:"significant_5pct"`
}

type shareChange struct {
	Difference  float64   `json:"diff_pct_points"`
	Z           *float64  `json:"z_pooled"`
	P           *float64  `json:"p_two_sided"`
	Interval    []float64 `json:"newcombe95"`
	Significant bool      `json:"significant_5pct"`
}

func (truth npsChange) check(t *testing.T, c *Comparison) {
	t.Helper()
	if c == nil {
		t.Fatal("no comparison")
	}
	near(t, truth.Difference, *c.Difference, digits)
	nearOrNil(t, truth.Z, c.Z)
	nearOrNil(t, truth.P, c.PValue)
	pair(t, truth.Interval, c.Interval.Low, c.Interval.High)
	if c.Significant != truth.Significant {
		t.Errorf("significant %v, want %v", c.Significant, truth.Significant)
	}
}

func (truth shareChange) check(t *testing.T, c *Comparison) {
	t.Helper()
	npsChange(truth).check(t, c)
}

func nearOrNil(t *testing.T, want, got *float64) {
	t.Helper()
	if (want == nil) != (got == nil) {
		t.Errorf("got %v, want %v", got, want)
		return
	}
	if want != nil {
		near(t, *want, *got, digits)
	}
}

func pair(t *testing.T, want []float64, low, high float64) {
	t.Helper()
	if len(want) != 2 || math.Abs(want[0]-low) > digits || math.Abs(want[1]-high) > digits {
		t.Errorf("got %.8f to %.8f, want %v", low, high, want)
	}
}

func wholes(t *testing.T, want []int, got Groups[int]) {
	t.Helper()
	var percents []int
	for _, group := range got {
		percents = append(percents, group.Value)
	}
	if !slices.Equal(want, percents) {
		t.Errorf("percents %v, want %v", percents, want)
	}
}
