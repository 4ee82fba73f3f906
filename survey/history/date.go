package history

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"koe/survey"
)

// date is what the steps of a format have read.
type date struct {
	year, month, day, yearDay  int
	hour, minute, second, nano int
	afternoon, twelve          bool // %p said PM; %I counted to twelve
	offset                     *int // seconds east
	epoch                      *int64
}

var months = [...]string{"january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"}
var weekdays = [...]string{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"}

// read takes what the step stands for from the front of text.
func (s step) read(text string, d *date) (rest string, ok bool) {
	switch s.directive {
	case 0:
		return s.readLiteral(text)
	case 'Y':
		d.year, rest, ok = number(text, 4, 4)
		return rest, ok
	case 'y':
		d.year, rest, ok = number(text, 2, 2)
		if d.year += 1900; d.year < 1969 {
			d.year += 100
		}
		return rest, ok
	case 'm':
		return within(text, &d.month, 1, 12)
	case 'd', 'e':
		return within(strings.TrimLeft(text, " "), &d.day, 1, 31)
	case 'j':
		d.yearDay, rest, ok = number(text, 1, 3)
		return rest, ok && d.yearDay >= 1 && d.yearDay <= 366
	case 'H', 'k':
		return within(strings.TrimLeft(text, " "), &d.hour, 0, 23)
	case 'I', 'l':
		d.twelve = true
		return within(strings.TrimLeft(text, " "), &d.hour, 1, 12)
	case 'M':
		return within(text, &d.minute, 0, 59)
	case 'S':
		return within(text, &d.second, 0, 60)
	case 'b', 'B', 'h':
		d.month, rest, ok = named(text, months[:])
		return rest, ok
	case 'a', 'A':
		_, rest, ok = named(text, weekdays[:])
		return rest, ok
	}
	return s.readRare(text, d)
}

func (s step) readRare(text string, d *date) (rest string, ok bool) {
	switch s.directive {
	case 'p':
		if len(text) < 2 || text[1]|0x20 != 'm' || text[0]|0x20 != 'a' && text[0]|0x20 != 'p' {
			return text, false
		}
		d.afternoon = text[0]|0x20 == 'p'
		return text[2:], true
	case 'f':
		_, rest, ok = number(text, 1, 9)
		digits := text[:len(text)-len(rest)]
		d.nano, _, _ = number(digits+"000000000"[len(digits):], 9, 9)
		return rest, ok
	case 'z':
		return d.readOffset(text)
	case 's':
		seconds, rest, ok := number(text, 1, 12)
		d.epoch = new(int64(seconds))
		return rest, ok
	}
	return text, false
}

// readLiteral takes one character; a blank stands for any number of them.
func (s step) readLiteral(text string) (string, bool) {
	r, size := utf8.DecodeRuneInString(text)
	if unicode.IsSpace(s.literal) {
		return strings.TrimLeftFunc(text, unicode.IsSpace), true
	}
	return text[size:], size > 0 && (r == s.literal || unicode.ToLower(r) == unicode.ToLower(s.literal))
}

// number reads from least to most digits.
func number(text string, least, most int) (n int, rest string, ok bool) {
	i := 0
	for ; i < len(text) && i < most && text[i] >= '0' && text[i] <= '9'; i++ {
		n = n*10 + int(text[i]-'0')
	}
	return n, text[i:], i >= least
}

func within(text string, into *int, low, high int) (rest string, ok bool) {
	*into, rest, ok = number(text, 1, 2)
	return rest, ok && *into >= low && *into <= high
}

// named reads an English name or its first three letters, and returns its
// number from 1.
func named(text string, names []string) (n int, rest string, ok bool) {
	for i, name := range names {
		for _, form := range []string{name, name[:3]} {
			if len(text) >= len(form) && strings.EqualFold(text[:len(form)], form) {
				return i + 1, text[len(form):], true
			}
		}
	}
	return 0, text, false
}

// readOffset takes Z, +hhmm, +hh:mm or +hh.
func (d *date) readOffset(text string) (string, bool) {
	if text != "" && text[0]|0x20 == 'z' {
		d.offset = new(int)
		return text[1:], true
	}
	if text == "" || text[0] != '+' && text[0] != '-' {
		return text, false
	}
	hours, rest, ok := number(text[1:], 2, 2)
	minutes := 0
	if after := strings.TrimPrefix(rest, ":"); ok && after != "" && after[0] >= '0' && after[0] <= '9' {
		minutes, rest, ok = number(after, 2, 2)
	}
	seconds := hours*3600 + minutes*60
	if text[0] == '-' {
		seconds = -seconds
	}
	d.offset = &seconds
	return rest, ok && hours < 24 && minutes < 60
}

// instant is when the date was; false where there is none such.
func (d date) instant(zone *time.Location) (survey.Instant, bool) {
	if d.epoch != nil {
		i := survey.Instant(*d.epoch * 1000)
		return i, i < year10000
	}
	if d.twelve {
		d.hour %= 12
		if d.afternoon {
			d.hour += 12
		}
	}
	month, day := time.Month(d.month), d.day
	if d.yearDay > 0 {
		month, day = time.January, d.yearDay
	}
	on := survey.DayOfDate(d.year, month, day)
	if y, m, _ := on.Date(); y != d.year || y < 1970 || d.yearDay == 0 && m != month {
		return 0, false
	}
	beside := time.Duration(d.second)*time.Second + time.Duration(d.nano)
	if d.offset != nil {
		zone, beside = time.UTC, beside-time.Duration(*d.offset)*time.Second
	}
	i := survey.WallTime(on, d.hour*60+d.minute, zone).Add(beside)
	return i, i >= 0 && i < year10000
}

const year10000 = survey.Instant(253402300800000)
