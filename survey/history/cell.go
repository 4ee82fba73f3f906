package history

import (
	"regexp"
	"strings"

	"koe/survey"
)

// Guard makes a text safe to open in a spreadsheet: one that a spreadsheet
// would run as a formula, because it begins with = + - @, a tab or a CR and is
// no number, gets an apostrophe before it. So does one that would look guarded
// already, which is why Unguard gives every text back as it was.
func Guard(text string) string {
	if runs(text) {
		return "'" + text
	}
	return text
}

// Unguard takes off the apostrophe of [Guard].
func Unguard(cell string) string {
	if strings.HasPrefix(cell, "'") && runs(cell[1:]) {
		return cell[1:]
	}
	return cell
}

// runs is true for what a spreadsheet would run, and for that behind
// apostrophes.
func runs(text string) bool {
	bare := strings.TrimLeft(text, "'")
	if bare == "" || strings.IndexByte("=+-@\t\r", bare[0]) < 0 {
		return false
	}
	return len(bare) < len(text) || !plainNumber.MatchString(text)
}

var plainNumber = regexp.MustCompile(`^[+-]?[0-9]+([.,][0-9]+)?([eE][+-]?[0-9]+)?$`)

// literal matches what a cell of an attribute means as a number or a yes/no.
// Longer numbers are names (order numbers, ids) and stay texts.
var literal = regexp.MustCompile(`^(true|false|-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,15})?)$`)

// attributeCell writes an attribute so that ParseAttribute reads the same
// value: a text that looks like a number or a yes/no gets an apostrophe.
func attributeCell(v survey.Value) string {
	text := v.Text()
	if v.IsText() && literal.MatchString(strings.TrimLeft(text, "'")) {
		return "'" + text
	}
	return Guard(text)
}

// ParseAttribute reads what a cell means: a number, a yes/no, else a text.
func ParseAttribute(cell string) survey.Value {
	if rest, quoted := strings.CutPrefix(cell, "'"); quoted && literal.MatchString(strings.TrimLeft(rest, "'")) {
		return survey.TextValue(rest)
	}
	if text := strings.TrimSpace(cell); literal.MatchString(text) {
		var v survey.Value
		if v.UnmarshalJSON([]byte(text)) == nil {
			return v
		}
	}
	return survey.TextValue(Unguard(cell))
}

// joinList writes several words into one cell, a | between them. A | or a \
// inside of a word has a \ before it.
func joinList(words []string) string {
	escaped := make([]string, len(words))
	for i, word := range words {
		escaped[i] = listEscape.Replace(word)
	}
	return Guard(strings.Join(escaped, "|"))
}

var listEscape = strings.NewReplacer(`\`, `\\`, `|`, `\|`)

// splitList reads what joinList wrote; blanks around words do not count, and
// empty words are none.
func splitList(cell string) []string {
	var words []string
	var word strings.Builder
	keep := func() {
		if text := strings.TrimSpace(word.String()); text != "" {
			words = append(words, text)
		}
		word.Reset()
	}
	escaped := false
	for _, r := range Unguard(cell) {
		switch {
		case escaped:
			word.WriteRune(r)
			escaped = false
		case r == '\\':
			escaped = true
		case r == '|':
			keep()
		default:
			word.WriteRune(r)
		}
	}
	if escaped {
		word.WriteByte('\\')
	}
	keep()
	return words
}
