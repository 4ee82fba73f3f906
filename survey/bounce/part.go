package bounce

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"mime/quotedprintable"
	"strings"
)

// fields are the header fields of a message, a part or a report by their names
// in lower case, in the order they came. They are read more patiently than
// net/mail does: a line that is no field is passed over.
type fields map[string][]string

// first is a field's first value, without surrounding space.
func (f fields) first(name string) string {
	if values := f[name]; len(values) > 0 {
		return strings.TrimSpace(values[0])
	}
	return ""
}

// maxFields bounds one header: 256 KB are far more than a server lets pass.
const maxFields = 256 << 10

// readFields reads the fields up to the first empty line, and returns what is
// behind it.
func readFields(text []byte) (f fields, body []byte) {
	f = fields{}
	name := ""
	for read := 0; len(text) > 0; {
		line, rest, _ := bytes.Cut(text, []byte("\n"))
		line = bytes.TrimSuffix(line, []byte("\r"))
		text = rest
		if len(line) == 0 {
			break
		}
		if read += len(line); read > maxFields {
			continue
		}
		if line[0] == ' ' || line[0] == '\t' {
			if last := len(f[name]) - 1; last >= 0 {
				f[name][last] += " " + clean(bytes.TrimSpace(line))
			}
			continue
		}
		label, value, ok := bytes.Cut(line, []byte(":"))
		if !ok || bytes.ContainsAny(label, " \t") && !bytes.Equal(bytes.TrimSpace(label), bytes.TrimRight(label, " \t")) {
			name = ""
			continue
		}
		name = strings.ToLower(clean(bytes.TrimSpace(label)))
		f[name] = append(f[name], clean(bytes.TrimSpace(value)))
	}
	return f, text
}

// clean is text that may be kept, whatever it was written in.
func clean(text []byte) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(string(text), "\uFFFD"))
}

// media is what a part holds, such as "message/delivery-status", and the
// parameters beside it. A broken field is read as far as it goes.
func (f fields) media() (string, map[string]string) {
	text := f.first("content-type")
	kind, parameters, err := mime.ParseMediaType(text)
	if err != nil && kind == "" {
		kind, _, _ = strings.Cut(text, ";")
		kind = strings.ToLower(strings.TrimSpace(kind))
	}
	return kind, parameters
}

// decoded takes the transfer encoding off. What is cut off or broken is what
// came before.
func (f fields) decoded(body []byte) []byte {
	var in io.Reader
	switch strings.ToLower(f.first("content-transfer-encoding")) {
	case "base64":
		in = base64.NewDecoder(base64.StdEncoding, bytes.NewReader(body))
	case "quoted-printable":
		in = quotedprintable.NewReader(bytes.NewReader(body))
	default:
		return narrow(body)
	}
	text, _ := io.ReadAll(in) // what could be read is all there is
	return narrow(text)
}

// narrow makes ASCII of ASCII that was written with two bytes a letter.
func narrow(text []byte) []byte {
	if len(text) > 1 && (text[0] == 0xff && text[1] == 0xfe || text[0] == 0xfe && text[1] == 0xff) {
		text = text[2:]
	}
	if bytes.IndexByte(text, 0) < 0 {
		return text
	}
	return bytes.ReplaceAll(text, []byte{0}, nil)
}

// maxParts bounds one multipart; a report has three.
const maxParts = 100

// split cuts a multipart body at its boundary; "" is whatever its first line
// of two dashes says.
func split(body []byte, boundary string) (parts [][]byte) {
	begin := -1
	for at := 0; at < len(body) && len(parts) < maxParts; {
		end := bytes.IndexByte(body[at:], '\n')
		next := len(body)
		if end >= 0 {
			next = at + end + 1
		}
		line := strings.TrimRight(string(body[at:min(next, at+200)]), " \t\r\n")
		if boundary == "" && strings.HasPrefix(line, "--") && len(line) > 2 {
			boundary = line[2:]
		}
		if boundary != "" && (line == "--"+boundary || line == "--"+boundary+"--") {
			if begin >= 0 {
				parts = append(parts, body[begin:at])
			}
			if begin = next; strings.HasSuffix(line, boundary+"--") {
				return parts
			}
		}
		at = next
	}
	if begin >= 0 && begin < len(body) && len(parts) < maxParts {
		parts = append(parts, body[begin:]) // cut off
	}
	return parts
}
