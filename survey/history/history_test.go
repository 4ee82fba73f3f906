package history_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"koe/survey"
	"koe/survey/history"
)

var support = survey.Template{Key: "support", Questions: []survey.Question{
	{Key: "score", Type: survey.ScoreQuestion, Scale: &survey.Scale{Min: 0, Max: 10}},
	{Key: "reason", Type: survey.TextQuestion, MaxLength: new(2000)},
	{Key: "topic", Type: survey.ChoiceQuestion, Multiple: true, Options: []survey.Option{{Key: "speed"}, {Key: "quality"}}},
	{Key: "again", Type: survey.ChoiceQuestion, Options: []survey.Option{{Key: "yes"}, {Key: "no"}}},
	{Key: "staff", Type: survey.RatingQuestion, Scale: &survey.Scale{Min: 1, Max: 5}},
	{Key: "contact", Type: survey.ConsentQuestion},
}}

func read(t testing.TB, file string, o history.Options) []history.Entry {
	t.Helper()
	r, err := history.ReadCSV(strings.NewReader(file), support, o)
	if err != nil {
		t.Fatal(err)
	}
	return all(t, r)
}

func all(t testing.TB, r *history.Reader) (entries []history.Entry) {
	t.Helper()
	for {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			return entries
		}
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, e)
	}
}

func TestEveryFieldIsRead(t *testing.T) {
	file := "\uFEFFscore;responded_at;external_id;comment;locale;channel;customer.email;customer.external_id;customer.name;tags;attributes.plan;attributes.Größe;answers.topic;answers.again;answers.staff;answers.contact;answers.reason;something else\r\n" +
		"9.0;2026-03-01 09:30;9007199254740993;\"とても\nよい 🙂\";ja;store;ana@example.com;c-1;Ana;a|b\\|c;pro;5;speed|quality;yes;4;TRUE;\"'=1+1\";x\r\n"
	tokyo, _ := time.LoadLocation("Asia/Tokyo")
	entries := read(t, file, history.Options{Zone: tokyo})
	at, _ := survey.ParseInstant("2026-03-01T00:30:00Z")
	score, email := 9, "ana@example.com"
	var five survey.Value
	_ = five.UnmarshalJSON([]byte("5"))
	want := history.Answer{Score: &score, RespondedAt: &at, ExternalID: "9007199254740993", Comment: "とても\nよい 🙂", Locale: "ja", Channel: "store",
		Customer: survey.Customer{ExternalID: "c-1", Email: &email, Name: "Ana"}, Tags: []string{"a", "b|c"},
		Attributes: survey.Attributes{"plan": survey.TextValue("pro"), "Größe": five},
		Answers:    survey.Answers{"topic": []string{"speed", "quality"}, "again": "yes", "staff": 4, "contact": true, "reason": "=1+1"}}
	if len(entries) != 1 || entries[0].Rejection != nil || entries[0].Blank || entries[0].Line != 2 || entries[0].Number != 1 {
		t.Fatalf("%+v", entries)
	}
	if !reflect.DeepEqual(entries[0].Answer, want) {
		t.Errorf("\n%+v\n%+v", entries[0].Answer, want)
	}
}

func TestOutcomesOfRows(t *testing.T) {
	file := "ID,Survey date,NPS,Note\n" +
		"1,01/09/21,10,\"two\nlines\"\n" + // line 2
		"2,02/09/21,11,\n" + // line 4: a code
		"3,03/09/21,,x\n" +
		"4,04/09/21,Blank,x\n" +
		"5,31/09/21,7,x\n" +
		"6,06/09/21,6.5,x\n" +
		"7,07/09/21,seven,x\n" +
		"8,08/09/21,7\n" +
		"9,09/09/21,7,x,y\n" +
		"10,10/09/21,7,x,,\n" +
		"11,not a date,,x\n" +
		"12,nor this,abc,x\n"
	dates, err := history.ParseDateFormat("%d/%m/%y")
	if err != nil {
		t.Fatal(err)
	}
	entries := read(t, file, history.Options{Dates: dates, Zone: time.UTC, Blank: history.ParseBlank("11, blank,"),
		Columns: map[string]string{"score": "nps", "responded_at": " Survey date", "external_id": "ID", "comment": "Note"}})
	want := []struct {
		line          int
		blank         bool
		field, reason string
	}{
		{2, false, "", ""}, {4, true, "", ""}, {5, true, "", ""}, {6, true, "", ""},
		{7, false, "responded_at", `"31/09/21" there is no such date`},
		{8, false, "score", `"6.5" is not a whole number`},
		{9, false, "score", `"seven" is not a whole number`},
		{10, false, "", "the row has 3 columns, the header 4 columns"},
		{11, false, "", "the row has 5 columns, the header 4 columns"},
		{12, false, "", ""}, {13, true, "", ""},
		{14, false, "responded_at", `date like %d/%m/%y; score: "abc" is not`},
	}
	if len(entries) != len(want) {
		t.Fatalf("%d rows", len(entries))
	}
	for i, w := range want {
		e := entries[i]
		rejected := e.Rejection != nil
		if e.Line != w.line || e.Blank != w.blank || rejected != (w.reason != "") || e.Number != int64(i+1) {
			t.Errorf("row %d: %+v %+v", i+1, e, e.Rejection)
			continue
		}
		if rejected && (e.Rejection.Field != w.field || e.Rejection.Line != w.line || !strings.Contains(e.Rejection.Reason, w.reason)) {
			t.Errorf("row %d: %+v", i+1, *e.Rejection)
		}
	}
}

