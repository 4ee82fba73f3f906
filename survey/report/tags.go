package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"koe/scoring"
	"koe/survey"
)

// Tags says which tags come with unhappy answers: the answer of GET /v1/tags.
type Tags struct {
	Metric     scoring.Metric  `json:"metric"`
	Measure    string          `json:"measure,omitempty"`
	Definition string          `json:"definition"`
	Timezone   string          `json:"timezone"`
	Source     string          `json:"source"`
	Rebuilding bool            `json:"rebuilding,omitempty"`
	Notes      []string        `json:"notes,omitempty"`
	From       *survey.Instant `json:"from"`
	To         *survey.Instant `json:"to"`
	Total      scoring.Result  `json:"total"`
	Data       []Tag           `json:"data"`
}

// Tag is the score of the answers with a tag, against all others.
type Tag struct {
	Tag            string         `json:"tag"`
	Total          scoring.Result `json:"total"`
	Share          *float64       `json:"share_of_responses"` // percent of all answers
	Unhappy        int64          `json:"unhappy"`            // see [scoring.Result.Unhappy]
	ShareOfUnhappy *float64       `json:"share_of_unhappy"`   // percent of all unhappy answers
	Rest           *Rest          `json:"rest"`               // nil where there are no others
	Drag           *float64       `json:"drag"`               // points that the score would be better by if these answers were as the others
	Trend          *TagTrend      `json:"trend,omitempty"`
	Periods        []TagPeriod    `json:"periods,omitzero"`
}

// TagPeriod is how often a tag came in a part of the calendar; End is exclusive.
type TagPeriod struct {
	Start     survey.Day `json:"start"`
	End       survey.Day `json:"end"`
	Responses int64      `json:"responses"`
	Share     *float64   `json:"share_of_responses"` // percent of all answers of the period
	Score     *float64   `json:"score"`              // of the answers with the tag
}

// Rest is how the answers with a tag differ from the others.
type Rest struct {
	Responses int64 `json:"responses"`
	scoring.Comparison
}

// TagTrend is how a tag's share of all answers moved since an earlier range.
type TagTrend struct {
	From      survey.Instant `json:"from"`
	To        survey.Instant `json:"to"`
	Responses int64          `json:"responses"`          // with the tag, then
	Share     *float64       `json:"share_of_responses"` // then, in percent
	Change    *float64       `json:"difference"`         // percent points since
	Interval  *scoring.Range `json:"interval"`
	Z         *float64       `json:"z"`
	PValue    *float64       `json:"p_value"`
	Real      bool           `json:"significant"`
}

// mostTags is how many tags a report has.
const mostTags = 200

// NewTags scores the groups of what was counted, which are tags, each against
// the answers without it. Those that cost the score most come first. Errors are
// as of [New].
func NewTags(c Counted) (Tags, error) {
	out := Tags{Metric: c.Metric, Measure: measureOf(c.Cells), Definition: scoring.Definition(c.Cells), Timezone: c.Timezone, Source: c.Source,
		Rebuilding: c.Rebuilding, Notes: c.Notes, From: c.From, To: c.To, Data: make([]Tag, 0, len(c.Groups))}
	var err error
	if out.Total, err = scored(c.Cells, c.Level); err != nil {
		return Tags{}, err
	}
	for _, g := range c.Groups {
		tag, err := tagOf(c, g, out.Total)
		if err != nil {
			return Tags{}, err
		}
		out.Data = append(out.Data, tag)
	}
	slices.SortStableFunc(out.Data, func(a, b Tag) int {
		return cmp.Or(cmp.Compare(orZero(b.Drag), orZero(a.Drag)), cmp.Compare(b.Total.Responses, a.Total.Responses), strings.Compare(a.Tag, b.Tag))
	})
	if len(out.Data) > mostTags {
		out.Notes = append(slices.Clone(out.Notes), fmt.Sprintf("there are %d tags; these are the %d that cost the score most", len(out.Data), mostTags))
		out.Data = out.Data[:mostTags]
	}
	return out, nil
}

func orZero(f *float64) float64 {
	if f == nil {
		return 0
	}
	return *f
}

func tagOf(c Counted, g CountedGroup, total scoring.Result) (Tag, error) {
	result, err := scored(likewise(g.Cells, c.Cells), c.Level)
	if err != nil {
		return Tag{}, err
	}
	out := Tag{Tag: g.Key, Total: result, Share: scoring.PercentOf(result.Responses, total.Responses), Unhappy: result.Unhappy(),
		ShareOfUnhappy: scoring.PercentOf(result.Unhappy(), total.Unhappy())}
	others := without(c.Cells, g.Cells)
	rest, err := scored(likewise(others, c.Cells), c.Level)
	if err != nil {
		return Tag{}, err
	}
	if rest.Responses > 0 {
		out.Rest = &Rest{Responses: rest.Responses}
		change, err := scoring.Compare(g.Cells, others, c.Level)
		if err != nil {
			return Tag{}, inWords(err)
		}
		if out.Rest.Score = rest.Score; change != nil {
			out.Rest.Comparison = *change
		}
		if out.Drag = new(*rest.Score - *total.Score); total.Direction != "" { // less is better
			*out.Drag = -*out.Drag
		}
	}
	if out.Periods, err = periodsOf(c, g); err != nil {
		return Tag{}, err
	}
	if c.Previous != nil {
		out.Trend, err = trendOf(result.Responses, total.Responses, answersIn(g.Previous), answersIn(c.Previous.Cells), *c.Previous, c.Level)
	}
	return out, err
}

