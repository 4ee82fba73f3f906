package api_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"koe/survey"
	"koe/survey/store/storetest"
)

// truth is what other tools computed of some answers; files differ in what they
// have.
type truth struct {
	N         float64
	Histogram map[int]float64
	NPS       *float64
	Error     *float64  `json:"se"`
	Adjusted  []float64 `json:"adj_wald95_clipped"`
	Mean      *float64
	SD        *float64
	MeanT     []float64   `json:"mean_t95"`
	Top2      *truthShare `json:"top2"`
	Agree     *truthShare `json:"agree_from_5"`
}

type truthShare struct {
	Percent float64   `json:"pct"`
	Wilson  []float64 `json:"wilson95"`
}

// truthWeek has the NPS, or the share of the top two points.
type truthWeek struct{ N, Value float64 }

// truthChange is a difference of NPS or of shares.
type truthChange struct {
	Wald *struct {
		Diff, Z float64
		P       float64   `json:"p_two_sided"`
		CI      []float64 `json:"ci95"`
	}
	Top2 *truthChange
	Diff float64   `json:"diff_pct_points"`
	Z    float64   `json:"z_pooled"`
	P    float64   `json:"p_two_sided"`
	CI   []float64 `json:"newcombe95"`
}

// scored is a score as a report has it.
type scored struct {
	Key, Start, End string
	Responses       float64
	Score, Mean     *float64
	Interval        *scoredInterval
	Error           *float64        `json:"standard_error"`
	Deviation       *float64        `json:"standard_deviation"`
	Agree           *float64        `json:"percent_agree"`
	AgreeInterval   *scoredInterval `json:"percent_agree_interval"`
	Distribution    []struct {
		Value int
		Count float64
	}
}

type scoredInterval struct{ Low, High float64 }

type scoredReport struct {
	Source          string
	Total           scored
	Periods, Groups []scored
	Comparison      *struct {
		Difference, Z *float64
		P             *float64 `json:"p_value"`
		Interval      *scoredInterval
	}
}

// scoresOf asks for a score.
func (s *server) scoresOf(query string, args ...any) (r scoredReport) {
	s.t.Helper()
	s.scores(query, args...).into(&r)
	return r
}

func near(want float64, got *float64) bool { return got != nil && math.Abs(want-*got) <= 1e-6 }

func (i *scoredInterval) is(want []float64) bool {
	return i == nil && want == nil || i != nil && len(want) == 2 && near(want[0], &i.Low) && near(want[1], &i.High)
}

// check fails the test where a score is not what it should be, to 1e-6.
func (w truth) check(t *testing.T, name string, got scored) {
	t.Helper()
	good := w.N > 0 && got.Responses == w.N
	for _, bin := range got.Distribution {
		good = good && (w.Histogram == nil && w.NPS == nil || w.Histogram[bin.Value] == bin.Count)
	}
	switch {
	case w.NPS != nil:
		good = good && near(*w.NPS, got.Score) && near(*w.Error, got.Error) && got.Interval.is(w.Adjusted)
	case w.Agree != nil:
		for i := range w.MeanT { // koe cuts an interval where the scale ends
			w.MeanT[i] = min(max(w.MeanT[i], 1), 7)
		}
		good = good && near(*w.Mean, got.Score) && got.Interval.is(w.MeanT) && near(w.Agree.Percent, got.Agree) && got.AgreeInterval.is(w.Agree.Wilson)
	default:
		good = good && near(w.Top2.Percent, got.Score) && got.Interval.is(w.Top2.Wilson)
	}
	if w.Mean != nil {
		good = good && near(*w.Mean, got.Mean)
	}
	if w.SD != nil {
		good = good && near(*w.SD, got.Deviation)
	}
	if !good {
		t.Errorf("%s: %s instead of %s", name, written(t, got), written(t, w))
	}
}

// written is how a failing test shows what it has.
func written(t *testing.T, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// partsOf are the parts of a report that have answers, named as the truth does;
// they must be those that it has.
func partsOf[T any](t *testing.T, name string, want map[string]T, got []scored, key func(scored) string) map[string]scored {
	t.Helper()
	parts := map[string]scored{}
	for _, one := range got {
		if one.Responses > 0 {
			parts[key(one)] = one
		}
	}
	if len(want) < 2 || !slices.Equal(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(parts))) {
		t.Errorf("%s: %v instead of %v", name, slices.Sorted(maps.Keys(parts)), slices.Sorted(maps.Keys(want)))
		return nil
	}
	return parts
}