func TestColumnsThatAreNotThere(t *testing.T) {
	for _, c := range []struct {
		file    string
		columns map[string]string
		field   string
		message string
	}{
		{"", nil, "", "the file is empty: it must begin with a line that names its columns"},
		{"\uFEFF\n\n", nil, "", "the file is empty"},
		{"a,b c\n", nil, "score", `there is no column "score"; there are: a, b c`},
		{"a,score\n", map[string]string{"score": "Score", "comment": "Notes"}, "comment", `there is no column "Notes"; there are: a, score`},
		{"a,b\n", map[string]string{"comment": "a"}, "score", "needs a column, such as score=RATING; there are: a, b"},
		{"a,b\n", map[string]string{"score": "a", "mood": "b"}, "map", `there is no field "mood"; there are: score, responded_at`},
		{"a,b\n", map[string]string{"score": "a", "attributes.": "b"}, "map", `there is no field "attributes."`},
		{"a, a \n", map[string]string{"score": "a"}, "score", `the column "a" is there twice; rename one`},
		{"a,A,b\n", map[string]string{"score": "b", "comment": "A"}, "", ""},
		{strings.Repeat("long name,", 900) + "z\n", nil, "score", "long name, …"},
		{"a\xff\n", nil, "", "line 1: byte 2 of the file (0xFF) is not UTF-8; save the file as UTF-8"},
	} {
		_, err := history.ReadCSV(strings.NewReader(c.file), support, history.Options{Columns: c.columns})
		if c.message == "" {
			if err != nil {
				t.Errorf("%q: %v", c.file, err)
			}
			continue
		}
		var known *survey.Error
		if !errors.As(err, &known) || !strings.Contains(known.Message, c.message) || c.field != "" && known.Fields[0].Field != c.field {
			t.Errorf("%.40q %v: %v", c.file, c.columns, err)
		}
	}
}

