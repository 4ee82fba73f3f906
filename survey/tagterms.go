package survey

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Said is a comment, and whether whoever gave it is unhappy.
type Said struct {
	Response ID
	Comment  string
	Unhappy  bool
}

// Term is something that several comments say.
type Term struct {
	Term      string `json:"term"`
	Responses int    `json:"responses"` // how many comments have it
	Unhappy   int    `json:"unhappy"`   // how many of those are of unhappy customers
	Example   ID     `json:"example"`   // one of them, the first that was given
}

const (
	fewestTerms   = 3    // a term that fewer comments have is nobody's issue yet
	mostTerms     = 50   // that are suggested
	closelyLooked = 500  // candidates that are compared with each other
	commentRunes  = 1000 // of a comment that are read
)

// CommonTerms are terms that comments have in common and covered does not say
// are known, those first that unhappy customers say more often than others do
// (by z of the two shares). Terms that more than four in ten of 50 comments or
// more have are left out: they are how people talk.
//
// No dictionary is asked. Words are what stands between spaces, with at least
// three letters; of Japanese and Chinese runs of one script are taken: katakana
// as a whole, characters as a whole up to four of them and in pairs, hiragana
// only where it stands by itself. Of scripts without spaces a run of up to
// twelve characters is taken as it is.
func CommonTerms(said []Said, covered func(term string) bool) []Term {
	found := map[string]*Term{}
	unhappy := 0
	for _, one := range said {
		if one.Unhappy {
			unhappy++
		}
		for term := range termsOf(one.Comment) {
			t := found[term]
			if t == nil {
				t = &Term{Term: term, Example: one.Response}
				found[term] = t
			}
			t.Responses++
			if one.Unhappy {
				t.Unhappy++
			}
		}
	}
	var list []Term
	for _, t := range found {
		everywhere := len(said) >= 50 && t.Responses*10 > len(said)*4
		if t.Responses >= fewestTerms && !everywhere && !covered(t.Term) {
			list = append(list, *t)
		}
	}
	slices.SortFunc(list, func(a, b Term) int {
		return cmp.Or(cmp.Compare(b.lean(unhappy, len(said)), a.lean(unhappy, len(said))), cmp.Compare(b.Responses, a.Responses), strings.Compare(a.Term, b.Term))
	})
	list = list[:min(len(list), closelyLooked)]
	list = slices.DeleteFunc(slices.Clone(list), func(t Term) bool { return partOfAnother(t, list) })
	return list[:min(len(list), mostTerms)]
}

// lean is how much more often the unhappy say a term than the others, in
// standard errors; 0 where there are only the one or the other.
func (t Term) lean(unhappy, all int) float64 {
	others := all - unhappy
	if unhappy == 0 || others == 0 {
		return 0
	}
	p1, p2 := float64(t.Unhappy)/float64(unhappy), float64(t.Responses-t.Unhappy)/float64(others)
	p := float64(t.Responses) / float64(all)
	if p == 1 {
		return 0
	}
	return (p1 - p2) / math.Sqrt(p*(1-p)*(1/float64(unhappy)+1/float64(others)))
}

// partOfAnother is true for a piece of a longer term that is said as often:
// nobody says it by itself.
func partOfAnother(t Term, among []Term) bool {
	return slices.ContainsFunc(among, func(o Term) bool {
		return o.Responses == t.Responses && len(o.Term) > len(t.Term) && strings.Contains(o.Term, t.Term)
	})
}

// kindOfRune is what runs are made of.
type kindOfRune int

const (
	noWord kindOfRune = iota
	spacedWord
	hanRun
	hiraganaRun
	katakanaRun
	otherRun
)

func kindOf(r, before rune) kindOfRune {
	switch {
	case r == longVowel && unicode.Is(unicode.Hiragana, before):
		return hiraganaRun
	case r == longVowel || unicode.Is(unicode.Katakana, r):
		return katakanaRun
	case unicode.Is(unicode.Han, r):
		return hanRun
	case unicode.Is(unicode.Hiragana, r):
		return hiraganaRun
	case unspaced(r):
		return otherRun
	case wordRune(r):
		return spacedWord
	}
	return noWord
}

// termsOf are the terms of a comment.
func termsOf(comment string) map[string]struct{} {
	text := Fold(comment)
	if utf8.RuneCountInString(text) > commentRunes {
		text = string([]rune(text)[:commentRunes])
	}
	terms := map[string]struct{}{}
	var run []rune
	kind, last, before := noWord, noWord, rune(0)
	end := func() {
		for _, term := range runTerms(run, kind, last) {
			terms[term] = struct{}{}
		}
		run, last = run[:0], kind
	}
	for _, r := range text {
		if k := kindOf(r, before); k != kind {
			end()
			kind = k
		}
		run, before = append(run, r), r
	}
	end()
	return terms
}

// runTerms are the terms of a run of one kind, behind a run of another.
func runTerms(run []rune, kind, behind kindOfRune) []string {
	n := len(run)
	switch kind {
	case spacedWord:
		least := 3
		if n > 0 && unicode.Is(unicode.Hangul, run[0]) {
			least = 2
		}
		if n < least || n > 30 || !slices.ContainsFunc(run, unicode.IsLetter) {
			return nil
		}
	case hanRun:
		return hanTerms(run)
	case hiraganaRun:
		if n < 3 || n > 6 || behind == hanRun {
			return nil
		}
	case katakanaRun, otherRun:
		if most := map[kindOfRune]int{katakanaRun: 20, otherRun: 12}[kind]; n < 2 || n > most {
			return nil
		}
	default:
		return nil
	}
	return []string{string(run)}
}

func hanTerms(run []rune) []string {
	var terms []string
	if len(run) <= 4 {
		terms = append(terms, string(run))
	}
	for i := 0; len(run) > 2 && i+2 <= len(run); i++ {
		terms = append(terms, string(run[i:i+2]))
	}
	return terms
}
