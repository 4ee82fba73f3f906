package templates

import (
	"bytes"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
	"github.com/google/go-cmp/cmp"

	"koe/survey"
)

// Every wording is there in every language of the dashboard, and takes the
// same values.
func TestStaffWordsAreComplete(t *testing.T) {
	values := regexp.MustCompile(`\{\{\.\w+\}\}`)
	said := map[string]map[string]string{}
	for _, lang := range survey.MemberLocales() {
		raw, err := fs.ReadFile(files, "dashboard/words/"+lang+".toml")
		if err != nil {
			t.Fatal(err)
		}
		words := map[string]string{}
		if err := toml.Unmarshal(raw, &words); err != nil {
			t.Fatal(err)
		}
		said[lang] = words
		for key, text := range words {
			if strings.TrimSpace(text) == "" {
				t.Errorf("%s: %s is empty", lang, key)
			}
			names := func(s string) []string { return slices.Sorted(slices.Values(values.FindAllString(s, -1))) }
			if diff := cmp.Diff(names(said["en"][key]), names(text)); diff != "" {
				t.Errorf("%s: %s takes other values: %s", lang, key, diff)
			}
		}
		if diff := cmp.Diff(slices.Sorted(maps.Keys(said["en"])), slices.Sorted(maps.Keys(words))); diff != "" {
			t.Errorf("%s: %s", lang, diff)
		}
	}
}

// No wording is left over: each is named where pages and mails are made, or begins
// or ends with what is named there and put together.
func TestStaffWordsAreSaid(t *testing.T) {
	raw, err := fs.ReadFile(files, "dashboard/words/en.toml")
	if err != nil {
		t.Fatal(err)
	}
	words := map[string]string{}
	if err := toml.Unmarshal(raw, &words); err != nil {
		t.Fatal(err)
	}
	name := regexp.MustCompile("[\"`]([a-z0-9_]+)[\"`]")
	named := map[string]bool{}
	for _, pattern := range []string{"*.go", "dashboard/*.html", "email/*", "../api/*.go"} {
		sources, err := filepath.Glob(pattern)
		if err != nil || len(sources) == 0 {
			t.Fatal(pattern, err)
		}
		for _, source := range sources {
			if strings.HasSuffix(source, "_test.go") {
				continue
			}
			text, err := os.ReadFile(source)
			if err != nil {
				t.Fatal(err)
			}
			for _, found := range name.FindAllStringSubmatch(string(text), -1) {
				named[found[1]] = true
			}
		}
	}
	said := func(key string) bool {
		if named[key] {
			return true
		}
		for i := range key {
			if key[i] == '_' && (named[key[:i+1]] || named[key[i:]]) {
				return true
			}
		}
		return false
	}
	for key := range words {
		if !said(key) {
			t.Errorf("no page says %s", key)
		}
	}
	if said("nobody_says_this") {
		t.Error("everything is said")
	}
}

// What comes from outside stays text.
func TestDashboardEscapes(t *testing.T) {
	words, err := New()
	if err != nil {
		t.Fatal(err)
	}
	const markup = `<script>alert("x")</script>`
	for _, lang := range survey.MemberLocales() {
		var b bytes.Buffer
		d := Dashboard{Locale: lang, Company: markup, Member: markup, Path: `/dashboard?a="><script>`}
		if err := words.ScoreboardPage(&b, d, Scoreboard{Zone: markup, Standings: []Standing{{Name: markup, Metric: "nps", Measure: markup}}}); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(b.String(), "<script") {
			t.Errorf("%s", b.String())
		}
		mail, err := words.SignIn(lang, "https://koe.example.com/dashboard/sign-in/abc")
		if err != nil || !strings.Contains(mail.Text, "\nhttps://koe.example.com/dashboard/sign-in/abc\n") || mail.Subject == "" {
			t.Errorf("%s: %+v, %v", lang, mail, err)
		}
	}
}
