package survey

import (
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
)

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "plain": "plain", "か\u3099": "が", "は\u309a": "ぱ", "e\u0301": "é", "\u1112\u1161\u11ab": "한", "\u212b": "Å",
		"ｶﾞ ﾊﾝｶｸ":   "ｶﾞ ﾊﾝｶｸ", // half-width kana stay as they are
		"ＡＢＣ ①㈱ ﬁ":  "ＡＢＣ ①㈱ ﬁ",
		" a\r\nb\t": " a\r\nb\t", "😀👩‍👩‍👧": "😀👩‍👩‍👧", "\u202eabc": "\u202eabc", "\x1b": "\x1b", "\ufffd": "\ufffd",
	} {
		if got, err := Clean(in); err != nil || got != want {
			t.Errorf("%q becomes %q, want %q, %v", in, got, want, err)
		}
	}
	for _, wrong := range []string{"\x00", "a\x00b", "\xff", "a\x80", "\xc0\x80", "\xed\xa0\x80", "\xe3\x81", "\xf4\x90\x80\x80"} {
		if got, err := Clean(wrong); err == nil || got != "" {
			t.Errorf("%q becomes %q", wrong, got)
		}
	}
}

func TestLineAndProse(t *testing.T) {
	for _, test := range []struct {
		in          string
		line, prose string // the text, or "!" and the code
	}{
		{"", "", ""},
		{" か\u3099 ", "が", " が "},
		{"\u3000名前\u3000", "名前", "\u3000名前\u3000"},
		{"12345", "12345", "12345"},
		{"  12345  ", "12345", "!too_long"},
		{"123456", "!too_long", "!too_long"},
		{"😀😀😀😀😀", "😀😀😀😀😀", "😀😀😀😀😀"},
		{"か\u3099か\u3099か\u3099", "ががが", "ががが"}, // counted as they are kept
		{"a\nb", "!format", "a\nb"},
		{"a\r\nb", "!format", "a\r\nb"},
		{"a\tb", "!format", "a\tb"},
		{"a\u0085b", "!format", "a\u0085b"},
		{"a\u2028b", "!format", "a\u2028b"},
		{"a\u2029b", "!format", "a\u2029b"},
		{"a\x7fb", "!format", "a\x7fb"},
		{"a\x00b", "!format", "!format"},
		{"a\xffb", "!format", "!format"},
		{"a\n", "a", "a\n"},
	} {
		check := func(what, want string, clean func(*Problems, string, string, int) string) {
			var p Problems
			got := clean(&p, "f", test.in, 5)
			if code, wrong := strings.CutPrefix(want, "!"); wrong {
				wantCodes(t, p.Err(), "f "+code)
			} else if got != want || p.Err() != nil {
				t.Errorf("%s of %q is %q, want %q, %v", what, test.in, got, want, p.Err())
			}
		}
		check("line", test.line, Line)
		check("prose", test.prose, Prose)
	}
}

func TestValidKey(t *testing.T) {
	for _, key := range []string{"a", "0", "support_chat", "after-chat", "a-", "a_", strings.Repeat("a", 63)} {
		if !ValidKey(key) {
			t.Errorf("%q is refused", key)
		}
	}
	for _, key := range []string{"", "-a", "_a", "A", "a b", "a.b", "a/b", "ä", "ａ", "a\n", "a\x00", "\na", strings.Repeat("a", 64), "お"} {
		if ValidKey(key) {
			t.Errorf("%q is accepted", key)
		}
	}
}

func TestParseLocale(t *testing.T) {
	for in, want := range map[string]string{"en": "en", "JA": "ja", "ja_jp": "ja-JP", "pt-br": "pt-BR", "zh-hant-tw": "zh-Hant-TW",
		"es-419": "es-419", "iw": "he", "sr-latn": "sr-Latn", "de-DE-1996": "de-DE-1996"} {
		got, err := ParseLocale(in)
		if err != nil || got != want {
			t.Errorf("%q is %q, want %q, %v", in, got, want, err)
		}
		if again, err := ParseLocale(got); err != nil || again != got {
			t.Errorf("%q is then %q, %v", got, again, err)
		}
	}
	for _, wrong := range []string{"", "und", "english", "jp", "e", "en-", "-en", "en US", "en_US.UTF-8", "日本語", "en\x00", "C", "*",
		"en-" + strings.Repeat("x-abcdefgh-", 5) + "y", "<script>", "../en"} {
		if got, err := ParseLocale(wrong); err == nil {
			t.Errorf("%q is read as %q", wrong, got)
		}
	}
}

