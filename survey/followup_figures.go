package survey

import (
	"math"
	"slices"
	"time"
)

// Spread says how lengths of time are distributed, in hours; nil where there
// are none.
type Spread struct {
	N      int      `json:"n"`
	Median *float64 `json:"median_hours"`
	P90    *float64 `json:"p90_hours"` // nine in ten took at most so long
}

// SpreadOf sorts times. A quantile between two of them is interpolated: of 1
// and 3 hours the median is 2.
func SpreadOf(times []time.Duration) Spread {
	slices.Sort(times)
	return Spread{len(times), quantile(times, 0.5), quantile(times, 0.9)}
}

func quantile(sorted []time.Duration, share float64) *float64 {
	if len(sorted) == 0 {
		return nil
	}
	at := share * float64(len(sorted)-1)
	below, above := int(math.Floor(at)), int(math.Ceil(at))
	between := at - math.Floor(at)
	hours := sorted[below].Hours() + between*(sorted[above]-sorted[below]).Hours()
	return &hours
}

// Fraction is a part of a whole, in percent; nil where the whole is nothing.
type Fraction struct {
	Count   int      `json:"count"`
	Percent *float64 `json:"percent"`
}

// FractionOf is count of n.
func FractionOf(count, n int) Fraction {
	if n == 0 {
		return Fraction{Count: count}
	}
	percent := 100 * float64(count) / float64(n)
	return Fraction{count, &percent}
}

// FollowUpSummary is how a company gets back to its unhappy customers.
type FollowUpSummary struct {
	From       Instant               `json:"from"` // what was opened before it and is resolved is not counted
	Total      int                   `json:"total"`
	States     map[FollowUpState]int `json:"states"`
	Overdue    int                   `json:"overdue"`
	Unowned    int                   `json:"unowned"` // of those that are not resolved
	FirstTouch Spread                `json:"time_to_first_touch"`
	Resolution Spread                `json:"time_to_resolve"`
	Confirmed  CustomersWord         `json:"confirmation"`
	Next       []NextScore           `json:"next_scores"`
	Remark     string                `json:"next_scores_remark"`
}

// CustomersWord counts what customers said of what was resolved: N is how often
// that is settled, which is once for each time it was resolved under a rule
// that asks.
type CustomersWord struct {
	N           int      `json:"n"`
	Pending     int      `json:"pending"`
	Confirmed   Fraction `json:"confirmed"`
	Reopened    Fraction `json:"reopened"`
	Unconfirmed Fraction `json:"unconfirmed"`
}

// CountWords sets N and the fractions.
func CountWords(pending, confirmed, reopened, unconfirmed int) CustomersWord {
	n := confirmed + reopened + unconfirmed
	return CustomersWord{n, pending, FractionOf(confirmed, n), FractionOf(reopened, n), FractionOf(unconfirmed, n)}
}

// NextScore is what customers with a follow-up answered then and the next time
// that they were asked the same, on one scale.
type NextScore struct {
	Metric string  `json:"metric"`
	Scale  Scale   `json:"scale"`
	N      int     `json:"n"`      // customers' follow-ups that a later answer is known of
	Before float64 `json:"before"` // the mean of the scores that were followed up
	After  float64 `json:"after"`  // the mean of the next ones
}

// NextScoreRemark goes with every such figure.
const NextScoreRemark = "Low scores drift up by themselves: whoever is looked at because of an unusually bad day has, on average, " +
	"a better one next (regression to the mean). These figures show what came next, not what the follow-up did."
