package store_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"koe/scoring"
	"koe/survey"
	"koe/survey/store"
	"koe/survey/store/storetest"
)

// told is an answer as the test remembers it.
type told struct {
	id       survey.ID
	survey   survey.Survey
	at       survey.Instant
	score    int
	locale   string
	channel  string
	agent    string
	plan     string
	topics   []string
	hospital int // a rating; 0 was not given
	person   string
	row      *importedRow // of the file that it came from
}

// teller makes random answers at three surveys and remembers them.
type teller struct {
	t       *testing.T
	s       *store.Store
	by      store.Caller
	random  *rand.Rand
	surveys []survey.Survey
	told    []told
	next    int // how many were told
	files   []importedFile
}

func newTeller(t *testing.T, s *store.Store) *teller {
	t.Helper()
	by := storetest.Default(t, s)
	tell := &teller{t: t, s: s, by: by, random: rand.New(rand.NewPCG(7, 11))}
	template := aTemplate("asked")
	template.Questions = append(template.Questions,
		survey.Question{Key: "topic", Type: survey.ChoiceQuestion, Multiple: true, Text: survey.Text{"en": "What about?"},
			Options: []survey.Option{{Key: "speed", Text: survey.Text{"en": "Speed"}}, {Key: "price", Text: survey.Text{"en": "Price"}}}},
		survey.Question{Key: "clean", Type: survey.RatingQuestion, Scale: &survey.Scale{Min: 1, Max: 5}, Text: survey.Text{"en": "How clean?"}})
	_, err := s.CreateTemplate(ctx, by, template)
	ok(t, err)
	for i, touchpoint := range []string{"chat", "chat", "shop"} {
		v := mustSurvey(t, s, by, touchpoint, func(v *survey.Survey) {
			v.Template, v.Segments = "asked", []string{"agent"}
			if i == 1 {
				v.Segments = nil
			}
		})
		tell.surveys = append(tell.surveys, v)
	}
	return tell
}

func (l *teller) pick(values ...string) string { return values[l.random.IntN(len(values))] }

// tell posts an answer.
func (l *teller) tell() {
	l.t.Helper()
	one, in := l.draw(l.surveys[l.random.IntN(3)])
	r, _, err := l.s.CreateResponse(ctx, l.by, in)
	ok(l.t, err)
	one.id = r.ID
	l.told = append(l.told, one)
}

// draw is an answer given within 60 days before noon of 2026-11-20, and how it
// is posted.
func (l *teller) draw(of survey.Survey) (told, store.NewResponse) {
	start, _ := survey.ParseInstant("2026-09-21T12:00:00Z")
	one := told{survey: of, at: start.Add(time.Duration(l.random.IntN(60*24*3600)) * time.Second),
		score: 1 + l.random.IntN(5), locale: l.pick("en", "ja", "de"), channel: l.pick("api", "kiosk"),
		agent: l.pick("", "Kim", "ゆき", "Kim"), plan: l.pick("", "pro", "team"), person: fmt.Sprint("p-", l.next)}
	l.next++
	in := store.NewResponse{Survey: one.survey.ID.String(), Score: &one.score, RespondedAt: &one.at, Locale: one.locale, Channel: one.channel,
		Attributes: survey.Attributes{}, Answers: survey.Answers{"reason": "words"}, Customer: survey.Customer{ExternalID: one.person}}
	if one.agent != "" || l.random.IntN(2) == 0 { // an empty value is none
		in.Attributes["agent"] = survey.TextValue(one.agent)
	}
	if one.plan != "" {
		in.Attributes["plan"] = survey.TextValue(one.plan)
	}
	for _, topic := range []string{"speed", "price"} {
		if l.random.IntN(3) == 0 {
			one.topics = append(one.topics, topic)
		}
	}
	if one.topics != nil {
		in.Answers["topic"] = one.topics
	}
	if l.random.IntN(2) == 0 {
		one.hospital = 1 + l.random.IntN(5)
		in.Answers["clean"] = one.hospital
	}
	return one, in
}

