package delighted

import (
	"errors"
	"slices"
	"strings"

	"koe/survey"
	"koe/survey/history"
)

// Person is a record of people as a person of koe's, known by the address alone:
// whoever names the address with an id of the company's own takes them over.
// LastAskedAt is when Delighted, by any of the files, asked last; UpdatedAt is
// when the record was so. Address is "" where koe cannot reach them.
//
// Why is set where something of the record is wrong: the person is then the
// address and when it was asked, so that they are left in peace all the same.
func (f *Facts) Person(r Record, names *Names, now survey.Instant) (person survey.Person, why *history.Rejection) {
	if r.Fault != nil {
		why = r.Fault
	}
	person = survey.Person{Email: f.AddressOf(r), UpdatedAt: 1}
	k := f.known[person.Email]
	if person.Email == "" || k == nil {
		if why == nil && r.Email != "" {
			why = &history.Rejection{Line: r.Line, Field: "email", Reason: "must be one mail address such as ana@example.com"}
		}
		person.Email = ""
		return person, why
	}
	bare := person
	bare.LastAskedAt = notAfter(k.asked, now)
	if why != nil {
		return bare, why
	}
	for _, at := range []*survey.Instant{r.Created, r.LastSent, r.LastResponded} {
		if at != nil {
			person.UpdatedAt = max(person.UpdatedAt, *at)
		}
	}
	person.Name, person.LastAskedAt = r.Name, k.asked
	person.Attributes = names.attributes(r.Properties, maxAttributes)
	person.Locale = localeOf(r.Properties)
	var p survey.Problems
	person.Clean(&p, now)
	var known *survey.Error
	if errors.As(p.Err(), &known) {
		return bare, new(history.Reject(r.Line, known))
	}
	return person, nil
}

// notAfter is an instant that does not lie ahead: who was asked by a clock that
// is wrong was asked.
func notAfter(at *survey.Instant, now survey.Instant) *survey.Instant {
	if at == nil {
		return nil
	}
	return new(min(*at, now))
}

// localeOf is the language that somebody is asked in.
func localeOf(properties []Property) string {
	i := slices.IndexFunc(properties, func(p Property) bool { return p.Name == "locale" })
	if i < 0 {
		return ""
	}
	locale, err := survey.ParseLocale(properties[i].Value.Text())
	if err != nil {
		return ""
	}
	return locale
}

// Told notes that a person was made of an address; false where one was before.
func (f *Facts) Told(address string) (first bool) {
	k := f.known[address]
	first = !k.told
	k.told = true
	return first
}

// Others are people that no list of people has, but who were asked: they
// answered.
func (f *Facts) Others(now survey.Instant) []survey.Person {
	var list []survey.Person
	for address, k := range f.known {
		if !k.told && k.asked != nil {
			list = append(list, survey.Person{Email: address, LastAskedAt: notAfter(k.asked, now), UpdatedAt: 1})
		}
	}
	slices.SortFunc(list, func(a, b survey.Person) int { return strings.Compare(a.Email, b.Email) })
	return list
}
