package chart_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"koe/scoring"
	"koe/survey"
	"koe/templates/chart"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares with testdata/name.svg, which -update writes, and wants what
// every drawing has to be.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	wellFormed(t, got)
	file := filepath.Join("testdata", name+".svg")
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v (go test -update writes it)", err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs from the golden file; go test -update, then look at it", name)
	}
}

// wellFormed wants a document that any reader of XML takes, and that loads and
// runs nothing.
func wellFormed(t *testing.T, svg []byte) {
	t.Helper()
	allowed := map[string]bool{"svg": true, "title": true, "desc": true, "style": true, "rect": true, "line": true, "circle": true, "path": true, "text": true}
	decoder := xml.NewDecoder(bytes.NewReader(svg))
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, svg)
		}
		element, is := token.(xml.StartElement)
		if !is {
			continue
		}
		if !allowed[element.Name.Local] {
			t.Errorf("element %s", element.Name.Local)
		}
		for _, a := range element.Attr {
			if strings.HasPrefix(strings.ToLower(a.Name.Local), "on") || a.Name.Local == "href" || a.Name.Local == "style" {
				t.Errorf("attribute %s of %s", a.Name.Local, element.Name.Local)
			}
			if strings.Contains(a.Value, "NaN") || strings.Contains(a.Value, "Inf") {
				t.Errorf("%s=%q of %s", a.Name.Local, a.Value, element.Name.Local)
			}
		}
	}
}

