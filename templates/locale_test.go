package templates

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

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

func localeFile(t *testing.T, lang string) map[string]string {
	t.Helper()
	var keys map[string]string
	if _, err := toml.DecodeFile("locales/"+lang+".toml", &keys); err != nil {
		t.Fatal(err)
	}
	return keys
}

var filledIn = regexp.MustCompile(`\{\{\.\w+\}\}`)

// Every language has every wording, with the same values filled in.
func TestLocalesAreComplete(t *testing.T) {
	entries, err := os.ReadDir("locales")
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != len(languages) {
		t.Errorf("%d files in locales, koe speaks %v", len(entries), languages)
	}
	english := localeFile(t, "en")
	for _, lang := range languages {
		here := localeFile(t, lang)
		for key, words := range english {
			other, ok := here[key]
			if !ok || strings.TrimSpace(other) == "" {
				t.Errorf("%s.toml has no %s", lang, key)
			}
			want, got := filledIn.FindAllString(words, -1), filledIn.FindAllString(other, -1)
			slices.Sort(want)
			slices.Sort(got)
			if !slices.Equal(want, got) {
				t.Errorf("%s.toml: %s fills in %v, English %v", lang, key, got, want)
			}
		}
		for key := range here {
			if _, ok := english[key]; !ok {
				t.Errorf("%s.toml has %s, which English has not", lang, key)
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
	composed := regexp.MustCompile(`^(low|high)_|_(title|text|text_plain)$`)
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
		{[]string{"", "de", "fr-FR,ja;q=0.4,en;q=0.2"}, "ja"},
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
