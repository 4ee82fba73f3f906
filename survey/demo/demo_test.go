package demo

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"koe/scoring"
	"koe/survey"
)

var now = survey.InstantOf(time.Date(2026, 11, 30, 14, 25, 0, 0, time.UTC))

func told(t *testing.T) []survey.Visit {
	t.Helper()
	return slices.Collect(Visits(1, now, time.UTC))
}

func TestTheYearHasItsShape(t *testing.T) {
	answers, invited, skipped := map[string]int{}, map[string]int{}, map[survey.Reason]int{}
	locales, total := map[string][2]int{}, 0
	comments, bounced, left, open := map[string]int{}, 0, 0, 0
	for _, v := range told(t) {
		if v.Skipped != "" {
			skipped[v.Skipped]++
		}
		if v.SentAt != nil {
			invited[v.Survey]++
		}
		if v.Answer == nil && v.SentAt != nil && *v.SentAt > now.Add(-7*24*time.Hour) {
			open++
		}
		if v.BouncedAt != nil {
			bounced++
		}
		if v.UnsubscribedAt != nil {
			left++
		}
		if v.Answer != nil {
			total++
			answers[v.Survey]++
			if v.Answer.Comment != "" {
				comments[v.Interaction.Customer.Locale]++
			}
		}
		if v.SentAt != nil && v.Survey == "support_chat" {
			l := locales[v.Interaction.Customer.Locale]
			l[0]++
			if v.Answer != nil {
				l[1]++
			}
			locales[v.Interaction.Customer.Locale] = l
		}
	}
	t.Logf("%d answers %v\ninvited %v\nskipped %v\nchat by locale %v\ncomments %v, bounced %d, unsubscribed %d, open %d",
		total, answers, invited, skipped, locales, comments, bounced, left, open)
	if total < 12_000 || total > 25_000 || len(answers) != 8 {
		t.Errorf("%d answers at %d touchpoints", total, len(answers))
	}
	if comments["en"] < 1000 || comments["ja"] < 1000 || comments["de"] < 100 {
		t.Errorf("comments %v", comments)
	}
	if bounced < 20 || left < 20 || open < 100 || skipped[survey.SkipQuietPeriod] < 100 || skipped[survey.SkipSuppressed] < 20 {
		t.Errorf("bounced %d, unsubscribed %d, open %d, skipped %v", bounced, left, open, skipped)
	}
	rate := func(l string) float64 { return float64(locales[l][1]) / float64(locales[l][0]) }
	if rate("de") > 0.5*rate("en") || rate("en") < 0.2 || rate("en") > 0.4 {
		t.Errorf("response rates: en %.2f, ja %.2f, de %.2f", rate("en"), rate("ja"), rate("de"))
	}
}

// TestTheStoriesCanBeFound looks for them as a CX lead would: by comparing.
func TestTheStoriesCanBeFound(t *testing.T) {
	agents, carriers := map[string]scoring.Histogram{}, map[string]scoring.Histogram{}
	var checkout [4]scoring.Histogram // before, broken, mending, after
	for _, v := range told(t) {
		if v.Answer == nil {
			continue
		}
		of := func(histograms map[string]scoring.Histogram, name string) {
			value := v.Interaction.Attributes[name].Text()
			h := histograms[value]
			h[v.Answer.Score]++
			histograms[value] = h
		}
		switch v.Survey {
		case "support_chat":
			of(agents, "agent")
		case "delivery":
			of(carriers, "carrier")
		case "checkout":
			day := int(survey.DayOf(v.Interaction.OccurredAt, time.UTC)-survey.DayOf(now, time.UTC)) + days
			phase, _ := slices.BinarySearch([]int{checkoutReleased, checkoutMended, checkoutGood}, day+1)
			checkout[phase][v.Answer.Score]++
		}
	}
	mean := func(h scoring.Histogram) float64 {
		sum := 0
		for score, n := range h {
			sum += score * int(n)
		}
		return float64(sum) / float64(h.N())
	}
	best, worst := "Kim", "Kim"
	for name, h := range agents {
		t.Logf("agent %s: %d, %.2f", name, h.N(), mean(h))
		if mean(h) > mean(agents[best]) {
			best = name
		}
		if mean(h) < mean(agents[worst]) {
			worst = name
		}
	}
	for name, h := range carriers {
		t.Logf("carrier %s: %d, %.2f", name, h.N(), mean(h))
	}
	for phase, h := range checkout {
		t.Logf("checkout %d: %d, %.2f", phase, h.N(), mean(h))
	}
	if best != "Mori" || worst != "Baker" {
		t.Errorf("the best agent is %s, the worst %s", best, worst)
	}
	if before, broken, after := mean(checkout[0]), mean(checkout[1]), mean(checkout[3]); broken > before-0.8 || after < before {
		t.Errorf("checkout: %.2f, then %.2f, at last %.2f", before, broken, after)
	}
	if mean(carriers["Parcelino"]) > mean(carriers["Northway"])-0.3 {
		t.Errorf("carriers: %v", carriers)
	}
}

