package survey

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// TagRule puts a tag on every answer whose comment says one of its keywords.
type TagRule struct {
	ID         ID       `json:"id"`
	Tag        string   `json:"tag"`
	Keywords   []string `json:"keywords"`
	Touchpoint string   `json:"-"` // its key; "" for every touchpoint

	Applied   bool    `json:"applied"` // older answers have been looked at too
	Matched   int64   `json:"matched"` // how many of those it matched, so far
	CreatedAt Instant `json:"created_at"`
	UpdatedAt Instant `json:"updated_at"`
}

// Bounds of a rule.
const (
	maxKeywords     = 50
	maxKeywordRunes = 100
)

// Clean brings a rule into the form that koe keeps. Errors: Invalid with the
// fields. A keyword of one letter or one kana is too broad, as is a beginning of
// fewer than three letters.
func (r *TagRule) Clean() error {
	var p Problems
	r.Tag = Line(&p, "tag", r.Tag, maxTagRunes)
	p.Require("tag", r.Tag)
	switch n := len(r.Keywords); {
	case n == 0:
		p.Add("keywords", "required", "must have at least one keyword")
	case n > maxKeywords:
		p.Add("keywords", "too_many", "must have at most %d keywords; make another rule with the same tag", maxKeywords)
		r.Keywords = r.Keywords[:0]
	}
	clean, seen := make([]string, 0, len(r.Keywords)), map[string]bool{}
	for i, given := range r.Keywords {
		at := fmt.Sprintf("keywords[%d]", i)
		word := Line(&p, at, given, maxKeywordRunes)
		code, wrong := checkKeyword(word)
		if folded := Fold(word); wrong == "" && seen[folded] {
			code, wrong = "duplicate", "is there twice: capitals and width make no difference"
		} else {
			seen[folded] = true
		}
		if wrong != "" {
			p.Add(at, code, "%s", wrong)
		}
		clean = append(clean, word)
	}
	r.Keywords = clean
	if r.Touchpoint != "" && !ValidKey(r.Touchpoint) {
		p.Add("touchpoint", "format", "must be the key of a touchpoint, or null for every one")
	}
	return p.Err()
}

// checkKeyword says what is wrong with a keyword, "" for nothing.
func checkKeyword(word string) (code, wrong string) {
	k := compileKeyword(word)
	runes := []rune(strings.ReplaceAll(k.text, " ", ""))
	said := slices.ContainsFunc(runes, func(r rune) bool { return unicode.In(r, unicode.L, unicode.N, unicode.S) })
	letters := slices.ContainsFunc(runes, wordRune)
	kana := slices.ContainsFunc(runes, func(r rune) bool { return unicode.In(r, unicode.Hiragana, unicode.Katakana) })
	switch {
	case len(runes) == 0:
		return "required", "must not be empty; leave it out"
	case !said:
		return "too_broad", "must have a letter, a digit or a sign such as an emoji"
	case len(runes) == 1 && (letters || kana):
		return "too_broad", "is a single letter, which half of all comments have; write a whole word"
	case strings.HasSuffix(Fold(word), "*") && letters && len(runes) < 3 && !unicode.Is(unicode.Hangul, runes[0]):
		return "too_broad", "must have at least three letters before the *"
	}
	return "", ""
}

// Keywords are ready to be looked for.
type Keywords []keyword

// keyword is a folded text; before and after it no word may go on where start
// and end say so.
type keyword struct {
	text       string
	start, end bool
}

// NewKeywords makes keywords of a rule's words.
func NewKeywords(words []string) Keywords {
	out := make(Keywords, 0, len(words))
	for _, word := range words {
		if k := compileKeyword(word); k.text != "" {
			out = append(out, k)
		}
	}
	return out
}

func compileKeyword(word string) keyword {
	folded := Fold(word) // first: a full-width * is one too
	begins := strings.HasSuffix(folded, "*")
	k := keyword{text: strings.TrimSpace(strings.TrimRight(folded, "* "))}
	first, _ := utf8.DecodeRuneInString(k.text)
	last, _ := utf8.DecodeLastRuneInString(k.text)
	k.start = k.text != "" && wordRune(first)
	// a Korean word goes on with its particles
	k.end = k.text != "" && wordRune(last) && !begins && !unicode.Is(unicode.Hangul, last)
	return k
}

// Match says whether a folded text has one of the keywords: in scripts that put
// spaces between words as whole words (in Korean as the beginning of one), in
// the others wherever it stands.
func (list Keywords) Match(folded string) bool {
	return slices.ContainsFunc(list, func(k keyword) bool { return k.in(folded) })
}

func (k keyword) in(text string) bool {
	for from := 0; ; {
		at := strings.Index(text[from:], k.text)
		if at < 0 {
			return false
		}
		at += from
		before, _ := utf8.DecodeLastRuneInString(text[:at])
		after, _ := utf8.DecodeRuneInString(text[at+len(k.text):])
		if !(k.start && at > 0 && wordRune(before)) && !(k.end && at+len(k.text) < len(text) && wordRune(after)) {
			return true
		}
		_, size := utf8.DecodeRuneInString(text[at:])
		from = at + size
	}
}

// wordRune is true for what a word is made of in scripts that put spaces
// between words.
func wordRune(r rune) bool {
	return (unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r) || r == '_') && !unspaced(r)
}

// unspacedScripts are those that put no spaces between words.
var unspacedScripts = []*unicode.RangeTable{unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Bopomofo, unicode.Thai, unicode.Lao,
	unicode.Khmer, unicode.Myanmar, unicode.Tibetan, unicode.Javanese, unicode.Balinese, unicode.Tai_Tham, unicode.Tai_Le, unicode.New_Tai_Lue, unicode.Tai_Viet}

const longVowel = 'ー' // of both kana, so of no script

func unspaced(r rune) bool {
	return r >= 0x0E00 && (r == longVowel || unicode.In(r, unspacedScripts...))
}

// Fold is a text as keywords are compared: neither case nor width makes a
// difference (NFKC, full case folding), marks that nobody sees are gone, and
// blanks of any kind and number are one space. Folding twice is folding once.
func Fold(s string) string {
	if ascii(s) {
		return strings.Join(strings.Fields(strings.ToLower(s)), " ")
	}
	for range maxFolds {
		folded := norm.NFKC.String(cases.Fold().String(norm.NFKC.String(strings.Map(seen, s))))
		folded = strings.Join(strings.Fields(folded), " ")
		if folded == s {
			break
		}
		s = folded
	}
	return s
}

// maxFolds is more than any text needs: what folding makes may fold once more.
const maxFolds = 8

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf || s[i] < ' ' && s[i] != '\n' && s[i] != '\t' && s[i] != '\r' || s[i] == 0x7f {
			return false
		}
	}
	return true
}

// seen drops marks that nobody sees: joiners, directions, soft hyphens.
func seen(r rune) rune {
	if unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Variation_Selector, r) || unicode.IsControl(r) && !unicode.IsSpace(r) {
		return -1
	}
	return r
}
