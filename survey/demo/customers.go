package demo

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"koe/survey"
)

// customer is somebody who comes back.
type customer struct {
	survey.Customer
	plan, region, city, platform string
	mood                         float64 // people differ, whatever happens to them

	asked  survey.Instant            // last, by any survey
	askedA map[string]survey.Instant // last, by survey
	ended  *survey.Instant           // since when the address is suppressed
}

// population is how many customers the shop has.
const population = 9000

// tongue is a language with the people who speak it.
type tongue struct {
	locale        string
	share         float64
	zone          string
	regions       []string
	cities        []string // where a showroom is
	given, family []string // as they are written
	mailed        []string // given and family names in a mail address
	familyFirst   bool
}

var tongues = []tongue{
	{locale: "en", share: 0.55, zone: "Europe/London", regions: []string{"London", "North", "Midlands", "Scotland"}, cities: []string{"London"},
		given:  []string{"Olivia", "Amelia", "Noah", "Priya", "George", "Zainab", "Leo", "Grace", "Hamza", "Freya", "Oscar", "Chloe", "Theo", "Aisha", "Callum", "Ruby", "Imogen", "Sam"},
		family: []string{"Ahmed", "Bennett", "Clarke", "Davies", "Evans", "Foster", "Gallagher", "Hughes", "Iqbal", "Jones", "Khan", "Lewis", "Murray", "Nolan", "Osei", "Patel", "Reid", "Walker"}},
	{locale: "ja", share: 0.33, zone: "Asia/Tokyo", regions: []string{"Kanto", "Kansai", "Chubu", "Kyushu"}, cities: []string{"Tokyo", "Osaka"}, familyFirst: true,
		given:  []string{"葵", "陽菜", "結衣", "さくら", "美咲", "蓮", "大翔", "悠真", "湊", "健太", "直子", "翔太", "由美", "裕子", "誠"},
		family: []string{"佐藤", "鈴木", "高橋", "田中", "伊藤", "渡辺", "山本", "中村", "小林", "加藤", "吉田", "山田", "松本", "井上", "木村"},
		mailed: []string{"aoi", "hina", "yui", "sakura", "misaki", "ren", "hiroto", "yuma", "minato", "kenta", "naoko", "shota", "yumi", "yuko", "makoto",
			"sato", "suzuki", "takahashi", "tanaka", "ito", "watanabe", "yamamoto", "nakamura", "kobayashi", "kato", "yoshida", "yamada", "matsumoto", "inoue", "kimura"}},
	{locale: "de", share: 0.12, zone: "Europe/Berlin", regions: []string{"Bayern", "Berlin", "Hessen", "Sachsen"}, cities: []string{"Berlin"},
		given:  []string{"Anna", "Emilia", "Jonas", "Leon", "Mia", "Paul", "Sofia", "Felix", "Lena", "Max", "Jürgen", "Käthe"},
		family: []string{"Becker", "Fischer", "Hoffmann", "Klein", "Müller", "Neumann", "Schäfer", "Schröder", "Vogel", "Weiß", "Wolf", "Zimmermann"}},
}

func customers(r *rand.Rand) []customer {
	list := make([]customer, population)
	for i := range list {
		chance, t := r.Float64(), tongues[len(tongues)-1]
		for _, one := range tongues {
			if chance -= one.share; chance < 0 {
				t = one
				break
			}
		}
		list[i] = t.customer(r, i+1)
	}
	return list
}

func (t tongue) customer(r *rand.Rand, number int) customer {
	given, family := r.IntN(len(t.given)), r.IntN(len(t.family))
	name := t.given[given] + " " + t.family[family]
	box := strings.ToLower(name)
	if t.familyFirst {
		name = t.family[family] + " " + t.given[given]
		box = t.mailed[given] + " " + t.mailed[len(t.given)+family]
	}
	box = strings.NewReplacer(" ", ".", "ü", "ue", "ä", "ae", "ö", "oe", "ß", "ss").Replace(box)
	address := fmt.Sprintf("%s.%d@example.com", box, number)
	c := customer{askedA: map[string]survey.Instant{}, mood: 0.35 * r.NormFloat64(),
		Customer: survey.Customer{ExternalID: fmt.Sprintf("c-%05d", number), Email: &address, Name: name, Locale: t.locale},
		region:   t.regions[r.IntN(len(t.regions))], city: t.cities[r.IntN(len(t.cities))]}
	c.plan, c.platform = "free", "ios"
	switch chance := r.Float64(); {
	case chance < 0.08:
		c.plan = "business"
		c.mood += 0.2
	case chance < 0.38:
		c.plan = "plus"
		c.mood += 0.15
	}
	if r.Float64() < 0.45 {
		c.platform = "android"
	}
	return c
}

// refuses says why a customer is not asked at a place.
func (c *customer) refuses(p *place, at survey.Instant) (survey.Reason, *survey.Instant) {
	if c.ended != nil && *c.ended <= at {
		return survey.SkipSuppressed, nil
	}
	last := c.asked
	if p.rules.QuietScope == survey.QuietSurvey {
		last = c.askedA[p.Key]
	}
	if until := last.Add(p.rules.QuietPeriod.Length()); last != 0 && at < until {
		return survey.SkipQuietPeriod, &until
	}
	return "", nil
}

func (c *customer) ask(p *place, at survey.Instant) { c.asked, c.askedA[p.Key] = at, at }

func (c *customer) suppress(since *survey.Instant) {
	if since != nil && c.ended == nil {
		c.ended = since
	}
}

// answersMail is how much more or less than others the customer answers.
func (c *customer) answersMail(p *place) float64 {
	switch {
	case p.way != byMail:
		return 1
	case c.Locale == "de":
		return 0.3
	case c.plan == "business":
		return 1.25
	}
	return 1.05
}
