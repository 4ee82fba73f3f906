package templates

import (
	"html/template"
	"io"
	"math"
	"strconv"
	"time"

	"golang.org/x/text/number"

	"koe/scoring"
	"koe/survey"
	"koe/templates/chart"
)

// Scoreboard is what the dashboard's first page shows.
type Scoreboard struct {
	From, Until survey.Day // both inclusive
	Zone        string
	Compare     string       // one of Compares
	Before      []survey.Day // first and last of what is compared with; nil for nothing
	Standings   []Standing
	Targets     []survey.Target
	Notes       []string
	Rebuilding  bool
	CSV         string   // the address of the same as CSV
	Compares    []string // what can be compared with
}

// Standing is the score of one measure at one touchpoint.
type Standing struct {
	Touchpoint string // its key
	Name, Link string
	Metric     scoring.Metric
	Measure    string // the scale
	Total      scoring.Result
	Change     *scoring.Comparison // nil where there is nothing to compare with
	Trend      []*float64          // the score of the last periods, the oldest first; nil where nobody answered
}

type scoreboardView struct {
	From, Until, Compare, CSV string
	Compares, Notes           []string
	Range, Compared           string
	Rows                      []standingRow
	Targets                   []targetView // that stand in no row
}

type standingRow struct {
	Name, Link, Measure          string
	Score, ScoreExact            string
	Interval                     string
	Responses, ResponsesExact    string
	Change, ChangeExact, Verdict string
	Direction                    string // better, worse or same, of a change that is real; else ""
	Few                          bool
	Trend                        template.HTML
	Targets                      []targetView
}

// ScoreboardPage renders the dashboard's first page. Figures stand in it as people
// read them, and exactly in the value of a data element.
func (w *Words) ScoreboardPage(out io.Writer, d Dashboard, s Scoreboard) error {
	v := staffFigures{w.staffVoice(d.Locale)}
	view := scoreboardView{From: s.From.String(), Until: s.Until.String(), Compare: s.Compare, CSV: s.CSV, Compares: s.Compares, Notes: s.Notes}
	var err error
	if view.Range, err = v.days("range", s.From, s.Until, s.Zone); err != nil {
		return err
	}
	if s.Before != nil {
		if view.Compared, err = v.days("compared", s.Before[0], s.Before[1], s.Zone); err != nil {
			return err
		}
	}
	if s.Rebuilding {
		words, err := v.Say("rebuilding")
		if err != nil {
			return err
		}
		view.Notes = append(view.Notes, words)
	}
	placed := map[survey.ID]bool{}
	for _, standing := range s.Standings {
		row, err := v.row(standing)
		if err != nil {
			return err
		}
		for _, target := range s.Targets {
			if !standing.has(target) {
				continue
			}
			placed[target.ID] = true
			shown, err := v.target(target)
			if err != nil {
				return err
			}
			row.Targets = append(row.Targets, shown)
		}
		view.Rows = append(view.Rows, row)
	}
	for _, target := range s.Targets {
		if placed[target.ID] {
			continue
		}
		shown, err := v.target(target)
		if err != nil {
			return err
		}
		view.Targets = append(view.Targets, shown)
	}
	return w.DashboardPage(out, "scoreboard", d, view)
}

// staffFigures writes scores as people read them.
type staffFigures struct{ voice }

// days says a range of days.
func (v staffFigures) days(key string, from, until survey.Day, zone string) (string, error) {
	first, err := v.date(survey.StartOf(from, time.UTC), time.UTC)
	if err != nil {
		return "", err
	}
	last, err := v.date(survey.StartOf(until, time.UTC), time.UTC)
	if err != nil {
		return "", err
	}
	return v.Say(key, "From", first, "Until", last, "Timezone", zone)
}

func (v staffFigures) row(s Standing) (row standingRow, err error) {
	r := s.Total
	row = standingRow{Name: inert(s.Name), Link: s.Link, Responses: v.Number(int(r.Responses)), ResponsesExact: strconv.FormatInt(r.Responses, 10)}
	if row.Measure, err = v.Say("measure_"+string(s.Metric), "Scale", s.Measure); err != nil {
		return row, err
	}
	row.Trend = template.HTML(chart.Spark{Language: v.Lang, Metric: s.Metric, LowerIsBetter: r.Direction != "", Scores: s.Trend}.SVG()) //nolint:gosec // a drawing escapes its words
	if r.Direction != "" {
		low, err := v.Say("lower_is_better")
		if err != nil {
			return row, err
		}
		row.Measure += " · " + low
	}
	if r.Score == nil {
		return row, v.change(&row, s)
	}
	row.ScoreExact, row.Few = exact(*r.Score), !r.Reliable
	if row.Score, err = v.score(s.Metric, r); err != nil {
		return row, err
	}
	if r.Interval != nil {
		if row.Interval, err = v.Say("between", "Low", v.decimal(r.Interval.Low), "High", v.decimal(r.Interval.High)); err != nil {
			return row, err
		}
	}
	return row, v.change(&row, s)
}

// score is the headline: a whole number, of CES with one decimal.
func (v staffFigures) score(metric scoring.Metric, r scoring.Result) (string, error) {
	if metric == scoring.CES || r.Rounded == nil {
		return v.decimal(*r.Score), nil
	}
	if metric == scoring.CSAT {
		return v.Say("percent", "Number", v.Number(*r.Rounded))
	}
	return v.Number(*r.Rounded), nil
}

func (v staffFigures) change(row *standingRow, s Standing) (err error) {
	c := s.Change
	if c == nil || c.Difference == nil {
		return nil
	}
	row.ChangeExact, row.Change = exact(*c.Difference), v.signed(*c.Difference)
	key := "change_chance"
	if c.Significant {
		key = "change_real"
		if (*c.Difference > 0) == (s.Total.Direction == "") {
			row.Direction = "better"
		} else {
			row.Direction = "worse"
		}
	}
	row.Verdict, err = v.Say(key)
	return err
}

// exact is a figure as the API writes it.
func exact(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }

// decimal is a figure with one decimal.
func (v staffFigures) decimal(f float64) string {
	f = math.Round(f*10) / 10
	if f == 0 {
		f = 0 // not -0
	}
	return v.numbers.Sprint(number.Decimal(f, number.MinFractionDigits(1), number.MaxFractionDigits(1)))
}

// signed is a difference with one decimal and its sign.
func (v staffFigures) signed(f float64) string {
	text := v.decimal(f)
	if math.Round(f*10) > 0 {
		return "+" + text
	}
	return text
}
