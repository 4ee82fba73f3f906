package history

import (
	"bytes"
	"errors"
	"io"
	"unicode/utf8"

	"koe/survey"
)

// Limits of one record: a file that lost a quote or its line ends must be an
// error and not all of the memory.
const (
	maxRecord  = 1 << 20 // bytes, of CSV and of JSON lines
	maxColumns = 1000
)

// cutter cuts CSV into records as RFC 4180 says, and a little more: lines end
// with LF, CRLF or CR, lines without a byte are passed over, and a quote inside
// a cell that does not begin with one is a character as any other. It holds one
// record and one buffer, checks that what it reads is UTF-8, and names lines as
// an editor does, counting those inside quotes.
type cutter struct {
	in    *utf8Reader
	comma byte
	line  int // of the next byte, from 1

	afterCR bool   // the last byte of quoted text was a CR
	open    bool   // the file ended before the record's line did
	record  []byte // the cells of a record, one behind the other
	ends    []int  // where each cell ends in record
}

// newCutter passes over a byte order mark and finds the delimiter: the first of
// comma, semicolon and tab that the header has outside of quotes.
func newCutter(r io.Reader) (*cutter, error) {
	c := &cutter{in: newUTF8Reader(r), line: 1}
	err := c.in.peek(func(head []byte) (whole bool) {
		c.comma, whole = delimiter(head)
		return whole
	})
	if err != nil {
		return nil, c.readError(err)
	}
	return c, nil
}

// delimiter looks at the first line of head alone; whole is false where it does
// not end in head.
func delimiter(head []byte) (comma byte, whole bool) {
	var seen [256]bool
	quoted := false
	for _, b := range head {
		if b == '"' {
			quoted = !quoted
		}
		if whole = !quoted && (b == '\n' || b == '\r'); whole {
			break
		}
		seen[b] = seen[b] || !quoted
	}
	for _, b := range []byte{',', ';', '\t'} {
		if seen[b] {
			return b, whole
		}
	}
	return ',', whole
}

// next returns the cells of the next record and the line on which it begins;
// io.EOF after the last. The cells are the caller's to keep.
func (c *cutter) next() (cells []string, line int, err error) {
	c.record, c.ends = c.record[:0], c.ends[:0]
	if err := c.skipEmptyLines(); err != nil {
		return nil, c.line, err
	}
	line = c.line
	for more := true; more; {
		if len(c.ends) == maxColumns {
			return nil, line, survey.Errorf(survey.Malformed, "", "line %d: has more than %d columns", line, maxColumns)
		}
		if more, err = c.cell(line); err != nil {
			return nil, line, err
		}
		c.ends = append(c.ends, len(c.record))
	}
	text, from := string(c.record), 0
	cells = make([]string, len(c.ends))
	for i, end := range c.ends {
		cells[i], from = text[from:end], end
	}
	return cells, line, nil
}

func (c *cutter) skipEmptyLines() error {
	for {
		b, err := c.in.first()
		if err != nil {
			return c.readError(err)
		}
		if b != '\n' && b != '\r' {
			return nil
		}
		if err := c.endLine(); err != nil {
			return err
		}
	}
}

// cell reads one cell and what ends it; more is false at the end of a record.
func (c *cutter) cell(from int) (more bool, err error) {
	b, err := c.in.first()
	if err == nil && b == '"' {
		if err := c.quoted(from); err != nil {
			return false, err
		}
	} else if err == nil {
		err = c.plain(from)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return false, c.readError(err)
	}
	switch b, err = c.in.first(); {
	case errors.Is(err, io.EOF):
		c.open = true
		return false, nil
	case err != nil:
		return false, c.readError(err)
	case b == c.comma:
		c.in.drop(1)
		return true, nil
	case b == '\n' || b == '\r':
		return false, c.endLine()
	}
	return false, survey.Errorf(survey.Malformed, "",
		`line %d: a quoted cell has text behind its last quote; a quote inside of a quoted cell is written twice ("")`, c.line)
}

// plain reads up to a delimiter or the end of the line.
func (c *cutter) plain(from int) error {
	for {
		window, err := c.in.window()
		if err != nil {
			return err
		}
		n := 0
		for n < len(window) && window[n] != c.comma && window[n] != '\n' && window[n] != '\r' {
			n++
		}
		if err := c.keep(window[:n], from); err != nil {
			return err
		}
		c.in.drop(n)
		if n < len(window) {
			return nil
		}
	}
}

// quoted reads what stands between quotes, and the quotes.
func (c *cutter) quoted(from int) error {
	opened := c.line
	c.in.drop(1)
	for {
		window, err := c.in.window()
		if errors.Is(err, io.EOF) {
			return survey.Errorf(survey.Malformed, "", "line %d: a quote opens here and never closes; is the file cut off?", opened)
		}
		if err != nil {
			return c.readError(err)
		}
		n := bytes.IndexByte(window, '"')
		if n < 0 {
			n = len(window)
		}
		if err := c.keep(window[:n], from); err != nil {
			return survey.Errorf(survey.Malformed, "", "%s; is the quote that opens on line %d ever closed?", err, opened)
		}
		c.countLines(window[:n])
		c.in.drop(n)
		if n == len(window) {
			continue
		}
		c.in.drop(1)
		c.afterCR = false
		b, err := c.in.first()
		if err != nil && !errors.Is(err, io.EOF) {
			return c.readError(err)
		}
		if b != '"' { // at the end of the file it is 0
			return nil
		}
		c.in.drop(1)
		c.record = append(c.record, '"')
	}
}

