package scheduler

import (
	"regexp"
	"strings"

	"koe/survey"
	"koe/survey/store"
	"koe/templates"
)

func (s *Scheduler) chat(d store.Dispatch, of store.Subject) (templates.Chat, error) {
	if of.Target != nil {
		return s.Words.ChatTarget(of.Target.Target, of.Target.Change, s.BaseURL)
	}
	if of.Response == nil {
		return templates.ChatTest(s.BaseURL), nil
	}
	return templates.ChatAnswer(*of.Response, *of.Template, d.Event == survey.EventResponseUpdated, s.BaseURL), nil
}

// slack is a message for an incoming webhook of Slack.
type slack struct {
	Text   string `json:"text"`
	Unfurl bool   `json:"unfurl_links"` // no look at what a comment links to
	Media  bool   `json:"unfurl_media"`
}

// slackEscapes are the characters that Slack's mrkdwn gives a meaning that
// reaches out of the text: mentions, channels, links.
var slackEscapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

func slackMessage(c templates.Chat) slack {
	text := "*" + strings.ReplaceAll(slackEscapes.Replace(c.Title), "*", "") + "*"
	if c.Comment != "" {
		text += "\n> " + strings.ReplaceAll(slackEscapes.Replace(c.Comment), "\n", "\n> ")
	}
	if c.By != "" {
		text += "\n" + slackEscapes.Replace(c.By)
	}
	return slack{Text: text + "\n<" + slackEscapes.Replace(c.Link) + "|Look at it>"}
}

// teams is an Adaptive Card as a workflow of Teams takes it.
type teams struct {
	Type        string      `json:"type"`
	Attachments []teamsCard `json:"attachments"`
}

type teamsCard struct {
	ContentType string  `json:"contentType"`
	ContentURL  *string `json:"contentUrl"`
	Content     struct {
		Schema  string        `json:"$schema"`
		Type    string        `json:"type"`
		Version string        `json:"version"`
		Body    []teamsBlock  `json:"body"`
		Actions []teamsAction `json:"actions"`
	} `json:"content"`
}

type teamsBlock struct {
	Type   string `json:"type"`
	Text   string `json:"text"`
	Wrap   bool   `json:"wrap"`
	Weight string `json:"weight,omitempty"`
	Subtle bool   `json:"isSubtle,omitempty"`
}

type teamsAction struct {
	Type  string `json:"type"`
	Title string `json:"title"`
	URL   string `json:"url"`
}

// teamsMarks are what cards read as Markdown anywhere, and teamsLines what they
// read so where a line begins.
var (
	teamsMarks = regexp.MustCompile("[\\\\*_`~\\[\\]()<>#|!]")
	teamsLines = regexp.MustCompile(`(?m)^([ \t]*)([-+=]|[0-9]+([.]))`)
)

// teamsText is a text that a card shows as it is.
func teamsText(text string) string {
	text = teamsMarks.ReplaceAllString(text, `\$0`)
	text = teamsLines.ReplaceAllStringFunc(text, func(begin string) string {
		last := len(begin) - 1
		return begin[:last] + `\` + begin[last:]
	})
	return strings.ReplaceAll(text, "\n", "\n\n") // one alone ends no line
}

func teamsMessage(c templates.Chat) teams {
	card := teamsCard{ContentType: "application/vnd.microsoft.card.adaptive"}
	card.Content.Schema, card.Content.Type, card.Content.Version = "http://adaptivecards.io/schemas/adaptive-card.json", "AdaptiveCard", "1.4"
	card.Content.Body = []teamsBlock{{Type: "TextBlock", Text: teamsText(c.Title), Wrap: true, Weight: "Bolder"}}
	if c.Comment != "" {
		card.Content.Body = append(card.Content.Body, teamsBlock{Type: "TextBlock", Text: teamsText(c.Comment), Wrap: true})
	}
	if c.By != "" {
		card.Content.Body = append(card.Content.Body, teamsBlock{Type: "TextBlock", Text: teamsText(c.By), Wrap: true, Subtle: true})
	}
	card.Content.Actions = []teamsAction{{"Action.OpenUrl", "Look at it", c.Link}}
	return teams{Type: "message", Attachments: []teamsCard{card}}
}
