package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"koe/scoring"
	"koe/survey"
	"koe/survey/history"
	"koe/survey/store"
	"koe/survey/store/storetest"
)

// imported is a survey that answers are imported into.
func imported(t testing.TB, s *store.Store, by store.Caller, key, template string, segments ...string) survey.Survey {
	t.Helper()
	v, _, err := s.PutSurvey(ctx, by, survey.Survey{Key: key, Name: key, Template: template, Touchpoint: key, Channel: survey.LinkOnly,
		Trigger: survey.Trigger{Type: survey.OnManual}, Segments: segments}, 0)
	ok(t, err)
	return v
}

// reading is an import of a CSV file, with what it rejects.
func reading(key string, file io.Reader, o history.Options, rejected *[]history.Rejection) store.Import {
	return store.Import{Survey: key,
		Open: func(t survey.Template, zone *time.Location) (*history.Reader, error) {
			if o.Zone == nil {
				o.Zone = zone
			}
			return history.ReadCSV(file, t, o)
		},
		Rejected: func(_ *history.Reader, _ history.Entry, why history.Rejection) error {
			if rejected != nil {
				*rejected = append(*rejected, why)
			}
			return nil
		}}
}

// exported are all responses, without what an import cannot keep: ids, the
// person's id, and when koe learned of it.
func exported(t testing.TB, s *store.Store, by store.Caller, f store.ResponseFilter) (list []survey.Response) {
	t.Helper()
	ok(t, s.Export(ctx, by, f, func(r survey.Response) error {
		r.ID, r.Survey, r.Touchpoint, r.CreatedAt, r.UpdatedAt = survey.ID{}, survey.ID{}, "", 0, 0
		if r.Person != nil {
			p := *r.Person
			p.ID, p.CreatedAt, p.UpdatedAt = survey.ID{}, 0, 0
			r.Person = &p
		}
		list = append(list, r)
		return nil
	}))
	return list
}

func TestImport(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		imported(t, s, by, "shop", "nps", "plan")
		file := "score,responded_at,external_id,comment,locale,channel,customer.email,customer.external_id,customer.name,attributes.plan,tags,answers.reason\n" +
			"9,2026-03-01,a,とても良い 🙂,ja,store,ANA@example.com,c-1,Ana,pro,vip|店,\n" + // line 2
			"11,2026-03-02,b,,,,,,,,,\n" + // off the scale
			",2026-03-03,c,,,,,,,,,\n" + // blank
			"3,2026-03-04,a,other,,,,,,,,\n" + // a repeat of line 2
			"0,,,,,,,,,free,,\"two\nlines\"\n" + // without an external id
			"0,2026-03-05,d,,xx-invalid-locale,,,,,,,\n" +
			"7,2999-01-01,e,,,,,,,,,\n" +
			"7,2026-03-06,f,,,,not an address,,,,,\n" +
			"7,2026-03-06,g,one,,,,,,,,two\n" +
			"7,2026-03-06,h,,,,,,,,a|a,\n"
		var rejected []history.Rejection
		got, err := s.Import(ctx, by, reading("shop", strings.NewReader(file), history.Options{}, &rejected))
		ok(t, err)
		if got != (store.Imported{Accepted: 2, Blank: 1, Repeated: 1, Rejected: 6}) || got.Rows() != 10 || got.Skipped() != 2 {
			t.Errorf("%+v", got)
		}
		var fields []string
		for _, r := range rejected {
			fields = append(fields, fmt.Sprintf("%d %s", r.Line, r.Field))
		}
		if want := []string{"3 score", "8 locale", "9 responded_at", "10 customer.email", "11 comment", "12 tags[1]"}; !slices.Equal(fields, want) {
			t.Errorf("%q, want %q", fields, want)
		}
		list := exported(t, s, by, store.ResponseFilter{})
		if len(list) != 2 {
			t.Fatalf("%+v", list)
		}
		first, second := list[0], list[1]
		if first.Comment != "とても良い 🙂" || first.Person.Email != "ana@example.com" || first.Person.Name != "Ana" || first.Channel != "store" ||
			first.Locale != "ja" || first.ExternalID != "a" || first.Attributes["plan"] != survey.TextValue("pro") ||
			!slices.Equal(first.Tags, []string{"vip", "店"}) || first.RespondedAt.String() != "2026-03-01T00:00:00.000Z" || !first.Complete {
			t.Errorf("%+v", first)
		}
		if second.Comment != "two\nlines" || second.Person != nil || second.Channel != "import" || !strings.HasPrefix(second.ExternalID, "row-5-") {
			t.Errorf("%+v", second)
		}
		again, err := s.Import(ctx, by, reading("shop", strings.NewReader(file), history.Options{}, nil))
		if err != nil || again != (store.Imported{Blank: 1, Repeated: 3, Rejected: 6, Unnamed: 1}) {
			t.Errorf("%+v %v", again, err)
		}
	})
}

