package scoring

import (
	"math"
	"slices"
	"testing"
)

func TestShareOf(t *testing.T) {
	s := ShareOf(81, 263, 0.95) // Newcombe 1998: 0.2553 to 0.3662
	if s.Count != 81 || s.Interval.Method != "wilson" || s.Interval.Level != 0.95 {
		t.Errorf("got %+v", s)
	}
	near(t, 100*81.0/263, *s.Share, 1e-12)
	near(t, 25.5289, s.Interval.Low, 6e-5)
	near(t, 36.6210, s.Interval.High, 6e-5)
	if none := ShareOf(0, 4, 0.95); *none.Share != 0 || none.Interval.Low != 0 {
		t.Errorf("nobody chose it: %+v", none)
	}
	if empty := ShareOf(0, 0, 0.95); empty.Count != 0 || empty.Share != nil || empty.Interval != nil {
		t.Errorf("nobody was asked: %+v", empty)
	}
	if wrong := ShareOf(1, 2, 7); wrong.Interval != nil || *wrong.Share != 50 {
		t.Errorf("level 7: %+v", wrong)
	}
}

func TestPercentOf(t *testing.T) {
	if got := PercentOf(57, 200); *got != 28.5 {
		t.Errorf("got %v", *got)
	}
	if got := PercentOf(0, 3); *got != 0 {
		t.Errorf("got %v", *got)
	}
	if PercentOf(0, 0) != nil || PercentOf(1, 0) != nil || PercentOf(1, -1) != nil {
		t.Error("a share of nothing is a number")
	}
}

func TestRate(t *testing.T) {
	// support.cys.group 3000095529
	r := Rate(1, 7, Histogram{1: 80, 2: 210, 3: 140, 4: 110, 5: 160, 6: 180, 7: 120}, 0.95)
	near(t, 4.08, *r.Mean, 1e-12)
	near(t, 1.91240, *r.StandardDeviation, 6e-6)
	if r.Interval.Method != "t" || len(r.Distribution) != 7 || r.Distribution[6] != (Bin{7, 120}) {
		t.Errorf("got %+v", r)
	}
	same := Score(agreement, Histogram{1: 80, 2: 210, 3: 140, 4: 110, 5: 160, 6: 180, 7: 120}, 0.95)
	if *same.Interval != *r.Interval {
		t.Errorf("the interval is %+v, of a CES %+v", r.Interval, same.Interval)
	}
	two := Rate(0, 4, Histogram{4: 1, 0: 1}, 0.95)
	near(t, 2*math.Sqrt2, *two.StandardDeviation, 1e-12)
	if two.Interval.Low != 0 || two.Interval.High != 4 {
		t.Errorf("the interval leaves the scale: %+v", two.Interval)
	}
	if one := Rate(1, 5, Histogram{4: 1}, 0.95); *one.Mean != 4 || one.StandardDeviation != nil || one.Interval != nil {
		t.Errorf("one answer: %+v", one)
	}
	empty := Rate(1, 3, Histogram{}, 0.95)
	if empty.Mean != nil || empty.StandardDeviation != nil || empty.Interval != nil ||
		!slices.Equal(empty.Distribution, []Bin{{1, 0}, {2, 0}, {3, 0}}) {
		t.Errorf("no answers: %+v", empty)
	}
	if off := Rate(1, 3, Histogram{0: 5, 2: 1, 3: -1, 4: 5}, 0.95); *off.Mean != 2 || off.Distribution[2].Count != 0 {
		t.Errorf("answers off the scale count: %+v", off)
	}
	if wrong := Rate(1, 3, Histogram{1: 2, 3: 2}, 1); wrong.Interval != nil {
		t.Errorf("level 1: %+v", wrong.Interval)
	}
}
