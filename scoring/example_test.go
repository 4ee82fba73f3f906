package scoring_test

import (
	"fmt"

	"koe/scoring"
)

// 32 people would recommend us, 13 are content, 6 are unhappy.
func ExampleScore_nps() {
	measure := scoring.DefaultMeasure(scoring.NPS, 0, 10, 0)
	answers := scoring.Histogram{10: 20, 9: 12, 8: 13, 6: 4, 2: 2}

	r := scoring.Score(measure, answers, 0.95)
	fmt.Println(measure.Definition())
	fmt.Printf("NPS %d (%.4f ± %.1f) of %d\n", *r.Rounded, *r.Score, *r.StandardError, r.Responses)
	fmt.Printf("%.1f to %.1f\n", r.Interval.Low, r.Interval.High)
	fmt.Println(r.Percent)
	// Output:
	// promoters (9–10) minus detractors (0–6), in percent of all scored responses
	// NPS 51 (50.9804 ± 9.8) of 51
	// 29.3 to 67.0
	// [{promoters 63} {passives 25} {detractors 12}]
}

func ExampleScore_csat() {
	measure := scoring.DefaultMeasure(scoring.CSAT, 1, 5, 0)
	answers := scoring.Histogram{5: 42, 4: 32, 3: 10, 2: 9, 1: 14}

	r := scoring.Score(measure, answers, 0.95)
	fmt.Println(measure.Definition())
	fmt.Printf("CSAT %d, between %.1f and %.1f\n", *r.Rounded, r.Interval.Low, r.Interval.High)
	fmt.Printf("%d of %d, mean %.2f\n", r.Counts.Of("satisfied"), r.Responses, *r.Mean)
	// Output:
	// satisfied (4–5 of 1–5) in percent of all scored responses
	// CSAT 69, between 59.9 and 77.1
	// 74 of 107, mean 3.74
}

// Days add up to a month; thumbs and a five-point scale have only the share of
// satisfied answers in common.
func ExampleReport() {
	five := scoring.DefaultMeasure(scoring.CSAT, 1, 5, 0)
	thumbs := scoring.DefaultMeasure(scoring.CSAT, 0, 1, 0)
	r, err := scoring.Report([]scoring.Cell{
		{Measure: five, Histogram: scoring.Histogram{5: 6, 1: 2}},
		{Measure: five, Histogram: scoring.Histogram{4: 2, 3: 2}},
		{Measure: thumbs, Histogram: scoring.Histogram{1: 7, 0: 1}},
	}, 0.95)
	fmt.Println(*r.Score, r.Responses, r.Mean, err)
	// Output: 75 20 <nil> <nil>
}

func ExampleCompare() {
	nps := scoring.DefaultMeasure(scoring.NPS, 0, 10, 0)
	spring := []scoring.Cell{{Measure: nps, Histogram: scoring.Histogram{10: 440, 8: 320, 3: 240}}}
	summer := []scoring.Cell{{Measure: nps, Histogram: scoring.Histogram{10: 500, 8: 300, 3: 200}}}

	c, _ := scoring.Compare(summer, spring, 0.95)
	fmt.Printf("%+.0f, %.1f to %.1f, p %.4f, significant %v\n",
		*c.Difference, c.Interval.Low, c.Interval.High, *c.PValue, c.Significant)
	// Output: +10, 3.1 to 16.9, p 0.0047, significant true
}
