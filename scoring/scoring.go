package scoring

import (
	"errors"
	"fmt"
)

// Errors of [Report] and [Compare].
var (
	// ErrMixedMetrics: a score of NPS and CSAT answers together means nothing.
	ErrMixedMetrics = errors.New("scoring: answers of different metrics cannot be added up")
	// ErrMixedCES: effort (low is good) and agreement (high is good) point in
	// opposite directions.
	ErrMixedCES = errors.New("scoring: answers of CES version 1 and version 2 cannot be added up: choose one ces_version")
	// ErrHistogram: a count is negative, or stands at a score off the scale.
	ErrHistogram = errors.New("scoring: histogram does not fit its measure")
	// ErrLevel: see [ValidLevel].
	ErrLevel = errors.New("scoring: level must be above 0.5 and at most 0.999")
)

// reliableFrom is the number of answers from which a score is called reliable:
// a convention, not a theorem. The interval says the same more exactly.
const reliableFrom = 30

// Cell is the histogram of the answers to one measure.
type Cell struct {
	Measure   Measure
	Histogram Histogram
}

// Bin is one point of a scale and the number of answers that gave it.
type Bin struct {
	Value int   `json:"value"`
	Count int64 `json:"count"`
}

// Agreement is what CES version 2 has beside its mean: the share of 5 to 7, in
// percent. Both are nil without answers.
type Agreement struct {
	PercentAgree         *float64  `json:"percent_agree"`
	PercentAgreeInterval *Interval `json:"percent_agree_interval"`
}

// Result is a score with everything that says how sure it is. Nil is a figure
// that is not defined.
type Result struct {
	Responses     int64     `json:"responses"`
	Score         *float64  `json:"score"`          // NPS -100..100, CSAT 0..100 percent, CES points
	Rounded       *int      `json:"rounded"`        // the whole number that people see: Score from the counts, half away from zero
	StandardError *float64  `json:"standard_error"` // in units of Score, of the score as observed
	Interval      *Interval `json:"interval"`       // in units of Score
	Reliable      bool      `json:"reliable"`       // 30 responses or more

	Counts  Groups[int64]   `json:"counts"`
	Share   Groups[float64] `json:"share"`   // exact percent
	Percent Groups[int]     `json:"percent"` // whole percent that add up to 100

	Distribution      []Bin    `json:"distribution"` // every point of the scale in order
	Mean              *float64 `json:"mean"`         // of the raw scores, in points
	StandardDeviation *float64 `json:"standard_deviation"`

	*Agreement // CES version 2 alone

	Direction string `json:"direction,omitempty"` // "lower_is_better" for CES version 1, else empty
}

// Score judges the answers to one measure, with intervals at the level (0.95
// is 95%). The measure must be valid. Counts off its scale and negative counts
// are left out; a level that is not valid leaves the intervals nil.
func Score(m Measure, h Histogram, level float64) Result {
	h = h.within(m.Min, m.Max)
	var r Result
	switch m.Metric {
	case NPS:
		r = scoreNPS(h, level)
	case CSAT:
		r = scoreCSAT([]Cell{{m, h}}, level)
	case CES:
		r = scoreCES(m, h, level)
	}
	r.Distribution = h.bins(m.Min, m.Max)
	if r.Responses > 0 {
		r.Mean = new(h.mean())
		r.StandardDeviation = h.deviation()
	}
	return r
}

// Report adds up cells and scores them. One measure gives its [Score]. Several
// CSAT measures give satisfied over responses, without mean, standard deviation
// and distribution. Cells without answers do not count as a measure of their
// own. Without any cell the measure is unknown, and so are counts and
// distribution; one cell with an empty histogram gives them with zeros.
//
// Errors: [ErrMixedCES], [ErrMixedMetrics], [ErrHistogram], [ErrLevel],
// [*MeasureError].
func Report(cells []Cell, level float64) (Result, error) {
	if !ValidLevel(level) {
		return Result{}, ErrLevel
	}
	measures, err := Merge(cells)
	if err != nil {
		return Result{}, err
	}
	switch len(measures) {
	case 0:
		return Result{}, nil
	case 1:
		return Score(measures[0].Measure, measures[0].Histogram, level), nil
	default:
		return scoreCSAT(measures, level), nil
	}
}

// Merge adds up the cells of each measure, in the order of their first
// appearance, and refuses measures that cannot be reported together: what it
// returns is one cell, or several of CSAT. Cells without answers are left out,
// except that one remains where all are such.
//
// Errors: [ErrMixedCES], [ErrMixedMetrics], [ErrHistogram], [*MeasureError].
func Merge(cells []Cell) ([]Cell, error) {
	var merged []Cell
	place := map[Measure]int{}
	for _, cell := range cells {
		if err := cell.validate(); err != nil {
			return nil, err
		}
		if cell.Measure.Metric != cells[0].Measure.Metric {
			return nil, ErrMixedMetrics
		}
		if cell.Histogram.N() == 0 {
			continue
		}
		at, known := place[cell.Measure]
		if !known {
			place[cell.Measure] = len(merged)
			merged = append(merged, cell)
			continue
		}
		merged[at].Histogram = merged[at].Histogram.Add(cell.Histogram)
	}
	if len(merged) == 0 && len(cells) > 0 {
		return cells[:1], nil
	}
	if len(merged) > 1 && merged[0].Measure.Metric == CES {
		return nil, ErrMixedCES
	}
	return merged, nil
}

func (c Cell) validate() error {
	if err := c.Measure.Validate(); err != nil {
		return err
	}
	for score, count := range c.Histogram {
		if count < 0 || count > 0 && !c.Measure.Contains(score) {
			return fmt.Errorf("%w: %d answers of %d on the scale %s", ErrHistogram, count, score, c.Measure.Key())
		}
	}
	return nil
}

// newResult fills what every metric reports: how many answers, and how they
// fall into groups.
func newResult(counts Groups[int64]) Result {
	r := Result{Counts: counts}
	plain := make([]int64, len(counts))
	for i, group := range counts {
		plain[i] = group.Value
		r.Responses += group.Value
	}
	r.Reliable = r.Responses >= reliableFrom
	if r.Responses == 0 {
		return r
	}
	for i, whole := range Percents(plain...) {
		name := counts[i].Name
		r.Share = append(r.Share, Group[float64]{name, percent(plain[i], r.Responses)})
		r.Percent = append(r.Percent, Group[int]{name, whole})
	}
	return r
}
