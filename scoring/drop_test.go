package scoring_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"koe/scoring"
)

func cells(m scoring.Measure, h scoring.Histogram) []scoring.Cell {
	return []scoring.Cell{{Measure: m, Histogram: h}}
}

func weeksOf(m scoring.Measure, weeks ...scoring.Histogram) [][]scoring.Cell {
	var out [][]scoring.Cell
	for _, h := range weeks {
		out = append(out, cells(m, h))
	}
	return out
}

// Eight weeks of 80 of 100 satisfied, then 60 of 100: φ is 1, v is that of 700 of
// 900, t is -20/100/√(v(1/100+1/800)) = -4.5356, p by Student's law with 7
// degrees is 0.001339.
func TestDrop(t *testing.T) {
	usual := scoring.Histogram{1: 20, 5: 80}
	var before []scoring.Histogram
	for range 8 {
		before = append(before, usual)
	}
	d, err := scoring.DropOf(cells(csat, scoring.Histogram{1: 40, 5: 60}), weeksOf(csat, before...), 30)
	if err != nil || !d.Enough || !d.Unusual || *d.Score != 60 || *d.Before != 80 || d.Responses != 100 || *d.Dispersion != 1 {
		t.Fatalf("%+v, %v", d, err)
	}
	if math.Abs(*d.PValue-0.001339) > 2e-6 {
		t.Errorf("p is %v", *d.PValue)
	}
	if d, _ = scoring.DropOf(cells(csat, scoring.Histogram{5: 100}), weeksOf(csat, before...), 30); d.Unusual || *d.PValue < 0.99 {
		t.Errorf("a rise: %+v", d)
	}
	if d, _ = scoring.DropOf(cells(csat, scoring.Histogram{1: 29}), weeksOf(csat, before...), 30); d.Enough || d.PValue != nil || *d.Score != 0 {
		t.Errorf("too few: %+v", d)
	}
	if d, _ = scoring.DropOf(cells(csat, scoring.Histogram{1: 40, 5: 60}), weeksOf(csat, before[:5]...), 30); d.Enough {
		t.Errorf("too few weeks: %+v", d)
	}
	if d, _ = scoring.DropOf(nil, make([][]scoring.Cell, 8), 30); d.Enough || d.Score != nil || d.Before != nil {
		t.Errorf("nothing at all: %+v", d)
	}
	// weeks that scatter by themselves: the same week is nothing special
	wild := []scoring.Histogram{{1: 45, 5: 55}, {1: 5, 5: 95}, {1: 30, 5: 70}, {1: 2, 5: 98}, {1: 38, 5: 62}, {1: 4, 5: 96}, {1: 26, 5: 74}, {1: 10, 5: 90}}
	if d, _ = scoring.DropOf(cells(csat, scoring.Histogram{1: 40, 5: 60}), weeksOf(csat, wild...), 30); d.Unusual || *d.Dispersion < 10 {
		t.Errorf("wild weeks: %+v", d)
	}
	// effort: a rise is the drop
	effort := scoring.DefaultMeasure(scoring.CES, 1, 5, 1)
	calm := scoring.Histogram{1: 50, 2: 30, 3: 10, 4: 5, 5: 5}
	hard := scoring.Histogram{1: 10, 2: 10, 3: 20, 4: 30, 5: 30}
	if d, _ = scoring.DropOf(cells(effort, hard), weeksOf(effort, calm, calm, calm, calm, calm, calm), 30); !d.Unusual || *d.Score != 3.6 {
		t.Errorf("more effort: %+v", d)
	}
	if d, _ = scoring.DropOf(cells(effort, calm), weeksOf(effort, hard, hard, hard, hard, hard, hard), 30); d.Unusual {
		t.Errorf("less effort: %+v", d)
	}
	if _, err = scoring.DropOf(cells(nps, scoring.Histogram{9: 1}), weeksOf(csat, usual), 30); !errors.Is(err, scoring.ErrMixedMetrics) {
		t.Errorf("two metrics: %v", err)
	}
}

