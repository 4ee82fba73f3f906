package survey

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// QuestionType is what kind of answer a question takes.
type QuestionType string

// The types of questions.
const (
	ScoreQuestion   QuestionType = "score"   // the one that is scored
	TextQuestion    QuestionType = "text"    // words
	ChoiceQuestion  QuestionType = "choice"  // one or several options
	RatingQuestion  QuestionType = "rating"  // a scale of its own, beside the score
	ConsentQuestion QuestionType = "consent" // "may we contact you?"
)

// ScoreKey is the key of every template's score question.
const ScoreKey = "score"

// Scale is a range of whole numbers, both ends included.
type Scale struct {
	Min int `json:"min"`
	Max int `json:"max"`
}

// Option is one answer of a choice question.
type Option struct {
	Key  string `json:"key"`
	Text Text   `json:"text"`
}

// Match looks at one earlier answer: a number between Min and Max, or (for a
// choice) any of the option keys In.
type Match struct {
	Min *int     `json:"min,omitempty"`
	Max *int     `json:"max,omitempty"`
	In  []string `json:"in,omitempty"`
}

// When names earlier questions and what their answers must be; all must match.
type When map[string]Match

// Question is one thing that a survey asks.
type Question struct {
	Key       string       `json:"key"`
	Type      QuestionType `json:"type"`
	Text      Text         `json:"text"`
	Required  bool         `json:"required"`
	Scale     *Scale       `json:"scale,omitempty"`
	LowLabel  Text         `json:"low_label,omitempty"`
	HighLabel Text         `json:"high_label,omitempty"`
	MaxLength *int         `json:"max_length,omitempty"` // of a text; set by Clean where it was left out
	Multiple  bool         `json:"multiple,omitempty"`
	Options   []Option     `json:"options,omitempty"`
	ShowIf    When         `json:"show_if,omitempty"`
}

// Answers are what a respondent said beside the score, by question key: a
// string for text and a single choice, a []string for several, an int for a
// rating, a bool for consent.
type Answers map[string]any

const (
	defaultTextLength = 2000
	maxTextLength     = 10000
	maxOptions        = 50
)

func (q *Question) clean(p *Problems, at, locale string, placeholders map[string]Text) {
	checkWords(p, at+".text", q.Text, locale, 1000, placeholders)
	checkOptional(p, at+".low_label", q.LowLabel, locale, 200, placeholders)
	checkOptional(p, at+".high_label", q.HighLabel, locale, 200, placeholders)
	if q.Type != ScoreQuestion && q.Type != RatingQuestion && q.Scale != nil {
		p.Add(at+".scale", "unknown", "only a score or rating question has a scale")
	}
	if q.Type != ChoiceQuestion && len(q.Options) > 0 {
		p.Add(at+".options", "unknown", "only a choice question has options")
	}
	if q.Type != ChoiceQuestion && q.Multiple {
		p.Add(at+".multiple", "unknown", "only a choice question takes several answers")
	}
	if q.Type != TextQuestion && q.MaxLength != nil {
		p.Add(at+".max_length", "unknown", "only a text question has a length")
	}
	switch q.Type {
	case ScoreQuestion:
		q.Required = true
	case TextQuestion:
		if q.MaxLength == nil {
			q.MaxLength = new(defaultTextLength)
		}
		if *q.MaxLength < 1 || *q.MaxLength > maxTextLength {
			p.Add(at+".max_length", "range", "must be 1 to %d characters", maxTextLength)
		}
	case RatingQuestion:
		if q.Scale == nil || q.Scale.Min < 0 || q.Scale.Max > 10 || q.Scale.Max <= q.Scale.Min {
			p.Add(at+".scale", "range", "must have min and max between 0 and 10, min below max")
		}
	case ChoiceQuestion:
		q.cleanOptions(p, at, locale, placeholders)
	case ConsentQuestion:
	default:
		p.Add(at+".type", "unknown", "must be score, text, choice, rating or consent")
	}
}

func (q *Question) cleanOptions(p *Problems, at, locale string, placeholders map[string]Text) {
	if len(q.Options) == 0 || len(q.Options) > maxOptions {
		p.Add(at+".options", "range", "must have 1 to %d options", maxOptions)
	}
	seen := map[string]bool{}
	for i, o := range q.Options {
		field := fmt.Sprintf("%s.options[%d]", at, i)
		if !ValidKey(o.Key) {
			p.Add(field+".key", "format", "must be lower-case letters, digits, _ and -, at most 63")
		} else if seen[o.Key] {
			p.Add(field+".key", "duplicate", "is used twice")
		}
		seen[o.Key] = true
		checkWords(p, field+".text", o.Text, locale, 200, placeholders)
	}
}

