package api

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"
	"github.com/skip2/go-qrcode"

	"koe/survey"
)

func (a *api) showQRSVG(c echo.Context) error {
	code, _, err := a.qrCode(c)
	if err != nil {
		return err
	}
	return write(c, http.StatusOK, "image/svg+xml", qrSVG(code.Bitmap()))
}

// usualQR is the edge of a PNG in pixels: sharp on a screen, and on paper up to
// 8 cm. For a poster there is the SVG.
const usualQR = 960

func (a *api) showQRPNG(c echo.Context) error {
	code, q, err := a.qrCode(c)
	if err != nil {
		return err
	}
	size, err := q.whole("size", 128, 4096)
	if err != nil {
		return err
	}
	if size == nil {
		usual := usualQR
		size = &usual
	}
	picture, err := code.PNG(*size)
	if err != nil {
		return err
	}
	return write(c, http.StatusOK, "image/png", picture)
}

// qrCode is the code of a survey's open link, with the attributes that the
// request names. A quarter of it may be dirty or torn. Attributes that the link
// does not take are Invalid: nobody wants to find out on a printed poster.
func (a *api) qrCode(c echo.Context) (*qrcode.QRCode, query, error) {
	ref, err := surveyParam(c)
	if err != nil {
		return nil, nil, err
	}
	link, err := a.Store.OpenLink(c.Request().Context(), caller(c), ref)
	if err != nil {
		return nil, nil, err
	}
	q := queryOf(c)
	var p survey.Problems
	attributes := q.attributes(&p)
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		if !slices.Contains(link.Attributes, name) {
			p.Add("attributes."+name, "unknown", "is not among the link's attributes; add it there first (PUT /v1/surveys/{id}/open-link)")
		}
	}
	if err := p.Err(); err != nil {
		return nil, nil, err
	}
	code, err := qrcode.New(a.openURL(link, survey.ByQR, attributes), qrcode.High)
	if err != nil {
		return nil, nil, survey.Errorf(survey.Invalid, "attributes", "are too long for a code; use shorter values")
	}
	return code, q, nil
}

// qrSVG draws the dark squares as one path, each run of them in a row at once.
// The quiet zone is part of the bitmap.
func qrSVG(rows [][]bool) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" shape-rendering="crispEdges">`+
		`<rect width="100%%" height="100%%" fill="#fff"/><path fill="#000" d="`, len(rows), len(rows))
	for y, row := range rows {
		for x := 0; x < len(row); x++ {
			from := x
			for x < len(row) && row[x] {
				x++
			}
			if x > from {
				fmt.Fprintf(&b, "M%d %dh%dv1h-%dz", from, y, x-from, x-from)
			}
		}
	}
	b.WriteString(`"/></svg>` + "\n")
	return b.Bytes()
}
