package api_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"net/http"
	"strings"
	"testing"
)

// picture is a picture of one colour, see-through where alpha is 0.
func picture(width, height int, c color.Color) image.Image {
	p := image.NewNRGBA(image.Rect(0, 0, width, height))
	for i := range width * height {
		p.Set(i%width, i/width, c)
	}
	return p
}

func encoded(t *testing.T, encode func(*bytes.Buffer) error) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := encode(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func pngOf(t *testing.T, p image.Image) []byte {
	t.Helper()
	return encoded(t, func(b *bytes.Buffer) error { return png.Encode(b, p) })
}

// hugePNG says that it is of so many pixels, in a few bytes.
func hugePNG(width, height uint32) []byte {
	chunk := func(kind string, data []byte) []byte {
		b := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
		b = append(append(b, kind...), data...)
		return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
	}
	head := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, width), height)
	return append([]byte("\x89PNG\r\n\x1a\n"), append(chunk("IHDR", append(head, 8, 6, 0, 0, 0)), chunk("IDAT", []byte{0x78, 0x9c})...)...)
}

func TestTheLogo(t *testing.T) {
	s := newServer(t)
	s.survey("after", ``)
	token := s.token("after", `{}`)
	upload := func(media string, body []byte) response {
		return s.do("PUT", "/v1/workspace/logo", body, with("Content-Type", media))
	}
	blue := color.NRGBA{0, 0, 255, 255}
	s.do("GET", "/v1/workspace", nil).want(200).wantAt("logo", nil)
	made := upload("image/png", pngOf(t, picture(960, 160, blue))).want(200).wantAt("logo.width", 240.0).wantAt("logo.height", 40.0)
	address := strings.TrimPrefix(made.text("logo.url"), "https://koe.example.com")
	got := s.do("GET", address, nil, as("")).want(200)
	drawn, err := png.Decode(bytes.NewReader(got.body))
	if err != nil || drawn.Bounds() != image.Rect(0, 0, 480, 80) {
		t.Fatalf("%v, %v", drawn, err)
	}
	if h := got.header; h.Get("Content-Type") != "image/png" || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Cache-Control") != "public, max-age=31536000, immutable" {
		t.Errorf("%v", h)
	}
	s.open(token).wantPage(200, `<img class="logo" src="`+address+`" width="240" height="40" alt="Default">`)
	mail := s.do("POST", "/v1/templates/nps/preview", `{"what":"mail"}`).want(200).text("html")
	if !strings.Contains(mail, `<img src="https://koe.example.com`+address+`" width="240" height="40" alt="Default"`) {
		t.Errorf("%s", mail)
	}
	// every format, never made larger; what it was before leads to what it is now
	for media, body := range map[string][]byte{"image/jpeg": encoded(t, func(b *bytes.Buffer) error { return jpeg.Encode(b, picture(20, 10, blue), nil) }),
		"image/gif": encoded(t, func(b *bytes.Buffer) error { return gif.Encode(b, picture(20, 10, blue), nil) }),
		"image/png": pngOf(t, picture(20, 10, color.NRGBA{}))} {
		upload(media, body).want(200).wantAt("logo.width", 10.0).wantAt("logo.height", 5.0)
		if old := s.do("GET", address, nil, as("")).want(200); old.header.Get("Cache-Control") != "public, max-age=3600" {
			t.Errorf("%v", old.header)
		}
	}
	webp, err := base64.StdEncoding.DecodeString("UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA")
	if err != nil {
		t.Fatal(err)
	}
	upload("image/webp", webp).want(200).wantAt("logo.width", 1.0)
	for name, body := range map[string][]byte{"fifty megapixels": hugePNG(8000, 6250), "a strip": hugePNG(1<<31-1, 1), "no picture": []byte("hello"), "half a picture": pngOf(t, picture(99, 99, blue))[:80],
		"a script": []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`)} {
		refused := upload("image/png", body).wantProblem(422, "logo")
		if name == "fifty megapixels" && !strings.Contains(string(refused.body), "8000 by 6250 pixels") {
			t.Errorf("%s", refused.body)
		}
	}
	upload("image/svg+xml", []byte(`<svg/>`)).wantProblem(415)
	upload("image/png", nil).wantProblem(400)
	upload("image/png", make([]byte, 1<<20+1)).wantProblem(413)
	for _, path := range []string{"/logos/x.png", "/logos/" + address[len("/logos/"):len(address)-5] + "A.png", address[:len(address)-4], "/logos/.png"} {
		s.do("GET", path, nil, as("")).want(404)
	}
	s.do("DELETE", "/v1/workspace/logo", nil).want(204)
	s.do("DELETE", "/v1/workspace/logo", nil).want(204)
	s.do("GET", address, nil, as("")).want(404)
	s.open(token).wantPage(200, "<bdi>Default</bdi>").never("<img")
}

func TestTheAccent(t *testing.T) {
	s := newServer(t)
	s.survey("after", ``)
	token := s.token("after", `{}`)
	s.open(token).wantPage(200, `href="/static/page.css"`)
	s.do("PATCH", "/v1/workspace", `{"accent_color":"#FF0"}`).want(200).wantAt("accent_color", "#ffff00").wantAt("accent.dark.accent", "#ffff00").wantAt("accent.light.on_accent", "#ffffff")
	light := s.do("GET", "/v1/workspace", nil).want(200).text("accent.light.accent")
	if light == "#ffff00" {
		t.Error("yellow on white")
	}
	s.open(token).wantPage(200, `href="/brand/ffff00.css"`)
	style := s.do("GET", "/brand/ffff00.css", nil, as("")).want(200)
	if !strings.Contains(string(style.body), "--accent: "+light+";") || style.header.Get("Content-Type") != "text/css; charset=utf-8" {
		t.Errorf("%s", style.body)
	}
	if mail := s.do("POST", "/v1/templates/nps/preview", `{"what":"mail"}`).want(200).text("html"); !strings.Contains(mail, "color:"+light+";") || strings.Contains(mail, "ZgotmplZ") {
		t.Errorf("%s", mail)
	}
	for _, wrong := range []string{"red", "#12345", "#12345g", "url(x)"} {
		s.do("PATCH", "/v1/workspace", map[string]string{"accent_color": wrong}).wantProblem(422, "accent_color")
	}
	for _, path := range []string{"/brand/FFFF00.css", "/brand/ff0.css", "/brand/ffff00", "/brand/x.css"} {
		s.do("GET", path, nil, as("")).want(404)
	}
	s.do("PATCH", "/v1/workspace", `{"accent_color":null}`).want(200).wantAt("accent_color", "").wantAt("accent.light.accent", "#0b4a80")
	s.open(token, func(*http.Request) {}).wantPage(200, `href="/static/page.css"`)
}
