package store_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"koe/survey"
	"koe/survey/history"
	"koe/survey/store"
)

// importedFile is a file of answers to one survey that was imported.
type importedFile struct {
	survey string // its key or id
	hash   []byte // nil where it is not known by its contents
	text   string
	rows   []*importedRow
}

// importedRow is an answer of a file, as the file has it.
type importedRow struct{ told }

// importFile imports a random file.
func (l *teller) importFile() {
	l.t.Helper()
	of := l.surveys[l.random.IntN(len(l.surveys))]
	var text bytes.Buffer
	w := csv.NewWriter(&text)
	ok(l.t, w.Write([]string{"score", "responded_at", "external_id", "locale", "channel", "customer.external_id", "attributes.agent",
		"attributes.plan", "answers.reason", "answers.topic", "answers.clean"}))
	file := importedFile{survey: of.ID.String()}
	for i := range 1 + l.random.IntN(40) {
		one, _ := l.draw(of)
		row := &importedRow{one}
		row.told.row = row
		clean, external := "", ""
		if one.hospital > 0 {
			clean = strconv.Itoa(one.hospital)
		}
		if l.random.IntN(2) == 0 {
			external = fmt.Sprint("answer-", l.next)
		}
		cells := []string{strconv.Itoa(one.score), one.at.String(), external, one.locale, one.channel, one.person, one.agent, one.plan,
			"words", strings.Join(one.topics, "|"), clean}
		ok(l.t, w.Write(cells))
		if external != "" && i%5 == 0 {
			ok(l.t, w.Write(cells)) // twice in one file
		}
		file.rows = append(file.rows, row)
	}
	w.Flush()
	file.text = text.String()
	if l.random.IntN(2) == 0 {
		file.hash = fmt.Append(nil, "file ", l.next)
	}
	l.files = append(l.files, file)
	l.imported(file)
}

// importAgain imports a file a second time: what is there adds nothing, and
// what was deleted since comes back as it was.
func (l *teller) importAgain() {
	l.t.Helper()
	l.imported(l.files[l.random.IntN(len(l.files))])
}

// imported imports a file and remembers its answers that are not there.
func (l *teller) imported(file importedFile) {
	l.t.Helper()
	fresh := map[string]*importedRow{} // by person, who answered once
	for _, row := range file.rows {
		if !slices.ContainsFunc(l.told, func(a told) bool { return a.row == row }) {
			fresh[row.person] = row
		}
	}
	in := reading(file.survey, strings.NewReader(file.text), history.Options{}, nil)
	in.File = file.hash
	got, err := l.s.Import(ctx, l.by, in)
	ok(l.t, err)
	if lines := strings.Count(file.text, "\n") - 1; got.Accepted != int64(len(fresh)) || got.Repeated != int64(lines-len(fresh)) || got.Rejected+got.Blank > 0 {
		l.t.Fatalf("of %d rows, %d of them new: %+v", lines, len(fresh), got)
	}
	ok(l.t, l.s.Export(ctx, l.by, store.ResponseFilter{Survey: file.survey}, func(r survey.Response) error {
		if r.Person == nil {
			return nil
		}
		if row := fresh[r.Person.ExternalID]; row != nil {
			one := row.told
			one.id, one.survey = r.ID, l.surveys[slices.IndexFunc(l.surveys, func(v survey.Survey) bool { return v.ID == r.Survey })]
			l.told = append(l.told, one)
			delete(fresh, r.Person.ExternalID)
		}
		return nil
	}))
	if len(fresh) > 0 {
		l.t.Fatalf("%d rows were accepted and are not there", len(fresh))
	}
}
