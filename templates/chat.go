package templates

import (
	"fmt"
	"strings"

	"koe/survey"
)

// Chat is what a team reads of an answer, in plain words that nobody has
// escaped yet. Teams read English; customers never see it.
type Chat struct {
	Title   string
	Comment string // "" where none was given
	By      string // who answered, "" where that is not known
	Link    string
}

// maxChatComment is how many characters of a comment a chat shows.
const maxChatComment = 700

// ChatAnswer tells a team of an answer; changed where it was told of it before.
func ChatAnswer(r survey.Response, t survey.Template, changed bool, baseURL string) Chat {
	measure := t.Measure()
	out := Chat{Title: fmt.Sprintf("%d of %d to “%s” at %s", r.Score, measure.Max, t.Name, r.Touchpoint),
		Comment: cut(unturned(r.Comment)), Link: baseURL + "/v1/responses/" + r.ID.String()}
	if changed {
		out.Title += " (changed)"
	}
	if r.Person != nil {
		out.By = unturned(r.Person.Name)
	}
	return out
}

// ChatTest tells a team that koe reaches them.
func ChatTest(baseURL string) Chat {
	return Chat{Title: "This is a test: koe reaches you.", Link: baseURL}
}

// lineEnds are those of browsers and of other systems.
var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u2028", "\n", "\u2029", "\n")

func cut(comment string) string {
	comment = strings.TrimSpace(lineEnds.Replace(comment))
	if runes := []rune(comment); len(runes) > maxChatComment {
		return strings.TrimSpace(string(runes[:maxChatComment])) + "…"
	}
	return comment
}

// unturned drops what would turn the text around it: bidirectional controls.
func unturned(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069' || r == '\u200e' || r == '\u200f' || r == '\u061c' {
			return -1
		}
		return r
	}, text)
}