// declares says whether the survey of an answer tells it apart by a segment.
func (a told) declares(segment string) bool { return slices.Contains(a.survey.Segments, segment) }

func (a told) segment(name string) string {
	switch {
	case !a.declares(name):
		return ""
	case name == "agent":
		return a.agent
	}
	return a.plan
}

// groups are what an answer is counted under.
func (a told) groups(by string, names map[survey.ID]string) []string {
	switch by {
	case "":
		return []string{""}
	case store.ByTouchpoint:
		return []string{a.survey.Touchpoint}
	case store.BySurvey:
		return []string{a.survey.ID.String()}
	case store.ByLocale:
		return []string{a.locale}
	case store.ByChannel:
		return []string{a.channel}
	case "attributes.agent":
		return []string{a.segment("agent")}
	case "attributes.plan":
		return []string{a.segment("plan")}
	}
	if a.topics == nil {
		return []string{""}
	}
	return a.topics
}

func (a told) matches(f store.ScoreFilter, span store.Span) bool {
	for name, value := range f.Attributes {
		if a.segment(name) != value {
			return false
		}
	}
	return (f.Touchpoint == "" || a.survey.Touchpoint == f.Touchpoint) && (f.Survey == "" || a.survey.ID.String() == f.Survey) &&
		(f.Locale == nil || a.locale == *f.Locale) && (f.Channel == nil || a.channel == *f.Channel) &&
		(span.From == nil || a.at >= *span.From) && (span.To == nil || a.at < *span.To)
}