// countLines counts the line ends in a piece of quoted text: CRLF, LF and CR,
// where a CRLF may lie across two pieces.
func (c *cutter) countLines(text []byte) {
	for _, b := range text {
		if b == '\r' || b == '\n' && !c.afterCR {
			c.line++
		}
		c.afterCR = b == '\r'
	}
}

func (c *cutter) keep(text []byte, from int) error {
	if len(c.record)+len(text) > maxRecord {
		return survey.Errorf(survey.Malformed, "", "line %d: a record of more than %d bytes", from, maxRecord)
	}
	c.record = append(c.record, text...)
	return nil
}

// endLine passes over CRLF, LF or CR.
func (c *cutter) endLine() error {
	c.line++
	b, err := c.in.first()
	if err != nil {
		return c.readError(err)
	}
	c.in.drop(1)
	if b == '\n' {
		return nil
	}
	if b, err = c.in.first(); err == nil && b == '\n' {
		c.in.drop(1)
	}
	return nil // an error comes again
}

// readError adds the line to a byte that is no UTF-8.
func (c *cutter) readError(err error) error {
	var bad notUTF8
	if errors.As(err, &bad) {
		return bad.onLine(c.line)
	}
	return err
}

// utf8Reader is a buffer before a reader that ends where the first byte stands
// that is not UTF-8, with an error that says where.
type utf8Reader struct {
	r        io.Reader
	buffer   []byte
	from, to int   // what was checked and not yet dropped
	read     int   // how far the buffer is filled: a rune may wait for its end
	offset   int64 // in the file, of buffer[0]
	err      error // what comes once [from, to) is dropped
}

// notUTF8 is a byte of a file, counted from 0.
type notUTF8 struct {
	offset int64
	value  byte
}

func (notUTF8) Error() string { return "not UTF-8" }

func (bad notUTF8) onLine(line int) error {
	return survey.Errorf(survey.Malformed, "",
		"line %d: byte %d of the file (0x%02X) is not UTF-8; save the file as UTF-8", line, bad.offset+1, bad.value)
}

const bufferSize = 64 << 10

func newUTF8Reader(r io.Reader) *utf8Reader {
	return &utf8Reader{r: r, buffer: make([]byte, bufferSize)}
}

// peek passes over a byte order mark and shows what comes first, until that is
// enough, or all that fits into the buffer.
func (u *utf8Reader) peek(enough func([]byte) bool) error {
	const mark = "\uFEFF"
	for {
		if u.from == 0 && bytes.HasPrefix(u.buffer[:u.to], []byte(mark)) {
			u.from = len(mark)
		}
		if enough(u.buffer[u.from:u.to]) || u.err != nil || u.read == len(u.buffer) {
			break
		}
		u.more()
	}
	if u.from == u.to && !errors.Is(u.err, io.EOF) {
		return u.err
	}
	return nil
}

// window is what can be read at once: at least a byte, or an error.
func (u *utf8Reader) window() ([]byte, error) {
	for u.from == u.to {
		if u.err != nil {
			return nil, u.err
		}
		u.fill()
	}
	return u.buffer[u.from:u.to], nil
}

func (u *utf8Reader) first() (byte, error) {
	if u.from < u.to {
		return u.buffer[u.from], nil
	}
	window, err := u.window()
	if err != nil {
		return 0, err
	}
	return window[0], nil
}

func (u *utf8Reader) drop(n int) { u.from += n }

// fill makes room and reads once.
func (u *utf8Reader) fill() {
	copy(u.buffer, u.buffer[u.from:u.read])
	u.offset += int64(u.from)
	u.from, u.to, u.read = 0, u.to-u.from, u.read-u.from
	u.more()
}

// more reads once, and checks what came.
func (u *utf8Reader) more() {
	n, err := u.r.Read(u.buffer[u.read:])
	u.read += n
	for rest := u.buffer[u.to:u.read]; len(rest) > 0; rest = u.buffer[u.to:u.read] {
		if valid := validPrefix(rest); valid > 0 {
			u.to += valid
			continue
		}
		if err == nil && !utf8.FullRune(rest) {
			return // its end comes with the next bytes
		}
		err = notUTF8{u.offset + int64(u.to), rest[0]}
		break
	}
	u.err = err
}

// validPrefix is how many bytes at the beginning of b are UTF-8 for certain.
func validPrefix(b []byte) int {
	if utf8.Valid(b) {
		return len(b)
	}
	n := 0
	for n < len(b) {
		r, size := utf8.DecodeRune(b[n:])
		if r == utf8.RuneError && size <= 1 {
			break
		}
		n += size
	}
	return n
}
