package templates

import (
	"fmt"
	"io/fs"

	"koe/survey"
)

// brand is how a company looks: what every page and mail of it shows.
type brand struct {
	Accent survey.Accent
	Style  string // the address of the pages' style sheet
	Logo   *logo
}

// logo is a picture; URL is absolute in a mail, a path in a page.
type logo struct {
	URL           string
	Width, Height int
}

// brandOf is a workspace's brand; base stands before the address of the logo.
func brandOf(w survey.Workspace, base string) brand {
	b := brand{Accent: survey.AccentOf(w.AccentColor), Style: "/static/page.css"}
	if colour, err := survey.ParseColour(w.AccentColor); err == nil {
		b.Style = "/brand/" + colour.String()[1:] + ".css"
	}
	if path := w.LogoPath(); path != "" {
		b.Logo = &logo{URL: base + path}
		b.Logo.Width, b.Logo.Height = LogoSize(w)
	}
	return b
}

// pageBrand is brandOf for a page of a koe that is reached under path.
func pageBrand(w survey.Workspace, path string) brand {
	b := brandOf(w, path)
	b.Style = path + b.Style
	return b
}

// LogoSize is how large a logo is drawn: half its pixels, so that it is sharp
// on every screen.
func LogoSize(w survey.Workspace) (width, height int) {
	return max(1, (w.LogoWidth+1)/2), max(1, (w.LogoHeight+1)/2)
}

// BrandStyle is the style sheet of the pages in a company's colour, made fit to
// be read.
func BrandStyle(colour survey.Colour) ([]byte, error) {
	css, err := fs.ReadFile(Static(), "page.css")
	if err != nil {
		return nil, err
	}
	a := survey.AccentOf(colour.String())
	rule := func(s survey.Shade) string {
		return fmt.Sprintf(":root { --accent: %s; --on-accent: %s; --chosen: %s; }", s.Accent, s.OnAccent, s.Chosen)
	}
	return fmt.Appendf(css, "%s\n@media (prefers-color-scheme: dark) { %s }\n", rule(a.Light), rule(a.Dark)), nil
}
