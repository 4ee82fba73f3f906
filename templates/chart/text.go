package chart

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/bidi"
)

var escaping = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#39;")

// escape writes text into XML.
func escape(words string) string { return escaping.Replace(words) }

// given makes a text from outside harmless in a line: one line of valid
// characters, without controls and without the marks that could turn the words
// around it. Where it has letters that are read from right to left it is
// isolated, so that numbers beside it stay where they are.
func given(words string) string {
	rightToLeft := false
	words = strings.Map(func(r rune) rune {
		switch {
		case r == utf8.RuneError, r == 0xfffe, r == 0xffff, 0x202a <= r && r <= 0x202e, 0x2066 <= r && r <= 0x2069, r == 0x200e, r == 0x200f, r == 0x061c:
			return -1
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r):
			return -1
		}
		if p, _ := bidi.LookupRune(r); p.Class() == bidi.R || p.Class() == bidi.AL {
			rightToLeft = true
		}
		return r
	}, words)
	words = strings.Join(strings.Fields(words), " ")
	if rightToLeft {
		return "\u2068" + words + "\u2069"
	}
	return words
}

// widthOf guesses how wide a text is: no font is at hand to ask. It is meant to
// be rather too much than too little.
func widthOf(words string, size float64) float64 {
	width := 0.0
	for _, r := range words {
		width += emOf(r)
	}
	return width * size
}

// emOf is a character's width in parts of the font's size.
func emOf(r rune) float64 {
	switch {
	case unicode.Is(unicode.Mn, r), unicode.Is(unicode.Cf, r):
		return 0
	case r >= 0x1100 && (r <= 0x115f || 0x2e80 <= r && r <= 0xa4cf || 0xac00 <= r && r <= 0xd7a3 ||
		0xf900 <= r && r <= 0xfaff || 0xfe30 <= r && r <= 0xfe6f || 0xff00 <= r && r <= 0xff60 || 0xffe0 <= r && r <= 0xffe6 || r >= 0x1f300):
		return 1
	case strings.ContainsRune("ilIj.,:;'|!() ", r):
		return 0.34
	case strings.ContainsRune("mwMW%—@", r):
		return 0.92
	case unicode.IsUpper(r):
		return 0.7
	}
	return 0.62
}

// wide is true for what a line may be broken before and behind: languages that
// are written without spaces.
func wide(r rune) bool { return emOf(r) == 1 }

// wrap breaks a text into at most so many lines of a width. What has no room in
// them ends in an ellipsis.
func wrap(words string, width, size float64, most int) []string {
	return isolated(broken(words, width, size, most))
}

// isolated has every line end the isolation that it is in, and the next one
// begin it again.
func isolated(lines []string) []string {
	open := false
	for i, words := range lines {
		if open {
			words = "\u2068" + words
		}
		open = strings.Count(words, "\u2068") > strings.Count(words, "\u2069")
		if open {
			words += "\u2069"
		}
		lines[i] = words
	}
	return lines
}

func broken(words string, width, size float64, most int) []string {
	var lines []string
	rest := []rune(words)
	for len(rest) > 0 && len(lines) < most {
		fits := fitting(rest, width, size)
		if fits == len(rest) {
			return append(lines, string(rest))
		}
		if len(lines) == most-1 {
			fits = fitting(rest, width-size, size)
			return append(lines, strings.TrimRight(string(rest[:fits]), " ")+"…")
		}
		at := breakIn(rest, fits)
		lines = append(lines, strings.TrimRight(string(rest[:at]), " "))
		for at < len(rest) && rest[at] == ' ' {
			at++
		}
		rest = rest[at:]
	}
	return lines
}

// fitting is how many characters of a text a width holds, at least one.
func fitting(text []rune, width, size float64) int {
	used := 0.0
	for i, r := range text {
		used += emOf(r) * size
		if used > width && i > 0 {
			return i
		}
	}
	return len(text)
}

// breakIn is where a line that holds so many characters is broken: before them
// at the last space or wide character, or else in the middle of a word.
func breakIn(text []rune, fits int) int {
	for at := fits; at > 1; at-- {
		r, before := text[at], text[at-1]
		if strings.ContainsRune("、。」）・，．!?:;,.%", r) { // none of these begins a line
			continue
		}
		if r == ' ' || before == ' ' || wide(r) || wide(before) {
			return at
		}
	}
	return fits
}
