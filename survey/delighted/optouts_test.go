package delighted_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"koe/survey/delighted"
)

// out are the opt-outs of files, read in this order.
func out(t testing.TB, files ...string) (list []string, f *delighted.Facts) {
	t.Helper()
	f, _ = facts(t, files...)
	for _, s := range f.OptOuts() {
		list = append(list, fmt.Sprint(s.Email, " ", s.Reason, " ", int64(s.CreatedAt)/1000))
	}
	return list, f
}

func TestOptOutsOfPeople(t *testing.T) {
	for cell, want := range map[string]string{
		"": "", "false": "", "No": "", "0": "", "NULL": "",
		"1782000000": "1782000000", "yes": "0", "TRUE": "0", "1": "0", "11/22/2026": "0", "x": "0",
	} {
		for field, reason := range map[string]string{"unsubscribed_at": "unsubscribed", "bounced_at": "bounced"} {
			list, _ := out(t, "id,email,created_at,"+field+"\n17,a@example.com,1780000000,"+cell+"\n")
			if got := strings.Join(list, "|"); want == "" && got != "" || want != "" && got != "a@example.com "+reason+" "+want {
				t.Errorf("%s %q: %q", field, cell, got)
			}
		}
	}
	// a date that is known stays, whichever row comes first
	const dated, undated = "id,email,created_at,unsubscribed_at\n17,a@example.com,1780000000,1782000000\n", "email,last_sent_at,unsubscribed_at\na@example.com,,soon\n"
	for _, files := range [][]string{{dated, undated}, {undated, dated}} {
		if list, _ := out(t, files...); !slices.Equal(list, []string{"a@example.com unsubscribed 1782000000"}) {
			t.Errorf("%q", list)
		}
	}
	if list, _ := out(t, `[{"id":17,"email":"a@example.com","created_at":1780000000,"unsubscribed_at":true},{"id":18,"email":"b@example.com","created_at":1780000000,"unsubscribed_at":false}]`); !slices.Equal(list, []string{"a@example.com unsubscribed 0"}) {
		t.Errorf("%q", list)
	}
}

func TestColumnsThatHintAtOptOuts(t *testing.T) {
	for _, name := range []string{"Unsubscribed", "BOUNCED", "unsubscribed on", "Opted out", "opt-out", "is_unsubscribed"} {
		for _, file := range []string{"id,email,created_at," + name + "\n17,a@example.com,1780000000,yes\n", "id,person_email,survey_type,score,created_at," + name + "\n1,a@example.com,nps,9,1780000000,yes\n"} {
			want := "unsubscribed_at: the column \"" + name + "\" may say who opted out; say so with --map unsubscribed_at=\"" + name + "\""
			if _, err := read(t, file, delighted.Options{}); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%q: %v", file, err)
			}
			list, err := read(t, file, delighted.Options{Columns: map[string]string{"unsubscribed_at": name}})
			if err != nil || list[0].Unsubscribed == nil || list[0].Fault != nil {
				t.Errorf("%q: %+v %v", file, list, err)
			}
			list, err = read(t, file, delighted.Options{Columns: map[string]string{"person_properties.out": name}})
			if err != nil || list[0].Unsubscribed != nil || len(list[0].Properties) != 1 {
				t.Errorf("%q: %+v %v", file, list, err)
			}
		}
	}
}

// TestOptOutsInRowsThatAreWrong suppress all the same, and are said.
// People with a column that was said to tell who opted out are no list of
// opt-outs, with dates or without; a list is one whatever its columns are called.
func TestPeopleWithAColumnOfOptOuts(t *testing.T) {
	columns := delighted.Options{Columns: map[string]string{"unsubscribed_at": "Opted out"}}
	rows := "17,a@example.com,yes\n18,b@example.com,\n19,c@example.com,no\n20,d@example.com,2026-01-05\n21,e@example.com,who knows\n"
	for header, want := range map[string]string{
		"id,email,Opted out\n":        "people 17 20 21",
		"person_id,email,Opted out\n": "unsubscribes 17 18 19 20 21", // as Delighted's own list
		"id,email,unsubscribed_at\n":  "unsubscribes 17 18 19 20 21", // by a name that Delighted gives to its list
	} {
		list, err := read(t, header+rows, columns)
		if err != nil || len(list) != 5 {
			t.Fatalf("%q: %d %v", header, len(list), err)
		}
		f := delighted.NewFacts()
		for _, r := range list {
			f.Add("file", r)
		}
		if err := f.Settle(); err != nil {
			t.Fatal(err)
		}
		got := string(list[0].Kind)
		for _, s := range f.OptOuts() {
			got += fmt.Sprint(" ", 17+int(s.Email[0]-'a'))
		}
		if got != want {
			t.Errorf("%q: %s, want %s", header, got, want)
		}
	}
}

