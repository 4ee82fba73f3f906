package source_test

import (
	"errors"
	"strings"
	"testing"

	"koe/survey"
	"koe/survey/source"
)

// fieldsOf are the fields that an error names, with their codes.
func fieldsOf(err error) string {
	var known *survey.Error
	if !errors.As(err, &known) {
		return ""
	}
	var all []string
	for _, f := range known.Fields {
		all = append(all, f.Field+" "+f.Code)
	}
	return strings.Join(all, ", ")
}

func values(all ...string) survey.Values {
	var out survey.Values
	for _, one := range all {
		out = append(out, survey.TextValue(one))
	}
	return out
}

func TestSourcesThatAreRefused(t *testing.T) {
	mapped := func(change func(*source.Mapping)) source.Source {
		m := source.Mapping{ExternalID: "id"}
		change(&m)
		return source.Source{Touchpoint: "chat", Mapping: &m}
	}
	for want, s := range map[string]source.Source{
		"preset unknown":               {Touchpoint: "chat", Preset: "freshdesk"},
		"touchpoint required":          {Preset: "zendesk"},
		"touchpoint format":            {Touchpoint: "Support Chat"},
		"signature unknown":            {Touchpoint: "chat", Signature: "md5"},
		"name too_long":                {Touchpoint: "chat", Name: strings.Repeat("x", 201)},
		"mapping.external_id required": mapped(func(m *source.Mapping) { m.ExternalID = " " }),
		"mapping.external_id format":   mapped(func(m *source.Mapping) { m.ExternalID = "a..b" }),
		"mapping.external_id too_long": mapped(func(m *source.Mapping) { m.ExternalID = strings.Repeat("x", 501) }),
		"mapping.customer.email format": mapped(func(m *source.Mapping) {
			m.Customer.Email = "a["
		}),
		"mapping.attributes format": mapped(func(m *source.Mapping) {
			m.Attributes = map[string]string{"a@b": "x"}
		}),
		"mapping.attributes.agent required":      mapped(func(m *source.Mapping) { m.Attributes = map[string]string{"agent": ""} }),
		"mapping.attributes.agent format":        mapped(func(m *source.Mapping) { m.Attributes = map[string]string{"agent": "x[-1]"} }),
		"condition.state range":                  {Touchpoint: "chat", Condition: source.Condition{"state": {}}},
		"condition.[ format":                     {Touchpoint: "chat", Condition: source.Condition{"[": values("x")}},
		"condition.state[1] type":                {Touchpoint: "chat", Condition: source.Condition{"state": append(values("x"), survey.Value{})}},
		"condition required, condition.  format": {Touchpoint: "chat", Condition: source.Condition{" ": values("x")}},
	} {
		s.Key = "tool"
		if got := fieldsOf(s.Clean()); got != want {
			t.Errorf("%s instead of %s", got, want)
		}
	}
	s := source.Source{Key: "Tool", Touchpoint: "chat"}
	if got := fieldsOf(s.Clean()); got != "key format" {
		t.Error(got)
	}
}

func TestPaths(t *testing.T) {
	const payload = `{"a":{"b":[{"id":1,"v":"first"},{"id":"42","v":"second"}],"c.d":"dotted","e f":"blank","none":null,"empty":""},"t":"x","[":"bracket"}`
	for path, want := range map[string]string{
		"a.b[0].v":           "first",
		"$.a.b[1].v":         "second",
		"a.b[id=42].v":       "second",
		"a.b[id=1].v":        "first",
		"a.b[ id = 42 ].v":   "second",
		`a["c.d"]`:           "dotted",
		`["["]`:              "bracket",
		"a.e f":              "blank",
		"x | a.none | t":     "x",
		"a.empty|a.b[0].v":   "first",
		"a.b[1].id":          "42",
		"a.b[0].id":          "1",
		"a.b[v=SECOND].v":    "second",
		"a.b[id=7].v":        "",
		"a.b[2].v":           "",
		"a.b.v":              "",
		"t.x":                "",
		"t[0]":               "",
		"a.none":             "",
		"$":                  "refused",
		"":                   "",
		"a.":                 "refused",
		".a":                 "refused",
		"a..b":               "refused",
		"a[":                 "refused",
		"a[]":                "refused",
		"a[-1]":              "refused",
		"a[x]":               "refused",
		"a[=x]":              "refused",
		`a["x]`:              "refused",
		`a[""]`:              "refused",
		"a]":                 "refused",
		"a |":                "refused",
		"| a":                "refused",
		"a || t":             "refused",
		"a[99999999999].v":   "refused",
		"a[name=x].b[":       "refused",
		"t | a.b[id=1].v | ": "refused",
	} {
		s := source.Source{Key: "tool", Touchpoint: "chat", Mapping: &source.Mapping{ExternalID: "t", Customer: source.CustomerMapping{Name: path}}}
		if err := s.Clean(); err != nil {
			if want != "refused" {
				t.Errorf("%s: %v", path, err)
			}
			continue
		}
		events, _, err := s.Read([]byte(payload), now)
		if err != nil || events[0].Err != nil {
			t.Errorf("%s: %v %v", path, err, events)
			continue
		}
		if got := events[0].Interaction.Customer.Name; got != want {
			t.Errorf("%s leads to %q instead of %q", path, got, want)
		}
	}
}

