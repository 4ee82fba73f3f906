package chart

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"koe/scoring"
	"koe/survey"
)

// Languages are those that drawings speak; the first is spoken where another is
// asked for.
func Languages() []string { return []string{"en", "ja"} }

// words are what a drawing says in one language. In texts with verbs their
// order is part of the language.
type words struct {
	lang string

	metrics   map[string]string // by metric, and ces1 and ces2
	per       map[survey.Interval]string
	groups    map[string]string // the parts of a distribution
	scale     string            // from, to
	zoomed    string            // from, to, whole scale from, to
	lower     string
	rolling   string // days
	score     string
	interval  string // level
	few       string
	target    string // score
	answers   string
	nothing   string
	noteOn    string // day, text
	moreNotes string // how many

	subtitle     string // metric, per
	from         string // first period, last period, time zone
	periods      string // how many, of those without an answer
	allAnswered  string // how many periods
	in           string // score, period, answers, interval
	to           string // the ends of an interval
	first        string // the same as in
	only         string
	last         string
	lowest       string
	highest      string
	total        string // answers
	share        string // name, percent, count
	point        string // value, count, percent
	distribution string
	mean         string
	spark        string // first, last, lowest, highest

	months   string // their short names
	day      string // with year: day, month, year
	shortDay string // day, month
	month    string // month, year
	quarter  string // quarter, year, first month, last month
	shortQ   string
	year     string
	week     string // day
	stop     string
	space    string // between sentences
}

var english = words{
	lang: "en",
	metrics: map[string]string{"nps": "Net Promoter Score (NPS)", "csat": "Customer satisfaction (CSAT), percent satisfied",
		"ces2": "Customer Effort Score (CES 2.0), mean agreement that it was easy", "ces1": "Customer Effort Score (CES 1.0), mean effort"},
	per: map[survey.Interval]string{survey.Daily: "per day", survey.Weekly: "per week", survey.Monthly: "per month",
		survey.Quarterly: "per quarter", survey.Yearly: "per year"},
	groups: map[string]string{"promoters": "Promoters", "passives": "Passives", "detractors": "Detractors", "satisfied": "Satisfied",
		"neutral": "Neutral", "dissatisfied": "Dissatisfied", "agree": "Agree", "disagree": "Disagree", "low": "Low effort",
		"medium": "Medium effort", "high": "High effort"},
	scale:   "Scale %s to %s.",
	zoomed:  "The axis shows only %s to %s of the scale %s to %s.",
	lower:   "Lower is better.",
	rolling: "over windows of %d days",
	score:   "Score", interval: "%s%% interval", few: "Fewer than 30 answers", target: "Target %s", answers: "Answers",
	nothing: "No answers in this range", noteOn: "%s: %s", moreNotes: "and %d more notes",
	subtitle: "%s, %s", from: "From %s to %s (%s).", periods: "Periods: %d, %d of them without answers.", allAnswered: "Periods: %d, all with answers.",
	in: "%s in %s (n = %s, interval %s).", to: "%s to %s", first: "First: ", only: "Only answers: ", last: "Last: ", lowest: "Lowest: ", highest: "Highest: ",
	total: "Answers in all: %s.", share: "%s %s (%s)", point: "Score %s: n = %s, %s.", distribution: "Distribution of answers", mean: "Mean %s.",
	spark:  "First %s, last %s, lowest %s, highest %s",
	months: "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec",
	day:    "%[1]d %[2]s %[3]d", shortDay: "%[1]d %[2]s", month: "%[1]s %[2]d", quarter: "Q%[1]d %[2]d", shortQ: "Q%[1]d", year: "%d", week: "the week of %s",
	stop: ".", space: " ",
}

