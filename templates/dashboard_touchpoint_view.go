package templates

import (
	"fmt"
	"maps"
	"math"
	"net/url"
	"slices"
	"strconv"

	"koe/scoring"
	"koe/survey"
	"koe/survey/report"
	"koe/templates/chart"
)

// touchpointView is a touchpoint's page in one language.
type touchpointView struct {
	TouchpointPage
	staffFigures
}

// Address is where something of this touchpoint is, asked for as this page is.
func (v touchpointView) Address(what string) string {
	return "/dashboard/touchpoints/" + v.Key + "/" + what + "?" + v.Query.Encode()
}

// Picture is the address of a chart of a width.
func (v touchpointView) Picture(name string, width int) string {
	values := maps.Clone(v.Query)
	values.Set("width", strconv.Itoa(width))
	return "/dashboard/touchpoints/" + v.Key + "/" + name + "?" + values.Encode()
}

// With is the address of this page with one thing more.
func (v touchpointView) With(name, value string) string {
	values := maps.Clone(v.Query)
	values.Set(name, value)
	return "/dashboard/touchpoints/" + v.Key + "?" + values.Encode()
}

// AllComments is where all comments of the range are.
func (v touchpointView) AllComments() string {
	return "/dashboard/comments?" + url.Values{"touchpoint": {v.Key}, "from": {v.From.String()}, "until": {v.Until.String()}, "compare": {v.Compare}}.Encode()
}

// TargetLines are the targets in words.
func (v touchpointView) TargetLines() (lines []targetView, err error) {
	for _, t := range v.Targets {
		line, err := v.target(t)
		if err != nil {
			return nil, err
		}
		lines = append(lines, line)
	}
	return lines, nil
}

// Kept is what the form of the scenario repeats of what is asked for.
func (v touchpointView) Kept() []figure {
	var kept []figure
	for _, name := range slices.Sorted(maps.Keys(v.Query)) {
		if name != "volume_per_day" && name != "leave_rate" {
			kept = append(kept, figure{name, v.Query.Get(name)})
		}
	}
	return kept
}

// Measured is true where anybody has ever answered.
func (v touchpointView) Measured() bool { return len(v.Measures) > 0 }

// MetricName names the score.
func (v touchpointView) MetricName() string {
	return chart.MetricName(v.Lang, v.Report.Metric, v.lower())
}

func (v touchpointView) lower() bool { return v.Report.Total.Direction == "lower_is_better" }

// MeasureLabel names a choice of score.
func (v touchpointView) MeasureLabel(c MeasureChoice) string {
	metric, lower := scoring.Metric(c.Value), c.Value == "ces1"
	if lower || c.Value == "ces2" {
		metric = scoring.CES
	}
	return chart.MetricName(v.Lang, metric, lower)
}

// Score is a result's score, a dash without answers.
func (v touchpointView) Score(r scoring.Result) (string, error) {
	if r.Score == nil {
		return "–", nil
	}
	return v.score(v.Report.Metric, r)
}

// Exact is a figure as the API writes it; empty where it is not defined.
func (v touchpointView) Exact(f *float64) string {
	if f == nil {
		return ""
	}
	return exact(*f)
}

// Range is the interval of a result: from, to.
func (v touchpointView) Range(r scoring.Result) (string, error) {
	if r.Interval == nil {
		return "–", nil
	}
	return v.Say("between", "Low", v.decimal(r.Interval.Low), "High", v.decimal(r.Interval.High))
}

// Sureness says how sure the whole score is.
func (v touchpointView) Sureness() (string, error) {
	total := v.Report.Total
	switch {
	case total.Responses == 0:
		return v.Say("touchpoint_none")
	case total.Interval == nil:
		return v.Say("touchpoint_sure_n", "Count", chart.Count(total.Responses))
	}
	between, err := v.Range(total)
	if err != nil {
		return "", err
	}
	return v.Say("touchpoint_sure", "Level", percentOf(total.Interval.Level*100), "Range", between, "Count", chart.Count(total.Responses))
}

// percentOf writes a share without needless digits.
func percentOf(v float64) string { return strconv.FormatFloat(math.Round(v*100)/100, 'f', -1, 64) }

