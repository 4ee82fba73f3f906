// Package templates holds the words: everything that a person reads in a mail
// or a browser, embedded into the program. It knows languages, HTML and plain
// text. It does not know where the data comes from or where the result goes:
// no database, no HTTP, no mail server.
//
//   - surveys/*.yaml: the stock survey templates, see [Stock].
//   - locales/*.toml: koe's own words, one file a language, one key a wording.
//   - email/: the mails. page/: the pages. static/: what pages load.
//
// What companies and customers wrote is never parsed as a template: it is
// filled in by [survey.Template.Fill] and escaped by html/template.
package templates

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"path"
	texttemplate "text/template"

	"github.com/BurntSushi/toml"
	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
)

//go:embed surveys locales email page static
var files embed.FS

// languages are what koe itself speaks, in the order of the language switch.
// The last resort is the first.
var languages = [...]string{"en", "ja"}

// Words renders everything that people read. It is safe for concurrent use.
type Words struct {
	voices map[string]voice
	html   *template.Template
	text   *texttemplate.Template
}

// New reads the embedded words and templates.
func New() (*Words, error) {
	w := &Words{voices: map[string]voice{}}
	bundle := i18n.NewBundle(language.English)
	bundle.RegisterUnmarshalFunc("toml", toml.Unmarshal)
	for _, lang := range languages {
		if _, err := bundle.LoadMessageFileFS(files, path.Join("locales", lang+".toml")); err != nil {
			return nil, fmt.Errorf("words of %s: %w", lang, err)
		}
	}
	for _, lang := range languages {
		w.voices[lang] = voice{localizer: i18n.NewLocalizer(bundle, lang), Lang: lang}
	}
	var err error
	if w.html, err = template.ParseFS(files, "page/*.html", "email/*.html"); err != nil {
		return nil, fmt.Errorf("pages: %w", err)
	}
	if w.text, err = texttemplate.ParseFS(files, "email/*.txt"); err != nil {
		return nil, fmt.Errorf("mails: %w", err)
	}
	return w, nil
}

// Static is what pages load, to be served under /static/.
func Static() fs.FS {
	static, err := fs.Sub(files, "static")
	if err != nil {
		panic(err) // only a name that is no path can fail, and it stands above
	}
	return static
}

// page renders an HTML template as a whole or not at all: a failure never
// leaves half a page behind.
func (w *Words) page(out io.Writer, name string, data any) error {
	var b bytes.Buffer
	if err := w.html.ExecuteTemplate(&b, name, data); err != nil {
		return fmt.Errorf("render %s: %w", name, err)
	}
	_, err := b.WriteTo(out)
	return err
}
