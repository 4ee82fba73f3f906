package history

import (
	"errors"
	"io"

	"koe/survey"
)

// Objects cuts a file of JSON into its objects, one at a time: those of a list,
// of several lists one behind the other, or one a line. A byte order mark is
// passed over; an object is at most 1 MB.
//
// The errors of Next that are of the file are Malformed and name the line: bytes
// that are not UTF-8, something else than objects, a list or an object that
// never ends. After one nothing more can be read.
type Objects struct {
	in     *utf8Reader
	begun  bool
	line   int // of the next byte, from 1
	opened int // where the list begins that is being read; 0 outside of one
	text   []byte
}

// NewObjects begins to read.
func NewObjects(r io.Reader) *Objects { return &Objects{in: newUTF8Reader(r), line: 1} }

// Next returns the text of the next object, which is good until Next is called
// again, and the line on which it begins; io.EOF after the last.
func (o *Objects) Next() (text []byte, line int, err error) {
	if !o.begun {
		o.begun = true
		if err := o.in.peek(func(head []byte) bool { return len(head) > 0 }); err != nil {
			return nil, o.line, o.readError(err)
		}
	}
	if err := o.toObject(); err != nil {
		return nil, o.line, err
	}
	line = o.line
	err = o.object()
	return o.text, line, err
}

// toObject passes over what stands between objects.
func (o *Objects) toObject() error {
	for {
		b, err := o.in.first()
		if errors.Is(err, io.EOF) && o.opened > 0 {
			return survey.Errorf(survey.Malformed, "", "line %d: a list begins here and never ends; is the file cut off?", o.opened)
		}
		if err != nil {
			return o.readError(err)
		}
		switch {
		case b == '{':
			return nil
		case b == '\n':
			o.line++
		case b == '[' && o.opened == 0:
			o.opened = o.line
		case b == ']' && o.opened > 0:
			o.opened = 0
		case b == ' ', b == '\t', b == '\r', b == ',' && o.opened > 0:
		default:
			return survey.Errorf(survey.Malformed, "", "line %d: %q is not where a JSON object begins; the file must hold a list of objects, or one a line", o.line, b)
		}
		o.in.drop(1)
	}
}

// object reads up to the bracket that ends what one begins.
func (o *Objects) object() error {
	o.text = o.text[:0]
	begun, depth, quoted, escaped := o.line, 0, false, false
	for {
		window, err := o.in.window()
		if errors.Is(err, io.EOF) {
			return survey.Errorf(survey.Malformed, "", "line %d: an object begins here and never ends; is the file cut off?", begun)
		}
		if err != nil {
			return o.readError(err)
		}
		n := 0
		for ended := false; n < len(window) && !ended; n++ {
			switch b := window[n]; {
			case b == '\n':
				o.line++
			case escaped:
				escaped = false
			case b == '\\':
				escaped = quoted
			case b == '"':
				quoted = !quoted
			case quoted:
			case b == '{' || b == '[':
				depth++
			case b == '}' || b == ']':
				depth--
				ended = depth == 0
			}
		}
		if len(o.text)+n > maxRecord {
			return survey.Errorf(survey.Malformed, "", "line %d: an object of more than %d bytes", begun, maxRecord)
		}
		o.text = append(o.text, window[:n]...)
		o.in.drop(n)
		if depth == 0 {
			return nil
		}
	}
}

func (o *Objects) readError(err error) error {
	var bad notUTF8
	if errors.As(err, &bad) {
		return bad.onLine(o.line)
	}
	return err
}