func day(t *testing.T, text string) survey.Day {
	t.Helper()
	d, err := survey.ParseDay(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func nps(promoters, passives, detractors int64) scoring.Result {
	return scoring.Score(scoring.DefaultMeasure(scoring.NPS, 0, 10, 0), scoring.Histogram{10: promoters, 8: passives, 3: detractors}, 0.95)
}

// months are periods of a year, one for each result.
func months(results ...scoring.Result) []chart.Point {
	var points []chart.Point
	for i, r := range results {
		points = append(points, chart.Point{Start: survey.DayOfDate(2025, time.Month(11+i), 1), End: survey.DayOfDate(2025, time.Month(12+i), 1), Result: r})
	}
	return points
}

// year has a gap, a score between two gaps and one of few answers.
func year(t *testing.T) chart.Line {
	return chart.Line{Language: "en", Title: "Support chat", Metric: scoring.NPS, Every: survey.Monthly, Timezone: "Asia/Tokyo", Level: 0.95,
		Target: new(45.0),
		Points: months(nps(120, 60, 30), nps(140, 50, 40), nps(100, 60, 45), nps(0, 0, 0), nps(60, 20, 10), nps(0, 0, 0), nps(9, 4, 3),
			nps(150, 70, 30), nps(900, 300, 180), nps(160, 70, 30), nps(170, 60, 30), nps(190, 60, 20)),
		Notes: []survey.Note{{Day: day(t, "2026-03-12"), Text: "New checkout"}, {Day: day(t, "2026-03-14"), Text: "Prices raised"},
			{Day: day(t, "2026-08-01"), Text: "Moved from Delighted"}, {Day: day(t, "2024-01-01"), Text: "Too early"}},
	}
}

func TestLine(t *testing.T) {
	l := year(t)
	golden(t, "line", l.SVG())
	l.Width = 366
	golden(t, "line-narrow", l.SVG())
	l.Language, l.Title, l.Width = "ja", "サポートチャット", 0
	l.Notes[0].Text, l.Notes[1].Text, l.Notes[2].Text = "新しい購入画面", "値上げ", "Delightedから移行"
	golden(t, "line-ja", l.SVG())
	l.Width = 366
	golden(t, "line-ja-narrow", l.SVG())
}

// TestGaps: a period without answers is neither zero nor bridged.
func TestGaps(t *testing.T) {
	l := year(t)
	svg := string(l.SVG())
	lines := regexp.MustCompile(`<path d="(M[^"]*)" class="l"`).FindAllStringSubmatch(svg, -1)
	if len(lines) != 2 {
		t.Fatalf("%d lines, want one before and one behind the gaps", len(lines))
	}
	for i, want := range []int{3, 6} {
		if got := strings.Count(lines[i][1], "L") + 1; got != want {
			t.Errorf("line %d has %d scores, want %d", i, got, want)
		}
	}
	if bars := strings.Count(svg, `class="b"`); bars != 10 {
		t.Errorf("%d bars of answers, want 10", bars)
	}
	if bands := strings.Count(svg, `fill-opacity`); bands != 2+1+1 { // two stretches, one month alone, the legend
		t.Errorf("%d bands", bands)
	}
}

func TestNoAnswers(t *testing.T) {
	l := year(t)
	l.Points = months(nps(0, 0, 0), nps(0, 0, 0))
	golden(t, "line-empty", l.SVG())
	l.Points, l.Language = nil, "ja"
	svg := l.SVG()
	wellFormed(t, svg)
	if !strings.Contains(string(svg), "この期間に回答はありません") || l.Describe() != "この期間に回答はありません。" {
		t.Errorf("got %s", svg)
	}
}

func TestMetrics(t *testing.T) {
	csat, ease, effort := scoring.DefaultMeasure(scoring.CSAT, 1, 5, 0), scoring.DefaultMeasure(scoring.CES, 1, 7, 2), scoring.DefaultMeasure(scoring.CES, 1, 5, 1)
	for name, c := range map[string]struct {
		line chart.Line
		says []string
	}{
		"csat": {chart.Line{Metric: scoring.CSAT, Every: survey.Monthly, Level: 0.9, Points: months(
			scoring.Score(csat, scoring.Histogram{5: 300, 4: 500, 2: 100}, 0.9), scoring.Score(csat, scoring.Histogram{5: 310, 4: 530, 2: 90}, 0.9))},
			[]string{"The axis shows only 84% to 96%", "90% interval", "First: 89% in Nov 2025 (n = 900, interval 87% to 90%)"}},
		"csat without anybody": {chart.Line{Metric: scoring.CSAT, Every: survey.Monthly, Level: 0.95, Points: months(
			scoring.Score(csat, scoring.Histogram{1: 4}, 0.95), scoring.Score(csat, scoring.Histogram{5: 4}, 0.95))},
			[]string{"Scale 0% to 100%.", "Fewer than 30 answers", "Lowest: 0% in Nov 2025"}},
		"ces 2": {chart.Line{Metric: scoring.CES, Every: survey.Monthly, Level: 0.95, Points: months(
			scoring.Score(ease, scoring.Histogram{7: 30, 6: 40, 2: 5}, 0.95), scoring.Score(ease, scoring.Histogram{7: 1}, 0.95))},
			[]string{"Customer Effort Score (CES 2.0)", "Highest: 7 in Dec 2025 (n = 1, interval –)"}},
		"ces 2 from end to end": {chart.Line{Metric: scoring.CES, Every: survey.Monthly, Level: 0.95, Points: months(
			scoring.Score(ease, scoring.Histogram{7: 60, 6: 4}, 0.95), scoring.Score(ease, scoring.Histogram{1: 50, 2: 9}, 0.95))},
			[]string{"Scale 1 to 7.", `text-anchor="end" class="o" fill="#5c5c57">1</text>`, `text-anchor="end" class="o" fill="#5c5c57">7</text>`}},
		"ces 1": {chart.Line{Metric: scoring.CES, LowerIsBetter: true, Every: survey.Monthly, Level: 0.95, Points: months(
			scoring.Score(effort, scoring.Histogram{1: 30, 2: 40, 5: 5}, 0.95))},
			[]string{"Customer Effort Score (CES 1.0)", "Lower is better.", "Only answers: 1.8 in Nov 2025"}},
	} {
		t.Run(name, func(t *testing.T) {
			svg := c.line.SVG()
			wellFormed(t, svg)
			for _, want := range c.says {
				if !strings.Contains(string(svg), want) {
					t.Errorf("does not say %q but %s", want, c.line.Describe())
				}
			}
			if !strings.Contains(string(svg), "<desc id=\"desc\">"+c.line.Describe()) {
				t.Errorf("Describe says another thing: %s", c.line.Describe())
			}
		})
	}
}

// TestLabels: however many periods there are, names stand apart and follow the
// calendar.
func TestLabels(t *testing.T) {
	zone := time.UTC
	for name, c := range map[string]struct {
		every    survey.Interval
		from, to string
		language string
		first    []string
	}{
		"a week of days":   {survey.Daily, "2026-03-30", "2026-04-06", "en", []string{"30 Mar", "2026", "31 Mar", "1 Apr"}},
		"a month of days":  {survey.Daily, "2026-03-01", "2026-04-01", "en", []string{"2 Mar", "2026", "9 Mar"}},
		"a year of days":   {survey.Daily, "2025-07-01", "2026-07-01", "ja", []string{"7月", "2025年", "8月", "9月", "10月", "11月", "12月", "1月", "2026年", "2月"}},
		"five years":       {survey.Daily, "2021-01-01", "2026-01-01", "en", []string{"Jan", "2021", "Apr", "Jul", "Oct", "Jan", "2022"}},
		"weeks":            {survey.Weekly, "2025-12-01", "2026-02-09", "ja", []string{"12/1", "2025年", "12/8", "12/15", "12/22", "12/29", "1/5", "2026年"}},
		"months":           {survey.Monthly, "2025-11-01", "2026-03-01", "en", []string{"Nov", "2025", "Dec", "Jan", "2026", "Feb"}},
		"quarters":         {survey.Quarterly, "2025-07-01", "2026-07-01", "en", []string{"Q3", "2025", "Q4", "Q1", "2026", "Q2"}},
		"years":            {survey.Yearly, "2023-01-01", "2026-01-01", "ja", []string{"2023年", "2024年", "2025年"}},
		"a hundred months": {survey.Monthly, "2018-01-01", "2026-05-01", "en", []string{"2018", "2019"}},
		"half a century":   {survey.Yearly, "1976-01-01", "2026-01-01", "en", []string{"1980", "1985"}},
	} {
		t.Run(name, func(t *testing.T) {
			from, to := survey.StartOf(day(t, c.from), zone), survey.StartOf(day(t, c.to), zone)
			periods, err := survey.Periods(from, to, c.every, zone)
			if err != nil {
				t.Fatal(err)
			}
			l := chart.Line{Language: c.language, Metric: scoring.NPS, Every: c.every, Level: 0.95}
			for _, p := range periods {
				l.Points = append(l.Points, chart.Point{Start: p.Start, End: p.End, Result: nps(50, 30, 20)})
			}
			svg := string(l.SVG())
			wellFormed(t, []byte(svg))
			labels := regexp.MustCompile(`font-size="12" text-anchor="middle" class="o" fill="#5c5c57">([^<]*)`).FindAllStringSubmatch(svg, -1)
			for i, want := range c.first {
				if i >= len(labels) || labels[i][1] != want {
					t.Fatalf("label %d is not %q: %q", i, want, labels)
				}
			}
		})
	}
}

// TestHostileText: what others wrote stays text, in its place and direction.
func TestHostileText(t *testing.T) {
	l := year(t)
	l.Title = "</title><script>alert(1)</script>\x00\x1b\ufffe\u202edetrevni\u202c & \"more\" 'of' it"
	l.Timezone = "<b>"
	l.Notes = []survey.Note{{Day: day(t, "2026-02-02"), Text: "مرحبا 3 عالم"}, {Day: day(t, "2026-02-03"), Text: strings.Repeat("長い文章が続きます。", 20)},
		{Day: day(t, "2026-02-04"), Text: strings.Repeat("x", 200)}}
	svg := string(l.SVG())
	wellFormed(t, []byte(svg))
	for _, never := range []string{"<script", "\x00", "\x1b", "\u202e", "\u202c", "<b>"} {
		if strings.Contains(svg, never) {
			t.Errorf("has %q", never)
		}
	}
	if !strings.Contains(svg, "\u2068مرحبا 3 عالم\u2069") {
		t.Error("text from right to left is not isolated")
	}
	for _, text := range regexp.MustCompile(`<text[^>]*>([^<]*)</text>`).FindAllStringSubmatch(svg, -1) {
		if strings.Count(text[1], "\u2068") != strings.Count(text[1], "\u2069") {
			t.Errorf("an isolation is left open: %q", text[1])
		}
	}
	golden(t, "line-hostile", []byte(svg))
}

func TestManyNotes(t *testing.T) {
	l := year(t)
	l.Notes = nil
	for i := range 25 {
		l.Notes = append(l.Notes, survey.Note{Day: day(t, "2026-01-05") + survey.Day(i), Text: "note"})
	}
	svg := string(l.SVG())
	wellFormed(t, []byte(svg))
	if !strings.Contains(svg, "and 5 more notes") || strings.Count(svg, `class="n"`) != 25 {
		t.Errorf("got %s", svg)
	}
}

// TestRollingWindows overlap: their answers are not added up.
func TestRollingWindows(t *testing.T) {
	l := chart.Line{Metric: scoring.NPS, Every: survey.Daily, Rolling: 30, Level: 0.95, Notes: []survey.Note{{Day: day(t, "2026-03-02"), Text: "New prices"}}}
	for i := range 5 {
		end := day(t, "2026-03-02") + survey.Day(i)
		l.Points = append(l.Points, chart.Point{Start: end - 30, End: end, Result: nps(100, 20, 10)})
	}
	said := l.Describe()
	if strings.Contains(said, "in all") || !strings.Contains(said, "From 1 Mar 2026 to 5 Mar 2026") || !strings.Contains(said, "2 Mar 2026: New prices") {
		t.Errorf("says %s", said)
	}
	if svg := string(l.SVG()); !strings.Contains(svg, "over windows of 30 days") || strings.Count(svg, `class="n"`) != 1 {
		t.Errorf("got %s", svg)
	}
}

func TestDistribution(t *testing.T) {
	d := chart.Distribution{Language: "en", Title: "Support chat", Metric: scoring.NPS, Result: scoring.Score(scoring.DefaultMeasure(scoring.NPS, 0, 10, 0),
		scoring.Histogram{12, 3, 0, 8, 10, 41, 60, 180, 420, 1300, 2150}, 0.95)}
	golden(t, "distribution", d.SVG())
	d.Width, d.Language, d.Title = 366, "ja", "サポートチャット"
	golden(t, "distribution-ja-narrow", d.SVG())
	thumbs := chart.Distribution{Metric: scoring.CSAT, Result: scoring.Score(scoring.DefaultMeasure(scoring.CSAT, 0, 1, 0), scoring.Histogram{3, 0}, 0.95)}
	wellFormed(t, thumbs.SVG())
	if said := thumbs.Describe(); !strings.Contains(said, "Satisfied 0% (0).") || !strings.Contains(said, "Dissatisfied 100% (3).") {
		t.Errorf("says %s", said)
	}
	empty := chart.Distribution{Metric: scoring.CSAT}
	wellFormed(t, empty.SVG())
	if empty.Describe() != "No answers in this range." {
		t.Errorf("says %s", empty.Describe())
	}
}

func TestSpark(t *testing.T) {
	s := chart.Spark{Metric: scoring.NPS, Scores: []*float64{new(31.0), nil, new(20.4), nil, new(40.0), new(45.0)}}
	golden(t, "spark", s.SVG())
	if got := s.Describe(); got != "First 31, last 45, lowest 20, highest 45" {
		t.Errorf("says %s", got)
	}
	s = chart.Spark{Language: "ja", Metric: scoring.CSAT, Scores: []*float64{nil, nil}}
	wellFormed(t, s.SVG())
	wellFormed(t, chart.Spark{}.SVG())
	if got := s.Describe(); got != "この期間に回答はありません" {
		t.Errorf("says %s", got)
	}
}

// TestWidths: whatever is asked for, nothing is drawn that nobody can read.
func TestWidths(t *testing.T) {
	for asked, want := range map[int]string{-5: "280", 1: "280", 0: "720", 390: "390", 1 << 30: "1600"} {
		l := year(t)
		l.Width = asked
		if svg := string(l.SVG()); !strings.Contains(svg, `<svg xmlns="http://www.w3.org/2000/svg" width="`+want+`"`) {
			t.Errorf("%d: %.120s", asked, svg)
		}
	}
}

// TestPolicy: the one style of a drawing is the one that its policy names.
func TestPolicy(t *testing.T) {
	if got := chart.Policy(); !regexp.MustCompile(`^default-src 'none'; style-src 'sha256-[A-Za-z0-9+/]{43}='; frame-ancestors 'none'$`).MatchString(got) {
		t.Errorf("got %s", got)
	}
}
