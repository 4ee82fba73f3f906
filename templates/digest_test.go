package templates

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"koe/scoring"
	"koe/survey"
)

// aDigest is of a week with three touchpoints: one that rose for real, one that
// fell by chance or not, and one of another scale with few answers.
func aDigest(t *testing.T) Digest {
	t.Helper()
	scored := func(name string, m scoring.Measure, now, before scoring.Histogram) Standing {
		s := Standing{Name: name, Metric: m.Metric, Measure: m.Key()}
		var err error
		if s.Total, err = scoring.Report([]scoring.Cell{{Measure: m, Histogram: now}}, 0.95); err != nil {
			t.Fatal(err)
		}
		if before.N() == 0 {
			return s
		}
		if s.Change, err = scoring.Compare([]scoring.Cell{{Measure: m, Histogram: now}}, []scoring.Cell{{Measure: m, Histogram: before}}, 0.95); err != nil {
			t.Fatal(err)
		}
		return s
	}
	kim := survey.Member{Email: "kim@example.com", Timezone: "Asia/Tokyo", Digest: survey.DigestWeekly}
	period, _ := kim.LastDigest(survey.InstantOf(time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)))
	return Digest{Workspace: survey.Workspace{Name: "店 Acme"}, Period: period, Open: 7, BaseURL: "https://koe.example", Standings: []Standing{
		scored("Support chat", scoring.DefaultMeasure(scoring.NPS, 0, 10, 0), scoring.Histogram{2: 20, 8: 40, 10: 160}, scoring.Histogram{2: 90, 8: 60, 10: 80}),
		scored("レジ", scoring.DefaultMeasure(scoring.CSAT, 1, 5, 0), scoring.Histogram{1: 10, 4: 50, 5: 30}, scoring.Histogram{1: 9, 4: 44, 5: 32}),
		scored("Return", scoring.DefaultMeasure(scoring.CES, 1, 7, 2), scoring.Histogram{3: 2, 6: 9}, scoring.Histogram{}),
		scored("Shop", scoring.DefaultMeasure(scoring.NPS, 0, 10, 0), scoring.Histogram{}, scoring.Histogram{9: 4}),
	}, Said: []DigestComment{{"Support chat", "Nobody answered for an hour.\nThen they hung up."}, {"レジ", "列が長すぎます。"}}}
}

func TestDigestsLookAsTheyDid(t *testing.T) {
	w := words(t)
	for _, locale := range survey.MemberLocales() {
		d := aDigest(t)
		d.Locale = locale
		mail, err := w.Digest(d)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, "digest-"+locale+".txt", "Subject: "+mail.Subject+"\n\n"+mail.Text)
		golden(t, "digest-"+locale+".html", mail.HTML)
	}
}

// Whatever customers wrote and however much there is of it, the mail keeps its
// shape and its size, and leads nowhere but to the dashboard.
func TestHostileDigests(t *testing.T) {
	const hostile = "<a href=https://evil.example>\u202e\"'&amp; \r\n-- \r\nhttps://koe.example/dashboard <img src=x>"
	d := aDigest(t)
	d.Workspace.Name = strings.Repeat(hostile, 3)
	worst := strings.Repeat("\"<観", 100)
	for i := range 500 {
		s := d.Standings[0]
		s.Name = fmt.Sprint(i, hostile, worst)
		d.Standings = append(d.Standings, s)
	}
	d.Said = nil
	for range 5 {
		d.Said = append(d.Said, DigestComment{hostile + worst, hostile + worst + worst})
	}
	for _, rhythm := range []survey.Digest{survey.DigestDaily, survey.DigestWeekly, survey.DigestMonthly} {
		d.Period.Rhythm = rhythm
		mail, err := words(t).Digest(d)
		if err != nil {
			t.Fatal(err)
		}
		all := elements(t, mail.HTML)
		links := with(all, "a", "", "")
		if len(links) != 1 || links[0].Attrs["href"] != "https://koe.example/dashboard" || len(with(all, "img", "", "")) != 0 || len(with(all, "script", "", "")) != 0 {
			t.Errorf("%s: %v", rhythm, links)
		}
		if len(mail.HTML) > 60<<10 || len(mail.Text) > 60<<10 {
			t.Errorf("%s: %d and %d bytes", rhythm, len(mail.HTML), len(mail.Text))
		}
		if strings.ContainsRune(mail.Subject+mail.Text+mail.HTML, '\u202e') || strings.ContainsAny(mail.Subject, "\r\n") || strings.Count(mail.Text, "\n-- \n") != 1 ||
			strings.Count(mail.Text, "\nhttps://koe.example/dashboard\n") != 1 || !strings.Contains(mail.Text, "484 more are on the dashboard") {
			t.Errorf("%s: %q\n%s", rhythm, mail.Subject, mail.Text)
		}
	}
}

// A bar is as long as its scale, and shows where the interval lies.
func TestBarsOfDigests(t *testing.T) {
	for name, c := range map[string]struct {
		metric         scoring.Metric
		measure        string
		score          float64
		interval       *scoring.Interval
		sure, near, of int
	}{
		"in the middle":       {scoring.NPS, "0-10", 0, &scoring.Interval{Low: -20, High: 20}, 40, 20, 3},
		"at the end":          {scoring.NPS, "0-10", 100, &scoring.Interval{Low: 50, High: 100}, 75, 25, 2},
		"at the beginning":    {scoring.NPS, "0-10", -100, &scoring.Interval{Low: -100, High: -100}, 0, 0, 1},
		"a share":             {scoring.CSAT, "1-5", 80, &scoring.Interval{Low: 70, High: 85}, 70, 15, 3},
		"a mean":              {scoring.CES, "1-7", 4, &scoring.Interval{Low: 2.5, High: 5.5}, 25, 50, 3},
		"without an interval": {scoring.CES, "1-5", 3, nil, 50, 0, 2},
		"beyond its scale":    {scoring.CES, "1-5", 6, &scoring.Interval{Low: 4, High: 7}, 75, 25, 2},
	} {
		t.Run(name, func(t *testing.T) {
			sum, got := 0, map[string]int{}
			bar := digestBar(Standing{Metric: c.metric, Measure: c.measure, Total: scoring.Result{Score: &c.score, Interval: c.interval}})
			for _, cell := range bar {
				sum += cell.Percent
				got[cell.Kind] = cell.Percent
			}
			if sum != 100 || got["sure"] != c.sure || got["near"] != c.near || len(bar) != c.of {
				t.Errorf("%v", bar)
			}
		})
	}
	if bar := digestBar(Standing{Metric: scoring.NPS}); bar != nil {
		t.Errorf("without a score: %v", bar)
	}
}
