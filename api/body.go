package api

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"koe/survey"
)

// body says what an operation reads.
type body int

const (
	noBody     body = iota
	jsonBody        // one JSON object, at most 1 MB
	listBody        // a JSON object with a list of many, at most 8 MB
	patchBody       // a JSON merge patch, at most 1 MB
	bareBody        // nothing, or an empty JSON object: the path says it all
	csvBody         // a CSV file, at most 8 MB
	rowsBody        // CSV or JSON lines of any length, read by the handler while they arrive
	imageBody       // a picture, at most 1 MB
	reportBody      // JSON as a mail provider posts it, at most 1 MB
	formBody        // what a browser or a mail program posts, at most 256 KB
	anyBody         // nothing, JSON or a form, whatever Content-Type there is: for clients of Delighted's, at most 1 MB
)

const (
	mediaJSON  = "application/json"
	mediaPatch = "application/merge-patch+json"
	mediaCSV   = "text/csv"
	mediaLines = "application/x-ndjson"
	mediaText  = "text/plain"
	mediaForm  = "application/x-www-form-urlencoded"
	mediaParts = "multipart/form-data"
)

func (b body) media() []string {
	switch b {
	case patchBody:
		return []string{mediaJSON, mediaPatch}
	case csvBody:
		return []string{mediaCSV}
	case rowsBody:
		return []string{mediaCSV, mediaLines}
	case imageBody:
		return []string{"image/png", "image/jpeg", "image/gif", "image/webp"}
	case formBody:
		return []string{mediaForm, mediaParts}
	case anyBody:
		return []string{mediaJSON, mediaForm}
	case reportBody: // SNS calls its JSON a text
		return []string{mediaJSON, mediaText}
	}
	return []string{mediaJSON}
}

func (b body) limit() int64 {
	switch b {
	case listBody, csvBody:
		return 8 << 20
	case formBody:
		return 256 << 10
	}
	return 1 << 20
}

// thing is what a body is, for people.
func (b body) thing() string {
	switch b {
	case csvBody:
		return "a CSV file"
	case imageBody:
		return "a picture"
	}
	return "a JSON object"
}

// optional is true where nothing at all will do.
func (b body) optional() bool { return b == bareBody || b == formBody || b == anyBody }

// bodyKey is where a request keeps the bytes that came.
const bodyKey = "body"

// rawBody is what came, byte for byte.
func rawBody(c echo.Context) []byte {
	raw, _ := c.Get(bodyKey).([]byte)
	return raw
}

// readBody reads what came into memory, once, and refuses what the operation
// does not read. Whoever comes later finds it in rawBody, and again as the
// request's body.
func readBody(c echo.Context, b body) error {
	if b == noBody {
		return nil
	}
	request := c.Request()
	if b == rowsBody {
		return checkMedia(request, b)
	}
	if request.ContentLength > b.limit() {
		return tooLarge(b)
	}
	var raw bytes.Buffer
	// what a client says of its length is not believed before the bytes are here
	raw.Grow(int(min(max(request.ContentLength, 512), 64<<10)))
	_, err := raw.ReadFrom(http.MaxBytesReader(c.Response(), request.Body, b.limit()))
	var over *http.MaxBytesError
	switch {
	case errors.As(err, &over):
		return tooLarge(b)
	case err != nil:
		return survey.Errorf(survey.Malformed, "", "the body did not arrive in full")
	case raw.Len() == 0 && b.optional():
		return nil
	case raw.Len() == 0:
		return survey.Errorf(survey.Malformed, "", "the body is empty; send %s", b.thing())
	}
	if err := checkMedia(request, b); err != nil {
		return err
	}
	c.Set(bodyKey, raw.Bytes())
	request.Body = io.NopCloser(bytes.NewReader(raw.Bytes()))
	return nil
}

// maxDrain is how much of a refused body is still read: twice the most that
// koe takes.
const maxDrain = 16 << 20

// drain reads what is left of a refused body, before the answer. Many clients
// write all of it before they read, and would be cut off by a connection that
// closes over unread bytes, never to see why. A client that waits for
// 100 Continue has not begun to write.
func drain(r *http.Request) {
	if r.ContentLength > 0 && r.Header.Get("Expect") != "" {
		return
	}
	_, _ = io.CopyN(io.Discard, r.Body, maxDrain) // one that ends early, or too late, is refused all the same
}

func tooLarge(b body) error {
	return survey.Errorf(survey.TooLarge, "", "the body must be at most %d KB", b.limit()>>10)
}

func checkMedia(request *http.Request, b body) error {
	wrong := survey.Errorf(survey.WrongMedia, "", "send %s", strings.Join(b.media(), " or "))
	if encoding := request.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		return survey.Errorf(survey.WrongMedia, "", "send the body without Content-Encoding")
	}
	if b == anyBody && request.Header.Get("Content-Type") == "" {
		return nil
	}
	media, parameters, err := mime.ParseMediaType(request.Header.Get("Content-Type"))
	if err != nil || len(request.Header.Values("Content-Type")) != 1 || !slices.Contains(b.media(), media) {
		return wrong
	}
	if charset, ok := parameters["charset"]; ok && !strings.EqualFold(charset, "utf-8") {
		return survey.Errorf(survey.WrongMedia, "", "send the body in UTF-8")
	}
	return nil
}