func TestImportRefuses(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		imported(t, s, by, "shop", "nps")
		_, err := s.Import(ctx, by, reading("nowhere", strings.NewReader("score\n9\n"), history.Options{}, nil))
		refused(t, err, survey.Invalid, "survey")
		_, err = s.Import(ctx, by, reading("shop", strings.NewReader("rating\n9\n"), history.Options{}, nil))
		refused(t, err, survey.Invalid, "score")
		got, err := s.Import(ctx, by, reading("shop", strings.NewReader("score,external_id\n9,a\n8,b\n7,\"c\n"), history.Options{}, nil))
		refused(t, err, survey.Malformed, "")
		if got.Accepted != 2 || !strings.Contains(err.Error(), "line 4: a quote opens here") || !strings.Contains(err.Error(), "answers before it are kept, and will not be added again: 2") {
			t.Errorf("%+v %v", got, err)
		}
		other := storetest.Other(t, s, "other")
		_, err = s.Import(ctx, other, reading("shop", strings.NewReader("score\n9\n"), history.Options{}, nil))
		refused(t, err, survey.Invalid, "survey")
	})
}

func TestDryImportKeepsNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		imported(t, s, by, "shop", "nps")
		file := "score,external_id,customer.email\n9,a,ana@example.com\n9,a,\n12,b,\n"
		for range 2 {
			in := reading("shop", strings.NewReader(file), history.Options{}, nil)
			in.DryRun, in.File = true, []byte("file")
			got, err := s.Import(ctx, by, in)
			if err != nil || got != (store.Imported{Accepted: 1, Repeated: 1, Rejected: 1}) {
				t.Errorf("%+v %v", got, err)
			}
		}
		if list := exported(t, s, by, store.ResponseFilter{}); len(list) > 0 {
			t.Errorf("%+v", list)
		}
		_, err := s.Import(ctx, by, reading("shop", strings.NewReader(file), history.Options{}, nil))
		ok(t, err)
		in := reading("shop", strings.NewReader(file), history.Options{}, nil)
		in.DryRun = true
		if got, err := s.Import(ctx, by, in); err != nil || got != (store.Imported{Repeated: 2, Rejected: 1}) {
			t.Errorf("%+v %v", got, err)
		}
	})
}

// rows is a file of n rows over a year, without external ids where plain.
func rows(n int, plain bool) string {
	var b strings.Builder
	b.WriteString("score,responded_at,attributes.plan,external_id\n")
	for i := range n {
		external := ""
		if !plain {
			external = fmt.Sprintf("x%d", i)
		}
		fmt.Fprintf(&b, "%d,2026-%02d-%02dT10:00:00Z,%s,%s\n", i%11, i%10+1, i%28+1, []string{"pro", "free", ""}[i%3], external)
	}
	return b.String()
}

