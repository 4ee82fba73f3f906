// Package templates holds the words: everything that a person reads in a mail
// or a browser, embedded into the program. It knows languages, HTML and plain
// text. It does not know where the data comes from or where the result goes:
// no database, no HTTP, no mail server.
//
//   - surveys/*.yaml: the stock survey templates, see [Stock].
//   - locales/*.toml: koe's own words, one file a language, one key a wording.
//   - email/: the mails. page/: the pages. static/: what pages load.
//   - dashboard/: the pages of staff, with words of their own in dashboard/words.
//
// What companies and customers wrote is never parsed as a template: it is
// filled in by [survey.Template.Fill] and escaped by html/template.
package templates

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	texttemplate "text/template"

	"github.com/BurntSushi/toml"
	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
)

//go:embed surveys locales email page static dashboard
var files embed.FS

// lastResort is the language of those whose own koe does not speak.
const lastResort = "en"

// Words renders everything that people read. It is safe for concurrent use.
type Words struct {
	voices    map[string]voice
	languages []string         // koe's own, the last resort first, then by tag
	staff     map[string]voice // of the dashboard, and of mails to staff
	html      *template.Template
	dashboard *template.Template
	text      *texttemplate.Template
	plates    *plates
	pages     *pagePlates
	script    template.JS // the one script of respondents' pages
}

// New reads the embedded words and templates.
func New() (*Words, error) {
	w := &Words{plates: newPlates(), pages: &pagePlates{made: map[pageKey]string{}}}
	var err error
	if w.voices, w.languages, err = voicesIn("locales"); err != nil {
		return nil, err
	}
	if w.staff, _, err = voicesIn("dashboard/words"); err != nil {
		return nil, err
	}
	slices.SortStableFunc(w.languages, func(a, b string) int {
		switch lastResort {
		case a:
			return -1
		case b:
			return 1
		}
		return 0
	})
	if w.html, err = template.ParseFS(files, "page/*.html", "email/*.html"); err != nil {
		return nil, fmt.Errorf("pages: %w", err)
	}
	script, err := fs.ReadFile(files, "page/respondent.js")
	if err != nil {
		return nil, err
	}
	w.script = template.JS(strings.TrimSpace(string(script))) //nolint:gosec // it is koe's own
	if w.dashboard, err = template.ParseFS(files, "dashboard/*.html"); err != nil {
		return nil, fmt.Errorf("dashboard: %w", err)
	}
	if w.text, err = texttemplate.ParseFS(files, "email/*.txt"); err != nil {
		return nil, fmt.Errorf("mails: %w", err)
	}
	return w, nil
}

// ScriptHash is what a Content-Security-Policy calls the script that stands in
// respondents' pages, to let it run and no other.
func (w *Words) ScriptHash() string {
	sum := sha256.Sum256([]byte(w.script))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// voicesIn reads the words in a folder, a file for each language.
func voicesIn(folder string) (voices map[string]voice, languages []string, err error) {
	bundle := i18n.NewBundle(language.MustParse(lastResort))
	bundle.RegisterUnmarshalFunc("toml", toml.Unmarshal)
	names, err := fs.Glob(files, folder+"/*.toml")
	if err != nil {
		return nil, nil, err
	}
	for _, name := range names {
		if _, err := bundle.LoadMessageFileFS(files, name); err != nil {
			return nil, nil, fmt.Errorf("words of %s: %w", name, err)
		}
	}
	voices = map[string]voice{}
	for _, name := range names {
		lang := strings.TrimSuffix(path.Base(name), ".toml")
		if voices[lang], err = newVoice(bundle, lang); err != nil {
			return nil, nil, err
		}
		languages = append(languages, lang)
	}
	return voices, languages, nil
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
