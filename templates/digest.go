package templates

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"koe/scoring"
	"koe/survey"
)

// Digest is a mail to a member about how it went in a day, a week or a month.
type Digest struct {
	Workspace survey.Workspace
	Locale    string // of the member
	Period    survey.DigestPeriod
	Standings []Standing // those with most answers first; Link is not read
	Open      int        // unhappy answers of the period that nobody has resolved
	Said      []DigestComment
	BaseURL   string // what the link begins with
}

// DigestComment is what an unhappy customer wrote.
type DigestComment struct{ Touchpoint, Comment string }

// A mail of more bytes is cut off by the programs of readers.
const (
	digestRows  = 20
	digestRunes = 300 // of a comment
	digestName  = 80  // of a touchpoint, in runes
)

type digestView struct {
	voice
	Subject, Range, Compared string
	Rows, Real               []digestRow
	More, Open               string
	Said                     []DigestComment
	Link, Why                string
}

type digestRow struct {
	standingRow
	Bar []digestCell
}

// digestCell is a part of a bar: "sure" up to the interval, "near" within it,
// "rest" beyond. Without an interval it is sure up to the score.
type digestCell struct {
	Kind    string
	Percent int
}

// Color is the part's, by day; by night it is the style sheet's.
func (c digestCell) Color() string {
	return map[string]string{"sure": "#1f6f8b", "near": "#8fc1d0", "rest": "#e4e4df"}[c.Kind]
}

// Digest writes the mail. What customers wrote is quoted and cut; nothing of it
// is a link or markup.
func (w *Words) Digest(d Digest) (Mail, error) {
	view, err := w.digestView(d)
	if err != nil {
		return Mail{}, err
	}
	var text, html bytes.Buffer
	if err := w.text.ExecuteTemplate(&text, "digest.txt", view); err != nil {
		return Mail{}, err
	}
	if err := w.html.ExecuteTemplate(&html, "digest_mail.html", view); err != nil {
		return Mail{}, err
	}
	return Mail{Subject: view.Subject, Text: text.String(), HTML: html.String()}, nil
}

func (w *Words) digestView(d Digest) (digestView, error) {
	v := staffFigures{w.staffVoice(d.Locale)}
	view := digestView{voice: v.voice, Link: d.BaseURL + "/dashboard"}
	before := survey.BegunDay(d.Period.Since, firstZone(d.Period.Timezone))
	var err error
	of, with := "range", "compared"
	if d.Period.Rhythm == survey.DigestDaily {
		of, with = "digest_day", "digest_compared_day"
	}
	if view.Range, err = v.days(of, d.Period.Start, d.Period.End-1, d.Period.Timezone); err != nil {
		return view, err
	}
	if view.Compared, err = v.days(with, before, d.Period.Start-1, d.Period.Timezone); err != nil {
		return view, err
	}
	if view.Subject, err = v.digestSubject(d); err != nil {
		return view, err
	}
	if view.Why, err = v.Say("digest_why_" + string(d.Period.Rhythm)); err != nil {
		return view, err
	}
	if err := view.standings(v, d.Standings); err != nil {
		return view, err
	}
	if d.Open > 0 {
		if view.Open, err = v.Say("digest_open", "Count", v.Number(d.Open)); err != nil {
			return view, err
		}
	}
	for _, said := range d.Said {
		view.Said = append(view.Said, DigestComment{cutTo(digestName, inert(said.Touchpoint)), cutTo(digestRunes, unturned(inert(said.Comment)))})
	}
	return view, nil
}

func (v staffFigures) digestSubject(d Digest) (string, error) {
	first, err := v.date(survey.StartOf(d.Period.Start, time.UTC), time.UTC)
	if err != nil {
		return "", err
	}
	last, err := v.date(survey.StartOf(d.Period.End-1, time.UTC), time.UTC)
	if err != nil {
		return "", err
	}
	subject, err := v.Say("digest_subject_"+string(d.Period.Rhythm), "Company", inert(d.Workspace.Name), "From", first, "Until", last)
	return subjectLine(subject), err
}

func (view *digestView) standings(v staffFigures, all []Standing) error {
	for _, s := range all {
		s.Name = cutTo(digestName, inert(s.Name))
		row, err := v.row(s)
		if err != nil {
			return err
		}
		one := digestRow{standingRow: row, Bar: digestBar(s)}
		if row.Direction != "" && len(view.Real) < digestRows {
			view.Real = append(view.Real, one)
		}
		if len(view.Rows) < digestRows {
			view.Rows = append(view.Rows, one)
		}
	}
	if more := len(all) - digestRows; more > 0 {
		var err error
		view.More, err = v.Say("digest_more", "Count", v.Number(more))
		return err
	}
	return nil
}

// digestBar draws a score and its interval on its scale, for mail programs that
// draw nothing but tables; nil without a score.
func digestBar(s Standing) []digestCell {
	r := s.Total
	if r.Score == nil {
		return nil
	}
	low, high := *r.Score, *r.Score
	if r.Interval != nil {
		low, high = r.Interval.Low, r.Interval.High
	}
	from, to := 0.0, 100.0
	switch s.Metric {
	case scoring.NPS:
		from = -100
	case scoring.CES:
		least, most, _ := strings.Cut(s.Measure, "-")
		from, _ = strconv.ParseFloat(least, 64)
		to, _ = strconv.ParseFloat(most, 64)
	}
	percent := func(x float64) int { return int(math.Round(100 * min(1, max(0, (x-from)/(to-from))))) }
	sure, near := percent(low), percent(high)
	var bar []digestCell
	for _, cell := range []digestCell{{"sure", sure}, {"near", near - sure}, {"rest", 100 - near}} {
		if cell.Percent > 0 {
			bar = append(bar, cell)
		}
	}
	return bar
}

// cutTo cuts a text to so many runes.
func cutTo(most int, text string) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return fmt.Sprintf("%s…", string([]rune(text)[:most-1]))
}
