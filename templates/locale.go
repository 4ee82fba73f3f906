package templates

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
	"golang.org/x/text/message"
	"golang.org/x/text/number"

	"koe/survey"
)

// voice says koe's own words in one language.
type voice struct {
	localizer *i18n.Localizer
	numbers   *message.Printer
	Lang      string
}

// newVoice speaks a language of the bundle. Numbers have its separators and
// the digits of the scales, so that a page shows one kind of digits.
func newVoice(bundle *i18n.Bundle, lang string) (voice, error) {
	tag, err := language.Parse(lang + "-u-nu-latn")
	if err != nil {
		return voice{}, fmt.Errorf("locales/%s.toml: its name is no language tag: %w", lang, err)
	}
	return voice{localizer: i18n.NewLocalizer(bundle, lang), numbers: message.NewPrinter(tag), Lang: lang}, nil
}

// Say is the wording of a key, with names and values in turn filled in. The
// result is plain text; whoever shows it escapes it.
func (v voice) Say(key string, namesAndValues ...string) (string, error) {
	data := make(map[string]string, len(namesAndValues)/2)
	for i := 0; i+1 < len(namesAndValues); i += 2 {
		data[namesAndValues[i]] = namesAndValues[i+1]
	}
	return v.words(&i18n.LocalizeConfig{MessageID: key, TemplateData: data})
}

// Count is the wording of a key that speaks of n things, in the grammatical
// number that the language has for n.
func (v voice) Count(key string, n int) (string, error) {
	return v.words(&i18n.LocalizeConfig{MessageID: key, PluralCount: n,
		TemplateData: map[string]string{"Count": v.Number(n)}})
}

// Number is n as the language writes it, such as "2,000".
func (v voice) Number(n int) string { return v.numbers.Sprint(number.Decimal(n)) }

func (v voice) words(asked *i18n.LocalizeConfig) (string, error) {
	words, err := v.localizer.Localize(asked)
	if err != nil {
		return "", fmt.Errorf("words %s in %s: %w", asked.MessageID, v.Lang, err)
	}
	return words, nil
}

// date writes the calendar date of an instant as the language does.
func (v voice) date(i survey.Instant, zone *time.Location) (string, error) {
	months, err := v.Say("months")
	if err != nil {
		return "", err
	}
	at := i.Time().In(zone)
	names := strings.Fields(months)
	if len(names) != 12 {
		return "", fmt.Errorf("words months in %s: %d names", v.Lang, len(names))
	}
	day := strconv.Itoa(at.Day())
	if at.Day() == 1 {
		if day, err = v.Say("first_day"); err != nil {
			return "", err
		}
	}
	return v.Say("date", "Day", day, "Month", names[at.Month()-1], "Year", strconv.Itoa(at.Year()))
}

// Locale is the first of the wanted languages that koe speaks, or else "en".
// Each wish is a language tag, an Accept-Language header, or empty; what
// cannot be read is passed over.
func (w *Words) Locale(wanted ...string) string {
	return firstSpoken(wanted, func(tag string) bool {
		_, ok := w.voices[tag]
		return ok
	}, lastResort)
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
