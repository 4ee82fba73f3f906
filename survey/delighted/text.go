package delighted

import (
	"bufio"
	"io"
	"unicode/utf16"
	"unicode/utf8"
)

// text makes UTF-8 of a file that is UTF-16, as spreadsheets save it: it is
// known by its byte order mark or by the zero beside its first letter. What
// else a file may be is left as it is.
func text(r io.Reader) *bufio.Reader {
	in := bufio.NewReaderSize(r, 64<<10)
	head, _ := in.Peek(2) // what is shorter than that is no UTF-16; an error comes again
	if len(head) < 2 {
		return in
	}
	switch {
	case head[0] == 0xFF && head[1] == 0xFE, head[0] != 0 && head[1] == 0:
		return bufio.NewReader(&utf16Reader{in: in, low: 0})
	case head[0] == 0xFE && head[1] == 0xFF, head[0] == 0 && head[1] != 0:
		return bufio.NewReader(&utf16Reader{in: in, low: 1})
	}
	return in
}

// utf16Reader reads UTF-16 as UTF-8. Half a character becomes U+FFFD; half a
// unit at the end of the file is an error.
type utf16Reader struct {
	in   *bufio.Reader
	low  int    // which byte of a unit is the lower one
	rest []byte // what is read and did not fit
	err  error  // why no more can be read
}

func (u *utf16Reader) Read(p []byte) (n int, err error) {
	for n < len(p) {
		if len(u.rest) == 0 {
			var r rune
			if u.err == nil {
				r, u.err = u.rune()
			}
			if u.err != nil {
				return n, u.err
			}
			u.rest = utf8.AppendRune(u.rest, r)
		}
		taken := copy(p[n:], u.rest)
		n, u.rest = n+taken, u.rest[taken:]
	}
	return n, nil
}

func (u *utf16Reader) rune() (rune, error) {
	first, err := u.unit()
	if err != nil || !utf16.IsSurrogate(first) {
		return first, err
	}
	if second, err := u.peek(); err == nil {
		if r := utf16.DecodeRune(first, second); r != utf8.RuneError {
			_, err = u.unit()
			return r, err
		}
	}
	return utf8.RuneError, nil
}

func (u *utf16Reader) unit() (rune, error) {
	var b [2]byte
	if _, err := io.ReadFull(u.in, b[:]); err != nil {
		return 0, err
	}
	return rune(b[u.low]) | rune(b[1-u.low])<<8, nil
}

func (u *utf16Reader) peek() (rune, error) {
	b, err := u.in.Peek(2)
	if err != nil {
		return 0, err
	}
	return rune(b[u.low]) | rune(b[1-u.low])<<8, nil
}
