package demo

import (
	"koe/scoring"
	"koe/survey"
)

// Company is how the shop calls itself.
const Company = "Hinoki Home"

// Touchpoint is a moment of the shop's customers.
type Touchpoint struct{ Key, Name string }

// way is how answers come in.
type way int

const (
	byMail way = iota // koe asks by mail
	byLink            // koe makes a link that the shop shows
	byTool            // another tool asks and hands the answer over
)

// place is a touchpoint with the survey that asks there, and what the year
// brought. Shares of scores are per mille, from measured distributions.
type place struct {
	Touchpoint
	survey   string // the survey's name
	template string
	metric   scoring.Metric
	way      way
	channel  string  // of byTool
	answers  float64 // in a year of steady trade
	rate     float64 // how many of those asked answer
	least    int     // the lowest score
	shares   []float64
	segments []string
	rules    survey.Rules
	delay    survey.Duration
	open     [2]int // opening hours, by the clock of the shop
}

// places are the eight touchpoints, the busiest first. The shares of scores
// come from an airport, a telecom, a marketplace, a call centre, a software
// house and published effort scores; what is known of response rates is in the
// figures too: mail after a talk 25 to 40 %, other mail
// 15 to 30 %, the shop's own pages more.
func places() []place {
	weekly := survey.Rules{QuietPeriod: "30d", QuietScope: survey.QuietWorkspace, Reminders: []survey.Duration{"7d"}, ExpiresAfter: "21d"}
	twiceAYear := weekly
	twiceAYear.FollowUp = callBack(6, "3d", survey.RoundRobin)
	return []place{
		{Touchpoint: Touchpoint{"delivery", "Parcel delivered"}, survey: "After delivery", template: "delivery", metric: scoring.CSAT,
			way: byTool, channel: "in_app", answers: 5800, least: 1, shares: []float64{83, 42, 85, 245, 545},
			segments: []string{"carrier", "region"}, open: [2]int{8, 21}},
		{Touchpoint: Touchpoint{"support_call", "Support by phone"}, survey: "After a call", template: "support", metric: scoring.CSAT,
			way: byTool, channel: "phone", answers: 2600, least: 1, shares: []float64{103, 98, 230, 331, 238},
			segments: []string{"agent", "plan"}, open: [2]int{9, 18}, rules: survey.Rules{FollowUp: callBack(2, "24h", "attributes.agent")}},
		{Touchpoint: Touchpoint{"support_chat", "Support chat"}, survey: "After a chat", template: "support", metric: scoring.CSAT,
			way: byMail, answers: 2000, rate: 0.36, least: 1, shares: []float64{62, 58, 130, 330, 420},
			segments: []string{"agent", "plan", "region"}, delay: "30m", open: [2]int{8, 20},
			rules: survey.Rules{QuietPeriod: "14d", QuietScope: survey.QuietSurvey, ExpiresAfter: "14d", FollowUp: callBack(2, "24h", "attributes.agent")}},
		{Touchpoint: Touchpoint{"checkout", "Checkout"}, survey: "After checkout", template: "checkout", metric: scoring.CES,
			way: byLink, answers: 1900, rate: 0.52, least: 1, shares: []float64{30, 40, 60, 110, 190, 280, 290},
			segments: []string{"device", "plan", "region"}, open: [2]int{7, 23},
			rules: survey.Rules{QuietPeriod: "7d", QuietScope: survey.QuietSurvey, ExpiresAfter: "7d"}},
		{Touchpoint: Touchpoint{"relationship", "Twice a year"}, survey: "How are we doing?", template: "nps", metric: scoring.NPS,
			way: byMail, answers: 1150, rate: 0.28, least: 0, shares: []float64{6, 2, 3, 7, 7, 52, 47, 106, 247, 205, 318},
			segments: []string{"plan", "region"}, open: [2]int{10, 11}, rules: twiceAYear},
		{Touchpoint: Touchpoint{"app", "Mobile app"}, survey: "In the app", template: "nps", metric: scoring.NPS,
			way: byTool, channel: "in_app", answers: 1100, least: 0, shares: []float64{5, 1, 5, 4, 14, 27, 49, 93, 172, 181, 449},
			segments: []string{"platform", "plan"}, open: [2]int{7, 23}},
		{Touchpoint: Touchpoint{"billing", "Invoice sent"}, survey: "After an invoice", template: "ces", metric: scoring.CES,
			way: byMail, answers: 560, rate: 0.24, least: 1, shares: []float64{60, 90, 110, 150, 220, 220, 150},
			segments: []string{"plan"}, delay: "1d", open: [2]int{9, 10}, rules: weekly},
		{Touchpoint: Touchpoint{"showroom", "Showroom visit"}, survey: "At the door", template: "csat", metric: scoring.CSAT,
			way: byTool, channel: "tablet", answers: 240, least: 1, shares: []float64{12, 22, 145, 521, 300},
			segments: []string{"city"}, open: [2]int{10, 19}},
	}
}

