package scoring

import (
	"fmt"
	"math"
	"testing"
)

// The wanted values were computed with 30 digits, tails beyond 1000 degrees by
// integrating the density.

func TestNormalQuantile(t *testing.T) {
	if z := fmt.Sprintf("%.15f", normalQuantile(0.95)); z != "1.959963984540054" {
		t.Errorf("0.95: got %s", z)
	}
	for _, c := range []struct{ level, z float64 }{
		{0.9, 1.6448536269514727}, {0.95, 1.9599639845400542}, {0.99, 2.5758293035489008}, {0.999, 3.2905267314918948},
	} {
		near(t, c.z, normalQuantile(c.level), 5e-16)
		near(t, beyond(c.level), normalTail(-c.z), 1e-15)
	}
}

func TestStudentQuantile(t *testing.T) {
	for _, c := range []struct{ level, degrees, t float64 }{
		{0.95, 1, 12.7062047361747},
		{0.95, 2, 4.302652729749464},
		{0.95, 2.5, 3.574654842003683},
		{0.95, 9, 2.262157162798206},
		{0.95, 29, 2.045229642132704},
		{0.95, 999, 1.96234146113345},
		{0.95, 1000, 1.962339080826408},
		{0.95, 1001, 1.96233670528088},
		{0.95, 5000, 1.960438551706508},
		{0.95, 100000, 1.95998770753461},
		{0.95, 1e13, 1.959963984540054},
		{0.999, 1, 636.6192487687196},
		{0.999, 2, 31.59905457644362},
		{0.999, 2.5, 18.27789352813065},
		{0.999, 9, 4.780912585931139},
		{0.999, 29, 3.659405019466333},
		{0.999, 999, 3.300292440398735},
		{0.999, 1000, 3.300282648423913},
		{0.999, 1001, 3.300272876066009},
		{0.999, 100000, 3.290624031411883},
		{0.51, 1, 1.031919949280496},
		{0.51, 2, 0.8384914920020067},
		{0.51, 9, 0.7196588999758623},
		{0.51, 1001, 0.6905634685399781},
	} {
		got := studentQuantile(c.level, c.degrees)
		if math.Abs(got-c.t) > 1e-11*c.t {
			t.Errorf("level %v, %v degrees: got %.16g, want %.16g", c.level, c.degrees, got, c.t)
		}
	}
}

func TestStudentTail(t *testing.T) {
	for _, c := range []struct{ t, degrees, tail float64 }{
		{0, 5, 1},
		{0, 5000, 1},
		{0.5, 1, 0.7048327646991335},
		{2, 3, 0.1393259685588432},
		{-2, 3, 0.1393259685588432},
		{2, 7.3, 0.08394103933410321},
		{4.5, 30, 9.519359392112469e-5},
		{0.001, 12, 0.9992185475306495},
		{1.96, 999, 0.05027346273381004},
		{1.96, 1001, 0.0502729077328985},
		{6, 1500, 2.469390089618689e-9},
		{12, 1e6, 3.57168512476509e-33},
		{30, 40, 4.850907660590208e-29},
		{3, 10000, 0.002706448189997666},
	} {
		got := studentTail(c.t, c.degrees)
		if math.Abs(got-c.tail) > 1e-10*c.tail {
			t.Errorf("t %v, %v degrees: got %.16g, want %.16g", c.t, c.degrees, got, c.tail)
		}
	}
}

// near fails unless got is within the tolerance of want.
func near(t *testing.T, want, got, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("got %.12g, want %.12g", got, want)
	}
}
