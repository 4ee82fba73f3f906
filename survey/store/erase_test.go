package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"koe/scoring"
	"koe/survey"
	"koe/survey/store"
	"koe/survey/store/storetest"
)

// crowd is a number of people of whom everything personal bears a mark: a word
// that stands nowhere else.
type crowd struct {
	t      *testing.T
	s      *store.Store
	by     store.Caller
	survey survey.Survey
	tokens []string
}

var marks = []string{"qqzzqqmail", "qqzzqqdomain", "qqzzqqname", "qqzzqqperson", "qqzzqqevent", "qqzzqqanswer", "qqzzqqcomment", "qqzzqqsecond", "qqzzqqattribute", "qqzzqqserver"}

func (c *crowd) customer(i int) survey.Customer {
	return survey.Customer{ExternalID: fmt.Sprint("qqzzqqperson", i), Email: pointer(fmt.Sprint("qqzzqqmail", i, "@qqzzqqdomain.example")),
		Name: fmt.Sprint("qqzzqqname 田中 ", i), Locale: []string{"en", "ja"}[i%2], Timezone: "Asia/Tokyo"}
}

func (c *crowd) attributes(i int) survey.Attributes {
	return survey.Attributes{"agent": survey.TextValue([]string{"Kim", "Lee", "金"}[i%3]), "order": survey.TextValue(fmt.Sprint("qqzzqqattribute", i))}
}

// newCrowd makes n people who were told of, asked by link and by mail, and who
// answered; some suppressed, some with a mail that a server refused.
func newCrowd(t *testing.T, s *store.Store, n int) *crowd {
	c := &crowd{t: t, s: s, by: storetest.Default(t, s)}
	long := aTemplate("long")
	long.Questions = append(long.Questions,
		survey.Question{Key: "second", Type: survey.TextQuestion, Text: survey.Text{"en": "And?"}},
		survey.Question{Key: "topic", Type: survey.ChoiceQuestion, Multiple: true, Text: survey.Text{"en": "Which?"},
			Options: []survey.Option{{Key: "speed", Text: survey.Text{"en": "Speed"}}, {Key: "price", Text: survey.Text{"en": "Price"}}}})
	_, err := s.CreateTemplate(ctx, c.by, long)
	ok(t, err)
	c.survey = mustSurvey(t, s, c.by, "chat", func(v *survey.Survey) {
		byLink(v)
		v.Template, v.Segments, v.Rules.QuietPeriod = "long", []string{"agent"}, "0s"
	})
	mustSurvey(t, s, c.by, "chat", func(v *survey.Survey) { v.Rules.QuietPeriod, v.Trigger.Delay = "0s", "1h" })
	mustSurvey(t, s, c.by, "desk", func(v *survey.Survey) { v.Rules.QuietPeriod = "0s" })
	items := make([]store.Item, n)
	for i := range items {
		items[i].Interaction = survey.Interaction{Touchpoint: "chat", ExternalID: fmt.Sprint("qqzzqqevent", i), Customer: c.customer(i), Attributes: c.attributes(i)}
	}
	outcomes, err := s.RecordInteractions(ctx, c.by, items)
	ok(t, err)
	for _, o := range outcomes {
		ok(t, o.Err)
		c.tokens = append(c.tokens, o.Decisions[0].Token)
	}
	for _, err := range atOnce(n, c.answer) {
		ok(t, err)
	}
	c.refusedMails(min(n, 5))
	return c
}

func (c *crowd) answer(i int) error {
	top := c.max()
	answers := survey.Answers{"reason": fmt.Sprint("qqzzqqcomment ", i, " 遅い"), "second": fmt.Sprint("qqzzqqsecond ", i), "topic": []string{[]string{"speed", "price"}[i%2]}}
	if i%3 != 0 {
		if _, err := c.s.Answer(context.Background(), c.tokens[i], storetest.Says(store.Reply{Score: pointer(i%top + 1), Answers: answers, Locale: "ja"})); err != nil {
			return err
		}
	}
	r, _, err := c.s.CreateResponse(context.Background(), c.by, store.NewResponse{Survey: c.survey.ID.String(), Score: pointer(top - i%top), Answers: answers,
		Customer: c.customer(i), Attributes: c.attributes(i), ExternalID: fmt.Sprint("qqzzqqanswer", i)})
	if err == nil && i%10 == 0 {
		_, _, err = c.s.ChangeResponse(context.Background(), c.by, r.ID, change(pointer(top), nil, []string{"tagged"}))
	}
	if err == nil && i%10 == 1 {
		_, _, err = c.s.Suppress(context.Background(), c.by, c.customer(i).Address(), survey.ByHand)
	}
	return err
}

// max is the top of the scale, which begins with 1.
func (c *crowd) max() int { return 5 }

