package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// delightedExport is what a company took out of Delighted, and what is known of
// it because it was made here.
type delightedExport struct {
	folder     string
	suppressed map[string]string    // reason by address
	asked      map[string]time.Time // last, by address
	responses  map[string]int       // by survey_type
	nps        [3]int               // detractors, passives, promoters
	satisfied  int
	rejected   int
	people     int // rows
	addresses  int
	rows       int
}

// exportDelighted writes people and bounces as the API's JSON in pages, answers
// half and half, unsubscribes as CSV; one address in a thousand is there twice
// in another case, one answer in a thousand is off the scale, one in a hundred
// is in two files.
func exportDelighted(t testing.TB, people, answers, unsubscribes int, now time.Time) *delightedExport {
	t.Helper()
	x := &delightedExport{folder: t.TempDir(), suppressed: map[string]string{}, asked: map[string]time.Time{}, responses: map[string]int{}, addresses: people}
	r := rand.New(rand.NewPCG(7, 7))
	address := func(i int) string { return fmt.Sprintf("person%d@example.com", i) }
	ask := func(i int, at time.Time) {
		if at.After(x.asked[address(i)]) {
			x.asked[address(i)] = at
		}
	}
	ago := func(most int) time.Time {
		return now.Add(-time.Duration(r.IntN(most*86400)) * time.Second).Truncate(time.Second)
	}
	list := x.pages(t, "people")
	for i := range people {
		sent := ago(365)
		ask(i, sent)
		item := map[string]any{"id": fmt.Sprint(i + 1), "email": address(i), "name": fmt.Sprint("Person ", i), "created_at": sent.Unix() - 1e7, "phone_number": nil,
			"last_sent_at": sent.Unix(), "last_responded_at": nil, "next_survey_scheduled_at": nil}
		list.add(item)
		x.people++
		if i%1000 == 999 {
			item["email"] = fmt.Sprintf("PERSON%d@Example.com", i)
			list.add(item)
			x.people++
		}
	}
	list.close()
	x.answers(t, r, people, answers, ask, ago)

	file := x.create(t, "unsubscribes.csv")
	_, _ = fmt.Fprintln(file, "person_id,email,name,unsubscribed_at") // an error shows at Flush
	for n := range unsubscribes {
		i := n * people / unsubscribes
		x.suppressed[address(i)] = "unsubscribed"
		_, _ = fmt.Fprintf(file, "%d,%s,,%d\n", i+1, address(i), ago(300).Unix())
	}
	file.end(t)
	list = x.pages(t, "bounces")
	for n := range unsubscribes / 3 {
		i := n * 7 % people
		if x.suppressed[address(i)] == "" {
			x.suppressed[address(i)] = "bounced"
		}
		list.add(map[string]any{"person_id": fmt.Sprint(i + 1), "email": address(i), "name": nil, "bounced_at": ago(300).Unix()})
	}
	list.close()
	x.rows = x.people + x.responses["nps"] + x.responses["csat"] + unsubscribes + unsubscribes/3
	x.metrics(t)
	return x
}

func (x *delightedExport) answers(t testing.TB, r *rand.Rand, people, answers int, ask func(int, time.Time), ago func(int) time.Time) {
	sheet := x.create(t, "responses.csv")
	_, _ = fmt.Fprintln(sheet, "id,person,survey_type,score,comment,created_at,tags,plan,region")
	list := x.pages(t, "survey_responses")
	for n := range answers {
		i, at, kind := r.IntN(people), ago(365), []string{"nps", "nps", "nps", "csat"}[n%4]
		most, comment := 11, ""
		if kind == "csat" {
			most = 5
		}
		score := r.IntN(most)
		if kind == "csat" {
			score++
		}
		if n%5 < 2 {
			comment = "Quick, \"friendly\" and 速い 🙂"
		}
		ask(i, at)
		x.responses[kind]++
		twice := n%100 == 50
		if n%1000 == 500 {
			score, twice = 11, false
			x.rejected++
		} else {
			x.count(kind, score)
		}
		if twice {
			x.responses[kind]++
		}
		plan, region := []string{"free", "pro"}[n%2], fmt.Sprint("region ", n%12)
		if n%2 == 0 || twice {
			_, _ = fmt.Fprintf(sheet, "%d,%d,%s,%d,%q,%s,billing|vip,%s,%s\n", n+1, i+1, kind, score, "", at.Format(time.RFC3339), plan, region)
		}
		if n%2 == 1 || twice {
			list.add(map[string]any{"id": fmt.Sprint(n + 1), "person": fmt.Sprint(i + 1), "survey_type": kind, "score": score, "comment": comment,
				"permalink": "https://delighted.com/r/" + fmt.Sprint(n), "created_at": at.Unix(), "updated_at": nil, "notes": []any{}, "tags": []string{"billing", "vip"},
				"person_properties": map[string]any{"plan": plan, "region": region}, "additional_answers": []any{}})
		}
	}
	sheet.end(t)
	list.close()
}

func (x *delightedExport) count(kind string, score int) {
	switch {
	case kind == "csat" && score >= 4:
		x.satisfied++
	case kind == "csat":
	case score >= 9:
		x.nps[2]++
	case score >= 7:
		x.nps[1]++
	default:
		x.nps[0]++
	}
}

// metrics writes the figures as Delighted gives them.
func (x *delightedExport) metrics(t testing.TB) {
	n := x.nps[0] + x.nps[1] + x.nps[2]
	file := x.create(t, "metrics.json")
	_, _ = fmt.Fprintf(file, `{"nps":%d,"promoter_count":%d,"passive_count":%d,"detractor_count":%d,"response_count":%d}`,
		rounded(x.nps[2]-x.nps[0], n), x.nps[2], x.nps[1], x.nps[0], n)
	file.end(t)
}

// rounded is a share in percent, halves away from zero.
func rounded(part, whole int) int {
	if part < 0 {
		return -rounded(-part, whole)
	}
	return (200*part + whole) / (2 * whole)
}

// writing is a file that is being written.
type writing struct {
	*bufio.Writer
	file *os.File
}

func (x *delightedExport) create(t testing.TB, name string) *writing {
	t.Helper()
	file, err := os.Create(filepath.Join(x.folder, name))
	if err != nil {
		t.Fatal(err)
	}
	return &writing{bufio.NewWriterSize(file, 1<<16), file}
}

func (w *writing) end(t testing.TB) {
	t.Helper()
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := w.file.Close(); err != nil {
		t.Fatal(err)
	}
}

// pages are files of lists, as a program saves the pages of the API.
type pages struct {
	t     testing.TB
	x     *delightedExport
	name  string
	file  *writing
	items int
	count int
}

func (x *delightedExport) pages(t testing.TB, name string) *pages {
	return &pages{t: t, x: x, name: name}
}

const pageSize = 5000

func (p *pages) add(item map[string]any) {
	between := ",\n"
	if p.file == nil {
		p.file = p.x.create(p.t, fmt.Sprintf("%s-%03d.json", p.name, p.count))
		p.count++
		between = "["
	}
	text, err := json.Marshal(item)
	if err != nil {
		p.t.Fatal(err)
	}
	_, _ = p.file.WriteString(between) // an error shows at Flush
	_, _ = p.file.Write(text)
	if p.items++; p.items%pageSize == 0 {
		p.close()
	}
}

func (p *pages) close() {
	if p.file == nil {
		return
	}
	_, _ = p.file.WriteString("]\n")
	p.file.end(p.t)
	p.file = nil
}
