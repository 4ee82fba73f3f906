package history

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"koe/survey"
)

// dataFile opens a file of the reference data, which lies in the folder that
// KOE_TEST_DATA names.
func dataFile(t testing.TB, name string) *os.File {
	t.Helper()
	folder := os.Getenv("KOE_TEST_DATA")
	if folder == "" {
		if os.Getenv("KOE_TEST_MUST") == "1" {
			t.Fatal("KOE_TEST_DATA is not set, but KOE_TEST_MUST is 1")
		}
		t.Skip("KOE_TEST_DATA is not set: it names the folder with data/" + name)
	}
	f, err := os.Open(filepath.Join(folder, "data", name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

var dataFiles = []string{"nps_bank_2021.csv", "sfo_survey_2016.csv", "sfo_survey_2017.csv", "csat_callcenter_2021q1.csv", "synth_10k_seed1.csv"}

// records cuts everything.
func records(r io.Reader) (all [][]string, lines []int, err error) {
	c, err := newCutter(r)
	if err != nil {
		return nil, nil, err
	}
	for {
		cells, line, err := c.next()
		if errors.Is(err, io.EOF) {
			return all, lines, nil
		}
		if err != nil {
			return all, lines, err
		}
		all, lines = append(all, cells), append(lines, line)
	}
}

// TestCutterAgreesWithTheStandardLibrary cell by cell, and line by line.
func TestCutterAgreesWithTheStandardLibrary(t *testing.T) {
	for _, name := range dataFiles {
		t.Run(name, func(t *testing.T) {
			whole, err := io.ReadAll(dataFile(t, name))
			if err != nil {
				t.Fatal(err)
			}
			agrees(t, whole)
			ours, lines, err := records(iotest.HalfReader(bytes.NewReader(whole)))
			theirs, at, err2 := standard(whole)
			if err != nil || err2 != nil || len(ours) != len(theirs) || len(ours) < 2000 {
				t.Fatal(len(ours), len(theirs), err, err2)
			}
			if !slices.Equal(lines, at) {
				t.Error("the lines differ")
			}
		})
	}
}

func standard(whole []byte) (all [][]string, lines []int, err error) {
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(whole, []byte("\uFEFF"))))
	r.FieldsPerRecord = -1
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			return all, lines, nil
		}
		if err != nil {
			return all, lines, err
		}
		line, _ := r.FieldPos(0)
		all, lines = append(all, cells), append(lines, line)
	}
}

// agrees compares with encoding/csv, which makes LF of a CRLF inside quotes.
func agrees(t *testing.T, whole []byte) {
	t.Helper()
	theirs, _, theirErr := standard(whole)
	ours, _, err := records(iotest.OneByteReader(bytes.NewReader(whole)))
	if theirErr != nil {
		if err == nil && !strings.Contains(theirErr.Error(), "bare") {
			t.Errorf("%q: they say %v, we nothing", whole, theirErr)
		}
		return
	}
	if err != nil {
		t.Fatalf("%q: we say %v, they nothing", whole, err)
	}
	same := func(a, b []string) bool {
		return slices.EqualFunc(a, b, func(a, b string) bool { return strings.ReplaceAll(a, "\r\n", "\n") == b })
	}
	if !slices.EqualFunc(ours, theirs, same) {
		t.Errorf("%q:\nours   %q\ntheirs %q", whole, ours, theirs)
	}
}

func FuzzCutter(f *testing.F) {
	for _, s := range []string{"a,b\n1,2\n", "a;b\r\n\"x;y\";2", "a\tb\n\"\"\"q\"\"\"\t\n", "a\r\"b\rc\"\r", "\uFEFFa,,\n\n\"\r\n\",x", "a\n\"b", "a\n\"b\"c", "日本,🙂\n\xff", "\"\"\"\nacbb\"\tacbb\"c"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, whole []byte) {
		ours, lines, err := records(bytes.NewReader(whole))
		slow, slowLines, slowErr := records(iotest.OneByteReader(bytes.NewReader(whole)))
		if !slices.EqualFunc(ours, slow, slices.Equal[[]string]) || !slices.Equal(lines, slowLines) || (err == nil) != (slowErr == nil) {
			t.Fatalf("%q: %q %v %v at once, %q %v %v in pieces", whole, ours, lines, err, slow, slowLines, slowErr)
		}
		var known *survey.Error
		if err != nil && !errors.As(err, &known) {
			t.Fatalf("%q: %v", whole, err)
		}
		head := bytes.TrimPrefix(whole, []byte("\uFEFF"))
		alone := bytes.ReplaceAll(whole, []byte("\r\n"), nil)
		if comma, _ := delimiter(head); err == nil && comma == ',' && !bytes.Contains(alone, []byte("\r")) {
			agrees(t, whole)
		}
	})
}

