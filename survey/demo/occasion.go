package demo

import (
	"time"

	"koe/scoring"
	"koe/survey"
)

// occasion is what there is to know of one visit beside who came.
type occasion struct {
	tilt    float64 // how much better or worse it went than usual
	about   map[string]string
	arrival string // of a parcel
	trouble bool   // with the new checkout
}

func (o occasion) attributes() survey.Attributes {
	a := survey.Attributes{}
	for name, value := range o.about {
		a[name] = survey.TextValue(value)
	}
	return a
}

// agents answer calls and chats; the figure is how customers like them.
var agents = []struct {
	name string
	tilt float64
}{{"Kim", 0}, {"Mori", 1.4}, {"Baker", -1.3}, {"Okafor", 0.1}, {"Schulz", 0}, {"Tanaka", 0.2}, {"Silva", -0.1}, {"Novak", 0.05}}

var carriers = []struct {
	name       string
	share      float64
	late, tilt float64
}{{"Northway", 0.45, 0.05, 0.15}, {"Kuro Express", 0.35, 0.06, 0.1}, {"Parcelino", 0.20, 0.21, -0.3}}

// The new checkout, counted in days of the year.
const (
	checkoutReleased = days - 140 // it goes live, and hurts
	checkoutMended   = days - 92  // the first repair is out
	checkoutGood     = days - 62  // from here on it is better than the old one
)

func checkoutTilt(day int) float64 {
	const hurt, better = -1.5, 0.35
	switch {
	case day < checkoutReleased:
		return 0
	case day < checkoutMended:
		return hurt
	case day < checkoutGood:
		return hurt + (better-hurt)*float64(day-checkoutMended)/(checkoutGood-checkoutMended)
	}
	return better
}

func (y *year) occasion(p *place, c *customer, day int) occasion {
	o := occasion{about: map[string]string{}}
	own := map[string]string{"plan": c.plan, "region": c.region, "platform": c.platform, "city": c.city}
	for _, name := range p.segments {
		if value, known := own[name]; known {
			o.about[name] = value
		}
	}
	switch p.Key {
	case "support_chat", "support_call":
		agent := agents[y.IntN(len(agents))]
		o.about["agent"], o.tilt = agent.name, agent.tilt
	case "checkout":
		o.about["device"] = []string{"phone", "desktop", "tablet"}[y.pick([]float64{0.62, 0.32, 0.06})]
		o.tilt = checkoutTilt(day)
		if o.about["device"] == "phone" && o.tilt < 0 {
			o.tilt *= 1.25
		}
		o.trouble = o.tilt < -0.5
	case "delivery":
		y.deliver(&o, y.first+survey.Day(day))
	}
	return o
}

func (y *year) deliver(o *occasion, today survey.Day) {
	weights := make([]float64, len(carriers))
	for i, c := range carriers {
		weights[i] = c.share
	}
	carrier := carriers[y.pick(weights)]
	o.about["carrier"], o.tilt, o.arrival = carrier.name, carrier.tilt, "on_time"
	late := carrier.late
	if _, month, _ := today.Date(); month == time.December {
		late *= 2.2
	}
	switch chance := y.Float64(); {
	case chance < late:
		o.arrival, o.tilt = "late", o.tilt-1.9
	case chance < late+0.02:
		o.arrival, o.tilt = "damaged", o.tilt-2.4
	}
}

// mood is what a score says of the customer.
type mood int

const (
	bad mood = iota
	mixed
	good
)

func moodOf(p *place, score int) mood {
	limits := map[scoring.Metric][2]int{scoring.NPS: {7, 9}, scoring.CSAT: {3, 4}, scoring.CES: {4, 6}}[p.metric]
	switch {
	case score < limits[0]:
		return bad
	case score < limits[1]:
		return mixed
	}
	return good
}

// choices are the answers that are not words.
func (y *year) choices(p *place, o occasion, score int, m mood) survey.Answers {
	said := survey.Answers{}
	if y.Float64() < 0.2 { // those who answer the score alone
		return said
	}
	switch p.template {
	case "support":
		said["topic"] = y.some([]string{"waiting", "knowledge", "friendliness", "solution"}, [][]float64{{5, 2, 1, 4}, {3, 2, 2, 3}, {1, 3, 4, 4}}[m])
		said["patience"] = 1 + y.pick(tilted([]float64{4, 6, 15, 35, 40}, 1.4*float64(m-mixed)))
		if score <= 2 {
			said["contact"] = y.Float64() < 0.75
		}
	case "delivery":
		said["arrival"] = o.arrival
	case "checkout":
		if score <= 5 {
			weights := []float64{3, 3, 3, 3}
			if o.trouble {
				weights[2] = 24
			}
			said["step"] = []string{"address", "delivery_date", "payment", "sign_in"}[y.pick(weights)]
		}
	case "nps":
		if score <= 8 {
			said["topic"] = y.some([]string{"quality", "price", "service", "ease", "speed"}, []float64{2, 4, 3, 2, 2})
		}
		if score <= 6 {
			said["contact"] = y.Float64() < 0.6
		}
	}
	return said
}

// some is one or two of the options, in their order.
func (y *year) some(options []string, weights []float64) []string {
	first, second := y.pick(weights), y.pick(weights)
	if first == second || y.Float64() < 0.6 {
		return []string{options[first]}
	}
	return []string{options[min(first, second)], options[max(first, second)]}
}
