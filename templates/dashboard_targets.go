package templates

import (
	"strings"

	"koe/scoring"
	"koe/survey"
)

// targetView is a target as the dashboard shows it.
type targetView struct {
	Name, Link string
	Goal       string // what shall be
	State      string // how it stands
	Direction  string // better, worse, or "" for what is neither
	Was        string // what the last period was; "" where none was judged
	Drop       string // an alarm that stands; "" for none
}

// has is true for the targets of this very score.
func (s Standing) has(t survey.Target) bool {
	return t.Kind == survey.TargetScore && t.Touchpoint == s.Touchpoint && t.Metric == s.Metric && (t.CESVersion == 1) == (s.Total.Direction != "")
}

// target says what a figure shall be, and how it stood when its last period was
// judged.
func (v staffFigures) target(t survey.Target) (view targetView, err error) {
	view.Name = inert(t.Name)
	if t.Touchpoint != "" {
		view.Link = "/dashboard/touchpoints/" + t.Touchpoint
	}
	key, bound := "target_at_least", t.AtLeast
	if bound == nil {
		key, bound = "target_at_most", t.AtMost
	}
	number, err := v.targetFigure(t.Unit, bound)
	if err != nil {
		return view, err
	}
	if number, err = v.Say(key, "Number", number); err != nil {
		return view, err
	}
	metric := map[scoring.Metric]string{scoring.NPS: "NPS", scoring.CSAT: "CSAT", scoring.CES: "CES"}[t.Metric]
	if view.Goal, err = v.Say("target_of_"+string(t.Kind), "Bound", number, "Attribute", inert(t.Attribute), "Metric", metric); err != nil {
		return view, err
	}
	if view.State, err = v.Say("target_" + string(t.State)); err != nil {
		return view, err
	}
	view.Direction = map[scoring.Standing]string{scoring.Met: "better", scoring.Breached: "worse"}[t.State]
	if t.Judged != nil {
		if view.Was, err = v.targetLook(t); err != nil {
			return view, err
		}
	}
	if t.Drop != nil && t.Drop.Since != nil {
		view.Drop, err = v.Say("target_drop")
	}
	return view, err
}

// targetLook says what the last period was that was judged.
func (v staffFigures) targetLook(t survey.Target) (string, error) {
	l := t.Judged
	was, err := v.targetFigure(t.Unit, l.Value)
	if err != nil {
		return "", err
	}
	days, err := v.days("target_period", l.Start, l.End-1, "")
	if err != nil {
		return "", err
	}
	return v.Say("target_was", "Figure", was, "Period", days, "Count", v.Number(int(l.N)), "Needed", v.Number(int(t.Needed)))
}

// targetFigure is a number in a target's unit, with no more than one decimal.
func (v staffFigures) targetFigure(unit string, figure *float64) (string, error) {
	if figure == nil {
		return "–", nil
	}
	number := strings.TrimSuffix(v.decimal(*figure), ".0")
	switch unit {
	case "percent":
		return v.Say("percent", "Number", number)
	case "hours", "points":
		return v.Say("target_"+unit, "Number", number)
	}
	return number, nil
}
