package survey

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Colour is a colour of the screen, eight bits each of red, green and blue.
type Colour [3]uint8

// ParseColour reads "#0b4a80", or "#04b" for short.
func ParseColour(s string) (Colour, error) {
	wrong := fmt.Errorf("must be a colour such as #0b4a80")
	digits, ok := strings.CutPrefix(s, "#")
	if !ok {
		return Colour{}, wrong
	}
	if len(digits) == 3 {
		digits = string([]byte{digits[0], digits[0], digits[1], digits[1], digits[2], digits[2]})
	}
	n, err := strconv.ParseUint(digits, 16, 24)
	if err != nil || len(digits) != 6 {
		return Colour{}, wrong
	}
	return Colour{uint8(n >> 16), uint8(n >> 8 & 0xff), uint8(n & 0xff)}, nil
}

// String writes a colour as "#0b4a80".
func (c Colour) String() string { return fmt.Sprintf("#%02x%02x%02x", c[0], c[1], c[2]) }

// MarshalText writes a colour as String does.
func (c Colour) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// luminance is WCAG's relative luminance, from 0 (black) to 1 (white).
func (c Colour) luminance() float64 {
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		part := float64(c[i]) / 255
		if part <= 0.04045 {
			part /= 12.92
		} else {
			part = math.Pow((part+0.055)/1.055, 2.4)
		}
		sum += weight * part
	}
	return sum
}

// Contrast is WCAG's ratio of two colours, from 1 to 21. Text needs 4.5 (AA).
func Contrast(a, b Colour) float64 {
	x, y := a.luminance(), b.luminance()
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// mixed is a colour with a part of another in it.
func (c Colour) mixed(other Colour, part float64) Colour {
	for i := range c {
		c[i] = uint8(math.Round(float64(c[i])*(1-part) + float64(other[i])*part))
	}
	return c
}

// Shade is an accent colour on one ground: for links and buttons, for the words
// on a button, and for the ground of what is chosen and of a button in a mail.
type Shade struct {
	Accent   Colour `json:"accent"`
	OnAccent Colour `json:"on_accent"`
	Chosen   Colour `json:"chosen"`
	Key      Colour `json:"-"`
	KeyLine  Colour `json:"-"`
}

// Accent is a company's colour as it is shown: as it was asked for, or as near
// to it as it can be read.
type Accent struct {
	Light Shade `json:"light"`
	Dark  Shade `json:"dark"`
}

// koe's own accent, and the grounds of its pages and mails. page.css has the
// same.
var (
	ownAccent = Accent{
		Light: Shade{Colour{0x0b, 0x4a, 0x80}, white, Colour{0xe3, 0xee, 0xf8}, Colour{0xf2, 0xf7, 0xfc}, Colour{0x4d, 0x7f, 0xae}},
		Dark: Shade{Colour{0xb9, 0xda, 0xfa}, Colour{0x10, 0x20, 0x2f}, Colour{0x1f, 0x32, 0x45}, Colour{0x1b, 0x25, 0x30},
			Colour{0x6f, 0x9f, 0xcb}},
	}
	white, black        = Colour{0xff, 0xff, 0xff}, Colour{}
	lightBack           = Colour{0xf5, 0xf5, 0xf2}
	darkCard, darkInk   = Colour{0x22, 0x22, 0x20}, Colour{0x16, 0x16, 0x15}
	readable            = 4.5 // of text, by WCAG AA
	chosenPart, keyPart = 0.12, 0.06
)

// AccentOf is a colour made fit to be read: darker on light grounds, lighter on
// dark ones, no more than it must. What is no colour is koe's own.
func AccentOf(colour string) Accent {
	asked, err := ParseColour(colour)
	if err != nil {
		return ownAccent
	}
	light := fit(asked, black, func(c Colour) bool {
		return Contrast(c, lightBack) >= readable && Contrast(c, white.mixed(c, keyPart)) >= readable
	})
	dark := fit(asked, white, func(c Colour) bool {
		return Contrast(c, darkCard.mixed(c, keyPart)) >= readable && Contrast(c, darkInk) >= readable
	})
	return Accent{
		Light: Shade{light, white, white.mixed(light, chosenPart), white.mixed(light, keyPart), light},
		Dark:  Shade{dark, darkInk, darkCard.mixed(dark, chosenPart), darkCard.mixed(dark, keyPart), dark},
	}
}

// fit mixes as little of another colour into one as makes it pass.
func fit(c, other Colour, passes func(Colour) bool) Colour {
	for percent := range 101 {
		if mixed := c.mixed(other, float64(percent)/100); passes(mixed) {
			return mixed
		}
	}
	return other
}
