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
	Workspace   survey.Workspace
	Surveys     []survey.Survey
	Touchpoints map[string]string // names by key
	Mail        *MailNow          // nil for whoever does not see all of it
	Path, Next  string            // the page's address, and that of what follows; "" for nothing
}

// MailNow is how the mail of a workspace stands.
type MailNow struct {
	Due, InFlight           int
	Waiting                 map[survey.Reason]int
	Sent, Failed, Uncertain int // in the last 24 hours
}

// StaffSurvey is what the page of one survey shows.
type StaffSurvey struct {
	Survey      survey.Survey
	Workspace   survey.Workspace
	Touchpoint  string // its name
	Zone        *time.Location
	From, Until survey.Day // both inclusive
	Reason      survey.Reason
	Counts      map[survey.Reason]int // decisions; "" is that somebody is asked
	Mails       SurveyMails
	Decisions   []Decided // the newest first
	Path, Next  string
}

// SurveyMails is what became of the invitations that went out.
type SurveyMails struct{ Invited, Delivered, Answered int64 }

// Decided is one decision; State is empty where nobody is asked.
type Decided struct {
	At, SendAt survey.Instant
	Reason     survey.Reason
	State      survey.InvitationState
}

type surveysView struct {
	Lines           []surveyLine
	Now, Waits, Day []figure
	Next            string
}

type surveyLine struct{ Name, Link, Touchpoint, State, How string }

// SurveysPage renders the page of all surveys.
func (w *Words) SurveysPage(out io.Writer, d Dashboard, p SurveysPage) error {
	v := surveyWords{staffFigures{w.staffVoice(d.Locale)}}
	view := surveysView{Next: p.Next}
	for _, one := range p.Surveys {
		line := surveyLine{Name: inert(one.Name), Link: p.Path + "/" + one.ID.String(), Touchpoint: inert(p.Touchpoints[one.Touchpoint])}
		var err error
		if line.State, err = v.Say("survey_state_" + string(one.State)); err != nil {
			return err
		}
		if line.How, err = v.asks(one); err != nil {
			return err
		}
		view.Lines = append(view.Lines, line)
	}
	if m := p.Mail; m != nil {
		var err error
		if view.Now, err = v.figures(counted{"mail_due", m.Due}, counted{"mail_in_flight", m.InFlight}); err != nil {
			return err
		}
		for _, reason := range slices.Sorted(maps.Keys(m.Waiting)) {
			if n := m.Waiting[reason]; n > 0 {
				waits, err := v.figures(counted{"wait_" + string(reason), n})
				if err != nil {
					return err
				}
				view.Waits = append(view.Waits, waits...)
			}
		}
		if view.Day, err = v.figures(counted{"mail_sent", m.Sent}, counted{"mail_failed", m.Failed}, counted{"mail_uncertain", m.Uncertain}); err != nil {
			return err
		}
	}
	return w.DashboardPage(out, "surveys", d, view)
}

type surveyView struct {
	Path, From, Until, State string
	Touchpoint, Link         string
	Rules                    []figure
	Came                     []reasonCount
	Rates                    []figure
	Decisions                []decidedLine
	All                      string // the address of all decisions; "" where all are shown
	Next                     string
}

// reasonCount is a reason with how often it was given, and where those are.
type reasonCount struct{ Name, Value, Link string }

type decidedLine struct{ At, Exact, What, State, SendAt string }

// StaffSurveyPage renders the page of one survey.
func (w *Words) StaffSurveyPage(out io.Writer, d Dashboard, p StaffSurvey) error {
	v := surveyWords{staffFigures{w.staffVoice(d.Locale)}}
	d.Title = p.Survey.Name
	view := surveyView{Path: p.Path, From: p.From.String(), Until: p.Until.String(), Next: p.Next, Touchpoint: inert(p.Touchpoint),
		Link: "/dashboard/touchpoints/" + p.Survey.Touchpoint}
	var err error
	if view.State, err = v.Say("survey_state_" + string(p.Survey.State)); err != nil {
		return err
	}
	if view.Rules, err = v.rules(p.Survey, p.Workspace); err != nil {
		return err
	}
	values := url.Values{"from": {view.From}, "until": {view.Until}}
	if p.Reason != "" {
		view.All = p.Path + "?" + values.Encode() + "#decisions"
	}
	for _, reason := range slices.Sorted(maps.Keys(p.Counts)) {
		name, err := v.decided(reason)
		if err != nil {
			return err
		}
		came := reasonCount{Name: name, Value: v.Number(p.Counts[reason])}
		if reason != "" {
			values.Set("reason", string(reason))
			came.Link = p.Path + "?" + values.Encode() + "#decisions"
		}
		view.Came = append(view.Came, came)
	}
	if view.Rates, err = v.figures(counted{"rate_invited", int(p.Mails.Invited)}, counted{"rate_delivered", int(p.Mails.Delivered)},
		counted{"rate_answered", int(p.Mails.Answered)}); err != nil {
		return err
	}
	for _, one := range p.Decisions {
		line, err := v.decision(one, p.Zone)
		if err != nil {
			return err
		}
		view.Decisions = append(view.Decisions, line)
	}
	return w.DashboardPage(out, "survey", d, view)
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
