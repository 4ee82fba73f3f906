package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"koe/survey/delighted"
)

// delightedFile is a file of an export.
type delightedFile struct {
	path string
	hash []byte
	rows map[delighted.Kind]int64
}

// findExport lists the files that were named, and those of folders that may
// hold records. What lies in a folder under another ending is passed over.
func findExport(paths []string) (files []*delightedFile, passed []string, err error) {
	for _, path := range paths {
		if err := filepath.WalkDir(path, func(at string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case at != path && strings.HasPrefix(entry.Name(), "."):
				if entry.IsDir() {
					return filepath.SkipDir
				}
			case entry.IsDir():
			case at == path || slices.Contains(exportEndings, strings.ToLower(filepath.Ext(at))):
				files = append(files, &delightedFile{path: at})
			default:
				passed = append(passed, at)
			}
			return nil
		}); err != nil {
			return nil, nil, err
		}
	}
	if len(files) == 0 {
		return nil, nil, fmt.Errorf("%s: there is no file with one of the endings %s", strings.Join(paths, ", "), strings.Join(exportEndings, " "))
	}
	return files, passed, nil
}

var exportEndings = []string{".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson"}

// export are the files of one import, read record by record.
type export struct {
	files   []*delightedFile
	options delighted.Options
}

// inspect reads every file to its end before anything is kept of them: one that
// is cut off or not understood ends the import.
func (x *export) inspect(ctx context.Context, each func(file string, r delighted.Record)) error {
	for _, f := range x.files {
		if err := x.inspectFile(ctx, f, each); err != nil {
			return fmt.Errorf("%s: %w", f.path, err)
		}
	}
	// in an order of their own, so that an import that was cut off goes on
	// wherever the files lie and however they are called
	slices.SortStableFunc(x.files, func(a, b *delightedFile) int { return bytes.Compare(a.hash, b.hash) })
	return nil
}

func (x *export) inspectFile(ctx context.Context, f *delightedFile, each func(string, delighted.Record)) error {
	file, err := os.Open(f.path)
	if err != nil {
		return errors.Unwrap(err) // which would name the path again
	}
	defer func() { _ = file.Close() }() // it was only read
	sum := sha256.New()
	f.rows = map[delighted.Kind]int64{}
	in, err := delighted.Open(io.TeeReader(file, sum), x.options)
	if err != nil {
		return err
	}
	for {
		r, err := in.Next()
		if errors.Is(err, io.EOF) {
			f.hash = sum.Sum(nil)
			return nil
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		f.rows[r.Kind]++
		each(f.path, r)
	}
}

// hash is what the files together, read in this way, are known again by.
func (x *export) hash(how string) []byte {
	sum := sha256.New()
	for _, f := range x.files {
		_, _ = sum.Write(f.hash) // a hash takes everything
	}
	_, _ = io.WriteString(sum, how)
	return sum.Sum(nil)
}

// rows counts the records of a kind.
func (x *export) rows(kind delighted.Kind) (n int64) {
	for _, f := range x.files {
		n += f.rows[kind]
	}
	return n
}

// walk reads the records of one kind, file after file.
type walk struct {
	*export
	kind delighted.Kind
	path string // of the file that is being read
	at   int    // of the next file
	file *os.File
	in   *delighted.File
}

// next is io.EOF after the last record of the last file.
func (w *walk) next() (delighted.Record, error) {
	for {
		if w.in == nil {
			if w.at == len(w.files) {
				return delighted.Record{}, io.EOF
			}
			if err := w.open(); err != nil {
				return delighted.Record{}, err
			}
			continue
		}
		r, err := w.in.Next()
		switch {
		case errors.Is(err, io.EOF):
			w.close()
		case err != nil:
			return r, fmt.Errorf("%s: %w", w.path, err)
		case r.Kind == w.kind:
			return r, nil
		}
	}
}

// open begins the next file, where it has records of the kind.
func (w *walk) open() (err error) {
	f := w.files[w.at]
	w.at++
	if f.rows[w.kind] == 0 {
		return nil
	}
	w.path = f.path
	if w.file, err = os.Open(f.path); err != nil {
		return err
	}
	if w.in, err = delighted.Open(w.file, w.options); err != nil {
		w.close()
		return fmt.Errorf("%s: %w", f.path, err)
	}
	return nil
}

func (w *walk) close() {
	if w.file != nil {
		_ = w.file.Close() // it was only read
	}
	w.file, w.in = nil, nil
}
