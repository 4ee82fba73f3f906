package templates

import (
	"crypto/sha256"
	"encoding/base64"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

var update = flag.Bool("update", false, "write the golden files anew")

// hashOf is how a policy names a script.
func hashOf(script string) string {
	sum := sha256.Sum256([]byte(script))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// golden compares with testdata/golden/name, which -update writes.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", "golden", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v (go test -update writes it)", err)
	}
	if got != string(want) {
		t.Errorf("%s differs from the golden file; look, then go test -update. Got:\n%s", name, got)
	}
}

// element is one element of a page with its attributes and its text.
type element struct {
	Name  string
	Attrs map[string]string
	Text  string
}

// elements parses a page as a browser does.
func elements(t *testing.T, page string) []element {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var all []element
	for node := range root.Descendants() {
		if node.Type != html.ElementNode {
			continue
		}
		e := element{Name: node.Data, Attrs: map[string]string{}, Text: textOf(node)}
		for _, a := range node.Attr {
			e.Attrs[a.Key] = a.Val
		}
		all = append(all, e)
	}
	return all
}

func textOf(node *html.Node) string {
	var b strings.Builder
	for below := range node.Descendants() {
		if below.Type == html.TextNode {
			b.WriteString(below.Data)
		}
	}
	return strings.TrimSpace(b.String())
}

// with are the elements of a name that have an attribute's value.
func with(all []element, name, attr, value string) []element {
	var found []element
	for _, e := range all {
		if e.Name == name && (attr == "" || e.Attrs[attr] == value) {
			found = append(found, e)
		}
	}
	return found
}

// checkInert fails where a page runs, styles or fetches what a strict content
// policy would refuse: scripts in the page, event handlers, other hosts.
func checkInert(t *testing.T, page string, outside ...string) {
	t.Helper()
	for _, e := range elements(t, page) {
		for name, value := range e.Attrs {
			if strings.HasPrefix(name, "on") || name == "style" || name == "srcdoc" {
				t.Errorf("<%s> has %s=%q", e.Name, name, value)
			}
		}
		own := e.Attrs["type"] == "module" && len(e.Attrs) == 1 && hashOf(e.Text) == words(t).ScriptHash()
		if e.Name == "script" && !own && (!strings.HasPrefix(e.Attrs["src"], "/static/") || e.Text != "") {
			t.Errorf("a script: %v %q", e.Attrs, e.Text)
		}
		if e.Name == "style" || e.Name == "object" || e.Name == "embed" || e.Name == "base" {
			t.Errorf("the page has <%s>", e.Name)
		}
		for _, name := range []string{"src", "href", "action", "srcset", "poster", "formaction"} {
			value, ok := e.Attrs[name]
			if !ok || value == "" || strings.HasPrefix(value, "#") || strings.HasPrefix(value, "?") || value == "data:," {
				continue
			}
			local := strings.HasPrefix(value, "/") && !strings.HasPrefix(value, "//")
			left := e.Name == "a"
			for _, allowed := range outside {
				left = left && value != allowed
			}
			if !local && (e.Name != "a" || left) {
				t.Errorf("<%s %s=%q> leads elsewhere", e.Name, name, value)
			}
		}
	}
}
