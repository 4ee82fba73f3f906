package scoring

// DefaultLeaveRate is the share of unhappy customers that a [Scenario] takes to
// leave where nobody says another: half of customers say that they would switch
// after one bad experience (Zendesk, "Customer Experience Trends Report 2020").
// What people say they would do is more than what they do.
const DefaultLeaveRate = 0.5

// DaysPerMonth is what a [Scenario] takes a month to be.
const DaysPerMonth = 30

// Scenario is what unhappy customers would cost if all that it assumes were so:
// an arithmetic, not an estimate.
type Scenario struct {
	Unhappy      float64 // share of customers, 0 to 1
	VolumePerDay float64 // customers a day
	LeaveRate    float64 // share of the unhappy who leave, 0 to 1
}

// LostPerMonth is how many customers leave in a month:
//
//	volume a day × 30 × share of unhappy × leave rate
func (s Scenario) LostPerMonth() float64 {
	return s.VolumePerDay * DaysPerMonth * s.Unhappy * s.LeaveRate
}

// KeptPerMonth is how many fewer leave if so many percent points of the
// customers were no longer unhappy; there cannot be more of them than there
// are.
func (s Scenario) KeptPerMonth(points float64) float64 {
	better := s
	better.Unhappy = min(points/100, s.Unhappy)
	return better.LostPerMonth()
}

// Unhappy says how many of the answers that a result is of are those of unhappy
// customers: detractors (NPS), everybody who is not satisfied (CSAT), 1 to 3
// (CES version 2), 4 and 5 (CES version 1).
func (r Result) Unhappy() int64 {
	for _, group := range r.Counts {
		switch group.Name {
		case "detractors", "disagree", "high":
			return group.Value
		case "satisfied":
			return r.Responses - group.Value
		}
	}
	return 0
}