// Touchpoints are the shop's eight, the busiest first.
func Touchpoints() []Touchpoint {
	var list []Touchpoint
	for _, p := range places() {
		list = append(list, p.Touchpoint)
	}
	return list
}

// Surveys are one per touchpoint, under the touchpoint's key. They use stock
// templates and those of Templates.
func Surveys() []survey.Survey {
	var list []survey.Survey
	for _, p := range places() {
		s := survey.Survey{Key: p.Key, Name: p.survey, Template: p.template, Touchpoint: p.Key, Channel: survey.Email,
			Trigger: survey.Trigger{Type: survey.OnInteraction, Delay: p.delay}, Rules: p.rules, Segments: p.segments}
		switch p.way {
		case byLink:
			s.Channel = survey.LinkOnly
		case byTool:
			s.Channel, s.Trigger = survey.LinkOnly, survey.Trigger{Type: survey.OnManual}
		}
		list = append(list, s)
	}
	return list
}

// Templates are the shop's own, beside the stock ones.
func Templates() []survey.Template {
	low, high := survey.Text{"en": "Not at all", "ja": "まったく", "de": "Gar nicht"}, survey.Text{"en": "Very", "ja": "とても", "de": "Sehr"}
	unhappy := survey.Text{"en": "Very dissatisfied", "ja": "とても不満", "de": "Sehr unzufrieden"}
	happy := survey.Text{"en": "Very satisfied", "ja": "とても満足", "de": "Sehr zufrieden"}
	support := survey.Template{Key: "support", Name: "Support", Metric: scoring.CSAT, DefaultLocale: "en",
		Placeholders: map[string]survey.Text{"attributes.agent": {"en": "our colleague", "ja": "担当者", "de": "unserem Kollegen"}},
		Mail: survey.TemplateMail{
			Subject: survey.Text{"en": "How was your talk with {{attributes.agent}}?", "ja": "{{attributes.agent}}の対応はいかがでしたか？", "de": "Wie war Ihr Gespräch mit {{attributes.agent}}?"},
			Intro:   survey.Text{"en": "You asked us for help. Did it help?", "ja": "お問い合わせありがとうございました。ご感想をお聞かせください。", "de": "Sie haben uns um Hilfe gebeten. Konnten wir helfen?"}},
		Questions: []survey.Question{
			score(1, 5, "How satisfied were you with our help?", "サポートにどのくらいご満足いただけましたか？", "Wie zufrieden waren Sie mit unserer Hilfe?", unhappy, happy),
			{Key: "reason", Type: survey.TextQuestion, Text: survey.Text{"en": "What is the main reason for your answer?", "ja": "その評価の主な理由をお聞かせください。", "de": "Was ist der wichtigste Grund dafür?"}},
			{Key: "topic", Type: survey.ChoiceQuestion, Multiple: true, Text: survey.Text{"en": "What was it about?", "ja": "どのような点についてですか？", "de": "Worum ging es?"},
				Options: []survey.Option{option("waiting", "Waiting", "待ち時間", "Wartezeit"), option("knowledge", "Knowledge", "知識", "Fachwissen"),
					option("friendliness", "Friendliness", "丁寧さ", "Freundlichkeit"), option("solution", "The solution", "解決策", "Die Lösung")}},
			{Key: "patience", Type: survey.RatingQuestion, Scale: &survey.Scale{Min: 1, Max: 5}, LowLabel: low, HighLabel: high,
				Text: survey.Text{"en": "How patient were we?", "ja": "根気よく対応できていましたか？", "de": "Wie geduldig waren wir?"}},
			{Key: "contact", Type: survey.ConsentQuestion, ShowIf: survey.When{"score": {Max: new(2)}},
				Text: survey.Text{"en": "May we call you about it?", "ja": "ご連絡を差し上げてもよろしいですか？", "de": "Dürfen wir Sie dazu anrufen?"}},
		}}
	delivery := survey.Template{Key: "delivery", Name: "Delivery", Metric: scoring.CSAT, DefaultLocale: "en",
		Questions: []survey.Question{
			score(1, 5, "How satisfied are you with the delivery?", "配送にどのくらいご満足いただけましたか？", "Wie zufrieden sind Sie mit der Lieferung?", unhappy, happy),
			{Key: "reason", Type: survey.TextQuestion, Text: survey.Text{"en": "Tell us more", "ja": "詳しくお聞かせください。", "de": "Erzählen Sie uns mehr"}},
			{Key: "arrival", Type: survey.ChoiceQuestion, Text: survey.Text{"en": "How did it arrive?", "ja": "どのように届きましたか？", "de": "Wie kam es an?"},
				Options: []survey.Option{option("on_time", "On time", "予定どおり", "Pünktlich"), option("late", "Late", "遅れて", "Verspätet"),
					option("damaged", "Damaged", "破損して", "Beschädigt")}},
		}}
	checkout := survey.Template{Key: "checkout", Name: "Checkout", Metric: scoring.CES, DefaultLocale: "en",
		Questions: []survey.Question{
			score(1, 7, "How much do you agree? “It was easy to buy.”", "「簡単に購入できた。」どのくらいそう思われますか？", "Wie sehr stimmen Sie zu? „Der Kauf war einfach.“",
				survey.Text{"en": "Strongly disagree", "ja": "まったくそう思わない", "de": "Gar nicht"}, survey.Text{"en": "Strongly agree", "ja": "とてもそう思う", "de": "Voll und ganz"}),
			{Key: "reason", Type: survey.TextQuestion, Text: survey.Text{"en": "What made it easy or hard?", "ja": "簡単だった点、難しかった点をお聞かせください。", "de": "Was war einfach, was schwierig?"}},
			{Key: "step", Type: survey.ChoiceQuestion, ShowIf: survey.When{"score": {Max: new(5)}}, Text: survey.Text{"en": "Where did you get stuck?", "ja": "どこでお困りでしたか？", "de": "Wo kamen Sie nicht weiter?"},
				Options: []survey.Option{option("address", "Address", "住所", "Adresse"), option("delivery_date", "Delivery date", "配送日", "Liefertermin"),
					option("payment", "Payment", "お支払い", "Bezahlung"), option("sign_in", "Signing in", "ログイン", "Anmeldung")}},
		}}
	return []survey.Template{support, delivery, checkout}
}

func score(least, most int, en, ja, de string, low, high survey.Text) survey.Question {
	return survey.Question{Key: survey.ScoreKey, Type: survey.ScoreQuestion, Scale: &survey.Scale{Min: least, Max: most},
		Text: survey.Text{"en": en, "ja": ja, "de": de}, LowLabel: low, HighLabel: high}
}

func option(key, en, ja, de string) survey.Option {
	return survey.Option{Key: key, Text: survey.Text{"en": en, "ja": ja, "de": de}}
}
