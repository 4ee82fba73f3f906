package delighted_test

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"koe/scoring"
	"koe/survey"
	"koe/survey/delighted"
)

func read(t testing.TB, file string, o delighted.Options) ([]delighted.Record, error) {
	t.Helper()
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	f, err := delighted.Open(strings.NewReader(file), o)
	if err != nil {
		return nil, err
	}
	var list []delighted.Record
	for {
		r, err := f.Next()
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err != nil {
			return list, err
		}
		list = append(list, r)
	}
}

func mustRead(t testing.TB, file string) []delighted.Record {
	t.Helper()
	list, err := read(t, file, delighted.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// in16 is a text as UTF-16.
func in16(text string, order binary.AppendByteOrder, mark bool) string {
	var out []byte
	if mark {
		text = "\uFEFF" + text
	}
	for _, unit := range utf16.Encode([]rune(text)) {
		out = order.AppendUint16(out, unit)
	}
	return string(out)
}

const peopleCSV = "id,email,name,created_at,last_sent_at\n17,ana@example.com,Ana 🙂,1780000000,2026-06-09 10:13:20\n"

func TestFilesAreKnownByWhatTheyHold(t *testing.T) {
	const response = `{"id":"501","person":"17","survey_type":"nps","score":9,"comment":null,"created_at":1783000000,"person_properties":{"plan":"pro"}}`
	for file, want := range map[string]string{
		peopleCSV:                                                                   "people 2",
		"\uFEFF" + peopleCSV:                                                        "people 2",
		strings.ReplaceAll(peopleCSV, ",", ";"):                                     "people 2",
		strings.ReplaceAll(peopleCSV, ",", "\t"):                                    "people 2",
		strings.ReplaceAll(peopleCSV, "\n", "\r\n"):                                 "people 2",
		in16(peopleCSV, binary.LittleEndian, true):                                  "people 2",
		in16(peopleCSV, binary.BigEndian, true):                                     "people 2",
		in16(peopleCSV, binary.LittleEndian, false):                                 "people 2",
		in16(peopleCSV, binary.BigEndian, false):                                    "people 2",
		"Email,Last Sent At\na@example.com,\n":                                      "people 2",
		"person_id,email,name,unsubscribed_at\n17,a@example.com,,1782000000\n":      "unsubscribes 2",
		"person_id,email,name,bounced_at\n17,a@example.com,,1782000000":             "bounces 2",
		"id,person,survey_type,score,created_at\n501,17,nps,9,1783000000\n":         "survey_responses 2",
		"[" + response + ",\n" + response + "]":                                     "survey_responses 1 survey_responses 2",
		"[" + response + "]\n[" + response + "]\n":                                  "survey_responses 1 survey_responses 2",
		response + "\n" + response:                                                  "survey_responses 1 survey_responses 2",
		in16("["+response+"]", binary.LittleEndian, true):                           "survey_responses 1",
		"\uFEFF\n [" + response + "]":                                               "survey_responses 2",
		`[{"id":"17","email":"a@example.com","name":null,"created_at":1780000000}]`: "people 1",
		`[{"person_id":"17","email":"a@example.com","unsubscribed_at":1782000000}]`: "unsubscribes 1",
		`[{"person_id":"17","email":"a@example.com","bounced_at":1782000000}]`:      "bounces 1",
		`{"nps":51,"promoter_count":32,"response_count":51}`:                        "metrics 1",
		"[]":            "",
		"[ ]\n[]\n":     "",
		"email,score\n": "",
	} {
		var got []string
		for _, r := range mustRead(t, file) {
			if r.Fault != nil {
				t.Errorf("%q: %+v", file, *r.Fault)
			}
			got = append(got, fmt.Sprint(r.Kind, " ", r.Line))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q: %v, want %s", file, got, want)
		}
	}
}

func TestFilesThatEndAnImport(t *testing.T) {
	const object = `{"person_id":"17","email":"a@example.com","unsubscribed_at":1782000000}`
	for file, want := range map[string]string{
		"":                                    "the file is empty",
		"email\na@example.com\n":              "is none of Delighted's lists",
		"first,second\n1,2\n":                 "it has: first, second. Say which column is what with --map",
		"person_id,email\n17,a@example.com\n": "is none of Delighted's lists",
		`{"status":401,"message":"Unauthorized"}`: "it has: message, status",
		"[" + object:                                            "line 1: a list begins here and never ends; is the file cut off?",
		"[\n" + object + ",\n{\"person_id\":\"1":                "line 3: an object begins here and never ends; is the file cut off?",
		"[" + object + "] and more":                             `line 1: 'a' is not where a JSON object begins`,
		"[" + object + ",[" + object + "]]":                     "is not where a JSON object begins",
		`[{"email":nothing}]`:                                   "line 1: is not JSON",
		"[\n{\"email\":\"a\xff\"}]":                             "line 2: byte 14 of the file (0xFF) is not UTF-8",
		"[{\"comment\":\"" + strings.Repeat("x", 2<<20) + `"}]`: "line 1: an object of more than 1048576 bytes",
		peopleCSV + "18,bo@exam":                                "line 3: the file ends inside of this row; is it cut off?",
		peopleCSV + "18,\"bo@exam":                              "line 3: a quote opens here and never closes; is the file cut off?",
		"email,Email,created_at\na,b,1\n":                       `the column "Email" is there twice`,
		in16(peopleCSV, binary.LittleEndian, true) + "x":        "the file ends inside of a character; is it cut off?",
	} {
		if _, err := read(t, file, delighted.Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: %v, want %s", file, err, want)
		}
	}
}

func TestRowsThatAreWrongSpoilNoOther(t *testing.T) {
	list := mustRead(t, "id,email,created_at,last_sent_at\n1,a@example.com,1780000000,tomorrow\n2,b@example.com\n3,c@example.com,20261122,\n4,d@example.com,2026-11-22T09:00:00+09:00,2026-11-22 09:00:00 UTC\n"+
		"5,e@example.com,2026-11-22 09:00:00 -0800,1780000000.0\n")
	var got []string
	for _, r := range list {
		field := "-"
		if r.Fault != nil {
			field = fmt.Sprint(r.Fault.Line, r.Fault.Field)
		}
		got = append(got, r.ID+" "+field)
	}
	if want := []string{"1 2last_sent_at", "2 3", "3 4created_at", "4 -", "5 -"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	for i, want := range map[int]string{3: "2026-11-22T00:00:00.000Z 2026-11-22T09:00:00.000Z", 4: "2026-11-22T17:00:00.000Z 2026-05-28T20:26:40.000Z"} {
		if r := list[i]; r.Created == nil || r.LastSent == nil || r.Created.String()+" "+r.LastSent.String() != want {
			t.Errorf("%+v", r)
		}
	}
	odd := mustRead(t, `[{"id":1,"email":["a"],"created_at":1780000000},{"id":2,"score":9,"person":[1]},{"id":3,"score":true,"person":4,"tags":null,"person_properties":null}]`)
	if len(odd) != 3 || odd[0].Fault == nil || odd[1].Fault == nil || odd[1].Fault.Field != "person" || odd[2].Fault != nil || odd[2].Person != "4" || odd[2].Score != "true" {
		t.Errorf("%+v", odd)
	}
}

func TestColumnsByOtherNames(t *testing.T) {
	o := delighted.Options{Columns: map[string]string{"unsubscribed_at": "Opted out", "email": "E-Mail", "person_properties.plan": "Tarif"}}
	if err := o.Check(); err != nil {
		t.Fatal(err)
	}
	list, err := read(t, "E-Mail;Opted out\nana@example.com;2026-01-05\n", o)
	if err != nil || len(list) != 1 || list[0].Kind != delighted.Unsubscribes || list[0].Email != "ana@example.com" || list[0].Unsubscribed == nil {
		t.Errorf("%+v %v", list, err)
	}
	list, err = read(t, "E-Mail,email,Tarif,Created at,properties[size],Person_Properties.Q 1\nana@example.com,old@example.com,pro,1780000000,5,yes\n", o)
	if err != nil || len(list) != 1 || list[0].Kind != delighted.People || list[0].Email != "ana@example.com" {
		t.Fatalf("%+v %v", list, err)
	}
	var got []string
	for _, p := range list[0].Properties {
		got = append(got, p.Name+"="+p.Value.Text())
	}
	if want := []string{"plan=pro", "size=5", "Q 1=yes"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	for _, wrong := range []string{"mood", "person_properties."} {
		if err := (delighted.Options{Columns: map[string]string{wrong: "x"}}).Check(); err == nil || !strings.Contains(err.Error(), "there are: id, person") {
			t.Errorf("%s: %v", wrong, err)
		}
	}
}

// facts are those of files, read in this order.
func facts(t testing.TB, files ...string) (*delighted.Facts, []delighted.Record) {
	t.Helper()
	f := delighted.NewFacts()
	var all []delighted.Record
	for i, file := range files {
		for _, r := range mustRead(t, file) {
			f.Add(fmt.Sprint("file", i), r)
			all = append(all, r)
		}
	}
	if err := f.Settle(); err != nil {
		t.Fatal(err)
	}
	return f, all
}

var now = survey.InstantOf(time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC))

// TestFilesSpeakOfOneAnother, in whatever order they come.
func TestFilesSpeakOfOneAnother(t *testing.T) {
	files := []string{
		"id,email,name,created_at,last_sent_at\n17,Ana@Example.com,Ana,1780000000,1790000000\n18,bo@example.com,,1780000000,\n19,,Cy,1780000000,1790000000\n20,not an address,,1780000000,\n",
		`[{"id":"501","person":"18","survey_type":"nps","score":9,"created_at":1794000000},{"id":"502","person":{"id":"21","email":"di@example.com"},"survey_type":"csat","score":9,"created_at":1795000000}]`,
		"person_id,unsubscribed_at\n18,1782000000\n99,1782000000\n",
		`[{"person_id":"17","email":"ANA@example.com","bounced_at":1783000000},{"person_id":"18","email":"bo@example.com","bounced_at":1781000000},{"person_id":"22","email":null,"bounced_at":1}]`,
	}
	for _, order := range [][]int{{0, 1, 2, 3}, {3, 2, 1, 0}, {2, 0, 3, 1}} {
		var given []string
		for _, i := range order {
			given = append(given, files[i])
		}
		f, _ := facts(t, given...)
		var out []string
		for _, s := range f.OptOuts() {
			out = append(out, fmt.Sprint(s.Email, " ", s.Reason, " ", int64(s.CreatedAt)/1000))
		}
		if want := []string{"ana@example.com bounced 1783000000", "bo@example.com unsubscribed 1782000000"}; !slices.Equal(out, want) {
			t.Errorf("%v: %q", order, out)
		}
		unsubscribes, bounces := f.Lists(nil)
		if unsubscribes != (delighted.ListCount{In: 2, Accepted: 1, Rejected: 1}) || bounces != (delighted.ListCount{In: 3, Accepted: 1, Repeated: 1, Rejected: 1}) {
			t.Errorf("%v: %+v %+v", order, unsubscribes, bounces)
		}
		if again, _ := f.Lists(map[string]survey.Suppression{"bo@example.com": {}}); again.Repeated != 1 || again.Accepted != 0 {
			t.Errorf("%v: %+v", order, again)
		}
		var wrong []string
		for _, r := range f.Rejected() {
			wrong = append(wrong, fmt.Sprint(r.Line, " ", r.Field))
		}
		if slices.Sort(wrong); !slices.Equal(wrong, []string{"1 email", "3 email"}) {
			t.Errorf("%v: %+v", order, f.Rejected())
		}
		quiet := f.QuietAt("90d", survey.Instant(1_796_000_000_000))
		var held []string
		for _, q := range quiet.People {
			held = append(held, fmt.Sprint(q.Email, " ", int64(q.Asked)/1000, " ", int64(q.Until-q.Asked)/86_400_000))
		}
		if want := []string{"ana@example.com 1790000000 90", "bo@example.com 1794000000 90", "di@example.com 1795000000 90"}; !slices.Equal(held, want) {
			t.Errorf("%v: %q", order, held)
		}
	}
}

func TestPeople(t *testing.T) {
	long := strings.Repeat("x", 201)
	f, all := facts(t, "id,email,name,created_at,last_sent_at,locale,Größe,Amount ($)\n"+
		"1,ANA@example.com,Ana,1780000000,1790000000,ja_jp,5,7\n"+ // line 2
		"2,ana@Example.com,,,1791000000,,,\n"+ // the same, by another case
		"3,bo@example.com,"+long+",1780000000,1790000000,,,\n"+
		"4,cy@example.com,Cy,1780000000,soon,,,\n"+
		"5,,Di,1780000000,,,,\n"+
		"6,no address,Ed,1780000000,,,,\n"+
		"7,fay@example.com,,1780000000,2036-01-01,,,\n")
	names := delighted.NewNames(nil)
	var got []string
	for _, r := range all {
		p, why := f.Person(r, names, now)
		asked, field := "-", "-"
		if p.LastAskedAt != nil {
			asked = fmt.Sprint(int64(*p.LastAskedAt) / 1000)
		}
		if why != nil {
			field = fmt.Sprint(why.Line, " ", why.Field)
		}
		got = append(got, fmt.Sprint(p.Email, " ", p.Name, " ", p.Locale, " ", asked, " ", int64(p.UpdatedAt)/1000, " ", len(p.Attributes), " ", p.Attributes["Größe"].Text(), p.Attributes["Amount"].Text(), " ", field))
	}
	want := []string{"ana@example.com Ana ja-JP 1791000000 1790000000 3 57 -", "ana@example.com   1791000000 1791000000 0  -",
		"bo@example.com   1790000000 0 0  4 name", "cy@example.com   - 0 0  5 last_sent_at", "   - 0 0  -", "   - 0 0  7 email",
		"fay@example.com   " + fmt.Sprint(int64(now)/1000) + " 0 0  8 last_asked_at"}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if !f.Told("ana@example.com") || f.Told("ana@example.com") {
		t.Error("told twice")
	}
	if others := f.Others(now); len(others) != 2 || others[0].Email != "bo@example.com" {
		t.Errorf("%+v", others)
	}
	if notes := names.Notes(); !slices.Equal(notes, []string{`the property "Amount ($)" is the attribute "Amount"`}) {
		t.Errorf("%q", notes)
	}
}

var nps = survey.Template{Key: "nps", Metric: scoring.NPS, Questions: []survey.Question{
	{Key: "score", Type: survey.ScoreQuestion, Scale: &survey.Scale{Min: 0, Max: 10}},
	{Key: "reason", Type: survey.TextQuestion, Text: survey.Text{"en": "Why?"}, MaxLength: new(2000)},
	{Key: "q_1", Type: survey.RatingQuestion, Scale: &survey.Scale{Min: 1, Max: 5}},
	{Key: "first", Type: survey.ChoiceQuestion, Text: survey.Text{"en": "First order?", "de": "Erste Bestellung?"},
		Options: []survey.Option{{Key: "yes", Text: survey.Text{"en": "Yes"}}, {Key: "no", Text: survey.Text{"en": "No"}}}},
}}

func TestAnAnswerWithEverything(t *testing.T) {
	f, all := facts(t, `{"id":"501","person":{"id":"17","email":"Ana@example.com","name":"Ana"},"survey_type":"NPS","score":9,"comment":"Prompt! 速い","created_at":1783000000,"updated_at":null,
		"person_properties":{"plan":"pro","seats":12,"nested":{"a":[1]},"none":null,"locale":"de"},"permalink":"https://x/r/T",
		"notes":[{"id":"3","text":"called","user_email":"cx@example.com","created_at":1783000500},{"id":"4","text":"`+strings.Repeat("日", 1500)+`"}],"tags":["billing"," billing","","vip"],
		"additional_answers":[
		 {"id":"9","value":{"free_response":null,"scale":4,"select_one":null,"select_many":null},"question":{"id":"q_1","type":"scale","text":"How was delivery?"}},
		 {"id":"10","value":{"select_one":{"id":"a1","text":"yes"}},"question":{"id":"q_2","type":"select_one","text":"first order?"}},
		 {"id":"11","value":{"select_many":[{"id":"b1","text":"Speed"},{"id":"b2","text":"Price"}]},"question":{"id":"q_3","type":"select_many","text":"What mattered?"}},
		 {"id":"12","value":{"free_response":"no"},"question":{"id":"q_4","type":"free_response","text":"Why?"}},
		 {"id":"13","value":{"scale":9},"question":{"id":"q_5","type":"scale","text":"?!"}}]}`)
	a := &delighted.Answers{Facts: f, Names: delighted.NewNames(nil), Template: nps, Latest: *all[0].Created}
	e, twice := a.Entry(all[0])
	if twice || e.Rejection != nil || e.Blank {
		t.Fatalf("%+v %+v", e, e.Rejection)
	}
	in := e.Answer
	if *in.Score != 9 || in.ExternalID != "delighted:501" || in.Comment != "Prompt! 速い" || in.Customer.Address() != "ana@example.com" || in.Customer.Name != "Ana" || in.Locale != "de" ||
		!slices.Equal(in.Tags, []string{"billing", "vip"}) || *in.RespondedAt != 1783000000000 {
		t.Errorf("%+v", in)
	}
	if len(in.Answers) != 2 || in.Answers["q_1"] != 4 || fmt.Sprint(in.Answers["first"]) != "[yes]" {
		t.Errorf("%+v", in.Answers)
	}
	kept := map[string]string{}
	for name, v := range in.Aside {
		kept[name] = v.Text()
	}
	if len(kept) != 6 || kept["note 1"] != "2026-07-02 13:55 cx@example.com: called" || len([]rune(kept["note 2"])) != 1000 || len([]rune(kept["note 2 2"])) != 500 ||
		kept["What mattered"] != "Speed|Price" || kept["Why"] != "no" || kept["question q_5"] != "9" {
		t.Errorf("%+v", kept)
	}
	if len(in.Attributes) != 4 || in.Attributes["nested"].Text() != `{"a":[1]}` || in.Attributes["seats"].Text() != "12" {
		t.Errorf("%+v", in.Attributes)
	}
	if _, twice := a.Entry(all[0]); !twice || a.Twice != 1 || a.Histogram.N() != 1 {
		t.Errorf("%+v", a)
	}
}

func TestAnswersThatAreRefused(t *testing.T) {
	f, all := facts(t, "id,person_email,survey_type,score,created_at,tags,notes,additional_answers\n"+
		"1,a@example.com,nps,11,1783000000,,,\n2,a@example.com,nps,,1783000000,,,\n3,a@example.com,nps,6.5,1783000000,,,\n4,a@example.com,nps,9,,,,\n"+
		"5,nobody,nps,10,2026-07-02,a|b,called,\n,b@example.com,nps,0,1783000000,\"x, y\",,[]\n,b@example.com,nps,0,1783000000,\"x, y\",,[]\n7,b@example.com,nps,0,1783000000,,,what\n")
	a := &delighted.Answers{Facts: f, Names: delighted.NewNames(nil), Template: nps}
	var got []string
	for _, r := range all {
		e, twice := a.Entry(r)
		switch {
		case twice:
			got = append(got, "twice")
		case e.Blank:
			got = append(got, "blank")
		case e.Rejection != nil:
			got = append(got, fmt.Sprint(e.Rejection.Line, " ", e.Rejection.Field))
		default:
			got = append(got, strings.Join(e.Answer.Tags, "+"))
		}
	}
	if want := []string{"2 score", "blank", "4 score", "5 created_at", "a+b", "x+y", "twice", "9 additional_answers"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if a.Histogram != (scoring.Histogram{0: 1, 10: 1}) || a.Unnamed != 1 {
		t.Errorf("%+v", a)
	}
}

// TestMoreThanKoeKeeps: two hundred properties, of which a hundred are kept, the
// ones that are counted by first, and it is said.
func TestMoreThanKoeKeeps(t *testing.T) {
	header, row := "id,email,created_at", "1,ana@example.com,1780000000"
	for i := range 200 {
		header += fmt.Sprintf(",property %d", i)
		row += fmt.Sprintf(",%d", i)
	}
	f, all := facts(t, header+"\n"+row+"\n")
	names := delighted.NewNames([]string{"property 199"})
	p, why := f.Person(all[0], names, now)
	if why != nil || len(p.Attributes) != 100 || p.Attributes["property 199"].Text() != "199" || p.Attributes["property 98"].Text() != "98" {
		t.Errorf("%d %+v", len(p.Attributes), why)
	}
	if notes := strings.Join(names.Notes(), "\n"); !strings.Contains(notes, "more than 100 properties in a row") || !strings.Contains(notes, "property 150") || strings.Contains(notes, "property 199,") {
		t.Error(notes)
	}
	odd := delighted.NewNames(nil)
	f, all = facts(t, "id,email,created_at,a/b,a?b,???,"+strings.Repeat("n", 80)+"\n1,ana@example.com,1780000000,1,2,3,4\n")
	if p, why := f.Person(all[0], odd, now); why != nil || p.Attributes["a_b"].Text() != "1" || p.Attributes["a_b 2"].Text() != "2" || p.Attributes[strings.Repeat("n", 64)].Text() != "4" || len(p.Attributes) != 3 {
		t.Errorf("%+v %v", p.Attributes, why)
	}
	if notes := odd.Notes(); len(notes) != 4 {
		t.Errorf("%q", notes)
	}
}

// TestFiguresAreRoundedAsDelightedRounds: its documentation's example, each
// figure by itself.
func TestFiguresAreRoundedAsDelightedRounds(t *testing.T) {
	h := scoring.Histogram{9: 20, 10: 12, 7: 13, 0: 6}
	all, err := delighted.FiguresOf(scoring.DefaultMeasure(scoring.NPS, 0, 10, 0), h)
	if err != nil || *all.Score != 51 || all.Percentage["promoters"] != 63 || all.Percentage["passives"] != 25 || all.Percentage["detractors"] != 12 {
		t.Fatalf("%+v %v", all, err)
	}
	recent, err := delighted.FiguresOf(scoring.DefaultMeasure(scoring.NPS, 0, 10, 0), scoring.Histogram{9: 1})
	if err != nil {
		t.Fatal(err)
	}
	given := func(text string) map[string]json.RawMessage {
		var m map[string]json.RawMessage
		if err := json.Unmarshal([]byte(text), &m); err != nil {
			t.Fatal(err)
		}
		return m
	}
	const documented = `{"nps":51,"promoter_count":32,"promoter_percent":63,"passive_count":13,"passive_percent":25,"detractor_count":6,"detractor_percent":12,"response_count":51}`
	if c := delighted.Compare("m", given(documented), scoring.NPS, all, recent); c.Agrees != "all" || c.Differs != nil {
		t.Errorf("%+v", c)
	}
	if c := delighted.Compare("m", given(`{"nps":100,"response_count":1,"passive_percent":0}`), scoring.NPS, all, recent); c.Agrees != "last_30_days" || c.Differs != nil {
		t.Errorf("%+v", c)
	}
	if c := delighted.Compare("m", given(`{"nps":50,"response_count":51}`), scoring.NPS, all, recent); c.Agrees != "" || !slices.Equal(c.Differs, []string{"nps: Delighted 50, koe 51"}) {
		t.Errorf("%+v", c)
	}
	csat, err := delighted.FiguresOf(scoring.DefaultMeasure(scoring.CSAT, 0, 1, 0), scoring.Histogram{1: 3, 0: 1})
	if err != nil || *csat.Score != 75 {
		t.Errorf("%+v %v", csat, err)
	}
	ces, err := delighted.FiguresOf(scoring.DefaultMeasure(scoring.CES, 1, 7, 2), scoring.Histogram{7: 1, 5: 1, 4: 1})
	if err != nil || *ces.Score != 67 {
		t.Errorf("%+v %v", ces, err)
	}
	none, err := delighted.FiguresOf(scoring.DefaultMeasure(scoring.NPS, 0, 10, 0), scoring.Histogram{})
	if err != nil || none.Score != nil {
		t.Errorf("%+v %v", none, err)
	}
}
