package survey_test

import (
	"testing"

	"koe/survey"
)

func TestColours(t *testing.T) {
	for text, want := range map[string]string{"#0b4a80": "#0b4a80", "#0B4A80": "#0b4a80", "#04b": "#0044bb"} {
		if c, err := survey.ParseColour(text); err != nil || c.String() != want {
			t.Errorf("%s: %s, %v", text, c, err)
		}
	}
	for _, text := range []string{"", "#", "0b4a80", "#0b4a8", "#0b4a800", "#0b4a8g", "red", "#-1", "#+12345", "#0b4a80;x", "url(x)"} {
		if c, err := survey.ParseColour(text); err == nil {
			t.Errorf("%q is %s", text, c)
		}
	}
	black, white := survey.Colour{}, survey.Colour{255, 255, 255}
	if r := survey.Contrast(black, white); r != 21 || survey.Contrast(white, black) != 21 {
		t.Errorf("black on white is %g", r)
	}
}

// Any colour comes out readable on both grounds, and a readable one as it was.
func TestAccentsCanBeRead(t *testing.T) {
	grounds := func(hex ...string) (all []survey.Colour) {
		for _, h := range hex {
			c, err := survey.ParseColour(h)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, c)
		}
		return all
	}
	ink := map[bool]survey.Colour{true: grounds("#1d1d1b")[0], false: grounds("#ededea")[0]}
	for r := 0; r < 256; r += 15 {
		for g := 0; g < 256; g += 15 {
			for b := 0; b < 256; b += 15 {
				asked := survey.Colour{uint8(r), uint8(g), uint8(b)}
				accent := survey.AccentOf(asked.String())
				for _, s := range []struct {
					light   bool
					shade   survey.Shade
					grounds []survey.Colour
				}{{true, accent.Light, grounds("#ffffff", "#f5f5f2")}, {false, accent.Dark, grounds("#222220", "#161615")}} {
					for _, ground := range append(s.grounds, s.shade.Key, s.shade.OnAccent) {
						if c := survey.Contrast(s.shade.Accent, ground); c < 4.5 {
							t.Fatalf("%s becomes %s: %.2f on %s", asked, s.shade.Accent, c, ground)
						}
					}
					if c := survey.Contrast(ink[s.light], s.shade.Chosen); c < 4.5 {
						t.Fatalf("words on what is chosen (%s): %.2f", s.shade.Chosen, c)
					}
				}
			}
		}
	}
	if a := survey.AccentOf("#0b4a80"); a.Light.Accent.String() != "#0b4a80" {
		t.Errorf("a readable colour was changed: %s", a.Light.Accent)
	}
	if a := survey.AccentOf(""); a.Light.Accent.String() != "#0b4a80" {
		t.Errorf("koe's own: %+v", a)
	}
}