func TestTheSameSeedTellsTheSameYear(t *testing.T) {
	if !reflect.DeepEqual(told(t), told(t)) {
		t.Error("two years of one seed differ")
	}
	if reflect.DeepEqual(told(t), slices.Collect(Visits(2, now, time.UTC))) {
		t.Error("two seeds tell the same year")
	}
}

func TestNothingLiesAheadOrOutOfOrder(t *testing.T) {
	last := survey.Instant(0)
	for v := range Visits(1, now, time.UTC) {
		in := v.Interaction
		if in.OccurredAt < last || in.OccurredAt >= now {
			t.Fatalf("a visit at %s after %s", in.OccurredAt, last)
		}
		last = in.OccurredAt
		for _, at := range []*survey.Instant{v.SentAt, v.OpenedAt, v.BouncedAt, v.UnsubscribedAt} {
			if at != nil && (*at < in.OccurredAt || *at >= now) {
				t.Fatalf("%s: something at %s", in.ExternalID, *at)
			}
		}
		if v.Answer != nil && (v.AnsweredAt < in.OccurredAt || v.AnsweredAt >= now) {
			t.Fatalf("%s: an answer at %s", in.ExternalID, v.AnsweredAt)
		}
	}
}

func TestTheShopIsAsKoeKeepsIt(t *testing.T) {
	own := map[string]survey.Template{}
	for _, template := range Templates() {
		if err := template.Clean(); err != nil {
			t.Errorf("template %s: %v", template.Key, err)
		}
		own[template.Key] = template
	}
	for _, s := range Surveys() {
		if err := s.Clean(); err != nil {
			t.Errorf("survey %s: %v", s.Key, err)
		}
	}
	for _, terms := range Targets() {
		if err := terms.Clean(); err != nil {
			t.Errorf("target %s: %v", terms.Name, err)
		}
	}
	for v := range Visits(1, now, time.UTC) {
		if err := v.Interaction.Clean(now); err != nil {
			t.Fatalf("%+v: %v", v.Interaction, err)
		}
		if v.Answer == nil {
			continue
		}
		if strings.ContainsAny(v.Answer.Comment, "{}") {
			t.Fatalf("comment %q", v.Answer.Comment)
		}
		for _, s := range Surveys() {
			if template, known := own[s.Template]; known && s.Key == v.Survey {
				var p survey.Problems
				template.CheckScore(&p, "score", &v.Answer.Score)
				template.CheckAnswers(&p, "answers", v.Answer.Answers)
				if p.Err() != nil {
					t.Fatalf("%+v: %v", v.Answer, p.Err())
				}
			}
		}
	}
}

func TestEveryMoodHasWords(t *testing.T) {
	for locale, book := range map[string]words{"en": english, "ja": japanese, "de": german} {
		for _, subject := range append([]string{"", "damaged", "support", "new_checkout"}, "delivery", "checkout", "relationship", "app", "billing", "showroom") {
			for mood, list := range book[subject] {
				if len(list) == 0 {
					t.Errorf("%s: nothing to say about %q in mood %d", locale, subject, mood)
				}
			}
		}
		if len(book) != 10 {
			t.Errorf("%s has %d subjects", locale, len(book))
		}
	}
}
