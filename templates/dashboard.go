package templates

import (
	"bytes"
	"fmt"
	"io"
	"net/url"

	"koe/survey"
)

// Dashboard is what stands around every page of the dashboard.
type Dashboard struct {
	Locale   string // wished for; see StaffLocale
	Title    string // words of a page's own; empty for the wording "NAME_title"
	Company  string // the workspace; empty where nobody is signed in
	Member   string // who is signed in; empty where nobody is
	Path     string // of this page, with its query
	Onward   string // of a page to sign in: where to go then
	Printing string // when the page was made, for paper
}

// dashboardPage is a page with its words.
type dashboardPage struct {
	voice
	Dashboard
	name string
	Body any
}

// Title is what the page is called.
func (p dashboardPage) Title() (string, error) {
	if p.Dashboard.Title != "" {
		return inert(p.Dashboard.Title), nil
	}
	return p.Say(p.name + "_title")
}

// Here is true where the page lies below a path, for the navigation.
func (p dashboardPage) Here(path string) bool {
	u, err := url.Parse(p.Path)
	return err == nil && u.Path == path
}

// Languages are those that the dashboard can be read in.
func (p dashboardPage) Languages() []languageLink {
	var list []languageLink
	for _, lang := range survey.MemberLocales() {
		list = append(list, languageLink{Lang: lang, Name: languageName(lang), Current: lang == p.Lang, URL: p.in(lang)})
	}
	return list
}

// in is this page in a language, for who is not signed in.
func (p dashboardPage) in(lang string) string {
	u, err := url.Parse(p.Path)
	if err != nil {
		return ""
	}
	values := u.Query()
	values.Set("lang", lang)
	u.RawQuery = values.Encode()
	return u.String()
}

// StaffLocale is the first of the wanted languages that the dashboard speaks, or
// else "en". A wish is a language tag, an Accept-Language header, or empty.
func (w *Words) StaffLocale(wanted ...string) string {
	return firstSpoken(wanted, func(tag string) bool { _, ok := w.staff[tag]; return ok }, lastResort)
}

// Staff is one of the dashboard's wordings, with names and values in turn filled
// in.
func (w *Words) Staff(locale, key string, namesAndValues ...string) (string, error) {
	return w.staffVoice(locale).Say(key, namesAndValues...)
}

func (w *Words) staffVoice(locale string) voice { return w.staff[w.StaffLocale(locale)] }

// DashboardPage renders the page dashboard/NAME.html. It reads body as .Body, and
// says koe's words by .Say and .Count.
func (w *Words) DashboardPage(out io.Writer, name string, d Dashboard, body any) error {
	d.Company, d.Member = inert(d.Company), inert(d.Member)
	var b bytes.Buffer
	if err := w.dashboard.ExecuteTemplate(&b, name+".html", dashboardPage{w.staffVoice(d.Locale), d, name, body}); err != nil {
		return fmt.Errorf("render dashboard/%s: %w", name, err)
	}
	_, err := b.WriteTo(out)
	return err
}
