package survey

import (
	"slices"
	"strings"
	"time"
)

// Format is how the events of a webhook are written.
type Format string

// The formats that koe writes.
const (
	FormatStandard  Format = "standard"  // koe's own resources, signed as Standard Webhooks
	FormatDelighted Format = "delighted" // as Delighted wrote its webhooks
	FormatSlack     Format = "slack"     // a message for an incoming webhook of Slack
	FormatTeams     Format = "teams"     // an Adaptive Card for a workflow of Teams
)

// Formats are all formats.
func Formats() []Format {
	return []Format{FormatStandard, FormatDelighted, FormatSlack, FormatTeams}
}

// Chat is true where people read along: they are told of an answer once, when
// its comment is in.
func (f Format) Chat() bool { return f == FormatSlack || f == FormatTeams }

// events are those that can be written in a format.
func (f Format) events() []Event {
	switch f {
	case FormatDelighted:
		return []Event{EventResponseCreated, EventResponseUpdated, EventPersonUnsubscribed}
	case FormatSlack, FormatTeams:
		return []Event{EventResponseCreated, EventResponseUpdated, EventTargetChanged}
	}
	return Events()
}

// ChatWaits is how long a chat waits for the comment behind a score.
const ChatWaits = 10 * time.Minute

// topScore is the highest of any scale.
const topScore = 10

func (w *Webhook) cleanFormat(p *Problems) {
	if w.Format == "" {
		w.Format = FormatStandard
	}
	if !slices.Contains(Formats(), w.Format) {
		names := make([]string, 0, len(Formats()))
		for _, one := range Formats() {
			names = append(names, string(one))
		}
		p.Add("format", "unknown", "must be one of %s", strings.Join(names, ", "))
	}
	for field, score := range map[string]*int{"score_min": w.ScoreMin, "score_max": w.ScoreMax} {
		if score != nil && (*score < 0 || *score > topScore) {
			p.Add(field, "range", "must be a whole number from 0 to %d", topScore)
		}
	}
	if w.ScoreMin != nil && w.ScoreMax != nil && *w.ScoreMin > *w.ScoreMax {
		p.Add("score_max", "range", "must not be below score_min")
	}
}

// WantsScore is true where a webhook is to be told of answers with a score.
func (w Webhook) WantsScore(score int) bool {
	return (w.ScoreMin == nil || score >= *w.ScoreMin) && (w.ScoreMax == nil || score <= *w.ScoreMax)
}
