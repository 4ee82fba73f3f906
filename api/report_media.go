package api

import (
	"bytes"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"koe/survey"
)

// mediaNames are how format= calls what reports go out as.
var mediaNames = map[string]string{mediaJSON: "json", mediaCSV: "csv", mediaSVG: "svg"}

// reportMedia is the media type in which a report goes out, of those offered:
// what format= names, else what the Accept header likes best, else the first.
func reportMedia(c echo.Context, offered ...string) (string, error) {
	names := make([]string, len(offered))
	for i, media := range offered {
		names[i] = mediaNames[media]
	}
	format, err := queryOf(c).oneOf("format", names...)
	if err != nil {
		return "", err
	}
	if at := slices.Index(names, format); at >= 0 {
		return offered[at], nil
	}
	media, ok := preferred(c.Request().Header.Values("Accept"), offered...)
	if !ok {
		return "", survey.Errorf(survey.NotAcceptable, "", "this report is there as %s; Accept allows none of them", strings.Join(offered, ", "))
	}
	return media, nil
}

// preferred is the media type of those offered that an Accept header gives the
// most weight, the first among equals (RFC 9110, 12.5.1); false where it
// excludes all of them. What cannot be read in the header is passed over.
func preferred(accept []string, offered ...string) (string, bool) {
	ranges := map[string]float64{}
	for part := range strings.SplitSeq(strings.Join(accept, ","), ",") {
		name, parameters, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		weight := 1.0
		if q, given := parameters["q"]; given {
			if weight, err = strconv.ParseFloat(q, 64); err != nil {
				continue
			}
		}
		ranges[name] = weight
	}
	if len(ranges) == 0 {
		return offered[0], true
	}
	best, most := "", 0.0
	for _, media := range offered {
		kind, _, _ := strings.Cut(media, "/")
		for _, name := range []string{media, kind + "/*", "*/*"} {
			if weight, named := ranges[name]; named {
				if weight > most {
					best, most = media, weight
				}
				break
			}
		}
	}
	return best, best != ""
}

// sendReport sends a report as JSON, or as a CSV file of this name.
func sendReport(c echo.Context, media, name string, report interface{ WriteCSV(io.Writer) error }) error {
	c.Response().Header().Set("Vary", "Accept")
	if media != mediaCSV {
		return send(c, okay(report, ""))
	}
	var b bytes.Buffer
	if err := report.WriteCSV(&b); err != nil {
		return err
	}
	c.Response().Header().Set("Content-Disposition", `attachment; filename="`+name+`.csv"`)
	return write(c, http.StatusOK, mediaCSV+"; charset=utf-8", b.Bytes())
}
