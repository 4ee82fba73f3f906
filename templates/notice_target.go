package templates

import (
	"strings"

	"koe/survey"
)

// TargetChanged tells a member that a target stands otherwise than before, or
// that its score has dropped.
func (w *Words) TargetChanged(t survey.Target, c survey.TargetChange, locale, baseURL string) (Mail, error) {
	say := &sayer{voice: w.staffVoice(locale)}
	t.Name = inert(t.Name)
	subject, lines := say.targetChanged(t, c)
	return Mail{Subject: subject, Text: strings.Join(append(lines, "", baseURL+"/dashboard"), "\n") + "\n"}, say.err
}

// ChatTarget tells a team of the same.
func (w *Words) ChatTarget(t survey.Target, c survey.TargetChange, baseURL string) (Chat, error) {
	say := &sayer{voice: w.staffVoice("en")}
	t.Name = unturned(t.Name)
	subject, lines := say.targetChanged(t, c)
	return Chat{Title: subject, Comment: strings.Join(lines[2:], "\n"), Link: baseURL + "/dashboard"}, say.err
}

// targetChanged is the subject, and the lines of which the second is empty.
func (s *sayer) targetChanged(t survey.Target, c survey.TargetChange) (subject string, lines []string) {
	if d := c.Drop; c.Kind == survey.ChangedDrop && d != nil {
		return s.word("target_dropped_subject", "Name", t.Name), []string{
			s.word("target_dropped", "Name", t.Name), "",
			s.word("target_dropped_week", "Day", d.Day.String(), "Figure", s.targetFigure(t, d.Score), "Count", s.Number(int(d.Responses))),
			s.word("target_dropped_before", "Figure", s.targetFigure(t, d.Before)), "",
			s.word("target_dropped_why")}
	}
	to, key, bound := s.word("target_"+c.To), "target_at_least", t.AtLeast
	if bound == nil {
		key, bound = "target_at_most", t.AtMost
	}
	lines = []string{s.word("target_changed", "Name", t.Name, "From", s.word("target_"+c.From), "To", to), "",
		s.word("target_goal", "Bound", s.word(key, "Number", s.targetFigure(t, bound)))}
	if l := c.Look; l != nil {
		figure, count := s.targetFigure(t, l.Value), s.Number(int(l.N))
		if i := l.Interval; i != nil {
			lines = append(lines, s.word("target_figure_between", "Figure", figure, "Low", s.targetFigure(t, &i.Low), "High", s.targetFigure(t, &i.High), "Count", count))
		} else {
			lines = append(lines, s.word("target_figure", "Figure", figure, "Count", count))
		}
		lines = append(lines, s.word("target_figure_period", "From", l.Start.String(), "Until", (l.End-1).String()))
	}
	return s.word("target_changed_subject", "Name", t.Name, "To", to), append(lines, "", s.word("target_why_"+c.To, "Needed", s.Number(int(t.Needed))))
}

func (s *sayer) targetFigure(t survey.Target, figure *float64) string {
	words, err := staffFigures{s.voice}.targetFigure(t.Unit, figure)
	if err != nil && s.err == nil {
		s.err = err
	}
	return words
}
