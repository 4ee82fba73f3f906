package survey

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
)

// codecs are the two readers and writers of JSON that koe's callers use.
var codecs = map[string]struct {
	read  func([]byte, any) error
	write func(any) ([]byte, error)
}{
	"standard":     {json.Unmarshal, json.Marshal},
	"experimental": {func(b []byte, v any) error { return jsonv2.Unmarshal(b, v) }, func(v any) ([]byte, error) { return jsonv2.Marshal(v) }},
}

func readAttributes(t *testing.T, text string) Attributes {
	t.Helper()
	var a Attributes
	if err := json.Unmarshal([]byte(text), &a); err != nil {
		t.Fatal(err)
	}
	return a
}

func TestValues(t *testing.T) {
	for literal, want := range map[string]struct {
		text   string
		isText bool
	}{
		`"pro"`:                 {"pro", true},
		`""`:                    {"", true},
		`"\u3042\n\"q\""`:       {"あ\n\"q\"", true},
		`"5"`:                   {"5", true},
		`"true"`:                {"true", true},
		`5`:                     {"5", false},
		`-0.50`:                 {"-0.50", false},
		`3074457347487777543`:   {"3074457347487777543", false},
		`12345678901234567.890`: {"12345678901234567.890", false},
		`1e400`:                 {"1e400", false},
		`true`:                  {"true", false},
		`false`:                 {"false", false},
	} {
		for name, codec := range codecs {
			var a, again Attributes
			if err := codec.read([]byte(`{"x":`+literal+`}`), &a); err != nil {
				t.Fatalf("%s: %s: %v", name, literal, err)
			}
			var p Problems
			clean := a.Clean(&p, "attributes")
			wantCodes(t, p.Err())
			if v := clean["x"]; v.Text() != want.text || v.IsText() != want.isText {
				t.Errorf("%s: %s is %q, a text: %v", name, literal, v.Text(), v.IsText())
			}
			written, err := codec.write(clean)
			if err != nil {
				t.Fatal(err)
			}
			if !want.isText && string(written) != `{"x":`+literal+`}` {
				t.Errorf("%s writes %s as %s", name, literal, written)
			}
			if err := codec.read(written, &again); err != nil || again["x"] != clean["x"] {
				t.Errorf("%s: %s comes back as %s, %v", name, literal, again["x"].Text(), err)
			}
		}
	}
}

func TestIDsBeyondFloats(t *testing.T) {
	a := readAttributes(t, `{"one":3074457347487777543,"two":3074457347487777544}`)
	if a["one"].Text() == a["two"].Text() {
		t.Error("two ids became one")
	}
}