func TestCutter(t *testing.T) {
	for _, c := range []struct {
		name, file string
		want       [][]string
		lines      []int
	}{
		{"nothing", "", nil, nil},
		{"a mark alone", "\uFEFF", nil, nil},
		{"no last line end", "a,b\n1,2", [][]string{{"a", "b"}, {"1", "2"}}, []int{1, 2}},
		{"windows", "a,b\r\n1,2\r\n", [][]string{{"a", "b"}, {"1", "2"}}, []int{1, 2}},
		{"an old mac", "a,b\r1,2\r3,4", [][]string{{"a", "b"}, {"1", "2"}, {"3", "4"}}, []int{1, 2, 3}},
		{"empty lines", "\n\na\n\r\n\rb\n\n", [][]string{{"a"}, {"b"}}, []int{3, 6}},
		{"empty cells", ",\n\"\"\n,,\n", [][]string{{"", ""}, {""}, {"", "", ""}}, []int{1, 2, 3}},
		{"quotes", "a\n\"say \"\"no\"\"\"\n", [][]string{{"a"}, {`say "no"`}}, []int{1, 2}},
		{"a quote inside", "a,b\n5\" screen,x\"\n", [][]string{{"a", "b"}, {`5" screen`, `x"`}}, []int{1, 2}},
		{"lines inside", "a,b\n\"1\r\n2\r3\n4\",5\n6,7", [][]string{{"a", "b"}, {"1\r\n2\r3\n4", "5"}, {"6", "7"}}, []int{1, 2, 6}},
		{"a return before quotes", "a\n\"1\r\"\"\n2\"\n3", [][]string{{"a"}, {"1\r\"\n2"}, {"3"}}, []int{1, 2, 5}},
		{"semicolons", "a;\"b,c\"\n1,5;2\n", [][]string{{"a", "b,c"}, {"1,5", "2"}}, []int{1, 2}},
		{"tabs", "a\tb\n1,5\t2;3\n", [][]string{{"a", "b"}, {"1,5", "2;3"}}, []int{1, 2}},
		{"one column", "score\n9\n", [][]string{{"score"}, {"9"}}, []int{1, 2}},
		{"marks", "\uFEFF日本,🙂\n\uFEFF,ﾊﾝｶｸ\n", [][]string{{"日本", "🙂"}, {"\uFEFF", "ﾊﾝｶｸ"}}, []int{1, 2}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, r := range []io.Reader{strings.NewReader(c.file), iotest.OneByteReader(strings.NewReader(c.file)), iotest.DataErrReader(strings.NewReader(c.file))} {
				got, lines, err := records(r)
				if err != nil || !slices.EqualFunc(got, c.want, slices.Equal[[]string]) || !slices.Equal(lines, c.lines) {
					t.Errorf("%q %v %v", got, lines, err)
				}
			}
		})
	}
}

func TestBrokenFilesAreNamed(t *testing.T) {
	long := strings.Repeat("x", 3<<20)
	for _, c := range []struct{ name, file, want string }{
		{"latin 1", "name,score\nM\xfcller,9\n", "line 2: byte 13 of the file (0xFC) is not UTF-8; save the file as UTF-8"},
		{"far behind", "name\n" + strings.Repeat("日本語\n", 20000) + "\"a\nb\xe3\x81\"", "line 20003: byte 200010 of the file (0xE3) is not UTF-8; save the file as UTF-8"},
		{"cut inside a letter", "name\n日\xe6\x97", "line 2: byte 9 of the file (0xE6) is not UTF-8; save the file as UTF-8"},
		{"utf-16", "\xff\xfea\x00", "line 1: byte 1 of the file (0xFF) is not UTF-8; save the file as UTF-8"},
		{"cut off", "a,b\n1,2\n3,\"four\nfive\nsix", "line 3: a quote opens here and never closes; is the file cut off?"},
		{"behind a quote", "a,b\n1,\"2\" x\n", `line 2: a quoted cell has text behind its last quote; a quote inside of a quoted cell is written twice ("")`},
		{"one giant line", "a" + long, "line 1: a record of more than 1048576 bytes"},
		{"many cells", "a\n" + strings.Repeat(",", 1000), "line 2: has more than 1000 columns"},
		{"a lost quote", "a\n1\n\"" + long, "line 3: a record of more than 1048576 bytes; is the quote that opens on line 3 ever closed?"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := records(strings.NewReader(c.file))
			var known *survey.Error
			if !errors.As(err, &known) || known.Kind != survey.Malformed || known.Message != c.want {
				t.Errorf("%v", err)
			}
		})
	}
	_, _, err := records(io.MultiReader(strings.NewReader("a\n1\n"), iotest.ErrReader(io.ErrUnexpectedEOF)))
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a reader's own error: %v", err)
	}
}

// TestCutterHoldsOneRecord reads a file of 200 MB, which is not there at once.
func TestCutterHoldsOneRecord(t *testing.T) {
	row := "9,2026-01-05,\"" + strings.Repeat("言葉 ", 20) + "\"\n"
	const rows = 100_000
	allocated := testing.AllocsPerRun(1, func() {
		all := 0
		c, err := newCutter(io.MultiReader(strings.NewReader("score,at,comment\n"), &repeated{row, rows, ""}))
		if err != nil {
			t.Fatal(err)
		}
		for {
			if _, _, err := c.next(); err != nil {
				break
			}
			all++
		}
		if all != rows+1 || cap(c.record) > 1<<10 || len(c.in.buffer) != bufferSize {
			t.Fatal(all, cap(c.record), len(c.in.buffer))
		}
	})
	if allocated > 2.1*rows {
		t.Errorf("%.0f allocations for %d rows", allocated, rows)
	}
}

// repeated reads as the same text many times.
type repeated struct {
	text string
	n    int
	rest string
}

func (r *repeated) Read(b []byte) (int, error) {
	if r.rest == "" {
		if r.n == 0 {
			return 0, io.EOF
		}
		r.n--
		r.rest = r.text
	}
	n := copy(b, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

func BenchmarkCutter(b *testing.B) {
	whole, err := io.ReadAll(dataFile(b, "synth_10k_seed1.csv"))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(whole)))
	for b.Loop() {
		if all, _, err := records(bytes.NewReader(whole)); err != nil || len(all) != 10035 {
			b.Fatal(len(all), err)
		}
	}
}
