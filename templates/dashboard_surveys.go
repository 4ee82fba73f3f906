package templates

import (
	"io"
	"maps"
	"net/url"
	"slices"
	"time"

	"koe/survey"
)

// SurveysPage is what the page of all surveys shows.
type SurveysPage struct {
	Range
	Workspace   survey.Workspace
	Surveys     []survey.Survey
	Touchpoints map[string]string // names by key
	Answers     map[string]Counts // by the id of the survey
	Mail        *MailNow          // nil for whoever does not see all of it
	Path, Next  string            // the page's address, and that of what follows; "" for nothing
	Query       string            // of the range, with a ? before it
}

// Counts are how many there are in a range, and in what it is compared with.
type Counts struct{ Now, Before int64 }

// MailNow is how the mail of a workspace or of a survey stands.
type MailNow struct {
	Due, InFlight           int
	Waiting                 map[survey.Reason]int
	Sent, Failed, Uncertain int // in the last 24 hours
}

// StaffSurvey is what the page of one survey shows.
type StaffSurvey struct {
	Range
	Survey        survey.Survey
	Workspace     survey.Workspace
	Touchpoint    string // its name
	Zone          *time.Location
	Reason        survey.Reason
	Counted       SurveyFigures
	CountedBefore *SurveyFigures // in the range that is compared with; nil for none
	Mail          *MailNow       // nil for whoever does not see all of it
	Decisions     []Decided      // the newest first
	Path, Next    string
	Query         url.Values // of the range
}

// SurveyFigures are what became of a survey in a range.
type SurveyFigures struct {
	Invited, Delivered, Answered int64                 // of the invitations that went out
	Decided                      map[survey.Reason]int // "" is that somebody is asked
}

// Reasons are those of either range, in order.
func (f SurveyFigures) Reasons(before *SurveyFigures) []survey.Reason {
	all := maps.Clone(f.Decided)
	if before != nil && all != nil {
		maps.Copy(all, before.Decided)
	}
	return slices.Sorted(maps.Keys(all))
}

// Decided is one decision; State is empty where nobody is asked.
type Decided struct {
	At, SendAt survey.Instant
	Reason     survey.Reason
	State      survey.InvitationState
}

type surveysView struct {
	SurveysPage
	rangeWords
	mailView
	Lines []surveyLine
	CSV   string
}

type surveyLine struct{ Name, Link, Touchpoint, State, How, Answers, Before string }

// mailView is how mail stands, in words.
type mailView struct{ Now, Waits, Day []figure }

// SurveysPage renders the page of all surveys.
func (w *Words) SurveysPage(out io.Writer, d Dashboard, p SurveysPage) error {
	v := surveyWords{staffFigures{w.staffVoice(d.Locale)}}
	view := surveysView{SurveysPage: p, CSV: p.Path + p.Query + "&format=csv"}
	var err error
	if view.rangeWords, err = v.rangeWords(p.Range); err != nil {
		return err
	}
	for _, one := range p.Surveys {
		n := p.Answers[one.ID.String()]
		line := surveyLine{Name: inert(one.Name), Link: p.Path + "/" + one.ID.String() + p.Query, Touchpoint: inert(p.Touchpoints[one.Touchpoint]),
			Answers: v.Number(int(n.Now))}
		if p.Range.Before != nil {
			line.Before = v.Number(int(n.Before))
		}
		if line.State, err = v.Say("survey_state_" + string(one.State)); err != nil {
			return err
		}
		if line.How, err = v.asks(one); err != nil {
			return err
		}
		view.Lines = append(view.Lines, line)
	}
	if view.mailView, err = v.mail(p.Mail); err != nil {
		return err
	}
	return w.DashboardPage(out, "surveys", d, view)
}

// mail says how mail stands; nothing where there is nothing to see.
func (v surveyWords) mail(m *MailNow) (view mailView, err error) {
	if m == nil {
		return view, nil
	}
	if view.Now, err = v.figures(counted{"mail_due", m.Due}, counted{"mail_in_flight", m.InFlight}); err != nil {
		return view, err
	}
	for _, reason := range slices.Sorted(maps.Keys(m.Waiting)) {
		if n := m.Waiting[reason]; n > 0 {
			waits, err := v.figures(counted{"wait_" + string(reason), n})
			if err != nil {
				return view, err
			}
			view.Waits = append(view.Waits, waits...)
		}
	}
	view.Day, err = v.figures(counted{"mail_sent", m.Sent}, counted{"mail_failed", m.Failed}, counted{"mail_uncertain", m.Uncertain})
	return view, err
}

