package templates

import (
	"io"
	"slices"
	"time"

	"koe/scoring"
	"koe/survey"
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

	Count       *Found // of all of them; nil on later pages
	CountBefore *Found // in the range that is compared with; nil for none
}

// Found is how many were found; More says that not all were looked at.
type Found struct {
	N    int
	More bool
}

// CommentFilter is what a reader asked for, as the form holds it.
type CommentFilter struct {
	Action string // the address of the page
	Range
	Touchpoint  string
	Tag, Q      string
	Score       string // one of Scores
	Segment     string // one of Segments, narrowed to Value
	Value       string
	FollowUp    string // one of FollowUps
	Touchpoints []TouchpointChoice
	Surveys     []Choice
	Tags        []string // that can be chosen
	Scores      []string
	Segments    []string
	FollowUps   []string
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

type commentsView struct {
	CommentsPage
	rangeWords
	List    []commentView
	Reasons tagTableView
	Said    string // how many there are
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
	if view.rangeWords, err = v.rangeWords(p.Range); err != nil {
		return err
	}
	if p.Count != nil {
		if view.Said, err = v.countOf("comments_count", *p.Count, p.CountBefore); err != nil {
			return err
		}
	}
	return w.DashboardPage(out, "comments", d, view)
}

// countOf says how many there are, and were in the range before.
func (v staffFigures) countOf(key string, now Found, before *Found) (string, error) {
	number := func(f Found) string {
		if f.More {
			return v.Number(f.N) + "+"
		}
		return v.Number(f.N)
	}
	if before == nil {
		return v.Say(key, "Count", number(now))
	}
	return v.Say(key+"_before", "Count", number(now), "Before", number(*before))
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
