package storetest

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var naughtyLine = regexp.MustCompile(`^(".*")(?: x([0-9]+))?$`)

// Naughty are strings that break programs: those of the survey package's
// testdata, which root leads to, and markup that is woven around every odd
// blank and control character.
func Naughty(t testing.TB, root string) []string {
	t.Helper()
	file, err := os.ReadFile(filepath.Join(root, "survey", "testdata", "naughty.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for line := range strings.SplitSeq(string(file), "\n") {
		parts := naughtyLine.FindStringSubmatch(line)
		if parts == nil {
			continue
		}
		s, err := strconv.Unquote(parts[1])
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if n, err := strconv.Atoi(parts[2]); err == nil {
			s = strings.Repeat(s, n)
		}
		list = append(list, s)
	}
	for _, odd := range "\x01\x08\t\n\v\f\r\x1b\x1f\x7f\u0085\u00a0\u00ad\u061c\u1680\u180e\u2000\u2003\u2009\u200b\u200d\u200e\u200f\u2028\u2029\u202a\u202e\u202f\u205f\u2066\u2069\u3000\ufe0f\ufeff\ufffd\uffff" {
		for _, markup := range []string{`<a href="?javascript:alert(1)">x</a>`, `"'><img src=x ?onerror=alert(1)>`, `</textarea>?<script>alert(1)</script>`,
			`<scr?ipt>alert(1)</script>`, `?=HYPERLINK("//evil.example")`, `a@example.com?Bcc: b@example.com`} {
			list = append(list, strings.Replace(markup, "?", string(odd), 1))
		}
	}
	if len(list) < 515 {
		t.Fatalf("only %d strings", len(list))
	}
	return list
}