// clean checks that a When looks only at the score and at earlier questions.
func (w When) clean(p *Problems, at string, earlier []Question) {
	for _, key := range slices.Sorted(maps.Keys(w)) {
		m, field := w[key], at+"."+key
		i := slices.IndexFunc(earlier, func(q Question) bool { return q.Key == key })
		if i < 0 {
			p.Add(field, "unknown", "must be the score or an earlier question")
			continue
		}
		q := earlier[i]
		switch {
		case q.Type == ScoreQuestion || q.Type == RatingQuestion:
			if len(m.In) > 0 || (m.Min == nil && m.Max == nil) {
				p.Add(field, "format", "must have min, max or both")
			} else if m.Min != nil && m.Max != nil && *m.Min > *m.Max {
				p.Add(field, "range", "min must not be above max")
			} else if q.Scale != nil && m.misses(*q.Scale) {
				p.Add(field, "range", "can never hold: the scale of %s is %d to %d", key, q.Scale.Min, q.Scale.Max)
			}
		case q.Type == ChoiceQuestion:
			if len(m.In) == 0 || m.Min != nil || m.Max != nil {
				p.Add(field, "format", "must have in: a list of option keys")
			}
			for _, option := range m.In {
				if !q.hasOption(option) {
					p.Add(field+".in", "unknown", "%q is not an option of %s", option, key)
				}
			}
		default:
			p.Add(field, "unknown", "can look at a score, rating or choice only")
		}
	}
}

// Longest is how many characters an answer to a text question may have.
func (q Question) Longest() int {
	if q.MaxLength == nil {
		return defaultTextLength
	}
	return *q.MaxLength
}

func (q Question) hasOption(key string) bool {
	return slices.ContainsFunc(q.Options, func(o Option) bool { return o.Key == key })
}

// Match is true where every named answer is there and matches.
func (w When) Match(score int, answers Answers) bool {
	for key, m := range w {
		if key == ScoreKey {
			if !m.holds(score) {
				return false
			}
			continue
		}
		switch a := answers[key].(type) {
		case int:
			if len(m.In) > 0 || !m.holds(a) {
				return false
			}
		case string:
			if !slices.Contains(m.In, a) {
				return false
			}
		case []string:
			if !slices.ContainsFunc(a, func(s string) bool { return slices.Contains(m.In, s) }) {
				return false
			}
		default:
			return false
		}
	}
	return true
}

func (m Match) holds(n int) bool {
	return (m.Min == nil || n >= *m.Min) && (m.Max == nil || n <= *m.Max)
}

// misses is true where no value of a scale holds.
func (m Match) misses(s Scale) bool {
	return m.Min != nil && *m.Min > s.Max || m.Max != nil && *m.Max < s.Min
}

// check brings one answer into its kept form; nil means not answered.
func (q Question) check(p *Problems, at string, raw any) any {
	switch q.Type {
	case TextQuestion:
		s, ok := raw.(string)
		if !ok {
			p.Add(at, "type", "must be a text")
			return nil
		}
		if s = Written(s); s == "" {
			return nil
		}
		clean, err := Clean(s)
		if err != nil {
			p.Add(at, "format", "%s", err)
		} else if most := q.Longest(); utf8.RuneCountInString(clean) > most {
			p.Add(at, "too_long", "must have at most %d characters", most)
		}
		return clean
	case ChoiceQuestion:
		return q.checkChoice(p, at, raw)
	case RatingQuestion:
		n, ok := wholeNumber(raw)
		if !ok || n < q.Scale.Min || n > q.Scale.Max {
			p.Add(at, "range", "must be a whole number from %d to %d", q.Scale.Min, q.Scale.Max)
			return nil
		}
		return n
	case ConsentQuestion:
		b, ok := raw.(bool)
		if !ok {
			p.Add(at, "type", "must be true or false")
			return nil
		}
		return b
	}
	p.Add(at, "unknown", "is given as score, beside the answers")
	return nil
}

// Written is a text as it is judged and kept: composed, without blanks around
// it, and with lines that end as everywhere but in forms.
func Written(s string) string {
	return norm.NFC.String(strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n")))
}

func (q Question) checkChoice(p *Problems, at string, raw any) any {
	var keys []string
	switch v := raw.(type) {
	case string:
		keys = []string{v}
	case []string:
		keys = v
	case []any:
		for _, one := range v {
			s, ok := one.(string)
			if !ok {
				p.Add(at, "type", "must be option keys")
				return nil
			}
			keys = append(keys, s)
		}
	default:
		p.Add(at, "type", "must be an option's key or a list of them")
		return nil
	}
	var kept []string
	for _, key := range keys {
		if !q.hasOption(key) {
			p.Add(at, "unknown", "%q is not an option", key)
			return nil
		}
		if !slices.Contains(kept, key) {
			kept = append(kept, key)
		}
	}
	if len(kept) == 0 {
		return nil
	}
	if q.Multiple {
		return kept
	}
	if len(kept) > 1 {
		p.Add(at, "too_many", "takes one option")
	}
	return kept[0]
}

func wholeNumber(raw any) (int, bool) {
	switch n := raw.(type) {
	case int:
		return n, true
	case float64:
		if n == float64(int(n)) {
			return int(n), true
		}
	}
	return 0, false
}