// What is wrong with a payload is named by its place in the payload.
func TestPayloadsOfTheWrongShape(t *testing.T) {
	s := source.Source{Key: "tool", Touchpoint: "chat", Condition: source.Condition{"ticket.state": values("solved", "7")}, Mapping: &source.Mapping{
		Touchpoint: "ticket.where", ExternalID: "ticket.id | id", OccurredAt: "ticket.at", Customer: source.CustomerMapping{Email: "ticket.by[0].mail", Name: "name"},
		Attributes: map[string]string{"agent": "ticket.agent", "*": "ticket.more"}}}
	if err := s.Clean(); err != nil {
		t.Fatal(err)
	}
	for payload, want := range map[string]string{
		`{}`:                                    "ticket.state required",
		`{"ticket":"x"}`:                        "ticket.state required",
		`{"ticket":{"state":"solved"}}`:         "ticket.id required",
		`{"ticket":{"state":"SOLVED","id":{}}}`: "ticket.id type",
		`{"ticket":{"state":7,"id":[1]}}`:       "ticket.id type",
		`{"ticket":{"state":7,"id":1,"by":[{"mail":"nobody"}]}}`:                   "ticket.by[0].mail format",
		`{"ticket":{"state":7,"id":1,"by":[{"mail":["a@example.com"]}]}}`:          "ticket.by[0].mail type",
		`{"ticket":{"state":7,"id":1,"agent":{"name":"Kim"}}}`:                     "ticket.agent type",
		`{"ticket":{"state":7,"id":1,"more":"x"}}`:                                 "ticket.more type",
		`{"ticket":{"state":7,"id":1,"more":{"a":[]}}}`:                            "ticket.more type",
		`{"ticket":{"state":7,"id":1,"more":{"e\u0301":{}}}}`:                      "ticket.more type",
		`{"ticket":{"state":7,"id":1,"more":{"a@b":1}}}`:                           "ticket.more format",
		`{"ticket":{"state":7,"id":1,"where":"Not A Key"}}`:                        "ticket.where format",
		`{"ticket":{"state":7,"id":1,"at":"yesterday"}}`:                           "ticket.at format",
		`{"ticket":{"state":7,"id":1,"at":1795999999}}`:                            "ticket.at range",
		`{"ticket":{"state":7,"id":"` + strings.Repeat("x", 256) + `"},"name":""}`: "ticket.id too_long",
		`{"ticket":{"state":7},"id":"a\u0000b"}`:                                   "id format",
		`{"ticket":{"state":7,"id":1},"name":"a\nb"}`:                              "name format",
		`[{}]`: "[0].ticket.state required",
		`[[]]`: "[0] type",
		`7`:    "body type",
		`null`: "body type",
	} {
		events, _, err := s.Read([]byte(payload), now)
		if err != nil || len(events) != 1 {
			t.Errorf("%s: %v %v", payload, events, err)
			continue
		}
		if got := fieldsOf(events[0].Err); got != want {
			t.Errorf("%s: %s instead of %s (%+v)", payload, got, want, events[0])
		}
	}
	events, _, err := s.Read([]byte(`{"ticket":{"state":7,"id":1,"more":{"a":"`+strings.Repeat("x", 1001)+`"}}}`), now)
	if err != nil || fieldsOf(events[0].Err) != "ticket.more too_long" || !strings.Contains(events[0].Err.Error(), `"a": `) {
		t.Errorf("%+v %v", events, err)
	}
	for payload, ignored := range map[string]string{
		`{"ticket":{"state":"open"}}`: "ticket.state",
		`{"ticket":{"state":null}}`:   "ticket.state",
		`{"ticket":{"state":{}}}`:     "ticket.state",
	} {
		events, _, err := s.Read([]byte(payload), now)
		if err != nil || events[0].Ignored != ignored || events[0].Err != nil {
			t.Errorf("%s: %+v %v", payload, events, err)
		}
	}
	for _, payload := range []string{``, ` `, `{`, `{"a":1}}`, `{} {}`, `{"a":"` + "\xff" + `"}`, `plain`, strings.Repeat("[", 20_000), `{"a":NaN}`} {
		if _, _, err := s.Read([]byte(payload), now); err == nil {
			t.Errorf("%.20q was read", payload)
		}
	}
	if _, _, err := s.Read([]byte("["+strings.Repeat("{},", 1000)+"{}]"), now); fieldsOf(err) != "" || err == nil {
		t.Errorf("1,001 events: %v", err)
	}
}

