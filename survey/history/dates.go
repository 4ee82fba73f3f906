package history

import (
	"fmt"
	"strings"
	"time"

	"koe/survey"
)

// DateFormat reads dates and times as they stand in a file. The zero value
// takes RFC 3339 ("2026-11-22T09:30:00Z", a blank instead of the T too),
// "2026-11-22", and that with "09:30", "09:30:00" or "09:30:00.5" behind a
// blank or a T.
type DateFormat struct {
	format string // "" for the zero value
	steps  []step
}

// step reads one directive or one literal character.
type step struct {
	directive byte // 0: literal
	literal   rune
}

// directives are what strftime calls them; reading is as lenient as strptime's:
// numbers may lack their leading zero.
const directives = "YmdyHIMSfpbBhaAjezskl"

// composed directives stand for others.
var composed = map[byte]string{'F': "%Y-%m-%d", 'T': "%H:%M:%S", 'R': "%H:%M", 'D': "%m/%d/%y", 'n': " ", 't': " ", 'r': "%I:%M:%S %p"}

// ParseDateFormat understands the directives of strftime that name a date
// without doubt: %Y %y %m %b %B %h %d %e %j %H %k %I %l %M %S %f %p %z %s %a
// %A, %F %T %R %r %D, %n %t and %%; a - behind the % changes nothing. A year, a
// month and a day must come of it. %y means 1969 to 2068. The error says what
// is wrong.
func ParseDateFormat(format string) (DateFormat, error) {
	if len(format) > 200 {
		return DateFormat{}, fmt.Errorf("must have at most 200 characters")
	}
	f := DateFormat{format: format}
	if err := f.compile(format); err != nil {
		return DateFormat{}, err
	}
	has := func(any string) bool {
		for _, s := range f.steps {
			if s.directive != 0 && strings.IndexByte(any, s.directive) >= 0 {
				return true
			}
		}
		return false
	}
	switch {
	case has("s"):
	case !has("Yy") || !has("j") && !(has("mbBh") && has("de")):
		return DateFormat{}, fmt.Errorf("must name a year, a month and a day, such as %%Y-%%m-%%d or %%d/%%m/%%y")
	case has("Il") != has("p"):
		return DateFormat{}, fmt.Errorf("%%I and %%p belong together; hours from 0 to 23 are %%H")
	}
	return f, nil
}

func (f *DateFormat) compile(format string) error {
	for rest := []rune(format); len(rest) > 0; rest = rest[1:] {
		if rest[0] != '%' {
			f.steps = append(f.steps, step{literal: rest[0]})
			continue
		}
		if rest = rest[1:]; len(rest) > 1 && rest[0] == '-' {
			rest = rest[1:]
		}
		if len(rest) == 0 {
			return fmt.Errorf("ends with a single %%; a percent sign is %%%%")
		}
		r := rest[0]
		switch {
		case r == '%':
			f.steps = append(f.steps, step{literal: '%'})
		case r < 128 && composed[byte(r)] != "":
			if err := f.compile(composed[byte(r)]); err != nil {
				return err
			}
		case r < 128 && strings.IndexByte(directives, byte(r)) >= 0:
			f.steps = append(f.steps, step{directive: byte(r)})
		default:
			return fmt.Errorf("%%%c is none of those that koe reads: %%Y %%m %%d %%y %%H %%M %%S %%f %%b %%B %%p %%I %%j %%z %%s %%a %%A %%F %%T %%R %%D", r)
		}
	}
	return nil
}

// Parse reads a date; what has no offset of its own is a time on the clocks of
// zone, and without a time of day the first instant of its day there. A time
// that the clocks jump over is the first instant after it, one that comes twice
// the first of the two. The years are 1970 to 9999.
func (f DateFormat) Parse(text string, zone *time.Location) (survey.Instant, error) {
	text = strings.TrimSpace(text)
	if f.format == "" {
		return parseUsual(text, zone)
	}
	var d date
	rest := text
	for _, s := range f.steps {
		var ok bool
		if rest, ok = s.read(rest, &d); !ok {
			return 0, fmt.Errorf("is not a date like %s", f.format)
		}
	}
	if strings.TrimSpace(rest) != "" {
		return 0, fmt.Errorf("is not a date like %s: %q is too much", f.format, short(rest))
	}
	i, ok := d.instant(zone)
	if !ok {
		return 0, fmt.Errorf("there is no such date, or not between 1970 and 9999")
	}
	return i, nil
}

// usual are the zero value's formats without an offset.
var usual = []DateFormat{mustFormat("%F"), mustFormat("%FT%T"), mustFormat("%F %T"), mustFormat("%FT%R"), mustFormat("%F %R"),
	mustFormat("%FT%T.%f"), mustFormat("%F %T.%f"), mustFormat("%F %T%z"), mustFormat("%F %T.%f%z")}

func mustFormat(format string) DateFormat {
	f, err := ParseDateFormat(format)
	if err != nil {
		panic(err) // a table of this file
	}
	return f
}

func parseUsual(text string, zone *time.Location) (survey.Instant, error) {
	if i, err := survey.ParseInstant(text); err == nil {
		return i, nil
	}
	for _, f := range usual {
		if i, err := f.Parse(text, zone); err == nil {
			return i, nil
		}
	}
	return 0, fmt.Errorf("must be a date such as 2026-11-22, 2026-11-22 09:30 or 2026-11-22T09:30:00Z; else say how dates are written, such as date_format %%d/%%m/%%Y")
}

func short(s string) string {
	if runes := []rune(s); len(runes) > 20 {
		return string(runes[:20]) + "…"
	}
	return s
}
