package history

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"koe/scoring"
	"koe/survey"
)

// Answer is one answer that was taken elsewhere, as its file says it. Nothing
// of it is checked against a survey yet.
type Answer struct {
	Score       *int
	RespondedAt *survey.Instant
	ExternalID  string
	Comment     string
	Locale      string
	Channel     string
	Customer    survey.Customer
	Attributes  survey.Attributes
	Aside       survey.Attributes // of the answer alone: they do not become its customer's
	Answers     survey.Answers
	Tags        []string
	RuleTags    []string // those of Tags that a rule put there
	Excluded    string   // why it is left out of scores; empty where it counts
}

// Rejection says what is wrong with a row. Field is one of [Fields], or empty
// where it is the row as a whole.
type Rejection struct {
	Line   int    `json:"line"`
	Field  string `json:"field"`
	Reason string `json:"reason"`
}

// Reject makes a Rejection of an error that the caller may see: its first
// field, the others in the reason.
func Reject(line int, err *survey.Error) Rejection {
	if len(err.Fields) == 0 {
		return Rejection{Line: line, Reason: err.Message}
	}
	r := Rejection{line, err.Fields[0].Field, err.Fields[0].Message}
	for _, f := range err.Fields[1:] {
		r.Reason += "; " + f.Field + ": " + f.Message
	}
	return r
}

// Entry is one row, read.
type Entry struct {
	Number    int64 // of the row in its file, from 1, the header not counted
	Line      int   // where it begins
	Answer    Answer
	Blank     bool       // the row has no score: it is passed over
	Rejection *Rejection // the row cannot be read as an answer
	raw       []string   // as it stood in the file
}

// RowID names a row that has no external id: by its number and its contents,
// so that the same file brings the same names again, and a row that is twice in
// it two.
func (e Entry) RowID() string {
	hash := sha256.New()
	for _, cell := range e.raw { // the length keeps "ab","c" and "a","bc" apart
		_, _ = fmt.Fprintf(hash, "%d:%s", len(cell), cell) // a hash takes everything
	}
	return "row-" + strconv.FormatInt(e.Number, 10) + "-" + hex.EncodeToString(hash.Sum(nil)[:8])
}

// Options say how the columns of a file are read.
type Options struct {
	// Columns name the column of each field. Without any, the columns that are
	// called as a field are read; with any, no other is.
	Columns map[string]string
	Blank   []string // scores that mean "no answer", such as 11 or Blank
	Dates   DateFormat
	Zone    *time.Location // of dates without an offset
}

// The fields of a row. Attributes and answers are called by their names behind
// these prefixes.
const (
	attributesField = "attributes."
	answersField    = "answers."
)

// Fields are the names that [Options] and files know, besides attributes.NAME
// and answers.KEY.
var fields = []string{"score", "responded_at", "external_id", "comment", "locale", "channel",
	"customer.email", "customer.external_id", "customer.name", "tags", "rule_tags", "excluded_reason"}

// ValidField is true for the name of a field.
func ValidField(name string) bool {
	for _, prefix := range []string{attributesField, answersField} {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			return rest != ""
		}
	}
	return slices.Contains(fields, name)
}

// FieldNames lists the fields for people.
func FieldNames() string { return strings.Join(fields, ", ") + ", attributes.KEY, answers.KEY" }

// ParseBlank splits codes at commas, such as "11,99".
func ParseBlank(list string) []string {
	var codes []string
	for code := range strings.SplitSeq(list, ",") {
		if code = strings.TrimSpace(code); code != "" {
			codes = append(codes, code)
		}
	}
	return codes
}

// Score reads a score as [scoring.ParseScore] does. Blank is true for an empty
// cell and for one of the codes, in any case and, where both are numbers, by
// their value. The error says what is wrong for people.
func (o Options) Score(cell string) (score int, blank bool, err error) {
	text := strings.TrimSpace(cell)
	score, err = scoring.ParseScore(Unguard(text))
	if errors.Is(err, scoring.ErrMissing) {
		return 0, true, nil
	}
	for _, code := range o.Blank {
		if strings.EqualFold(code, text) {
			return 0, true, nil
		}
		if n, bad := scoring.ParseScore(code); bad == nil && err == nil && n == score {
			return 0, true, nil
		}
	}
	if err != nil {
		return 0, false, fmt.Errorf("%q is not a whole number; a code that means no answer can be ignored", short(text))
	}
	return score, false, nil
}
