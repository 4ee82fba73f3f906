package report

import (
	"fmt"
	"slices"
	"strings"

	"koe/scoring"
	"koe/survey"
)

// keptPoints is how much better the scenario asks about.
const keptPoints = 5

// leaveRates are those of the small table.
var leaveRates = []float64{0.05, 0.1, 0.2, 0.3, 0.5, 0.75}

// Impact is what the unhappy customers of a touchpoint would cost: the answer
// of GET /v1/impact. Figures that need answers are nil without any.
type Impact struct {
	Metric       scoring.Metric    `json:"metric"`
	Responses    int64             `json:"responses"`
	Score        *float64          `json:"score"`
	Unhappy      *float64          `json:"unhappy_percent"`
	Interval     *scoring.Interval `json:"unhappy_interval"`
	Reliable     bool              `json:"reliable"`
	VolumePerDay float64           `json:"volume_per_day"`
	DaysPerMonth int               `json:"days_per_month"`
	Points       int               `json:"points"`
	ImpactAt
	Scenarios   []ImpactAt `json:"scenarios"`
	Formula     string     `json:"formula"`
	Assumptions []string   `json:"assumptions"`
	Note        string     `json:"note"`
}

// ImpactAt is what one leave rate comes to: those who leave in a month, between
// which numbers as far as the share of the unhappy is known, and how many fewer
// if there were five points less of them.
type ImpactAt struct {
	LeaveRate float64  `json:"leave_rate"` // 0 to 1
	Lost      *float64 `json:"customers_lost_per_month"`
	Low       *float64 `json:"customers_lost_low"`
	High      *float64 `json:"customers_lost_high"`
	Kept      *float64 `json:"kept_per_month"`
}

// NewImpact makes the scenario of answers to one metric: several metrics are
// Invalid on "metric", which names them; other errors are as of [New].
func NewImpact(cells []scoring.Cell, volumePerDay, leaveRate, level float64) (Impact, error) {
	metrics := metricsOf(cells)
	if len(metrics) > 1 {
		return Impact{}, survey.Errorf(survey.Invalid, "metric", "several metrics are measured here: say which of %s", strings.Join(metrics, ", "))
	}
	result, err := scored(cells, level)
	if err != nil {
		return Impact{}, err
	}
	out := Impact{Responses: result.Responses, Score: result.Score, Reliable: result.Reliable, VolumePerDay: volumePerDay,
		DaysPerMonth: scoring.DaysPerMonth, Points: keptPoints,
		Formula: "customers lost per month = volume per day × 30 × share of unhappy customers × leave rate; " +
			"kept per month = the same with five points fewer unhappy customers, subtracted from it",
		Note: "A scenario, not an estimate: it says what would follow if the assumptions held. koe does not know who left."}
	if len(metrics) == 1 {
		out.Metric = scoring.Metric(metrics[0])
	}
	out.Assumptions = assumptions(out.Metric)
	if n := result.Responses; n > 0 {
		k := result.Unhappy()
		low, high := scoring.Wilson(k, n, level)
		out.Unhappy = new(100 * float64(k) / float64(n))
		out.Interval = &scoring.Interval{Level: level, Method: "wilson", Low: low, High: high}
	}
	out.ImpactAt = out.at(leaveRate)
	for _, rate := range leaveRates {
		out.Scenarios = append(out.Scenarios, out.at(rate))
	}
	return out, nil
}

func (i Impact) at(leaveRate float64) ImpactAt {
	out := ImpactAt{LeaveRate: leaveRate}
	if i.Unhappy == nil {
		return out
	}
	of := func(percent float64) scoring.Scenario {
		return scoring.Scenario{Unhappy: percent / 100, VolumePerDay: i.VolumePerDay, LeaveRate: leaveRate}
	}
	out.Lost, out.Kept = new(of(*i.Unhappy).LostPerMonth()), new(of(*i.Unhappy).KeptPerMonth(keptPoints))
	out.Low, out.High = new(of(i.Interval.Low).LostPerMonth()), new(of(i.Interval.High).LostPerMonth())
	return out
}

func assumptions(m scoring.Metric) []string {
	unhappy := map[scoring.Metric]string{
		scoring.NPS:  "unhappy customers are the detractors",
		scoring.CSAT: "unhappy customers are all who are not satisfied",
		scoring.CES:  "unhappy customers are those for whom it was not easy: 1 to 3 of CES 2.0, 4 and 5 of CES 1.0",
	}[m]
	out := []string{
		"those who answered are like those who did not",
		"every contact is another customer",
		fmt.Sprintf("a month has %d days", scoring.DaysPerMonth),
		"the leave rate is yours to set; without one it is 0.5, because half of customers say that they would switch after one bad experience " +
			"(Zendesk, Customer Experience Trends Report 2020), which is more than do",
	}
	if unhappy == "" {
		return out
	}
	return append([]string{unhappy}, out...)
}

// metricsOf are the metrics that have answers, in order.
func metricsOf(cells []scoring.Cell) []string {
	var out []string
	for _, m := range measuresOf(cells) {
		if name := string(m.Metric); !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}
