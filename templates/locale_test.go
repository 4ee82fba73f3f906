package templates

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/BurntSushi/toml"

	"koe/survey"
)

func words(t *testing.T) *Words {
	t.Helper()
	w, err := New()
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// localeFile is a file of words: what it says by key, or by key and plural.
func localeFile(t *testing.T, lang string) map[string]map[string]string {
	t.Helper()
	var keys map[string]any
	if _, err := toml.DecodeFile("locales/"+lang+".toml", &keys); err != nil {
		t.Fatal(err)
	}
	file := map[string]map[string]string{}
	for key, value := range keys {
		file[key] = map[string]string{}
		switch value := value.(type) {
		case string:
			file[key][""] = value
		case map[string]any:
			for plural, words := range value {
				file[key][plural], _ = words.(string)
			}
		}
	}
	return file
}

var filledIn = regexp.MustCompile(`\{\{\.\w+\}\}`)

// Every language has every wording, with the same values filled in; a number
// may be told by the word itself, such as the Arabic dual.
func TestLocalesAreComplete(t *testing.T) {
	english := localeFile(t, "en")
	for _, lang := range words(t).languages {
		here := localeFile(t, lang)
		for key, wordings := range english {
			want := filledIn.FindAllString(wordings[""]+wordings["other"], -1)
			slices.Sort(want)
			if len(here[key]) == 0 || (here[key][""] == "") != (wordings[""] == "") {
				t.Errorf("%s.toml has no %s", lang, key)
			}
			for plural, other := range here[key] {
				got := filledIn.FindAllString(other, -1)
				slices.Sort(got)
				worded := len(got) == 0 && slices.Contains([]string{"zero", "one", "two"}, plural)
				if strings.TrimSpace(other) == "" || !slices.Equal(want, got) && !worded {
					t.Errorf("%s.toml: %s %s fills in %v, English %v", lang, key, plural, got, want)
				}
			}
		}
		for key := range here {
			if _, ok := english[key]; !ok {
				t.Errorf("%s.toml has %s, which English has not", lang, key)
			}
		}
	}
}

// A language has a wording for each number that can be spoken of, and a name
// for each month.
func TestNumbersAndDatesInEveryLanguage(t *testing.T) {
	w := words(t)
	for _, lang := range w.languages {
		for key, wordings := range localeFile(t, lang) {
			if wordings[""] != "" {
				continue
			}
			for _, n := range []int{0, 1, 2, 3, 10, 11, 99, 100, 101, 102, 103, 1000, 2000, 10000, 1000000} {
				if got, err := w.voices[lang].Count(key, n); err != nil || got == "" {
					t.Errorf("%s of %d in %s: %q, %v", key, n, lang, got, err)
				}
			}
		}
		dates := map[string]bool{}
		for month := range 12 {
			at := survey.InstantOf(time.Date(2026, time.Month(month+1), 2, 0, 0, 0, 0, time.UTC))
			date, err := w.voices[lang].date(at, time.UTC)
			if err != nil {
				t.Error(err)
			}
			dates[date] = true
		}
		if len(dates) != 12 {
			t.Errorf("%s: %v", lang, dates)
		}
	}
	for lang, want := range map[string][3]string{
		"en": {"1 March 2026", "At most 2,000 characters.", "At most 1 character."},
		"ja": {"2026年3月1日", "2,000文字以内でお書きください。", "1文字以内でお書きください。"},
		"de": {"1. März 2026", "Höchstens 2.000 Zeichen.", "Höchstens 1 Zeichen."},
		"fr": {"1er mars 2026", "2\u00a0000 caractères au maximum.", "1 caractère au maximum."},
		"es": {"1 de marzo de 2026", "Como máximo, 2.000 caracteres.", "Como máximo, 1 carácter."},
		"ar": {"1 مارس 2026", "2,000 حرف على الأكثر.", "حرف واحد على الأكثر."},
	} {
		date, _ := w.voices[lang].date(survey.InstantOf(time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)), time.UTC)
		many, _ := w.voices[lang].Count("max_length", 2000)
		one, _ := w.voices[lang].Count("max_length", 1)
		if got := [3]string{date, many, one}; got != want {
			t.Errorf("%s: %q, want %q", lang, got, want)
		}
	}
}