// TestImportsOfTheSameFileAtOnce add every row once.
func TestImportsOfTheSameFileAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		imported(t, s, by, "shop", "nps", "plan")
		const n = 1200
		var accepted atomic.Int64
		for _, err := range atOnce(3, func(i int) error {
			in := reading("shop", strings.NewReader(rows(n, true)), history.Options{}, nil)
			if i > 0 {
				in.File = []byte("the same")
			}
			got, err := s.Import(ctx, by, in)
			accepted.Add(got.Accepted)
			if err == nil && got.Rows() != n {
				err = fmt.Errorf("%+v", got)
			}
			return err
		}) {
			ok(t, err)
		}
		if accepted.Load() != n || len(exported(t, s, by, store.ResponseFilter{})) != n {
			t.Errorf("%d accepted, %d there", accepted.Load(), len(exported(t, s, by, store.ResponseFilter{})))
		}
		if total := counted(t, s, by, store.ScoreQuery{ScoreFilter: store.ScoreFilter{Metric: scoring.NPS}}).Spans[0]; cellsN(total) != n {
			t.Errorf("%+v", total)
		}
	})
}

func counted(t testing.TB, s *store.Store, by store.Caller, q store.ScoreQuery) store.Counted {
	t.Helper()
	if q.Spans == nil {
		q.Spans = []store.Span{{}}
	}
	c, err := s.Tally(ctx, by, q)
	ok(t, err)
	return c
}

func cellsN(cells []scoring.Cell) (n int64) {
	for _, c := range cells {
		n += c.Histogram.N()
	}
	return n
}

// TestAnImportGoesOnWhereItWasStopped: what was kept stays, nothing is twice,
// and everything that was rejected is said again.
func TestAnImportGoesOnWhereItWasStopped(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		imported(t, s, by, "shop", "nps", "plan")
		const n = 24_000
		file := strings.Replace(rows(n, true), "\n3,", "\n99,", 1)
		stopped, stop := context.WithCancel(ctx)
		in := reading("shop", strings.NewReader(file), history.Options{}, nil)
		in.File = []byte("a file")
		in.Progress = func(so store.Imported) {
			if so.Accepted > 20_500 {
				stop()
			}
		}
		first, err := s.Import(stopped, by, in)
		if !errors.Is(err, context.Canceled) || first.Accepted == 0 || first.Accepted >= n-1 {
			t.Fatalf("%+v %v", first, err)
		}
		var rejected []history.Rejection
		again := reading("shop", strings.NewReader(file), history.Options{}, &rejected)
		again.File = in.File
		second, err := s.Import(ctx, by, again)
		ok(t, err)
		if first.Accepted+second.Accepted != n-1 || second.Rows() != n || len(rejected) != 1 || second.Repeated < first.Accepted {
			t.Errorf("first %+v, then %+v", first, second)
		}
		third := reading("shop", strings.NewReader(file), history.Options{}, nil)
		third.File = in.File
		if got, err := s.Import(ctx, by, third); err != nil || got.Accepted != 0 || got.Repeated != n-1 {
			t.Errorf("%+v %v", got, err)
		}
		if total := counted(t, s, by, store.ScoreQuery{ScoreFilter: store.ScoreFilter{Metric: scoring.NPS}}); cellsN(total.Spans[0]) != n-1 || total.Source != "tallies" {
			t.Errorf("%+v", total)
		}
	})
}