var japanese = words{
	lang: "ja",
	metrics: map[string]string{"nps": "ネット・プロモーター・スコア（NPS）", "csat": "顧客満足度（CSAT）、満足の割合",
		"ces2": "顧客努力指標（CES 2.0）、「簡単だった」への同意の平均", "ces1": "顧客努力指標（CES 1.0）、かかった手間の平均"},
	per: map[survey.Interval]string{survey.Daily: "日ごと", survey.Weekly: "週ごと", survey.Monthly: "月ごと",
		survey.Quarterly: "四半期ごと", survey.Yearly: "年ごと"},
	groups: map[string]string{"promoters": "推奨者", "passives": "中立者", "detractors": "批判者", "satisfied": "満足", //nolint:gosec // words, no password
		"neutral": "どちらでもない", "dissatisfied": "不満", "agree": "同意", "disagree": "不同意", "low": "手間が少ない",
		"medium": "ふつう", "high": "手間が多い"},
	scale:   "目盛りは%sから%sまでです。",
	zoomed:  "軸は%sから%sまでを拡大して示しています（全体は%sから%s）。",
	lower:   "低いほど良い指標です。",
	rolling: "直近%d日間の集計",
	score:   "スコア", interval: "%s%%信頼区間", few: "回答が30件未満", target: "目標 %s", answers: "回答数",
	nothing: "この期間に回答はありません", noteOn: "%s：%s", moreNotes: "ほかにメモ%d件",
	subtitle: "%s、%s", from: "%sから%sまで（%s）。", periods: "%d期間のうち%d期間は回答がありません。", allAnswered: "%d期間すべてに回答があります。",
	in: "%[2]sに%[1]s（回答%[3]s件、信頼区間 %[4]s）。", to: "%s〜%s", first: "最初：", only: "回答がある期間：", last: "最後：", lowest: "最低：", highest: "最高：",
	total: "回答は全部で%s件です。", share: "%s %s（%s件）", point: "%s：%s件、%s。", distribution: "回答の分布", mean: "平均 %s。",
	spark:  "最初 %s、最後 %s、最低 %s、最高 %s",
	months: "1月 2月 3月 4月 5月 6月 7月 8月 9月 10月 11月 12月",
	day:    "%[3]d年%[2]s%[1]d日", shortDay: "%[4]d/%[1]d", month: "%[2]d年%[1]s", quarter: "%[2]d年%[3]s〜%[4]s", shortQ: "%[3]s〜%[4]s", year: "%d年", week: "%sからの週",
	stop: "。", space: "",
}

// speaking are the words of a language, or else English ones.
func speaking(lang string) words {
	if lang == "ja" {
		return japanese
	}
	return english
}

// metric names a metric, and which way it points.
func (w words) metric(m scoring.Metric, lowerIsBetter bool) string {
	key := string(m)
	if m == scoring.CES {
		key = "ces2"
		if lowerIsBetter {
			key = "ces1"
		}
	}
	return w.metrics[key]
}

// sentence ends a sentence.
func (w words) sentence(text string) string { return text + w.stop }

// join writes sentences one after the other.
func (w words) join(sentences []string) string { return strings.Join(sentences, w.space) }

// level writes a confidence level in percent.
func (w words) level(level float64) string {
	return fmt.Sprintf(w.interval, strconv.FormatFloat(math.Round(level*1e4)/100, 'f', -1, 64))
}

func (w words) monthName(m time.Month) string { return strings.Fields(w.months)[m-1] }

// date writes a day with its year.
func (w words) date(d survey.Day) string {
	year, month, day := d.Date()
	return fmt.Sprintf(w.day, day, w.monthName(month), year)
}

// period names the period that begins on a day.
func (w words) period(every survey.Interval, start survey.Day) string {
	year, month, _ := start.Date()
	switch every {
	case survey.Weekly:
		return fmt.Sprintf(w.week, w.date(start))
	case survey.Monthly:
		return fmt.Sprintf(w.month, w.monthName(month), year)
	case survey.Quarterly:
		return fmt.Sprintf(w.quarter, w.quarterOf(start)...)
	case survey.Yearly:
		return fmt.Sprintf(w.year, year)
	}
	return w.date(start)
}

// quarterOf is what the name of a quarter is made of: its number, the year, its
// first and its last month.
func (w words) quarterOf(start survey.Day) []any {
	year, month, _ := start.Date()
	q := (int(month) - 1) / 3
	return []any{q + 1, year, w.monthName(time.Month(q*3 + 1)), w.monthName(time.Month(q*3 + 3))}
}

// tick is the short name of a period on the axis; the year stands below it.
func (w words) tick(unit survey.Interval, start survey.Day, quarters bool) string {
	year, month, day := start.Date()
	switch {
	case unit == survey.Yearly:
		return fmt.Sprintf(w.year, year)
	case unit == survey.Quarterly && quarters:
		return fmt.Sprintf(w.shortQ, w.quarterOf(start)...)
	case unit == survey.Quarterly, unit == survey.Monthly:
		return w.monthName(month)
	}
	return fmt.Sprintf(w.shortDay, day, w.monthName(month), year, int(month))
}

// MetricName names a score in a language.
func MetricName(lang string, m scoring.Metric, lowerIsBetter bool) string {
	return speaking(lang).metric(m, lowerIsBetter)
}

// Date writes a day in a language.
func Date(lang string, d survey.Day) string { return speaking(lang).date(d) }
