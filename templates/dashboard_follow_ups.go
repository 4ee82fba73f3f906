package templates

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"koe/survey"
)

// Choice is one value of a list to choose from.
type Choice struct {
	Value, Name string
	Chosen      bool
}

// FollowUpBoard is the list of follow-ups with its filters and figures.
type FollowUpBoard struct {
	State       string // unresolved, open, in_progress, resolved or all
	Owner       string // an address, me, none or empty
	Touchpoint  string
	Overdue     bool
	From, Until string
	Owners      []survey.Member
	Touchpoints []Choice
	List        []survey.FollowUp
	Sum         survey.FollowUpSummary
	SumBefore   *survey.FollowUpSummary // of the range that is compared with; nil for none
	Range       Range                   // what is compared, where From and Until are given
	Path        string
	CSV         string // the address of all of them as a file
	Next        string // the address of the next page; empty at the end
	Zone        *time.Location
	Now         survey.Instant
}

// followUpLine is one row of the list.
type followUpLine struct {
	Link, Score, Touchpoint, Customer, Comment, Owner, State, Due string
	Overdue                                                       bool
}

type followUpBoardView struct {
	FollowUpBoard
	States, People, Places []Choice
	Lines                  []followUpLine
	Figures                []followUpFigure
	Compare, Compared      string
	Compares               []string
}

type followUpFigure struct{ Name, Value, Before string }

// FollowUpBoard renders the list.
func (w *Words) FollowUpBoard(out io.Writer, d Dashboard, b FollowUpBoard) error {
	v := w.staffVoice(d.Locale)
	say := &sayer{voice: v}
	view := followUpBoardView{FollowUpBoard: b}
	for _, state := range []string{"unresolved", "open", "in_progress", "resolved", "all"} {
		view.States = append(view.States, Choice{state, say.word("follow_up_state_" + state), state == b.State})
	}
	view.People = []Choice{{"", say.word("follow_up_anybody"), b.Owner == ""}, {"me", say.word("follow_up_me"), b.Owner == "me"}, {"none", say.word("follow_up_nobody"), b.Owner == "none"}}
	for _, m := range b.Owners {
		view.People = append(view.People, Choice{m.Email, inert(m.Name), m.Email == b.Owner})
	}
	view.Places = []Choice{{"", say.word("follow_up_everywhere"), b.Touchpoint == ""}}
	for _, t := range b.Touchpoints {
		view.Places = append(view.Places, Choice{t.Value, inert(t.Name), t.Value == b.Touchpoint})
	}
	for _, f := range b.List {
		view.Lines = append(view.Lines, say.line(f, b))
	}
	view.Compare, view.Compares = b.Range.Compare, b.Range.Compares
	before := map[string]string{}
	if b.SumBefore != nil {
		for _, one := range say.figures(*b.SumBefore) {
			before[one.Name] = say.word("before", "Value", one.Value)
		}
		words, err := staffFigures{v}.rangeWords(b.Range)
		if err != nil {
			return err
		}
		view.Compared = words.Compared
	}
	for _, one := range say.figures(b.Sum) {
		view.Figures = append(view.Figures, followUpFigure{one.Name, one.Value, before[one.Name]})
	}
	if say.err != nil {
		return say.err
	}
	return w.DashboardPage(out, "follow_ups", d, view)
}

// sayer says words and remembers the first that failed.
type sayer struct {
	voice
	err error
}

func (s *sayer) word(key string, namesAndValues ...string) string {
	words, err := s.Say(key, namesAndValues...)
	if err != nil && s.err == nil {
		s.err = err
	}
	return words
}

func (s *sayer) moment(i survey.Instant, zone *time.Location) string {
	words, err := s.voice.moment(i, zone)
	if err != nil && s.err == nil {
		s.err = err
	}
	return words
}