// check compares a query with what was told.
func (l *teller) check(query store.ScoreQuery) store.Counted {
	l.t.Helper()
	query.Metric = scoring.CSAT
	counted, err := l.s.Tally(ctx, l.by, query)
	if err != nil {
		l.t.Fatalf("%+v: %v", query, err)
	}
	for i, span := range query.Spans {
		var want scoring.Histogram
		for _, a := range l.told {
			if a.matches(query.ScoreFilter, span) {
				want[a.score]++
			}
		}
		if got := counted.Spans[i][0].Histogram; got != want {
			l.t.Errorf("%s: span %d by %s is %v instead of %v", describe(query), i, counted.Source, got, want)
		}
	}
	if query.GroupBy == "" {
		return counted
	}
	want, got := map[string]scoring.Histogram{}, map[string]scoring.Histogram{}
	for _, a := range l.told {
		if a.matches(query.ScoreFilter, query.Spans[0]) {
			for _, group := range a.groups(query.GroupBy, nil) {
				h := want[group]
				h[a.score]++
				want[group] = h
			}
		}
	}
	for _, g := range counted.Groups {
		if h := g.Spans[0][0].Histogram; h.N() > 0 {
			got[g.Key] = h
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		l.t.Errorf("%s: groups by %s (-told +counted):\n%s", describe(query), counted.Source, diff)
	}
	return counted
}

func describe(query store.ScoreQuery) string {
	text := fmt.Sprintf("touchpoint=%s survey=%s attributes=%v group=%s", query.Touchpoint, query.Survey, query.Attributes, query.GroupBy)
	if query.Locale != nil {
		text += " locale=" + *query.Locale
	}
	if query.Channel != nil {
		text += " channel=" + *query.Channel
	}
	return text
}

// random is a query of any kind that can be answered.
func (l *teller) query() store.ScoreQuery {
	f := store.ScoreFilter{}
	if l.random.IntN(3) == 0 {
		f.Touchpoint = l.pick("chat", "shop")
	}
	if l.random.IntN(4) == 0 {
		f.Survey = l.surveys[0].ID.String()
	}
	if l.random.IntN(3) == 0 {
		f.Locale = pointer(l.pick("en", "ja"))
	}
	if l.random.IntN(4) == 0 {
		f.Channel = pointer(l.pick("api", "kiosk"))
	}
	if l.random.IntN(3) == 0 {
		f.Attributes = map[string]string{"agent": l.pick("Kim", "ゆき", "nobody", "")}
	}
	q := store.ScoreQuery{ScoreFilter: f, GroupBy: l.pick("", store.ByTouchpoint, store.BySurvey, store.ByLocale, store.ByChannel,
		"attributes.agent", "answers.topic")}
	zone, err := survey.LoadZone(l.pick("UTC", "Asia/Tokyo", "Asia/Kathmandu", "America/New_York"))
	ok(l.t, err)
	day := survey.Day(20720 + l.random.IntN(60)) // 2026-09-24 and later
	instant := func(d survey.Day) *survey.Instant { return pointer(survey.StartOf(d, zone)) }
	switch l.random.IntN(4) {
	case 0:
		q.Spans = []store.Span{{}}
	case 1:
		q.Spans = []store.Span{{From: instant(day)}, {To: instant(day)}}
	case 2:
		q.Spans = []store.Span{{From: instant(day), To: instant(day + 9)}, {From: instant(day - 9), To: instant(day)}}
		for d := day; d < day+9; d++ {
			q.Spans = append(q.Spans, store.Span{From: instant(d), To: instant(d + 1)}, store.Span{From: instant(d - 3), To: instant(d + 1)})
		}
	case 3:
		q.Spans = []store.Span{{From: pointer(instant(day).Add(time.Hour)), To: pointer(instant(day).Add(5 * time.Hour))}}
	}
	return q
}

// However a score is asked for, and from wherever it is counted, it is the
// same: whole days and parts of days in any zone, filters and groups of every
// kind, while tallies are being counted anew and after.
func TestEveryWayOfCountingAgrees(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-22T09:00:00Z")
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		l := newTeller(t, s)
		ask := func(n int) {
			t.Helper()
			for range n {
				l.check(l.query())
			}
		}
		for range 300 {
			l.tell()
		}
		for range 6 {
			l.importFile()
		}
		for range 120 {
			l.change()
		}
		for range 6 {
			l.importAgain()
		}
		ask(60)
		verified(t, s)

		// a new segment is counted in the background; meanwhile rows answer
		for i := range l.surveys {
			if i == 1 {
				continue
			}
			v, err := s.PatchSurvey(ctx, l.by, l.surveys[i].ID.String(), 0, func(v survey.Survey) (survey.Survey, error) {
				v.Segments = []string{"agent", "plan"}
				return v, nil
			})
			ok(t, err)
			l.declared(v)
		}
		byPlan := store.ScoreQuery{GroupBy: "attributes.plan", Spans: []store.Span{{}}}
		if counted := l.check(byPlan); !counted.Rebuilding || counted.Source != "rows" {
			t.Errorf("while a segment is counted: %s, rebuilding %t", counted.Source, counted.Rebuilding)
		}
		ask(20)
		for range 20 {
			l.tell()
			l.change()
		}
		l.importFile()
		l.importAgain()
		l.check(byPlan)
		rebuilt(t, s)
		if counted := l.check(byPlan); counted.Rebuilding || counted.Source != "tallies" {
			t.Errorf("after it: %s, rebuilding %t", counted.Source, counted.Rebuilding)
		}
		both := store.ScoreQuery{ScoreFilter: store.ScoreFilter{Attributes: map[string]string{"agent": "Kim"}}, GroupBy: "attributes.plan", Spans: []store.Span{{}}}
		if counted := l.check(both); counted.Source != "rows" {
			t.Errorf("two segments at once by %s", counted.Source)
		}
		ask(30)
		verified(t, s)

		_, err := s.PatchWorkspace(ctx, l.by, func(w *survey.Workspace) error { w.Timezone = "America/New_York"; return nil })
		ok(t, err)
		ask(20)
		for range 20 {
			l.tell()
			l.change()
		}
		l.importFile()
		l.importAgain()
		ask(5)
		rebuilt(t, s)
		ask(30)
		verified(t, s)

		// a segment that is taken back is forgotten, and counted again when it is
		// declared again; erased people have it no more
		for _, segments := range [][]string{{"agent"}, {"plan", "agent"}} {
			for _, i := range []int{0, 2} {
				v, err := s.PatchSurvey(ctx, l.by, l.surveys[i].ID.String(), 0, func(v survey.Survey) (survey.Survey, error) {
					v.Segments = segments
					return v, nil
				})
				ok(t, err)
				l.declared(v)
			}
			ask(20)
			for range 20 {
				l.tell()
				l.change()
			}
			l.importFile()
			l.importAgain()
			rebuilt(t, s)
			ask(20)
			verified(t, s)
		}
		l.check(both)
		if counted := l.check(byPlan); counted.Source != "tallies" {
			t.Errorf("declared again: by %s", counted.Source)
		}
	}, clock.Use)
}

