package survey

import (
	"fmt"
	"maps"
	"slices"
)

// cleanUnreviewed brings the tags into their usual spelling and order. A
// language that is named twice or in which nothing is said is let be: it does
// no harm.
func (t *Template) cleanUnreviewed(p *Problems) {
	for i, given := range t.Unreviewed {
		tag, err := ParseLocale(given)
		if err != nil {
			p.Add(fmt.Sprintf("unreviewed[%d]", i), "format", "%s", err)
			continue
		}
		t.Unreviewed[i] = tag
	}
	slices.Sort(t.Unreviewed)
	t.Unreviewed = slices.Compact(t.Unreviewed)
}

// IsUnreviewed is true where the template's author marked the wording of a
// language as checked by nobody. Wording moves scores: such a language is not
// to be compared with others until somebody has read it.
func (t Template) IsUnreviewed(locale string) bool {
	return slices.Contains(t.Unreviewed, locale) || slices.Contains(t.Unreviewed, baseLanguage(locale))
}

// Fallbacks names the texts that a reader of a locale sees in another
// language, since the template has none in theirs, in the form in which errors
// name them, such as "questions[2].text".
func (t Template) Fallbacks(locale string) []string {
	var fields []string
	note := func(field string, text Text) {
		if _, tag := text.In(locale, t.DefaultLocale); tag != "" && tag != locale && tag != baseLanguage(locale) {
			fields = append(fields, field)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(t.Placeholders)) {
		note("placeholders."+key, t.Placeholders[key])
	}
	note("mail.subject", t.Mail.Subject)
	note("mail.intro", t.Mail.Intro)
	for i, q := range t.Questions {
		at := fmt.Sprintf("questions[%d].", i)
		note(at+"text", q.Text)
		note(at+"low_label", q.LowLabel)
		note(at+"high_label", q.HighLabel)
		for j, o := range q.Options {
			note(fmt.Sprintf("%soptions[%d].text", at, j), o.Text)
		}
	}
	for i, thanks := range t.ThankYou {
		at := fmt.Sprintf("thank_you[%d].", i)
		note(at+"text", thanks.Text)
		if thanks.Link != nil {
			note(at+"link.text", thanks.Link.Text)
		}
	}
	return fields
}