// TestRejectedRowsCanBeMended: the file of rejected rows, with the faults put
// right, reads as the rows would have.
func TestRejectedRowsCanBeMended(t *testing.T) {
	file := "id,score,comment\n1,12,\"=a, \"\"b\"\"\nc\"\n2,9,fine\n3,9\n4,9,x,y\n"
	options := history.Options{Columns: map[string]string{"score": "score", "comment": "comment", "external_id": "id"}}
	for range 2 { // the second time it is such a file already
		r, err := history.ReadCSV(strings.NewReader(file), support, options)
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		rejects, err := r.Rejects(&out)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range all(t, r) {
			why := e.Rejection
			if why == nil && *e.Answer.Score > 10 {
				why = &history.Rejection{Line: e.Line, Field: "score", Reason: "must be at most 10"}
			}
			if why != nil {
				if err := rejects.Add(e, *why); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := rejects.Flush(); err != nil {
			t.Fatal(err)
		}
		c := csv.NewReader(bytes.NewReader(out.Bytes()))
		c.FieldsPerRecord = -1
		if rows, err := c.ReadAll(); err != nil || len(rows) != 4 || !slices.Equal(rows[0], []string{"id", "score", "comment", "rejected_because"}) {
			t.Fatal(rows, err)
		} else if !slices.Equal(rows[1], []string{"1", "12", "=a, \"b\"\nc", "score: must be at most 10"}) {
			t.Errorf("%q", rows[1])
		}
		if again := read(t, out.String(), options); again[1].Rejection == nil || again[2].Rejection == nil {
			t.Errorf("a row that did not fit fits now: %+v", again)
		}
		file = out.String()
	}
	mended := read(t, strings.Replace(file, "1,12,", "1,10,", 1), options)
	if mended[0].Rejection != nil || *mended[0].Answer.Score != 10 || mended[0].Answer.Comment != "=a, \"b\"\nc" {
		t.Errorf("%+v", mended[0])
	}
}

func TestRowIDs(t *testing.T) {
	ids := map[string]bool{}
	for _, file := range []string{"score,comment\n9,a\n9,a\n9,b\n", "score,comment\n\"9\",a\r\n9,a\n,9b\n"} {
		for _, e := range read(t, file, history.Options{}) {
			ids[e.RowID()] = true
		}
	}
	if got := slices.Sorted(maps.Keys(ids)); len(got) != 4 || !strings.HasPrefix(got[0], "row-1-") {
		t.Errorf("%q", got)
	}
}

func TestJSONLines(t *testing.T) {
	file := `{"id":"x","score":9,"responded_at":"2026-03-01T00:30:00.000Z","comment":null,"customer":null,"attributes":{"n":12345678901234567890,"t":"5"},"answers":{"topic":["speed"],"staff":4,"contact":false},"tags":["a|b"],"complete":true}` + "\n" +
		"\r\n" + `{"score":11}` + "\n" + `{"score":null}` + "\n" + `{}` + "\n" + `{"score":6.5}` + "\n" + `[1]` + "\n" + `{"score":9,"comment":7}` + "\n" + `{"score":"9.0"`
	r, err := history.ReadJSONLines(strings.NewReader(file), history.Options{Blank: []string{"11"}, Zone: time.UTC})
	if err != nil {
		t.Fatal(err)
	}
	entries := all(t, r)
	lines, blank, rejected := []int{}, []int{}, map[int]string{}
	for _, e := range entries {
		lines = append(lines, e.Line)
		if e.Blank {
			blank = append(blank, e.Line)
		}
		if e.Rejection != nil {
			rejected[e.Line] = e.Rejection.Field
		}
	}
	if !slices.Equal(lines, []int{1, 3, 4, 5, 6, 7, 8, 9}) || !slices.Equal(blank, []int{3, 4, 5}) ||
		!maps.Equal(rejected, map[int]string{6: "score", 7: "", 8: "comment", 9: ""}) {
		t.Fatal(lines, blank, rejected)
	}
	first, _ := json.Marshal(entries[0].Answer.Attributes)
	if string(first) != `{"n":12345678901234567890,"t":"5"}` || entries[0].Answer.Tags[0] != "a|b" {
		t.Errorf("%s %q", first, entries[0].Answer.Tags)
	}
	var out bytes.Buffer
	rejects, err := r.Rejects(&out)
	if err == nil {
		err = rejects.Add(entries[5], *entries[5].Rejection)
	}
	if err != nil || rejects.Flush() != nil || out.String() != "[1]\n" {
		t.Errorf("%q %v", out.String(), err)
	}
	for file, want := range map[string]string{"{}\n\n\xff": "line 3: byte 5", `{"comment":"` + strings.Repeat("x", 1<<20): "line 1: a line of more than 1048576 bytes"} {
		r, _ := history.ReadJSONLines(strings.NewReader(file), history.Options{})
		for err = nil; err == nil; _, err = r.Next() {
		}
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: %v", file, err)
		}
	}
	if _, err := history.ReadJSONLines(strings.NewReader(""), history.Options{Columns: map[string]string{"score": "a"}}); err == nil {
		t.Error("a mapping of JSON lines")
	}
}

func TestGuard(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "fine": "fine", "=1+1": "'=1+1", "+81 90": "'+81 90", "-5": "-5", "+5.25": "+5.25", "-5,5": "-5,5", "-": "'-", "@x": "'@x",
		"\tx": "'\tx", "\rx": "'\rx", "'tis": "'tis", "'=x": "''=x", "''-1": "'''-1", "＝1": "＝1", "-1-1": "'-1-1", "'": "'", "''": "''", "'quoted'": "'quoted'",
	} {
		if got := history.Guard(text); got != want || history.Unguard(got) != text {
			t.Errorf("%q: %q, back %q, want %q", text, got, history.Unguard(got), want)
		}
	}
}

// words are texts as people and formulas write them.
var words = rapid.OneOf(
	rapid.SampledFrom([]string{"ana", "=SUM(A1)", "'=x", "'", "-5", "5", "true", "'5", "''5", "+81 3", "@cmd", "say \"no\"", "a,b;c|d\\e", "日本語 ﾊﾝｶｸ", "👩‍👩‍👧 🙂", "שלום", "two\nlines", "x\u2028y", "007", "1.50", "12345678901234567"}),
	rapid.StringMatching(`[a-z='|\\"+@é日-]{1,12}`))