// declared puts a survey's new segments into what was told.
func (l *teller) declared(v survey.Survey) {
	for i := range l.surveys {
		if l.surveys[i].ID == v.ID {
			l.surveys[i] = v
		}
	}
	for i := range l.told {
		if l.told[i].survey.ID == v.ID {
			l.told[i].survey = v
			if l.told[i].person == "" && !l.told[i].declares("plan") {
				l.told[i].plan = ""
			}
		}
	}
}

// verified fails where a tally differs from the rows.
func verified(t *testing.T, s *store.Store) store.Checked {
	t.Helper()
	checked, err := s.Verify(ctx)
	ok(t, err)
	for _, fault := range checked.Faults {
		t.Error(fault)
	}
	return checked
}

func TestVerifyFindsWhatIsWrong(t *testing.T) {
	storetest.EachEmpty(t, func(t *testing.T, url string) {
		s := storetest.Open(t, url)
		l := newTeller(t, s)
		for range 30 {
			l.tell()
		}
		if c := verified(t, s); c.Responses != 30 || c.Tallies < 100 || c.Workspaces != 1 {
			t.Errorf("looked at %+v", c)
		}
		db := raw(t, url)
		for _, harm := range []string{
			`UPDATE tallies SET c3 = c3 + 1 WHERE dimension = 'locale' AND value = 'ja'`,
			`UPDATE responses SET stratum_id = stratum_id + 1`,
			`DELETE FROM tallies WHERE dimension = 'answers.topic'`,
			`INSERT INTO invitation_tallies SELECT workspace_id, generation, '', '', touchpoint_id, survey_id, 1, 1, 0, 0, 0, 0 FROM tallies LIMIT 1`,
		} {
			if _, err := s.FoldTallies(ctx); err != nil {
				t.Fatal(err)
			}
			before := len(must(s.Verify(ctx)).Faults)
			result, err := db.Exec(harm)
			ok(t, err)
			if n, _ := result.RowsAffected(); n == 0 {
				t.Fatalf("%s: nothing was changed", harm)
			}
			if after := len(must(s.Verify(ctx)).Faults); after <= before {
				t.Errorf("not found: %s", harm)
			}
		}
	})
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// Beyond the cap a value is "other", says so, and is still found by itself.
func TestSegmentValuesBeyondTheCap(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		by := storetest.Default(t, s)
		v := mustSurvey(t, s, by, "chat", func(v *survey.Survey) { v.Segments = []string{"order"} })
		for i := range 505 {
			_, _, err := s.CreateResponse(ctx, by, store.NewResponse{Survey: v.ID.String(), Score: pointer(i % 11),
				Attributes: survey.Attributes{"order": survey.TextValue(strconv.Itoa(i))}})
			ok(t, err)
		}
		query := store.ScoreQuery{ScoreFilter: store.ScoreFilter{Metric: scoring.NPS}, GroupBy: "attributes.order", Spans: []store.Span{{}}}
		counted, err := s.Tally(ctx, by, query)
		ok(t, err)
		if len(counted.Groups) != 501 || counted.Groups[0].Key != "other" || counted.Groups[0].Spans[0][0].Histogram.N() != 5 || len(counted.Notes) != 1 {
			t.Errorf("%d groups, first %q, notes %q", len(counted.Groups), counted.Groups[0].Key, counted.Notes)
		}
		query.GroupBy, query.Attributes = "", map[string]string{"order": "other"}
		counted, err = s.Tally(ctx, by, query)
		ok(t, err)
		if n := counted.Spans[0][0].Histogram.N(); n != 5 || len(counted.Notes) != 1 {
			t.Errorf("%d others, notes %q", n, counted.Notes)
		}
		query.Attributes = map[string]string{"order": "504"}
		counted, err = s.Tally(ctx, by, query)
		ok(t, err)
		if n := counted.Spans[0][0].Histogram.N(); n != 1 || counted.Source != "rows" {
			t.Errorf("%d answers of one beyond the cap, by %s", n, counted.Source)
		}
		verified(t, s)
	})
}

