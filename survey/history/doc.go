// Package history reads and writes answers that were taken elsewhere: CSV and
// JSON lines in, CSV and JSON lines out, one row at a time, whatever the size.
//
// It knows how such files look and what their columns mean. It knows no files,
// no database and no clock: it reads from an io.Reader and writes to an
// io.Writer. Whether an answer fits its survey is for the store to say.
package history