// checkParts compares every part of a report.
func checkParts(t *testing.T, name string, want map[string]truth, got []scored, key func(scored) string) {
	t.Helper()
	for part, one := range partsOf(t, name, want, got, key) {
		want[part].check(t, name+" "+part, one)
	}
}

func partKey(p scored) string   { return p.Key }
func partMonth(p scored) string { return p.Start[:7] }
func partQuarter(p scored) string {
	at, _ := time.Parse(time.DateOnly, p.Start)
	return fmt.Sprintf("%d-Q%d", at.Year(), (int(at.Month())+2)/3)
}
func partWeek(p scored) string {
	day, _ := survey.ParseDay(p.Start)
	return day.ISOWeek()
}

// check fails the test where a comparison is not what it should be.
func (w truthChange) check(t *testing.T, name string, got scoredReport) {
	t.Helper()
	switch {
	case w.Wald != nil:
		w = truthChange{Diff: w.Wald.Diff, CI: w.Wald.CI, Z: w.Wald.Z, P: w.Wald.P}
	case w.Top2 != nil:
		w = *w.Top2
	}
	c := got.Comparison
	if c == nil || !near(w.Diff, c.Difference) || !c.Interval.is(w.CI) || c.Z != nil && (!near(w.Z, c.Z) || !near(w.P, c.P)) {
		t.Errorf("%s: %s instead of %s", name, written(t, c), written(t, w))
	}
}

// dataset reads a file of the reference data, and what is known of it.
func dataset(t *testing.T, name string, known any) []byte {
	t.Helper()
	folder := storetest.Data(t)
	text, err := os.ReadFile(filepath.Join(folder, "truth", name+".json"))
	if err == nil {
		err = json.Unmarshal(text, known)
	}
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(filepath.Join(folder, "data", name+".csv"))
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// checkWindows compares windows of 30 days that end where a month of 2021 does;
// the truth names them by their two days.
func (s *server) checkWindows(touchpoint string, want map[string]truth) {
	s.t.Helper()
	found := 0
	for _, p := range s.scoresOf("touchpoint=%s&interval=month&rolling=30d&from=2021-01-01&to=2022-01-01", touchpoint).Periods {
		for name, window := range want {
			if strings.Contains(name, "["+p.Start+","+p.End+")") {
				found++
				window.check(s.t, name, p)
			}
		}
	}
	if found != len(want) || found == 0 {
		s.t.Errorf("%d of %d rolling windows", found, len(want))
	}
}

// checkChanges compares every period with the one before it.
func (s *server) checkChanges(touchpoint, interval string, want map[string]truthChange, periods []scored, key func(scored) string) {
	s.t.Helper()
	found := 0
	for i, p := range periods {
		if i == 0 {
			continue
		}
		name := key(p) + " - " + key(periods[i-1])
		if change, known := want[name]; known {
			found++
			change.check(s.t, touchpoint+" "+name, s.scoresOf("touchpoint=%s&interval=%s&from=%s&to=%s&compare=previous", touchpoint, interval, p.Start, p.End))
		}
	}
	if found != len(want) || found == 0 {
		s.t.Errorf("%s: %d of %d comparisons by %s", touchpoint, found, len(want), interval)
	}
}

// checkMeans compares month with month by Welch's t, from the means that are
// known: other tools compared shares of effort, which koe does not.
func (s *server) checkMeans(touchpoint string, want map[string]truth, months []scored) {
	s.t.Helper()
	for i, p := range months {
		if i == 0 {
			continue
		}
		now, before := want[partMonth(p)], want[partMonth(months[i-1])]
		got := s.scoresOf("touchpoint=%s&interval=month&from=%s&to=%s&compare=previous", touchpoint, p.Start, p.End).Comparison
		diff := *now.Mean - *before.Mean
		t := diff / math.Sqrt(*now.SD**now.SD/now.N+*before.SD**before.SD/before.N)
		if got == nil || !near(diff, got.Difference) || !near(t, got.Z) {
			s.t.Errorf("%s %s: %s instead of %v, t %v", touchpoint, p.Start, written(s.t, got), diff, t)
		}
	}
}
