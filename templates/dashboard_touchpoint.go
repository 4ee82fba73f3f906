package templates

import (
	"io"
	"net/url"
	"time"

	"koe/survey"
	"koe/survey/report"
)

// TouchpointPage is what the page of a touchpoint shows. Without Measures
// nobody has ever answered there, and what follows them is empty.
type TouchpointPage struct {
	Key, Name string
	MayEdit   bool
	Zone      *time.Location
	Query     url.Values // what is asked for, to be repeated in addresses

	From, Until         survey.Day // both inclusive
	Interval, Compare   string
	Intervals, Compares []string // what may be chosen

	Measures []MeasureChoice
	Segments []string // by which answers are split there
	Segment  string   // the one that the report is grouped by

	Targets             []survey.Target
	Report              report.Report
	Trend, Distribution string // the charts in words
	Notes               []survey.Note
	Comments            []LatestComment
	MoreComments        bool
	Impact              ImpactScenario

	NoteDay, NoteText string // what the form for a note holds
	NoteWrong         bool   // it was not kept
}

// MeasureChoice is a kind of score that was measured: "nps", "csat", "ces1",
// "ces2".
type MeasureChoice struct {
	Value  string
	Chosen bool
}

// LatestComment is what a customer said.
type LatestComment struct {
	ID     survey.ID
	Score  int
	Text   string
	Locale string
	At     survey.Instant
	Day    survey.Day // in the page's zone
}

// ImpactScenario is what the reader set up; Impact is nil before they did, and
// where it is Wrong.
type ImpactScenario struct {
	Volume, LeaveRate string
	Wrong             bool
	Impact            *report.Impact
}

// TouchpointPage renders the page of a touchpoint.
func (w *Words) TouchpointPage(out io.Writer, d Dashboard, p TouchpointPage) error {
	d.Title = p.Name
	return w.DashboardPage(out, "touchpoint", d, touchpointView{p, staffFigures{w.staffVoice(d.Locale)}})
}
