package history

import (
	"errors"
	"io"
	"strconv"
	"strings"

	"koe/survey"
)

// Table is a CSV file with a header, read one row at a time. The delimiter is
// the first of comma, semicolon and tab that the header has; a byte order mark,
// LF, CRLF and CR, line ends inside of quotes and a missing last line end are
// all fine. A row is at most 1 MB and 1,000 columns.
//
// The errors of NewTable and Next that are of the file are Malformed and name
// the line: bytes that are not UTF-8 (with the byte), a quote that never closes,
// text behind a closing quote, a row too long. After one nothing more can be
// read.
type Table struct {
	cut    *cutter
	header []string
}

// Row is one row of a table.
type Row struct {
	Line  int // where the row begins, from 1
	Cells []string
	Fault string // why the row does not fit the header; "" where it does
	Open  bool   // the file ended before the row's line did
}

// NewTable reads the header. Blanks around names do not count.
func NewTable(r io.Reader) (*Table, error) {
	cut, err := newCutter(r)
	if err != nil {
		return nil, err
	}
	header, _, err := cut.next()
	if errors.Is(err, io.EOF) {
		return nil, survey.Errorf(survey.Malformed, "", "the file is empty: it must begin with a line that names its columns")
	}
	if err != nil {
		return nil, err
	}
	for i := range header {
		header[i] = strings.TrimSpace(header[i])
	}
	return &Table{cut, header}, nil
}

// Header are the names of the columns.
func (t *Table) Header() []string { return t.header }

// Column finds a column by its name: as it is written, else in any case. The
// error is Invalid on field, which is what the column was wanted for, and lists
// the columns that there are.
func (t *Table) Column(field, name string) (int, error) {
	name = strings.TrimSpace(name)
	found := -1
	for _, same := range []func(a, b string) bool{func(a, b string) bool { return a == b }, strings.EqualFold} {
		for i, column := range t.header {
			if !same(column, name) {
				continue
			}
			if found >= 0 {
				return 0, survey.Errorf(survey.Invalid, field, "the column %q is there twice; rename one", name)
			}
			found = i
		}
		if found >= 0 {
			return found, nil
		}
	}
	return 0, survey.Errorf(survey.Invalid, field, "there is no column %q; there are: %s", name, t.columns())
}

// columns lists the header for people, at a length that they read.
func (t *Table) columns() string {
	const most = 2000
	list := strings.Join(t.header, ", ")
	if len(list) > most {
		cut := strings.LastIndexByte(list[:most], ',')
		list = list[:max(cut, 0)] + ", …"
	}
	return list
}

// Next returns the next row; io.EOF after the last. A row that has fewer cells
// than the header, or more that are not empty, has a Fault.
func (t *Table) Next() (Row, error) {
	cells, line, err := t.cut.next()
	if err != nil {
		return Row{Line: line}, err
	}
	row := Row{Line: line, Cells: cells, Open: t.cut.open}
	if len(cells) < len(t.header) || strings.Join(cells[len(t.header):], "") != "" {
		row.Fault = misfit(len(cells), len(t.header))
	}
	return row, nil
}

func misfit(cells, columns int) string {
	return "the row has " + cellsOf(cells) + ", the header " + cellsOf(columns) + "; is a quote or a delimiter missing?"
}

func cellsOf(n int) string {
	if n == 1 {
		return "1 column"
	}
	return strconv.Itoa(n) + " columns"
}
