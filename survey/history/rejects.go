package history

import (
	"encoding/csv"
	"io"
	"slices"
	"strings"
)

// Rejects writes rows that were rejected into a file of the same form, which can
// be mended and imported again. In CSV a last column says why; it is ignored
// then.
type Rejects struct {
	w      io.Writer
	csv    *csv.Writer // nil for JSON lines
	header []string    // of the file that the rows come from
	kept   int         // how many columns of it are written
}

// reasonColumn is the last column of a file of rejected rows.
const reasonColumn = "rejected_because"

// Rejects begins a file for rows of r.
func (r *Reader) Rejects(w io.Writer) (*Rejects, error) {
	if r.header == nil {
		return &Rejects{w: w}, nil
	}
	x := &Rejects{csv: csv.NewWriter(w), header: r.header, kept: len(r.header)}
	if x.header[x.kept-1] == reasonColumn && x.kept > 1 {
		x.kept--
	}
	return x, x.csv.Write(append(slices.Clone(x.header[:x.kept]), reasonColumn))
}

// Add writes a row as it was. A row that did not fit its header does not fit
// this one either, until it is mended.
func (x *Rejects) Add(e Entry, why Rejection) error {
	if x.csv == nil {
		_, err := io.WriteString(x.w, e.raw[0]+"\n")
		return err
	}
	cells, again := e.raw, x.kept < len(x.header)
	switch fits := len(cells) >= len(x.header) && strings.Join(cells[len(x.header):], "") == ""; {
	case fits:
		cells = cells[:x.kept]
	case again: // it has its reason already
		return x.csv.Write(cells)
	}
	reason := why.Reason
	if why.Field != "" {
		reason = why.Field + ": " + reason
	}
	return x.csv.Write(append(slices.Clone(cells), reason))
}

// Flush writes what is still held back.
func (x *Rejects) Flush() error {
	if x.csv == nil {
		return nil
	}
	x.csv.Flush()
	return x.csv.Error()
}