// TestRowsThatAreTheSameInTwoFiles are repeats, which is said unless the file
// itself is one.
func TestRowsThatAreTheSameInTwoFiles(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		imported(t, s, by, "shop", "nps")
		const header = "score,responded_at,external_id\n"
		const january, february = header + "9,2026-01-01,\n8,2026-01-01,x\n", header + "9,2026-01-01,\n8,2026-01-01,x\n7,2026-02-01,\n"
		for i, step := range []struct {
			file, hash string
			dry        bool
			want       store.Imported
		}{
			{january, "1", false, store.Imported{Accepted: 2}},
			{january, "1", false, store.Imported{Repeated: 2}},
			{january, "1", true, store.Imported{Repeated: 2}},
			{february, "2", true, store.Imported{Accepted: 1, Repeated: 2, Unnamed: 1}},
			{february, "2", false, store.Imported{Accepted: 1, Repeated: 2, Unnamed: 1}},
			{february, "2", false, store.Imported{Repeated: 3}},
			{february, "", false, store.Imported{Repeated: 3, Unnamed: 2}},
		} {
			in := reading("shop", strings.NewReader(step.file), history.Options{}, nil)
			in.DryRun = step.dry
			if step.hash != "" {
				in.File = []byte(step.hash)
			}
			got, err := s.Import(ctx, by, in)
			if err != nil || got != step.want || len(got.Notes()) != int(min(1, step.want.Unnamed)) {
				t.Errorf("%d: %+v %v", i, got, err)
			}
		}
	})
}

// TestSegmentsDeclaredDuringAnImport: rows that were read before are counted by
// the segments of when they are kept.
func TestSegmentsDeclaredDuringAnImport(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		v := imported(t, s, by, "shop", "nps")
		in := reading("shop", strings.NewReader(rows(2100, false)), history.Options{}, nil)
		declared := false
		in.Progress = func(so store.Imported) {
			if !declared {
				declared, v.Segments = true, []string{"plan"}
				_, _, err := s.PutSurvey(ctx, by, v, 0)
				ok(t, err)
			}
		}
		got, err := s.Import(ctx, by, in)
		if err != nil || got.Accepted != 2100 || !declared {
			t.Fatal(got, err)
		}
		c := counted(t, s, by, store.ScoreQuery{ScoreFilter: store.ScoreFilter{Metric: scoring.NPS}, GroupBy: "attributes.plan"})
		groups := map[string]int64{}
		for _, g := range c.Groups {
			groups[g.Key] = cellsN(g.Spans[0])
		}
		if !maps.Equal(groups, map[string]int64{"pro": 700, "free": 700, "": 700}) || !c.Rebuilding {
			t.Errorf("%v %+v", groups, c)
		}
	})
}

// TestExportImportsAgain: what leaves koe comes back as it was, into another
// survey, in both forms.
func TestExportImportsAgain(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		imported(t, s, by, "shop", "nps", "plan")
		email := "ana@example.com"
		score, at := 9, survey.Instant(1_700_000_000_123)
		var five survey.Value
		ok(t, five.UnmarshalJSON([]byte("5")))
		for i, comment := range []string{"=SUM(A1)", "'=x", "two\nlines \"quoted\", and more", "日本語 ﾊﾝｶｸ 🙂", "שלום", "'tis", "-5", "+81", "@x", ""} {
			at += survey.Instant(i)
			_, _, err := s.CreateResponse(ctx, by, store.NewResponse{Survey: "shop", Score: &score, Comment: comment, RespondedAt: &at,
				ExternalID: fmt.Sprintf("=%d", i), Channel: "@shop", Locale: "ja", Tags: []string{"=a|b", "c"},
				Excluded:   []string{"", survey.ExcludedTrap, ""}[i%3],
				Customer:   survey.Customer{Email: &email, ExternalID: "+c", Name: "-Ana"},
				Attributes: survey.Attributes{"plan": survey.TextValue("=pro"), "n": five, "t": survey.TextValue("5"), "Größe 大": survey.TextValue("'7")}})
			ok(t, err)
		}
		want := exported(t, s, by, store.ResponseFilter{})
		names, err := s.ExportedNames(ctx, by, store.ResponseFilter{})
		if err != nil || !slices.Equal(names.Attributes, []string{"Größe 大", "n", "plan", "t"}) || !slices.Equal(names.Questions, []string{"reason"}) {
			t.Fatal(names, err)
		}
		for _, form := range []string{"csv", "ndjson"} {
			var file bytes.Buffer
			out := history.WriteJSONLines(&file)
			if form == "csv" {
				out, err = history.WriteCSV(&file, names.Attributes, names.Questions, true)
				ok(t, err)
			}
			ok(t, s.Export(ctx, by, store.ResponseFilter{Survey: "shop"}, out.Write))
			ok(t, out.Flush())
			imported(t, s, by, form, "nps", "plan")
			got, err := s.Import(ctx, by, store.Import{Survey: form, Open: func(t survey.Template, zone *time.Location) (*history.Reader, error) {
				if form == "csv" {
					return history.ReadCSV(&file, t, history.Options{Zone: zone})
				}
				return history.ReadJSONLines(&file, history.Options{Zone: zone})
			}})
			if err != nil || got.Accepted != int64(len(want)) {
				t.Fatal(got, err)
			}
			back := exported(t, s, by, store.ResponseFilter{Survey: form})
			if !reflect.DeepEqual(back, want) {
				t.Errorf("%s:\n%+v\n%+v", form, back, want)
			}
			if c := counted(t, s, by, store.ScoreQuery{ScoreFilter: store.ScoreFilter{Metric: scoring.NPS, Survey: form}, Spans: []store.Span{{}}}); c.Excluded != 3 {
				t.Errorf("%s: %d left out of scores", form, c.Excluded)
			}
		}
		checked, err := s.Verify(ctx)
		ok(t, err)
		for _, fault := range checked.Faults {
			t.Error(fault)
		}
	})
}

