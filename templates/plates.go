package templates

import (
	"crypto/rand"
	"html/template"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"koe/survey"
)

// plates remember mails from which others are printed that differ from them in
// the name and the links alone. Nothing remembered can go stale: all that a mail
// is made of is in the key, a version of a template never changes.
type plates struct {
	mu   sync.RWMutex
	made map[plateKey]plate
	// what stands in a plate where the name and the tokens of the links belong;
	// made anew by each process, so that nobody can have written it
	name, survey, unsubscribe string
}

// maxPlates bounds the memory, at some 20 kB each; past it all are made anew.
const maxPlates = 256

type plateKey struct {
	workspace           survey.Workspace
	template            string
	version             int
	locale, touchpoint  string
	day                 string // on which it happened, as the mail names it
	named               bool
	surveyBase, outBase string // the links without their tokens
	reminder            bool
}

// plate is a mail cut up where the name and the tokens go.
type plate struct {
	subject    string
	text, html []cutting
}

// cutting is words as they are, or the place of what differs.
type cutting struct {
	words string
	is    place
}

type place int

const (
	literal place = iota
	ofName
	ofSurvey
	ofUnsubscribe
)

func newPlates() *plates {
	return &plates{made: map[plateKey]plate{}, name: "n" + rand.Text(), survey: "s" + rand.Text(), unsubscribe: "u" + rand.Text()}
}

// Names and subjects up to these lengths, in characters, together stay below
// where a subject is cut short.
const (
	maxPlateName    = 60
	maxPlateSubject = 120
)

// key is what a mail has in common with others; false where it has to be
// rendered alone: a draft or a test, words that use attributes, odd links, a
// name that is isolated from the words around it in a way of its own.
func (m InvitationMail) key(name string) (plateKey, bool) {
	surveyBase, surveyToken := cutToken(m.SurveyURL)
	outBase, outToken := cutToken(m.UnsubscribeURL)
	if m.Version == 0 || m.Test || surveyToken == "" || (outToken == "") != (m.UnsubscribeURL == "") || strings.HasPrefix(name, "\u2068") || utf8.RuneCountInString(name) > maxPlateName {
		return plateKey{}, false
	}
	for placeholder := range m.Template.Placeholders {
		if placeholder != "name" {
			return plateKey{}, false
		}
	}
	k := plateKey{workspace: m.Workspace, template: m.Template.Key, version: m.Version, locale: m.Locale, touchpoint: m.Touchpoint,
		named: name != "", surveyBase: surveyBase, outBase: outBase, reminder: m.Reminder}
	if m.OccurredAt != nil {
		k.day = m.OccurredAt.Time().In(firstZone(m.Timezone, m.Workspace.Timezone)).Format(time.DateOnly)
	}
	return k, true
}

// cutToken takes the last part off a link; a token means the same in a text, in
// HTML and in a link. It is "" where that part is none.
func cutToken(link string) (base, token string) {
	i := strings.LastIndexByte(link, '/') + 1
	odd := func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-' || r == '_')
	}
	if strings.ContainsFunc(link[i:], odd) {
		return link, ""
	}
	return link[:i], link[i:]
}

// plate is that of a mail's key, made where it is met for the first time; false
// where there can be none.
func (w *Words) plate(key plateKey, m InvitationMail) (plate, bool, error) {
	p := w.plates
	p.mu.RLock()
	made, ok := p.made[key]
	p.mu.RUnlock()
	if ok {
		return made, made.subject != "", nil
	}
	m.SurveyURL = key.surveyBase + p.survey
	if m.UnsubscribeURL != "" {
		m.UnsubscribeURL = key.outBase + p.unsubscribe
	}
	if key.named {
		m.Name = p.name
	}
	mail, err := w.render(m)
	if err != nil {
		return plate{}, false, err
	}
	if utf8.RuneCountInString(mail.Subject) <= maxPlateSubject { // else it remembers that there is none
		made = plate{subject: mail.Subject, text: p.cut(mail.Text), html: p.cut(mail.HTML)}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.made) >= maxPlates {
		clear(p.made)
	}
	p.made[key] = made
	return made, made.subject != "", nil
}

// cut cuts a rendered text up.
func (p *plates) cut(text string) []cutting {
	var pieces []cutting
	for text != "" {
		next, mark, is := len(text), "", literal
		for _, m := range []struct {
			mark string
			is   place
		}{{p.name, ofName}, {p.survey, ofSurvey}, {p.unsubscribe, ofUnsubscribe}} {
			if i := strings.Index(text, m.mark); i >= 0 && i < next {
				next, mark, is = i, m.mark, m.is
			}
		}
		if next > 0 {
			pieces = append(pieces, cutting{words: strings.Clone(text[:next])})
		}
		if is != literal {
			pieces = append(pieces, cutting{is: is})
		}
		text = text[next+len(mark):]
	}
	return pieces
}

// print fills in a plate.
func (p plate) print(subjectMark, name string, m InvitationMail) Mail {
	_, surveyToken := cutToken(m.SurveyURL)
	_, outToken := cutToken(m.UnsubscribeURL)
	fill := func(pieces []cutting, name string) string {
		values := [...]string{ofName: name, ofSurvey: surveyToken, ofUnsubscribe: outToken}
		size := 0
		for _, piece := range pieces {
			size += len(piece.words) + len(values[piece.is])
		}
		var b strings.Builder
		b.Grow(size)
		for _, piece := range pieces {
			b.WriteString(piece.words)
			b.WriteString(values[piece.is])
		}
		return b.String()
	}
	return Mail{Subject: subjectLine(strings.ReplaceAll(p.subject, subjectMark, name)), Text: fill(p.text, name), HTML: fill(p.html, escaped(name))}
}

// inHTML escapes as every template does.
var inHTML = template.Must(template.New("escaped").Parse("{{.}}"))

func escaped(name string) string {
	if !strings.ContainsAny(name, "\x00\"&'+<>") {
		return name
	}
	var b strings.Builder
	if err := inHTML.Execute(&b, name); err != nil {
		return template.HTMLEscapeString(name)
	}
	return b.String()
}
