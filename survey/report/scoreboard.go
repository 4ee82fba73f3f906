package report

import (
	"io"
	"slices"

	"koe/scoring"
)

// CountedTouchpoint is a touchpoint with its answers of every metric. Previous
// are those of the range to compare with, read only where there is one.
type CountedTouchpoint struct {
	Key, Name       string
	Cells, Previous []scoring.Cell
}

// Scoreboard is the score of every touchpoint: the answer of
// GET /v1/scores/touchpoints.
type Scoreboard struct {
	Data []Standing `json:"data"`
}

// Standing is the score of one metric at one touchpoint.
type Standing struct {
	Touchpoint string         `json:"touchpoint"`
	Name       string         `json:"name"`
	Metric     scoring.Metric `json:"metric"`
	Measure    string         `json:"measure,omitempty"` // the scale; empty where there are several
	Total      scoring.Result `json:"total"`
	Comparison *Comparison    `json:"comparison,omitempty"`
}

// NewScoreboard scores every touchpoint, in the order given. One that measures
// several metrics has a standing for each, and one each for the two versions of
// CES; one without cells has none. The previous range is nil, or says from when
// to when the Previous cells are; its own cells are not read. Errors are as of
// [New].
func NewScoreboard(touchpoints []CountedTouchpoint, previous *CountedRange, level float64) (Scoreboard, error) {
	board := Scoreboard{Data: []Standing{}}
	for _, t := range touchpoints {
		for _, kind := range kindsOf(slices.Concat(t.Cells, t.Previous)) {
			now := kind.of(t.Cells)
			if len(now) == 0 {
				now = likewise(nil, kind.of(t.Previous))
			}
			total, err := scored(now, level)
			if err != nil {
				return Scoreboard{}, err
			}
			standing := Standing{Touchpoint: t.Key, Name: t.Name, Metric: kind.metric, Measure: measureOf(now), Total: total}
			if previous != nil {
				before := CountedRange{previous.From, previous.To, kind.of(t.Previous)}
				if standing.Comparison, err = compared(now, &before, level); err != nil {
					return Scoreboard{}, err
				}
			}
			board.Data = append(board.Data, standing)
		}
	}
	return board, nil
}

// kind is what can be reported as one score: a metric, of CES a version.
type kind struct {
	metric  scoring.Metric
	version int
}

func kindOf(m scoring.Measure) kind { return kind{m.Metric, m.CESVersion} }

// kindsOf lists the kinds that are there: NPS, CSAT, CES.
func kindsOf(cells []scoring.Cell) []kind {
	var kinds []kind
	for _, known := range []kind{{scoring.NPS, 0}, {scoring.CSAT, 0}, {scoring.CES, 1}, {scoring.CES, 2}} {
		if len(known.of(cells)) > 0 {
			kinds = append(kinds, known)
		}
	}
	return kinds
}

func (k kind) of(cells []scoring.Cell) []scoring.Cell {
	var own []scoring.Cell
	for _, cell := range cells {
		if kindOf(cell.Measure) == k {
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
