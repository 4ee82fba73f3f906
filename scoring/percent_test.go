package scoring

import "testing"

func TestRound(t *testing.T) {
	for _, c := range []struct {
		numerator, denominator int64
		want                   int
	}{
		{57, 200, 29}, {-57, 200, -29}, {101, 200, 51}, {-101, 200, -51}, // exact halves
		{23, 40, 58}, {29, 200, 15}, {113, 200, 57}, {565, 1000, 57}, {575, 1000, 58},
		{1, 3, 33}, {-1, 3, -33}, {2, 3, 67}, {-2, 3, -67}, {0, 7, 0}, {7, 7, 100}, {-7, 7, -100},
		{1, 200, 1}, {-1, 200, -1}, {1, 201, 0}, {-1, 201, 0},
		{999_999_999_999, 1_000_000_000_000, 100}, {-1_000_000_000_000, 1_000_000_000_000, -100},
	} {
		if got := Round(c.numerator, c.denominator); got != c.want {
			t.Errorf("%d/%d: got %d, want %d", c.numerator, c.denominator, got, c.want)
		}
	}
}

func TestPercentsOfNothing(t *testing.T) {
	if Percents() != nil || Percents(0) != nil || Percents(5, -1) != nil {
		t.Error("want nil")
	}
}

func FuzzPercents(f *testing.F) {
	f.Add(int64(1), int64(1), int64(1))
	f.Add(int64(0), int64(0), int64(0))
	f.Add(int64(999), int64(1), int64(0))
	f.Add(int64(1_000_000_000_000), int64(3), int64(-7))
	f.Fuzz(func(t *testing.T, a, b, c int64) {
		const most = 300_000_000_000_000
		counts := []int64{a % most, b % most, c % most}
		percents := Percents(counts...)
		total := counts[0] + counts[1] + counts[2]
		if min(counts[0], counts[1], counts[2]) < 0 || total == 0 {
			if percents != nil {
				t.Fatalf("%v: got %v, want nil", counts, percents)
			}
			return
		}
		sum := 0
		for i, whole := range percents {
			sum += whole
			down := int(100 * counts[i] / total)
			if whole != down && whole != down+1 || whole == down+1 && 100*counts[i]%total == 0 {
				t.Errorf("%v: got %v: %d is more than one off the exact share", counts, percents, whole)
			}
			for j := range percents[:i] {
				if counts[j] >= counts[i] && percents[j] < whole || counts[j] < counts[i] && percents[j] > whole {
					t.Errorf("%v: got %v: the order of the counts is lost", counts, percents)
				}
			}
		}
		if sum != 100 {
			t.Errorf("%v: got %v, which add up to %d", counts, percents, sum)
		}
	})
}