func (s *sayer) line(f survey.FollowUp, b FollowUpBoard) followUpLine {
	line := followUpLine{Link: b.Path + "/" + f.ID.String(), Score: strconv.Itoa(f.Response.Score), Touchpoint: f.Touchpoint, Comment: inert(cut(unturned(f.Response.Comment))),
		State: s.word("follow_up_state_" + string(f.State)), Due: clock(f.DueAt, b.Zone), Overdue: f.Overdue(b.Now), Owner: s.word("follow_up_nobody"), Customer: s.word("follow_up_unknown")}
	for _, t := range b.Touchpoints {
		if t.Value == f.Touchpoint {
			line.Touchpoint = inert(t.Name)
		}
	}
	if f.Owner != nil {
		line.Owner = inert(f.Owner.Name)
	}
	if who := f.Response.Person; who != nil && who.Name != "" {
		line.Customer = inert(who.Name)
	}
	return line
}

// figures are the counts and times above the list, each with how many it is of.
func (s *sayer) figures(sum survey.FollowUpSummary) []Choice {
	list := []Choice{}
	for _, state := range survey.FollowUpStates() {
		list = append(list, Choice{Name: s.word("follow_up_state_" + string(state)), Value: s.Number(sum.States[state])})
	}
	list = append(list, Choice{Name: s.word("follow_up_overdue"), Value: s.Number(sum.Overdue)})
	for _, one := range []struct {
		name string
		of   survey.Spread
	}{{"follow_up_first_touch", sum.FirstTouch}, {"follow_up_resolution", sum.Resolution}} {
		value := "–"
		if one.of.Median != nil {
			value = s.word("follow_up_hours", "Median", hours(*one.of.Median), "P90", hours(*one.of.P90), "N", s.Number(one.of.N))
		}
		list = append(list, Choice{Name: s.word(one.name), Value: value})
	}
	if n := sum.Confirmed.N; n > 0 {
		list = append(list, Choice{Name: s.word("follow_up_confirmed"), Value: s.word("follow_up_shares", "Confirmed", percent(sum.Confirmed.Confirmed), "Reopened", percent(sum.Confirmed.Reopened),
			"Unconfirmed", percent(sum.Confirmed.Unconfirmed), "N", s.Number(n))})
	}
	for _, next := range sum.Next {
		list = append(list, Choice{Name: s.word("follow_up_next", "Metric", strings.ToUpper(next.Metric), "Scale", fmt.Sprintf("%d–%d", next.Scale.Min, next.Scale.Max)),
			Value: s.word("follow_up_next_value", "Before", hours(next.Before), "After", hours(next.After), "N", s.Number(next.N))})
	}
	return list
}

// clock is an instant as it stands in lists: short, and all in one zone.
func clock(i survey.Instant, zone *time.Location) string {
	return i.Time().In(zone).Format("2006-01-02 15:04")
}

// hours are written with one digit behind the point, as means of scores are.
func hours(h float64) string { return strconv.FormatFloat(h, 'f', 1, 64) }

func percent(f survey.Fraction) string {
	if f.Percent == nil {
		return "–"
	}
	return strconv.FormatFloat(*f.Percent, 'f', 0, 64)
}

// FollowUpStep is one step of a follow-up's story.
type FollowUpStep struct {
	At                   survey.Instant
	Type, Reason, Detail string
}

// FollowUpFile is one follow-up with everything about it.
type FollowUpFile struct {
	FollowUp  survey.FollowUp
	Template  survey.Template
	Story     []FollowUpStep
	Members   []survey.Member // who may own it
	MayChange bool
	Path      string
	List      string // where the list is
	Zone      *time.Location
	Now       survey.Instant
}

// saidLine is a question with what was answered.
type saidLine struct {
	Question string
	Lines    []string
	Comment  bool // it is the answer's comment
}

type storyLine struct {
	At, What, By string
}

type followUpFileView struct {
	FollowUpFile
	Score, Customer, Email, Consent, State, Due, Confirmation, Owner string
	Overdue                                                          bool
	Said                                                             []saidLine
	Steps, Notes                                                     []storyLine
	States, Owners                                                   []Choice
}