// Change says how far a score moved and whether that can be chance.
func (v touchpointView) Change(c *report.Comparison) (string, error) {
	switch {
	case c == nil:
		return "", nil
	case c.Difference == nil:
		return v.Say("nothing_before")
	case c.Significant:
		return v.Say("touchpoint_change_real", "Moved", v.signed(*c.Difference))
	}
	return v.Say("touchpoint_change_chance", "Moved", v.signed(*c.Difference))
}

// Since names what the whole score is compared with.
func (v touchpointView) Since() (string, error) {
	c := v.Report.Comparison
	if c == nil {
		return "", nil
	}
	from, until := survey.BegunDay(c.From, v.Zone), survey.BegunDay(c.To-1, v.Zone)
	before := "–"
	if c.Score != nil {
		before = v.decimal(*c.Score)
	}
	return v.Say("touchpoint_since", "From", v.Date(from), "Until", v.Date(until), "Score", before, "Count", chart.Count(c.Responses))
}

// Better is "better", "worse" or "" for a change that can be chance.
func (v touchpointView) Better(c *report.Comparison) string {
	switch {
	case c == nil || !c.Significant || c.Difference == nil:
		return ""
	case (*c.Difference > 0) != v.lower():
		return "better"
	}
	return "worse"
}

// Date writes a day.
func (v touchpointView) Date(d survey.Day) string { return chart.Date(v.Lang, d) }

// Count writes how many.
func (v touchpointView) N(n int64) string { return chart.Count(n) }

// maxRanked is how many groups a page ranks; its CSV has all.
const maxRanked = 50

// Ranked are the groups of the report, those that are surely good first.
func (v touchpointView) Ranked() []report.Group {
	ranked := report.Ranked(v.Report.Groups)
	return ranked[:min(len(ranked), maxRanked)]
}

// Unranked is how many groups have no room.
func (v touchpointView) Unranked() int { return max(0, len(v.Report.Groups)-maxRanked) }

// GroupName is a group's value, or that there is none.
func (v touchpointView) GroupName(g report.Group) (string, error) {
	if g.Key == "" {
		return v.Say("touchpoint_no_value")
	}
	return inert(g.Key), nil
}

// figure is a name with a number.
type figure struct{ Name, Value string }

// Rates are how many were asked and how many of them answered; nil where nobody
// was asked.
func (v touchpointView) Rates() ([]figure, error) {
	r := v.Report.Rates
	if r == nil || r.Invited == 0 {
		return nil, nil
	}
	share := func(percent *float64) string {
		if percent == nil {
			return "–"
		}
		return strconv.FormatFloat(*percent, 'f', 1, 64) + "%"
	}
	var figures []figure
	for _, f := range []figure{{"rate_invited", chart.Count(r.Invited)}, {"rate_delivered", chart.Count(r.Delivered)}, {"rate_answered", chart.Count(r.Answered)},
		{"rate_response", share(r.ResponseRate)}, {"rate_comment", share(r.CommentRate)}} {
		name, err := v.Say(f.Name)
		if err != nil {
			return nil, err
		}
		figures = append(figures, figure{name, f.Value})
	}
	return figures, nil
}

// Lost says what the scenario comes to.
func (v touchpointView) Lost() (string, error) {
	i := v.Impact.Impact
	if i == nil || i.Unhappy == nil {
		return "", nil
	}
	return v.Say("impact_lost", "Count", customers(i.Lost), "Low", customers(i.Low), "High", customers(i.High), "Unhappy", percentOf(math.Round(*i.Unhappy*10)/10))
}

// Saved says what five points fewer unhappy customers would keep.
func (v touchpointView) Saved() (string, error) {
	i := v.Impact.Impact
	if i == nil || i.Kept == nil {
		return "", nil
	}
	return v.Say("impact_kept", "Count", customers(i.Kept), "Points", fmt.Sprint(i.Points))
}

// customers are whole ones.
func customers(n *float64) string {
	if n == nil {
		return "–"
	}
	return chart.Count(int64(math.Round(*n)))
}

// Scenarios are the rows of the table: leave rate, lost, kept.
func (v touchpointView) Scenarios() [][]string {
	var rows [][]string
	if v.Impact.Impact == nil {
		return nil
	}
	for _, at := range v.Impact.Impact.Scenarios {
		rows = append(rows, []string{percentOf(at.LeaveRate*100) + "%", customers(at.Lost), customers(at.Low) + "–" + customers(at.High), customers(at.Kept)})
	}
	return rows
}
