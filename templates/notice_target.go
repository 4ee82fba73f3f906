package templates

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"koe/scoring"
	"koe/survey"
)

// TargetChanged tells a member that a target stands otherwise than before, or
// that its score has dropped: in Japanese where the member's locale is ja, else
// in English.
func TargetChanged(t survey.Target, c survey.TargetChange, locale, baseURL string) Mail {
	say := targetInEnglish
	if locale == "ja" {
		say = targetInJapanese
	}
	t.Name = inert(t.Name)
	subject, lines := say(t, c)
	return Mail{Subject: subject, Text: strings.Join(append(lines, "", baseURL+"/dashboard"), "\n") + "\n"}
}

// ChatTarget tells a team of the same.
func ChatTarget(t survey.Target, c survey.TargetChange, baseURL string) Chat {
	t.Name = unturned(t.Name)
	subject, lines := targetInEnglish(t, c)
	return Chat{Title: subject, Comment: strings.Join(lines[2:], "\n"), Link: baseURL + "/dashboard"}
}

func targetInEnglish(t survey.Target, c survey.TargetChange) (subject string, lines []string) {
	unit := targetUnit(t.Unit, " points", " hours")
	if c.Kind == survey.ChangedDrop && c.Drop != nil {
		d := c.Drop
		return "Unusual drop: " + t.Name, []string{
			fmt.Sprintf("The score of “%s” has dropped further than chance explains.", t.Name), "",
			fmt.Sprintf("Seven days up to %s: %s (%d answers)", d.Day, targetFigure(d.Score, unit), d.Responses),
			fmt.Sprintf("Eight weeks before: %s", targetFigure(d.Before, unit)), "",
			"koe looks every day. By chance alone this mail comes less than once a year."}
	}
	words := map[string]string{"met": "met", "at_risk": "at risk", "breached": "breached", "insufficient": "without enough answers"}
	lines = []string{
		fmt.Sprintf("The target “%s” is %s. It was %s.", t.Name, words[c.To], words[c.From]), "",
		"It shall be: " + bound(t, "at least %s", "at most %s", unit)}
	if l := c.Look; l != nil {
		lines = append(lines, fmt.Sprintf("It was: %s%s, of %d", targetFigure(l.Value, unit), between(l.Interval, " (between %s and %s)", unit), l.N),
			fmt.Sprintf("Period: %s to %s", l.Start, l.End-1))
	}
	return fmt.Sprintf("%s: %s", t.Name, words[c.To]), append(lines, "", map[string]string{
		"met":          "The whole interval lies where it shall.",
		"at_risk":      "The interval holds the target: it may be met, and it may not.",
		"breached":     "The whole interval lies on the wrong side. A target that is just met is called so in at most one period of twenty.",
		"insufficient": fmt.Sprintf("A period is judged from %d on.", t.Needed),
	}[c.To])
}

func targetInJapanese(t survey.Target, c survey.TargetChange) (subject string, lines []string) {
	unit := targetUnit(t.Unit, "点", "時間")
	if c.Kind == survey.ChangedDrop && c.Drop != nil {
		d := c.Drop
		return "スコアの異常な低下:" + t.Name, []string{
			fmt.Sprintf("「%s」のスコアが、偶然では説明できないほど下がりました。", t.Name), "",
			fmt.Sprintf("%sまでの7日間:%s(回答%d件)", d.Day, targetFigure(d.Score, unit), d.Responses),
			fmt.Sprintf("その前の8週間:%s", targetFigure(d.Before, unit)), "",
			"koeは毎日確認しています。偶然だけでこのメールが届くのは年に1回未満です。"}
	}
	words := map[string]string{"met": "達成", "at_risk": "要注意", "breached": "未達", "insufficient": "回答不足"}
	lines = []string{
		fmt.Sprintf("目標「%s」は「%s」から「%s」に変わりました。", t.Name, words[c.From], words[c.To]), "",
		"目標:" + bound(t, "%s以上", "%s以下", unit)}
	if l := c.Look; l != nil {
		lines = append(lines, fmt.Sprintf("実績:%s%s、%d件", targetFigure(l.Value, unit), between(l.Interval, "(%s〜%s)", unit), l.N),
			fmt.Sprintf("期間:%s〜%s", l.Start, l.End-1))
	}
	return fmt.Sprintf("%s:%s", t.Name, words[c.To]), append(lines, "", map[string]string{
		"met":          "信頼区間の全体が目標を満たしています。",
		"at_risk":      "信頼区間に目標が含まれています。達成しているとも、いないとも言えません。",
		"breached":     "信頼区間の全体が目標を外れています。実際には目標どおりのときに未達と判定されるのは、20期間に1回以下です。",
		"insufficient": fmt.Sprintf("判定には%d件以上が必要です。", t.Needed),
	}[c.To])
}

func targetUnit(unit, points, hours string) string {
	return map[string]string{"percent": " %", "points": points, "hours": hours}[unit]
}

func bound(t survey.Target, atLeast, atMost, unit string) string {
	if t.AtLeast != nil {
		return fmt.Sprintf(atLeast, targetFigure(t.AtLeast, unit))
	}
	return fmt.Sprintf(atMost, targetFigure(t.AtMost, unit))
}

func between(i *scoring.Interval, words, unit string) string {
	if i == nil {
		return ""
	}
	return fmt.Sprintf(words, targetFigure(&i.Low, unit), targetFigure(&i.High, unit))
}

// targetFigure is a number with one digit behind the point, "–" where there is none.
func targetFigure(v *float64, unit string) string {
	if v == nil {
		return "–"
	}
	return strconv.FormatFloat(math.Round(*v*10)/10, 'f', -1, 64) + unit
}