// FollowUpFile renders one follow-up.
func (w *Words) FollowUpFile(out io.Writer, d Dashboard, file FollowUpFile) error {
	say := &sayer{voice: w.staffVoice(d.Locale)}
	f := file.FollowUp
	view := followUpFileView{FollowUpFile: file, State: say.word("follow_up_state_" + string(f.State)), Due: say.moment(f.DueAt, file.Zone),
		Overdue: f.Overdue(file.Now), Owner: say.word("follow_up_nobody"), Customer: say.word("follow_up_unknown"),
		Confirmation: say.word("follow_up_word_" + string(f.Confirmation))}
	words := followUpWordsIn(say.Lang)
	view.Consent = words.consent(f.MayContact)
	view.Score = fmt.Sprintf(words.of, f.Response.Score, file.Template.Measure().Max)
	view.Said = said(w, words, file.Template, f.Response, say.Lang)
	if f.Owner != nil {
		view.Owner = inert(f.Owner.Name)
	}
	if who := f.Response.Person; who != nil {
		view.Email = who.Email
		if who.Name != "" {
			view.Customer = inert(who.Name)
		}
	}
	for _, state := range survey.FollowUpStates() {
		view.States = append(view.States, Choice{string(state), say.word("follow_up_state_" + string(state)), state == f.State})
	}
	view.Owners = append(view.Owners, Choice{"", say.word("follow_up_nobody"), f.Owner == nil})
	names := map[string]string{}
	for _, m := range file.Members {
		names[m.ID.String()] = inert(m.Name)
		if m.MayOwn(f.Touchpoint, f.Response.Attributes) {
			view.Owners = append(view.Owners, Choice{m.Email, inert(m.Name), f.Owner != nil && f.Owner.ID == m.ID})
		}
	}
	for _, step := range file.Story {
		view.Steps = append(view.Steps, say.step(step, names, file.Zone))
	}
	for _, note := range f.Notes {
		view.Notes = append(view.Notes, storyLine{At: clock(note.At, file.Zone), What: unturned(note.Text), By: inert(note.By)})
	}
	if say.err != nil {
		return say.err
	}
	return w.DashboardPage(out, "follow_up", d, view)
}

// said is what was answered beside the score, in a language that the template
// speaks.
func said(w *Words, words followUpWords, t survey.Template, r survey.Response, lang string) (list []saidLine) {
	locale := w.SurveyLocale(t, lang)
	in := func(text survey.Text) string {
		found, _ := text.In(locale, t.DefaultLocale)
		return inert(found)
	}
	for _, question := range t.Questions {
		answer, given := r.Answers[question.Key]
		if !given || question.Type == survey.ScoreQuestion || question.Type == survey.ConsentQuestion {
			continue
		}
		lines, comment := []string{}, false
		if text, ok := answer.(string); ok && question.Type == survey.TextQuestion {
			comment = text == r.Comment
			lines = strings.Split(unturned(strings.TrimSpace(lineEnds.Replace(text))), "\n")
		} else {
			lines = append(lines, words.answer(question, answer, in))
		}
		list = append(list, saidLine{in(question.Text), lines, comment})
	}
	return list
}

func (s *sayer) step(step FollowUpStep, names map[string]string, zone *time.Location) storyLine {
	line := storyLine{At: clock(step.At, zone), What: s.word("follow_up_did_" + step.Type)}
	if step.Type == "assigned" {
		line.What = s.word("follow_up_did_assigned_to", "Name", names[step.Reason])
		if names[step.Reason] == "" {
			line.What = s.word("follow_up_did_assigned")
		}
	}
	who, _ := strings.CutPrefix(step.Detail, "by ")
	if i := strings.LastIndex(who, " ("); i > 0 {
		who = who[:i]
	}
	if who != "" && who != "the customer" {
		line.By = s.word("follow_up_by", "Name", inert(who))
	}
	return line
}
