package templates

import "koe/survey"

// Range is the days that a page is about, and what they are compared with.
type Range struct {
	From, Until survey.Day // both inclusive
	Zone        string     // whose days
	Compare     string     // one of Compares
	Compares    []string
	Before      []survey.Day // first and last of what is compared with; nil for nothing
}

// rangeWords are a range in words.
type rangeWords struct{ Days, Compared string }

func (v staffFigures) rangeWords(r Range) (out rangeWords, err error) {
	if out.Days, err = v.days("range", r.From, r.Until, r.Zone); err != nil || r.Before == nil {
		return out, err
	}
	out.Compared, err = v.days("compared", r.Before[0], r.Before[1], r.Zone)
	return out, err
}
