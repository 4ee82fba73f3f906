package demo

import (
	"cmp"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"koe/survey"
)

// days is how long a year is here.
const days = 365

// year invents visits, day by day.
type year struct {
	*rand.Rand
	now       survey.Instant
	loc       *time.Location
	first     survey.Day
	places    []place
	customers []customer
	told      int        // visits so far; their numbers
	calls     *rand.Rand // what staff do: the year is the same whatever they do
}

// Visits is the year before now, in the order in which it happened; loc is the
// zone by whose clock the shop opens. The same seed and instant tell the same
// year. What lies after now has not happened: of those asked lately many have
// not answered.
func Visits(seed uint64, now survey.Instant, loc *time.Location) iter.Seq[survey.Visit] {
	return func(yield func(survey.Visit) bool) {
		y := newYear(seed, now, loc)
		for day := range days + 1 {
			for _, moment := range y.day(day) {
				if moment.at >= now {
					continue
				}
				if !yield(y.visit(moment, day)) {
					return
				}
			}
		}
	}
}

func newYear(seed uint64, now survey.Instant, loc *time.Location) *year {
	y := &year{Rand: rand.New(rand.NewPCG(seed, 0)), now: now, loc: loc, places: places(), //nolint:gosec // invented, not secret
		calls: rand.New(rand.NewPCG(seed, 1))} //nolint:gosec // the same
	y.first = survey.DayOf(now, loc) - days
	y.customers = customers(y.Rand)
	return y
}

type moment struct {
	place *place
	at    survey.Instant
}

// weekdays are how lively Monday to Sunday are.
var weekdays = [7]float64{1.14, 1.10, 1.01, 1.03, 0.92, 0.92, 0.88}

// day is when customers come on a day; trade grows by two thirds in the year.
func (y *year) day(n int) []moment {
	today := y.first + survey.Day(n)
	trade := (0.75 + 0.5*float64(n)/days) * weekdays[today.Weekday()-1]
	if _, month, _ := today.Date(); month == time.December {
		trade *= 1.25
	}
	var list []moment
	for i := range y.places {
		p := &y.places[i]
		visits := p.answers / days
		if p.way != byTool {
			visits /= p.rate
		}
		for range y.poisson(visits * trade) {
			minute := p.open[0]*60 + y.IntN((p.open[1]-p.open[0])*60)
			at := survey.WallTime(today, minute, y.loc).Add(time.Duration(y.IntN(60_000)) * time.Millisecond)
			list = append(list, moment{p, at})
		}
	}
	slices.SortFunc(list, func(a, b moment) int { return cmp.Compare(a.at, b.at) })
	return list
}

// poisson is a number of independent events of which mean are to be expected.
func (y *year) poisson(mean float64) int {
	n, left := 0, math.Exp(-mean)
	for p := y.Float64(); p > left; p *= y.Float64() {
		n++
	}
	return n
}

// visit is what happened at a moment and what came of it.
func (y *year) visit(m moment, day int) survey.Visit {
	y.told++
	p, c := m.place, &y.customers[y.IntN(len(y.customers))]
	about := y.occasion(p, c, day)
	v := survey.Visit{Survey: p.Key, Interaction: survey.Interaction{Touchpoint: p.Key, ExternalID: fmt.Sprintf("%s-%06d", p.Key, y.told),
		Customer: c.Customer, Attributes: about.attributes(), OccurredAt: m.at}}
	if p.way == byTool {
		v.Elsewhere, v.Channel = true, p.channel
		y.answer(&v, p, c, about, m.at)
		return v
	}
	if v.Skipped, v.Until = c.refuses(p, m.at); v.Skipped != "" {
		return v
	}
	if y.Float64() < 0.03 {
		v.Skipped = survey.SkipNotSampled
		return v
	}
	send := m.at.Add(p.delay.Length())
	c.ask(p, send)
	if send < y.now {
		v.SentAt = &send
		y.reaction(&v, p, c, about)
	}
	return v
}

// reaction is what a customer does with an invitation.
func (y *year) reaction(v *survey.Visit, p *place, c *customer, about occasion) {
	sent, chance := *v.SentAt, y.Float64()
	happens := func(at survey.Instant) *survey.Instant {
		if at >= y.now {
			return nil
		}
		return &at
	}
	switch willing := p.rate * c.answersMail(p); {
	case p.way == byMail && chance > 0.994:
		v.BouncedAt = happens(sent.Add(4 * time.Minute))
		c.suppress(v.BouncedAt)
	case p.way == byMail && chance > 0.988:
		v.OpenedAt = happens(sent.Add(y.delay(p)))
		if v.OpenedAt != nil {
			v.UnsubscribedAt = happens(v.OpenedAt.Add(time.Minute))
		}
		c.suppress(v.UnsubscribedAt)
	case chance < willing:
		at := sent.Add(y.delay(p))
		if at >= y.now || at >= sent.Add(p.rules.ExpiresAfter.Length()) {
			return
		}
		v.OpenedAt = happens(at.Add(-time.Duration(10+y.IntN(50)) * time.Second))
		if *v.OpenedAt < sent {
			v.OpenedAt = &sent
		}
		y.answer(v, p, c, about, at)
	case chance < willing+0.25:
		v.OpenedAt = happens(sent.Add(y.delay(p)))
	}
}

