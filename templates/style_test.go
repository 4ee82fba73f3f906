package templates

import (
	"io/fs"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

func TestPagesAreSmall(t *testing.T) {
	css, err := fs.ReadFile(Static(), "page.css")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range stock(t) {
		for _, step := range steps {
			if size := len(css) + len(page(t, surveyPage(s, step, "ja"))); size >= 15<<10 {
				t.Errorf("%s %s: %d bytes with its style", s.Key, step, size)
			}
		}
	}
}

var colour = regexp.MustCompile(`--([a-z-]+): #([0-9a-f]{6})`)

// Words are readable in light and dark: WCAG's AA asks 4.5 to 1 for text and
// 3 to 1 for the lines around what can be pressed.
func TestContrast(t *testing.T) {
	css, err := fs.ReadFile(Static(), "page.css")
	if err != nil {
		t.Fatal(err)
	}
	light, dark, ok := strings.Cut(string(css), "prefers-color-scheme: dark")
	if !ok {
		t.Fatal("no dark scheme")
	}
	for scheme, part := range map[string]string{"light": light, "dark": dark} {
		colours := map[string]float64{}
		for _, c := range colour.FindAllStringSubmatch(part, -1) {
			colours[c[1]] = luminance(t, c[2])
		}
		for _, pair := range []struct {
			front, back string
			least       float64
		}{
			{"ink", "card", 7}, {"ink", "back", 7}, {"soft", "card", 4.5}, {"soft", "back", 4.5}, {"accent", "card", 4.5},
			{"accent", "back", 4.5}, {"on-accent", "accent", 4.5}, {"ink", "chosen", 4.5}, {"wrong", "card", 4.5}, {"line", "card", 3},
		} {
			front, back := colours[pair.front], colours[pair.back]
			ratio := (max(front, back) + 0.05) / (min(front, back) + 0.05)
			if len(colours) != 9 || ratio < pair.least {
				t.Errorf("%s: %s on %s is %.2f, want %.1f (%d colours)", scheme, pair.front, pair.back, ratio, pair.least, len(colours))
			}
		}
	}
}

// luminance is WCAG's relative luminance of a colour such as "1d1d1b".
func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(hex[2*i:2*i+2], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		c := float64(n) / 255
		if c <= 0.04045 {
			sum += weight * c / 12.92
		} else {
			sum += weight * math.Pow((c+0.055)/1.055, 2.4)
		}
	}
	return sum
}
