package survey

import (
	"fmt"
	"net/mail"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"
)

// Text is a wording per language: BCP 47 tag to words.
type Text map[string]string

// In picks the words for a locale: the locale itself, its language, then the
// default. It also returns the tag of the words it picked.
func (t Text) In(locale, fallback string) (words, tag string) {
	for _, want := range []string{locale, baseLanguage(locale), fallback, baseLanguage(fallback)} {
		if words, ok := t[want]; ok && words != "" {
			return words, want
		}
	}
	return "", ""
}

func baseLanguage(locale string) string {
	base, _, _ := strings.Cut(locale, "-")
	return base
}

// maxLocale is the most bytes of a language tag (BCP 47, 4.4.1).
const maxLocale = 35

// ParseLocale brings a BCP 47 tag into its usual spelling ("ja_jp" is
// "ja-JP"). A zone of its own is not asked for: "ja" is fine.
func ParseLocale(s string) (string, error) {
	wrong := fmt.Errorf("must be a language tag such as en, ja or pt-BR")
	if len(s) > maxLocale { // first: the parser takes seconds over a megabyte of subtags
		return "", wrong
	}
	tag, err := language.Parse(s)
	if err != nil || tag == language.Und {
		return "", wrong
	}
	return tag.String(), nil
}

// Clean brings text into the form that koe keeps: NFC. It refuses what cannot
// be kept: bytes that are not UTF-8, and NUL.
func Clean(s string) (string, error) {
	if !utf8.ValidString(s) {
		return "", fmt.Errorf("must be valid UTF-8")
	}
	if strings.IndexByte(s, 0) >= 0 {
		return "", fmt.Errorf("must not contain NUL")
	}
	return norm.NFC.String(s), nil
}

var keyPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}$`)

// ValidKey is true for a name that its author chose for a template, a
// touchpoint or a survey: lower-case letters, digits, _ and -, at most 63.
func ValidKey(s string) bool { return keyPattern.MatchString(s) }

// attributeName takes the letters of any language, with the marks that some of
// them are written with. Names are kept in NFC, as every text is.
var attributeName = regexp.MustCompile(`^[\p{L}\p{N}_][\p{L}\p{M}\p{N}_ .-]{0,63}$`)

// NormalizeAddress is the address as koe compares it: trimmed, NFC,
// lower-case, domain in ASCII. It refuses what is not one plain mail address;
// CR and LF above all.
func NormalizeAddress(s string) (string, error) {
	wrong := fmt.Errorf("must be one mail address such as ana@example.com")
	clean, err := Clean(strings.TrimSpace(s))
	if err != nil || len(clean) > maxAddress || strings.ContainsFunc(clean, unseen) {
		return "", wrong
	}
	parsed, err := mail.ParseAddress(clean)
	if err != nil || parsed.Name != "" || parsed.Address != clean {
		return "", wrong
	}
	at := strings.LastIndexByte(clean, '@')
	local := norm.NFC.String(strings.ToLower(clean[:at])) // a small letter may compose where its capital did not
	domain, err := idna.Lookup.ToASCII(clean[at+1:])
	if err != nil || len(local) > 64 || len(local)+1+len(domain) > maxAddress {
		return "", wrong
	}
	for label := range strings.SplitSeq(domain, ".") {
		if label == "" || len(label) > 63 {
			return "", wrong
		}
	}
	return local + "@" + domain, nil
}

// maxAddress is the most bytes of an address that mail servers take.
const maxAddress = 254

// unseen is true for what nobody sees in an address: blanks, controls, marks
// that join or turn the text around them.
func unseen(r rune) bool { return unicode.IsSpace(r) || !unicode.IsGraphic(r) }

// breaksLine is true for control characters and for line ends of any kind.
func breaksLine(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' }

// Line checks a text of one line: cleaned, trimmed, no control characters, at
// most max characters.
func Line(p *Problems, field, s string, max int) string {
	clean, err := Clean(strings.TrimSpace(s))
	switch {
	case err != nil:
		p.Add(field, "format", "%s", err)
	case strings.ContainsFunc(clean, breaksLine):
		p.Add(field, "format", "must be one line without control characters")
	case utf8.RuneCountInString(clean) > max:
		p.Add(field, "too_long", "must have at most %d characters", max)
	default:
		return clean
	}
	return s
}

// Prose checks a text of several lines: cleaned, at most max characters.
func Prose(p *Problems, field, s string, max int) string {
	clean, err := Clean(s)
	switch {
	case err != nil:
		p.Add(field, "format", "%s", err)
	case utf8.RuneCountInString(clean) > max:
		p.Add(field, "too_long", "must have at most %d characters", max)
	default:
		return clean
	}
	return s
}
