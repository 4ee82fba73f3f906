package survey

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"koe/scoring"
)

var naughtyLine = regexp.MustCompile(`^(".*")(?: x([0-9]+))?$`)

// naughty are the strings of testdata/naughty.txt.
func naughty(t *testing.T) []string {
	t.Helper()
	b, err := os.ReadFile("testdata/naughty.txt")
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, line := range strings.Split(string(b), "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		parts := naughtyLine.FindStringSubmatch(line)
		if parts == nil {
			t.Fatalf("not a string literal: %s", line)
		}
		s, err := strconv.Unquote(parts[1])
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if parts[2] != "" {
			n, err := strconv.Atoi(parts[2])
			if err != nil {
				t.Fatal(err)
			}
			s = strings.Repeat(s, n)
		}
		list = append(list, s)
	}
	if len(list) < 150 {
		t.Fatalf("only %d strings", len(list))
	}
	return list
}

// texts calls yield for every string in v: fields, keys, elements and values
// of attributes. Addresses of pages are no texts.
func texts(v reflect.Value, yield func(string)) {
	switch v.Kind() {
	case reflect.String:
		yield(v.String())
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			texts(v.Elem(), yield)
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			texts(v.Index(i), yield)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			texts(key, yield)
			texts(v.MapIndex(key), yield)
		}
	case reflect.Struct:
		if value, is := reflect.TypeAssert[Value](v); is {
			yield(value.Text())
			return
		}
		for i := range v.NumField() {
			if name := v.Type().Field(i).Name; name != "URL" && name != "PrivacyURL" {
				texts(v.Field(i), yield)
			}
		}
	}
}

// cleaner is a thing with texts from outside, and how it is cleaned.
type cleaner struct {
	value any
	clean func() error
}

// spoiled are things that take s in one text each, by the name of the text.
func spoiled(t *testing.T, s string) map[string]cleaner {
	t.Helper()
	list := map[string]cleaner{}
	survey := func(name string, set func(*Survey)) {
		v := chatSurvey(t)
		set(&v)
		list["survey's "+name] = cleaner{&v, v.Clean}
	}
	survey("key", func(v *Survey) { v.Key = s })
	survey("name", func(v *Survey) { v.Name = s })
	survey("template", func(v *Survey) { v.Template = s })
	survey("touchpoint", func(v *Survey) { v.Touchpoint = s })
	survey("channel", func(v *Survey) { v.Channel = Channel(s) })
	survey("trigger", func(v *Survey) { v.Trigger.Type = TriggerType(s) })
	survey("delay", func(v *Survey) { v.Trigger.Delay = Duration(s) })
	survey("segment", func(v *Survey) { v.Segments = []string{s} })
	survey("condition", func(v *Survey) { v.Rules.Condition = Condition{"attributes." + s: {TextValue("x")}} })
	survey("condition's value", func(v *Survey) { v.Rules.Condition = Condition{"attributes.x": {TextValue(s)}} })
	survey("window", func(v *Survey) { v.Rules.SendWindow = &Window{From: s, To: "18:00"} })
	survey("window's zone", func(v *Survey) { v.Rules.SendWindow = &Window{From: "09:00", To: "18:00", Timezone: s} })
	workspace := func(name string, set func(*Workspace)) {
		v := NewWorkspace("acme", "Acme", "Asia/Tokyo")
		set(&v)
		list["workspace's "+name] = cleaner{&v, v.Clean}
	}
	workspace("key", func(v *Workspace) { v.Key = s })
	workspace("name", func(v *Workspace) { v.Name = s })
	workspace("zone", func(v *Workspace) { v.Timezone = s })
	workspace("sender", func(v *Workspace) { v.SenderName = s })
	workspace("address", func(v *Workspace) { v.SenderAddress = s })
	workspace("reply", func(v *Workspace) { v.ReplyTo = s })
	workspace("footer", func(v *Workspace) { v.PostalFooter = s })
	workspace("link", func(v *Workspace) { v.PrivacyURL = s })
	workspace("locale", func(v *Workspace) { v.DefaultLocale = s })
	interaction := func(name string, set func(*Interaction)) {
		v := Interaction{Touchpoint: "chat"}
		set(&v)
		list["interaction's "+name] = cleaner{&v, func() error { return v.Clean(wednesday) }}
	}
	interaction("touchpoint", func(v *Interaction) { v.Touchpoint = s })
	interaction("external id", func(v *Interaction) { v.ExternalID = s })
	interaction("customer", func(v *Interaction) { v.Customer.ExternalID = s })
	interaction("address", func(v *Interaction) { v.Customer.Email = &s })
	interaction("name", func(v *Interaction) { v.Customer.Name = s })
	interaction("locale", func(v *Interaction) { v.Customer.Locale = s })
	interaction("zone", func(v *Interaction) { v.Customer.Timezone = s })
	interaction("attribute", func(v *Interaction) { v.Attributes = Attributes{s: TextValue("x")} })
	if utf8.ValidString(s) { // JSON holds nothing else
		interaction("attribute's value", func(v *Interaction) { v.Attributes = Attributes{"x": TextValue(s)} })
	}
	template := func(name string, set func(*Template)) {
		v := supportCSAT(t)
		set(&v)
		list["template's "+name] = cleaner{&v, v.Clean}
	}
	template("key", func(v *Template) { v.Key = s })
	template("name", func(v *Template) { v.Name = s })
	template("metric", func(v *Template) { v.Metric = scoring.Metric(s) })
	template("locale", func(v *Template) { v.DefaultLocale = s })
	template("placeholder", func(v *Template) { v.Placeholders["attributes."+s] = Text{"en": "x"} })
	template("fallback", func(v *Template) { v.Placeholders["name"]["en"] = s })
	template("subject", func(v *Template) { v.Mail.Subject["ja"] = s })
	template("intro", func(v *Template) { v.Mail.Intro["en"] = s })
	template("question's key", func(v *Template) { v.Questions[1].Key = s })
	template("question", func(v *Template) { v.Questions[1].Text["en"] = s })
	template("language", func(v *Template) { v.Questions[1].Text[s] = "x" })
	template("label", func(v *Template) { v.Questions[0].LowLabel["en"] = s })
	template("option's key", func(v *Template) { v.Questions[2].Options[0].Key = s })
	template("option", func(v *Template) { v.Questions[2].Options[0].Text["en"] = s })
	template("condition", func(v *Template) { v.Questions[2].ShowIf = When{s: {In: []string{s}}} })
	template("thanks", func(v *Template) { v.ThankYou[0].Text["en"] = s })
	template("link", func(v *Template) { v.ThankYou[0].Link.URL = s })
	template("link's text", func(v *Template) { v.ThankYou[0].Link.Text["en"] = s })
	walk := walkTemplate(t)
	answers := func(name string, raw Answers) {
		kept := &Answers{}
		list["answer to "+name] = cleaner{kept, func() error {
			var p Problems
			if *kept = walk.CheckAnswers(&p, "answers", raw); p.Err() == nil {
				raw = *kept
			}
			return p.Err()
		}}
	}
	answers("a question of its name", Answers{s: "x"})
	answers("a text", Answers{"praise": s})
	answers("a choice", Answers{"topic": []any{s}})
	answers("a rating", Answers{"ease": s})
	return list
}

