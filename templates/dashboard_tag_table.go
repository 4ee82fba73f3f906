package templates

import (
	"koe/survey"
	"koe/survey/report"
)

// TagTable ranks tags by what they cost.
type TagTable struct {
	Report *report.Tags // nil where the measures that were asked cannot be added up
	Most   int          // of its tags that are shown; 0 for all
	Links  func(tag string) string
	More   string // where all of them are; empty where these are all
	Course bool   // also how often they came over time
}

type tagTableView struct {
	Rows  []tagRow
	Mixed bool
	More  string
	Trend bool

	Periods []string // the parts of the range, in order; nil where it was not cut
	Course  []tagCourse
}

// tagCourse is how often a tag came in each period, and its score then.
type tagCourse struct {
	Tag   string
	Cells []tagCell
}

type tagCell struct{ Responses, Score string }

type tagRow struct {
	Tag, Link                       string
	Responses, Share, Score         string
	Difference, Verdict, Direction  string
	Range, Drag, Trend, TrendChance string
}

// tagTable writes the figures of a table.
func (v staffFigures) tagTable(t TagTable) (out tagTableView, err error) {
	if t.Report == nil {
		return tagTableView{Mixed: true}, nil
	}
	list := t.Report.Data
	if t.Most > 0 && len(list) > t.Most {
		list, out.More = list[:t.Most], t.More
	}
	for _, tag := range list {
		row, err := v.tagRow(*t.Report, tag)
		if err != nil {
			return out, err
		}
		row.Link = t.Links(tag.Tag)
		out.Trend = out.Trend || tag.Trend != nil
		out.Rows = append(out.Rows, row)
	}
	if t.Course {
		v.course(&out, *t.Report)
	}
	return out, nil
}

// coursesShown is how many tags have their course on the page.
const coursesShown = 20

// course writes how often the first tags came over time. One period tells
// nothing that the table above does not.
func (v staffFigures) course(out *tagTableView, r report.Tags) {
	for _, tag := range r.Data[:min(len(r.Data), coursesShown)] {
		if len(tag.Periods) < 2 {
			return
		}
		row := tagCourse{Tag: tag.Tag}
		for _, p := range tag.Periods {
			if len(out.Course) == 0 {
				out.Periods = append(out.Periods, periodName(p))
			}
			cell := tagCell{Responses: v.Number(int(p.Responses))}
			if p.Score != nil {
				cell.Score = v.decimal(*p.Score)
			}
			row.Cells = append(row.Cells, cell)
		}
		out.Course = append(out.Course, row)
	}
}

// periodName is the month, or else the days, of a period.
func periodName(p report.TagPeriod) string {
	first := p.Start.String()
	if y, m, d := p.Start.Date(); d == 1 && survey.DayOfDate(y, m+1, 1) == p.End {
		return first[:len(first)-len("-01")]
	}
	return first + "–" + (p.End - 1).String()
}

func (v staffFigures) tagRow(r report.Tags, tag report.Tag) (row tagRow, err error) {
	row = tagRow{Tag: tag.Tag, Responses: v.Number(int(tag.Total.Responses))}
	if row.Share, err = v.share(tag.Share); err != nil {
		return row, err
	}
	if tag.Total.Score != nil {
		if row.Score, err = v.score(r.Metric, tag.Total); err != nil {
			return row, err
		}
	}
	if tag.Drag != nil {
		row.Drag = v.decimal(*tag.Drag)
	}
	if rest := tag.Rest; rest != nil && rest.Difference != nil {
		row.Difference = v.signed(*rest.Difference)
		if rest.Interval != nil {
			if row.Range, err = v.Say("between", "Low", v.decimal(rest.Interval.Low), "High", v.decimal(rest.Interval.High)); err != nil {
				return row, err
			}
		}
		if rest.Significant {
			row.Direction = "worse"
			if (*rest.Difference > 0) == (r.Total.Direction == "") {
				row.Direction = "better"
			}
		}
		if row.Verdict, err = v.verdict(rest.Significant); err != nil {
			return row, err
		}
	}
	if t := tag.Trend; t != nil && t.Change != nil {
		row.Trend = v.signed(*t.Change)
		row.TrendChance, err = v.verdict(t.Real)
	}
	return row, err
}

// verdict says whether a difference can be chance.
func (v staffFigures) verdict(significant bool) (string, error) {
	if significant {
		return v.Say("change_real")
	}
	return v.Say("change_chance")
}

// share is a share in percent, a dash where there is none.
func (v staffFigures) share(percent *float64) (string, error) {
	if percent == nil {
		return "–", nil
	}
	return v.Say("percent", "Number", v.decimal(*percent))
}