func TestScoreQueriesThatCannotBeAnswered(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		l := newTeller(t, s)
		l.tell()
		for field, query := range map[string]store.ScoreQuery{
			"touchpoint":       {ScoreFilter: store.ScoreFilter{Touchpoint: "nowhere"}},
			"survey":           {ScoreFilter: store.ScoreFilter{Survey: "nothing"}},
			"attributes.plan":  {ScoreFilter: store.ScoreFilter{Attributes: map[string]string{"plan": "pro"}}},
			"group_by":         {GroupBy: "attributes.plan"},
			"group_by colour":  {GroupBy: "colour"},
			"group_by answers": {GroupBy: "answers.nothing"},
			"group_by rating":  {GroupBy: "answers.clean"},
		} {
			query.Spans = []store.Span{{}}
			_, err := s.Tally(ctx, l.by, query)
			name, _, _ := cutWord(field)
			refused(t, err, survey.Invalid, name)
		}
	})
}

func cutWord(s string) (first, rest string, found bool) {
	for i, r := range s {
		if r == ' ' {
			return s[:i], s[i+1:], true
		}
	}
	return s, "", false
}

// The answers to further questions, from tallies and from rows.
func TestAnswersToEveryQuestion(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-22T09:00:00Z")
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		l := newTeller(t, s)
		for range 120 {
			l.tell()
		}
		for range 20 {
			l.change() // the words of an erased person stay counted
		}
		from, _ := survey.ParseInstant("2026-10-01T00:00:00Z")
		for source, f := range map[string]struct {
			filter store.ScoreFilter
			span   store.Span
		}{
			"tallies": {span: store.Span{From: &from}},
			"rows":    {span: store.Span{From: pointer(from.Add(7 * time.Hour))}},
			"rows ja": {filter: store.ScoreFilter{Locale: pointer("ja")}, span: store.Span{From: &from}},
		} {
			counted, err := s.Answers(ctx, l.by, l.surveys[0].ID.String(), f.filter, f.span)
			ok(t, err)
			want := map[string]int64{}
			f.filter.Survey = l.surveys[0].ID.String()
			for _, a := range l.told {
				if !a.matches(f.filter, f.span) {
					continue
				}
				want["all"]++
				want["reason"]++
				if a.topics != nil {
					want["topic"]++
				}
				for _, topic := range a.topics {
					want["topic="+topic]++
				}
				if a.hospital > 0 {
					want["clean"]++
					want["clean="+strconv.Itoa(a.hospital)]++
				}
			}
			got := map[string]int64{"all": counted.Responses[0].Histogram.N()}
			for _, question := range counted.Questions {
				got[question.Question.Key] = question.Answered[0].Histogram.N()
				for _, value := range question.Values {
					got[question.Question.Key+"="+value.Key] = value.Cells[0].Histogram.N()
				}
			}
			maps.DeleteFunc(got, func(_ string, n int64) bool { return n == 0 })
			if diff := cmp.Diff(want, got); diff != "" || want["clean"] < 2 {
				t.Errorf("%s (-told +counted):\n%s", source, diff)
			}
			if name, _, _ := cutWord(source); counted.Source != name {
				t.Errorf("%s came from %s", source, counted.Source)
			}
		}
		first, last, err := s.DataSpan(ctx, l.by, store.ScoreFilter{})
		ok(t, err)
		times := make([]survey.Instant, 0, len(l.told))
		for _, a := range l.told {
			times = append(times, a.at)
		}
		if *first != slices.Min(times) || *last != slices.Max(times) {
			t.Errorf("data from %s to %s instead of %s to %s", first, last, slices.Min(times), slices.Max(times))
		}
	}, clock.Use)
}