func TestNormalizeAddress(t *testing.T) {
	label63, local64 := strings.Repeat("b", 63), strings.Repeat("a", 64)
	for in, want := range map[string]string{
		"ana@example.com":                      "ana@example.com",
		"  Ana.Maria@Example.COM \t":           "ana.maria@example.com",
		"ana@example.com\r\n":                  "ana@example.com",
		"ana+tag@mail.example.co.jp":           "ana+tag@mail.example.co.jp",
		"o'brien=x!#$%&*/?^_`{|}~@example.com": "o'brien=x!#$%&*/?^_`{|}~@example.com",
		"ana@例え.テスト":                           "ana@xn--r8jz45g.xn--zckzah",
		"ana@EXAMPLE。com":                      "ana@example.com",
		"ana@Bücher.example":                   "ana@xn--bcher-kva.example",
		"ana@faß.example":                      "ana@xn--fa-hia.example",
		"ana@xn--r8jz45g.jp":                   "ana@xn--r8jz45g.jp",
		"ÅSA@example.com":                      "åsa@example.com",
		"A\u030asa@example.com":                "åsa@example.com",
		"J\u030c@example.com":                  "\u01f0@example.com",
		"か\u3099@example.com":                  "が@example.com",
		"ana@localhost":                        "ana@localhost",
		local64 + "@example.com":               local64 + "@example.com",
		"a@" + label63 + ".com":                "a@" + label63 + ".com",
	} {
		got, err := NormalizeAddress(in)
		if err != nil || got != want {
			t.Errorf("%q is %q, want %q, %v", in, got, want, err)
		}
		if again, err := NormalizeAddress(got); err != nil || again != got {
			t.Errorf("%q is then %q, %v", got, again, err)
		}
	}
	for _, wrong := range []string{"", " ", "ana", "@", "ana@", "@example.com", "ana@@example.com", "ana@b@example.com", "ana@example.com,b@example.com",
		"ana@example.com;b@example.com", "ana@example.com b@example.com", "Ana <ana@example.com>", "<ana@example.com>", `"Ana" <ana@example.com>`,
		`"ana maria"@example.com`, `"ana"@example.com`, "ana@example.com (Ana)", "ana@example.com()", "(Ana)ana@example.com", "ana(x)@example.com",
		"friends:ana@example.com;", "ana@example.com\r\nBcc: b@example.com", "ana\r\n@example.com", "ana@exam\nple.com", "ana@example.com\x00",
		"a\x00na@example.com", "a\x7f@example.com", "a\u0085b@example.com", "a\u2028b@example.com", "a\u200bna@example.com", "a\u202ena@example.com",
		"\ufeffana@example.com", "a\u00a0b@example.com", "a\u3000b@example.com", "a\xffb@example.com", ".ana@example.com", "ana.@example.com",
		"a..na@example.com", "ana@.example.com", "ana@example..com", "ana@example.com.", "ana@example。。com", "ana@example.com。", "ana@-example.com",
		"ana@exa_mple.com", "ana@exam ple.com", "ana@[127.0.0.1]", "ana@[IPv6:::1]", "ana@xn--a", "mailto:ana@example.com", "ana@example.com/x",
		"ana@example.com?subject=x", local64 + "a@example.com", "a@" + label63 + "b.com", strings.Repeat("あ", 22) + "@example.com",
		"a@" + strings.Repeat("b.", 130) + "com", strings.Repeat("a", 1<<20) + "@example.com", "a@" + strings.Repeat("ü", 60) + ".com", "a@" + strings.Repeat("ü.", 60) + "com"} {
		if got, err := NormalizeAddress(wrong); err == nil {
			t.Errorf("%.80q is read as %q", wrong, got)
		}
	}
}

// checkAddress holds for every address that NormalizeAddress returns.
func checkAddress(in, got string) string {
	again, err := NormalizeAddress(got)
	local, domain, _ := strings.Cut(got, "@")
	switch {
	case err != nil || again != got:
		return "read again it is another: " + again
	case len(got) > 254 || local == "" || len(local) > 64 || domain == "" || strings.Contains(domain, "@"):
		return "its parts are wrong"
	case !utf8.ValidString(got) || !norm.NFC.IsNormalString(got) || strings.ContainsFunc(got, unicode.IsSpace) || strings.ContainsFunc(got, unicode.IsControl):
		return "it holds what it must not"
	case strings.ContainsFunc(domain, func(r rune) bool { return r > unicode.MaxASCII || unicode.IsUpper(r) }):
		return "its domain is not ASCII in small letters"
	}
	if same, err := NormalizeAddress(" " + in + "\t"); err != nil || same != got {
		return "with blanks around it is another: " + same
	}
	return ""
}

// FuzzNormalizeAddress: what is accepted is one address, and the same again.
func FuzzNormalizeAddress(f *testing.F) {
	for _, seed := range []string{"ana@example.com", " Ana@例え.テスト", "a@b@c", "J\u030c@example.com", "\"a b\"@c", "a@b\r\nBcc: c@d", "a@faß。de", "x(y)@z"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := NormalizeAddress(s)
		if err != nil {
			if got != "" {
				t.Errorf("%q is refused and is %q", s, got)
			}
			return
		}
		if wrong := checkAddress(s, got); wrong != "" {
			t.Errorf("%q is %q: %s", s, got, wrong)
		}
	})
}

func TestCleanProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.String(), rapid.StringOfN(rapid.SampledFrom([]rune("かはeaJ\u3099\u309a\u0301\u0327\u030c\u1112\u1161\u11ab\x00ｶﾞ")), 0, 60, -1)).Draw(t, "text")
		got, err := Clean(s)
		if err != nil {
			if !strings.Contains(s, "\x00") && utf8.ValidString(s) {
				t.Fatalf("%q: %v", s, err)
			}
			return
		}
		if again, err := Clean(got); err != nil || again != got || !norm.NFC.IsNormalString(got) || strings.Contains(got, "\x00") {
			t.Fatalf("%q becomes %q, then %q, %v", s, got, again, err)
		}
	})
}

// A megabyte that looks like a language tag is refused before anybody parses it.
func TestLongLocalesCostNothing(t *testing.T) {
	start := time.Now()
	if _, err := ParseLocale("en-" + strings.Repeat("abcde-", 150_000)); err == nil {
		t.Error("it is a locale")
	}
	if took := time.Since(start); took > time.Second {
		t.Errorf("it took %s", took)
	}
}