func response(t *rapid.T) survey.Response {
	r := survey.Response{ID: survey.ID{1}, Metric: "nps", Score: rapid.IntRange(0, 10).Draw(t, "score"), Comment: rapid.OneOf(rapid.Just(""), words).Draw(t, "comment"),
		Locale: "ja", Channel: words.Draw(t, "channel"), ExternalID: words.Draw(t, "external"), RespondedAt: survey.Instant(rapid.Int64Range(0, 1<<41).Draw(t, "at")),
		Attributes: survey.Attributes{}, Answers: survey.Answers{}, Complete: true, Tags: rapid.SliceOf(words).Draw(t, "tags")}
	for _, name := range []string{"plan", "Größe"} {
		if rapid.Bool().Draw(t, "known") {
			r.Attributes[name] = rapid.OneOf(rapid.Map(words, survey.TextValue), rapid.Map(rapid.SampledFrom([]string{"5", "-0.25", "true", "false", "999999999999999", "0"}), func(s string) (v survey.Value) {
				_ = v.UnmarshalJSON([]byte(s))
				return v
			})).Draw(t, name)
		}
	}
	for key, answer := range map[string]*rapid.Generator[any]{"reason": words.AsAny(), "again": rapid.Just("yes").AsAny(), "staff": rapid.IntRange(1, 5).AsAny(),
		"contact": rapid.Bool().AsAny(), "topic": rapid.SampledFrom([][]string{{"speed"}, {"speed", "quality"}}).AsAny()} {
		if rapid.Bool().Draw(t, "answered") {
			r.Answers[key] = answer.Draw(t, key)
		}
	}
	if rapid.Bool().Draw(t, "person") {
		r.Person = &survey.Person{ID: survey.ID{2}, ExternalID: words.Draw(t, "customer"), Email: "=ana@example.com", Name: words.Draw(t, "name")}
	}
	return r
}

// TestNothingIsLostOnTheWay: what is exported reads as it was, in both forms.
func TestNothingIsLostOnTheWay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := response(t)
		want := history.Answer{Score: &r.Score, RespondedAt: &r.RespondedAt, ExternalID: r.ExternalID, Comment: r.Comment, Locale: r.Locale,
			Channel: r.Channel, Attributes: r.Attributes, Answers: r.Answers, Tags: r.Tags}
		if r.Person != nil {
			want.Customer = survey.Customer{ExternalID: r.Person.ExternalID, Email: &r.Person.Email, Name: r.Person.Name}
		}
		for _, form := range []string{"csv", "marked csv", "ndjson"} {
			var file bytes.Buffer
			out, err := history.WriteJSONLines(&file), error(nil)
			if form != "ndjson" {
				out, err = history.WriteCSV(&file, []string{"Größe", "plan"}, []string{"again", "contact", "reason", "staff", "topic"}, form != "csv")
			}
			if err != nil || out.Write(r) != nil || out.Flush() != nil {
				t.Fatal(err)
			}
			in, err := history.ReadJSONLines(bytes.NewReader(file.Bytes()), history.Options{})
			if form != "ndjson" {
				in, err = history.ReadCSV(bytes.NewReader(file.Bytes()), support, history.Options{})
			}
			if err != nil {
				t.Fatal(err)
			}
			e, err := in.Next()
			if err != nil || e.Rejection != nil {
				t.Fatalf("%s: %v %+v", file.String(), err, e.Rejection)
			}
			if got, want := told(e.Answer), told(want); got != want {
				t.Fatalf("%s:\n%s\n%s\n%s", form, file.String(), got, want)
			}
			if form != "ndjson" {
				safe(t, file.String())
			}
		}
	})
}

// told is an answer as text, its numbers and lists alike whatever their Go type.
func told(a history.Answer) string {
	if len(a.Attributes) == 0 {
		a.Attributes = survey.Attributes{}
	}
	if len(a.Answers) == 0 {
		a.Answers = survey.Answers{}
	}
	a.Tags = append([]string{}, a.Tags...)
	b, err := json.Marshal(a)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// safe fails where a cell could be run by a spreadsheet.
func safe(t *rapid.T, file string) {
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(file, "\uFEFF"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, cell := range slices.Concat(rows...) {
		if strings.ContainsAny(cell[:min(1, len(cell))], "=@\t\r") || strings.HasPrefix(cell, "+") && cell != "+5" || strings.HasPrefix(cell, "-") && strings.Trim(cell, "-0123456789.") != "" {
			t.Fatalf("%q runs", cell)
		}
	}
}

func BenchmarkWriteCSV(b *testing.B) { benchmarkWrite(b, true) }

func BenchmarkWriteJSONLines(b *testing.B) { benchmarkWrite(b, false) }

// benchmarkWrite writes one response a round.
func benchmarkWrite(b *testing.B, table bool) {
	r := survey.Response{Score: 9, Comment: strings.Repeat("言葉", 30), Attributes: survey.Attributes{"plan": survey.TextValue("pro")},
		Answers: survey.Answers{"reason": strings.Repeat("言葉", 30)}, RespondedAt: survey.Instant(rand.Int64N(1 << 40))}
	w := history.WriteJSONLines(io.Discard)
	if table {
		w, _ = history.WriteCSV(io.Discard, []string{"plan"}, []string{"reason"}, false)
	}
	for b.Loop() {
		if err := w.Write(r); err != nil {
			b.Fatal(err)
		}
	}
}
