package survey_test

import (
	"testing"

	"koe/survey"
)

func TestReputation(t *testing.T) {
	for _, c := range []struct {
		r    survey.Reputation
		want string
	}{
		{survey.Reputation{}, ""},
		{survey.Reputation{Sent: 9, Bounced: 9}, ""},
		{survey.Reputation{Sent: 10, Bounced: 10}, survey.PausedByBounces},
		{survey.Reputation{Sent: 1000, Bounced: 49}, ""},
		{survey.Reputation{Sent: 1000, Bounced: 50}, survey.PausedByBounces},
		{survey.Reputation{Sent: 999, Refused: 999}, ""},
		{survey.Reputation{Sent: 200, Bounced: 9, Refused: 100}, ""},
		{survey.Reputation{Sent: 400, Bounced: 10, Refused: 200}, survey.PausedByBounces},
		{survey.Reputation{Sent: 401, Bounced: 10, Refused: 200}, ""},
		{survey.Reputation{Sent: 1000, Refused: 49}, ""},
		{survey.Reputation{Sent: 1000, Refused: 50}, survey.PausedByBounces},
		{survey.Reputation{Sent: 1000, Bounced: 20, Refused: 30}, survey.PausedByBounces},
		{survey.Reputation{Sent: 3, Complained: 1}, ""},
		{survey.Reputation{Sent: 999, Complained: 2}, ""},
		{survey.Reputation{Sent: 999, Complained: 3}, survey.PausedByComplaints},
		{survey.Reputation{Sent: 1000, Complained: 1}, survey.PausedByComplaints},
		{survey.Reputation{Sent: 1000}, ""},
	} {
		if got, pause := c.r.Pause(); got != c.want || pause != (c.want != "") {
			t.Errorf("%+v: %q, %v", c.r, got, pause)
		}
	}
}
