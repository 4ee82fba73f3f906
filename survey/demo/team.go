package demo

import (
	"time"

	"koe/survey"
)

// lead is told what is overdue.
const lead = "hana.sato@example.com"

// Team are those of the shop who work with koe; agents by the names that answers
// call them.
func Team() []survey.Member {
	return []survey.Member{
		{Email: lead, Name: "佐藤 花 Hana Sato", Role: survey.Viewer, Locale: "ja", Timezone: "Asia/Tokyo", Digest: survey.DigestDaily},
		{Email: "kim@example.com", Name: "Kim", Role: survey.Editor, Locale: "en", Timezone: "Europe/London", Digest: survey.DigestWeekly},
		{Email: "mori@example.com", Name: "Mori", Role: survey.Editor, Locale: "ja", Timezone: "Asia/Tokyo"},
		{Email: "okafor@example.com", Name: "Okafor", Role: survey.Editor, Locale: "en", Timezone: "Europe/London"},
		{Email: "baker@example.com", Name: "Baker", Role: survey.Editor, Locale: "en", Timezone: "Europe/London"},
		{Email: "tanaka@example.com", Name: "Tanaka", Role: survey.Editor, Locale: "ja", Timezone: "Asia/Tokyo"},
	}
}

// Notes say what happened when; loc is the zone by whose clock the shop opens.
func Notes(now survey.Instant, loc *time.Location) []survey.Note {
	first := survey.DayOf(now, loc) - days
	return []survey.Note{
		{Day: first + checkoutReleased, Text: "New checkout", Touchpoint: "checkout"},
		{Day: first + checkoutMended, Text: "Payment on phones mended", Touchpoint: "checkout"},
		{Day: first + days - calledBack, Text: "We call unhappy customers back"},
	}
}

// TagRules name what comments are about. Invoices have none: terms to be found.
func TagRules() []survey.TagRule {
	return []survey.TagRule{
		{Tag: "late", Keywords: []string{"days late", "day late", "days later", "more days", "zu spät", "遅れて", "届いていません"}},
		{Tag: "waiting", Keywords: []string{"waited", "queue", "minutes", "gewartet", "待ち時間", "待ちました", "待たされ"}},
		{Tag: "damaged", Keywords: []string{"broken", "scratches", "crushed", "crack", "damaged", "kaputt", "Kratzer", "壊れ", "割れ", "傷"}},
		{Tag: "payment", Keywords: []string{"payment", "pay button", "card", "checkout", "Bezahlseite", "bezahlen", "支払", "決済", "カード"}},
		{Tag: "unsolved", Keywords: []string{"still not solved", "could not help", "tomorrow", "konnte nicht helfen", "解決しませんでした"}},
		{Tag: "friendly staff", Keywords: []string{"patient", "kind", "friendly", "nett", "丁寧", "親切"}},
		{Tag: "price", Keywords: []string{"prices", "price", "costs", "teurer", "Versandkosten", "値上げ", "送料", "高い"}},
	}
}