// delay is how long customers take to react: most at once or the next day,
// some only after they were reminded. A page that is open is answered at once.
func (y *year) delay(p *place) time.Duration {
	lognormal := func(median, sigma float64) time.Duration {
		return time.Duration(median*math.Exp(sigma*y.NormFloat64())*3600) * time.Second
	}
	chance := y.Float64()
	switch {
	case p.way == byLink:
		return max(5*time.Second, min(lognormal(0.02, 1), 72*time.Hour))
	case chance < 0.2 && len(p.rules.Reminders) > 0:
		return p.rules.Reminders[0].Length() + min(lognormal(4, 1.2), 120*time.Hour)
	case chance < 0.55:
		return max(30*time.Second, min(lognormal(0.5, 1.3), 160*time.Hour))
	}
	return max(30*time.Second, min(lognormal(16, 1), 160*time.Hour))
}

// answer is what the customer says.
func (y *year) answer(v *survey.Visit, p *place, c *customer, about occasion, at survey.Instant) {
	score := p.least + y.pick(tilted(p.shares, about.tilt+c.mood))
	mood := moodOf(p, score)
	said := survey.Answer{Score: score, Answers: y.choices(p, about, score, mood), Complete: true}
	if y.Float64() < [...]float64{bad: 0.55, mixed: 0.35, good: 0.33}[mood] {
		said.Comment = y.comment(p, c, about, mood)
	}
	v.Answer, v.AnsweredAt = &said, at
	v.FollowUp = y.followUp(p, c, score, at)
}

// tilted shifts a distribution up or down: 1 makes the highest score 2.7 times
// as likely as the middle.
func tilted(shares []float64, tilt float64) []float64 {
	list := make([]float64, len(shares))
	for i, share := range shares {
		list[i] = share * math.Exp(tilt*(2*float64(i)/float64(len(shares)-1)-1))
	}
	return list
}

// pick draws an index by weight.
func (y *year) pick(weights []float64) int {
	sum := 0.0
	for _, w := range weights {
		sum += w
	}
	at := y.Float64() * sum
	for i, w := range weights {
		if at -= w; at < 0 {
			return i
		}
	}
	return len(weights) - 1
}

// Today is what happens at the shop at this very moment, told to koe as a shop
// tells it: the first of these customers are asked at once, the others in half
// an hour, by the address that they get.
func Today(now survey.Instant) []survey.Interaction {
	var list []survey.Interaction
	tell := func(touchpoint string, ago time.Duration, name, address, locale, zone string, about map[string]string) {
		o := occasion{about: about}
		list = append(list, survey.Interaction{Touchpoint: touchpoint, ExternalID: fmt.Sprintf("today-%d", len(list)+1), OccurredAt: now.Add(-ago),
			Attributes: o.attributes(), Customer: survey.Customer{ExternalID: fmt.Sprintf("t-%d", len(list)+1), Email: &address, Name: name, Locale: locale, Timezone: zone}})
	}
	chat := func(agent, plan, region string) map[string]string {
		return map[string]string{"agent": agent, "plan": plan, "region": region}
	}
	tell("support_chat", 50*time.Minute, "Ana Bennett", "ana.bennett@example.com", "en", "Europe/London", chat("Kim", "plus", "London"))
	tell("support_chat", 45*time.Minute, "佐藤 葵", "aoi.sato@example.com", "ja", "Asia/Tokyo", chat("Mori", "free", "Kanto"))
	tell("support_chat", 40*time.Minute, "Jürgen Weiß", "juergen.weiss@example.com", "de", "Europe/Berlin", chat("Baker", "free", "Berlin"))
	tell("relationship", time.Minute, "Priya Patel", "priya.patel@example.com", "en", "Europe/London", map[string]string{"plan": "business", "region": "North"})
	tell("relationship", time.Minute, "田中 健太", "kenta.tanaka@example.com", "ja", "Asia/Tokyo", map[string]string{"plan": "plus", "region": "Kansai"})
	tell("support_chat", 2*time.Minute, "Leo Murray", "leo.murray@example.com", "en", "Europe/London", chat("Okafor", "free", "Scotland"))
	tell("support_chat", time.Minute, "木村 裕子", "yuko.kimura@example.com", "ja", "Asia/Tokyo", chat("Tanaka", "plus", "Kyushu"))
	tell("checkout", 0, "Freya Nolan", "freya.nolan@example.com", "en", "Europe/London", map[string]string{"device": "phone", "plan": "free", "region": "Midlands"})
	return list
}
