package survey

import (
	"testing"
)

func TestScheduleDefaults(t *testing.T) {
	s := chatSurvey(t)
	s.Channel, s.Trigger = Email, Trigger{Type: OnSchedule}
	if err := s.Clean(); err != nil || s.Trigger.Cron != "0 9 * * 1-5" || s.Trigger.Every != "90d" {
		t.Errorf("%v %+v", err, s.Trigger)
	}
	s.Trigger.Type = OnInteraction // what a patch makes of it
	if err := s.Clean(); err != nil || s.Trigger.Cron != "" || s.Trigger.Every != "" || s.Trigger.Delay != "0s" {
		t.Errorf("%v %+v", err, s.Trigger)
	}
}

// TestShare: fire after fire, an audience that stands still is asked evenly, and
// each of it once in a cadence; newcomers come in by and by.
func TestShare(t *testing.T) {
	for _, c := range []struct{ audience, fires int }{{100, 10}, {95, 10}, {7, 10}, {1000, 64}, {10, 1}, {0, 5}, {3, 0}} {
		var shares []int
		window := max(c.fires, 1)
		for fire := range 5 * window {
			asked := 0
			for _, n := range shares[max(0, len(shares)-window+1):] {
				asked += n
			}
			n := Share(c.audience, asked, c.fires, fire+1)
			if low, high := c.audience/window, (c.audience+window-1)/window; n < low || n > high {
				t.Fatalf("%+v: fire %d asks %d, not %d to %d", c, fire, n, low, high)
			}
			shares = append(shares, n)
			if last := shares[max(0, len(shares)-window):]; len(last) == window {
				sum := 0
				for _, n := range last {
					sum += n
				}
				if sum != c.audience {
					t.Fatalf("%+v: %d asked in a cadence", c, sum)
				}
			}
		}
	}
	if n := Share(1000, 90, 10, 10); n != 100 { // 900 have come in: not all at once
		t.Errorf("%d", n)
	}
	if n := Share(10, 95, 10, 10); n != 0 { // most have left
		t.Errorf("%d", n)
	}
}
