package templates

import (
	"fmt"
	"time"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"koe/survey"
)

// voice says koe's own words in one language.
type voice struct {
	localizer *i18n.Localizer
	Lang      string
}

// Say is the wording of a key, with names and values in turn filled in. The
// result is plain text; whoever shows it escapes it.
func (v voice) Say(key string, namesAndValues ...string) (string, error) {
	data := make(map[string]string, len(namesAndValues)/2)
	for i := 0; i+1 < len(namesAndValues); i += 2 {
		data[namesAndValues[i]] = namesAndValues[i+1]
	}
	words, err := v.localizer.Localize(&i18n.LocalizeConfig{MessageID: key, TemplateData: data})
	if err != nil {
		return "", fmt.Errorf("words %s in %s: %w", key, v.Lang, err)
	}
	return words, nil
}

// date writes the calendar date of an instant as the language does.
func (v voice) date(i survey.Instant, zone *time.Location) (string, error) {
	layout, err := v.Say("date_layout")
	if err != nil {
		return "", err
	}
	return i.Time().In(zone).Format(layout), nil
}

// Locale is the first of the wanted languages that koe speaks, or else "en".
// Each wish is a language tag, an Accept-Language header, or empty; what
// cannot be read is passed over.
func (w *Words) Locale(wanted ...string) string {
	return firstSpoken(wanted, func(tag string) bool {
		_, ok := w.voices[tag]
		return ok
	}, languages[0])
}

// SurveyLocale is the first of the wanted languages in which the template asks
// its score, or else the template's default language. A template may speak
// languages that koe does not: the words around the questions are then those
// of the template's default language, where koe speaks that, or else English.
func (w *Words) SurveyLocale(t survey.Template, wanted ...string) string {
	score := t.Score()
	if score == nil {
		return w.Locale(wanted...)
	}
	return firstSpoken(wanted, func(tag string) bool { return score.Text[tag] != "" }, t.DefaultLocale)
}

func firstSpoken(wanted []string, spoken func(tag string) bool, otherwise string) string {
	for _, wish := range wanted {
		tags, _, err := language.ParseAcceptLanguage(wish)
		if err != nil {
			continue
		}
		for _, tag := range tags {
			if spoken(tag.String()) {
				return tag.String()
			}
			if base, sure := tag.Base(); sure == language.Exact && spoken(base.String()) {
				return base.String()
			}
		}
	}
	return otherwise
}

// voice is koe's voice for a locale that it may not speak.
func (w *Words) voice(wanted ...string) voice { return w.voices[w.Locale(wanted...)] }

// direction is the writing direction of a language: "ltr" or "rtl".
func direction(lang string) string {
	tag, err := language.Parse(lang)
	if err != nil {
		return "ltr"
	}
	switch script, _ := tag.Script(); script.String() {
	case "Arab", "Hebr", "Thaa", "Syrc", "Nkoo", "Adlm", "Rohg":
		return "rtl"
	}
	return "ltr"
}

// languageName is a language's name for itself, such as "日本語".
func languageName(lang string) string {
	tag, err := language.Parse(lang)
	if err != nil {
		return lang
	}
	if name := display.Self.Name(tag); name != "" {
		return name
	}
	return lang
}