// refusedMails asks the first n people by a mail that the server refuses.
func (c *crowd) refusedMails(n int) {
	for i := range n {
		record(c.t, c.s, c.by, survey.Interaction{Touchpoint: "desk", Customer: c.customer(i)})
	}
	claims, err := c.s.ClaimDue(ctx, n, time.Minute)
	ok(c.t, err)
	for _, claim := range claims {
		mail, err := c.s.StartSending(ctx, []store.Claim{claim}, func(store.Mail) string { return "<qqzzqqserver@example.com>" })
		ok(c.t, err)
		if len(mail) == 1 {
			ok(c.t, c.s.Fail(ctx, claim, "550 5.1.1 qqzzqqserver says no"))
		}
	}
}

// numbers are everything that reports show.
func (c *crowd) numbers() string {
	var all []string
	for _, group := range []string{"", store.BySurvey, store.ByLocale, store.ByChannel, "attributes.agent", "answers.topic"} {
		q := store.ScoreQuery{ScoreFilter: store.ScoreFilter{Metric: scoring.CSAT}, Spans: make([]store.Span, 1), GroupBy: group}
		if strings.Contains(group, ".") {
			q.Survey = c.survey.ID.String()
		}
		counted, err := c.s.Tally(ctx, c.by, q)
		ok(c.t, err)
		all = append(all, fmt.Sprintf("%s %+v", group, counted))
	}
	tagged, err := c.s.Tally(ctx, c.by, store.ScoreQuery{ScoreFilter: store.ScoreFilter{Metric: scoring.CSAT, Tag: "tagged"}, Spans: make([]store.Span, 1)})
	ok(c.t, err)
	rated, err := c.s.Tally(ctx, c.by, store.ScoreQuery{AnyMetric: true, Rates: true, Spans: make([]store.Span, 1)})
	ok(c.t, err)
	return strings.Join(append(all, fmt.Sprintf("tagged %+v", tagged), fmt.Sprintf("rates %+v", *rated.Rates)), "\n")
}

// everything is all that a database holds: the bytes of SQLite's files, once
// they were vacuumed, or PostgreSQL's rows as text.
func everything(t *testing.T, url string) string {
	t.Helper()
	db := raw(t, url)
	path, lite := strings.CutPrefix(url, "sqlite:")
	if !lite {
		var all []string
		for _, table := range texts(t, db, `SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1`) {
			all = append(all, texts(t, db, `SELECT '`+table+` ' || t::text FROM "`+table+`" t`)...)
		}
		return strings.Join(all, "\n")
	}
	vacuum(t, db)
	files, err := filepath.Glob(path + "*")
	ok(t, err)
	var all strings.Builder
	for _, file := range files {
		content, err := os.ReadFile(file)
		ok(t, err)
		all.Write(content)
	}
	return all.String()
}

func vacuum(t *testing.T, db *sql.DB) {
	t.Helper()
	for _, statement := range []string{"PRAGMA wal_checkpoint(TRUNCATE)", "VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"} {
		_, err := db.Exec(statement)
		ok(t, err)
	}
}

// A thousand people are erased: no trace of them is left, and every number
// stays.
func TestErasedPeopleLeaveNoTrace(t *testing.T) {
	clock := storetest.NewClock(t, "2026-11-22T09:00:00Z")
	storetest.EachEmpty(t, func(t *testing.T, url string) {
		s := storetest.Open(t, url, clock.Use)
		n := 1000
		if !strings.HasPrefix(url, "sqlite:") { // rows are rows: fewer show the same, sooner
			n = 200
		}
		c := newCrowd(t, s, n)
		kept := record(t, s, c.by, survey.Interaction{Touchpoint: "chat", Customer: survey.Customer{Email: pointer("kept@example.com"), Name: "Kept"}})
		before := c.numbers()
		held := everything(t, url)
		for _, mark := range marks {
			if !strings.Contains(held, mark) {
				t.Fatalf("%s is nowhere: this test could not fail", mark)
			}
		}
		for _, err := range atOnce(n, func(i int) error {
			return s.ErasePerson(context.Background(), c.by, c.customer(i).ExternalID)
		}) {
			ok(t, err)
		}
		if after := c.numbers(); after != before {
			t.Errorf("the numbers were\n%s\nand are\n%s", before, after)
		}
		verified(t, s)
		held = everything(t, url)
		for _, mark := range marks {
			if at := strings.Index(held, mark); at >= 0 {
				t.Errorf("a trace of %s: …%q…", mark, held[max(0, at-100):min(len(held), at+100)])
			}
		}
		people, _, err := s.People(ctx, c.by, store.PersonFilter{}, store.Page{Limit: 500})
		ok(t, err)
		if len(people) != 1 || people[0].ID != *kept.Person || people[0].Name != "Kept" {
			t.Errorf("left are %+v", people)
		}
		waits, err := s.OutboxSummary(ctx, c.by, "")
		ok(t, err)
		claims, err := s.ClaimDue(ctx, 100, time.Minute)
		ok(t, err)
		if len(claims) != 0 || waits.Mail.NextDue == nil {
			t.Errorf("%d mails of erased people are due; the next is at %v", len(claims), waits.Mail.NextDue)
		}
		suppressed := texts(t, raw(t, url), `SELECT COALESCE(email, '-') FROM suppressions`)
		if len(suppressed) != n/10 || strings.Join(suppressed, "") != strings.Repeat("-", n/10) {
			t.Errorf("%d suppressions are left: %v", len(suppressed), suppressed)
		}
	})
}