// misprints are what no printer of a language would set.
var misprints = map[string]*regexp.Regexp{
	"en": regexp.MustCompile(`\s[?!:;,]|"|\bby mail\b`),
	"de": regexp.MustCompile(`(?i)\s[?!:;,]|"|\b(du|dir|dich|dein\w*)\b|(^|[^-])\bmail\b`), // Sie, and not amid words
	"fr": regexp.MustCompile(`[^\x{a0}][?!:;»]|«[^\x{a0}]|'|"`),                            // the signs stay with their words
	"es": regexp.MustCompile(`\s[?!:;,]|^[^¿]*\?|^[^¡]*!|"|\b(tú|tu|tus|te)\b`),
	"ja": regexp.MustCompile(`[?!:;,()\x{ff61}-\x{ff9f}]|there|[。、] |[^}] 様`),
	"ar": regexp.MustCompile(`[?,;]|\s[؟،؛]`),
}

// Every text is set as its language is: with its own signs, and politely.
func TestTypography(t *testing.T) {
	w := words(t)
	for _, lang := range w.languages {
		check := func(where, text string) {
			text = regexp.MustCompile(`\{\{[^}]*\}\}`).ReplaceAllString(text, "}")
			if found := misprints[lang].FindString(text); found != "" {
				t.Errorf("%s, %s: %q in %q", lang, where, found, text)
			}
		}
		for key, wordings := range localeFile(t, lang) {
			for _, text := range wordings {
				check(key, text)
			}
		}
		for _, s := range stock(t) {
			for name, text := range textsOf(s) {
				check(s.Key+" "+name, text[lang])
			}
		}
	}
}

func TestEveryWordingIsUsed(t *testing.T) {
	var source strings.Builder
	for _, pattern := range []string{".", "page", "email"} {
		entries, err := os.ReadDir(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if e.IsDir() || strings.HasSuffix(e.Name(), "_test.go") {
				continue
			}
			text, err := os.ReadFile(pattern + "/" + e.Name())
			if err != nil {
				t.Fatal(err)
			}
			source.Write(text)
		}
	}
	composed := regexp.MustCompile(`^(low|high|point)_|_(title|text|text_plain)$`)
	for _, key := range slices.Sorted(maps.Keys(localeFile(t, "en"))) {
		if !composed.MatchString(key) && !strings.Contains(source.String(), `"`+key+`"`) {
			t.Errorf("nobody says %s", key)
		}
	}
}

func TestSayUnknownKey(t *testing.T) {
	if got, err := words(t).voices["ja"].Say("no_such_key"); err == nil {
		t.Errorf("said %q", got)
	}
}

func TestLocale(t *testing.T) {
	w := words(t)
	for _, c := range []struct {
		wanted []string
		want   string
	}{
		{nil, "en"},
		{[]string{"", ""}, "en"},
		{[]string{"ja"}, "ja"},
		{[]string{"ja-JP"}, "ja"},
		{[]string{"", "it", "pt-PT,ja;q=0.4,en;q=0.2"}, "ja"},
		{[]string{"", "it", "fr-FR,ja;q=0.4,en;q=0.2"}, "fr"},
		{[]string{"en;q=0.2,ja;q=0.9"}, "ja"},
		{[]string{"ja;q=0,en"}, "en"},
		{[]string{"zh-Hant", "und", "*", "ja"}, "ja"},
		{[]string{"<script>", "ja\r\nX: y", "\xff", "ja"}, "ja"},
		{[]string{strings.Repeat("a-", 5000), "ja"}, "ja"},
		{[]string{"en-GB", "ja"}, "en"},
	} {
		if got := w.Locale(c.wanted...); got != c.want {
			t.Errorf("Locale(%q) = %q, want %q", c.wanted, got, c.want)
		}
	}
}

func TestSurveyLocale(t *testing.T) {
	w := words(t)
	s := survey.Template{DefaultLocale: "de", Questions: []survey.Question{{Type: survey.ScoreQuestion, Key: "score",
		Text: survey.Text{"de": "Wie?", "pt-BR": "Como?", "ja": "どう?"}}}}
	for _, c := range []struct {
		wanted []string
		want   string
	}{
		{nil, "de"}, {[]string{"en", "ja"}, "ja"}, {[]string{"pt-BR"}, "pt-BR"}, {[]string{"en"}, "de"}, {[]string{"ja-JP"}, "ja"},
	} {
		if got := w.SurveyLocale(s, c.wanted...); got != c.want {
			t.Errorf("SurveyLocale(%q) = %q, want %q", c.wanted, got, c.want)
		}
	}
	if got := w.SurveyLocale(survey.Template{}, "ja"); got != "ja" {
		t.Errorf("without a template: %q", got)
	}
}

func TestDirection(t *testing.T) {
	for lang, want := range map[string]string{"ar": "rtl", "he": "rtl", "fa-IR": "rtl", "ja": "ltr", "en": "ltr", "az-Arab": "rtl", "?": "ltr"} {
		if got := direction(lang); got != want {
			t.Errorf("%s is written %s, want %s", lang, got, want)
		}
	}
}