type surveyView struct {
	StaffSurvey
	rangeWords
	mailView
	CSV, State, Touchpoint, Link string
	Rules                        []figure
	Came, Rates                  []reasonCount
	Lines                        []decidedLine
	All                          string // the address of all decisions; "" where all are shown
}

// reasonCount is how often something came, and did before, and where those are.
type reasonCount struct{ Name, Value, Before, Link string }

type decidedLine struct{ At, Exact, What, State, SendAt string }

// StaffSurveyPage renders the page of one survey.
func (w *Words) StaffSurveyPage(out io.Writer, d Dashboard, p StaffSurvey) error {
	v := surveyWords{staffFigures{w.staffVoice(d.Locale)}}
	d.Title = p.Survey.Name
	view := surveyView{StaffSurvey: p, Touchpoint: inert(p.Touchpoint), Link: "/dashboard/touchpoints/" + p.Survey.Touchpoint + "?" + p.Query.Encode(),
		CSV: p.with("format", "csv")}
	var err error
	if view.rangeWords, err = v.rangeWords(p.Range); err != nil {
		return err
	}
	if view.State, err = v.Say("survey_state_" + string(p.Survey.State)); err != nil {
		return err
	}
	if view.Rules, err = v.rules(p.Survey, p.Workspace); err != nil {
		return err
	}
	if view.mailView, err = v.mail(p.Mail); err != nil {
		return err
	}
	if p.Reason != "" {
		view.All = p.with("reason", "") + "#decisions"
	}
	if err := v.came(&view); err != nil {
		return err
	}
	for _, one := range p.Decisions {
		line, err := v.decision(one, p.Zone)
		if err != nil {
			return err
		}
		view.Lines = append(view.Lines, line)
	}
	return w.DashboardPage(out, "survey", d, view)
}

// with is the page's address with another parameter; "" takes it away.
func (p StaffSurvey) with(name, value string) string {
	values := maps.Clone(p.Query)
	if p.Reason != "" {
		values.Set("reason", string(p.Reason))
	}
	if values.Del(name); value != "" {
		values.Set(name, value)
	}
	return p.Path + "?" + values.Encode()
}

// came writes what was decided, and what became of the invitations.
func (v surveyWords) came(view *surveyView) error {
	count := func(name string, of func(SurveyFigures) int) (one reasonCount, err error) {
		one = reasonCount{Name: name, Value: v.Number(of(view.StaffSurvey.Counted))}
		if view.StaffSurvey.CountedBefore != nil {
			one.Before, err = v.Say("before", "Value", v.Number(of(*view.StaffSurvey.CountedBefore)))
		}
		return one, err
	}
	for _, reason := range view.StaffSurvey.Counted.Reasons(view.StaffSurvey.CountedBefore) {
		name, err := v.decided(reason)
		if err != nil {
			return err
		}
		one, err := count(name, func(f SurveyFigures) int { return f.Decided[reason] })
		if err != nil {
			return err
		}
		if reason != "" {
			one.Link = view.with("reason", string(reason)) + "#decisions"
		}
		view.Came = append(view.Came, one)
	}
	for _, rate := range []struct {
		key string
		of  func(SurveyFigures) int
	}{
		{"rate_invited", func(f SurveyFigures) int { return int(f.Invited) }},
		{"rate_delivered", func(f SurveyFigures) int { return int(f.Delivered) }},
		{"rate_answered", func(f SurveyFigures) int { return int(f.Answered) }},
	} {
		name, err := v.Say(rate.key)
		if err != nil {
			return err
		}
		one, err := count(name, rate.of)
		if err != nil {
			return err
		}
		view.Rates = append(view.Rates, one)
	}
	return nil
}

func (v surveyWords) decision(d Decided, zone *time.Location) (line decidedLine, err error) {
	at := d.At.Time().In(zone)
	line = decidedLine{At: at.Format("2006-01-02 15:04"), Exact: at.Format(time.RFC3339)}
	if line.What, err = v.decided(d.Reason); err != nil || d.State == "" {
		return line, err
	}
	line.SendAt = d.SendAt.Time().In(zone).Format("2006-01-02 15:04")
	line.State, err = v.Say("invitation_" + string(d.State))
	return line, err
}