// What is told again of somebody who was erased is known as told: it asks
// nobody, counts nothing and brings no word back.
func TestRepeatsAboutAnErasedPerson(t *testing.T) {
	storetest.EachEmpty(t, func(t *testing.T, url string) {
		s := storetest.Open(t, url)
		c := newCrowd(t, s, 3)
		before := c.numbers()
		for i := range 3 {
			ok(t, s.ErasePerson(ctx, c.by, c.customer(i).ExternalID))
		}
		for i, token := range c.tokens {
			_, err := s.Open(ctx, token)
			refused(t, err, survey.NotFound, "")
			_, err = s.Answer(ctx, token, storetest.Says(store.Reply{Score: pointer(1)}))
			refused(t, err, survey.NotFound, "")
			told := record(t, s, c.by, survey.Interaction{Touchpoint: "chat", ExternalID: fmt.Sprint("qqzzqqevent", i), Customer: c.customer(i), Attributes: c.attributes(i)})
			if !told.Repeat || told.Person != nil || told.Interaction.ExternalID != "" || told.Interaction.Customer.Known() || len(told.Interaction.Attributes) != 0 {
				t.Errorf("told again: %+v", told)
			}
			r, repeat, err := s.CreateResponse(ctx, c.by, store.NewResponse{Survey: c.survey.ID.String(), Score: pointer(1), Comment: "qqzzqqcomment", Customer: c.customer(i), ExternalID: fmt.Sprint("qqzzqqanswer", i)})
			ok(t, err)
			if !repeat || r.Person != nil || r.Comment != "" || r.ExternalID != "" || fmt.Sprint(r.Answers["reason"], r.Answers["second"]) != "" {
				t.Errorf("answered again: %v %+v", repeat, r)
			}
			if len(r.Attributes) != 1 || r.Attributes["agent"] != c.attributes(i)["agent"] {
				t.Errorf("attributes are %v", r.Attributes)
			}
			_, events, err := s.Response(ctx, c.by, r.ID)
			ok(t, err)
			if last := events[len(events)-1]; last.Type != "erased" || last.Detail != "by test" {
				t.Errorf("events %+v", events)
			}
			// an editor may still tag it, and its empty texts stay
			tagged, _, err := s.ChangeResponse(ctx, c.by, r.ID, func(v *store.ResponseChange) error {
				v.Tags = append(v.Tags, "seen")
				return nil
			})
			ok(t, err)
			if tagged.Answers["reason"] != "" || len(tagged.Answers) != len(r.Answers) {
				t.Errorf("answers %v became %v", r.Answers, tagged.Answers)
			}
		}
		if after := c.numbers(); after != before {
			t.Errorf("the numbers were\n%s\nand are\n%s", before, after)
		}
		verified(t, s)
		for _, err := range []error{s.ErasePerson(ctx, c.by, "qqzzqqperson1"), s.ErasePerson(ctx, c.by, "nobody"), s.ErasePerson(ctx, storetest.Other(t, s, "other"), "qqzzqqperson1")} {
			refused(t, err, survey.NotFound, "")
		}
		_, err := s.ExportPerson(ctx, c.by, "qqzzqqperson1")
		refused(t, err, survey.NotFound, "")
	})
}

// Somebody who is erased while they answer, are asked and are told of is gone
// once all of it is done, or came anew.
func TestErasingMeanwhile(t *testing.T) {
	storetest.EachEmpty(t, func(t *testing.T, url string) {
		s := storetest.Open(t, url)
		c := newCrowd(t, s, 6)
		var all sync.WaitGroup
		for i := range 6 {
			for n := range 3 {
				all.Go(func() {
					_, err := s.Answer(context.Background(), c.tokens[i], storetest.Says(store.Reply{Score: pointer(n + 1), Answers: survey.Answers{"reason": "qqzzqqcomment again"}}))
					if err != nil && kindOf(err) != survey.NotFound {
						t.Error(err)
					}
				})
			}
			all.Go(func() {
				if err := s.ErasePerson(context.Background(), c.by, c.customer(i).ExternalID); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		verified(t, s)
		held := everything(t, url)
		for _, mark := range marks {
			if strings.Contains(held, mark) {
				t.Errorf("a trace of %s", mark)
			}
		}
		if n := texts(t, raw(t, url), `SELECT CAST(COUNT(*) AS text) FROM people`)[0]; n != "0" {
			t.Errorf("%s people are left", n)
		}
	})
}