// periodsOf are the periods of a tag; nil where the range was not cut.
func periodsOf(c Counted, g CountedGroup) ([]TagPeriod, error) {
	if c.Periods == nil {
		return nil, nil
	}
	list := make([]TagPeriod, 0, len(c.Periods))
	for i, p := range c.Periods {
		result, err := scored(likewise(g.Periods[i], c.Cells), c.Level)
		if err != nil {
			return nil, err
		}
		list = append(list, TagPeriod{p.Start, p.End, result.Responses, scoring.PercentOf(result.Responses, answersIn(p.Cells)), result.Score})
	}
	return list, nil
}

// without are cells less others of the same measures.
func without(cells, less []scoring.Cell) []scoring.Cell {
	out := slices.Clone(cells)
	for _, cell := range less {
		for i := range out {
			if out[i].Measure == cell.Measure {
				for point, n := range cell.Histogram {
					out[i].Histogram[point] -= n
				}
				break
			}
		}
	}
	return out
}

func answersIn(cells []scoring.Cell) int64 {
	var n int64
	for _, cell := range cells {
		n += cell.Histogram.N()
	}
	return n
}

// trendOf compares two shares as [scoring.Compare] does those of a CSAT.
func trendOf(tagged, all, taggedThen, allThen int64, then CountedRange, level float64) (*TagTrend, error) {
	out := &TagTrend{From: then.From, To: then.To, Responses: taggedThen, Share: scoring.PercentOf(taggedThen, allThen)}
	yesNo := scoring.DefaultMeasure(scoring.CSAT, 0, 1, 0)
	side := func(k, n int64) []scoring.Cell {
		return []scoring.Cell{{Measure: yesNo, Histogram: scoring.Histogram{n - k, k}}}
	}
	c, err := scoring.Compare(side(tagged, all), side(taggedThen, allThen), level)
	if err != nil || c == nil {
		return out, inWords(err)
	}
	out.Change, out.Interval, out.Z, out.PValue, out.Real = c.Difference, c.Interval, c.Z, c.PValue, c.Significant
	return out, nil
}

// WriteCSV writes a row for each tag and each of its periods, and one for all
// answers.
func (t Tags) WriteCSV(w io.Writer) error {
	results := []scoring.Result{t.Total}
	for _, tag := range t.Data {
		results = append(results, tag.Total)
	}
	s := sheet{columns: slices.Concat([]string{"row", "tag", "from", "to", "timezone", "metric", "measure"}, scoreColumns(results...), tagColumns)}
	if slices.ContainsFunc(t.Data, func(tag Tag) bool { return tag.Periods != nil }) {
		s.columns = append(s.columns, "start", "end")
	}
	add := func(kind string, r scoring.Result) map[string]string {
		row := map[string]string{"row": kind, "from": instant(t.From), "to": instant(t.To), "timezone": t.Timezone, "metric": string(t.Metric), "measure": t.Measure}
		scoreCells(row, r)
		s.rows = append(s.rows, row)
		return row
	}
	add("total", t.Total)
	for _, tag := range t.Data {
		tagCells(add("tag", tag.Total), tag)
		for _, p := range tag.Periods {
			s.rows = append(s.rows, map[string]string{"row": "period", "tag": tag.Tag, "timezone": t.Timezone, "metric": string(t.Metric), "measure": t.Measure,
				"start": p.Start.String(), "end": p.End.String(), "responses": fmt.Sprint(p.Responses), "share_of_responses": number(p.Share), "score": number(p.Score)})
		}
	}
	return s.write(w)
}

var tagColumns = []string{"share_of_responses", "unhappy", "share_of_unhappy", "drag", "rest_responses", "rest_score", "difference", "difference_low", "difference_high",
	"z", "p_value", "significant", "previous_from", "previous_to", "previous_responses", "previous_share", "share_difference", "share_p_value", "share_significant"}

func tagCells(row map[string]string, t Tag) {
	row["tag"], row["share_of_responses"], row["share_of_unhappy"], row["drag"] = t.Tag, number(t.Share), number(t.ShareOfUnhappy), number(t.Drag)
	row["unhappy"] = fmt.Sprint(t.Unhappy)
	if r := t.Rest; r != nil {
		row["rest_responses"], row["rest_score"], row["difference"] = fmt.Sprint(r.Responses), number(r.Score), number(r.Difference)
		row["z"], row["p_value"], row["significant"] = number(r.Z), number(r.PValue), fmt.Sprint(r.Significant)
		if r.Interval != nil {
			row["difference_low"], row["difference_high"] = number(&r.Interval.Low), number(&r.Interval.High)
		}
	}
	if tr := t.Trend; tr != nil {
		row["previous_from"], row["previous_to"] = tr.From.String(), tr.To.String()
		row["previous_responses"], row["previous_share"], row["share_difference"] = fmt.Sprint(tr.Responses), number(tr.Share), number(tr.Change)
		row["share_p_value"], row["share_significant"] = number(tr.PValue), fmt.Sprint(tr.Real)
	}
}