func TestTextValue(t *testing.T) {
	for _, s := range []string{"", "pro", `"`, `\`, "<b>&", "\u2028", "日本\n語", "😀", "\x1b", strings.Repeat("x", 5000)} {
		v := TextValue(s)
		b, err := json.Marshal(v)
		if err != nil || !v.IsText() || v.Text() != s || !json.Valid(b) {
			t.Errorf("%q becomes %s and %q, %v", s, b, v.Text(), err)
		}
	}
	if b, err := json.Marshal(Value{}); string(b) != "null" || err != nil {
		t.Errorf("nothing is written as %s, %v", b, err)
	}
}

func TestAttributesClean(t *testing.T) {
	a := readAttributes(t, `{"plan":"pro","none":null,"seats":5,"vip":true,"か\u3099":"か\u3099","नाम":"x","a b.c-d_1":" y "}`)
	var p Problems
	got := a.Clean(&p, "attributes")
	wantCodes(t, p.Err())
	want := Attributes{"plan": TextValue("pro"), "seats": {"5"}, "vip": {"true"}, "が": TextValue("が"), "नाम": TextValue("x"), "a b.c-d_1": TextValue(" y ")}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(Value{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := Attributes(nil).Clean(&p, "attributes"); got == nil {
		t.Error("none become null")
	}
}

func TestAttributesProblems(t *testing.T) {
	many := make(Attributes)
	for i := range maxAttributes + 1 {
		many[fmt.Sprint(i)] = Value{"1"}
	}
	name64 := strings.Repeat("名", 64)
	for name, test := range map[string]struct {
		in   Attributes
		want []string
	}{
		"object":         {readAttributes(t, `{"address":{"city":"Ulm"}}`), []string{"attributes.address type"}},
		"list":           {readAttributes(t, `{"tags":["a"]}`), []string{"attributes.tags type"}},
		"empty object":   {readAttributes(t, `{"a":{},"b":[]}`), []string{"attributes.a type", "attributes.b type"}},
		"long text":      {Attributes{"a": TextValue(strings.Repeat("語", 1001))}, []string{"attributes.a too_long"}},
		"longest text":   {Attributes{"a": TextValue(strings.Repeat("語", 1000))}, nil},
		"NUL":            {readAttributes(t, `{"a":"x\u0000"}`), []string{"attributes.a format"}},
		"long number":    {Attributes{"a": {strings.Repeat("9", 65)}}, []string{"attributes.a too_long"}},
		"longest number": {Attributes{"a": {strings.Repeat("9", 64)}}, nil},
		"no name":        {Attributes{"": {"1"}}, []string{"attributes format"}},
		"a name of sign": {Attributes{"a/b": {"1"}}, []string{"attributes format"}},
		"a leading dot":  {Attributes{".a": {"1"}}, []string{"attributes format"}},
		"a leading mark": {Attributes{"\u0301a": {"1"}}, []string{"attributes format"}},
		"a name's line":  {Attributes{"a\nb": {"1"}}, []string{"attributes format"}},
		"braces":         {Attributes{"{{name}}": {"1"}}, []string{"attributes format"}},
		"not UTF-8":      {Attributes{"a\xff": {"1"}}, []string{"attributes format"}},
		"longest name":   {Attributes{name64: {"1"}}, nil},
		"long name":      {Attributes{name64 + "x": {"1"}}, []string{"attributes format"}},
		"one name twice": {Attributes{"が": {"1"}, "か\u3099": {"2"}}, []string{"attributes.が duplicate"}},
		"too many":       {many, []string{"attributes too_many"}},
		"each is named":  {Attributes{"a": {"{}"}, "b": {"1"}, "c": {"[]"}, "!": {"1"}}, []string{"attributes format", "attributes.a type", "attributes.c type"}},
	} {
		t.Run(name, func(t *testing.T) {
			var p Problems
			test.in.Clean(&p, "attributes")
			wantCodes(t, p.Err(), test.want...)
		})
	}
	delete(many, "0")
	var p Problems
	if got := many.Clean(&p, "attributes"); len(got) != maxAttributes || p.Err() != nil {
		t.Errorf("%d names: %v", maxAttributes, p.Err())
	}
}

func TestOverAndOnly(t *testing.T) {
	own := readAttributes(t, `{"plan":"pro","agent":"Kim"}`)
	known := readAttributes(t, `{"plan":"free","city":"Ulm"}`)
	merged := own.Over(known)
	want := readAttributes(t, `{"plan":"pro","agent":"Kim","city":"Ulm"}`)
	if diff := cmp.Diff(want, merged, cmp.AllowUnexported(Value{})); diff != "" {
		t.Errorf("over (-want +got):\n%s", diff)
	}
	merged["plan"] = TextValue("changed")
	if own["plan"].Text() != "pro" || known["plan"].Text() != "free" || len(known) != 2 {
		t.Error("what was merged shares with what it was made of")
	}
	only := want.Only([]string{"city", "plan", "missing", "city"})
	if got := slices.Sorted(maps.Keys(only)); !slices.Equal(got, []string{"city", "plan"}) {
		t.Errorf("only %v", got)
	}
	if got := Attributes(nil).Over(nil); got == nil || len(got) != 0 {
		t.Errorf("nothing over nothing is %v", got)
	}
}

func TestConditionMatch(t *testing.T) {
	for _, test := range []struct {
		condition, attributes string
		failed                string // empty: matches
	}{
		{`{}`, `{}`, ""},
		{`{"attributes.plan":"pro"}`, `{"plan":"pro"}`, ""},
		{`{"attributes.plan":["pro","team"]}`, `{"plan":"team"}`, ""},
		{`{"attributes.plan":["pro","team"]}`, `{"plan":"free"}`, "attributes.plan"},
		{`{"attributes.plan":["pro"]}`, `{}`, "attributes.plan"},
		{`{"attributes.plan":["pro"]}`, `{"Plan":"pro"}`, "attributes.plan"},
		{`{"attributes.plan":["pro"]}`, `{"plan":"PRO"}`, "attributes.plan"},
		{`{"attributes.seats":5}`, `{"seats":5}`, ""},
		{`{"attributes.seats":5}`, `{"seats":"5"}`, ""},
		{`{"attributes.seats":["5"]}`, `{"seats":5}`, ""},
		{`{"attributes.seats":5}`, `{"seats":5.0}`, "attributes.seats"}, // compared as words
		{`{"attributes.id":3074457347487777543}`, `{"id":3074457347487777544}`, "attributes.id"},
		{`{"attributes.vip":true}`, `{"vip":true}`, ""},
		{`{"attributes.vip":[true]}`, `{"vip":"true"}`, ""},
		{`{"attributes.vip":true}`, `{"vip":false}`, "attributes.vip"},
		{`{"attributes.note":""}`, `{"note":""}`, ""},
		{`{"attributes.note":""}`, `{}`, "attributes.note"},
		{`{"attributes.が":"か\u3099"}`, `{"か\u3099":"が"}`, ""},
		{`{"attributes.a":1,"attributes.b":2}`, `{"a":1,"b":2,"c":3}`, ""},
		{`{"attributes.a":1,"attributes.b":2}`, `{"a":1}`, "attributes.b"},
		{`{"attributes.c":1,"attributes.b":2,"attributes.a":3}`, `{}`, "attributes.a"}, // the first by name, each time
	} {
		for name, codec := range codecs {
			var c Condition
			var a Attributes
			if err := codec.read([]byte(test.condition), &c); err != nil {
				t.Fatal(err)
			}
			if err := codec.read([]byte(test.attributes), &a); err != nil {
				t.Fatal(err)
			}
			var p Problems
			c, a = c.clean(&p, "condition"), a.Clean(&p, "attributes")
			wantCodes(t, p.Err())
			for range 3 {
				if failed, ok := c.Match(a); failed != test.failed || ok != (test.failed == "") {
					t.Errorf("%s: %s on %s: %q %v", name, test.condition, test.attributes, failed, ok)
				}
			}
			written, err := codec.write(c)
			var again Condition
			if err != nil || codec.read(written, &again) != nil || !cmp.Equal(c, again, cmp.AllowUnexported(Value{})) {
				t.Errorf("%s: %s comes back as %s, %v", name, test.condition, written, err)
			}
		}
	}
}