// TestDropsAreRarelyRaisedFalsely looks every day at years in which nothing
// changes, in the ways that answers scatter: on average there is less than one
// false alarm a year.
func TestDropsAreRarelyRaisedFalsely(t *testing.T) {
	const years = 100
	for name, day := range map[string]func(r *rand.Rand, day int, week float64) (n int, p float64){
		"independent":       func(r *rand.Rand, _ int, _ float64) (int, float64) { return 10 + r.IntN(20), 0.85 },
		"few and satisfied": func(r *rand.Rand, _ int, _ float64) (int, float64) { return 5 + r.IntN(5), 0.95 },
		"many":              func(r *rand.Rand, _ int, _ float64) (int, float64) { return 100 + r.IntN(50), 0.7 },
		"clusters by day":   func(r *rand.Rand, _ int, _ float64) (int, float64) { return 20, 0.8 + 0.15*(2*r.Float64()-1) },
		"clusters by week":  func(r *rand.Rand, _ int, week float64) (int, float64) { return 20, 0.8 + 0.15*week },
		"weekdays that differ": func(r *rand.Rand, day int, _ float64) (int, float64) {
			if day%7 >= 5 {
				return 4 + r.IntN(3), 0.6
			}
			return 20 + r.IntN(10), 0.88
		},
	} {
		r := rand.New(rand.NewPCG(11, 3))
		alarms := 0
		for range years {
			alarms += yearOfDrops(t, r, day)
		}
		t.Logf("%s: %.2f false alarms a year", name, float64(alarms)/years)
		if alarms > years {
			t.Errorf("%s: %.2f false alarms a year", name, float64(alarms)/years)
		}
	}
}

// yearOfDrops counts the alarms of a year: one is raised where the seven days
// before had no unusual look.
func yearOfDrops(t *testing.T, r *rand.Rand, day func(*rand.Rand, int, float64) (int, float64)) (alarms int) {
	t.Helper()
	const first = 7 * (scoring.DropWeeks + 1)
	var sums [first + 365 + 1][2]int64 // satisfied and all before a day
	week := 0.0
	for i := range len(sums) - 1 {
		if i%7 == 0 {
			week = 2*r.Float64() - 1
		}
		n, p := day(r, i, week)
		sums[i+1] = [2]int64{sums[i][0] + hits(r, n, p), sums[i][1] + int64(n)}
	}
	of := func(from int) []scoring.Cell {
		satisfied, all := sums[from+7][0]-sums[from][0], sums[from+7][1]-sums[from][1]
		return cells(csat, scoring.Histogram{1: all - satisfied, 5: satisfied})
	}
	last := -100
	for end := first; end < len(sums); end++ {
		before := make([][]scoring.Cell, 0, scoring.DropWeeks)
		for w := range scoring.DropWeeks {
			before = append(before, of(end-7*(w+2)))
		}
		d, err := scoring.DropOf(of(end-7), before, 30)
		if err != nil {
			t.Fatal(err)
		}
		if d.Unusual {
			if end-last > 7 {
				alarms++
			}
			last = end
		}
	}
	return alarms
}

// A fall that matters is seen: of 85 percent to 70 at 40 answers a day within
// the week, mostly.
func TestDropsAreSeen(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	seen := 0
	for range 1000 {
		var before [][]scoring.Cell
		for range scoring.DropWeeks {
			k := hits(r, 280, 0.85)
			before = append(before, cells(csat, scoring.Histogram{1: 280 - k, 5: k}))
		}
		k := hits(r, 280, 0.7)
		if d, err := scoring.DropOf(cells(csat, scoring.Histogram{1: 280 - k, 5: k}), before, 30); err == nil && d.Unusual {
			seen++
		}
	}
	t.Logf("%d of 1000", seen)
	if seen < 800 {
		t.Errorf("%d of 1000 falls are seen", seen)
	}
}