// TestExportIsWhole: every response once, over many pages, with the same
// instant on all of them, and with every filter of a list.
func TestExportIsWhole(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		imported(t, s, by, "shop", "nps")
		var file strings.Builder
		file.WriteString("score,responded_at,external_id,comment\n")
		for i := range 3000 {
			fmt.Fprintf(&file, "%d,2026-03-0%d,x%d,日本 %d\n", i%11, i%2+1, i, i%3)
		}
		_, err := s.Import(ctx, by, reading("shop", strings.NewReader(file.String()), history.Options{}, nil))
		ok(t, err)
		seen := map[string]bool{}
		last := survey.Instant(0)
		for _, r := range exported(t, s, by, store.ResponseFilter{}) {
			if seen[r.ExternalID] || r.RespondedAt < last {
				t.Fatalf("%s again, or out of order", r.ExternalID)
			}
			seen[r.ExternalID], last = true, r.RespondedAt
		}
		nine := 9
		few := exported(t, s, by, store.ResponseFilter{ScoreMin: &nine, Q: "日本 2", Locale: "en"})
		if len(seen) != 3000 || len(few) != 181 {
			t.Errorf("%d, %d", len(seen), len(few))
		}
		newest, _, err := s.Responses(ctx, by, store.ResponseFilter{}, store.Page{Limit: 1})
		ok(t, err)
		created := newest[0].CreatedAt
		before := created - 60_000
		if then, now := exported(t, s, by, store.ResponseFilter{CreatedUntil: &before}), exported(t, s, by, store.ResponseFilter{ScoreMin: &nine, CreatedUntil: new(created + 60_000)}); len(then) != 0 || len(now) < 500 {
			t.Errorf("%d were there before, %d a minute later", len(then), len(now))
		}
		for most, want := range map[int]store.Found{4000: {N: 1000}, 300: {N: 100, More: true}} {
			if found, err := s.CountComments(ctx, by, store.ResponseFilter{Q: "日本 2"}, most); err != nil || found.More != want.More || found.N > want.N*2 || found.N < want.N/2 || !want.More && found.N != want.N {
				t.Errorf("%+v found among %d: %v", found, most, err)
			}
		}
		boom := errors.New("the reader has gone")
		if err := s.Export(ctx, by, store.ResponseFilter{}, func(survey.Response) error { return boom }); !errors.Is(err, boom) {
			t.Error(err)
		}
	})
}
