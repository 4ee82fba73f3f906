package report

import (
	"cmp"
	"io"
	"slices"

	"koe/scoring"
)

// CountedTouchpoint is a touchpoint with its answers of every metric. Previous
// are those of the range to compare with, read only where there is one; Trend
// are those of each of the periods that show which way the score goes.
type CountedTouchpoint struct {
	Key, Name       string
	Cells, Previous []scoring.Cell
	Trend           [][]scoring.Cell
}

// Scoreboard is the score of every touchpoint: the answer of
// GET /v1/scores/touchpoints.
type Scoreboard struct {
	Data []Standing `json:"data"`
}

// Standing is the score of one measure at one touchpoint.
type Standing struct {
	Touchpoint string         `json:"touchpoint"`
	Name       string         `json:"name"`
	Metric     scoring.Metric `json:"metric"`
	Measure    string         `json:"measure"` // the scale
	Total      scoring.Result `json:"total"`
	Comparison *Comparison    `json:"comparison,omitempty"`
	Trend      []*float64     `json:"-"` // the score of each period; nil for none
}

// NewScoreboard scores every touchpoint, in the order given. What was measured
// in several ways has a standing for each, since answers of different measures
// are not added up as if they were one; a touchpoint without answers has none.
// The previous range is nil, or says from when to when the Previous cells are;
// its own cells are not read. Errors are as of [New].
func NewScoreboard(touchpoints []CountedTouchpoint, previous *CountedRange, level float64) (Scoreboard, error) {
	board := Scoreboard{Data: []Standing{}}
	for _, t := range touchpoints {
		if previous == nil {
			t.Previous = nil
		}
		for _, measure := range measuresOf(slices.Concat(t.Cells, t.Previous)) {
			now := cellsOf(measure, t.Cells)
			if len(now) == 0 {
				now = []scoring.Cell{{Measure: measure}}
			}
			total, err := scored(now, level)
			if err != nil {
				return Scoreboard{}, err
			}
			standing := Standing{Touchpoint: t.Key, Name: t.Name, Metric: measure.Metric, Measure: measure.Key(), Total: total}
			if previous != nil {
				before := CountedRange{previous.From, previous.To, cellsOf(measure, t.Previous)}
				if standing.Comparison, err = compared(now, &before, level); err != nil {
					return Scoreboard{}, err
				}
			}
			if standing.Trend, err = scoresOf(measure, t.Trend, level); err != nil {
				return Scoreboard{}, err
			}
			board.Data = append(board.Data, standing)
		}
	}
	return board, nil
}

func scoresOf(m scoring.Measure, periods [][]scoring.Cell, level float64) ([]*float64, error) {
	trend := make([]*float64, len(periods))
	for i, cells := range periods {
		if cells = cellsOf(m, cells); len(cells) == 0 {
			continue
		}
		result, err := scored(cells, level)
		if err != nil {
			return nil, err
		}
		trend[i] = result.Score
	}
	return trend, nil
}

// measuresOf lists the measures that have answers: NPS, CSAT, CES; CSAT and CES
// by their scale.
func measuresOf(cells []scoring.Cell) []scoring.Measure {
	var measures []scoring.Measure
	for _, cell := range cells {
		if cell.Histogram != (scoring.Histogram{}) && !slices.Contains(measures, cell.Measure) {
			measures = append(measures, cell.Measure)
		}
	}
	rank := []scoring.Metric{scoring.NPS, scoring.CSAT, scoring.CES}
	slices.SortFunc(measures, func(a, b scoring.Measure) int {
		return cmp.Or(cmp.Compare(slices.Index(rank, a.Metric), slices.Index(rank, b.Metric)), cmp.Compare(a.Min, b.Min),
			cmp.Compare(a.Max, b.Max), cmp.Compare(a.SatisfiedFrom, b.SatisfiedFrom))
	})
	return measures
}

func cellsOf(m scoring.Measure, cells []scoring.Cell) []scoring.Cell {
	var own []scoring.Cell
	for _, cell := range cells {
		if cell.Measure == m {
			own = append(own, cell)
		}
	}
	return own
}

// WriteCSV writes a row for each standing.
func (b Scoreboard) WriteCSV(w io.Writer) error {
	var results []scoring.Result
	s := sheet{columns: []string{"touchpoint", "name", "metric", "measure"}}
	compares := false
	for _, standing := range b.Data {
		results = append(results, standing.Total)
		compares = compares || standing.Comparison != nil
		row := map[string]string{"touchpoint": standing.Touchpoint, "name": standing.Name,
			"metric": string(standing.Metric), "measure": standing.Measure}
		scoreCells(row, standing.Total)
		changeCells(row, standing.Comparison)
		s.rows = append(s.rows, row)
	}
	s.columns = append(s.columns, scoreColumns(results...)...)
	if compares {
		s.columns = append(s.columns, changeColumns...)
	}
	return s.write(w)
}
