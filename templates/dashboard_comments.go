package templates

import (
	"io"
	"slices"
	"time"

	"koe/scoring"
	"koe/survey"
	"koe/survey/report"
)

// CommentsPage is what the page of comments shows.
type CommentsPage struct {
	CommentFilter
	Zone     *time.Location
	Comments []Comment
	Next     string // the address of the next page; empty where this is the last
	CSV      string // the address of all of them as a file
	Reasons  TagTable
	MayEdit  bool
}

// CommentFilter is what a reader asked for, as the form holds it.
type CommentFilter struct {
	Action      string // the address of the page
	From, Until survey.Day
	Touchpoint  string
	Tag, Q      string
	Score       string // one of Scores
	Touchpoints []TouchpointChoice
	Tags        []string // that can be chosen
	Scores      []string
}

// TouchpointChoice is a touchpoint that a filter offers.
type TouchpointChoice struct{ Key, Name string }

// Comment is what somebody said.
type Comment struct {
	ID         survey.ID
	Score      int
	Measure    scoring.Measure
	Text       string
	Locale     string
	At         survey.Instant
	Touchpoint string // its name
	Tags       []string
	RuleTags   []string // those of them that a rule put there
	Link       string   // of its page
}

// TagTable ranks tags by what they cost.
type TagTable struct {
	Report *report.Tags // nil where the measures that were asked cannot be added up
	Most   int          // of its tags that are shown; 0 for all
	Links  func(tag string) string
	More   string // where all of them are; empty where these are all
}

type commentsView struct {
	CommentsPage
	List    []commentView
	Reasons tagTableView
}

type commentView struct {
	voice
	Comment
	MayEdit bool
	Back    string // where a form of it leads back to
	Known   bool   // the page has the list of known tags
	Happy   string // unhappy, or ""
	On      string
	Shown   []tagView
}

type tagView struct {
	Name   string
	ByRule bool
}

type tagTableView struct {
	Rows  []tagRow
	Mixed bool
	More  string
	Trend bool
}

type tagRow struct {
	Tag, Link                       string
	Responses, Share, Score         string
	Difference, Verdict, Direction  string
	Range, Drag, Trend, TrendChance string
}

// CommentsPage renders the page of comments.
func (w *Words) CommentsPage(out io.Writer, d Dashboard, p CommentsPage) error {
	v := staffFigures{w.staffVoice(d.Locale)}
	view := commentsView{CommentsPage: p}
	for _, c := range p.Comments {
		one, err := v.comment(c, p.Zone)
		if err != nil {
			return err
		}
		one.MayEdit, one.Back, one.Known = p.MayEdit, d.Path, true
		view.List = append(view.List, one)
	}
	var err error
	if view.Reasons, err = v.tagTable(p.Reasons); err != nil {
		return err
	}
	return w.DashboardPage(out, "comments", d, view)
}

func (v staffFigures) comment(c Comment, zone *time.Location) (out commentView, err error) {
	out.voice, out.Comment = v.voice, c
	out.Touchpoint = inert(c.Touchpoint)
	var h scoring.Histogram
	if c.Measure.Contains(c.Score) {
		h[c.Score] = 1
	}
	if scoring.Score(c.Measure, h, 0.95).Unhappy() > 0 {
		out.Happy = "unhappy"
	}
	for _, tag := range c.Tags {
		out.Shown = append(out.Shown, tagView{tag, slices.Contains(c.RuleTags, tag)})
	}
	out.On, err = v.date(c.At, zone)
	return out, err
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
	return out, nil
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