func TestOptOutsInRowsThatAreWrong(t *testing.T) {
	const head, people = "person_id,email,name,unsubscribed_at\n", "id,email,created_at\n17,a@example.com,1780000000\n"
	for row, want := range map[string]string{
		"17,a@example.com": "a@example.com", "17,a@example.com,Smith, Ana,1782000000": "a@example.com", "a@example.com,1782000000": "a@example.com",
		"17": "a@example.com", "17,nobody,,1782000000": "a@example.com", ",Ana <a@example.com>,,1782000000": "a@example.com",
		",mailto:A@example.com,,1782000000": "a@example.com", ",\"'o'brien@example.com'; a@example.com\",,soon": "a@example.com o'brien@example.com",
		",Ana <a@x>,,": "a@x",
	} {
		for _, files := range [][]string{{head + row + "\n", people}, {people, head + row + "\n"}} {
			list, f := out(t, files...)
			var got []string
			for _, one := range list {
				got = append(got, strings.Fields(one)[0])
			}
			if strings.Join(got, " ") != want || len(f.Rejected()) != 1 || f.Rejected()[0].Line != 2 {
				t.Errorf("%s: %q %+v", row, list, f.Rejected())
			}
			if unsubscribes, _ := f.Lists(nil); unsubscribes != (delighted.ListCount{In: 1, Rejected: 1}) {
				t.Errorf("%s: %+v", row, unsubscribes)
			}
		}
	}
	// of people, where they stand
	list, _ := out(t, "id,email,unsubscribed_at,created_at,plan\n17,a@example.com,1782000000,1780000000\n18,b@example.com,,1780000000\n")
	if !slices.Equal(list, []string{"a@example.com unsubscribed 1782000000"}) {
		t.Errorf("%q", list)
	}
}

// TestOptOutsOfNobody end the import: whoever they are could be mailed.
func TestOptOutsOfNobody(t *testing.T) {
	for file, lost := range map[string]bool{
		"person_id,email,unsubscribed_at\n,,\n":                            false,
		"person_id,email,unsubscribed_at\n,\n":                             false,
		"person_id,email,unsubscribed_at\n99,,1782000000\n":                false, // who has no address is mailed by nobody
		"person_id,email,unsubscribed_at\n,,1782000000\n":                  true,
		"person_id,email,unsubscribed_at\n99,nobody,1782000000\n":          true,
		"person_id,email,unsubscribed_at\n99\n":                            true,
		"person_id,email,bounced_at\n,Ana (a at example.com),1782000000\n": true,
		`[{"person_id":"99","email":"nobody","bounced_at":1782000000}]`:    true,
		`[{"person_id":"99","email":null,"unsubscribed_at":1782000000}]`:   false,
	} {
		f := delighted.NewFacts()
		for _, r := range mustRead(t, file) {
			f.Add("list", r)
		}
		err := f.Settle()
		if (err != nil) != lost || lost && (!strings.Contains(err.Error(), "list: line ") || !strings.Contains(err.Error(), "no address can be read; mend the row")) {
			t.Errorf("%q: %v", file, err)
		}
		if !lost && len(f.Rejected()) != 1 {
			t.Errorf("%q: %+v", file, f.Rejected())
		}
	}
	f := delighted.NewFacts()
	for _, r := range mustRead(t, "email,unsubscribed_at\n"+strings.Repeat("nobody,1782000000\n", 30)) {
		f.Add("list", r)
	}
	if err := f.Settle(); err == nil || strings.Count(err.Error(), "\n") != 20 || !strings.HasSuffix(err.Error(), "and 10 more such rows") {
		t.Error(err)
	}
}

// TestAllAddressesOfAPerson are suppressed by what they said, in whatever order
// the files come; a bounce is of the address that it names.
func TestAllAddressesOfAPerson(t *testing.T) {
	const people, answers = "id,email,created_at\n17,new@example.com,1780000000\n18,b@example.com,1780000000\n",
		`[{"id":"501","person":{"id":"17","email":"older@example.com"},"survey_type":"nps","score":9,"created_at":1783000000},{"id":"502","person":"17","survey_type":"nps","score":9,"created_at":1784000000}]`
	for list, want := range map[string]string{
		"person_id,email,unsubscribed_at\n17,old@example.com,1782000000\n": "new@example.com old@example.com older@example.com",
		"person_id,unsubscribed_at\n17,1782000000\n":                       "new@example.com older@example.com",
		"email,unsubscribed_at\nolder@example.com,1782000000\n":            "new@example.com older@example.com",
		"person_id,bounced_at\n17,1782000000\n":                            "new@example.com older@example.com",
		"person_id,email,bounced_at\n17,old@example.com,1782000000\n":      "old@example.com",
	} {
		for _, files := range [][]string{{people, answers, list}, {list, answers, people}, {answers, list, people}} {
			got, f := out(t, files...)
			var who []string
			for _, one := range got {
				who = append(who, strings.Fields(one)[0])
				if !strings.HasSuffix(one, " 1782000000") {
					t.Errorf("%q: %q", list, one)
				}
			}
			if strings.Join(who, " ") != want {
				t.Errorf("%q: %q", list, got)
			}
			if unsubscribes, bounces := f.Lists(nil); unsubscribes.Accepted+bounces.Accepted != 1 || unsubscribes.Repeated+bounces.Repeated != 0 {
				t.Errorf("%q: %+v %+v", list, unsubscribes, bounces)
			}
			if address := f.AddressOf(delighted.Record{Kind: delighted.Responses, Person: "17"}); address != "new@example.com" {
				t.Errorf("%q: 17 is %s", list, address)
			}
		}
	}
}

func TestPhoneNumbersComeAlong(t *testing.T) {
	for _, file := range []string{"id,email,created_at,Phone Number\n17,a@example.com,1780000000,+14155550123\n", `[{"id":17,"email":"a@example.com","created_at":1780000000,"phone_number":"+14155550123"}]`} {
		f, all := facts(t, file)
		p, why := f.Person(all[0], delighted.NewNames(nil), now)
		if why != nil || p.Attributes["phone_number"].Text() != "+14155550123" || !p.Attributes["phone_number"].IsText() {
			t.Errorf("%q: %+v %+v", file, p, why)
		}
	}
}
