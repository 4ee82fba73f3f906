package api

import (
	"bytes"
	"image"
	_ "image/gif" // what a logo may be
	_ "image/jpeg"
	"image/png"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"
	"golang.org/x/image/draw"
	_ "golang.org/x/image/webp"

	"koe/survey"
	"koe/templates"
)

// workspaceResponse is the workspace as it is shown, with what koe makes of its
// colour and its logo.
type workspaceResponse struct {
	survey.Workspace
	Accent survey.Accent `json:"accent"`
	Logo   *logoResponse `json:"logo"`
}

// logoResponse is a logo; the size is that on the screen.
type logoResponse struct {
	URL    string `json:"url"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
}

func (a *api) workspaceOf(w survey.Workspace) workspaceResponse {
	out := workspaceResponse{Workspace: w, Accent: survey.AccentOf(w.AccentColor)}
	if w.Logo != "" {
		width, height := templates.LogoSize(w)
		out.Logo = &logoResponse{a.BaseURL + w.LogoPath(), width, height}
	}
	return out
}

// A logo is drawn at most 240 by 80 pixels large, and kept in twice that for
// screens that are sharper. What is uploaded is looked at before it is decoded:
// a few kilobytes can say that they are fifty megapixels.
const (
	logoWidth, logoHeight = 480, 160
	logoPixels            = 4_000_000
)

func (a *api) putLogo(c echo.Context) error {
	picture, size, err := drawLogo(rawBody(c))
	if err != nil {
		return err
	}
	w, err := a.Store.PutLogo(c.Request().Context(), caller(c), picture, size.X, size.Y)
	return reply(c, okay(a.workspaceOf(w), ""), err)
}

func (a *api) deleteLogo(c echo.Context) error {
	return reply(c, gone(), a.Store.DeleteLogo(c.Request().Context(), caller(c)))
}

// drawLogo makes koe's own picture of an uploaded one, so that nothing but
// pixels of it is ever served.
func drawLogo(upload []byte) ([]byte, image.Point, error) {
	var p survey.Problems
	head, _, err := image.DecodeConfig(bytes.NewReader(upload))
	if err != nil {
		p.Add("logo", "format", "is no picture that koe can read: send a PNG, JPEG, GIF or WebP (an SVG can hold scripts; export it as PNG)")
		return nil, image.Point{}, p.Err()
	}
	if head.Width < 1 || head.Height < 1 || head.Width > logoPixels/head.Height {
		p.Add("logo", "range", "is %d by %d pixels; send at most %d million, such as 960 by 320", head.Width, head.Height, logoPixels/1_000_000)
		return nil, image.Point{}, p.Err()
	}
	full, _, err := image.Decode(bytes.NewReader(upload))
	if err != nil {
		p.Add("logo", "format", "cannot be read to its end: export it again")
		return nil, image.Point{}, p.Err()
	}
	size := full.Bounds().Size()
	if scale := min(float64(logoWidth)/float64(size.X), float64(logoHeight)/float64(size.Y)); scale < 1 {
		size.X, size.Y = max(1, int(float64(size.X)*scale)), max(1, int(float64(size.Y)*scale))
	}
	drawn := image.NewNRGBA(image.Rectangle{Max: size})
	draw.CatmullRom.Scale(drawn, drawn.Bounds(), full, full.Bounds(), draw.Src, nil)
	var out bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	err = encoder.Encode(&out, drawn)
	return out.Bytes(), size, err
}

// showLogo serves a logo. Its address changes with it, so it may be kept for
// ever; an old address leads to the logo of today, and may be kept for an hour.
func (a *api) showLogo(c echo.Context) error {
	name, is := strings.CutSuffix(param(c, "file"), ".png")
	if !is {
		return notFound("logo")
	}
	picture, current, err := a.Store.Logo(c.Request().Context(), name)
	if err != nil {
		return err
	}
	keep := "public, max-age=3600"
	if current {
		keep = "public, max-age=31536000, immutable"
	}
	c.Response().Header().Set("Cache-Control", keep)
	c.Response().Header().Set("Cross-Origin-Resource-Policy", "cross-origin") // mails are read on other sites
	return write(c, http.StatusOK, "image/png", picture)
}

// showBrandStyle is the style sheet of pages in a colour.
func (a *api) showBrandStyle(c echo.Context) error {
	digits, is := strings.CutSuffix(param(c, "file"), ".css")
	colour, err := survey.ParseColour("#" + digits)
	if !is || err != nil || colour.String() != "#"+digits {
		return notFound("style sheet")
	}
	style, err := templates.BrandStyle(colour)
	if err != nil {
		return err
	}
	c.Response().Header().Set("Cache-Control", "public, max-age=3600")
	return write(c, http.StatusOK, "text/css; charset=utf-8", style)
}
