package templates

import (
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/bidi"

	"koe/survey"
)

// phrase is a text with its language. Lang and Dir are empty where they are
// those of the words around it.
type phrase struct {
	Text string
	Lang string
	Dir  string
}

// Lines are the lines of the text.
func (p phrase) Lines() []string { return lines(p.Text) }

func lines(text string) []string {
	text = strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n"))
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

// wording puts a template's texts into one customer's language, with the
// customer's values filled in, beside koe's own voice.
type wording struct {
	voice
	template   survey.Template
	locale     string
	name       string
	attributes survey.Attributes
}

func (w *Words) wording(t survey.Template, locale, name string, attributes survey.Attributes) wording {
	locale = w.SurveyLocale(t, locale)
	known := make(survey.Attributes, len(attributes))
	for key, value := range attributes {
		known[key] = survey.TextValue(inert(value.Text()))
	}
	v := w.voice(locale, t.DefaultLocale)
	return wording{voice: v, template: t, locale: locale, name: v.inert(name), attributes: known}
}

// phrase is the text in the customer's language, or else in the template's.
func (w wording) phrase(text survey.Text) phrase {
	words, tag := text.In(w.locale, w.template.DefaultLocale)
	p := phrase{Text: w.template.Fill(words, tag, w.name, w.attributes)}
	if p.Text != "" && tag != w.Lang {
		p.Lang, p.Dir = tag, direction(tag)
	}
	return p
}

// own is a wording of koe's own.
func (w wording) own(key string, namesAndValues ...string) (phrase, error) {
	words, err := w.Say(key, namesAndValues...)
	return phrase{Text: words}, err
}

// inert makes a value from outside harmless in a line of text: one line,
// without control characters and without the bidi controls that could turn
// the words around it. A value with right-to-left letters is isolated, so that
// punctuation beside it stays where it was.
func inert(value string) string {
	rightToLeft := false
	value = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && !unicode.IsSpace(r) || 0x202a <= r && r <= 0x202e || 0x2066 <= r && r <= 0x2069 {
			return -1
		}
		properties, _ := bidi.LookupRune(r)
		if class := properties.Class(); class == bidi.R || class == bidi.AL {
			rightToLeft = true
		}
		return r
	}, value)
	value = strings.Join(strings.Fields(value), " ") // at last: what was dropped may have stood behind a space
	if rightToLeft {
		return "\u2068" + value + "\u2069"
	}
	return value
}

// inert is inert for a value amid koe's own words: where those are written
// from right to left, a value in other letters is isolated as well, so that the
// numbers beside it do not join it.
func (v voice) inert(value string) string {
	value = inert(value)
	if direction(v.Lang) == "rtl" && value != "" && !strings.HasPrefix(value, "\u2068") {
		return "\u2068" + value + "\u2069"
	}
	return value
}

// frame is what stands around every mail and page that a customer meets: who
// asks, about what, and where to complain.
type frame struct {
	voice
	brand
	Company    string
	Occasion   string
	Postal     []string
	Contact    string // a mail address that a person reads
	PrivacyURL string
	Framed     bool // links that lead elsewhere open beside the frame
}

// Dir is the writing direction of koe's own words.
func (f frame) Dir() string { return direction(f.Lang) }

// RTL is true where koe's own words are written from right to left.
func (f frame) RTL() bool { return f.Dir() == "rtl" }

// Start is the side on which a line begins, End the one on which it ends, for
// mail programs that know left and right alone.
func (f frame) Start() string {
	if f.RTL() {
		return "right"
	}
	return "left"
}

// End is the side on which a line ends.
func (f frame) End() string {
	if f.RTL() {
		return "left"
	}
	return "right"
}

// newFrame names the occasion by touchpoint and date. The date is that of the
// customer's time zone, else the workspace's, else UTC.
func newFrame(v voice, w survey.Workspace, touchpoint string, at *survey.Instant, timezone string) (frame, error) {
	f := frame{voice: v, brand: brandOf(w, ""), Company: v.inert(w.Name), Contact: w.ReplyTo, PrivacyURL: w.PrivacyURL}
	for _, line := range lines(w.PostalFooter) {
		f.Postal = append(f.Postal, inert(line))
	}
	touchpoint = v.inert(touchpoint)
	if touchpoint == "" {
		return f, nil
	}
	var err error
	if at == nil {
		f.Occasion, err = v.Say("occasion", "Touchpoint", touchpoint)
		return f, err
	}
	date, err := v.date(*at, firstZone(timezone, w.Timezone))
	if err != nil {
		return f, err
	}
	f.Occasion, err = v.Say("occasion_date", "Touchpoint", touchpoint, "Date", date)
	return f, err
}

func firstZone(names ...string) *time.Location {
	for _, name := range names {
		if zone, err := survey.LoadZone(name); err == nil {
			return zone
		}
	}
	return time.UTC
}