// TestNaughtyStrings: every text is refused with a field, or kept as valid
// UTF-8 in NFC without NUL, and kept as it is when it is cleaned again.
func TestNaughtyStrings(t *testing.T) {
	accepted := map[string]int{}
	for _, s := range naughty(t) {
		for name, c := range spoiled(t, s) {
			if err := c.clean(); err != nil {
				codesOf(t, err)
				continue
			}
			accepted[name]++
			texts(reflect.ValueOf(c.value), func(kept string) {
				if !utf8.ValidString(kept) || !norm.NFC.IsNormalString(kept) || strings.Contains(kept, "\x00") {
					t.Errorf("%s: %.80q is kept as %.80q", name, s, kept)
				}
			})
			first, err := json.Marshal(c.value)
			if err != nil {
				t.Fatalf("%s: %.80q: %v", name, s, err)
			}
			if err := c.clean(); err != nil {
				t.Errorf("%s: %.80q is refused when it is cleaned again: %v", name, s, err)
			}
			if again, err := json.Marshal(c.value); err != nil || !bytes.Equal(first, again) {
				t.Errorf("%s: %.80q becomes %.300s, then %.300s", name, s, first, again)
			}
		}
	}
	for name, least := range map[string]int{"survey's name": 100, "workspace's footer": 150, "template's question": 100,
		"answer to a text": 150, "interaction's attribute's value": 150, "interaction's attribute": 40} {
		if accepted[name] < least {
			t.Errorf("%s: only %d strings are accepted, want %d", name, accepted[name], least)
		}
	}
}

// TestNaughtyValuesAreNeverRead: a hostile value stands in a mail's words as
// it is, on one line.
func TestNaughtyValuesAreNeverRead(t *testing.T) {
	template := Template{DefaultLocale: "en", Placeholders: map[string]Text{"name": {"en": "there"}, "attributes.x": {"en": "it"}}}
	for _, s := range naughty(t) {
		if !utf8.ValidString(s) {
			continue
		}
		for _, got := range []string{template.Fill("<{{name}}>", "en", s, nil), template.Fill("<{{attributes.x}}>", "en", "", Attributes{"x": TextValue(s)})} {
			inside := strings.TrimSuffix(strings.TrimPrefix(got, "<"), ">")
			if want := strings.Join(strings.Fields(s), " "); want != "" && inside != want || strings.ContainsAny(got, "\r\n") {
				t.Errorf("%.80q is filled as %.80q", s, got)
			}
		}
	}
}