func TestInstantsOfTools(t *testing.T) {
	s := source.Source{Key: "tool", Touchpoint: "chat", Mapping: &source.Mapping{ExternalID: "id", OccurredAt: "at"}}
	if err := s.Clean(); err != nil {
		t.Fatal(err)
	}
	for written, want := range map[string]string{
		`"2026-11-22T09:30:00+09:00"`: "2026-11-22T00:30:00.000Z",
		`1795339991`:                  "2026-11-22T09:33:11.000Z",
		`"1795339991"`:                "2026-11-22T09:33:11.000Z",
		`1795339991123`:               "2026-11-22T09:33:11.123Z",
		`null`:                        now.String(),
		`""`:                          now.String(),
	} {
		events, _, err := s.Read([]byte(`{"id":1,"at":`+written+`}`), now)
		if err != nil || events[0].Err != nil || events[0].Interaction.OccurredAt.String() != want {
			t.Errorf("%s: %+v %v", written, events, err)
		}
	}
	for _, written := range []string{`-1`, `0`, `1e9`, `1.5`, `99999999999999999`, `true`, `"2026-11-22"`} {
		events, _, err := s.Read([]byte(`{"id":1,"at":`+written+`}`), now)
		if err != nil || fieldsOf(events[0].Err) != "at format" {
			t.Errorf("%s: %+v %v", written, events, err)
		}
	}
}

// Whatever a path or a payload says, it is read or refused in words for its
// author.
func FuzzPathsAndPayloads(f *testing.F) {
	for path, payload := range map[string]string{"a.b[0].c": `{"a":{"b":[{"c":1}]}}`, `$["x.y"] | z[id=1].v`: `[{"z":[{"id":1,"v":"w"}]}]`, "a[": `{`, "|": `[[]]`, `["\u00e9"]`: "7", "a. b": "{}"} {
		f.Add(path, payload)
	}
	f.Fuzz(func(t *testing.T, path, payload string) {
		s := source.Source{Key: "tool", Touchpoint: "chat", Condition: source.Condition{path: values("1")}, Mapping: &source.Mapping{ExternalID: path,
			OccurredAt: path, Customer: source.CustomerMapping{Email: path, Locale: path}, Attributes: map[string]string{"a": path, "*": path}}}
		var known *survey.Error
		if err := s.Clean(); err != nil {
			if !errors.As(err, &known) || len(known.Fields) == 0 {
				t.Errorf("%q: %v", path, err)
			}
			return
		}
		events, _, err := s.Read([]byte(payload), now)
		if err != nil && !errors.As(err, &known) {
			t.Errorf("%q: %v", payload, err)
		}
		for _, e := range events {
			if e.Err != nil && (!errors.As(e.Err, &known) || len(known.Fields) == 0) {
				t.Errorf("%q of %q: %v", path, payload, e.Err)
			}
		}
	})
}
